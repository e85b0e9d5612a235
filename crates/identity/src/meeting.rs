//! Planned meetings: what one may be called, when it may be, how many may be asked to it, and who may change it.
//!
//! Knows no calendar and no store: facts come in, decisions go out.

use unicode_segmentation::UnicodeSegmentation;

use crate::UnixMs;
use crate::name::{NameError, clean};

pub const TITLE_GRAPHEMES: usize = 128;
/// Asked to one meeting, whoever plans it not counted.
pub const MOST_PEOPLE: usize = 100;
/// Planned meetings of one person that are not over.
pub const MOST_PLANNED: u32 = 200;
const MINUTE_MS: u64 = 60 * 1000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
const SHORTEST_MS: u64 = MINUTE_MS;
const LONGEST_MS: u64 = DAY_MS;
/// Two years.
const FARTHEST_MS: u64 = 731 * DAY_MS;
/// Typing takes a while, and clocks differ.
const LATE_MS: u64 = 5 * MINUTE_MS;
/// Of the title in the name of a room that is made for the meeting.
const ROOM_TITLE_GRAPHEMES: usize = 60;

/// What a meeting is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    pub fn parse(text: &str) -> Result<Self, NameError> {
        clean(text, TITLE_GRAPHEMES).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    pub starts: UnixMs,
    pub ends: UnixMs,
}

impl Times {
    pub fn is_over(self, now: UnixMs) -> bool {
        self.ends <= now
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeProblem {
    #[error("it would begin in the past")]
    Past,
    #[error("it would be shorter than a minute, or end before it begins")]
    TooShort,
    #[error("it would be longer than a day")]
    TooLong,
    #[error("it would be more than two years ahead")]
    TooFar,
}

/// Whether a meeting may be planned for these times, or moved to them.
pub fn may_be_at(now: UnixMs, times: Times) -> Result<(), TimeProblem> {
    let Times { starts, ends } = times;
    if starts.saturating_add(LATE_MS) < now {
        return Err(TimeProblem::Past);
    }
    if starts > now.saturating_add(FARTHEST_MS) {
        return Err(TimeProblem::TooFar);
    }
    match ends.checked_sub(starts) {
        None | Some(..SHORTEST_MS) => Err(TimeProblem::TooShort),
        Some(length) if length > LONGEST_MS => Err(TimeProblem::TooLong),
        Some(_) => Ok(()),
    }
}

/// Whether somebody may change or cancel a meeting: who planned it, while it is neither cancelled nor over.
pub fn may_change(planned_it: bool, cancelled: bool, times: Times, now: UnixMs) -> bool {
    planned_it && !cancelled && !times.is_over(now)
}

const CONSONANTS: &[u8; 16] = b"bdfghklmnprstvwz";
const VOWELS: &[u8; 4] = b"aeio";

/// The name of a room that is made for one meeting: its title, and something that nobody guesses and everybody can say.
pub fn room_name(title: &Title, random: [u8; 12]) -> String {
    let title: String = title
        .as_str()
        .graphemes(true)
        .take(ROOM_TITLE_GRAPHEMES)
        .collect();
    let mut name = format!("{} ", title.trim_end());
    for (place, byte) in random.into_iter().enumerate() {
        if place > 0 && place % 3 == 0 {
            name.push('-');
        }
        let consonant = CONSONANTS.iter().cycle().nth(usize::from(byte & 15));
        let vowel = VOWELS.iter().cycle().nth(usize::from(byte >> 4 & 3));
        name.extend(consonant.into_iter().chain(vowel).copied().map(char::from));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn a_meeting_is_planned_for_a_time_that_makes_sense() {
        let check = |what: &str, from: i64, length: i64, expect: Result<(), TimeProblem>| {
            let starts = NOW.saturating_add_signed(from);
            let ends = starts.saturating_add_signed(length);
            assert_eq!(may_be_at(NOW, Times { starts, ends }), expect, "{what}");
        };
        let (minute, day) = (60_000, 86_400_000);
        check("in an hour, for an hour", 60 * minute, 60 * minute, Ok(()));
        check("this very minute", -minute, 30 * minute, Ok(()));
        check("as late as can be", -5 * minute, minute, Ok(()));
        check(
            "too late",
            -5 * minute - 1,
            60 * minute,
            Err(TimeProblem::Past),
        );
        check(
            "yesterday, for two days",
            -day,
            2 * day,
            Err(TimeProblem::Past),
        );
        check("no time at all", 60 * minute, 0, Err(TimeProblem::TooShort));
        check(
            "backwards",
            60 * minute,
            -minute,
            Err(TimeProblem::TooShort),
        );
        check(
            "less than a minute",
            day,
            minute - 1,
            Err(TimeProblem::TooShort),
        );
        check("a minute", day, minute, Ok(()));
        check("a whole day", day, day, Ok(()));
        check("longer than a day", day, day + 1, Err(TimeProblem::TooLong));
        check("in two years", 731 * day, minute, Ok(()));
        check(
            "in more than two years",
            731 * day + 1,
            minute,
            Err(TimeProblem::TooFar),
        );
        let for_ever = Times {
            starts: u64::MAX,
            ends: u64::MAX,
        };
        assert_eq!(may_be_at(NOW, for_ever), Err(TimeProblem::TooFar));
    }

    #[test]
    fn who_planned_a_meeting_changes_it_until_it_is_over_or_cancelled() {
        let times = Times {
            starts: NOW - 1,
            ends: NOW + 1,
        };
        let check = |planned_it, cancelled, now, expect| {
            assert_eq!(may_change(planned_it, cancelled, times, now), expect);
        };
        check(true, false, NOW, true);
        check(true, false, NOW + 1, false);
        check(true, true, NOW, false);
        check(false, false, NOW, false);
    }

    #[test]
    fn a_title_is_one_line_of_what_can_be_seen() {
        let title = |text: &str| Title::parse(text).map(|title| title.0);
        assert_eq!(
            title("  Probe,  Teil 1;\n\"Ä\" ").as_deref(),
            Ok("Probe, Teil 1; \"Ä\"")
        );
        assert_eq!(title(&"ß".repeat(128)), Ok("ß".repeat(128)));
        for bad in ["", " \r\n", "a\u{202e}b", &"x".repeat(129)] {
            assert!(title(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_room_for_one_meeting_has_its_title_and_seventy_two_random_bits() {
        let title = Title::parse("Chorprobe").expect("a title");
        assert_eq!(
            room_name(&title, [0, 1, 2, 3, 16, 17, 63, 255, 15, 64, 32, 48]),
            "Chorprobe badafa-gabede-zozoza-babibo".to_owned()
        );
        let long = Title::parse(&"Wort ".repeat(25)).expect("a title");
        let name = room_name(&long, [7; 12]);
        assert!(crate::RoomAddress::parse(&name).is_ok(), "{name}");
        assert!(name.chars().count() <= 61 + 27, "{name}");
    }
}
