//! A participant without a browser: signs in, takes a seat, sends prepared pictures and voices, and measures what arrives.
//!
//! It speaks `protocol` and the public HTTP interface only, as any other client would; it must know nothing of the server's
//! insides. Tests use [`House`], [`Person`] and [`Bot`]; the binary `stube-bot` makes a crowd of them.
#![forbid(unsafe_code)]

mod bot;
mod driver;
mod fixture;
mod house;
mod link;
mod load;
mod media;
mod offer;
mod received;
mod sending;
mod state;
mod vp8;
mod watching;

pub use bot::{Bot, Options, Publish, Refused};
pub use fixture::{Identity, PEOPLE, Scene};
pub use house::{Account, Guest, House, HttpRefused, Person};
pub use load::Load;
pub use received::{PersonReceived, Received, SlotReceived};
pub use state::{Phase, State, View};
