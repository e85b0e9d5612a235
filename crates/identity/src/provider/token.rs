//! The token endpoint: a code or a refresh token is exchanged once; whoever brings one again loses all that came of it.

use super::authorize::Grant;
use super::{
    Client, GrantId, OAuthError, Parameters, REFRESH_IDLE_MS, REFRESH_WHOLE_MS, Refusal, Scopes,
};
use crate::{Secret, UnixMs};

#[derive(Clone)]
pub enum TokenRequest {
    Code(CodeExchange),
    Refresh(RefreshExchange),
}

#[derive(Clone)]
pub struct CodeExchange {
    pub code: Secret,
    redirect_uri: String,
    verifier: String,
}

#[derive(Clone)]
pub struct RefreshExchange {
    pub token: Secret,
    /// Fewer than before, if named.
    scopes: Option<Scopes>,
}

impl TokenRequest {
    pub fn read(body: &Parameters) -> Result<Self, Refusal> {
        let one = |name| {
            body.one(name)
                .map_err(|_| invalid("a parameter stands twice"))
        };
        let needed = |name| one(name)?.ok_or(invalid("a parameter is missing"));
        match needed("grant_type")? {
            "authorization_code" => Ok(Self::Code(CodeExchange {
                redirect_uri: needed("redirect_uri")?.to_owned(),
                verifier: needed("code_verifier")?.to_owned(),
                code: Secret::parse(needed("code")?).ok_or(NO_CODE)?,
            })),
            "refresh_token" => Ok(Self::Refresh(RefreshExchange {
                scopes: one("scope")?.map(Scopes::parse),
                token: Secret::parse(needed("refresh_token")?).ok_or(NO_TOKEN)?,
            })),
            _ => Err(Refusal::new(
                OAuthError::UnsupportedGrantType,
                "only authorization_code and refresh_token",
            )),
        }
    }
}

/// What is said of a code that is unknown, and of one that is no good.
pub const NO_CODE: Refusal = Refusal::new(OAuthError::InvalidGrant, "the code is not valid");
pub const NO_TOKEN: Refusal =
    Refusal::new(OAuthError::InvalidGrant, "the refresh token is not valid");

fn invalid(description: &'static str) -> Refusal {
    Refusal::new(OAuthError::InvalidRequest, description)
}

/// What to do with the code or refresh token that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Mark it as used, if nobody else has in the meantime (who has lost that race revokes), and give out tokens.
    Exchange(Scopes),
    Refuse(Refusal),
    /// Take back the grant and all that came of it, and refuse.
    Revoke(Refusal),
}

impl CodeExchange {
    pub fn judge(&self, grant: &Grant, client: &Client, now: UnixMs) -> Verdict {
        if grant.client != client.id {
            return Verdict::Refuse(NO_CODE);
        }
        // Right or wrong, a code is worth one attempt.
        let fits = grant.redirect_uri == self.redirect_uri && grant.challenge.is_of(&self.verifier);
        if grant.redeemed.is_some() || now >= grant.code_expires() || !fits {
            return Verdict::Revoke(NO_CODE);
        }
        Verdict::Exchange(grant.scopes.clone())
    }
}

/// A refresh token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    pub grant: GrantId,
    pub issued: UnixMs,
    pub used: Option<UnixMs>,
}

