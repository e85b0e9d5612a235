//! When a burst of video may leave: what left is paid off at the rate of the line, and more goes once the debt is small.
//! A frame of ordinary size leaves at once whatever the debt; what is larger leaves in slices.

use std::time::{Duration, Instant};

/// Packets that leave without a look at the debt.
pub(crate) const SLICE: usize = 10;
/// Debt that does not hold up the next slice: a line's own buffer takes that much.
const TOLERATED: Duration = Duration::from_millis(5);
/// What is queued leaves within this time whatever the line is thought to carry: what is late is worth nothing, and who
/// gets too much is given less by the one who chooses, not here.
const LONGEST_QUEUE: Duration = Duration::from_millis(250);
/// Timers are not finer, and what is due together leaves together.
pub(crate) const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// Over how long it is measured how much is to be sent, and how much faster than that it leaves at least. What comes in has
/// to go out: a line that carries less is given less by the one who chooses.
const MEASURED_OVER: Duration = Duration::from_millis(500);
const AT_LEAST: f64 = 2.0;

/// What waits to leave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub bytes: usize,
    pub since: Instant,
}

#[derive(Debug)]
pub(crate) struct Pacer {
    /// In bytes, at `at`.
    debt: f64,
    at: Instant,
    bytes_per_second: f64,
    /// What is to be sent, in bytes per second.
    offered: f64,
}

impl Pacer {
    pub fn new(now: Instant) -> Self {
        Self {
            debt: 0.0,
            at: now,
            bytes_per_second: 0.0,
            offered: 0.0,
        }
    }

    /// Pays off what can be paid by now. `bps: None` is for a line whose rate nobody measures.
    pub fn advance(&mut self, now: Instant, bps: Option<u64>, waiting: Option<Waiting>) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        let Some(bps) = bps else {
            (self.debt, self.bytes_per_second) = (0.0, f64::INFINITY);
            return;
        };
        let due = waiting.map_or(0.0, |waiting| {
            let left = (waiting.since + LONGEST_QUEUE).saturating_duration_since(now);
            (self.debt + waiting.bytes as f64) / left.max(TOLERATED).as_secs_f64()
        });
        self.offered *= (1.0 - elapsed / MEASURED_OVER.as_secs_f64()).max(0.0);
        let offered = self.offered * AT_LEAST;
        self.bytes_per_second = (bps as f64 / 8.0).max(due).max(offered);
        self.debt = (self.debt - elapsed * self.bytes_per_second).max(0.0);
    }

    /// Something came that is to be sent.
    pub fn offer(&mut self, bytes: usize) {
        self.offered += bytes as f64 / MEASURED_OVER.as_secs_f64();
    }

    pub fn is_open(&self) -> bool {
        self.debt <= self.tolerated()
    }

    pub fn spend(&mut self, bytes: usize) {
        self.debt += bytes as f64;
    }

    /// When the next slice may leave, after the last look at the debt.
    pub fn opens_at(&self) -> Instant {
        let excess = self.debt - self.tolerated();
        let wait = Duration::try_from_secs_f64(excess / self.bytes_per_second);
        self.at + wait.unwrap_or_default().min(LONGEST_QUEUE)
    }

    fn tolerated(&self) -> f64 {
        self.bytes_per_second * TOLERATED.as_secs_f64()
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests need one arbitrary instant to count from"
)]
mod tests {
    use super::*;

    /// Sends all of a queue in slices; gives the time that it took.
    fn drain(pacer: &mut Pacer, start: Instant, bps: Option<u64>, packets: usize) -> Duration {
        let (mut now, mut left) = (start, packets);
        loop {
            let bytes = left * 1_000;
            let waiting = Waiting {
                bytes,
                since: start,
            };
            pacer.advance(now, bps, Some(waiting));
            while left > 0 && pacer.is_open() {
                let slice = left.min(SLICE);
                pacer.spend(slice * 1_000);
                left -= slice;
            }
            if left == 0 {
                return now - start;
            }
            now = pacer.opens_at().max(now + SHORTEST_WAIT);
        }
    }

    #[test]
    fn a_frame_leaves_at_once_and_a_keyframe_in_slices() {
        let start = Instant::now();
        let table: &[(&str, Option<u64>, usize, u128, u128)] = &[
            ("a frame", Some(4_000_000), 8, 0, 0),
            ("a frame on a thin line", Some(300_000), 8, 0, 0),
            ("a keyframe", Some(4_000_000), 60, 80, 130),
            ("a keyframe on a thin line", Some(300_000), 60, 150, 260),
            ("an unmeasured line", None, 60, 0, 0),
        ];
        for (description, bps, packets, least, most) in table {
            let mut pacer = Pacer::new(start);
            let took = drain(&mut pacer, start, *bps, *packets).as_millis();
            assert!((*least..=*most).contains(&took), "{description}: {took} ms");
        }
    }

    #[test]
    fn frame_after_frame_leaves_at_the_rate_of_the_line() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        let mut now = start;
        for _ in 0..30 {
            // 8 000 bytes every 20 ms are 3.2 Mbit/s.
            let took = drain(&mut pacer, now, Some(4_000_000), 8);
            assert!(took < Duration::from_millis(5), "{took:?}");
            now += Duration::from_millis(20);
        }
    }
}
