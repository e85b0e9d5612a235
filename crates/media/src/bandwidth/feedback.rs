//! Reads transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1): which packets
//! arrived and when, by the receiver's clock. Trusts nothing, keeps nothing: a view into the message, walked once to
//! check it and once to read it.

use std::slice::ChunksExact;

/// More packets than this are never on their way to one peer, so a message about more makes no sense.
pub(crate) const MAX_PACKETS: usize = 4_096;
/// Deltas count quarters of a millisecond, the reference time counts 64 ms.
pub(crate) const TICK_US: i64 = 250;
pub(crate) const REFERENCE_US: i64 = 64_000;

const HEADER: usize = 8;
const CHUNK: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symbol {
    NotReceived,
    SmallDelta,
    LargeDelta,
}

impl Symbol {
    fn new(bits: u16) -> Option<Self> {
        match bits & 0b11 {
            0 => Some(Symbol::NotReceived),
            1 => Some(Symbol::SmallDelta),
            2 => Some(Symbol::LargeDelta),
            _ => None,
        }
    }

    fn delta_bytes(self) -> usize {
        match self {
            Symbol::NotReceived => 0,
            Symbol::SmallDelta => 1,
            Symbol::LargeDelta => 2,
        }
    }
}

/// Sixteen bits that tell the fate of a run of packets.
#[derive(Clone, Copy, Debug)]
struct Chunk(u16);

impl Chunk {
    fn is_run(self) -> bool {
        self.0 & 0x8000 == 0
    }

    fn is_one_bit(self) -> bool {
        self.0 & 0x4000 == 0
    }

    fn len(self) -> u16 {
        match (self.is_run(), self.is_one_bit()) {
            (true, _) => self.0 & 0x1fff,
            (false, true) => 14,
            (false, false) => 7,
        }
    }

    fn symbol(self, index: u16) -> Option<Symbol> {
        match (self.is_run(), self.is_one_bit()) {
            (true, _) => Symbol::new(self.0 >> 13),
            (false, true) => Symbol::new((self.0 >> 13_u16.saturating_sub(index)) & 1),
            (false, false) => Symbol::new(self.0 >> (12_u16.saturating_sub(2 * index))),
        }
    }
}

/// One message that makes sense.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Feedback<'a> {
    /// Sequence number of the first packet that it tells about.
    pub base: u16,
    pub count: u16,
    /// 24 bits, in units of `REFERENCE_US`; wraps.
    pub reference: u32,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

impl<'a> Feedback<'a> {
    pub fn parse(fci: &'a [u8]) -> Option<Self> {
        let (header, rest) = fci.split_first_chunk::<HEADER>()?;
        let [b0, b1, c0, c1, r0, r1, r2, _number] = *header;
        let count = u16::from_be_bytes([c0, c1]);
        if count == 0 || usize::from(count) > MAX_PACKETS {
            return None;
        }
        let (mut left, mut chunk_bytes, mut delta_bytes) = (count, 0, 0);
        let mut chunks = rest.chunks_exact(CHUNK);
        while left > 0 {
            let chunk = read_chunk(&mut chunks)?;
            let told = chunk.len().min(left);
            if told == 0 {
                return None;
            }
            if chunk.is_run() {
                delta_bytes += usize::from(told) * chunk.symbol(0)?.delta_bytes();
            } else {
                for index in 0..told {
                    delta_bytes += chunk.symbol(index)?.delta_bytes();
                }
            }
            left -= told;
            chunk_bytes += CHUNK;
        }
        let (chunks, deltas) = rest.split_at_checked(chunk_bytes)?;
        Some(Self {
            base: u16::from_be_bytes([b0, b1]),
            count,
            reference: u32::from_be_bytes([0, r0, r1, r2]),
            chunks,
            deltas: deltas.get(..delta_bytes)?,
        })
    }

    /// One item per packet from `base` on: when it arrived, in ticks since the reference time; `None` if it did not.
    pub fn arrivals(&self) -> Arrivals<'a> {
        Arrivals {
            chunks: self.chunks.chunks_exact(CHUNK),
            chunk: Chunk(0),
            index: 0,
            left: self.count,
            deltas: self.deltas,
            ticks: 0,
        }
    }
}

pub(crate) struct Arrivals<'a> {
    chunks: ChunksExact<'a, u8>,
    chunk: Chunk,
    index: u16,
    left: u16,
    deltas: &'a [u8],
    ticks: i64,
}

