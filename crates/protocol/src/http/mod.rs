//! Bodies of the HTTP interface under `/api/v1`. Errors are [`HttpError`] with the status of their code. Absent means
//! missing, never `null`; times are Unix milliseconds.

pub mod account;
pub mod admin;
pub mod calls;
pub mod connections;
pub mod entry;
pub mod meetings;
pub mod people;
pub mod push;
pub mod rooms;

pub use account::{
    Account, Application, Applications, Passkey, PersonSource, Session, SignInMethod,
};
pub use entry::{Provider, Setup, SignIn, SignInCode, SignInStep};
pub use people::{People, Person};
pub use rooms::{ChangeRoom, CreateRoom, Door, GuestEntry, GuestGrant, Ticket};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{App, ErrorCode, UserId};

/// Any answer with a status of 400 or above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct HttpError {
    pub code: ErrorCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// `GET /api/v1/me`: the house, and who is asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct House {
    /// The organisation's own name.
    pub name: String,
    /// Whether there is a logo at `/api/v1/logo`; another value when it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// Nobody administers the house yet: the set-up link is the way in.
    pub setup_needed: bool,
    /// Whether rooms can be opened to guests at all.
    pub guests: bool,
    /// Everybody may make and enter rooms, account or not.
    pub open_house: bool,
    /// Whether there is a form for username and password (house or LDAP).
    pub local_sign_in: bool,
    /// Outside providers, in the order of the settings. With exactly one and no `local_sign_in`, the app goes there
    /// without asking.
    pub providers: Vec<Provider>,
    /// Whether a forgotten password can be recovered by mail.
    pub recovery_mail: bool,
    /// Whether the house sends mail: invitations go out from here.
    pub mail: bool,
    /// Links that stand at the sign-in and at the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imprint_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy_url: Option<String>,
    /// The web app that this server holds.
    pub app: App,
    /// Absent for somebody who is not signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub name: String,
    pub admin: bool,
    /// Whether there is a picture at `/api/v1/people/{id}/picture`; another value when it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}
