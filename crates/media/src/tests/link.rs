//! A simulated line with senders on it: a bottleneck with a queue, delay, jitter, loss, reordering and a way back for
//! feedback, in steps of a millisecond and out of a seed. Each sender is a `Bandwidth` with media that follows it.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::network::{Losses, Random};
use crate::bandwidth::{Bandwidth, Sent};

const PACKET: usize = 1_100;
const SOUND: usize = 120;
const SOUND_BPS: u64 = 48_000;
const FRAME_US: i64 = 33_000;
/// What is measured is summed up over this.
pub const SLOT_MS: i64 = 100;

#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub bps: u64,
    /// What waits longer than this is dropped.
    pub queue_bytes: usize,
    pub delay_ms: i64,
    /// Up to so much more, without reordering.
    pub jitter_ms: i64,
    pub losses: Losses,
    /// Per mille of packets that are overtaken by what is sent in the next 20 ms.
    pub reordered: u64,
    /// Other people's traffic.
    pub cross_bps: u64,
    pub back: Back,
}

/// The way back.
#[derive(Clone, Copy, Debug)]
pub struct Back {
    pub every_ms: i64,
    pub lost: u64,
    pub doubled: u64,
    pub jitter_ms: i64,
}

pub const BACK: Back = Back {
    every_ms: 80,
    lost: 0,
    doubled: 0,
    jitter_ms: 0,
};

pub const fn line(bps: u64) -> Line {
    Line {
        bps,
        queue_bytes: 150_000,
        delay_ms: 25,
        jitter_ms: 0,
        losses: Losses::None,
        reordered: 0,
        cross_bps: 0,
        back: BACK,
    }
}

/// What there is to send.
#[derive(Clone, Copy, Debug)]
pub enum Media {
    Sound,
    /// A picture that follows the estimate up to this.
    Smooth(u64),
    /// Layers as browsers make them: the largest that fits.
    Layers(&'static [u64]),
}

impl Media {
    fn wanted_bps(self) -> u64 {
        SOUND_BPS
            + match self {
                Media::Sound => 0,
                Media::Smooth(most) => most,
                Media::Layers(layers) => layers.last().copied().unwrap_or(0),
            }
    }

