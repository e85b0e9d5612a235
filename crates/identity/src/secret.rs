//! Random secrets that a client holds (session, guest grant, ticket, set-up link) and what the server keeps of them.
//!
//! The client gets 256 random bits as text; the server stores SHA-256 of that text only. No salt is needed: there is
//! nothing to guess.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Printed by nobody: `Debug` hides it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(random: [u8; 32]) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(random))
    }

    /// What the client brought; `None` if it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let ours = text.len() == 43
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        ours.then(|| Self(text.to_owned()))
    }

    /// For the client's eyes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0.as_bytes()).into())
    }

    pub fn is(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of a secret: safe to store and to look up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_back_as_it_was_given() {
        let secret = Secret::new([7; 32]);
        let back = Secret::parse(secret.expose()).expect("our own text");
        assert!(back.is(&secret));
        assert_eq!(back.hash(), secret.hash());
        assert!(!back.is(&Secret::new([8; 32])));
    }

    #[test]
    fn what_is_stored_is_the_sha_256_of_the_text() {
        // `printf AAAA…A (43 times) | sha256sum`
        let hex = Secret::new([0; 32]).hash().to_hex();
        assert_eq!(hex.len(), 64);
        assert_eq!(
            hex,
            SecretHash(Sha256::digest("A".repeat(43)).into()).to_hex()
        );
    }

    #[test]
    fn foreign_text_is_no_secret_and_nothing_prints_one() {
        for text in [
            "",
            "short",
            &"a".repeat(44),
            &"ä".repeat(21),
            &format!("{} ", "a".repeat(42)),
        ] {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
        assert_eq!(format!("{:?}", Secret::new([7; 32])), "Secret(…)");
    }
}
