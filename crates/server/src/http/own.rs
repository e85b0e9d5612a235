//! What belongs to one's own account beside its name and password: where it is signed in, which applications it is known
//! to, and all of it as one file.

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::session;
use protocol::ErrorCode;
use protocol::http::account::{Applications, Sessions};
use protocol::http::{Application, Session};
use serde_json::{Map, Value};

use super::State;
use super::caller::Member;
use super::error::ApiResult;
use crate::chance;
use crate::principal::SessionId;
use crate::sign_ins;
use crate::store::export;
use crate::store::grants::{self, Consent};
use crate::store::sessions::{self, Listed};

/// `current`: the session that asks, if it is one.
pub fn shown(session: Listed, current: Option<&SessionId>) -> Session {
    Session {
        current: current == Some(&session.id),
        id: session.id.as_str().to_owned(),
        device: session.device,
        method: session.method,
        created_ms: session.times.created,
        used_ms: session.times.used,
    }
}

pub fn is_live(session: &Listed) -> bool {
    session.times.state(chance::unix_ms()) != session::State::Expired
}

#[utoipa::path(get, path = "/account/sessions",
    responses((status = 200, description = "Where this account is signed in, the one used last first.", body = Sessions)))]
pub async fn sessions(app: State, Member(me): Member) -> ApiResult<Json<Sessions>> {
    let most = session::PER_USER as u32;
    let list = sessions::list(&app.db, Some(&me.account.id), most).await?;
    let live = list.into_iter().filter(is_live);
    Ok(Json(Sessions {
        sessions: live
            .map(|listed| shown(listed, Some(&me.session)))
            .collect(),
    }))
}

#[utoipa::path(delete, path = "/account/sessions/{id}", params(("id" = String, Path)),
    responses((status = 204, description = "It has ended, with its sockets and its media.")))]
pub async fn end_session(
    app: State,
    Member(me): Member,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    let session = SessionId::from(id);
    if !sessions::remove(&app.db, &session, Some(&me.account.id), &chance::id()).await? {
        return Err(ErrorCode::NotFound.into());
    }
    sign_ins::close(&app, &session).await;
    tracing::info!(%session, "ended by its person");
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/account/sessions",
    responses((status = 204, description = "All but the one that asks have ended.")))]
pub async fn end_other_sessions(app: State, Member(me): Member) -> ApiResult<StatusCode> {
    sign_ins::end_all(&app, &me.account.id, Some(&me.session)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(get, path = "/account/applications",
    responses((status = 200, description = "Which applications this person signs in to.", body = Applications)))]
pub async fn applications(app: State, Member(me): Member) -> ApiResult<Json<Applications>> {
    let list = grants::applications(&app.db, &me.account.id, chance::unix_ms()).await?;
    Ok(Json(Applications {
        applications: list.into_iter().map(application).collect(),
    }))
}

fn application(consent: Consent) -> Application {
    let scopes = consent.scopes.to_string();
    Application {
        id: consent.client.as_str().to_owned(),
        name: consent.name,
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        given_ms: consent.given,
    }
}

#[utoipa::path(delete, path = "/account/applications/{id}", params(("id" = String, Path)),
    responses((status = 204, description = "It is asked about again, and what it was given is worth nothing.")))]
pub async fn forget_application(
    app: State,
    Member(me): Member,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    if !grants::forget_application(&app.db, &me.account.id, &id).await? {
        return Err(ErrorCode::NotFound.into());
    }
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(get, path = "/account/export",
    responses((status = 200, description = "All that is stored about this person.", body = Object)))]
pub async fn export(app: State, Member(me): Member) -> ApiResult<Response> {
    let all = export::of(&app.db, &me.account.id).await?;
    Ok(file(all.ok_or(ErrorCode::NotFound)?))
}

/// As a file to keep.
pub fn file(all: Map<String, Value>) -> Response {
    let name = HeaderValue::from_static("attachment; filename=\"stube.json\"");
    ([(header::CONTENT_DISPOSITION, name)], Json(all)).into_response()
}
