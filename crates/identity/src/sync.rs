//! What a list of people from elsewhere (LDAP, CSV) changes among the accounts: whom to make, change, lock and let in again.
//!
//! Compares two lists and decides; reads and writes nothing. Groups are folded names here, equal or not.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::{DisplayName, Mail, NameError, Username};

/// So few may go at once whatever the share, as long as the other side tells of anybody at all.
const FEW: usize = 10;

/// What a list is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// A directory: what it does not tell is not so, who is missing is gone.
    Whole,
    /// A file of additions: it makes and corrects, and takes nothing away.
    Partial,
}

/// Somebody, as the other side tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// What this person is found by again; never changes.
    pub subject: String,
    pub username: String,
    pub name: String,
    pub mail: String,
    /// Absent: not decided there.
    pub admin: Option<bool>,
    pub groups: BTreeSet<String>,
}

/// An account that there is already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub id: String,
    /// Absent if somebody else looks after it: then it only takes its username.
    pub subject: Option<String>,
    pub username: Username,
    pub name: DisplayName,
    pub mail: Option<Mail>,
    pub admin: bool,
    /// By anybody.
    pub locked: bool,
    /// Because the other side had this person no more.
    pub gone: bool,
    /// What the other side said before.
    pub groups: BTreeSet<String>,
}

/// An account as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub subject: String,
    pub username: Username,
    pub name: DisplayName,
    pub mail: Option<Mail>,
    pub admin: bool,
    pub groups: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub create: Vec<Target>,
    /// With the account's id.
    pub update: Vec<(String, Target)>,
    /// Among the updated and the unchanged: who was gone and is there again.
    pub unlock: Vec<String>,
    /// Who is gone.
    pub lock: Vec<String>,
    pub unchanged: usize,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The entry it is about; absent for what is about the whole.
    pub entry: Option<usize>,
    pub what: Trouble,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Username(NameError),
    Name(NameError),
    Mail,
    /// Another account has this username.
    Taken,
    /// An entry before it is the same person or has the same username.
    Twice,
    /// So many are missing that nobody was locked.
    TooManyGone(usize),
    /// The house would be without an administrator, so one was left as they are.
    LastAdmin,
}

/// Compares. `allow_many`: somebody said that all who are missing are meant to be.
pub fn plan(authority: Authority, known: &[Known], entries: &[Entry], allow_many: bool) -> Plan {
    let mut plan = Plan::default();
    let mut view = View::new(known);
    for (index, entry) in entries.iter().enumerate() {
        if let Err(what) = place(authority, &mut view, entry, &mut plan) {
            let entry = Some(index);
            plan.problems.push(Problem { entry, what });
        }
    }
    if authority == Authority::Whole {
        lock_missing(known, entries, allow_many, &mut plan);
        keep_an_admin(known, &mut plan);
    }
    plan
}

/// The accounts, found by both of their names.
struct View<'a> {
    by_subject: HashMap<&'a str, &'a Known>,
    /// Whose a username is; empty: of somebody who comes with this list.
    holders: HashMap<String, &'a str>,
    seen: HashSet<String>,
}

impl<'a> View<'a> {
    fn new(known: &'a [Known]) -> Self {
        let of = |one: &'a Known| one.subject.as_deref().map(|subject| (subject, one));
        Self {
            by_subject: known.iter().filter_map(of).collect(),
            holders: known
                .iter()
                .map(|one| (one.username.key().to_owned(), one.id.as_str()))
                .collect(),
            seen: HashSet::new(),
        }
    }
}

fn place(
    authority: Authority,
    view: &mut View<'_>,
    entry: &Entry,
    plan: &mut Plan,
) -> Result<(), Trouble> {
    if !view.seen.insert(entry.subject.clone()) {
        return Err(Trouble::Twice);
    }
    let old = view.by_subject.get(entry.subject.as_str()).copied();
    let target = target(authority, entry, old)?;
    let mine = old.map_or("", |old| old.id.as_str());
    match view.holders.get(target.username.key()).copied() {
        Some("") => return Err(Trouble::Twice),
        Some(holder) if holder != mine => return Err(Trouble::Taken),
        _ => view.holders.insert(target.username.key().to_owned(), mine),
    };
    match old {
        None => plan.create.push(target),
        Some(old) => {
            if old.locked && old.gone {
                plan.unlock.push(old.id.clone());
            }
            if differs(old, &target) {
                plan.update.push((old.id.clone(), target));
            } else if !(old.locked && old.gone) {
                plan.unchanged += 1;
            }
        }
    }
    Ok(())
}

