//! Rooms seen from outside: their doors, making and changing them, and coming in without an account.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use identity::throttle::Network;
use identity::{DisplayName, RoomAddress, guest};
use protocol::http::{ChangeRoom, CreateRoom, Door, GuestEntry, GuestGrant, Ticket};
use protocol::{Access, ErrorCode, RoomKind, UserId};
use serde::Deserialize;

use super::State;
use super::caller::{Anybody, Caller, From, Member, SignedIn, signed_in};
use super::error::{ApiError, ApiResult};
use super::guard::JsonBody;
use super::invites;
use crate::app::App;
use crate::chance;
use crate::meetings;
use crate::principal::SessionId;
use crate::rooms::first_access;
use crate::store::guests::{self, NewGrant};
use crate::store::rooms::{self, Change, StoredRoom};
use crate::store::{members, visits};

#[derive(Deserialize, utoipa::IntoParams)]
pub struct AtDoor {
    /// The room's name, with `public/` before it or not.
    pub room: String,
}

#[utoipa::path(get, path = "/door", tag = "rooms", params(AtDoor), security((), ("session" = [])),
    responses((status = 200, description = "What stands at the door.", body = Door)))]
pub async fn door(
    app: State,
    Caller(caller): Caller,
    From(from): From,
    query: Result<Query<AtDoor>, QueryRejection>,
) -> ApiResult<Json<Door>> {
    let Query(AtDoor { room }) = query.map_err(|_| ErrorCode::Malformed)?;
    if caller.is_none() {
        app.gate.guest(from)?;
    }
    let address = RoomAddress::parse(&room)?;
    let found = rooms::by_name(&app.db, &address.name).await?;
    let reader = caller.as_ref().map(|caller| &caller.account.id);
    Ok(Json(match (found, reader) {
        (Some(room), Some(reader)) => member_door(&app, &room, reader).await?,
        (Some(room), None) => guest_door(open_room(&app, room)?),
        (None, None) if !app.settings.get().welcome().is_open_house() => {
            return Err(ErrorCode::GuestsNotAllowed.into());
        }
        (None, reader) => Door {
            name: address.name.as_str().to_owned(),
            access: first_access(&address, reader.is_some(), app.settings.get().welcome()),
            kind: RoomKind::Named,
            knock: false,
            exists: false,
            owner: reader.is_some(),
            member: false,
            known: false,
            people: reader.map(|_| 0),
        },
    }))
}

/// What somebody without an account sees of a room that they may enter.
pub fn guest_door(room: StoredRoom) -> Door {
    Door {
        name: room.name,
        access: room.access,
        kind: room.kind,
        knock: room.knock,
        exists: true,
        owner: false,
        member: false,
        known: false,
        people: None,
    }
}

/// A room that is not open and one that is not there look the same, but in an open house, where the latter can be made.
fn open_room(app: &App, room: StoredRoom) -> ApiResult<StoredRoom> {
    let welcome = app.settings.get().welcome();
    if welcome.may_enter(room.access == Access::Guests) {
        Ok(room)
    } else {
        Err(ErrorCode::GuestsNotAllowed.into())
    }
}

pub async fn member_door(app: &App, room: &StoredRoom, reader: &UserId) -> ApiResult<Door> {
    let owner = room.is_owned_by(reader);
    Ok(Door {
        name: room.name.clone(),
        access: room.access,
        kind: room.kind,
        knock: room.knock,
        exists: true,
        owner,
        member: !owner && members::is_member(&app.db, &room.id, reader).await?,
        known: owner || visits::has_visited(&app.db, reader, &room.id).await?,
        people: Some(app.rooms.people(&room.id)),
    })
}

#[utoipa::path(post, path = "/rooms", tag = "rooms", request_body = CreateRoom, security((), ("session" = [])),
    responses((status = 200, description = "Its door. Without a session in an open house only.", body = Door)))]
pub async fn create(
    app: State,
    RoomMaker(caller): RoomMaker,
    From(from): From,
    JsonBody(body): JsonBody<CreateRoom>,
) -> ApiResult<Json<Door>> {
    let Some(caller) = caller else {
        app.gate.guest(from)?;
        let address = RoomAddress::parse(&body.name)?;
        return Ok(Json(guest_door(room_for_all(&app, from, &address).await?)));
    };
    let address = RoomAddress::parse(&body.name)?;
    let user = &caller.account.id;
    let room = app.rooms.find_or_make(&address, Some(user)).await?;
    let room = room.ok_or(ErrorCode::TooMany)?;
    Ok(Json(member_door(&app, &room, user).await?))
}

/// Somebody with an account, or in an open house anybody. Others are refused before their body is read.
pub struct RoomMaker(Option<SignedIn>);

impl FromRequestParts<super::Shared> for RoomMaker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &super::Shared) -> ApiResult<Self> {
        let caller = signed_in(app, &parts.headers).await?;
        if caller.is_none() && !app.settings.get().welcome().is_open_house() {
            return Err(ErrorCode::SignInRequired.into());
        }
        Ok(Self(caller))
    }
}

