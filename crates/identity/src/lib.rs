//! Who may be who: names, passwords, second factors, secrets and their lives, throttling of sign-ins, the directory.
//!
//! Pure: time, addresses and random bytes come in as arguments; what is to be stored goes out as values. Knows neither
//! HTTP nor SQL, and no other crate of ours.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]

pub mod administration;
pub mod administrators;
pub mod backup_code;
pub mod device;
pub mod directory;
pub mod guest;
pub mod link;
pub mod mail;
pub mod meeting;
pub mod name;
pub mod outside;
pub mod password;
pub mod pending;
pub mod provider;
pub mod room;
pub mod secret;
pub mod session;
pub mod sync;
pub mod throttle;
pub mod totp;

pub use backup_code::BackupCode;
pub use mail::{Mail, MailError};
pub use name::{DisplayName, GroupName, NameError, RoomAddress, RoomName, Username};
pub use password::{NewPassword, PasswordError, PasswordHash};
pub use pending::Pending;
pub use secret::{Secret, SecretHash};
pub use totp::TotpKey;

/// Unix milliseconds, as the caller's clock says.
pub type UnixMs = u64;
