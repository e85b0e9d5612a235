//! Rooms of calls: without a name or an owner, for their members only, and gone with the call.

use identity::UnixMs;
use protocol::{RoomId, UserId};

use super::rooms::{CALL, Row, StoredRoom};
use super::{Db, Result, on, stored};

/// What a call's room has in place of a folded name. No name has control characters, so no address leads to it.
pub(super) fn key(room: &RoomId) -> String {
    format!("\u{1}{room}")
}

/// With its id, [`key`], [`CALL`] and the time.
pub(super) const ROOM: &str = "INSERT INTO rooms (id, name, name_key, open_to_guests, kind, knock, created) \
    VALUES ($1, '', $2, FALSE, $3, FALSE, $4)";
/// With the room, the person and the time.
pub(super) const MEMBER: &str =
    "INSERT INTO room_members (room_id, user_id, added) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

/// The call's room of this id, if this person is of the call.
pub async fn of_member(db: &Db, room: &RoomId, user: &UserId) -> Result<Option<StoredRoom>> {
    const SQL: &str = "SELECT r.id, r.name, r.open_to_guests, r.kind, r.knock, r.owner FROM rooms r \
        JOIN room_members m ON m.room_id = r.id WHERE r.id = $1 AND r.kind = $2 AND m.user_id = $3";
    let row: Option<Row> = on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(room.as_str()).bind(CALL).bind(user.as_str());
        query.fetch_optional(pool).await
    })?;
    Ok(row.map(StoredRoom::from))
}

/// Whether there was such a room, and of a call.
pub async fn remove(db: &Db, room: &RoomId) -> Result<bool> {
    const SQL: &str = "DELETE FROM rooms WHERE id = $1 AND kind = $2";
    let removed = on!(db, pool => {
        let query = sqlx::query(SQL).bind(room.as_str()).bind(CALL);
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(removed == 1)
}

/// Those from before that moment where nobody rings and nobody has a seat.
pub async fn abandoned(db: &Db, before: UnixMs) -> Result<Vec<RoomId>> {
    const SQL: &str = "SELECT r.id FROM rooms r WHERE r.kind = $1 AND r.created < $2 \
        AND NOT EXISTS (SELECT 1 FROM calls c WHERE c.room_id = r.id) \
        AND NOT EXISTS (SELECT 1 FROM seats s WHERE s.room_id = r.id)";
    let rooms: Vec<String> = on!(db, pool => {
        sqlx::query_scalar(SQL).bind(CALL).bind(stored(before)).fetch_all(pool).await
    })?;
    Ok(rooms.into_iter().map(RoomId).collect())
}
