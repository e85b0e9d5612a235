//! Rooms: their names, their owners and who may enter.

use identity::{RoomName, UnixMs};
use protocol::{Access, RoomId, UserId};

use super::{Db, Result, in_transaction, on, stored};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRoom {
    pub id: RoomId,
    /// As its owner wrote it, without `public/`.
    pub name: String,
    pub access: Access,
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
    owner: Option<String>,
}

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
            owner: row.owner.map(UserId),
        }
    }
}

#[derive(Debug)]
pub struct NewRoom<'a> {
    pub id: RoomId,
    pub name: &'a RoomName,
    pub access: Access,
    pub owner: &'a UserId,
    pub created: UnixMs,
}

/// By folded name.
pub async fn by_name(db: &Db, name: &RoomName) -> Result<Option<StoredRoom>> {
    const SQL: &str = "SELECT id, name, open_to_guests, owner FROM rooms WHERE name_key = $1";
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(name.key()).fetch_optional(pool).await)?;
    Ok(row.map(StoredRoom::from))
}

pub async fn by_id(db: &Db, id: &RoomId) -> Result<Option<StoredRoom>> {
    const SQL: &str = "SELECT id, name, open_to_guests, owner FROM rooms WHERE id = $1";
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(pool).await)?;
    Ok(row.map(StoredRoom::from))
}

/// The room of this name, as it is, or made as described; `true` if it was made.
pub async fn find_or_create(db: &Db, new: NewRoom<'_>) -> Result<(StoredRoom, bool)> {
    const INSERT: &str = "INSERT INTO rooms (id, name, name_key, open_to_guests, owner, created) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name_key) DO NOTHING";
    const SELECT: &str = "SELECT id, name, open_to_guests, owner FROM rooms WHERE name_key = $1";
    let (row, made): (Row, bool) = in_transaction!(db, tx => {
        let made = sqlx::query(INSERT)
            .bind(new.id.as_str())
            .bind(new.name.as_str())
            .bind(new.name.key())
            .bind(new.access == Access::Guests)
            .bind(new.owner.as_str())
            .bind(stored(new.created))
            .execute(&mut *tx)
            .await?
            .rows_affected();
        (sqlx::query_as(SELECT).bind(new.name.key()).fetch_one(&mut *tx).await?, made == 1)
    });
    Ok((row.into(), made))
}

/// Opens, closes or renames; what is absent stays. `Taken` if another room has the new name, `None` if the room is gone.
pub async fn change(
    db: &Db,
    id: &RoomId,
    access: Option<Access>,
    name: Option<&RoomName>,
) -> Result<Option<StoredRoom>> {
    const SQL: &str = "UPDATE rooms SET open_to_guests = COALESCE($2, open_to_guests), name = COALESCE($3, name), \
        name_key = COALESCE($4, name_key) WHERE id = $1 RETURNING id, name, open_to_guests, owner";
    let open = access.map(|access| access == Access::Guests);
    let row: Option<Row> = on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(id.as_str()).bind(open);
        query.bind(name.map(RoomName::as_str)).bind(name.map(RoomName::key)).fetch_optional(pool).await
    })?;
    Ok(row.map(StoredRoom::from))
}
