//! What one slot's video gets of its receiver's line: a layer, or none for now; whether the receiver was told; and what
//! the receiver says of it. Plain state: decides nothing about who gets what.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use crate::thinning::ALL;

/// A pause that is shorter is not worth a word.
const TOLD_AFTER: Duration = Duration::from_secs(1);
/// More often nobody can have waited in vain.
const COMPLAINTS_APART: Duration = Duration::from_millis(2_500);
/// Complaints that are further apart have nothing to do with each other.
const COMPLAINTS_TOGETHER: Duration = Duration::from_secs(20);
/// How long a layer is kept from a receiver that could not show it.
const AVOIDED: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    /// The layer that the line is spent on. `None`: paused, or nothing to be seen.
    pub layer: Option<usize>,
    /// And of that the temporal layers up to this one.
    pub temporal: u8,
    /// The layer that would fill the tile, if its sender were able to send it.
    pub better: Option<usize>,
    /// Every picture of this receiver fills its tile: there is room.
    pub full: bool,
    short_since: Option<Instant>,
    told: bool,
    blind: Option<Blind>,
}

/// A receiver that could show nothing.
#[derive(Clone, Copy, Debug)]
struct Blind {
    said: Instant,
    times: u8,
    avoids: Option<usize>,
}

impl Share {
    /// Notes whether there is no room for this picture. True or false when the receiver has to be told.
    pub fn pause(&mut self, now: Instant, paused: bool) -> Option<bool> {
        if !paused {
            self.short_since = None;
            return std::mem::take(&mut self.told).then_some(false);
        }
        let since = *self.short_since.get_or_insert(now);
        let lasts = now.saturating_duration_since(since) >= TOLD_AFTER;
        (lasts && !std::mem::replace(&mut self.told, lasts)).then_some(true)
    }

    /// Whether a keyframe of this layer may begin the picture, though it is not the one that is waited for.
    pub fn bears(&self, layer: usize) -> bool {
        self.layer.is_some_and(|given| layer <= given || self.full)
    }

    /// The uppermost temporal layer that may go out while this layer does.
    pub fn temporal_of(&self, current: Option<usize>) -> u8 {
        match current.cmp(&self.layer) {
            Ordering::Equal => self.temporal,
            // The line does not bear it, and what it bears has yet to begin.
            Ordering::Greater if !self.full => 0,
            _ => ALL,
        }
    }

    /// The receiver saw nothing while this layer went out. False when it cannot have waited for it.
    pub fn complain(&mut self, now: Instant, layer: usize) -> bool {
        let since = |then| now.saturating_duration_since(then);
        let before = self
            .blind
            .filter(|blind| since(blind.said) < COMPLAINTS_TOGETHER);
        if before.is_some_and(|blind| since(blind.said) < COMPLAINTS_APART) {
            return false;
        }
        let times = before.map_or(0, |blind| blind.times).saturating_add(1);
        // A keyframe did not help.
        let avoids = (times > 1)
            .then_some(layer)
            .or(before.and_then(|blind| blind.avoids));
        self.blind = Some(Blind {
            said: now,
            times,
            avoids,
        });
        true
    }

    /// The largest layer that the receiver may be able to show.
    pub fn most(&self, now: Instant) -> Option<usize> {
        let blind = self
            .blind
            .filter(|blind| now.saturating_duration_since(blind.said) < AVOIDED)?;
        Some(blind.avoids?.saturating_sub(1))
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
    fn only_a_pause_that_lasts_is_told_and_its_end_at_once() {
        let start = Instant::now();
        let mut share = Share::default();
        let table = [
            (0, true, None),
            (900, true, None),
            (950, false, None),
            (1_000, true, None),
            (1_900, true, None),
            (2_000, true, Some(true)),
            (2_100, true, None),
            (9_000, false, Some(false)),
            (9_100, false, None),
        ];
        for (ms, paused, told) in table {
            let now = start + Duration::from_millis(ms);
            assert_eq!(share.pause(now, paused), told, "after {ms} ms");
        }
    }

    #[test]
    fn a_complaint_that_repeats_leads_to_a_smaller_layer_for_a_while() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut share = Share::default();
        let table = [
            (0, 2, true, None),
            (100, 2, false, None),
            (3_000, 2, true, Some(1)),
            (3_100, 1, false, Some(1)),
            (6_000, 1, true, Some(0)),
            (9_000, 0, true, Some(0)),
            (40_000, 0, true, None),
        ];
        for (ms, layer, heard, most) in table {
            assert_eq!(share.complain(at(ms), layer), heard, "after {ms} ms");
            assert_eq!(share.most(at(ms)), most, "after {ms} ms");
        }
        assert!(share.complain(at(43_000), 2));
        assert_eq!(share.most(at(43_000)), Some(1));
        assert_eq!(share.most(at(104_000)), None);
    }
}
