//! The languages in which the house writes to somebody, as they are stored. What is said in them stands elsewhere.

use protocol::http::meetings::Language;

pub fn stored(language: Language) -> &'static str {
    match language {
        Language::De => "de",
        Language::En => "en",
    }
}

pub fn read(language: &str) -> Language {
    match language {
        "de" => Language::De,
        _ => Language::En,
    }
}
