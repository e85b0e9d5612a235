//! What becomes of somebody's rows, in every table there is: nothing stays when they go, and all of it is in their export.

use std::collections::{BTreeMap, BTreeSet};

use identity::{DisplayName, Mail, session};
use protocol::UserId;

use super::{account, make_room, new_account, new_session, on_both, session_id};
use crate::images::Image;
use crate::store::leaving::{self, Removed};
use crate::store::users::{Change, Changed, NewAccount};
use crate::store::{Db, export, images, on, rooms, sessions, settings, users};

const ANNA: &str = "id-of-annegret";
/// None of it may be found anywhere afterwards.
const HERS: [&str; 8] = [
    "Annegret Zwiebel",
    "annegret77",
    "Annegret@zwiebel.example",
    "annegret@zwiebel.example",
    "zwiebel",
    "Annegrets Tagebuch",
    "her phone",
    "her browser",
];

/// Rows of hers in every table that can have some, the plain ones by hand. `$1` is her id, `$2` Bernd's.
const ROWS: &[&str] = &[
    "INSERT INTO oidc_clients (id, name, trusted, redirect_uris, post_logout_uris, algorithm, created) \
     VALUES ('wiki', 'Wiki', TRUE, '[]', '[]', 'RS256', 1)",
    "INSERT INTO oidc_grants (id, client_id, user_id, session, bound_to, scope, auth_time, redirect_uri, challenge, code_hash, created, ends) \
     VALUES ('g1', 'wiki', $1, 's1', 's1', 'openid', 1, 'r', 'c', 'code hash', 1, 9)",
    "INSERT INTO oidc_refresh_tokens (hash, grant_id, issued) VALUES ('refresh hash', 'g1', 1)",
    "INSERT INTO oidc_consents (user_id, client_id, scope, given) VALUES ($1, 'wiki', 'openid', 1)",
    "INSERT INTO seats (participant, room_id, guest, subject, device, name, joined) \
     VALUES ('p1', 'shared', FALSE, $1, 'd', 'Annegret Zwiebel', 1)",
    "INSERT INTO room_visits (user_id, room_id, visited) VALUES ($1, 'diary', 1)",
    "INSERT INTO room_visits (user_id, room_id, visited) VALUES ($2, 'shared', 1)",
    "INSERT INTO rooms (id, name, name_key, open_to_guests, kind, knock, owner, created) \
     VALUES ('hers', 'Annegrets Stube', 'annegrets stube', FALSE, 'personal', TRUE, $1, 2)",
    "INSERT INTO room_visits (user_id, room_id, visited) VALUES ($2, 'hers', 1)",
    "INSERT INTO room_members (room_id, user_id, added) VALUES ('shared', $1, 1)",
    "INSERT INTO room_pins (user_id, room_id, pinned) VALUES ($1, 'shared', 1)",
    "INSERT INTO groups (id, name, name_key, created) VALUES ('choir', 'Chor', 'chor', 1)",
    "INSERT INTO group_people (group_id, user_id, source) VALUES ('choir', $1, 'house')",
    "INSERT INTO identities (issuer, subject, user_id, created) VALUES ('https://i', 'annegret77', $1, 1)",
    "INSERT INTO passkeys (id, user_id, name, credential, created) VALUES ('k1', $1, 'her phone', 'sealed key', 1)",
    "INSERT INTO totp (user_id, sealed_secret, confirmed, last_step, created) VALUES ($1, 'sealed secret', TRUE, 1, 1)",
    "INSERT INTO backup_codes (user_id, hash) VALUES ($1, 'backup hash')",
    "INSERT INTO account_links (id, secret_hash, user_id, name, username, admin, group_names, uses_left, created, expires) \
     VALUES ('l1', 'link hash', $1, '', '', FALSE, '[]', 1, 1, 9)",
    "INSERT INTO account_links (id, secret_hash, name, username, admin, group_names, uses_left, made_by, created, expires) \
     VALUES ('l2', 'link hash 2', 'Carla', 'carla', FALSE, '[]', 1, $1, 1, 9)",
    "INSERT INTO room_invites (id, secret_hash, room_id, made_by, created, expires) VALUES ('i1', 'invite hash', 'shared', $1, 1, 9)",
    "INSERT INTO guest_grants (id, secret_hash, room_id, name, created, invite_id) \
     VALUES ('guest', 'guest hash', 'shared', 'Gast', 1, 'i1')",
    "INSERT INTO api_tokens (id, name, secret_hash, scopes, made_by, created) VALUES ('t1', 'Skript', 'token hash', 'read', $1, 1)",
    "INSERT INTO push_subscriptions (id, user_id, session_id, browser, endpoint, p256dh, auth, language, created) \
     VALUES ('w1', $1, 's1', 'b', 'https://push.example/sealed', 'hash', 'hash', 'de', 1)",
    "INSERT INTO meetings (id, room_id, owner, title, starts, ends, time_zone, language, sequence, cancelled, created) \
     VALUES ('m1', 'shared', $1, 'Zwiebelfest', 1, 9, 'UTC', 'de', 0, FALSE, 1)",
    "INSERT INTO meetings (id, room_id, owner, title, starts, ends, time_zone, language, sequence, cancelled, created) \
     VALUES ('m2', 'shared', $2, 'Sitzung', 1, 9, 'UTC', 'de', 0, FALSE, 1)",
    "INSERT INTO meeting_people (meeting_id, who, mail) VALUES ('m1', 'gast@fremd.example', 'gast@fremd.example')",
    "INSERT INTO meeting_people (meeting_id, who, user_id) VALUES ('m2', 'user:' || $1, $1)",
    "INSERT INTO meeting_people (meeting_id, who, mail) VALUES ('m2', 'annegret@zwiebel.example', 'Annegret@zwiebel.example')",
    "INSERT INTO favourites (user_id, person_id, added) VALUES ($1, $2, 1)",
    "INSERT INTO favourites (user_id, person_id, added) VALUES ($2, $1, 1)",
    "INSERT INTO calls (id, room_id, caller, callee, video, started) VALUES ('c1', 'shared', $1, $2, TRUE, 1)",
    "INSERT INTO calls (id, room_id, caller, callee, video, started) VALUES ('c2', 'shared', $2, $1, FALSE, 2)",
    "INSERT INTO history (id, user_id, kind, person_id, video, started, seen) VALUES ('h1', $1, 'outgoing', $2, TRUE, 1, TRUE)",
    "INSERT INTO history (id, user_id, kind, person_id, video, started, seen) VALUES ('h2', $2, 'missed', $1, TRUE, 1, FALSE)",
    "INSERT INTO history (id, user_id, kind, room_id, video, started, seen) VALUES ('h3', $1, 'room', 'diary', FALSE, 1, TRUE)",
    "INSERT INTO connections (id, meeting, user_id, name, kind, room_id, name_key, started, ended, over, troubled, losing, summary, timeline) \
     VALUES ('v1', 'e1', $1, 'Annegret Zwiebel', 'named', 'diary', 'annegret zwiebel', 1, 9, TRUE, FALSE, FALSE, '{}', 'x')",
    "INSERT INTO connections (id, meeting, user_id, name, kind, room_id, name_key, started, ended, over, troubled, losing, summary, timeline) \
     VALUES ('v2', 'e1', $2, 'Bernd', 'named', 'shared', 'bernd', 1, 9, TRUE, FALSE, FALSE, '{}', 'x')",
    "INSERT INTO audit (id, at, actor, action, subject, details) VALUES ('a1', 1, 'user:' || $1, 'settings.changed', '', 'name')",
    "INSERT INTO audit (id, at, actor, action, subject, details) VALUES ('a2', 2, 'user:' || $2, 'person.locked', 'user:' || $1, '')",
];

