//! What one client says and what follows from it: hello first, then intents, each handed to the room or to the home page.

use identity::Secret;
use protocol::{
    BrowserId, Channel, ClientMessage, ErrorCode, IntentId, Limits, RoomLeftReason, ServerMessage,
    VERSIONS, limits,
};
use room::{ConnectionId, Intent, Offer};

use super::outbound::{Ending, Outbound, Outgoing};
use crate::http::Shared;
use crate::principal::Principal;
use crate::rooms::{Stay, fresh_connection};

pub struct Conversation {
    pub(super) principal: Principal,
    pub(super) app: Shared,
    pub(super) socket: u64,
    pub(super) outbound: Outbound,
    /// For coming back, until it is told.
    back: Option<Secret>,
    greeted: bool,
    /// It looks after its side of the socket itself.
    pings: bool,
    pub(super) stay: Option<Stay>,
    /// The media connection that waits at a door. Never beside a stay.
    pub(super) prepared: Option<Stay>,
    /// What this stay has prepared before: its answer may still be on the way.
    pub(super) entered: Option<ConnectionId>,
}

impl Conversation {
    pub fn new(
        principal: Principal,
        app: Shared,
        socket: u64,
        outbound: Outbound,
        back: Option<Secret>,
    ) -> Self {
        Self {
            principal,
            app,
            socket,
            outbound,
            back,
            greeted: false,
            pings: false,
            stay: None,
            prepared: None,
            entered: None,
        }
    }

    pub fn is_greeted(&self) -> bool {
        self.greeted
    }

    /// In a room, and somebody who pings: when that ends, the others are to know soon.
    pub fn is_lively(&self) -> bool {
        self.pings && self.stay.is_some()
    }

    pub async fn hear(&mut self, message: ClientMessage) {
        match message {
            ClientMessage::Hello {
                versions, browser, ..
            } => self.hello(&versions, browser).await,
            // Nothing else is understood before the two sides agree on a version.
            _ if !self.greeted => self.part(ErrorCode::UnsupportedVersion),
            ClientMessage::Ping { id } => {
                self.pings = true;
                self.outbound.push(&ServerMessage::Pong { id });
            }
            ClientMessage::GetSnapshot {
                channel: Channel::Home,
            } => self.decide(house::Intent::GetSnapshot).await,
            ClientMessage::GetSnapshot {
                channel: Channel::Room,
            } => self.intend(Intent::GetSnapshot).await,
            entering @ (ClientMessage::JoinRoom { .. }
            | ClientMessage::JoinCall { .. }
            | ClientMessage::PrepareRoom { .. }
            | ClientMessage::LeaveRoom { .. }) => self.hear_of_entering(entering).await,
            ClientMessage::Publish { id, source, muted } => {
                self.intend_or_refuse(id.clone(), Intent::Publish { id, source, muted })
                    .await;
            }
            ClientMessage::Unpublish { id, source } => {
                self.intend_or_refuse(id.clone(), Intent::Unpublish { id, source })
                    .await;
            }
            ClientMessage::SetMuted { id, source, muted } => {
                self.intend_or_refuse(id.clone(), Intent::SetMuted { id, source, muted })
                    .await;
            }
            ClientMessage::Admit {
                id,
                knocking,
                admit,
            } => {
                let intent = Intent::Admit {
                    id: id.clone(),
                    knocking,
                    admit,
                };
                self.intend_or_refuse(id, intent).await;
            }
            about_media @ (ClientMessage::SetWanted { .. }
            | ClientMessage::Offer { .. }
            | ClientMessage::SlotReady { .. }
            | ClientMessage::NoPicture { .. }
            | ClientMessage::ReportQuality { .. }) => self.hear_of_media(about_media).await,
            about_people => self.hear_of_people(about_people).await,
        }
    }

