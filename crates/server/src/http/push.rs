//! What a browser needs to be woken by the house, and what it leaves for that.

use axum::Json;
use axum::http::StatusCode;
use protocol::http::push::{PushService, PushSubscription};
use protocol::{ErrorCode, limits};

use super::State;
use super::caller::Member;
use super::error::{ApiError, ApiResult};
use super::guard::JsonBody;
use crate::chance;
use crate::push::address::Refused;
use crate::push::message::Keys;
use crate::store::language;
use crate::store::push::{self, Subscription};

#[utoipa::path(get, path = "/push", tag = "people", security(("session" = [])),
    responses((status = 200, description = "Whether the house wakes browsers, and with which key.", body = PushService)))]
pub async fn read(app: State, _: Member) -> ApiResult<Json<PushService>> {
    let on = app.pushes.are_on();
    let key =
        match on {
            true => Some(app.pushes.key().await.map_err(|error| {
                ApiError::internal(&format!("there is no push key: {error:#}"))
            })?),
            false => None,
        };
    Ok(Json(PushService { on, key }))
}

#[utoipa::path(put, path = "/push/subscription", tag = "people", security(("session" = [])), request_body = PushSubscription, responses(
    (status = 204, description = "Calls wake this browser from now on, while the session lasts.")))]
pub async fn subscribe(
    app: State,
    Member(me): Member,
    JsonBody(body): JsonBody<PushSubscription>,
) -> ApiResult<StatusCode> {
    if !app.pushes.are_on() {
        return Err(ErrorCode::Forbidden.into());
    }
    let browser = body.browser.as_str();
    if browser.is_empty() || browser.len() > limits::CLIENT_ID_BYTES {
        return Err(ErrorCode::Malformed.into());
    }
    Keys::parse(&body.p256dh, &body.auth).map_err(|_| ErrorCode::Malformed)?;
    let allowed = app.pushes.allowed();
    let endpoint = allowed.endpoint(&body.endpoint).map_err(refusal)?;
    let taken = app.pushes.take(&me.account.id);
    taken.map_err(|wait| ApiError::retry(ErrorCode::RateLimited, wait))?;
    allowed.check(&endpoint).await.map_err(refusal)?;
    let new = Subscription {
        id: chance::id(),
        user: me.account.id,
        session: me.session,
        browser: body.browser,
        endpoint: endpoint.into(),
        p256dh: body.p256dh,
        auth: body.auth,
        language: language::stored(body.language).to_owned(),
        created: chance::unix_ms(),
    };
    if !push::put(&app.db, &new).await? {
        return Err(ErrorCode::SignInRequired.into());
    }
    if !app.pushes.are_on() {
        // Turned off in between: what was forgotten with all others must not be there again.
        push::remove(&app.db, &new.id).await?;
        return Err(ErrorCode::Forbidden.into());
    }
    Ok(StatusCode::NO_CONTENT)
}

fn refusal(refused: Refused) -> ErrorCode {
    match refused {
        Refused::Shape | Refused::NotPublic => ErrorCode::AddressInvalid,
        Refused::Unknown => ErrorCode::Unavailable,
    }
}

#[utoipa::path(delete, path = "/push/subscription", tag = "people", security(("session" = [])),
    responses((status = 204, description = "Nothing wakes this browser any more.")))]
pub async fn unsubscribe(app: State, Member(me): Member) -> ApiResult<StatusCode> {
    push::remove_of(&app.db, &me.session).await?;
    Ok(StatusCode::NO_CONTENT)
}
