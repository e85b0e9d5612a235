//! The web server's routes and what lies around all of them. Parses requests into values and answers with values; no SQL
//! and no state of its own.

pub mod account;
mod admin;
pub mod administrator;
pub mod caller;
mod calls;
mod connections;
pub mod error;
pub mod gate;
pub mod guard;
mod headers;
pub mod invites;
mod links;
mod manifest;
mod meetings;
mod my_rooms;
mod openapi;
pub mod own;
mod pages;
mod people;
pub mod pictures;
mod push;
mod room_members;
pub mod rooms;
pub mod sign_in;

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_extractor_with_state, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, body::Bytes};
use protocol::{ErrorCode, limits};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;
use tracing::Instrument;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::chance;
use crate::private::Private;
use crate::{oidc, scim, sso, ws};
use administrator::Administrator;
use caller::From;
use error::{ApiError, ApiResult};

pub type Shared = Arc<App>;
pub type State = axum::extract::State<Shared>;

/// Silence within a body before the request is given up.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

pub fn router(app: Shared) -> Router {
    let page_headers = headers::PageHeaders::new(&app.origins, app.config.public_url.is_some());
    Router::new()
        .nest("/api/v1", api(app.clone()))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/csp", post(csp_report))
        .route("/manifest.webmanifest", get(manifest::read))
        .merge(oidc::routes())
        .merge(sso::routes())
        .merge(scim::routes())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(elsewhere)
        .with_state(app)
        .layer(DefaultBodyLimit::max(limits::HTTP_BODY_BYTES))
        .layer(RequestBodyTimeoutLayer::new(BODY_TIMEOUT))
        .layer(from_fn(guard::bounded_body))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::new(page_headers), headers::set))
        .layer(from_fn(in_span))
}

fn api(app: Shared) -> Router<Shared> {
    // What forgets to ask who comes is closed all the same.
    let administrators = from_extractor_with_state::<Administrator, _>(app.clone());
    let router: Router<Shared> = routes(admin::routes().route_layer(administrators)).into();
    router
        .route_layer(from_fn_with_state(app, guard::same_origin))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
}

/// Everything under `/api/v1`.
fn routes(admin: OpenApiRouter<Shared>) -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(openapi::read))
        .routes(routes!(pictures::of_house))
        .routes(routes!(sign_in::me))
        .routes(routes!(sign_in::setup))
        .routes(routes!(sign_in::sign_in, sign_in::sign_out))
        .routes(routes!(sign_in::code))
        .routes(routes!(sign_in::start_passkey))
        .routes(routes!(sign_in::finish_passkey))
        .routes(routes!(oidc::application))
        .routes(routes!(rooms::door))
        .routes(routes!(people::search))
        .routes(routes!(people::near))
        .routes(routes!(people::read))
        .routes(routes!(people::add_favourite, people::remove_favourite))
        .routes(routes!(calls::list, calls::clear))
        .routes(routes!(calls::remove))
        .routes(routes!(calls::decline))
        .routes(routes!(connections::list))
        .routes(routes!(connections::read))
        .routes(routes!(pictures::of_person))
        .routes(routes!(rooms::create, rooms::change, rooms::delete))
        .routes(routes!(
            room_members::list,
            room_members::add,
            room_members::remove
        ))
        .routes(routes!(my_rooms::pin, my_rooms::unpin))
        .routes(routes!(my_rooms::personal))
        .routes(routes!(invites::create, invites::list))
        .routes(routes!(invites::take_back))
        .routes(routes!(invites::open))
        .routes(routes!(meetings::plan, meetings::list))
        .routes(routes!(meetings::read, meetings::change, meetings::cancel))
        .routes(routes!(meetings::calendar))
        .routes(routes!(meetings::invite))
        .routes(routes!(rooms::let_guest_in))
        .routes(routes!(rooms::ticket))
        .routes(routes!(ws::socket))
        .routes(routes!(links::open))
        .routes(routes!(links::accept))
        .routes(routes!(links::ask))
        .routes(routes!(push::read))
        .routes(routes!(push::subscribe, push::unsubscribe))
        .routes(routes!(own::sessions, own::end_other_sessions))
        .routes(routes!(own::end_session))
        .routes(routes!(own::applications))
        .routes(routes!(own::forget_application))
        .routes(routes!(own::export))
        .nest("/account", account::routes())
        .nest("/admin", admin)
}

/// The app's pages and files, and nothing under the prefixes of interfaces.
async fn elsewhere(request: Request) -> Response {
    let path = request.uri().path();
    let owned = [oidc::owns, sso::owns, scim::owns];
    if path == "/api" || path.starts_with("/api/") || owned.iter().any(|owns| owns(path)) {
        return not_found().await.into_response();
    }
    pages::page(request).await
}

async fn not_found() -> ApiError {
    ErrorCode::NotFound.into()
}

async fn method_not_allowed() -> ApiError {
    ErrorCode::MethodNotAllowed.into()
}

/// The process lives.
async fn healthz() -> &'static str {
    "ok"
}

/// New people are welcome and can be served.
async fn readyz(app: State) -> ApiResult<&'static str> {
    if app.readiness.is_draining() {
        return Err(ApiError::retry(
            ErrorCode::Unavailable,
            Duration::from_secs(1),
        ));
    }
    app.db.answers().await?;
    Ok("ready")
}

/// Gives every line that is logged on the way the same id. The address stays out: it names rooms.
async fn in_span(request: Request, next: Next) -> Response {
    let span = tracing::info_span!("request", id = %chance::id(), method = %request.method());
    let began = Instant::now();
    async {
        let response = next.run(request).await;
        tracing::debug!(status = response.status().as_u16(), took = ?began.elapsed(), "answered");
        response
    }
    .instrument(span)
    .await
}

/// What browsers kept from happening on our pages: worth a look, since no page of ours should try.
async fn csp_report(app: State, From(from): From, body: Bytes) -> ApiResult<StatusCode> {
    app.gate.guest(from)?;
    let report = String::from_utf8_lossy(&body);
    tracing::info!(report = %Private(report), "a browser reports a violation of the content security policy");
    Ok(StatusCode::NO_CONTENT)
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    ApiError::internal(&format!("a request panicked: {text}")).into_response()
}
