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
    /// It came by an invite, and goes with it.
    pub invited: bool,
}

#[derive(Debug)]
pub struct NewGrant<'a> {
    pub id: &'a SessionId,
    pub secret: SecretHash,
    pub room: &'a RoomId,
    pub name: &'a DisplayName,
    /// The id of the invite that somebody came by.
    pub invite: Option<&'a str>,
    pub created: UnixMs,
}

/// `false` if the invite is gone.
pub async fn create(db: &Db, new: &NewGrant<'_>) -> Result<bool> {
    const SQL: &str = "INSERT INTO guest_grants (id, secret_hash, room_id, name, created, invite_id) \
        SELECT $1, $2, $3, $4, $5, $6 WHERE $6 IS NULL OR EXISTS (SELECT 1 FROM room_invites WHERE id = $6)";
    let made = on!(db, pool => {
        let query = sqlx::query(SQL).bind(new.id.as_str()).bind(new.secret.to_hex()).bind(new.room.as_str());
        let query = query.bind(new.name.as_str()).bind(stored(new.created)).bind(new.invite);
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(made == 1)
}

pub async fn by_secret(db: &Db, secret: SecretHash) -> Result<Option<StoredGrant>> {
    const SQL: &str = "SELECT id, room_id, name, created, invite_id IS NOT NULL AS invited FROM guest_grants \
        WHERE secret_hash = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(secret.to_hex()).fetch_optional(pool).await)?)
}

/// Forgets what has expired by `now`, and with it the guests' names.
pub async fn remove_expired(db: &Db, now: UnixMs) -> Result<()> {
    let created = stored(now.saturating_sub(guest::LIFE_MS));
    on!(db, pool => sqlx::query("DELETE FROM guest_grants WHERE created <= $1").bind(created).execute(pool).await.map(drop))?;
    Ok(())
}
