//! Who speaks in a group, from the audio levels that senders put into their packets (RFC 6464). A pure meter per
//! microphone and a list per group, both with hysteresis, so that a cough makes nobody the speaker and a breath ends
//! no sentence.

use std::time::{Duration, Instant};

use crate::api::PeerId;

/// Levels are in dBov: 0 is the loudest, -127 silence.
const SILENCE: f32 = -127.0;
const SPEAKS_ABOVE: f32 = -50.0;
const SPEAKS_AFTER: Duration = Duration::from_millis(200);
const QUIET_BELOW: f32 = -56.0;
const QUIET_AFTER: Duration = Duration::from_millis(1_000);
/// Speakers change places when one is that much louder.
const OVERTAKES_BY: f32 = 6.0;
/// A microphone that sends nothing (discontinuous transmission) is silent.
const STALE_AFTER: Duration = Duration::from_millis(300);
/// Weight of the old level when it falls, per packet of 20 ms.
const FALLING: f32 = 0.8;
/// Speakers are ordered by their peaks, which fade that much per packet, so that the pauses between words move nobody.
const PEAK_FADES_BY: f32 = 0.1;
/// And not more often than that.
const REORDERS_AFTER: Duration = Duration::from_secs(2);

/// One microphone.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    level: Option<f32>,
    peak: Option<f32>,
    last_packet: Option<Instant>,
    /// Since when the level has been on the other side of the threshold.
    crossing_since: Option<Instant>,
    speaking: bool,
}

impl Meter {
    pub fn packet(&mut self, now: Instant, level: Option<i8>) {
        let level = level.map_or(SILENCE, f32::from).clamp(SILENCE, 0.0);
        let smoothed = match self.level {
            Some(old) if level < old => old * FALLING + level * (1.0 - FALLING),
            _ => level,
        };
        self.level = Some(smoothed);
        self.peak = self
            .peak
            .map(|peak| smoothed.max(peak - PEAK_FADES_BY))
            .or(self.level);
        self.last_packet = Some(now);
    }

    /// Muted or unpublished: at once not a speaker any more.
    pub fn silence(&mut self) {
        *self = Self::default();
    }

    /// How loud somebody is who speaks, `None` for everybody else.
    pub fn speaking(&mut self, now: Instant) -> Option<f32> {
        let fresh = self
            .last_packet
            .is_some_and(|last| now.saturating_duration_since(last) < STALE_AFTER);
        let level = if fresh {
            self.level.unwrap_or(SILENCE)
        } else {
            SILENCE
        };
        let crossing = if self.speaking {
            level < QUIET_BELOW
        } else {
            level > SPEAKS_ABOVE
        };
        if !crossing {
            self.crossing_since = None;
        } else {
            let since = *self.crossing_since.get_or_insert(now);
            let patience = if self.speaking {
                QUIET_AFTER
            } else {
                SPEAKS_AFTER
            };
            if now.saturating_duration_since(since) >= patience {
                self.speaking = !self.speaking;
                self.crossing_since = None;
            }
        }
        self.peak.filter(|_| self.speaking)
    }
}

/// The speakers of one group, the loudest first.
#[derive(Debug, Default)]
pub(crate) struct Speakers {
    order: Vec<PeerId>,
    reordered: Option<Instant>,
}

impl Speakers {
    pub fn list(&self) -> Vec<PeerId> {
        self.order.clone()
    }

    /// True when the list is another one than before.
    pub fn update(&mut self, now: Instant, levels: &[(PeerId, f32)]) -> bool {
        let level_of = |peer: &PeerId| {
            levels
                .iter()
                .find(|(of, _)| of == peer)
                .map(|(_, level)| *level)
        };
        let mut order: Vec<(PeerId, f32)> = self
            .order
            .iter()
            .filter_map(|peer| level_of(peer).map(|level| (*peer, level)))
            .collect();
        let mut new: Vec<(PeerId, f32)> = levels
            .iter()
            .filter(|(peer, _)| !self.order.contains(peer))
            .copied()
            .collect();
        new.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let may_reorder = !new.is_empty()
            || self
                .reordered
                .is_none_or(|last| now.saturating_duration_since(last) >= REORDERS_AFTER);
        order.append(&mut new);
        if may_reorder && reorder(&mut order) {
            self.reordered = Some(now);
        }
        let order: Vec<PeerId> = order.into_iter().map(|(peer, _)| peer).collect();
        let is_news = order != self.order;
        self.order = order;
        is_news
    }
}

/// Insertion sort that moves somebody only past a neighbour who is clearly quieter. True when anybody moved.
fn reorder(order: &mut [(PeerId, f32)]) -> bool {
    let mut moved = false;
    for index in 1..order.len() {
        let mut at = index;
        while at > 0 && is_clearly_louder(order, at) {
            order.swap(at, at - 1);
            at -= 1;
            moved = true;
        }
    }
    moved
}

