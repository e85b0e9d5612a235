//! The directory of people outside: how it does, and a run now.

use axum::Json;
use axum::extract::Query;
use protocol::ErrorCode;
use protocol::http::admin::LdapStatus;
use serde::Deserialize;

use crate::audit;
use crate::http::State;
use crate::http::administrator::Administrator;
use crate::http::error::{ApiError, ApiResult};
use crate::ldap;

#[utoipa::path(get, path = "/ldap", responses((status = 200, description = "How the directory does.", body = LdapStatus),
    (status = 404, description = "There is none in the settings.")))]
pub async fn status(app: State, _: Administrator) -> ApiResult<Json<LdapStatus>> {
    let ldap = app.ldap.as_ref().ok_or(ErrorCode::NotFound)?;
    Ok(Json(ldap.status()))
}

#[derive(Deserialize)]
pub struct Run {
    /// Locks all who are missing, even if they are more than half.
    #[serde(default)]
    remove_many: bool,
}

#[utoipa::path(post, path = "/ldap/sync",
    params(("remove_many" = Option<bool>, Query, description = "Locks all who are missing, even if they are more than half.")),
    responses((status = 200, description = "How it went; answered when it is done.", body = LdapStatus),
    (status = 404, description = "There is none in the settings.")))]
pub async fn sync(
    app: State,
    administrator: Administrator,
    query: Result<Query<Run>, axum::extract::rejection::QueryRejection>,
) -> ApiResult<Json<LdapStatus>> {
    let Query(run) = query.map_err(|_| ErrorCode::Malformed)?;
    if app.ldap.is_none() {
        return Err(ErrorCode::NotFound.into());
    }
    audit::record(&app.db, &administrator.actor, "ldap.asked", "", "").await?;
    // Whoever asked may go away; the run comes to its end.
    let running = tokio::spawn(async move {
        match &app.ldap {
            Some(ldap) => Some(ldap::run(&app, ldap, run.remove_many).await),
            None => None,
        }
    });
    let status = running.await.map_err(|error| ApiError::internal(&error))?;
    Ok(Json(status.ok_or(ErrorCode::NotFound)?))
}
