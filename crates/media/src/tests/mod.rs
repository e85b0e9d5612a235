//! Whole calls in memory: str0m clients, a lossy network, simulated time and the core. Nothing sleeps, nothing is
//! shared, and every call runs twice: with payload in the clear, and with payload that is noise but for what has to
//! stay in the clear under end-to-end encryption (see `client::video_payload`).

mod allocation;
mod bandwidth;
mod calls;
mod client;
mod described;
mod egress;
mod hostile;
mod lifecycle;
mod lines;
mod link;
mod malformed;
pub(crate) mod network;
mod quality;
mod record;
mod redundancy;
mod shards;
mod sound;
mod svc;
mod tcp;
mod temporal;
mod world;
