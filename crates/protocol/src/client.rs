//! What a client sends on the WebSocket: mostly intents. The server decides and answers.

use serde::{Deserialize, Serialize};

use crate::{
    BrowserId, CallId, DeviceId, IntentId, MediaConnectionId, ParticipantId, QualityReport, RoomId,
    Source, Status, UserId,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// First message of every connection.
    Hello {
        versions: Vec<u32>,
        client: ClientInfo,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(test, ts(as = "Option<Vec<String>>", optional))]
        features: Vec<String>,
        /// Without it, this socket counts as a device of its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        browser: Option<BrowserId>,
    },
    /// Answered by `pong`; the only way a page can tell a dead socket from a quiet one.
    Ping {
        id: IntentId,
    },
    /// After a gap in `seq`: send the snapshot of a channel again.
    GetSnapshot {
        channel: Channel,
    },
    /// Take a seat, or come back to it. `room` is a name, with or without `public/` before it. An account that names a
    /// room that does not exist creates and owns it, open to guests if the name was written with `public/`.
    JoinRoom {
        id: IntentId,
        room: String,
        device: DeviceId,
    },
    /// As `join_room`, into the room of a call that one started or was rung into.
    JoinCall {
        id: IntentId,
        room: RoomId,
        device: DeviceId,
    },
    /// At the door, by somebody who may come in without knocking: the media connection comes up already, answered as
    /// an `offer` is. Nothing flows on it and nobody hears of it. The next `join_room` of this socket into the same room
    /// makes it the connection of the seat; without one it ends, and so does the one of an earlier `prepare_room`.
    PrepareRoom {
        id: IntentId,
        room: String,
        device: DeviceId,
        sdp: String,
        uplink: UplinkMids,
        slots: Vec<SlotMids>,
    },
    LeaveRoom {
        id: IntentId,
    },
    /// From now on this source is sent, muted or not. Publishing again replaces.
    Publish {
        id: IntentId,
        source: Source,
        muted: bool,
    },
    Unpublish {
        id: IntentId,
        source: Source,
    },
    /// Only for a published source.
    SetMuted {
        id: IntentId,
        source: Source,
        muted: bool,
    },
    /// Whose video is on the screen, most important first. People who are not listed are heard and not seen.
    /// Until the first `set_wanted` everybody is wanted at a middle size.
    SetWanted {
        wanted: Vec<Wanted>,
    },
    /// Every offer lists all slots, those of earlier offers first and unchanged. `connection` is the one to renegotiate
    /// (more slots, an ICE restart), and refused when it is gone; without it a new media connection replaces the old.
    Offer {
        id: IntentId,
        sdp: String,
        uplink: UplinkMids,
        slots: Vec<SlotMids>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        connection: Option<MediaConnectionId>,
    },
    /// The label of this slot's former person is off the screen: frames of the new one may come.
    SlotReady {
        slot: u8,
        generation: u32,
    },
    /// For 3 s nothing of this slot's video could be shown, though it should come. Not more often than once in 3 s.
    NoPicture {
        slot: u8,
        generation: u32,
    },
    /// How one's own connection does: every ten seconds while media flows, and once more before leaving. Not answered.
    ReportQuality {
        report: QualityReport,
    },
    /// Somebody who knocked may come in, or not. For accounts that are inside.
    Admit {
        id: IntentId,
        knocking: ParticipantId,
        admit: bool,
    },
    /// Rings somebody. Answered by `calling` with the call, whose room the client enters with `join_call`; or by an error:
    /// `cannot_be_called` for whoever it is that cannot be, `in_call` while another call of one's own goes on. If they call
    /// back at the same moment, the answer is `ok`: both calls are one, and it is accepted.
    StartCall {
        id: IntentId,
        person: UserId,
        video: bool,
    },
    /// Rings somebody into the room where this connection sits. Answered like `start_call`.
    RingIn {
        id: IntentId,
        person: UserId,
    },
    /// On the device that goes in. `call_over` if it does not ring any more.
    AcceptCall {
        id: IntentId,
        call: CallId,
    },
    /// For all devices.
    DeclineCall {
        id: IntentId,
        call: CallId,
    },
    /// By the caller.
    CancelCall {
        id: IntentId,
        call: CallId,
    },
    /// This device does not ring any more; the others go on.
    IgnoreCall {
        id: IntentId,
        call: CallId,
    },
    /// The missed calls were looked at.
    SeeMissed {
        id: IntentId,
    },
    /// Whether somebody uses this window. A socket counts as used until it says otherwise.
    SetActive {
        active: bool,
    },
    SetStatus {
        id: IntentId,
        status: Status,
    },
    /// Whose availability is on the screen, at most 100 people; replaces what was watched before. Answered by
    /// `availability_changed` for all of them whom the reader may see.
    WatchPeople {
        people: Vec<UserId>,
    },
}

impl ClientMessage {
    /// Which intent it is, of what is answered.
    pub fn id(&self) -> Option<&IntentId> {
        match self {
            Self::Ping { id, .. }
            | Self::JoinRoom { id, .. }
            | Self::JoinCall { id, .. }
            | Self::PrepareRoom { id, .. }
            | Self::LeaveRoom { id, .. }
            | Self::Publish { id, .. }
            | Self::Unpublish { id, .. }
            | Self::SetMuted { id, .. }
            | Self::Offer { id, .. }
            | Self::Admit { id, .. }
            | Self::StartCall { id, .. }
            | Self::RingIn { id, .. }
            | Self::AcceptCall { id, .. }
            | Self::DeclineCall { id, .. }
            | Self::CancelCall { id, .. }
            | Self::IgnoreCall { id, .. }
            | Self::SeeMissed { id, .. }
            | Self::SetStatus { id, .. } => Some(id),
            Self::Hello { .. }
            | Self::GetSnapshot { .. }
            | Self::SetWanted { .. }
            | Self::SlotReady { .. }
            | Self::NoPicture { .. }
            | Self::ReportQuality { .. }
            | Self::SetActive { .. }
            | Self::WatchPeople { .. } => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ClientInfo {
    pub name: String,
    pub version: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Home,
    Room,
}

/// One tile: its video is drawn at `width` × `height` device pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Wanted {
    pub participant: ParticipantId,
    pub source: Source,
    pub width: u16,
    pub height: u16,
}

/// The `mid`s (RFC 8843) of the sections in which the client sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UplinkMids {
    pub microphone: String,
    pub camera: String,
    pub screen: String,
    pub screen_audio: String,
}

/// One down slot: a pair of an audio and a video section that always carry the same person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SlotMids {
    pub kind: SlotKind,
    pub audio: String,
    pub video: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SlotKind {
    /// Microphone and camera of one person.
    Person,
    /// Screen and screen sound of one person.
    Screen,
}
