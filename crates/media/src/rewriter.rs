//! Makes one continuous RTP stream out of many: sequence number, timestamp and picture numbers go on over a change
//! of layer, over a change of person and over pictures that are left out, while gaps and reordering within a layer stay as
//! they came, so that retransmissions find their place. Knows nothing of bindings, layers or who asked for what.

use std::time::{Duration, Instant};

use crate::api::PeerId;
use crate::codec::{Spatial, Temporal};
use crate::thinning::{ALL, Place, Thinning};

/// First sequence number of a stream. Below 65 536, because a receiver starts with a rollover counter of 0.
const FIRST_SEQUENCE: u64 = 1;
/// First timestamp of a stream. Any would do.
const FIRST_TIMESTAMP: u32 = 1 << 28;

/// A wider gap is closed but for one number. Beyond half of 2^16, receivers would lose count of SRTP's rollovers (RFC 3711,
/// section 3.3.1), and could open nothing any more, whoever came after in the same stream; and what is lost on their own way
/// widens it.
const WIDEST_GAP: u64 = 1_000;
/// Many narrower gaps come to the same: so many numbers without a packet, beyond one for each packet, and nobody is followed
/// any more until the next switch.
const MOST_SKIPPED: u64 = 1_000;

/// The stream that a packet comes from. Another one has its own sequence, timestamp and picture numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub peer: PeerId,
    pub ssrc: u32,
}

/// The numbers of a descriptor that have to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pictures {
    /// 16 bits in a dependency descriptor, the lower 15 of them in a payload (RFC 7741, RFC 9628).
    pub picture_id: Option<u16>,
    pub tl0_pic_idx: Option<u8>,
    /// 5 bits.
    pub key_idx: Option<u8>,
}

/// A packet as it came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub origin: Origin,
    /// Extended.
    pub sequence: u64,
    pub timestamp: u32,
    /// When it was captured, on our clock.
    pub captured: Instant,
    pub pictures: Pictures,
    pub temporal: Temporal,
    pub spatial: Option<Spatial>,
    pub starts_picture: bool,
}

/// The numbers that it goes out with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub sequence: u64,
    pub timestamp: u32,
    pub pictures: Pictures,
    /// The first after a pause or of another origin.
    pub first: bool,
    /// The last packet of its picture, though the sender sent more of it.
    pub ends_picture: bool,
    /// Only the number goes out, with nothing: the packet itself is of a picture that was left out.
    pub is_blank: bool,
}

/// What is added to the numbers of the origin that is followed now.
#[derive(Debug)]
struct Epoch {
    origin: Origin,
    /// Earlier packets belong to the time before the switch.
    first_sequence: u64,
    /// Of those that went out.
    newest_sequence: u64,
    thinning: Thinning,
    /// Modulo 2^64.
    sequence: u64,
    timestamp: u32,
    pictures: PictureOffsets,
}

impl Epoch {
    fn close_gap(&mut self, sequence: u64) {
        let gap = sequence.saturating_sub(self.thinning.next());
        if gap > WIDEST_GAP {
            self.sequence = self.sequence.wrapping_sub(gap - 1);
            self.first_sequence = sequence;
            self.thinning.leap(sequence);
        }
    }

