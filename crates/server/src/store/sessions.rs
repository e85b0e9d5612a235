//! Sign-ins: one row each, found by the hash of what the cookie holds.

use identity::{SecretHash, UnixMs, session};
use protocol::UserId;
use protocol::http::SignInMethod;

use super::users::{Account, account_columns};
use super::{Db, Result, in_transaction, on, stored};
use crate::principal::SessionId;

/// A sign-in and whose it is. May have expired: that is the caller's to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    pub id: SessionId,
    pub account: Account,
    pub times: session::Times,
}

#[derive(sqlx::FromRow)]
struct Row {
    session_id: String,
    #[sqlx(try_from = "i64")]
    created: u64,
    #[sqlx(try_from = "i64")]
    used: u64,
    #[sqlx(flatten)]
    account: Account,
}

/// A sign-in at an outside provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    pub issuer: String,
    pub subject: String,
    /// The provider's own name for its session (`sid`), if it told one.
    pub session: Option<String>,
    /// Sealed with the key in the data directory.
    pub sealed_id_token: Option<String>,
}

#[derive(Debug)]
pub struct NewSession {
    pub id: SessionId,
    pub secret: SecretHash,
    pub user: UserId,
    pub times: session::Times,
    pub device: String,
    pub method: SignInMethod,
    pub outside: Option<Outside>,
}

/// Writes down a new sign-in. Gives back the sessions that had to make place for it.
pub async fn create(db: &Db, new: &NewSession) -> Result<Vec<SessionId>> {
    const INSERT: &str = "INSERT INTO sessions (id, secret_hash, user_id, created, used, device, method, issuer, \
        subject, issuer_session, sealed_id_token) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    const TOO_MANY: &str = "DELETE FROM sessions WHERE user_id = $1 AND id NOT IN \
        (SELECT id FROM sessions WHERE user_id = $1 ORDER BY used DESC, id DESC LIMIT $2) RETURNING id";
    let outside = new.outside.as_ref();
    let ended: Vec<String> = in_transaction!(db, tx => {
        sqlx::query(INSERT)
            .bind(new.id.as_str())
            .bind(new.secret.to_hex())
            .bind(new.user.as_str())
            .bind(stored(new.times.created))
            .bind(stored(new.times.used))
            .bind(&new.device)
            .bind(written(new.method))
            .bind(outside.map(|outside| outside.issuer.as_str()))
            .bind(outside.map(|outside| outside.subject.as_str()))
            .bind(outside.and_then(|outside| outside.session.as_deref()))
            .bind(outside.and_then(|outside| outside.sealed_id_token.as_deref()))
            .execute(&mut *tx)
            .await?;
        let most = session::PER_USER as i64;
        sqlx::query_scalar(TOO_MANY).bind(new.user.as_str()).bind(most).fetch_all(&mut *tx).await?
    });
    Ok(ended.into_iter().map(SessionId::from).collect())
}

fn written(method: SignInMethod) -> &'static str {
    match method {
        SignInMethod::Password => "password",
        SignInMethod::PasswordAndCode => "password_and_code",
        SignInMethod::Passkey => "passkey",
        SignInMethod::Provider => "provider",
        SignInMethod::Link => "link",
        SignInMethod::Ldap => "ldap",
    }
}

/// Of an account that is not locked.
pub async fn by_secret(db: &Db, secret: SecretHash) -> Result<Option<StoredSession>> {
    const SQL: &str = concat!(
        "SELECT s.id AS session_id, s.created, s.used, ",
        account_columns!(),
        " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.secret_hash = $1 AND NOT u.locked"
    );
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(secret.to_hex()).fetch_optional(pool).await)?;
    Ok(row.map(|row| StoredSession {
        id: SessionId::from(row.session_id),
        account: row.account,
        times: session::Times {
            created: row.created,
            used: row.used,
        },
    }))
}

/// Ends all sessions of a person but one; gives back which.
pub async fn remove_of(db: &Db, user: &UserId, but: Option<&SessionId>) -> Result<Vec<SessionId>> {
    const SQL: &str = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2 RETURNING id";
    let but = but.map_or("", SessionId::as_str);
    let ended: Vec<String> = on!(db, pool => {
        sqlx::query_scalar(SQL).bind(user.as_str()).bind(but).fetch_all(pool).await
    })?;
    Ok(ended.into_iter().map(SessionId::from).collect())
}

pub async fn touch(db: &Db, id: &SessionId, used: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE sessions SET used = $2 WHERE id = $1";
    on!(db, pool => sqlx::query(SQL).bind(id.as_str()).bind(stored(used)).execute(pool).await.map(drop))?;
    Ok(())
}

/// Which of these sign-ins and guest grants are still there.
pub async fn is_there(db: &Db, id: &SessionId) -> Result<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM sessions WHERE id = $1) \
        OR EXISTS (SELECT 1 FROM guest_grants WHERE id = $1)";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(id.as_str()).fetch_one(pool).await)?)
}

pub async fn remove(db: &Db, id: &SessionId) -> Result<()> {
    on!(db, pool => sqlx::query("DELETE FROM sessions WHERE id = $1").bind(id.as_str()).execute(pool).await.map(drop))?;
    Ok(())
}

/// Forgets what has expired by `now`.
pub async fn remove_expired(db: &Db, now: UnixMs) -> Result<()> {
    const SQL: &str = "DELETE FROM sessions WHERE created <= $1 OR used <= $2";
    let created = stored(now.saturating_sub(session::WHOLE_MS));
    let used = stored(now.saturating_sub(session::IDLE_MS));
    on!(db, pool => sqlx::query(SQL).bind(created).bind(used).execute(pool).await.map(drop))?;
    Ok(())
}
