//! Somebody is locked, or goes for good: what must end with it, what must still be there afterwards, and what must not.

use identity::administrators::{Standing, may_become};
use protocol::{RoomId, UserId};

use super::users::{self, Account, Change, Changed, change_account};
use super::{Db, Result, in_transaction, links, settings};
use crate::principal::SessionId;

const END_SESSIONS: &str = "DELETE FROM sessions WHERE user_id = $1 RETURNING id";

/// Changes an account; if it is locked then, ends all its sessions, all that applications were given in its name and all
/// links to it. Gives which sessions ended.
pub async fn change(
    db: &Db,
    user: &UserId,
    change: &Change,
    mark: &str,
) -> Result<(Changed, Vec<SessionId>)> {
    let (changed, ended) = in_transaction!(db, tx => {
        let query = sqlx::query(settings::SET).bind(settings::SESSIONS_ENDED);
        query.bind(mark).execute(&mut *tx).await?;
        let changed = change_account!(tx, user, change);
        let mut ended: Vec<String> = Vec::new();
        if matches!(&changed, Changed::Done(account) if account.locked) {
            ended = sqlx::query_scalar(END_SESSIONS).bind(user.as_str()).fetch_all(&mut *tx).await?;
            for sql in [links::TAKE_BACK, "DELETE FROM oidc_grants WHERE user_id = $1"] {
                sqlx::query(sql).bind(user.as_str()).execute(&mut *tx).await?;
            }
        }
        (changed, ended)
    });
    Ok((changed, ended.into_iter().map(SessionId::from).collect()))
}

/// What came of a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    Done {
        /// For the running house to close.
        sessions: Vec<SessionId>,
        /// Rooms that have no owner any more.
        rooms: Vec<RoomId>,
        /// Rooms that are not there any more.
        gone: Vec<RoomId>,
    },
    Nobody,
    /// Nothing was removed: the house would have no administrator who can sign in.
    LastAdministrator,
}

/// Removes somebody and everything that is theirs. Rooms that others were in, or planned meetings in, lose their owner; the
/// others go, and their personal one does. The audit log keeps ids only.
pub async fn remove(db: &Db, user: &UserId, mark: &str) -> Result<Removed> {
    const OWN_ROOMS: &str = "DELETE FROM rooms WHERE owner = $1 AND (kind = 'personal' OR (NOT EXISTS \
        (SELECT 1 FROM room_visits v WHERE v.room_id = rooms.id AND v.user_id <> $1) \
        AND NOT EXISTS (SELECT 1 FROM meetings m WHERE m.room_id = rooms.id AND m.owner <> $1))) RETURNING id";
    const SHARED_ROOMS: &str = "UPDATE rooms SET owner = NULL WHERE owner = $1 RETURNING id";
    // The first three know people without the database knowing; all the rest goes with the account.
    const THE_REST: [&str; 4] = [
        "DELETE FROM meeting_people WHERE who IN (SELECT mail_key FROM users WHERE id = $1)",
        "DELETE FROM seats WHERE subject = $1 AND NOT guest",
        "DELETE FROM images WHERE owner = $1",
        "DELETE FROM users WHERE id = $1",
    ];
    Ok(in_transaction!(db, tx => {
        let query = sqlx::query(settings::SET).bind(settings::SESSIONS_ENDED);
        query.bind(mark).execute(&mut *tx).await?;
        sqlx::query(users::HOLD_ADMINISTRATORS).execute(&mut *tx).await?;
        let query = sqlx::query_as(users::BY_ID).bind(user.as_str());
        let account: Option<Account> = query.fetch_optional(&mut *tx).await?;
        let query = sqlx::query_scalar(users::OTHER_ADMINISTRATORS).bind(user.as_str());
        let others: i64 = query.fetch_one(&mut *tx).await?;
        match account {
            None => Removed::Nobody,
            Some(account) if !may_go(&account, others) => Removed::LastAdministrator,
            Some(_) => {
                let query = sqlx::query_scalar(END_SESSIONS).bind(user.as_str());
                let sessions: Vec<String> = query.fetch_all(&mut *tx).await?;
                let query = sqlx::query_scalar(OWN_ROOMS).bind(user.as_str());
                let gone: Vec<String> = query.fetch_all(&mut *tx).await?;
                let query = sqlx::query_scalar(SHARED_ROOMS).bind(user.as_str());
                let rooms: Vec<String> = query.fetch_all(&mut *tx).await?;
                for sql in THE_REST {
                    sqlx::query(sql).bind(user.as_str()).execute(&mut *tx).await?;
                }
                Removed::Done {
                    sessions: sessions.into_iter().map(SessionId::from).collect(),
                    rooms: rooms.into_iter().map(RoomId::from).collect(),
                    gone: gone.into_iter().map(RoomId::from).collect(),
                }
            }
        }
    }))
}

fn may_go(account: &Account, other_administrators: i64) -> bool {
    let standing = Standing {
        admin: account.admin,
        locked: account.locked,
    };
    let others = u64::try_from(other_administrators).unwrap_or_default();
    may_become(standing, None, others).is_ok()
}
