//! The database of each version that was released becomes today's, with everything in it.
//!
//! `fixtures/released/<version>.sql` is the data of a house as that version of the schema holds it, with at least one row in
//! each table: whoever adds a migration adds the file of the one before it, with the same two people. It is read at its
//! version, between the migrations that were there then and those of today.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::StatusCode;
use reqwest::header::COOKIE;
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::support::{House, PASSWORD, answer};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Versions and their data, in order.
fn released() -> Vec<(i64, String)> {
    let files = fs::read_dir(fixtures().join("released")).expect("a folder");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock");
    let mut all: Vec<_> = files
        .map(|file| {
            let path = file.expect("a file").path();
            let version = path
                .file_stem()
                .and_then(|name| name.to_str()?.parse().ok());
            let text = fs::read_to_string(&path).expect("text");
            let text = text.replace("{now}", &now.as_millis().to_string());
            (version.expect("a version"), text)
        })
        .collect();
    all.sort();
    all
}

/// Table, columns, and the rows as text.
type Rows = BTreeMap<String, (Vec<String>, Vec<String>)>;

/// Runs one expression over a pool of the house's database.
macro_rules! on_database {
    ($house:expr, $pool:ident => $body:expr) => {
        match $house.postgres_url() {
            Some(url) => {
                let $pool = sqlx::PgPool::connect(url).await.expect("the database");
                let value = $body;
                $pool.close().await;
                value
            }
            None => {
                let file = $house.directory.0.join("data/stube.db");
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(file)
                    .create_if_missing(true);
                let $pool = sqlx::SqlitePool::connect_with(options)
                    .await
                    .expect("the database");
                let value = $body;
                $pool.close().await;
                value
            }
        }
    };
}

/// Tables and their columns, in order.
async fn columns(house: &House) -> BTreeMap<String, Vec<String>> {
    let sql = match house.postgres_url() {
        Some(_) => {
            "SELECT table_name::text, column_name::text FROM information_schema.columns \
             WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
        }
        None => {
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' ORDER BY m.name, c.cid"
        }
    };
    let all: Vec<(String, String)> =
        on_database!(house, pool => sqlx::query_as(sql).fetch_all(&pool).await.expect("columns"));
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in all {
        if !table.starts_with('_') && !table.starts_with("sqlite_") {
            tables.entry(table).or_default().push(column);
        }
    }
    tables
}

/// What these columns hold.
async fn rows(house: &House, columns: &BTreeMap<String, Vec<String>>) -> Rows {
    let mut all = Rows::new();
    for (table, columns) in columns {
        let texts: Vec<_> = columns
            .iter()
            .map(|column| format!("COALESCE(CAST({column} AS TEXT), '(absent)')"))
            .collect();
        let line = texts.join(" || '|' || ");
        let sql = AssertSqlSafe(format!("SELECT {line} FROM {table} ORDER BY 1"));
        let lines: Vec<String> = on_database!(house, pool => sqlx::query_scalar(sql).fetch_all(&pool).await.expect("rows"));
        all.insert(table.clone(), (columns.clone(), lines));
    }
    all
}

async fn upgrade(mut house: House, version: i64, data: &str) {
    let data_dir = house.directory.0.join("data");
    fs::create_dir_all(&data_dir).expect("a directory");
    let sealing_key = fixtures().join("sealing.key");
    fs::copy(sealing_key, data_dir.join("sealing.key")).expect("a copy");
    on_database!(house, pool => {
        MIGRATIONS.run_to(version, &pool).await.expect("the tables of that time");
        sqlx::raw_sql(AssertSqlSafe(data)).execute(&pool).await.expect("the data of that time");
    });
    let columns = columns(&house).await;
    let before = rows(&house, &columns).await;
    for (table, (_, lines)) in &before {
        assert!(
            !lines.is_empty(),
            "version {version} has nothing in {table}"
        );
    }

    // The first command of today migrates.
    let list = house.run(&["user", "list"]);
    assert!(list.status.success(), "{list:?}");
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(list.contains("Bernd 🏡 Groß"), "{list}");
    assert_eq!(rows(&house, &columns).await, before, "version {version}");

    house.start();
    let anna = house.person();
    assert_eq!(anna.sign_in("anna", PASSWORD).await.status, StatusCode::OK);
    assert_eq!(
        house
            .person()
            .sign_in("anna", "something else")
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
    for (text, username) in [
        ("muell", "anna"),
        ("ozt", "anna"),
        ("gross", "Bernd"),
        ("ber", "Bernd"),
    ] {
        let found = anna.get(&format!("/api/v1/people?q={text}")).await.json();
        assert_eq!(found["people"][0]["username"], username, "{text}: {found}");
    }
    let cookie = format!("stube={}", "S".repeat(43));
    let me = house
        .person()
        .request(reqwest::Method::GET, "/api/v1/me")
        .header(COOKIE, cookie);
    assert_eq!(
        answer(me).await.json()["user"]["username"],
        "Bernd",
        "the sign-in goes on"
    );
    let ticket = house
        .person()
        .request(reqwest::Method::POST, "/api/v1/tickets");
    let ticket = answer(ticket.bearer_auth("G".repeat(43)).json(&json!({}))).await;
    assert_eq!(
        ticket.status,
        StatusCode::OK,
        "the guest's grant is still good: {ticket:?}"
    );
    let kitchen = anna.door("Küche").await;
    assert_eq!(kitchen.json()["access"], "accounts", "{kitchen:?}");
    let keys = anna.get("/oidc/jwks").await;
    assert!(
        keys.text.contains("01a214ed941270a4b601bcc3f0fb7137"),
        "{keys:?}"
    );
    let clients = house.run(&["client", "list"]);
    assert!(String::from_utf8_lossy(&clients.stdout).contains("https://wiki.example.org/callback"));
}

#[tokio::test]
async fn a_database_of_any_released_version_becomes_todays_and_loses_nothing() {
    let released = released();
    let latest = MIGRATIONS.iter().map(|migration| migration.version).max();
    let covered = released.iter().map(|(version, _)| *version).max();
    assert!(
        covered
            .zip(latest)
            .is_some_and(|(covered, latest)| covered >= latest - 1),
        "the version before the latest migration has no data in fixtures/released"
    );
    for (version, data) in released {
        for house in [House::new(), House::on_postgres()] {
            upgrade(house, version, &data).await;
        }
    }
}
