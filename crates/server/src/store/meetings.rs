//! Planned meetings and who is asked to them. What one may be and who changes it is said by `identity::meeting`.

use identity::UnixMs;
use identity::meeting::Times;
use protocol::http::meetings::Language;
use protocol::{Access, Meeting, MeetingId, RoomId, UserId};

use super::{Db, Result, in_transaction, language, on, stored};

/// Those that the home page has of one's own, and as many of others.
const UPCOMING: i64 = 50;

/// Those of one person that are over or cancelled.
const MOST_PAST: i64 = 500;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMeeting {
    pub id: MeetingId,
    pub room: RoomId,
    /// Without `public/`.
    pub room_name: String,
    pub access: Access,
    pub owner: UserId,
    pub owner_name: String,
    pub owner_mail: Option<String>,
    pub title: String,
    pub times: Times,
    pub time_zone: String,
    pub language: Language,
    pub sequence: u32,
    pub cancelled: bool,
}

impl StoredMeeting {
    /// As this reader sees it.
    pub fn shown_to(self, reader: &UserId) -> Meeting {
        let prefix = match self.access {
            Access::Guests => identity::name::OPEN_PREFIX,
            Access::Accounts => "",
        };
        Meeting {
            id: self.id,
            room: format!("{prefix}{}", self.room_name),
            title: self.title,
            starts_at: self.times.starts,
            ends_at: self.times.ends,
            time_zone: self.time_zone,
            own: self.owner == *reader,
            by: self.owner_name,
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    room_id: String,
    room_name: String,
    open_to_guests: bool,
    owner: String,
    owner_name: String,
    owner_mail: Option<String>,
    title: String,
    #[sqlx(try_from = "i64")]
    starts: UnixMs,
    #[sqlx(try_from = "i64")]
    ends: UnixMs,
    time_zone: String,
    language: String,
    #[sqlx(try_from = "i64")]
    sequence: u32,
    cancelled: bool,
}

impl From<Row> for StoredMeeting {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            room: row.room_id.into(),
            room_name: row.room_name,
            access: if row.open_to_guests {
                Access::Guests
            } else {
                Access::Accounts
            },
            owner: row.owner.into(),
            owner_name: row.owner_name,
            owner_mail: row.owner_mail,
            title: row.title,
            times: Times {
                starts: row.starts,
                ends: row.ends,
            },
            time_zone: row.time_zone,
            language: language::read(&row.language),
            sequence: row.sequence,
            cancelled: row.cancelled,
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.room_id, r.name AS room_name, r.open_to_guests, m.owner, u.name AS owner_name, \
             u.mail AS owner_mail, m.title, m.starts, m.ends, m.time_zone, m.language, m.sequence, m.cancelled \
             FROM meetings m JOIN rooms r ON r.id = m.room_id JOIN users u ON u.id = m.owner ",
            $rest
        )
    };
}

#[derive(Debug)]
pub struct NewMeeting<'a> {
    pub id: &'a MeetingId,
    pub owner: &'a UserId,
    pub language: Language,
    pub plan: Plan<'a>,
    pub created: UnixMs,
}

/// What can be changed of it.
#[derive(Debug)]
pub struct Plan<'a> {
    pub room: &'a RoomId,
    pub title: &'a str,
    pub times: Times,
    pub time_zone: &'a str,
    pub people: &'a [Asked],
}

/// Somebody who is asked to a meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Person(UserId),
    /// As it was written.
    Mail(identity::Mail),
}

impl Asked {
    /// Two of one key are the same.
    pub fn key(&self) -> String {
        match self {
            Self::Person(user) => format!("user:{user}"),
            Self::Mail(mail) => mail.key().to_owned(),
        }
    }
}

/// Somebody who is asked to a meeting, as known now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedPerson {
    /// As [`Asked::key`].
    pub who: String,
    pub user: Option<UserId>,
    /// Of people of the house.
    pub name: Option<String>,
    pub mail: Option<String>,
}

