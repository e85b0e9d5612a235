//! The directory: by which words a person is found, what a search asks for, and who may see whom.
//!
//! Folds text, never stores or reads any. Whoever keeps the index has to build it anew when [`INDEX_VERSION`] changes.
#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Another number whenever the words of the same person are others.
pub const INDEX_VERSION: u32 = 1;
/// How many people a house, as the reader sees it, may have to be listed without three letters.
pub const LISTED_WHOLE: usize = 100;
/// How many are listed at most.
pub const MOST_HITS: usize = 100;
const LETTERS: usize = 3;
const MOST_WORDS: usize = 8;
/// What is read of a search; more than anybody types.
const MOST_CHARACTERS: usize = 400;
/// In bytes. Of longer words this much counts, in the index as in the search.
const LONGEST_WORD: usize = 200;
const LONGEST_ORDER: usize = 60;

/// How somebody is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// In the order of these bytes people are listed.
    pub order: String,
    /// Folded; none is the beginning of another. A search finds its words' beginnings among them.
    pub words: BTreeSet<String>,
}

impl Entry {
    pub fn new(name: &str, username: &str, mail: Option<&str>) -> Self {
        let mut words = BTreeSet::new();
        for token in name.split_whitespace().chain([username]) {
            add_token(&mut words, token);
        }
        if let Some(mail) = mail {
            let local = mail.rsplit_once('@').map_or(mail, |(local, _)| local);
            add_token(&mut words, local);
            add(&mut words, mail, |_| true);
        }
        words.remove("");
        Self {
            order: cut(&order(name), LONGEST_ORDER).to_owned(),
            words: without_beginnings(words),
        }
    }
}

/// What begins another word finds nobody whom that one does not find: in order, each stands right before those.
fn without_beginnings(words: BTreeSet<String>) -> BTreeSet<String> {
    let mut next: Option<&String> = None;
    let mut kept = BTreeSet::new();
    for word in words.iter().rev() {
        if !next.is_some_and(|next| next.starts_with(word.as_str())) {
            kept.insert(word.clone());
        }
        next = Some(word);
    }
    kept
}

/// Where a name stands in a list.
pub fn order(name: &str) -> String {
    folded(name, plain)
}

/// The token by its parts and as a whole, however it is written together.
fn add_token(words: &mut BTreeSet<String>, token: &str) {
    for part in token.split(|c: char| !belongs(c)) {
        add(words, part, char::is_alphanumeric);
    }
    add(words, token, char::is_alphanumeric);
    if token.contains('@') {
        add(words, token, |_| true);
    }
}

/// In each way it may be typed: Müller is muller and mueller, and Mueller is found by who types Müller.
fn add(words: &mut BTreeSet<String>, text: &str, keep: fn(char) -> bool) {
    let written_out = folded(text, written_out);
    for form in [
        folded(text, plain),
        umlauts_taken_back(&written_out),
        written_out,
    ] {
        let word: String = form.chars().filter(|c| keep(*c)).collect();
        words.insert(cut(&word, LONGEST_WORD).to_owned());
    }
}

/// What somebody searches for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Folded, longest first; none is the beginning of another. Who is meant has a word for each that begins with it.
    pub words: Vec<String>,
}

impl Search {
    pub fn parse(text: &str) -> Self {
        let text: String = text.chars().take(MOST_CHARACTERS).collect();
        let mut words: Vec<String> = Vec::new();
        for token in text.split_whitespace() {
            let token = token.trim_start_matches('@');
            if token.contains('@') {
                words.push(folded(token, plain));
                continue;
            }
            for part in token.split(|c: char| !belongs(c) && !is_apostrophe(c)) {
                words.push(
                    folded(part, plain)
                        .chars()
                        .filter(|c| c.is_alphanumeric())
                        .collect(),
                );
            }
        }
        words.retain(|word| letters(word) > 0);
        words.truncate(MOST_WORDS);
        for word in &mut words {
            *word = cut(word, LONGEST_WORD).to_owned();
        }
        words.sort_by(|a, b| letters(b).cmp(&letters(a)).then_with(|| a.cmp(b)));
        let mut kept: Vec<String> = Vec::new();
        for word in words {
            if !kept.iter().any(|other| other.starts_with(&word)) {
                kept.push(word);
            }
        }
        Self { words: kept }
    }

