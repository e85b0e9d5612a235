//! The WebSocket as a client of the protocol meets it: the real binary, a client of a few lines.

mod call_faults;
mod calls;
mod client;
mod document;
mod door;
mod home;
mod invites;
mod knocking;
mod limits;
mod meeting;
mod seats;

// Shared with the tests over HTTP, which need more of it.
#[allow(dead_code)]
#[path = "../support/mod.rs"]
mod support;
