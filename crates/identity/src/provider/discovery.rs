//! What this provider can do, in the words of OpenID Connect Discovery 1.0 and RFC 8414.

use serde::Serialize;

use super::jose::Algorithm;
use super::{Issuer, Scope};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    end_session_endpoint: String,
    jwks_uri: String,
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: [&'static str; 3],
    code_challenge_methods_supported: [&'static str; 1],
    prompt_values_supported: [&'static str; 4],
    claims_supported: [&'static str; 12],
    ui_locales_supported: [&'static str; 2],
    authorization_response_iss_parameter_supported: bool,
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
}

impl Document {
    pub fn new(issuer: &Issuer) -> Self {
        let at = |path: &str| format!("{}{path}", issuer.as_str());
        Self {
            issuer: issuer.as_str().to_owned(),
            authorization_endpoint: at("/oidc/authorize"),
            token_endpoint: at("/oidc/token"),
            userinfo_endpoint: issuer.userinfo(),
            end_session_endpoint: at("/oidc/logout"),
            jwks_uri: at("/oidc/jwks"),
            scopes_supported: Scope::ALL.map(Scope::as_str).to_vec(),
            response_types_supported: ["code"],
            response_modes_supported: ["query"],
            grant_types_supported: ["authorization_code", "refresh_token"],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: Algorithm::ALL.map(Algorithm::as_str).to_vec(),
            token_endpoint_auth_methods_supported: [
                "client_secret_basic",
                "client_secret_post",
                "none",
            ],
            code_challenge_methods_supported: ["S256"],
            prompt_values_supported: ["none", "login", "consent", "select_account"],
            claims_supported: [
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "sid",
                "name",
                "preferred_username",
                "email",
                "email_verified",
                "groups",
            ],
            ui_locales_supported: ["de", "en"],
            authorization_response_iss_parameter_supported: true,
            claims_parameter_supported: false,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::issuer;
    use super::*;

    #[test]
    fn every_endpoint_lies_under_the_issuer() {
        let document = serde_json::to_value(Document::new(&issuer())).expect("JSON");
        assert_eq!(document["issuer"], "https://meet.example.org");
        let endpoints = document.as_object().expect("an object").iter();
        let endpoints =
            endpoints.filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri");
        let all: Vec<_> = endpoints
            .map(|(_, value)| value.as_str().unwrap_or(""))
            .collect();
        assert_eq!(all.len(), 5);
        assert!(
            all.iter()
                .all(|url| url.starts_with("https://meet.example.org/oidc/")),
            "{all:?}"
        );
    }
}
