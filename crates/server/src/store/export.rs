//! Everything that is stored about one person, as they get it: one JSON object with a list for each area. Secrets are told
//! as being there, never themselves; of other people it holds the names of those they called, and nothing else.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use protocol::UserId;
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use super::{Db, Result, on};

/// A row for whoever reads the export; the names of the fields are those of the columns.
trait Entry:
    Serialize + Send + Unpin + for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow>
{
}

impl<T> Entry for T where
    T: Serialize
        + Send
        + Unpin
        + for<'r> sqlx::FromRow<'r, SqliteRow>
        + for<'r> sqlx::FromRow<'r, PgRow>
{
}

/// `None` if there is no such person.
pub async fn of(db: &Db, user: &UserId) -> Result<Option<Map<String, Value>>> {
    let accounts = list::<Account>(db, user, ACCOUNT).await?;
    let Some(account) = accounts.into_iter().next() else {
        return Ok(None);
    };
    let mut all = Map::new();
    all.insert("account".to_owned(), account);
    let mut add = |area: &str, list: Vec<Value>| {
        all.insert(area.to_owned(), Value::Array(list));
    };
    add("search_words", list::<Word>(db, user, WORDS).await?);
    add("picture", list::<Picture>(db, user, PICTURE).await?);
    add("groups", list::<Group>(db, user, GROUPS).await?);
    add("identities", list::<Identity>(db, user, IDENTITIES).await?);
    add("sessions", list::<Session>(db, user, SESSIONS).await?);
    add("passkeys", list::<Passkey>(db, user, PASSKEYS).await?);
    add("totp", list::<Totp>(db, user, TOTP).await?);
    add("backup_codes", list::<Count>(db, user, BACKUP_CODES).await?);
    add("account_links", list::<Link>(db, user, LINKS).await?);
    add("invites_made", list::<Link>(db, user, INVITES).await?);
    add("rooms_owned", list::<Room>(db, user, ROOMS).await?);
    add("rooms_member", list::<Member>(db, user, MEMBER).await?);
    add("rooms_pinned", list::<Pin>(db, user, PINS).await?);
    add("rooms_visited", list::<Visit>(db, user, VISITS).await?);
    add(
        "room_invites_made",
        list::<RoomInvite>(db, user, ROOM_INVITES).await?,
    );
    add(
        "meetings_planned",
        list::<Meeting>(db, user, MEETINGS_PLANNED).await?,
    );
    add(
        "meetings_asked_to",
        list::<Meeting>(db, user, MEETINGS_ASKED_TO).await?,
    );
    add("seats", list::<Seat>(db, user, SEATS).await?);
    add("consents", list::<Consent>(db, user, CONSENTS).await?);
    add("authorizations", list::<Grant>(db, user, GRANTS).await?);
    add("tokens_made", list::<Token>(db, user, TOKENS).await?);
    add("browsers_to_wake", list::<Wake>(db, user, WAKES).await?);
    add("favourites", list::<Favourite>(db, user, FAVOURITES).await?);
    add("calls", list::<Call>(db, user, CALLS).await?);
    add("history", list::<Line>(db, user, HISTORY).await?);
    add(
        "connections",
        list::<Connection>(db, user, CONNECTIONS).await?,
    );
    add("audit", list::<Audit>(db, user, AUDIT).await?);
    Ok(Some(all))
}

async fn list<T: Entry>(db: &Db, user: &UserId, sql: &'static str) -> Result<Vec<Value>> {
    let rows: Vec<T> =
        on!(db, pool => sqlx::query_as(sql).bind(user.as_str()).fetch_all(pool).await)?;
    Ok(rows
        .iter()
        .filter_map(|row| serde_json::to_value(row).ok())
        .collect())
}

const ACCOUNT: &str = "SELECT id, username, name, mail, admin, locked, gone, source, external_id, created AS created_ms, status, \
    password_hash <> '' AS has_password, password_changed AS password_changed_ms FROM users WHERE id = $1";
#[derive(sqlx::FromRow, Serialize)]
struct Account {
    id: String,
    username: String,
    name: String,
    mail: Option<String>,
    admin: bool,
    locked: bool,
    gone: bool,
    source: String,
    external_id: Option<String>,
    created_ms: i64,
    status: String,
    has_password: bool,
    password_changed_ms: Option<i64>,
}

const WORDS: &str = "SELECT word FROM person_words WHERE user_id = $1 ORDER BY word";
#[derive(sqlx::FromRow, Serialize)]
struct Word {
    #[serde(serialize_with = "text")]
    word: Vec<u8>,
}

const PICTURE: &str = "SELECT bytes FROM images WHERE owner = $1";
#[derive(sqlx::FromRow, Serialize)]
struct Picture {
    #[serde(serialize_with = "base64")]
    bytes: Vec<u8>,
}

const GROUPS: &str = "SELECT g.name, p.source FROM group_people p JOIN groups g ON g.id = p.group_id \
    WHERE p.user_id = $1 ORDER BY g.name_key, p.source";
#[derive(sqlx::FromRow, Serialize)]
struct Group {
    name: String,
    source: String,
}

