//! Signed tokens: RS256 and EdDSA by aws-lc-rs, and public keys as JWK.
//!
//! A token says which key it was signed with; the key says with which algorithm. What the token says of its algorithm is
//! only compared. Signatures of both kinds are deterministic: no randomness goes in.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ED25519, Ed25519KeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256, Sha512};

/// Ours are shorter by far.
const TOKEN_BYTES: usize = 8 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    pub const ALL: [Self; 2] = [Self::Rs256, Self::EdDsa];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }

    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// The left half of the hash that belongs to the algorithm: `at_hash`.
    pub(super) fn half_hash(self, text: &str) -> String {
        let hash = match self {
            Self::Rs256 => Sha256::digest(text).to_vec(),
            Self::EdDsa => Sha512::digest(text).to_vec(),
        };
        let half = hash.get(..hash.len() / 2).unwrap_or_default();
        BASE64_URL_SAFE_NO_PAD.encode(half)
    }
}

/// What a token is for. One is never taken for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Id,
    /// RFC 9068.
    Access,
}

impl Kind {
    fn typ(self) -> &'static str {
        match self {
            Self::Id => "JWT",
            Self::Access => "at+jwt",
        }
    }
}

/// All that a header of ours has. A token with anything more, a key of its own for instance, is not ours.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    typ: String,
    alg: Algorithm,
    kid: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key cannot be used")]
pub struct BadKey;

/// A private key. Printed by nobody.
pub struct SigningKey {
    kid: String,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl SigningKey {
    pub fn from_pkcs8(kid: &str, algorithm: Algorithm, der: &[u8]) -> Result<Self, BadKey> {
        let pair = match algorithm {
            Algorithm::Rs256 => Pair::Rsa(RsaKeyPair::from_pkcs8(der).map_err(|_| BadKey)?),
            Algorithm::EdDsa => Pair::Ed(Ed25519KeyPair::from_pkcs8(der).map_err(|_| BadKey)?),
        };
        Ok(Self {
            kid: kid.to_owned(),
            pair,
        })
    }

    pub fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Rsa(_) => Algorithm::Rs256,
            Pair::Ed(_) => Algorithm::EdDsa,
        }
    }

    pub fn public(&self) -> Jwk {
        let material = match &self.pair {
            Pair::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                Material::Rsa {
                    n: BASE64_URL_SAFE_NO_PAD.encode(public.n),
                    e: BASE64_URL_SAFE_NO_PAD.encode(public.e),
                }
            }
            Pair::Ed(pair) => Material::Okp {
                crv: Curve::Ed25519,
                x: BASE64_URL_SAFE_NO_PAD.encode(pair.public_key()),
            },
        };
        Jwk {
            kid: self.kid.clone(),
            usage: Usage::Sig,
            alg: self.algorithm(),
            material,
        }
    }

    pub fn sign(&self, kind: Kind, claims: &impl Serialize) -> Result<String, BadKey> {
        let header = Header {
            typ: kind.typ().to_owned(),
            alg: self.algorithm(),
            kid: self.kid.clone(),
        };
        let message = format!("{}.{}", encode(&header)?, encode(claims)?);
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                // Padding of PKCS #1 1.5 takes no randomness; the argument is not used.
                let unused = SystemRandom::new();
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &unused,
                    message.as_bytes(),
                    &mut signature,
                )
                .map_err(|_| BadKey)?;
                signature
            }
            Pair::Ed(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
        };
        Ok(format!(
            "{message}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature)
        ))
    }
}

fn encode(value: &impl Serialize) -> Result<String, BadKey> {
    let text = serde_json::to_vec(value).map_err(|_| BadKey)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(text))
}

