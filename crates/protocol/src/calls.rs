//! People of the house and their calls, as clients see them: who is there, who rings whom, what was, what is planned.
//! Types only.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{CallId, HistoryId, MeetingId, RoomId, UserId};

/// Whether somebody of the house can be reached, as others of the house see it. Guests never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    Available,
    /// Sits in a meeting or a call, whatever they have chosen.
    InCall,
    /// There, but not looking: no window of Stube was used for a while, or they say so.
    Away,
    /// Nothing rings; who calls is told so.
    DoNotDisturb,
    Offline,
}

/// What somebody says of themselves. Kept until it is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As the devices show it.
    #[default]
    Available,
    Away,
    DoNotDisturb,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PersonAvailability {
    pub person: UserId,
    pub availability: Availability,
}

/// The other side of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CallPerson {
    pub id: UserId,
    pub name: String,
    /// As in `Person`: there is a picture at `/api/v1/people/{id}/picture`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub picture: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Incoming,
    Outgoing,
}

/// One person rings one other into one room, for 45 s at most. A call of two has a room of its own (`into` absent), which
/// the caller enters at once with `join_call`, and the other after `accept_call`. Ringing more people in makes it a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Call {
    pub id: CallId,
    pub room: RoomId,
    /// Name of the named room that somebody is rung into, with `public/` where guests may enter: `join_room` leads there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub into: Option<String>,
    pub direction: Direction,
    pub person: CallPerson,
    /// Whether the caller calls with the camera on. Each side decides for its own.
    pub video: bool,
    /// Whether a device of theirs rings. False: only a push message was sent.
    pub ringing: bool,
    /// Unix milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub started_at: u64,
}

/// How ringing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum CallEnd {
    /// Accepted; for the called side: on this device.
    Answered,
    /// Accepted or declined on another device of the same person.
    AnsweredElsewhere,
    Declined,
    /// The caller gave up, or was lost.
    Cancelled,
    NoAnswer,
    Busy,
    DoNotDisturb,
    /// No device is there and none can be woken.
    NotReachable,
    /// This device alone does not ring any more.
    Ignored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum HistoryKind {
    Outgoing,
    Incoming,
    /// Somebody called and was not answered.
    Missed,
    /// Was in a named room.
    Room,
}

/// `GET /api/v1/history`: what somebody did and missed. Belongs to them alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HistoryEntry {
    pub id: HistoryId,
    pub kind: HistoryKind,
    /// Calls only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub person: Option<CallPerson>,
    /// Rooms only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub room: Option<HistoryRoom>,
    pub video: bool,
    /// Calls that were declined, and outgoing ones that were not answered: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub end: Option<CallEnd>,
    /// Unix milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub started_at: u64,
    /// How long they talked or were inside; absent while they still are, or if nobody answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub duration_ms: Option<u64>,
    /// Only missed calls are ever unseen.
    pub seen: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HistoryRoom {
    pub id: RoomId,
    /// With `public/` where guests may enter.
    pub address: String,
    pub name: String,
}

/// A planned meeting that the reader made or was invited to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Meeting {
    pub id: MeetingId,
    pub title: String,
    /// Address of its room, with `public/` where guests may enter.
    pub room: String,
    /// Unix milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub starts_at: u64,
    #[cfg_attr(test, ts(type = "number"))]
    pub ends_at: u64,
    /// IANA name of the time zone in which it was planned: `Europe/Berlin`.
    pub time_zone: String,
    /// Name of who planned it.
    pub by: String,
    /// Whether the reader planned it, and may change or cancel it.
    pub own: bool,
}
