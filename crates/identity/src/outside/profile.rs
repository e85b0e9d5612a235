//! Who somebody is, as their provider tells: cleaned names, mail, picture, groups. What cannot be taken is left out; a
//! sign-in never fails for it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::picture::Picture;
use crate::{DisplayName, GroupName, Mail, Username};

/// Who is in more groups is in the first so many.
const MOST_GROUPS: usize = 500;

pub type Claims = Map<String, Value>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What the username is made from: other people may have it.
    pub username: Username,
    pub name: DisplayName,
    pub mail: Option<Mail>,
    /// The provider knows that the address is this person's.
    pub mail_verified: bool,
    pub picture: Option<Picture>,
    pub groups: Vec<GroupName>,
}

/// What userinfo is asked for when the ID token does not have it.
const WANTED: [&str; 3] = ["name", "preferred_username", "email"];

/// Whether the ID token leaves something open.
pub fn is_incomplete(claims: &Claims, groups_claim: &str) -> bool {
    WANTED.iter().any(|name| !claims.contains_key(*name)) || at(claims, groups_claim).is_none()
}

impl Profile {
    /// `more`: what userinfo says. The ID token, which is signed, goes first. `None` only if not even `person` can be a
    /// username.
    pub fn read(subject: &str, claims: &Claims, more: &Claims, groups_claim: &str) -> Option<Self> {
        let value = |name: &str| claims.get(name).or_else(|| more.get(name));
        let text = |name: &str| value(name).and_then(Value::as_str).unwrap_or_default();
        let candidates = [
            text("preferred_username"),
            text("email"),
            text("nickname"),
            subject,
        ];
        let username =
            first(candidates, Username::salvage).or_else(|| Username::parse("person").ok())?;
        let both = format!("{} {}", text("given_name"), text("family_name"));
        let candidates = [text("name"), &both, username.as_str()];
        let name = first(candidates, DisplayName::salvage)?;
        let verified = value("email_verified").map(is_true);
        let groups = at(claims, groups_claim).or_else(|| at(more, groups_claim));
        Some(Self {
            name,
            // Some providers never say whether it is verified; one that says it is not is believed.
            mail: Mail::parse(text("email"))
                .ok()
                .filter(|_| verified != Some(false)),
            mail_verified: verified == Some(true),
            picture: Picture::parse(text("picture")),
            groups: groups.map(group_names).unwrap_or_default(),
            username,
        })
    }

    pub fn is_in(&self, group: &GroupName) -> bool {
        self.groups.iter().any(|one| one.key() == group.key())
    }
}

fn first<T, const N: usize>(texts: [&str; N], take: impl Fn(&str) -> Option<T>) -> Option<T> {
    texts.into_iter().find_map(take)
}

/// Some write truth as text.
fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or(value.as_str() == Some("true"))
}

/// A claim, or one within others: `realm_access.roles`.
fn at<'a>(claims: &'a Claims, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| {
        let (outer, inner) = path.split_once('.')?;
        at(claims.get(outer)?.as_object()?, inner)
    })
}

/// A list of names, or one. Keycloak writes the whole path, with a slash before it.
fn group_names(value: &Value) -> Vec<GroupName> {
    let one = std::slice::from_ref(value);
    let list = value.as_array().map_or(one, Vec::as_slice);
    let names = list.iter().filter_map(Value::as_str);
    let names = names.filter_map(group_name);
    let mut seen = BTreeSet::new();
    let fresh = names.filter(|name| seen.insert(name.key().to_owned()));
    fresh.take(MOST_GROUPS).collect()
}

