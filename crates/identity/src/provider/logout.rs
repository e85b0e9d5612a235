//! Logout that an application asks for (OpenID Connect RP-Initiated Logout 1.0): with an ID token of the person who is signed
//! in it happens, without one the person is asked.

use super::parameters::Repeated;
use super::{Client, ClientId, Fault, Parameters, Redirect, RedirectUri, SignIn, Subject};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutRequest {
    pub id_token_hint: Option<String>,
    client_id: Option<ClientId>,
    post_logout_redirect_uri: Option<String>,
    state: Option<String>,
}

/// Whom and which client a verified `id_token_hint` names.
pub type Hint = (Subject, ClientId);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nobody was signed in, or the sign-in is ended now: then on to there, or a page that says so.
    SignOut(Option<Redirect>),
    /// The person is asked first.
    Ask(Option<Redirect>),
}

impl LogoutRequest {
    pub fn read(parameters: &Parameters) -> Result<Self, Fault> {
        let one = |name| {
            let value = parameters.one(name).map_err(|Repeated| Fault::Repeated)?;
            Ok(value.map(str::to_owned))
        };
        Ok(Self {
            id_token_hint: one("id_token_hint")?,
            client_id: one("client_id")?.map(ClientId),
            post_logout_redirect_uri: one("post_logout_redirect_uri")?,
            state: one("state")?,
        })
    }

    /// Whose addresses count. A hint that is not ours is none: the person is asked, and goes nowhere without `client_id`.
    pub fn client(&self, hint: Option<&Hint>) -> Result<Option<ClientId>, Fault> {
        match (&self.client_id, hint) {
            (Some(named), Some((_, hinted))) if named != hinted => Err(Fault::ClientMismatch),
            (Some(named), _) => Ok(Some(named.clone())),
            (None, hint) => Ok(hint.map(|(_, client)| client.clone())),
        }
    }

    pub fn decide(
        &self,
        hint: Option<&Hint>,
        client: Option<&Client>,
        signed_in: Option<&SignIn>,
    ) -> Result<Decision, Fault> {
        if client.is_none() && self.client_id.is_some() {
            return Err(Fault::ClientUnknown);
        }
        let then = match &self.post_logout_redirect_uri {
            None => None,
            Some(asked) => {
                let client = client.ok_or(Fault::ClientMissing)?;
                let to = client.post_logout_uri(asked);
                Some(self.redirect(to.ok_or(Fault::RedirectUnknown)?))
            }
        };
        let Some(signed_in) = signed_in else {
            return Ok(Decision::SignOut(then));
        };
        let meant = hint.is_some_and(|(subject, _)| *subject == signed_in.subject);
        Ok(if meant {
            Decision::SignOut(then)
        } else {
            Decision::Ask(then)
        })
    }

    fn redirect(&self, to: &RedirectUri) -> Redirect {
        let state = self.state.clone().map(|state| ("state", state));
        Redirect {
            to: to.clone(),
            parameters: state.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, client, sign_in};
    use super::*;

    const BYE: &str = "post_logout_redirect_uri=https://app.example.org/bye";

    fn check(what: &str, query: &str, hint: Option<&str>, signed_in: bool, expect: &str) {
        let hint = hint.map(|subject| (Subject(subject.to_owned()), client().id));
        let sign_in = signed_in.then(|| sign_in(NOW));
        let decide = || {
            let request = LogoutRequest::read(&Parameters::parse(query))?;
            let id = request.client(hint.as_ref())?;
            let found = id.filter(|id| *id == client().id).map(|_| client());
            request.decide(hint.as_ref(), found.as_ref(), sign_in.as_ref())
        };
        let then = |redirect: Option<Redirect>| {
            redirect.map_or("a page".to_owned(), |redirect| redirect.location())
        };
        let found = match decide() {
            Ok(Decision::SignOut(redirect)) => format!("out, {}", then(redirect)),
            Ok(Decision::Ask(redirect)) => format!("ask, {}", then(redirect)),
            Err(fault) => format!("{fault:?}"),
        };
        assert_eq!(found, expect, "{what}");
    }

    #[test]
    fn an_id_token_of_the_person_signs_out_and_everything_else_asks() {
        let anna = Some("anna");
        check("a token", "", anna, true, "out, a page");
        check(
            "somebody else's token",
            "",
            Some("bela"),
            true,
            "ask, a page",
        );
        check("nothing", "", None, true, "ask, a page");
        check("nobody there", "", None, false, "out, a page");
        let there = "https://app.example.org/bye";
        let with = |more: &str| format!("{BYE}&{more}");
        check(
            "a token and a way on",
            &with("state=x%26y"),
            anna,
            true,
            &format!("out, {there}?state=x%26y"),
        );
        check(
            "the client's id and a way on",
            &with("client_id=app"),
            None,
            true,
            &format!("ask, {there}"),
        );
        check(
            "nobody there, and a way on",
            &with("client_id=app"),
            None,
            false,
            &format!("out, {there}"),
        );
    }

    #[test]
    fn a_wrong_client_or_redirect_sends_nobody_anywhere() {
        let anna = Some("anna");
        let to = |uri: &str| format!("post_logout_redirect_uri={uri}");
        check("no client", BYE, None, true, "ClientMissing");
        check("unknown client", "client_id=x", None, true, "ClientUnknown");
        check("two clients", "client_id=x", anna, true, "ClientMismatch");
        check("twice", &format!("{BYE}&{BYE}"), anna, true, "Repeated");
        for uri in [
            "https://evil.example/",
            "https://app.example.org/bye/",
            "https://app.example.org/bye?x",
            "https://app.example.org/cb",
            "http://app.example.org/bye",
        ] {
            check(uri, &to(uri), anna, true, "RedirectUnknown");
        }
    }
}
