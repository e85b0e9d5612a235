//! What a request that changes something must be like: from one of our own pages or from no browser at all, in JSON, not
//! too large, and not without end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use protocol::ErrorCode;
use serde::de::DeserializeOwned;
use tokio::time::{Sleep, sleep, timeout};

use super::State;
use super::error::ApiError;
use crate::origins::Origins;

/// Lets through what reads, and what changes if it comes from our own pages. Nothing has a NUL in its id or its name, and a
/// database that is asked for one may call that a fault of its own.
pub async fn same_origin(state: State, request: Request, next: Next) -> Response {
    const NUL: &str = "%00";
    if request.uri().path().contains(NUL) {
        return ApiError::from(ErrorCode::NotFound).into_response();
    }
    if request
        .uri()
        .query()
        .is_some_and(|query| query.contains(NUL))
    {
        return ApiError::from(ErrorCode::Malformed).into_response();
    }
    let reads = request.method().is_safe();
    if reads || comes_from_us(&state.0.origins, request.headers()) {
        next.run(request).await
    } else {
        ApiError::from(ErrorCode::Forbidden).into_response()
    }
}

/// Browsers cannot leave out both headers on a request that changes something; programs send neither and have no cookies
/// of somebody else.
pub fn comes_from_us(origins: &Origins, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    let same_site = site.is_none_or(|site| site == "same-origin");
    let our_origin = !headers.contains_key(header::ORIGIN) || origins.allows(headers);
    same_site && our_origin
}

/// However slowly it comes, a body is given up after this long.
const BODY_DEADLINE: Duration = Duration::from_secs(15);
/// What is still read of a body that nobody wants, so that whoever sends it gets to read the answer.
const UNWANTED_BYTES: usize = 4 * 1024 * 1024;
const UNWANTED_TIME: Duration = Duration::from_secs(5);

/// Gives each body a deadline, and reads on for a moment when the answer is there before the whole body: to close at once
/// would throw the answer away with what has come.
pub async fn bounded_body(request: Request, next: Next) -> Response {
    if request.method().is_safe() || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let bounded = |body: Body| {
        Body::from_stream(Bounded {
            rest: Some(body.into_data_stream()),
            deadline: Box::pin(sleep(BODY_DEADLINE)),
        })
    };
    next.run(request.map(bounded)).await
}

struct Bounded {
    /// Absent when all of it was read.
    rest: Option<BodyDataStream>,
    deadline: Pin<Box<Sleep>>,
}

impl Stream for Bounded {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.deadline.as_mut().poll(context).is_ready() {
            self.rest = None;
            let late = io::Error::from(io::ErrorKind::TimedOut);
            return Poll::Ready(Some(Err(axum::Error::new(late))));
        }
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(None);
        };
        let next = ready!(rest.poll_next_unpin(context));
        if next.is_none() {
            self.rest = None;
        }
        Poll::Ready(next)
    }
}

impl Drop for Bounded {
    fn drop(&mut self) {
        if let Some(rest) = self.rest.take() {
            tokio::spawn(timeout(UNWANTED_TIME, discard(rest)));
        }
    }
}

async fn discard(mut rest: BodyDataStream) {
    let mut left = UNWANTED_BYTES;
    while let Some(Ok(bytes)) = rest.next().await {
        left = match left.checked_sub(bytes.len()) {
            Some(left) => left,
            None => return,
        };
    }
}

/// A body of type `T` in JSON.
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ErrorCode::Malformed.into());
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(body_error)?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|_| ErrorCode::Malformed.into())
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Of a body that could not be read.
pub fn body_error(error: BytesRejection) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ErrorCode::TooLarge.into();
    }
    ErrorCode::Malformed.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn changes_come_from_our_own_pages_or_from_programs() {
        let origins = Origins::new("https://meet.example.org".to_owned(), []);
        let check = |what: &str, origin: &str, site: &str, expect: bool| {
            let mut headers = HeaderMap::new();
            for (name, value) in [("origin", origin), ("sec-fetch-site", site)] {
                if !value.is_empty() {
                    headers.insert(name, HeaderValue::from_str(value).expect("a header"));
                }
            }
            assert_eq!(comes_from_us(&origins, &headers), expect, "{what}");
        };
        check("our page", "https://meet.example.org", "same-origin", true);
        check(
            "our page in an old browser",
            "https://meet.example.org",
            "",
            true,
        );
        check("a program", "", "", true);
        check("another site", "https://evil.example", "cross-site", false);
        check(
            "another site in an old browser",
            "https://evil.example",
            "",
            false,
        );
        check(
            "a neighbour",
            "https://evil.example.org",
            "same-site",
            false,
        );
        check("a site that hides its origin", "null", "", false);
        check(
            "a form of another site without origin",
            "",
            "cross-site",
            false,
        );
        check(
            "our origin by the lesser scheme",
            "http://meet.example.org",
            "",
            false,
        );
    }

    #[test]
    fn only_json_is_json() {
        let check = |kind: &'static str, expect: bool| {
            let headers =
                HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
            assert_eq!(is_json(&headers), expect, "{kind}");
        };
        check("application/json", true);
        check("application/JSON; charset=utf-8", true);
        check("text/plain", false);
        check("application/jsonp", false);
        check("", false);
    }
}
