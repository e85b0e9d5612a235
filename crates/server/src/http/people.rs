//! The directory over HTTP, for accounts: who is found, somebody's page, favourites.

use axum::Json;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use house::Input;
use protocol::UserId;
use protocol::http::people::{Near, People, Person};
use serde::Deserialize;
use utoipa::IntoParams;

use super::State;
use super::caller::Member;
use super::error::ApiResult;
use crate::directory;
use crate::store::favourites;

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

#[utoipa::path(get, path = "/people/near", tag = "people", security(("session" = [])),
    responses((status = 200, description = "Favourites, and who had a call with the reader of late.", body = Near)))]
pub async fn near(app: State, Member(reader): Member) -> ApiResult<Json<Near>> {
    directory::near(&app, &reader.account.id).await.map(Json)
}

#[utoipa::path(get, path = "/people/{id}", tag = "people", security(("session" = [])), params(("id" = String, Path)),
    responses((status = 200, description = "Somebody whom the reader may see.", body = Person)))]
pub async fn read(
    app: State,
    Member(reader): Member,
    Path(id): Path<String>,
) -> ApiResult<Json<Person>> {
    directory::person(&app, &reader.account.id, &id.into())
        .await
        .map(Json)
}

#[utoipa::path(put, path = "/people/{id}/favourite", tag = "people", security(("session" = [])), params(("id" = String, Path)),
    responses((status = 204, description = "They are one of the reader's favourites.")))]
pub async fn add_favourite(
    app: State,
    Member(reader): Member,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    directory::add_favourite(&app, &reader.account.id, &id.into()).await?;
    Ok(changed(&app, reader.account.id))
}

#[utoipa::path(delete, path = "/people/{id}/favourite", tag = "people", security(("session" = [])), params(("id" = String, Path)),
    responses((status = 204, description = "They are none.")))]
pub async fn remove_favourite(
    app: State,
    Member(reader): Member,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    favourites::remove(&app.db, &reader.account.id, &id.into()).await?;
    Ok(changed(&app, reader.account.id))
}

/// Tells the reader's other devices.
fn changed(app: &State, user: UserId) -> StatusCode {
    app.rooms.house().tell(Input::FavouritesChanged { user });
    StatusCode::NO_CONTENT
}
