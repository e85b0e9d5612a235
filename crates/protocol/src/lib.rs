//! Everything that crosses the wire between a client and the server: messages, ids, limits and error codes.
//!
//! Types only: no logic beyond parsing and printing, no time, no I/O. The TypeScript twin in `web/src/protocol/generated.ts`
//! and the golden JSON in `golden/` are made from here (`cargo xtask codegen`) and compared by this crate's tests.
//! The prose is in `docs/protocol.md`.
#![forbid(unsafe_code)]
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

pub mod calls;
pub mod client;
pub mod error;
pub mod http;
pub mod ids;
pub mod limits;
pub mod parse;
pub mod quality;
pub mod room;
pub mod server;

pub use calls::{
    Availability, Call, CallEnd, CallPerson, Direction, HistoryEntry, HistoryKind, HistoryRoom,
    Meeting, PersonAvailability, Status,
};
pub use client::{Channel, ClientInfo, ClientMessage, SlotKind, SlotMids, UplinkMids, Wanted};
pub use error::ErrorCode;
pub use ids::{
    BrowserId, CallId, DeviceId, HistoryId, IntentId, MediaConnectionId, MeetingId, ParticipantId,
    RoomId, UserId,
};
pub use quality::{
    BrowserFamily, ConnectionPoint, ConnectionSummary, DeviceProblem, NetworkKind, PathKind,
    QualityReport, Strain,
};
pub use room::{
    Access, Demand, Home, HomeChange, HomeRoom, Knocking, Participant, Presence, RoomChange,
    RoomKind, RoomView, Slot, Source, Track, VideoCodec,
};
pub use server::{App, Limits, Me, PrincipalKind, RoomLeftReason, ServerMessage, WaitingReason};

/// The protocol versions this build speaks, newest first.
pub const VERSIONS: &[u32] = &[1];

#[cfg(test)]
mod golden;
