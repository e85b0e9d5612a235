//! All SQL and migrations, the same for SQLite and PostgreSQL; one file per area.
//!
//! Functions take and give plain values; nobody else writes SQL, and no row type leaves. Decides nothing.

pub mod audit;
pub mod call_rooms;
pub mod calls;
pub mod clients;
pub mod connections;
pub mod export;
pub mod favourites;
pub mod grants;
pub mod groups;
pub mod guests;
pub mod history;
pub mod identities;
pub mod images;
pub mod imports;
pub mod invites;
pub mod language;
pub mod leaving;
pub mod links;
pub mod meetings;
pub mod members;
pub mod passkeys;
pub mod passwords;
pub mod people;
pub mod pins;
pub mod push;
pub mod rooms;
pub mod scim;
pub mod seats;
pub mod sessions;
pub mod settings;
pub mod signing_keys;
pub mod status;
pub mod tokens;
pub mod totp;
pub mod users;
pub mod visits;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// How long a request waits for a lock or for a connection before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(4);
const SQLITE_CONNECTIONS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 10;

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Db {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Runs one expression over the pool of either database.
macro_rules! on {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::store::Db::Sqlite($pool) => $body,
            $crate::store::Db::Postgres($pool) => $body,
        }
    };
}
pub(crate) use on;

/// Runs one block in a transaction that may write. SQLite takes the write lock at once: a transaction that reads first and
/// writes later would fail instead of waiting.
macro_rules! in_transaction {
    ($db:expr, $tx:ident => $body:block) => {
        match $db {
            $crate::store::Db::Sqlite(pool) => {
                let mut $tx = pool.begin_with("BEGIN IMMEDIATE").await?;
                let value = $body;
                $tx.commit().await?;
                value
            }
            $crate::store::Db::Postgres(pool) => {
                let mut $tx = pool.begin().await?;
                let value = $body;
                $tx.commit().await?;
                value
            }
        }
    };
}
pub(crate) use in_transaction;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another row has this name.
    #[error("already there")]
    Taken,
    #[error("the database does not answer: {0}")]
    Unavailable(sqlx::Error),
    /// What came back is not what was asked for: a bug of ours.
    #[error("the database answers something else: {0}")]
    Broken(sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => Self::Taken,
            sqlx::Error::RowNotFound
            | sqlx::Error::TypeNotFound { .. }
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Encode(_)
            | sqlx::Error::Decode(_) => Self::Broken(error),
            _ => Self::Unavailable(error),
        }
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;

impl Db {
    /// Opens the database, makes it if it is an SQLite file that is not there yet, and brings its tables up to date.
    pub async fn open(url: Option<&str>, data_dir: &Path) -> anyhow::Result<Self> {
        let db = match url {
            None => Self::open_sqlite(&data_dir.join("stube.db")).await?,
            Some(url) => Self::open_postgres(url).await?,
        };
        let migrated = on!(&db, pool => MIGRATIONS.run(pool).await);
        migrated.context("the tables of the database cannot be brought up to date")?;
        Ok(db)
    }

    async fn open_sqlite(file: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What was acknowledged survives a power cut too.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // In KiB, for each connection that needs it: with SQLite's own 2 MB, a house of 50 000 people is read from the
            // file again with each search.
            .pragma("cache_size", "-16000")
            .busy_timeout(PATIENCE);
        let pool = SqlitePoolOptions::new()
            .max_connections(SQLITE_CONNECTIONS)
            .acquire_timeout(PATIENCE);
        let pool = pool.connect_with(options).await;
        Ok(Self::Sqlite(pool.with_context(|| {
            format!("the database {} cannot be opened", file.display())
        })?))
    }

    async fn open_postgres(url: &str) -> anyhow::Result<Self> {
        let options =
            PgConnectOptions::from_str(url).context("database.url is no PostgreSQL URL")?;
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(PATIENCE);
        let pool = pool.connect_with(options).await;
        Ok(Self::Postgres(pool.context(
            "the database of database.url cannot be reached",
        )?))
    }

    /// Whether the database answers now.
    pub async fn answers(&self) -> Result<()> {
        on!(self, pool => sqlx::query("SELECT 1").execute(pool).await.map(drop))?;
        Ok(())
    }

    pub async fn close(&self) {
        on!(self, pool => pool.close().await);
    }
}

/// Databases count time in signed integers.
fn stored(ms: identity::UnixMs) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// As it is called on the wire.
fn word<T: serde::Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).ok();
    let word = value.as_ref().and_then(serde_json::Value::as_str);
    word.unwrap_or_default().to_owned()
}

/// Back from [`word`]; `None` for what a later version wrote.
fn from_word<T: serde::de::DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}
