//! Who comes to the administration: administrators by their session, machines by their token. Reads what they bring; whether
//! it is enough says `identity::administration`.
//!
//! A token never counts where a guest's grant does, nor the other way round: each is looked for in its own table only, and
//! a token has a beginning that no grant has.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use identity::UnixMs;
use identity::administration::{self, Admission, Asking, Scope};
use protocol::{ErrorCode, UserId};

use super::Shared;
use super::caller::{self, SignedIn};
use super::error::{ApiError, ApiResult};
use crate::app::App;
use crate::audit::Actor;
use crate::chance;
use crate::machines;
use crate::principal::SessionId;
use crate::store::tokens::{self, StoredToken};

/// A use is written down only if the last one is older than this.
const TOUCH_MS: u64 = 5 * 60 * 1000;

/// An administrator, or a machine with the scope that the method needs; nobody else gets past this.
#[derive(Clone, Debug)]
pub struct Administrator {
    pub actor: Actor,
    /// Absent for a machine.
    pub user: Option<UserId>,
    /// The sign-in that asks; absent for a machine.
    pub session: Option<SessionId>,
}

impl Administrator {
    /// `touched`: an administrator is made, changed or removed by this.
    pub fn may_touch(&self, touched: bool) -> ApiResult<()> {
        let is_person = self.user.is_some();
        if touched && !administration::may_act_on_administrators(is_person) {
            return Err(ErrorCode::Forbidden.into());
        }
        Ok(())
    }
}

impl FromRequestParts<Shared> for Administrator {
    type Rejection = ApiError;

    /// Once for each request, however many ask.
    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> ApiResult<Self> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let administrator = Who::read(app, parts).await?.administrator(&parts.method)?;
        parts.extensions.insert(administrator.clone());
        Ok(administrator)
    }
}

/// An administrator in person, never a machine.
#[derive(Clone, Debug)]
pub struct AdministratorSession {
    pub user: UserId,
    pub actor: Actor,
}

impl FromRequestParts<Shared> for AdministratorSession {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> ApiResult<Self> {
        let Administrator { actor, user, .. } =
            Administrator::from_request_parts(parts, app).await?;
        let user = user.ok_or(ErrorCode::Forbidden)?;
        Ok(Self { user, actor })
    }
}

/// A machine that looks after people by SCIM.
#[derive(Clone, Debug)]
pub struct Machine {
    pub actor: Actor,
}

impl FromRequestParts<Shared> for Machine {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> ApiResult<Self> {
        let who = Who::read(app, parts).await?;
        who.admit(Scope::Scim)?;
        match who {
            Who::Machine(token) => Ok(Self {
                actor: Actor::Token(token.id),
            }),
            Who::Nobody | Who::Person(_) => Err(ErrorCode::Forbidden.into()),
        }
    }
}

/// What a request brings. Of a header and a cookie, the header counts.
enum Who {
    Nobody,
    Person(SignedIn),
    Machine(StoredToken),
}

impl Who {
    async fn read(app: &App, parts: &Parts) -> ApiResult<Self> {
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            let token = machine(app, value).await?;
            return Ok(token.map_or(Self::Nobody, Self::Machine));
        }
        let signed_in = caller::signed_in(app, &parts.headers).await?;
        Ok(signed_in.map_or(Self::Nobody, Self::Person))
    }

    fn admit(&self, needed: Scope) -> ApiResult<()> {
        let asking = match self {
            Self::Nobody => Asking::Nobody,
            Self::Person(signed_in) => Asking::Person {
                admin: signed_in.account.admin,
                locked: signed_in.account.locked,
            },
            Self::Machine(token) => Asking::Token {
                scopes: &token.scopes,
                expires: token.expires,
            },
        };
        match administration::admit(asking, needed, chance::unix_ms()) {
            Admission::Granted => Ok(()),
            Admission::Unknown => Err(ErrorCode::SignInRequired.into()),
            Admission::Forbidden => Err(ErrorCode::Forbidden.into()),
        }
    }

    fn administrator(self, method: &Method) -> ApiResult<Administrator> {
        self.admit(if method.is_safe() {
            Scope::Read
        } else {
            Scope::Write
        })?;
        match self {
            Self::Nobody => Err(ErrorCode::SignInRequired.into()),
            Self::Person(signed_in) => Ok(Administrator {
                actor: Actor::Person(signed_in.account.id.clone()),
                user: Some(signed_in.account.id),
                session: Some(signed_in.session),
            }),
            Self::Machine(token) => Ok(Administrator {
                actor: Actor::Token(token.id),
                user: None,
                session: None,
            }),
        }
    }
}

async fn machine(app: &App, authorization: &HeaderValue) -> ApiResult<Option<StoredToken>> {
    let Some(secret) = caller::bearer(authorization).and_then(machines::secret_of) else {
        return Ok(None);
    };
    let token = tokens::by_secret(&app.db, secret.hash()).await?;
    if let Some(token) = &token {
        note_use(app, token, chance::unix_ms()).await?;
    }
    Ok(token)
}

async fn note_use(app: &App, token: &StoredToken, now: UnixMs) -> ApiResult<()> {
    let since = token.used.map(|used| now.saturating_sub(used));
    if since.is_none_or(|since| since >= TOUCH_MS) {
        tokens::touch(&app.db, &token.id, now).await?;
    }
    Ok(())
}
