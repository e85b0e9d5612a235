//! What goes into a room and what comes out of it. Plain values; everything random in them was drawn by the caller.

use std::collections::BTreeSet;
use std::time::Instant;

use protocol::{
    Access, DeviceId, ErrorCode, IntentId, MediaConnectionId, ParticipantId, PathKind,
    QualityReport, RoomId, RoomKind, RoomLeftReason, ServerMessage, SlotMids, Source, UplinkMids,
    UserId, VideoCodec, Wanted,
};

use crate::record::StayRecord;

/// One moment on both clocks: the steady one for timeouts, the wall clock for what people see and what is stored.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub instant: Instant,
    pub unix_ms: u64,
}

/// One stay of one socket in this room; a socket that joins again has a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// The sign-in or guest grant under which somebody came; ends as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey(pub String);

/// Who somebody is, however they are called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    Account(UserId),
    /// The guest's grant: each one is another person.
    Guest(String),
}

impl Subject {
    pub fn is_guest(&self) -> bool {
        matches!(self, Self::Guest(_))
    }
}

/// What the store knows of the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomFacts {
    pub id: RoomId,
    pub name: String,
    pub access: Access,
    pub kind: RoomKind,
    /// Who is neither owner nor member knocks.
    pub knock: bool,
    pub members: BTreeSet<UserId>,
    /// Guests who were invited may come in though the room is not open.
    pub invites: bool,
    /// While the room is open, its guests need nobody of the house.
    pub open_house: bool,
    pub owner: Option<UserId>,
}

impl RoomFacts {
    /// Whether this account comes in without knocking.
    pub fn walks_in(&self, user: &UserId) -> bool {
        !self.knock || self.owner.as_ref() == Some(user) || self.members.contains(user)
    }
}

/// A seat as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatRecord {
    pub participant: ParticipantId,
    pub subject: Subject,
    pub device: DeviceId,
    pub name: String,
    /// Unix milliseconds.
    pub joined_at: u64,
    /// Unix milliseconds; absent while the person is connected.
    pub away_since: Option<u64>,
}

#[derive(Clone, Debug)]
pub enum Input {
    Join(Join),
    Prepare(Prepare),
    Leave {
        connection: ConnectionId,
    },
    /// The socket is gone; its person may come back.
    Disconnected {
        connection: ConnectionId,
    },
    /// The page is gone and said so: it is being reloaded, or was closed.
    PageGone {
        connection: ConnectionId,
    },
    Intent {
        connection: ConnectionId,
        intent: Intent,
    },
    SessionEnded {
        session: SessionKey,
    },
    FactsChanged(RoomFacts),
    /// This account may come in without knocking, as long as the meeting lasts.
    Expect(UserId),
    /// The meeting is over, whoever is in.
    End(RoomLeftReason),
    Media(MediaEvent),
}

#[derive(Clone, Debug)]
pub struct Join {
    pub connection: ConnectionId,
    pub id: IntentId,
    pub subject: Subject,
    pub device: DeviceId,
    pub session: SessionKey,
    pub name: String,
    /// A guest who came by an invite.
    pub invited: bool,
    /// The connection on which the same socket has prepared.
    pub prepared: Option<ConnectionId>,
    /// The id of the seat, if this becomes a new one.
    pub fresh: ParticipantId,
}

/// Somebody at the door, who asks for their media connection before they come in.
#[derive(Clone, Debug)]
pub struct Prepare {
    /// Its own: that of a join is another one.
    pub connection: ConnectionId,
    pub subject: Subject,
    pub device: DeviceId,
    pub session: SessionKey,
    /// A guest who came by an invite.
    pub invited: bool,
    /// Always of a new media connection.
    pub offer: Offer,
}

#[derive(Clone, Debug)]
pub enum Intent {
    GetSnapshot,
    Publish {
        id: IntentId,
        source: Source,
        muted: bool,
    },
    Unpublish {
        id: IntentId,
        source: Source,
    },
    SetMuted {
        id: IntentId,
        source: Source,
        muted: bool,
    },
    SetWanted {
        wanted: Vec<Wanted>,
    },
    Offer(Offer),
    SlotReady {
        slot: u8,
        generation: u32,
    },
    NoPicture {
        slot: u8,
        generation: u32,
    },
    Admit {
        id: IntentId,
        knocking: ParticipantId,
        admit: bool,
    },
    ReportQuality {
        report: QualityReport,
    },
}

