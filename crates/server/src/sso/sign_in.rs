//! `/sso/start` and `/sso/callback`: to a provider and back. People see no page of ours in between; what goes wrong is said
//! on the page of the sign-in (`problem`), from where they may try again.

use axum::extract::{Query, RawQuery};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::outside::id_token::{Expected, IdTokenError};
use identity::outside::request::Client;
use identity::outside::signature::SignatureError;
use identity::outside::{Answer, IdToken, LocalPath, Metadata, Pending, Profile, profile};
use identity::provider::Parameters;
use protocol::http::SignInMethod;
use serde::Deserialize;

use super::provider::{Outside, ProviderError, Tokens};
use super::{pending, people, redirect_uri};
use crate::app::App;
use crate::chance;
use crate::http::State;
use crate::http::caller::{Caller, From, SignedIn};
use crate::http::error::{ApiError, ApiResult};
use crate::sign_ins::{self, How};
use crate::store::identities::Subject;
use crate::store::sessions::Outside as OutsideSession;
use crate::store::users::Account;

/// Why somebody comes back without a sign-in, as the page of the sign-in knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    Denied,
    Unavailable,
    Failed,
}

impl Problem {
    fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }

    fn of(error: &ProviderError) -> Self {
        if error.may_pass() {
            Self::Unavailable
        } else {
            Self::Failed
        }
    }
}

#[derive(Deserialize)]
pub struct Start {
    #[serde(default)]
    provider: String,
    #[serde(default)]
    to: String,
    /// Only if nobody has to be shown anything.
    silent: Option<String>,
    /// Also for somebody who is signed in there: they show anew who they are.
    again: Option<String>,
}

pub async fn start(
    app: State,
    From(from): From,
    Caller(caller): Caller,
    browser: HeaderMap,
    Query(start): Query<Start>,
) -> ApiResult<Response> {
    app.sso.take(from)?;
    let to = LocalPath::parse(&start.to).unwrap_or_default();
    let silent = start.silent.is_some();
    if silent && caller.is_some() {
        return go(to.as_str(), HeaderMap::new());
    }
    let Some(outside) = app.sso.by_id(&start.provider) else {
        return stay(Problem::Failed, &to, silent, HeaderMap::new());
    };
    let metadata = match outside.metadata().await {
        Ok(metadata) => metadata,
        Err(error) => {
            tracing::debug!(provider = outside.id, %error, "the provider is not known yet");
            return stay(Problem::of(&error), &to, silent, HeaderMap::new());
        }
    };
    let state = chance::secret();
    let pending = Pending {
        provider: outside.id.clone(),
        nonce: chance::secret().expose().to_owned(),
        verifier: chance::secret().expose().to_owned(),
        to,
        began: chance::unix_ms(),
        silent,
    };
    let redirect_uri = redirect_uri(&app);
    let client = Client {
        id: &outside.client_id,
        redirect_uri: &redirect_uri,
        scopes: &outside.scopes,
    };
    let again = start.again.is_some();
    let address = pending.address(&metadata, &client, state.expose(), again);
    let mut headers = HeaderMap::new();
    pending::keep(&app, state.expose(), &pending, &browser, &mut headers)?;
    go(address.as_str(), headers)
}

pub async fn callback(
    app: State,
    From(from): From,
    Caller(before): Caller,
    browser: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    app.sso.take(from)?;
    let parameters = Parameters::parse(&query.unwrap_or_default());
    let state = parameters.one("state").ok().flatten().unwrap_or_default();
    let Some(pending) = pending::find(&app, state, &browser)? else {
        // Not begun here, or done already.
        return stay(
            Problem::Failed,
            &LocalPath::default(),
            false,
            HeaderMap::new(),
        );
    };
    let mut headers = HeaderMap::new();
    pending::forget(&app, state, &mut headers)?;
    let came = match app.sso.by_id(&pending.provider) {
        Some(outside) => come_back(&app, outside, &parameters, &pending).await?,
        None => Err(Problem::Failed),
    };
    match came {
        Ok(Some((account, session))) => {
            enter(&app, before, &account, session, &browser, &mut headers).await?;
            go(pending.to.as_str(), headers)
        }
        Ok(None) => go(pending.to.as_str(), headers),
        Err(problem) => stay(problem, &pending.to, pending.silent, headers),
    }
}

type Came = Result<Option<(Account, OutsideSession)>, Problem>;

