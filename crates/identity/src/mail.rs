//! Mail addresses: taken if a server could deliver to them, kept as written, compared folded.

use std::str::FromStr;

use email_address::EmailAddress;

use crate::name::is_forbidden;

const MOST_BYTES: usize = 254;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    text: String,
    key: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this cannot be a mail address")]
pub struct MailError;

impl Mail {
    pub fn parse(text: &str) -> Result<Self, MailError> {
        let text = text.trim();
        // Quoted local parts and bare hosts are allowed by the standard and used by nobody but attackers.
        let plain = text.len() <= MOST_BYTES
            && !text.contains(['"', '[', '<', '>', ',', ';'])
            && !text.contains(|c: char| c.is_whitespace() || is_forbidden(c));
        if !plain || EmailAddress::from_str(text).is_err() {
            return Err(MailError);
        }
        Ok(Self {
            text: text.to_owned(),
            key: text.to_lowercase(),
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Two addresses with one key are the same.
    pub fn key(&self) -> &str {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_delivered_is_an_address() {
        for good in [
            "anna@example.org",
            " Anna.Albrecht+stube@mail.example.org ",
            "änne@exämple.org",
        ] {
            assert!(Mail::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "anna",
            "anna@",
            "@example.org",
            "anna@example.org, b@example.org",
            "Anna <anna@example.org>",
            "\"a b\"@example.org",
            "a@[127.0.0.1]",
            "a\n@example.org",
            "a\u{a0}b@example.org",
            "a\u{2028}b@example.org",
            "a\u{202e}b@example.org",
            "a\u{200b}b@example.org",
            &format!("{}@example.org", "a".repeat(250)),
        ] {
            assert_eq!(Mail::parse(bad), Err(MailError), "{bad}");
        }
    }

    #[test]
    fn case_does_not_make_another_address() {
        let mail = Mail::parse("Anna@Example.org").expect("a good one");
        assert_eq!(
            (mail.as_str(), mail.key()),
            ("Anna@Example.org", "anna@example.org")
        );
    }
}
