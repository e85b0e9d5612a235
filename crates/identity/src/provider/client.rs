//! Applications that are registered here, where they may have people sent, and how they prove who they are.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use subtle::ConstantTimeEq;
use url::{Host, Url};

use super::jose::Algorithm;
use super::{OAuthError, Parameters, Refusal};
use crate::Secret;

const URI_BYTES: usize = 1024;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientId(pub String);

impl ClientId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub id: ClientId,
    /// What people read when they are asked.
    pub name: String,
    /// Without one the client is public: it runs where secrets cannot be kept.
    pub secret: Option<ClientSecretHash>,
    /// Belongs to the house: nobody is asked.
    pub trusted: bool,
    pub redirect_uris: Vec<RedirectUri>,
    pub post_logout_uris: Vec<RedirectUri>,
    /// What its tokens are signed with.
    pub algorithm: Algorithm,
}

impl Client {
    /// The registered address that is equal, character by character (RFC 9700 section 2.1).
    pub fn redirect_uri(&self, asked: &str) -> Option<&RedirectUri> {
        self.redirect_uris.iter().find(|uri| uri.as_str() == asked)
    }

    pub fn post_logout_uri(&self, asked: &str) -> Option<&RedirectUri> {
        self.post_logout_uris
            .iter()
            .find(|uri| uri.as_str() == asked)
    }
}

/// Hexadecimal SHA-256 of a client's secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSecretHash(String);

impl ClientSecretHash {
    pub fn of(secret: &Secret) -> Self {
        Self(secret.hash().to_hex())
    }

    pub fn from_stored(hex: String) -> Self {
        Self(hex)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_of(&self, presented: &str) -> bool {
        let hash = Secret::parse(presented).map(|secret| secret.hash().to_hex());
        hash.is_some_and(|hash| hash.as_bytes().ct_eq(self.0.as_bytes()).into())
    }
}

/// An address that people may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    #[error(
        "must be a whole address of plain characters, as in https://app.example.org/callback, without any *"
    )]
    Malformed,
    #[error("must not have a fragment, a user or a password in it")]
    Parts,
    #[error(
        "must begin with https://, or with http:// on this computer; an app of a public client may have a scheme of its own \
         with a dot in it"
    )]
    Scheme,
}

impl RedirectUri {
    /// At registration.
    pub fn parse(text: &str, public_client: bool) -> Result<Self, RedirectUriError> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !br#"*"<>\^`{|}"#.contains(&byte);
        if text.len() > URI_BYTES || !text.bytes().all(plain) {
            return Err(RedirectUriError::Malformed);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::Malformed)?;
        if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(RedirectUriError::Parts);
        }
        let allowed = match url.scheme() {
            "https" => true,
            "http" => is_this_computer(&url),
            own => public_client && own.contains('.'),
        };
        if !allowed {
            return Err(RedirectUriError::Scheme);
        }
        Ok(Self(text.to_owned()))
    }

    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a content security policy names where it leads: Chromium holds a form's redirects against `form-action`.
    pub fn policy_source(&self) -> Option<String> {
        let url = Url::parse(&self.0).ok()?;
        let origin = url.origin();
        Some(if origin.is_tuple() {
            origin.ascii_serialization()
        } else {
            format!("{}:", url.scheme())
        })
    }
}

fn is_this_computer(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// What a client says to show who it is. No secret is printed.
#[derive(PartialEq, Eq)]
pub struct Credentials {
    pub client: ClientId,
    secret: Option<String>,
    /// By the `Authorization` header: then the refusal speaks of it, too.
    pub by_header: bool,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credentials").field(&self.client).finish()
    }
}

impl Credentials {
    /// `client_secret_basic`, `client_secret_post`, or the bare id of a public client; never two ways at once.
    pub fn read(authorization: Option<&str>, body: &Parameters) -> Result<Self, Refusal> {
        let malformed = || {
            Refusal::new(
                OAuthError::InvalidRequest,
                "client credentials are malformed",
            )
        };
        let id = body.one("client_id").map_err(|_| malformed())?;
        let secret = body.one("client_secret").map_err(|_| malformed())?;
        let Some(authorization) = authorization else {
            let id = id.ok_or(Refusal::new(
                OAuthError::InvalidClient,
                "the client does not say who it is",
            ))?;
            return Ok(Self {
                client: ClientId(id.to_owned()),
                secret: secret.map(str::to_owned),
                by_header: false,
            });
        };
        let (client, header_secret) = basic(authorization).ok_or_else(malformed)?;
        if secret.is_some() || id.is_some_and(|id| id != client) {
            return Err(malformed());
        }
        Ok(Self {
            client: ClientId(client),
            secret: Some(header_secret),
            by_header: true,
        })
    }

    /// An unknown client and a wrong secret are refused in the same words.
    pub fn prove(&self, found: Option<Client>) -> Result<Client, Refusal> {
        let refusal = Refusal::new(
            OAuthError::InvalidClient,
            "the client is not known or its secret is wrong",
        );
        let client = found.ok_or(refusal)?;
        let proven = match (&client.secret, &self.secret) {
            (Some(hash), Some(secret)) => hash.is_of(secret),
            (None, None) => true,
            _ => false,
        };
        if proven { Ok(client) } else { Err(refusal) }
    }
}

