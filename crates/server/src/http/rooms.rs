//! Rooms seen from outside: their doors, making and changing them, and coming in without an account.

use axum::Json;
use axum::extract::Query;
use identity::{DisplayName, RoomAddress, guest};
use protocol::http::{ChangeRoom, CreateRoom, Door, GuestEntry, GuestGrant, Ticket};
use protocol::{Access, ErrorCode, UserId, limits};
use serde::Deserialize;

use super::State;
use super::caller::{Anybody, Caller, From, Member};
use super::error::{ApiError, ApiResult};
use super::guard::JsonBody;
use crate::app::App;
use crate::chance;
use crate::principal::SessionId;
use crate::store::rooms::{self, NewRoom, StoredRoom};
use crate::store::{guests, visits};

#[derive(Deserialize)]
pub struct AtDoor {
    room: String,
}

pub async fn door(
    app: State,
    Caller(caller): Caller,
    From(from): From,
    query: Result<Query<AtDoor>, axum::extract::rejection::QueryRejection>,
) -> ApiResult<Json<Door>> {
    let Query(AtDoor { room }) = query.map_err(|_| ErrorCode::Malformed)?;
    if caller.is_none() {
        app.gate.guest(from)?;
    }
    let address = RoomAddress::parse(&room)?;
    let found = rooms::by_name(&app.db, &address.name).await?;
    let Some(caller) = caller else {
        return Ok(Json(open_door(&app, found)?));
    };
    Ok(Json(match found {
        Some(room) => member_door(&app, &room, &caller.account.id).await?,
        None => Door {
            name: address.name.as_str().to_owned(),
            access: first_access(&app, &address),
            exists: false,
            owner: true,
            known: false,
            people: Some(0),
        },
    }))
}

/// What somebody without an account sees. A room that is not open and one that is not there look the same.
fn open_door(app: &App, found: Option<StoredRoom>) -> ApiResult<Door> {
    let room = open_room(app, found)?;
    Ok(Door {
        name: room.name,
        access: room.access,
        exists: true,
        owner: false,
        known: false,
        people: None,
    })
}

fn open_room(app: &App, found: Option<StoredRoom>) -> ApiResult<StoredRoom> {
    let open = |room: &StoredRoom| {
        guest::may_enter(app.settings.get().guests, room.access == Access::Guests)
    };
    found.filter(open).ok_or(ErrorCode::GuestsNotAllowed.into())
}

async fn member_door(app: &App, room: &StoredRoom, reader: &UserId) -> ApiResult<Door> {
    let owner = room.is_owned_by(reader);
    Ok(Door {
        name: room.name.clone(),
        access: room.access,
        exists: true,
        owner,
        known: owner || visits::has_visited(&app.db, reader, &room.id).await?,
        people: Some(app.rooms.people(&room.id)),
    })
}

/// Who may enter a room that is made under this address.
pub fn first_access(app: &App, address: &RoomAddress) -> Access {
    if guest::may_enter(app.settings.get().guests, address.open) {
        Access::Guests
    } else {
        Access::Accounts
    }
}

pub async fn create(
    app: State,
    Member(caller): Member,
    JsonBody(body): JsonBody<CreateRoom>,
) -> ApiResult<Json<Door>> {
    let address = RoomAddress::parse(&body.name)?;
    let new = NewRoom {
        id: chance::id().into(),
        name: &address.name,
        access: first_access(&app, &address),
        owner: &caller.account.id,
        created: chance::unix_ms(),
    };
    let (room, made) = rooms::find_or_create(&app.db, new).await?;
    if made {
        tracing::info!(room = %room.id, user = %caller.account.id, "a room was made");
        app.rooms.room_changed(&room).await;
    }
    Ok(Json(member_door(&app, &room, &caller.account.id).await?))
}

pub async fn change(
    app: State,
    Member(caller): Member,
    JsonBody(body): JsonBody<ChangeRoom>,
) -> ApiResult<Json<Door>> {
    let name = RoomAddress::parse(&body.name)?.name;
    let new_name = body
        .new_name
        .as_deref()
        .map(RoomAddress::parse)
        .transpose()?
        .map(|address| address.name);
    let room = rooms::by_name(&app.db, &name)
        .await?
        .ok_or(ErrorCode::NotFound)?;
    if !room.is_owned_by(&caller.account.id) {
        return Err(ErrorCode::NotOwner.into());
    }
    if body.access == Some(Access::Guests) && !app.settings.get().guests {
        return Err(ErrorCode::Forbidden.into());
    }
    let changed = rooms::change(&app.db, &room.id, body.access, new_name.as_ref())
        .await?
        .ok_or(ErrorCode::NotFound)?;
    tracing::info!(room = %changed.id, user = %caller.account.id, "a room was changed");
    app.rooms.room_changed(&changed).await;
    Ok(Json(member_door(&app, &changed, &caller.account.id).await?))
}

pub async fn let_guest_in(
    app: State,
    From(from): From,
    JsonBody(entry): JsonBody<GuestEntry>,
) -> ApiResult<Json<GuestGrant>> {
    app.gate.guest(from)?;
    let address = RoomAddress::parse(&entry.room)?;
    let name = DisplayName::parse(&entry.name)?;
    let room = open_room(&app, rooms::by_name(&app.db, &address.name).await?)?;
    let secret = chance::secret();
    let id = SessionId::from(chance::id());
    guests::create(
        &app.db,
        &id,
        secret.hash(),
        &room.id,
        &name,
        chance::unix_ms(),
    )
    .await?;
    tracing::info!(grant = %id, room = %room.id, "a guest was given a grant");
    Ok(Json(GuestGrant {
        grant: secret.expose().to_owned(),
        name: name.into_string(),
        expires_in_ms: u32::try_from(limits::GUEST_GRANT_MS).unwrap_or(u32::MAX),
    }))
}

pub async fn ticket(app: State, Anybody(principal): Anybody) -> ApiResult<Json<Ticket>> {
    if app.readiness.is_draining() {
        return Err(ApiError::retry(
            ErrorCode::Unavailable,
            std::time::Duration::from_secs(1),
        ));
    }
    let ticket = app.tickets.issue(std::time::Instant::now(), principal);
    let ticket = ticket.ok_or_else(|| {
        ApiError::retry(ErrorCode::Unavailable, std::time::Duration::from_secs(5))
    })?;
    Ok(Json(Ticket {
        ticket: ticket.expose().to_owned(),
    }))
}
