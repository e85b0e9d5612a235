//! Rooms of one's own: pins, and the personal room.

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use identity::room;
use protocol::ErrorCode;
use protocol::http::rooms::{Door, PinRoom};

use super::State;
use super::caller::Member;
use super::error::ApiResult;
use super::guard::JsonBody;
use super::rooms::{AtDoor, member_door, room_of_name};
use crate::chance;
use crate::store::pins;

#[utoipa::path(put, path = "/rooms/pin", tag = "rooms", request_body = PinRoom, security(("session" = [])),
    responses((status = 204, description = "It stands in front.")))]
pub async fn pin(
    app: State,
    Member(caller): Member,
    JsonBody(body): JsonBody<PinRoom>,
) -> ApiResult<StatusCode> {
    let user = &caller.account.id;
    let room = room_of_name(&app, &body.room).await?;
    if !pins::add(&app.db, user, &room.id, chance::unix_ms(), room::MOST_PINS).await? {
        return Err(ErrorCode::TooMany.into());
    }
    app.rooms.house().facts_changed(user);
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/rooms/pin", tag = "rooms", params(AtDoor), security(("session" = [])),
    responses((status = 204, description = "It does not, or not any more.")))]
pub async fn unpin(
    app: State,
    Member(caller): Member,
    query: Result<Query<AtDoor>, QueryRejection>,
) -> ApiResult<StatusCode> {
    let Query(AtDoor { room }) = query.map_err(|_| ErrorCode::Malformed)?;
    let user = &caller.account.id;
    let room = room_of_name(&app, &room).await?;
    pins::remove(&app.db, user, &room.id).await?;
    app.rooms.house().facts_changed(user);
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/rooms/personal", tag = "rooms", security(("session" = [])),
    responses((status = 200, description = "The door of the reader's personal room, which is made if need be.", body = Door)))]
pub async fn personal(app: State, Member(caller): Member) -> ApiResult<Json<Door>> {
    let account = &caller.account;
    let room = app.rooms.personal(&account.id, &account.name).await?;
    let room = room.ok_or(ErrorCode::NameTaken)?;
    Ok(Json(member_door(&app, &room, &account.id).await?))
}