/// Both halves are form-encoded before they are put together (RFC 6749 section 2.3.1).
fn basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |half: &str| {
        let pairs = Parameters::parse(&format!("x={}", half.replace('&', "%26")));
        pairs.one("x").ok().flatten().map(str::to_owned)
    };
    Some((decoded(id)?, decoded(secret)?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SECRET, client, public_client};
    use super::*;

    #[test]
    fn only_addresses_that_nobody_else_can_take_are_registered() {
        let check = |what: &str, text: &str, public: bool, expect: Option<RedirectUriError>| {
            assert_eq!(RedirectUri::parse(text, public).err(), expect, "{what}");
        };
        use RedirectUriError::{Malformed, Parts, Scheme};
        check("usual", "https://app.example.org/cb", false, None);
        check(
            "with a query",
            "https://app.example.org/cb?a=b",
            false,
            None,
        );
        check("this computer", "http://localhost:3000/cb", false, None);
        check(
            "this computer by number",
            "http://127.0.0.1/cb",
            false,
            None,
        );
        check("IPv6", "http://[::1]:3000/cb", false, None);
        check("an app", "org.example.app:/cb", true, None);
        check(
            "an app cannot keep a secret",
            "org.example.app:/cb",
            false,
            Some(Scheme),
        );
        check(
            "plain http",
            "http://app.example.org/cb",
            true,
            Some(Scheme),
        );
        check(
            "looks like this computer",
            "http://localhost.example.org/cb",
            true,
            Some(Scheme),
        );
        check("script", "javascript:alert(1)", true, Some(Scheme));
        check("data", "data:text/html,x", true, Some(Scheme));
        check("fragment", "https://app.example.org/#x", false, Some(Parts));
        check("user", "https://a@app.example.org/", false, Some(Parts));
        check("wildcard", "https://*.example.org/", false, Some(Malformed));
        check("relative", "/cb", false, Some(Malformed));
        check(
            "white space",
            "https://app.example.org/ ",
            false,
            Some(Malformed),
        );
        check(
            "backslash",
            "https://app.example.org\\cb",
            false,
            Some(Malformed),
        );
        check(
            "letters",
            "https://äpp.example.org/",
            false,
            Some(Malformed),
        );
        check("empty", "", false, Some(Malformed));
    }

    #[test]
    fn a_policy_names_the_origin_or_the_scheme() {
        let check = |text: &str, expect: &str| {
            let uri = RedirectUri::from_stored(text.to_owned());
            assert_eq!(uri.policy_source().as_deref(), Some(expect));
        };
        check("https://app.example.org/cb?x=1", "https://app.example.org");
        check("http://[::1]:3000/cb", "http://[::1]:3000");
        check("org.example.app:/cb", "org.example.app:");
    }

    fn proven(
        authorization: Option<&str>,
        body: &str,
        found: Option<Client>,
    ) -> Result<(), OAuthError> {
        Credentials::read(authorization, &Parameters::parse(body))
            .and_then(|credentials| credentials.prove(found))
            .map(drop)
            .map_err(|refusal| refusal.error)
    }

    #[test]
    fn a_client_proves_who_it_is_in_one_way() {
        let basic = |pair: String| format!("Basic {}", BASE64_STANDARD.encode(pair));
        let secret = Secret::new([SECRET; 32]).expose().to_owned();
        let other = Secret::new([9; 32]).expose().to_owned();
        let right = basic(format!("app:{secret}"));
        let post = format!("client_id=app&client_secret={secret}");
        let check = |what: &str,
                     header: Option<&str>,
                     body: &str,
                     found: Option<Client>,
                     expect: Result<(), OAuthError>| {
            assert_eq!(proven(header, body, found), expect, "{what}");
        };
        let wrong = Err(OAuthError::InvalidClient);
        let malformed = Err(OAuthError::InvalidRequest);
        check("by header", Some(&right), "", Some(client()), Ok(()));
        check(
            "by header, in any case and form-encoded",
            Some(&basic(format!("%61pp:{secret}")).replacen("Basic", "bASIC", 1)),
            "client_id=app",
            Some(client()),
            Ok(()),
        );
        check("by body", None, &post, Some(client()), Ok(()));
        check(
            "public",
            None,
            "client_id=spa",
            Some(public_client()),
            Ok(()),
        );
        check("nobody", None, "", Some(client()), wrong);
        check("unknown", None, &post, None, wrong);
        check("no secret", None, "client_id=app", Some(client()), wrong);
        check(
            "another secret",
            Some(&basic(format!("app:{other}"))),
            "",
            Some(client()),
            wrong,
        );
        check(
            "the hash instead of the secret",
            None,
            &format!(
                "client_id=app&client_secret={}",
                ClientSecretHash::of(&Secret::new([SECRET; 32])).as_str()
            ),
            Some(client()),
            wrong,
        );
        check(
            "a public client with a secret",
            None,
            &format!("client_id=spa&client_secret={secret}"),
            Some(public_client()),
            wrong,
        );
        check("both ways", Some(&right), &post, Some(client()), malformed);
        check(
            "two ids",
            Some(&right),
            "client_id=other",
            Some(client()),
            malformed,
        );
        check(
            "an id twice",
            None,
            "client_id=app&client_id=app",
            Some(client()),
            malformed,
        );
        check("bearer", Some("Bearer x"), "", Some(client()), malformed);
        check("nonsense", Some("Basic ?"), "", Some(client()), malformed);
    }
}
