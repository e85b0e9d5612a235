//! The target `numbers`: the readers and counters that a client's bytes come to, each alone and so tried far more often than
//! the whole could be: RTCP, transport-wide feedback and what is made of it, VP8 descriptors, redundancy, Opus, the rewriter.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::rtp::{RedDecoder, Vp8Descriptor};

use super::input::Bytes;
use crate::PeerId;
use crate::bandwidth::feedback::Feedback;
use crate::bandwidth::{Bandwidth, MAX_BPS, MIN_BPS, Sent};
use crate::codec::{Spatial, Temporal};
use crate::egress::PassedOn;
use crate::egress::rtcp::{self, Ntp, Said};
use crate::opus;
use crate::packet::Incoming;
use crate::red::{self, Arrived, Block, MOST_BLOCKS};
use crate::rewriter::{Arrival, Origin, Pictures, Rewriter};
use crate::vp8::{self, Descriptor};

/// Payload type of sound.
const OPUS: u8 = 111;
/// Numbers that are missing between two at most, with those of packets that are left out meanwhile.
const WIDEST: u64 = 2_000;
/// Bytes of padding that one probe asks for at most: a moment of the most that anybody is sent.
const MOST_PADDING: usize = 1 << 20;

pub fn numbers(input: &[u8]) {
    let mut bytes = Bytes::new(input);
    let _ = match bytes.u8().map(|kind| kind % 7) {
        Some(0) => rtcp_is_read(&mut bytes),
        Some(1) => feedback_is_read(&mut bytes),
        Some(2) => estimates_have_limits(&mut bytes),
        Some(3) => pictures_are_rewritten(&mut bytes),
        Some(4) => redundancy_is_taken_apart(&mut bytes),
        Some(5) => redundancy_is_put_together(&mut bytes),
        Some(_) => streams_go_on(&mut bytes),
        None => None,
    };
}

#[allow(
    clippy::disallowed_methods,
    reason = "one arbitrary instant to count from"
)]
fn now() -> Instant {
    Instant::now()
}

/// What is said is less than what was sent, and nothing in it lies in the future.
fn rtcp_is_read(bytes: &mut Bytes<'_>) -> Option<()> {
    let now = Ntp::from_seconds(Duration::from_millis(bytes.u32()?.into()));
    let datagram = bytes.slice(usize::MAX);
    let mut said = 0;
    rtcp::read(datagram, |what| {
        said += 1;
        match what {
            Said::Missing { packets, .. } => said += packets.sequences().count(),
            Said::Report(report) => {
                let round_trip = report.round_trip(now).unwrap_or_default();
                assert!(round_trip <= Duration::from_secs(1 << 15));
            }
            Said::TransportFeedback { fci } => assert!(fci.len() < datagram.len()),
            Said::KeyframeWanted { .. } | Said::NotAboutOurs => {}
        }
    });
    assert!(said <= 17 * datagram.len());
    Some(())
}

fn feedback_is_read(bytes: &mut Bytes<'_>) -> Option<()> {
    let feedback = Feedback::parse(bytes.slice(usize::MAX))?;
    let arrivals: Vec<Option<i64>> = feedback.arrivals().collect();
    assert_eq!(arrivals.len(), usize::from(feedback.count));
    let farthest = i64::from(feedback.count) * i64::from(i16::MAX);
    let all = arrivals.into_iter().flatten();
    for ticks in all {
        assert!((-farthest - i64::from(feedback.count)..=farthest).contains(&ticks));
    }
    Some(())
}

/// Packets leave, feedback and reports say anything, time passes.
fn estimates_have_limits(bytes: &mut Bytes<'_>) -> Option<()> {
    let mut now = now();
    let mut bandwidth = Bandwidth::new(now);
    let mut number: Option<u16> = None;
    while let Some(kind) = bytes.u8() {
        match kind % 6 {
            0 => {
                let what = bytes.pick(&[Sent::Media, Sent::Audio, Sent::Retransmission])?;
                for _ in 0..=kind >> 4 {
                    let sent = bandwidth.sent(now, 1_200, what);
                    let follows = number.is_none_or(|number| number.wrapping_add(1) == sent);
                    assert!(follows, "{sent} after {number:?}");
                    number = Some(sent);
                }
            }
            1 => {
                bandwidth.feedback(now, bytes.sized()?);
            }
            // About what was sent last, as it may have come.
            2 => {
                let count = u16::from(kind >> 3) + 1;
                let base = number.unwrap_or_default().wrapping_sub(count - 1);
                let mut fci = [base.to_be_bytes(), count.to_be_bytes()].concat();
                fci.extend([0, bytes.u8()?, bytes.u8()?, 1]);
                fci.extend((0x2000 | count).to_be_bytes());
                fci.extend(bytes.slice(count.into()));
                bandwidth.feedback(now, &fci);
            }
            3 => {
                let rtt = bytes.time()?;
                bandwidth.report(now, (kind & 0x80 != 0).then_some(rtt), bytes.u8()?);
            }
            4 => {
                now += bytes.time()? / 16;
                bandwidth.handle_timeout(now);
            }
            _ => {
                bandwidth.set_wanted(u64::from(bytes.u32()?) << (kind >> 4));
                while let Some(probe) = bandwidth.poll_probe(now) {
                    assert!((1..=MOST_PADDING).contains(&probe.bytes), "{probe:?}");
                    number = Some(bandwidth.sent(now, probe.bytes, Sent::Padding(probe.id)));
                }
            }
        }
        let bps = bandwidth.estimate_bps() as f64;
        assert!((MIN_BPS - 1.0..=MAX_BPS).contains(&bps), "{bps} bit/s");
        assert!(bandwidth.pacing_bps() >= bandwidth.estimate_bps());
        assert!((0.0..=1.0).contains(&bandwidth.loss()));
        let _ = bandwidth.poll_timeout();
    }
    Some(())
}

