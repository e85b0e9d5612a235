//! The directory over HTTP: `GET /api/v1/people`, for accounts.

use axum::Json;
use axum::extract::Query;
use protocol::http::people::People;
use serde::Deserialize;
use utoipa::IntoParams;

use super::State;
use super::caller::Member;
use super::error::ApiResult;
use crate::directory;

#[derive(Deserialize, IntoParams)]
pub struct Asked {
    /// What the words of name, username or mail address begin with.
    #[serde(default)]
    q: String,
}

#[utoipa::path(get, path = "/people", tag = "people", security(("session" = [])), params(Asked),
    responses((status = 200, description = "Who is found, at most 100, by name.", body = People)))]
pub async fn search(
    app: State,
    Member(reader): Member,
    Query(asked): Query<Asked>,
) -> ApiResult<Json<People>> {
    directory::search(&app, &reader.account.id, &asked.q)
        .await
        .map(Json)
}
