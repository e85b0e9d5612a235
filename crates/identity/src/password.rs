//! Passwords: which are taken, and Argon2id over them.
//!
//! Hashing costs some fifty milliseconds and 19 MiB on purpose: the caller chooses where and how many at once. Salts come
//! in as arguments.

use std::fmt;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use unicode_normalization::UnicodeNormalization;

pub const LEAST_CHARACTERS: usize = 8;
pub const MOST_BYTES: usize = 1024;

/// OWASP's minimum for Argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Words of the house and of the person that are shorter are found in any password by chance.
const WORD_CHARACTERS: usize = 4;

/// Of the lists that attackers try first, those of eight characters and more; common_passwords.LICENSE says whose.
const COMMON: &str = include_str!("common_passwords.txt");

/// What an unknown user's password is compared with, so that it takes as long as a known one's.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c3R1YmUtbm9ib2R5LWhvbQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("the password is shorter than {LEAST_CHARACTERS} characters")]
    TooShort,
    #[error("the password is longer than {MOST_BYTES} bytes")]
    TooLong,
    #[error("the password is one of those that are tried first")]
    Common,
    #[error(
        "without the names of the house and the person the password has fewer than {LEAST_CHARACTERS} letters and digits"
    )]
    Names,
}

/// A password somebody may have. Not printable.
pub struct NewPassword(String);

impl NewPassword {
    /// `names`: of the house and of the person. Their words count nothing, since whoever wants in tries them. There are
    /// no rules of composition: they make passwords worse.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, PasswordError> {
        if text.len() > MOST_BYTES {
            return Err(PasswordError::TooLong);
        }
        let normal = normal(text);
        if normal.chars().count() < LEAST_CHARACTERS {
            return Err(PasswordError::TooShort);
        }
        let lower = normal.to_lowercase();
        if COMMON.lines().any(|common| common == lower) {
            return Err(PasswordError::Common);
        }
        let rest = without(&lower, names);
        let counts = rest.chars().filter(|c| c.is_alphanumeric()).count();
        if rest != lower && counts < LEAST_CHARACTERS {
            return Err(PasswordError::Names);
        }
        Ok(Self(normal))
    }

    pub fn hash(&self, salt: [u8; 16]) -> PasswordHash {
        let hash = hasher().hash_password_with_salt(self.0.as_bytes(), &salt);
        PasswordHash(
            hash.expect("length of password, salt and output are within Argon2's bounds")
                .to_string(),
        )
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

/// A PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// As it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Whether the password is right. Without a stored hash, for a user who does not exist, it is wrong after the same work.
pub fn verify(password: &str, stored: Option<&PasswordHash>) -> bool {
    if password.len() > MOST_BYTES {
        return false;
    }
    let hash = stored.map_or(NOBODY, PasswordHash::as_str);
    let right = hasher()
        .verify_password(normal(password).as_bytes(), hash)
        .is_ok();
    right && stored.is_some()
}

fn without(lower: &str, names: &[&str]) -> String {
    let names = names.iter().chain(&["Stube"]);
    let names: Vec<String> = names.map(|name| normal(name).to_lowercase()).collect();
    let words = names
        .iter()
        .flat_map(|name| name.split(|c: char| !c.is_alphanumeric()));
    let words = words.filter(|word| word.chars().count() >= WORD_CHARACTERS);
    words.fold(lower.to_owned(), |rest, word| rest.replace(word, ""))
}

/// The same password typed on two keyboards is the same password.
fn normal(password: &str) -> String {
    password.nfc().collect()
}

pub(crate) fn hasher() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).expect("constants are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["Haus am See", "annam", "Anna Müller-Lüdenscheidt"];

    fn check(what: &str, password: &str, expect: Option<PasswordError>) {
        assert_eq!(NewPassword::parse(password, &NAMES).err(), expect, "{what}");
    }

    #[test]
    fn long_enough_and_not_the_first_to_be_tried_is_all_that_is_asked() {
        check("seven", "abcdefg", Some(PasswordError::TooShort));
        check(
            "seven that are fourteen when decomposed",
            &"u\u{308}".repeat(7),
            Some(PasswordError::TooShort),
        );
        check("eight", "xbcdefgh", None);
        check("eight emoji", &"🔑".repeat(8), None);
        check("lower case words", "korrekt pferd batterie", None);
        check("common", "password1", Some(PasswordError::Common));
        check(
            "common, in capitals",
            "PASSWORT",
            Some(PasswordError::Common),
        );
        check("1024 bytes", &"x".repeat(1024), None);
        check(
            "1025 bytes",
            &"x".repeat(1025),
            Some(PasswordError::TooLong),
        );
    }

    #[test]
    fn the_list_can_match() {
        for line in COMMON.lines() {
            assert!(
                line.chars().count() >= LEAST_CHARACTERS && line == line.to_lowercase(),
                "{line}"
            );
        }
        assert!(COMMON.lines().count() > 3000);
        // The last of the first three thousand of at least eight characters, in the order of how common they are.
        check("the 3000th", "greyhoun", Some(PasswordError::Common));
    }

    #[test]
    fn names_of_the_house_and_the_person_count_nothing() {
        let names = Some(PasswordError::Names);
        check("the username and a year", "annam2026!", names);
        check("the first name twice", "annaAnna12", names);
        check("the surname", "MÜLLER1234", names);
        check("decomposed", "mu\u{308}ller1234", names);
        check("the house", "unserHaus7", names);
        check("the program", "Stube2026!", names);
        check("all of them", "haus-anna-müller-1", names);
        check("nothing but signs between them", "Anna - ?! - Anna", names);
        check("signs without names", "#+!?.,;:", None);
        check("short words are no names", "am See am See", None);
        check("enough besides", "anna isst gern Kuchen", None);
        check("nobody's name", "berta2026!", None);
        assert!(NewPassword::parse("annam2026!", &[]).is_ok());
    }

    #[test]
    fn only_the_right_password_fits_its_hash() {
        let hash = NewPassword::parse("Grüße aus Kiel", &[])
            .expect("a good one")
            .hash([3; 16]);
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify("Grüße aus Kiel", Some(&hash)));
        assert!(verify("Gru\u{308}ße aus Kiel", Some(&hash)));
        assert!(!verify("Grüße aus Kie", Some(&hash)));
        assert!(!verify("Grüße aus Kiel", None));
        let other = NewPassword::parse("Grüße aus Kiel", &[])
            .expect("a good one")
            .hash([4; 16]);
        assert_ne!(hash, other);
    }

    #[test]
    fn a_stored_hash_that_makes_no_sense_fits_nothing() {
        assert!(!verify("", Some(&PasswordHash::from_stored(String::new()))));
    }

    #[test]
    fn nobodys_hash_costs_what_a_real_one_does() {
        let parsed = argon2::password_hash::phc::PasswordHash::new(NOBODY).expect("well formed");
        let params = Params::try_from(&parsed).expect("Argon2 parameters");
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (MEMORY_KIB, PASSES, LANES)
        );
        let real = NewPassword::parse("Grüße aus Kiel", &[])
            .expect("a good one")
            .hash([3; 16]);
        assert_eq!(NOBODY.len(), real.as_str().len());
    }
}
