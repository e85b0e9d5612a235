//! The provider's keys: public halves readable, private ones only as the caller has sealed them.

use identity::UnixMs;

use super::{Db, Result, on, stored};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredKey {
    pub kid: String,
    pub algorithm: String,
    /// A JWK.
    pub public_key: String,
    pub sealed_private_key: String,
    #[sqlx(try_from = "i64")]
    pub signs_from: UnixMs,
}

pub async fn all(db: &Db) -> Result<Vec<StoredKey>> {
    const SQL: &str = "SELECT kid, algorithm, public_key, sealed_private_key, signs_from FROM oidc_keys \
        ORDER BY signs_from, kid";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

pub async fn add(db: &Db, key: &StoredKey) -> Result<()> {
    const SQL: &str = "INSERT INTO oidc_keys (kid, algorithm, public_key, sealed_private_key, signs_from) \
        VALUES ($1, $2, $3, $4, $5)";
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(&key.kid).bind(&key.algorithm).bind(&key.public_key);
        query.bind(&key.sealed_private_key).bind(stored(key.signs_from)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

pub async fn forget(db: &Db, kid: &str) -> Result<()> {
    on!(db, pool => sqlx::query("DELETE FROM oidc_keys WHERE kid = $1").bind(kid).execute(pool).await.map(drop))?;
    Ok(())
}
