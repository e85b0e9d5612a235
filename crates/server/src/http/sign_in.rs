//! The house and who is signed in: `/api/v1/me`, `/api/v1/setup`, `/api/v1/session`; and the gate before all passwords.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::throttle::{Network, Quota, Throttle};
use identity::{DisplayName, NewPassword, PasswordHash, Secret, Username, password, session};
use protocol::ErrorCode;
use protocol::http::{House, Setup, SignIn, User};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::State;
use super::caller::{Caller, From, SignedIn, cookie_name};
use super::error::{ApiError, ApiResult};
use super::guard::JsonBody;
use crate::app::App;
use crate::chance;
use crate::principal::SessionId;
use crate::store::users::{self, Account, NewAccount};
use crate::store::{sessions, settings};

/// Password checks that may wait for a core; more are told to come again.
const QUEUE: usize = 32;
/// What people without an account may ask for at once from one network, and then how often.
const GUEST_BURST: u32 = 120;
const GUEST_EVERY: Duration = Duration::from_millis(500);

/// Makes guessing slow and keeps the cost of passwords within bounds.
pub struct Gate {
    throttle: Mutex<Throttle>,
    guests: Mutex<Quota>,
    cores: Semaphore,
    places: Semaphore,
}

impl Gate {
    pub fn new(cores: usize) -> Self {
        Self {
            throttle: Mutex::default(),
            guests: Mutex::new(Quota::new(GUEST_BURST, GUEST_EVERY)),
            cores: Semaphore::new(cores),
            places: Semaphore::new(cores + QUEUE),
        }
    }

    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One question of somebody without an account.
    pub fn guest(&self, from: Network) -> ApiResult<()> {
        let taken = self
            .guests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(Instant::now(), from);
        taken.map_err(|wait| ApiError::retry(ErrorCode::RateLimited, wait))
    }

    async fn core(&self) -> ApiResult<(SemaphorePermit<'_>, SemaphorePermit<'_>)> {
        let busy = || ApiError::retry(ErrorCode::Unavailable, Duration::from_secs(2));
        let place = self.places.try_acquire().map_err(|_| busy())?;
        let core = self.cores.acquire().await.map_err(|_| busy())?;
        Ok((place, core))
    }

    /// Some fifty milliseconds of one core, for a known user and an unknown one alike.
    async fn verify(&self, text: String, stored: Option<PasswordHash>) -> ApiResult<bool> {
        let _permits = self.core().await?;
        let verified =
            tokio::task::spawn_blocking(move || password::verify(&text, stored.as_ref())).await;
        verified.map_err(|error| ApiError::internal(&error))
    }

    async fn hash(&self, password: NewPassword) -> ApiResult<PasswordHash> {
        let _permits = self.core().await?;
        let hashed = tokio::task::spawn_blocking(move || password.hash(chance::bytes())).await;
        hashed.map_err(|error| ApiError::internal(&error))
    }
}

pub async fn me(app: State, Caller(caller): Caller) -> ApiResult<Json<House>> {
    let house = &app.config.house;
    Ok(Json(House {
        name: house.name.clone(),
        setup_needed: caller.is_none() && !users::any(&app.db).await?,
        guests: app.config.policy.guests,
        imprint_url: house.imprint_url.as_ref().map(ToString::to_string),
        privacy_url: house.privacy_url.as_ref().map(ToString::to_string),
        user: caller.map(|signed_in| user(&signed_in.account)),
    }))
}

