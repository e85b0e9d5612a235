//! Whether an ID token is for us, for this sign-in, and still good (OpenID Connect Core section 3.1.3.7).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::signature::{KeySet, SignatureError};
use super::{LEEWAY_S, Metadata};
use crate::UnixMs;

/// Longer ones are not allowed.
const SUBJECT_BYTES: usize = 255;

/// A sign-in at a provider that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct IdToken {
    pub subject: String,
    /// The provider's name for its session (`sid`).
    pub session: Option<String>,
    /// All that it says.
    pub claims: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    #[error("{0}")]
    Signature(#[from] SignatureError),
    #[error("of another issuer")]
    Issuer,
    #[error("for another client")]
    Audience,
    #[error("expired, or from the future")]
    Time,
    #[error("of another sign-in")]
    Nonce,
    #[error("of another access token")]
    AccessToken,
    #[error("of nobody")]
    Subject,
}

/// What this sign-in expects.
#[derive(Debug)]
pub struct Expected<'a> {
    pub metadata: &'a Metadata,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub access_token: &'a str,
    pub now: UnixMs,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    /// Some write fractions.
    exp: f64,
    iat: f64,
    nonce: Option<String>,
    at_hash: Option<String>,
    sid: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    More(Vec<String>),
}

impl Audience {
    pub(super) fn has(&self, client: &str) -> bool {
        match self {
            Self::One(one) => one == client,
            Self::More(more) => more.iter().any(|one| one == client),
        }
    }

    fn is_shared(&self) -> bool {
        matches!(self, Self::More(more) if more.len() > 1)
    }
}

impl IdToken {
    pub fn read(token: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<Self, IdTokenError> {
        let (algorithm, claims): (_, Claims) = keys.verify(token)?;
        if claims.iss != expected.metadata.issuer {
            return Err(IdTokenError::Issuer);
        }
        check_audience(&claims, expected.client_id)?;
        if !is_current(claims.iat, claims.exp, expected.now) {
            return Err(IdTokenError::Time);
        }
        let nonce = claims.nonce.unwrap_or_default();
        if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
            return Err(IdTokenError::Nonce);
        }
        let hash = half_hash(algorithm, expected.access_token);
        if claims.at_hash.is_some_and(|said| said != hash) {
            return Err(IdTokenError::AccessToken);
        }
        if claims.sub.is_empty() || claims.sub.len() > SUBJECT_BYTES {
            return Err(IdTokenError::Subject);
        }
        Ok(Self {
            subject: claims.sub,
            session: claims.sid.filter(|session| !session.is_empty()),
            claims: claims.rest,
        })
    }
}

fn check_audience(claims: &Claims, client_id: &str) -> Result<(), IdTokenError> {
    let party = claims.azp.as_deref();
    let ours = claims.aud.has(client_id)
        && party.is_none_or(|party| party == client_id)
        && (party.is_some() || !claims.aud.is_shared());
    if ours {
        Ok(())
    } else {
        Err(IdTokenError::Audience)
    }
}

/// In seconds, as tokens count.
pub(super) fn is_current(issued: f64, expires: f64, now: UnixMs) -> bool {
    let now = now as f64 / 1000.0;
    let leeway = LEEWAY_S as f64;
    expires + leeway > now && issued - leeway < now
}