macro_rules! add_people {
    ($tx:ident, $meeting:expr, $people:expr) => {
        for asked in $people {
            let (user, mail) = match asked {
                Asked::Person(user) => (Some(user.as_str()), None),
                Asked::Mail(mail) => (None, Some(mail.as_str())),
            };
            let query = sqlx::query(
                "INSERT INTO meeting_people (meeting_id, who, user_id, mail) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            );
            let query = query.bind($meeting.as_str()).bind(asked.key());
            query.bind(user).bind(mail).execute(&mut *$tx).await?;
        }
    };
}

/// `false` if its owner has `most` planned already. Of those that are over or cancelled the newest stay, and not all of them
/// until they are old.
pub async fn create(db: &Db, new: &NewMeeting<'_>, most: u32) -> Result<bool> {
    const SQL: &str = "INSERT INTO meetings (id, room_id, owner, title, starts, ends, time_zone, language, sequence, cancelled, created) \
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, 0, FALSE, $9 WHERE \
        (SELECT COUNT(*) FROM meetings WHERE owner = $3 AND ends > $9 AND NOT cancelled) < $10";
    const PAST: &str = "DELETE FROM meetings WHERE id IN (SELECT id FROM meetings \
        WHERE owner = $1 AND (cancelled OR ends <= $2) ORDER BY created DESC, id DESC LIMIT $3 OFFSET $4)";
    let plan = &new.plan;
    let language = language::stored(new.language);
    Ok(in_transaction!(db, tx => {
        let query = sqlx::query(SQL).bind(new.id.as_str()).bind(plan.room.as_str()).bind(new.owner.as_str());
        let query = query.bind(plan.title).bind(stored(plan.times.starts)).bind(stored(plan.times.ends));
        let query = query.bind(plan.time_zone).bind(language).bind(stored(new.created)).bind(i64::from(most));
        let made = query.execute(&mut *tx).await?.rows_affected() == 1;
        if made {
            add_people!(tx, new.id, plan.people);
            let query = sqlx::query(PAST).bind(new.owner.as_str()).bind(stored(new.created));
            query.bind(i64::MAX).bind(MOST_PAST).execute(&mut *tx).await?;
        }
        made
    }))
}

pub async fn by_id(db: &Db, id: &MeetingId) -> Result<Option<StoredMeeting>> {
    const SQL: &str = select!("WHERE m.id = $1");
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(pool).await)?;
    Ok(row.map(StoredMeeting::from))
}

