//! Where a sender's RTP timestamps lie on our clock, by its sender reports (RFC 3550, section 6.4.1), so that the
//! reports we write ourselves keep a person's lips and voice together.
//!
//! Before the first report the time of arrival has to do.

use std::time::{Duration, Instant, SystemTime};

/// Captures that seem older than this come from a broken clock.
const MAX_AGE: Duration = Duration::from_secs(10);

/// One sender's wall clock against ours. All its tracks share it, so they stay together.
#[derive(Debug, Default)]
pub(crate) struct SenderClock {
    /// A moment on the sender's clock, and when something sent then arrives here over the quickest path.
    base: Option<(SystemTime, Instant)>,
}

impl SenderClock {
    /// The quickest report so far wins at once; slower ones pull gently, because clocks drift.
    pub fn report(&mut self, sent: SystemTime, received: Instant) {
        let expected = self.map(sent);
        let arrival = match expected {
            Some(expected) if received > expected => expected + (received - expected) / 64,
            _ => received,
        };
        self.base = Some((sent, arrival));
    }

    fn map(&self, time: SystemTime) -> Option<Instant> {
        let (sender, ours) = self.base?;
        match time.duration_since(sender) {
            Ok(later) => ours.checked_add(later),
            Err(earlier) => ours.checked_sub(earlier.duration()),
        }
    }
}

/// The newest sender report of one RTP stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub time: SystemTime,
    pub timestamp: u32,
}

impl Report {
    /// When a packet with this timestamp was captured, on our clock, and never after its arrival.
    pub fn captured(
        &self,
        clock: &SenderClock,
        clock_rate: u32,
        timestamp: u32,
        arrived: Instant,
    ) -> Instant {
        let ticks = i64::from(timestamp.wrapping_sub(self.timestamp).cast_signed());
        let micros = ticks * 1_000_000 / i64::from(clock_rate);
        let distance = Duration::from_micros(micros.unsigned_abs());
        let time = if micros < 0 {
            self.time.checked_sub(distance)
        } else {
            self.time.checked_add(distance)
        };
        time.and_then(|time| clock.map(time))
            .map(|captured| captured.min(arrived))
            .filter(|captured| arrived - *captured < MAX_AGE)
            .unwrap_or(arrived)
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests need one arbitrary instant to count from"
)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn voice_and_picture_captured_together_map_to_one_moment() {
        let (start, ntp) = (Instant::now(), SystemTime::UNIX_EPOCH + ms(1_000_000));
        let mut clock = SenderClock::default();
        // The picture's report took 40 ms longer than the voice's.
        clock.report(ntp, start + ms(10));
        clock.report(ntp + ms(5), start + ms(55));
        let voice = Report {
            time: ntp,
            timestamp: 48_000,
        };
        let picture = Report {
            time: ntp + ms(5),
            timestamp: u32::MAX - 449,
        };
        let arrived = start + ms(500);
        let heard = voice.captured(&clock, 48_000, 48_000 + 4_800, arrived);
        let seen = picture.captured(&clock, 90_000, 9_000u32.wrapping_sub(900), arrived);
        let apart = heard.max(seen) - heard.min(seen);
        assert!(apart < ms(1), "{apart:?}");
    }

    #[test]
    fn nothing_is_captured_after_it_arrived_or_by_a_broken_clock() {
        let (start, ntp) = (
            Instant::now() + ms(60_000),
            SystemTime::UNIX_EPOCH + ms(1_000_000),
        );
        let mut clock = SenderClock::default();
        clock.report(ntp, start);
        let report = Report {
            time: ntp,
            timestamp: 0,
        };
        assert_eq!(
            report.captured(&clock, 90_000, 9_000, start + ms(50)),
            start + ms(50)
        );
        assert_eq!(
            report.captured(&clock, 90_000, 9_000, start + ms(150)),
            start + ms(100)
        );
        assert_eq!(
            report.captured(&clock, 90_000, 0, start + ms(20_000)),
            start + ms(20_000)
        );
        assert_eq!(
            report.captured(&SenderClock::default(), 90_000, 0, start),
            start
        );
    }
}
