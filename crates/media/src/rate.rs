//! How many bits per second a stream has taken lately, and how much of that its lower temporal layers alone.

use std::time::{Duration, Instant};

use crate::codec::TEMPORAL_LAYERS;

const WINDOW: Duration = Duration::from_secs(1);
/// Header, extensions and authentication that a payload travels with.
const OVERHEAD_BYTES: u64 = 40;

/// From so many pictures a second on they pass for movement, and below so many not any more.
const BRISK_FROM_MILLIHZ: u64 = 11_000;
const BRISK_TO_MILLIHZ: u64 = 9_000;

#[derive(Debug, Default)]
pub(crate) struct Rate {
    window: Option<Instant>,
    /// By temporal layer.
    counted: [Counted; TEMPORAL_LAYERS],
    measured: Option<[Measured; TEMPORAL_LAYERS]>,
    /// The uppermost temporal layer that was ever seen.
    top: u8,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    bytes: u64,
    pictures: u64,
}

/// A temporal layer with those below it.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    bps: u64,
    millihz: u64,
    is_brisk: bool,
}

/// What is left of a stream without its upper temporal layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The uppermost that stays.
    pub temporal: u8,
    /// Of what all take.
    pub percent: u64,
    /// There are still pictures enough for movement.
    pub is_brisk: bool,
}

impl Rate {
    pub fn packet(&mut self, now: Instant, payload_bytes: usize, temporal: u8, ends_picture: bool) {
        let since = *self.window.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since);
        if elapsed >= WINDOW {
            self.measure((elapsed.as_millis() as u64).max(1));
            (self.window, self.counted) = (Some(now), Default::default());
        }
        self.top = self.top.max(temporal);
        if let Some(counted) = self.counted.get_mut(usize::from(temporal)) {
            counted.bytes += payload_bytes as u64 + OVERHEAD_BYTES;
            counted.pictures += u64::from(ends_picture);
        }
    }

    fn measure(&mut self, millis: u64) {
        let mut sum = Counted::default();
        let before = self.measured;
        let mut measured = before.unwrap_or_default();
        for (counted, measured) in self.counted.iter().zip(&mut measured) {
            sum.bytes += counted.bytes;
            sum.pictures += counted.pictures;
            // Two windows make one: a single keyframe is no trend.
            let with_before = |new: u64, old: u64| match before {
                Some(_) => (old + new) / 2,
                None => new,
            };
            let millihz = with_before(sum.pictures * 1_000_000 / millis, measured.millihz);
            let threshold = match measured.is_brisk {
                true => BRISK_TO_MILLIHZ,
                false => BRISK_FROM_MILLIHZ,
            };
            *measured = Measured {
                bps: with_before(sum.bytes * 8_000 / millis, measured.bps),
                millihz,
                is_brisk: millihz >= threshold,
            };
        }
        self.measured = Some(measured);
    }

    /// It stopped: what comes later is no part of this window. What it took is remembered.
    pub fn stopped(&mut self) {
        self.window = None;
        self.counted = Default::default();
    }

    pub fn bps(&self) -> Option<u64> {
        let all = self.measured?.last().copied()?;
        Some(all.bps)
    }

    /// What could be left of it, from the smallest; nothing if it has a single temporal layer.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let measured = self.measured.unwrap_or_default();
        let all = measured.last().map_or(0, |all| all.bps);
        (0..self.top)
            .zip(measured)
            .filter_map(move |(temporal, part)| {
                Some(Part {
                    temporal,
                    percent: (part.bps * 100).checked_div(all)?,
                    is_brisk: part.is_brisk,
                })
            })
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
                rate.packet(start + Duration::from_millis(ms), bytes, 0, true);
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

    #[test]
    fn its_temporal_layers_are_measured_one_upon_the_other() {
        let mut now = Instant::now();
        let mut send = |rate: &mut Rate, fps: u64, pattern: &[(u8, usize)]| {
            for (_, (temporal, bytes)) in (0..fps * 12).zip(pattern.iter().cycle()) {
                rate.packet(now, bytes - 40, *temporal, true);
                now += Duration::from_micros(1_000_000 / fps);
            }
            let part = |part: Part| (part.temporal, (part.percent + 5) / 10, part.is_brisk);
            rate.parts().map(part).collect::<Vec<_>>()
        };
        let mut rate = Rate::default();
        assert_eq!(send(&mut rate, 32, &[(0, 1_000)]), []);
        let three: &[(u8, usize)] = &[(0, 1_600), (2, 800), (1, 800), (2, 800)];
        let found = send(&mut rate, 32, three);
        assert_eq!(found, [(0, 4, false), (1, 6, true)]);
        let found = send(&mut rate, 32, &[(0, 1_000)]);
        assert_eq!(found, [(0, 10, true), (1, 10, true)], "they may come back");

        let mut rate = Rate::default();
        let two: &[(u8, usize)] = &[(0, 1_200), (1, 800)];
        for (fps, is_brisk) in [(24, true), (20, true), (16, false), (20, false), (24, true)] {
            assert_eq!(send(&mut rate, fps, two), [(0, 6, is_brisk)], "{fps}");
        }
    }
}