    async fn hear_of_media(&mut self, message: ClientMessage) {
        match message {
            ClientMessage::SetWanted { wanted } => self.intend(Intent::SetWanted { wanted }).await,
            ClientMessage::Offer {
                id,
                sdp,
                uplink,
                slots,
                connection,
            } => {
                let offer = Offer {
                    id: id.clone(),
                    sdp,
                    uplink,
                    slots,
                    connection,
                    fresh: fresh_connection(),
                };
                self.intend_or_refuse(id, Intent::Offer(offer)).await;
            }
            ClientMessage::SlotReady { slot, generation } => {
                self.intend(Intent::SlotReady { slot, generation }).await;
            }
            ClientMessage::NoPicture { slot, generation } => {
                self.intend(Intent::NoPicture { slot, generation }).await;
            }
            ClientMessage::ReportQuality { report } => {
                self.intend(Intent::ReportQuality { report }).await;
            }
            _ => {}
        }
    }

    /// Whether a queued message is still to be written: those of a stay that is over are not.
    pub fn passes(&mut self, message: &Outgoing) -> bool {
        let Some(of) = message.stay else { return true };
        if self.entered == Some(of) {
            return true;
        }
        let is_of = |stay: &mut Stay| stay.connection() == of;
        let ends = message.ends_stay;
        for held in [&mut self.stay, &mut self.prepared] {
            if ends && let Some(stay) = held.take_if(is_of) {
                stay.over();
                return true;
            }
            if held.as_mut().is_some_and(is_of) {
                return true;
            }
        }
        false
    }

    /// The page behind the socket is gone.
    pub async fn page_gone(mut self) {
        if let Some(stay) = self.stay.take() {
            stay.page_gone().await;
        }
    }

    /// The socket ends like this; what is still said to the client before. A seat is kept, unless the session is over.
    pub async fn end(self, ending: Ending) -> Option<ServerMessage> {
        if ending != Ending::SessionEnded {
            return None;
        }
        self.app.rooms.end_session(&self.principal.session).await;
        let reason = RoomLeftReason::SessionEnded;
        self.stay
            .as_ref()
            .map(|_| ServerMessage::RoomLeft { reason })
    }

    pub fn refuse(&self, id: Option<IntentId>, code: ErrorCode) {
        self.outbound.push(&ServerMessage::Error {
            id,
            code,
            retry_after_ms: None,
            reference: None,
        });
    }

    async fn hello(&mut self, versions: &[u32], browser: Option<BrowserId>) {
        if self.greeted {
            return self.refuse(None, ErrorCode::Malformed);
        }
        let Some(version) = VERSIONS.iter().find(|version| versions.contains(version)) else {
            return self.part(ErrorCode::UnsupportedVersion);
        };
        self.greeted = true;
        self.outbound.push(&ServerMessage::Welcome {
            version: *version,
            features: Vec::new(),
            limits: told_limits(),
            me: self.principal.me(),
            app: self.app.web(),
            back: self.back.take().map(|ticket| ticket.expose().to_owned()),
        });
        if let Some(user) = self.principal.user() {
            let (user, outbound) = (user.clone(), self.outbound.clone());
            let house = self.app.rooms.house();
            house.opened(self.socket, user, browser, outbound).await;
        }
    }

    fn part(&self, code: ErrorCode) {
        self.refuse(None, code);
        self.outbound.end(Ending::Violation);
    }

    async fn intend_or_refuse(&self, id: IntentId, intent: Intent) {
        match &self.stay {
            Some(stay) => stay.intend(intent).await,
            None => self.refuse(Some(id), ErrorCode::NotInRoom),
        }
    }

    async fn intend(&self, intent: Intent) {
        if let Some(stay) = &self.stay {
            stay.intend(intent).await;
        }
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.app.rooms.house().closed(self.socket);
    }
}

fn told_limits() -> Limits {
    let number = |limit: usize| u32::try_from(limit).unwrap_or(u32::MAX);
    Limits {
        message_bytes: number(limits::MESSAGE_BYTES),
        offer_bytes: number(limits::OFFER_BYTES),
        slots: number(limits::SLOTS),
        room_people: number(limits::ROOM_PEOPLE),
        seat_grace_ms: limits::SEAT_GRACE_MS,
    }
}
