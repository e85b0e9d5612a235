//! What the server sends on the WebSocket: answers to intents, and what it decided.

use serde::{Deserialize, Serialize};

use crate::{
    Call, ErrorCode, Home, HomeChange, IntentId, MediaConnectionId, RoomChange, RoomId, RoomView,
    UserId,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    Welcome {
        version: u32,
        features: Vec<String>,
        limits: Limits,
        me: Me,
        app: App,
        /// Opens the next socket: once, while this one lives and for `limits::RETURN_MS` longer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        back: Option<String>,
    },
    Ok {
        id: IntentId,
    },
    /// A refusal when it has an `id`; otherwise about the connection as a whole. The connection lives.
    Error {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        id: Option<IntentId>,
        code: ErrorCode,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional, type = "number"))]
        retry_after_ms: Option<u64>,
        /// Find this in the server's log.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        reference: Option<String>,
    },
    Pong {
        id: IntentId,
    },
    /// Answers `start_call` and `ring_in`: it rings from now on.
    Calling {
        id: IntentId,
        call: Call,
    },
    /// Accounts only, after `welcome` and on request. `seq` counts on from here.
    HomeSnapshot {
        epoch: String,
        #[cfg_attr(test, ts(type = "number"))]
        seq: u64,
        home: Home,
    },
    HomeDelta {
        #[cfg_attr(test, ts(type = "number"))]
        seq: u64,
        change: HomeChange,
    },
    /// The only room message a waiting guest gets, until a `room_snapshot` or a `room_left`.
    Waiting {
        reason: WaitingReason,
    },
    /// After a join, after every reconnect and on request. `seq` counts on from here; a change of `epoch` is another meeting.
    RoomSnapshot {
        epoch: String,
        #[cfg_attr(test, ts(type = "number"))]
        seq: u64,
        room: RoomView,
    },
    RoomDelta {
        #[cfg_attr(test, ts(type = "number"))]
        seq: u64,
        change: RoomChange,
    },
    /// The seat is gone. Media ends with it.
    RoomLeft {
        reason: RoomLeftReason,
    },
    Answer {
        id: IntentId,
        sdp: String,
        connection: MediaConnectionId,
    },
    /// What `prepare_room` brought up is gone: its time is over, it broke, or this person may not enter any more.
    PreparedEnded {
        connection: MediaConnectionId,
    },
}

/// The app that this server holds: another `build` than the client's own is a newer or older one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct App {
    pub build: String,
    /// Builds of an older version update by themselves, as soon as they are out of a call: `0.2.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub minimum_version: Option<String>,
}

/// The limits a client has to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Limits {
    pub message_bytes: u32,
    pub offer_bytes: u32,
    pub slots: u32,
    pub room_people: u32,
    #[cfg_attr(test, ts(type = "number"))]
    pub seat_grace_ms: u64,
}

/// Whom the server takes this connection for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Me {
    pub kind: PrincipalKind,
    pub name: String,
    /// Accounts only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub user: Option<UserId>,
    /// Guests only: the one room that the grant opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub room: Option<RoomId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    Account,
    Guest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum WaitingReason {
    /// Nobody of the house is inside. The guest gets in by themselves when somebody comes.
    NobodyIn,
    /// Somebody inside has to let them in.
    Knocking,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RoomLeftReason {
    /// The same device session took the seat on another connection.
    Replaced,
    /// The room was closed to guests while this one was waiting.
    GuestsNotAllowed,
    /// Signed out, or the account or grant ended.
    SessionEnded,
    /// The other side of a call hung up, or nobody answered: `call_ended` on the home channel says more.
    CallEnded,
    RoomDeleted,
    /// Knocked, and was not let in.
    NotAdmitted,
    /// A fault in this room; joining again is right.
    Internal,
}