    fn apply(&self, packet: &Arrival, place: Place) -> Rewritten {
        let offsets = self.pictures;
        let pictures = packet.pictures;
        let left_out = place.before;
        Rewritten {
            sequence: packet
                .sequence
                .wrapping_add(self.sequence)
                .wrapping_sub(left_out.packets),
            is_blank: place.is_blank,
            ends_picture: !place.is_blank && self.thinning.ends_picture(packet),
            timestamp: packet.timestamp.wrapping_add(self.timestamp),
            first: packet.sequence == self.first_sequence,
            pictures: Pictures {
                picture_id: pictures
                    .picture_id
                    .map(|id| id.wrapping_add(offsets.picture_id))
                    .map(|id| id.wrapping_sub(left_out.pictures)),
                tl0_pic_idx: pictures
                    .tl0_pic_idx
                    .map(|index| index.wrapping_add(offsets.tl0_pic_idx)),
                key_idx: pictures
                    .key_idx
                    .map(|index| index.wrapping_add(offsets.key_idx) & 0x1f),
            },
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct PictureOffsets {
    picture_id: u16,
    tl0_pic_idx: u8,
    key_idx: u8,
}

/// The newest packet that went out.
#[derive(Clone, Copy, Debug)]
struct Last {
    sequence: u64,
    timestamp: u32,
    captured: Instant,
}

#[derive(Debug)]
pub(crate) struct Rewriter {
    clock_rate: u32,
    epoch: Option<Epoch>,
    /// The layer before the last switch, whose late packets still fill the holes that were left for them.
    before: Option<Epoch>,
    last: Option<Last>,
    /// The newest numbers that went out, of each kind.
    pictures: Pictures,
    /// The uppermost temporal layer that should go out.
    most: u8,
    /// Numbers without a packet, less one for each packet.
    skipped: u64,
}

impl Rewriter {
    pub fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            epoch: None,
            before: None,
            last: None,
            pictures: Pictures::default(),
            most: ALL,
            skipped: 0,
        }
    }

    /// From the next picture on at which that can be: temporal layers up to this one go out.
    pub fn thin(&mut self, most: u8) {
        self.most = most;
    }

    pub fn follows(&self, origin: Origin) -> bool {
        self.epoch
            .as_ref()
            .is_some_and(|epoch| epoch.origin == origin)
    }

    pub fn is_idle(&self) -> bool {
        self.epoch.is_none()
    }

    /// Follows nobody until the next switch. What comes then goes on seamlessly from what went out.
    pub fn pause(&mut self) {
        self.epoch = None;
        self.before = None;
    }

    /// Follows the origin of this packet from this packet on, in one of the sizes that it has.
    pub fn switch(&mut self, first: &Arrival, size: u8) {
        let (sequence, timestamp) = match self.last {
            None => (FIRST_SEQUENCE, FIRST_TIMESTAMP),
            Some(last) => {
                let elapsed = first.captured.saturating_duration_since(last.captured);
                (
                    last.sequence + 1,
                    last.timestamp
                        .wrapping_add(ticks(elapsed, self.clock_rate).max(1)),
                )
            }
        };
        // Another size of the same pictures keeps their time.
        let same = self
            .epoch
            .as_ref()
            .filter(|epoch| epoch.origin == first.origin);
        let same = same.map(|epoch| first.timestamp.wrapping_add(epoch.timestamp));
        let is_later = |own: &u32| {
            let last = self.last.map_or(0, |last| last.timestamp);
            (1..=u32::MAX / 2).contains(&own.wrapping_sub(last))
        };
        let timestamp = same.filter(is_later).unwrap_or(timestamp);
        let newest = self.pictures;
        self.before = self.epoch.take();
        self.epoch = Some(Epoch {
            origin: first.origin,
            first_sequence: first.sequence,
            newest_sequence: first.sequence,
            thinning: Thinning::new(first.sequence, self.most, size),
            sequence: sequence.wrapping_sub(first.sequence),
            timestamp: timestamp.wrapping_sub(first.timestamp),
            pictures: PictureOffsets {
                picture_id: match (newest.picture_id, first.pictures.picture_id) {
                    (Some(newest), Some(first)) => newest.wrapping_add(1).wrapping_sub(first),
                    _ => 0,
                },
                tl0_pic_idx: offset(newest.tl0_pic_idx, first.pictures.tl0_pic_idx),
                key_idx: offset(newest.key_idx, first.pictures.key_idx),
            },
        });
    }

    /// `None` for a packet that has no place: left out, of another origin, from before the switch and too late, or from
    /// before all that went out. After too many gaps nobody is followed any more.
    pub fn rewrite(&mut self, packet: &Arrival) -> Option<Rewritten> {
        let is_current = |epoch: &&mut Epoch| {
            epoch.origin == packet.origin && packet.sequence >= epoch.first_sequence
        };
        if let Some(epoch) = self.epoch.as_mut().filter(is_current) {
            epoch.close_gap(packet.sequence);
            let place = epoch.thinning.place(packet, self.most)?;
            epoch.newest_sequence = epoch.newest_sequence.max(packet.sequence);
            let rewritten = epoch.apply(packet, place);
            if !self.skip_to(rewritten.sequence) {
                self.pause();
                return None;
            }
            self.remember(packet, &rewritten);
            return Some(rewritten);
        }
        let before = self
            .before
            .as_mut()
            .filter(|before| before.origin == packet.origin)?;
        if !(before.first_sequence..before.newest_sequence).contains(&packet.sequence) {
            return None;
        }
        let place = before.thinning.place(packet, ALL)?;
        Some(before.apply(packet, place))
    }

    /// Numbers for a packet of our own that follows the newest one after so many ticks. None while nobody is followed.
    pub fn append(&mut self, ticks: u32) -> Option<Rewritten> {
        self.epoch.as_ref()?;
        let last = self.last.as_mut()?;
        let micros = u64::from(ticks) * 1_000_000 / u64::from(self.clock_rate);
        *last = Last {
            sequence: last.sequence + 1,
            timestamp: last.timestamp.wrapping_add(ticks),
            captured: last.captured + Duration::from_micros(micros),
        };
        Some(Rewritten {
            sequence: last.sequence,
            timestamp: last.timestamp,
            pictures: Pictures::default(),
            first: false,
            ends_picture: false,
            is_blank: false,
        })
    }

    /// False when it would leave too many numbers without a packet.
    fn skip_to(&mut self, sequence: u64) -> bool {
        let gap = self
            .last
            .map_or(0, |last| sequence.saturating_sub(last.sequence + 1));
        let skipped = self.skipped.saturating_add(gap);
        let may = skipped <= MOST_SKIPPED;
        if may {
            self.skipped = skipped.saturating_sub(1);
        }
        may
    }

    fn remember(&mut self, packet: &Arrival, sent: &Rewritten) {
        if self.last.is_none_or(|last| sent.sequence > last.sequence) {
            self.last = Some(Last {
                sequence: sent.sequence,
                timestamp: sent.timestamp,
                captured: packet.captured,
            });
            self.pictures = Pictures {
                picture_id: sent.pictures.picture_id.or(self.pictures.picture_id),
                tl0_pic_idx: sent.pictures.tl0_pic_idx.or(self.pictures.tl0_pic_idx),
                key_idx: sent.pictures.key_idx.or(self.pictures.key_idx),
            };
        }
    }
}

/// The offset that makes `first` the successor of `newest`; 0 where there is nothing to go on from.
fn offset(newest: Option<u8>, first: Option<u8>) -> u8 {
    match (newest, first) {
        (Some(newest), Some(first)) => newest.wrapping_add(1).wrapping_sub(first),
        _ => 0,
    }
}

fn ticks(elapsed: Duration, clock_rate: u32) -> u32 {
    (elapsed.as_micros() * u128::from(clock_rate) / 1_000_000) as u32
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests need one arbitrary instant to count from"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRONT: Origin = Origin {
        peer: PeerId(1),
        ssrc: 10,
    };
    const LOW: Origin = Origin {
        peer: PeerId(1),
        ssrc: 11,
    };
    const OTHER_PERSON: Origin = Origin {
        peer: PeerId(2),
        ssrc: 10,
    };

