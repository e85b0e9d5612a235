//! The vocabulary of the media core: ids, commands in, events out, refusals, limits and counters.
//!
//! Numeric keys only. Nothing here knows names, roles or JSON, and nothing here decides anything.

use std::net::SocketAddr;

use crate::batch::Batch;
use crate::pipe::Message;
use crate::quality::Quality;
use crate::shards::Parcel;

macro_rules! key {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

key!(
    /// One media connection. Never used again after its `Closed` or `Remove`.
    PeerId(u64)
);
key!(
    /// One of those that share the media port; each has a core of its own.
    ShardIndex(u8)
);
key!(
    /// Peers that may be bound to each other, and whose speakers are told apart: one meeting.
    GroupId(u64)
);
key!(
    /// Chosen by the caller of `Negotiate`, echoed in `Negotiated`.
    RequestId(u64)
);
key!(
    /// Index of a down slot in the order of the offer.
    SlotIndex(u8)
);
key!(
    /// Counts the people that a slot has carried, from 1.
    Generation(u32)
);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    Microphone,
    Camera,
    Screen,
    ScreenAudio,
}

/// Of cameras. Everybody sends and receives VP8; some can more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    #[default]
    Vp8,
    /// All sizes in one stream.
    Vp9,
    /// The same, and described in a header extension.
    Av1,
}

impl Source {
    pub const ALL: [Source; 4] = [
        Source::Microphone,
        Source::Camera,
        Source::Screen,
        Source::ScreenAudio,
    ];

    pub fn is_video(self) -> bool {
        matches!(self, Source::Camera | Source::Screen)
    }
}

/// Whether RTP of a source is forwarded. Sources are `Off` until told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum UplinkState {
    #[default]
    Off,
    Muted,
    Live,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotKind {
    /// Microphone and camera of one peer.
    Person,
    /// Screen and screen sound of one peer.
    Screen,
}

/// The `mid`s of the sections in which the client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UplinkMids {
    pub microphone: String,
    pub camera: String,
    pub screen: String,
    pub screen_audio: String,
}

/// One down slot: a pair of an audio and a video section that always carry the same peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotMids {
    pub kind: SlotKind,
    pub audio: String,
    pub video: String,
}

/// Size of a picture in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

/// An offer of a client, to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiate {
    pub peer: PeerId,
    pub group: GroupId,
    pub request: RequestId,
    pub sdp: String,
    pub uplink: UplinkMids,
    /// Those of earlier offers first and unchanged.
    pub slots: Vec<SlotMids>,
    /// False for a new peer, true for more slots or an ICE restart of a known one.
    pub renegotiate: bool,
    /// The other shards that peers of the group are placed on.
    pub with: Vec<ShardIndex>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Answered by `Event::Negotiated`.
    Negotiate(Box<Negotiate>),
    /// Ends a peer without a `Closed`. All that others had bound to it stops.
    Remove { peer: PeerId },
    SetUplink {
        peer: PeerId,
        source: Source,
        state: UplinkState,
        /// Only the other people can read the payload: nothing is put into it or taken out of it.
        encrypted: bool,
    },
    /// What a down slot carries from now on. A new generation stops the old one at once and, unless `ready`, withholds
    /// the new one's video until `SlotReady`. The same generation again changes only size and rank, or the connection of
    /// the same person. `video: None`: heard, not seen. `rank`: how important the video is among this peer's, from 0.
    Bind {
        peer: PeerId,
        slot: SlotIndex,
        generation: Generation,
        from: Option<PeerId>,
        video: Option<Size>,
        ready: bool,
        rank: u8,
    },
    /// The label of the slot's former person is off the screen.
    SlotReady {
        peer: PeerId,
        slot: SlotIndex,
        generation: Generation,
    },
    /// The receiver could show nothing of this slot's video for a while, though it should have come.
    NoPicture {
        peer: PeerId,
        slot: SlotIndex,
        generation: Generation,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    Udp,
    Tcp,
}

