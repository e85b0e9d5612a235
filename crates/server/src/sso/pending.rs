//! What a sign-in needs when it comes back, kept by the browser that began it: sealed, and for this `state` only. An answer
//! that somebody else began has no such cookie here, so nobody can be signed in as somebody else.

use anyhow::Context;
use axum::http::{HeaderMap, HeaderValue, header};
use identity::outside::Pending;
use identity::outside::request::PENDING_MS;

use crate::app::App;
use crate::http::error::{ApiError, ApiResult};

/// So much of the state stands in the cookie's name: several tabs may be on their way.
const NAMED_BY: usize = 16;
/// More on their way than anybody has tabs for: the next one clears them away.
const MOST: usize = 6;

/// Sets the cookie, and takes away others when there are too many.
pub fn keep(
    app: &App,
    state: &str,
    pending: &Pending,
    browser: &HeaderMap,
    answer: &mut HeaderMap,
) -> ApiResult<()> {
    let old = names(app, browser);
    if old.len() >= MOST {
        for name in old {
            set(app, answer, &name, "", 0)?;
        }
    }
    let sealed = seal(app, state, pending).map_err(|error| ApiError::internal(&error))?;
    set(app, answer, &name(app, state), &sealed, PENDING_MS / 1000)
}

fn seal(app: &App, state: &str, pending: &Pending) -> anyhow::Result<String> {
    let plain = serde_json::to_vec(pending).context("a sign-in cannot be written down")?;
    app.sealer.seal(&purpose(state), &plain)
}

/// What this browser began under this state, if it did.
pub fn find(app: &App, state: &str, browser: &HeaderMap) -> ApiResult<Option<Pending>> {
    let wanted = name(app, state);
    let Some((_, sealed)) = cookies(browser).find(|(name, _)| *name == wanted) else {
        return Ok(None);
    };
    let plain = app.sealer.open(&purpose(state), sealed);
    let plain = plain.map_err(|error| ApiError::internal(&format!("{error:#}")))?;
    Ok(plain.and_then(|plain| serde_json::from_slice(&plain).ok()))
}

/// It has come back, whatever it brought.
pub fn forget(app: &App, state: &str, answer: &mut HeaderMap) -> ApiResult<()> {
    set(app, answer, &name(app, state), "", 0)
}

fn purpose(state: &str) -> String {
    format!("sso:{state}")
}

fn prefix(app: &App) -> &'static str {
    if app.origins.secure() {
        "__Host-stube-sso-"
    } else {
        "stube-sso-"
    }
}

fn name(app: &App, state: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let short: String = state.chars().filter(is_plain).take(NAMED_BY).collect();
    format!("{}{short}", prefix(app))
}

fn names(app: &App, browser: &HeaderMap) -> Vec<String> {
    let names = cookies(browser).map(|(name, _)| name);
    names
        .filter(|name| name.starts_with(prefix(app)))
        .map(str::to_owned)
        .collect()
}

fn cookies(browser: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = browser.get_all(header::COOKIE).into_iter();
    let lines = lines.filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// Lax: it has to come along when the provider's page leads back.
fn set(app: &App, answer: &mut HeaderMap, name: &str, value: &str, seconds: u64) -> ApiResult<()> {
    let secure = if app.origins.secure() { "; Secure" } else { "" };
    let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    let line = HeaderValue::from_str(&line).map_err(|error| ApiError::internal(&error))?;
    answer.append(header::SET_COOKIE, line);
    Ok(())
}
