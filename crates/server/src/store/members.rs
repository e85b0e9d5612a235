//! Who comes into which room without knocking; and into the room of a call at all.

use std::collections::BTreeSet;

use identity::UnixMs;
use protocol::{RoomId, UserId};

use super::{Db, Result, on, stored};

pub async fn of_room(db: &Db, room: &RoomId) -> Result<BTreeSet<UserId>> {
    const SQL: &str = "SELECT user_id FROM room_members WHERE room_id = $1";
    let users: Vec<String> =
        on!(db, pool => sqlx::query_scalar(SQL).bind(room.as_str()).fetch_all(pool).await)?;
    Ok(users.into_iter().map(UserId).collect())
}

pub async fn add(db: &Db, room: &RoomId, user: &UserId, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO room_members (room_id, user_id, added) VALUES ($1, $2, $3) \
        ON CONFLICT (room_id, user_id) DO NOTHING";
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(room.as_str()).bind(user.as_str()).bind(stored(now));
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}
