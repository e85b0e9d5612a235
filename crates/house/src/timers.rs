//! What is due when. A timer that is not wanted any more stays and does nothing: whoever it wakes looks at the state.

use std::collections::BTreeSet;
use std::time::Instant;

use protocol::{CallId, RoomId, UserId};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    HomeBeat,
    AvailabilityBeat,
    /// Nobody came back after the last socket had closed.
    Offline(UserId),
    /// Rang long enough, or its caller did not come back.
    Call(CallId),
    /// Who was on the way into this room did not come.
    Way(RoomId),
    /// Nobody goes on with a stay that ended a while ago.
    Stay(UserId),
}

#[derive(Default)]
pub struct Timers(BTreeSet<(Instant, Timer)>);

impl Timers {
    pub fn add(&mut self, at: Instant, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    pub fn pop(&mut self, now: Instant) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, timer)| timer)
    }
}
