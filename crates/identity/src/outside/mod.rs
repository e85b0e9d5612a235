//! Sign-ins at outside OpenID Connect providers: what is asked, what an answer is worth, and whose account it leads to.
//!
//! Documents, tokens, time and random bytes come in; addresses, people and decisions go out. Fetches and stores nothing.
//! OpenID Connect Core, Discovery, RP-Initiated and Back-Channel Logout 1.0; RFC 7636, 9207, 9700.
#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

pub mod account;
pub mod discovery;
pub mod id_token;
pub mod logout;
pub mod picture;
pub mod profile;
pub mod request;
pub mod signature;

#[cfg(test)]
mod testing;

pub use account::Decision;
pub use discovery::Metadata;
pub use id_token::IdToken;
pub use profile::Profile;
pub use request::{Answer, LocalPath, Pending};
pub use signature::KeySet;

/// How far the clocks of two houses may be apart, in seconds.
pub const LEEWAY_S: u64 = 60;
