//! Whose account a sign-in at a provider leads to.
//!
//! The pair of issuer and subject decides. What a provider says of mail and usernames never opens an account that the house
//! made itself: who is new there is new here, under another username if theirs is taken. Accounts that a directory made
//! (LDAP, SCIM) wait for their person: a verified address that only they have leads there, and so does SCIM's own id.

use crate::{GroupName, Username};

use super::Profile;

/// An account, as far as this decision goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub id: String,
    pub locked: bool,
    pub kept_by: KeptBy,
    pub admin: bool,
}

/// Who looks after an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptBy {
    House,
    Ldap,
    Scim,
    Provider,
}

/// What is known before somebody comes in.
#[derive(Debug)]
pub struct Situation<'a> {
    pub profile: &'a Profile,
    /// Whose this issuer and subject are.
    pub linked: Option<&'a Known>,
    /// Who has this mail address and has never come from this issuer.
    pub same_mail: &'a [Known],
    /// Whose SCIM id the subject is; only where this is the house's only provider.
    pub same_id: Option<&'a Known>,
    /// The provider's group whose people administer the house.
    pub admin_group: Option<&'a GroupName>,
    /// Nobody can administer the house yet.
    pub without_administrator: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Enter {
        account: String,
        /// From now on the subject is this account's.
        link: bool,
        changes: Changes,
    },
    Create {
        admin: bool,
    },
    Refuse(Refused),
}

/// What is taken over of what the provider tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changes {
    /// Name, mail address and picture.
    pub profile: bool,
    pub admin: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the account is locked")]
    Locked,
    /// The first to come in from outside administers the house, and this person would not.
    #[error("nobody administers the house yet")]
    NotSetUp,
}

pub fn decide(situation: &Situation<'_>) -> Decision {
    let waiting = || waiting(situation);
    match situation.linked.or_else(waiting) {
        Some(known) if known.locked => Decision::Refuse(Refused::Locked),
        Some(known) => Decision::Enter {
            account: known.id.clone(),
            link: situation.linked.is_none(),
            changes: changes(situation, known),
        },
        None => {
            let admin = administers(situation).unwrap_or(false);
            if situation.without_administrator && !admin {
                Decision::Refuse(Refused::NotSetUp)
            } else {
                Decision::Create { admin }
            }
        }
    }
}

/// An account that a directory made for exactly this person.
fn waiting<'a>(situation: &Situation<'a>) -> Option<&'a Known> {
    let by_id = situation
        .same_id
        .filter(|known| known.kept_by == KeptBy::Scim);
    let by_mail = match situation.same_mail {
        [only] if situation.profile.mail_verified => Some(only),
        _ => None,
    };
    let made_by_directory = |known: &&Known| matches!(known.kept_by, KeptBy::Ldap | KeptBy::Scim);
    by_id.or(by_mail.filter(made_by_directory))
}

fn changes(situation: &Situation<'_>, known: &Known) -> Changes {
    let admin = administers(situation).filter(|admin| *admin != known.admin);
    match known.kept_by {
        KeptBy::Provider => Changes {
            profile: true,
            admin,
        },
        KeptBy::Scim => Changes {
            profile: false,
            admin,
        },
        // LDAP has groups of its own; of the house's own people the house decides.
        KeptBy::Ldap | KeptBy::House => Changes {
            profile: false,
            admin: None,
        },
    }
}

/// `None` where the provider has no say in it.
fn administers(situation: &Situation<'_>) -> Option<bool> {
    let group = situation.admin_group?;
    Some(situation.profile.is_in(group))
}

