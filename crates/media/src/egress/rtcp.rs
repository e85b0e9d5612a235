//! RTCP in both directions for the streams that we send ourselves: what a receiver reports, asks for and measures
//! (RFC 3550, RFC 4585, RFC 5104, transport-wide congestion control), and the sender reports that it gets.
//!
//! What is read here comes from the network: anything that makes no sense ends the reading and is nobody's fault.

use std::time::Duration;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
const NACK: u8 = 1;
const TRANSPORT_CC: u8 = 15;
const PICTURE_LOSS: u8 = 1;
const FULL_INTRA_REQUEST: u8 = 4;
const CNAME: u8 = 1;

/// One thing that an RTCP datagram says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    Report(Report),
    /// Packets of this stream have not come.
    Missing {
        ssrc: u32,
        packets: Missing<'a>,
    },
    /// This stream cannot be decoded without a keyframe.
    KeyframeWanted {
        ssrc: u32,
    },
    /// When which packets came, of all streams together.
    TransportFeedback {
        fci: &'a [u8],
    },
    /// For the one who receives from this peer.
    NotAboutOurs,
}

/// A report block about one of our streams (RFC 3550, section 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub ssrc: u32,
    /// Out of 256.
    pub fraction_lost: u8,
    /// In units of the stream's clock.
    pub jitter: u32,
    /// The middle of the time in our last sender report, and how long ago that came, both in units of 1/65 536 s.
    pub last_report: u32,
    pub since_last_report: u32,
}

/// The sequence numbers in a NACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing<'a>(&'a [u8]);

impl<'a> Missing<'a> {
    pub fn sequences(self) -> impl Iterator<Item = u16> + 'a {
        self.0
            .chunks_exact(4)
            .filter_map(|entry| Some((u16_at(entry, 0)?, u16_at(entry, 2)?)))
            .flat_map(|(first, others)| {
                let more = (0..16).filter(move |bit| others >> bit & 1 == 1);
                std::iter::once(first).chain(more.map(move |bit| first.wrapping_add(bit + 1)))
            })
    }
}

/// Reads all packets of one datagram.
pub(crate) fn read<'a>(datagram: &'a [u8], mut each: impl FnMut(Said<'a>)) {
    let mut rest = datagram;
    while let Some((packet, after)) = split_packet(rest) {
        rest = after;
        if read_packet(packet, &mut each).is_none() {
            return;
        }
    }
}

#[derive(Clone, Copy)]
struct Packet<'a> {
    /// Count of reports, or the feedback's format.
    count: u8,
    kind: u8,
    body: &'a [u8],
}

fn split_packet(bytes: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let first = *bytes.first()?;
    let words = usize::from(u16_at(bytes, 2)?);
    let (packet, rest) = bytes.split_at_checked(4 + words * 4)?;
    let mut body = packet.get(4..)?;
    if first >> 6 != 2 {
        return None;
    }
    if first & 0x20 != 0 {
        let padding = usize::from(*body.last()?);
        body = body.get(..body.len().checked_sub(padding)?)?;
    }
    let packet = Packet {
        count: first & 0x1f,
        kind: *bytes.get(1)?,
        body,
    };
    Some((packet, rest))
}

fn read_packet<'a>(packet: Packet<'a>, each: &mut impl FnMut(Said<'a>)) -> Option<()> {
    let body = packet.body;
    match (packet.kind, packet.count) {
        (SENDER_REPORT, count) => {
            each(Said::NotAboutOurs);
            read_blocks(body.get(24..)?, count, each);
        }
        (RECEIVER_REPORT, count) => read_blocks(body.get(4..)?, count, each),
        (SOURCE_DESCRIPTION, _) => {}
        (TRANSPORT_FEEDBACK, NACK) => each(Said::Missing {
            ssrc: u32_at(body, 4)?,
            packets: Missing(body.get(8..)?),
        }),
        (TRANSPORT_FEEDBACK, TRANSPORT_CC) => each(Said::TransportFeedback {
            fci: body.get(8..)?,
        }),
        (PAYLOAD_FEEDBACK, PICTURE_LOSS) => each(Said::KeyframeWanted {
            ssrc: u32_at(body, 4)?,
        }),
        (PAYLOAD_FEEDBACK, FULL_INTRA_REQUEST) => {
            for entry in body.get(8..)?.chunks_exact(8) {
                each(Said::KeyframeWanted {
                    ssrc: u32_at(entry, 0)?,
                });
            }
        }
        (TRANSPORT_FEEDBACK | PAYLOAD_FEEDBACK, _) => {}
        _ => each(Said::NotAboutOurs),
    }
    Some(())
}

fn read_blocks<'a>(blocks: &[u8], count: u8, each: &mut impl FnMut(Said<'a>)) {
    for block in blocks.chunks_exact(24).take(usize::from(count)) {
        let read = || {
            Some(Report {
                ssrc: u32_at(block, 0)?,
                fraction_lost: *block.get(4)?,
                jitter: u32_at(block, 12)?,
                last_report: u32_at(block, 16)?,
                since_last_report: u32_at(block, 20)?,
            })
        };
        if let Some(report) = read() {
            each(Said::Report(report));
        }
    }
}

impl Report {
    /// The round trip, by our clock now. `None` before the receiver had a report of ours.
    pub fn round_trip(&self, now: Ntp) -> Option<Duration> {
        if self.last_report == 0 {
            return None;
        }
        let units = now
            .middle()
            .wrapping_sub(self.last_report)
            .wrapping_sub(self.since_last_report);
        // What is negative comes from clocks that run apart.
        let units = u32::try_from(units.cast_signed()).unwrap_or(0);
        Some(Duration::from_micros((u64::from(units) * 1_000_000) >> 16))
    }
}

