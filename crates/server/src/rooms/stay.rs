//! One socket's stay in one room, from the join to the end of either.

use protocol::RoomId;
use room::{ConnectionId, Input, Intent};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::driver::Command;

/// Dropping it is a lost connection: the seat is kept for a while.
pub struct Stay {
    pub(super) room: RoomId,
    pub(super) connection: ConnectionId,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) left: bool,
}

impl Stay {
    pub fn room(&self) -> &RoomId {
        &self.room
    }

    pub fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// Waits while the room has much to do. A room that has ended has said so on the socket.
    pub async fn intend(&self, intent: Intent) {
        let input = Input::Intent {
            connection: self.connection,
            intent,
        };
        let _ = self.commands.send(input.into()).await;
    }

    /// Gives the seat up.
    pub async fn leave(mut self) {
        self.left = true;
        let input = Input::Leave {
            connection: self.connection,
        };
        let _ = self.commands.send(input.into()).await;
    }

    /// The page said goodbye: the seat is kept for as long as a reload may take.
    pub async fn page_gone(mut self) {
        self.left = true;
        let input = Input::PageGone {
            connection: self.connection,
        };
        let _ = self.commands.send(input.into()).await;
    }

    /// The room ended it: there is nothing to report back.
    pub fn over(mut self) {
        self.left = true;
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let lost = Command::from(Input::Disconnected {
            connection: self.connection,
        });
        if let Err(TrySendError::Full(lost)) = self.commands.try_send(lost) {
            let commands = self.commands.clone();
            tokio::spawn(async move { commands.send(lost).await });
        }
    }
}
