//! The web app as files: one page for all addresses of the app, its assets as the build made them, and the addresses that
//! Kopano Meet's links have.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::ErrorCode;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::error::ApiError;
use crate::web::{PAGE, Web};

const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Stube</title>\n\
    <h1>The web app is not built yet</h1>\n<p>Run <code>cargo xtask run</code>, which builds it and starts this server, \
    or <code>npm ci &amp;&amp; npm run build</code> in <code>web/</code>.\n</html>\n";

pub async fn page(request: Request) -> Response {
    answer::<Web>(request.method(), request.uri().path(), request.headers())
}

fn answer<Files: RustEmbed>(method: &Method, path: &str, headers: &HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        let mut response = ApiError::from(ErrorCode::MethodNotAllowed).into_response();
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
        return response;
    }
    if let Some(target) = old_link(path) {
        return redirect(&target);
    }
    let mut response = if is_page(path) {
        file::<Files>(PAGE, headers).unwrap_or_else(not_built)
    } else {
        let name = path.trim_start_matches('/');
        file::<Files>(name, headers).unwrap_or_else(|| missing::<Files>(headers))
    };
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

/// The app's page too, which says that there is nothing here; never "as you know it".
fn missing<Files: RustEmbed>(headers: &HeaderMap) -> Response {
    let mut headers = headers.clone();
    headers.remove(header::IF_NONE_MATCH);
    let mut response = file::<Files>(PAGE, &headers).unwrap_or_else(not_built);
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn is_page(path: &str) -> bool {
    matches!(
        path,
        "/" | "/setup" | "/sign-in" | "/join" | "/invite" | "/recover" | "/account" | "/admin"
    ) || ["/r/", "/call/", "/people/", "/admin/"]
        .iter()
        .any(|folder| {
            path.strip_prefix(folder)
                .is_some_and(|name| !name.is_empty())
        })
}

/// Where a link of Kopano Meet leads today. Browsers take the fragment along.
fn old_link(path: &str) -> Option<String> {
    let rest = path.strip_prefix("/meet")?;
    let name = match rest {
        "" | "/" | "/r/call" | "/r/call/" => return Some("/".to_owned()),
        _ => rest.strip_prefix("/r/")?,
    };
    let name = name.strip_prefix("join/").unwrap_or(name);
    let name = name
        .strip_prefix("group/")
        .or_else(|| name.strip_prefix("conference/"))?;
    (!name.is_empty()).then(|| format!("/r/{name}"))
}

fn redirect(target: &str) -> Response {
    match HeaderValue::from_str(target) {
        Ok(target) => (StatusCode::FOUND, [(header::LOCATION, target)]).into_response(),
        Err(_) => ApiError::from(ErrorCode::NotFound).into_response(),
    }
}

fn not_built() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, NOT_BUILT).into_response()
}

fn file<Files: RustEmbed>(name: &str, headers: &HeaderMap) -> Option<Response> {
    let kind = content_type(name)?;
    let plain = Files::get(name)?;
    let etag = |encoding: &str| {
        let hash = plain.metadata.sha256_hash();
        let short: String = hash
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("\"{short}{encoding}\"")
    };
    let (encoded, encoding) = precompressed::<Files>(name, headers)
        .map_or((None, ""), |(file, encoding)| (Some(file), encoding));
    let tag = etag(if encoding.is_empty() {
        ""
    } else {
        &encoding[..2]
    });

    let mut answer = if unchanged(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let EmbeddedFile { data, .. } = encoded.unwrap_or(plain);
        let length = HeaderValue::from(data.len());
        let mut answer = Body::from(data.into_owned()).into_response();
        answer.headers_mut().insert(header::CONTENT_LENGTH, length);
        answer
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if !encoding.is_empty() {
            answer
                .headers_mut()
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        answer
    };
    // The build writes the hash of what is in them into the names of these.
    let keep = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    answer
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    answer
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    Some(answer)
}

fn precompressed<Files: RustEmbed>(
    name: &str,
    headers: &HeaderMap,
) -> Option<(EmbeddedFile, &'static str)> {
    let accepted = headers.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
    let accepts = |encoding: &str| {
        accepted.split(',').any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let named = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(encoding));
            named && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    };
    let candidates = [("br", "br"), ("gzip", "gz")];
    candidates
        .into_iter()
        .filter(|(encoding, _)| accepts(encoding))
        .find_map(|(encoding, extension)| {
            Files::get(&format!("{name}.{extension}")).map(|file| (file, encoding))
        })
}