#[derive(Clone, Debug)]
pub struct Offer {
    pub id: IntentId,
    pub sdp: String,
    pub uplink: UplinkMids,
    pub slots: Vec<SlotMids>,
    pub connection: Option<MediaConnectionId>,
    /// The id of the media connection, if this becomes a new one.
    pub fresh: MediaConnectionId,
}

#[derive(Clone, Debug)]
pub enum MediaEvent {
    Negotiated {
        request: u64,
        result: Result<String, Refusal>,
    },
    Closed {
        peer: MediaConnectionId,
    },
    /// The first video packet of this generation went out.
    SlotStarted {
        peer: MediaConnectionId,
        slot: u8,
        generation: u32,
        rtp_timestamp: u32,
    },
    /// Begins to speak, or coughs: to be given a slot where there is none.
    Heard {
        peer: MediaConnectionId,
    },
    /// The loudest first.
    Speaking {
        peers: Vec<MediaConnectionId>,
    },
    /// The layers that are looked at of what this peer sends: none listed for a source in one encoding, `None` when
    /// nobody looks.
    Demand {
        peer: MediaConnectionId,
        source: Source,
        layers: Option<Vec<String>>,
        /// Other than VP8.
        codec: Option<VideoCodec>,
    },
    /// There is no room for this slot's video on the receiver's line, or again there is.
    SlotPaused {
        peer: MediaConnectionId,
        slot: u8,
        generation: u32,
        paused: bool,
    },
    /// How a connection did in the last seconds.
    Measured {
        peer: MediaConnectionId,
        measured: Measured,
    },
}

/// What the server measured of one connection. Shares are in thousandths; up is from the client to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    pub path: PathKind,
    pub rtt_ms: Option<u32>,
    pub loss_up: Option<u16>,
    pub loss_down: Option<u16>,
    pub jitter_ms: Option<u32>,
    pub up_bps: u64,
    pub down_bps: u64,
    pub estimate_bps: Option<u64>,
    pub layer_changes: u32,
    pub pauses: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Invalid,
    Unavailable,
}

impl Refusal {
    pub(crate) fn code(self) -> ErrorCode {
        match self {
            Self::Invalid => ErrorCode::SdpInvalid,
            Self::Unavailable => ErrorCode::Unavailable,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Send {
        connection: ConnectionId,
        message: ServerMessage,
    },
    /// The last message for a connection that is not part of this room, or not any more.
    Dismiss {
        connection: ConnectionId,
        message: ServerMessage,
    },
    Media(MediaCommand),
    Persist(Persist),
    /// Who has a seat now.
    People(People),
    /// An account that had to knock, or would have had to, has a seat.
    CameIn(UserId),
    /// Nobody is inside or waiting: the meeting is over.
    Ended,
}

/// Everybody who has a seat, also while it waits for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Seats, those of guests too.
    pub count: u32,
    /// Accounts, each once.
    pub accounts: BTreeSet<UserId>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Persist {
    /// New, or replaces the seat of the same participant.
    Save(SeatRecord),
    Remove(ParticipantId),
    /// New, or replaces what is stored of the same participant in the same meeting.
    Stay(Box<StayRecord>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum MediaCommand {
    Negotiate {
        peer: MediaConnectionId,
        request: u64,
        sdp: String,
        uplink: UplinkMids,
        slots: Vec<SlotMids>,
        renegotiate: bool,
    },
    Remove {
        peer: MediaConnectionId,
    },
    SetUplink {
        peer: MediaConnectionId,
        source: Source,
        state: UplinkState,
    },
    /// `from` absent: nothing goes out on this slot. `video` absent: heard, not seen. `ready`: the receiver shows no
    /// label of somebody else on this slot. `rank`: how important its video is among the peer's slots, from 0. Again with
    /// the same generation and `from`, only size and rank change.
    Bind {
        peer: MediaConnectionId,
        slot: u8,
        generation: u32,
        from: Option<MediaConnectionId>,
        video: Option<Size>,
        ready: bool,
        rank: u8,
    },
    SlotReady {
        peer: MediaConnectionId,
        slot: u8,
        generation: u32,
    },
    /// The receiver could show nothing of it for a while, though it should have come.
    NoPicture {
        peer: MediaConnectionId,
        slot: u8,
        generation: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UplinkState {
    Off,
    Muted,
    Live,
}

/// Device pixels of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub width: u16,
    pub height: u16,
}