    enum Step {
        Switch,
        Go,
        Pause,
    }
    use Step::{Go, Pause, Switch};

    /// (what, origin, sequence, timestamp, captured at ms, picture, tl0)
    type In = (Step, Origin, u64, u32, u64, u16, u8);
    /// (sequence, timestamp since the first, picture, tl0), or dropped.
    type Out = Option<(u64, u32, u16, u8)>;

    fn check(description: &str, table: Vec<(In, Out)>) {
        let start = Instant::now();
        let mut rewriter = Rewriter::new(90_000);
        for (row, ((step, origin, sequence, timestamp, ms, picture, tl0), expected)) in
            table.into_iter().enumerate()
        {
            let packet = Arrival {
                origin,
                sequence,
                timestamp,
                captured: start + Duration::from_millis(ms),
                pictures: Pictures {
                    picture_id: Some(picture),
                    tl0_pic_idx: Some(tl0),
                    key_idx: None,
                },
                temporal: Temporal::default(),
                spatial: None,
                starts_picture: true,
            };
            match step {
                Switch => rewriter.switch(&packet, 0),
                Pause => rewriter.pause(),
                Go => {}
            }
            let sent = rewriter.rewrite(&packet).map(|sent| {
                let since = sent.timestamp.wrapping_sub(FIRST_TIMESTAMP);
                (
                    sent.sequence,
                    since,
                    sent.pictures.picture_id.unwrap() & 0x7fff,
                    sent.pictures.tl0_pic_idx.unwrap(),
                )
            });
            assert_eq!(sent, expected, "{description}, row {row}");
        }
    }

