//! Clients, keys and people of the tests in this folder.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use std::sync::OnceLock;

use super::client::ClientSecretHash;
use super::jose::{Algorithm, SigningKey};
use super::{Client, ClientId, Issuer, RedirectUri, SignIn, Subject};
use crate::{Secret, UnixMs};

pub const NOW: UnixMs = 1_800_000_000_000;
/// The seed of the confidential client's secret.
pub const SECRET: u8 = 7;
/// Appendix B of RFC 7636.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub fn issuer() -> Issuer {
    Issuer("https://meet.example.org".to_owned())
}

pub fn sign_in(at: UnixMs) -> SignIn {
    SignIn {
        subject: Subject("anna".to_owned()),
        session: "session".to_owned(),
        at,
    }
}

/// Confidential, and a stranger.
pub fn client() -> Client {
    let uri = |text: &str| RedirectUri::from_stored(text.to_owned());
    Client {
        id: ClientId("app".to_owned()),
        name: "App".to_owned(),
        secret: Some(ClientSecretHash::of(&Secret::new([SECRET; 32]))),
        trusted: false,
        redirect_uris: vec![
            uri("https://app.example.org/cb"),
            uri("https://app.example.org/cb?tenant=1"),
        ],
        post_logout_uris: vec![uri("https://app.example.org/bye")],
        algorithm: Algorithm::Rs256,
    }
}

pub fn trusted_client() -> Client {
    Client {
        trusted: true,
        ..client()
    }
}

pub fn public_client() -> Client {
    Client {
        id: ClientId("spa".to_owned()),
        secret: None,
        ..client()
    }
}

/// One of each kind, the same throughout a run.
pub fn keys() -> [SigningKey; 2] {
    static RSA: OnceLock<Vec<u8>> = OnceLock::new();
    let rsa = RSA.get_or_init(|| {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        AsDer::as_der(&pair).expect("its text").as_ref().to_vec()
    });
    [rsa_key("rsa-1", rsa), ed_key("ed-1", 1)]
}

fn rsa_key(kid: &str, der: &[u8]) -> SigningKey {
    SigningKey::from_pkcs8(kid, Algorithm::Rs256, der).expect("a key")
}

pub fn ed_key(kid: &str, seed: u8) -> SigningKey {
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&[seed; 32]);
    let der = pair.expect("a key").to_pkcs8v1().expect("its text");
    SigningKey::from_pkcs8(kid, Algorithm::EdDsa, der.as_ref()).expect("a key")
}
