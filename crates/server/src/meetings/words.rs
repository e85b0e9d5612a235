//! What stands in letters about meetings and in calendars, in German and English: plain and short.

use identity::UnixMs;
use identity::meeting::Times;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use protocol::Access;
use protocol::http::meetings::Language;

use crate::mail::letters::{Letter, one_line};

/// Why somebody gets a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    Invited,
    Changed,
    /// It will not be, or not with them.
    Cancelled,
}

pub struct About<'a> {
    pub house: &'a str,
    /// Who invites.
    pub by: &'a str,
    pub title: &'a str,
    pub times: Times,
    pub zone: &'a TimeZone,
    pub link: &'a str,
    pub access: Access,
    pub language: Language,
}

/// The time zone of this name, if there is one.
pub fn zone(name: &str) -> Option<TimeZone> {
    let plain = name.len() <= 64 && !name.chars().any(|c| c.is_control() || c.is_whitespace());
    TimeZone::get(name).ok().filter(|_| plain)
}

pub fn letter(occasion: Occasion, about: &About<'_>) -> Letter {
    let (by, title) = (one_line(about.by), one_line(about.title));
    let (subject, first) = match (about.language, occasion) {
        (Language::De, Occasion::Invited) => (
            format!("Einladung: {title}"),
            format!("{by} lädt Sie zu einer Besprechung ein."),
        ),
        (Language::De, Occasion::Changed) => (
            format!("Geändert: {title}"),
            format!("{by} hat diese Besprechung geändert."),
        ),
        (Language::De, Occasion::Cancelled) => (
            format!("Abgesagt: {title}"),
            format!("{by} hat diese Besprechung für Sie abgesagt."),
        ),
        (Language::En, Occasion::Invited) => (
            format!("Invitation: {title}"),
            format!("{by} invites you to a meeting."),
        ),
        (Language::En, Occasion::Changed) => (
            format!("Changed: {title}"),
            format!("{by} has changed this meeting."),
        ),
        (Language::En, Occasion::Cancelled) => (
            format!("Cancelled: {title}"),
            format!("{by} has cancelled this meeting for you."),
        ),
    };
    let time = time_span(about.times, about.zone, about.language);
    let mut text = format!("{first}\n\n{title}\n{time}\n");
    if occasion != Occasion::Cancelled {
        text.push_str(&format!("\n{}\n", way_in(about)));
    }
    Letter {
        text,
        until: Some(about.times.ends),
        ..Letter::new(subject)
    }
}

/// What stands in the calendar: when it is in the time zone in which it was planned, and how to get in.
pub fn description(about: &About<'_>) -> String {
    let time = time_span(about.times, about.zone, about.language);
    format!("{time}\n\n{}", way_in(about))
}

/// Into a room, now.
pub fn room_letter(about: &RoomAbout<'_>) -> Letter {
    let (by, room, house) = (
        one_line(about.by),
        one_line(about.room),
        one_line(about.house),
    );
    let who = who_may_enter(about.way, &house, about.language);
    let link = about.link;
    let (subject, text) = match about.language {
        Language::De => (
            format!("Einladung in den Raum {room}"),
            format!("{by} lädt Sie in den Raum „{room}“ ein.\n\nTeilnehmen:\n{link}\n\n{who}\n"),
        ),
        Language::En => (
            format!("Invitation to the room {room}"),
            format!("{by} invites you to the room “{room}”.\n\nJoin:\n{link}\n\n{who}\n"),
        ),
    };
    Letter {
        text,
        ..Letter::new(subject)
    }
}

pub struct RoomAbout<'a> {
    pub house: &'a str,
    pub by: &'a str,
    pub room: &'a str,
    pub link: &'a str,
    pub way: Way,
    pub language: Language,
}

/// Who gets in by a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Accounts,
    Everybody,
    /// By an invite, until then.
    Invited(UnixMs),
}

