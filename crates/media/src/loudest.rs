//! Which microphones of a group are forwarded: the loudest few. As many as there are places are always heard; when more
//! are live, a place goes to whoever speaks, from somebody who has long been quiet, or from a clearly softer voice.
//!
//! Decides per packet and at once, unlike `speakers`, whose list is for eyes. Knows levels only, neither packets nor
//! slots; what becomes of the packets is in `sound`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::api::PeerId;

/// Levels are in dBov: 0 is the loudest, -127 silence. Rooms, fans and breath are below this.
const AUDIBLE_ABOVE: f32 = -60.0;
/// Where a voice starts to rise from; lower would make it rise later.
const FLOOR: f32 = -70.0;
/// Somebody keeps the place for so long after the last audible packet, whatever others do more softly.
const KEEPS_FOR: Duration = Duration::from_millis(1_500);
/// Who wants a place must be so much louder than whoever has it.
const DISPLACES_BY: f32 = 6.0;
/// Share of the way to a higher level that one packet goes. A voice out of silence passes a quiet microphone with its
/// first packet, a speaking one after three or four; a key or a cough is over by then.
const RISES_BY: f32 = 0.4;
const FALLS_BY: f32 = 0.2;
/// Peaks carry a speaker over the pauses between words; they fade that much per packet.
const PEAK_FADES_BY: f32 = 0.1;
/// A microphone that sends nothing any more (discontinuous transmission) is silent.
const STALE_AFTER: Duration = Duration::from_millis(300);

/// What is to be done with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    Forward,
    /// Not among the loudest.
    Hold,
    /// Among the loudest from this packet on, and this one is not any more.
    Instead(PeerId),
}

#[derive(Debug)]
pub(crate) struct Loudest {
    places: usize,
    /// All microphones that are live.
    voices: BTreeMap<PeerId, Voice>,
}

#[derive(Clone, Copy, Debug)]
struct Voice {
    forwarded: bool,
    level: f32,
    peak: f32,
    last_packet: Instant,
    last_audible: Option<Instant>,
    /// When it was let in the last time because it began to speak.
    began: Option<Instant>,
}

impl Loudest {
    pub fn new(places: usize) -> Self {
        Self {
            places,
            voices: BTreeMap::new(),
        }
    }

    /// A microphone went live.
    pub fn open(&mut self, now: Instant, peer: PeerId) {
        let forwarded = self.forwarded().count() < self.places;
        self.voices.entry(peer).or_insert(Voice {
            forwarded,
            level: FLOOR,
            peak: FLOOR,
            last_packet: now,
            last_audible: None,
            began: None,
        });
    }

    /// A microphone was muted or is gone. Whoever spoke last of the others moves up.
    pub fn shut(&mut self, peer: PeerId) {
        self.voices.remove(&peer);
        if self.forwarded().count() >= self.places {
            return;
        }
        let waiting = self.voices.values_mut().filter(|voice| !voice.forwarded);
        if let Some(next) = waiting.max_by_key(|voice| voice.last_audible) {
            next.forwarded = true;
        }
    }

    /// A packet of a live microphone. Without a level nobody can tell whether it is silence: it counts as audible, and
    /// as softer than everybody else.
    pub fn hear(&mut self, now: Instant, peer: PeerId, level: Option<i8>) -> Hearing {
        let Some(voice) = self.voices.get_mut(&peer) else {
            return Hearing::Hold;
        };
        voice.packet(now, level.map_or(AUDIBLE_ABOVE, f32::from));
        let voice = *voice;
        if voice.forwarded {
            return Hearing::Forward;
        }
        if voice.level < AUDIBLE_ABOVE {
            return Hearing::Hold;
        }
        let Some(softest) = self.softest_below(now, voice.level - DISPLACES_BY) else {
            return Hearing::Hold;
        };
        for (peer, began) in [(peer, Some(now)), (softest, None)] {
            if let Some(voice) = self.voices.get_mut(&peer) {
                (voice.forwarded, voice.began) = (began.is_some(), began);
            }
        }
        Hearing::Instead(softest)
    }

    /// For a packet of which nobody knows how loud it is, among others that tell.
    pub fn hears(&self, peer: PeerId) -> Hearing {
        match self.voices.get(&peer) {
            Some(voice) if voice.forwarded => Hearing::Forward,
            _ => Hearing::Hold,
        }
    }

    /// Whether this one began to speak so recently.
    pub fn has_begun(&self, now: Instant, peer: PeerId, within: Duration) -> bool {
        let began = self.voices.get(&peer).and_then(|voice| voice.began);
        began.is_some_and(|began| now.saturating_duration_since(began) <= within)
    }

