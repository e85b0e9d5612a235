//! Images of the house over HTTP: `GET /api/v1/people/{id}/picture`, and what all images are taken and served with.

use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::{ErrorCode, UserId};
use serde::Deserialize;

use super::State;
use super::caller::Member;
use super::error::{ApiError, ApiResult};
use crate::directory;
use crate::images::{self, ImageError};
use crate::store::{images as stored, users};

impl From<ImageError> for ApiError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::TooLarge => ErrorCode::TooLarge.into(),
            ImageError::Unreadable => ErrorCode::ImageInvalid.into(),
        }
    }
}

/// `?v=<version>`: an address that never leads to another image.
#[derive(Deserialize)]
pub struct Version {
    v: Option<String>,
}

#[utoipa::path(get, path = "/people/{id}/picture", tag = "people", security(("session" = [])), params(("id" = String, Path),
        ("v" = Option<String>, Query, description = "The version: may be kept for ever.")),
    responses((status = 200, description = "The picture of a person.", content_type = "image/jpeg"),
        (status = 304, description = "It is the one that `If-None-Match` names.")))]
pub async fn of_person(
    app: State,
    Member(reader): Member,
    Path(id): Path<String>,
    Query(version): Query<Version>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let id = UserId::from(id);
    if !directory::may_see(&app, &reader.account.id, &id).await? {
        return Err(ErrorCode::NotFound.into());
    }
    let person = users::by_id(&app.db, &id)
        .await?
        .ok_or(ErrorCode::NotFound)?;
    let current = person.picture.ok_or(ErrorCode::NotFound)?;
    let bytes = stored::get(&app.db, id.as_str()).await?;
    let bytes = bytes.ok_or(ErrorCode::NotFound)?;
    Ok(serve(bytes, &current, &version, &headers, "private"))
}

/// For everybody: it stands at the sign-in and at the door.
#[utoipa::path(get, path = "/logo", tag = "house", security(()), params(("v" = Option<String>, Query, description = "The version: may be kept for ever.")),
    responses((status = 200, description = "The logo of the house.", content_type = "image/png")))]
pub async fn of_house(
    app: State,
    Query(version): Query<Version>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let current = app.settings.get().logo.clone().ok_or(ErrorCode::NotFound)?;
    let bytes = stored::get(&app.db, stored::LOGO).await?;
    let bytes = bytes.ok_or(ErrorCode::NotFound)?;
    Ok(serve(bytes, &current, &version, &headers, "public"))
}

/// `whose`: `private` for what not everybody may see, `public` for the rest.
pub fn serve(
    bytes: Vec<u8>,
    current: &str,
    asked: &Version,
    headers: &HeaderMap,
    whose: &str,
) -> Response {
    let keep = if asked.v.as_deref() == Some(current) {
        format!("{whose}, max-age=31536000, immutable")
    } else {
        format!("{whose}, no-cache")
    };
    let tag = format!("\"{current}\"");
    let known = headers.get(header::IF_NONE_MATCH);
    let mut response = if known.is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = images::content_type(&bytes);
        ([(header::CONTENT_TYPE, kind)], Bytes::from(bytes)).into_response()
    };
    for (name, value) in [(header::CACHE_CONTROL, keep), (header::ETAG, tag)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