/// A group as the settings or a provider write it.
pub fn group_name(text: &str) -> Option<GroupName> {
    GroupName::parse(text.trim().trim_start_matches('/')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(value: Value) -> Claims {
        value.as_object().expect("an object").clone()
    }

    fn read(id_token: Value, userinfo: Value, groups_claim: &str) -> Profile {
        Profile::read("sub-1", &claims(id_token), &claims(userinfo), groups_claim)
            .expect("somebody")
    }

    #[test]
    fn usernames_and_names_are_the_best_that_is_told() {
        for (what, told, username, name) in [
            (
                "everything",
                json!({"preferred_username": "anna", "name": "Änne  Schmidt", "email": "a@b.org"}),
                "anna",
                "Änne Schmidt",
            ),
            (
                "names apart",
                json!({"given_name": "Änne", "family_name": "Schmidt", "email": "a.s@b.org"}),
                "a.s",
                "Änne Schmidt",
            ),
            (
                "an address as username",
                json!({"preferred_username": "anna@b.org"}),
                "anna",
                "anna",
            ),
            (
                "what cannot be shown",
                json!({"preferred_username": "an\u{202E}na", "name": "\u{200B}"}),
                "anna",
                "anna",
            ),
            ("nothing", json!({}), "sub-1", "sub-1"),
            (
                "other kinds",
                json!({"name": 5, "preferred_username": ["x"]}),
                "sub-1",
                "sub-1",
            ),
        ] {
            let profile = read(told, json!({}), "groups");
            assert_eq!(profile.username.as_str(), username, "{what}");
            assert_eq!(profile.name.as_str(), name, "{what}");
        }
        let odd = Profile::read("\u{200B}", &Claims::new(), &Claims::new(), "groups");
        assert_eq!(
            odd.map(|odd| odd.username.as_str().to_owned()),
            Some("person".to_owned())
        );
    }

    #[test]
    fn the_signed_token_goes_before_userinfo() {
        let profile = read(
            json!({"name": "Anna"}),
            json!({"name": "Bela", "nickname": "b"}),
            "groups",
        );
        assert_eq!(
            (profile.name.as_str(), profile.username.as_str()),
            ("Anna", "b")
        );
    }

    #[test]
    fn an_address_is_taken_unless_the_provider_says_that_it_is_not_theirs() {
        for (verified, kept, sure) in [
            (json!({}), true, false),
            (json!({"email_verified": true}), true, true),
            (json!({"email_verified": "true"}), true, true),
            (json!({"email_verified": false}), false, false),
            (json!({"email_verified": "false"}), false, false),
            (json!({"email_verified": 1}), false, false),
        ] {
            let profile = read(
                verified.clone(),
                json!({"email": "Anna@example.org"}),
                "groups",
            );
            assert_eq!(
                (profile.mail.is_some(), profile.mail_verified),
                (kept, sure),
                "{verified}"
            );
        }
        assert_eq!(
            read(json!({"email": "no address"}), json!({}), "groups").mail,
            None
        );
    }

    #[test]
    fn groups_are_found_wherever_the_provider_puts_them() {
        for (claim, told, expect) in [
            (
                "groups",
                json!({"groups": ["Chor", "chor ", "Vorstand", 5, ""]}),
                "Chor, Vorstand",
            ),
            ("groups", json!({"groups": "Chor"}), "Chor"),
            ("groups", json!({"groups": ["/haus/chor"]}), "haus/chor"),
            ("groups", json!({}), ""),
            (
                "realm_access.roles",
                json!({"realm_access": {"roles": ["a", "b"]}}),
                "a, b",
            ),
            (
                "https://x.org/roles",
                json!({"https://x.org/roles": ["a"]}),
                "a",
            ),
            ("a.b", json!({"a": "b"}), ""),
        ] {
            for (id_token, userinfo) in [(told.clone(), json!({})), (json!({}), told.clone())] {
                let groups = read(id_token, userinfo, claim).groups;
                let names: Vec<_> = groups.iter().map(GroupName::as_str).collect();
                assert_eq!(names.join(", "), expect, "{claim} in {told}");
            }
        }
        let many: Vec<_> = (0..=MOST_GROUPS).map(|number| number.to_string()).collect();
        assert_eq!(
            read(json!({"groups": many}), json!({}), "groups")
                .groups
                .len(),
            MOST_GROUPS
        );
    }

    #[test]
    fn userinfo_is_asked_for_what_the_token_leaves_open() {
        let whole = json!({"name": "a", "preferred_username": "a", "email": "a", "groups": []});
        assert!(!is_incomplete(&claims(whole.clone()), "groups"));
        for name in ["name", "preferred_username", "email", "groups"] {
            let mut less = claims(whole.clone());
            less.remove(name);
            assert!(is_incomplete(&less, "groups"), "{name}");
        }
    }
}