    #[test]
    fn a_stream_starts_low_whatever_the_sender_counts() {
        check(
            "extended sequence number of a long stream",
            vec![
                (
                    (Switch, FRONT, 7_000_000, 4_000_000_000, 0, 77, 9),
                    Some((1, 0, 77, 9)),
                ),
                (
                    (Go, FRONT, 7_000_001, 4_000_003_000, 33, 78, 10),
                    Some((2, 3_000, 78, 10)),
                ),
            ],
        );
    }

    #[test]
    fn gaps_and_reordering_within_a_layer_stay() {
        check(
            "5, 8, 7, 6",
            vec![
                ((Switch, FRONT, 5, 0, 0, 1, 1), Some((1, 0, 1, 1))),
                ((Go, FRONT, 8, 9_000, 100, 4, 4), Some((4, 9_000, 4, 4))),
                ((Go, FRONT, 7, 6_000, 66, 3, 3), Some((3, 6_000, 3, 3))),
                ((Go, FRONT, 6, 3_000, 33, 2, 2), Some((2, 3_000, 2, 2))),
                ((Go, FRONT, 9, 12_000, 133, 5, 5), Some((5, 12_000, 5, 5))),
            ],
        );
    }

    #[test]
    fn a_sender_that_leaves_numbers_out_uses_up_few_of_a_receivers() {
        let start = Instant::now();
        for step in [2, 500, 1_001, 1_002, 30_000] {
            let mut rewriter = Rewriter::new(48_000);
            let (mut sent, mut newest) = (0, 0);
            for number in 0..3_000u64 {
                let packet = Arrival {
                    origin: FRONT,
                    sequence: 1 + number * step,
                    timestamp: 960 * number as u32,
                    captured: start + Duration::from_millis(20 * number),
                    pictures: Pictures::default(),
                    temporal: Temporal::default(),
                    spatial: None,
                    starts_picture: true,
                };
                // Like sound, that follows at once whatever comes.
                if rewriter.is_idle() {
                    rewriter.switch(&packet, 0);
                }
                if let Some(rewritten) = rewriter.rewrite(&packet) {
                    (sent, newest) = (sent + 1, rewritten.sequence);
                }
            }
            assert!(sent >= 1_500, "steps of {step}: {sent} go on");
            assert!(
                newest <= 2 * sent + MOST_SKIPPED + 1,
                "steps of {step}: {newest} of {sent}"
            );
        }
    }

    #[test]
    fn a_layer_switch_goes_on_where_the_other_layer_stopped() {
        check(
            "front to low and back",
            vec![
                (
                    (Switch, FRONT, 100, 50_000, 0, 30_000, 250),
                    Some((1, 0, 30_000, 250)),
                ),
                (
                    (Go, FRONT, 101, 53_000, 33, 30_001, 251),
                    Some((2, 3_000, 30_001, 251)),
                ),
                (
                    (Switch, LOW, 9_000, 7, 66, 5, 1),
                    Some((3, 5_970, 30_002, 252)),
                ),
                ((Go, FRONT, 102, 56_000, 66, 30_002, 252), None),
                ((Go, LOW, 8_999, 7, 66, 5, 1), None),
                (
                    (Go, LOW, 9_001, 3_007, 99, 6, 2),
                    Some((4, 8_970, 30_003, 253)),
                ),
                (
                    (Switch, FRONT, 110, 80_000, 133, 30_010, 3),
                    Some((5, 12_030, 30_004, 254)),
                ),
                ((Go, FRONT, 109, 80_000, 133, 30_010, 3), None),
            ],
        );
    }