/// What somebody new may be called, best first. Enough that one of them is free unless somebody takes them all on purpose.
pub fn usernames(wanted: &Username, random: u32) -> impl Iterator<Item = Username> {
    let numbers = (2..=9).chain([random]);
    let others = numbers.filter_map(|number| wanted.numbered(number));
    std::iter::once(wanted.clone()).chain(others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DisplayName;

    fn known(id: &str, kept_by: KeptBy) -> Known {
        Known {
            id: id.to_owned(),
            locked: false,
            kept_by,
            admin: false,
        }
    }

    fn profile(mail_verified: bool, groups: &[&str]) -> Profile {
        let group = |name: &&str| GroupName::parse(name).expect("a name");
        Profile {
            username: Username::parse("anna").expect("a name"),
            name: DisplayName::parse("Anna").expect("a name"),
            mail: None,
            mail_verified,
            picture: None,
            groups: groups.iter().map(group).collect(),
        }
    }

    fn situation(profile: &Profile) -> Situation<'_> {
        Situation {
            profile,
            linked: None,
            same_mail: &[],
            same_id: None,
            admin_group: None,
            without_administrator: false,
        }
    }

    fn enters(decision: &Decision) -> Option<(&str, bool)> {
        match decision {
            Decision::Enter { account, link, .. } => Some((account, *link)),
            _ => None,
        }
    }

    #[test]
    fn the_subject_decides_and_nothing_else_opens_an_account_of_the_house() {
        let verified = profile(true, &[]);
        let unverified = profile(false, &[]);
        let house = [known("anna", KeptBy::House)];
        let elsewhere = [known("anna", KeptBy::Provider)];
        let new = Decision::Create { admin: false };
        for (what, profile, linked, same_mail) in [
            ("nobody like it", &verified, None, &[][..]),
            ("the same verified mail", &verified, None, &house[..]),
            ("the same unverified mail", &unverified, None, &house[..]),
            (
                "the mail of another provider's",
                &verified,
                None,
                &elsewhere[..],
            ),
            ("linked", &unverified, Some(&house[0]), &[][..]),
        ] {
            let decision = decide(&Situation {
                linked,
                same_mail,
                ..situation(profile)
            });
            match linked {
                Some(_) => assert_eq!(enters(&decision), Some(("anna", false)), "{what}"),
                None => assert_eq!(decision, new, "{what}"),
            }
        }
    }

    #[test]
    fn an_account_that_a_directory_made_waits_for_its_person() {
        let verified = profile(true, &[]);
        let unverified = profile(false, &[]);
        for kept_by in [KeptBy::Scim, KeptBy::Ldap] {
            let one = [known("anna", kept_by)];
            let two = [known("anna", kept_by), known("bela", kept_by)];
            for (what, profile, same_mail, expect) in [
                ("verified", &verified, &one[..], Some(("anna", true))),
                ("unverified", &unverified, &one[..], None),
                ("two with it", &verified, &two[..], None),
            ] {
                let decision = decide(&Situation {
                    same_mail,
                    ..situation(profile)
                });
                assert_eq!(enters(&decision), expect, "{what}");
            }
        }
        for (kept_by, expect) in [
            (KeptBy::Scim, Some(("anna", true))),
            (KeptBy::House, None),
            (KeptBy::Ldap, None),
            (KeptBy::Provider, None),
        ] {
            let one = known("anna", kept_by);
            let decision = decide(&Situation {
                same_id: Some(&one),
                ..situation(&unverified)
            });
            assert_eq!(enters(&decision), expect, "{kept_by:?}");
        }
    }

    #[test]
    fn who_is_locked_stays_out_however_they_are_found() {
        let profile = profile(true, &[]);
        let locked = Known {
            locked: true,
            ..known("anna", KeptBy::Scim)
        };
        let list = [locked.clone()];
        let by_subject = Situation {
            linked: Some(&locked),
            ..situation(&profile)
        };
        let by_mail = Situation {
            same_mail: &list,
            ..situation(&profile)
        };
        let by_id = Situation {
            same_id: Some(&locked),
            ..situation(&profile)
        };
        for one in [by_subject, by_mail, by_id] {
            assert_eq!(decide(&one), Decision::Refuse(Refused::Locked));
        }
    }

    #[test]
    fn the_providers_group_makes_and_unmakes_administrators_of_its_own_people() {
        let group = GroupName::parse("Admins").expect("a name");
        let inside = profile(false, &["x", "admins"]);
        let outside = profile(false, &["x"]);
        let before = |kept_by, admin| Known {
            admin,
            ..known("anna", kept_by)
        };
        use KeptBy::{House, Ldap, Provider, Scim};
        for (what, profile, admin_group, known, expect) in [
            (
                "becomes one",
                &inside,
                Some(&group),
                before(Provider, false),
                Some(true),
            ),
            (
                "stays one",
                &inside,
                Some(&group),
                before(Provider, true),
                None,
            ),
            (
                "is none any more",
                &outside,
                Some(&group),
                before(Provider, true),
                Some(false),
            ),
            (
                "no group, no say",
                &inside,
                None,
                before(Provider, true),
                None,
            ),
            (
                "of SCIM",
                &inside,
                Some(&group),
                before(Scim, false),
                Some(true),
            ),
            ("of LDAP", &inside, Some(&group), before(Ldap, false), None),
            (
                "of the house",
                &outside,
                Some(&group),
                before(House, true),
                None,
            ),
        ] {
            let decision = decide(&Situation {
                linked: Some(&known),
                admin_group,
                ..situation(profile)
            });
            let Decision::Enter { changes, .. } = decision else {
                panic!("{what}: {decision:?}");
            };
            assert_eq!(changes.admin, expect, "{what}");
            assert_eq!(changes.profile, known.kept_by == Provider, "{what}");
        }
    }

    #[test]
    fn while_nobody_administers_the_house_only_administrators_come_in() {
        let group = GroupName::parse("Admins").expect("a name");
        let inside = profile(true, &["Admins"]);
        let outside = profile(true, &[]);
        let refused = Decision::Refuse(Refused::NotSetUp);
        for (profile, admin_group, without_administrator, expect) in [
            (
                &inside,
                Some(&group),
                true,
                Decision::Create { admin: true },
            ),
            (&outside, Some(&group), true, refused.clone()),
            (&inside, None, true, refused),
            (&outside, None, false, Decision::Create { admin: false }),
        ] {
            let decision = decide(&Situation {
                admin_group,
                without_administrator,
                ..situation(profile)
            });
            assert_eq!(decision, expect);
        }
    }

    #[test]
    fn somebody_new_has_several_names_to_choose_from() {
        let wanted = Username::parse("anna").expect("a name");
        let names: Vec<_> = usernames(&wanted, 71_234).collect();
        let names: Vec<_> = names.iter().map(Username::as_str).collect();
        assert_eq!(names.len(), 10);
        assert_eq!(
            (names[0], names[1], names[9]),
            ("anna", "anna-2", "anna-71234")
        );
    }
}
