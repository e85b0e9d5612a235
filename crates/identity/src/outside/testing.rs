//! A provider of the tests in this folder: its description, its keys, and what it signs.

use std::sync::OnceLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use url::Url;

use super::{KeySet, Metadata};
use crate::UnixMs;

pub const NOW: UnixMs = 1_800_000_000_000;
pub const CLIENT: &str = "stube";
pub const NONCE: &str = "n-1";

pub fn document() -> Value {
    json!({
        "issuer": "https://id.example.org",
        "authorization_endpoint": "https://id.example.org/auth",
        "token_endpoint": "https://id.example.org/token",
        "jwks_uri": "https://id.example.org/keys",
        "userinfo_endpoint": "https://id.example.org/me",
        "end_session_endpoint": "https://id.example.org/end?x=1",
    })
}

pub fn metadata() -> Metadata {
    let issuer = Url::parse("https://id.example.org").expect("a URL");
    Metadata::read(document().to_string().as_bytes(), &issuer).expect("a description")
}

/// Of a good ID token.
pub fn claims() -> Value {
    let seconds = NOW / 1000;
    json!({
        "iss": "https://id.example.org",
        "sub": "änne-1",
        "aud": CLIENT,
        "iat": seconds - 1,
        "exp": seconds + 300,
        "nonce": NONCE,
    })
}

struct Pairs {
    rsa: RsaKeyPair,
    /// PKCS#8, from which the pair is made again.
    ec: Vec<u8>,
}

/// The same throughout a run.
fn pairs() -> &'static Pairs {
    static PAIRS: OnceLock<Pairs> = OnceLock::new();
    PAIRS.get_or_init(|| {
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Pairs {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"),
            ec: ec.to_pkcs8v1().expect("its text").as_ref().to_vec(),
        }
    })
}

fn ed(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a key")
}

pub fn rsa_public_der() -> Vec<u8> {
    AsDer::as_der(pairs().rsa.public_key())
        .expect("its text")
        .as_ref()
        .to_vec()
}

/// What is published: a key of each kind, and others that must not be used.
pub fn key_document() -> Value {
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let rsa = RsaPublicKeyComponents::<Vec<u8>>::from(pairs().rsa.public_key());
    let ec =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pairs().ec).expect("a key");
    let (x, y) = ec.public_key().as_ref()[1..].split_at(32);
    json!({"keys": [
        {"kty": "RSA", "kid": "rsa", "use": "sig", "n": encode(&rsa.n), "e": encode(&rsa.e)},
        {"kty": "RSA", "kid": "enc", "use": "enc", "n": encode(&rsa.n), "e": encode(&rsa.e)},
        {"kty": "EC", "kid": "ec", "crv": "P-256", "alg": "ES256", "x": encode(x), "y": encode(y)},
        {"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": encode(ed(1).public_key().as_ref())},
        {"kty": "oct", "kid": "secret", "k": encode(CLIENT.as_bytes())},
    ]})
}

pub fn keys() -> KeySet {
    KeySet::read(key_document().to_string().as_bytes()).expect("keys")
}

pub struct Signer {
    header: Header,
    seed: u8,
}

impl Signer {
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            header: Header::new(algorithm),
            seed: 1,
        }
    }

    pub fn kid(mut self, kid: &str) -> Self {
        self.header.kid = Some(kid.to_owned());
        self
    }

    pub fn kind(mut self, kind: &str) -> Self {
        self.header.typ = Some(kind.to_owned());
        self
    }

    /// Another key of the same name.
    pub fn seed(mut self, seed: u8) -> Self {
        self.seed = seed;
        self
    }

    pub fn sign(self, claims: &Value) -> String {
        let key = match self.header.alg {
            Algorithm::ES256 => EncodingKey::from_ec_der(&pairs().ec),
            Algorithm::EdDSA => {
                let der = ed(self.seed).to_pkcs8v1().expect("its text");
                EncodingKey::from_ed_der(der.as_ref())
            }
            _ => {
                let der = AsDer::as_der(&pairs().rsa).expect("its text");
                // PKCS#1 lies within PKCS#8, behind a head of this length.
                EncodingKey::from_rsa_der(&der.as_ref()[26..])
            }
        };
        jsonwebtoken::encode(&self.header, claims, &key).expect("a token")
    }
}
