//! Headers that tell browsers what our pages may do: on every answer, errors included.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::origins::Origins;
use crate::{oidc, scim, sso};

const EVERYWHERE: &[(&str, &str)] = &[
    (
        "permissions-policy",
        "camera=(self), microphone=(self), display-capture=(self), screen-wake-lock=(self), autoplay=(self), \
         fullscreen=(self), picture-in-picture=(self), speaker-selection=(self), geolocation=(), usb=(), payment=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
];

/// For answers that are no page: nothing may be loaded, run or framed.
const NO_PAGE: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HSTS: &str = "max-age=31536000; includeSubDomains";

/// The policies of pages, one for each origin, since older browsers want the WebSocket's own origin named.
pub struct PageHeaders {
    policies: Vec<(String, HeaderValue)>,
    /// A public address over TLS: never come back without.
    strict_transport: bool,
}

impl PageHeaders {
    pub fn new(origins: &Origins, public: bool) -> Self {
        let policies = origins.all().iter().map(|origin| {
            let host = origin
                .split_once("://")
                .map_or(origin.as_str(), |(_, host)| host);
            (
                host.to_owned(),
                HeaderValue::from_str(&page_policy(origin)).expect("origins are ASCII"),
            )
        });
        Self {
            policies: policies.collect(),
            strict_transport: public && origins.secure(),
        }
    }

    fn policy(&self, host: Option<&str>) -> HeaderValue {
        let asked = self
            .policies
            .iter()
            .find(|(ours, _)| Some(ours.as_str()) == host);
        asked
            .or(self.policies.first())
            .map_or(HeaderValue::from_static(NO_PAGE), |(_, policy)| {
                policy.clone()
            })
    }
}

/// `svelte-trusted-html` is how Svelte makes its templates, `stube` how the app names its service worker's address.
fn page_policy(origin: &str) -> String {
    let socket = origin.replacen("http", "ws", 1);
    format!(
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
         media-src 'self' blob:; font-src 'self'; connect-src 'self' {socket}; manifest-src 'self'; \
         form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types stube svelte-trusted-html; report-uri /csp"
    )
}

pub async fn set(State(page): State<Arc<PageHeaders>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let no_page = path == "/api"
        || path.starts_with("/api/")
        || scim::owns(path)
        || matches!(path, "/healthz" | "/readyz" | "/csp");
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.or(request
        .uri()
        .authority()
        .map(|authority| authority.as_str()));
    // Pages of the provider bring a policy of their own.
    let provider = oidc::owns(path) || sso::owns(path);
    let policy = if no_page || provider {
        HeaderValue::from_static(NO_PAGE)
    } else {
        page.policy(host)
    };
    let mut response = next.run(request).await;

    let headers = response.headers_mut();
    for (name, value) in EVERYWHERE {
        headers
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(policy);
    if page.strict_transport {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(HSTS),
        );
    }
    if no_page {
        keep_nowhere(headers);
    }
    response
}

/// Except for what says otherwise itself, as images do.
fn keep_nowhere(headers: &mut HeaderMap) {
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}
