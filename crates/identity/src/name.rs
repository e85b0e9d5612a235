//! What people and rooms may be called, and when two names are the same.
//!
//! Parsed once, at the edge; a value of these types is always valid. Nothing here knows which names are taken.

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Longest names, in graphemes.
pub const ROOM_NAME_GRAPHEMES: usize = 128;
pub const DISPLAY_NAME_GRAPHEMES: usize = 64;
pub const USERNAME_GRAPHEMES: usize = 64;
pub const GROUP_NAME_GRAPHEMES: usize = 128;
/// What an open room's address shows before its name.
pub const OPEN_PREFIX: &str = "public/";

/// A flag of a region takes eight characters, a family of four seven, an emoji with skin tones and joiners ten.
const CHARACTERS_PER_GRAPHEME: usize = 12;
/// In bytes. PostgreSQL refuses some 2700.
const LONGEST_KEY: usize = 1_000;
const JOINER: char = '\u{200D}';

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("the name is empty")]
    Empty,
    #[error("the name is longer than {0} characters")]
    TooLong(usize),
    #[error("the name has a character that names must not have")]
    Character,
    #[error("the name would not survive in a link")]
    Reserved,
}

/// What a person is called in the meeting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        clean(text, DISPLAY_NAME_GRAPHEMES).map(Self)
    }

    /// The nearest name to what another house calls somebody; nobody is there to correct it.
    pub fn salvage(text: &str) -> Option<Self> {
        Self::parse(&salvaged(text, DISPLAY_NAME_GRAPHEMES)).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

/// What a person signs in with. Two usernames with one key are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    text: String,
    key: String,
}

impl Username {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = clean(text, USERNAME_GRAPHEMES)?;
        if text.contains(' ') {
            return Err(NameError::Character);
        }
        let key = folded(&text);
        Ok(Self { text, key })
    }

    /// The nearest username to what another house calls somebody, be it a mail address.
    pub fn salvage(text: &str) -> Option<Self> {
        let text = text.trim();
        let local = text.split('@').next().filter(|local| !local.is_empty());
        let text = salvaged(local.unwrap_or(text), USERNAME_GRAPHEMES);
        Self::parse(&text.replace(' ', ".")).ok()
    }

    /// Another one like it, for when it is taken.
    pub fn numbered(&self, number: u32) -> Option<Self> {
        let end = format!("-{number}");
        let room = USERNAME_GRAPHEMES.saturating_sub(end.len());
        let begin: String = self.text.graphemes(true).take(room).collect();
        Self::parse(&(begin + &end)).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn key(&self) -> &str {
        &self.key
    }
}

/// What a group of people is called. Two names with one key are the same group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName {
    text: String,
    key: String,
}

impl GroupName {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = clean(text, GROUP_NAME_GRAPHEMES)?;
        let key = folded(&text);
        Ok(Self { text, key })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn key(&self) -> &str {
        &self.key
    }
}

/// A room's name without `public/`. Two names with one key are the same room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomName {
    text: String,
    key: String,
}

impl RoomName {
    fn parse(text: &str) -> Result<Self, NameError> {
        let text = clean(text, ROOM_NAME_GRAPHEMES)?;
        if text == "." || text == ".." {
            return Err(NameError::Reserved);
        }
        let key = folded(&text);
        Ok(Self { text, key })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn key(&self) -> &str {
        &self.key
    }
}

/// A room's name as people write it, `public/` before it or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomAddress {
    pub name: RoomName,
    /// Written with `public/`: if the room is made now, it is open to guests.
    pub open: bool,
}

impl RoomAddress {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut rest = text.trim();
        let mut open = false;
        // However often it is written: no name may begin with it, or the name's own address would be another room's.
        while let Some(name) = rest.strip_prefix(OPEN_PREFIX) {
            open = true;
            rest = name.trim_start();
        }
        Ok(Self {
            name: RoomName::parse(rest)?,
            open,
        })
    }
}

