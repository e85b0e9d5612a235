//! What was sent and not yet answered for, by transport-wide sequence number: a bounded ring. Turns feedback into
//! "this packet, sent then, arrived then" exactly once per packet, whatever the feedback's order. Judges nothing.

use std::collections::VecDeque;

use super::feedback::{Feedback, MAX_PACKETS, REFERENCE_US, TICK_US};

/// A packet that was said to be lost may still be said to have arrived.
const LATE_US: i64 = 500_000;
/// A packet that newer feedback passed over: the feedback about it was lost.
const FORGOTTEN_US: i64 = 2_000_000;
/// How often a client tells of one packet at most: reordering makes it tell again.
const TOLD_OF: usize = 16;
/// Width of the reference time, which wraps.
const REFERENCE_BITS: u32 = 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Unknown,
    Arrived,
    Lost,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    sent_us: i64,
    bytes: u16,
    fate: Fate,
}

/// A packet of which the fate is known now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub sequence: u64,
    pub sent_us: i64,
    pub bytes: u32,
    /// By the receiver's clock. `None`: lost, as far as the receiver knows.
    pub arrived_us: Option<i64>,
    /// It had been said to be lost before.
    pub was_lost: bool,
}

#[derive(Debug, Default)]
pub(crate) struct History {
    packets: VecDeque<Packet>,
    /// Sequence number of the first of them.
    first: u64,
    /// Reference time of the newest message, without wraps.
    reference: Option<i64>,
    /// Up to where feedback has told about packets.
    told: u64,
    /// Bytes of the packets from there on.
    in_flight: u64,
    /// Packets that messages may tell about before more are sent.
    may_be_told: usize,
}

impl History {
    /// Gives the packet's extended sequence number; what is written into the packet are its lower 16 bits.
    pub fn sent(&mut self, now_us: i64, bytes: usize) -> u64 {
        if self.packets.len() >= MAX_PACKETS {
            self.tell(self.first + 1);
            self.packets.pop_front();
            self.first += 1;
        }
        self.may_be_told = (self.may_be_told + TOLD_OF).min(TOLD_OF * MAX_PACKETS);
        let sequence = self.next();
        let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        self.in_flight += u64::from(bytes);
        self.packets.push_back(Packet {
            sent_us: now_us,
            bytes,
            fate: Fate::Unknown,
        });
        sequence
    }

    /// The sequence number of the next packet.
    pub fn next(&self) -> u64 {
        self.first + self.packets.len() as u64
    }

    /// The extended number of the first packet of a message. `None` if it tells about packets that were never sent, or
    /// too often about the same: a few bytes tell about thousands, and each takes a look.
    pub fn base(&mut self, feedback: &Feedback<'_>) -> Option<u64> {
        let base = self.extend(feedback.base, feedback.count)?;
        let count = usize::from(feedback.count);
        self.may_be_told = self.may_be_told.checked_sub(count)?;
        Some(base)
    }

    /// Reports each packet whose fate is news. Gives when the newest packet was sent that this message says has
    /// arrived.
    pub fn answer(
        &mut self,
        now_us: i64,
        base: u64,
        feedback: &Feedback<'_>,
        mut answered: impl FnMut(Answered),
    ) -> Option<i64> {
        let reference_us = self.unwrap(feedback.reference) * REFERENCE_US;
        let mut newest = None;
        for (sequence, ticks) in (base..).zip(feedback.arrivals()) {
            let Some(packet) = sequence
                .checked_sub(self.first)
                .and_then(|index| self.packets.get_mut(usize::try_from(index).ok()?))
            else {
                continue;
            };
            let fate = if ticks.is_some() {
                Fate::Arrived
            } else {
                Fate::Lost
            };
            if packet.fate == Fate::Arrived || packet.fate == fate {
                continue;
            }
            let was_lost = packet.fate == Fate::Lost;
            packet.fate = fate;
            if fate == Fate::Arrived {
                newest = newest.max(Some(packet.sent_us));
            }
            answered(Answered {
                sequence,
                sent_us: packet.sent_us,
                bytes: packet.bytes.into(),
                arrived_us: ticks.map(|ticks| reference_us + ticks * TICK_US),
                was_lost,
            });
        }
        self.tell(base + u64::from(feedback.count));
        self.forget(now_us);
        newest
    }

    /// Feedback has told about packets below this.
    pub fn told(&self) -> u64 {
        self.told
    }

    /// Bytes that left and that no feedback told about.
    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    fn tell(&mut self, told: u64) {
        for sequence in self.told..told {
            let packet = sequence
                .checked_sub(self.first)
                .and_then(|index| self.packets.get(usize::try_from(index).ok()?));
            let bytes = packet.map_or(0, |packet| u64::from(packet.bytes));
            self.in_flight = self.in_flight.saturating_sub(bytes);
        }
        self.told = self.told.max(told);
    }

    fn forget(&mut self, now_us: i64) {
        while let Some(packet) = self.packets.front() {
            let age_us = now_us - packet.sent_us;
            let done = match packet.fate {
                Fate::Arrived => true,
                Fate::Lost => age_us > LATE_US,
                Fate::Unknown => age_us > FORGOTTEN_US && self.first < self.told,
            };
            if !done {
                break;
            }
            self.packets.pop_front();
            self.first += 1;
        }
    }

    /// The extended number of the first packet of a message. All of its packets must have been sent.
    fn extend(&self, base: u16, count: u16) -> Option<u64> {
        let newest = self.next().checked_sub(1)?;
        let last = base.wrapping_add(count.wrapping_sub(1));
        let back = (newest as u16).wrapping_sub(last);
        // What is further back is so old that it is forgotten, or lies ahead of all that was sent.
        if back >= 1 << 15 {
            return None;
        }
        newest.checked_sub(u64::from(back) + u64::from(count) - 1)
    }

