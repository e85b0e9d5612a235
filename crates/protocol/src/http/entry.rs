//! The way in: set-up, signing in with its second step, links that make or recover an account.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::User;

/// `POST /api/v1/setup`: makes the first account, an administrator, and signs in. Answers [`User`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Setup {
    pub token: String,
    pub username: String,
    pub name: String,
    pub password: String,
}

/// `POST /api/v1/session`: signs in with a password. Answers [`SignInStep`]; sets the session cookie when done.
/// `DELETE` signs out and answers [`SignedOut`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct SignIn {
    pub username: String,
    pub password: String,
}

/// What comes next of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum SignInStep {
    /// Signed in; the cookie is set.
    Done { user: User },
    /// The password was right; a code is asked for as well: `POST /api/v1/session/code` ([`SignInCode`]).
    Code {
        /// Good for five minutes and five codes.
        token: String,
    },
}

/// `POST /api/v1/session/code`: a code of the authenticator app, or one of the backup codes. Answers [`SignInStep`]
/// (`done`), `wrong_code`, or `link_invalid` when the token is used up: then from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct SignInCode {
    pub token: String,
    pub code: String,
}

/// `DELETE /api/v1/session`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct SignedOut {
    /// Whoever signed in with an outside provider is sent there to end that sign-in too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub go_to: Option<String>,
}

/// `POST /api/v1/session/passkey/start`: answers this. `options` goes to `navigator.credentials.get`, binary fields in
/// base64url as `PublicKeyCredential.parseRequestOptionsFromJSON` takes them. No username is needed.
/// Likewise `POST /api/v1/account/passkeys/start` ([`super::account::WithPassword`]), for `navigator.credentials.create`.
/// `not_found` where there are no passkeys, since the house has no name but an address of numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct PasskeyChallenge {
    /// Good once, for five minutes.
    pub token: String,
    #[schema(value_type = Object)]
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    pub options: serde_json::Value,
}

/// `POST /api/v1/session/passkey/finish`: answers [`SignInStep`] (`done`: a passkey is two factors by itself).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct PasskeyAnswer {
    pub token: String,
    /// `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Object)]
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    pub credential: serde_json::Value,
}

/// An outside provider at the sign-in: a link to `/sso/start?provider=<id>&to=<path>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct Provider {
    pub id: String,
    /// What stands on its button.
    pub name: String,
}

/// `GET /api/v1/applications?client_id=<id>`: what an application is called that people sign in to with this house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct ApplicationName {
    pub name: String,
}

/// `POST /api/v1/links/open`: what is behind a link to an account (`/invite#<token>`, `/recover#<token>`). Answers
/// [`AccountLink`], or `link_invalid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct OpenLink {
    pub token: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AccountLink {
    /// Makes an account; what the inviter has written down already may be changed.
    Invite { name: String, username: String },
    /// Gives an account a new password.
    Recovery { name: String, username: String },
}

/// `POST /api/v1/links/accept`: makes the account or sets the password, uses the link up, and answers [`SignInStep`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct AcceptLink {
    pub token: String,
    /// Only for invites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub password: String,
}

/// `POST /api/v1/recovery`: asks for a recovery link by mail. Always answers 202 after the same time, whether there is
/// such a person or not. Only where the house sends mail ([`super::House`] says so).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct AskForRecovery {
    /// Username or mail address.
    pub who: String,
}
