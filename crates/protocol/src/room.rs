//! The state of both channels as clients see it, and the deltas that change it.

use serde::{Deserialize, Serialize};

use crate::{
    Call, CallEnd, CallId, HistoryEntry, HistoryId, MediaConnectionId, Meeting, MeetingId,
    ParticipantId, PersonAvailability, RoomId, Status,
};

/// Who may enter a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Access {
    Accounts,
    /// Also guests with the link; the address shows `public/` before the name.
    Guests,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Microphone,
    Camera,
    Screen,
    ScreenAudio,
}

#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// Has a name, a door and an address.
    #[default]
    Named,
    /// Likewise; the one that somebody has for themselves.
    Personal,
    /// The room of a call: without a name, for the people who were rung in, and gone with the call.
    Call,
}

/// Somebody who waits to be let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Knocking {
    /// Their seat's id, if they get one.
    pub id: ParticipantId,
    pub name: String,
    pub guest: bool,
}

/// One meeting as one seat sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomView {
    pub id: RoomId,
    pub name: String,
    pub access: Access,
    pub kind: RoomKind,
    /// Who is neither owner nor member knocks.
    pub knock: bool,
    /// Whether the reader may open, close and rename the room.
    pub owner: bool,
    /// Who waits to be let in, the longest waiting first. Accounts only.
    pub knocking: Vec<Knocking>,
    pub you: ParticipantId,
    /// In the order of their joining, the reader included.
    pub participants: Vec<Participant>,
    /// Who speaks now, the loudest first.
    pub speaking: Vec<ParticipantId>,
    /// The slots of the reader's own media connection that carry somebody.
    pub slots: Vec<Slot>,
    /// The seat's media connection, absent when the server has none: the client then offers a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub connection: Option<MediaConnectionId>,
    /// What of the reader's own video is to be sent over this connection. A source that is not listed is looked at by
    /// nobody.
    #[serde(default)]
    pub demand: Vec<Demand>,
}

/// What somebody looks at of one's own camera or screen: whoever sends it need not send more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Demand {
    pub source: Source,
    /// The `rid`s to send, from the smallest to the largest; empty for a source that is sent in one encoding.
    pub layers: Vec<String>,
    /// The codec to send them in if the sender can; absent is VP8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub codec: Option<VideoCodec>,
}

/// What cameras may send instead of VP8: all sizes in one stream, that of the smallest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum VideoCodec {
    Vp9,
    Av1,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Participant {
    pub id: ParticipantId,
    /// Stamped by the server.
    pub name: String,
    /// Stamped by the server: came in by a link, without an account.
    pub guest: bool,
    pub presence: Presence,
    pub tracks: Vec<Track>,
    /// Unix milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub joined_at: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    Connected,
    /// The seat is kept, its person is expected back.
    Reconnecting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Track {
    pub source: Source,
    pub muted: bool,
}

/// What a down slot carries. A new person in a slot is a new `generation`, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Slot {
    /// Index into the `slots` of the offer.
    pub slot: u8,
    pub generation: u32,
    /// Absent while the slot is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub participant: Option<ParticipantId>,
    /// RTP timestamp of this generation's first video frame; absent until it was sent. Older frames show somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub first_rtp_timestamp: Option<u32>,
    /// The reader's line is too thin for this picture: it comes again when there is room for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub paused: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RoomChange {
    ParticipantJoined {
        participant: Participant,
    },
    /// Replaces the participant of the same id.
    ParticipantChanged {
        participant: Participant,
    },
    ParticipantLeft {
        participant: ParticipantId,
    },
    /// Replaces the whole list.
    SpeakingChanged {
        speaking: Vec<ParticipantId>,
    },
    /// Replaces the slot of the same number. On a new generation the client takes the old label off and, if the
    /// generation is above 1, says `slot_ready`.
    SlotAssignment {
        slot: Slot,
    },
    /// The room was renamed, opened or closed, or its ownership as the reader sees it changed.
    RoomChanged {
        name: String,
        access: Access,
        knock: bool,
        owner: bool,
    },
    /// Replaces the whole list.
    KnockingChanged {
        knocking: Vec<Knocking>,
    },
    /// Replaces the whole list.
    DemandChanged {
        demand: Vec<Demand>,
    },
    /// Another media connection of this seat, or none. All slots are empty again, and nothing is demanded.
    ConnectionChanged {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        connection: Option<MediaConnectionId>,
    },
}

/// What the home page shows live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Home {
    /// The reader's own and recently visited rooms, the most recent first.
    pub rooms: Vec<HomeRoom>,
    /// What rings now, in and out.
    pub calls: Vec<Call>,
    /// Missed calls that were not looked at.
    pub missed: u32,
    pub status: Status,
    /// Planned meetings that are not over, the next first; at most 50.
    pub meetings: Vec<Meeting>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HomeRoom {
    pub id: RoomId,
    pub name: String,
    pub access: Access,
    pub kind: RoomKind,
    pub knock: bool,
    pub owner: bool,
    /// Whether the reader comes in without knocking, though not the owner.
    pub member: bool,
    pub pinned: bool,
    /// How many people are inside now.
    pub people: u32,
    /// When the reader was last inside, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub visited_at: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HomeChange {
    /// New, or replaces the room of the same id.
    RoomChanged {
        room: HomeRoom,
    },
    RoomRemoved {
        room: RoomId,
    },
    /// New, or replaces the call of the same id.
    CallChanged {
        call: Call,
    },
    /// It does not ring any more, here at least. Also told of calls that ended before they rang.
    CallEnded {
        call: CallId,
        end: CallEnd,
    },
    MissedChanged {
        missed: u32,
    },
    StatusChanged {
        status: Status,
    },
    /// Of people whom this connection watches.
    AvailabilityChanged {
        people: Vec<PersonAvailability>,
    },
    /// New, or replaces the entry of the same id. The whole list is read over HTTP.
    HistoryChanged {
        entry: HistoryEntry,
    },
    HistoryRemoved {
        entries: Vec<HistoryId>,
    },
    /// All of it was deleted.
    HistoryCleared,
    /// New, or replaces the meeting of the same id.
    MeetingChanged {
        meeting: Meeting,
    },
    MeetingRemoved {
        meeting: MeetingId,
    },
    /// The reader's favourites are others: read them again.
    FavouritesChanged,
}
