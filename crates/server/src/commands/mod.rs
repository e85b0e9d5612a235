//! Sub-commands of `stube` that are more than a line, one file per area. They work on the database itself, whether the
//! server runs or not; a running one notices.

pub mod group;
pub mod log;
pub mod settings;
pub mod token;
pub mod user;
