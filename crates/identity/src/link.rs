//! Links that make an account or give one a new password: how long they are good, for how many, and what they may carry.
//!
//! Knows neither addresses nor mail; the secret of a link is a `Secret` like any other.

use crate::{DisplayName, Mail, UnixMs, Username};

const MINUTE_MS: u64 = 60 * 1000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

pub const SHORTEST_LIFE_MS: u64 = 5 * MINUTE_MS;
pub const LONGEST_LIFE_MS: u64 = 90 * DAY_MS;
pub const MOST_USES: u32 = 1000;
pub const MOST_GROUPS: usize = 50;

/// A link for a new account of somebody who does not expect it yet.
pub const WELCOME_LIFE_MS: u64 = 7 * DAY_MS;
/// A recovery link that an administrator hands over.
pub const RECOVERY_LIFE_MS: u64 = DAY_MS;
/// A recovery link that somebody asked for and waits for.
pub const ASKED_LIFE_MS: u64 = 60 * MINUTE_MS;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    #[error("a link is good for 5 minutes to 90 days")]
    Life,
    #[error("a link makes 1 to {MOST_USES} accounts")]
    Uses,
    #[error("a link for many cannot be for one person, nor make administrators")]
    ForMany,
    #[error("a link brings people into at most {MOST_GROUPS} groups")]
    Groups,
}

/// When a link made now ends.
pub fn expires(now: UnixMs, life_ms: u64) -> Result<UnixMs, LinkError> {
    if !(SHORTEST_LIFE_MS..=LONGEST_LIFE_MS).contains(&life_ms) {
        return Err(LinkError::Life);
    }
    Ok(now.saturating_add(life_ms))
}

/// What an invite says about the accounts it makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invite {
    /// Suggestions: whoever accepts may write something else.
    pub name: Option<DisplayName>,
    pub username: Option<Username>,
    /// Becomes the account's.
    pub mail: Option<Mail>,
    pub admin: bool,
    /// Names of groups.
    pub groups: Vec<String>,
    pub uses: u32,
}

impl Invite {
    /// A link that goes round in a class must not be one person's, and above all must make nobody an administrator.
    pub fn check(&self) -> Result<(), LinkError> {
        let personal = self.name.is_some() || self.username.is_some() || self.mail.is_some();
        if !(1..=MOST_USES).contains(&self.uses) {
            Err(LinkError::Uses)
        } else if self.uses > 1 && (personal || self.admin) {
            Err(LinkError::ForMany)
        } else if self.groups.len() > MOST_GROUPS {
            Err(LinkError::Groups)
        } else {
            Ok(())
        }
    }
}

/// Whose password is to be recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    pub locked: bool,
    /// Somebody else keeps the password: LDAP.
    pub password_elsewhere: bool,
    /// The account is looked after here and by nobody else.
    pub of_the_house: bool,
    pub has_password: bool,
}

impl Owner {
    /// By an administrator, who knows what they do; a locked account stays locked.
    pub fn may_get_link(&self) -> bool {
        !self.password_elsewhere
    }

    /// By mail, for whoever asks. Whoever comes by a provider only must not get around it with a mailbox.
    pub fn may_ask(&self) -> bool {
        !self.locked && !self.password_elsewhere && (self.of_the_house || self.has_password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_for_five_minutes_to_ninety_days() {
        let check = |life: u64, expect| assert_eq!(expires(1000, life), expect, "{life}");
        check(5 * MINUTE_MS, Ok(1000 + 5 * MINUTE_MS));
        check(90 * DAY_MS, Ok(1000 + 90 * DAY_MS));
        check(5 * MINUTE_MS - 1, Err(LinkError::Life));
        check(90 * DAY_MS + 1, Err(LinkError::Life));
        check(0, Err(LinkError::Life));
        check(u64::MAX, Err(LinkError::Life));
        for ours in [WELCOME_LIFE_MS, RECOVERY_LIFE_MS, ASKED_LIFE_MS] {
            assert!(expires(1000, ours).is_ok(), "{ours}");
        }
    }

    #[test]
    fn an_invite_for_many_carries_nothing_that_is_for_one() {
        let check = |what: &str, change: fn(&mut Invite), expect| {
            let mut invite = Invite {
                uses: 1,
                ..Invite::default()
            };
            change(&mut invite);
            assert_eq!(invite.check(), expect, "{what}");
        };
        let personal = |invite: &mut Invite| {
            invite.name = DisplayName::parse("Anna").ok();
            invite.username = Username::parse("anna").ok();
            invite.mail = Mail::parse("anna@example.org").ok();
            invite.admin = true;
        };
        check("for one, with everything", personal, Ok(()));
        check("for a class", |it| it.uses = 30, Ok(()));
        check("for a thousand", |it| it.uses = 1000, Ok(()));
        check("for nobody", |it| it.uses = 0, Err(LinkError::Uses));
        check("for too many", |it| it.uses = 1001, Err(LinkError::Uses));
        let many = Err(LinkError::ForMany);
        check(
            "administrators by the dozen",
            |it| (it.uses, it.admin) = (2, true),
            many,
        );
        check(
            "one name for two",
            |it| (it.uses, it.name) = (2, DisplayName::parse("Anna").ok()),
            many,
        );
        check(
            "one username for two",
            |it| (it.uses, it.username) = (2, Username::parse("anna").ok()),
            many,
        );
        check(
            "one address for two",
            |it| (it.uses, it.mail) = (2, Mail::parse("a@example.org").ok()),
            many,
        );
        let groups = |count: usize| vec!["Klasse 7b".to_owned(); count];
        let mut invite = Invite {
            uses: 30,
            groups: groups(MOST_GROUPS),
            ..Invite::default()
        };
        assert_eq!(invite.check(), Ok(()));
        invite.groups = groups(MOST_GROUPS + 1);
        assert_eq!(invite.check(), Err(LinkError::Groups));
    }

    #[test]
    fn only_who_has_a_password_of_the_house_to_forget_gets_a_new_one_by_mail() {
        let of_the_house = Owner {
            locked: false,
            password_elsewhere: false,
            of_the_house: true,
            has_password: true,
        };
        let check = |what: &str, owner: Owner, asks: bool, given: bool| {
            assert_eq!(
                (owner.may_ask(), owner.may_get_link()),
                (asks, given),
                "{what}"
            );
        };
        check("of the house", of_the_house, true, true);
        let fresh = Owner {
            has_password: false,
            ..of_the_house
        };
        check("invited, and never been here", fresh, true, true);
        let locked = Owner {
            locked: true,
            ..of_the_house
        };
        check("locked", locked, false, true);
        let outside = Owner {
            of_the_house: false,
            ..fresh
        };
        check("of a provider", outside, false, true);
        let both = Owner {
            has_password: true,
            ..outside
        };
        check("of a provider, with a password too", both, true, true);
        let ldap = Owner {
            password_elsewhere: true,
            ..outside
        };
        check("of LDAP", ldap, false, false);
    }
}
