//! Authenticator apps and backup codes: sealed secrets, the step of the last code that was taken, and hashes.
//!
//! What must happen once (a code, a step) happens in one statement with its condition.

use identity::{PasswordHash, UnixMs};
use protocol::UserId;

use super::{Db, Result, in_transaction, on, stored};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredTotp {
    pub sealed_secret: String,
    #[sqlx(try_from = "i64")]
    pub created: UnixMs,
}

/// A secret that was shown; an earlier one that was not confirmed is forgotten.
pub async fn begin(db: &Db, user: &UserId, sealed_secret: &str, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO totp (user_id, sealed_secret, confirmed, last_step, created) \
        VALUES ($1, $2, FALSE, 0, $3) ON CONFLICT (user_id, confirmed) \
        DO UPDATE SET sealed_secret = excluded.sealed_secret, created = excluded.created";
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(user.as_str()).bind(sealed_secret);
        query.bind(stored(now)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// The one in force, or the one that waits for its first code.
pub async fn of(db: &Db, user: &UserId, confirmed: bool) -> Result<Option<StoredTotp>> {
    const SQL: &str =
        "SELECT sealed_secret, created FROM totp WHERE user_id = $1 AND confirmed = $2";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(user.as_str()).bind(confirmed).fetch_optional(pool).await
    })?)
}

/// From now on this secret is asked for, with these backup codes; `false` if it is not the one that waits any more.
pub async fn confirm(
    db: &Db,
    user: &UserId,
    sealed_secret: &str,
    step: u64,
    codes: &[PasswordHash],
) -> Result<bool> {
    const OLD: &str = "DELETE FROM totp WHERE user_id = $1 AND confirmed AND EXISTS \
        (SELECT 1 FROM totp t WHERE t.user_id = $1 AND NOT t.confirmed AND t.sealed_secret = $2)";
    const CONFIRM: &str = "UPDATE totp SET confirmed = TRUE, last_step = $3 \
        WHERE user_id = $1 AND NOT confirmed AND sealed_secret = $2";
    const CODE: &str = "INSERT INTO backup_codes (user_id, hash) VALUES ($1, $2)";
    Ok(in_transaction!(db, tx => {
        sqlx::query(OLD).bind(user.as_str()).bind(sealed_secret).execute(&mut *tx).await?;
        let query = sqlx::query(CONFIRM).bind(user.as_str()).bind(sealed_secret).bind(stored(step));
        let confirmed = query.execute(&mut *tx).await?.rows_affected() == 1;
        if confirmed {
            sqlx::query(REMOVE_CODES).bind(user.as_str()).execute(&mut *tx).await?;
            for code in codes {
                sqlx::query(CODE).bind(user.as_str()).bind(code.as_str()).execute(&mut *tx).await?;
            }
        }
        confirmed
    }))
}

/// Whether this step is later than all that were taken; then it is taken.
pub async fn take_step(db: &Db, user: &UserId, step: u64) -> Result<bool> {
    const SQL: &str =
        "UPDATE totp SET last_step = $2 WHERE user_id = $1 AND confirmed AND last_step < $2";
    let taken = on!(db, pool => {
        let query = sqlx::query(SQL).bind(user.as_str()).bind(stored(step));
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(taken == 1)
}

const REMOVE_CODES: &str = "DELETE FROM backup_codes WHERE user_id = $1";

/// With its backup codes, and one that waits. Whether one was in force.
pub async fn remove(db: &Db, user: &UserId) -> Result<bool> {
    const SQL: &str = "DELETE FROM totp WHERE user_id = $1 RETURNING confirmed";
    let gone: Vec<bool> = in_transaction!(db, tx => {
        sqlx::query(REMOVE_CODES).bind(user.as_str()).execute(&mut *tx).await?;
        sqlx::query_scalar(SQL).bind(user.as_str()).fetch_all(&mut *tx).await?
    });
    Ok(gone.contains(&true))
}

/// Those that were not taken yet.
pub async fn backup_codes(db: &Db, user: &UserId) -> Result<Vec<PasswordHash>> {
    const SQL: &str = "SELECT hash FROM backup_codes WHERE user_id = $1 ORDER BY hash";
    let hashes: Vec<String> =
        on!(db, pool => sqlx::query_scalar(SQL).bind(user.as_str()).fetch_all(pool).await)?;
    Ok(hashes.into_iter().map(PasswordHash::from_stored).collect())
}

/// Whether it was there; it is not any more.
pub async fn take_backup_code(db: &Db, user: &UserId, hash: &PasswordHash) -> Result<bool> {
    const SQL: &str = "DELETE FROM backup_codes WHERE user_id = $1 AND hash = $2";
    let taken = on!(db, pool => {
        let query = sqlx::query(SQL).bind(user.as_str()).bind(hash.as_str());
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(taken == 1)
}
