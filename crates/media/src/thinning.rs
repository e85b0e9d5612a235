//! Leaves the pictures of upper temporal layers out of one stream, and all sizes but one where it has several, and counts
//! what it left out, so that what remains can have numbers without a gap. Works picture by picture; knows neither receivers
//! nor rates.
//!
//! Down at any picture; up one layer at a time, at a picture of that layer that needs nothing but the base layer, or all the
//! way after a picture that says so.

use std::collections::VecDeque;

use crate::codec::Spatial;
use crate::rewriter::Arrival;

/// Every temporal layer.
pub(crate) const ALL: u8 = u8::MAX;
/// Runs of packets that are remembered, so that late ones find their place: some five seconds.
const RUNS: usize = 64;
/// And changes: it takes two to climb from the bottom to the top, one to fall.
const TURNS: usize = 6;

#[derive(Debug)]
pub(crate) struct Thinning {
    /// The one size that goes out, of those that the stream has.
    size: u8,
    /// From which packet on which temporal layer was the uppermost that goes out, the newest first.
    turns: [(u64, u8); TURNS],
    /// The packet that comes next if none is missing.
    next: u64,
    /// The timestamp of the newest picture, and whether it goes out, as far as time decides.
    picture: Option<(u32, bool)>,
    /// The size that the newest packet was of.
    newest: u8,
    /// Up to which layer one can climb with the next picture.
    open_to: u8,
    /// What was left out, oldest first.
    runs: VecDeque<Run>,
    forgotten: Option<Run>,
}

/// Packets in a row that were left out.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: u64,
    last: u64,
    /// With those before.
    all: LeftOut,
}

/// What was left out before a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub packets: u64,
    /// Modulo 2^16.
    pub pictures: u16,
}

const NOTHING: LeftOut = LeftOut {
    packets: 0,
    pictures: 0,
};

/// A packet that has a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub before: LeftOut,
    /// It is left out, but came too late for others not to wait for its number.
    pub is_blank: bool,
}

impl Thinning {
    /// From a keyframe on, in one of its sizes.
    pub fn new(first: u64, most: u8, size: u8) -> Self {
        Self {
            size,
            newest: 0,
            open_to: 0,
            turns: [(first, most); TURNS],
            next: first,
            picture: None,
            runs: VecDeque::new(),
            forgotten: None,
        }
    }

    /// The packet that comes next if none is missing.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// What is missing before this packet is not counted as left out.
    pub fn leap(&mut self, to: u64) {
        self.next = to;
    }

    /// `None` for a packet that is left out. `wanted` is the uppermost temporal layer that should go out.
    pub fn place(&mut self, packet: &Arrival, wanted: u8) -> Option<Place> {
        if packet.sequence < self.next {
            return self.place_late(packet);
        }
        let expected = self.next;
        self.next = packet.sequence.saturating_add(1);
        let (is_in_time, is_new) = match self.picture {
            Some((timestamp, goes_out)) if timestamp == packet.timestamp => (goes_out, false),
            _ => {
                let in_order = packet.sequence == expected && packet.starts_picture;
                (self.turn(packet, wanted, in_order), true)
            }
        };
        self.picture = Some((packet.timestamp, is_in_time));
        let size = packet.spatial.map_or(0, |spatial| spatial.id);
        let before = std::mem::replace(&mut self.newest, size);
        if is_in_time && self.serves(packet) {
            return Some(Place {
                before: self.left_out(),
                is_blank: false,
            });
        }
        // What is missing between two packets of a frame is of that frame.
        let first = match is_new || size != before {
            true => packet.sequence,
            false => expected,
        };
        self.leave_out(first, packet.sequence, is_new && packet.spatial.is_none());
        None
    }

    /// A stream that does not tell sizes apart has one.
    fn serves(&self, packet: &Arrival) -> bool {
        let serves = |spatial: Spatial| spatial.serves.checked_shr(self.size.into());
        packet
            .spatial
            .is_none_or(|spatial| serves(spatial).is_some_and(|bits| bits & 1 == 1))
    }

    /// The packet is the last of its picture, as far as that goes out.
    pub fn ends_picture(&self, packet: &Arrival) -> bool {
        let is_top = |spatial: Spatial| spatial.ends_frame && spatial.id == self.size;
        packet.spatial.is_some_and(is_top)
    }

    fn place_late(&self, packet: &Arrival) -> Option<Place> {
        let at = packet.sequence;
        if self.forgotten.is_some_and(|run| at <= run.last) {
            return None;
        }
        let run = self.runs.iter().rev().find(|run| run.first <= at);
        if run.is_some_and(|run| at <= run.last) {
            return None;
        }
        Some(Place {
            before: run
                .or(self.forgotten.as_ref())
                .map_or(NOTHING, |run| run.all),
            is_blank: packet.temporal.id > self.most_at(at) || !self.serves(packet),
        })
    }

    fn most_at(&self, sequence: u64) -> u8 {
        let [.., (_, oldest)] = self.turns;
        let turn = self.turns.iter().find(|(since, _)| *since <= sequence);
        turn.map_or(oldest, |(_, most)| *most)
    }

    /// At the beginning of a picture. Whether it goes out.
    fn turn(&mut self, packet: &Arrival, wanted: u8, in_order: bool) -> bool {
        let [(_, now), ..] = self.turns;
        let temporal = packet.temporal;
        if !in_order {
            // What is missing may have been of any layer.
            self.open_to = 0;
            return temporal.id <= now;
        }
        let climbs = temporal.is_sync && Some(temporal.id) == now.checked_add(1);
        let most = match climbs && temporal.id <= wanted {
            true => temporal.id,
            false => now.max(self.open_to).min(wanted),
        };
        if most != now {
            self.turns.rotate_right(1);
            let [newest, ..] = &mut self.turns;
            *newest = (packet.sequence, most);
        }
        let goes_out = temporal.id <= most;
        if !goes_out {
            self.open_to = self.open_to.min(temporal.id - 1);
        } else if temporal.opens {
            self.open_to = ALL;
        }
        goes_out
    }

    fn leave_out(&mut self, first: u64, last: u64, is_new_picture: bool) {
        let before = self.left_out();
        let all = LeftOut {
            packets: before.packets + (last + 1 - first),
            pictures: before.pictures.wrapping_add(u16::from(is_new_picture)),
        };
        if let Some(run) = self.runs.back_mut()
            && run.last + 1 == first
        {
            (run.last, run.all) = (last, all);
            return;
        }
        if self.runs.len() == RUNS {
            self.forgotten = self.runs.pop_front();
        }
        self.runs.push_back(Run { first, last, all });
    }

    fn left_out(&self) -> LeftOut {
        let newest = self.runs.back().or(self.forgotten.as_ref());
        newest.map_or(NOTHING, |run| run.all)
    }
}