impl From<Access> for Way {
    fn from(access: Access) -> Self {
        match access {
            Access::Accounts => Self::Accounts,
            Access::Guests => Self::Everybody,
        }
    }
}

fn way_in(about: &About<'_>) -> String {
    let join = match about.language {
        Language::De => "Teilnehmen:",
        Language::En => "Join:",
    };
    let house = one_line(about.house);
    let who = who_may_enter(about.access.into(), &house, about.language);
    format!("{join}\n{}\n\n{who}", about.link)
}

fn who_may_enter(way: Way, house: &str, language: Language) -> String {
    match (language, way) {
        (Language::De, Way::Accounts) => {
            format!("Dafür brauchen Sie ein Konto bei {house}.")
        }
        (Language::De, Way::Everybody) => {
            "Sie brauchen dafür kein Konto: Der Browser genügt.".to_owned()
        }
        (Language::De, Way::Invited(until)) => format!(
            "Sie brauchen dafür kein Konto. Der Link gilt bis {} (UTC).",
            moment(until, &TimeZone::UTC, language)
        ),
        (Language::En, Way::Accounts) => format!("You need an account at {house} for it."),
        (Language::En, Way::Everybody) => {
            "You need no account for it: a browser is enough.".to_owned()
        }
        (Language::En, Way::Invited(until)) => format!(
            "You need no account for it. The link is good until {} (UTC).",
            moment(until, &TimeZone::UTC, language)
        ),
    }
}

/// "Donnerstag, 26. November 2026, 19:30–21:00 Uhr (Europe/Berlin, UTC+01:00)".
pub fn time_span(times: Times, zone: &TimeZone, language: Language) -> String {
    let (starts, ends) = (local(times.starts, zone), local(times.ends, zone));
    let clock = |at: &ZonedDateTime| at.strftime("%H:%M").to_string();
    let until = if starts.date() == ends.date() {
        format!("–{}", clock(&ends))
    } else {
        format!(" – {}, {}", day(&ends, language), clock(&ends))
    };
    let uhr = match language {
        Language::De => " Uhr",
        Language::En => "",
    };
    let name = zone.iana_name().unwrap_or("UTC");
    format!(
        "{}, {}{until}{uhr} ({name}, UTC{})",
        day(&starts, language),
        clock(&starts),
        starts.strftime("%:z")
    )
}

fn moment(at: UnixMs, zone: &TimeZone, language: Language) -> String {
    let at = local(at, zone);
    format!("{}, {}", day(&at, language), at.strftime("%H:%M"))
}

fn local(at: UnixMs, zone: &TimeZone) -> ZonedDateTime {
    let at = i64::try_from(at).ok().map(Timestamp::from_millisecond);
    let at = at.and_then(Result::ok).unwrap_or(Timestamp::MAX);
    at.to_zoned_datetime(zone.clone())
}

fn day(at: &ZonedDateTime, language: Language) -> String {
    let weekday = usize::from(at.weekday().to_monday_zero_offset().unsigned_abs());
    let month = usize::from(at.month().unsigned_abs()).saturating_sub(1);
    let (date, year) = (at.day(), at.year());
    match language {
        Language::De => format!(
            "{}, {date}. {} {year}",
            DE_DAYS[weekday % 7],
            DE_MONTHS[month % 12]
        ),
        Language::En => format!(
            "{}, {date} {} {year}",
            EN_DAYS[weekday % 7],
            EN_MONTHS[month % 12]
        ),
    }
}

