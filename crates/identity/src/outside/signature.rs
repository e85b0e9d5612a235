//! Who signed a token of a provider. The key decides about the algorithm; what the token says of it is only compared.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Providers put groups into ID tokens, and some people are in many.
const TOKEN_BYTES: usize = 64 * 1024;
/// Providers have two or three.
const MOST_KEYS: usize = 50;

/// A provider's public keys.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<Jwk>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("no signed token")]
    Malformed,
    #[error("signed in a way that is not taken here")]
    Algorithm,
    /// The provider may have a new one.
    #[error("signed with a key that is not known")]
    UnknownKey,
    #[error("the signature is wrong")]
    Wrong,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Leaves out what is no key for signatures or of a kind we do not know: others are none of our business.
    pub fn read(document: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(document).ok()?;
        let keys = document.keys.into_iter().take(MOST_KEYS);
        let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Some(Self(keys.filter(is_for_signatures).collect()))
    }

    /// What the token says, if one of these keys signed it. Whether it is for us and still valid is another question.
    pub fn verify<Claims: DeserializeOwned>(
        &self,
        token: &str,
    ) -> Result<(Algorithm, Claims), SignatureError> {
        if token.len() > TOKEN_BYTES {
            return Err(SignatureError::Malformed);
        }
        let header = read_header(token)?;
        let key = self.key(&header)?;
        let key = DecodingKey::from_jwk(key).map_err(|_| SignatureError::Wrong)?;
        let mut only_the_signature = Validation::new(header.alg);
        only_the_signature.validate_exp = false;
        only_the_signature.validate_aud = false;
        only_the_signature.required_spec_claims.clear();
        let token = decode::<Value>(token, &key, &only_the_signature);
        let claims = token.map_err(|_| SignatureError::Wrong)?.claims;
        let claims = serde_json::from_value(claims).map_err(|_| SignatureError::Malformed)?;
        Ok((header.alg, claims))
    }

    /// The one with this name, or, without a name, the only one that fits.
    fn key(&self, header: &Header) -> Result<&Jwk, SignatureError> {
        let is_named = |key: &&Jwk| {
            let kid = key.common.key_id.as_deref();
            header.kid.is_none() || kid == header.kid.as_deref()
        };
        let mut fitting = self
            .0
            .iter()
            .filter(is_named)
            .filter(|key| fits(key, header.alg));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(key), Some(_)) if header.kid.is_some() => Ok(key),
            (None, _) if header.kid.is_some() && self.0.iter().any(|key| is_named(&key)) => {
                Err(SignatureError::Algorithm)
            }
            _ => Err(SignatureError::UnknownKey),
        }
    }
}

fn read_header(token: &str) -> Result<Header, SignatureError> {
    // Unknown algorithms, `none` among them, are no algorithms of the library's.
    let header = decode_header(token).map_err(|_| SignatureError::Malformed)?;
    let ours = [
        Algorithm::RS256,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::EdDSA,
    ];
    if !ours.contains(&header.alg) {
        return Err(SignatureError::Algorithm);
    }
    if header.crit.is_some() {
        return Err(SignatureError::Malformed);
    }
    Ok(header)
}

fn is_for_signatures(key: &Jwk) -> bool {
    let asymmetric = !matches!(key.algorithm, AlgorithmParameters::OctetKey(_));
    let usage = key.common.public_key_use.as_ref();
    asymmetric && usage.is_none_or(|usage| *usage == PublicKeyUse::Signature)
}