impl From<Transport> for str0m::net::Protocol {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Udp => Self::Udp,
            Transport::Tcp => Self::Tcp,
        }
    }
}

/// A datagram as it came from the network. `destination` is the local address that it was sent to, never a wildcard.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    pub transport: Transport,
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub bytes: &'a [u8],
}

#[derive(Debug)]
pub enum Input<'a> {
    Datagram(Datagram<'a>),
    Command(Command),
    /// Datagrams that landed at another shard.
    Parcel {
        from: ShardIndex,
        parcel: Parcel,
    },
    /// What another shard says. All that one says has to come in the order of its saying.
    Pipe {
        from: ShardIndex,
        message: Message,
    },
}

#[derive(Debug)]
pub enum Output {
    /// To be sent at once. Given back to [`crate::Sfu::reuse`] it saves making a new one.
    Transmit(Batch),
    /// For another shard.
    Parcel {
        to: ShardIndex,
        parcel: Parcel,
    },
    Pipe {
        to: ShardIndex,
        message: Message,
    },
    Event(Event),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Negotiated {
        group: GroupId,
        peer: PeerId,
        request: RequestId,
        result: Result<String, Refusal>,
    },
    /// ICE and DTLS are through: media flows.
    Connected { group: GroupId, peer: PeerId },
    /// The peer is gone. Not sent after `Remove`.
    Closed {
        group: GroupId,
        peer: PeerId,
        reason: CloseReason,
    },
    /// The first video packet of this generation went out; the timestamp is the one the receiver sees.
    SlotStarted {
        group: GroupId,
        peer: PeerId,
        slot: SlotIndex,
        generation: Generation,
        rtp_timestamp: u32,
    },
    /// Who speaks now, the loudest first. Sent on change.
    Speaking { group: GroupId, peers: Vec<PeerId> },
    /// Who was not among the loudest begins to speak. Sooner than `Speaking`, and for a cough too: for whoever has no
    /// slot and should get one now.
    Heard { group: GroupId, peer: PeerId },
    /// The layers (`rid`s, the smallest first) of this peer's video that somebody needs or soon would: none listed for a
    /// source in one encoding, `None` when nobody looks, which is how it begins; and in which codec, if the sender can.
    /// Sent on change.
    Demand {
        group: GroupId,
        peer: PeerId,
        source: Source,
        layers: Option<Vec<String>>,
        codec: VideoCodec,
    },
    /// There is no room for this slot's video on the receiver's line, or again there is. A new generation begins unpaused.
    SlotPaused {
        group: GroupId,
        peer: PeerId,
        slot: SlotIndex,
        generation: Generation,
        paused: bool,
    },
    /// How a connected peer did in the last ten seconds.
    Measured {
        group: GroupId,
        peer: PeerId,
        quality: Quality,
    },
}

impl Event {
    pub fn group(&self) -> GroupId {
        match self {
            Event::Negotiated { group, .. }
            | Event::Connected { group, .. }
            | Event::Closed { group, .. }
            | Event::SlotStarted { group, .. }
            | Event::Speaking { group, .. }
            | Event::Heard { group, .. }
            | Event::Demand { group, .. }
            | Event::SlotPaused { group, .. }
            | Event::Measured { group, .. } => *group,
        }
    }
}

