//! Codes of an authenticator app (RFC 6238): six digits, thirty seconds, SHA-1, since that is what all apps can do.
//!
//! Secrets come in as random bytes. Which code was the last one taken is stored by the caller.

use std::fmt;

use totp_rs::{Builder, Totp};

use crate::UnixMs;

/// Within which a secret that was shown must be confirmed by its first code.
pub const CONFIRM_MS: u64 = 15 * 60 * 1000;
pub const SECRET_BYTES: usize = 20;

/// What the app and the server share. Not printable.
pub struct TotpKey(Totp);

impl TotpKey {
    /// `None` if the stored bytes are none of ours.
    pub fn from_bytes(secret: &[u8]) -> Option<Self> {
        Builder::new()
            .with_secret(secret.to_vec())
            .build()
            .ok()
            .map(Self)
    }

    /// In base32, for typing.
    pub fn secret(&self) -> String {
        self.0.secret().to_base32()
    }

    /// `otpauth://totp/…`: what the app reads from a picture and shows above the code.
    pub fn url(&self, house: &str, username: &str) -> Option<String> {
        let plain = |text: &str| text.replace(':', " ");
        let named = Builder::new()
            .with_secret(self.0.secret().as_bytes().to_vec())
            .with_issuer(Some(plain(house)))
            .with_account_name(plain(username));
        named.build().ok()?.to_url().ok()
    }

    /// The time step of a right code: the present one or a neighbour, since clocks differ. Each may be taken once, and
    /// none after a later one: the caller stores the step with the condition that it grows.
    pub fn step(&self, code: &str, now: UnixMs) -> Option<u64> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        self.0.check(&digits, now / 1000)
    }
}

impl fmt::Debug for TotpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of RFC 6238, appendix B.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_rfc_and_good_for_a_step_before_and_after() {
        let key = TotpKey::from_bytes(SECRET).expect("a key");
        let check = |what: &str, code: &str, second: u64, expect: Option<u64>| {
            assert_eq!(key.step(code, second * 1000), expect, "{what}");
        };
        check("the last six digits of 94287082", "287082", 59, Some(1));
        check("of 07081804", "081804", 1_111_111_109, Some(37_037_036));
        check("of 89005924", "005924", 1_234_567_890, Some(41_152_263));
        check("as apps show it", "287 082", 59, Some(1));
        check("a step later", "287082", 89, Some(1));
        check("a step before", "287082", 29, Some(1));
        check("two steps later", "287082", 90, None);
        check("another", "287083", 59, None);
        check("empty", "", 59, None);
        check("too short", "28708", 59, None);
        check("eight digits", "94287082", 59, None);
        check("other digits", "٢٨٧٠٨٢", 59, None);
    }

    #[test]
    fn the_app_is_told_whose_code_it_is() {
        let key = TotpKey::from_bytes(SECRET).expect("a key");
        let check = |house: &str, username: &str, expect: &str| {
            assert_eq!(key.url(house, username).as_deref(), Some(expect));
        };
        check(
            "Stube",
            "anna",
            "otpauth://totp/Stube:anna?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Stube",
        );
        check(
            "Haus: am See",
            "änne:x",
            "otpauth://totp/Haus%20%20am%20See:%C3%A4nne%20x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Haus%20%20am%20See",
        );
        assert_eq!(key.secret(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(TotpKey::from_bytes(b"short").is_none());
    }
}
