//! Who sits in which meeting, so that a restart gives everybody their seat back.

use protocol::{DeviceId, ParticipantId, RoomId, UserId};
use room::{SeatRecord, Subject};

use super::{Db, Result, on, stored};

#[derive(sqlx::FromRow)]
struct Row {
    participant: String,
    room_id: String,
    guest: bool,
    subject: String,
    device: String,
    name: String,
    #[sqlx(try_from = "i64")]
    joined: u64,
    away_since: Option<i64>,
}

impl From<Row> for (RoomId, SeatRecord) {
    fn from(row: Row) -> Self {
        let seat = SeatRecord {
            participant: ParticipantId(row.participant),
            subject: if row.guest {
                Subject::Guest(row.subject)
            } else {
                Subject::Account(UserId(row.subject))
            },
            device: DeviceId(row.device),
            name: row.name,
            joined_at: row.joined,
            away_since: row.away_since.and_then(|away| u64::try_from(away).ok()),
        };
        (RoomId(row.room_id), seat)
    }
}

/// New, or replaces the seat of the same participant.
pub async fn save(db: &Db, room: &RoomId, seat: &SeatRecord) -> Result<()> {
    const SQL: &str = "INSERT INTO seats (participant, room_id, guest, subject, device, name, joined, away_since) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (participant) DO UPDATE SET room_id = excluded.room_id, \
        guest = excluded.guest, subject = excluded.subject, device = excluded.device, name = excluded.name, \
        joined = excluded.joined, away_since = excluded.away_since";
    let (guest, subject) = match &seat.subject {
        Subject::Account(user) => (false, user.as_str()),
        Subject::Guest(grant) => (true, grant.as_str()),
    };
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(seat.participant.as_str()).bind(room.as_str()).bind(guest).bind(subject);
        let query = query.bind(seat.device.as_str()).bind(&seat.name).bind(stored(seat.joined_at));
        query.bind(seat.away_since.map(stored)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

pub async fn remove(db: &Db, participant: &ParticipantId) -> Result<()> {
    const SQL: &str = "DELETE FROM seats WHERE participant = $1";
    on!(db, pool => sqlx::query(SQL).bind(participant.as_str()).execute(pool).await.map(drop))?;
    Ok(())
}

pub async fn of_room(db: &Db, room: &RoomId) -> Result<Vec<SeatRecord>> {
    const SQL: &str = "SELECT participant, room_id, guest, subject, device, name, joined, away_since FROM seats \
        WHERE room_id = $1 ORDER BY joined, participant";
    let rows: Vec<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(room.as_str()).fetch_all(pool).await)?;
    Ok(rows
        .into_iter()
        .map(|row| <(RoomId, SeatRecord)>::from(row).1)
        .collect())
}

/// After a restart: every seat there was.
pub async fn all(db: &Db) -> Result<Vec<(RoomId, SeatRecord)>> {
    const SQL: &str = "SELECT participant, room_id, guest, subject, device, name, joined, away_since FROM seats \
        ORDER BY room_id, joined, participant";
    let rows: Vec<Row> = on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?;
    Ok(rows.into_iter().map(From::from).collect())
}
