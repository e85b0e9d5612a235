//! One's own passkeys: added, listed with the account, taken away.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use identity::DisplayName;
use protocol::ErrorCode;
use protocol::http::Passkey;
use protocol::http::account::{AddPasskey, WithPassword};
use protocol::http::entry::PasskeyChallenge;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use super::{record, same_person};
use crate::chance;
use crate::http::State;
use crate::http::caller::{From, Member};
use crate::http::error::{ApiError, ApiResult};
use crate::http::guard::JsonBody;
use crate::store::StoreError;
use crate::store::passkeys::{self, StoredPasskey};

/// Of one account.
const MOST: u32 = 20;

#[utoipa::path(post, path = "/passkeys/start", tag = "account", request_body = WithPassword,
    responses((status = 200, description = "For `navigator.credentials.create`.", body = PasskeyChallenge)))]
pub async fn start(
    app: State,
    Member(member): Member,
    From(from): From,
    JsonBody(body): JsonBody<WithPassword>,
) -> ApiResult<Json<PasskeyChallenge>> {
    let able = app.passkeys.as_ref().ok_or(ErrorCode::NotFound)?;
    same_person(&app, &member, from, body.password).await?;
    let there = passkeys::of(&app.db, &member.account.id).await?;
    let house = app.settings.get();
    let challenge = able.start_adding(&member.account, &house.name, &there);
    challenge
        .map(Json)
        .map_err(|error| ApiError::internal(&error))
}

#[utoipa::path(post, path = "/passkeys/finish", tag = "account", request_body = AddPasskey,
    responses((status = 200, description = "The new passkey.", body = Passkey)))]
pub async fn finish(
    app: State,
    Member(member): Member,
    JsonBody(body): JsonBody<AddPasskey>,
) -> ApiResult<Json<Passkey>> {
    let able = app.passkeys.as_ref().ok_or(ErrorCode::NotFound)?;
    let name = DisplayName::parse(&body.name)?;
    let user = &member.account.id;
    let state = able.take_adding(&body.token, user);
    let state = state.ok_or(ErrorCode::LinkInvalid)?;
    let invalid = || ApiError::from(ErrorCode::PasskeyInvalid);
    let answer: RegisterPublicKeyCredential =
        serde_json::from_value(body.credential).map_err(|_| invalid())?;
    let (id, credential) = able.finish_adding(&answer, &state).ok_or_else(invalid)?;
    let new = StoredPasskey {
        id,
        user: user.clone(),
        name: name.into_string(),
        credential,
        created: chance::unix_ms(),
        used: None,
    };
    match passkeys::add(&app.db, &new, MOST).await {
        Ok(true) => {}
        // More than anybody has, or somebody's already.
        Ok(false) | Err(StoreError::Taken) => return Err(invalid()),
        Err(error) => return Err(error.into()),
    }
    record(&app, &member, "passkey.added").await?;
    Ok(Json(shown(new)))
}

#[utoipa::path(delete, path = "/passkeys/{id}", tag = "account", params(("id" = String, Path)), request_body = WithPassword,
    responses((status = 204, description = "It opens nothing any more.")))]
pub async fn remove(
    app: State,
    Member(member): Member,
    From(from): From,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<WithPassword>,
) -> ApiResult<StatusCode> {
    same_person(&app, &member, from, body.password).await?;
    if !passkeys::remove(&app.db, &member.account.id, &id).await? {
        return Err(ErrorCode::NotFound.into());
    }
    record(&app, &member, "passkey.removed").await?;
    Ok(StatusCode::NO_CONTENT)
}

pub fn shown(passkey: StoredPasskey) -> Passkey {
    Passkey {
        id: passkey.id,
        name: passkey.name,
        created_ms: passkey.created,
        used_ms: passkey.used,
    }
}
