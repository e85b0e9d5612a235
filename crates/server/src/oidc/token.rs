//! `/oidc/token` and `/oidc/userinfo`: for programs, in JSON, with the errors of the RFCs.

use axum::Json;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::provider::authorize::Grant;
use identity::provider::claims::{Issue, Occasion, Profile, UserInfo, check_access};
use identity::provider::client::Credentials;
use identity::provider::token::{
    CodeExchange, NO_CODE, NO_TOKEN, RefreshExchange, TokenRequest, Verdict,
};
use identity::provider::{
    ACCESS_MS, Client, GrantId, OAuthError, Parameters, Refusal, Scope, Scopes,
};
use identity::{Secret, UnixMs};
use protocol::http::PersonSource;
use serde::Serialize;

use super::{form, issuer};
use crate::app::App;
use crate::chance;
use crate::http::State;
use crate::http::caller::From;
use crate::http::error::ApiError;
use crate::store::users::Account;
use crate::store::{StoreError, clients, grants, groups};

/// Why there are no tokens.
enum Failure {
    /// In the words of the RFCs; whether the `Authorization` header was used decides what is added.
    Refused(Refusal, bool),
    Ours(ApiError),
}

impl std::convert::From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Ours(error)
    }
}

impl std::convert::From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Ours(error.into())
    }
}

impl std::convert::From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal, false)
    }
}

#[derive(Serialize)]
struct ErrorBody {
    error: &'static str,
    error_description: &'static str,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (refusal, by_header) = match self {
            Self::Ours(error) => return error.into_response(),
            Self::Refused(refusal, by_header) => (refusal, by_header),
        };
        let status = match refusal.error {
            OAuthError::InvalidClient => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = ErrorBody {
            error: refusal.error.as_str(),
            error_description: refusal.description,
        };
        let mut response = (status, NOT_KEPT, Json(body)).into_response();
        if by_header && status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"stube\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

const NOT_KEPT: [(header::HeaderName, &str); 2] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::PRAGMA, "no-cache"),
];

#[derive(Serialize)]
struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    id_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    scope: String,
}

pub async fn token(app: State, From(from): From, headers: HeaderMap, body: Bytes) -> Response {
    let answered = async {
        app.provider.take(from)?;
        let malformed = Refusal::new(OAuthError::InvalidRequest, "the body is no form");
        let parameters = form(&headers, &body).ok_or(malformed)?;
        let client = prove(&app, &headers, &parameters).await?;
        match TokenRequest::read(&parameters)? {
            TokenRequest::Code(exchange) => redeem(&app, &client, &exchange).await,
            TokenRequest::Refresh(exchange) => refresh(&app, &client, &exchange).await,
        }
    };
    match answered.await {
        Ok(answer) => (NOT_KEPT, Json(answer)).into_response(),
        Err(failure) => failure.into_response(),
    }
}

async fn prove(app: &App, headers: &HeaderMap, parameters: &Parameters) -> Result<Client, Failure> {
    let malformed = Refusal::new(
        OAuthError::InvalidRequest,
        "client credentials are malformed",
    );
    let authorization = headers.get(header::AUTHORIZATION).map(HeaderValue::to_str);
    let authorization = authorization.transpose().map_err(|_| malformed)?;
    let credentials = Credentials::read(authorization, parameters)?;
    let found = clients::by_id(&app.db, &credentials.client).await?;
    let proven = credentials.prove(found);
    proven.map_err(|refusal| Failure::Refused(refusal, credentials.by_header))
}

async fn redeem(
    app: &App,
    client: &Client,
    exchange: &CodeExchange,
) -> Result<TokenAnswer, Failure> {
    let grant = grants::by_code(&app.db, exchange.code.hash()).await?;
    let grant = grant.ok_or(NO_CODE)?;
    let now = chance::unix_ms();
    let scopes = act(app, &grant.id, exchange.judge(&grant, client, now)).await?;
    let next = grant.is_offline().then(chance::secret);
    let first = grants::redeem(&app.db, &grant.id, now, next.as_ref().map(Secret::hash)).await?;
    lost_race(app, &grant.id, first, NO_CODE).await?;
    answer(app, client, &grant, &scopes, Occasion::Code, now, next).await
}

