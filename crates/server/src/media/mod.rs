//! The media plane's shell: one thread that owns the UDP sockets and drives the sans-IO core of the `media` crate.
//!
//! Everybody else sees a handle that takes commands and a receiver that gives events. Nothing here decides anything
//! about people or media, and nothing on this path uses tokio except the channel that carries events out.

mod sys;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

use ::media::{Command, Event};

use sys::Waker;

/// Commands that may wait for the media thread.
const COMMAND_QUEUE: usize = 4096;

/// Events of all meetings, in order; each names its group.
pub type Events = tokio::sync::mpsc::Receiver<Event>;

/// Where commands to the media thread go in. Cheap to clone.
#[derive(Clone)]
pub struct MediaHandle {
    commands: SyncSender<Command>,
    waker: Arc<Waker>,
}

/// The media thread is gone, or so far behind that its queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the media thread takes no commands at the moment")]
pub struct MediaUnavailable;

impl MediaHandle {
    /// Never blocks. Commands are carried out in the order of their sending.
    pub fn send(&self, command: Command) -> Result<(), MediaUnavailable> {
        match self.commands.try_send(command) {
            Ok(()) => {
                self.waker.wake();
                Ok(())
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(MediaUnavailable),
        }
    }

    /// A handle without a thread behind it, and what was sent into it.
    pub fn detached() -> (Self, std::sync::mpsc::Receiver<Command>) {
        let (commands, sent) = std::sync::mpsc::sync_channel(COMMAND_QUEUE);
        let waker = Arc::new(Waker::new().expect("an eventfd"));
        (Self { commands, waker }, sent)
    }
}