    fn picture_bps(self, estimate_bps: u64) -> u64 {
        let room_bps = estimate_bps.saturating_sub(SOUND_BPS);
        match self {
            Media::Sound => 0,
            Media::Smooth(most) => most.min(room_bps),
            Media::Layers(layers) => {
                let fits = layers.iter().rev().find(|layer| **layer <= room_bps);
                fits.copied().unwrap_or(0)
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Parcel {
    flow: Option<usize>,
    sequence: u16,
    bytes: usize,
    entered_us: i64,
}

/// What happened in one slot of time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slot {
    pub estimate_bps: u64,
    pub sent_bytes: usize,
    pub padding_bytes: usize,
    pub delivered_bytes: usize,
    pub queue_ms: i64,
    pub picture_bps: u64,
    pub loss: f32,
}

pub struct Flow {
    pub bandwidth: Bandwidth,
    pub media: Media,
    pub slots: Vec<Slot>,
    waiting: VecDeque<usize>,
    budget_us: i64,
    next_frame_us: i64,
    next_sound_us: i64,
    frames: u64,
    receiver: Receiver,
    /// No padding is ever sent.
    pub unpadded: bool,
}

/// Whom the packets arrive at.
#[derive(Default)]
struct Receiver {
    arrived: BTreeMap<i64, i64>,
    newest: Option<i64>,
    next: i64,
    next_feedback_us: i64,
    messages: u8,
}

pub struct Simulation {
    pub line: Line,
    pub flows: Vec<Flow>,
    pub now_us: i64,
    start: Instant,
    random: Random,
    queue: VecDeque<Parcel>,
    queued_bytes: usize,
    free_us: i64,
    bad: bool,
    last_arrival_us: i64,
    arriving: BTreeMap<(i64, u64), Parcel>,
    returning: BTreeMap<(i64, u64), (usize, Vec<u8>)>,
    count: u64,
    cross_us: i64,
}

impl Simulation {
    #[allow(
        clippy::disallowed_methods,
        reason = "one arbitrary instant to count from"
    )]
    pub fn new(seed: u64, line: Line, media: &[Media]) -> Self {
        let start = Instant::now();
        let mut simulation = Self {
            line,
            flows: vec![],
            now_us: 0,
            start,
            random: Random(seed),
            queue: VecDeque::new(),
            queued_bytes: 0,
            free_us: 0,
            bad: false,
            last_arrival_us: 0,
            arriving: BTreeMap::new(),
            returning: BTreeMap::new(),
            count: 0,
            cross_us: 0,
        };
        for media in media {
            simulation.add(*media);
        }
        simulation
    }

    pub fn add(&mut self, media: Media) {
        let mut bandwidth = Bandwidth::new(self.now());
        bandwidth.set_wanted(media.wanted_bps());
        self.flows.push(Flow {
            bandwidth,
            media,
            slots: vec![Slot::default(); (self.now_us / 1_000 / SLOT_MS) as usize],
            waiting: VecDeque::new(),
            budget_us: 0,
            next_frame_us: self.now_us + self.random.below(FRAME_US as u64) as i64,
            next_sound_us: self.now_us,
            frames: 0,
            receiver: Receiver::default(),
            unpadded: false,
        });
    }

    pub fn set_media(&mut self, flow: usize, media: Media) {
        self.flows[flow].media = media;
        self.flows[flow].bandwidth.set_wanted(media.wanted_bps());
    }

    pub fn now(&self) -> Instant {
        self.start + Duration::from_micros(self.now_us as u64)
    }

    pub fn run_ms(&mut self, ms: i64) {
        for _ in 0..ms {
            self.step();
        }
    }

    fn step(&mut self) {
        self.now_us += 1_000;
        self.come_back();
        for flow in 0..self.flows.len() {
            self.send(flow);
        }
        self.cross();
        self.serve();
        self.arrive();
        if self.now_us % (SLOT_MS * 1_000) == 0 {
            for flow in &mut self.flows {
                let estimate_bps = flow.bandwidth.estimate_bps();
                let loss = flow.bandwidth.loss();
                flow.slots.push(Slot::default());
                let full = flow.slots.len() - 2;
                flow.slots[full].estimate_bps = estimate_bps;
                flow.slots[full].loss = loss;
            }
        }
    }

    fn send(&mut self, index: usize) {
        let (now, now_us) = (self.now(), self.now_us);
        let flow = &mut self.flows[index];
        if flow.slots.is_empty() {
            flow.slots.push(Slot::default());
        }
        let due = flow.bandwidth.poll_timeout().is_some_and(|at| at <= now);
        if due {
            flow.bandwidth.handle_timeout(now);
        }
        let mut out: Vec<(usize, Sent)> = vec![];
        if now_us >= flow.next_sound_us {
            flow.next_sound_us += 20_000;
            out.push((SOUND, Sent::Audio));
        }
        if now_us >= flow.next_frame_us {
            flow.next_frame_us += FRAME_US;
            let bps = flow.media.picture_bps(flow.bandwidth.estimate_bps());
            if let Some(slot) = flow.slots.last_mut() {
                slot.picture_bps = bps;
            }
            flow.frames += 1;
            // Frames differ, and every tenth second has a keyframe.
            let keyframe = flow.frames % 300 == 150;
            let percent = 70 + self.random.below(61) + if keyframe { 300 } else { 0 };
            let mut bytes = (bps as i64 * FRAME_US / 8_000_000) as usize * percent as usize / 100;
            while bytes > 0 {
                let packet = bytes.min(PACKET);
                flow.waiting.push_back(packet);
                bytes -= packet;
            }
        }
        flow.budget_us = (flow.budget_us + 1_000).min(5_000);
        while flow.budget_us > 0
            && let Some(bytes) = flow.waiting.pop_front()
        {
            flow.budget_us -= bytes as i64 * 8_000_000 / flow.bandwidth.pacing_bps() as i64;
            out.push((bytes, Sent::Media));
        }
        for (bytes, what) in out {
            self.transmit(index, bytes, what);
        }
        while let Some(probe) = self.flows[index].bandwidth.poll_probe(now) {
            if self.flows[index].unpadded {
                break;
            }
            let mut left = probe.bytes;
            while left > 0 {
                self.transmit(index, PACKET, Sent::Padding(probe.id));
                left = left.saturating_sub(PACKET);
            }
        }
        let wake = self.flows[index].bandwidth.poll_timeout();
        assert!(wake.is_none_or(|wake| wake > now), "woken for nothing");
    }

    fn transmit(&mut self, index: usize, bytes: usize, what: Sent) {
        let now = self.now();
        let flow = &mut self.flows[index];
        let sequence = flow.bandwidth.sent(now, bytes, what);
        if let Some(slot) = flow.slots.last_mut() {
            slot.sent_bytes += bytes;
            if matches!(what, Sent::Padding(_)) {
                slot.padding_bytes += bytes;
            }
        }
        self.enter(Parcel {
            flow: Some(index),
            sequence,
            bytes,
            entered_us: self.now_us,
        });
    }

    fn enter(&mut self, parcel: Parcel) {
        if self.queued_bytes + parcel.bytes > self.line.queue_bytes {
            return;
        }
        if self.queue.is_empty() {
            self.free_us = self.free_us.max(self.now_us);
        }
        self.queued_bytes += parcel.bytes;
        self.queue.push_back(parcel);
    }

    fn cross(&mut self) {
        self.cross_us += self.line.cross_bps as i64 / 1_000;
        while self.cross_us >= PACKET as i64 * 8 {
            self.cross_us -= PACKET as i64 * 8;
            let entered_us = self.now_us;
            self.enter(Parcel {
                flow: None,
                sequence: 0,
                bytes: PACKET,
                entered_us,
            });
        }
    }

    fn serve(&mut self) {
        while let Some(parcel) = self.queue.front().copied() {
            let takes_us = parcel.bytes as i64 * 8_000_000 / self.line.bps.max(1) as i64;
            let done_us = self.free_us.max(parcel.entered_us) + takes_us;
            if done_us > self.now_us {
                break;
            }
            self.free_us = done_us;
            self.queue.pop_front();
            self.queued_bytes -= parcel.bytes;
            let Some(flow) = parcel.flow else {
                continue;
            };
            let queue_ms = (done_us - parcel.entered_us) / 1_000;
            if let Some(slot) = self.flows[flow].slots.last_mut() {
                slot.queue_ms = slot.queue_ms.max(queue_ms);
            }
            let losses = self.line.losses;
            if losses.is_lost(&mut self.random, &mut self.bad) {
                continue;
            }
            let jitter_us = self.random.below(self.line.jitter_ms as u64 * 1_000 + 1) as i64;
            let mut arrives_us = done_us + self.line.delay_ms * 1_000 + jitter_us;
            if self.random.below(1_000) < self.line.reordered {
                arrives_us += self.random.below(20_000) as i64;
            } else {
                arrives_us = arrives_us.max(self.last_arrival_us);
                self.last_arrival_us = arrives_us;
            }
            self.count += 1;
            self.arriving.insert((arrives_us, self.count), parcel);
        }
    }

    fn arrive(&mut self) {
        while let Some(first) = self.arriving.first_entry()
            && first.key().0 <= self.now_us
        {
            let ((at_us, _), parcel) = first.remove_entry();
            let Some(flow) = parcel.flow else { continue };
            let flow = &mut self.flows[flow];
            flow.receiver.take(parcel.sequence, at_us);
            if let Some(slot) = flow.slots.last_mut() {
                slot.delivered_bytes += parcel.bytes;
            }
        }
        let back = self.line.back;
        for index in 0..self.flows.len() {
            let receiver = &mut self.flows[index].receiver;
            if self.now_us < receiver.next_feedback_us {
                continue;
            }
            receiver.next_feedback_us = self.now_us + back.every_ms * 1_000;
            let Some(message) = receiver.message() else {
                continue;
            };
            let copies = 1 + u64::from(self.random.below(1_000) < back.doubled);
            for _ in 0..copies {
                if self.random.below(1_000) < back.lost {
                    continue;
                }
                let jitter_us = self.random.below(back.jitter_ms as u64 * 1_000 + 1) as i64;
                let at_us = self.now_us + self.line.delay_ms * 1_000 + jitter_us;
                self.count += 1;
                self.returning
                    .insert((at_us, self.count), (index, message.clone()));
            }
        }
    }

    fn come_back(&mut self) {
        let now = self.now();
        while let Some(first) = self.returning.first_entry()
            && first.key().0 <= self.now_us
        {
            let (_, (flow, message)) = first.remove_entry();
            self.flows[flow].bandwidth.feedback(now, &message);
        }
    }
}

/// The receiver's clock began long ago, and its reference time is about to wrap.
const CLOCK_US: i64 = 0x00ff_ff00 * 64_000;

impl Receiver {
    fn take(&mut self, sequence: u16, at_us: i64) {
        let newest = self.newest.unwrap_or(i64::from(sequence));
        let step = i64::from(sequence.wrapping_sub(newest as u16).cast_signed());
        let sequence = newest + step;
        self.newest = Some(newest.max(sequence));
        self.arrived.insert(sequence, at_us + CLOCK_US);
        // One that came late is told again with all after it.
        self.next = self.next.min(sequence);
    }

