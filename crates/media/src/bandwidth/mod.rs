//! How much one peer's line carries, found out by the sender: from transport-wide feedback, which tells when each
//! packet arrived. Gives the numbers to write into packets, one estimate, and the padding that tries for more.
//! Decides nothing about what is sent. Sans-IO; time is an argument, and the same input gives the same estimate.
#![expect(dead_code, reason = "until the egress numbers its packets with it")]

mod feedback;
mod history;

use std::time::{Duration, Instant};

use feedback::Feedback;
use history::History;

/// What a line is taken for until it has shown what it carries.
const START_BPS: u64 = 600_000;
/// Frames are sent faster than the average, so that they do not wait for each other.
const PACING_PERCENT: u64 = 200;
/// Weight of a new value in what is shown of a line.
const SMOOTHING: f32 = 0.1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Media,
    Audio,
    Retransmission,
    Padding(ProbeId),
}

/// A series of padding that belongs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProbeId(u32);

/// Padding to be sent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    pub id: ProbeId,
    pub bytes: usize,
}

#[derive(Debug)]
pub(crate) struct Bandwidth {
    origin: Instant,
    history: History,
    wanted_bps: u64,
    rtt: Option<Duration>,
    loss: f32,
}

impl Bandwidth {
    pub fn new(now: Instant) -> Self {
        Self {
            origin: now,
            history: History::default(),
            wanted_bps: 0,
            rtt: None,
            loss: 0.0,
        }
    }

    /// A packet leaves: gives the transport-wide sequence number to write into it. `bytes` counts the RTP packet with
    /// its tag, without IP and UDP.
    pub fn sent(&mut self, now: Instant, bytes: usize, what: Sent) -> u16 {
        let _ = what;
        self.history.sent(self.us(now), bytes) as u16
    }

    /// Transport-wide feedback: the bytes of the RTCP packet after its two SSRCs. False if it makes no sense.
    pub fn feedback(&mut self, now: Instant, fci: &[u8]) -> bool {
        let now_us = self.us(now);
        let Some(feedback) = Feedback::parse(fci) else {
            return false;
        };
        let (mut arrived, mut lost) = (0.0, 0.0);
        let answer = self.history.answer(now_us, &feedback, |packet| {
            match (packet.arrived_us, packet.was_lost) {
                (Some(_), true) => (arrived, lost) = (arrived + 1.0, lost - 1.0),
                (Some(_), false) => arrived += 1.0,
                (None, _) => lost += 1.0,
            }
        });
        let Ok(newest) = answer else {
            return false;
        };
        if let Some(sent_us) = newest {
            self.rtt = Some(Duration::from_micros(now_us.saturating_sub(sent_us)));
        }
        if arrived + lost > 0.0 {
            let fraction = f32::max(lost, 0.0) / (arrived + lost);
            self.loss += (fraction - self.loss) * SMOOTHING;
        }
        true
    }

    /// From the receiver reports about our streams. `fraction_lost` out of 256.
    pub fn report(&mut self, _now: Instant, rtt: Option<Duration>, _fraction_lost: u8) {
        self.rtt = rtt.or(self.rtt);
    }

    pub fn handle_timeout(&mut self, _now: Instant) {}

    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    pub fn estimate_bps(&self) -> u64 {
        START_BPS
    }

    pub fn pacing_bps(&self) -> u64 {
        self.estimate_bps() * PACING_PERCENT / 100
    }

    /// What all wishes together would take: nobody tries for (much) more than that.
    pub fn set_wanted(&mut self, bps: u64) {
        self.wanted_bps = bps;
    }

    /// Padding that is due now.
    pub fn poll_probe(&mut self, _now: Instant) -> Option<Probe> {
        None
    }

    pub fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    /// The share of packets that is lost on the way, from 0 to 1.
    pub fn loss(&self) -> f32 {
        self.loss
    }

    fn us(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.origin).as_micros() as u64
    }
}