/// A room that somebody without an account may enter. In an open house it is made if it is not there yet.
async fn room_for_all(app: &App, from: Network, address: &RoomAddress) -> ApiResult<StoredRoom> {
    if let Some(room) = rooms::by_name(&app.db, &address.name).await? {
        return open_room(app, room);
    }
    if !app.settings.get().welcome().is_open_house() {
        return Err(ErrorCode::GuestsNotAllowed.into());
    }
    app.gate.new_room(from)?;
    let room = app.rooms.find_or_make(address, None).await?;
    open_room(app, room.ok_or(ErrorCode::TooMany)?)
}

#[utoipa::path(patch, path = "/rooms", tag = "rooms", request_body = ChangeRoom, security(("session" = [])),
    responses((status = 200, description = "Its door. Owner only.", body = Door)))]
pub async fn change(
    app: State,
    Member(caller): Member,
    JsonBody(body): JsonBody<ChangeRoom>,
) -> ApiResult<Json<Door>> {
    let room = own_room(&app, &body.name, &caller.account.id).await?;
    let new_name = body
        .new_name
        .as_deref()
        .map(RoomAddress::parse)
        .transpose()?
        .map(|address| address.name);
    if body.access == Some(Access::Guests) && !app.settings.get().welcome().may_enter(true) {
        return Err(ErrorCode::Forbidden.into());
    }
    let change = Change {
        access: body.access,
        knock: body.knock,
        name: new_name.as_ref(),
    };
    let changed = rooms::change(&app.db, &room.id, &change)
        .await?
        .ok_or(ErrorCode::NotFound)?;
    tracing::info!(room = %changed.id, user = %caller.account.id, "a room was changed");
    app.rooms.room_changed(&changed).await;
    if changed.name.to_lowercase() != room.name.to_lowercase() {
        meetings::room_renamed(&app, &room.id, &caller.account.id).await?;
    }
    Ok(Json(member_door(&app, &changed, &caller.account.id).await?))
}

#[utoipa::path(delete, path = "/rooms", tag = "rooms", params(AtDoor), security(("session" = [])),
    responses((status = 204, description = "Gone; who was inside is told. Owner only.")))]
pub async fn delete(
    app: State,
    Member(caller): Member,
    query: Result<Query<AtDoor>, QueryRejection>,
) -> ApiResult<StatusCode> {
    let Query(AtDoor { room }) = query.map_err(|_| ErrorCode::Malformed)?;
    let room = own_room(&app, &room, &caller.account.id).await?;
    let planned = meetings::in_room(&app, &room.id).await?;
    let grants = rooms::remove(&app.db, &room.id).await?;
    let grants = grants.ok_or(ErrorCode::NotFound)?;
    meetings::are_gone(&app, planned);
    tracing::info!(room = %room.id, user = %caller.account.id, "a room was deleted");
    app.rooms.room_deleted(&room.id).await;
    for grant in &grants {
        app.rooms.end_session(grant).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The room of this name, for whoever owns it.
pub async fn own_room(app: &App, name: &str, reader: &UserId) -> ApiResult<StoredRoom> {
    let room = room_of_name(app, name).await?;
    match room.is_owned_by(reader) {
        true => Ok(room),
        false => Err(ErrorCode::NotOwner.into()),
    }
}

pub async fn room_of_name(app: &App, name: &str) -> ApiResult<StoredRoom> {
    let name = RoomAddress::parse(name)?.name;
    let room = rooms::by_name(&app.db, &name).await?;
    Ok(room.ok_or(ErrorCode::NotFound)?)
}

#[utoipa::path(post, path = "/guests", tag = "rooms", request_body = GuestEntry, security(()),
    responses((status = 200, description = "A grant for this one room.", body = GuestGrant)))]
pub async fn let_guest_in(
    app: State,
    From(from): From,
    JsonBody(entry): JsonBody<GuestEntry>,
) -> ApiResult<Json<GuestGrant>> {
    app.gate.guest(from)?;
    let name = DisplayName::parse(&entry.name)?;
    let (room, invite) = match &entry.invite {
        Some(token) => {
            let invite = invites::good_invite(&app, token).await?;
            (invite.room_id.clone(), Some(invite))
        }
        None => {
            let address = RoomAddress::parse(&entry.room)?;
            (room_for_all(&app, from, &address).await?.id, None)
        }
    };
    let (secret, id, now) = (
        chance::secret(),
        SessionId::from(chance::id()),
        chance::unix_ms(),
    );
    let new = NewGrant {
        id: &id,
        secret: secret.hash(),
        room: &room,
        name: &name,
        invite: invite.as_ref().map(|invite| invite.id.as_str()),
        created: now,
    };
    if !guests::create(&app.db, &new).await? {
        return Err(ErrorCode::LinkInvalid.into());
    }
    tracing::info!(grant = %id, %room, invited = invite.is_some(), "a guest was given a grant");
    let expires = guest::expires(now);
    Ok(Json(GuestGrant {
        grant: secret.expose().to_owned(),
        name: name.into_string(),
        expires_in_ms: u32::try_from(expires.saturating_sub(now)).unwrap_or(u32::MAX),
    }))
}

#[utoipa::path(post, path = "/tickets", tag = "rooms", security(("session" = []), ("grant" = [])),
    responses((status = 200, description = "Opens one WebSocket, within 30 s.", body = Ticket)))]
pub async fn ticket(app: State, Anybody(principal): Anybody) -> ApiResult<Json<Ticket>> {
    if app.readiness.is_stopping() {
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
