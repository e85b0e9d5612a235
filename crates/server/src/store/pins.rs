//! Which rooms stand in front on whose home page.

use identity::UnixMs;
use protocol::{RoomId, UserId};

use super::{Db, Result, on, stored};

/// Whether it is pinned now: not if they have as many as one may have.
pub async fn add(db: &Db, user: &UserId, room: &RoomId, now: UnixMs, most: u32) -> Result<bool> {
    const INSERT: &str = "INSERT INTO room_pins (user_id, room_id, pinned) SELECT $1, $2, $3 \
        WHERE (SELECT COUNT(*) FROM room_pins WHERE user_id = $1) < $4 ON CONFLICT (user_id, room_id) DO NOTHING";
    const PINNED: &str =
        "SELECT EXISTS (SELECT 1 FROM room_pins WHERE user_id = $1 AND room_id = $2)";
    on!(db, pool => {
        let query = sqlx::query(INSERT).bind(user.as_str()).bind(room.as_str());
        query.bind(stored(now)).bind(i64::from(most)).execute(pool).await.map(drop)
    })?;
    Ok(on!(db, pool => {
        sqlx::query_scalar(PINNED).bind(user.as_str()).bind(room.as_str()).fetch_one(pool).await
    })?)
}

pub async fn remove(db: &Db, user: &UserId, room: &RoomId) -> Result<()> {
    const SQL: &str = "DELETE FROM room_pins WHERE user_id = $1 AND room_id = $2";
    on!(db, pool => {
        sqlx::query(SQL).bind(user.as_str()).bind(room.as_str()).execute(pool).await.map(drop)
    })?;
    Ok(())
}