async fn refresh(
    app: &App,
    client: &Client,
    exchange: &RefreshExchange,
) -> Result<TokenAnswer, Failure> {
    let old = exchange.token.hash();
    let found = grants::by_refresh_token(&app.db, old).await?;
    let (token, grant) = found.ok_or(NO_TOKEN)?;
    let now = chance::unix_ms();
    let scopes = act(app, &grant.id, exchange.judge(&token, &grant, client, now)).await?;
    let next = chance::secret();
    let first = grants::rotate(&app.db, &grant.id, now, old, next.hash()).await?;
    lost_race(app, &grant.id, first, NO_TOKEN).await?;
    let next = Some(next);
    answer(app, client, &grant, &scopes, Occasion::Refresh, now, next).await
}

async fn act(app: &App, grant: &GrantId, verdict: Verdict) -> Result<Scopes, Failure> {
    match verdict {
        Verdict::Exchange(scopes) => Ok(scopes),
        Verdict::Refuse(refusal) => Err(refusal.into()),
        Verdict::Revoke(refusal) => {
            grants::revoke(&app.db, grant).await?;
            tracing::warn!(grant = %grant.0, "a code or token came again or did not fit: the grant was revoked");
            Err(refusal.into())
        }
    }
}

/// Two came with the same code or token at once: one of them has stolen it, and nobody knows which.
async fn lost_race(
    app: &App,
    grant: &GrantId,
    first: bool,
    refusal: Refusal,
) -> Result<(), Failure> {
    if first {
        return Ok(());
    }
    act(app, grant, Verdict::Revoke(refusal)).await.map(drop)
}

async fn answer(
    app: &App,
    client: &Client,
    grant: &Grant,
    scopes: &Scopes,
    occasion: Occasion,
    now: UnixMs,
    refresh: Option<Secret>,
) -> Result<TokenAnswer, Failure> {
    let ring = app.provider.keys.ring(&app.db).await?;
    let issue = Issue {
        issuer: &issuer(app),
        client,
        grant,
        scopes,
        occasion,
        now,
        token_id: chance::id(),
    };
    let tokens = issue.sign(ring.signer(now, client.algorithm)?);
    let tokens = tokens.map_err(|error| ApiError::internal(&error))?;
    tracing::info!(client = client.id.as_str(), grant = %grant.id.0, ?occasion, "tokens were given");
    Ok(TokenAnswer {
        access_token: tokens.access,
        token_type: "Bearer",
        expires_in: ACCESS_MS / 1000,
        id_token: tokens.id,
        refresh_token: refresh.map(|token| token.expose().to_owned()),
        scope: scopes.to_string(),
    })
}

pub async fn userinfo(app: State, From(from): From, headers: HeaderMap) -> Response {
    let answered = async {
        app.provider.take(from)?;
        let token = headers.get(header::AUTHORIZATION).and_then(bearer);
        let Some(token) = token else {
            return Ok(Err(None));
        };
        let ring = app.provider.keys.ring(&app.db).await?;
        let checked = check_access(token, ring.public(), &issuer(&app), chance::unix_ms());
        let claims = match checked {
            Ok(claims) => claims,
            Err(refusal) => return Ok(Err(Some(refusal))),
        };
        let account = grants::account(&app.db, &GrantId(claims.grant.clone())).await?;
        Ok::<_, ApiError>(match account {
            Some(account) => Ok(UserInfo::new(&claims, profile(&app, account).await?)),
            None => Err(Some(Refusal::new(
                OAuthError::InvalidToken,
                "what the token rests on was revoked",
            ))),
        })
    };
    match answered.await {
        Ok(Ok(info)) => (NOT_KEPT, Json(info)).into_response(),
        Ok(Err(refusal)) => not_let_in(refusal),
        Err(error) => error.into_response(),
    }
}

async fn profile(app: &App, account: Account) -> Result<Profile, StoreError> {
    Ok(Profile {
        groups: groups::names_of(&app.db, &account.id).await?,
        name: account.name,
        username: account.username,
        mail: account.mail,
        mail_is_vouched_for: matches!(account.source, PersonSource::Ldap | PersonSource::Scim),
    })
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// RFC 6750 section 3: without a token there is nothing to say of it.
fn not_let_in(refusal: Option<Refusal>) -> Response {
    let challenge = match refusal {
        None => "Bearer realm=\"stube\"".to_owned(),
        Some(refusal) => format!(
            "Bearer realm=\"stube\", error=\"{}\", error_description=\"{}\", scope=\"{}\"",
            refusal.error.as_str(),
            refusal.description,
            Scope::OpenId.as_str()
        ),
    };
    let scope = refusal.is_some_and(|refusal| refusal.error == OAuthError::InsufficientScope);
    let status = if scope {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::UNAUTHORIZED
    };
    (status, NOT_KEPT, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
}
