//! The task of one socket: reads, writes, pings, and ends it with the right code. Holds no state of the conversation.

use std::error::Error as _;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::StreamExt;
use protocol::parse::{Parsed, id_of, parse};
use protocol::{ClientMessage, ErrorCode, IntentId, ServerMessage, limits};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite;

use super::conversation::Conversation;
use super::outbound::{Ending, Next, Outbound};
use super::rate::{Rate, Verdict};
use super::sockets::Place;

const HELLO: Duration = Duration::from_millis(limits::HELLO_TIMEOUT_MS);
const IDLE: Duration = Duration::from_millis(limits::IDLE_TIMEOUT_MS);
const CALM: Pulse = Pulse {
    ping: Duration::from_millis(limits::PING_INTERVAL_MS),
    idle: IDLE,
};
const LIVELY: Pulse = Pulse {
    ping: Duration::from_millis(limits::LIVELY_PING_INTERVAL_MS),
    idle: Duration::from_millis(limits::LIVELY_IDLE_TIMEOUT_MS),
};
/// How long a closing socket may take to read what is left and to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

pub struct Socket {
    pub stream: WebSocket,
    pub conversation: Conversation,
    pub outbound: Outbound,
    /// A stop of the server waits for it.
    pub place: Place,
    /// When the principal's session ends by itself.
    pub expires: Instant,
}

/// The other side is gone: there is nobody to close for.
enum Gone {
    Lost,
    /// It said goodbye itself, and waits for the same from us. Browsers do so for a page that goes away.
    Closed {
        with_page: bool,
    },
}

/// How often the other side is pinged, and how long it may give no sign of life.
struct Pulse {
    ping: Duration,
    idle: Duration,
}

struct Rates {
    messages: Rate,
    offers: Rate,
}

impl Socket {
    pub async fn run(mut self) {
        let ended = self.talk().await;
        // The seat is given up, or kept, at once and not when the goodbye is through.
        let Self {
            stream,
            conversation,
            place,
            ..
        } = self;
        match ended {
            Ok(ending) => {
                tracing::debug!(?ending, "a socket is closed");
                let last_word = conversation.end(ending).await;
                let _ = timeout(GOODBYE, say_goodbye(stream, last_word, ending, place)).await;
            }
            Err(Gone::Closed { with_page }) => {
                if with_page {
                    conversation.page_gone().await;
                } else {
                    drop(conversation);
                }
                let _ = timeout(GOODBYE, return_goodbye(stream)).await;
            }
            Err(Gone::Lost) => {}
        }
    }

    async fn talk(&mut self) -> Result<Ending, Gone> {
        let opened = Instant::now();
        let mut heard = opened;
        let mut rates = Rates {
            messages: Rate::of_messages(opened.into_std()),
            offers: Rate::of_offers(opened.into_std()),
        };
        let mut pinged = opened;
        loop {
            let greeted = self.conversation.is_greeted();
            let pulse = if self.conversation.is_lively() {
                LIVELY
            } else {
                CALM
            };
            let silent = if greeted {
                heard + pulse.idle
            } else {
                opened + HELLO
            };
            tokio::select! {
                frame = self.stream.next() => {
                    heard = Instant::now();
                    let frame = frame.ok_or(Gone::Lost)?;
                    if let Some(ending) = self.hear(frame, &mut rates).await? {
                        return Ok(ending);
                    }
                }
                next = self.outbound.next() => match next {
                    Next::Message(message) => {
                        if self.conversation.passes(&message)
                            && let Some(ending) = self.write(Message::Text(message.text)).await?
                        {
                            return Ok(ending);
                        }
                    }
                    Next::End(ending) => return Ok(ending),
                },
                () = sleep_until(pinged + pulse.ping) => {
                    pinged = Instant::now();
                    if let Some(ending) = self.write(Message::Ping(Vec::new().into())).await? {
                        return Ok(ending);
                    }
                }
                () = sleep_until(silent) => return Ok(if greeted { Ending::Silent } else { Ending::Violation }),
                () = sleep_until(self.expires) => return Ok(Ending::SessionEnded),
            }
        }
    }

