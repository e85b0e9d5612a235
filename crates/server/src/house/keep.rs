//! Stores what the house decided, within a bounded time.

use std::time::Duration;

use house::Persist;
use tokio::time::timeout;

use crate::store::{Db, StoreError, calls, history, status};

/// Longer than the database itself waits. What comes after it waits too.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether it is stored. What is not is in the log.
pub async fn keep(db: &Db, persist: &Persist) -> bool {
    match timeout(PATIENCE, write(db, persist)).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, "what was decided about a call or a person is not stored");
            false
        }
        Err(_) => {
            tracing::warn!("what was decided about a call or a person is not stored in time");
            false
        }
    }
}

async fn write(db: &Db, persist: &Persist) -> Result<(), StoreError> {
    match persist {
        Persist::CallStarted {
            call,
            new_room,
            kind,
        } => calls::start(db, call, *new_room, *kind).await,
        Persist::CallOver { call, comes } => calls::over(db, call, *comes).await,
        Persist::History { user, entry } => history::write(db, user, entry).await,
        Persist::MissedSeen { user } => history::see_missed(db, user).await,
        Persist::Status { user, status } => status::set(db, user, *status).await,
    }
}