fn decode<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// A public key as everybody may read it; there is no place in it for anything private.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    pub kid: String,
    #[serde(rename = "use")]
    usage: Usage,
    pub alg: Algorithm,
    #[serde(flatten)]
    material: Material,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Usage {
    Sig,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty", rename_all = "UPPERCASE")]
enum Material {
    Rsa { n: String, e: String },
    Okp { crv: Curve, x: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Curve {
    Ed25519,
}

impl Jwk {
    fn verifies(&self, message: &str, signature: &[u8]) -> Option<()> {
        match &self.material {
            Material::Rsa { n, e } => {
                let n = BASE64_URL_SAFE_NO_PAD.decode(n).ok()?;
                let e = BASE64_URL_SAFE_NO_PAD.decode(e).ok()?;
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), signature)
                    .ok()
            }
            Material::Okp { x, .. } => {
                let x = BASE64_URL_SAFE_NO_PAD.decode(x).ok()?;
                UnparsedPublicKey::new(&ED25519, x)
                    .verify(message.as_bytes(), signature)
                    .ok()
            }
        }
    }
}

/// What a token of this kind says, if one of these keys signed it. Whether it is for us and still valid is another question.
pub fn verify<Claims: DeserializeOwned>(token: &str, kind: Kind, keys: &[Jwk]) -> Option<Claims> {
    if token.len() > TOKEN_BYTES {
        return None;
    }
    let (message, signature) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let header: Header = decode(header)?;
    let key = keys.iter().find(|key| key.kid == header.kid)?;
    if header.alg != key.alg || header.typ != kind.typ() {
        return None;
    }
    key.verifies(message, &BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?)?;
    decode(payload)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ed_key, keys};
    use super::*;
    use serde_json::{Value, json};

    fn read(token: &str, kind: Kind) -> Option<Value> {
        verify(token, kind, &keys().map(|key| key.public()))
    }

    fn part(text: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(text)
    }

    #[test]
    fn what_either_key_signs_is_read_back() {
        for key in keys() {
            let token = key
                .sign(Kind::Access, &json!({"sub": "änne"}))
                .expect("a token");
            assert_eq!(read(&token, Kind::Access), Some(json!({"sub": "änne"})));
        }
    }

    #[test]
    fn tricks_with_algorithms_keys_and_kinds_lead_nowhere() {
        let [rsa, ed] = keys();
        let claims = json!({"sub": "anna"});
        let check = |what: &str, token: &str| assert_eq!(read(token, Kind::Access), None, "{what}");
        let good = rsa.sign(Kind::Access, &claims).expect("a token");
        assert!(read(&good, Kind::Access).is_some());
        let (message, signature) = good.rsplit_once('.').expect("a token");
        let payload = message.split_once('.').expect("a token").1;
        let with_header = |header: &str| format!("{}.{payload}.{signature}", part(header));

        check(
            "an ID token",
            &rsa.sign(Kind::Id, &claims).expect("a token"),
        );
        assert_eq!(read(&good, Kind::Id), None, "an access token as ID token");
        let none = part(r#"{"typ":"at+jwt","alg":"none","kid":"rsa-1"}"#);
        check("alg none", &format!("{none}.{payload}."));
        check(
            "alg none with a signature",
            &format!("{none}.{payload}.{signature}"),
        );
        check(
            "the public key as a secret",
            &with_header(r#"{"typ":"at+jwt","alg":"HS256","kid":"rsa-1"}"#),
        );
        check(
            "the other algorithm",
            &with_header(r#"{"typ":"at+jwt","alg":"EdDSA","kid":"rsa-1"}"#),
        );
        check(
            "the other key",
            &with_header(r#"{"typ":"at+jwt","alg":"EdDSA","kid":"ed-1"}"#),
        );
        check("no key", &with_header(r#"{"typ":"at+jwt","alg":"RS256"}"#));
        check(
            "an unknown key",
            &with_header(r#"{"typ":"at+jwt","alg":"RS256","kid":"x"}"#),
        );
        let own = ed_key("ed-1", 2);
        check(
            "a key of that name",
            &own.sign(Kind::Access, &claims).expect("a token"),
        );
        let x = serde_json::to_string(&own.public()).expect("JSON");
        check(
            "a key brought along",
            &with_header(&format!(
                r#"{{"typ":"at+jwt","alg":"RS256","kid":"rsa-1","jwk":{x}}}"#
            )),
        );
        check(
            "what is critical to others",
            &with_header(r#"{"typ":"at+jwt","alg":"RS256","kid":"rsa-1","crit":["x"]}"#),
        );
        let forged = format!(
            "{}.{}.{signature}",
            message.split_once('.').expect("a token").0,
            part(r#"{"sub":"bela"}"#)
        );
        check("other claims", &forged);
        check("no signature", &format!("{message}."));
        check("four parts", &format!("{good}.x"));
        check("nothing", "");
        check("dots", "..");
        check("padding", &format!("{good}="));
        check("too long", &format!("{}{good}", "A".repeat(TOKEN_BYTES)));
        let ed_token = ed.sign(Kind::Access, &claims).expect("a token");
        let mut broken = ed_token.clone().into_bytes();
        let middle = ed_token.rfind('.').expect("a dot") + 9;
        broken[middle] = if broken[middle] == b'A' { b'B' } else { b'A' };
        check("a bit", std::str::from_utf8(&broken).expect("text"));
    }

    #[test]
    fn published_keys_have_nothing_private_and_come_back_from_their_text() {
        for key in keys() {
            let text = serde_json::to_value(key.public()).expect("JSON");
            let mut names: Vec<_> = text.as_object().expect("an object").keys().collect();
            names.sort();
            let expect: &[&str] = match key.algorithm() {
                Algorithm::Rs256 => &["alg", "e", "kid", "kty", "n", "use"],
                Algorithm::EdDsa => &["alg", "crv", "kid", "kty", "use", "x"],
            };
            assert_eq!(names, expect);
            assert_eq!(text["use"], "sig");
            let back: Jwk = serde_json::from_value(text).expect("a key");
            assert_eq!(back, key.public());
        }
    }

    #[test]
    fn a_key_of_another_kind_is_no_key() {
        let [rsa, _] = keys();
        assert_eq!(rsa.public().kid, "rsa-1");
        assert!(SigningKey::from_pkcs8("x", Algorithm::EdDsa, b"not a key").is_err());
        assert!(SigningKey::from_pkcs8("x", Algorithm::Rs256, &[]).is_err());
    }
}
