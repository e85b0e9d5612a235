//! What somebody did and missed, line by line. Each line belongs to one person.

use identity::UnixMs;
use protocol::{
    Access, CallPerson, HistoryEntry, HistoryId, HistoryKind, HistoryRoom, RoomId, UserId,
};

use super::calls::address;
use super::{Db, Result, from_word, on, stored, word};

/// New, or in place of this person's line of the same id. Whom or what it names may have gone meanwhile: then there is no
/// line.
pub async fn write(db: &Db, user: &UserId, entry: &HistoryEntry) -> Result<()> {
    const SQL: &str = "INSERT INTO history \
        (id, user_id, kind, person_id, room_id, video, outcome, started, duration, seen) \
        SELECT $1, u.id, $3, $4, $5, $6, $7, $8, $9, $10 FROM users u WHERE u.id = $2 \
        AND ($4 IS NULL OR EXISTS (SELECT 1 FROM users p WHERE p.id = $4)) \
        AND ($5 IS NULL OR EXISTS (SELECT 1 FROM rooms r WHERE r.id = $5)) \
        ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, outcome = excluded.outcome, \
        duration = excluded.duration, seen = excluded.seen WHERE history.user_id = excluded.user_id";
    on!(db, pool => {
        sqlx::query(SQL)
            .bind(entry.id.as_str())
            .bind(user.as_str())
            .bind(word(&entry.kind))
            .bind(entry.person.as_ref().map(|person| person.id.as_str()))
            .bind(entry.room.as_ref().map(|room| room.id.as_str()))
            .bind(entry.video)
            .bind(entry.end.map(|end| word(&end)))
            .bind(stored(entry.started_at))
            .bind(entry.duration_ms.map(stored))
            .bind(entry.seen)
            .execute(pool)
            .await
            .map(drop)
    })?;
    Ok(())
}

#[derive(Debug, PartialEq)]
pub struct Page {
    pub entries: Vec<HistoryEntry>,
    /// There are older ones.
    pub more: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    kind: String,
    video: bool,
    outcome: Option<String>,
    #[sqlx(try_from = "i64")]
    started: UnixMs,
    duration: Option<i64>,
    seen: bool,
    person_id: Option<String>,
    person_name: Option<String>,
    picture: Option<String>,
    room_id: Option<String>,
    room_name: Option<String>,
    open_to_guests: Option<bool>,
}

impl Row {
    /// `None` for a line that a later version wrote.
    fn entry(self) -> Option<HistoryEntry> {
        let kind: HistoryKind = from_word(&self.kind)?;
        let person = self.person_id.zip(self.person_name);
        let room = self.room_id.zip(self.room_name);
        let access = if self.open_to_guests == Some(true) {
            Access::Guests
        } else {
            Access::Accounts
        };
        Some(HistoryEntry {
            id: self.id.into(),
            kind,
            person: person.map(|(id, name)| CallPerson {
                id: id.into(),
                name,
                picture: self.picture,
            }),
            room: room.map(|(id, name)| HistoryRoom {
                id: RoomId::from(id),
                address: address(&name, access),
                name,
            }),
            video: self.video,
            end: self.outcome.as_deref().and_then(from_word),
            started_at: self.started,
            duration_ms: self.duration.and_then(|ms| u64::try_from(ms).ok()),
            seen: self.seen,
        })
    }
}

/// The newest, or those before that moment; the newest first. Lines of the same moment are never torn apart, so there may
/// be a few more than `most`.
pub async fn page(db: &Db, user: &UserId, before: Option<UnixMs>, most: u32) -> Result<Page> {
    const SQL: &str = "SELECT h.id, h.kind, h.video, h.outcome, h.started, h.duration, h.seen, \
        h.person_id, p.name AS person_name, p.picture, h.room_id, r.name AS room_name, r.open_to_guests \
        FROM history h LEFT JOIN users p ON p.id = h.person_id LEFT JOIN rooms r ON r.id = h.room_id \
        WHERE h.user_id = $1 AND h.started < $2 AND h.started >= (SELECT COALESCE(MIN(n.started), 0) FROM \
        (SELECT started FROM history WHERE user_id = $1 AND started < $2 ORDER BY started DESC LIMIT $3) n) \
        ORDER BY h.started DESC, h.id DESC";
    const OLDER: &str = "SELECT EXISTS (SELECT 1 FROM history WHERE user_id = $1 AND started < $2)";
    let before = before.map_or(i64::MAX, stored);
    let rows: Vec<Row> = on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(user.as_str()).bind(before).bind(i64::from(most));
        query.fetch_all(pool).await
    })?;
    let more = match rows.last() {
        Some(last) => on!(db, pool => {
            let query = sqlx::query_scalar(OLDER).bind(user.as_str()).bind(stored(last.started));
            query.fetch_one(pool).await
        })?,
        None => false,
    };
    Ok(Page {
        entries: rows.into_iter().filter_map(Row::entry).collect(),
        more,
    })
}

