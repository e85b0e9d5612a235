//! Bearer tokens of machines: one row each, found by the hash of what the machine holds.

use identity::administration::Scope;
use identity::{SecretHash, UnixMs};
use protocol::UserId;

use super::{Db, Result, on, stored};

/// May have expired: that is the caller's to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredToken {
    pub id: String,
    pub name: String,
    pub scopes: Vec<Scope>,
    /// Name of whoever made it; absent for the command line and for people who are gone.
    pub made_by: Option<String>,
    pub created: UnixMs,
    pub expires: Option<UnixMs>,
    pub used: Option<UnixMs>,
}

#[derive(Debug)]
pub struct NewToken<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub secret: SecretHash,
    pub scopes: &'a [Scope],
    pub made_by: Option<&'a UserId>,
    pub created: UnixMs,
    pub expires: Option<UnixMs>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    scopes: String,
    made_by: Option<String>,
    created: i64,
    expires: Option<i64>,
    used: Option<i64>,
}

impl From<Row> for StoredToken {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            // A word that is not known is good for nothing.
            scopes: row
                .scopes
                .split_whitespace()
                .filter_map(Scope::parse)
                .collect(),
            made_by: row.made_by,
            created: row.created.unsigned_abs(),
            expires: row.expires.map(i64::unsigned_abs),
            used: row.used.map(i64::unsigned_abs),
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.name, t.scopes, u.name AS made_by, t.created, t.expires, t.used \
            FROM api_tokens t LEFT JOIN users u ON u.id = t.made_by ",
            $rest
        )
    };
}

pub async fn create(db: &Db, new: &NewToken<'_>) -> Result<StoredToken> {
    const SQL: &str = "INSERT INTO api_tokens (id, name, secret_hash, scopes, made_by, created, expires) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let scopes: Vec<_> = new.scopes.iter().map(|scope| scope.word()).collect();
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(new.id).bind(new.name).bind(new.secret.to_hex());
        let query = query.bind(scopes.join(" ")).bind(new.made_by.map(UserId::as_str));
        query.bind(stored(new.created)).bind(new.expires.map(stored)).execute(pool).await.map(drop)
    })?;
    const MADE: &str = select!("WHERE t.id = $1");
    let row: Row = on!(db, pool => sqlx::query_as(MADE).bind(new.id).fetch_one(pool).await)?;
    Ok(StoredToken::from(row))
}

pub async fn by_secret(db: &Db, secret: SecretHash) -> Result<Option<StoredToken>> {
    const SQL: &str = select!("WHERE t.secret_hash = $1");
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(secret.to_hex()).fetch_optional(pool).await)?;
    Ok(row.map(StoredToken::from))
}

/// In the order of their making.
pub async fn all(db: &Db) -> Result<Vec<StoredToken>> {
    const SQL: &str = select!("ORDER BY t.created, t.id");
    let rows: Vec<Row> = on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?;
    Ok(rows.into_iter().map(StoredToken::from).collect())
}

pub async fn touch(db: &Db, id: &str, used: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE api_tokens SET used = $2 WHERE id = $1";
    on!(db, pool => sqlx::query(SQL).bind(id).bind(stored(used)).execute(pool).await.map(drop))?;
    Ok(())
}

/// Gives the name it had; `None` if there was none.
pub async fn remove(db: &Db, id: &str) -> Result<Option<String>> {
    const SQL: &str = "DELETE FROM api_tokens WHERE id = $1 RETURNING name";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(id).fetch_optional(pool).await)?)
}