/// NFC, trimmed, inner white space collapsed.
pub(crate) fn clean(text: &str, most: usize) -> Result<String, NameError> {
    // Before any work that grows with the text: normalising can make it three times as long at most.
    if text.len() > most * CHARACTERS_PER_GRAPHEME * 4 {
        return Err(NameError::TooLong(most));
    }
    let text: String = text.nfc().collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    let mut graphemes = 0;
    for grapheme in text.graphemes(true) {
        graphemes += 1;
        if grapheme.chars().count() > CHARACTERS_PER_GRAPHEME || !grapheme_is_visible(grapheme) {
            return Err(NameError::Character);
        }
    }
    if graphemes > most {
        return Err(NameError::TooLong(most));
    }
    Ok(text)
}

/// Without what names must not have, and cut to length.
fn salvaged(text: &str, most: usize) -> String {
    let text: String = text.chars().take(most * CHARACTERS_PER_GRAPHEME).collect();
    let text: String = text.nfc().collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fine = |grapheme: &&str| {
        grapheme.chars().count() <= CHARACTERS_PER_GRAPHEME && grapheme_is_visible(grapheme)
    };
    text.graphemes(true).filter(fine).take(most).collect()
}

/// Same name: equal after NFC and lower case, with or without an emoji's presentation selector. Databases index so much of
/// a text and no more, so the key of a name with very many accents is a hash; no name begins as that does.
fn folded(text: &str) -> String {
    let key: String = text
        .to_lowercase()
        .chars()
        .filter(|c| !is_presentation_selector(*c))
        .nfc()
        .collect();
    if key.len() <= LONGEST_KEY {
        return key;
    }
    let hash = Sha256::digest(key.as_bytes());
    let hex = hash.iter().map(|byte| format!("{byte:02x}"));
    std::iter::once("\u{1}".to_owned()).chain(hex).collect()
}

fn grapheme_is_visible(grapheme: &str) -> bool {
    let mut characters = grapheme.chars();
    let Some(first) = characters.next() else {
        return false;
    };
    if is_forbidden(first) || first == JOINER || is_tag(first) || is_presentation_selector(first) {
        return false;
    }
    let flag_of_a_region = first == '\u{1F3F4}';
    let mut after_joiner = false;
    for c in characters {
        if is_forbidden(c) || (is_tag(c) && !flag_of_a_region) || (after_joiner && extends(c)) {
            return false;
        }
        after_joiner = c == JOINER;
    }
    // A joiner with nothing behind it joins nothing: it is only there to make two names look alike.
    !after_joiner
}

/// Whether the character belongs to the one before it, so that a joiner before it joins nothing.
fn extends(c: char) -> bool {
    let mut pair = String::from("a");
    pair.push(c);
    pair.graphemes(true).count() == 1
}

fn is_presentation_selector(c: char) -> bool {
    matches!(c, '\u{FE0E}' | '\u{FE0F}')
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0020}'..='\u{E007F}')
}