    fn unwrap(&mut self, reference: u32) -> i64 {
        let reference = i64::from(reference);
        let Some(newest) = self.reference else {
            self.reference = Some(reference);
            return reference;
        };
        let span = 1_i64 << REFERENCE_BITS;
        let ahead = (reference - newest).rem_euclid(span);
        if ahead < span / 2 {
            self.reference = Some(newest + ahead);
            newest + ahead
        } else {
            newest + ahead - span
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of (arrived, count), each arrival one tick after the other.
    fn message(base: u16, reference: u32, runs: &[(bool, u16)]) -> Vec<u8> {
        let count: u16 = runs.iter().map(|(_, count)| count).sum();
        let mut fci = [base.to_be_bytes(), count.to_be_bytes()].concat();
        fci.extend(&reference.to_be_bytes()[1..]);
        fci.push(0);
        for (arrived, count) in runs {
            fci.extend((u16::from(*arrived) << 13 | count).to_be_bytes());
        }
        for (arrived, count) in runs {
            fci.extend(vec![1; usize::from(*count) * usize::from(*arrived)]);
        }
        fci
    }

    fn answer(history: &mut History, now_us: i64, fci: &[u8]) -> Option<Vec<Answered>> {
        let mut all = vec![];
        let feedback = Feedback::parse(fci).unwrap();
        let base = history.base(&feedback)?;
        history.answer(now_us, base, &feedback, |packet| all.push(packet));
        Some(all)
    }

    fn sent(packets: u64) -> History {
        let mut history = History::default();
        for packet in 0..packets {
            assert_eq!(history.sent(packet as i64 * 1_000, 1_200), packet);
        }
        history
    }

    fn numbers(answered: Option<Vec<Answered>>) -> Vec<(u64, bool)> {
        let answered = answered.expect("a message about what was sent");
        answered
            .iter()
            .map(|packet| (packet.sequence, packet.arrived_us.is_some()))
            .collect()
    }

    #[test]
    fn each_packet_is_answered_once_in_whatever_order_messages_come() {
        let mut history = sent(10);
        let (first, second) = (
            message(0, 5, &[(true, 2), (false, 1), (true, 1)]),
            message(4, 5, &[(true, 3)]),
        );
        let expected = [(4, true), (5, true), (6, true)];
        assert_eq!(numbers(answer(&mut history, 20_000, &second)), expected);
        let expected = [(0, true), (1, true), (2, false), (3, true)];
        assert_eq!(numbers(answer(&mut history, 21_000, &first)), expected);
        assert_eq!(
            numbers(answer(&mut history, 22_000, &first)),
            [],
            "a duplicate"
        );
        let late = message(2, 6, &[(true, 1)]);
        let found = answer(&mut history, 23_000, &late).unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].was_lost && found[0].arrived_us.is_some());
        assert_eq!(numbers(answer(&mut history, 24_000, &late)), []);
    }

    #[test]
    fn messages_about_packets_that_were_never_sent_are_refused() {
        assert_eq!(answer(&mut sent(0), 0, &message(0, 0, &[(true, 1)])), None);
        assert_eq!(answer(&mut sent(10), 0, &message(5, 0, &[(true, 6)])), None);
        assert_eq!(
            answer(&mut sent(10), 0, &message(65_530, 0, &[(true, 8)])),
            None
        );
        assert_eq!(
            answer(&mut sent(10), 0, &message(300, 0, &[(true, 8)])),
            None
        );
    }

    #[test]
    fn a_client_that_tells_of_the_same_packets_for_ever_is_not_listened_to_for_ever() {
        let mut history = sent(5_000);
        let fci = message(904, 0, &[(false, 4_096)]);
        let heard = (0..1_000).filter(|_| answer(&mut history, 0, &fci).is_some());
        assert_eq!(heard.count(), TOLD_OF);
        history.sent(0, 100);
        let fci = message(5_000, 0, &[(true, 1)]);
        let answered = numbers(answer(&mut history, 0, &fci));
        assert_eq!(answered, [(5_000, true)], "what is new is news");
    }

    #[test]
    fn numbers_and_the_receivers_clock_wrap() {
        let mut history = sent(0);
        let (mut reference, mut last_us) = (0x00ff_ff00_u32, None);
        for round in 0..3_000 {
            for _ in 0..50 {
                history.sent(round * 64_000, 100);
            }
            let fci = message((round * 50) as u16, reference, &[(true, 50)]);
            let all = answer(&mut history, round * 64_000 + 10_000, &fci).unwrap();
            assert_eq!(all.len(), 50);
            assert_eq!(all[0].sequence, round as u64 * 50);
            let arrived_us = all[0].arrived_us.unwrap();
            if let Some(last_us) = last_us {
                assert_eq!(arrived_us - last_us, 64_000, "round {round}");
            }
            last_us = Some(arrived_us);
            reference = (reference + 1) & 0x00ff_ffff;
        }
    }

    #[test]
    fn what_nobody_answers_for_is_bounded() {
        let mut history = sent(100_000);
        assert_eq!(history.packets.len(), MAX_PACKETS);
        assert_eq!(history.next(), 100_000);
        let fci = message((100_000_u64 - 10) as u16, 0, &[(true, 10)]);
        assert_eq!(answer(&mut history, 200_000_000, &fci).unwrap().len(), 10);
        assert!(
            history.packets.is_empty(),
            "and what was passed over is forgotten"
        );
        assert!(size_of::<Packet>() <= 16);
    }
}
