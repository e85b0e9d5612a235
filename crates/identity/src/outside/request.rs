//! Going to a provider and coming back: the address people are sent to, and what the answer must be like.
//!
//! What is remembered in between lies sealed in the browser, bound to the `state`: an answer that this browser did not ask
//! for finds nothing.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::Metadata;
use crate::UnixMs;
use crate::provider::Parameters;

/// As long as people may take to sign in over there.
pub const PENDING_MS: u64 = 10 * 60 * 1000;
const PATH_BYTES: usize = 2_048;

/// A page of our own that a sign-in comes back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalPath(String);

impl LocalPath {
    /// `None` for whatever might lead elsewhere, or round in a circle. The fragment stays in the browser and is not ours.
    pub fn parse(text: &str) -> Option<Self> {
        let odd = |c: char| c == '\\' || c == '#' || c.is_control() || c.is_whitespace();
        if text.len() > PATH_BYTES || !text.starts_with('/') || text.contains(odd) {
            return None;
        }
        // As a browser would read it.
        let here = Url::parse("http://here.invalid").ok()?;
        let url = here.join(text).ok()?;
        let circle = ["/sso/", "/api/", "/sign-in"];
        let leads_on = !circle.iter().any(|prefix| url.path().starts_with(prefix));
        if url.origin() != here.origin() || url.path().starts_with("//") || !leads_on {
            return None;
        }
        Some(Self(url[url::Position::BeforePath..].to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LocalPath {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

/// One sign-in on its way. Holds secrets: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Which provider was asked: another one's answer is worth nothing.
    pub provider: String,
    pub nonce: String,
    pub verifier: String,
    pub to: LocalPath,
    pub began: UnixMs,
    /// Nobody is to be shown anything (`prompt=none`).
    pub silent: bool,
}

/// Who asks, and for what.
#[derive(Debug)]
pub struct Client<'a> {
    pub id: &'a str,
    pub redirect_uri: &'a str,
    pub scopes: &'a [String],
}

impl Pending {
    /// Where the browser goes. `again`: the person has to show anew who they are.
    pub fn address(
        &self,
        metadata: &Metadata,
        client: &Client<'_>,
        state: &str,
        again: bool,
    ) -> Url {
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier));
        let mut address = metadata.authorization_endpoint.clone();
        let mut query = address.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", client.id)
            .append_pair("redirect_uri", client.redirect_uri)
            .append_pair("scope", &client.scopes.join(" "))
            .append_pair("state", state)
            .append_pair("nonce", &self.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if self.silent {
            query.append_pair("prompt", "none");
        } else if again {
            query.append_pair("prompt", "login");
        }
        drop(query);
        address
    }

    pub fn is_live(&self, now: UnixMs) -> bool {
        now < self.began.saturating_add(PENDING_MS) && self.began <= now
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Good once, for tokens.
    Code(String),
    /// The provider or the person said no.
    Denied,
    /// The provider cannot at the moment.
    Unavailable,
    /// Asked silently, and somebody would have to be shown something.
    NotSilently,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    #[error("a parameter is missing or stands twice")]
    Malformed,
    #[error("another issuer answers")]
    OtherIssuer,
    #[error("it took too long")]
    Late,
    #[error("the provider refuses what we ask for")]
    Refused,
}

impl Answer {
    pub fn read(
        parameters: &Parameters,
        metadata: &Metadata,
        pending: &Pending,
        now: UnixMs,
    ) -> Result<Self, AnswerError> {
        let one = |name| parameters.one(name).map_err(|_| AnswerError::Malformed);
        if !pending.is_live(now) {
            return Err(AnswerError::Late);
        }
        match one("iss")? {
            Some(issuer) if issuer != metadata.issuer => return Err(AnswerError::OtherIssuer),
            None if metadata.answers_name_issuer => return Err(AnswerError::OtherIssuer),
            _ => {}
        }
        match (one("code")?, one("error")?) {
            (Some(code), None) => Ok(Self::Code(code.to_owned())),
            (None, Some(_)) if pending.silent => Ok(Self::NotSilently),
            (None, Some("access_denied")) => Ok(Self::Denied),
            (None, Some("temporarily_unavailable" | "server_error")) => Ok(Self::Unavailable),
            (None, Some(_)) => Err(AnswerError::Refused),
            _ => Err(AnswerError::Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, metadata};
    use super::*;

    fn pending(silent: bool) -> Pending {
        Pending {
            provider: "id-example-org".to_owned(),
            nonce: "n".to_owned(),
            // Appendix B of RFC 7636.
            verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned(),
            to: LocalPath::default(),
            began: NOW,
            silent,
        }
    }

    #[test]
    fn a_sign_in_comes_back_to_pages_of_ours_only() {
        let check = |what: &str, text: &str, expect: Option<&str>| {
            let path = LocalPath::parse(text);
            assert_eq!(path.as_ref().map(LocalPath::as_str), expect, "{what}");
        };
        check("home", "/", Some("/"));
        check("a room", "/r/K%C3%BCche", Some("/r/K%C3%BCche"));
        check("not encoded", "/r/Küche", Some("/r/K%C3%BCche"));
        check(
            "our own provider",
            "/oidc/authorize?client_id=a&redirect_uri=https%3A%2F%2Fb",
            Some("/oidc/authorize?client_id=a&redirect_uri=https%3A%2F%2Fb"),
        );
        check("nothing", "", None);
        check("an address", "https://evil.example/", None);
        check("an address without scheme", "//evil.example", None);
        check("the same, as browsers read it", "/\\evil.example", None);
        check("a tab in it", "/\t/evil.example", None);
        check("dots before it", "/.//evil.example", None);
        check("a script", "javascript:alert(1)", None);
        check("relative", "r/x", None);
        check("a second header", "/\r\nSet-Cookie: a=b", None);
        check("a fragment", "/r/x#y", None);
        check("a circle", "/sso/start?provider=a", None);
        check(
            "a circle by way of the sign-in",
            "/sign-in?to=/sign-in",
            None,
        );
        check("the interface", "/api/v1/me", None);
        check("a novel", &format!("/{}", "a".repeat(PATH_BYTES)), None);
    }

    #[test]
    fn the_provider_is_asked_with_everything_that_ties_the_answer_to_this_browser() {
        let scopes = ["openid".to_owned(), "e mail".to_owned()];
        let client = Client {
            id: "stube",
            redirect_uri: "https://meet.example.org/sso/callback",
            scopes: &scopes,
        };
        let query = |silent, again| {
            let address = pending(silent).address(&metadata(), &client, "s t", again);
            assert!(address.as_str().starts_with("https://id.example.org/auth?"));
            Parameters::parse(address.query().expect("a query"))
        };
        let plain = query(false, false);
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "stube"),
            ("redirect_uri", "https://meet.example.org/sso/callback"),
            ("scope", "openid e mail"),
            ("state", "s t"),
            ("nonce", "n"),
            (
                "code_challenge",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            ),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(plain.one(name), Ok(Some(value)), "{name}");
        }
        assert_eq!(plain.one("prompt"), Ok(None));
        assert_eq!(query(true, false).one("prompt"), Ok(Some("none")));
        assert_eq!(query(false, true).one("prompt"), Ok(Some("login")));
    }

    #[test]
    fn an_answer_is_taken_from_the_provider_that_was_asked_while_it_is_waited_for() {
        let check = |what: &str, query: &str, silent, now, expect: Result<Answer, AnswerError>| {
            let answer = Answer::read(
                &Parameters::parse(query),
                &metadata(),
                &pending(silent),
                now,
            );
            assert_eq!(answer, expect, "{what}");
        };
        let code = || Ok(Answer::Code("c".to_owned()));
        let end = NOW + PENDING_MS;
        check("a code", "code=c&state=s", false, NOW, code());
        check(
            "named",
            "code=c&iss=https://id.example.org",
            false,
            NOW,
            code(),
        );
        check("silently", "code=c", true, NOW, code());
        check(
            "another",
            "code=c&iss=https://evil.example",
            false,
            NOW,
            Err(AnswerError::OtherIssuer),
        );
        check(
            "of two",
            "code=c&iss=https://id.example.org&iss=https://evil.example",
            false,
            NOW,
            Err(AnswerError::Malformed),
        );
        check("in time", "code=c", false, end - 1, code());
        check("late", "code=c", false, end, Err(AnswerError::Late));
        check("early", "code=c", false, NOW - 1, Err(AnswerError::Late));
        check(
            "two codes",
            "code=c&code=d",
            false,
            NOW,
            Err(AnswerError::Malformed),
        );
        check(
            "both",
            "code=c&error=access_denied",
            false,
            NOW,
            Err(AnswerError::Malformed),
        );
        check(
            "nothing",
            "state=s",
            false,
            NOW,
            Err(AnswerError::Malformed),
        );
        check("no", "error=access_denied", false, NOW, Ok(Answer::Denied));
        check(
            "not now",
            "error=temporarily_unavailable",
            false,
            NOW,
            Ok(Answer::Unavailable),
        );
        check(
            "a bad request",
            "error=invalid_scope",
            false,
            NOW,
            Err(AnswerError::Refused),
        );
        check(
            "nobody there",
            "error=login_required",
            true,
            NOW,
            Ok(Answer::NotSilently),
        );
        check(
            "nobody there, asked aloud",
            "error=login_required",
            false,
            NOW,
            Err(AnswerError::Refused),
        );
    }

    #[test]
    fn who_promises_to_name_itself_has_to() {
        let mut metadata = metadata();
        metadata.answers_name_issuer = true;
        let read =
            |query: &str| Answer::read(&Parameters::parse(query), &metadata, &pending(false), NOW);
        assert!(read("code=c&iss=https://id.example.org").is_ok());
        assert_eq!(read("code=c"), Err(AnswerError::OtherIssuer));
        assert_eq!(read("error=access_denied"), Err(AnswerError::OtherIssuer));
    }
}