    #[test]
    fn a_late_packet_of_the_old_layer_fills_its_hole_and_only_that() {
        check(
            "11 and 12 are late",
            vec![
                ((Switch, FRONT, 10, 0, 0, 10, 10), Some((1, 0, 10, 10))),
                ((Go, FRONT, 13, 9_000, 99, 13, 13), Some((4, 9_000, 13, 13))),
                ((Switch, LOW, 500, 0, 100, 1, 1), Some((5, 9_090, 14, 14))),
                ((Go, FRONT, 12, 6_000, 66, 12, 12), Some((3, 6_000, 12, 12))),
                ((Go, FRONT, 14, 12_000, 133, 14, 14), None),
                ((Go, FRONT, 9, 0, 0, 9, 9), None),
                ((Pause, FRONT, 11, 3_000, 33, 11, 11), None),
                (
                    (Switch, OTHER_PERSON, 1, 0, 200, 1, 1),
                    Some((6, 18_090, 15, 15)),
                ),
                ((Go, FRONT, 11, 3_000, 33, 11, 11), None),
            ],
        );
    }

    #[test]
    fn another_person_goes_on_where_the_first_stopped() {
        check(
            "same ssrc, another peer",
            vec![
                (
                    (Switch, FRONT, 100, 0, 0, 0x7ffe, 255),
                    Some((1, 0, 0x7ffe, 255)),
                ),
                (
                    (Go, FRONT, 101, 3_000, 33, 0x7fff, 0),
                    Some((2, 3_000, 0x7fff, 0)),
                ),
                ((Go, OTHER_PERSON, 102, 3_000, 33, 9, 9), None),
                (
                    (Switch, OTHER_PERSON, 5, 1_000_000, 1_033, 9, 9),
                    Some((3, 93_000, 0, 1)),
                ),
                ((Go, FRONT, 102, 6_000, 66, 1, 1), None),
            ],
        );
    }

    #[test]
    fn a_pause_leaves_no_gap_and_moves_the_clock_on() {
        check(
            "two seconds of silence",
            vec![
                ((Switch, FRONT, 100, 0, 0, 1, 1), Some((1, 0, 1, 1))),
                ((Pause, FRONT, 101, 3_000, 33, 2, 2), None),
                ((Go, FRONT, 102, 6_000, 66, 3, 3), None),
                (
                    (Switch, FRONT, 160, 180_000, 2_000, 61, 61),
                    Some((2, 180_000, 2, 2)),
                ),
            ],
        );
    }

    #[test]
    fn time_never_stands_still_or_goes_back_at_a_switch() {
        check(
            "a keyframe captured before the last frame of the old layer",
            vec![
                ((Switch, FRONT, 1, 0, 100, 1, 1), Some((1, 0, 1, 1))),
                ((Switch, LOW, 1, 500, 90, 1, 1), Some((2, 1, 2, 2))),
                ((Switch, OTHER_PERSON, 1, 500, 90, 1, 1), Some((3, 2, 3, 3))),
            ],
        );
    }

    #[test]
    fn the_switch_goes_on_after_the_newest_packet_not_the_latest() {
        check(
            "reordered before the switch",
            vec![
                ((Switch, FRONT, 1, 0, 0, 1, 1), Some((1, 0, 1, 1))),
                ((Go, FRONT, 3, 6_000, 66, 3, 3), Some((3, 6_000, 3, 3))),
                ((Go, FRONT, 2, 3_000, 33, 2, 2), Some((2, 3_000, 2, 2))),
                ((Switch, LOW, 50, 0, 99, 50, 50), Some((4, 8_970, 4, 4))),
            ],
        );
    }

    #[test]
    fn streams_without_picture_numbers_stay_without() {
        let mut rewriter = Rewriter::new(48_000);
        let captured = Instant::now();
        let packet = Arrival {
            origin: LOW,
            sequence: 4,
            timestamp: 9,
            captured,
            pictures: Pictures::default(),
            temporal: Temporal::default(),
            spatial: None,
            starts_picture: false,
        };
        rewriter.switch(&packet, 0);
        assert_eq!(
            rewriter.rewrite(&packet).unwrap().pictures,
            Pictures::default()
        );
    }

