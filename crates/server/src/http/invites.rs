//! Invite links: made, listed and taken back by people of the house, opened by whoever holds one. The secret of a link comes
//! in bodies only, never in an address.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use identity::{RoomAddress, Secret, guest};
use protocol::ErrorCode;
use protocol::http::Door;
use protocol::http::rooms::{CreateInvite, NewInvite, OpenInvite, RoomInvite, RoomInvites};
use serde::Deserialize;

use super::State;
use super::caller::{Caller, From, Member};
use super::error::ApiResult;
use super::guard::JsonBody;
use super::rooms::{guest_door, member_door};
use crate::app::App;
use crate::store::invites::{self, StoredInvite};
use crate::store::rooms;
use crate::{chance, sign_ins};

#[derive(Deserialize, utoipa::IntoParams)]
pub struct OfRoom {
    /// The room's name.
    room: String,
}

#[utoipa::path(post, path = "/rooms/invites", tag = "rooms", request_body = CreateInvite, security(("session" = [])),
    responses((status = 200, description = "With the link's secret, told this once. For whoever owns the room or has been inside.", body = NewInvite)))]
pub async fn create(
    app: State,
    Member(caller): Member,
    JsonBody(body): JsonBody<CreateInvite>,
) -> ApiResult<Json<NewInvite>> {
    let address = RoomAddress::parse(&body.room)?;
    let now = chance::unix_ms();
    let expires = guest::invite_expires(now, body.life_ms).ok_or(ErrorCode::Malformed)?;
    let room = rooms::by_name(&app.db, &address.name).await?;
    let room = room.ok_or(ErrorCode::NotFound)?;
    let door = member_door(&app, &room, &caller.account.id).await?;
    let welcome = app.settings.get().welcome();
    if !welcome.takes_invites() || !guest::may_invite(door.owner, door.known) {
        return Err(ErrorCode::Forbidden.into());
    }
    let (id, secret) = (chance::id(), chance::secret());
    let new = invites::NewInvite {
        id: &id,
        secret: secret.hash(),
        room: &room.id,
        made_by: &caller.account.id,
        created: now,
        expires,
    };
    if !invites::create(&app.db, &new, guest::INVITES_EACH).await? {
        return Err(ErrorCode::TooMany.into());
    }
    tracing::info!(invite = %id, room = %room.id, user = %caller.account.id, "an invite was made");
    Ok(Json(NewInvite {
        token: secret.expose().to_owned(),
        invite: RoomInvite {
            id,
            by: caller.account.name,
            created_ms: now,
            expires_ms: expires,
        },
    }))
}

#[utoipa::path(get, path = "/rooms/invites", tag = "rooms", params(OfRoom), security(("session" = [])),
    responses((status = 200, description = "Own ones, and all of them for the owner of the room; newest first.", body = RoomInvites)))]
pub async fn list(
    app: State,
    Member(caller): Member,
    query: Result<Query<OfRoom>, QueryRejection>,
) -> ApiResult<Json<RoomInvites>> {
    let Query(OfRoom { room }) = query.map_err(|_| ErrorCode::Malformed)?;
    let address = RoomAddress::parse(&room)?;
    let reader = &caller.account.id;
    let invites = match rooms::by_name(&app.db, &address.name).await? {
        Some(room) => {
            let owner = room.is_owned_by(reader);
            let all = invites::of_room(&app.db, &room.id, chance::unix_ms()).await?;
            all.into_iter()
                .filter(|invite| guest::may_take_back(owner, invite.made_by == *reader))
                .collect()
        }
        None => Vec::new(),
    };
    Ok(Json(RoomInvites {
        invites: invites.into_iter().map(shown).collect(),
    }))
}

/// Whoever came in by it has to leave.
#[utoipa::path(delete, path = "/rooms/invites/{id}", tag = "rooms", params(("id" = String, Path)), security(("session" = [])),
    responses((status = 204, description = "Taken back. Whoever came in by it has to leave.")))]
pub async fn take_back(
    app: State,
    Member(caller): Member,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let reader = &caller.account.id;
    let invite = invites::by_id(&app.db, &id).await?;
    let invite = invite.ok_or(ErrorCode::NotFound)?;
    let room = rooms::by_id(&app.db, &invite.room_id).await?;
    let owner = room.is_some_and(|room| room.is_owned_by(reader));
    if !guest::may_take_back(owner, invite.made_by == *reader) {
        return Err(ErrorCode::NotFound.into());
    }
    for grant in invites::remove(&app.db, &id, &chance::id()).await? {
        sign_ins::close(&app, &grant).await;
    }
    tracing::info!(invite = %id, user = %reader, "an invite was taken back");
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/invites/open", tag = "rooms", request_body = OpenInvite, security((), ("session" = [])),
    responses((status = 200, description = "The door of its room.", body = Door)))]
pub async fn open(
    app: State,
    Caller(caller): Caller,
    From(from): From,
    JsonBody(body): JsonBody<OpenInvite>,
) -> ApiResult<Json<Door>> {
    app.gate.guest(from)?;
    let invite = good_invite(&app, &body.token).await?;
    let room = rooms::by_id(&app.db, &invite.room_id).await?;
    let room = room.ok_or(ErrorCode::LinkInvalid)?;
    Ok(Json(match caller {
        Some(caller) => member_door(&app, &room, &caller.account.id).await?,
        None => guest_door(room),
    }))
}

/// Unknown, taken back, expired, or of a house that takes no guests: nobody is told which.
pub async fn good_invite(app: &App, token: &str) -> ApiResult<StoredInvite> {
    let found = match Secret::parse(token) {
        Some(secret) => invites::by_secret(&app.db, secret.hash()).await?,
        None => None,
    };
    let welcome = app.settings.get().welcome();
    found
        .filter(|invite| welcome.takes_invites() && chance::unix_ms() < invite.expires)
        .ok_or(ErrorCode::LinkInvalid.into())
}

fn shown(invite: StoredInvite) -> RoomInvite {
    RoomInvite {
        id: invite.id,
        by: invite.by_name,
        created_ms: invite.created,
        expires_ms: invite.expires,
    }
}
