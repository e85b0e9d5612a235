//! Sub-commands of `stube` that are more than a line, one file per area.

pub mod user;
