//! People from a CSV file. Reads the request; the rest is in `crate::people_file`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::Query;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::http::{HeaderMap, StatusCode, header};
use protocol::ErrorCode;
use protocol::http::admin::ImportReport;
use serde::Deserialize;

use crate::http::State;
use crate::http::administrator::Administrator;
use crate::http::error::ApiResult;
use crate::people_file::{self, FileError};

#[derive(Deserialize)]
pub struct Import {
    /// Compares and tells, and changes nothing.
    #[serde(default)]
    dry_run: bool,
}

#[utoipa::path(post, path = "/people/import",
    params(("dry_run" = Option<bool>, Query, description = "Compares and tells, and changes nothing.")),
    request_body(content = String, content_type = "text/csv",
        description = "UTF-8, comma or semicolon, with a header out of `username`, `name`, `mail` and `groups`."),
    responses((status = 200, description = "What was done, or with any problem: what would have been.", body = ImportReport)))]
pub async fn import(
    app: State,
    administrator: Administrator,
    query: Result<Query<Import>, QueryRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> ApiResult<Json<ImportReport>> {
    let Query(query) = query.map_err(|_| ErrorCode::Malformed)?;
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("text/csv") {
        return Err(ErrorCode::Malformed.into());
    }
    let body = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::TooLarge,
        _ => ErrorCode::Malformed,
    })?;
    let actor = &administrator.actor;
    match people_file::import(&app.db, actor, &body, query.dry_run).await {
        Ok(report) => Ok(Json(report)),
        Err(FileError::TooLarge) => Err(ErrorCode::TooLarge.into()),
        Err(FileError::Store(error)) => Err(error.into()),
    }
}
