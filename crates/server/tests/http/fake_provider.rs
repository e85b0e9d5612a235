//! An outside provider that can be made to do anything wrong. Good ones, written by others, sign in in the journeys.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RsaPublicKeyComponents};
use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Url;
use serde_json::{Value, json};

pub const CLIENT: &str = "stube";
pub const SECRET: &str = "s ö/cret";
const KEY: &str = "one";

/// What it does at the moment.
#[derive(Default)]
struct Now {
    down: bool,
    names_itself: bool,
    without_logout: bool,
    /// What it tells about whom a code is for: ID token and userinfo.
    codes: HashMap<String, Code>,
    userinfo: HashMap<String, Value>,
    picture: Vec<u8>,
    /// How often it was asked for its keys, and for the picture.
    keys_asked: usize,
    pictures_asked: usize,
    token_status: Option<StatusCode>,
}

struct Code {
    challenge: String,
    redirect_uri: String,
    id_token: String,
}

#[derive(Clone)]
pub struct FakeProvider {
    pub issuer: String,
    now: Arc<Mutex<Now>>,
}

/// What goes wrong with an ID token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    Well,
    /// Without any signature.
    None,
    /// With the public key as if it were a secret.
    WithPublicKey,
    /// With the client's secret.
    WithSecret,
    UnknownKey,
    /// With a key of the right name.
    OtherKey,
}

/// The query with which the browser was sent to a provider.
pub fn asked(location: &str) -> HashMap<String, String> {
    let url = Url::parse(location).expect("an address");
    url.query_pairs().into_owned().collect()
}

impl FakeProvider {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let provider = Self {
            issuer: format!("http://localhost:{}", address.port()),
            now: Arc::default(),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .route("/picture", get(picture))
            .route("/elsewhere", get(elsewhere))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().expect("no panic")
    }

    pub fn go_down(&self, down: bool) {
        self.now().down = down;
    }

    /// It promises to name itself in every answer (RFC 9207).
    pub fn name_itself(&self) {
        self.now().names_itself = true;
    }

    pub fn answer_tokens_with(&self, status: Option<u16>) {
        let status = status.map(|status| StatusCode::from_u16(status).expect("a status"));
        self.now().token_status = status;
    }

    pub fn set_picture(&self, bytes: Vec<u8>) {
        self.now().picture = bytes;
    }

    pub fn keys_asked(&self) -> usize {
        self.now().keys_asked
    }

    pub fn pictures_asked(&self) -> usize {
        self.now().pictures_asked
    }

    pub fn tell_userinfo(&self, subject: &str, claims: Value) {
        self.now().userinfo.insert(subject.to_owned(), claims);
    }

    /// The claims of a good ID token for whoever was sent here so.
    pub fn claims(&self, location: &str, subject: &str) -> Value {
        let seconds = seconds();
        json!({
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": subject,
            "nonce": asked(location)["nonce"],
            "iat": seconds,
            "exp": seconds + 300,
        })
    }

    /// A code for this token. Its name tells nothing.
    pub fn give_code(&self, location: &str, claims: &Value, signed: Signed) -> String {
        let asked = asked(location);
        let mut now = self.now();
        let name = format!("code-{}", now.codes.len());
        let code = Code {
            challenge: asked["code_challenge"].clone(),
            redirect_uri: asked["redirect_uri"].clone(),
            id_token: sign(claims, signed),
        };
        now.codes.insert(name.clone(), code);
        name
    }

    pub fn logout_token(&self, changes: Value) -> String {
        let seconds = seconds();
        let mut claims = json!({
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": seconds,
            "exp": seconds + 120,
            "jti": format!("logout-{changes}"),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        sign(&claims, Signed::Well)
    }

    pub fn do_without_logout(&self) {
        self.now().without_logout = true;
    }
}

fn seconds() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}

fn pair(other: bool) -> &'static KeyPair {
    static PAIRS: OnceLock<[KeyPair; 2]> = OnceLock::new();
    let new = || KeyPair::generate(KeySize::Rsa2048).expect("a key");
    &PAIRS.get_or_init(|| [new(), new()])[usize::from(other)]
}