impl RefreshExchange {
    pub fn judge(
        &self,
        token: &RefreshToken,
        grant: &Grant,
        client: &Client,
        now: UnixMs,
    ) -> Verdict {
        if grant.client != client.id || token.grant != grant.id {
            return Verdict::Refuse(NO_TOKEN);
        }
        if token.used.is_some() {
            return Verdict::Revoke(NO_TOKEN);
        }
        let idle = now >= token.issued.saturating_add(REFRESH_IDLE_MS);
        let old = now >= grant.created.saturating_add(REFRESH_WHOLE_MS);
        if idle || old {
            return Verdict::Refuse(NO_TOKEN);
        }
        match &self.scopes {
            Some(fewer) if !grant.scopes.covers(fewer) => Verdict::Refuse(Refusal::new(
                OAuthError::InvalidScope,
                "scope is more than was granted",
            )),
            Some(fewer) => Verdict::Exchange(fewer.clone()),
            None => Verdict::Exchange(grant.scopes.clone()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::authorize::Challenge;
    use super::super::testing::{CHALLENGE, NOW, VERIFIER, client, public_client};
    use super::super::{CODE_MS, Subject};
    use super::*;

    /// Made just now.
    pub fn grant() -> Grant {
        Grant {
            id: GrantId("grant".to_owned()),
            client: client().id,
            subject: Subject("anna".to_owned()),
            session: "session".to_owned(),
            scopes: Scopes::parse("openid profile offline_access"),
            nonce: Some("n1".to_owned()),
            auth_time: NOW - 60_000,
            redirect_uri: "https://app.example.org/cb".to_owned(),
            challenge: Challenge::from_stored(CHALLENGE.to_owned()),
            created: NOW,
            redeemed: None,
        }
    }

    fn code_body() -> Parameters {
        let code = Secret::new([7; 32]);
        Parameters::parse(&format!(
            "grant_type=authorization_code&code={}&redirect_uri=https://app.example.org/cb&code_verifier={VERIFIER}",
            code.expose()
        ))
    }

    fn refresh_body() -> Parameters {
        let token = Secret::new([8; 32]);
        Parameters::parse(&format!(
            "grant_type=refresh_token&refresh_token={}",
            token.expose()
        ))
    }

    fn refused(body: &Parameters) -> Option<OAuthError> {
        TokenRequest::read(body).err().map(|refusal| refusal.error)
    }

    #[test]
    fn requests_are_whole_and_of_two_kinds() {
        assert_eq!(refused(&code_body()), None);
        assert_eq!(refused(&refresh_body()), None);
        for name in ["grant_type", "code", "redirect_uri", "code_verifier"] {
            let body = code_body().with(name, "");
            assert_eq!(refused(&body), Some(OAuthError::InvalidRequest), "{name}");
        }
        let body = refresh_body().with("refresh_token", "");
        assert_eq!(refused(&body), Some(OAuthError::InvalidRequest));
        for kind in ["password", "client_credentials", "implicit"] {
            let body = code_body().with("grant_type", kind);
            assert_eq!(refused(&body), Some(OAuthError::UnsupportedGrantType));
        }
        let foreign = code_body().with("code", "x");
        assert_eq!(refused(&foreign), Some(OAuthError::InvalidGrant));
        let twice = Parameters::parse(&format!("{}&code=x", code_body().to_query()));
        assert_eq!(refused(&twice), Some(OAuthError::InvalidRequest));
    }

    #[test]
    fn a_code_is_worth_one_attempt_of_its_client_within_a_minute() {
        let judge = |change: &[(&str, &str)], grant: Grant, client: Client, now: UnixMs| {
            let mut body = code_body();
            for (name, value) in change {
                body = body.with(name, value);
            }
            match TokenRequest::read(&body) {
                Ok(TokenRequest::Code(exchange)) => match exchange.judge(&grant, &client, now) {
                    Verdict::Exchange(_) => "exchange",
                    Verdict::Refuse(refusal) => refusal.error.as_str(),
                    Verdict::Revoke(refusal) => {
                        assert_eq!(refusal.error, OAuthError::InvalidGrant);
                        "revoke"
                    }
                },
                _ => "unread",
            }
        };
        let late = NOW + CODE_MS;
        assert_eq!(judge(&[], grant(), client(), NOW), "exchange");
        assert_eq!(judge(&[], grant(), client(), late - 1), "exchange");
        assert_eq!(judge(&[], grant(), client(), late), "revoke", "too late");
        assert_eq!(
            judge(&[], grant(), public_client(), NOW),
            "invalid_grant",
            "another client's code, which stays good for its own"
        );
        let used = Grant {
            redeemed: Some(NOW),
            ..grant()
        };
        assert_eq!(judge(&[], used, client(), NOW + 1), "revoke", "again");
        let verifier = &[("code_verifier", CHALLENGE)];
        assert_eq!(judge(verifier, grant(), client(), NOW), "revoke");
        for uri in [
            "https://app.example.org/cb/",
            "https://app.example.org/cb?tenant=1",
        ] {
            let change = &[("redirect_uri", uri)];
            assert_eq!(judge(change, grant(), client(), NOW), "revoke", "{uri}");
        }
    }

    #[test]
    fn a_refresh_token_is_good_once_for_a_week_and_for_what_was_granted() {
        let fresh = RefreshToken {
            grant: grant().id,
            issued: NOW,
            used: None,
        };
        let judge = |scope: &str, token: &RefreshToken, client: Client, now: UnixMs| {
            let body = refresh_body().with("scope", scope);
            match TokenRequest::read(&body) {
                Ok(TokenRequest::Refresh(exchange)) => {
                    match exchange.judge(token, &grant(), &client, now) {
                        Verdict::Exchange(scopes) => scopes.to_string(),
                        Verdict::Refuse(refusal) => refusal.error.as_str().to_owned(),
                        Verdict::Revoke(_) => "revoke".to_owned(),
                    }
                }
                _ => "unread".to_owned(),
            }
        };
        let all = "openid profile offline_access";
        assert_eq!(judge("", &fresh, client(), NOW), all);
        assert_eq!(judge("openid", &fresh, client(), NOW), "openid");
        let idle = NOW + REFRESH_IDLE_MS;
        assert_eq!(judge("", &fresh, client(), idle - 1), all);
        assert_eq!(judge("", &fresh, client(), idle), "invalid_grant");
        assert_eq!(judge("", &fresh, public_client(), NOW), "invalid_grant");
        let late = RefreshToken {
            issued: NOW + REFRESH_WHOLE_MS - 1,
            ..fresh.clone()
        };
        assert_eq!(judge("", &late, client(), NOW + REFRESH_WHOLE_MS - 1), all);
        let end = NOW + REFRESH_WHOLE_MS;
        assert_eq!(judge("", &late, client(), end), "invalid_grant", "the end");
        let used = RefreshToken {
            used: Some(NOW),
            ..fresh.clone()
        };
        assert_eq!(judge("", &used, client(), NOW + 1), "revoke", "again");
        let narrow = Grant {
            scopes: Scopes::parse("openid offline_access"),
            ..grant()
        };
        let body = refresh_body().with("scope", "openid profile");
        let Ok(TokenRequest::Refresh(exchange)) = TokenRequest::read(&body) else {
            panic!("a refresh");
        };
        let verdict = exchange.judge(&fresh, &narrow, &client(), NOW);
        assert!(
            matches!(verdict, Verdict::Refuse(refusal) if refusal.error == OAuthError::InvalidScope),
            "more than was granted"
        );
    }
}
