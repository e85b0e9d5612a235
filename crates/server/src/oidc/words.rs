//! What the provider's pages say, in German and English. `{app}` is the application, `{house}` the house, `{name}` the
//! person, `{host}` where one is sent.

use axum::http::HeaderMap;
use identity::provider::Parameters;

use crate::languages;

pub struct Words {
    pub language: &'static str,
    pub consent_title: &'static str,
    pub consent_lead: &'static str,
    pub consent_gets: &'static str,
    pub gets_id: &'static str,
    pub gets_profile: &'static str,
    pub gets_email: &'static str,
    pub gets_groups: &'static str,
    pub gets_offline: &'static str,
    pub consent_then: &'static str,
    pub allow: &'static str,
    pub deny: &'static str,
    pub signed_in_as: &'static str,
    pub logout_title: &'static str,
    pub logout_lead: &'static str,
    pub sign_out: &'static str,
    pub stay: &'static str,
    pub signed_out_title: &'static str,
    pub signed_out_lead: &'static str,
    pub home: &'static str,
    pub fault_title: &'static str,
    pub fault_lead: &'static str,
    pub busy_title: &'static str,
    pub busy_lead: &'static str,
    pub trouble_title: &'static str,
    pub trouble_lead: &'static str,
    pub again: &'static str,
    pub details: &'static str,
}

const GERMAN: Words = Words {
    language: "de",
    consent_title: "Bei {app} anmelden?",
    consent_lead: "{app} gehört nicht zu {house}. Mit Ihrer Erlaubnis erfährt die Anwendung, wer Sie sind.",
    consent_gets: "{app} erhält:",
    gets_id: "eine Kennung, die für Ihr Konto steht",
    gets_profile: "Ihren Namen und Benutzernamen",
    gets_email: "Ihre E-Mail-Adresse",
    gets_groups: "die Namen der Gruppen, in denen Sie sind",
    gets_offline: "Zugriff darauf, auch wenn Sie hier abgemeldet sind",
    consent_then: "Danach geht es weiter zu {host}.",
    allow: "Erlauben",
    deny: "Nicht erlauben",
    signed_in_as: "Angemeldet als {name}",
    logout_title: "Von {house} abmelden?",
    logout_lead: "Eine Anwendung möchte Sie abmelden. Laufende Besprechungen in diesem Browser enden damit.",
    sign_out: "Abmelden",
    stay: "Angemeldet bleiben",
    signed_out_title: "Abgemeldet",
    signed_out_lead: "Sie sind von {house} abgemeldet.",
    home: "Zu {house}",
    fault_title: "Die Anmeldung ist nicht möglich",
    fault_lead: "Die Anwendung, von der Sie kommen, ist hier nicht richtig eingerichtet. Geben Sie ihrem Betreiber Bescheid.",
    busy_title: "Gerade ist viel los",
    busy_lead: "Versuchen Sie es in {seconds} s noch einmal.",
    trouble_title: "Das hat nicht geklappt",
    trouble_lead: "Bei {house} ist ein Fehler aufgetreten. Versuchen Sie es noch einmal.",
    again: "Noch einmal versuchen",
    details: "Einzelheiten",
};

const ENGLISH: Words = Words {
    language: "en",
    consent_title: "Sign in to {app}?",
    consent_lead: "{app} does not belong to {house}. With your permission it learns who you are.",
    consent_gets: "{app} gets:",
    gets_id: "an identifier that stands for your account",
    gets_profile: "your name and username",
    gets_email: "your mail address",
    gets_groups: "the names of the groups that you are in",
    gets_offline: "access to this, also while you are signed out here",
    consent_then: "Then you go on to {host}.",
    allow: "Allow",
    deny: "Do not allow",
    signed_in_as: "Signed in as {name}",
    logout_title: "Sign out of {house}?",
    logout_lead: "An application wants to sign you out. Meetings in this browser end with it.",
    sign_out: "Sign out",
    stay: "Stay signed in",
    signed_out_title: "Signed out",
    signed_out_lead: "You are signed out of {house}.",
    home: "To {house}",
    fault_title: "Signing in is not possible",
    fault_lead: "The application that you come from is not set up correctly here. Let those know who run it.",
    busy_title: "Busy right now",
    busy_lead: "Try again in {seconds} s.",
    trouble_title: "That did not work",
    trouble_lead: "Something went wrong at {house}. Try again.",
    again: "Try again",
    details: "Details",
};

impl Words {
    /// As the application says, or else as the browser says.
    pub fn choose(parameters: &Parameters, headers: &HeaderMap) -> &'static Self {
        let asked = parameters
            .one("ui_locales")
            .ok()
            .flatten()
            .unwrap_or_default();
        match languages::spoken_of(asked, headers) {
            Some("de") => &GERMAN,
            _ => &ENGLISH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, header};

    #[test]
    fn the_application_names_the_language_and_the_browser_if_it_does_not() {
        let check = |query: &str, accepted: &'static str, expect: &str| {
            let accepted = HeaderValue::from_static(accepted);
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, accepted)]);
            let words = Words::choose(&Parameters::parse(query), &headers);
            assert_eq!(
                words.language,
                expect,
                "{query} {accepted:?}",
                accepted = headers
            );
        };
        check("", "de-AT,de;q=0.9,en;q=0.8", "de");
        check("", "fr, en-GB;q=0.7, de;q=0.3", "en");
        check("", "fr", "en");
        check("", "", "en");
        check("ui_locales=fr+DE", "en", "de");
        check("ui_locales=ja", "de", "de");
    }
}