const IDENTITIES: &str = "SELECT issuer, subject, created AS created_ms FROM identities WHERE user_id = $1 ORDER BY created";
#[derive(sqlx::FromRow, Serialize)]
struct Identity {
    issuer: String,
    subject: String,
    created_ms: i64,
}

const SESSIONS: &str = "SELECT id, device, method, issuer, subject, created AS created_ms, used AS used_ms FROM sessions \
    WHERE user_id = $1 ORDER BY created";
#[derive(sqlx::FromRow, Serialize)]
struct Session {
    id: String,
    device: String,
    method: String,
    issuer: Option<String>,
    subject: Option<String>,
    created_ms: i64,
    used_ms: i64,
}

const PASSKEYS: &str = "SELECT id, name, created AS created_ms, used AS used_ms FROM passkeys WHERE user_id = $1 ORDER BY created";
#[derive(sqlx::FromRow, Serialize)]
struct Passkey {
    id: String,
    name: String,
    created_ms: i64,
    used_ms: Option<i64>,
}

const TOTP: &str = "SELECT confirmed, created AS created_ms FROM totp WHERE user_id = $1";
#[derive(sqlx::FromRow, Serialize)]
struct Totp {
    confirmed: bool,
    created_ms: i64,
}

const BACKUP_CODES: &str =
    "SELECT COUNT(*) AS left_over FROM backup_codes WHERE user_id = $1 HAVING COUNT(*) > 0";
#[derive(sqlx::FromRow, Serialize)]
struct Count {
    left_over: i64,
}

const LINKS: &str = "SELECT id, created AS created_ms, expires AS expires_ms, uses_left FROM account_links \
    WHERE user_id = $1 ORDER BY created";
const INVITES: &str = "SELECT id, created AS created_ms, expires AS expires_ms, uses_left FROM account_links \
    WHERE made_by = $1 ORDER BY created";
#[derive(sqlx::FromRow, Serialize)]
struct Link {
    id: String,
    created_ms: i64,
    expires_ms: i64,
    uses_left: i64,
}

const ROOMS: &str = "SELECT name, open_to_guests, kind, knock, created AS created_ms FROM rooms WHERE owner = $1 ORDER BY created";
#[derive(sqlx::FromRow, Serialize)]
struct Room {
    name: String,
    open_to_guests: bool,
    kind: String,
    knock: bool,
    created_ms: i64,
}

const MEMBER: &str = "SELECT r.name, m.added AS added_ms FROM room_members m JOIN rooms r ON r.id = m.room_id \
    WHERE m.user_id = $1 ORDER BY m.added";
#[derive(sqlx::FromRow, Serialize)]
struct Member {
    name: String,
    added_ms: i64,
}

const PINS: &str = "SELECT r.name, p.pinned AS pinned_ms FROM room_pins p JOIN rooms r ON r.id = p.room_id \
    WHERE p.user_id = $1 ORDER BY p.pinned";
#[derive(sqlx::FromRow, Serialize)]
struct Pin {
    name: String,
    pinned_ms: i64,
}

const VISITS: &str = "SELECT r.name, v.visited AS visited_ms FROM room_visits v JOIN rooms r ON r.id = v.room_id \
    WHERE v.user_id = $1 ORDER BY v.visited";
#[derive(sqlx::FromRow, Serialize)]
struct Visit {
    name: String,
    visited_ms: i64,
}

const ROOM_INVITES: &str = "SELECT i.id, r.name AS room, i.created AS created_ms, i.expires AS expires_ms \
    FROM room_invites i JOIN rooms r ON r.id = i.room_id WHERE i.made_by = $1 ORDER BY i.created";
#[derive(sqlx::FromRow, Serialize)]
struct RoomInvite {
    id: String,
    room: String,
    created_ms: i64,
    expires_ms: i64,
}

const MEETINGS_PLANNED: &str = "SELECT m.id, m.title, r.name AS room, m.starts AS starts_ms, m.ends AS ends_ms, m.time_zone, m.language, \
    m.sequence, m.cancelled, m.created AS created_ms FROM meetings m JOIN rooms r ON r.id = m.room_id \
    WHERE m.owner = $1 ORDER BY m.starts";
const MEETINGS_ASKED_TO: &str = "SELECT m.id, m.title, r.name AS room, m.starts AS starts_ms, m.ends AS ends_ms, m.time_zone, m.language, \
    m.sequence, m.cancelled, m.created AS created_ms FROM meeting_people p JOIN meetings m ON m.id = p.meeting_id \
    JOIN rooms r ON r.id = m.room_id WHERE p.user_id = $1 ORDER BY m.starts";
#[derive(sqlx::FromRow, Serialize)]
struct Meeting {
    id: String,
    title: String,
    room: String,
    starts_ms: i64,
    ends_ms: i64,
    time_zone: String,
    language: String,
    sequence: i64,
    cancelled: bool,
    created_ms: i64,
}

const SEATS: &str = "SELECT r.name AS room, s.name, s.device, s.joined AS joined_ms, s.away_since AS away_since_ms \
    FROM seats s JOIN rooms r ON r.id = s.room_id WHERE s.subject = $1 AND NOT s.guest ORDER BY s.joined";
