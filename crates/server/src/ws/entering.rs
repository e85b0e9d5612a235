//! How somebody gets to a room, in and out of it again: what is prepared at the door, the seat, and giving it up.

use protocol::{ClientMessage, DeviceId, ErrorCode, IntentId, ServerMessage};
use room::Offer;

use super::conversation::Conversation;
use crate::rooms::{Entry, Preparation, Stay, Way, fresh_connection};

impl Conversation {
    pub(super) async fn hear_of_entering(&mut self, message: ClientMessage) {
        match message {
            ClientMessage::JoinRoom { id, room, device } => {
                self.join(id, Way::Address(&room), device).await;
            }
            ClientMessage::JoinCall { id, room, device } => {
                self.join(id, Way::Call(&room), device).await;
            }
            ClientMessage::PrepareRoom {
                id,
                room,
                device,
                sdp,
                uplink,
                slots,
            } => {
                let offer = Offer {
                    id,
                    sdp,
                    uplink,
                    slots,
                    connection: None,
                    fresh: fresh_connection(),
                };
                self.prepare(&room, device, offer).await;
            }
            ClientMessage::LeaveRoom { id } => self.leave(id).await,
            _ => {}
        }
    }

    async fn join(&mut self, id: IntentId, to: Way<'_>, device: DeviceId) {
        if self.stay.is_some() {
            return self.refuse(Some(id), ErrorCode::AlreadyInRoom);
        }
        let entry = Entry {
            principal: &self.principal,
            id: id.clone(),
            to,
            device,
            outbound: &self.outbound,
        };
        let prepared = self.prepared.take();
        self.entered = prepared.as_ref().map(Stay::connection);
        match self.app.rooms.join(entry, prepared).await {
            Ok(stay) => self.stay = Some(stay),
            Err(code) => self.refuse(Some(id), code),
        }
    }

    async fn prepare(&mut self, room: &str, device: DeviceId, offer: Offer) {
        let id = offer.id.clone();
        if self.stay.is_some() {
            return self.refuse(Some(id), ErrorCode::AlreadyInRoom);
        }
        // One at a time, and the old one goes before the new one comes.
        self.prepared = None;
        let ask = Preparation {
            principal: &self.principal,
            room,
            device,
            offer,
            outbound: &self.outbound,
        };
        match ask.send(&self.app.rooms).await {
            Ok(stay) => self.prepared = Some(stay),
            Err(code) => self.refuse(Some(id), code),
        }
    }

    async fn leave(&mut self, id: IntentId) {
        match self.stay.take().or_else(|| self.prepared.take()) {
            Some(stay) => {
                stay.leave().await;
                self.outbound.push(&ServerMessage::Ok { id });
            }
            None => self.refuse(Some(id), ErrorCode::NotInRoom),
        }
    }
}
