//! What a provider says of itself under `/.well-known/openid-configuration`.

use serde::Deserialize;
use url::Url;

/// Checked: the issuer is the one that was asked for, and every address is as safe as the issuer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// As the provider writes it, which is how its tokens and answers have it.
    pub issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub jwks_uri: Url,
    pub userinfo_endpoint: Option<Url>,
    pub end_session_endpoint: Option<Url>,
    /// Whether answers must name the issuer (RFC 9207).
    pub answers_name_issuer: bool,
    pub proof: Proof,
}

/// How the secret is shown at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Basic,
    Post,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    #[error("its description cannot be read")]
    Unreadable,
    #[error("its description is another issuer's: compare oidc.issuer")]
    OtherIssuer,
    #[error("one of its addresses is not https")]
    Unsafe,
    #[error("it takes a secret neither by client_secret_basic nor by client_secret_post")]
    Proof,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    userinfo_endpoint: Option<Url>,
    end_session_endpoint: Option<Url>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Document {
    fn is_as_safe_as(&self, issuer: &Url) -> bool {
        let required = [
            &self.authorization_endpoint,
            &self.token_endpoint,
            &self.jwks_uri,
        ];
        let optional = [&self.userinfo_endpoint, &self.end_session_endpoint];
        required
            .into_iter()
            .chain(optional.into_iter().flatten())
            .all(|address| address.scheme() == "https" || address.scheme() == issuer.scheme())
    }
}

/// Where the description of this issuer lies.
pub fn address(issuer: &Url) -> Url {
    let mut address = issuer.clone();
    let path = issuer.path().trim_end_matches('/');
    address.set_path(&format!("{path}/.well-known/openid-configuration"));
    address
}

impl Metadata {
    pub fn read(document: &[u8], asked: &Url) -> Result<Self, MetadataError> {
        let document: Document =
            serde_json::from_slice(document).map_err(|_| MetadataError::Unreadable)?;
        let named = Url::parse(&document.issuer).map_err(|_| MetadataError::OtherIssuer)?;
        // Settings and providers differ about the slash at the end, and about nothing else.
        if named.as_str().trim_end_matches('/') != asked.as_str().trim_end_matches('/') {
            return Err(MetadataError::OtherIssuer);
        }
        if !document.is_as_safe_as(&named) {
            return Err(MetadataError::Unsafe);
        }
        Ok(Self {
            proof: proof(document.token_endpoint_auth_methods_supported.as_deref())?,
            issuer: document.issuer,
            authorization_endpoint: document.authorization_endpoint,
            token_endpoint: document.token_endpoint,
            jwks_uri: document.jwks_uri,
            userinfo_endpoint: document.userinfo_endpoint,
            end_session_endpoint: document.end_session_endpoint,
            answers_name_issuer: document.authorization_response_iss_parameter_supported,
        })
    }
}

fn proof(supported: Option<&[String]>) -> Result<Proof, MetadataError> {
    let Some(supported) = supported else {
        return Ok(Proof::Basic);
    };
    let has = |method: &str| supported.iter().any(|one| one == method);
    if has("client_secret_basic") {
        Ok(Proof::Basic)
    } else if has("client_secret_post") || has("none") {
        Ok(Proof::Post)
    } else {
        Err(MetadataError::Proof)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::document;
    use super::*;
    use serde_json::{Value, json};

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    fn read(document: &Value, asked: &str) -> Result<Metadata, MetadataError> {
        Metadata::read(document.to_string().as_bytes(), &url(asked))
    }

    #[test]
    fn the_description_lies_below_the_whole_issuer() {
        for (issuer, expect) in [
            (
                "https://id.example.org",
                "https://id.example.org/.well-known/openid-configuration",
            ),
            (
                "https://id.example.org/realms/a/",
                "https://id.example.org/realms/a/.well-known/openid-configuration",
            ),
        ] {
            assert_eq!(address(&url(issuer)).as_str(), expect);
        }
    }

    #[test]
    fn a_description_is_believed_of_its_own_issuer_only() {
        let check = |what: &str, issuer: &str, asked: &str, expect: Option<MetadataError>| {
            let mut document = document();
            document["issuer"] = json!(issuer);
            assert_eq!(read(&document, asked).err(), expect, "{what}");
        };
        let other = Some(MetadataError::OtherIssuer);
        check(
            "the same",
            "https://id.example.org",
            "https://id.example.org",
            None,
        );
        check(
            "a slash more",
            "https://id.example.org/",
            "https://id.example.org",
            None,
        );
        check(
            "a slash less",
            "https://id.example.org/a",
            "https://id.example.org/a/",
            None,
        );
        check(
            "another host",
            "https://id.example.com",
            "https://id.example.org",
            other,
        );
        check(
            "another path",
            "https://id.example.org/b",
            "https://id.example.org/a",
            other,
        );
        check(
            "another scheme",
            "http://id.example.org",
            "https://id.example.org",
            other,
        );
        check("no address", "id", "https://id.example.org", other);
    }

    #[test]
    fn no_address_is_less_safe_than_the_issuer() {
        for name in [
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "userinfo_endpoint",
            "end_session_endpoint",
        ] {
            let mut document = document();
            document[name] = json!("http://id.example.org/x");
            let refused = read(&document, "https://id.example.org").err();
            assert_eq!(refused, Some(MetadataError::Unsafe), "{name}");
            document[name] = json!("javascript:alert(1)");
            let refused = read(&document, "https://id.example.org").err();
            assert_eq!(refused, Some(MetadataError::Unsafe), "{name}");
        }
    }

    #[test]
    fn what_is_missing_has_its_standard_value_or_is_refused() {
        let plain = read(&document(), "https://id.example.org").expect("a description");
        assert_eq!(plain.proof, Proof::Basic);
        for (methods, expect) in [
            (
                json!(["client_secret_post", "client_secret_basic"]),
                Ok(Proof::Basic),
            ),
            (json!(["client_secret_post"]), Ok(Proof::Post)),
            (json!(["none"]), Ok(Proof::Post)),
            (json!(["private_key_jwt"]), Err(MetadataError::Proof)),
        ] {
            let mut document = document();
            document["token_endpoint_auth_methods_supported"] = methods;
            let read = read(&document, "https://id.example.org");
            assert_eq!(read.map(|metadata| metadata.proof), expect);
        }
        for name in [
            "issuer",
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
        ] {
            let mut document = document();
            document.as_object_mut().expect("an object").remove(name);
            let refused = read(&document, "https://id.example.org").err();
            assert_eq!(refused, Some(MetadataError::Unreadable), "{name}");
        }
    }
}
