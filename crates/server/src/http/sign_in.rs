//! The house and who is signed in: `/api/v1/me`, `/api/v1/setup`, `/api/v1/session` with its second step.

use axum::Json;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use identity::throttle::Network;
use identity::{DisplayName, NewPassword, PasswordHash, Secret, Username};
use protocol::ErrorCode;
use protocol::http::entry::{PasskeyAnswer, PasskeyChallenge, SignedOut};
use protocol::http::{
    House, PersonSource, Setup, SignIn, SignInCode, SignInMethod, SignInStep, User,
};
use webauthn_rs::prelude::PublicKeyCredential;

use super::State;
use super::caller::{Caller, From};
use super::error::{ApiError, ApiResult};
use super::guard::JsonBody;
use crate::app::App;
use crate::audit::{self, Actor};
use crate::sign_ins::{self, How};
use crate::store::users::{self, Account, NewAccount};
use crate::store::{passkeys as stored_passkeys, settings};
use crate::{chance, ldap, second_factor, sso};

#[utoipa::path(get, path = "/me", tag = "house", security((), ("session" = [])),
    responses((status = 200, description = "The house, and who is asking.", body = House)))]
pub async fn me(app: State, Caller(caller): Caller) -> ApiResult<Json<House>> {
    let house = app.settings.get();
    Ok(Json(House {
        name: house.name.clone(),
        logo: house.logo.clone(),
        // Where an administrator can come in from a provider, nobody has to be set up.
        setup_needed: caller.is_none()
            && !app.sso.brings_administrators()
            && !users::any_administrator(&app.db).await?,
        guests: house.guests,
        open_house: house.welcome().is_open_house(),
        local_sign_in: house.local_sign_in,
        providers: app.sso.listed(),
        recovery_mail: house.local_sign_in && app.mail.is_there(),
        mail: app.mail.is_there(),
        imprint_url: house.imprint_url.clone(),
        privacy_url: house.privacy_url.clone(),
        app: app.web(),
        user: caller.map(|signed_in| sign_ins::user(&signed_in.account)),
    }))
}

#[utoipa::path(post, path = "/setup", tag = "sign-in", request_body = Setup, security(()),
    responses((status = 200, description = "The first account, an administrator, signed in.", body = User)))]
pub async fn setup(
    app: State,
    From(from): From,
    headers: HeaderMap,
    JsonBody(setup): JsonBody<Setup>,
) -> ApiResult<Response> {
    let invalid = || ApiError::from(ErrorCode::SetupLinkInvalid);
    app.gate.guest(from)?;
    let link = Secret::parse(&setup.token).ok_or_else(invalid)?;
    // Nobody without the link makes us hash a password.
    if users::any_administrator(&app.db).await? || !settings::is_setup_link(&app.db, &link).await? {
        return Err(invalid());
    }
    let username = Username::parse(&setup.username)?;
    let name = DisplayName::parse(&setup.name)?;
    let house = app.settings.get();
    let names = [house.name.as_str(), username.as_str(), name.as_str()];
    let password = NewPassword::parse(&setup.password, &names)?;
    let password = app.gate.hash(password).await?;
    let new = NewAccount {
        id: chance::id().into(),
        username,
        name,
        mail: None,
        admin: true,
        password: Some(password),
        source: PersonSource::House,
        created: chance::unix_ms(),
    };
    let account = users::create_first(&app.db, &link, &new)
        .await?
        .ok_or_else(invalid)?;
    let actor = Actor::Person(account.id.clone());
    let subject = format!("user:{}", account.id);
    audit::record(&app.db, &actor, "person.created", &subject, "set-up link").await?;
    let cookie = sign_ins::begin(&app, &account, How::here(SignInMethod::Link, &headers)).await?;
    Ok((cookie, Json(sign_ins::user(&account))).into_response())
}

#[utoipa::path(post, path = "/session", tag = "sign-in", request_body = SignIn, security(()),
    responses((status = 200, description = "Signed in, or what comes next.", body = SignInStep)))]
pub async fn sign_in(
    app: State,
    Caller(before): Caller,
    From(from): From,
    headers: HeaderMap,
    JsonBody(sign_in): JsonBody<SignIn>,
) -> ApiResult<Response> {
    local_only(&app)?;
    // A name that cannot be anybody's takes the same way as one that is nobody's.
    let username = Username::parse(&sign_in.username).ok();
    let key = username.as_ref().map_or("", Username::key);
    let attempt = check_password(&app, username.as_ref(), sign_in.password, from);
    let right = app.gate.tried(key, from, attempt).await?;
    let (account, method, password) = right.ok_or(ErrorCode::WrongCredentials)?;
    let how = How {
        password,
        ..How::here(method, &headers)
    };
    sign_ins::next_step(&app, &account, how, before).await
}

/// The code after the password.
#[utoipa::path(post, path = "/session/code", tag = "sign-in", request_body = SignInCode, security(()),
    responses((status = 200, description = "Signed in.", body = SignInStep)))]