    async fn hear(
        &mut self,
        frame: Result<Message, axum::Error>,
        rates: &mut Rates,
    ) -> Result<Option<Ending>, Gone> {
        let message = match frame {
            Ok(Message::Binary(_)) => return Ok(Some(Ending::Violation)),
            Ok(Message::Close(frame)) => {
                let with_page = frame.is_some_and(|frame| frame.code == close_code::AWAY);
                return Err(Gone::Closed { with_page });
            }
            Ok(message) => message,
            Err(error) => return violation(&error).map(Some),
        };
        let now = std::time::Instant::now();
        let verdict = rates.messages.count(now);
        if verdict == Verdict::Flood {
            return Ok(Some(Ending::Flood));
        }
        // Pings are answered by the library; they and pongs only count.
        let Message::Text(text) = message else {
            return Ok(None);
        };
        if let Verdict::TooFast(wait) = verdict {
            self.refuse_too_fast(id_of(&text), wait);
            return Ok(None);
        }
        match parse(&text) {
            Parsed::Message(message) => {
                if let ClientMessage::Offer { id, .. } | ClientMessage::PrepareRoom { id, .. } =
                    &message
                {
                    match rates.offers.count(now) {
                        Verdict::Fine => {}
                        Verdict::Flood => return Ok(Some(Ending::Flood)),
                        Verdict::TooFast(wait) => {
                            self.refuse_too_fast(Some(id.clone()), wait);
                            return Ok(None);
                        }
                    }
                }
                // Most sockets hear nothing for most of the time: what that takes is not kept for each.
                Box::pin(self.conversation.hear(message)).await;
            }
            Parsed::Refused { id, code } => self.conversation.refuse(id, code),
            Parsed::TooLarge => return Ok(Some(Ending::TooLarge)),
        }
        Ok(None)
    }

    fn refuse_too_fast(&self, id: Option<IntentId>, wait: Duration) {
        let retry_after_ms = u64::try_from(wait.as_millis()).ok();
        let (code, reference) = (ErrorCode::RateLimited, None);
        self.outbound.push(&ServerMessage::Error {
            id,
            code,
            retry_after_ms,
            reference,
        });
    }

    /// Gives up when the queue behind it overflows, or nothing moves for too long.
    async fn write(&mut self, message: Message) -> Result<Option<Ending>, Gone> {
        tokio::select! {
            sent = self.stream.send(message) => sent.map(|()| None).map_err(|_| Gone::Lost),
            () = self.outbound.overflowed() => Ok(Some(Ending::TooSlow)),
            () = tokio::time::sleep(IDLE) => Ok(Some(Ending::TooSlow)),
        }
    }
}

/// How the socket ends for what could not be read.
fn violation(error: &axum::Error) -> Result<Ending, Gone> {
    match error
        .source()
        .and_then(|source| source.downcast_ref::<tungstenite::Error>())
    {
        Some(tungstenite::Error::Capacity(_)) => Ok(Ending::TooLarge),
        Some(tungstenite::Error::Utf8(_)) => Ok(Ending::NotUtf8),
        Some(tungstenite::Error::Protocol(
            tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        )) => Err(Gone::Lost),
        Some(tungstenite::Error::Protocol(_)) => Ok(Ending::Violation),
        _ => Err(Gone::Lost),
    }
}

/// The library's answer to a close frame goes out with the next read.
async fn return_goodbye(mut stream: WebSocket) {
    while let Some(Ok(_)) = stream.next().await {}
}

/// Says why, and then waits for the other side: closing at once would throw away what it has not read yet.
async fn say_goodbye(
    mut stream: WebSocket,
    last_word: Option<ServerMessage>,
    ending: Ending,
    place: Place,
) {
    if let Some(text) = last_word.and_then(|message| serde_json::to_string(&message).ok()) {
        let _ = stream.send(Message::Text(text.into())).await;
    }
    let frame = CloseFrame {
        code: ending.code(),
        reason: ending.reason().into(),
    };
    let sent = stream.send(Message::Close(Some(frame))).await;
    drop(place);
    if sent.is_ok() {
        while let Some(Ok(_)) = stream.next().await {}
    }
}