/// By the key's own kind, and by its own word if it says one.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => matches!(algorithm, Algorithm::RS256 | Algorithm::PS256),
        AlgorithmParameters::EllipticCurve(curve) => {
            curve.curve == EllipticCurve::P256 && algorithm == Algorithm::ES256
        }
        AlgorithmParameters::OctetKeyPair(curve) => {
            curve.curve == EllipticCurve::Ed25519 && algorithm == Algorithm::EdDSA
        }
        _ => false,
    };
    let said = key.common.key_algorithm;
    kind && said.is_none_or(|said| said.to_string() == format!("{algorithm:?}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{self, CLIENT, Signer, claims};
    use super::*;
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use jsonwebtoken::EncodingKey;
    use serde_json::json;

    fn keys() -> KeySet {
        testing::keys()
    }

    fn read(token: &str) -> Result<Value, SignatureError> {
        keys().verify(token).map(|(_, claims)| claims)
    }

    #[test]
    fn what_a_key_signs_in_its_own_way_is_read() {
        for (kid, algorithm) in [
            ("rsa", Algorithm::RS256),
            ("rsa", Algorithm::PS256),
            ("ec", Algorithm::ES256),
            ("ed", Algorithm::EdDSA),
        ] {
            let token = Signer::new(algorithm).kid(kid).sign(&claims());
            assert_eq!(read(&token), Ok(claims()), "{algorithm:?}");
        }
    }

    #[test]
    fn a_token_that_names_no_key_is_read_where_only_one_fits() {
        let nameless = Signer::new(Algorithm::EdDSA).sign(&claims());
        assert_eq!(read(&nameless), Ok(claims()));
        let mut twice = keys().0;
        twice.extend(keys().0);
        let refused = KeySet(twice).verify::<Value>(&nameless).err();
        assert_eq!(refused, Some(SignatureError::UnknownKey));
    }

    #[test]
    fn tricks_with_algorithms_and_keys_lead_nowhere() {
        let good = Signer::new(Algorithm::RS256).kid("rsa").sign(&claims());
        assert!(read(&good).is_ok());
        let (message, signature) = good.rsplit_once('.').expect("a token");
        let (_, payload) = message.split_once('.').expect("a token");
        let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let with_header = |header: Value| format!("{}.{payload}.{signature}", part(header));
        let check = |what: &str, token: &str, expect: SignatureError| {
            assert_eq!(read(token), Err(expect), "{what}");
        };
        use SignatureError::{Algorithm as Alg, Malformed, UnknownKey, Wrong};

        let none = part(json!({"alg": "none"}));
        check("alg none", &format!("{none}.{payload}."), Malformed);
        check(
            "alg none, signed",
            &format!("{none}.{payload}.{signature}"),
            Malformed,
        );
        let public = testing::rsa_public_der();
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("rsa".to_owned());
        let secret = EncodingKey::from_secret(&public);
        let with_public = jsonwebtoken::encode(&header, &claims(), &secret).expect("a token");
        check("the public key as a secret", &with_public, Alg);
        header.kid = Some("secret".to_owned());
        let secret = EncodingKey::from_secret(CLIENT.as_bytes());
        let shared = jsonwebtoken::encode(&header, &claims(), &secret).expect("a token");
        check("a published secret", &shared, Alg);
        check(
            "a larger hash",
            &Signer::new(Algorithm::RS512).kid("rsa").sign(&claims()),
            Alg,
        );
        check(
            "another kind of key",
            &with_header(json!({"alg": "ES256", "kid": "rsa"})),
            Alg,
        );
        check(
            "the other name",
            &with_header(json!({"alg": "RS256", "kid": "ed"})),
            Alg,
        );
        check(
            "a name of nobody",
            &with_header(json!({"alg": "RS256", "kid": "x"})),
            UnknownKey,
        );
        check(
            "a key for encryption",
            &with_header(json!({"alg": "RS256", "kid": "enc"})),
            UnknownKey,
        );
        check(
            "other padding",
            &with_header(json!({"alg": "PS256", "kid": "rsa"})),
            Wrong,
        );
        check(
            "what is critical to others",
            &with_header(json!({"alg": "RS256", "kid": "rsa", "crit": ["x"], "x": 1})),
            Malformed,
        );
        let other = Signer::new(Algorithm::EdDSA)
            .kid("ed")
            .seed(9)
            .sign(&claims());
        check("somebody else's key", &other, Wrong);
        let head = message.split_once('.').expect("a token").0;
        let forged = part(json!({"sub": "bela"}));
        check(
            "other claims",
            &format!("{head}.{forged}.{signature}"),
            Wrong,
        );
        check("no signature", &format!("{message}."), Wrong);
        check("nothing", "", Malformed);
        check("dots", "..", Malformed);
        check(
            "too long",
            &format!("{}{good}", "A".repeat(TOKEN_BYTES)),
            Malformed,
        );
    }

    #[test]
    fn keys_of_unknown_kinds_do_not_spoil_the_others() {
        let mut document = testing::key_document();
        let list = document["keys"].as_array_mut().expect("a list");
        list.insert(0, json!({"kty": "AKP", "alg": "ML-DSA-65", "pub": "x"}));
        list.insert(0, json!("no key"));
        let keys = KeySet::read(document.to_string().as_bytes()).expect("keys");
        let token = Signer::new(Algorithm::RS256).kid("rsa").sign(&claims());
        assert!(keys.verify::<Value>(&token).is_ok());
        assert!(KeySet::read(b"[]").is_none());
    }
}