/// What is written is what is read afterwards, and nothing else changes.
fn pictures_are_rewritten(bytes: &mut Bytes<'_>) -> Option<()> {
    let (picture_id, indices) = (bytes.u16()? & 0x7fff, bytes.u16()?);
    let [tl0_pic_idx, key_idx] = indices.to_be_bytes();
    let payload = bytes.slice(usize::MAX);
    let pictures = Pictures {
        picture_id: Some(picture_id),
        tl0_pic_idx: Some(tl0_pic_idx),
        key_idx: Some(key_idx & 0x1f),
    };
    let mut written = payload.to_vec();
    vp8::write_pictures(&mut written, &pictures);
    let before = Descriptor::parse(payload)?;
    let after = Descriptor::parse(&written).expect("as much of a descriptor as before");
    let (was, is) = (read(&before), read(&after));
    if let Ok(engine) = Vp8Descriptor::parse(payload) {
        let theirs = Pictures {
            picture_id: engine.picture_id(),
            tl0_pic_idx: engine.tl0_pic_idx(),
            key_idx: engine.key_idx(),
        };
        assert_eq!(was, theirs, "as the engine reads it");
        assert_eq!(before.starts_keyframe, engine.starts_keyframe(payload));
    }
    let same = |expected: Option<u16>, was: Option<u16>, is: Option<u16>| {
        assert_eq!(is, was.and(expected), "{payload:?}");
    };
    // The short form has room for seven bits.
    let mask = if is.picture_id > Some(0x7f) || was.picture_id > Some(0x7f) {
        0x7fff
    } else {
        0x7f
    };
    same(Some(picture_id & mask), was.picture_id, is.picture_id);
    same(
        Some(tl0_pic_idx.into()),
        was.tl0_pic_idx.map(u16::from),
        is.tl0_pic_idx.map(u16::from),
    );
    same(
        pictures.key_idx.map(u16::from),
        was.key_idx.map(u16::from),
        is.key_idx.map(u16::from),
    );
    let kept = |descriptor: &Descriptor| {
        (
            descriptor.temporal,
            descriptor.starts_picture,
            descriptor.starts_keyframe,
        )
    };
    assert_eq!(kept(&before), kept(&after));
    vp8::write_pictures(&mut written, &was);
    assert_eq!(written, payload, "its own numbers change nothing");
    Some(())
}

fn read(descriptor: &Descriptor) -> Pictures {
    Pictures {
        picture_id: descriptor.picture_id,
        tl0_pic_idx: descriptor.tl0_pic_idx,
        key_idx: descriptor.key_idx,
    }
}

fn incoming(sequence: u64, timestamp: u32, payload: &[u8]) -> Incoming {
    Incoming {
        ssrc: 1,
        payload_type: OPUS,
        sequence,
        timestamp,
        arrived: now(),
        marker: false,
        extensions: PassedOn::default(),
        descriptor: None,
        payload: Arc::from(payload),
    }
}

/// What comes out of packets with redundancy was in them, in order, and each number at most once.
fn redundancy_is_taken_apart(bytes: &mut Bytes<'_>) -> Option<()> {
    let mut arrived = Arrived::default();
    let mut sequence = 100_u64;
    let mut timestamp = bytes.u32()?;
    let mut out: HashMap<u64, usize> = HashMap::new();
    for round in 0..64 {
        let step = bytes.u8()?;
        sequence = sequence.saturating_add_signed(i64::from(step.cast_signed() / 16));
        timestamp = timestamp.wrapping_add(u32::from(step) * 16);
        let payload = bytes.sized()?;
        let all = arrived.take_in(incoming(sequence, timestamp, payload), step & 1 == 0);
        assert!(all.len() <= 1 + MOST_BLOCKS);
        assert!(
            all.windows(2)
                .all(|pair| pair[0].sequence < pair[1].sequence)
        );
        if let Some(last) = all.last() {
            assert_eq!((last.sequence, last.timestamp), (sequence, timestamp));
        }
        for packet in all {
            let within = |window: &[u8]| window == &*packet.payload;
            let length = packet.payload.len();
            assert!(length == 0 || payload.windows(length).any(within));
            // Only the newest few are remembered.
            let before = out.insert(packet.sequence, round);
            assert!(before.is_none_or(|before| round > before + 8), "{packet:?}");
            let _ = opus::duration(&packet.payload).map(opus::time);
            if let Some([toc]) = opus::silence_after(&packet.payload) {
                assert_eq!(toc >> 2, packet.payload[0] >> 2, "the same decoder");
                assert!(opus::duration(&[toc]).is_some());
            }
        }
    }
    Some(())
}

