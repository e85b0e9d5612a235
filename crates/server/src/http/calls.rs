//! What somebody did and missed, and answering a call without a socket. Accounts only; everybody has their own.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use house::Input;
use protocol::http::calls::History;
use protocol::{CallId, ErrorCode, HistoryId};
use serde::Deserialize;
use utoipa::IntoParams;

use super::State;
use super::caller::Member;
use super::error::{ApiError, ApiResult};
use crate::store::{connections, history};

const PAGE: u32 = 50;

#[derive(Deserialize, IntoParams)]
pub struct From {
    /// Only what began before, in Unix milliseconds.
    before: Option<u64>,
}

#[utoipa::path(get, path = "/history", tag = "people", security(("session" = [])), params(From),
    responses((status = 200, description = "The newest 50 lines, or those before; a few more where many are of the same moment.", body = History)))]
pub async fn list(
    app: State,
    Member(me): Member,
    from: Result<Query<From>, QueryRejection>,
) -> ApiResult<Json<History>> {
    let Query(From { before }) = from.map_err(|_| ApiError::from(ErrorCode::Malformed))?;
    let page = history::page(&app.db, &me.account.id, before, PAGE).await?;
    Ok(Json(History {
        entries: page.entries,
        more: page.more,
    }))
}

#[utoipa::path(delete, path = "/history/{id}", tag = "people", security(("session" = [])), params(("id" = String, Path)),
    responses((status = 204, description = "There is no such line of this person any more.")))]
pub async fn remove(
    app: State,
    Member(me): Member,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let (user, id) = (me.account.id, HistoryId::from(id));
    connections::remove_of_line(&app.db, &user, &id).await?;
    if history::remove(&app.db, &user, &id).await? {
        let entries = Some(vec![id]);
        let deleted = Input::HistoryDeleted { user, entries };
        app.rooms.house().tell(deleted);
    }
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/history", tag = "people", security(("session" = [])),
    responses((status = 204, description = "It is empty.")))]
pub async fn clear(app: State, Member(me): Member) -> ApiResult<StatusCode> {
    let (user, entries) = (me.account.id, None);
    connections::clear(&app.db, &user).await?;
    history::clear(&app.db, &user).await?;
    let deleted = Input::HistoryDeleted { user, entries };
    app.rooms.house().tell(deleted);
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/calls/{id}/decline", tag = "people", security(("session" = [])), params(("id" = String, Path)),
    responses((status = 204, description = "It does not ring here any more. What did not ring is no mistake.")))]
pub async fn decline(
    app: State,
    Member(me): Member,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let (user, call) = (me.account.id, CallId::from(id));
    let declined = Input::Declined { user, call };
    app.rooms.house().tell(declined);
    Ok(StatusCode::NO_CONTENT)
}