pub async fn setup(
    app: State,
    From(from): From,
    JsonBody(setup): JsonBody<Setup>,
) -> ApiResult<Response> {
    let invalid = || ApiError::from(ErrorCode::SetupLinkInvalid);
    app.gate.guest(from)?;
    let link = Secret::parse(&setup.token).ok_or_else(invalid)?;
    // Nobody without the link makes us hash a password.
    if users::any(&app.db).await? || !settings::is_setup_link(&app.db, &link).await? {
        return Err(invalid());
    }
    let username = Username::parse(&setup.username)?;
    let name = DisplayName::parse(&setup.name)?;
    let password = app.gate.hash(NewPassword::parse(&setup.password)?).await?;
    let new = NewAccount {
        id: chance::id().into(),
        username,
        name,
        admin: true,
        password,
        created: chance::unix_ms(),
    };
    let account = users::create_first(&app.db, &link, &new)
        .await?
        .ok_or_else(invalid)?;
    tracing::info!(user = %account.id, "the first account was made");
    begin_session(&app, account).await
}

pub async fn sign_in(
    app: State,
    Caller(before): Caller,
    From(from): From,
    JsonBody(sign_in): JsonBody<SignIn>,
) -> ApiResult<Response> {
    // A name that cannot be anybody's takes the same way as one that is nobody's.
    let key = Username::parse(&sign_in.username)
        .map_or_else(|_| String::new(), |name| name.key().to_owned());
    let began = Instant::now();
    let allowed = app.gate.throttle().attempt(began, &key, from);
    allowed.map_err(|wait| ApiError::retry(ErrorCode::RateLimited, wait))?;

    let checked = check_password(&app, &key, sign_in.password).await;
    match checked {
        Ok(Some(account)) => {
            app.gate.throttle().succeeded(began, &key, from);
            if let Some(before) = before {
                end_session(&app, &before).await?;
            }
            tracing::info!(user = %account.id, "signed in");
            begin_session(&app, account).await
        }
        Ok(None) => Err(ErrorCode::WrongCredentials.into()),
        Err(error) => {
            app.gate.throttle().abandoned(began, &key, from);
            Err(error)
        }
    }
}

pub async fn sign_out(app: State, Caller(caller): Caller) -> ApiResult<Response> {
    if let Some(caller) = caller {
        end_session(&app, &caller).await?;
    }
    let gone = cookie(&app, "", 0)?;
    Ok((StatusCode::NO_CONTENT, gone).into_response())
}

async fn check_password(app: &App, key: &str, text: String) -> ApiResult<Option<Account>> {
    let found = users::by_username(&app.db, key).await?;
    let (account, stored) = found.map_or((None, None), |(account, stored)| {
        (Some(account), Some(stored))
    });
    let right = app.gate.verify(text, stored).await?;
    Ok(account.filter(|_| right))
}

/// Always a new session with a new secret, whatever the browser brought.
async fn begin_session(app: &App, account: Account) -> ApiResult<Response> {
    let secret = chance::secret();
    let id = SessionId::from(chance::id());
    let times = session::Times::new(chance::unix_ms());
    let ended = sessions::create(&app.db, &id, secret.hash(), &account.id, times).await?;
    for old in ended {
        close_everything(app, &old).await;
    }
    let cookie = cookie(app, secret.expose(), session::WHOLE_MS / 1000)?;
    Ok((cookie, Json(user(&account))).into_response())
}

async fn end_session(app: &App, signed_in: &SignedIn) -> ApiResult<()> {
    sessions::remove(&app.db, &signed_in.session).await?;
    close_everything(app, &signed_in.session).await;
    tracing::info!(session = %signed_in.session, "signed out");
    Ok(())
}

async fn close_everything(app: &App, session: &SessionId) {
    app.tickets.revoke(session);
    app.rooms.end_session(session).await;
}

fn cookie(app: &App, value: &str, seconds: u64) -> ApiResult<HeaderMap> {
    let secure = app.origins.secure();
    let name = cookie_name(secure);
    let attribute = if secure { "; Secure" } else { "" };
    let line =
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{attribute}");
    let line = HeaderValue::from_str(&line).map_err(|error| ApiError::internal(&error))?;
    Ok(HeaderMap::from_iter([(header::SET_COOKIE, line)]))
}

fn user(account: &Account) -> User {
    User {
        id: account.id.clone(),
        username: account.username.clone(),
        name: account.name.clone(),
        admin: account.admin,
    }
}
