//! What an application may ask for.

use std::collections::BTreeSet;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    OpenId,
    /// Name and username.
    Profile,
    /// The mail address.
    Email,
    /// The groups of the house that the person is in.
    Groups,
    /// Refresh tokens, which outlive the sign-in.
    OfflineAccess,
}

impl Scope {
    pub const ALL: [Self; 5] = [
        Self::OpenId,
        Self::Profile,
        Self::Email,
        Self::Groups,
        Self::OfflineAccess,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenId => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::Groups => "groups",
            Self::OfflineAccess => "offline_access",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Separated by spaces. Unknown ones are passed over (OpenID Connect Core 3.1.2.1).
    pub fn parse(text: &str) -> Self {
        let known = |word: &str| Scope::ALL.into_iter().find(|scope| scope.as_str() == word);
        Self(text.split(' ').filter_map(known).collect())
    }

    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    pub fn covers(&self, other: &Self) -> bool {
        self.0.is_superset(&other.0)
    }

    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).copied().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{}", scope.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_scopes_are_passed_over() {
        let scopes = Scopes::parse("phone openid OPENID  profile");
        assert_eq!(scopes.to_string(), "openid profile");
        assert!(scopes.covers(&Scopes::parse("openid")));
        assert!(!scopes.covers(&Scopes::parse("openid offline_access")));
    }
}
