//! Backup codes: what somebody types who has lost the authenticator app. Each is good once.
//!
//! Fifty random bits are short enough to write down and too short for a plain hash: they are hashed as passwords are, all
//! of one account with one salt, so that looking for one costs one hash.

use std::fmt;

use argon2::PasswordHasher;

use crate::password::{PasswordHash, hasher};

/// How many somebody gets.
pub const COUNT: usize = 10;
/// Random bytes of one code, of which the first fifty bits are taken.
pub const RANDOM_BYTES: usize = 8;
const CHARACTERS: usize = 10;
/// Crockford's: without letters that look like digits, and without U.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Not printable.
#[derive(PartialEq, Eq)]
pub struct BackupCode(String);

impl BackupCode {
    pub fn new(random: [u8; RANDOM_BYTES]) -> Self {
        let bits = u64::from_be_bytes(random);
        let characters = (1..=CHARACTERS).map(|n| {
            let index = (bits >> (64 - 5 * n)) & 31;
            char::from(ALPHABET[index as usize])
        });
        Self(characters.collect())
    }

    /// What somebody typed, however it was written; `None` if it cannot be a backup code.
    pub fn parse(text: &str) -> Option<Self> {
        let written = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let meant = written.map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        });
        let code: String = meant.take(CHARACTERS + 1).collect();
        let ours = code.len() == CHARACTERS && code.bytes().all(|byte| ALPHABET.contains(&byte));
        ours.then_some(Self(code))
    }

    /// For the person's eyes, once: in two halves.
    pub fn shown(&self) -> String {
        let (first, second) = self.0.split_at(CHARACTERS / 2);
        format!("{first}-{second}")
    }

    pub fn hash(&self, salt: &[u8; 16]) -> PasswordHash {
        let hash = hasher().hash_password_with_salt(self.0.as_bytes(), salt);
        PasswordHash::from_stored(
            hash.expect("length of code, salt and output are within Argon2's bounds")
                .to_string(),
        )
    }

    /// As it is stored if it is one of the codes that were hashed with the salt of `like`.
    pub fn hash_like(&self, like: &PasswordHash) -> Option<PasswordHash> {
        let parsed = argon2::password_hash::phc::PasswordHash::new(like.as_str()).ok()?;
        let salt: [u8; 16] = parsed.salt?.as_ref().try_into().ok()?;
        Some(self.hash(&salt))
    }
}

impl fmt::Debug for BackupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackupCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_however_it_is_typed() {
        // Fifty bits, and fourteen that do not count.
        let code = BackupCode::new([0x08, 0x42, 0x10, 0x84, 0x21, 0x08, 0x7f, 0xff]);
        assert_eq!(code.shown(), "11111-11111");
        let check = |typed: &str, expect: bool| {
            assert_eq!(
                BackupCode::parse(typed).as_ref() == Some(&code),
                expect,
                "{typed}"
            );
        };
        check("11111-11111", true);
        check("1111111111", true);
        check(" lIiL1 ‑", false);
        check(" lIiL1 11111 ", true);
        check("11111-1111", false);
        check("11111-111111", false);
        check("11111-11112", false);
        check("", false);
        check("u1111-11111", false);
        check("ä1111-11111", false);
    }

    #[test]
    fn every_bit_counts_and_each_code_comes_back_as_it_was_shown() {
        for bit in 0..50 {
            let code = BackupCode::new((1u64 << (63 - bit)).to_be_bytes());
            assert_ne!(code.shown(), "00000-00000", "{bit}");
            assert_eq!(BackupCode::parse(&code.shown()), Some(code));
        }
    }

    #[test]
    fn a_code_is_found_by_one_hash_with_the_salt_of_any() {
        let (first, second) = (BackupCode::new([1; 8]), BackupCode::new([200; 8]));
        let stored = [first.hash(&[3; 16]), second.hash(&[3; 16])];
        assert_eq!(second.hash_like(&stored[0]).as_ref(), Some(&stored[1]));
        assert_ne!(
            BackupCode::new([7; 8]).hash_like(&stored[0]).as_ref(),
            Some(&stored[1])
        );
        assert_eq!(
            first.hash_like(&PasswordHash::from_stored("broken".to_owned())),
            None
        );
    }
}
