//! Who comes into which room without knocking; and into the room of a call at all.

use std::collections::BTreeSet;

use identity::UnixMs;
use protocol::{RoomId, UserId};

use super::users::{Account, account_columns};
use super::{Db, Result, on, stored};

pub async fn of_room(db: &Db, room: &RoomId) -> Result<BTreeSet<UserId>> {
    const SQL: &str = "SELECT user_id FROM room_members WHERE room_id = $1";
    let users: Vec<String> =
        on!(db, pool => sqlx::query_scalar(SQL).bind(room.as_str()).fetch_all(pool).await)?;
    Ok(users.into_iter().map(UserId).collect())
}

pub async fn is_member(db: &Db, room: &RoomId, user: &UserId) -> Result<bool> {
    const SQL: &str =
        "SELECT EXISTS (SELECT 1 FROM room_members WHERE room_id = $1 AND user_id = $2)";
    Ok(on!(db, pool => {
        sqlx::query_scalar(SQL).bind(room.as_str()).bind(user.as_str()).fetch_one(pool).await
    })?)
}

/// Whether they are a member now: not if the room has as many as one may have.
pub async fn add(db: &Db, room: &RoomId, user: &UserId, now: UnixMs, most: u32) -> Result<bool> {
    const SQL: &str = "INSERT INTO room_members (room_id, user_id, added) SELECT $1, $2, $3 \
        WHERE (SELECT COUNT(*) FROM room_members WHERE room_id = $1) < $4 ON CONFLICT (room_id, user_id) DO NOTHING";
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(room.as_str()).bind(user.as_str()).bind(stored(now));
        query.bind(i64::from(most)).execute(pool).await.map(drop)
    })?;
    is_member(db, room, user).await
}

pub async fn remove(db: &Db, room: &RoomId, user: &UserId) -> Result<()> {
    const SQL: &str = "DELETE FROM room_members WHERE room_id = $1 AND user_id = $2";
    on!(db, pool => {
        sqlx::query(SQL).bind(room.as_str()).bind(user.as_str()).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// By name, as lists show them.
pub async fn people(db: &Db, room: &RoomId) -> Result<Vec<Account>> {
    const SQL: &str = concat!(
        "SELECT ",
        account_columns!(),
        " FROM users u JOIN room_members m ON m.user_id = u.id WHERE m.room_id = $1 ORDER BY u.name, u.id"
    );
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(room.as_str()).fetch_all(pool).await)?)
}
