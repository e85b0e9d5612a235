//! Who sits in which meeting, so that a restart gives everybody their seat back; with them goes what was measured.

use protocol::{DeviceId, ParticipantId, RoomId, UserId};
use room::record::StayRecord;
use room::{SeatRecord, Subject};

use super::connections::save;
use super::{Db, Result, in_transaction, on, stored};

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

/// What happened to a seat.
#[derive(Clone, Debug)]
pub enum Change {
    /// New, or replaces the seat of the same participant.
    Save(RoomId, SeatRecord),
    Remove(ParticipantId),
    /// How the connection of somebody in a seat was so far.
    Stay(RoomId, Box<StayRecord>),
}

const SAVE: &str = "INSERT INTO seats (participant, room_id, guest, subject, device, name, joined, away_since) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (participant) DO UPDATE SET room_id = excluded.room_id, \
    guest = excluded.guest, subject = excluded.subject, device = excluded.device, name = excluded.name, \
    joined = excluded.joined, away_since = excluded.away_since";
const REMOVE: &str = "DELETE FROM seats WHERE participant = $1";

macro_rules! write {
    ($change:expr, $executor:expr) => {
        match $change {
            Change::Save(room, seat) => {
                let (guest, subject) = match &seat.subject {
                    Subject::Account(user) => (false, user.as_str()),
                    Subject::Guest(grant) => (true, grant.as_str()),
                };
                let query = sqlx::query(SAVE)
                    .bind(seat.participant.as_str())
                    .bind(room.as_str());
                let query = query.bind(guest).bind(subject).bind(seat.device.as_str());
                let query = query.bind(&seat.name).bind(stored(seat.joined_at));
                query
                    .bind(seat.away_since.map(stored))
                    .execute($executor)
                    .await
            }
            Change::Remove(participant) => {
                sqlx::query(REMOVE)
                    .bind(participant.as_str())
                    .execute($executor)
                    .await
            }
            Change::Stay(room, record) => save!(room, record, $executor),
        }
    };
}

pub async fn write(db: &Db, change: &Change) -> Result<()> {
    on!(db, pool => write!(change, pool).map(drop))?;
    Ok(())
}

/// All of them or none, at the price of one: a database that is busy makes each write wait for its turn.
pub async fn write_all(db: &Db, changes: &[Change]) -> Result<()> {
    in_transaction!(db, tx => {
        for change in changes {
            write!(change, &mut *tx)?;
        }
    });
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