fn target(authority: Authority, entry: &Entry, old: Option<&Known>) -> Result<Target, Trouble> {
    let username = Username::parse(&entry.username).map_err(Trouble::Username)?;
    let whole = authority == Authority::Whole;
    let name = match (DisplayName::parse(&entry.name), old) {
        (Ok(name), _) => name,
        (Err(NameError::Empty), Some(old)) if !whole => old.name.clone(),
        // A directory is not corrected from here: better a poor name than nobody.
        (Err(error), _) if error == NameError::Empty || whole => {
            DisplayName::parse(username.as_str()).map_err(Trouble::Name)?
        }
        (Err(error), _) => return Err(Trouble::Name(error)),
    };
    let mail = match Mail::parse(&entry.mail) {
        Ok(mail) => Some(mail),
        Err(_) if whole => None,
        Err(_) if entry.mail.trim().is_empty() => old.and_then(|old| old.mail.clone()),
        Err(_) => return Err(Trouble::Mail),
    };
    let mut groups = entry.groups.clone();
    if let Some(old) = old.filter(|_| !whole) {
        groups.extend(old.groups.iter().cloned());
    }
    Ok(Target {
        subject: entry.subject.clone(),
        admin: entry.admin.unwrap_or(old.is_some_and(|old| old.admin)),
        username,
        name,
        mail,
        groups,
    })
}

fn differs(old: &Known, target: &Target) -> bool {
    old.username.as_str() != target.username.as_str()
        || old.name != target.name
        || old.mail != target.mail
        || old.admin != target.admin
        || old.groups != target.groups
}

/// A directory that tells of nobody, or suddenly of less than half, is more likely to be broken than right.
fn lock_missing(known: &[Known], entries: &[Entry], allow_many: bool, plan: &mut Plan) {
    // Whoever is told of is there, with something wrong or not.
    let told: HashSet<&str> = entries.iter().map(|entry| entry.subject.as_str()).collect();
    let (mut all, mut missing) = (0, Vec::new());
    for one in known.iter().filter(|one| !one.gone) {
        if let Some(subject) = &one.subject {
            all += 1;
            if !told.contains(subject.as_str()) {
                missing.push(one.id.clone());
            }
        }
    }
    let many = missing.len() > FEW && missing.len() * 2 > all;
    if !missing.is_empty() && (many || told.is_empty()) && !allow_many {
        plan.problems.push(Problem {
            entry: None,
            what: Trouble::TooManyGone(missing.len()),
        });
    } else {
        plan.lock = missing;
    }
}

