//! How much one peer's line carries, found out by the sender: from transport-wide feedback, which tells when each
//! packet arrived. Gives the numbers to write into packets, one estimate, and the padding that tries for more.
//! Decides nothing about what is sent. Sans-IO; time is an argument, and the same input gives the same estimate.

mod arrivals;
mod estimator;
pub(crate) mod feedback;
mod history;
mod loss;
mod meter;
mod probes;
mod queue;
mod rate;
mod trend;

use std::time::{Duration, Instant};

use estimator::Estimator;
use feedback::Feedback;
use history::History;

/// What a line is taken for until it has shown what it carries.
const START_BPS: u64 = 600_000;
/// Sound alone needs nearly as much.
pub(crate) const MIN_BPS: f64 = 50_000.0;
/// Nobody is sent more.
pub(crate) const MAX_BPS: f64 = 20_000_000.0;
/// Frames are sent faster than the average, so that they do not wait for each other; but not when there is a queue.
const PACING_PERCENT: u64 = 200;
const PACING_DRAINING_PERCENT: u64 = 120;

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
    /// The latest time that came in.
    now_us: i64,
    history: History,
    estimator: Estimator,
    rtt: Option<Duration>,
}

impl Bandwidth {
    pub fn new(now: Instant) -> Self {
        Self {
            origin: now,
            now_us: 0,
            history: History::default(),
            estimator: Estimator::new(),
            rtt: None,
        }
    }

    /// A packet leaves: gives the transport-wide sequence number to write into it. `bytes` counts the RTP packet with
    /// its tag, without IP and UDP.
    pub fn sent(&mut self, now: Instant, bytes: usize, what: Sent) -> u16 {
        self.pass(now);
        let sequence = self.history.sent(self.now_us, bytes);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.estimator.sent(self.now_us, sequence, bytes, what);
        sequence as u16
    }

    /// Transport-wide feedback: the bytes of the RTCP packet after its two SSRCs. False if it makes no sense.
    pub fn feedback(&mut self, now: Instant, fci: &[u8]) -> bool {
        self.pass(now);
        let Some(feedback) = Feedback::parse(fci) else {
            return false;
        };
        let Some(base) = self.history.base(&feedback) else {
            return false;
        };
        let rtt_us = self
            .estimator
            .feedback(self.now_us, &mut self.history, base, &feedback);
        if let Some(rtt_us) = rtt_us {
            self.rtt = Some(Duration::from_micros(rtt_us.unsigned_abs()));
        }
        true
    }

    /// From the receiver reports about our streams. `fraction_lost` out of 256.
    pub fn report(&mut self, now: Instant, rtt: Option<Duration>, fraction_lost: u8) {
        self.pass(now);
        self.rtt = rtt.or(self.rtt);
        self.estimator
            .report(self.now_us, f64::from(fraction_lost) / 256.0);
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.pass(now);
        self.estimator.handle_timeout(self.now_us);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let next_us = self.estimator.next_us(self.now_us)?;
        Some(self.origin + Duration::from_micros(next_us.max(0).unsigned_abs()))
    }

    pub fn estimate_bps(&self) -> u64 {
        self.estimator.bps() as u64
    }

    pub fn pacing_bps(&self) -> u64 {
        let percent = if self.estimator.draining() {
            PACING_DRAINING_PERCENT
        } else {
            PACING_PERCENT
        };
        self.estimate_bps() * percent / 100
    }

    /// What all wishes together would take: nobody tries for (much) more than that.
    pub fn set_wanted(&mut self, bps: u64) {
        self.estimator.set_wanted(self.now_us, bps as f64);
    }

    /// Padding that is due now.
    pub fn poll_probe(&mut self, now: Instant) -> Option<Probe> {
        self.pass(now);
        self.estimator.poll_probe(self.now_us)
    }

    #[cfg(test)]
    pub fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    /// The share of packets that is lost on the way, from 0 to 1.
    pub fn loss(&self) -> f32 {
        self.estimator.loss() as f32
    }

    fn pass(&mut self, now: Instant) {
        let now_us = now.saturating_duration_since(self.origin).as_micros() as i64;
        self.now_us = self.now_us.max(now_us);
    }
}