/// A time as sender reports give it: seconds and their fractions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ntp(pub u64);

impl Ntp {
    pub fn from_seconds(since_1900: Duration) -> Self {
        let fraction = (u64::from(since_1900.subsec_nanos()) << 32) / 1_000_000_000;
        Self((since_1900.as_secs() << 32) | fraction)
    }

    fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// What a sender report says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SenderReport {
    pub ssrc: u32,
    pub time: Ntp,
    pub timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

pub(crate) fn write_sender_report(buffer: &mut Vec<u8>, report: &SenderReport) {
    buffer.extend([0x80, SENDER_REPORT, 0, 6]);
    buffer.extend(report.ssrc.to_be_bytes());
    buffer.extend(report.time.0.to_be_bytes());
    for word in [report.timestamp, report.packets, report.octets] {
        buffer.extend(word.to_be_bytes());
    }
}

/// `cname` has at most 255 bytes.
pub(crate) fn write_description(buffer: &mut Vec<u8>, ssrc: u32, cname: &str) {
    let length = u8::try_from(cname.len()).unwrap_or(u8::MAX);
    let cname = cname
        .as_bytes()
        .get(..usize::from(length))
        .unwrap_or_default();
    // The item ends with a zero, and the chunk at a word.
    let chunk = (4 + 2 + cname.len() + 1).next_multiple_of(4);
    buffer.extend([0x81, SOURCE_DESCRIPTION]);
    buffer.extend(((chunk / 4) as u16).to_be_bytes());
    buffer.extend(ssrc.to_be_bytes());
    buffer.extend([CNAME, length]);
    buffer.extend_from_slice(cname);
    buffer.extend(std::iter::repeat_n(0, chunk - 6 - cname.len()));
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::network::Random;

    fn said(bytes: &[u8]) -> Vec<Said<'_>> {
        let mut all = vec![];
        read(bytes, |said| all.push(said));
        all
    }

    #[test]
    fn what_a_receiver_says_is_read() {
        let report = [
            0x81, 201, 0, 7, 0, 0, 0, 9, 0, 0, 0, 5, 64, 0, 0, 3, 0, 0, 1, 0, 0, 0, 0, 7, 0, 2, 0,
            0, 0, 1, 0, 0,
        ];
        let nack = [
            0x81, 205, 0, 3, 0, 0, 0, 9, 0, 0, 0, 5, 0xff, 0xfe, 0, 0b101,
        ];
        let pli = [0x81, 206, 0, 2, 0, 0, 0, 9, 0, 0, 0, 6];
        let fir = [
            0x84, 206, 0, 4, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 7, 1, 0, 0, 0,
        ];
        let remb = [0x8f, 206, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0];
        let feedback = [0x8f, 205, 0, 3, 0, 0, 0, 9, 0, 0, 0, 5, 1, 2, 3, 4];
        let goodbye = [0x81, 203, 0, 1, 0, 0, 0, 9];
        let all = [&report[..], &nack, &pli, &fir, &remb, &feedback, &goodbye].concat();
        let all = said(&all);
        let [first, missing, pli, fir, feedback, other] = &all[..] else {
            panic!("{all:?}")
        };
        let block = Report {
            ssrc: 5,
            fraction_lost: 64,
            jitter: 7,
            last_report: 0x2_0000,
            since_last_report: 0x1_0000,
        };
        assert_eq!(*first, Said::Report(block));
        let Said::Missing { ssrc: 5, packets } = missing else {
            panic!("{missing:?}")
        };
        assert_eq!(packets.sequences().collect::<Vec<_>>(), [0xfffe, 0xffff, 1]);
        assert_eq!(*pli, Said::KeyframeWanted { ssrc: 6 });
        assert_eq!(*fir, Said::KeyframeWanted { ssrc: 7 });
        assert_eq!(*feedback, Said::TransportFeedback { fci: &[1, 2, 3, 4] });
        assert_eq!(*other, Said::NotAboutOurs);
        let now = Ntp::from_seconds(Duration::from_millis(3_250));
        assert_eq!(block.round_trip(now), Some(Duration::from_millis(250)));
    }

    #[test]
    fn nothing_hostile_panics_or_goes_on_for_ever() {
        let mut random = Random(3);
        for round in 0..20_000usize {
            let length = random.below(80) as usize;
            let mut bytes = random.bytes(length);
            for at in (0..bytes.len()).step_by(16) {
                bytes[at] = [0x80, 0x81, 0xa1, 0x8f, 0x9f][round % 5];
                if let Some(kind) = bytes.get_mut(at + 1) {
                    *kind = 200 + (round % 8) as u8;
                }
                if let Some(high) = bytes.get_mut(at + 2) {
                    *high = 0;
                }
            }
            let mut count = 0;
            read(&bytes, |said| {
                count += 1;
                if let Said::Missing { packets, .. } = said {
                    count += packets.sequences().count();
                }
            });
            assert!(count <= 17 * length);
        }
    }

    #[test]
    fn reports_of_ours_have_whole_words() {
        for cname in [
            "",
            "a",
            "ab",
            "abc",
            "abcd",
            "a name that is longer than most",
        ] {
            let mut bytes = vec![];
            let report = SenderReport {
                ssrc: 1,
                time: Ntp::from_seconds(Duration::from_secs(1)),
                timestamp: 2,
                packets: 3,
                octets: 4,
            };
            write_sender_report(&mut bytes, &report);
            assert_eq!(bytes.len(), 28);
            write_description(&mut bytes, 1, cname);
            let words = usize::from(u16_at(&bytes, 30).unwrap());
            assert_eq!(bytes.len(), 28 + 4 + words * 4, "{cname:?}");
            assert_eq!(bytes.last(), Some(&0));
            assert_eq!(said(&bytes), [Said::NotAboutOurs]);
        }
    }
}
