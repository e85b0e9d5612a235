//! Meetings that are planned, and letters that invite to them and to rooms.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Access, Meeting, UserId};

/// What letters are written in: that of whoever invites, since nobody knows what the reader reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Language {
    De,
    En,
}

/// `POST /api/v1/meetings`: plans a meeting and invites to it, by mail where the house sends mail. Accounts only. Answers
/// [`PlannedMeeting`]. `time_invalid` for times that no meeting has: in the past, longer than 24 hours, more than two
/// years ahead. At most 100 people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct PlanMeeting {
    pub title: String,
    /// Address of the room, with `public/` or not, found or made. Absent: a fresh one with a name that nobody guesses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// Whether a fresh room is open to guests.
    #[serde(default)]
    pub guests: bool,
    pub starts_at: u64,
    pub ends_at: u64,
    /// IANA name of the time zone that the times were chosen in.
    pub time_zone: String,
    /// People of the house.
    #[serde(default)]
    pub people: Vec<UserId>,
    /// Mail addresses of others.
    #[serde(default)]
    pub mails: Vec<String>,
    pub language: Language,
}

/// `PATCH /api/v1/meetings/{id}`: what is absent stays; lists replace those that were. Who planned it only, and only until
/// it is over. Everybody concerned gets a letter. `DELETE /api/v1/meetings/{id}` cancels it, and answers [`PlannedMeeting`]
/// too. `GET` reads it, for who planned it and who is invited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ChangeMeeting {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<Vec<UserId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mails: Option<Vec<String>>,
}

/// `GET /api/v1/meetings/{id}/calendar.ics` has it for calendars (RFC 5546): for who planned it with everybody who is asked
/// to it, for others with themselves. Once cancelled, it takes the meeting out of calendars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct PlannedMeeting {
    pub meeting: Meeting,
    /// The whole address of the room.
    pub link: String,
    /// Who may enter by it.
    pub access: Access,
    /// Counts changes, as calendars do.
    pub sequence: u32,
    pub cancelled: bool,
    /// Who is asked to it; for others than who planned it, empty.
    pub people: Vec<MeetingPerson>,
    /// Letters that went out by this request.
    pub mailed: u32,
    /// People that this request concerns and that got none: no mail address is known, or they got too many of late.
    pub not_mailed: u32,
}

/// Somebody of the house with `user` and `name`, or a mail address alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct MeetingPerson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
}

/// `GET /api/v1/meetings`: those that the reader planned or is asked to and that are not over, the next first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Meetings {
    pub meetings: Vec<Meeting>,
}

/// `POST /api/v1/invitations`: letters that invite into a room, now. Accounts only, and only where the house sends mail:
/// `forbidden` elsewhere. Answers [`Invited`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct InviteByMail {
    /// The room's name.
    pub room: String,
    /// The secret of an invite link to this room: then it stands in the letters instead of the room's own link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
    #[serde(default)]
    pub people: Vec<UserId>,
    #[serde(default)]
    pub mails: Vec<String>,
    pub language: Language,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Invited {
    pub mailed: u32,
    pub not_mailed: u32,
}
