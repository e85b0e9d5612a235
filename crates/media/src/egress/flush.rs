//! What is due leaves: sealed back to back into the batch, sound first, then reports, then what was asked for again, then video in
//! slices, then padding that tries for more bandwidth.

use std::time::Instant;

use super::header::{self, Header};
use super::lane::Lane;
use super::pacer::SLICE;
use super::past::Numbered;
use super::rtcp;
use super::srtp::Srtp;
use super::{Egress, PassedOn, Queued, RETRANSMISSION_SHARE, most_allowance};
use crate::bandwidth::{Bandwidth, Probe, Sent};
use crate::batch::{Batch, Path};
use crate::codec;
use crate::red;

/// What a line has to carry for sound to be sent twice, and the loss from which it is sent three times.
const REDUNDANCY_FROM_BPS: u64 = 200_000;
const LOSSY: f32 = 0.03;
/// RTCP that fits into every path.
const REPORT_BYTES: usize = 1_100;
/// What fits into the last byte of a padding packet.
const PADDING_BYTES: usize = 255;
/// Series of padding that leave in one flush, and bytes of one series.
const PROBES_PER_FLUSH: usize = 4;
const PROBE_BYTES: usize = 20_000;

/// What it takes to put a packet into the batch.
struct Sealer<'a> {
    now: Instant,
    path: Path,
    srtp: &'a mut Srtp,
    bandwidth: Option<&'a mut Bandwidth>,
    batch: &'a mut Batch,
    /// How many earlier packets sound carries along.
    redundancy: usize,
}

impl Egress {
    /// Puts what is due into the batch.
    pub fn flush(&mut self, now: Instant, batch: &mut Batch) {
        let ntp = self.ntp(now);
        self.flushed = now;
        let (Some(srtp), Some(path)) = (&mut self.srtp, self.paths.current()) else {
            self.queue.clear();
            return;
        };
        if let Some(bandwidth) = &mut self.bandwidth {
            bandwidth.handle_timeout(now);
        }
        let pacing = self.bandwidth.as_ref().map(Bandwidth::pacing_bps);
        self.pacer.advance(now, pacing, self.queue.waiting());
        let redundancy = self.bandwidth.as_ref().map_or(1, |bandwidth| {
            redundancy(bandwidth.estimate_bps(), bandwidth.loss())
        });
        let most_allowance = most_allowance(self.bandwidth.as_ref());
        let mut sealer = Sealer {
            now,
            redundancy,
            path,
            srtp,
            bandwidth: self.bandwidth.as_mut(),
            batch,
        };
        let mut sent = 0;
        for queued in self.queue.audio.drain(..) {
            sent += sealer.media(&mut self.lanes, queued, Sent::Audio);
        }
        sealer.reports(&mut self.lanes, ntp);
        self.pacer.spend(sent);
        while (self.pacer.is_open() || self.queue.again.len() <= SLICE)
            && let Some(queued) = self.queue.again.pop_front()
        {
            self.queue.bytes -= queued.size().min(self.queue.bytes);
            self.pacer
                .spend(sealer.retransmission(&mut self.lanes, &queued));
        }
        // What comes in small pieces has been paced by those who sent it.
        while !self.queue.video.is_empty()
            && (self.pacer.is_open() || self.queue.video.len() <= SLICE)
        {
            let slice = self.queue.video.len().min(SLICE);
            for queued in self.queue.video.drain(..slice) {
                self.queue.bytes -= queued.size().min(self.queue.bytes);
                let size = sealer.media(&mut self.lanes, queued, Sent::Media);
                self.pacer.spend(size);
                sent += size;
            }
        }
        // A person's first picture comes with word of when it was taken, as the voice did.
        sealer.reports(&mut self.lanes, ntp);
        self.allowance = (self.allowance + sent / RETRANSMISSION_SHARE).min(most_allowance);
        if self.greeting.is_due(now) {
            self.greeting.sent += 1;
            self.greeting.last = Some(now);
            sealer.greet(&mut self.lanes);
        }
        self.pacer.spend(sealer.probes(&mut self.lanes));
    }
}

