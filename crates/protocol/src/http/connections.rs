//! Connection records: how the connection of each stay in a meeting was.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ConnectionPoint, ConnectionSummary, RoomKind, UserId};

/// One stay in one meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ConnectionRecord {
    pub id: String,
    /// All records of one meeting have the same.
    pub meeting: String,
    pub kind: RoomKind,
    /// Name of the room, if it is still there; calls have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// Unix milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub started_ms: u64,
    /// When it was heard of last, if it is not over.
    #[cfg_attr(test, ts(type = "number"))]
    pub ended_ms: u64,
    pub over: bool,
    pub summary: ConnectionSummary,
    /// How many others were in the meeting, and how many of them lost packets noticeably as well: if most did, it was not
    /// one's own line.
    pub others: u32,
    pub others_losing: u32,
}

/// `GET /api/v1/connections?since=<ms>&before=<ms>`: one's own, the newest 50 that began in between. Accounts only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ConnectionRecords {
    /// By the server's clock, in Unix milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub now_ms: u64,
    pub records: Vec<ConnectionRecord>,
}

/// `GET /api/v1/connections/{id}`: one of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ConnectionTimeline {
    pub record: ConnectionRecord,
    /// Seconds from one point to the next. The first begins with the stay.
    pub step: u32,
    pub points: Vec<ConnectionPoint>,
}

/// As administrators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct PersonsConnection {
    /// Absent for guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    pub name: String,
    pub record: ConnectionRecord,
}

/// `GET /api/v1/admin/connections`: the newest 50, of everybody and of guests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PersonsConnections {
    pub connections: Vec<PersonsConnection>,
    /// There are older ones.
    pub more: bool,
}

/// `GET /api/v1/admin/connections/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct PersonsTimeline {
    /// Absent for guests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    pub name: String,
    pub timeline: ConnectionTimeline,
}
