//! A meeting as calendars read it (RFC 5545, RFC 5546): one event in UTC, so that it needs no rules of time zones. Writes
//! what it is told; what somebody may read is decided elsewhere.

use chrono::Duration;
use icalendar::{Alarm, Calendar, Component, Event, Property, Trigger};
use identity::UnixMs;
use identity::meeting::Times;
use jiff::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Request,
    Cancel,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation<'a> {
    pub method: Method,
    /// The same for the whole life of a meeting.
    pub uid: &'a str,
    pub sequence: u32,
    /// When this was written.
    pub stamp: UnixMs,
    pub times: Times,
    pub title: &'a str,
    pub description: &'a str,
    pub link: &'a str,
    pub organizer: CalendarPerson,
    pub attendees: Vec<CalendarPerson>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarPerson {
    pub name: Option<String>,
    pub mail: String,
}

/// How long before it begins calendars remind of it.
const REMINDER: Duration = Duration::minutes(5);

pub fn write(invitation: &Invitation<'_>) -> String {
    let mut event = Event::new();
    event
        .add_property("UID", invitation.uid)
        .add_property("SEQUENCE", invitation.sequence.to_string())
        .add_property("DTSTAMP", moment(invitation.stamp))
        .add_property("DTSTART", moment(invitation.times.starts))
        .add_property("DTEND", moment(invitation.times.ends))
        .add_property("SUMMARY", text(invitation.title))
        .add_property("DESCRIPTION", text(invitation.description))
        .add_property("LOCATION", text(invitation.link))
        .add_property("URL", invitation.link)
        .append_property(organizer(&invitation.organizer));
    for attendee in &invitation.attendees {
        event.append_multi_property(self::attendee(attendee));
    }
    match invitation.method {
        Method::Request => {
            event
                .add_property("STATUS", "CONFIRMED")
                .append_property(conference(invitation.link))
                .append_component(alarm(invitation));
        }
        Method::Cancel => {
            event.add_property("STATUS", "CANCELLED");
        }
    }
    let mut calendar = Calendar::empty();
    calendar
        .append_property(Property::new("VERSION", "2.0"))
        .append_property(Property::new("PRODID", "-//Stube//Stube//EN"))
        .append_property(Property::new("METHOD", invitation.method.name()))
        .push(event);
    calendar.to_string()
}

/// The library writes a stamp and an id into each component; random ones, if it is told none.
fn alarm(invitation: &Invitation<'_>) -> Alarm {
    let trigger = Trigger::before_start(REMINDER);
    let mut alarm = Alarm::display(&text(invitation.title), trigger);
    alarm
        .add_property("UID", format!("{}-reminder", invitation.uid))
        .add_property("DTSTAMP", moment(invitation.stamp));
    alarm
}

/// RFC 7986 section 5.11.
fn conference(link: &str) -> Property {
    Property::new("CONFERENCE", link)
        .add_parameter("VALUE", "URI")
        .add_parameter("FEATURE", "VIDEO")
        .done()
}

fn organizer(person: &CalendarPerson) -> Property {
    named("ORGANIZER", person).done()
}

/// Nobody has to answer: whoever comes is there.
fn attendee(person: &CalendarPerson) -> Property {
    named("ATTENDEE", person)
        .add_parameter("RSVP", "FALSE")
        .add_parameter("PARTSTAT", "NEEDS-ACTION")
        .add_parameter("ROLE", "REQ-PARTICIPANT")
        .done()
}

fn named(key: &str, person: &CalendarPerson) -> Property {
    let mut property = Property::new(key, format!("mailto:{}", person.mail));
    if let Some(name) = &person.name {
        property.add_parameter("CN", &quoted(name));
    }
    property
}

