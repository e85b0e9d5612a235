//! The two languages that the house speaks, and which of them a browser asks for.

use axum::http::{HeaderMap, header};

const SPOKEN: [&str; 2] = ["de", "en"];

/// The first of the browser's languages that is spoken here, else English.
pub fn preferred(headers: &HeaderMap) -> &'static str {
    spoken_of("", headers).unwrap_or("en")
}

/// `first`: tags with spaces between them that come before the browser's.
pub fn spoken_of(first: &str, headers: &HeaderMap) -> Option<&'static str> {
    let accepted = headers.get(header::ACCEPT_LANGUAGE);
    let accepted = accepted
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut tags = first.split(' ').chain(accepted.split(',').map(str::trim));
    tags.find_map(|tag| {
        let language = tag.split(['-', '_', ';']).next().unwrap_or_default();
        SPOKEN
            .into_iter()
            .find(|spoken| spoken.eq_ignore_ascii_case(language))
    })
}