/// Control characters, invisible ones, those that turn the direction of text, and code points that are no characters.
pub(crate) fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}' | '\u{200C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0D}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}' | '\u{FDD0}'..='\u{FDEF}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E001F}'
            | '\u{E0080}'..='\u{E0FFF}')
        || (c as u32) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(what: &str, written: &str, expect: Result<(&str, bool), NameError>) {
        let got = RoomAddress::parse(written);
        let got = got
            .as_ref()
            .map(|address| (address.name.as_str(), address.open))
            .map_err(|error| *error);
        assert_eq!(got, expect, "{what}");
    }

    #[test]
    fn room_names_are_cleaned_and_refused_by_rule() {
        check("plain", "Küche", Ok(("Küche", false)));
        check("decomposed", "Ku\u{308}che", Ok(("Küche", false)));
        check(
            "outer and inner white space",
            "  a \t\n b ",
            Ok(("a b", false)),
        );
        check("slashes", "Haus/Keller", Ok(("Haus/Keller", false)));
        check("slashes at the ends", "/a/", Ok(("/a/", false)));
        check(
            "characters that mean something in links",
            "Was?#%20&=+",
            Ok(("Was?#%20&=+", false)),
        );
        check("open", "public/Küche", Ok(("Küche", true)));
        check("open, said twice", "public/public/x", Ok(("x", true)));
        check("open, with white space", " public/ x", Ok(("x", true)));
        check(
            "a name that only looks like it",
            "Public/x",
            Ok(("Public/x", false)),
        );
        check("a room called public", "public", Ok(("public", false)));
        check(
            "nothing behind the prefix",
            "public/",
            Err(NameError::Empty),
        );
        check("empty", " \t", Err(NameError::Empty));
        check("dot", ".", Err(NameError::Reserved));
        check("dots", "..", Err(NameError::Reserved));
        check("three dots", "...", Ok(("...", false)));
        check("family", "👩‍👩‍👧‍👦 & 🏴󠁧󠁢󠁥󠁮󠁧󠁿", Ok(("👩‍👩‍👧‍👦 & 🏴󠁧󠁢󠁥󠁮󠁧󠁿", false)));
        check("skin tones", "👩🏽‍❤️‍💋‍👨🏿", Ok(("👩🏽‍❤️‍💋‍👨🏿", false)));
        check("control", "a\u{7}b", Err(NameError::Character));
        check("nul", "a\0b", Err(NameError::Character));
        check("a blank of Braille", "\u{2800}", Err(NameError::Character));
        check("bidi override", "a\u{202E}b", Err(NameError::Character));
        check("zero width space", "a\u{200B}b", Err(NameError::Character));
        check(
            "joiner between letters",
            "a\u{200D}b",
            Err(NameError::Character),
        );
        check("joiner at the end", "👩\u{200D}", Err(NameError::Character));
        check(
            "joiner before an accent",
            "a\u{200D}\u{301}",
            Err(NameError::Character),
        );
        check(
            "tags behind a letter",
            "a\u{E0067}\u{E007F}",
            Err(NameError::Character),
        );
        check("byte order mark", "\u{FEFF}a", Err(NameError::Character));
        check(
            "stacked accents",
            &format!("a{}", "\u{301}\u{302}".repeat(8)),
            Err(NameError::Character),
        );
    }

    #[test]
    fn the_limit_counts_what_people_see() {
        let family = "👨‍👩‍👧‍👦";
        check(
            "128 families",
            &family.repeat(128),
            Ok((family.repeat(128).as_str(), false)),
        );
        check(
            "129 letters",
            &"ü".repeat(129),
            Err(NameError::TooLong(128)),
        );
        check(
            "a megabyte",
            &"a".repeat(1 << 20),
            Err(NameError::TooLong(128)),
        );
    }

    #[test]
    fn names_that_differ_in_case_or_composition_are_one_room() {
        let key =
            |text: &str| RoomAddress::parse(text).map(|address| address.name.key().to_owned());
        assert_eq!(key("KÜCHE"), key("ku\u{308}che"));
        assert_eq!(key("public/Küche"), key("küche"));
        assert_eq!(key("❤\u{FE0F}"), key("❤"));
        assert_ne!(key("kuche"), key("küche"));
        let long = "Ä\u{323}\u{324}\u{325}\u{326}\u{327}".repeat(128);
        assert!(key(&long).is_ok_and(|key| key.len() < 100));
        assert_eq!(key(&long), key(&long.to_lowercase()));
        assert_ne!(key(&long), key(&format!("{long}\u{328}")));
    }

    #[test]
    fn groups_that_differ_in_case_or_white_space_are_one() {
        let key = |text: &str| GroupName::parse(text).map(|name| name.key().to_owned());
        assert_eq!(key(" Chor  der Älteren "), key("chor der a\u{308}lteren"));
        assert_eq!(key("Chor"), Ok("chor".to_owned()));
        assert_eq!(key("a\u{202E}b"), Err(NameError::Character));
        assert_eq!(key(&"ü".repeat(129)), Err(NameError::TooLong(128)));
    }

    #[test]
    fn names_of_other_houses_are_taken_as_far_as_they_go() {
        let name = |text: &str| DisplayName::salvage(text).map(DisplayName::into_string);
        assert_eq!(
            name(" Änne \u{202E} Schmidt "),
            Some("Änne Schmidt".to_owned())
        );
        assert_eq!(name(&"ü".repeat(65)), Some("ü".repeat(64)));
        assert_eq!(name(&"x".repeat(1 << 20)), Some("x".repeat(64)));
        assert_eq!(name("\u{200B}\n"), None);
        let username = |text: &str| Username::salvage(text).map(|name| name.as_str().to_owned());
        assert_eq!(username("Anna Schmidt"), Some("Anna.Schmidt".to_owned()));
        assert_eq!(username("anna@example.org"), Some("anna".to_owned()));
        assert_eq!(username("@anna"), Some("@anna".to_owned()));
        assert_eq!(username("\u{202E}"), None);
        let long = Username::parse(&"ü".repeat(64)).expect("a username");
        let other = long.numbered(12).expect("another");
        assert_eq!(other.as_str(), format!("{}-12", "ü".repeat(61)));
    }

    #[test]
    fn usernames_have_no_white_space() {
        assert_eq!(
            Username::parse(" Änne ").map(|name| name.key().to_owned()),
            Ok("änne".to_owned())
        );
        assert_eq!(Username::parse("a b"), Err(NameError::Character));
        assert_eq!(
            DisplayName::parse("Anna  Schmidt").map(DisplayName::into_string),
            Ok("Anna Schmidt".to_owned())
        );
    }

    #[test]
    fn what_people_are_called_is_cleaned_and_refused_by_rule() {
        let check = |what: &str, written: &str, expect: Result<&str, NameError>| {
            let got = DisplayName::parse(written);
            let got = got
                .as_ref()
                .map(DisplayName::as_str)
                .map_err(|error| *error);
            assert_eq!(got, expect, "{what}");
        };
        check("decomposed", "Ku\u{308}hn", Ok("Kühn"));
        check("white space", " Eva \t\n B\u{a0}C ", Ok("Eva B C"));
        check("64 letters", &"ä".repeat(64), Ok(&"ä".repeat(64)));
        check("65 letters", &"ä".repeat(65), Err(NameError::TooLong(64)));
        let astronauts = "🧑🏽‍🚀".repeat(64);
        check("64 astronauts", &astronauts, Ok(&astronauts));
        check(
            "65 astronauts",
            &"🧑🏽‍🚀".repeat(65),
            Err(NameError::TooLong(64)),
        );
        check("nothing", " \u{3000}", Err(NameError::Empty));
        for (what, forbidden) in [
            ("nul", '\0'),
            ("bell", '\u{7}'),
            ("delete", '\u{7f}'),
            ("a control of the upper half", '\u{9b}'),
            ("right-to-left override", '\u{202e}'),
            ("left-to-right override", '\u{202d}'),
            ("right-to-left embedding", '\u{202b}'),
            ("pop", '\u{202c}'),
            ("right-to-left isolate", '\u{2067}'),
            ("pop isolate", '\u{2069}'),
            ("right-to-left mark", '\u{200f}'),
            ("left-to-right mark", '\u{200e}'),
            ("Arabic letter mark", '\u{61c}'),
            ("zero width space", '\u{200b}'),
            ("zero width non-joiner", '\u{200c}'),
            ("zero width joiner", '\u{200d}'),
            ("word joiner", '\u{2060}'),
            ("byte order mark", '\u{feff}'),
            ("soft hyphen", '\u{ad}'),
            ("Hangul filler", '\u{3164}'),
            ("tag", '\u{e0041}'),
            ("variation selector", '\u{e0100}'),
            ("no character", '\u{fdd0}'),
        ] {
            for written in [format!("An{forbidden}na"), format!("Anna{forbidden}x")] {
                check(what, &written, Err(NameError::Character));
            }
        }
    }
}
