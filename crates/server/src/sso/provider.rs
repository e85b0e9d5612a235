//! One outside provider: what is known of it, and what it is asked.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use identity::GroupName;
use identity::outside::discovery::{self, MetadataError, Proof};
use identity::outside::profile::{Claims, group_name};
use identity::outside::{KeySet, Metadata};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::fetch::{self, FetchError, Fetched};
use crate::config::outside::{self, OidcProvider};

const DOCUMENT_BYTES: usize = 256 * 1024;
const TOKEN_BYTES: usize = 256 * 1024;
/// Some put the picture itself into it.
const USERINFO_BYTES: usize = 2 * 1024 * 1024;

/// How long a description is believed before it is asked for again; it stays if nobody answers.
const KNOWN_FOR: Duration = Duration::from_secs(60 * 60);
const ASK_AGAIN: Duration = Duration::from_secs(5);
const ASK_AGAIN_MOST: Duration = Duration::from_secs(60);
/// People who press the button of a provider that is down do not make us ask more often than this.
const BREATH: Duration = Duration::from_secs(1);

const KEYS_FOR: Duration = Duration::from_secs(60 * 60);
const KEYS_LEAST: Duration = Duration::from_secs(5 * 60);
const KEYS_MOST: Duration = Duration::from_secs(24 * 60 * 60);
/// Tokens that name unknown keys do not make us ask for new ones more often than this.
const NEW_KEYS_EVERY: Duration = Duration::from_secs(10);

pub struct Outside {
    pub id: String,
    pub name: String,
    /// As the settings write it; tokens have it as the provider does.
    pub issuer: Url,
    pub client_id: String,
    pub scopes: Vec<String>,
    pub groups_claim: String,
    pub admin_group: Option<GroupName>,
    secret: Option<String>,
    pub http: Client,
    metadata: RwLock<Option<Arc<Metadata>>>,
    keys: RwLock<Option<Keys>>,
    /// One asks; the others wait and find what it got. When it failed last.
    asking: tokio::sync::Mutex<Option<Instant>>,
    asking_keys: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Keys {
    set: Arc<KeySet>,
    fetched: Instant,
    good_until: Instant,
}

impl Keys {
    /// `not`: something was missing in those fetched then, which new ones may have.
    fn serve(&self, now: Instant, not: Option<Instant>) -> bool {
        let missed = not == Some(self.fetched);
        let may_ask = self.fetched + NEW_KEYS_EVERY <= now;
        self.good_until > now && !(missed && may_ask)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("it failed a moment ago")]
    JustFailed,
    #[error("its keys cannot be read")]
    Keys,
    #[error("it refuses the code: {0}")]
    Refused(String),
    #[error("its answer cannot be read")]
    Unreadable,
    #[error("userinfo tells of somebody else")]
    OtherSubject,
}

impl ProviderError {
    /// Rather than something that is wrong and stays wrong.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Fetch(FetchError::Status(status)) => !status.is_client_error(),
            Self::Fetch(_) | Self::JustFailed => true,
            _ => false,
        }
    }
}

/// What a code was worth. No `Debug`.
#[derive(Deserialize)]
pub struct Tokens {
    pub access_token: String,
    pub id_token: String,
}

impl Outside {
    pub fn new(id: String, settings: &OidcProvider, http: Client) -> anyhow::Result<Self> {
        let host = || settings.issuer.host_str().unwrap_or_default().to_owned();
        Ok(Self {
            id,
            name: settings.name.clone().unwrap_or_else(host),
            issuer: settings.issuer.clone(),
            client_id: settings.client_id.clone(),
            scopes: settings.scopes.clone(),
            groups_claim: settings.groups_claim.clone(),
            admin_group: settings.admin_group.as_deref().and_then(group_name),
            secret: outside::secret(&settings.client_secret, &settings.client_secret_file)?,
            http,
            metadata: RwLock::default(),
            keys: RwLock::default(),
            asking: tokio::sync::Mutex::default(),
            asking_keys: tokio::sync::Mutex::default(),
        })
    }

