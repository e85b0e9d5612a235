//! Connection records: one row for each stay in a meeting, written again while it lasts.

use identity::UnixMs;
use protocol::http::connections::{
    ConnectionRecord, ConnectionTimeline, PersonsConnection, PersonsTimeline,
};
use protocol::{ConnectionSummary, HistoryId, RoomKind, UserId};
use room::record::{StayRecord, unpack};

use super::{Db, Result, from_word, on, stored};

pub(super) const SAVE: &str = "INSERT INTO connections (id, meeting, user_id, name, kind, room_id, name_key, started, ended, over, \
    troubled, losing, summary, timeline) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 \
    WHERE $3 IS NULL OR EXISTS (SELECT 1 FROM users u WHERE u.id = $3) \
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key, ended = excluded.ended, \
    over = excluded.over, troubled = excluded.troubled, losing = excluded.losing, summary = excluded.summary, \
    timeline = excluded.timeline";

/// One seat in one meeting.
pub(super) fn id(record: &StayRecord) -> String {
    format!("{}{}", record.participant, record.meeting)
}

/// A minute of it, or a tenth of the time.
pub(super) fn is_much(seconds: u32, of: u32) -> bool {
    seconds >= 60 || (seconds > 0 && seconds.saturating_mul(10) >= of)
}

/// Binds one record to [`SAVE`] and runs it. Who is gone meanwhile leaves no record.
macro_rules! save {
    ($room:expr, $record:expr, $executor:expr) => {{
        let (room, record): (&RoomId, &StayRecord) = ($room, $record);
        let user = match &record.subject {
            Subject::Account(user) => Some(user.as_str()),
            Subject::Guest(_) => None,
        };
        let summary = &record.summary;
        let losing = [&summary.loss_up, &summary.loss_down];
        let losing = losing.iter().filter_map(|loss| Some((**loss)?.bad_seconds));
        let losing = losing.max().unwrap_or_default();
        sqlx::query($crate::store::connections::SAVE)
            .bind($crate::store::connections::id(record))
            .bind(&record.meeting)
            .bind(user)
            .bind(&record.name)
            .bind($crate::store::word(&record.kind))
            .bind(room.as_str())
            .bind(record.name.to_lowercase())
            .bind($crate::store::stored(record.started))
            .bind($crate::store::stored(record.ended))
            .bind(record.over)
            .bind($crate::store::connections::is_much(
                summary.troubled_seconds,
                summary.seconds,
            ))
            .bind($crate::store::connections::is_much(losing, summary.seconds))
            .bind(serde_json::to_string(summary).unwrap_or_default())
            .bind(&record.timeline)
            .execute($executor)
            .await
    }};
}
pub(super) use save;

/// For whom the records are, and which.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub user: Option<UserId>,
    /// Begun from here on, and before.
    pub since: Option<UnixMs>,
    pub before: Option<UnixMs>,
    /// Part of the name of the person, as it was, or of the room.
    pub text: Option<String>,
    /// Only those that were noticeably bad.
    pub troubled: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    meeting: String,
    user_id: Option<String>,
    name: String,
    kind: String,
    room_name: Option<String>,
    #[sqlx(try_from = "i64")]
    started: UnixMs,
    #[sqlx(try_from = "i64")]
    ended: UnixMs,
    over: bool,
    summary: String,
    others: i64,
    others_losing: i64,
}

impl From<Row> for PersonsConnection {
    fn from(row: Row) -> Self {
        let count = |count: i64| u32::try_from(count).unwrap_or_default();
        let kind = from_word(&row.kind).unwrap_or(RoomKind::Named);
        // What a later version wrote is shown as far as this one reads it.
        let summary: ConnectionSummary = serde_json::from_str(&row.summary).unwrap_or_default();
        Self {
            user: row.user_id.map(UserId),
            name: row.name,
            record: ConnectionRecord {
                id: row.id,
                meeting: row.meeting,
                kind,
                room: row.room_name.filter(|_| kind != RoomKind::Call),
                started_ms: row.started,
                ended_ms: row.ended,
                over: row.over,
                summary,
                others: count(row.others),
                others_losing: count(row.others_losing),
            },
        }
    }
}

/// Whoever came and went several times is one of the others, and none of their own.
macro_rules! others {
    ($and:literal) => {
        concat!(
            "(SELECT COUNT(DISTINCT COALESCE(o.user_id, o.id)) FROM connections o WHERE o.meeting = c.meeting AND o.id <> c.id \
             AND (o.user_id IS NULL OR c.user_id IS NULL OR o.user_id <> c.user_id)",
            $and,
            ")"
        )
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.meeting, c.user_id, c.name, c.kind, r.name AS room_name, c.started, c.ended, c.over, c.summary, ",
            others!(""),
            " AS others, ",
            others!(" AND o.losing"),
            " AS others_losing",
            $rest
        )
    };
}

