//! The house as an OpenID Connect provider for other applications: authorization code with PKCE, tokens, logout, keys.
//!
//! Flows only: loaded values, parameters, time and random secrets come in; what to write and what to answer goes out. Reads
//! no request and stores nothing. RFC 6749, 7636, 9068, 9207, 9700 and OpenID Connect Core 1.0.
#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

pub mod authorize;
pub mod claims;
pub mod client;
pub mod discovery;
pub mod jose;
pub mod logout;
pub mod parameters;
pub mod refusal;
pub mod rotation;
pub mod scope;
pub mod token;

#[cfg(test)]
mod testing;

pub use client::{Client, ClientId, RedirectUri};
pub use parameters::Parameters;
pub use refusal::{Fault, OAuthError, Redirect, Refusal};
pub use scope::{Scope, Scopes};

use crate::UnixMs;

/// From the redirect to the exchange.
pub const CODE_MS: u64 = 60 * 1000;
/// Access tokens and ID tokens.
pub const ACCESS_MS: u64 = 10 * 60 * 1000;
/// A refresh token that nobody uses.
pub const REFRESH_IDLE_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// All refresh tokens of one grant together.
pub const REFRESH_WHOLE_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// An account, as applications know it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject(pub String);

/// One authorization and all that came of it: revoked as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GrantId(pub String);

/// Under which name this provider speaks: an origin without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(pub String);

impl Issuer {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The audience of access tokens: an ID token, whose audience is a client, is never one.
    pub fn userinfo(&self) -> String {
        format!("{}/oidc/userinfo", self.0)
    }
}

/// Somebody's sign-in with the house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    pub subject: Subject,
    pub session: String,
    /// When the password was typed.
    pub at: UnixMs,
}

fn seconds(ms: UnixMs) -> u64 {
    ms / 1000
}
