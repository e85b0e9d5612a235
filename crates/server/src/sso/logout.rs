//! Leaving: a provider says that somebody has left it, or somebody leaves here and the provider is told.

use axum::Json;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::outside::logout::{self, LoggedOut, LogoutError};
use identity::outside::signature::SignatureError;
use serde_json::json;

use crate::app::App;
use crate::chance;
use crate::http::State;
use crate::http::caller::From;
use crate::http::error::{ApiError, ApiResult};
use crate::oidc::form;
use crate::principal::SessionId;
use crate::sign_ins;
use crate::store::sessions::{self, Outside as OutsideSession};

/// Where people come back to after leaving a provider; it has to be registered there.
const BACK: &str = "/sign-in";

pub fn purpose(issuer: &str, subject: &str) -> String {
    format!("id-token:{issuer} {subject}")
}

/// Where the browser goes so that the sign-in this session came from ends as well.
pub async fn leave(app: &App, session: &SessionId) -> ApiResult<Option<String>> {
    let Some(ended) = sessions::outside(&app.db, session).await? else {
        return Ok(None);
    };
    let Some(outside) = app.sso.by_issuer(&ended.issuer) else {
        return Ok(None);
    };
    // Who leaves is not kept waiting for a provider that is down.
    let Ok(metadata) = outside.metadata().await else {
        return Ok(None);
    };
    let back = format!("{}{BACK}", app.origins.base());
    let hint = hint(app, &ended)?;
    let address = logout::address(&metadata, &outside.client_id, hint.as_deref(), &back);
    Ok(address.map(String::from))
}

fn hint(app: &App, ended: &OutsideSession) -> ApiResult<Option<String>> {
    let Some(sealed) = &ended.sealed_id_token else {
        return Ok(None);
    };
    let opened = app
        .sealer
        .open(&purpose(&ended.issuer, &ended.subject), sealed);
    let opened = opened.map_err(|error| ApiError::internal(&format!("{error:#}")))?;
    Ok(opened.and_then(|token| String::from_utf8(token).ok()))
}

/// Back-channel logout: sessions end here with their sockets and media, in other processes within moments.
pub async fn told(
    app: State,
    From(from): From,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Response> {
    app.sso.take(from)?;
    let sent = form(&headers, &body);
    let token = sent
        .as_ref()
        .and_then(|sent| sent.one("logout_token").ok().flatten())
        .unwrap_or_default();
    let Some((issuer, ended)) = read(&app, token).await? else {
        return Ok(answer(StatusCode::BAD_REQUEST));
    };
    if !app.sso.is_first(
        format!("{issuer} {}", ended.id),
        ended.good_until,
        chance::unix_ms(),
    ) {
        return Ok(answer(StatusCode::BAD_REQUEST));
    }
    let (subject, session) = (ended.subject.as_deref(), ended.session.as_deref());
    let gone = sessions::remove_outside(&app.db, &issuer, subject, session, &chance::id()).await?;
    for session in &gone {
        sign_ins::close(&app, session).await;
        tracing::info!(%session, "ended by the provider");
    }
    Ok(answer(StatusCode::OK))
}

/// `None`: not taken.
async fn read(app: &App, token: &str) -> ApiResult<Option<(String, LoggedOut)>> {
    let claimed = logout::claimed_issuer(token);
    let Some(outside) = claimed.and_then(|issuer| app.sso.by_issuer(&issuer)) else {
        return Ok(None);
    };
    let unavailable = |error| {
        tracing::warn!(provider = outside.id, %error, "a logout token cannot be checked now");
        ApiError::retry(
            protocol::ErrorCode::Unavailable,
            std::time::Duration::from_secs(5),
        )
    };
    let metadata = outside.metadata().await.map_err(unavailable)?;
    let now = chance::unix_ms();
    let unknown =
        |error: &LogoutError| *error == LogoutError::Signature(SignatureError::UnknownKey);
    let check = |keys: &_| LoggedOut::read(token, keys, &metadata, &outside.client_id, now);
    let checked = outside
        .check(&metadata, check, unknown)
        .await
        .map_err(unavailable)?;
    match checked {
        Ok(ended) => Ok(Some((metadata.issuer.clone(), ended))),
        Err(error) => {
            tracing::warn!(provider = outside.id, %error, "a logout token is not taken");
            Ok(None)
        }
    }
}

/// Section 2.8.
fn answer(status: StatusCode) -> Response {
    let nowhere = [(header::CACHE_CONTROL, "no-store")];
    if status.is_success() {
        return (status, nowhere).into_response();
    }
    (status, nowhere, Json(json!({"error": "invalid_request"}))).into_response()
}
