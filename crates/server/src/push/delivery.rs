//! One message on its way to one browser: sent, tried again while it makes sense, and what the service's answer means.
//! Logs say how it went by ids only: an endpoint is a secret of its browser.

use std::time::Duration;

use identity::UnixMs;
use protocol::CallId;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, StatusCode};
use tokio::sync::watch;
use tokio::time::sleep;
use url::Url;

use super::Office;
use super::message;
use crate::chance;
use crate::store::push;

/// From the first byte sent to the head of the answer; what follows is not read.
const WHOLE: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(3);
/// Before a message is tried again, unless the service says otherwise.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(15),
];
/// Longer than that nobody is waited for.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

pub fn client() -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .timeout(WHOLE)
        .connect_timeout(CONNECT)
        .user_agent("Stube")
}

pub struct Delivery {
    /// Of the subscription.
    pub id: String,
    pub call: CallId,
    pub endpoint: Url,
    pub encrypted: Vec<u8>,
    pub until: UnixMs,
    /// True: what it says is not so any more.
    pub stop: watch::Receiver<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Taken,
    /// There is no such subscription any more.
    Gone,
    /// To be tried again, after this long if the service says so.
    Later(Option<Duration>),
    /// Trying again would change nothing.
    Refused,
}

impl Delivery {
    pub async fn run(mut self, office: &Office) {
        let mut pauses = PAUSES.into_iter();
        loop {
            let outcome = match self.attempt(office).await {
                Ok(Some(outcome)) => outcome,
                // Too late.
                Ok(None) => return,
                Err(error) => {
                    tracing::debug!(subscription = self.id, error = %error, "a push service cannot be reached");
                    Outcome::Later(None)
                }
            };
            let wait = match outcome {
                Outcome::Taken => return,
                Outcome::Gone => return self.forget(office).await,
                Outcome::Refused => return,
                Outcome::Later(wait) => wait,
            };
            let Some(pause) = pauses.next().map(|pause| wait.unwrap_or(pause)) else {
                tracing::warn!(subscription = self.id, call = %self.call, "a push message was given up");
                return;
            };
            if pause > LONGEST_PAUSE {
                tracing::warn!(subscription = self.id, call = %self.call, "a push service wants too much patience");
                return;
            }
            tokio::select! {
                () = sleep(pause) => {}
                _ = self.stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// `None`: nobody needs it any more.
    async fn attempt(&self, office: &Office) -> anyhow::Result<Option<Outcome>> {
        let now = chance::unix_ms();
        let Some(ttl) = message::ttl(self.until, now).filter(|_| !*self.stop.borrow()) else {
            return Ok(None);
        };
        let signed = office
            .vapid
            .authorization(&office.db, &self.endpoint, now)
            .await?;
        let request = office
            .client(&self.endpoint)
            .post(self.endpoint.clone())
            .header("TTL", ttl)
            .header("Urgency", "high")
            .header("Topic", message::topic(&self.call))
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(AUTHORIZATION, signed)
            .body(self.encrypted.clone());
        let answer = request.send().await.map_err(|error| {
            // With what lies below it, and without the address.
            anyhow::anyhow!("{:#}", anyhow::Error::new(error.without_url()))
        })?;
        let outcome = outcome(answer.status(), answer.headers());
        let status = answer.status().as_u16();
        match outcome {
            Outcome::Refused => {
                tracing::warn!(subscription = self.id, call = %self.call, status, "a push service refuses a message");
            }
            _ => {
                tracing::debug!(subscription = self.id, call = %self.call, status, "a push service answers");
            }
        }
        Ok(Some(outcome))
    }

    async fn forget(&self, office: &Office) {
        match push::remove(&office.db, &self.id).await {
            Ok(()) => tracing::info!(subscription = self.id, "a push subscription has ended"),
            Err(error) => tracing::warn!(%error, "a push subscription cannot be forgotten now"),
        }
    }
}

fn outcome(status: StatusCode, headers: &HeaderMap) -> Outcome {
    match status {
        _ if status.is_success() => Outcome::Taken,
        StatusCode::NOT_FOUND | StatusCode::GONE => Outcome::Gone,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Outcome::Later(retry_after(headers))
        }
        _ if status.is_server_error() => Outcome::Later(retry_after(headers)),
        _ => Outcome::Refused,
    }
}

/// In seconds, as services write it; a date counts as nothing.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_answers_is_the_end_or_a_reason_to_try_again() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (status, wait, expect) in [
            (200, None, Outcome::Taken),
            (201, None, Outcome::Taken),
            (202, None, Outcome::Taken),
            (404, None, Outcome::Gone),
            (410, None, Outcome::Gone),
            (429, Some("7"), Outcome::Later(seconds(7))),
            (429, None, Outcome::Later(None)),
            (500, None, Outcome::Later(None)),
            (503, Some("2"), Outcome::Later(seconds(2))),
            (
                503,
                Some("Fri, 31 Dec 1999 23:59:59 GMT"),
                Outcome::Later(None),
            ),
            (301, None, Outcome::Refused),
            (307, None, Outcome::Refused),
            (400, None, Outcome::Refused),
            (401, None, Outcome::Refused),
            (403, None, Outcome::Refused),
            (413, None, Outcome::Refused),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(wait) = wait {
                headers.insert(RETRY_AFTER, wait.parse().expect("a header"));
            }
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(outcome(status, &headers), expect, "{status} {wait:?}");
        }
    }
}