/// Annegret has something everywhere, and Bernd is her neighbour.
async fn populate(db: &Db) -> (UserId, UserId) {
    let anna = NewAccount {
        name: DisplayName::parse("Annegret Zwiebel").expect("a name"),
        mail: Mail::parse("Annegret@zwiebel.example").ok(),
        ..new_account(ANNA, "annegret77")
    };
    let anna = users::create(db, &anna).await.expect("an account").id;
    let bernd = account(db, "bernd", "bernd").await.id;
    let mut session = new_session(session_id("s1"), 1, &anna, session::Times::new(1));
    session.device = "her browser".to_owned();
    sessions::create(db, &session).await.expect("a session");
    make_room(db, "shared", "Runde", &anna, 1).await;
    make_room(db, "diary", "Annegrets Tagebuch", &anna, 1).await;
    let picture = Image {
        bytes: b"zwiebel".to_vec(),
        version: "1".to_owned(),
    };
    images::set_picture(db, &anna, Some(&picture))
        .await
        .expect("a picture");
    for sql in ROWS {
        let done = on!(db, pool => {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(numbered(sql)));
            for (place, id) in [("$1", &anna), ("$2", &bernd)] {
                if sql.contains(place) {
                    query = query.bind(id.as_str());
                }
            }
            query.execute(pool).await.map(drop)
        });
        done.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }
    (anna, bernd)
}