#[derive(sqlx::FromRow, Serialize)]
struct Seat {
    room: String,
    name: String,
    device: String,
    joined_ms: i64,
    away_since_ms: Option<i64>,
}

const CONSENTS: &str = "SELECT c.name AS application, o.scope, o.given AS given_ms FROM oidc_consents o \
    JOIN oidc_clients c ON c.id = o.client_id WHERE o.user_id = $1 ORDER BY o.given";
#[derive(sqlx::FromRow, Serialize)]
struct Consent {
    application: String,
    scope: String,
    given_ms: i64,
}

const GRANTS: &str = "SELECT c.name AS application, g.scope, g.session, g.auth_time AS auth_time_ms, \
    g.created AS created_ms, g.ends AS ends_ms FROM oidc_grants g JOIN oidc_clients c ON c.id = g.client_id \
    WHERE g.user_id = $1 ORDER BY g.created";
#[derive(sqlx::FromRow, Serialize)]
struct Grant {
    application: String,
    scope: String,
    session: String,
    auth_time_ms: i64,
    created_ms: i64,
    ends_ms: i64,
}

const TOKENS: &str = "SELECT id, name, scopes, created AS created_ms, expires AS expires_ms, used AS used_ms \
    FROM api_tokens WHERE made_by = $1 ORDER BY created";
#[derive(sqlx::FromRow, Serialize)]
struct Token {
    id: String,
    name: String,
    scopes: String,
    created_ms: i64,
    expires_ms: Option<i64>,
    used_ms: Option<i64>,
}

// Endpoint and keys are what reaches the browser: they are nobody's to read.
const WAKES: &str = "SELECT id, session_id AS session, browser, language, created AS created_ms \
    FROM push_subscriptions WHERE user_id = $1 ORDER BY created";
#[derive(sqlx::FromRow, Serialize)]
struct Wake {
    id: String,
    session: String,
    browser: String,
    language: String,
    created_ms: i64,
}

const FAVOURITES: &str = "SELECT p.name, f.added AS added_ms FROM favourites f JOIN users p ON p.id = f.person_id \
    WHERE f.user_id = $1 ORDER BY f.added";
#[derive(sqlx::FromRow, Serialize)]
struct Favourite {
    name: String,
    added_ms: i64,
}

const CALLS: &str = "SELECT p.name AS with_whom, c.caller = $1 AS outgoing, c.video, c.started AS started_ms FROM calls c \
    JOIN users p ON p.id = CASE WHEN c.caller = $1 THEN c.callee ELSE c.caller END \
    WHERE c.caller = $1 OR c.callee = $1 ORDER BY c.started";
#[derive(sqlx::FromRow, Serialize)]
struct Call {
    with_whom: String,
    outgoing: bool,
    video: bool,
    started_ms: i64,
}

const HISTORY: &str = "SELECT h.kind, p.name AS with_whom, r.name AS room, h.video, h.outcome, h.started AS started_ms, \
    h.duration AS duration_ms, h.seen FROM history h LEFT JOIN users p ON p.id = h.person_id \
    LEFT JOIN rooms r ON r.id = h.room_id WHERE h.user_id = $1 ORDER BY h.started";
#[derive(sqlx::FromRow, Serialize)]
struct Line {
    kind: String,
    with_whom: Option<String>,
    room: Option<String>,
    video: bool,
    outcome: Option<String>,
    started_ms: i64,
    duration_ms: Option<i64>,
    seen: bool,
}

const CONNECTIONS: &str = "SELECT c.kind, r.name AS room, c.started AS started_ms, c.ended AS ended_ms, c.summary, c.timeline \
    FROM connections c LEFT JOIN rooms r ON r.id = c.room_id AND r.kind <> 'call' WHERE c.user_id = $1 ORDER BY c.started";
#[derive(sqlx::FromRow, Serialize)]
struct Connection {
    kind: String,
    room: Option<String>,
    started_ms: i64,
    ended_ms: i64,
    #[serde(serialize_with = "json")]
    summary: String,
    #[serde(serialize_with = "timeline")]
    timeline: Vec<u8>,
}

const AUDIT: &str = "SELECT at AS at_ms, action, subject, details, actor = 'user:' || $1 AS by_you FROM audit \
    WHERE actor = 'user:' || $1 OR subject = 'user:' || $1 ORDER BY id";
#[derive(sqlx::FromRow, Serialize)]
struct Audit {
    at_ms: i64,
    action: String,
    subject: String,
    details: String,
    by_you: bool,
}

fn json<S: serde::Serializer>(text: &str, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    value.serialize(serializer)
}

fn timeline<S: serde::Serializer>(
    bytes: &[u8],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let (step_seconds, points) = room::record::unpack(bytes).unwrap_or_default();
    serde_json::json!({ "step_seconds": step_seconds, "points": points }).serialize(serializer)
}

fn text<S: serde::Serializer>(bytes: &[u8], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}

fn base64<S: serde::Serializer>(
    bytes: &[u8],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
}
