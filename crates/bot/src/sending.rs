//! One prepared stream on its way out: which packet comes when. Pure: time is an argument, packets are values.

use std::time::{Duration, Instant};

use crate::{
    Load,
    fixture::Frames,
    vp8::{self, Counters},
};

pub(crate) enum Content {
    Picture(&'static Frames),
    Voice(&'static Frames),
    Load(Load),
}

/// A packet to be written.
pub(crate) struct Sent {
    pub seq: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Vec<u8>,
    /// Which of the prepared frames this belongs to.
    pub index: usize,
}

pub(crate) struct Sender {
    content: Content,
    interval: Duration,
    ticks: u32,
    next: usize,
    seq: u64,
    timestamp: u32,
    counters: Counters,
    due: Option<Instant>,
}

impl Sender {
    /// `offset` sets streams apart that are otherwise alike: every encoding has its own sequence, clock and picture ids.
    pub fn new(content: Content, rate: u32, clock: u32, offset: u16) -> Self {
        Self {
            content,
            interval: Duration::from_secs(1) / rate,
            ticks: clock / rate,
            next: 0,
            // Below 2^15, so that the first packets can be lost without losing count of the rollovers.
            seq: u64::from(offset % 0x7000) + 1,
            timestamp: u32::from(offset).wrapping_mul(0x9e37_79b1),
            counters: Counters {
                picture_id: offset & 0x7fff,
                tl0_pic_idx: offset as u8,
            },
            due: None,
        }
    }

    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Starts, or goes on as if nothing was sent in between; pictures begin with a keyframe.
    pub fn start(&mut self, now: Instant) {
        if self.due.is_none() {
            self.due = Some(now);
            self.keyframe();
        }
    }

    pub fn stop(&mut self) {
        self.due = None;
    }

    /// The next frame is a keyframe.
    pub fn keyframe(&mut self) {
        if !matches!(self.content, Content::Voice(_)) {
            self.next = 0;
        }
    }

    /// The packets of the frame that is due, if one is.
    pub fn poll(&mut self, now: Instant) -> Vec<Sent> {
        let Some(due) = self.due.filter(|due| *due <= now) else {
            return vec![];
        };
        // Who was held up for long goes on from now instead of sending everything at once.
        let late = now.duration_since(due);
        let skipped = if late > Duration::from_millis(500) {
            late.as_nanos() / self.interval.as_nanos()
        } else {
            0
        };
        let skipped = u32::try_from(skipped).unwrap_or(0);
        self.due = Some(due + self.interval * (skipped + 1));
        self.timestamp = self
            .timestamp
            .wrapping_add(self.ticks.wrapping_mul(skipped));
        let index = self.next;
        self.next = match &self.content {
            Content::Picture(frames) | Content::Voice(frames) => (index + 1) % frames.len(),
            // One keyframe, and then only where it is asked for.
            Content::Load(_) => 1,
        };
        let payloads = match &self.content {
            Content::Picture(frames) => vp8::payloads(frames[index], self.counters),
            Content::Voice(frames) => vec![frames[index].to_vec()],
            Content::Load(load) => load.payloads(index == 0, self.counters, now),
        };
        self.counters.advance();
        let last = payloads.len() - 1;
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(self.ticks);
        let packets = payloads.into_iter().enumerate().map(|(number, payload)| {
            let seq = self.seq;
            self.seq += 1;
            let marker = !matches!(self.content, Content::Voice(_)) && number == last;
            Sent {
                seq,
                timestamp,
                marker,
                payload,
                index,
            }
        });
        packets.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Identity, fixture};

    #[test]
    fn a_keyframe_request_jumps_to_the_keyframe_and_the_counters_go_on() {
        let now = Instant::now();
        let mut sender = camera();
        sender.start(now);
        let first = sender.poll(now);
        let second = sender.poll(now + sender.interval);
        sender.keyframe();
        let third = sender.poll(now + sender.interval * 2);
        assert_eq!((first[0].index, second[0].index, third[0].index), (0, 1, 0));
        let last_seq = first.iter().chain(&second).map(|packet| packet.seq).max();
        assert_eq!(Some(third[0].seq - 1), last_seq);
        assert_eq!(third[0].timestamp, first[0].timestamp.wrapping_add(12_000));
    }

    #[test]
    fn nothing_is_due_before_its_time_and_a_long_delay_is_skipped() {
        let now = Instant::now();
        let mut sender = camera();
        assert!(sender.poll(now).is_empty());
        sender.start(now);
        assert_eq!(sender.poll(now).len(), 1);
        assert!(sender.poll(now + sender.interval / 2).is_empty());
        let later = now + Duration::from_secs(2);
        assert_eq!(sender.poll(later).len(), 1);
        assert!(sender.poll(later).is_empty());
    }

    fn camera() -> Sender {
        Sender::new(
            Content::Picture(&fixture::prepared(Identity::nth(3)).camera[0]),
            15,
            90_000,
            7,
        )
    }
}
