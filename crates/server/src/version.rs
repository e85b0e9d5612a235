//! Versions of Stube: the server and the app in it have the same.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `0.2.0`: three numbers and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version([u32; 3]);

impl Version {
    /// Of this server.
    pub fn own() -> Self {
        let own = env!("CARGO_PKG_VERSION").parse();
        own.expect("the package has a plain version")
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str| {
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|_| digits)
        };
        let numbers: Option<Vec<u32>> = text.split('.').map(number).collect();
        let numbers = numbers.and_then(|numbers| <[u32; 3]>::try_from(numbers).ok());
        let wrong = || format!("\"{text}\" is no version, as 0.2.0 is one");
        numbers.map(Self).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(formatter, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_three_numbers_and_compare_as_numbers() {
        let version = |text: &str| text.parse::<Version>();
        assert!(version("0.10.0") > version("0.9.9"));
        assert_eq!(version("1.2.3").map(String::from), Ok("1.2.3".to_owned()));
        for wrong in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "1.2.x",
            "1.2.-3",
            "+1.2.3",
            "v1.2.3",
            " 1.2.3",
            "1.2.99999999999",
        ] {
            assert!(version(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(Version::own().to_string(), env!("CARGO_PKG_VERSION"));
    }
}
