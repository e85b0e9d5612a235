//! Bodies of the HTTP interface under `/api/v1`. Errors are [`HttpError`] with the status of their code.

use serde::{Deserialize, Serialize};

use crate::{Access, ErrorCode, UserId};

/// Any answer with a status of 400 or above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HttpError {
    pub code: ErrorCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub retry_after_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub reference: Option<String>,
}

/// `GET /api/v1/me`: the house, and who is asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct House {
    /// The organisation's own name.
    pub name: String,
    /// Nobody has an account yet: the set-up link is the way in.
    pub setup_needed: bool,
    /// Whether rooms can be opened to guests at all.
    pub guests: bool,
    /// Links that stand at the sign-in and at the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub imprint_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub privacy_url: Option<String>,
    /// Absent for somebody who is not signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub user: Option<User>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub name: String,
    pub admin: bool,
}

/// `POST /api/v1/setup`: makes the first account, an administrator, and signs in. Answers [`User`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Setup {
    pub token: String,
    pub username: String,
    pub name: String,
    pub password: String,
}

/// `POST /api/v1/session`: signs in, sets the session cookie, answers [`User`]. `DELETE` signs out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SignIn {
    pub username: String,
    pub password: String,
}

/// `GET /api/v1/door?room=<name>`: what stands at the door of a room. For accounts also of a room that is not there yet.
/// Somebody without an account gets `guests_not_allowed` for every room that is not open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Door {
    /// As its owner wrote it, without `public/`.
    pub name: String,
    pub access: Access,
    /// False while nobody has entered or shared it; entering creates it.
    pub exists: bool,
    /// Whether the reader owns it, or would by creating it.
    pub owner: bool,
    /// Accounts only: how many people are inside now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub people: Option<u32>,
}

/// `POST /api/v1/rooms`: makes the room if it is not there yet and answers its [`Door`]. Accounts only.
/// `name` may be written with `public/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CreateRoom {
    pub name: String,
}

/// `PATCH /api/v1/rooms`: opens, closes or renames a room and answers its [`Door`]. Owner only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ChangeRoom {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub access: Option<Access>,
    /// The room's old address stops leading to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub new_name: Option<String>,
}

/// `POST /api/v1/guests`: a grant for one open room, for somebody without an account. Answers [`GuestGrant`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GuestEntry {
    pub room: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GuestGrant {
    /// Goes into `Authorization: Bearer …` of `POST /api/v1/tickets`.
    pub grant: String,
    /// The name as it was taken.
    pub name: String,
    pub expires_in_ms: u32,
}

/// `POST /api/v1/tickets`: with a session cookie or a guest grant. The ticket opens
/// `/api/v1/socket?ticket=…` once, within 30 s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Ticket {
    pub ticket: String,
}
