//! Passwords of accounts, as hashes.

use identity::{PasswordHash, UnixMs};
use protocol::UserId;

use super::{Db, Result, in_transaction, links, on, settings, stored};
use crate::principal::SessionId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPassword {
    pub hash: PasswordHash,
    pub changed: UnixMs,
}

/// `None`: this account has none.
pub async fn of(db: &Db, user: &UserId) -> Result<Option<StoredPassword>> {
    const SQL: &str = "SELECT password_hash, COALESCE(password_changed, created) FROM users \
        WHERE id = $1 AND password_hash <> ''";
    let row: Option<(String, i64)> =
        on!(db, pool => sqlx::query_as(SQL).bind(user.as_str()).fetch_optional(pool).await)?;
    Ok(row.map(|(hash, changed)| StoredPassword {
        hash: PasswordHash::from_stored(hash),
        changed: u64::try_from(changed).unwrap_or_default(),
    }))
}

/// If it is still `from`. Ends all sessions of the account but this one, all that applications were given in its name and
/// all links to it; gives back which sessions, or `None` if it was another password.
pub async fn change(
    db: &Db,
    user: &UserId,
    (from, to): (&PasswordHash, &PasswordHash),
    keep: &SessionId,
    ended: &str,
    now: UnixMs,
) -> Result<Option<Vec<SessionId>>> {
    const CHANGE: &str = "UPDATE users SET password_hash = $3, password_changed = $4 \
        WHERE id = $1 AND password_hash = $2";
    const SESSIONS: &str = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2 RETURNING id";
    let gone: Option<Vec<String>> = in_transaction!(db, tx => {
        sqlx::query(settings::SET).bind(settings::SESSIONS_ENDED).bind(ended).execute(&mut *tx).await?;
        let query = sqlx::query(CHANGE).bind(user.as_str()).bind(from.as_str()).bind(to.as_str());
        let changed = query.bind(stored(now)).execute(&mut *tx).await?.rows_affected();
        if changed == 1 {
            for sql in [links::TAKE_BACK, "DELETE FROM oidc_grants WHERE user_id = $1"] {
                sqlx::query(sql).bind(user.as_str()).execute(&mut *tx).await?;
            }
            let query = sqlx::query_scalar(SESSIONS).bind(user.as_str()).bind(keep.as_str());
            Some(query.fetch_all(&mut *tx).await?)
        } else {
            None
        }
    });
    Ok(gone.map(|ids| ids.into_iter().map(SessionId::from).collect()))
}