/// With a value for `$2` only, that is the first.
fn numbered(sql: &str) -> String {
    if sql.contains("$1") {
        sql.to_owned()
    } else {
        sql.replace("$2", "$1")
    }
}

/// All rows of all tables, each as one line of text.
async fn tables(db: &Db) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for table in names(db).await {
        if table == "_sqlx_migrations" {
            continue;
        }
        let columns = columns(db, &table).await;
        let texts: Vec<_> = columns
            .iter()
            .map(|(column, kind)| match (db, kind.as_str()) {
                (Db::Postgres(_), "bytea") => {
                    format!("COALESCE(encode(\"{column}\", 'escape'), '')")
                }
                _ => format!("COALESCE(CAST(\"{column}\" AS TEXT), '')"),
            })
            .collect();
        let sql = format!("SELECT {} FROM \"{table}\"", texts.join(" || '\n' || "));
        let rows: Vec<String> = on!(db, pool => {
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(pool).await
        })
        .unwrap_or_else(|error| panic!("{error}: {table}"));
        all.insert(table, rows);
    }
    all
}

async fn names(db: &Db) -> Vec<String> {
    const SQLITE: &str =
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    const POSTGRES: &str = "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema()";
    let names = match db {
        Db::Sqlite(pool) => sqlx::query_scalar(SQLITE).fetch_all(pool).await,
        Db::Postgres(pool) => sqlx::query_scalar(POSTGRES).fetch_all(pool).await,
    };
    names.expect("the tables")
}

async fn columns(db: &Db, table: &str) -> Vec<(String, String)> {
    const SQLITE: &str = "SELECT name, lower(type) FROM pragma_table_info($1)";
    const POSTGRES: &str = "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns \
        WHERE table_schema = current_schema() AND table_name = $1";
    let columns = match db {
        Db::Sqlite(pool) => sqlx::query_as(SQLITE).bind(table).fetch_all(pool).await,
        Db::Postgres(pool) => sqlx::query_as(POSTGRES).bind(table).fetch_all(pool).await,
    };
    columns.expect("the columns")
}

fn with(tables: &BTreeMap<String, Vec<String>>, text: &str) -> BTreeSet<String> {
    let found = tables
        .iter()
        .filter(|(_, rows)| rows.iter().any(|row| row.contains(text)));
    found.map(|(table, _)| table.clone()).collect()
}

