//! Who is signed in, and ending it.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use protocol::http::admin::{AdminSession, AdminSessions};
use protocol::{ErrorCode, UserId};

use crate::audit;
use crate::chance;
use crate::http::State;
use crate::http::administrator::Administrator;
use crate::http::error::ApiResult;
use crate::http::own::{is_live, shown};
use crate::principal::SessionId;
use crate::sign_ins;
use crate::store::sessions;
use crate::store::users;

const MOST: u32 = 200;

#[utoipa::path(get, path = "/sessions",
    responses((status = 200, description = "The 200 used last, of everybody.", body = AdminSessions)))]
pub async fn list(app: State, administrator: Administrator) -> ApiResult<Json<AdminSessions>> {
    let list = sessions::list(&app.db, None, MOST).await?;
    let sessions = list.into_iter().filter(is_live).map(|listed| AdminSession {
        user: listed.user.clone(),
        name: listed.name.clone(),
        session: shown(listed, administrator.session.as_ref()),
    });
    Ok(Json(AdminSessions {
        sessions: sessions.collect(),
    }))
}

#[utoipa::path(delete, path = "/sessions/{id}", params(("id" = String, Path)),
    responses((status = 204, description = "It has ended, with its sockets and its media.")))]
pub async fn end(
    app: State,
    administrator: Administrator,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let session = SessionId::from(id);
    if !sessions::remove(&app.db, &session, None, &chance::id()).await? {
        return Err(ErrorCode::NotFound.into());
    }
    sign_ins::close(&app, &session).await;
    let subject = format!("session:{session}");
    audit::record(&app.db, &administrator.actor, "session.ended", &subject, "").await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/people/{id}/sessions", params(("id" = String, Path)),
    responses((status = 204, description = "This person is signed out everywhere.")))]
pub async fn end_all(
    app: State,
    administrator: Administrator,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let user = UserId::from(id);
    if users::by_id(&app.db, &user).await?.is_none() {
        return Err(ErrorCode::NotFound.into());
    }
    sign_ins::end_all(&app, &user, None).await?;
    let (actor, subject) = (&administrator.actor, format!("user:{user}"));
    audit::record(&app.db, actor, "person.signed_out", &subject, "").await?;
    Ok(StatusCode::NO_CONTENT)
}
