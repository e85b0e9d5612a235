//! One's own connection records. Accounts only; everybody has their own.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use protocol::ErrorCode;
use protocol::http::connections::{ConnectionRecords, ConnectionTimeline};
use serde::Deserialize;
use utoipa::IntoParams;

use super::State;
use super::caller::Member;
use super::error::{ApiError, ApiResult};
use crate::chance;
use crate::store::connections::{self, Wanted};

const PAGE: u32 = 50;

#[derive(Deserialize, IntoParams)]
pub struct Between {
    /// Only what began then or later, in Unix milliseconds.
    since: Option<u64>,
    /// Only what began before.
    before: Option<u64>,
}

#[utoipa::path(get, path = "/connections", tag = "people", security(("session" = [])), params(Between),
    responses((status = 200, description = "One's own, the newest first, 50 at most.", body = ConnectionRecords)))]
pub async fn list(
    app: State,
    Member(me): Member,
    between: Result<Query<Between>, QueryRejection>,
) -> ApiResult<Json<ConnectionRecords>> {
    let Query(between) = between.map_err(|_| ApiError::from(ErrorCode::Malformed))?;
    let wanted = Wanted {
        user: Some(me.account.id),
        since: between.since,
        before: between.before,
        ..Wanted::default()
    };
    let list = connections::list(&app.db, &wanted, PAGE).await?;
    Ok(Json(ConnectionRecords {
        now_ms: chance::unix_ms(),
        records: list.into_iter().map(|person| person.record).collect(),
    }))
}

#[utoipa::path(get, path = "/connections/{id}", tag = "people", security(("session" = [])), params(("id" = String, Path)),
    responses((status = 200, description = "One of one's own, with its timeline.", body = ConnectionTimeline)))]
pub async fn read(
    app: State,
    Member(me): Member,
    Path(id): Path<String>,
) -> ApiResult<Json<ConnectionTimeline>> {
    let found = connections::read(&app.db, &id, Some(&me.account.id)).await?;
    Ok(Json(found.ok_or(ErrorCode::NotFound)?.timeline))
}