/// Tables that name a user, as the database itself knows.
async fn tables_about_people(db: &Db) -> BTreeSet<String> {
    let Db::Sqlite(pool) = db else {
        return BTreeSet::new();
    };
    const SQL: &str = "SELECT m.name FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
        WHERE m.type = 'table' AND f.\"table\" = 'users'";
    let names: Vec<String> = sqlx::query_scalar(SQL)
        .fetch_all(pool)
        .await
        .expect("the references");
    names.into_iter().collect()
}

#[tokio::test]
async fn nothing_of_somebody_who_goes_stays_but_an_id_in_the_audit_log() {
    on_both(async |db| {
        let (anna, _) = populate(db).await;
        let before = tables(db).await;
        let known = with(&before, ANNA);
        for table in tables_about_people(db).await {
            assert!(
                known.contains(&table),
                "{table} has a row of hers in this test"
            );
        }
        for text in HERS {
            assert!(!with(&before, text).is_empty(), "{text} is there at first");
        }
        let removed = leaving::remove(db, &anna, "mark").await.expect("an answer");
        let Removed::Done {
            sessions,
            rooms: shared,
            mut gone,
        } = removed
        else {
            panic!("{removed:?}");
        };
        gone.sort();
        assert_eq!(sessions, [session_id("s1")]);
        assert_eq!(shared, ["shared".into()]);
        assert_eq!(
            gone,
            ["diary".into(), "hers".into()],
            "her personal room has her name, whoever was in it"
        );
        let after = tables(db).await;
        assert_eq!(with(&after, ANNA), BTreeSet::from(["audit".to_owned()]));
        for text in HERS {
            assert_eq!(with(&after, text), BTreeSet::new(), "{text}");
        }
        let mark = settings::get(db, settings::SESSIONS_ENDED).await;
        assert_eq!(mark.expect("an answer").as_deref(), Some("mark"));
        let shared = rooms::by_id(db, &"shared".into()).await.expect("an answer");
        assert_eq!(shared.expect("others know it").owner, None);
        assert!(
            !with(&after, "Carla").is_empty(),
            "whom she invited may come"
        );
        let again = leaving::remove(db, &anna, "mark").await.expect("an answer");
        assert_eq!(again, Removed::Nobody);
    })
    .await;
}

/// In which part of the export a table's rows are; the part of a table that only hangs on another one is that one's.
const PARTS: &[(&str, &str)] = &[
    ("users", "account"),
    ("person_words", "search_words"),
    ("images", "picture"),
    ("group_people", "groups"),
    ("identities", "identities"),
    ("sessions", "sessions"),
    ("passkeys", "passkeys"),
    ("totp", "totp"),
    ("backup_codes", "backup_codes"),
    ("account_links", "account_links"),
    ("account_links", "invites_made"),
    ("rooms", "rooms_owned"),
    ("room_members", "rooms_member"),
    ("room_pins", "rooms_pinned"),
    ("room_visits", "rooms_visited"),
    ("room_invites", "room_invites_made"),
    ("seats", "seats"),
    ("meetings", "meetings_planned"),
    ("meeting_people", "meetings_asked_to"),
    ("oidc_consents", "consents"),
    ("oidc_grants", "authorizations"),
    ("api_tokens", "tokens_made"),
    ("push_subscriptions", "browsers_to_wake"),
    ("favourites", "favourites"),
    ("calls", "calls"),
    ("history", "history"),
    ("connections", "connections"),
    ("audit", "audit"),
];

