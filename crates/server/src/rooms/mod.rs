//! Live meetings: one task each.

use protocol::RoomId;

use crate::principal::SessionId;
use crate::store::Db;
use crate::store::rooms::StoredRoom;

#[derive(Clone, Debug)]
pub struct Rooms;

pub async fn start(_db: Db) -> anyhow::Result<Rooms> {
    Ok(Rooms)
}

impl Rooms {
    /// How many people are inside now.
    pub fn people(&self, _room: &RoomId) -> u32 {
        0
    }

    /// A room was made, opened, closed or renamed.
    pub async fn room_changed(&self, _room: &StoredRoom) {}

    /// Ends the sockets and seats of a sign-in or a guest grant.
    pub async fn end_session(&self, _session: &SessionId) {}

    /// Closes all sockets with 1012.
    pub async fn shut_down(&self) {}
}
