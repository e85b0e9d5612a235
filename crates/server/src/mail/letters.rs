//! What stands in the letters of the house: plain, short, German and English, since nobody knows yet what the reader reads.

use identity::{Mail, UnixMs};

#[derive(Debug)]
pub struct Letter {
    pub subject: String,
    pub text: String,
    /// When it has become pointless to deliver it; absent: never.
    pub until: Option<UnixMs>,
    /// Whom an answer reaches; absent: the house.
    pub reply_to: Option<Mail>,
    /// A meeting, for the reader's calendar.
    pub calendar: Option<CalendarPart>,
}

#[derive(Debug)]
pub struct CalendarPart {
    /// As in the calendar itself: `REQUEST` or `CANCEL`.
    pub method: &'static str,
    pub text: String,
}

impl Letter {
    pub fn new(subject: String) -> Self {
        Self {
            subject,
            text: String::new(),
            until: None,
            reply_to: None,
            calendar: None,
        }
    }
}

/// A link and for how long it is good.
#[derive(Debug)]
pub struct Link<'a> {
    pub url: &'a str,
    pub now: UnixMs,
    pub expires: UnixMs,
}

/// To somebody who has no account yet, or none they ever used.
pub fn invite(house: &str, link: &Link<'_>) -> Letter {
    let house = one_line(house);
    let (german, english) = life(link);
    let url = link.url;
    let subject = format!("{house}: Ihr Konto / your account");
    Letter {
        text: format!(
            "Willkommen bei {house}!\n\n\
             Unter dieser Adresse richten Sie Ihr Konto ein. Sie gilt {german}.\n\n\
             {url}\n\n\
             Wenn Sie das nicht erwartet haben, brauchen Sie nichts zu tun.\n\n\
             ---\n\n\
             Welcome to {house}!\n\n\
             Open the address above to set up your account. It is good for {english}.\n\
             If you did not expect this, there is nothing you have to do.\n"
        ),
        until: Some(link.expires),
        ..Letter::new(subject)
    }
}

/// To somebody who has forgotten their password. The username, since that is forgotten as well.
pub fn recovery(house: &str, username: &str, link: &Link<'_>) -> Letter {
    let (house, username) = (one_line(house), one_line(username));
    let (german, english) = life(link);
    let url = link.url;
    let subject = format!("{house}: neues Passwort / new password");
    Letter {
        text: format!(
            "Unter dieser Adresse geben Sie Ihrem Konto \"{username}\" bei {house} ein neues\n\
             Passwort. Sie gilt {german} und einmal.\n\n\
             {url}\n\n\
             Wenn nicht Sie danach gefragt haben, brauchen Sie nichts zu tun.\n\n\
             ---\n\n\
             Open the address above to give your account \"{username}\" at {house} a new\n\
             password. It is good for {english}, and once.\n\
             If it was not you who asked for it, there is nothing you have to do.\n"
        ),
        until: Some(link.expires),
        ..Letter::new(subject)
    }
}

/// To an administrator who tries whether mail works.
pub fn test(house: &str) -> Letter {
    let house = one_line(house);
    Letter {
        text: format!("{house} kann E-Mails verschicken.\n\n---\n\n{house} can send mail.\n"),
        ..Letter::new(format!("{house}: Test"))
    }
}

/// What somebody has written, so that it adds no lines to a letter.
pub fn one_line(text: &str) -> String {
    text.split(char::is_control).collect::<Vec<_>>().join(" ")
}

/// In the largest unit that does not say more than is true.
fn life(link: &Link<'_>) -> (String, String) {
    const MINUTE: u64 = 60 * 1000;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let ms = link.expires.saturating_sub(link.now);
    let (count, german, english) = match ms {
        ms if ms >= 2 * DAY => (ms / DAY, "Tage", "days"),
        ms if ms >= 2 * HOUR => (ms / HOUR, "Stunden", "hours"),
        ms => (ms / MINUTE, "Minuten", "minutes"),
    };
    (format!("{count} {german}"), format!("{count} {english}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(life: u64) -> Link<'static> {
        Link {
            url: "https://meet.example.org/invite#abc",
            now: 1000,
            expires: 1000 + life,
        }
    }

    #[test]
    fn a_letter_says_how_long_its_link_is_good() {
        let minute = 60 * 1000;
        for (life, german, english) in [
            (5 * minute, "5 Minuten", "5 minutes"),
            (60 * minute, "60 Minuten", "60 minutes"),
            (24 * 60 * minute, "24 Stunden", "24 hours"),
            (7 * 24 * 60 * minute, "7 Tage", "7 days"),
        ] {
            let letter = invite("Verein", &link(life));
            for text in [german, english, "https://meet.example.org/invite#abc"] {
                assert!(letter.text.contains(text), "{text} in {}", letter.text);
            }
            assert_eq!(letter.until, Some(1000 + life));
        }
    }

    #[test]
    fn the_name_of_the_house_cannot_add_lines() {
        let letters = [
            invite("A\r\nBcc: x@example.org", &link(600_000)),
            recovery("A\nB", "anna\n\nhttps://evil.example", &link(600_000)),
            test("A\rB"),
        ];
        for letter in letters {
            assert!(!letter.subject.contains(['\r', '\n']), "{letter:?}");
            assert!(!letter.text.contains('\r'), "{letter:?}");
            assert!(!letter.text.contains("\nhttps://evil"), "{letter:?}");
        }
    }
}
