//! One's own account: everything a person sees and changes about themselves, under `/api/v1/account`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::UserId;

/// `GET /api/v1/account`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Account {
    pub id: UserId,
    pub username: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    pub admin: bool,
    /// Whether there is a picture at `/api/v1/people/{id}/picture`; another value when it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    pub groups: Vec<String>,
    /// Who looks after name, mail and picture; only `house` lets the person change them here.
    pub source: PersonSource,
    /// Absent when signing in with a password is not possible for this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_changed_ms: Option<u64>,
    pub totp: bool,
    /// How many are left; absent without `totp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_codes: Option<u32>,
    pub passkeys: Vec<Passkey>,
    /// Sign-ins at outside providers that lead to this account.
    pub providers: Vec<String>,
}

/// Where an account comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PersonSource {
    /// Made here.
    House,
    Ldap,
    Scim,
    /// By the first sign-in at an outside provider.
    Provider,
}

/// `PATCH /api/v1/account`. Answers [`Account`]. An empty `mail` takes it away. Another `mail` asks for the password as well,
/// since links that give a new password go there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ChangeAccount {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// Only with another `mail`, and only for accounts that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// `POST /api/v1/account/password`: ends all other sessions. 204, or `wrong_credentials`.
/// `PUT /api/v1/account/picture` takes a JPEG, PNG or WebP image of at most 1 MiB; `DELETE` takes it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ChangePassword {
    pub current: String,
    pub new: String,
}

/// `POST /api/v1/account/totp`: begins; answers [`TotpSecret`]. `POST /api/v1/account/totp/confirm` ([`ConfirmTotp`])
/// ends and answers [`BackupCodes`]; `POST /api/v1/account/totp/remove` takes it away. The same before a passkey is added
/// (`POST /api/v1/account/passkeys/start`) and when one is taken away (`DELETE /api/v1/account/passkeys/{id}`): the password
/// is typed again, so that an unlocked computer is not enough; empty for accounts without one. `wrong_credentials` else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct WithPassword {
    pub password: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct TotpSecret {
    /// `otpauth://totp/…`, for the QR code.
    pub url: String,
    /// The same for typing, in base32.
    pub secret: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ConfirmTotp {
    pub code: String,
}

/// Shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct BackupCodes {
    pub codes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Passkey {
    pub id: String,
    pub name: String,
    pub created_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_ms: Option<u64>,
}

/// `POST /api/v1/account/passkeys/finish`. Answers [`Passkey`]. `DELETE /api/v1/account/passkeys/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct AddPasskey {
    pub token: String,
    pub name: String,
    #[schema(value_type = Object)]
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    pub credential: serde_json::Value,
}

/// `GET /api/v1/account/sessions`: where this account is signed in, latest first. `DELETE …/sessions/{id}` ends one,
/// `DELETE …/sessions` all but this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Sessions {
    pub sessions: Vec<Session>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Session {
    pub id: String,
    /// As its browser calls itself: "Firefox on Linux".
    pub device: String,
    /// How it was begun.
    pub method: SignInMethod,
    pub created_ms: u64,
    pub used_ms: u64,
    /// The one that asks.
    pub current: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    Password,
    /// Password and code.
    PasswordAndCode,
    Passkey,
    Provider,
    /// Set-up, invite or recovery link.
    Link,
    Ldap,
}

/// `GET /api/v1/account/applications`: which applications this person signs in to with this house. `DELETE …/{id}` takes
/// the consent back and ends what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Applications {
    pub applications: Vec<Application>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Application {
    pub id: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub given_ms: u64,
}