/// `None`: asked silently, and nobody is signed in there.
async fn come_back(
    app: &App,
    outside: &Outside,
    parameters: &Parameters,
    pending: &Pending,
) -> ApiResult<Came> {
    let failed = |error: &ProviderError| {
        tracing::warn!(provider = outside.id, %error, "a sign-in failed");
        Ok(Err(Problem::of(error)))
    };
    let metadata = match outside.metadata().await {
        Ok(metadata) => metadata,
        Err(error) => return failed(&error),
    };
    let code = match Answer::read(parameters, &metadata, pending, chance::unix_ms()) {
        Ok(Answer::Code(code)) => code,
        Ok(Answer::NotSilently) => return Ok(Ok(None)),
        Ok(Answer::Denied) => return Ok(Err(Problem::Denied)),
        Ok(Answer::Unavailable) => return Ok(Err(Problem::Unavailable)),
        Err(error) => {
            tracing::info!(provider = outside.id, %error, "an answer is not taken");
            return Ok(Err(Problem::Failed));
        }
    };
    let redirect_uri = redirect_uri(app);
    let verifier = &pending.verifier;
    let tokens = outside.exchange(&metadata, &code, verifier, &redirect_uri);
    let tokens = match tokens.await {
        Ok(tokens) => tokens,
        Err(error) => return failed(&error),
    };
    let read = match read(outside, &metadata, &tokens, pending).await {
        Ok(read) => read,
        Err(error) => return failed(&error),
    };
    let Some((id_token, profile)) = read else {
        return Ok(Err(Problem::Failed));
    };
    let subject = Subject {
        issuer: &metadata.issuer,
        subject: &id_token.subject,
    };
    let account = people::account(app, outside, &subject, &profile).await?;
    let account = match account {
        Ok(account) => account,
        Err(refused) => {
            tracing::info!(provider = outside.id, %refused, "somebody is not let in");
            return Ok(Err(Problem::Denied));
        }
    };
    let session = session(app, &metadata, &id_token, &tokens)?;
    Ok(Ok(Some((account, session))))
}

/// Who it is. `None`: the token is not taken.
async fn read(
    outside: &Outside,
    metadata: &Metadata,
    tokens: &Tokens,
    pending: &Pending,
) -> Result<Option<(IdToken, Profile)>, ProviderError> {
    let expected = Expected {
        metadata,
        client_id: &outside.client_id,
        nonce: &pending.nonce,
        access_token: &tokens.access_token,
        now: chance::unix_ms(),
    };
    let unknown =
        |error: &IdTokenError| *error == IdTokenError::Signature(SignatureError::UnknownKey);
    let check = |keys: &_| IdToken::read(&tokens.id_token, keys, &expected);
    let id_token = match outside.check(metadata, check, unknown).await? {
        Ok(id_token) => id_token,
        Err(error) => {
            tracing::warn!(provider = outside.id, %error, "an ID token is not taken");
            return Ok(None);
        }
    };
    let groups_claim = &outside.groups_claim;
    let more = if profile::is_incomplete(&id_token.claims, groups_claim) {
        let subject = &id_token.subject;
        outside
            .userinfo(metadata, &tokens.access_token, subject)
            .await?
    } else {
        profile::Claims::new()
    };
    let profile = Profile::read(&id_token.subject, &id_token.claims, &more, groups_claim);
    Ok(profile.map(|profile| (id_token, profile)))
}

/// Sealed for whoever reads the database only: the provider takes it as a proof when the person leaves.
fn session(
    app: &App,
    metadata: &Metadata,
    id_token: &IdToken,
    tokens: &Tokens,
) -> ApiResult<OutsideSession> {
    let purpose = super::logout::purpose(&metadata.issuer, &id_token.subject);
    let sealed = app.sealer.seal(&purpose, tokens.id_token.as_bytes());
    Ok(OutsideSession {
        issuer: metadata.issuer.clone(),
        subject: id_token.subject.clone(),
        session: id_token.session.clone(),
        sealed_id_token: Some(sealed.map_err(|error| ApiError::internal(&format!("{error:#}")))?),
    })
}

async fn enter(
    app: &App,
    before: Option<SignedIn>,
    account: &Account,
    session: OutsideSession,
    browser: &HeaderMap,
    headers: &mut HeaderMap,
) -> ApiResult<()> {
    if let Some(before) = before {
        sign_ins::end(app, &before.session).await?;
    }
    let how = How {
        outside: Some(session),
        ..How::here(SignInMethod::Provider, browser)
    };
    let cookie = sign_ins::begin(app, account, how).await?;
    for line in cookie.get_all(header::SET_COOKIE) {
        headers.append(header::SET_COOKIE, line.clone());
    }
    Ok(())
}

/// Who was asked silently sees the page they wanted, as somebody who is not signed in.
fn stay(problem: Problem, to: &LocalPath, silent: bool, headers: HeaderMap) -> ApiResult<Response> {
    if silent {
        return go(to.as_str(), headers);
    }
    let page = Parameters::default().with("problem", problem.as_str());
    let page = if *to == LocalPath::default() {
        page
    } else {
        page.with("to", to.as_str())
    };
    go(&format!("/sign-in?{}", page.to_query()), headers)
}

fn go(location: &str, mut headers: HeaderMap) -> ApiResult<Response> {
    let location = HeaderValue::from_str(location).map_err(|error| ApiError::internal(&error))?;
    headers.insert(header::LOCATION, location);
    let nowhere = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, nowhere);
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
