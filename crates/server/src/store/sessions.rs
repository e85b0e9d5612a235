//! Sign-ins: one row each, found by the hash of what the cookie holds.

use std::collections::HashSet;

use identity::{PasswordHash, SecretHash, UnixMs, session};
use protocol::UserId;
use protocol::http::SignInMethod;

use super::users::{Account, account_columns};
use super::{Db, Result, in_transaction, on, settings, stored};
use crate::principal::SessionId;

/// Asked about at once: both databases take some thousands of values in one question.
const AT_ONCE: usize = 500;

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
    /// What was shown to be right, if it was a password of the house.
    pub password: Option<PasswordHash>,
}

/// Writes down a new sign-in. Gives back the sessions that had to make place for it; `None` if the account is locked or gone
/// meanwhile or has another password, so that no sign-in under way outlives what ends all others.
pub async fn create(db: &Db, new: &NewSession) -> Result<Option<Vec<SessionId>>> {
    // A new password and a lock change this row first as well: they come before this, or end what is written here.
    const HOLD: &str = "UPDATE users SET admin = admin WHERE id = $1 AND NOT locked \
        AND password_hash = COALESCE(CAST($2 AS TEXT), password_hash)";
    const INSERT: &str = "INSERT INTO sessions (id, secret_hash, user_id, created, used, device, method, issuer, \
        subject, issuer_session, sealed_id_token) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    const TOO_MANY: &str = "DELETE FROM sessions WHERE user_id = $1 AND id NOT IN \
        (SELECT id FROM sessions WHERE user_id = $1 ORDER BY used DESC, id DESC LIMIT $2) RETURNING id";
    let outside = new.outside.as_ref();
    let ended: Option<Vec<String>> = in_transaction!(db, tx => {
        let password = new.password.as_ref().map(PasswordHash::as_str);
        let query = sqlx::query(HOLD).bind(new.user.as_str()).bind(password);
        if query.execute(&mut *tx).await?.rows_affected() == 0 {
            None
        } else {
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
            let query = sqlx::query_scalar(TOO_MANY).bind(new.user.as_str()).bind(most);
            Some(query.fetch_all(&mut *tx).await?)
        }
    });
    Ok(ended.map(|ended| ended.into_iter().map(SessionId::from).collect()))
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

fn read(method: &str) -> SignInMethod {
    match method {
        "password_and_code" => SignInMethod::PasswordAndCode,
        "passkey" => SignInMethod::Passkey,
        "provider" => SignInMethod::Provider,
        "link" => SignInMethod::Link,
        "ldap" => SignInMethod::Ldap,
        _ => SignInMethod::Password,
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

/// The outside provider that this sign-in began at, if it did.
pub async fn issuer_of(db: &Db, id: &SessionId) -> Result<Option<String>> {
    const SQL: &str = "SELECT issuer FROM sessions WHERE id = $1";
    let row: Option<Option<String>> =
        on!(db, pool => sqlx::query_scalar(SQL).bind(id.as_str()).fetch_optional(pool).await)?;
    Ok(row.flatten())
}

/// Ends all sessions of a person but one, and says so to other processes; gives back which.
pub async fn remove_of(
    db: &Db,
    user: &UserId,
    but: Option<&SessionId>,
    mark: &str,
) -> Result<Vec<SessionId>> {
    const SQL: &str = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2 RETURNING id";
    let but = but.map_or("", SessionId::as_str);
    let ended: Vec<String> = in_transaction!(db, tx => {
        sqlx::query(settings::SET).bind(settings::SESSIONS_ENDED).bind(mark).execute(&mut *tx).await?;
        sqlx::query_scalar(SQL).bind(user.as_str()).bind(but).fetch_all(&mut *tx).await?
    });
    Ok(ended.into_iter().map(SessionId::from).collect())
}

/// How a session began at an outside provider, if it did.
pub async fn outside(db: &Db, id: &SessionId) -> Result<Option<Outside>> {
    const SQL: &str = "SELECT issuer, subject, issuer_session, sealed_id_token FROM sessions \
        WHERE id = $1 AND issuer IS NOT NULL AND subject IS NOT NULL";
    type Row = (String, String, Option<String>, Option<String>);
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(pool).await)?;
    Ok(
        row.map(|(issuer, subject, session, sealed_id_token)| Outside {
            issuer,
            subject,
            session,
            sealed_id_token,
        }),
    )
}

/// Ends what began at an outside provider: one of its sessions, or all of a subject; says so to other processes and gives
/// back which. Of a provider that names its sessions now and did not before, all of the subject that have no name end.
pub async fn remove_outside(
    db: &Db,
    issuer: &str,
    subject: Option<&str>,
    session: Option<&str>,
    mark: &str,
) -> Result<Vec<SessionId>> {
    const SQL: &str = "DELETE FROM sessions WHERE issuer = $1 AND (issuer_session = $3 OR \
        (subject = $2 AND (issuer_session IS NULL OR CAST($3 AS TEXT) IS NULL))) RETURNING id";
    let ended: Vec<String> = in_transaction!(db, tx => {
        sqlx::query(settings::SET).bind(settings::SESSIONS_ENDED).bind(mark).execute(&mut *tx).await?;
        sqlx::query_scalar(SQL).bind(issuer).bind(subject).bind(session).fetch_all(&mut *tx).await?
    });
    Ok(ended.into_iter().map(SessionId::from).collect())
}

pub async fn touch(db: &Db, id: &SessionId, used: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE sessions SET used = $2 WHERE id = $1";
    on!(db, pool => sqlx::query(SQL).bind(id.as_str()).bind(stored(used)).execute(pool).await.map(drop))?;
    Ok(())
}

/// Which of these sign-ins and guests' grants are still there; those of somebody locked are not.
pub async fn still_there(db: &Db, ids: &[SessionId]) -> Result<HashSet<SessionId>> {
    let mut there = HashSet::new();
    for ids in ids.chunks(AT_ONCE) {
        let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
        let places = places.join(", ");
        let sql = format!(
            "SELECT s.id FROM sessions s JOIN users u ON u.id = s.user_id WHERE NOT u.locked AND s.id IN ({places}) \
             UNION ALL SELECT id FROM guest_grants WHERE id IN ({places})"
        );
        let found: Vec<String> = on!(db, pool => {
            let mut query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
            for id in ids {
                query = query.bind(id.as_str());
            }
            query.fetch_all(pool).await
        })?;
        there.extend(found.into_iter().map(SessionId::from));
    }
    Ok(there)
}

pub async fn is_there(db: &Db, id: &SessionId) -> Result<bool> {
    Ok(!still_there(db, std::slice::from_ref(id)).await?.is_empty())
}

/// Ends one, and says so to other processes; `false` if it was not there, or not theirs.
pub async fn remove(db: &Db, id: &SessionId, of: Option<&UserId>, mark: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM sessions WHERE id = $1 AND user_id = COALESCE($2, user_id)";
    Ok(in_transaction!(db, tx => {
        sqlx::query(settings::SET).bind(settings::SESSIONS_ENDED).bind(mark).execute(&mut *tx).await?;
        let query = sqlx::query(SQL).bind(id.as_str()).bind(of.map(UserId::as_str));
        query.execute(&mut *tx).await?.rows_affected() == 1
    }))
}

/// A session as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: SessionId,
    pub user: UserId,
    /// Whose it is, by name.
    pub name: String,
    pub device: String,
    pub method: SignInMethod,
    pub times: session::Times,
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    id: String,
    user_id: String,
    name: String,
    device: String,
    method: String,
    #[sqlx(try_from = "i64")]
    created: u64,
    #[sqlx(try_from = "i64")]
    used: u64,
}

impl From<ListedRow> for Listed {
    fn from(row: ListedRow) -> Self {
        Self {
            id: SessionId::from(row.id),
            user: row.user_id.into(),
            name: row.name,
            device: row.device,
            method: read(&row.method),
            times: session::Times {
                created: row.created,
                used: row.used,
            },
        }
    }
}

/// Of one person or of everybody, the one used last first. May have expired: that is the caller's to judge.
pub async fn list(db: &Db, of: Option<&UserId>, most: u32) -> Result<Vec<Listed>> {
    const SQL: &str = "SELECT s.id, s.user_id, u.name, s.device, s.method, s.created, s.used FROM sessions s \
        JOIN users u ON u.id = s.user_id WHERE s.user_id = COALESCE($1, s.user_id) \
        ORDER BY s.used DESC, s.id DESC LIMIT $2";
    let rows: Vec<ListedRow> = on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(of.map(UserId::as_str)).bind(i64::from(most));
        query.fetch_all(pool).await
    })?;
    Ok(rows.into_iter().map(Listed::from).collect())
}

/// Forgets what has expired by `now`.
pub async fn remove_expired(db: &Db, now: UnixMs) -> Result<()> {
    const SQL: &str = "DELETE FROM sessions WHERE created <= $1 OR used <= $2";
    let created = stored(now.saturating_sub(session::WHOLE_MS));
    let used = stored(now.saturating_sub(session::IDLE_MS));
    on!(db, pool => sqlx::query(SQL).bind(created).bind(used).execute(pool).await.map(drop))?;
    Ok(())
}