    fn message(&mut self) -> Option<Vec<u8>> {
        let base = self.next;
        let last = *self.arrived.range(base..).next_back()?.0;
        let first_us = *self.arrived.range(base..).next()?.1;
        let count = (last - base + 1) as u16;
        let reference = first_us.div_euclid(64_000);
        let mut fci = [(base as u16).to_be_bytes(), count.to_be_bytes()].concat();
        fci.extend(&(reference as u32).to_be_bytes()[1..]);
        fci.push(self.messages);
        self.messages = self.messages.wrapping_add(1);
        let (mut symbols, mut deltas) = (vec![], vec![]);
        let mut ticks = reference * 64_000 / 250;
        for sequence in base..=last {
            let Some(at_us) = self.arrived.get(&sequence) else {
                symbols.push(0);
                continue;
            };
            let delta = at_us / 250 - ticks;
            ticks += delta;
            if let Ok(small) = u8::try_from(delta) {
                symbols.push(1);
                deltas.push(small);
            } else {
                symbols.push(2);
                deltas.extend((delta as i16).to_be_bytes());
            }
        }
        for seven in symbols.chunks(7) {
            let mut chunk = 0xc000_u16;
            for (index, symbol) in seven.iter().enumerate() {
                chunk |= symbol << (12 - 2 * index);
            }
            fci.extend(chunk.to_be_bytes());
        }
        fci.extend(deltas);
        self.next = last + 1;
        self.arrived = self.arrived.split_off(&(self.next - 500));
        Some(fci)
    }
}
