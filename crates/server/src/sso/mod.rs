//! Signing in at outside OpenID Connect providers: the house as their relying party. Routes and effects.
//!
//! What is decided is decided in `identity::outside`. Browsers come to `/sso/start` and `/sso/callback`, which answer with
//! nothing but redirects; providers come to `/sso/backchannel-logout`. The browser never gets a token of theirs.

mod fetch;
mod logout;
mod pending;
mod people;
mod provider;
mod sign_in;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::{get, post};
use identity::UnixMs;
use identity::throttle::{Network, Quota};
use protocol::ErrorCode;
use protocol::http::Provider as Listed;
use tokio::task::JoinHandle;
use url::Url;

use crate::app::App;
use crate::config::outside::OidcProvider;
use crate::http::Shared;
use crate::http::error::{ApiError, ApiResult};
use provider::Outside;

pub use logout::leave;

/// What one network may ask at once, and then how often: a whole school signs in from one address.
const BURST: u32 = 300;
const EVERY: Duration = Duration::from_millis(50);
/// Logout tokens that are remembered: none is taken twice.
const MOST_TOKENS: usize = 10_000;

/// Where browsers come back to, from all providers.
pub const CALLBACK: &str = "/sso/callback";

pub struct Sso {
    providers: Vec<Arc<Outside>>,
    quota: Mutex<Quota>,
    /// Ids of logout tokens, and until when they are good.
    seen: Mutex<HashMap<String, UnixMs>>,
}

impl Sso {
    /// Reads secrets from files; asks nobody anything.
    pub fn new(settings: &[OidcProvider]) -> anyhow::Result<Self> {
        let http = fetch::client()?;
        let mut providers: Vec<Arc<Outside>> = Vec::new();
        for one in settings {
            let mut id = id_of(&one.issuer);
            while providers.iter().any(|other| other.id == id) {
                id.push('x');
            }
            providers.push(Arc::new(Outside::new(id, one, http.clone())?));
        }
        Ok(Self {
            providers,
            quota: Mutex::new(Quota::new(BURST, EVERY)),
            seen: Mutex::default(),
        })
    }

    /// Gets to know the providers, and again from time to time. One that is down is asked until it is up.
    pub fn start(&self) -> Vec<JoinHandle<()>> {
        let all = self.providers.iter().cloned();
        all.map(|one| tokio::spawn(provider::keep_knowing(one)))
            .collect()
    }

    /// In the order of the settings.
    pub fn listed(&self) -> Vec<Listed> {
        let listed = |one: &Arc<Outside>| Listed {
            id: one.id.clone(),
            name: one.name.clone(),
        };
        self.providers.iter().map(listed).collect()
    }

    /// Whether somebody can become the first administrator by signing in.
    pub fn brings_administrators(&self) -> bool {
        self.providers.iter().any(|one| one.admin_group.is_some())
    }

    /// What stands on the button of the provider with this issuer.
    pub fn name_of(&self, issuer: &str) -> Option<&str> {
        self.by_issuer(issuer).map(|one| one.name.as_str())
    }

    /// Whether a group at this issuer makes people administrators, and takes that from all others.
    pub fn says_who_administers(&self, issuer: &str) -> bool {
        let provider = self.by_issuer(issuer);
        provider.is_some_and(|one| one.admin_group.is_some())
    }

    fn by_id(&self, id: &str) -> Option<&Arc<Outside>> {
        self.providers.iter().find(|one| one.id == id)
    }

    /// However the slash at its end is written.
    fn by_issuer(&self, issuer: &str) -> Option<&Arc<Outside>> {
        let bare = |text: &str| text.trim_end_matches('/').to_owned();
        let wanted = bare(Url::parse(issuer).ok()?.as_str());
        self.providers
            .iter()
            .find(|one| bare(one.issuer.as_str()) == wanted)
    }

    fn is_only(&self) -> bool {
        self.providers.len() == 1
    }

    fn take(&self, from: Network) -> ApiResult<()> {
        let mut quota = self.quota.lock().unwrap_or_else(PoisonError::into_inner);
        quota
            .take(Instant::now(), from)
            .map_err(|wait| ApiError::retry(ErrorCode::RateLimited, wait))
    }

    /// Whether this logout token comes for the first time.
    fn is_first(&self, id: String, good_until: UnixMs, now: UnixMs) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, until| *until > now);
        // Full: rather end a session twice than keep one alive that should end.
        seen.len() >= MOST_TOKENS || seen.insert(id, good_until).is_none()
    }
}

/// Made of the issuer alone, so that it stays the same when the button gets another name.
fn id_of(issuer: &Url) -> String {
    let text = format!(
        "{} {}",
        issuer.host_str().unwrap_or_default(),
        issuer.path()
    );
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").to_ascii_lowercase()
}

fn redirect_uri(app: &App) -> String {
    format!("{}{CALLBACK}", app.origins.base())
}

/// Addresses under which there is no page of the app.
pub fn owns(path: &str) -> bool {
    path.starts_with("/sso/")
}

/// For the root of the server's addresses.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/sso/start", get(sign_in::start))
        .route(CALLBACK, get(sign_in::callback))
        .route("/sso/backchannel-logout", post(logout::told))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(issuer: &str) -> OidcProvider {
        let text = format!("issuer = \"{issuer}\"\nclient_id = \"stube\"");
        toml::from_str(&text).expect("settings")
    }

    #[test]
    fn a_provider_is_called_after_its_issuer_and_each_has_its_own_name() {
        let settings = [
            "https://login.example.org",
            "https://login.example.org/realms/A",
            "https://login.example.org/realms/a",
            "http://localhost:8081/",
        ];
        let sso = Sso::new(&settings.map(provider)).expect("providers");
        let listed = sso.listed();
        let ids: Vec<_> = listed.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "login-example-org",
                "login-example-org-realms-a",
                "login-example-org-realms-ax",
                "localhost"
            ]
        );
        assert_eq!(listed[0].name, "login.example.org");
    }

    #[test]
    fn an_issuer_is_known_with_and_without_its_slash() {
        let sso = Sso::new(&[provider("https://login.example.org/a/")]).expect("providers");
        let name = Some("login.example.org");
        assert_eq!(sso.name_of("https://login.example.org/a"), name);
        assert_eq!(sso.name_of("https://login.example.org/a/"), name);
        assert_eq!(sso.name_of("https://login.example.org/b"), None);
        assert_eq!(sso.name_of("nothing"), None);
    }

    #[test]
    fn a_logout_token_is_taken_once_while_it_is_good() {
        let sso = Sso::new(&[]).expect("none");
        assert!(sso.is_first("a".to_owned(), 100, 1));
        assert!(!sso.is_first("a".to_owned(), 100, 99));
        assert!(sso.is_first("b".to_owned(), 100, 99));
        assert!(sso.is_first("a".to_owned(), 300, 200));
    }
}
