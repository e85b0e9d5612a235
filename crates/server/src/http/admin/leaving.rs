//! Somebody goes: removed with everything that is theirs, or handed all of it as one file.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use protocol::{ErrorCode, UserId};

use crate::audit;
use crate::http::administrator::Administrator;
use crate::http::error::ApiResult;
use crate::http::{State, own};
use crate::leaving;
use crate::store::{export, users};

#[utoipa::path(delete, path = "/people/{id}", params(("id" = String, Path)),
    responses((status = 204, description = "The person is gone, and everything that was theirs.")))]
pub async fn remove(
    app: State,
    administrator: Administrator,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let user = UserId::from(id);
    let account = users::by_id(&app.db, &user).await?;
    administrator.may_touch(account.ok_or(ErrorCode::NotFound)?.admin)?;
    leaving::remove(&app, &administrator.actor, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(get, path = "/people/{id}/export", params(("id" = String, Path)),
    responses((status = 200, description = "All that is stored about this person.", body = Object)))]
pub async fn export(
    app: State,
    administrator: Administrator,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let user = UserId::from(id);
    let all = export::of(&app.db, &user).await?;
    let all = all.ok_or(ErrorCode::NotFound)?;
    let (actor, subject) = (&administrator.actor, format!("user:{user}"));
    audit::record(&app.db, actor, "person.exported", &subject, "").await?;
    Ok(own::file(all))
}