fn sign(claims: &Value, signed: Signed) -> String {
    let der = |other| {
        let der = AsDer::as_der(pair(other)).expect("its text");
        // PKCS#1 lies within PKCS#8, behind a head of this length.
        EncodingKey::from_rsa_der(&der.as_ref()[26..])
    };
    let public = AsDer::as_der(pair(false).public_key()).expect("its text");
    let (algorithm, key) = match signed {
        Signed::Well | Signed::UnknownKey => (Algorithm::RS256, der(false)),
        Signed::OtherKey => (Algorithm::RS256, der(true)),
        Signed::WithPublicKey => (Algorithm::HS256, EncodingKey::from_secret(public.as_ref())),
        Signed::WithSecret => (
            Algorithm::HS256,
            EncodingKey::from_secret(SECRET.as_bytes()),
        ),
        Signed::None => {
            let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
            let head = part(&json!({"alg": "none", "kid": KEY}));
            return format!("{head}.{}.", part(claims));
        }
    };
    let mut header = Header::new(algorithm);
    let id = if signed == Signed::UnknownKey {
        "unknown"
    } else {
        KEY
    };
    header.kid = Some(id.to_owned());
    jsonwebtoken::encode(&header, claims, &key).expect("a token")
}

type Provider = State<FakeProvider>;

async fn discovery(State(provider): Provider) -> Response {
    let now = provider.now();
    if now.down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let at = |path: &str| format!("{}{path}", provider.issuer);
    let mut document = json!({
        "issuer": provider.issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "jwks_uri": at("/jwks"),
        "authorization_response_iss_parameter_supported": now.names_itself,
    });
    if !now.without_logout {
        document["end_session_endpoint"] = json!(at("/end"));
    }
    Json(document).into_response()
}

async fn jwks(State(provider): Provider) -> Json<Value> {
    let mut now = provider.now();
    now.keys_asked += 1;
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair(false).public_key());
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let (n, e) = (encode(&public.n), encode(&public.e));
    Json(json!({"keys": [{"kty": "RSA", "kid": KEY, "use": "sig", "n": n, "e": e}]}))
}

/// Takes a code once, and from the right client with the right verifier only.
async fn token(State(provider): Provider, headers: HeaderMap, RawForm(body): RawForm) -> Response {
    let body: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let refuse =
        |code: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": code}))).into_response();
    let encoded =
        |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let proof = format!("{}:{}", encoded(CLIENT), encoded(SECRET));
    let proof = format!("Basic {}", BASE64_STANDARD.encode(proof));
    if headers
        .get(header::AUTHORIZATION)
        .is_none_or(|said| said.as_bytes() != proof.as_bytes())
    {
        return refuse("invalid_client");
    }
    let mut now = provider.now();
    if let Some(status) = now.token_status {
        return status.into_response();
    }
    let Some(code) = now.codes.remove(&body["code"]) else {
        return refuse("invalid_grant");
    };
    let digest =
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body["code_verifier"].as_bytes());
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest);
    if challenge != code.challenge || body["redirect_uri"] != code.redirect_uri {
        return refuse("invalid_grant");
    }
    let claims = jsonwebtoken::dangerous::insecure_decode_claims::<Value>(&code.id_token);
    let subject = claims.map_or(String::new(), |claims| {
        claims["sub"].as_str().unwrap_or_default().to_owned()
    });
    Json(json!({
        "access_token": format!("access {subject}"),
        "token_type": "Bearer",
        "id_token": code.id_token,
    }))
    .into_response()
}

async fn userinfo(State(provider): Provider, headers: HeaderMap) -> Response {
    let said = headers
        .get(header::AUTHORIZATION)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let subject = said
        .as_deref()
        .and_then(|said| said.strip_prefix("Bearer access "));
    let subject = subject.unwrap_or_default().to_owned();
    let now = provider.now();
    match now.userinfo.get(&subject) {
        Some(claims) => Json(claims.clone()).into_response(),
        None => Json(json!({"sub": subject})).into_response(),
    }
}

async fn picture(State(provider): Provider) -> Vec<u8> {
    let mut now = provider.now();
    now.pictures_asked += 1;
    now.picture.clone()
}

/// Leads to the picture, and is not to be followed.
async fn elsewhere(State(provider): Provider) -> Response {
    let to = format!("{}/picture", provider.issuer);
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}
