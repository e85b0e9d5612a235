//! Under which addresses people open this house: the exact list of origins, and what links begin with.

use axum::http::{HeaderMap, header};

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

#[cfg(test)]
mod tests {
    use super::*;
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
