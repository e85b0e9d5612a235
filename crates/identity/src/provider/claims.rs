//! What tokens say: who signed in when, for whom, until when; and whether a token that comes back is good.

use serde::{Deserialize, Serialize};

use super::authorize::Grant;
use super::jose::{Algorithm, BadKey, Jwk, Kind, SigningKey, verify};
use super::{
    ACCESS_MS, Client, ClientId, Issuer, OAuthError, Refusal, Scope, Scopes, Subject, seconds,
};
use crate::UnixMs;

/// Times are in seconds, as everywhere in tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdClaims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub exp: u64,
    pub iat: u64,
    pub auth_time: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    pub at_hash: String,
    /// The sign-in with the house.
    pub sid: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub client_id: String,
    pub exp: u64,
    pub iat: u64,
    pub jti: String,
    pub scope: String,
    /// The authorization that it rests on: without that it is worth nothing.
    pub grant: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The nonce is told once, with the first ID token.
    Code,
    Refresh,
}

/// One pair of tokens to be made.
#[derive(Debug)]
pub struct Issue<'a> {
    pub issuer: &'a Issuer,
    pub client: &'a Client,
    pub grant: &'a Grant,
    pub scopes: &'a Scopes,
    pub occasion: Occasion,
    pub now: UnixMs,
    pub token_id: String,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    pub access: String,
    pub id: String,
}

impl Issue<'_> {
    /// The key is of the client's algorithm.
    pub fn sign(&self, key: &SigningKey) -> Result<Tokens, BadKey> {
        let access = key.sign(Kind::Access, &self.access())?;
        let id = key.sign(Kind::Id, &self.id(key.algorithm(), &access))?;
        Ok(Tokens { access, id })
    }

    fn access(&self) -> AccessClaims {
        AccessClaims {
            iss: self.issuer.as_str().to_owned(),
            sub: self.grant.subject.0.clone(),
            aud: self.issuer.userinfo(),
            client_id: self.client.id.0.clone(),
            exp: seconds(self.now.saturating_add(ACCESS_MS)),
            iat: seconds(self.now),
            jti: self.token_id.clone(),
            scope: self.scopes.to_string(),
            grant: self.grant.id.0.clone(),
        }
    }

    fn id(&self, algorithm: Algorithm, access: &str) -> IdClaims {
        let first = self.occasion == Occasion::Code;
        IdClaims {
            iss: self.issuer.as_str().to_owned(),
            sub: self.grant.subject.0.clone(),
            aud: self.client.id.0.clone(),
            exp: seconds(self.now.saturating_add(ACCESS_MS)),
            iat: seconds(self.now),
            auth_time: seconds(self.grant.auth_time),
            nonce: self.grant.nonce.clone().filter(|_| first),
            at_hash: algorithm.half_hash(access),
            sid: self.grant.session.clone(),
        }
    }
}

/// An access token that comes back to us. That its grant still stands is the caller's to look up.
pub fn check_access(
    token: &str,
    keys: &[Jwk],
    issuer: &Issuer,
    now: UnixMs,
) -> Result<AccessClaims, Refusal> {
    let invalid = Refusal::new(OAuthError::InvalidToken, "the access token is not valid");
    let claims: AccessClaims = verify(token, Kind::Access, keys).ok_or(invalid)?;
    let ours = claims.iss == issuer.as_str() && claims.aud == issuer.userinfo();
    if !ours || seconds(now) >= claims.exp {
        return Err(invalid);
    }
    if !Scopes::parse(&claims.scope).has(Scope::OpenId) {
        return Err(Refusal::new(
            OAuthError::InsufficientScope,
            "the token is not for this",
        ));
    }
    Ok(claims)
}

/// Of whom an ID token of ours speaks, to which client. One that has expired still says so.
pub fn read_hint(token: &str, keys: &[Jwk], issuer: &Issuer) -> Option<(Subject, ClientId)> {
    let claims: IdClaims = verify(token, Kind::Id, keys)?;
    let ours = claims.iss == issuer.as_str();
    ours.then_some((Subject(claims.sub), ClientId(claims.aud)))
}

/// What an application gets to know of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserInfo {
    pub sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Names; empty for somebody who is in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
}

/// Of whom an access token speaks.
#[derive(Clone, Debug)]
pub struct Profile {
    pub name: String,
    pub username: String,
    pub mail: Option<String>,
    /// Whether the organisation vouches for the address, and not the person alone: others link accounts by it.
    pub mail_is_vouched_for: bool,
    pub groups: Vec<String>,
}

