//! Invite links of rooms. With an invite go the grants of those who came by it.

use identity::{SecretHash, UnixMs, guest};
use protocol::{RoomId, UserId};

use super::{Db, Result, in_transaction, on, settings, stored};
use crate::principal::SessionId;

/// May have expired: that is the caller's to judge.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredInvite {
    pub id: String,
    #[sqlx(try_from = "String")]
    pub room_id: RoomId,
    #[sqlx(try_from = "String")]
    pub made_by: UserId,
    /// Name of who made it.
    pub by_name: String,
    #[sqlx(try_from = "i64")]
    pub created: UnixMs,
    #[sqlx(try_from = "i64")]
    pub expires: UnixMs,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.room_id, i.made_by, u.name AS by_name, i.created, i.expires \
             FROM room_invites i JOIN users u ON u.id = i.made_by ",
            $rest
        )
    };
}

#[derive(Debug)]
pub struct NewInvite<'a> {
    pub id: &'a str,
    pub secret: SecretHash,
    pub room: &'a RoomId,
    pub made_by: &'a UserId,
    pub created: UnixMs,
    pub expires: UnixMs,
}

/// `false` if the maker has `most` good ones for the room already.
pub async fn create(db: &Db, new: &NewInvite<'_>, most: u32) -> Result<bool> {
    const SQL: &str = "INSERT INTO room_invites (id, secret_hash, room_id, made_by, created, expires) \
        SELECT $1, $2, $3, $4, $5, $6 WHERE \
        (SELECT COUNT(*) FROM room_invites WHERE room_id = $3 AND made_by = $4 AND expires > $5) < $7";
    let made = on!(db, pool => {
        let query = sqlx::query(SQL).bind(new.id).bind(new.secret.to_hex()).bind(new.room.as_str());
        let query = query.bind(new.made_by.as_str()).bind(stored(new.created)).bind(stored(new.expires));
        query.bind(i64::from(most)).execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(made == 1)
}

pub async fn by_secret(db: &Db, secret: SecretHash) -> Result<Option<StoredInvite>> {
    const SQL: &str = select!("WHERE i.secret_hash = $1");
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(secret.to_hex()).fetch_optional(pool).await)?)
}

pub async fn by_id(db: &Db, id: &str) -> Result<Option<StoredInvite>> {
    const SQL: &str = select!("WHERE i.id = $1");
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?)
}

/// Those that are good at `now`, newest first.
pub async fn of_room(db: &Db, room: &RoomId, now: UnixMs) -> Result<Vec<StoredInvite>> {
    const SQL: &str =
        select!("WHERE i.room_id = $1 AND i.expires > $2 ORDER BY i.created DESC, i.id DESC");
    Ok(
        on!(db, pool => sqlx::query_as(SQL).bind(room.as_str()).bind(stored(now)).fetch_all(pool).await)?,
    )
}

/// Gives back the grants that go with it. `ended` tells other servers on the same database to look.
pub async fn remove(db: &Db, id: &str, ended: &str) -> Result<Vec<SessionId>> {
    let grants: Vec<String> = in_transaction!(db, tx => {
        let grants = sqlx::query_scalar("SELECT id FROM guest_grants WHERE invite_id = $1")
            .bind(id)
            .fetch_all(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM room_invites WHERE id = $1").bind(id).execute(&mut *tx).await?;
        sqlx::query(settings::SET).bind(settings::SESSIONS_ENDED).bind(ended).execute(&mut *tx).await?;
        grants
    });
    Ok(grants.into_iter().map(SessionId::from).collect())
}

/// Forgets what expired so long before `now` that nobody who came by it can be there any more: with it go its grants.
pub async fn remove_expired(db: &Db, now: UnixMs) -> Result<()> {
    const SQL: &str = "DELETE FROM room_invites WHERE expires <= $1";
    let long_ago = stored(now.saturating_sub(guest::LIFE_MS));
    on!(db, pool => sqlx::query(SQL).bind(long_ago).execute(pool).await.map(drop))?;
    Ok(())
}