    /// Two packets of every picture, in the pattern that Chromium has for three temporal layers.
    fn packet(start: Instant, sequence: u64) -> Arrival {
        let picture = sequence / 2;
        let (id, is_sync) = match picture % 8 {
            0 | 4 => (0, false),
            1 => (2, true),
            2 => (1, true),
            6 => (1, false),
            _ => (2, false),
        };
        Arrival {
            origin: FRONT,
            sequence,
            timestamp: (picture as u32).wrapping_mul(3_000),
            captured: start + Duration::from_millis(picture * 33),
            pictures: Pictures {
                picture_id: Some(picture as u16 & 0x7fff),
                tl0_pic_idx: Some((picture / 4) as u8),
                key_idx: None,
            },
            temporal: Temporal {
                id,
                is_sync,
                opens: false,
            },
            spatial: None,
            starts_picture: sequence.is_multiple_of(2),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, rng_seed: proptest::test_runner::RngSeed::Fixed(6), ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_left_out_numbers_are_used_once_and_none_is_missing(
            changes in proptest::collection::vec((0..120_u64, 0..3_u8), 1..8),
            delays in proptest::collection::vec(prop_oneof![6 => Just(0_u64), 1 => 1..12_u64], 300),
            lost in proptest::collection::vec(prop_oneof![19 => Just(false), 1 => Just(true)], 300),
            begin in prop_oneof![Just(0_u64), 65_500..65_540_u64, Just(0x7fff * 2)],
        ) {
            let start = Instant::now();
            let begin = begin - begin % 2;
            let mut order: Vec<u64> = (0..300).collect();
            // The first one begins the stream, whatever is late.
            order.sort_by_key(|at| (at + delays[*at as usize] * u64::from(*at > 0), *at));
            let mut rewriter = Rewriter::new(90_000);
            let mut sent = std::collections::BTreeMap::new();
            let mut newest = 0;
            for (turn, at) in order.into_iter().enumerate() {
                for (_, most) in changes.iter().filter(|(when, _)| *when == turn as u64) {
                    rewriter.thin(if *most == 2 { ALL } else { *most });
                }
                if lost[at as usize] && at > 0 {
                    continue;
                }
                let packet = packet(start, begin + at);
                if at == 0 {
                    rewriter.switch(&packet, 0);
                }
                newest = newest.max(at);
                if let Some(numbers) = rewriter.rewrite(&packet) {
                    prop_assert!(sent.insert(numbers.sequence, (at, numbers)).is_none(), "used once");
                }
            }
            let in_order: Vec<(u64, Rewritten)> = sent.into_values().collect();
            for pair in in_order.windows(2) {
                let [(before, then), (at, numbers)] = pair else { unreachable!() };
                prop_assert!(at > before, "in order");
                // Holes are what was lost on the way, and nothing else.
                let holes = (before + 1..*at).filter(|at| lost[*at as usize]).count() as u64;
                prop_assert!(numbers.sequence - then.sequence - 1 <= holes);
            }
            let shown: Vec<_> = in_order.iter().filter(|(_, numbers)| !numbers.is_blank).collect();
            for pair in shown.windows(2) {
                let [(before, then), (at, numbers)] = pair else { unreachable!() };
                let since = numbers.pictures.picture_id.unwrap().wrapping_sub(then.pictures.picture_id.unwrap()) & 0x7fff;
                prop_assert!(u64::from(since) <= at / 2 - before / 2);
                prop_assert_eq!(since == 0, at / 2 == before / 2);
            }
        }
    }

    #[test]
    fn a_gap_that_is_too_wide_is_closed_but_for_one_number() {
        let row = |sequence: u64| (Go, FRONT, sequence, 0, 0, 0, 0);
        let out = |sequence: u64| Some((sequence, 0, 0, 0));
        check(
            "a sender that leaps",
            vec![
                ((Switch, FRONT, 100, 0, 0, 0, 0), out(1)),
                (row(101), out(2)),
                (row(1_102), out(1_003)),
                (row(33_871), out(1_005)),
                (row(33_872), out(1_006)),
                (row(33_871), out(1_005)),
                (row(33_870), None),
                (row(1_103), None),
            ],
        );
    }
}
