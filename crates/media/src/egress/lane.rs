//! One down section of one subscriber: what was negotiated, the numbers that were used, what can be sent again, and
//! what its sender reports say. Knows nothing of queues, paths or whose picture it is.

use std::time::{Duration, Instant};

use super::header::Extensions;
use super::past::{Numbered, Past};
use super::rtcp::{Ntp, SenderReport};
use super::window::Window;
use crate::api::VideoCodec;
use crate::packet::Packet;
use crate::red::Block;
use crate::rewriter::Arrival;

const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// What the negotiation says about a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub mid: Box<str>,
    pub cname: Box<str>,
    pub ssrc: u32,
    pub payload_type: u8,
    pub retransmission: Option<Retransmission>,
    /// Where that is agreed beside the first codec.
    pub other: Option<PayloadTypes>,
    /// The payload type of sound that carries earlier sound along.
    pub redundancy: Option<u8>,
    pub extensions: Extensions,
    pub clock_rate: u32,
}

/// The stream for packets that are sent again (RFC 4588).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retransmission {
    pub ssrc: u32,
    pub payload_type: u8,
}

/// Of a codec, and of its packets that are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PayloadTypes {
    pub first: u8,
    pub again: Option<u8>,
}

impl Section {
    pub fn payload_types(&self, codec: VideoCodec) -> PayloadTypes {
        let usual = PayloadTypes {
            first: self.payload_type,
            again: self.retransmission.map(|stream| stream.payload_type),
        };
        match codec {
            VideoCodec::Vp8 => usual,
            VideoCodec::Vp9 | VideoCodec::Av1 => self.other.unwrap_or(usual),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Lane {
    pub section: Section,
    /// The receiver has reported about the stream, so it knows which section that belongs to.
    pub is_known: bool,
    used: Window,
    past: Past,
    retransmissions: u64,
    reporting: Reporting,
    /// How many packets in a row came from one origin and without a gap.
    streak: usize,
    newest: Option<Arrival>,
}

#[derive(Debug, Default)]
struct Reporting {
    packets: u32,
    octets: u32,
    /// RTP timestamp and capture time of the newest packet.
    newest: Option<(u32, Instant)>,
    /// Something was sent since the last report.
    is_behind: bool,
    reported: Option<Instant>,
    /// Index of the next SRTCP packet that begins with this stream's report.
    index: u32,
}

impl Lane {
    pub fn new(section: Section) -> Self {
        Self {
            section,
            is_known: false,
            used: Window::default(),
            past: Past::default(),
            retransmissions: 0,
            streak: 0,
            newest: None,
            reporting: Reporting::default(),
        }
    }

    /// Uses a number of the stream. False if that was used before: nothing may be sealed under it again.
    pub fn claim(&mut self, sequence: u64) -> bool {
        self.used.accept(sequence)
    }

    /// Counts a packet that left and keeps it if it may be asked for again.
    pub fn note(&mut self, now: Instant, sent: Numbered) {
        let arrival = sent.packet.arrival;
        let follows = self.newest.is_some_and(|newest| {
            newest.origin == arrival.origin && newest.sequence + 1 == arrival.sequence
        });
        self.streak = match follows && !sent.numbers.first {
            true => self.streak + 1,
            false => 0,
        };
        self.newest = Some(arrival);
        let reporting = &mut self.reporting;
        // Another person's lips and voice lie elsewhere on the clock than the last report says.
        if sent.numbers.first {
            reporting.reported = None;
        }
        let size = u32::try_from(sent.packet.payload.len()).unwrap_or(u32::MAX);
        reporting.packets = reporting.packets.wrapping_add(1);
        reporting.octets = reporting.octets.wrapping_add(size);
        reporting.newest = Some((sent.numbers.timestamp, sent.packet.arrival.captured));
        reporting.is_behind = true;
        if self.section.retransmission.is_some() {
            self.past.keep(now, sent);
        }
    }

    /// What this packet carries of those before it: at most so many, and only what went out here in one piece with it.
    pub fn redundancy<'a>(&self, packet: &'a Packet, most: usize) -> Option<(u8, &'a [Block])> {
        let payload_type = self.section.redundancy?;
        let newest = self.newest?;
        let follows = newest.origin == packet.arrival.origin
            && newest.sequence + 1 == packet.arrival.sequence;
        let most = if follows {
            most.min(self.streak + 1)
        } else {
            0
        };
        let blocks = packet.before.get(..most.min(packet.before.len()))?;
        (!blocks.is_empty()).then_some((payload_type, blocks))
    }

    /// A packet that the receiver misses, unless it is long gone or was sent again within `rest`.
    pub fn recall(&mut self, now: Instant, sequence: u16, rest: Duration) -> Option<Numbered> {
        let newest = self.used.newest()?;
        let behind = (newest as u16).wrapping_sub(sequence);
        self.past
            .recall(now, newest.checked_sub(u64::from(behind))?, rest)
    }

    /// The extended sequence number for the next packet of the retransmission stream.
    pub fn next_retransmission(&mut self) -> u64 {
        self.retransmissions += 1;
        self.retransmissions
    }

    /// Whether anything has ever been sent here.
    pub fn has_sent(&self) -> bool {
        self.used.newest().is_some()
    }

    pub fn newest_timestamp(&self) -> u32 {
        self.reporting.newest.map_or(0, |(timestamp, _)| timestamp)
    }

    pub fn report_is_due(&self, now: Instant) -> bool {
        let rested = |last| now.saturating_duration_since(last) >= REPORT_INTERVAL;
        self.reporting.is_behind && self.reporting.reported.is_none_or(rested)
    }

    /// What the receiver needs to know by now. To be called when it is due.
    pub fn report(&mut self, now: Instant, time: Ntp) -> Option<SenderReport> {
        let reporting = &mut self.reporting;
        let (timestamp, captured) = reporting.newest?;
        (reporting.is_behind, reporting.reported) = (false, Some(now));
        let since = now.saturating_duration_since(captured).as_micros();
        let ticks = since * u128::from(self.section.clock_rate) / 1_000_000;
        Some(SenderReport {
            ssrc: self.section.ssrc,
            time,
            timestamp: timestamp.wrapping_add(ticks as u32),
            packets: reporting.packets,
            octets: reporting.octets,
        })
    }

    pub fn next_report_index(&mut self) -> u32 {
        self.reporting.index += 1;
        self.reporting.index
    }

    /// Lets go of what nobody will ask for any more.
    pub fn forget_old(&mut self, now: Instant) {
        self.past.forget_old(now);
    }
}
