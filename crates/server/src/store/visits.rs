//! Which rooms somebody owns or was in, for the home page.

use identity::UnixMs;
use protocol::{RoomId, UserId};

use super::rooms::{Row, StoredRoom};
use super::{Db, Result, on, stored};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownRoom {
    pub room: StoredRoom,
    pub visited: Option<UnixMs>,
}

pub async fn record(db: &Db, user: &UserId, room: &RoomId, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO room_visits (user_id, room_id, visited) VALUES ($1, $2, $3) \
        ON CONFLICT (user_id, room_id) DO UPDATE SET visited = excluded.visited";
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(user.as_str()).bind(room.as_str()).bind(stored(now));
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}

pub async fn has_visited(db: &Db, user: &UserId, room: &RoomId) -> Result<bool> {
    const SQL: &str =
        "SELECT EXISTS (SELECT 1 FROM room_visits WHERE user_id = $1 AND room_id = $2)";
    Ok(on!(db, pool => {
        sqlx::query_scalar(SQL).bind(user.as_str()).bind(room.as_str()).fetch_one(pool).await
    })?)
}

/// Own and visited rooms, the most recent first; own rooms that were never visited count from their making.
pub async fn known_rooms(db: &Db, user: &UserId, most: u32) -> Result<Vec<KnownRoom>> {
    const SQL: &str = "SELECT r.id, r.name, r.open_to_guests, r.kind, r.knock, r.owner, v.visited FROM rooms r \
        LEFT JOIN room_visits v ON v.room_id = r.id AND v.user_id = $1 \
        WHERE r.owner = $1 OR v.visited IS NOT NULL ORDER BY COALESCE(v.visited, r.created) DESC, r.id DESC LIMIT $2";
    #[derive(sqlx::FromRow)]
    struct Known {
        #[sqlx(flatten)]
        room: Row,
        visited: Option<i64>,
    }
    let rows: Vec<Known> = on!(db, pool => sqlx::query_as(SQL).bind(user.as_str()).bind(i64::from(most)).fetch_all(pool).await)?;
    Ok(rows
        .into_iter()
        .map(|row| KnownRoom {
            room: row.room.into(),
            visited: row
                .visited
                .and_then(|visited| UnixMs::try_from(visited).ok()),
        })
        .collect())
}