#[tokio::test]
async fn everything_that_is_stored_about_somebody_is_in_their_export_and_no_secret() {
    on_both(async |db| {
        let (anna, bernd) = populate(db).await;
        let all = export::of(db, &anna).await.expect("an answer");
        let all = all.expect("anna");
        for table in with(&tables(db).await, ANNA) {
            let part = PARTS.iter().find(|(name, _)| *name == table);
            assert!(part.is_some(), "{table} has a part in the export");
        }
        for (table, part) in PARTS {
            let there = all.get(*part).is_some_and(|part| {
                let list = part.as_array().is_some_and(|list| !list.is_empty());
                list || part.is_object()
            });
            assert!(there, "{table} is in {part}: {all:#?}");
        }
        let text = serde_json::to_string(&all).expect("JSON");
        for secret in ["hash", "sealed", "bernd", "Carla", "fremd"] {
            let clean = text.replace("\"password_hash", "");
            assert!(!clean.contains(secret), "{secret} in {text}");
        }
        for text_of_hers in [
            "Annegret Zwiebel",
            "her phone",
            "Annegrets Tagebuch",
            "Zwiebelfest",
            "Sitzung",
            "Wiki",
        ] {
            assert!(text.contains(text_of_hers), "{text_of_hers} in {text}");
        }
        let bernds = export::of(db, &bernd).await.expect("an answer");
        let bernds = serde_json::to_string(&bernds).expect("JSON");
        // By her name alone: they had calls.
        for text in &HERS[1..] {
            assert!(!bernds.contains(text), "{text} in {bernds}");
        }
        assert_eq!(export::of(db, &"x".into()).await.expect("an answer"), None);
    })
    .await;
}

#[tokio::test]
async fn the_last_administrator_neither_goes_nor_is_locked() {
    on_both(async |db| {
        let admin = |id: &str| NewAccount {
            admin: true,
            ..new_account(id, id)
        };
        let lock = Change {
            locked: Some(true),
            ..Change::default()
        };
        let anna = users::create(db, &admin("anna")).await.expect("anna").id;
        account(db, "carla", "carla").await;
        let times = session::Times::new(1);
        sessions::create(db, &new_session(session_id("s"), 1, &anna, times))
            .await
            .expect("a session");
        let locked = leaving::change(db, &anna, &lock, "m").await;
        assert_eq!(
            locked.expect("an answer"),
            (Changed::LastAdministrator, vec![])
        );
        let removed = leaving::remove(db, &anna, "m").await;
        assert_eq!(removed.expect("an answer"), Removed::LastAdministrator);
        assert!(
            sessions::is_there(db, &session_id("s"))
                .await
                .expect("an answer")
        );

        // Of two who send each other away at once, one stays.
        let bernd = users::create(db, &admin("bernd")).await.expect("bernd").id;
        let (first, second) = tokio::join!(
            leaving::remove(db, &anna, "m1"),
            leaving::remove(db, &bernd, "m2")
        );
        let answers = [first.expect("an answer"), second.expect("an answer")];
        let gone = |answer: &&Removed| matches!(answer, Removed::Done { .. });
        assert_eq!(answers.iter().filter(gone).count(), 1, "{answers:?}");
        assert!(answers.contains(&Removed::LastAdministrator), "{answers:?}");
    })
    .await;
}

#[tokio::test]
async fn a_lock_ends_sessions_and_what_applications_were_given() {
    on_both(async |db| {
        let (anna, _) = populate(db).await;
        let change = |locked| Change {
            locked: Some(locked),
            ..Change::default()
        };
        let (changed, ended) = leaving::change(db, &anna, &change(true), "mark")
            .await
            .expect("an answer");
        assert!(matches!(changed, Changed::Done(account) if account.locked));
        assert_eq!(ended, [session_id("s1")]);
        let mark = settings::get(db, settings::SESSIONS_ENDED).await;
        assert_eq!(mark.expect("an answer").as_deref(), Some("mark"));
        let tables = tables(db).await;
        assert_eq!(tables["oidc_grants"], Vec::<String>::new());
        assert_eq!(tables["oidc_refresh_tokens"], Vec::<String>::new());
        assert_eq!(
            tables["account_links"].len(),
            1,
            "the one she made for somebody"
        );
        let (changed, ended) = leaving::change(db, &anna, &change(false), "mark 2")
            .await
            .expect("an answer");
        assert!(matches!(changed, Changed::Done(account) if !account.locked));
        assert_eq!(ended, []);
    })
    .await;
}
