//! Waking browsers while no page of the house is open: what a browser leaves here for that, and what a message to it says.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::meetings::Language;
use crate::{BrowserId, CallEnd, CallId, CallPerson, RoomId};

/// `GET /api/v1/push`: whether the house wakes browsers. Accounts only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct PushService {
    pub on: bool,
    /// What a browser subscribes with (VAPID, base64url); absent where it is off. A subscription with another key is worth
    /// nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// `PUT /api/v1/push/subscription`: from now on this browser is woken, for as long as the session lasts that asks. It takes
/// the place of what the session had. `DELETE` ends it. Both give 204; `forbidden` where the house wakes nobody,
/// `address_invalid` for an endpoint that is no public push service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct PushSubscription {
    /// These three as the browser tells them.
    pub endpoint: String,
    pub p256dh: String,
    pub auth: String,
    /// As in `hello`.
    pub browser: BrowserId,
    pub language: Language,
}

/// What is inside a push message. Only the browser can read it; white space at its end hides its length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PushMessage {
    /// Somebody calls.
    Ringing {
        call: CallId,
        /// `/call/<room>#accept` is where it is answered.
        room: RoomId,
        person: CallPerson,
        video: bool,
        /// Name of the room that one is rung into.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        into: Option<String>,
        language: Language,
    },
    /// It does not ring any more. `missed`: and nobody answered or declined.
    Over {
        call: CallId,
        person: CallPerson,
        end: CallEnd,
        missed: bool,
        language: Language,
    },
}
