//! Load instead of pictures: frames of equal packets at a steady rate, as a camera sends them, each packet with the time of
//! its sending in its last bytes. For measuring what a server costs and how long it holds a packet.

use std::{sync::LazyLock, time::Instant};

use crate::vp8::{self, Counters};

/// Bytes at the end of a packet that say when it was sent.
const STAMP_BYTES: usize = 8;
/// Bytes of the payload descriptor that `vp8` writes.
const DESCRIPTOR_BYTES: usize = 6;

/// What a camera sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    pub frames_per_second: u32,
    pub packets_per_frame: usize,
    /// Bytes of RTP payload in each packet.
    pub payload_bytes: usize,
}

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Load {
    pub(crate) fn payloads(self, keyframe: bool, counters: Counters, now: Instant) -> Vec<Vec<u8>> {
        let piece = self.payload_bytes - DESCRIPTOR_BYTES;
        let mut frame = vec![0x55; piece * self.packets_per_frame];
        let start: &[u8] = match keyframe {
            // RFC 6386, section 9.1: a keyframe of 1280 × 720.
            true => &[0x00, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02],
            false => &[0x01, 0, 0],
        };
        frame[..start.len()].copy_from_slice(start);
        let mut payloads = vp8::pieces(&frame, counters, piece);
        let stamp = microseconds(now).to_be_bytes();
        for payload in &mut payloads {
            let at = payload.len() - STAMP_BYTES;
            payload[at..].copy_from_slice(&stamp);
        }
        payloads
    }
}

/// Microseconds since a packet of [`Load`] was sent, for one that was sent by this process.
pub(crate) fn age(payload: &[u8], now: Instant) -> Option<u32> {
    let (_, stamp) = payload.split_last_chunk::<STAMP_BYTES>()?;
    let sent = u64::from_be_bytes(*stamp);
    u32::try_from(microseconds(now).checked_sub(sent)?).ok()
}

fn microseconds(now: Instant) -> u64 {
    now.saturating_duration_since(*EPOCH).as_micros() as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_packet_tells_its_age_and_frames_are_cut_evenly() {
        let load = Load {
            frames_per_second: 30,
            packets_per_frame: 6,
            payload_bytes: 1_100,
        };
        let counters = Counters {
            picture_id: 3,
            tl0_pic_idx: 4,
        };
        let now = Instant::now() + Duration::from_secs(1);
        for keyframe in [true, false] {
            let payloads = load.payloads(keyframe, counters, now);
            assert_eq!(payloads.len(), 6);
            assert!(payloads.iter().all(|payload| payload.len() == 1_100));
            let first = vp8::parse(&payloads[0]).expect("a descriptor");
            assert!(first.starts_frame);
            assert_eq!(vp8::is_keyframe(first.data), keyframe);
            let later = now + Duration::from_micros(250);
            assert_eq!(age(&payloads[5], later), Some(250));
        }
    }
}
