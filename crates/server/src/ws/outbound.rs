//! What waits to be written to one socket: bounded, so that a slow reader costs us nothing but its own connection.
//!
//! Rooms and the home page put in from their tasks and never wait; the socket's task takes out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::ws::Utf8Bytes;
use protocol::{ServerMessage, limits};
use room::ConnectionId;
use tokio::sync::Notify;

/// Why and how the server ends a socket; `docs/protocol.md` has the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Broke the protocol.
    Violation,
    NotUtf8,
    TooLarge,
    /// Sends much more than it may, and does not stop.
    Flood,
    SessionEnded,
    /// The same session has opened newer ones, more than anybody needs.
    TooMany,
    /// Did not read what it was sent.
    TooSlow,
    /// No sign of life.
    Silent,
    Restart,
    Internal,
}

impl Ending {
    pub fn code(self) -> u16 {
        match self {
            Self::Violation => 1002,
            Self::NotUtf8 => 1007,
            Self::TooLarge => 1009,
            Self::Flood | Self::SessionEnded | Self::TooMany => 1008,
            Self::Internal => 1011,
            Self::Restart => 1012,
            Self::TooSlow => 1013,
            // Nobody is there to read it.
            Self::Silent => 1001,
        }
    }

    pub fn reason(self) -> &'static str {
        match self {
            Self::Violation => "protocol violation",
            Self::NotUtf8 => "not UTF-8",
            Self::TooLarge => "message too large",
            Self::Flood => "too many messages",
            Self::SessionEnded => "session ended",
            Self::TooMany => "too many sockets",
            Self::TooSlow => "too slow",
            Self::Silent => "no sign of life",
            Self::Restart => "server restarts",
            Self::Internal => "internal error",
        }
    }
}

#[derive(Debug)]
pub enum Next {
    Message(Outgoing),
    End(Ending),
}

#[derive(Debug)]
pub struct Outgoing {
    pub text: Utf8Bytes,
    /// The stay in a room that this belongs to, if it belongs to one.
    pub stay: Option<ConnectionId>,
    /// The last message of that stay.
    pub ends_stay: bool,
}

/// One socket's queue. Clones are the same queue.
#[derive(Clone, Default)]
pub struct Outbound(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Notify,
    overflow: Notify,
}

#[derive(Default)]
struct Queue {
    messages: VecDeque<Outgoing>,
    bytes: usize,
    ending: Option<Ending>,
}

impl Outbound {
    /// Dropped, as all messages are, if the socket is ending anyway.
    pub fn push(&self, message: &ServerMessage) {
        self.enqueue(message, None, false);
    }

    pub fn push_from_room(&self, stay: ConnectionId, message: &ServerMessage) {
        self.enqueue(message, Some(stay), false);
    }

    /// The last message of this stay in a room.
    pub fn dismiss(&self, stay: ConnectionId, message: &ServerMessage) {
        self.enqueue(message, Some(stay), true);
    }

    /// What is queued already goes out first. The first ending counts.
    pub fn end(&self, ending: Ending) {
        self.lock().ending.get_or_insert(ending);
        self.0.wake.notify_one();
    }

    /// Cancel-safe. To be called by the socket's task only.
    pub async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.0.wake.notified().await;
        }
    }

    /// Resolves when the queue has overflowed: a write that hangs is to be given up.
    pub async fn overflowed(&self) {
        self.0.overflow.notified().await;
    }

    fn enqueue(&self, message: &ServerMessage, stay: Option<ConnectionId>, ends_stay: bool) {
        let Ok(text) = serde_json::to_string(message) else {
            tracing::error!("a message cannot be written as JSON");
            return self.end(Ending::Internal);
        };
        let mut queue = self.lock();
        if queue.ending.is_some() {
            return;
        }
        queue.bytes += text.len();
        queue.messages.push_back(Outgoing {
            text: text.into(),
            stay,
            ends_stay,
        });
        if queue.bytes > limits::OUTBOUND_BYTES || queue.messages.len() > limits::OUTBOUND_MESSAGES
        {
            queue.messages.clear();
            queue.ending = Some(Ending::TooSlow);
            self.0.overflow.notify_one();
        }
        drop(queue);
        self.0.wake.notify_one();
    }

    fn take(&self) -> Option<Next> {
        let mut queue = self.lock();
        match queue.messages.pop_front() {
            Some(message) => {
                queue.bytes -= message.text.len();
                Some(Next::Message(message))
            }
            None => queue.ending.map(Next::End),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pong(size: usize) -> ServerMessage {
        ServerMessage::Pong {
            id: "x".repeat(size).into(),
        }
    }

    async fn ending_after(count: usize, size: usize) -> Option<Ending> {
        let outbound = Outbound::default();
        for _ in 0..count {
            outbound.push(&pong(size));
        }
        outbound.end(Ending::Restart);
        match outbound.next().await {
            Next::Message(_) => None,
            Next::End(ending) => Some(ending),
        }
    }

    #[tokio::test]
    async fn a_queue_that_grows_too_long_or_too_large_ends_the_socket() {
        assert_eq!(ending_after(limits::OUTBOUND_MESSAGES, 1).await, None);
        assert_eq!(
            ending_after(limits::OUTBOUND_MESSAGES + 1, 1).await,
            Some(Ending::TooSlow)
        );
        assert_eq!(
            ending_after(4, limits::OUTBOUND_BYTES / 4).await,
            Some(Ending::TooSlow)
        );
        assert_eq!(ending_after(3, limits::OUTBOUND_BYTES / 4).await, None);
    }

    #[tokio::test]
    async fn what_was_queued_goes_out_before_the_end_and_nothing_after_it() {
        let outbound = Outbound::default();
        outbound.push(&pong(1));
        outbound.end(Ending::SessionEnded);
        outbound.push(&pong(1));
        outbound.end(Ending::Restart);
        assert!(matches!(outbound.next().await, Next::Message(_)));
        assert!(matches!(
            outbound.next().await,
            Next::End(Ending::SessionEnded)
        ));
    }
}
