//! Under which addresses people open this house: the exact list of origins, and what links begin with.

use axum::http::{HeaderMap, header};
use identity::name::OPEN_PREFIX;
use protocol::Access;

/// What browsers may call us; nothing else may open a socket or change anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins {
    /// As browsers write them: scheme, host, and the port unless it is the scheme's own. The first is for links.
    list: Vec<String>,
}

impl Origins {
    pub fn new(first: String, others: impl IntoIterator<Item = String>) -> Self {
        let mut list = vec![first];
        for other in others {
            if !list.contains(&other) {
                list.push(other);
            }
        }
        Self { list }
    }

    /// `scheme://host[:port]` as browsers write it.
    pub fn written(scheme: &str, host: &str, port: u16) -> String {
        match (scheme, port) {
            ("http", 80) | ("https", 443) => format!("{scheme}://{host}"),
            _ => format!("{scheme}://{host}:{port}"),
        }
    }

    /// What links to this house begin with, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.list[0]
    }

    /// Without scheme and port.
    pub fn host(&self) -> &str {
        let rest = self.base().split_once("://").map_or("", |(_, rest)| rest);
        match rest.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => rest,
        }
    }

    /// The whole address of a room's door. Slashes of the name are kept where each part between them survives in a URL.
    pub fn room(&self, name: &str, access: Access) -> String {
        let fragile = |part: &str| matches!(part, "" | "." | "..");
        let written = if name.split('/').any(fragile) {
            escaped(name)
        } else {
            name.split('/').map(escaped).collect::<Vec<_>>().join("/")
        };
        let open = match access {
            Access::Guests => OPEN_PREFIX,
            Access::Accounts => "",
        };
        format!("{}/r/{open}{written}", self.base())
    }

    pub fn all(&self) -> &[String] {
        &self.list
    }

    /// Whether pages come over TLS, so that cookies may demand it.
    pub fn secure(&self) -> bool {
        self.base().starts_with("https://")
    }

    /// The WebSocket's rule: an origin is named, and it is one of ours.
    pub fn allows(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::ORIGIN)
            .is_some_and(|origin| self.list.iter().any(|ours| ours.as_bytes() == origin))
    }
}

/// Stricter than a URL needs: mail programs end links before brackets, and at a dot that comes last.
fn escaped(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    for (place, byte) in part.bytes().enumerate() {
        let last = place + 1 == part.len();
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~');
        if plain || (byte == b'.' && !last) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_room_survives_in_letters() {
        let origins = Origins::new("https://meet.example.org:8443".to_owned(), []);
        assert_eq!(origins.host(), "meet.example.org");
        let check = |name: &str, access, expect: &str| {
            let link = origins.room(name, access);
            assert_eq!(link, format!("https://meet.example.org:8443/r/{expect}"));
        };
        check("Küche", Access::Accounts, "K%C3%BCche");
        check(
            "Büro/Team 1 (neu)",
            Access::Guests,
            "public/B%C3%BCro/Team%201%20%28neu%29",
        );
        check("a//b", Access::Accounts, "a%2F%2Fb");
        check("Team Dr.", Access::Accounts, "Team%20Dr%2E");
        check("v1.2, 100%?#", Access::Accounts, "v1.2%2C%20100%25%3F%23");
    }
    use axum::http::HeaderValue;

    #[test]
    fn only_an_origin_that_is_exactly_ours_is_allowed() {
        let origins = Origins::new(
            "http://localhost:8080".to_owned(),
            ["http://127.0.0.1:8080".to_owned()],
        );
        let check = |origin: Option<&'static str>, expect: bool| {
            let mut headers = HeaderMap::new();
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(origins.allows(&headers), expect, "{origin:?}");
        };
        check(Some("http://localhost:8080"), true);
        check(Some("http://127.0.0.1:8080"), true);
        check(Some("https://localhost:8080"), false);
        check(Some("http://localhost:80801"), false);
        check(Some("http://localhost"), false);
        check(Some("http://localhost:8080.evil.example"), false);
        check(Some("null"), false);
        check(None, false);
    }

    #[test]
    fn a_schemes_own_port_is_not_written() {
        assert_eq!(
            Origins::written("https", "meet.example.org", 443),
            "https://meet.example.org"
        );
        assert_eq!(
            Origins::written("http", "localhost", 80),
            "http://localhost"
        );
        assert_eq!(
            Origins::written("https", "localhost", 80),
            "https://localhost:80"
        );
    }
}
