//! Rooms: their names, their owners and who may enter.

use identity::{RoomName, UnixMs};
use protocol::{Access, RoomId, RoomKind, UserId};

use super::{Db, Result, in_transaction, on, stored};
use crate::principal::SessionId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRoom {
    pub id: RoomId,
    /// As its owner wrote it, without `public/`.
    pub name: String,
    pub access: Access,
    pub kind: RoomKind,
    /// Who is neither owner nor member knocks.
    pub knock: bool,
    pub owner: Option<UserId>,
}

impl StoredRoom {
    pub fn is_owned_by(&self, user: &UserId) -> bool {
        self.owner.as_ref() == Some(user)
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: String,
    name: String,
    open_to_guests: bool,
    kind: String,
    knock: bool,
    owner: Option<String>,
}

/// What a [`Row`] is read from.
macro_rules! columns {
    () => {
        "id, name, open_to_guests, kind, knock, owner"
    };
}

const PERSONAL: &str = "personal";
pub(super) const CALL: &str = "call";

impl From<Row> for StoredRoom {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.into(),
            name: row.name,
            access: if row.open_to_guests {
                Access::Guests
            } else {
                Access::Accounts
            },
            kind: match row.kind.as_str() {
                CALL => RoomKind::Call,
                PERSONAL => RoomKind::Personal,
                _ => RoomKind::Named,
            },
            knock: row.knock,
            owner: row.owner.map(UserId),
        }
    }
}

#[derive(Debug)]
pub struct NewRoom<'a> {
    pub id: RoomId,
    pub name: &'a RoomName,
    pub access: Access,
    pub owner: Option<Owner<'a>>,
    pub created: UnixMs,
}

#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    pub user: &'a UserId,
    /// With so many rooms they get no other.
    pub most_rooms: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundOrMade {
    Found(StoredRoom),
    Made(StoredRoom),
    /// It is not there, and whoever would own it has as many as one may have.
    TooMany,
}

/// By folded name.
pub async fn by_name(db: &Db, name: &RoomName) -> Result<Option<StoredRoom>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM rooms WHERE name_key = $1");
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(name.key()).fetch_optional(pool).await)?;
    Ok(row.map(StoredRoom::from))
}

pub async fn by_id(db: &Db, id: &RoomId) -> Result<Option<StoredRoom>> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM rooms WHERE id = $1");
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(pool).await)?;
    Ok(row.map(StoredRoom::from))
}

/// The room of this name, as it is, or made as described.
pub async fn find_or_create(db: &Db, new: &NewRoom<'_>) -> Result<FoundOrMade> {
    const INSERT: &str = "INSERT INTO rooms (id, name, name_key, open_to_guests, owner, created, used) \
        SELECT $1, $2, $3, $4, $5, $6, $7 \
        WHERE $5 IS NULL OR (SELECT COUNT(*) FROM rooms WHERE owner = $5) < $8 ON CONFLICT (name_key) DO NOTHING";
    const SELECT: &str = concat!("SELECT ", columns!(), " FROM rooms WHERE name_key = $1");
    let owner = new.owner.map(|owner| owner.user.as_str());
    let used = new.owner.is_none().then(|| stored(new.created));
    let most = i64::from(new.owner.map_or(0, |owner| owner.most_rooms));
    let (row, made): (Option<Row>, bool) = in_transaction!(db, tx => {
        let made = sqlx::query(INSERT)
            .bind(new.id.as_str())
            .bind(new.name.as_str())
            .bind(new.name.key())
            .bind(new.access == Access::Guests)
            .bind(owner)
            .bind(stored(new.created))
            .bind(used)
            .bind(most)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        (sqlx::query_as(SELECT).bind(new.name.key()).fetch_optional(&mut *tx).await?, made == 1)
    });
    Ok(match (row.map(StoredRoom::from), made) {
        (Some(room), true) => FoundOrMade::Made(room),
        (Some(room), false) => FoundOrMade::Found(room),
        (None, _) => FoundOrMade::TooMany,
    })
}

/// Somebody came into a room that was made without an owner. Of other rooms nothing is noted.
pub async fn use_ownerless(db: &Db, id: &RoomId, now: UnixMs) -> Result<()> {
    const SQL: &str = "UPDATE rooms SET used = $2 WHERE id = $1 AND used IS NOT NULL";
    on!(db, pool => sqlx::query(SQL).bind(id.as_str()).bind(stored(now)).execute(pool).await.map(drop))?;
    Ok(())
}