fn is_clearly_louder(order: &[(PeerId, f32)], at: usize) -> bool {
    match (
        at.checked_sub(1).and_then(|before| order.get(before)),
        order.get(at),
    ) {
        (Some((_, before)), Some((_, level))) => *level > before + OVERTAKES_BY,
        _ => false,
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests need one arbitrary instant to count from"
)]
mod tests {
    use super::*;

    /// Feeds (milliseconds, level) stretches in packets of 20 ms and says when speaking began and ended.
    fn check(description: &str, stretches: &[(u64, Option<i8>)], expected: &[(u64, bool)]) {
        let start = Instant::now();
        let mut meter = Meter::default();
        let (mut changes, mut was, mut at) = (vec![], false, 0);
        for (length, level) in stretches {
            let until = at + length;
            while at < until {
                let now = start + Duration::from_millis(at);
                if level.is_some() {
                    meter.packet(now, *level);
                }
                if at % 100 == 0 {
                    let is = meter.speaking(now).is_some();
                    if is != was {
                        changes.push((at, is));
                    }
                    was = is;
                }
                at += 20;
            }
        }
        assert_eq!(changes, expected, "{description}");
    }

    #[test]
    fn a_sentence_is_heard_and_a_cough_is_not() {
        check("silence", &[(3_000, Some(-127))], &[]);
        check("noise of the room", &[(3_000, Some(-60))], &[]);
        check(
            "a sentence",
            &[(500, Some(-90)), (2_000, Some(-30)), (3_000, Some(-90))],
            &[(700, true), (3_600, false)],
        );
        check(
            "a cough",
            &[(1_000, Some(-90)), (60, Some(-20)), (2_940, Some(-127))],
            &[],
        );
        check(
            "a breath within a sentence",
            &[(1_000, Some(-30)), (500, Some(-90)), (1_000, Some(-30))],
            &[(200, true)],
        );
        check(
            "nothing is sent any more",
            &[(1_000, Some(-30)), (3_000, None)],
            &[(200, true), (2_300, false)],
        );
    }

    #[test]
    fn keys_are_no_speech_and_music_is_heard() {
        let keys: Vec<(u64, Option<i8>)> = [(20, Some(-30)), (180, Some(-70))].repeat(25);
        check("somebody types", &keys, &[]);
        check("music", &[(5_000, Some(-18))], &[(200, true)]);
    }

    #[test]
    fn the_list_changes_only_with_people_or_a_clear_lead() {
        let start = Instant::now();
        let (a, b, c) = (PeerId(1), PeerId(2), PeerId(3));
        type Row<'a> = (u64, &'a [(PeerId, f32)], Option<&'a [PeerId]>);
        let table: &[Row<'_>] = &[
            (0, &[], None),
            (1, &[(a, -30.0)], Some(&[a])),
            (2, &[(a, -30.0), (b, -28.0)], Some(&[a, b])),
            (9, &[(a, -31.0), (b, -26.0)], None),
            (10, &[(a, -40.0), (b, -26.0)], Some(&[b, a])),
            (11, &[(a, -26.0), (b, -40.0)], None),
            (12, &[(a, -26.0), (b, -40.0)], Some(&[a, b])),
            (12, &[(a, -26.0), (b, -40.0), (c, -10.0)], Some(&[c, a, b])),
            (13, &[(a, -40.0), (c, -10.0)], Some(&[c, a])),
            (14, &[], Some(&[])),
        ];
        let mut speakers = Speakers::default();
        for (second, levels, expected) in table {
            let is_news = speakers.update(start + Duration::from_secs(*second), levels);
            let list = is_news.then(|| speakers.list());
            assert_eq!(list.as_deref(), *expected, "second {second}");
        }
    }

    #[test]
    fn two_voices_with_pauses_between_their_words_keep_their_places() {
        let start = Instant::now();
        let (a, b) = (PeerId(1), PeerId(2));
        let (mut meters, mut speakers) =
            ([Meter::default(), Meter::default()], Speakers::default());
        let mut changes = vec![];
        for packet in 0..1_000u64 {
            let now = start + Duration::from_millis(packet * 20);
            for (meter, phase) in meters.iter_mut().zip([0, 25]) {
                let level = if (packet + phase) % 50 < 30 { -25 } else { -70 };
                meter.packet(now, Some(level));
            }
            if packet % 5 == 0 {
                let [x, y] = &mut meters;
                let levels: Vec<(PeerId, f32)> = [(a, x.speaking(now)), (b, y.speaking(now))]
                    .into_iter()
                    .filter_map(|(peer, level)| Some((peer, level?)))
                    .collect();
                let is_news = speakers.update(now, &levels);
                changes.extend(is_news.then(|| speakers.list()));
            }
        }
        assert!(changes.len() <= 3, "{changes:?}");
        assert_eq!(changes.last().map(Vec::len), Some(2));
    }
}
