//! What a directory says, made ours: people and groups out of entries, and who is in which group, by however many steps.
//!
//! Pure, and lenient: what an entry lacks is missing, and whether that will do is decided elsewhere.

use std::collections::{BTreeSet, HashMap, HashSet};

use identity::GroupName;
use ldap3::SearchEntry;

use crate::config::outside::LdapAttributes;

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub dn: String,
    /// As text, or in hexadecimal if it is none.
    pub id: String,
    pub username: String,
    pub name: String,
    pub mail: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub dn: String,
    pub name: String,
    /// DNs of people and of groups; usernames where the directory does it so (`memberUid`).
    pub members: Vec<String>,
}

/// Absent without an id: there would be no finding this person again.
pub fn person(entry: &SearchEntry, names: &LdapAttributes) -> Option<Record> {
    let text = |name: &str| first(entry, name).map(|value| String::from_utf8_lossy(value).into());
    let id = first(entry, &names.id).filter(|id| !id.is_empty())?;
    Some(Record {
        dn: entry.dn.clone(),
        id: written(id),
        username: text(&names.username).unwrap_or_default(),
        name: text(&names.name).unwrap_or_default(),
        mail: text(&names.mail).unwrap_or_default(),
    })
}

/// Whose picture, and which.
pub fn picture(entry: &SearchEntry, names: &LdapAttributes) -> Option<(String, Vec<u8>)> {
    let id = first(entry, &names.id).filter(|id| !id.is_empty())?;
    let picture = first(entry, &names.picture)?;
    Some((written(id), picture.to_vec()))
}

pub fn group(entry: &SearchEntry, names: &LdapAttributes) -> Group {
    let name = first(entry, &names.group_name).unwrap_or_default();
    Group {
        dn: entry.dn.clone(),
        name: String::from_utf8_lossy(name).into(),
        members: texts(entry, &names.member).map(str::to_owned).collect(),
    }
}

/// Active Directory tells of long lists a part: `member;range=0-1499`. Gives these values and where the next part begins,
/// if there is one.
pub fn part(entry: &SearchEntry, attribute: &str) -> Option<(Vec<String>, Option<u32>)> {
    entry.attrs.iter().find_map(|(key, values)| {
        let (name, range) = key.split_once(";range=")?;
        let (_, last) = range.split_once('-')?;
        let next = match last {
            "*" => None,
            last => Some(last.parse::<u32>().ok()?.checked_add(1)?),
        };
        name.eq_ignore_ascii_case(attribute)
            .then(|| (values.clone(), next))
    })
}

fn texts<'a>(entry: &'a SearchEntry, name: &str) -> impl Iterator<Item = &'a str> {
    let wanted = name.to_owned();
    entry
        .attrs
        .iter()
        .filter(move |(key, _)| key.eq_ignore_ascii_case(&wanted))
        .flat_map(|(_, values)| values.iter().map(String::as_str))
}

fn first<'a>(entry: &'a SearchEntry, name: &str) -> Option<&'a [u8]> {
    texts(entry, name).next().map(str::as_bytes).or_else(|| {
        let named = |(key, _): &(&String, _)| key.eq_ignore_ascii_case(name);
        let (_, values) = entry.bin_attrs.iter().find(named)?;
        values.first().map(Vec::as_slice)
    })
}

/// By its bytes alone, so that the same id is always written the same way.
fn written(id: &[u8]) -> String {
    match std::str::from_utf8(id) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => text.to_owned(),
        _ => id.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// Two ways of writing one DN have one key, as far as servers differ in what they write.
pub fn dn_key(dn: &str) -> String {
    let mut key = String::with_capacity(dn.len());
    let (mut escaped, mut after_separator) = (false, false);
    for c in dn.trim().chars() {
        let separator = !escaped && matches!(c, ',' | '=');
        if c == ' ' && after_separator {
            continue;
        }
        if separator {
            key.truncate(key.trim_end_matches(' ').len());
        }
        escaped = !escaped && c == '\\';
        after_separator = separator;
        key.extend(c.to_lowercase());
    }
    key
}

/// Who is in which group.
#[derive(Debug)]
pub struct Memberships<'a> {
    groups: &'a [Group],
    /// Of each DN or username: the groups that list it.
    listed: HashMap<String, Vec<usize>>,
}

impl<'a> Memberships<'a> {
    pub fn new(groups: &'a [Group]) -> Self {
        let mut listed: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, group) in groups.iter().enumerate() {
            for member in &group.members {
                listed.entry(dn_key(member)).or_default().push(index);
            }
        }
        Self { groups, listed }
    }

    /// Groups in groups count, in circles or not.
    pub fn of(&self, person: &Record) -> BTreeSet<&'a str> {
        let mut open = vec![dn_key(&person.dn), dn_key(&person.username)];
        let (mut seen, mut names) = (HashSet::new(), BTreeSet::new());
        while let Some(member) = open.pop() {
            for &index in self.listed.get(&member).into_iter().flatten() {
                if let Some(group) = self.groups.get(index).filter(|_| seen.insert(index)) {
                    names.insert(group.name.as_str());
                    open.push(dn_key(&group.dn));
                }
            }
        }
        names
    }
}