/// People of the house first, by name.
pub async fn people_of(db: &Db, id: &MeetingId) -> Result<Vec<AskedPerson>> {
    const SQL: &str = "SELECT p.who, p.user_id, u.name, COALESCE(u.mail, p.mail) FROM meeting_people p \
        LEFT JOIN users u ON u.id = p.user_id WHERE p.meeting_id = $1 ORDER BY p.user_id IS NULL, u.name, p.who";
    type Columns = (String, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Columns> =
        on!(db, pool => sqlx::query_as(SQL).bind(id.as_str()).fetch_all(pool).await)?;
    let person = |(who, user, name, mail): Columns| AskedPerson {
        who,
        user: user.map(UserId),
        name,
        mail,
    };
    Ok(rows.into_iter().map(person).collect())
}

/// Takes the place of what was planned, and counts one on. `false` if it was changed meanwhile.
pub async fn change(db: &Db, id: &MeetingId, sequence: u32, plan: &Plan<'_>) -> Result<bool> {
    const SQL: &str = "UPDATE meetings SET room_id = $3, title = $4, starts = $5, ends = $6, time_zone = $7, \
        sequence = sequence + 1 WHERE id = $1 AND sequence = $2 AND NOT cancelled";
    Ok(in_transaction!(db, tx => {
        let query = sqlx::query(SQL).bind(id.as_str()).bind(i64::from(sequence)).bind(plan.room.as_str());
        let query = query.bind(plan.title).bind(stored(plan.times.starts)).bind(stored(plan.times.ends));
        let changed = query.bind(plan.time_zone).execute(&mut *tx).await?.rows_affected() == 1;
        if changed {
            let query = sqlx::query("DELETE FROM meeting_people WHERE meeting_id = $1");
            query.bind(id.as_str()).execute(&mut *tx).await?;
            add_people!(tx, id, plan.people);
        }
        changed
    }))
}

/// `false` if it was cancelled or changed meanwhile.
pub async fn cancel(db: &Db, id: &MeetingId, sequence: u32) -> Result<bool> {
    const SQL: &str = "UPDATE meetings SET cancelled = TRUE, sequence = sequence + 1 \
        WHERE id = $1 AND sequence = $2 AND NOT cancelled";
    let done = on!(db, pool => {
        let query = sqlx::query(SQL).bind(id.as_str()).bind(i64::from(sequence));
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(done == 1)
}

/// What somebody planned or is asked to and is not over, the next first. Others cannot push what they planned off the list.
pub async fn upcoming_for(db: &Db, user: &UserId, now: UnixMs) -> Result<Vec<Meeting>> {
    const SQL: &str = select!(
        "JOIN (SELECT n.id, ROW_NUMBER() OVER (PARTITION BY n.owner = $1 ORDER BY n.starts, n.id) AS place \
         FROM meetings n WHERE n.ends > $2 AND NOT n.cancelled AND (n.owner = $1 \
         OR EXISTS (SELECT 1 FROM meeting_people p WHERE p.meeting_id = n.id AND p.user_id = $1))) near \
         ON near.id = m.id WHERE near.place <= $3 ORDER BY m.starts, m.id"
    );
    let rows: Vec<Row> = on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(user.as_str()).bind(stored(now)).bind(UPCOMING);
        query.fetch_all(pool).await
    })?;
    let shown = |row| StoredMeeting::from(row).shown_to(user);
    Ok(rows.into_iter().map(shown).collect())
}

/// Those in this room that are neither over nor cancelled.
pub async fn of_room(db: &Db, room: &RoomId, now: UnixMs) -> Result<Vec<StoredMeeting>> {
    const SQL: &str =
        select!("WHERE m.room_id = $1 AND m.ends > $2 AND NOT m.cancelled ORDER BY m.id");
    let rows: Vec<Row> = on!(db, pool => {
        sqlx::query_as(SQL).bind(room.as_str()).bind(stored(now)).fetch_all(pool).await
    })?;
    Ok(rows.into_iter().map(StoredMeeting::from).collect())
}

/// What somebody planned and is neither over nor cancelled.
pub async fn of_owner(db: &Db, owner: &UserId, now: UnixMs) -> Result<Vec<StoredMeeting>> {
    const SQL: &str =
        select!("WHERE m.owner = $1 AND m.ends > $2 AND NOT m.cancelled ORDER BY m.id");
    let rows: Vec<Row> = on!(db, pool => {
        sqlx::query_as(SQL).bind(owner.as_str()).bind(stored(now)).fetch_all(pool).await
    })?;
    Ok(rows.into_iter().map(StoredMeeting::from).collect())
}

/// Something that calendars show is another, and is not stored here. `false` if it was changed meanwhile.
pub async fn count_on(db: &Db, id: &MeetingId, sequence: u32) -> Result<bool> {
    const SQL: &str = "UPDATE meetings SET sequence = sequence + 1 WHERE id = $1 AND sequence = $2 AND NOT cancelled";
    let done = on!(db, pool => {
        let query = sqlx::query(SQL).bind(id.as_str()).bind(i64::from(sequence));
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(done == 1)
}

/// Forgets what was over at `before`.
pub async fn remove_over(db: &Db, before: UnixMs) -> Result<()> {
    const SQL: &str = "DELETE FROM meetings WHERE ends <= $1";
    on!(db, pool => sqlx::query(SQL).bind(stored(before)).execute(pool).await.map(drop))?;
    Ok(())
}
