//! The house as an OpenID Connect provider: routes, answers and effects.
//!
//! What is decided is decided in `identity::provider`; this loads what that needs, stores what it says and words the
//! answers. Browsers of strangers and other servers come here: nothing of the app's own interface is.

mod authorize;
pub mod commands;
pub mod keys;
mod logout;
mod page;
pub mod registry;
mod token;
mod words;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use identity::provider::discovery::Document;
use identity::provider::{ClientId, Issuer, Parameters, SignIn, Subject};
use identity::throttle::{Network, Quota};
use protocol::ErrorCode;
use protocol::http::entry::ApplicationName;
use serde::{Deserialize, Serialize};
use tower_http::cors::{Any, CorsLayer};

use crate::app::App;
use crate::chance;
use crate::http::caller::{From, SignedIn};
use crate::http::error::{ApiError, ApiResult};
use crate::http::{Shared, State};
use crate::principal::SessionId;
use crate::sealing::Sealer;
use crate::store::clients;
use keys::Keys;

/// What one network may ask of the provider at once, and then how often: another server asks for all of its people.
const BURST: u32 = 300;
const EVERY: Duration = Duration::from_millis(50);
/// How long others may keep what we publish; keys are published a day before they sign.
const PUBLISHED: &str = "public, max-age=3600";

pub struct Provider {
    pub keys: Arc<Keys>,
    /// Signs the forms of our own pages. A restart makes open ones worthless, and the page is shown again.
    forms: hmac::Key,
    quota: Mutex<Quota>,
}

impl Provider {
    pub fn new(sealer: Arc<Sealer>) -> Self {
        Self {
            keys: Arc::new(Keys::new(sealer)),
            forms: hmac::Key::new(hmac::HMAC_SHA256, &chance::bytes::<32>()),
            quota: Mutex::new(Quota::new(BURST, EVERY)),
        }
    }

    fn take(&self, from: Network) -> ApiResult<()> {
        let mut quota = self.quota.lock().unwrap_or_else(PoisonError::into_inner);
        quota
            .take(Instant::now(), from)
            .map_err(|wait| ApiError::retry(ErrorCode::RateLimited, wait))
    }

    /// Belongs to one page of one sign-in, so that no other page can send the form in somebody's name.
    fn form_token(&self, page: &str, session: &SessionId, request: &str) -> String {
        let tag = hmac::sign(&self.forms, signed(page, session, request).as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(tag)
    }

    fn is_form_token(&self, token: &str, page: &str, session: &SessionId, request: &str) -> bool {
        let Ok(tag) = BASE64_URL_SAFE_NO_PAD.decode(token) else {
            return false;
        };
        hmac::verify(&self.forms, signed(page, session, request).as_bytes(), &tag).is_ok()
    }
}

fn signed(page: &str, session: &SessionId, request: &str) -> String {
    format!("{page}\n{session}\n{request}")
}

/// Addresses under which there is no page of the app.
pub fn owns(path: &str) -> bool {
    path.starts_with("/oidc/") || path.starts_with("/.well-known/")
}

/// For the root of the server's addresses.
pub fn routes() -> Router<Shared> {
    // No cookie counts at these: pages of any origin may ask.
    let open = CorsLayer::new()
        .allow_origin(Any)
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::WWW_AUTHENTICATE]);
    let for_programs = Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/oidc/jwks", get(jwks))
        .route("/oidc/token", post(token::token))
        .route("/oidc/userinfo", get(token::userinfo).post(token::userinfo))
        .layer(open);
    Router::new()
        .route(
            "/oidc/authorize",
            get(authorize::authorize).post(authorize::by_form),
        )
        .route("/oidc/consent", post(authorize::answered))
        .route("/oidc/logout", get(logout::logout).post(logout::by_form))
        .route("/oidc/logout/confirm", post(logout::confirmed))
        .route("/oidc/page.css", get(page::style))
        .merge(for_programs)
}

#[derive(Deserialize)]
pub struct FromApplication {
    client_id: String,
}

/// For the sign-in page: what the application is called that somebody comes from. Only names that were registered here
/// are told, so that nobody can write on that page by making up an address.
#[utoipa::path(get, path = "/applications", tag = "sign-in", params(("client_id" = String, Query)), security(()),
    responses((status = 200, description = "What it is called.", body = ApplicationName)))]
pub async fn application(
    app: State,
    From(from): From,
    query: Result<Query<FromApplication>, QueryRejection>,
) -> ApiResult<Json<ApplicationName>> {
    app.provider.take(from)?;
    let Query(FromApplication { client_id }) = query.map_err(|_| ErrorCode::Malformed)?;
    let client = clients::by_id(&app.db, &ClientId(client_id)).await?;
    let client = client.ok_or(ErrorCode::NotFound)?;
    Ok(Json(ApplicationName { name: client.name }))
}

async fn discovery(app: State) -> Response {
    published(&Document::new(&issuer(&app)))
}

#[derive(Serialize)]
struct KeySet<'a> {
    keys: &'a [identity::provider::jose::Jwk],
}

async fn jwks(app: State) -> ApiResult<Response> {
    let ring = app.provider.keys.ring(&app.db).await?;
    Ok(published(&KeySet {
        keys: ring.public(),
    }))
}

fn published(value: &impl Serialize) -> Response {
    let keep = [(header::CACHE_CONTROL, PUBLISHED)];
    (keep, Json(value)).into_response()
}

fn issuer(app: &App) -> Issuer {
    Issuer(app.origins.base().to_owned())
}

fn sign_in(signed_in: &SignedIn) -> SignIn {
    SignIn {
        subject: Subject(signed_in.account.id.as_str().to_owned()),
        session: signed_in.session.as_str().to_owned(),
        at: signed_in.since,
    }
}

/// The browser goes there with a GET, whatever it came with.
fn see_other(location: &str) -> ApiResult<Response> {
    let location = HeaderValue::from_str(location).map_err(|error| ApiError::internal(&error))?;
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// A form's parameters; `None` if the body is something else.
pub fn form(headers: &HeaderMap, body: &Bytes) -> Option<Parameters> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return None;
    }
    Some(Parameters::parse(std::str::from_utf8(body).ok()?))
}

/// Requests that came by form go on as addresses: cookies are not sent along with forms of other sites, and the sign-in
/// needs an address to come back to.
fn as_address(path: &str, headers: &HeaderMap, body: &Bytes) -> ApiResult<Response> {
    let parameters = form(headers, body).ok_or(ErrorCode::Malformed)?;
    see_other(&format!("{path}?{}", parameters.to_query()))
}
