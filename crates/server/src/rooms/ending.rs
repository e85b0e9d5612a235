//! How rooms go: a call that is over, a room that its owner deletes. The store first, so that nobody comes in after it; then
//! whoever is in.

use protocol::{RoomId, RoomLeftReason};
use tokio::sync::oneshot;

use super::driver::Command;
use super::{Hub, Rooms};
use crate::store::{self, call_rooms};

impl Rooms {
    /// The room is not in the store any more: whoever is inside is told. Returns when they are.
    pub async fn room_deleted(&self, room: &RoomId) {
        self.0.end_meeting(room, RoomLeftReason::RoomDeleted).await;
        self.0.house.room_changed(Some(room));
    }
}

impl Hub {
    /// Nothing happens to a room that is no call's, or is gone. Nobody is left in a call because of the store: what it would
    /// not forget now is forgotten with other rooms of calls where nobody is.
    pub(super) async fn end_call(&self, room: &RoomId) -> store::Result<()> {
        let removed = call_rooms::remove(&self.db, room).await;
        if !matches!(removed, Ok(false)) {
            self.end_meeting(room, RoomLeftReason::CallEnded).await;
        }
        removed.map(drop)
    }

    /// Of a room that is not in the store any more: everybody leaves, and nobody comes in. Returns when they are told.
    pub(super) async fn end_meeting(&self, room: &RoomId, reason: RoomLeftReason) {
        let live = self.live().get(room).map(|live| live.commands.clone());
        if let Some(commands) = live {
            let (done, told) = oneshot::channel();
            // An error is a room that has ended by itself.
            if commands.send(Command::End(reason, done)).await.is_ok() {
                let _ = told.await;
            }
        }
    }
}
