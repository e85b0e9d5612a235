//! Which rooms somebody owns or was in, for the home page.

use identity::UnixMs;
use protocol::{RoomId, UserId};

use super::rooms::{CALL, Row, StoredRoom};
use super::{Db, Result, on, stored};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownRoom {
    pub room: StoredRoom,
    pub visited: Option<UnixMs>,
    pub pinned: bool,
    /// Comes in without knocking, though perhaps not the owner.
    pub member: bool,
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

/// Rooms that somebody pinned, owns, is a member of or was in, the pinned ones first and otherwise the most recent; rooms
/// where they never were count from their making. No calls.
pub async fn known_rooms(db: &Db, user: &UserId, most: u32) -> Result<Vec<KnownRoom>> {
    const SQL: &str = "SELECT r.id, r.name, r.open_to_guests, r.kind, r.knock, r.owner, v.visited, \
        p.pinned IS NOT NULL AS pinned, m.added IS NOT NULL AS member FROM rooms r \
        LEFT JOIN room_visits v ON v.room_id = r.id AND v.user_id = $1 \
        LEFT JOIN room_pins p ON p.room_id = r.id AND p.user_id = $1 \
        LEFT JOIN room_members m ON m.room_id = r.id AND m.user_id = $1 \
        WHERE (r.owner = $1 OR v.visited IS NOT NULL OR p.pinned IS NOT NULL OR m.added IS NOT NULL) AND r.kind <> $3 \
        ORDER BY p.pinned IS NULL, COALESCE(v.visited, r.created) DESC, r.id DESC LIMIT $2";
    #[derive(sqlx::FromRow)]
    struct Known {
        #[sqlx(flatten)]
        room: Row,
        visited: Option<i64>,
        pinned: bool,
        member: bool,
    }
    let rows: Vec<Known> = on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(user.as_str()).bind(i64::from(most));
        query.bind(CALL).fetch_all(pool).await
    })?;
    Ok(rows
        .into_iter()
        .map(|row| KnownRoom {
            room: row.room.into(),
            pinned: row.pinned,
            member: row.member,
            visited: row
                .visited
                .and_then(|visited| UnixMs::try_from(visited).ok()),
        })
        .collect())
}
