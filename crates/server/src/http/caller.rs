//! Who asks: the account behind the cookie, the guest behind the grant, and the address behind the proxy.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use identity::throttle::Network;
use identity::{Secret, guest, session};
use protocol::ErrorCode;

use super::error::{ApiError, ApiResult};
use crate::app::App;
use crate::chance;
use crate::principal::{Kind, Principal, SessionId};
use crate::store::users::Account;
use crate::store::{guests, sessions};

/// A live sign-in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub session: SessionId,
    pub account: Account,
    /// When the password was typed.
    pub since: identity::UnixMs,
    pub expires: identity::UnixMs,
}

impl SignedIn {
    pub fn principal(self) -> Principal {
        Principal {
            kind: Kind::Account {
                user: self.account.id,
            },
            name: self.account.name,
            room_scope: None,
            session: self.session,
            expires: self.expires,
        }
    }
}

/// Somebody, signed in or not.
pub struct Caller(pub Option<SignedIn>);

impl FromRequestParts<super::Shared> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &super::Shared) -> ApiResult<Self> {
        signed_in(app, &parts.headers).await.map(Self)
    }
}

/// Somebody with an account; nobody else gets past this.
pub struct Member(pub SignedIn);

impl FromRequestParts<super::Shared> for Member {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &super::Shared) -> ApiResult<Self> {
        signed_in(app, &parts.headers)
            .await?
            .map(Self)
            .ok_or(ErrorCode::SignInRequired.into())
    }
}

/// Somebody with an account, or a guest with a grant.
pub struct Anybody(pub Principal);

impl FromRequestParts<super::Shared> for Anybody {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &super::Shared) -> ApiResult<Self> {
        let principal = match parts.headers.get(header::AUTHORIZATION) {
            Some(value) => guest(app, value).await?,
            None => signed_in(app, &parts.headers)
                .await?
                .map(SignedIn::principal),
        };
        principal.map(Self).ok_or(ErrorCode::SignInRequired.into())
    }
}

pub async fn signed_in(app: &App, headers: &HeaderMap) -> ApiResult<Option<SignedIn>> {
    let Some(secret) = session_cookie(app.origins.secure(), headers) else {
        return Ok(None);
    };
    let Some(found) = sessions::by_secret(&app.db, secret.hash()).await? else {
        return Ok(None);
    };
    let now = chance::unix_ms();
    match found.times.state(now) {
        session::State::Expired => return Ok(None),
        session::State::Touch => sessions::touch(&app.db, &found.id, now).await?,
        session::State::Live => {}
    }
    Ok(Some(SignedIn {
        session: found.id,
        account: found.account,
        since: found.times.created,
        expires: found.times.expires(),
    }))
}

async fn guest(app: &App, authorization: &HeaderValue) -> ApiResult<Option<Principal>> {
    let Some(secret) = bearer(authorization).and_then(Secret::parse) else {
        return Ok(None);
    };
    let Some(grant) = guests::by_secret(&app.db, secret.hash()).await? else {
        return Ok(None);
    };
    if !guest::is_live(grant.created, chance::unix_ms()) {
        return Ok(None);
    }
    Ok(Some(Principal {
        kind: Kind::Guest {
            grant: grant.id.clone(),
            invited: grant.invited,
        },
        name: grant.name,
        room_scope: Some(grant.room_id),
        session: grant.id,
        expires: guest::expires(grant.created),
    }))
}

/// What stands behind `Bearer`, however that is written (RFC 9110 section 11.1).
pub fn bearer(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// `__Host-`: only over TLS, only this host, only set by this host. Plain HTTP exists on localhost only.
pub fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-stube" } else { "stube" }
}

fn session_cookie(secure: bool, headers: &HeaderMap) -> Option<Secret> {
    let cookies = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == cookie_name(secure))
        .and_then(|(_, value)| Secret::parse(value))
}

/// The network a request comes from.
pub struct From(pub Network);

impl FromRequestParts<super::Shared> for From {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &super::Shared) -> ApiResult<Self> {
        let ConnectInfo(peer) = ConnectInfo::<SocketAddr>::from_request_parts(parts, app)
            .await
            .map_err(|_| ApiError::internal(&"the address of a connection is missing"))?;
        Ok(Self(app.proxies.client(peer.ip(), &parts.headers).into()))
    }
}

/// Reverse proxies that are believed. Nobody else's `X-Forwarded-For` is.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<IpAddr>);

impl Proxies {
    pub fn new(addresses: &[IpAddr]) -> Self {
        Self(addresses.iter().map(IpAddr::to_canonical).collect())
    }

    /// The nearest address that is no proxy of ours; what stands before it in the list is hearsay.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lines = headers
            .get_all("x-forwarded-for")
            .into_iter()
            .filter_map(|value| value.to_str().ok());
        let mut said: Vec<&str> = lines
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .collect();
        let mut nearest = peer.to_canonical();
        while self.0.contains(&nearest) {
            match said.pop().and_then(|text| text.parse::<IpAddr>().ok()) {
                Some(before) => nearest = before.to_canonical(),
                None => break,
            }
        }
        nearest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_proxies_say_who_asks() {
        let proxies = Proxies::new(&[
            "127.0.0.1".parse().expect("address"),
            "10.0.0.1".parse().expect("address"),
        ]);
        let check = |what: &str, peer: &str, said: &str, expect: &str| {
            let mut headers = HeaderMap::new();
            if !said.is_empty() {
                headers.insert(
                    "x-forwarded-for",
                    HeaderValue::from_str(said).expect("a header"),
                );
            }
            let client = proxies.client(peer.parse().expect("address"), &headers);
            assert_eq!(client.to_string(), expect, "{what}");
        };
        check("no proxy", "192.0.2.1", "", "192.0.2.1");
        check("a liar", "192.0.2.1", "198.51.100.1", "192.0.2.1");
        check("our proxy", "127.0.0.1", "192.0.2.1", "192.0.2.1");
        check(
            "our proxy, IPv4 in IPv6",
            "::ffff:127.0.0.1",
            "192.0.2.1",
            "192.0.2.1",
        );
        check(
            "two of ours",
            "127.0.0.1",
            "192.0.2.1, 10.0.0.1",
            "192.0.2.1",
        );
        check(
            "a liar behind our proxy",
            "127.0.0.1",
            "10.0.0.1, 192.0.2.1",
            "192.0.2.1",
        );
        check("our proxy says nothing", "127.0.0.1", "", "127.0.0.1");
        check(
            "our proxy says nonsense",
            "127.0.0.1",
            "unknown",
            "127.0.0.1",
        );
    }

    #[test]
    fn the_cookie_of_the_right_name_is_found_among_others() {
        let secret = chance::secret();
        let line = format!("a=b; stube=old; __Host-stube={}; c", secret.expose());
        let headers = HeaderMap::from_iter([(
            header::COOKIE,
            HeaderValue::from_str(&line).expect("a header"),
        )]);
        assert!(session_cookie(true, &headers).is_some_and(|found| found.is(&secret)));
        assert!(session_cookie(false, &headers).is_none());
    }
}