/// Why an offer was not answered. A new peer does not exist then; a renegotiated one lives on as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the offer is {bytes} bytes long, {limit} are allowed")]
    TooLarge { bytes: usize, limit: usize },
    #[error("the offer has {found} {what}, {limit} are allowed")]
    TooMany {
        what: &'static str,
        found: usize,
        limit: usize,
    },
    #[error("the offer makes no sense: {0}")]
    Malformed(&'static str),
    #[error("section {mid:?} {problem}")]
    Section { mid: String, problem: &'static str },
    #[error("the engine refused the offer: {0}")]
    Engine(String),
    #[error("this media connection was renegotiated too often")]
    TooOften,
    #[error("there is no such media connection")]
    UnknownPeer,
    #[error("this media connection exists already")]
    PeerExists,
    #[error("a fault on our side")]
    Internal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The other side said goodbye.
    ByPeer,
    /// No finished DTLS handshake in time.
    HandshakeTimeout,
    /// Connected once, and nothing authentic for too long.
    Silent,
    /// The engine could not go on, for example because the certificate was not the one in the offer.
    Failed,
    /// Sent more than is allowed for too long.
    TooMuch,
    /// A panic inside the engine; it cost this peer only.
    Internal,
}

/// How much one peer may send. Above it datagrams are dropped; ten seconds in a row above it end the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IngressLimit {
    pub bytes_per_second: u32,
    pub packets_per_second: u32,
}

impl Default for IngressLimit {
    fn default() -> Self {
        Self {
            bytes_per_second: 1_000_000,
            packets_per_second: 3_000,
        }
    }
}

/// What the core has to know about the world.
#[derive(Clone, Debug)]
pub struct Config {
    /// The addresses that clients can reach us at with UDP, most preferred first.
    pub candidates: Vec<SocketAddr>,
    /// Those that they can connect to with TCP, where UDP does not get through.
    pub tcp_candidates: Vec<SocketAddr>,
    pub certificate: Certificate,
    pub ingress: IngressLimit,
    /// What cameras send where sender and receivers can.
    pub video: VideoCodec,
    /// How many microphones of a group are forwarded at a time.
    pub loudest: usize,
    /// Which of how many this is; [`crate::MOST_SHARDS`] at most.
    pub shard: ShardIndex,
    pub shards: u8,
}

/// The DTLS identity of all peers. Kept over restarts so that the fingerprint is stable.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// X.509, DER.
    pub certificate: Vec<u8>,
    /// PKCS #8, DER.
    pub private_key: Vec<u8>,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

/// Counters since the start, and sizes now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub datagrams_in: u64,
    pub bytes_in: u64,
    pub datagrams_out: u64,
    pub bytes_out: u64,
    /// Neither STUN, DTLS, RTP nor RTCP.
    pub dropped_malformed: u64,
    /// From an address that no peer has proven to be its own.
    pub dropped_unknown_address: u64,
    /// STUN for nobody we know, or without the right password.
    pub dropped_unauthentic: u64,
    pub dropped_over_limit: u64,
    /// RTP of a source that is off, muted or unknown, or of a broken VP8 descriptor.
    pub dropped_rtp: u64,
    /// Datagrams that landed here and belong to another shard.
    pub handed_over: u64,
    /// Media packets for people at other shards, each counted once for each of those.
    pub piped_packets: u64,
    pub forwarded_packets: u64,
    /// Of microphones that are not among the loudest.
    pub held_packets: u64,
    /// Sound that was lost on the way here and came along with later packets.
    pub recovered_packets: u64,
    pub keyframe_requests: u64,
    pub layer_switches: u64,
    pub panics: u64,
    pub peers: usize,
    pub groups: usize,
    pub addresses: usize,
    /// Addresses whose datagrams land here and belong to other shards.
    pub away: usize,
    pub ufrags: usize,
    pub ssrcs: usize,
    pub subscriptions: usize,
    pub timers: usize,
}

/// Of several shards together.
impl std::iter::Sum for Stats {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        macro_rules! plus {
            ($a:ident, $b:ident: $($field:ident)*) => {
                Self { $($field: $a.$field + $b.$field),* }
            };
        }
        each.fold(Self::default(), |a, b| {
            plus!(a, b: datagrams_in bytes_in datagrams_out bytes_out dropped_malformed dropped_unknown_address dropped_unauthentic dropped_over_limit dropped_rtp handed_over piped_packets forwarded_packets held_packets recovered_packets keyframe_requests layer_switches panics peers groups addresses away ufrags ssrcs subscriptions timers)
        })
    }
}
