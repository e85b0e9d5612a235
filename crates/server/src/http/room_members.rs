//! Who comes into a room without knocking: the owner's list.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use identity::room;
use protocol::http::people::Person;
use protocol::http::rooms::{AddMember, RoomMembers};
use protocol::{ErrorCode, RoomId, UserId};
use serde::Deserialize;

use super::State;
use super::caller::Member;
use super::error::ApiResult;
use super::guard::JsonBody;
use super::rooms::{AtDoor, own_room};
use crate::app::App;
use crate::chance;
use crate::directory;
use crate::store::members;
use crate::store::rooms::StoredRoom;
use crate::store::users::{self, Account};

#[utoipa::path(get, path = "/rooms/members", tag = "rooms", params(AtDoor), security(("session" = [])),
    responses((status = 200, description = "By name. Owner only.", body = RoomMembers)))]
pub async fn list(
    app: State,
    Member(caller): Member,
    query: Result<Query<AtDoor>, QueryRejection>,
) -> ApiResult<Json<RoomMembers>> {
    let Query(AtDoor { room }) = query.map_err(|_| ErrorCode::Malformed)?;
    let room = own_room(&app, &room, &caller.account.id).await?;
    Ok(Json(listed(&app, &room.id).await?))
}

#[utoipa::path(put, path = "/rooms/members", tag = "rooms", request_body = AddMember, security(("session" = [])),
    responses((status = 200, description = "All of them. Owner only.", body = RoomMembers)))]
pub async fn add(
    app: State,
    Member(caller): Member,
    JsonBody(body): JsonBody<AddMember>,
) -> ApiResult<Json<RoomMembers>> {
    let owner = &caller.account.id;
    let room = own_room(&app, &body.room, owner).await?;
    let person = seen(&app, owner, &body.person).await?;
    let now = chance::unix_ms();
    if !members::add(&app.db, &room.id, &person.id, now, room::MOST_MEMBERS).await? {
        return Err(ErrorCode::TooMany.into());
    }
    tracing::info!(room = %room.id, user = %person.id, "a room has another member");
    changed(&app, &room, &person.id).await;
    Ok(Json(listed(&app, &room.id).await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
pub struct OneMember {
    /// The room's name, with `public/` before it or not.
    room: String,
    person: UserId,
}

#[utoipa::path(delete, path = "/rooms/members", tag = "rooms", params(OneMember), security(("session" = [])),
    responses((status = 204, description = "No member, or not any more. Owner only.")))]
pub async fn remove(
    app: State,
    Member(caller): Member,
    query: Result<Query<OneMember>, QueryRejection>,
) -> ApiResult<StatusCode> {
    let Query(OneMember { room, person }) = query.map_err(|_| ErrorCode::Malformed)?;
    let room = own_room(&app, &room, &caller.account.id).await?;
    members::remove(&app.db, &room.id, &person).await?;
    changed(&app, &room, &person).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody else whom this reader may see. Nobody is told whether anybody else is there.
async fn seen(app: &App, reader: &UserId, person: &UserId) -> ApiResult<Account> {
    let found = users::by_id(&app.db, person).await?;
    let found = found.filter(|found| !found.locked && found.id != *reader);
    match found {
        Some(found) if directory::may_see(app, reader, person).await? => Ok(found),
        _ => Err(ErrorCode::NotFound.into()),
    }
}

async fn changed(app: &App, room: &StoredRoom, person: &UserId) {
    app.rooms.room_changed(room).await;
    app.rooms.house().facts_changed(person);
}

async fn listed(app: &App, room: &RoomId) -> ApiResult<RoomMembers> {
    let members = members::people(&app.db, room).await?.into_iter();
    let shown = |person: Account| Person {
        favourite: false,
        id: person.id,
        name: person.name,
        username: person.username,
        mail: person.mail,
        picture: person.picture,
    };
    Ok(RoomMembers {
        members: members.map(shown).collect(),
    })
}
