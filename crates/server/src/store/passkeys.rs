//! Passkeys: public keys and counters, as JSON that only `crate::passkeys` reads.

use identity::UnixMs;
use protocol::UserId;

use super::{Db, Result, in_transaction, on, stored};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPasskey {
    /// The credential's id, in base64url.
    pub id: String,
    pub user: UserId,
    pub name: String,
    pub credential: String,
    pub created: UnixMs,
    pub used: Option<UnixMs>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    user_id: String,
    name: String,
    credential: String,
    #[sqlx(try_from = "i64")]
    created: u64,
    used: Option<i64>,
}

impl From<Row> for StoredPasskey {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            user: row.user_id.into(),
            name: row.name,
            credential: row.credential,
            created: row.created,
            used: row.used.and_then(|used| u64::try_from(used).ok()),
        }
    }
}

/// Oldest first.
pub async fn of(db: &Db, user: &UserId) -> Result<Vec<StoredPasskey>> {
    const SQL: &str = "SELECT id, user_id, name, credential, created, used FROM passkeys \
        WHERE user_id = $1 ORDER BY created, id";
    let rows: Vec<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(user.as_str()).fetch_all(pool).await)?;
    Ok(rows.into_iter().map(StoredPasskey::from).collect())
}

pub async fn by_id(db: &Db, id: &str) -> Result<Option<StoredPasskey>> {
    const SQL: &str =
        "SELECT id, user_id, name, credential, created, used FROM passkeys WHERE id = $1";
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?;
    Ok(row.map(StoredPasskey::from))
}

/// `Taken` if it is somebody's already. `false` if the account has `most`.
pub async fn add(db: &Db, new: &StoredPasskey, most: u32) -> Result<bool> {
    const HOLD: &str = "UPDATE users SET admin = admin WHERE id = $1";
    const COUNT: &str = "SELECT COUNT(*) FROM passkeys WHERE user_id = $1";
    const INSERT: &str = "INSERT INTO passkeys (id, user_id, name, credential, created, used) \
        VALUES ($1, $2, $3, $4, $5, NULL)";
    Ok(in_transaction!(db, tx => {
        // On PostgreSQL: two at once count after each other.
        sqlx::query(HOLD).bind(new.user.as_str()).execute(&mut *tx).await?;
        let there: i64 = sqlx::query_scalar(COUNT).bind(new.user.as_str()).fetch_one(&mut *tx).await?;
        let place = there < i64::from(most);
        if place {
            let query = sqlx::query(INSERT).bind(&new.id).bind(new.user.as_str()).bind(&new.name);
            query.bind(&new.credential).bind(stored(new.created)).execute(&mut *tx).await?;
        }
        place
    }))
}

/// If it still is as it was read: of two answers with one counter one counts.
pub async fn used(db: &Db, before: &StoredPasskey, credential: &str, now: UnixMs) -> Result<bool> {
    const SQL: &str =
        "UPDATE passkeys SET credential = $3, used = $4 WHERE id = $1 AND credential = $2";
    let updated = on!(db, pool => {
        let query = sqlx::query(SQL).bind(&before.id).bind(&before.credential).bind(credential);
        query.bind(stored(now)).execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(updated == 1)
}

/// Whether it was there and theirs.
pub async fn remove(db: &Db, user: &UserId, id: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM passkeys WHERE user_id = $1 AND id = $2";
    let removed = on!(db, pool => {
        let query = sqlx::query(SQL).bind(user.as_str()).bind(id);
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(removed == 1)
}

/// How many there were.
pub async fn remove_all(db: &Db, user: &UserId) -> Result<u64> {
    const SQL: &str = "DELETE FROM passkeys WHERE user_id = $1";
    Ok(on!(db, pool => {
        sqlx::query(SQL).bind(user.as_str()).execute(pool).await.map(|done| done.rows_affected())
    })?)
}