/// A stranger's decoder finds what was put in.
fn redundancy_is_put_together(bytes: &mut Bytes<'_>) -> Option<()> {
    let count = usize::from(bytes.u8()?) % (MOST_BLOCKS + 1);
    let mut blocks = vec![];
    for _ in 0..count {
        blocks.push(Block {
            offset: u32::from(bytes.u16()? & 0x3fff),
            payload: Arc::from(bytes.sized()?),
        });
    }
    let payload = bytes.slice(usize::MAX);
    let mut written = vec![];
    red::write(&mut written, OPUS, &blocks, payload);
    let read = RedDecoder::decode(&written).expect("what we write can be read");
    let earlier = read.iter().rev().filter(|block| !block.is_primary);
    let found: Vec<(u32, &[u8])> = earlier
        .map(|block| (block.timestamp_offset, block.payload))
        .collect();
    let put: Vec<(u32, &[u8])> = blocks
        .iter()
        .map(|block| (block.offset, &*block.payload))
        .collect();
    assert_eq!(found, put);
    let primary = read.iter().find(|block| block.is_primary);
    assert_eq!(primary.map(|block| block.payload), Some(payload));
    Some(())
}

/// Whoever is followed, and whatever they count, no number goes out for two packets.
fn streams_go_on(bytes: &mut Bytes<'_>) -> Option<()> {
    let start = now();
    let mut rewriter = Rewriter::new(90_000);
    let mut sequences = [
        1_000_000_u64,
        u64::from(bytes.u16()?),
        u64::from(bytes.u32()?),
    ];
    let mut captured = start;
    let mut used: HashMap<u64, (usize, u64)> = HashMap::new();
    let mut newest = 0;
    while let Some(kind) = bytes.u8() {
        let stream = usize::from(kind >> 2) % sequences.len();
        let step = bytes.u16()?.cast_signed();
        // Steps of one are what mostly comes.
        let (step, layers) = match step {
            0x4000.. => (1, (step & 3) as u8),
            _ => (step, 3),
        };
        sequences[stream] = sequences[stream].saturating_add_signed(step.into());
        captured += bytes.time()?;
        // In some streams sizes are told apart.
        let spatial = (stream == 2).then_some(Spatial {
            id: kind >> 5 & 3,
            serves: match kind & 3 {
                0 => u8::MAX,
                _ => 1 << (kind >> 5 & 3),
            },
            ends_frame: kind & 0x08 != 0,
        });
        let arrival = Arrival {
            origin: Origin {
                peer: PeerId(stream as u64),
                ssrc: 7,
            },
            sequence: sequences[stream],
            timestamp: bytes.u32()?,
            captured,
            pictures: Pictures {
                picture_id: Some(bytes.u16()? & 0x7fff),
                tl0_pic_idx: bytes.u8(),
                key_idx: None,
            },
            temporal: match kind & 3 {
                0 => Temporal::default(),
                _ => Temporal {
                    id: kind >> 6,
                    is_sync: kind & 0x20 != 0,
                    opens: kind & 0x08 != 0,
                },
            },
            spatial,
            starts_picture: kind & 3 == 0 || kind & 0x10 != 0,
        };
        rewriter.thin(layers);
        match kind & 3 {
            0 => rewriter.switch(&arrival, kind >> 6),
            // What ends a sound is the last before a pause.
            1 => {
                if let Some(ending) = rewriter.append(960) {
                    assert!(used.insert(ending.sequence, (9, 0)).is_none());
                    assert!(ending.sequence > newest);
                    newest = ending.sequence;
                }
                rewriter.pause();
            }
            _ => {}
        }
        let Some(sent) = rewriter.rewrite(&arrival) else {
            continue;
        };
        let is = (stream, arrival.sequence);
        let before = used.insert(sent.sequence, is);
        assert!(before.is_none_or(|before| before == is), "{sent:?}");
        if kind & 3 == 0 {
            assert_eq!(sent.sequence, newest + 1, "a switch goes on where it was");
        }
        let gap = sent.sequence.saturating_sub(newest);
        assert!(newest == 0 || gap <= WIDEST, "{gap} numbers are missing");
        newest = newest.max(sent.sequence);
    }
    Some(())
}