const DE_DAYS: [&str; 7] = [
    "Montag",
    "Dienstag",
    "Mittwoch",
    "Donnerstag",
    "Freitag",
    "Samstag",
    "Sonntag",
];
const EN_DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const DE_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const EN_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> u64 {
        let at: Timestamp = text.parse().expect("a time");
        u64::try_from(at.as_millisecond()).expect("after 1970")
    }

    fn about<'a>(zone: &'a TimeZone, language: Language, access: Access) -> About<'a> {
        About {
            house: "Verein\r\nBcc: x@example.org",
            by: "Anna\nÖ.",
            title: "Probe, Teil 1",
            times: Times {
                starts: at("2026-11-26T18:30:00Z"),
                ends: at("2026-11-26T20:00:00Z"),
            },
            zone,
            link: "https://meet.example.org/r/public/Probe",
            access,
            language,
        }
    }

    #[test]
    fn a_time_is_told_in_the_zone_in_which_it_was_planned() {
        let check = |zone: &str, starts: &str, ends: &str, german: &str, english: &str| {
            let zone = super::zone(zone).expect("a time zone");
            let times = Times {
                starts: at(starts),
                ends: at(ends),
            };
            assert_eq!(time_span(times, &zone, Language::De), german);
            assert_eq!(time_span(times, &zone, Language::En), english);
        };
        check(
            "Europe/Berlin",
            "2026-11-26T18:30:00Z",
            "2026-11-26T20:00:00Z",
            "Donnerstag, 26. November 2026, 19:30–21:00 Uhr (Europe/Berlin, UTC+01:00)",
            "Thursday, 26 November 2026, 19:30–21:00 (Europe/Berlin, UTC+01:00)",
        );
        check(
            "Europe/Berlin",
            "2026-07-31T21:30:00Z",
            "2026-07-31T22:30:00Z",
            "Freitag, 31. Juli 2026, 23:30 – Samstag, 1. August 2026, 00:30 Uhr (Europe/Berlin, UTC+02:00)",
            "Friday, 31 July 2026, 23:30 – Saturday, 1 August 2026, 00:30 (Europe/Berlin, UTC+02:00)",
        );
        check(
            "Asia/Kathmandu",
            "2027-03-01T00:00:00Z",
            "2027-03-01T01:00:00Z",
            "Montag, 1. März 2027, 05:45–06:45 Uhr (Asia/Kathmandu, UTC+05:45)",
            "Monday, 1 March 2027, 05:45–06:45 (Asia/Kathmandu, UTC+05:45)",
        );
    }

    #[test]
    fn only_names_of_time_zones_are_time_zones() {
        for good in [
            "Europe/Berlin",
            "UTC",
            "Etc/UTC",
            "America/Argentina/Ushuaia",
        ] {
            assert!(zone(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "Mars/Olympus",
            "../../etc/passwd",
            "Europe/Berlin\r\nBcc: x",
            "/etc/localtime",
            &"A".repeat(100_000),
        ] {
            assert!(zone(bad).is_none(), "{bad:.30}");
        }
    }

    #[test]
    fn letters_say_what_when_and_who_gets_in_and_nobodys_name_adds_lines() {
        let zone = zone("Europe/Berlin").expect("a time zone");
        let check = |occasion, language, access, subject: &str, parts: &[&str]| {
            let letter = letter(occasion, &about(&zone, language, access));
            assert_eq!(letter.subject, subject);
            for part in parts {
                assert!(letter.text.contains(part), "{part} in {}", letter.text);
            }
            assert!(!letter.text.contains("\nBcc"), "{}", letter.text);
            assert!(!letter.text.contains('\r'), "{}", letter.text);
            letter.text
        };
        check(
            Occasion::Invited,
            Language::De,
            Access::Guests,
            "Einladung: Probe, Teil 1",
            &[
                "Anna Ö. lädt Sie",
                "19:30–21:00 Uhr",
                "https://meet.example.org/r/public/Probe\n",
                "kein Konto",
            ],
        );
        check(
            Occasion::Changed,
            Language::En,
            Access::Accounts,
            "Changed: Probe, Teil 1",
            &["Anna Ö. has changed", "You need an account at Verein"],
        );
        let text = check(
            Occasion::Cancelled,
            Language::En,
            Access::Guests,
            "Cancelled: Probe, Teil 1",
            &["has cancelled"],
        );
        assert!(!text.contains("https://"), "{text}");
    }
}