    fn forwarded(&self) -> impl Iterator<Item = (PeerId, &Voice)> {
        let voices = self.voices.iter().map(|(peer, voice)| (*peer, voice));
        voices.filter(|(_, voice)| voice.forwarded)
    }

    /// Whose place somebody of this level may take: that of the one who has been quiet the longest, or, while all speak,
    /// that of the softest.
    fn softest_below(&self, now: Instant, level: f32) -> Option<PeerId> {
        let below = self
            .forwarded()
            .filter(|(_, voice)| voice.strength(now) < level);
        let (quiet, speaking): (Vec<_>, Vec<_>) = below.partition(|(_, voice)| !voice.keeps(now));
        let longest = quiet
            .into_iter()
            .min_by_key(|(_, voice)| (voice.last_audible, voice.last_packet));
        let softest = || {
            speaking
                .into_iter()
                .min_by(|(_, a), (_, b)| a.strength(now).total_cmp(&b.strength(now)))
        };
        longest.or_else(softest).map(|(peer, _)| peer)
    }
}

impl Voice {
    fn packet(&mut self, now: Instant, level: f32) {
        let level = level.clamp(FLOOR, 0.0);
        let from = if self.is_stale(now) {
            FLOOR
        } else {
            self.level
        };
        let share = if level > from { RISES_BY } else { FALLS_BY };
        self.level = from + (level - from) * share;
        self.peak = self.level.max(self.peak - PEAK_FADES_BY);
        self.last_packet = now;
        if level >= AUDIBLE_ABOVE {
            self.last_audible = Some(now);
        }
    }

    fn is_stale(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last_packet) >= STALE_AFTER
    }

    fn keeps(&self, now: Instant) -> bool {
        self.last_audible
            .is_some_and(|last| now.saturating_duration_since(last) < KEEPS_FOR)
    }

    fn strength(&self, now: Instant) -> f32 {
        match (self.keeps(now), self.is_stale(now)) {
            (true, _) => self.peak,
            (false, false) => self.level,
            (false, true) => FLOOR - DISPLACES_BY,
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests need one arbitrary instant to count from"
)]
mod tests {
    use super::*;

    const PACKET_MS: u64 = 20;
    const QUIET: i8 = -72;
    const WARM_UP_MS: u64 = 1_000;

    /// A change of places: who came, who went and when, in milliseconds.
    type Change = (u64, u64, u64);

    /// So many microphones, of which the first five have the places; `level` says how loud each is when.
    fn converse(microphones: u64, ms: u64, level: impl Fn(u64, u64) -> Option<i8>) -> Vec<Change> {
        let start = Instant::now();
        let mut loudest = Loudest::new(5);
        (1..=microphones).for_each(|id| loudest.open(start, PeerId(id)));
        let mut changes = vec![];
        for at in (0..ms).step_by(PACKET_MS as usize) {
            let now = start + Duration::from_millis(at);
            for id in 1..=microphones {
                let hearing = loudest.hear(now, PeerId(id), level(id, at));
                // Until all have spoken, places change as they begin.
                if at < WARM_UP_MS {
                    continue;
                }
                if let Hearing::Instead(gone) = hearing {
                    changes.push((at, id, gone.0));
                }
                assert_eq!(loudest.forwarded().count(), 5);
            }
        }
        changes
    }

    /// Words with pauses between them: 600 ms of every second, each person at their own moment.
    fn talk(id: u64, at: u64, level: i8) -> i8 {
        if (at + id * 370) % 1_000 < 600 {
            level
        } else {
            QUIET
        }
    }

    #[test]
    fn a_voice_out_of_silence_is_in_with_its_first_packets() {
        for (level, within) in [(-20, 0), (-30, 0), (-45, 0), (-52, 60)] {
            let changes = converse(20, 2_000, |id, at| {
                Some(if id == 12 && at >= 1_000 {
                    level
                } else {
                    QUIET
                })
            });
            let [(at, 12, 1..=5)] = changes[..] else {
                panic!("{level}: {changes:?}")
            };
            assert!(at <= 1_000 + within, "{level}: {at}");
        }
    }

    #[test]
    fn noise_of_rooms_changes_nothing() {
        let changes = converse(20, 10_000, |id, at| {
            Some(-75 + ((at / 20 * 7 + id * 13) % 11) as i8)
        });
        assert_eq!(changes, []);
    }

    #[test]
    fn people_who_answer_each_other_take_places_once() {
        let changes = converse(20, 60_000, |id, at| {
            let speaks = [1, 11, 15][(at / 2_000 % 3) as usize];
            Some(if id == speaks { -28 } else { QUIET })
        });
        assert_eq!(changes.len(), 2, "{changes:?}");
    }