/// The newest first.
pub async fn list(db: &Db, wanted: &Wanted, most: u32) -> Result<Vec<PersonsConnection>> {
    const SQL: &str = select!(
        " FROM connections c LEFT JOIN rooms r ON r.id = c.room_id WHERE ($1 IS NULL OR c.user_id = $1) AND c.started >= $2 AND c.started < $3 \
         AND ($4 IS NULL OR c.name_key LIKE $4 ESCAPE '!' OR (r.kind <> 'call' AND r.name_key LIKE $4 ESCAPE '!')) \
         AND (c.troubled OR NOT $5) ORDER BY c.started DESC, c.id DESC LIMIT $6"
    );
    let text = wanted.text.as_deref().map(pattern);
    let rows: Vec<Row> = on!(db, pool => {
        sqlx::query_as(SQL)
            .bind(wanted.user.as_ref().map(UserId::as_str))
            .bind(wanted.since.map_or(0, stored))
            .bind(wanted.before.map_or(i64::MAX, stored))
            .bind(text)
            .bind(wanted.troubled)
            .bind(i64::from(most))
            .fetch_all(pool)
            .await
    })?;
    Ok(rows.into_iter().map(PersonsConnection::from).collect())
}

fn pattern(text: &str) -> String {
    let escaped = text
        .to_lowercase()
        .chars()
        .fold(String::new(), |mut all, letter| {
            if matches!(letter, '%' | '_' | '!') {
                all.push('!');
            }
            all.push(letter);
            all
        });
    format!("%{escaped}%")
}

/// `of`: only if it is theirs.
pub async fn read(db: &Db, id: &str, of: Option<&UserId>) -> Result<Option<PersonsTimeline>> {
    const SQL: &str = select!(
        ", c.timeline FROM connections c LEFT JOIN rooms r ON r.id = c.room_id WHERE c.id = $1 AND ($2 IS NULL OR c.user_id = $2)"
    );
    #[derive(sqlx::FromRow)]
    struct Whole {
        #[sqlx(flatten)]
        row: Row,
        timeline: Vec<u8>,
    }
    let whole: Option<Whole> = on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(id).bind(of.map(UserId::as_str));
        query.fetch_optional(pool).await
    })?;
    Ok(whole.map(|whole| {
        // Of a later version's timeline nothing is shown.
        let (step, points) = unpack(&whole.timeline).unwrap_or_default();
        let person = PersonsConnection::from(whole.row);
        PersonsTimeline {
            user: person.user,
            name: person.name,
            timeline: ConnectionTimeline {
                record: person.record,
                step,
                points,
            },
        }
    }))
}

/// Forgets what began before that moment.
pub async fn remove_before(db: &Db, before: UnixMs) -> Result<()> {
    const SQL: &str = "DELETE FROM connections WHERE started < $1";
    on!(db, pool => sqlx::query(SQL).bind(stored(before)).execute(pool).await.map(drop))?;
    Ok(())
}

/// Forgets the oldest stays of whoever has more than `most`, and of all guests together more than `most_of_guests`: coming
/// and going writes a row each time.
pub async fn remove_beyond(db: &Db, most: i64, most_of_guests: i64) -> Result<()> {
    const SQL: &str = "DELETE FROM connections WHERE over AND id IN (SELECT id FROM (SELECT id, user_id, \
        ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY started DESC, id DESC) AS place FROM connections) AS placed \
        WHERE place > CASE WHEN user_id IS NULL THEN $2 ELSE $1 END)";
    on!(db, pool => {
        sqlx::query(SQL).bind(most).bind(most_of_guests).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// All of this person that is over, because they forget their history.
pub async fn clear(db: &Db, user: &UserId) -> Result<()> {
    const SQL: &str = "DELETE FROM connections WHERE user_id = $1 AND over";
    on!(db, pool => sqlx::query(SQL).bind(user.as_str()).execute(pool).await.map(drop))?;
    Ok(())
}

/// What belongs to one line of this person's history, before that goes: a line begins with the ringing or with the stay.
pub async fn remove_of_line(db: &Db, user: &UserId, line: &HistoryId) -> Result<()> {
    const SQL: &str = "DELETE FROM connections WHERE user_id = $1 AND over AND EXISTS (SELECT 1 FROM history h \
        WHERE h.id = $2 AND h.user_id = $1 AND h.duration IS NOT NULL AND connections.started >= h.started - 5000 \
        AND connections.started <= h.started + h.duration + 60000 \
        AND (h.room_id IS NULL OR h.room_id = connections.room_id))";
    on!(db, pool => {
        sqlx::query(SQL).bind(user.as_str()).bind(line.as_str()).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// After a start: nobody is inside any more.
pub async fn end_all(db: &Db) -> Result<()> {
    const SQL: &str = "UPDATE connections SET over = TRUE WHERE NOT over";
    on!(db, pool => sqlx::query(SQL).execute(pool).await.map(drop))?;
    Ok(())
}
