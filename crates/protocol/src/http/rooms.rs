//! Rooms from outside: doors, guests, invite links, tickets.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Person;
use crate::{Access, RoomKind, UserId};

/// `GET /api/v1/door?room=<name>`: what stands at the door of a room. For accounts, and for everybody in an open house,
/// also of a room that is not there yet. Anybody else gets `guests_not_allowed` for every room that is not open.
/// `POST /api/v1/invites/open` ([`OpenInvite`]) answers it too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Door {
    /// As its owner wrote it, without `public/`.
    pub name: String,
    pub access: Access,
    pub kind: RoomKind,
    /// Who is neither owner nor member knocks, and somebody inside lets them in.
    pub knock: bool,
    /// False while nobody has entered or shared it; entering creates it.
    pub exists: bool,
    /// Whether the reader owns it, or would by creating it.
    pub owner: bool,
    /// Whether the reader comes in without knocking, though not the owner.
    pub member: bool,
    /// The reader has an account and has been inside, or owns it: only then may an address make them join without a click.
    pub known: bool,
    /// Accounts only: how many people are inside now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<u32>,
}

/// `POST /api/v1/rooms/personal`, without a body, answers the door of the reader's personal room, made if need be.
///
/// `POST /api/v1/rooms`: makes the room if it is not there yet and answers its [`Door`]. Accounts; in an open house
/// everybody, and then it belongs to nobody. `name` may be written with `public/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct CreateRoom {
    pub name: String,
}

/// `PATCH /api/v1/rooms`: opens, closes or renames a room, or says who knocks, and answers its [`Door`]. Owner only.
/// `DELETE /api/v1/rooms?room=<name>`: it is gone with everything in it; who is inside is told. Owner only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ChangeRoom {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knock: Option<bool>,
    /// The room's old address stops leading to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_name: Option<String>,
}

/// `GET /api/v1/rooms/members?room=<name>`: who comes in without knocking, beside the owner. Owner only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct RoomMembers {
    pub members: Vec<Person>,
}

/// `PUT /api/v1/rooms/members`: answers [`RoomMembers`]. Owner only, and only people whom the owner may see; `not_found` for
/// anybody else. `DELETE /api/v1/rooms/members?room=<name>&person=<id>` takes somebody off the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct AddMember {
    pub room: String,
    pub person: UserId,
}

/// `PUT /api/v1/rooms/pin`: the room stands in front on the reader's home page. `DELETE /api/v1/rooms/pin?room=<name>` takes
/// it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct PinRoom {
    pub room: String,
}

/// `POST /api/v1/guests`: a grant for one room, for somebody without an account. Answers [`GuestGrant`]. With `invite`
/// the room need not be open, and `room` is not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct GuestEntry {
    #[serde(default)]
    pub room: String,
    /// The secret of an invite link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct GuestGrant {
    /// Goes into `Authorization: Bearer …` of `POST /api/v1/tickets`.
    pub grant: String,
    /// The name as it was taken.
    pub name: String,
    pub expires_in_ms: u32,
}

/// `POST /api/v1/tickets`: with a session cookie or a guest grant. The ticket opens
/// `/api/v1/socket?ticket=…` once, within 30 s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Ticket {
    pub ticket: String,
}

/// `POST /api/v1/rooms/invites`: a link that lets people without an account into this room, open or not. Any account that
/// may enter. Answers [`NewInvite`]; this is the only time that the link is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct CreateInvite {
    pub room: String,
    /// How long it is good, 5 minutes to 90 days.
    pub life_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct NewInvite {
    /// Goes into the fragment of `/join#<token>`.
    pub token: String,
    pub invite: RoomInvite,
}

/// `GET /api/v1/rooms/invites?room=<name>`: what the reader made, and all of them for the owner; newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct RoomInvites {
    pub invites: Vec<RoomInvite>,
}

/// Taken back by `DELETE /api/v1/rooms/invites/{id}`; who came in by it has to leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct RoomInvite {
    pub id: String,
    /// Name of who made it.
    pub by: String,
    pub created_ms: u64,
    pub expires_ms: u64,
}

/// `POST /api/v1/invites/open`: what is behind an invite link. Answers [`Door`], or `link_invalid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct OpenInvite {
    pub token: String,
}