    #[test]
    fn a_key_or_a_cough_takes_nobodys_place_who_speaks() {
        for (what, length) in [("keys", 20), ("a cough", 60)] {
            let changes = converse(6, 30_000, |id, at| {
                Some(match id {
                    6 if at % 700 < length => -22,
                    6 => QUIET,
                    _ => talk(id, at, -32),
                })
            });
            assert_eq!(changes, [], "{what}");
        }
    }

    #[test]
    fn a_clearly_louder_voice_displaces_the_softest_speaker_within_100_ms() {
        let changes = converse(6, 10_000, |id, at| {
            Some(match id {
                6 if at >= 5_000 => talk(id, at + 780, -25),
                6 => QUIET,
                3 => talk(id, at, -45),
                _ => talk(id, at, -32),
            })
        });
        let [(at, 6, 3)] = changes[..] else {
            panic!("{changes:?}")
        };
        assert!((5_000..=5_100).contains(&at), "{at}");
    }

    #[test]
    fn equally_loud_voices_do_not_push_each_other_out() {
        let changes = converse(8, 30_000, |id, at| Some(talk(id, at, -30 - (id % 3) as i8)));
        assert_eq!(changes, []);
    }

    #[test]
    fn laughter_of_all_at_once_settles() {
        let changes = converse(20, 6_000, |id, at| {
            let bursts = (at / 20 * 31 + id * 17) % 23;
            let laughs = (1_000..4_000).contains(&at) && bursts < 15;
            Some(if laughs {
                -40 + (bursts as i8) + (id % 4) as i8
            } else {
                QUIET
            })
        });
        // Five take the places of the quiet at once; later changes are for clearly louder ones only.
        assert!(changes.len() <= 12, "{changes:?}");
    }

    #[test]
    fn music_is_heard_beside_five_who_talk() {
        let changes = converse(6, 30_000, |id, at| {
            Some(match id {
                6 if at < 5_000 => QUIET,
                6 => -18 - (at / 20 % 4) as i8,
                _ => talk(id, at, -32),
            })
        });
        let [(at, 6, _)] = changes[..] else {
            panic!("{changes:?}")
        };
        assert!((5_000..=5_150).contains(&at), "{at}");
    }

    #[test]
    fn a_place_is_kept_for_a_while_after_the_last_word() {
        // Five speak until 2 s; the sixth is softer and waits.
        let changes = converse(6, 6_000, |id, at| {
            Some(match id {
                6 => -40,
                2 if at >= 1_900 => QUIET,
                _ if at >= 2_000 => QUIET,
                _ => -36,
            })
        });
        let [(at, 6, 2)] = changes[..] else {
            panic!("the longest quiet one leaves first: {changes:?}")
        };
        assert!((3_380..3_420).contains(&at), "{at}");
    }

    #[test]
    fn a_microphone_without_levels_is_heard_and_comes_last() {
        let changes = converse(6, 8_000, |id, at| match id {
            1 => None,
            6 if at >= 4_000 => Some(-40),
            6 => Some(QUIET),
            _ => Some(talk(id, at, -30)),
        });
        assert_eq!(
            changes
                .iter()
                .map(|(_, came, went)| (*came, *went))
                .collect::<Vec<_>>(),
            [(6, 1)]
        );
    }

    #[test]
    fn one_who_sends_nothing_any_more_makes_room_first() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut loudest = Loudest::new(2);
        (1..=3).for_each(|id| loudest.open(start, PeerId(id)));
        for ms in (0..400).step_by(20) {
            loudest.hear(at(ms), PeerId(1), Some(-64));
        }
        assert_eq!(
            loudest.hear(at(400), PeerId(3), Some(-40)),
            Hearing::Instead(PeerId(2))
        );
    }

    #[test]
    fn with_as_many_places_as_microphones_everybody_is_heard() {
        let start = Instant::now();
        let mut loudest = Loudest::new(2);
        let (a, b, c) = (PeerId(1), PeerId(2), PeerId(3));
        let hear = |loudest: &mut Loudest, peer| loudest.hear(start, peer, Some(-90));
        loudest.open(start, a);
        loudest.open(start, b);
        loudest.open(start, b);
        loudest.open(start, c);
        assert_eq!(hear(&mut loudest, b), Hearing::Forward);
        assert_eq!(hear(&mut loudest, c), Hearing::Hold);
        loudest.shut(a);
        assert_eq!(hear(&mut loudest, c), Hearing::Forward, "moved up");
        assert_eq!(hear(&mut loudest, a), Hearing::Hold, "is muted");
        loudest.open(start, a);
        loudest.shut(b);
        loudest.shut(c);
        assert_eq!(hear(&mut loudest, a), Hearing::Forward);
    }
}
