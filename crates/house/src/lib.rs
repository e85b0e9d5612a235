//! Who lives here and what goes on between them: devices, availability, calls that ring, what each person's home page
//! shows. One value for the whole house.
//!
//! Pure and sans-IO: inputs and time go in; messages, things to store, things to read and pushes come out. It knows nothing
//! of media, SQL, sockets or who may see whom.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod io;

pub use io::{
    Callee, Input, Intent, Into, Now, Output, Persist, PersonFacts, Push, RestoredCall, SocketId,
    StartCall, StoredCall,
};