    /// What it says of itself; asked for if that is not known yet.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let mut failed = self.asking.lock().await;
        if let Some(known) = self.known() {
            return Ok(known);
        }
        if failed.is_some_and(|at| at.elapsed() < BREATH) {
            return Err(ProviderError::JustFailed);
        }
        let asked = self.ask().await;
        *failed = asked.is_err().then(Instant::now);
        asked
    }

    fn known(&self) -> Option<Arc<Metadata>> {
        let metadata = self.metadata.read();
        metadata.unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn ask(&self) -> Result<Arc<Metadata>, ProviderError> {
        let request = self.http.get(discovery::address(&self.issuer));
        let document = fetch::found(request, DOCUMENT_BYTES).await?;
        let metadata = Arc::new(Metadata::read(&document.bytes, &self.issuer)?);
        let mut known = self
            .metadata
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *known = Some(metadata.clone());
        Ok(metadata)
    }

    /// Checks something signed, with fresh keys if the ones at hand do not have the right one.
    pub async fn check<T, E>(
        &self,
        metadata: &Metadata,
        check: impl Fn(&KeySet) -> Result<T, E>,
        is_unknown_key: impl Fn(&E) -> bool,
    ) -> Result<Result<T, E>, ProviderError> {
        let keys = self.keys(metadata, None).await?;
        match check(&keys.set) {
            Err(error) if is_unknown_key(&error) => {
                let newer = self.keys(metadata, Some(keys.fetched)).await?;
                Ok(check(&newer.set))
            }
            checked => Ok(checked),
        }
    }

    /// `not`: with those fetched then, something was missing.
    async fn keys(&self, metadata: &Metadata, not: Option<Instant>) -> Result<Keys, ProviderError> {
        let good = |keys: &Keys| keys.serve(Instant::now(), not);
        let known = || {
            self.keys
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        if let Some(keys) = known().filter(good) {
            return Ok(keys);
        }
        let _one_asks = self.asking_keys.lock().await;
        if let Some(keys) = known().filter(good) {
            return Ok(keys);
        }
        let request = self.http.get(metadata.jwks_uri.clone());
        let document = fetch::found(request, DOCUMENT_BYTES).await?;
        let set = KeySet::read(&document.bytes).ok_or(ProviderError::Keys)?;
        let life = document.max_age.unwrap_or(KEYS_FOR);
        let fetched = Instant::now();
        let keys = Keys {
            set: Arc::new(set),
            fetched,
            good_until: fetched + life.clamp(KEYS_LEAST, KEYS_MOST),
        };
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(keys.clone());
        Ok(keys)
    }

    pub async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> Result<Tokens, ProviderError> {
        let request = self.token_request(metadata, code, verifier, redirect_uri);
        let answer = fetch::fetch(request, TOKEN_BYTES).await?;
        match answer.status {
            StatusCode::OK => {
                serde_json::from_slice(&answer.bytes).map_err(|_| ProviderError::Unreadable)
            }
            status if status.is_client_error() => Err(ProviderError::Refused(reason(&answer))),
            status => Err(FetchError::Status(status).into()),
        }
    }

    /// RFC 6749 section 4.1.3, with the verifier of RFC 7636.
    fn token_request(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> RequestBuilder {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("code_verifier", verifier);
        let mut request = self.http.post(metadata.token_endpoint.clone());
        match (&self.secret, metadata.proof) {
            (Some(secret), Proof::Basic) => {
                request = request.header(AUTHORIZATION, basic(&self.client_id, secret));
            }
            (Some(secret), Proof::Post) => {
                body.append_pair("client_id", &self.client_id)
                    .append_pair("client_secret", secret);
            }
            (None, _) => {
                body.append_pair("client_id", &self.client_id);
            }
        }
        request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(body.finish())
    }

    /// What userinfo tells of this very subject; nothing where there is none.
    pub async fn userinfo(
        &self,
        metadata: &Metadata,
        access_token: &str,
        subject: &str,
    ) -> Result<Claims, ProviderError> {
        let Some(address) = metadata.userinfo_endpoint.clone() else {
            return Ok(Claims::new());
        };
        let request = self.http.get(address).bearer_auth(access_token);
        let request = request.header(ACCEPT, "application/json");
        let answer = fetch::found(request, USERINFO_BYTES).await?;
        let claims: Claims =
            serde_json::from_slice(&answer.bytes).map_err(|_| ProviderError::Unreadable)?;
        if claims.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(ProviderError::OtherSubject);
        }
        Ok(claims)
    }
}

/// RFC 6749 section 2.3.1: both encoded as in a form first.
fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(id), encoded(secret));
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

/// The error's code of RFC 6749, which has no secret in it.
fn reason(answer: &Fetched) -> String {
    #[derive(Deserialize)]
    struct OAuthError {
        error: String,
    }
    let error = serde_json::from_slice::<OAuthError>(&answer.bytes);
    let code = error.map(|error| error.error).unwrap_or_default();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let code: String = code.chars().filter(|c| is_word(*c)).take(40).collect();
    format!("{} {code}", answer.status.as_u16())
}

/// Never ends.
pub async fn keep_knowing(outside: Arc<Outside>) {
    let mut pause = ASK_AGAIN;
    let mut said = false;
    loop {
        match outside.ask().await {
            Ok(_) => {
                if said {
                    tracing::info!(provider = outside.id, "the provider answers again");
                }
                said = false;
                pause = ASK_AGAIN;
                tokio::time::sleep(KNOWN_FOR).await;
            }
            Err(error) => {
                if !said {
                    tracing::warn!(provider = outside.id, %error, "nobody can sign in at this provider now");
                }
                said = true;
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(ASK_AGAIN_MOST);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_serve_until_they_are_old_or_another_one_is_needed() {
        let fetched = Instant::now();
        let keys = Keys {
            set: Arc::default(),
            fetched,
            good_until: fetched + KEYS_FOR,
        };
        let missed = Some(fetched);
        for (what, after, not, expect) in [
            ("fresh", Duration::ZERO, None, true),
            ("nearly old", KEYS_FOR - BREATH, None, true),
            ("old", KEYS_FOR, None, false),
            (
                "one is missing, but we have just asked",
                Duration::ZERO,
                missed,
                true,
            ),
            ("one is missing", NEW_KEYS_EVERY, missed, false),
            (
                "somebody else has asked meanwhile",
                NEW_KEYS_EVERY,
                Some(fetched - BREATH),
                true,
            ),
        ] {
            assert_eq!(keys.serve(fetched + after, not), expect, "{what}");
        }
    }

    #[test]
    fn a_secret_is_encoded_before_it_is_shown() {
        let shown = basic("stübe", "a:b c%");
        let pair = BASE64_STANDARD.encode("st%C3%BCbe:a%3Ab+c%25");
        assert_eq!(shown, format!("Basic {pair}"));
    }

    #[test]
    fn what_a_provider_says_goes_into_the_log_as_a_word_at_most() {
        let answer = |text: &str| Fetched {
            status: StatusCode::BAD_REQUEST,
            max_age: None,
            bytes: text.as_bytes().to_vec(),
        };
        let said = reason(&answer(r#"{"error": "invalid_grant", "x": 1}"#));
        assert_eq!(said, "400 invalid_grant");
        let said = reason(&answer("{\"error\": \"a\\nb<c> secret=1\"}"));
        assert_eq!(said, "400 abcsecret1");
        assert_eq!(reason(&answer("<html>")), "400 ");
    }
}