pub async fn code(
    app: State,
    Caller(before): Caller,
    From(from): From,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SignInCode>,
) -> ApiResult<Response> {
    let invalid = || ApiError::from(ErrorCode::LinkInvalid);
    local_only(&app)?;
    app.gate.guest(from)?;
    let token = Secret::parse(&body.token).ok_or_else(invalid)?;
    let step = app.waiting.find(&app, &token).await?.ok_or_else(invalid)?;
    let account = users::by_id(&app.db, &step.user).await?;
    let account = account.filter(|account| !account.locked);
    let account = account.ok_or_else(invalid)?;
    if !second_factor::check(&app, &token, &step, from, &body.code).await? {
        return Err(ErrorCode::WrongCode.into());
    }
    if !app.waiting.finish(&token) {
        return Err(invalid());
    }
    let method = second_factor::with_code(step.method);
    let how = How {
        password: step.password,
        ..How::here(method, &headers)
    };
    sign_ins::done(&app, &account, how, before).await
}

#[utoipa::path(post, path = "/session/passkey/start", tag = "sign-in", security(()),
    responses((status = 200, description = "What goes to `navigator.credentials.get`.", body = PasskeyChallenge)))]
pub async fn start_passkey(app: State, From(from): From) -> ApiResult<Json<PasskeyChallenge>> {
    local_only(&app)?;
    app.gate.guest(from)?;
    let passkeys = app.passkeys.as_ref().ok_or(ErrorCode::NotFound)?;
    let challenge = passkeys.start_sign_in(from);
    challenge
        .map(Json)
        .map_err(|error| ApiError::internal(&error))
}

#[utoipa::path(post, path = "/session/passkey/finish", tag = "sign-in", request_body = PasskeyAnswer, security(()),
    responses((status = 200, description = "Signed in.", body = SignInStep)))]
pub async fn finish_passkey(
    app: State,
    Caller(before): Caller,
    From(from): From,
    headers: HeaderMap,
    JsonBody(body): JsonBody<PasskeyAnswer>,
) -> ApiResult<Response> {
    local_only(&app)?;
    app.gate.guest(from)?;
    let passkeys = app.passkeys.as_ref().ok_or(ErrorCode::NotFound)?;
    let state = passkeys.take_sign_in(&body.token);
    let state = state.ok_or(ErrorCode::LinkInvalid)?;
    let invalid = || ApiError::from(ErrorCode::PasskeyInvalid);
    let answer: PublicKeyCredential =
        serde_json::from_value(body.credential).map_err(|_| invalid())?;
    let (id, user) = passkeys.claimed(&answer).ok_or_else(invalid)?;
    let stored = stored_passkeys::by_id(&app.db, &id).await?;
    let stored = stored.filter(|stored| stored.user == user);
    let stored = stored.ok_or_else(invalid)?;
    let credential = passkeys
        .finish_sign_in(&answer, state, &stored)
        .ok_or_else(invalid)?;
    let account = users::by_id(&app.db, &user).await?;
    let account = account.filter(|account| !account.locked);
    let account = account.ok_or_else(invalid)?;
    if !stored_passkeys::used(&app.db, &stored, &credential, chance::unix_ms()).await? {
        return Err(invalid());
    }
    let how = How::here(SignInMethod::Passkey, &headers);
    sign_ins::done(&app, &account, how, before).await
}

/// Where only outside providers say who somebody is, nothing of the house's own is a way in.
fn local_only(app: &App) -> ApiResult<()> {
    if app.settings.get().local_sign_in {
        return Ok(());
    }
    Err(ErrorCode::Forbidden.into())
}

#[utoipa::path(delete, path = "/session", tag = "sign-in", security((), ("session" = [])),
    responses((status = 200, description = "Signed out.", body = SignedOut)))]
pub async fn sign_out(app: State, Caller(caller): Caller) -> ApiResult<Response> {
    let mut go_to = None;
    if let Some(caller) = caller {
        go_to = sso::leave(&app, &caller.session).await?;
        sign_ins::end(&app, &caller.session).await?;
    }
    let gone = sign_ins::no_cookie(&app)?;
    Ok((gone, Json(SignedOut { go_to })).into_response())
}

/// By the house's own password or by the directory's. Somebody locked out gets the same answer as somebody unknown.
async fn check_password(
    app: &App,
    username: Option<&Username>,
    text: String,
    from: Network,
) -> ApiResult<Option<(Account, SignInMethod, Option<PasswordHash>)>> {
    let key = username.map_or("", Username::key);
    let (account, stored) = users::by_username(&app.db, key).await?.unzip();
    let stored = stored.flatten();
    let right = app.gate.verify(text.clone(), stored.clone()).await?;
    let found = match account {
        Some(account) if right => Some((account, SignInMethod::Password, stored)),
        account => {
            let typed = username.map_or("", Username::as_str);
            let found = ldap::check(app, account.as_ref(), typed, &text).await;
            if found.is_err() {
                // The house's own password was wrong already.
                app.gate.unanswered(key, from);
            }
            found?.map(|account| (account, SignInMethod::Ldap, None))
        }
    };
    Ok(found.filter(|(account, ..)| !account.locked))
}