impl UserInfo {
    pub fn new(claims: &AccessClaims, person: Profile) -> Self {
        let scopes = Scopes::parse(&claims.scope);
        let profile = scopes.has(Scope::Profile);
        let email = person.mail.filter(|_| scopes.has(Scope::Email));
        Self {
            sub: claims.sub.clone(),
            name: profile.then_some(person.name),
            preferred_username: profile.then_some(person.username),
            email_verified: email.is_some().then_some(person.mail_is_vouched_for),
            email,
            groups: scopes.has(Scope::Groups).then_some(person.groups),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, client, issuer, keys};
    use super::super::token::tests::grant;
    use super::*;

    fn issue<'a>(
        issuer: &'a Issuer,
        client: &'a Client,
        grant: &'a Grant,
        scopes: &'a Scopes,
    ) -> Issue<'a> {
        Issue {
            issuer,
            client,
            grant,
            scopes,
            occasion: Occasion::Code,
            now: NOW,
            token_id: "t".to_owned(),
        }
    }

    fn checked(claims: &AccessClaims, now: UnixMs) -> Result<(), OAuthError> {
        let [key, _] = keys();
        let token = key.sign(Kind::Access, claims).expect("a token");
        check_access(&token, &[key.public()], &issuer(), now)
            .map(drop)
            .map_err(|refusal| refusal.error)
    }

    #[test]
    fn an_access_token_is_good_for_us_and_for_ten_minutes() {
        let (issuer, client, grant) = (issuer(), client(), grant());
        let good = issue(&issuer, &client, &grant, &grant.scopes).access();
        let invalid = Err(OAuthError::InvalidToken);
        assert_eq!(checked(&good, NOW), Ok(()));
        assert_eq!(checked(&good, NOW + ACCESS_MS - 1), Ok(()));
        assert_eq!(checked(&good, NOW + ACCESS_MS), invalid, "expired");
        let for_another = AccessClaims {
            aud: "https://files.example.org".to_owned(),
            ..good.clone()
        };
        assert_eq!(checked(&for_another, NOW), invalid, "another audience");
        let of_another = AccessClaims {
            iss: "https://evil.example".to_owned(),
            ..good.clone()
        };
        assert_eq!(checked(&of_another, NOW), invalid, "another issuer");
        let without = AccessClaims {
            scope: "profile".to_owned(),
            ..good
        };
        assert_eq!(checked(&without, NOW), Err(OAuthError::InsufficientScope));
    }

    #[test]
    fn an_id_token_is_no_access_token_and_the_other_way_round() {
        let (issuer, client, grant) = (issuer(), client(), grant());
        for key in keys() {
            let public = [key.public()];
            let tokens = issue(&issuer, &client, &grant, &grant.scopes)
                .sign(&key)
                .expect("tokens");
            assert!(check_access(&tokens.access, &public, &issuer, NOW).is_ok());
            assert!(check_access(&tokens.id, &public, &issuer, NOW).is_err());
            let hint = read_hint(&tokens.id, &public, &issuer);
            assert_eq!(hint, Some((grant.subject.clone(), client.id.clone())));
            assert_eq!(read_hint(&tokens.access, &public, &issuer), None);
            let other = Issuer("https://evil.example".to_owned());
            assert_eq!(read_hint(&tokens.id, &public, &other), None);
        }
    }

    #[test]
    fn an_id_token_says_who_signed_in_when_and_for_whom() {
        let (issuer, client, grant) = (issuer(), client(), grant());
        let mut issue = issue(&issuer, &client, &grant, &grant.scopes);
        let id = issue.id(Algorithm::Rs256, "access");
        assert_eq!((id.aud.as_str(), id.sub.as_str()), ("app", "anna"));
        assert_eq!(id.auth_time, (NOW - 60_000) / 1000);
        assert_eq!((id.iat, id.exp), (NOW / 1000, NOW / 1000 + 600));
        assert_eq!(id.nonce.as_deref(), Some("n1"));
        issue.occasion = Occasion::Refresh;
        assert_eq!(issue.id(Algorithm::Rs256, "access").nonce, None);
        // Example of OpenID Connect Core, appendix A.3.
        let hash = Algorithm::Rs256.half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
        assert_eq!(hash, "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(Algorithm::EdDsa.half_hash("x").len(), 43);
    }

    #[test]
    fn names_are_told_to_those_who_asked_for_them() {
        let (issuer, client, grant) = (issuer(), client(), grant());
        let anna = Profile {
            name: "Anna".to_owned(),
            username: "anna".to_owned(),
            mail: Some("anna@example.org".to_owned()),
            mail_is_vouched_for: true,
            groups: vec!["Kollegium".to_owned()],
        };
        let nothing = UserInfo {
            sub: "anna".to_owned(),
            name: None,
            preferred_username: None,
            email: None,
            email_verified: None,
            groups: None,
        };
        let check = |scope: &str, person: &Profile, expect: UserInfo| {
            let claims = issue(&issuer, &client, &grant, &Scopes::parse(scope)).access();
            assert_eq!(UserInfo::new(&claims, person.clone()), expect, "{scope}");
        };
        check("openid", &anna, nothing.clone());
        let named = UserInfo {
            name: Some("Anna".to_owned()),
            preferred_username: Some("anna".to_owned()),
            ..nothing.clone()
        };
        check("openid profile", &anna, named);
        let mailed = UserInfo {
            email: anna.mail.clone(),
            email_verified: Some(true),
            ..nothing.clone()
        };
        check("openid email", &anna, mailed);
        let without_mail = Profile {
            mail: None,
            ..anna.clone()
        };
        check("openid email", &without_mail, nothing.clone());
        let grouped = UserInfo {
            groups: Some(anna.groups.clone()),
            ..nothing
        };
        check("openid groups", &anna, grouped);
    }
}
