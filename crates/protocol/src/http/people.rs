//! The directory, as people of the house read it. Guests and machines do not.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::UserId;

/// `GET /api/v1/people?q=<text>`: who matches, at most 100, by name. All words must be the beginning of a word of the
/// name, the login or the mail address; case and accents do not count. Without text, or with fewer than three letters,
/// everybody is listed in houses where the reader may see up to 100 people; in larger ones nobody, and `type_more` says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct People {
    pub people: Vec<Person>,
    /// There are more than were listed.
    pub more: bool,
    /// Nobody is listed until three letters are there.
    pub type_more: bool,
}

/// `GET /api/v1/people/near`: whom the reader is the likeliest to call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Near {
    /// By name. `PUT|DELETE /api/v1/people/{id}/favourite` makes somebody one or not; at most 100.
    pub favourites: Vec<Person>,
    /// Who had a call with the reader of late, the last one first; at most 20.
    pub recent: Vec<Person>,
}

/// `GET /api/v1/people/{id}`: somebody whom the reader may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Person {
    pub id: UserId,
    pub name: String,
    pub username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// Whether there is a picture at `/api/v1/people/{id}/picture`; another value when it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// One of the reader's favourites.
    pub favourite: bool,
}