impl Iterator for Arrivals<'_> {
    type Item = Option<i64>;

    fn next(&mut self) -> Option<Option<i64>> {
        if self.left == 0 {
            return None;
        }
        if self.index >= self.chunk.len() {
            self.chunk = read_chunk(&mut self.chunks)?;
            self.index = 0;
        }
        let symbol = self.chunk.symbol(self.index)?;
        self.index += 1;
        self.left -= 1;
        let delta = match symbol {
            Symbol::NotReceived => return Some(None),
            Symbol::SmallDelta => {
                let (byte, rest) = self.deltas.split_first()?;
                self.deltas = rest;
                i64::from(*byte)
            }
            Symbol::LargeDelta => {
                let (bytes, rest) = self.deltas.split_first_chunk::<2>()?;
                self.deltas = rest;
                i64::from(i16::from_be_bytes(*bytes))
            }
        };
        self.ticks += delta;
        Some(Some(self.ticks))
    }
}

fn read_chunk(chunks: &mut ChunksExact<'_, u8>) -> Option<Chunk> {
    let [high, low] = *chunks.next()?.first_chunk::<CHUNK>()?;
    Some(Chunk(u16::from_be_bytes([high, low])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::network::Random;

    fn message(base: u16, count: u16, reference: u32, rest: &[u8]) -> Vec<u8> {
        let mut fci = vec![];
        fci.extend(base.to_be_bytes());
        fci.extend(count.to_be_bytes());
        fci.extend(&reference.to_be_bytes()[1..]);
        fci.push(7);
        fci.extend(rest);
        fci
    }

    fn check(what: &str, count: u16, rest: &[u8], expected: &[Option<i64>]) {
        let fci = message(65_530, count, 0x00ab_cdef, rest);
        let feedback = Feedback::parse(&fci).expect(what);
        assert_eq!((feedback.base, feedback.reference), (65_530, 0x00ab_cdef));
        assert_eq!(feedback.arrivals().collect::<Vec<_>>(), expected, "{what}");
    }

    #[test]
    fn every_kind_of_chunk_and_delta_is_read() {
        check(
            "a run of small deltas",
            3,
            &[0x20, 3, 4, 0, 255],
            &[Some(4), Some(4), Some(259)],
        );
        check("a run of lost packets", 2, &[0x00, 2], &[None, None]);
        check(
            "large and negative deltas",
            2,
            &[0x40, 2, 0x01, 0x00, 0xff, 0xff],
            &[Some(256), Some(255)],
        );
        check(
            "one bit each, fewer packets than bits",
            4,
            &[0b1010_1100, 0, 1, 1, 2],
            &[Some(1), None, Some(2), Some(4)],
        );
        check(
            "two bits each, then a run",
            9,
            &[0b1101_1000, 0b0000_0001, 0x20, 2, 8, 0, 16, 1, 1, 1],
            &[
                Some(8),
                Some(24),
                None,
                None,
                None,
                None,
                Some(25),
                Some(26),
                Some(27),
            ],
        );
        check("padding behind", 1, &[0x20, 1, 9, 0, 0, 0], &[Some(9)]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let table: &[(&str, Vec<u8>)] = &[
            ("nothing", vec![]),
            ("half a header", vec![0; 7]),
            ("about no packet", message(0, 0, 0, &[0x20, 1, 0])),
            ("no chunk", message(0, 1, 0, &[])),
            ("half a chunk", message(0, 1, 0, &[0x20])),
            ("a run of none", message(0, 1, 0, &[0x20, 0, 0, 0])),
            ("too few chunks", message(0, 20, 0, &[0x80, 0])),
            ("too few deltas", message(0, 3, 0, &[0x20, 3, 1, 1])),
            ("half a large delta", message(0, 1, 0, &[0x40, 1, 1])),
            (
                "the reserved symbol in a run",
                message(0, 1, 0, &[0x60, 1, 1, 1]),
            ),
            (
                "the reserved symbol in a vector",
                message(0, 1, 0, &[0xf0, 0, 1, 1]),
            ),
            (
                "more packets than can be on their way",
                message(0, 60_000, 0, &[0x1f; 64]),
            ),
        ];
        for (what, fci) in table {
            assert!(Feedback::parse(fci).is_none(), "{what}");
        }
    }

    #[test]
    fn noise_gives_as_many_arrivals_as_it_says_or_nothing() {
        let mut random = Random(3);
        let mut accepted = 0;
        for _ in 0..50_000 {
            let length = random.below(60) as usize;
            let mut fci: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
            if let Some(high) = fci.get_mut(2) {
                *high &= 1;
            }
            if let Some(feedback) = Feedback::parse(&fci) {
                assert_eq!(feedback.arrivals().count(), usize::from(feedback.count));
                accepted += 1;
            }
        }
        assert!(
            accepted > 500,
            "{accepted} of the messages were well-formed"
        );
    }
}
