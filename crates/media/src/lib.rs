//! The SFU: who gets whose packets, which layer, and when. One [`Sfu`] value owns the peers of one shard.
//!
//! Sans-IO: `handle_input`, `handle_timeout`, `poll_output`, `poll_timeout`; mutate, then drain. No sockets, no clock,
//! no locks, no knowledge of people: it sees numeric keys only.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod allocation;
mod api;
mod bandwidth;
mod batch;
mod clock;
mod codec;
mod connection;
mod demand;
mod demux;
pub mod dependency_descriptor;
mod described;
mod egress;
mod forwarding;
mod framing;
mod group;
mod ingress;
mod layers;
mod loudest;
mod opus;
mod packet;
mod peer;
mod pipe;
mod placement;
mod quality;
mod rate;
mod red;
mod rewriter;
mod sdp;
mod sender;
mod sfu;
mod shards;
mod share;
mod slot;
mod sound;
mod sound_sdp;
mod speakers;
mod thinning;
mod uplink;
mod vp8;
mod vp9;

pub use api::{
    Certificate, CloseReason, Command, Config, Datagram, Event, Generation, GroupId, IngressLimit,
    Input, Negotiate, Output, PeerId, Refusal, RequestId, ShardIndex, Size, SlotIndex, SlotKind,
    SlotMids, Source, Stats, Transport, UplinkMids, UplinkState, VideoCodec,
};
pub use batch::{Batch, Transmit};
pub use framing::{LONGEST_FRAME, TooLong, frames, put_frame, whole_frames};
pub use pipe::Message;
pub use placement::Placement;
pub use quality::{PathKind, Quality};
pub use sfu::Sfu;
pub use shards::{MOST_SHARDS, Parcel, shard_of_check};

#[cfg(any(test, fuzzing))]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a target takes things for granted as a test does: it fails where they are not so"
)]
pub mod fuzzing;
#[cfg(test)]
mod tests;
