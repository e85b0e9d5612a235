//! Redundancy of sound (RFC 2198): a packet that also carries the ones before it. Taken apart where it comes in, so that
//! all who receive get plain packets or redundancy of ours, and what was lost on the way here is whole again.

use std::collections::VecDeque;
use std::sync::Arc;

use str0m::rtp::RedDecoder;

use crate::egress::PassedOn;
use crate::opus;
use crate::packet::{Incoming, Packet};

/// Packets whose arrival is remembered.
const REMEMBERED: usize = 32;
/// How many of the packets before one it may carry.
pub(crate) const MOST_BLOCKS: usize = 2;
/// What the fields of a block's header can say (RFC 2198, section 3).
const MOST_OFFSET: u32 = (1 << 14) - 1;
const MOST_BYTES: usize = (1 << 10) - 1;

/// An earlier packet, as it may be carried by a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// How much earlier, in units of the RTP clock.
    pub offset: u32,
    pub payload: Arc<[u8]>,
}

/// What has come of one source of sound.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    ssrc: u32,
    /// Sequence and timestamp of the newest, whether they came by themselves or in another one.
    packets: VecDeque<(u64, u32)>,
}

impl Arrived {
    /// The packet without its redundancy, and before it those that had not come. Empty for one that came already, and for
    /// what makes no sense.
    pub fn take_in(&mut self, packet: Incoming, is_red: bool) -> Vec<Incoming> {
        if packet.ssrc != self.ssrc {
            (self.ssrc, self.packets) = (packet.ssrc, VecDeque::new());
        }
        if self.has(packet.sequence) {
            return vec![];
        }
        let mut all = vec![];
        if is_red {
            let Ok(blocks) = RedDecoder::decode(&packet.payload) else {
                return vec![];
            };
            let primary = blocks.iter().rfind(|block| block.is_primary);
            let Some(primary) = primary else {
                return vec![];
            };
            let earlier = blocks.iter().rev().filter(|block| !block.is_primary);
            for (block, back) in earlier.take(MOST_BLOCKS).zip(1..) {
                if block.pt == primary.pt {
                    all.extend(self.recover(&packet, back, block.timestamp_offset, block.payload));
                }
            }
            all.reverse();
            let payload = Arc::from(primary.payload);
            all.push(Incoming { payload, ..packet });
        } else {
            all.push(packet);
        }
        for packet in &all {
            self.note(packet.sequence, packet.timestamp);
        }
        all
    }

    /// The packet so many before this one, if it is missing and lies where it should.
    fn recover(
        &self,
        carrier: &Incoming,
        back: u64,
        offset: u32,
        payload: &[u8],
    ) -> Option<Incoming> {
        let sequence = carrier.sequence.checked_sub(back)?;
        let timestamp = carrier.timestamp.wrapping_sub(offset);
        let mut known = self.packets.iter().rev();
        let (_, before) = known.find(|(known, _)| *known < sequence)?;
        let since = timestamp.wrapping_sub(*before).cast_signed();
        if self.has(sequence) || offset == 0 || since <= 0 || payload.is_empty() {
            return None;
        }
        Some(Incoming {
            sequence,
            timestamp,
            marker: false,
            // Blocks have none of their own.
            extensions: PassedOn::default(),
            payload: payload.into(),
            ..carrier.clone()
        })
    }

    fn has(&self, sequence: u64) -> bool {
        self.packets.iter().any(|(known, _)| *known == sequence)
    }

    fn note(&mut self, sequence: u64, timestamp: u32) {
        let later = self
            .packets
            .iter()
            .rev()
            .take_while(|(known, _)| *known > sequence);
        let at = self.packets.len() - later.count();
        self.packets.insert(at, (sequence, timestamp));
        if self.packets.len() > REMEMBERED {
            self.packets.pop_front();
        }
    }
}

/// What this packet can carry of those before it, the nearest first. Nothing from before a pause: only what it follows
/// without a gap is of use when it is lost.
pub(crate) fn blocks<'a>(
    packet: &Packet,
    recent: impl DoubleEndedIterator<Item = &'a Packet>,
) -> Vec<Block> {
    let mut blocks = vec![];
    if packet.encrypted || opus::is_silence(&packet.payload) {
        return blocks;
    }
    let (mut sequence, mut offset) = (packet.arrival.sequence, 0);
    for earlier in recent.rev() {
        let Some(duration) = opus::duration(&earlier.payload) else {
            break;
        };
        sequence = sequence.wrapping_sub(1);
        offset += duration;
        let arrival = earlier.arrival;
        let follows = arrival.origin == packet.arrival.origin
            && arrival.sequence == sequence
            && packet.arrival.timestamp.wrapping_sub(arrival.timestamp) == offset;
        let fits = offset <= MOST_OFFSET && earlier.payload.len() <= MOST_BYTES;
        if !follows || !fits || opus::is_silence(&earlier.payload) || blocks.len() == MOST_BLOCKS {
            break;
        }
        blocks.push(Block {
            offset,
            payload: earlier.payload.clone(),
        });
    }
    blocks
}

