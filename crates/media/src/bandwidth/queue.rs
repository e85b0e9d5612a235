//! How long packets wait on the line: the least delay of the last moments above the least delay of the last half
//! minute. Jitter is not counted, because something always comes through without it; a standing queue is.

const BASE_US: i64 = 5_000_000;
const BASES: usize = 6;
const RECENT_US: i64 = 200_000;
const LAST: usize = 3;
const ROUND_TRIPS_US: i64 = 15_000_000;
/// What packets wait on a line that is not full is remembered for at least so long.
const USUAL_US: i64 = 5_000_000;
/// How long it counts that the buffer before the line ran over.
const BRIM_US: i64 = 1_000_000;
/// A clock that jumps this far says nothing about delay.
const CLOCK_JUMP_US: i64 = 10_000_000;

#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Least delays of the last stretches of time, newest last.
    bases: [Option<i64>; BASES],
    base_since_us: i64,
    recent: Option<i64>,
    before: Option<i64>,
    recent_since_us: i64,
    /// The last delays, newest last.
    last: [i64; LAST],
    /// Least round trips of this stretch of time and of the one before.
    round_trips: (Option<i64>, Option<i64>),
    round_trips_since_us: i64,
    /// What packets waited when others found no place any more, and when we heard of it.
    brim: Option<(i64, i64)>,
    /// The longest that all of the newest packets waited while the line was not full, in this stretch of time and in the
    /// one before.
    usual: (i64, i64),
    usual_since_us: i64,
}

impl Queue {
    pub fn packet(&mut self, sent_us: i64, arrived_us: i64) {
        let delay_us = arrived_us - sent_us;
        if self
            .recent
            .is_some_and(|recent| (delay_us - recent).abs() > CLOCK_JUMP_US)
        {
            *self = Self::default();
        }
        if sent_us - self.base_since_us >= BASE_US {
            self.base_since_us = sent_us;
            self.bases.rotate_left(1);
            if let Some(newest) = self.bases.last_mut() {
                *newest = None;
            }
        }
        if sent_us - self.recent_since_us >= RECENT_US {
            self.recent_since_us = sent_us;
            self.before = self.recent.take();
        }
        if let Some(newest) = self.bases.last_mut() {
            *newest = least(*newest, Some(delay_us));
        }
        self.recent = least(self.recent, Some(delay_us));
        self.last.rotate_left(1);
        if let Some(newest) = self.last.last_mut() {
            *newest = delay_us;
        }
    }

    /// From a packet's leaving to the feedback about it, for the newest that arrived.
    pub fn round_trip(&mut self, now_us: i64, rtt_us: i64) {
        if now_us - self.round_trips_since_us >= ROUND_TRIPS_US {
            self.round_trips_since_us = now_us;
            self.round_trips = (None, self.round_trips.0);
        }
        self.round_trips.0 = least(self.round_trips.0, Some(rtt_us));
    }

    /// What a round trip takes without a queue.
    pub fn least_round_trip_us(&self) -> i64 {
        least(self.round_trips.0, self.round_trips.1).unwrap_or(0)
    }

    /// Much of what was sent lately is lost: nothing waits longer than what came through.
    pub fn runs_over(&mut self, now_us: i64) {
        self.brim = Some((self.newest_us(), now_us));
    }

    /// What can wait at most, as far as that was seen.
    pub fn brim_us(&self, now_us: i64) -> Option<i64> {
        let (waited_us, _) = self.brim.filter(|(_, at_us)| now_us - at_us < BRIM_US)?;
        Some(waited_us)
    }

    /// What all packets of the last moments waited.
    pub fn standing_us(&self) -> i64 {
        self.above_base(least(self.recent, self.before))
    }

    /// What the very last packets waited, all of them.
    pub fn newest_us(&self) -> i64 {
        self.above_base(self.last.iter().copied().min())
    }

    /// The line is not full: what the newest packets waited is its jitter.
    pub fn is_usual(&mut self, now_us: i64) {
        if now_us - self.usual_since_us >= USUAL_US {
            self.usual_since_us = now_us;
            self.usual = (0, self.usual.0);
        }
        self.usual.0 = self.usual.0.max(self.newest_us());
    }

    /// The longest that packets wait where nothing is full.
    pub fn usual_us(&self) -> i64 {
        self.usual.0.max(self.usual.1)
    }

    fn above_base(&self, delay_us: Option<i64>) -> i64 {
        let base = self.bases.iter().copied().reduce(least).flatten();
        delay_us
            .zip(base)
            .map_or(0, |(delay_us, base_us)| (delay_us - base_us).max(0))
    }
}

fn least(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