/// Those whose names can be ones.
pub fn group_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<GroupName> {
    let parsed = names.into_iter().map(GroupName::parse);
    parsed.filter_map(Result::ok).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(attributes: &[(&str, &[&[u8]])]) -> SearchEntry {
        let mut entry = SearchEntry {
            dn: "uid=anna,dc=x".to_owned(),
            attrs: HashMap::new(),
            bin_attrs: HashMap::new(),
        };
        for (name, values) in attributes {
            let texts: Result<Vec<_>, _> = values
                .iter()
                .map(|value| String::from_utf8(value.to_vec()))
                .collect();
            match texts {
                Ok(texts) => drop(entry.attrs.insert((*name).to_owned(), texts)),
                Err(_) => {
                    let values = values.iter().map(|value| value.to_vec()).collect();
                    entry.bin_attrs.insert((*name).to_owned(), values);
                }
            }
        }
        entry
    }

    #[test]
    fn an_entry_becomes_somebody_if_it_can_be_found_again() {
        let names = LdapAttributes::default();
        let check = |what: &str, attributes: &[(&str, &[&[u8]])], expect: Option<[&str; 3]>| {
            let found = person(&entry(attributes), &names);
            let found = found.map(|one| (one.id, one.username, one.name));
            let expect =
                expect.map(|[id, username, name]| (id.into(), username.into(), name.into()));
            assert_eq!(found, expect, "{what}");
        };
        let all: &[(&str, &[&[u8]])] = &[
            ("entryUUID", &[b"6f-1"]),
            ("uid", &[b"anna", b"second"]),
            ("cn", &["Änne".as_bytes()]),
        ];
        check("plain", all, Some(["6f-1", "anna", "Änne"]));
        check(
            "nothing but an id",
            &[("ENTRYUUID", &[b"1"])],
            Some(["1", "", ""]),
        );
        check("no id", &[("uid", &[b"anna"])], None);
        check("an empty id", &[("entryUUID", &[b""])], None);
        check(
            "a binary id",
            &[("entryUUID", &[&[0xff, 0x00, 0x1f]])],
            Some(["ff001f", "", ""]),
        );
        check(
            "a binary id that happens to be UTF-8",
            &[("entryUUID", &[b"ab\x01"])],
            Some(["616201", "", ""]),
        );
    }

    #[test]
    fn long_lists_come_in_parts() {
        let check = |what: &str, key: &str, expect: Option<Option<u32>>| {
            let found = part(&entry(&[(key, &[b"a"])]), "member");
            assert_eq!(found.map(|(_, next)| next), expect, "{what}");
        };
        check("a first part", "member;range=0-1499", Some(Some(1500)));
        check("the last part", "Member;range=1500-*", Some(None));
        check("the whole", "member", None);
        check("another list", "owner;range=0-1499", None);
        check("nonsense", "member;range=x", None);
        check("an end beyond counting", "member;range=0-4294967295", None);
    }

    #[test]
    fn a_dn_is_the_same_however_it_is_spaced() {
        for (one, other, same) in [
            ("uid=Anna,dc=X", "UID=anna, DC=x", true),
            ("uid = anna , dc = x", "uid=anna,dc=x", true),
            ("cn=Anna Maria,dc=x", "cn=anna  maria,dc=x", false),
            ("cn=a\\, b,dc=x", "cn=a\\,b,dc=x", false),
            ("uid=anna,dc=x", "uid=anne,dc=x", false),
        ] {
            assert_eq!(dn_key(one) == dn_key(other), same, "{one} and {other}");
        }
    }

    #[test]
    fn groups_in_groups_count_and_circles_end() {
        let group = |name: &str, members: &[&str]| Group {
            dn: format!("cn={name},dc=x"),
            name: name.to_owned(),
            members: members.iter().map(|member| (*member).to_owned()).collect(),
        };
        let groups = [
            group("choir", &["uid=anna,dc=x", "cn=altos,dc=x"]),
            group("altos", &["UID=Bernd, dc=x", "cn=choir,dc=x"]),
            group("all", &["cn=choir,dc=x"]),
            group("posix", &["carla"]),
            group("empty", &[""]),
        ];
        let memberships = Memberships::new(&groups);
        let check = |username: &str, expect: &str| {
            let one = Record {
                dn: format!("uid={username},dc=x"),
                id: String::new(),
                username: username.to_owned(),
                name: String::new(),
                mail: String::new(),
            };
            let found: Vec<_> = memberships.of(&one).into_iter().collect();
            assert_eq!(found.join(" "), expect, "{username}");
        };
        check("anna", "all altos choir");
        check("bernd", "all altos choir");
        check("carla", "posix");
        check("dora", "");
    }
}
