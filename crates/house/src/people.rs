//! What is known of one person and of one of their sockets. No more than that: with ten thousand of them each byte counts.

use std::time::Instant;

use protocol::{Availability, BrowserId, CallId, RoomId, Status, UserId};

use crate::io::{Intent, PersonFacts, SocketId};

#[derive(Default)]
pub struct Person {
    pub sockets: Vec<SocketId>,
    /// What all their snapshotted sockets show, apart from calls. Only while somebody looks.
    pub home: Option<Box<PersonFacts>>,
    /// What they asked before their facts were there.
    pub held: Vec<(SocketId, Intent)>,
    /// Known once they were here.
    pub status: Option<Status>,
    /// Rooms where they sit.
    pub seats: Vec<RoomId>,
    /// Rooms that they are on the way into.
    pub ways: Vec<RoomId>,
    /// What they let ring and what rings for them.
    pub calls: Vec<CallId>,
    /// Without sockets: still counts as here until then.
    pub lingers_until: Option<Instant>,
    /// Whether they used the last socket that they had.
    pub was_active: bool,
}

impl Person {
    pub fn is_here(&self) -> bool {
        !self.sockets.is_empty() || self.lingers_until.is_some()
    }

    pub fn availability(&self, active: bool) -> Availability {
        let Some(status) = self.status.filter(|_| self.is_here()) else {
            return Availability::Offline;
        };
        match status {
            _ if !self.seats.is_empty() => Availability::InCall,
            Status::DoNotDisturb => Availability::DoNotDisturb,
            Status::Available if active => Availability::Available,
            Status::Available | Status::Away => Availability::Away,
        }
    }

    /// Nothing is lost by forgetting them.
    pub fn is_nobody(&self) -> bool {
        !self.is_here() && self.seats.is_empty() && self.ways.is_empty() && self.calls.is_empty()
    }
}

pub struct Socket {
    pub user: UserId,
    pub browser: BrowserId,
    pub epoch: String,
    pub seq: u64,
    /// Had its snapshot: deltas count from there.
    pub told: bool,
    pub active: bool,
    pub watches: Vec<UserId>,
}
