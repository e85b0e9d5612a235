//! What the house keeps for itself: the set-up link while nobody has an account, and the certificate of its media.

use identity::Secret;

use super::{Db, Result, in_transaction, on};
use crate::settings::Chosen;

/// Stored readable, unlike every other secret: it is printed again at each start, it is worth nothing once there is an
/// account, and whoever reads the database while there is none finds nothing else in it.
pub(super) const SETUP_LINK: &str = "setup_link";
/// DER in base64, certificate and private key separated by a space.
pub const DTLS_IDENTITY: &str = "dtls_identity";
/// Another value whenever sessions were ended: other processes look. Written before anything else of its transaction, so
/// that those who end sessions take turns and never wait for each other.
pub const SESSIONS_ENDED: &str = "sessions_ended";
/// JSON: what was chosen in the browser.
const CHOSEN: &str = "chosen";
/// The private key that push services know the house by, sealed.
pub const PUSH_KEY: &str = "push_key";
/// Under which address the server ran last.
pub const ADDRESS: &str = "address";

pub async fn get(db: &Db, key: &str) -> Result<Option<String>> {
    const SQL: &str = "SELECT value FROM settings WHERE key = $1";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(key).fetch_optional(pool).await)?)
}

pub(super) const SET: &str = "INSERT INTO settings (key, value) VALUES ($1, $2) \
    ON CONFLICT (key) DO UPDATE SET value = excluded.value";

pub async fn set(db: &Db, key: &str, value: &str) -> Result<()> {
    on!(db, pool => sqlx::query(SET).bind(key).bind(value).execute(pool).await.map(drop))?;
    Ok(())
}

/// Nobody else writes the value until the transaction that does this is over.
const GET_OR_SET: &str = "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE \
    SET value = settings.value RETURNING value";

/// Writes the value unless there is one, and gives back the one that stands.
pub async fn get_or_set(db: &Db, key: &str, value: &str) -> Result<String> {
    Ok(on!(db, pool => sqlx::query_scalar(GET_OR_SET).bind(key).bind(value).fetch_one(pool).await)?)
}

/// What administrators chose in the browser. What cannot be read any more counts as untouched.
pub async fn chosen(db: &Db) -> Result<Chosen> {
    let text = get(db, CHOSEN).await?;
    Ok(text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

/// Changes what was chosen, and nobody else in between; gives what it is then.
pub async fn choose(db: &Db, change: impl FnOnce(&mut Chosen)) -> Result<Chosen> {
    let chosen = in_transaction!(db, tx => {
        let text: String = sqlx::query_scalar(GET_OR_SET).bind(CHOSEN).bind("{}").fetch_one(&mut *tx).await?;
        let mut chosen = serde_json::from_str(&text).unwrap_or_default();
        change(&mut chosen);
        let text = serde_json::to_string(&chosen).unwrap_or_default();
        sqlx::query(SET).bind(CHOSEN).bind(text).execute(&mut *tx).await?;
        chosen
    });
    Ok(chosen)
}

/// The set-up link that is valid; `fresh` becomes it if there is none. `None` once there is an administrator.
pub async fn setup_link(db: &Db, fresh: &Secret) -> Result<Option<Secret>> {
    const SQL: &str = "INSERT INTO settings (key, value) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM users WHERE admin) \
        ON CONFLICT (key) DO UPDATE SET value = settings.value RETURNING value";
    let value: Option<String> = on!(db, pool => {
        sqlx::query_scalar(SQL).bind(SETUP_LINK).bind(fresh.expose()).fetch_optional(pool).await
    })?;
    Ok(value.and_then(|value| Secret::parse(&value)))
}

/// Whether this is the set-up link that is valid now. Only `create_first` uses it up.
pub async fn is_setup_link(db: &Db, link: &Secret) -> Result<bool> {
    let valid = get(db, SETUP_LINK).await?;
    Ok(valid
        .and_then(|value| Secret::parse(&value))
        .is_some_and(|valid| valid.is(link)))
}