/// How many earlier packets sound carries along on a line like this. One costs some 35 kbit/s while somebody speaks, and
/// spares what otherwise is lost without warning; two also bridge two lost in a row. On a line that hardly bears voices
/// they would be what it loses.
fn redundancy(estimate_bps: u64, loss: f32) -> usize {
    match (estimate_bps >= REDUNDANCY_FROM_BPS, loss >= LOSSY) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => red::MOST_BLOCKS,
    }
}

impl Queued {
    fn size(&self) -> usize {
        self.sent.packet.payload.len()
    }
}

fn descriptor(sent: &Numbered) -> Option<(&[u8], u16)> {
    sent.packet
        .descriptor
        .as_deref()
        .zip(sent.numbers.pictures.picture_id)
}

/// Where padding goes. Also into a section that has carried nothing yet: where all pictures are paused for want of
/// bandwidth, padding has to show that there is more.
fn padded(lanes: &mut [Lane]) -> Option<&mut Lane> {
    lanes
        .iter_mut()
        .filter(|lane| lane.section.retransmission.is_some())
        .max_by_key(|lane| lane.has_sent())
}

impl Sealer<'_> {
    /// Seals a packet that nobody got yet. Gives its size.
    fn media(&mut self, lanes: &mut [Lane], queued: Queued, what: Sent) -> usize {
        let Some(lane) = lanes.get_mut(usize::from(queued.route.0)) else {
            return 0;
        };
        let (packet, numbers) = (&queued.sent.packet, queued.sent.numbers);
        if !lane.claim(numbers.sequence) {
            return 0;
        }
        let section = &lane.section;
        let redundant = lane.redundancy(packet, self.redundancy);
        let first = section.payload_types(packet.codec).first;
        // After a pause of sound receivers may take the chance to move their buffer.
        let is_spurt = numbers.first && !packet.source.is_video();
        let header = Header {
            payload_type: redundant.map_or(first, |(red, _)| red),
            marker: packet.marker || numbers.ends_picture || is_spurt,
            padding: false,
            sequence: numbers.sequence as u16,
            timestamp: numbers.timestamp,
            ssrc: section.ssrc,
            mid: (!lane.is_known).then_some(&*section.mid),
            passed_on: packet.extensions,
            descriptor: descriptor(&queued.sent),
        };
        let size = self.seal(lane, &header, numbers.sequence, what, |buffer| {
            let start = buffer.len();
            if let Some((_, blocks)) = redundant {
                red::write(buffer, section.payload_type, blocks, &packet.payload);
                return;
            }
            buffer.extend_from_slice(&packet.payload);
            if packet.source.is_video() && packet.descriptor.is_none() {
                let payload = buffer.get_mut(start..).unwrap_or_default();
                codec::write_pictures(packet.codec, payload, &numbers.pictures);
            }
        });
        lane.note(self.now, queued.sent);
        size
    }

    /// Seals a packet once more, in the stream that is there for it (RFC 4588, section 4).
    fn retransmission(&mut self, lanes: &mut [Lane], queued: &Queued) -> usize {
        let Some(lane) = lanes.get_mut(usize::from(queued.route.0)) else {
            return 0;
        };
        let Some(stream) = lane.section.retransmission else {
            return 0;
        };
        let (packet, numbers) = (&queued.sent.packet, queued.sent.numbers);
        let Some(payload_type) = lane.section.payload_types(packet.codec).again else {
            return 0;
        };
        let index = lane.next_retransmission();
        let header = Header {
            payload_type,
            marker: packet.marker || numbers.ends_picture,
            padding: false,
            sequence: index as u16,
            timestamp: numbers.timestamp,
            ssrc: stream.ssrc,
            mid: Some(&lane.section.mid),
            passed_on: packet.extensions,
            descriptor: descriptor(&queued.sent),
        };
        self.seal(lane, &header, index, Sent::Retransmission, |buffer| {
            buffer.extend((numbers.sequence as u16).to_be_bytes());
            let start = buffer.len();
            buffer.extend_from_slice(&packet.payload);
            if packet.source.is_video() && packet.descriptor.is_none() {
                let payload = buffer.get_mut(start..).unwrap_or_default();
                codec::write_pictures(packet.codec, payload, &numbers.pictures);
            }
        })
    }

    /// Padding that the bandwidth estimation wants, in the retransmission stream of a section, if possible one that carries
    /// something.
    fn probes(&mut self, lanes: &mut [Lane]) -> usize {
        let Some(lane) = padded(lanes) else {
            return 0;
        };
        let mut sent = 0;
        for _ in 0..PROBES_PER_FLUSH {
            let probe = self
                .bandwidth
                .as_mut()
                .and_then(|bandwidth| bandwidth.poll_probe(self.now));
            let Some(probe) = probe else { break };
            sent += self.padding(lane, probe);
        }
        sent
    }

    fn padding(&mut self, lane: &mut Lane, probe: Probe) -> usize {
        let mut sent = 0;
        while sent < probe.bytes.min(PROBE_BYTES) {
            let size = self.padding_packet(lane, Sent::Padding(probe.id));
            if size == 0 {
                break;
            }
            sent += size;
        }
        sent
    }

    /// Something that a client gives feedback about, before there is anything for it.
    fn greet(&mut self, lanes: &mut [Lane]) {
        if let Some(lane) = padded(lanes) {
            self.padding_packet(lane, Sent::Retransmission);
        }
    }

    fn padding_packet(&mut self, lane: &mut Lane, what: Sent) -> usize {
        let Some(stream) = lane.section.retransmission else {
            return 0;
        };
        let index = lane.next_retransmission();
        let header = Header {
            payload_type: stream.payload_type,
            marker: false,
            padding: true,
            sequence: index as u16,
            timestamp: lane.newest_timestamp(),
            ssrc: stream.ssrc,
            mid: Some(&lane.section.mid),
            passed_on: PassedOn::default(),
            descriptor: None,
        };
        self.seal(lane, &header, index, what, |buffer| {
            buffer.resize(buffer.len() + PADDING_BYTES - 1, 0);
            buffer.push(PADDING_BYTES as u8);
        })
    }

    fn seal(
        &mut self,
        lane: &Lane,
        header: &Header<'_>,
        index: u64,
        what: Sent,
        payload: impl FnOnce(&mut Vec<u8>),
    ) -> usize {
        let (now, srtp, bandwidth) = (self.now, &mut *self.srtp, &mut self.bandwidth);
        let mut size = 0;
        let pushed = self.batch.push(self.path, |buffer| {
            let start = buffer.len();
            let written = header::write(buffer, header, &lane.section.extensions);
            payload(buffer);
            size = buffer.len() - start + srtp.tag_bytes();
            if let Some((at, bandwidth)) = written.transport_number.zip(bandwidth.as_mut()) {
                let number = bandwidth.sent(now, size, what).to_be_bytes();
                *buffer.get_mut(at..)?.first_chunk_mut()? = number;
            }
            srtp.seal_rtp(buffer, start, written.bytes, header.ssrc, index)
        });
        pushed.map_or(0, |()| size)
    }

    /// The sender reports that are due, as few datagrams as possible.
    fn reports(&mut self, lanes: &mut [Lane], ntp: rtcp::Ntp) {
        let now = self.now;
        let mut due = lanes
            .iter_mut()
            .filter(|lane| lane.report_is_due(now))
            .peekable();
        while let Some(first) = due.peek_mut() {
            let (ssrc, index) = (first.section.ssrc, first.next_report_index());
            let srtp = &mut *self.srtp;
            self.batch.push(self.path, |buffer| {
                let start = buffer.len();
                while buffer.len() - start < REPORT_BYTES
                    && let Some(lane) = due.next()
                {
                    rtcp::write_sender_report(buffer, &lane.report(now, ntp)?);
                    rtcp::write_description(buffer, lane.section.ssrc, &lane.section.cname);
                }
                srtp.seal_rtcp(buffer, start, ssrc, index)
            });
        }
    }
}
