//! The end of a sign-in, told by the provider (back-channel logout) or to it (RP-initiated logout).

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::id_token::{Audience, is_current};
use super::signature::{KeySet, SignatureError};
use super::{LEEWAY_S, Metadata};
use crate::UnixMs;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Providers send it at once; one without an end is good for so long, in seconds.
const LIFE_S: u64 = 10 * 60;
const NAME_BYTES: usize = 255;
/// Longer addresses are cut off by servers on the way.
const HINT_BYTES: usize = 4 * 1024;

/// Which sessions end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOut {
    /// All of this person's, if no session is named.
    pub subject: Option<String>,
    pub session: Option<String>,
    /// Whoever sees it a second time refuses, as long as the token is good.
    pub id: String,
    pub good_until: UnixMs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoutError {
    #[error("{0}")]
    Signature(#[from] SignatureError),
    #[error("no logout token")]
    Kind,
    #[error("of another issuer, or for another client")]
    Parties,
    #[error("expired, or from the future")]
    Time,
    #[error("of nobody")]
    Nobody,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    iat: f64,
    exp: Option<f64>,
    jti: Option<String>,
    events: Option<Map<String, Value>>,
    sub: Option<String>,
    sid: Option<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Whose token this claims to be; nothing is proven by it.
pub fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Issued {
        iss: String,
    }
    let claims = jsonwebtoken::dangerous::insecure_decode_claims::<Issued>(token);
    claims.ok().map(|claims| claims.iss)
}

impl LoggedOut {
    /// Section 2.6 of Back-Channel Logout 1.0.
    pub fn read(
        token: &str,
        keys: &KeySet,
        metadata: &Metadata,
        client_id: &str,
        now: UnixMs,
    ) -> Result<Self, LogoutError> {
        if !names_its_kind(token) {
            return Err(LogoutError::Kind);
        }
        let (_, claims): (_, Claims) = keys.verify(token)?;
        if claims.iss != metadata.issuer || !claims.aud.has(client_id) {
            return Err(LogoutError::Parties);
        }
        let end = claims.exp.unwrap_or(claims.iat + LIFE_S as f64);
        if !is_current(claims.iat, end, now) || end - claims.iat > LIFE_S as f64 * 6.0 {
            return Err(LogoutError::Time);
        }
        let event = claims.events.as_ref().and_then(|events| events.get(EVENT));
        let id = claims
            .jti
            .filter(|id| is_name(id))
            .ok_or(LogoutError::Kind)?;
        // An ID token has a nonce: it must never be taken for one of these.
        if !event.is_some_and(Value::is_object) || claims.rest.contains_key("nonce") {
            return Err(LogoutError::Kind);
        }
        let named = |name: Option<String>| name.filter(|name| is_name(name));
        let (subject, session) = (named(claims.sub), named(claims.sid));
        if subject.is_none() && session.is_none() {
            return Err(LogoutError::Nobody);
        }
        Ok(Self {
            subject,
            session,
            id,
            good_until: (end.max(0.0) as u64 + LEEWAY_S).saturating_mul(1000),
        })
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_BYTES
}

/// A kind of its own if it says one; older providers say none, or `JWT`.
fn names_its_kind(token: &str) -> bool {
    let header = jsonwebtoken::decode_header(token);
    let kind = header.ok().and_then(|header| header.typ);
    kind.is_none_or(|kind| {
        let kind = kind.trim_start_matches("application/");
        kind.eq_ignore_ascii_case("logout+jwt") || kind.eq_ignore_ascii_case("JWT")
    })
}

/// Where the browser goes to end the sign-in over there as well.
pub fn address(
    metadata: &Metadata,
    client_id: &str,
    id_token: Option<&str>,
    back_to: &str,
) -> Option<Url> {
    let mut address = metadata.end_session_endpoint.clone()?;
    {
        let mut query = address.query_pairs_mut();
        if let Some(token) = id_token.filter(|token| token.len() <= HINT_BYTES) {
            query.append_pair("id_token_hint", token);
        }
        query
            .append_pair("client_id", client_id)
            .append_pair("post_logout_redirect_uri", back_to);
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{self, CLIENT, NOW, Signer, metadata};
    use super::*;
    use crate::provider::Parameters;
    use jsonwebtoken::Algorithm;
    use serde_json::json;

    fn token(changes: Value) -> Value {
        let seconds = NOW / 1000;
        let mut claims = json!({
            "iss": "https://id.example.org",
            "aud": CLIENT,
            "iat": seconds,
            "exp": seconds + 120,
            "jti": "once",
            "events": {EVENT: {}},
            "sub": "anna",
            "sid": "there",
        });
        for (name, value) in changes.as_object().expect("an object") {
            match value {
                Value::Null => drop(claims.as_object_mut().expect("an object").remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        claims
    }

    fn read(token: &str) -> Result<LoggedOut, LogoutError> {
        LoggedOut::read(token, &testing::keys(), &metadata(), CLIENT, NOW)
    }

    fn signer() -> Signer {
        Signer::new(Algorithm::RS256).kid("rsa")
    }

    #[test]
    fn a_good_one_says_which_sessions_end() {
        for (changes, subject, session) in [
            (json!({}), Some("anna"), Some("there")),
            (json!({"sid": null}), Some("anna"), None),
            (json!({"sub": null}), None, Some("there")),
        ] {
            let read = read(&signer().sign(&token(changes))).expect("a good one");
            assert_eq!(read.subject.as_deref(), subject);
            assert_eq!(read.session.as_deref(), session);
            assert_eq!(read.id, "once");
            assert_eq!(read.good_until, NOW + 180_000);
        }
    }

    #[test]
    fn everything_it_says_is_checked() {
        let seconds = NOW / 1000;
        for (what, changes, expect) in [
            ("as it should be", json!({}), None),
            (
                "another issuer",
                json!({"iss": "https://evil.example"}),
                Some(LogoutError::Parties),
            ),
            (
                "another client",
                json!({"aud": ["other"]}),
                Some(LogoutError::Parties),
            ),
            ("us among others", json!({"aud": ["other", CLIENT]}), None),
            (
                "expired",
                json!({"exp": seconds - 61}),
                Some(LogoutError::Time),
            ),
            (
                "the future",
                json!({"iat": seconds + 61}),
                Some(LogoutError::Time),
            ),
            (
                "for ever",
                json!({"exp": seconds + 86_400}),
                Some(LogoutError::Time),
            ),
            ("without an end", json!({"exp": null}), None),
            (
                "without an end, old",
                json!({"exp": null, "iat": seconds - 661}),
                Some(LogoutError::Time),
            ),
            ("no event", json!({"events": null}), Some(LogoutError::Kind)),
            (
                "another event",
                json!({"events": {"x": {}}}),
                Some(LogoutError::Kind),
            ),
            (
                "an event that is none",
                json!({"events": {EVENT: true}}),
                Some(LogoutError::Kind),
            ),
            ("a nonce", json!({"nonce": "n"}), Some(LogoutError::Kind)),
            ("no id", json!({"jti": null}), Some(LogoutError::Kind)),
            (
                "nobody",
                json!({"sub": null, "sid": null}),
                Some(LogoutError::Nobody),
            ),
            (
                "an empty nobody",
                json!({"sub": "", "sid": ""}),
                Some(LogoutError::Nobody),
            ),
        ] {
            let refused = read(&signer().sign(&token(changes))).err();
            assert_eq!(refused, expect, "{what}");
        }
    }

    #[test]
    fn other_tokens_and_other_signers_are_refused() {
        let claims = token(json!({}));
        for kind in ["logout+jwt", "application/logout+jwt", "JWT", "LOGOUT+JWT"] {
            assert!(read(&signer().kind(kind).sign(&claims)).is_ok(), "{kind}");
        }
        let access = signer().kind("at+jwt").sign(&claims);
        assert_eq!(read(&access), Err(LogoutError::Kind));
        let id_token = signer().sign(&testing::claims());
        assert_eq!(read(&id_token), Err(LogoutError::Kind));
        let wrong = Signer::new(Algorithm::EdDSA)
            .kid("ed")
            .seed(9)
            .sign(&claims);
        assert_eq!(
            read(&wrong),
            Err(LogoutError::Signature(SignatureError::Wrong))
        );
        assert_eq!(
            read("x"),
            Err(LogoutError::Signature(SignatureError::Malformed))
        );
    }

    #[test]
    fn whose_it_claims_to_be_can_be_seen_before_anything_is_proven() {
        let token = signer().sign(&token(json!({})));
        assert_eq!(
            claimed_issuer(&token).as_deref(),
            Some("https://id.example.org")
        );
        for bad in ["", "a.b.c", "..", "e30.e30."] {
            assert_eq!(claimed_issuer(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_provider_is_told_who_leaves_and_where_they_go() {
        let back = "https://meet.example.org/sign-in";
        let address = address(&metadata(), CLIENT, Some("token"), back).expect("an address");
        let query = Parameters::parse(address.query().expect("a query"));
        for (name, value) in [
            ("x", "1"),
            ("id_token_hint", "token"),
            ("client_id", CLIENT),
            ("post_logout_redirect_uri", back),
        ] {
            assert_eq!(query.one(name), Ok(Some(value)), "{name}");
        }
        let long = "a".repeat(HINT_BYTES + 1);
        let address = super::address(&metadata(), CLIENT, Some(&long), back).expect("an address");
        assert!(address.as_str().len() < HINT_BYTES);
        let mut metadata = metadata();
        metadata.end_session_endpoint = None;
        assert_eq!(super::address(&metadata, CLIENT, None, back), None);
    }
}
