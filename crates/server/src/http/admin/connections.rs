//! How everybody's connections were, for administrators: reading only.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use protocol::http::connections::{PersonsConnections, PersonsTimeline};
use protocol::{ErrorCode, UserId};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::State;
use crate::http::administrator::Administrator;
use crate::http::error::ApiResult;
use crate::store::connections::{self as stored, Wanted};

const PAGE: usize = 50;
const MOST_TEXT: usize = 200;

#[derive(Deserialize, IntoParams)]
pub struct Filter {
    /// Id of a person of the house.
    user: Option<String>,
    /// Part of the name of the person, as it was then, or of the room.
    text: Option<String>,
    /// Only what began then or later, in Unix milliseconds.
    since: Option<u64>,
    /// Only what began before.
    before: Option<u64>,
    /// Only what was noticeably bad.
    #[serde(default)]
    troubled: bool,
}

#[utoipa::path(get, path = "/connections", params(Filter),
    responses((status = 200, description = "Of everybody and of guests, the newest first, 50 at most.", body = PersonsConnections)))]
pub async fn list(
    app: State,
    _: Administrator,
    filter: Result<Query<Filter>, QueryRejection>,
) -> ApiResult<Json<PersonsConnections>> {
    let Query(filter) = filter.map_err(|_| ErrorCode::Malformed)?;
    let text = filter.text.filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.len() > MOST_TEXT) {
        return Err(ErrorCode::Malformed.into());
    }
    let wanted = Wanted {
        user: filter.user.map(UserId),
        since: filter.since,
        before: filter.before,
        text,
        troubled: filter.troubled,
    };
    let mut connections = stored::list(&app.db, &wanted, PAGE as u32 + 1).await?;
    let more = connections.len() > PAGE;
    connections.truncate(PAGE);
    Ok(Json(PersonsConnections { connections, more }))
}

#[utoipa::path(get, path = "/connections/{id}", params(("id" = String, Path)),
    responses((status = 200, description = "With its timeline.", body = PersonsTimeline)))]
pub async fn read(
    app: State,
    _: Administrator,
    Path(id): Path<String>,
) -> ApiResult<Json<PersonsTimeline>> {
    let found = stored::read(&app.db, &id, None).await?;
    Ok(Json(found.ok_or(ErrorCode::NotFound)?))
}
