//! Requests to providers: short, small, and without following anybody anywhere.

use std::time::Duration;

use anyhow::Context;
use reqwest::header::{CACHE_CONTROL, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};

/// From the first byte sent to the last one read.
const WHOLE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(4);

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("it does not answer: {0}")]
    Unreachable(String),
    #[error("its answer is larger than {0} bytes")]
    TooLarge(usize),
    #[error("it answers {0}")]
    Status(StatusCode),
}

pub struct Fetched {
    pub status: StatusCode,
    /// For how long the answer may be kept, if it says so.
    pub max_age: Option<Duration>,
    pub bytes: Vec<u8>,
}

pub fn client() -> anyhow::Result<Client> {
    let client = Client::builder()
        .redirect(Policy::none())
        .referer(false)
        .timeout(WHOLE)
        .connect_timeout(CONNECT)
        .user_agent("Stube")
        .build();
    client.context("no requests to providers are possible")
}

/// Whatever the status is.
pub async fn fetch(request: RequestBuilder, most: usize) -> Result<Fetched, FetchError> {
    let mut response = request.send().await.map_err(unreachable)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if bytes.len() + chunk.len() > most {
            return Err(FetchError::TooLarge(most));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Fetched {
        status: response.status(),
        max_age: max_age(response.headers()),
        bytes,
    })
}

/// Only what was found.
pub async fn found(request: RequestBuilder, most: usize) -> Result<Fetched, FetchError> {
    let fetched = fetch(request, most).await?;
    if fetched.status != StatusCode::OK {
        return Err(FetchError::Status(fetched.status));
    }
    Ok(fetched)
}

/// With what lies below it, since "error sending request" alone tells nobody anything; without the address.
fn unreachable(error: reqwest::Error) -> FetchError {
    FetchError::Unreachable(format!("{:#}", anyhow::Error::new(error.without_url())))
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let line = headers.get(CACHE_CONTROL)?.to_str().ok()?;
    let mut parts = line.split(',').map(str::trim);
    let seconds = parts.find_map(|part| part.strip_prefix("max-age="))?;
    seconds.parse().ok().map(Duration::from_secs)
}
