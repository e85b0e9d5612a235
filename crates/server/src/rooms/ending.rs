//! How rooms go: a call that is over, a room that its owner deletes. The store first, so that nobody comes in after it; then
//! whoever is in.

use protocol::{RoomId, RoomLeftReason};

use super::Hub;
use super::driver::Command;
use crate::store::{self, call_rooms};

impl Hub {
    /// Nothing happens to a room that is no call's, or is gone.
    pub(super) async fn end_call(&self, room: &RoomId) -> store::Result<()> {
        if call_rooms::remove(&self.db, room).await? {
            self.end_meeting(room, RoomLeftReason::CallEnded).await;
        }
        Ok(())
    }

    /// Of a room that is not in the store any more: everybody leaves, and nobody comes in.
    pub(super) async fn end_meeting(&self, room: &RoomId, reason: RoomLeftReason) {
        let live = self.live().get(room).map(|live| live.commands.clone());
        if let Some(commands) = live {
            let _ = commands.send(Command::End(reason)).await;
        }
    }
}
