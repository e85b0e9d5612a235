//! Sign-ins from their beginning to their end, whatever they began with: the cookie, the stored session, and the sockets,
//! tickets and media that end with it. Who may sign in is decided before.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use identity::{PasswordHash, device, session};
use protocol::http::{SignInMethod, SignInStep, User};
use protocol::{ErrorCode, UserId};

use crate::app::App;
use crate::chance;
use crate::http::caller::{SignedIn, cookie_name};
use crate::http::error::{ApiError, ApiResult};
use crate::principal::SessionId;
use crate::second_factor;
use crate::store::sessions::{self, NewSession, Outside};
use crate::store::users::Account;

/// How somebody came in.
#[derive(Debug)]
pub struct How {
    pub method: SignInMethod,
    /// As the browser calls itself, in short.
    pub device: String,
    /// Absent for everything but sign-ins at an outside provider.
    pub outside: Option<Outside>,
    /// The one that was right, as it is stored; it has to be the account's still when the sign-in is written down.
    pub password: Option<PasswordHash>,
}

impl How {
    pub fn here(method: SignInMethod, headers: &HeaderMap) -> Self {
        Self {
            method,
            device: device_of(headers),
            outside: None,
            password: None,
        }
    }
}

pub fn device_of(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT);
    device::name(
        agent
            .and_then(|agent| agent.to_str().ok())
            .unwrap_or_default(),
    )
}

/// After a password, or what else is one factor: a code is asked for, or somebody is signed in.
pub async fn next_step(
    app: &App,
    account: &Account,
    how: How,
    before: Option<SignedIn>,
) -> ApiResult<Response> {
    if let Some(token) = second_factor::ask(app, &account.id, &how).await? {
        let token = token.expose().to_owned();
        return Ok(Json(SignInStep::Code { token }).into_response());
    }
    done(app, account, how, before).await
}

/// The answer that signs somebody in, in the place of whoever was signed in with this browser.
pub async fn done(
    app: &App,
    account: &Account,
    how: How,
    before: Option<SignedIn>,
) -> ApiResult<Response> {
    if let Some(before) = before {
        end(app, &before.session).await?;
    }
    let cookie = begin(app, account, how).await?;
    let user = user(account);
    Ok((cookie, Json(SignInStep::Done { user })).into_response())
}

/// Always a new session with a new secret, whatever the browser brought. Gives the cookie's header.
pub async fn begin(app: &App, account: &Account, how: How) -> ApiResult<HeaderMap> {
    let secret = chance::secret();
    let new = NewSession {
        id: SessionId::from(chance::id()),
        secret: secret.hash(),
        user: account.id.clone(),
        times: session::Times::new(chance::unix_ms()),
        device: how.device,
        method: how.method,
        outside: how.outside,
        password: how.password,
    };
    let ended = sessions::create(&app.db, &new).await?;
    for old in ended.ok_or(ErrorCode::WrongCredentials)? {
        close(app, &old).await;
    }
    tracing::info!(user = %account.id, session = %new.id, method = ?new.method, "signed in");
    cookie(app, secret.expose(), session::WHOLE_MS / 1000)
}

/// Ends one session, here at once; another server on the same database within moments.
pub async fn end(app: &App, session: &SessionId) -> ApiResult<()> {
    sessions::remove(&app.db, session, None, &chance::id()).await?;
    close(app, session).await;
    tracing::info!(%session, "ended");
    Ok(())
}

/// Ends all sessions of a person, but for one.
pub async fn end_all(app: &App, user: &UserId, but: Option<&SessionId>) -> ApiResult<()> {
    for session in sessions::remove_of(&app.db, user, but, &chance::id()).await? {
        close(app, &session).await;
    }
    Ok(())
}

/// Closes sockets and media and takes tickets back; what is stored is somebody else's to remove.
pub async fn close(app: &App, session: &SessionId) {
    app.tickets.revoke(session);
    app.returns.revoke(session);
    app.rooms.end_session(session).await;
}

/// Takes the cookie away.
pub fn no_cookie(app: &App) -> ApiResult<HeaderMap> {
    cookie(app, "", 0)
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

/// As the app gets to see its own account.
pub fn user(account: &Account) -> User {
    User {
        id: account.id.clone(),
        username: account.username.clone(),
        name: account.name.clone(),
        admin: account.admin,
        picture: account.picture.clone(),
    }
}