/// The payload of a packet that carries earlier ones, given the nearest first.
pub(crate) fn write(buffer: &mut Vec<u8>, payload_type: u8, blocks: &[Block], payload: &[u8]) {
    for block in blocks.iter().rev() {
        let length = block.payload.len() as u32;
        let fields = block.offset << 10 | length;
        let [_, high, middle, low] = fields.to_be_bytes();
        buffer.extend([0x80 | payload_type, high, middle, low]);
    }
    buffer.push(payload_type);
    for block in blocks.iter().rev() {
        buffer.extend_from_slice(&block.payload);
    }
    buffer.extend_from_slice(payload);
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests need one arbitrary instant to count from"
)]
mod tests {
    use std::time::Instant;

    use str0m::rtp::{RedEncoder, RedundantBlock};

    use super::*;

    const OPUS: u8 = 111;

    /// A packet whose payload is its sequence number, with those before it as (how many back, offset).
    fn packet(sequence: u64, timestamp: u32, earlier: &[(u64, u32)]) -> Incoming {
        let payload = |sequence: u64| vec![0x78, sequence as u8];
        let blocks: Vec<RedundantBlock> = earlier
            .iter()
            .map(|(back, offset)| RedundantBlock {
                pt: OPUS,
                timestamp_offset: *offset,
                payload: payload(sequence - back),
            })
            .collect();
        Incoming {
            ssrc: 1,
            payload_type: OPUS,
            sequence,
            timestamp,
            arrived: Instant::now(),
            marker: false,
            extensions: PassedOn::default(),
            descriptor: None,
            payload: RedEncoder::encode(OPUS, &payload(sequence), &blocks).into(),
        }
    }

    /// What comes out per packet that comes in: sequence and timestamp.
    fn check(description: &str, table: &[(Incoming, &[(u64, u32)])]) {
        let mut arrived = Arrived::default();
        for (packet, expected) in table {
            let out = arrived.take_in(packet.clone(), true);
            let numbers: Vec<(u64, u32)> = out
                .iter()
                .map(|packet| {
                    assert_eq!(
                        *packet.payload,
                        [0x78, packet.sequence as u8],
                        "{description}"
                    );
                    (packet.sequence, packet.timestamp)
                })
                .collect();
            assert_eq!(numbers, *expected, "{description}, {}", packet.sequence);
        }
    }

    #[test]
    fn a_lost_packet_comes_out_of_the_next_one() {
        check(
            "11 is lost",
            &[
                (packet(10, 0, &[]), &[(10, 0)]),
                (packet(12, 1_920, &[(1, 960)]), &[(11, 960), (12, 1_920)]),
                (packet(11, 960, &[(1, 960)]), &[]),
                (packet(13, 2_880, &[(1, 960)]), &[(13, 2_880)]),
                (packet(13, 2_880, &[(1, 960)]), &[]),
            ],
        );
        check(
            "two in a row are lost",
            &[
                (packet(10, 0, &[]), &[(10, 0)]),
                (
                    packet(13, 2_880, &[(2, 1_920), (1, 960)]),
                    &[(11, 960), (12, 1_920), (13, 2_880)],
                ),
            ],
        );
        check(
            "across the turn of the clock",
            &[
                (packet(10, u32::MAX - 959, &[]), &[(10, u32::MAX - 959)]),
                (packet(12, 960, &[(1, 960)]), &[(11, 0), (12, 960)]),
            ],
        );
    }

    #[test]
    fn what_lies_nowhere_is_not_recovered() {
        check(
            "before the beginning",
            &[(packet(10, 9_600, &[(1, 960)]), &[(10, 9_600)])],
        );
        check(
            "older than what came before it",
            &[
                (packet(10, 0, &[]), &[(10, 0)]),
                (packet(12, 1_920, &[(1, 2_880)]), &[(12, 1_920)]),
            ],
        );
        let mut broken = packet(11, 960, &[]);
        broken.payload = Arc::from([0x80 | OPUS, 0xff]);
        let mut arrived = Arrived::default();
        assert!(arrived.take_in(broken, true).is_empty());
    }

    #[test]
    fn what_is_written_can_be_taken_apart() {
        let block = |offset, bytes: usize| Block {
            offset,
            payload: vec![7; bytes].into(),
        };
        for blocks in [
            vec![block(960, 80)],
            vec![block(960, 1), block(1_920, 1_023)],
            vec![block(120, 3), block(16_383, 2)],
        ] {
            let mut written = vec![];
            write(&mut written, OPUS, &blocks, &[1, 2, 3]);
            let read = RedDecoder::decode(&written).unwrap();
            let (primary, earlier) = read.split_last().unwrap();
            assert_eq!((primary.pt, primary.payload), (OPUS, &[1u8, 2, 3][..]));
            for (read, block) in earlier.iter().rev().zip(&blocks) {
                assert_eq!(
                    (read.pt, read.timestamp_offset, read.payload),
                    (OPUS, block.offset, &block.payload[..])
                );
            }
            assert_eq!(earlier.len(), blocks.len());
        }
    }
}
