//! Stable error codes. The texts that people read are chosen in the client, by code.

use serde::{Deserialize, Serialize};

/// Why something was refused; the same codes over HTTP (`{"code": …}`) and on the WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
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
    /// Shorter than the minimum, longer than the maximum, in the list of common passwords, or made of names. HTTP 400.
    PasswordInvalid,
    /// The set-up link was used or replaced. HTTP 410.
    SetupLinkInvalid,
    /// An invite, recovery or sign-in token was used, taken back, or has expired. HTTP 410.
    LinkInvalid,
    /// The code of the authenticator app or the backup code is wrong. HTTP 401.
    WrongCode,
    /// The passkey is not known here, or its answer does not fit. HTTP 401.
    PasskeyInvalid,
    /// The mail address cannot be one. HTTP 400.
    MailInvalid,
    /// Not JPEG, PNG or WebP, or too large in pixels. HTTP 400.
    ImageInvalid,
    /// An address that cannot be taken: not https, or with parts that it must not have. HTTP 400.
    AddressInvalid,
    /// No meeting can be at this time: it is over, too long, too far ahead, or the time zone is none. HTTP 400.
    TimeInvalid,
    /// Somebody else looks after this: LDAP, SCIM, a provider, or the settings' file. HTTP 409.
    ManagedElsewhere,
    /// The house needs one administrator who can sign in. HTTP 409.
    LastAdmin,
    /// The intent needs a seat in a room.
    NotInRoom,
    /// One connection sits in one room at a time.
    AlreadyInRoom,
    /// The guest is still waiting at the door.
    NotAdmitted,
    /// Nobody can call this person: not of the house, not there any more, not to be seen, or oneself. Says nothing of which.
    CannotBeCalled,
    /// Another call of one's own goes on.
    InCall,
    /// It does not ring any more, or never did.
    CallOver,
    /// The room has as many people as the server allows.
    RoomFull,
    /// Somebody has as many of these as one may have: places in one room, rooms, invites. HTTP 409.
    TooMany,
    /// The description is too large, has too many sections, or makes no sense.
    SdpInvalid,
    /// There is no media connection yet, or it is another one.
    NoMediaConnection,
    /// More than the limit allows; `retry_after_ms` says when to come again. HTTP 429.
    RateLimited,
    /// HTTP 413.
    TooLarge,
    /// The server stops as soon as those who are in meetings are through, or restarts: nothing new begins. HTTP 503.
    Restarting,
    /// Capacity or a dependency is missing at the moment. HTTP 503.
    Unavailable,
    /// A bug on our side; `reference` is in the server's log. HTTP 500.
    Internal,
}
