//! Stable error codes. The texts that people read are chosen in the client, by code.

use serde::{Deserialize, Serialize};

/// Why something was refused; the same codes over HTTP (`{"code": …}`) and on the WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not JSON, or JSON of another shape. HTTP 400.
    Malformed,
    /// A message type that this server does not know. The connection lives.
    UnknownType,
    /// No common protocol version, or anything before `hello`.
    UnsupportedVersion,
    /// The request needs a session or a guest grant. HTTP 401.
    SignInRequired,
    /// User name and password do not match; says nothing about which. HTTP 401.
    WrongCredentials,
    /// Signed in, and still not allowed. HTTP 403.
    Forbidden,
    /// Only the owner of the room may do that. HTTP 403.
    NotOwner,
    /// This room is not open to guests, or does not exist: a guest cannot tell which. HTTP 403.
    GuestsNotAllowed,
    /// HTTP 404.
    NotFound,
    /// HTTP 405.
    MethodNotAllowed,
    /// The name is empty, too long or has characters that names must not have. HTTP 400.
    NameInvalid,
    /// Another room or account has this name. HTTP 409.
    NameTaken,
    /// Shorter than the minimum, longer than the maximum, or in the list of common passwords. HTTP 400.
    PasswordInvalid,
    /// The set-up link was used or replaced. HTTP 410.
    SetupLinkInvalid,
    /// The intent needs a seat in a room.
    NotInRoom,
    /// One connection sits in one room at a time.
    AlreadyInRoom,
    /// The guest is still waiting at the door.
    NotAdmitted,
    /// The room has as many people as the server allows.
    RoomFull,
    /// The description is too large, has too many sections, or makes no sense.
    SdpInvalid,
    /// There is no media connection yet, or it is another one.
    NoMediaConnection,
    /// More than the limit allows; `retry_after_ms` says when to come again. HTTP 429.
    RateLimited,
    /// HTTP 413.
    TooLarge,
    /// Capacity or a dependency is missing at the moment. HTTP 503.
    Unavailable,
    /// A bug on our side; `reference` is in the server's log. HTTP 500.
    Internal,
}