    /// Whether it is long enough for houses where not everybody is listed.
    pub fn is_telling(&self) -> bool {
        self.words.iter().map(|word| letters(word)).sum::<usize>() >= LETTERS
    }

    pub fn finds(&self, entry: &Entry) -> bool {
        self.words
            .iter()
            .all(|word| entry.words.iter().any(|other| other.starts_with(word)))
    }
}

/// An ideograph tells as much as two letters: there are whole names of two.
fn letters(word: &str) -> usize {
    let weight = |c: char| if is_ideograph(c) { 2 } else { 1 };
    word.chars()
        .filter(|c| c.is_alphanumeric())
        .map(weight)
        .sum()
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Whether the character is part of a word: accents are, since they come apart from their letters.
fn belongs(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2018}' | '\u{02BC}' | '`' | '´')
}

/// Lower case without accents; `letter` says what single letters become before their accents fall.
fn folded(text: &str, letter: fn(char, &mut String)) -> String {
    let mut spelled = String::with_capacity(text.len());
    for c in text.nfc().flat_map(char::to_lowercase) {
        letter(c, &mut spelled);
    }
    let bare = spelled.nfkd().filter(|c| !is_combining_mark(*c));
    // Some signs have capitals among what they are made of.
    bare.flat_map(char::to_lowercase)
        .filter(|c| !is_combining_mark(*c))
        .collect()
}

/// Letters that are no letter with an accent, as they are typed without their key.
fn plain(c: char, to: &mut String) {
    let letters = match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ħ' => "h",
        'ı' => "i",
        'ĸ' => "k",
        'ŋ' => "n",
        'ŧ' => "t",
        'ə' => "e",
        'ς' => "σ",
        other => return to.push(other),
    };
    to.push_str(letters);
}

/// As German and Scandinavian names are written where there are no umlauts.
fn written_out(c: char, to: &mut String) {
    match c {
        'ä' => to.push_str("ae"),
        'ö' | 'ø' => to.push_str("oe"),
        'ü' => to.push_str("ue"),
        'å' => to.push_str("aa"),
        other => plain(other, to),
    }
}

fn umlauts_taken_back(word: &str) -> String {
    let mut before = None;
    let mut kept = String::with_capacity(word.len());
    for c in word.chars() {
        let written_out = c == 'e' && matches!(before, Some('a' | 'o' | 'u'));
        if !written_out {
            kept.push(c);
        }
        before = Some(c);
    }
    kept
}

fn cut(text: &str, most: usize) -> &str {
    let end = text.floor_char_boundary(most);
    text.get(..end).unwrap_or(text)
}

/// People of `group` see the people of these groups, and nobody else. Names are folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub group: String,
    pub sees: Vec<String>,
}

/// Whom somebody may see, beside themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    Everybody,
    /// The people of these groups, by their folded names.
    Groups(BTreeSet<String>),
}

impl Sight {
    /// Of a reader in these groups: what each of their groups that a rule names may see, all together.
    pub fn new(rules: &[Rule], groups: &[String]) -> Self {
        let mut named = rules
            .iter()
            .filter(|rule| groups.contains(&rule.group))
            .peekable();
        if named.peek().is_none() {
            return Self::Everybody;
        }
        Self::Groups(named.flat_map(|rule| rule.sees.iter().cloned()).collect())
    }

    /// Whether somebody else in these groups is seen.
    pub fn covers(&self, groups: &[String]) -> bool {
        match self {
            Self::Everybody => true,
            Self::Groups(seen) => groups.iter().any(|group| seen.contains(group)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(what: &str, search: &str, (name, username, mail): (&str, &str, &str), expect: bool) {
        let entry = Entry::new(name, username, Some(mail).filter(|mail| !mail.is_empty()));
        let search = Search::parse(search);
        assert_eq!(
            search.finds(&entry),
            expect,
            "{what}: {search:?} in {entry:?}"
        );
    }

    #[test]
    fn people_are_found_by_beginnings_of_their_words() {
        let anna = ("Anna-Lena Schmidt", "aschmidt", "anna.s@example.org");
        found("first name", "ann", anna, true);
        found("second part of a double name", "lena", anna, true);
        found("both, as written", "Anna-Lena", anna, true);
        found("both, written together", "annalena", anna, true);
        found("in any order", "schm an", anna, true);
        found("username", "aschm", anna, true);
        found("local part of the address", "anna.s", anna, true);
        found("whole address", "ANNA.S@Example.org", anna, true);
        found("beginning of the address", "anna.s@ex", anna, true);
        found("as others are mentioned", "@anna", anna, true);
        found("nothing", "  ", anna, true);
        found("middle of a word", "chmidt", anna, false);
        found("one word is another's", "anna meier", anna, false);
        found("more than the word", "annabelle", anna, false);
        found("another address", "anna.s@example.com", anna, false);
        found("the domain finds nobody", "example.org", anna, false);
        found("no address", "anna@", ("Anna", "anna", ""), false);
    }

    #[test]
    fn case_accents_and_umlauts_do_not_count() {
        for (name, searches) in [
            (
                "Jürgen Müller",
                &["müller", "mueller", "muller", "MU\u{308}LLER", "jue mül"][..],
            ),
            (
                "Juergen Mueller",
                &["müller", "mueller", "muller", "jürgen"],
            ),
            ("Änne Groß", &["anne", "aenne", "gross", "groß", "GROẞ"]),
            ("Søren Ærø", &["soren", "soeren", "aero", "æro"]),
            ("Håkon Bjørnstad", &["hakon", "haakon", "bjorn", "bjoern"]),
            ("Łukasz Żółć", &["lukasz", "zolc", "Łuk"]),
            ("Zoë Dvořák", &["zoe", "dvorak"]),
            ("Đorđe Þór", &["dorde", "thor"]),
            ("İbrahim Işık", &["ibrahim", "isik"]),
            (
                "Cœur O’Brien",
                &["coeur", "obrien", "o'brien", "brien", "O'B"],
            ),
            ("Jean d'Artagnan", &["artagnan", "d'art", "dart"]),
            ("Γιώργος Παπαδόπουλος", &["γιωργος", "παπαδοπουλος"]),
            ("Фёдор Йосиф", &["федор", "фёд", "иосиф"]),
            ("김민준", &["김민", "기"]),
            ("王伟", &["王", "王伟"]),
            ("Ｗｉｄｅ", &["wide"]),
            ("ﬁnn", &["finn"]),
        ] {
            for search in searches {
                found("folded", search, (name, "x", ""), true);
            }
        }
        found("another letter", "moller", ("Müller", "x", ""), false);
        found(
            "an umlaut is not left out",
            "mller",
            ("Müller", "x", ""),
            false,
        );
    }

    #[test]
    fn searches_have_few_words_that_each_say_something() {
        let check = |what: &str, text: &str, expect: &[&str], telling: bool| {
            let search = Search::parse(text);
            assert_eq!(search.words, expect, "{what}");
            assert_eq!(search.is_telling(), telling, "{what}");
        };
        check("nothing", " \t-.'@ ", &[], false);
        check("two letters", "Mü", &["mu"], false);
        check("three letters", "Mül", &["mul"], true);
        check("two short words", "Bo Li", &["bo", "li"], true);
        check("one letter three times", "a a a", &["a"], false);
        check("the beginning of another word", "ann anna", &["anna"], true);
        check(
            "the longest first",
            "an schmidt bo",
            &["schmidt", "an", "bo"],
            true,
        );
        check("two ideographs", "王伟", &["王伟"], true);
        check("one ideograph", "王", &["王"], false);
        check("signs are no letters", "a-_", &["a"], false);
        check("wildcards are no letters", "%%%", &[], false);
        check(
            "nine words",
            "a b c d e f g h i",
            &["a", "b", "c", "d", "e", "f", "g", "h"],
            true,
        );
        let long = Search::parse(&"ü".repeat(100_000));
        assert_eq!(
            long.words.iter().map(String::len).collect::<Vec<_>>(),
            [200]
        );
    }

    #[test]
    fn long_words_are_found_although_they_are_cut() {
        let long = "ab".repeat(150);
        found("whole", &long, (&long, "x", ""), true);
        let entry = Entry::new(&"Ü".repeat(64), &"ß".repeat(64), None);
        assert!(entry.words.iter().all(|word| word.len() <= LONGEST_WORD));
        assert!(entry.order.len() <= LONGEST_ORDER);
        assert_eq!(Entry::new("🏡", "🏡", None).words, BTreeSet::new());
    }

    #[test]
    fn no_word_is_kept_that_begins_another() {
        let words = |name, username, mail| Entry::new(name, username, mail).words;
        let kept = words("Anna Schmidt", "schmidt7", Some("ann@a.example"));
        assert_eq!(
            kept,
            BTreeSet::from(["anna", "ann@a.example", "schmidt7"].map(str::to_owned))
        );
    }

    #[test]
    fn people_are_listed_by_their_folded_names() {
        let mut names = ["Öztürk", "Zander", "oster", "Östlund", "Anna B", "anna a"];
        names.sort_by_key(|name| order(name));
        assert_eq!(
            names,
            ["anna a", "Anna B", "oster", "Östlund", "Öztürk", "Zander"]
        );
    }

    #[test]
    fn who_sees_whom_is_what_all_named_groups_of_the_reader_see() {
        let rule = |group: &str, sees: &[&str]| Rule {
            group: group.to_owned(),
            sees: sees.iter().map(|group| (*group).to_owned()).collect(),
        };
        let rules = [
            rule("pupils", &["teachers", "office"]),
            rule("parents", &["teachers"]),
            rule("drivers", &["drivers"]),
            rule("alone", &[]),
            rule("pupils", &["library"]),
        ];
        let check = |what: &str, reader: &[&str], other: &[&str], expect: bool| {
            let owned = |groups: &[&str]| {
                groups
                    .iter()
                    .map(|group| (*group).to_owned())
                    .collect::<Vec<_>>()
            };
            let sight = Sight::new(&rules, &owned(reader));
            assert_eq!(sight.covers(&owned(other)), expect, "{what}: {sight:?}");
        };
        check("no group", &[], &["pupils"], true);
        check("no group, nobody's", &[], &[], true);
        check("a group without a rule", &["teachers"], &["pupils"], true);
        check("allowed", &["pupils"], &["teachers"], true);
        check(
            "allowed by a second rule of the group",
            &["pupils"],
            &["library"],
            true,
        );
        check("not each other", &["pupils"], &["pupils"], false);
        check("nobody's", &["pupils"], &[], false);
        check("one of several", &["pupils"], &["parents", "office"], true);
        check("each other", &["drivers"], &["drivers"], true);
        check("the union", &["parents", "drivers"], &["drivers"], true);
        check(
            "not beyond the union",
            &["parents", "drivers"],
            &["office"],
            false,
        );
        check(
            "a group without a rule adds nothing",
            &["parents", "teachers"],
            &["office"],
            false,
        );
        check("nobody", &["alone"], &["alone"], false);
        assert_eq!(Sight::new(&[], &["pupils".to_owned()]), Sight::Everybody);
    }
}