/// The value of a parameter has no way to hold a quote or a line break (RFC 5545 section 3.1).
fn quoted(value: &str) -> String {
    let plain: String = value
        .chars()
        .map(|c| match c {
            '"' => '\'',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect();
    format!("\"{plain}\"")
}

/// Line breaks are the only controls that a text can hold.
fn text(value: &str) -> String {
    value
        .chars()
        .filter(|c| *c == '\n' || !c.is_control())
        .collect()
}

/// RFC 5545 section 3.3.5, form 2.
fn moment(at: UnixMs) -> String {
    let at = i64::try_from(at).ok().map(Timestamp::from_millisecond);
    let at = at.and_then(Result::ok).unwrap_or(Timestamp::MAX);
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Written by `STUBE_UPDATE=1 cargo test -p server calendar`; journeys have a stranger's parser read them.
    fn check(name: &str, invitation: &Invitation<'_>) -> String {
        let written = write(invitation);
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/calendar")
            .join(name);
        if std::env::var_os("STUBE_UPDATE").is_some() {
            std::fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
            std::fs::write(&file, &written).expect("a file");
        }
        let golden = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(written, golden, "{name}");
        for line in written.split_terminator("\r\n") {
            assert!(line.len() <= 75, "{name}: {line}");
            assert!(!line.contains(['\r', '\n']), "{name}: {line:?}");
        }
        written
    }

    fn person(name: Option<&str>, mail: &str) -> CalendarPerson {
        CalendarPerson {
            name: name.map(str::to_owned),
            mail: mail.to_owned(),
        }
    }

    fn invitation<'a>(title: &'a str, description: &'a str) -> Invitation<'a> {
        Invitation {
            method: Method::Request,
            uid: "019c1d6e58f24f0e9f7d4f9b8f1c2d3e",
            sequence: 0,
            stamp: 1_795_000_000_000,
            times: Times {
                starts: 1_795_717_800_000,
                ends: 1_795_723_200_000,
            },
            title,
            description,
            link: "https://meet.example.org/r/public/Probe",
            organizer: person(Some("Anna Ö."), "haus@example.org"),
            attendees: vec![person(None, "carla@fremd.example")],
        }
    }

    #[test]
    fn an_invitation_is_written_for_calendars() {
        let description = "Donnerstag, 26. November 2026\n\nTeilnehmen:\nhttps://meet.example.org";
        let text = check("request.ics", &invitation("Probe", description));
        for line in [
            "METHOD:REQUEST",
            "DTSTART:20261126T183000Z",
            "DTEND:20261126T200000Z",
            "SEQUENCE:0",
            "STATUS:CONFIRMED",
            "BEGIN:VALARM",
        ] {
            assert!(text.lines().any(|there| there == line), "{line} in {text}");
        }
    }

    #[test]
    fn a_cancellation_has_the_same_name_and_counts_on() {
        let cancelled = Invitation {
            method: Method::Cancel,
            sequence: 2,
            ..invitation("Probe", "")
        };
        let text = check("cancel.ics", &cancelled);
        for line in ["METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:2"] {
            assert!(text.lines().any(|there| there == line), "{line} in {text}");
        }
        assert!(!text.contains("VALARM"), "{text}");
    }

    #[test]
    fn umlauts_commas_line_breaks_and_long_titles_survive() {
        let title = format!(
            "Fußball, Körper; \\ & Geist \u{1f3e1} {}",
            "Überlänge ".repeat(12)
        );
        let odd = Invitation {
            organizer: person(Some("\"Ö\"; X=\"y\":z\r\nBEGIN:VALARM"), "haus@example.org"),
            attendees: vec![
                person(Some("Bernd, der; Große"), "bernd@example.org"),
                person(None, "änne@exämple.org"),
            ],
            ..invitation(
                title.trim_end(),
                "Erste Zeile\r\nBEGIN:VEVENT\nDritte\u{7}, Zeile; \\n",
            )
        };
        let text = check("odd.ics", &odd);
        let begins = text.split("\r\n").filter(|line| line.starts_with("BEGIN:"));
        assert_eq!(begins.count(), 3, "{text}");
    }
}