/// Forgets rooms that were made without an owner and last used at `before` or earlier, with nobody in them, no invite
/// to them that is good at `now` and no meeting planned in them. Gives back those rooms, and the guests' grants that went with them.
pub async fn remove_unused(
    db: &Db,
    now: UnixMs,
    before: UnixMs,
) -> Result<(Vec<StoredRoom>, Vec<SessionId>)> {
    const SIT: &str = "UPDATE rooms SET used = $1 WHERE used IS NOT NULL \
        AND EXISTS (SELECT 1 FROM seats WHERE seats.room_id = rooms.id)";
    macro_rules! unused {
        () => {
            " WHERE r.used <= $1 AND NOT EXISTS (SELECT 1 FROM room_invites i WHERE i.room_id = r.id AND i.expires > $2) \
             AND NOT EXISTS (SELECT 1 FROM meetings m WHERE m.room_id = r.id AND m.ends > $2)"
        };
    }
    const GRANTS: &str = concat!(
        "SELECT g.id FROM guest_grants g JOIN rooms r ON r.id = g.room_id",
        unused!()
    );
    const DELETE: &str = concat!(
        "DELETE FROM rooms AS r",
        unused!(),
        " RETURNING ",
        columns!()
    );
    let (now, before) = (stored(now), stored(before));
    let (rows, grants): (Vec<Row>, Vec<String>) = in_transaction!(db, tx => {
        sqlx::query(SIT).bind(now).execute(&mut *tx).await?;
        let grants = sqlx::query_scalar(GRANTS).bind(before).bind(now).fetch_all(&mut *tx).await?;
        (sqlx::query_as(DELETE).bind(before).bind(now).fetch_all(&mut *tx).await?, grants)
    });
    Ok((
        rows.into_iter().map(StoredRoom::from).collect(),
        grants.into_iter().map(SessionId::from).collect(),
    ))
}

pub async fn personal(db: &Db, user: &UserId) -> Result<Option<StoredRoom>> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM rooms WHERE owner = $1 AND kind = $2"
    );
    let row: Option<Row> = on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(user.as_str()).bind(PERSONAL);
        query.fetch_optional(pool).await
    })?;
    Ok(row.map(StoredRoom::from))
}

/// For accounts, and others than the owner knock. False if there is a room of this name, or they have a personal one.
pub async fn create_personal(
    db: &Db,
    id: &RoomId,
    name: &RoomName,
    user: &UserId,
    now: UnixMs,
) -> Result<bool> {
    const SQL: &str = "INSERT INTO rooms (id, name, name_key, open_to_guests, kind, knock, owner, created) \
        VALUES ($1, $2, $3, FALSE, $4, TRUE, $5, $6) ON CONFLICT DO NOTHING";
    let made = on!(db, pool => {
        let query = sqlx::query(SQL).bind(id.as_str()).bind(name.as_str()).bind(name.key());
        let query = query.bind(PERSONAL).bind(user.as_str()).bind(stored(now));
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(made == 1)
}

/// The room and all that hangs on it. Gives the guests' grants that went with it; `None` if it was gone.
pub async fn remove(db: &Db, id: &RoomId) -> Result<Option<Vec<SessionId>>> {
    const GRANTS: &str = "SELECT id FROM guest_grants WHERE room_id = $1";
    const DELETE: &str = "DELETE FROM rooms WHERE id = $1";
    let (grants, gone): (Vec<String>, u64) = in_transaction!(db, tx => {
        let grants = sqlx::query_scalar(GRANTS).bind(id.as_str()).fetch_all(&mut *tx).await?;
        let done = sqlx::query(DELETE).bind(id.as_str()).execute(&mut *tx).await?;
        (grants, done.rows_affected())
    });
    Ok((gone == 1).then(|| grants.into_iter().map(SessionId::from).collect()))
}

/// What is absent stays.
#[derive(Debug, Default)]
pub struct Change<'a> {
    pub access: Option<Access>,
    pub knock: Option<bool>,
    pub name: Option<&'a RoomName>,
}

/// `Taken` if another room has the new name, `None` if the room is gone or is a call's.
pub async fn change(db: &Db, id: &RoomId, change: &Change<'_>) -> Result<Option<StoredRoom>> {
    const SQL: &str = concat!(
        "UPDATE rooms SET open_to_guests = COALESCE($2, open_to_guests), knock = COALESCE($3, knock), ",
        "name = COALESCE($4, name), name_key = COALESCE($5, name_key) WHERE id = $1 AND kind <> $6 RETURNING ",
        columns!()
    );
    let open = change.access.map(|access| access == Access::Guests);
    let row: Option<Row> = on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(id.as_str()).bind(open).bind(change.knock);
        let query = query.bind(change.name.map(RoomName::as_str)).bind(change.name.map(RoomName::key));
        query.bind(CALL).fetch_optional(pool).await
    })?;
    Ok(row.map(StoredRoom::from))
}
