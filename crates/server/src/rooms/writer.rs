//! Writes seats to the store, in order, behind the backs of the rooms: a meeting never waits for a disk.

use protocol::{ParticipantId, RoomId};
use room::{Persist, SeatRecord};
use tokio::sync::{mpsc, oneshot};

use crate::store::{Db, seats};

/// Writes that may wait. Rooms wait when it is full.
const QUEUE: usize = 4096;

#[derive(Clone)]
pub struct Writer(mpsc::Sender<Write>);

enum Write {
    Save(RoomId, SeatRecord),
    Remove(ParticipantId),
    Flush(oneshot::Sender<()>),
}

impl Writer {
    pub fn start(db: Db) -> Self {
        let (writes, queue) = mpsc::channel(QUEUE);
        tokio::spawn(run(db, queue));
        Self(writes)
    }

    pub async fn write(&self, room: &RoomId, persist: Persist) {
        let write = match persist {
            Persist::Save(seat) => Write::Save(room.clone(), seat),
            Persist::Remove(participant) => Write::Remove(participant),
        };
        // The task ends only with the last of its senders.
        let _ = self.0.send(write).await;
    }

    /// Returns when everything before it is stored.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.0.send(Write::Flush(done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

async fn run(db: Db, mut queue: mpsc::Receiver<Write>) {
    while let Some(write) = queue.recv().await {
        let result = match write {
            Write::Save(room, seat) => seats::save(&db, &room, &seat).await,
            Write::Remove(participant) => seats::remove(&db, &participant).await,
            Write::Flush(done) => {
                let _ = done.send(());
                Ok(())
            }
        };
        if let Err(error) = result {
            tracing::warn!(%error, "a seat was not stored; its person gets a new one after a restart");
        }
    }
}
