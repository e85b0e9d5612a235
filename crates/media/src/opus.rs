//! What the first bytes of an Opus packet tell (RFC 6716, section 3.1): how long it lasts, and that it is silence.

use std::time::Duration;

/// Units of the RTP clock per millisecond.
const PER_MS: u32 = 48;
/// Every Opus packet lasts 120 ms at most.
const LONGEST: u32 = 120 * PER_MS;
/// Bytes up to which a packet carries no sound: what encoders send now and then while there is nothing to hear.
const SILENT_BYTES: usize = 2;

pub(crate) fn is_silence(payload: &[u8]) -> bool {
    payload.len() <= SILENT_BYTES
}

/// How far the packet moves the RTP clock on. `None` for what is no Opus.
pub(crate) fn duration(payload: &[u8]) -> Option<u32> {
    let toc = *payload.first()?;
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(payload.get(1)? & 0x3f),
    };
    let duration = frames * frame_duration(toc);
    (1..=LONGEST).contains(&duration).then_some(duration)
}

/// A packet of one frame with nothing in it, for the decoder that this one is for.
pub(crate) fn silence_after(payload: &[u8]) -> Option<[u8; 1]> {
    payload.first().map(|toc| [toc & !3])
}

pub(crate) fn time(ticks: u32) -> Duration {
    Duration::from_micros(u64::from(ticks) * 1_000 / u64::from(PER_MS))
}

fn frame_duration(toc: u8) -> u32 {
    let configuration = toc >> 3;
    let step = u32::from(configuration & 3);
    match configuration {
        0..12 => [10, 20, 40, 60].get(step as usize).copied().unwrap_or(60) * PER_MS,
        12..16 => (10 << (step & 1)) * PER_MS,
        _ => (PER_MS * 5 / 2) << step,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_how_long_a_packet_lasts() {
        let ms = |ms: u32| Some(ms * 48);
        let table: &[(&str, &[u8], Option<u32>)] = &[
            ("Chromium's voice, 20 ms", &[0x78, 1, 2], ms(20)),
            ("the same in stereo", &[0x7c, 1, 2], ms(20)),
            ("music, 20 ms", &[0xf8, 1], ms(20)),
            ("music, 2.5 ms", &[0xe0, 1], Some(120)),
            ("narrow band, 60 ms", &[0x18, 1], ms(60)),
            ("hybrid, 10 ms", &[0x60, 1], ms(10)),
            ("two frames of 20 ms", &[0x79, 1], ms(40)),
            ("three frames of 20 ms", &[0x7b, 3, 0], ms(60)),
            ("longer than Opus may be", &[0x1b, 3, 0], None),
            ("no frames", &[0x7b, 0], None),
            ("cut short", &[0x7b], None),
            ("nothing", &[], None),
        ];
        for (description, payload, expected) in table {
            assert_eq!(duration(payload), *expected, "{description}");
        }
    }
}