fn half_hash(algorithm: Algorithm, text: &str) -> String {
    let hash = match algorithm {
        Algorithm::EdDSA => Sha512::digest(text).to_vec(),
        _ => Sha256::digest(text).to_vec(),
    };
    let half = hash.get(..hash.len() / 2).unwrap_or_default();
    BASE64_URL_SAFE_NO_PAD.encode(half)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{self, CLIENT, NONCE, NOW, Signer, claims, metadata};
    use super::*;
    use serde_json::json;

    fn read(token: &str, now: UnixMs) -> Result<IdToken, IdTokenError> {
        let metadata = metadata();
        let expected = Expected {
            metadata: &metadata,
            client_id: CLIENT,
            nonce: NONCE,
            access_token: "access",
            now,
        };
        IdToken::read(token, &testing::keys(), &expected)
    }

    fn changed(changes: Value) -> Result<IdToken, IdTokenError> {
        let mut claims = claims();
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let claims: Map<String, Value> = claims.as_object().expect("an object").clone();
        let claims = claims.into_iter().filter(|(_, value)| !value.is_null());
        let claims = Value::Object(claims.collect());
        read(&Signer::new(Algorithm::RS256).kid("rsa").sign(&claims), NOW)
    }

    #[test]
    fn a_good_one_says_who_came() {
        let token = changed(json!({"sid": "there", "name": "Änne"})).expect("a good one");
        assert_eq!(token.subject, "änne-1");
        assert_eq!(token.session.as_deref(), Some("there"));
        assert_eq!(token.claims["name"], "Änne");
    }

    #[test]
    fn everything_it_says_is_compared() {
        let seconds = NOW / 1000;
        let other = [CLIENT, "other"];
        for (what, changes, expect) in [
            ("as it should be", json!({}), None),
            (
                "another issuer",
                json!({"iss": "https://evil.example"}),
                Some(IdTokenError::Issuer),
            ),
            (
                "a slash more",
                json!({"iss": "https://id.example.org/"}),
                Some(IdTokenError::Issuer),
            ),
            (
                "another client",
                json!({"aud": "other"}),
                Some(IdTokenError::Audience),
            ),
            ("nobody", json!({"aud": []}), Some(IdTokenError::Audience)),
            ("us in a list", json!({"aud": [CLIENT]}), None),
            (
                "us and another",
                json!({"aud": other}),
                Some(IdTokenError::Audience),
            ),
            (
                "us and another, for us",
                json!({"aud": other, "azp": CLIENT}),
                None,
            ),
            (
                "us, for another",
                json!({"azp": "other"}),
                Some(IdTokenError::Audience),
            ),
            (
                "expired within the leeway",
                json!({"exp": seconds - LEEWAY_S + 1}),
                None,
            ),
            (
                "expired",
                json!({"exp": seconds - LEEWAY_S}),
                Some(IdTokenError::Time),
            ),
            ("a fast clock", json!({"iat": seconds + LEEWAY_S - 1}), None),
            (
                "the future",
                json!({"iat": seconds + LEEWAY_S}),
                Some(IdTokenError::Time),
            ),
            ("fractions", json!({"exp": NOW as f64 / 1000.0 + 0.5}), None),
            (
                "another nonce",
                json!({"nonce": "n-2"}),
                Some(IdTokenError::Nonce),
            ),
            (
                "no nonce",
                json!({"nonce": null}),
                Some(IdTokenError::Nonce),
            ),
            (
                "the hash of the access token",
                json!({"at_hash": half_hash(Algorithm::RS256, "access")}),
                None,
            ),
            (
                "of another",
                json!({"at_hash": half_hash(Algorithm::RS256, "other")}),
                Some(IdTokenError::AccessToken),
            ),
            ("nobody's", json!({"sub": ""}), Some(IdTokenError::Subject)),
            (
                "a novel",
                json!({"sub": "a".repeat(256)}),
                Some(IdTokenError::Subject),
            ),
            (
                "without an end",
                json!({"exp": null}),
                Some(IdTokenError::Signature(SignatureError::Malformed)),
            ),
        ] {
            assert_eq!(changed(changes).err(), expect, "{what}");
        }
    }

    #[test]
    fn the_hash_is_the_one_of_the_algorithm() {
        let mut claims = claims();
        claims["at_hash"] = json!(half_hash(Algorithm::EdDSA, "access"));
        let sign = |algorithm, kid| Signer::new(algorithm).kid(kid).sign(&claims);
        assert!(read(&sign(Algorithm::EdDSA, "ed"), NOW).is_ok());
        let refused = read(&sign(Algorithm::RS256, "rsa"), NOW).err();
        assert_eq!(refused, Some(IdTokenError::AccessToken));
    }
}
