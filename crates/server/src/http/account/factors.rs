//! The authenticator app: shown, confirmed by its first code, taken away.

use axum::Json;
use axum::http::StatusCode;
use identity::{BackupCode, TotpKey, backup_code, totp as codes};
use protocol::ErrorCode;
use protocol::http::account::{BackupCodes, ConfirmTotp, TotpSecret, WithPassword};

use super::{record, same_person};
use crate::app::App;
use crate::http::State;
use crate::http::caller::{From, Member, SignedIn};
use crate::http::error::{ApiError, ApiResult};
use crate::http::guard::JsonBody;
use crate::store::totp;
use crate::{chance, second_factor};

#[utoipa::path(post, path = "/totp", tag = "account", request_body = WithPassword,
    responses((status = 200, description = "Not in force before it is confirmed.", body = TotpSecret)))]
pub async fn begin_totp(
    app: State,
    Member(member): Member,
    From(from): From,
    JsonBody(body): JsonBody<WithPassword>,
) -> ApiResult<Json<TotpSecret>> {
    same_person(&app, &member, from, body.password).await?;
    let secret: [u8; codes::SECRET_BYTES] = chance::bytes();
    let key = TotpKey::from_bytes(&secret);
    let house = app.settings.get();
    let url = key
        .as_ref()
        .and_then(|key| key.url(&house.name, &member.account.username));
    let (Some(key), Some(url)) = (key, url) else {
        return Err(ApiError::internal(&"a new secret cannot be shown"));
    };
    let sealed = second_factor::seal(&app, &member.account.id, &secret)?;
    totp::begin(&app.db, &member.account.id, &sealed, chance::unix_ms()).await?;
    Ok(Json(TotpSecret {
        url,
        secret: key.secret(),
    }))
}

#[utoipa::path(post, path = "/totp/confirm", tag = "account", request_body = ConfirmTotp,
    responses((status = 200, description = "Asked for from now on. The codes are told this once.", body = BackupCodes)))]
pub async fn confirm_totp(
    app: State,
    Member(member): Member,
    From(from): From,
    JsonBody(body): JsonBody<ConfirmTotp>,
) -> ApiResult<Json<BackupCodes>> {
    // Ten hashes: a few of one person at once, so that there are cores left for others. No username has a space.
    let what = format!("confirmation of {}", member.account.id);
    let confirmed = async { confirmed(&app, &member, &body.code).await.map(Some) };
    let codes = app.gate.tried(&what, from, confirmed).await?;
    let codes = codes.ok_or(ErrorCode::WrongCode)?;
    Ok(Json(BackupCodes { codes }))
}

/// The new backup codes. A wrong code is an error and no guess: whoever asks was shown the secret.
async fn confirmed(app: &App, member: &SignedIn, code: &str) -> ApiResult<Vec<String>> {
    let (user, now) = (&member.account.id, chance::unix_ms());
    let shown = totp::of(&app.db, user, false).await?;
    let shown = shown.filter(|shown| now.saturating_sub(shown.created) < codes::CONFIRM_MS);
    let shown = shown.ok_or(ErrorCode::LinkInvalid)?;
    let key = second_factor::unseal(app, user, &shown.sealed_secret)?;
    let key = key.ok_or(ErrorCode::LinkInvalid)?;
    let step = key.step(code, now).ok_or(ErrorCode::WrongCode)?;

    let new = || (0..backup_code::COUNT).map(|_| BackupCode::new(chance::bytes()));
    let new: Vec<BackupCode> = new().collect();
    let shown_codes = new.iter().map(BackupCode::shown).collect();
    let hashes = app.gate.hash_codes(new).await?;
    if !totp::confirm(&app.db, user, &shown.sealed_secret, step, &hashes).await? {
        return Err(ErrorCode::LinkInvalid.into());
    }
    record(app, member, "totp.added").await?;
    Ok(shown_codes)
}

#[utoipa::path(post, path = "/totp/remove", tag = "account", request_body = WithPassword,
    responses((status = 204, description = "No code is asked for any more.")))]
pub async fn remove_totp(
    app: State,
    Member(member): Member,
    From(from): From,
    JsonBody(body): JsonBody<WithPassword>,
) -> ApiResult<StatusCode> {
    same_person(&app, &member, from, body.password).await?;
    if totp::remove(&app.db, &member.account.id).await? {
        record(&app, &member, "totp.removed").await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
