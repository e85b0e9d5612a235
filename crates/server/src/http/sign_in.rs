//! The house and who is signed in: `/api/v1/me`, `/api/v1/setup`, `/api/v1/session`; and the gate before all passwords.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use identity::throttle::{Network, Quota, Throttle};
use identity::{DisplayName, NewPassword, PasswordHash, Secret, Username, password};
use protocol::ErrorCode;
use protocol::http::entry::SignedOut;
use protocol::http::{House, PersonSource, Setup, SignIn, SignInMethod, SignInStep};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::State;
use super::caller::{Caller, From};
use super::error::{ApiError, ApiResult};
use super::guard::JsonBody;
use crate::app::App;
use crate::chance;
use crate::ldap;
use crate::sign_ins::{self, How};
use crate::sso;
use crate::store::settings;
use crate::store::users::{self, Account, NewAccount};

/// Password checks that may wait for a core; more are told to come again.
const QUEUE: usize = 32;
/// What people without an account may ask for at once from one network, and then how often.
const GUEST_BURST: u32 = 120;
const GUEST_EVERY: Duration = Duration::from_millis(500);
/// Rooms that people without an account may make at once from one network, and then how often.
const ROOM_BURST: u32 = 20;
const ROOM_EVERY: Duration = Duration::from_secs(60);

/// Makes guessing slow and keeps the cost of passwords within bounds.
pub struct Gate {
    throttle: Mutex<Throttle>,
    guests: Mutex<Quota>,
    rooms: Mutex<Quota>,
    cores: Semaphore,
    places: Semaphore,
}

impl Gate {
    pub fn new(cores: usize) -> Self {
        Self {
            throttle: Mutex::default(),
            guests: Mutex::new(Quota::new(GUEST_BURST, GUEST_EVERY)),
            rooms: Mutex::new(Quota::new(ROOM_BURST, ROOM_EVERY)),
            cores: Semaphore::new(cores),
            places: Semaphore::new(cores + QUEUE),
        }
    }

    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One question of somebody without an account.
    pub fn guest(&self, from: Network) -> ApiResult<()> {
        take(&self.guests, from)
    }

    /// One room that somebody without an account makes.
    pub fn new_room(&self, from: Network) -> ApiResult<()> {
        take(&self.rooms, from)
    }

    async fn core(&self) -> ApiResult<(SemaphorePermit<'_>, SemaphorePermit<'_>)> {
        let busy = || ApiError::retry(ErrorCode::Unavailable, Duration::from_secs(2));
        let place = self.places.try_acquire().map_err(|_| busy())?;
        let core = self.cores.acquire().await.map_err(|_| busy())?;
        Ok((place, core))
    }

    /// Some fifty milliseconds of one core, for a known user and an unknown one alike.
    pub async fn verify(&self, text: String, stored: Option<PasswordHash>) -> ApiResult<bool> {
        let _permits = self.core().await?;
        let verified =
            tokio::task::spawn_blocking(move || password::verify(&text, stored.as_ref())).await;
        verified.map_err(|error| ApiError::internal(&error))
    }

    pub async fn hash(&self, password: NewPassword) -> ApiResult<PasswordHash> {
        let _permits = self.core().await?;
        let hashed = tokio::task::spawn_blocking(move || password.hash(chance::bytes())).await;
        hashed.map_err(|error| ApiError::internal(&error))
    }
}

fn take(quota: &Mutex<Quota>, from: Network) -> ApiResult<()> {
    let mut quota = quota.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = quota.take(Instant::now(), from);
    taken.map_err(|wait| ApiError::retry(ErrorCode::RateLimited, wait))
}

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
        imprint_url: house.imprint_url.clone(),
        privacy_url: house.privacy_url.clone(),
        user: caller.map(|signed_in| sign_ins::user(&signed_in.account)),
    }))
}

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
    tracing::info!(user = %account.id, "the first account was made");
    let cookie = sign_ins::begin(&app, &account, How::here(SignInMethod::Link, &headers)).await?;
    Ok((cookie, Json(sign_ins::user(&account))).into_response())
}

pub async fn sign_in(
    app: State,
    Caller(before): Caller,
    From(from): From,
    headers: HeaderMap,
    JsonBody(sign_in): JsonBody<SignIn>,
) -> ApiResult<Response> {
    // A name that cannot be anybody's takes the same way as one that is nobody's.
    let username = Username::parse(&sign_in.username).ok();
    let key = username.as_ref().map_or("", Username::key);
    let began = Instant::now();
    let allowed = app.gate.throttle().attempt(began, key, from);
    allowed.map_err(|wait| ApiError::retry(ErrorCode::RateLimited, wait))?;

    let checked = check_password(&app, username.as_ref(), sign_in.password).await;
    match checked {
        Ok(Some((account, method))) => {
            app.gate.throttle().succeeded(began, key, from);
            if let Some(before) = before {
                sign_ins::end(&app, &before.session).await?;
            }
            let how = How::here(method, &headers);
            let cookie = sign_ins::begin(&app, &account, how).await?;
            let user = sign_ins::user(&account);
            Ok((cookie, Json(SignInStep::Done { user })).into_response())
        }
        Ok(None) => Err(ErrorCode::WrongCredentials.into()),
        Err(error) => {
            app.gate.throttle().abandoned(began, key, from);
            Err(error)
        }
    }
}

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
) -> ApiResult<Option<(Account, SignInMethod)>> {
    let key = username.map_or("", Username::key);
    let (account, stored) = users::by_username(&app.db, key).await?.unzip();
    let right = app.gate.verify(text.clone(), stored.flatten()).await?;
    let found = match account {
        Some(account) if right => Some((account, SignInMethod::Password)),
        account => {
            let typed = username.map_or("", Username::as_str);
            let found = ldap::check(app, account.as_ref(), typed, &text).await?;
            found.map(|account| (account, SignInMethod::Ldap))
        }
    };
    Ok(found.filter(|(account, _)| !account.locked))
}
