//! How many bits per second a stream has taken lately.

use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(1);
/// Header, extensions and authentication that a payload travels with.
const OVERHEAD_BYTES: u64 = 40;

#[derive(Debug, Default)]
pub(crate) struct Rate {
    window: Option<Instant>,
    bytes: u64,
    bps: Option<u64>,
}

impl Rate {
    pub fn packet(&mut self, now: Instant, payload_bytes: usize) {
        let since = *self.window.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since);
        if elapsed >= WINDOW {
            let bps = self.bytes * 8_000 / (elapsed.as_millis() as u64).max(1);
            // Two windows make one: a single keyframe is no trend.
            self.bps = Some(self.bps.map_or(bps, |before| (before + bps) / 2));
            (self.window, self.bytes) = (Some(now), 0);
        }
        self.bytes += payload_bytes as u64 + OVERHEAD_BYTES;
    }

    /// It stopped: what comes later is no part of this window. What it took is remembered.
    pub fn stopped(&mut self) {
        self.window = None;
        self.bytes = 0;
    }

    pub fn bps(&self) -> Option<u64> {
        self.bps
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests need one arbitrary instant to count from"
)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_what_is_sent_and_remembers_it_over_a_pause() {
        let start = Instant::now();
        let mut rate = Rate::default();
        let mut send = |from: u64, to: u64, bytes: usize| {
            for ms in (from..to).step_by(10) {
                rate.packet(start + Duration::from_millis(ms), bytes);
            }
            let bps = rate.bps();
            rate.stopped();
            bps
        };
        assert_eq!(send(0, 900, 960), None);
        assert_eq!(send(2_000, 3_100, 960), Some(800_000));
        assert_eq!(send(9_000, 9_900, 960), Some(800_000));
        assert_eq!(send(20_000, 21_100, 460), Some(600_000));
        assert_eq!(send(22_000, 29_100, 460).unwrap() / 10_000, 40);
    }
}
