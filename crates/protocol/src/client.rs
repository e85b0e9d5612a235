//! What a client sends on the WebSocket: mostly intents. The server decides and answers.

use serde::{Deserialize, Serialize};

use crate::{DeviceId, IntentId, MediaConnectionId, ParticipantId, Source};

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
    /// (more slots, an ICE restart); without it, or with one that is gone, a new media connection replaces the old.
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