/// Who could administer the house before and would be the last is neither locked nor demoted.
fn keep_an_admin(known: &[Known], plan: &mut Plan) {
    let able = |one: &&Known| one.admin && !one.locked;
    let updated: BTreeMap<&str, bool> = plan
        .update
        .iter()
        .map(|(id, target)| (id.as_str(), target.admin))
        .collect();
    let stays = |one: &&Known| {
        !plan.lock.contains(&one.id) && updated.get(one.id.as_str()).copied().unwrap_or(true)
    };
    let anybody = known.iter().filter(able).any(|one| stays(&one))
        || plan.create.iter().any(|target| target.admin)
        || known.iter().any(|one| {
            plan.unlock.contains(&one.id)
                && updated.get(one.id.as_str()).copied().unwrap_or(one.admin)
        })
        || known
            .iter()
            .any(|one| !one.locked && updated.get(one.id.as_str()) == Some(&true));
    let Some(last) = known.iter().find(able).filter(|_| !anybody) else {
        return;
    };
    plan.lock.retain(|id| *id != last.id);
    for (_, target) in plan.update.iter_mut().filter(|(id, _)| *id == last.id) {
        target.admin = true;
    }
    plan.problems.push(Problem {
        entry: None,
        what: Trouble::LastAdmin,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(list: &str) -> BTreeSet<String> {
        list.split_whitespace().map(str::to_owned).collect()
    }

    fn entry(subject: &str, username: &str, mail: &str, list: &str) -> Entry {
        Entry {
            subject: subject.to_owned(),
            username: username.to_owned(),
            name: username.to_uppercase(),
            mail: mail.to_owned(),
            admin: None,
            groups: groups(list),
        }
    }

    fn known(subject: &str, username: &str) -> Known {
        Known {
            id: format!("id-{username}"),
            subject: Some(subject.to_owned()).filter(|subject| !subject.is_empty()),
            username: Username::parse(username).expect("a username"),
            name: DisplayName::parse(&username.to_uppercase()).expect("a name"),
            mail: None,
            admin: false,
            locked: false,
            gone: false,
            groups: BTreeSet::new(),
        }
    }

    fn locked(one: Known, gone: bool) -> Known {
        Known {
            locked: true,
            gone,
            ..one
        }
    }

    fn admin(one: Known) -> Known {
        Known { admin: true, ..one }
    }

    /// What happens, in words: `+` made, `~` changed, `!` locked, `^` let in again, `?` trouble, `=` unchanged.
    fn told(plan: &Plan) -> String {
        let mut words = Vec::new();
        for target in &plan.create {
            words.push(format!("+{}", target.username.as_str()));
        }
        for (id, target) in &plan.update {
            let mail = target.mail.as_ref().map_or("", Mail::as_str);
            let groups: Vec<_> = target.groups.iter().map(String::as_str).collect();
            let admin = if target.admin { "*" } else { "" };
            words.push(format!(
                "~{id}:{}{admin}:{mail}:{}",
                target.username.as_str(),
                groups.join(",")
            ));
        }
        words.extend(plan.lock.iter().map(|id| format!("!{id}")));
        words.extend(plan.unlock.iter().map(|id| format!("^{id}")));
        for problem in &plan.problems {
            let place = problem
                .entry
                .map_or("-".to_owned(), |entry| entry.to_string());
            words.push(format!("?{place}{:?}", problem.what));
        }
        if plan.unchanged > 0 {
            words.push(format!("={}", plan.unchanged));
        }
        words.join(" ")
    }

    fn check(what: &str, authority: Authority, known: &[Known], entries: &[Entry], expect: &str) {
        let plan = plan(authority, known, entries, false);
        assert_eq!(told(&plan), expect, "{what}");
    }

    #[test]
    fn a_directory_decides_about_all_that_is_its_own() {
        let check = |what, known: &[Known], entries: &[Entry], expect| {
            check(what, Authority::Whole, known, entries, expect);
        };
        let anna = || entry("1", "anna", "", "");
        let bernd = || entry("2", "bernd", "", "");
        check("somebody new", &[], &[anna()], "+anna");
        check("nothing new", &[known("1", "anna")], &[anna()], "=1");
        check(
            "mail and groups",
            &[known("1", "anna")],
            &[entry("1", "anna", "a@example.org", "b a")],
            "~id-anna:anna:a@example.org:a,b",
        );
        check(
            "a mail and groups that it tells of no more",
            &[Known {
                mail: Mail::parse("a@example.org").ok(),
                groups: groups("a"),
                ..known("1", "anna")
            }],
            &[anna()],
            "~id-anna:anna::",
        );
        check(
            "a mail that is none",
            &[],
            &[entry("1", "anna", "nonsense", "")],
            "+anna",
        );
        check(
            "another username, the same person",
            &[known("1", "anna")],
            &[entry("1", "anna2", "", "")],
            "~id-anna:anna2::",
        );
        check(
            "the username in other letters only",
            &[known("1", "anna")],
            &[Entry {
                name: "ANNA".to_owned(),
                ..entry("1", "Anna", "", "")
            }],
            "~id-anna:Anna::",
        );
        check(
            "the username of an account of the house",
            &[known("", "anna")],
            &[anna(), bernd()],
            "+bernd ?0Taken",
        );
        check(
            "renamed to that of an account of the house",
            &[known("", "anna"), known("2", "bernd")],
            &[entry("2", "Anna", "", "")],
            "?0Taken",
        );
        check(
            "two with one username",
            &[],
            &[anna(), entry("2", "Anna", "", "")],
            "+anna ?1Twice",
        );
        check(
            "one person twice",
            &[],
            &[anna(), entry("1", "x", "", "")],
            "+anna ?1Twice",
        );
        check(
            "a username that cannot be one keeps the account",
            &[known("1", "anna")],
            &[entry("1", "an na", "", ""), bernd()],
            "+bernd ?0Username(Character)",
        );
        check(
            "no name",
            &[],
            &[Entry {
                name: String::new(),
                ..anna()
            }],
            "+anna",
        );
    }

    #[test]
    fn who_is_gone_is_locked_and_who_is_back_is_let_in_unless_somebody_else_locked_them() {
        let check = |what, known: &[Known], entries: &[Entry], expect| {
            check(what, Authority::Whole, known, entries, expect);
        };
        let anna = || entry("1", "anna", "", "");
        let both = [known("1", "anna"), known("2", "bernd")];
        check("one is gone", &both, &[anna()], "!id-bernd =1");
        check(
            "one was gone before",
            &[known("1", "anna"), locked(known("2", "bernd"), true)],
            &[anna()],
            "=1",
        );
        check(
            "one is back",
            &[locked(known("1", "anna"), true)],
            &[anna()],
            "^id-anna",
        );
        check(
            "one is back under another name",
            &[locked(known("1", "anna"), true)],
            &[entry("1", "anna2", "", "")],
            "~id-anna:anna2:: ^id-anna",
        );
        check(
            "locked by an administrator",
            &[locked(known("1", "anna"), false)],
            &[anna()],
            "=1",
        );
        check(
            "accounts of the house are nobody's to lock",
            &[known("", "carla"), known("1", "anna")],
            &[anna()],
            "=1",
        );
    }

    #[test]
    fn a_directory_that_suddenly_tells_of_few_locks_nobody_unless_that_is_meant() {
        let numbered = |count: usize| -> Vec<Known> {
            (0..count)
                .map(|n| known(&n.to_string(), &format!("u{n}")))
                .collect()
        };
        let first = |count: usize| -> Vec<Entry> {
            (0..count)
                .map(|n| entry(&n.to_string(), &format!("u{n}"), "", ""))
                .collect()
        };
        let check = |what: &str, before: usize, now: usize, allow: bool, locked: usize| {
            let plan = plan(Authority::Whole, &numbered(before), &first(now), allow);
            assert_eq!(plan.lock.len(), locked, "{what}");
            let held = before - now != locked;
            let trouble = plan.problems.first().map(|problem| problem.what);
            assert_eq!(
                trouble,
                held.then_some(Trouble::TooManyGone(before - now)),
                "{what}"
            );
        };
        check("half", 100, 50, false, 50);
        check("more than half", 100, 49, false, 0);
        check("more than half, and meant", 100, 49, true, 51);
        check("most of a few", 11, 1, false, 10);
        check("nobody at all", 1, 0, false, 0);
        check("nobody at all, and meant", 1, 0, true, 1);
        check("nobody before, nobody now", 0, 0, false, 0);
    }

    #[test]
    fn the_last_administrator_stays_one() {
        let check = |what, known: &[Known], entries: &[Entry], expect| {
            check(what, Authority::Whole, known, entries, expect);
        };
        let says = |subject, username, admin| Entry {
            admin: Some(admin),
            ..entry(subject, username, "", "")
        };
        let boss = || admin(known("1", "boss"));
        check(
            "demoted, the last",
            &[boss()],
            &[says("1", "boss", false)],
            "~id-boss:boss*:: ?-LastAdmin",
        );
        check(
            "demoted, with one of the house beside",
            &[boss(), admin(known("", "anna"))],
            &[says("1", "boss", false)],
            "~id-boss:boss::",
        );
        check(
            "demoted, with a locked one of the house beside",
            &[boss(), locked(admin(known("", "anna")), false)],
            &[says("1", "boss", false)],
            "~id-boss:boss*:: ?-LastAdmin",
        );
        check(
            "demoted while another is promoted",
            &[boss(), known("2", "bernd")],
            &[says("1", "boss", false), says("2", "bernd", true)],
            "~id-boss:boss:: ~id-bernd:bernd*::",
        );
        check(
            "demoted while another comes",
            &[boss()],
            &[says("1", "boss", false), says("2", "bernd", true)],
            "+bernd ~id-boss:boss::",
        );
        check(
            "demoted while another comes back",
            &[boss(), locked(admin(known("2", "bernd")), true)],
            &[says("1", "boss", false), says("2", "bernd", true)],
            "~id-boss:boss:: ^id-bernd",
        );
        check(
            "gone",
            &[boss(), known("2", "bernd")],
            &[says("2", "bernd", false)],
            "?-LastAdmin =1",
        );
        check(
            "nobody says who administers",
            &[boss()],
            &[entry("1", "boss", "", "")],
            "=1",
        );
        check(
            "a house that has none does not gain one by that",
            &[known("1", "anna")],
            &[says("1", "anna", false)],
            "=1",
        );
    }

    #[test]
    fn a_file_adds_and_corrects_and_takes_nothing_away() {
        let check = |what, known: &[Known], entries: &[Entry], expect| {
            check(what, Authority::Partial, known, entries, expect);
        };
        let full = || Known {
            mail: Mail::parse("a@example.org").ok(),
            groups: groups("a"),
            ..known("anna", "anna")
        };
        check(
            "empty cells",
            &[full()],
            &[Entry {
                name: String::new(),
                ..entry("anna", "anna", " ", "")
            }],
            "=1",
        );
        check(
            "another mail and one more group",
            &[full()],
            &[entry("anna", "anna", "b@example.org", "b")],
            "~id-anna:anna:b@example.org:a,b",
        );
        check(
            "others stay",
            &[full()],
            &[entry("bernd", "bernd", "", "")],
            "+bernd",
        );
        check(
            "mistakes are told",
            &[known("", "carla")],
            &[
                entry("a b", "a b", "", ""),
                entry("x", "x", "nonsense", ""),
                entry("carla", "carla", "", ""),
                Entry {
                    name: "\u{202E}".to_owned(),
                    ..entry("y", "y", "", "")
                },
            ],
            "?0Username(Character) ?1Mail ?2Taken ?3Name(Character)",
        );
    }
}
