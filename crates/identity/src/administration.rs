//! Who may administer the house: administrators, and machines by the scopes of their tokens. And that somebody always can.

use url::Url;

use crate::UnixMs;

/// What a request needs, and what a machine's token may be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Looking at everything of the administration.
    Read,
    /// Changing everything of it, but for tokens.
    Write,
    /// The interface by which another system looks after people, and nothing else.
    Scim,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Scim];

    /// As it is stored and as the command line takes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Scim => "scim",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.word() == word)
    }
}

/// How long a token is good, if it is not until it is taken back: a minute to ten years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenLife(u64);

impl TokenLife {
    pub fn parse(ms: u64) -> Option<Self> {
        const MINUTE: u64 = 60 * 1000;
        const YEAR: u64 = 366 * 24 * 60 * MINUTE;
        (MINUTE..=10 * YEAR).contains(&ms).then_some(Self(ms))
    }

    pub fn end(self, now: UnixMs) -> UnixMs {
        now.saturating_add(self.0)
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking<'a> {
    Nobody,
    Person {
        admin: bool,
        locked: bool,
    },
    Token {
        scopes: &'a [Scope],
        expires: Option<UnixMs>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Granted,
    /// It is not known who asks.
    Unknown,
    /// It is known, and not for them.
    Forbidden,
}

/// A scope is never part of another one: whoever is to read and write needs both.
pub fn admit(asking: Asking<'_>, needed: Scope, now: UnixMs) -> Admission {
    match asking {
        Asking::Nobody | Asking::Person { locked: true, .. } => Admission::Unknown,
        Asking::Person { admin, .. } => granted(admin && needed != Scope::Scim),
        Asking::Token { scopes, expires } => match expires {
            Some(expires) if expires <= now => Admission::Unknown,
            _ => granted(scopes.contains(&needed)),
        },
    }
}

/// Whether signing in by username and password may be closed, so that only outside providers are left: whoever asks must
/// have come in by one of them, as an administrator, or nobody might get in any more.
pub fn may_leave_to_providers(issuers: &[Url], came_by: Option<&str>) -> bool {
    // Settings and providers differ about the slash at the end.
    let bare = |issuer: &Url| issuer.as_str().trim_end_matches('/').to_owned();
    let came_by = came_by.and_then(|issuer| Url::parse(issuer).ok());
    came_by.is_some_and(|came_by| issuers.iter().any(|issuer| bare(issuer) == bare(&came_by)))
}

/// What somebody beside the house looks after, of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Name and mail: written anew from there, whatever is written here.
    pub profile: bool,
    /// Whether the person is an administrator: a group there says so.
    pub admin: bool,
}

/// What a change would touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touched {
    pub profile: bool,
    pub admin: bool,
}

/// Whether the administration may change that here. Locking is always the house's own.
pub fn may_change(kept: Kept, touched: Touched) -> bool {
    !(kept.profile && touched.profile || kept.admin && touched.admin)
}

/// Whether whoever asks may make somebody an administrator, or change, remove or give a new password to one: people only.
/// A machine that could would have all that its token does not give it.
pub fn may_act_on_administrators(is_person: bool) -> bool {
    is_person
}

fn granted(yes: bool) -> Admission {
    if yes {
        Admission::Granted
    } else {
        Admission::Forbidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = 1_000;

    #[test]
    fn everybody_is_kept_out_but_administrators_and_tokens_of_the_right_scope() {
        use Admission::{Forbidden, Granted, Unknown};
        use Scope::{Read, Scim, Write};
        let person = |admin, locked| Asking::Person { admin, locked };
        let token = |scopes| Asking::Token {
            scopes,
            expires: None,
        };
        let until = |expires| Asking::Token {
            scopes: &[Read],
            expires: Some(expires),
        };
        let check = |what: &str, asking: Asking<'_>, expect: [Admission; 3]| {
            let found = [Read, Write, Scim].map(|needed| admit(asking, needed, NOW));
            assert_eq!(found, expect, "{what}: to read, to write, by SCIM");
        };
        check("nobody", Asking::Nobody, [Unknown; 3]);
        check("an account", person(false, false), [Forbidden; 3]);
        check(
            "an administrator",
            person(true, false),
            [Granted, Granted, Forbidden],
        );
        check("a locked administrator", person(true, true), [Unknown; 3]);
        check("a token for nothing", token(&[]), [Forbidden; 3]);
        check("to read", token(&[Read]), [Granted, Forbidden, Forbidden]);
        check("to write", token(&[Write]), [Forbidden, Granted, Forbidden]);
        check("for SCIM", token(&[Scim]), [Forbidden, Forbidden, Granted]);
        check("for all of it", token(&[Scim, Write, Read]), [Granted; 3]);
        check(
            "with an end to come",
            until(NOW + 1),
            [Granted, Forbidden, Forbidden],
        );
        check("at its end", until(NOW), [Unknown; 3]);
    }

    #[test]
    fn what_is_looked_after_elsewhere_is_changed_there() {
        let check = |what: &str, kept: [bool; 2], touched: [bool; 2], expect: bool| {
            let [profile, admin] = kept;
            let kept = Kept { profile, admin };
            let [profile, admin] = touched;
            let touched = Touched { profile, admin };
            assert_eq!(may_change(kept, touched), expect, "{what}");
        };
        check("all of the house", [false; 2], [true; 2], true);
        check("a name of elsewhere", [true, false], [true, false], false);
        check("a role of elsewhere", [false, true], [false, true], false);
        check(
            "only the role is the house's",
            [true, false],
            [false, true],
            true,
        );
        check(
            "only the name is the house's",
            [false, true],
            [true, false],
            true,
        );
        check("something else", [true; 2], [false; 2], true);
    }

    #[test]
    fn the_door_is_closed_only_by_somebody_who_came_through_another() {
        let check = |what: &str, issuers: &[&str], came_by: Option<&str>, expect: bool| {
            let issuers: Vec<_> = issuers
                .iter()
                .map(|issuer| Url::parse(issuer).expect("a URL"))
                .collect();
            let found = may_leave_to_providers(&issuers, came_by);
            assert_eq!(found, expect, "{what}");
        };
        check("by a provider", &["https://a"], Some("https://a"), true);
        check(
            "by one of several",
            &["https://a", "https://b"],
            Some("https://b"),
            true,
        );
        check(
            "with a slash more",
            &["https://a/b"],
            Some("https://a/b/"),
            true,
        );
        check(
            "written another way",
            &["https://a/"],
            Some("https://A"),
            true,
        );
        check("by password", &["https://a"], None, false);
        check("there is no provider", &[], None, false);
        check("the provider is gone", &[], Some("https://a"), false);
        check("another one came", &["https://b"], Some("https://a"), false);
    }
}
