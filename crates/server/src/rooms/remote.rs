//! The rooms in the hands of whoever decides about calls: it ends a call's room, and has somebody expected in a named one.

use std::sync::Weak;

use protocol::{RoomId, UserId};
use room::Input;

use super::Hub;

/// Does not keep the rooms alive.
#[derive(Clone)]
pub struct Remote(pub(super) Weak<Hub>);

impl Remote {
    /// There are no rooms.
    #[cfg(test)]
    pub fn nowhere() -> Self {
        Self(Weak::new())
    }

    /// The call in this room is over: everybody leaves, and the room is gone. Nothing happens to rooms that are no call's.
    pub async fn end_room(&self, room: &RoomId) {
        if let Some(hub) = self.0.upgrade()
            && let Err(error) = hub.end_call(room).await
        {
            tracing::warn!(%error, %room, "the room of a call stays behind");
        }
    }

    /// Lets somebody into a live room without knocking, as long as its meeting lasts.
    pub async fn expect(&self, room: &RoomId, user: &UserId) {
        if let Some(hub) = self.0.upgrade() {
            hub.tell(room, Input::Expect(user.clone())).await;
        }
    }
}