fn unchanged(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    known
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// `None` for what is not served by itself.
fn content_type(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "mp3" => "audio/mpeg",
        "ogg" | "oga" => "audio/ogg",
        "wav" => "audio/wav",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(RustEmbed)]
    #[folder = "tests/fixtures/web"]
    struct Built;

    #[derive(RustEmbed)]
    #[folder = "tests/fixtures/none"]
    #[allow_missing = true]
    struct NotBuilt;

    fn get<Files: RustEmbed>(path: &str, sent: &[(&'static str, &str)]) -> Response {
        let sent = sent.iter().map(|(name, value)| {
            let name = header::HeaderName::from_static(name);
            (name, HeaderValue::from_str(value).expect("a header"))
        });
        answer::<Files>(&Method::GET, path, &sent.collect())
    }

    fn said<'a>(response: &'a Response, name: &str) -> &'a str {
        response
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    async fn text(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 10_000)
            .await
            .expect("a body");
        String::from_utf8(bytes.into()).expect("text")
    }

    #[tokio::test]
    async fn pages_are_asked_for_again_and_hashed_names_never() {
        for path in ["/", "/setup", "/r/x", "/index.html", "/sw.js"] {
            assert_eq!(
                said(&get::<Built>(path, &[]), "cache-control"),
                "no-cache",
                "{path}"
            );
        }
        let asset = get::<Built>("/assets/app-3f.js", &[]);
        assert_eq!(
            said(&asset, "cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(
            said(&asset, "content-type"),
            "text/javascript; charset=utf-8"
        );
        assert_eq!(text(asset).await, "plain\n");
        let none = get::<Built>("/nothing", &[("if-none-match", "*")]);
        assert_eq!(
            (none.status(), said(&none, "cache-control")),
            (StatusCode::NOT_FOUND, "no-cache")
        );
        assert_eq!(text(none).await, "<!doctype html>\n");
    }

    #[tokio::test]
    async fn the_smallest_form_the_browser_takes_is_sent() {
        for (accepted, encoding, body) in [
            ("gzip, deflate, br, zstd", "br", "brotli\n"),
            ("gzip", "gzip", "gzip\n"),
            ("br;q=0, gzip;q=0.5", "gzip", "gzip\n"),
            ("identity", "", "plain\n"),
            ("brown", "", "plain\n"),
        ] {
            let response = get::<Built>("/assets/app-3f.js", &[("accept-encoding", accepted)]);
            assert_eq!(said(&response, "content-encoding"), encoding, "{accepted}");
            assert_eq!(said(&response, "vary"), "accept-encoding");
            assert_eq!(
                said(&response, "content-length"),
                body.len().to_string(),
                "{accepted}"
            );
            assert_eq!(text(response).await, body, "{accepted}");
        }
        let alone = get::<Built>("/sw.js", &[("accept-encoding", "br")]);
        assert_eq!(
            (
                said(&alone, "content-encoding"),
                said(&alone, "content-length")
            ),
            ("", "7")
        );
    }

    #[test]
    fn what_has_not_changed_is_not_sent_again() {
        let tag = said(&get::<Built>("/", &[]), "etag").to_owned();
        let brotli = get::<Built>("/assets/app-3f.js", &[("accept-encoding", "br")]);
        let plain = get::<Built>("/assets/app-3f.js", &[]);
        assert_ne!(
            said(&brotli, "etag"),
            said(&plain, "etag"),
            "each form has its own"
        );
        for (known, status) in [
            (tag.clone(), StatusCode::NOT_MODIFIED),
            (format!("\"other\", W/{tag}"), StatusCode::NOT_MODIFIED),
            ("*".to_owned(), StatusCode::NOT_MODIFIED),
            ("\"other\"".to_owned(), StatusCode::OK),
        ] {
            let response = get::<Built>("/r/x", &[("if-none-match", &known)]);
            assert_eq!(response.status(), status, "{known}");
            assert_eq!(
                (said(&response, "etag"), said(&response, "cache-control")),
                (tag.as_str(), "no-cache")
            );
        }
    }

    #[test]
    fn compressed_forms_and_files_outside_are_no_addresses() {
        for path in [
            "/assets/app-3f.js.br",
            "/assets/",
            "/../web/index.html/",
            "/assets/../../postgres.rs",
            "//sw.txt",
        ] {
            assert_eq!(
                get::<Built>(path, &[]).status(),
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
    }

    #[tokio::test]
    async fn without_a_built_app_the_page_says_how_to_build_it() {
        let page = get::<NotBuilt>("/", &[]);
        assert_eq!(page.status(), StatusCode::OK);
        assert!(text(page).await.contains("cargo xtask run"));
    }
}
