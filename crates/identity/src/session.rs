//! How long a sign-in lasts: so long without use, and so long in all.

use crate::UnixMs;

pub const IDLE_MS: u64 = 7 * 24 * 60 * 60 * 1000;
pub const WHOLE_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Sessions one account may have; the one unused for longest gives way.
pub const PER_USER: usize = 10;
/// A use is written down only if the last one is older than this: not every request is a write.
const TOUCH_MS: u64 = 5 * 60 * 1000;

/// The times of one session as they are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    pub created: UnixMs,
    pub used: UnixMs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Live,
    /// Live, and this use is to be written down.
    Touch,
    Expired,
}

impl Times {
    pub fn new(now: UnixMs) -> Self {
        Self {
            created: now,
            used: now,
        }
    }

    /// When it ends even if used.
    pub fn expires(&self) -> UnixMs {
        self.created.saturating_add(WHOLE_MS)
    }

    /// A clock that jumped back ends nobody's session.
    pub fn state(&self, now: UnixMs) -> State {
        let idle = now.saturating_sub(self.used);
        if now >= self.expires() || idle >= IDLE_MS {
            State::Expired
        } else if idle >= TOUCH_MS {
            State::Touch
        } else {
            State::Live
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60 * 60 * 1000;

    fn check(what: &str, used_days: u64, now: u64, expect: State) {
        let times = Times {
            created: 100 * DAY,
            used: (100 + used_days) * DAY,
        };
        assert_eq!(times.state(now), expect, "{what}");
    }

    #[test]
    fn a_session_ends_unused_after_a_week_and_in_any_case_after_thirty_days() {
        check("at once", 0, 100 * DAY, State::Live);
        check("the next day", 0, 101 * DAY, State::Touch);
        check("after a week without use", 0, 107 * DAY, State::Expired);
        check("a moment before", 0, 107 * DAY - 1, State::Touch);
        check("used all the time, day 30", 29, 130 * DAY, State::Expired);
        check(
            "used all the time, a moment before",
            29,
            130 * DAY - 1,
            State::Touch,
        );
        check("the clock went back", 1, 99 * DAY, State::Live);
    }
}