/// Whether there was such a line of theirs.
pub async fn remove(db: &Db, user: &UserId, id: &HistoryId) -> Result<bool> {
    const SQL: &str = "DELETE FROM history WHERE user_id = $1 AND id = $2";
    let removed = on!(db, pool => {
        sqlx::query(SQL).bind(user.as_str()).bind(id.as_str()).execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(removed > 0)
}

pub async fn clear(db: &Db, user: &UserId) -> Result<()> {
    const SQL: &str = "DELETE FROM history WHERE user_id = $1";
    on!(db, pool => sqlx::query(SQL).bind(user.as_str()).execute(pool).await.map(drop))?;
    Ok(())
}

/// Forgets what began before that moment. Gives whose lines they were.
pub async fn remove_before(db: &Db, before: UnixMs) -> Result<Vec<(UserId, HistoryId)>> {
    const SQL: &str = "DELETE FROM history WHERE started < $1 RETURNING user_id, id";
    let gone: Vec<(String, String)> =
        on!(db, pool => sqlx::query_as(SQL).bind(stored(before)).fetch_all(pool).await)?;
    let gone = gone.into_iter();
    Ok(gone.map(|(user, id)| (user.into(), id.into())).collect())
}

/// Forgets the oldest lines of whoever has more than `most`: others can have them written, by calling in vain. Gives whose
/// lines they were.
pub async fn remove_beyond(db: &Db, most: i64) -> Result<Vec<(UserId, HistoryId)>> {
    const WHO: &str = "SELECT user_id FROM history GROUP BY user_id HAVING COUNT(*) > $1";
    const SQL: &str = "DELETE FROM history WHERE id IN (SELECT id FROM history WHERE user_id = $1 \
        ORDER BY started DESC, id DESC LIMIT $2 OFFSET $3) RETURNING id";
    let users: Vec<String> =
        on!(db, pool => sqlx::query_scalar(WHO).bind(most).fetch_all(pool).await)?;
    let mut gone = Vec::new();
    for user in users {
        let lines: Vec<String> = on!(db, pool => {
            sqlx::query_scalar(SQL).bind(&user).bind(i64::MAX).bind(most).fetch_all(pool).await
        })?;
        gone.extend(lines.into_iter().map(|id| (user.clone().into(), id.into())));
    }
    Ok(gone)
}

/// Who was inside when the server ended was there until then, or about: nobody knows of their stay or their call any more.
pub async fn end_open(db: &Db, now: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE history SET duration = $1 - started WHERE duration IS NULL AND outcome IS NULL \
        AND kind <> 'missed' AND started <= $1";
    on!(db, pool => sqlx::query(SQL).bind(stored(now)).execute(pool).await.map(drop))?;
    Ok(())
}

/// Missed calls that were not looked at.
pub async fn missed(db: &Db, user: &UserId) -> Result<u32> {
    const SQL: &str =
        "SELECT COUNT(*) FROM history WHERE user_id = $1 AND kind = 'missed' AND NOT seen";
    let missed: i64 =
        on!(db, pool => sqlx::query_scalar(SQL).bind(user.as_str()).fetch_one(pool).await)?;
    Ok(u32::try_from(missed).unwrap_or(u32::MAX))
}

pub async fn see_missed(db: &Db, user: &UserId) -> Result<()> {
    const SQL: &str = "UPDATE history SET seen = TRUE WHERE user_id = $1 AND NOT seen";
    on!(db, pool => sqlx::query(SQL).bind(user.as_str()).execute(pool).await.map(drop))?;
    Ok(())
}

/// With whom they had a call of late, the last one first.
pub async fn recent_people(db: &Db, user: &UserId, most: u32) -> Result<Vec<UserId>> {
    const SQL: &str = "SELECT person_id FROM history WHERE user_id = $1 AND person_id IS NOT NULL \
        GROUP BY person_id ORDER BY MAX(started) DESC, person_id LIMIT $2";
    let people: Vec<String> = on!(db, pool => {
        sqlx::query_scalar(SQL).bind(user.as_str()).bind(i64::from(most)).fetch_all(pool).await
    })?;
    Ok(people.into_iter().map(UserId::from).collect())
}
