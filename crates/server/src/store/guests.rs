//! Guests' grants.

use identity::{DisplayName, SecretHash, UnixMs, guest};
use protocol::RoomId;

use super::{Db, Result, on, stored};
use crate::principal::SessionId;

/// May have expired: that is the caller's to judge.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredGrant {
    #[sqlx(try_from = "String")]
    pub id: SessionId,
    #[sqlx(try_from = "String")]
    pub room_id: RoomId,
    pub name: String,
    #[sqlx(try_from = "i64")]
    pub created: UnixMs,
}

pub async fn create(
    db: &Db,
    id: &SessionId,
    secret: SecretHash,
    room: &RoomId,
    name: &DisplayName,
    created: UnixMs,
) -> Result<()> {
    const SQL: &str = "INSERT INTO guest_grants (id, secret_hash, room_id, name, created) VALUES ($1, $2, $3, $4, $5)";
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(id.as_str()).bind(secret.to_hex()).bind(room.as_str());
        query.bind(name.as_str()).bind(stored(created)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

pub async fn by_secret(db: &Db, secret: SecretHash) -> Result<Option<StoredGrant>> {
    const SQL: &str = "SELECT id, room_id, name, created FROM guest_grants WHERE secret_hash = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(secret.to_hex()).fetch_optional(pool).await)?)
}

/// Forgets what has expired by `now`, and with it the guests' names.
pub async fn remove_expired(db: &Db, now: UnixMs) -> Result<()> {
    let created = stored(now.saturating_sub(guest::LIFE_MS));
    on!(db, pool => sqlx::query("DELETE FROM guest_grants WHERE created <= $1").bind(created).execute(pool).await.map(drop))?;
    Ok(())
}
