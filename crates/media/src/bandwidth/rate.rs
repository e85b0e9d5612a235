//! The delay-based rate: up while the queue does not grow, down to what the line delivers when it does, and less for a
//! while until the queue is gone (draft-ietf-rmcat-gcc-02, section 5.5). Sees rates and verdicts, never packets.

use super::trend::Usage;
use super::{MAX_BPS, MIN_BPS};

/// What is kept of what was delivered when the queue grows.
const KEPT: f64 = 0.9;
/// What is kept when less was sent than allowed, so that what was delivered says little.
const KEPT_LIMITED: f64 = 0.9;
/// And at least of the rate, when hardly any of it was used: a moment of waiting is no thin line yet.
const KEPT_UNUSED: f64 = 0.6;
/// Per second, far from where the line was full last time, and near to it.
const GROWTH: f64 = 1.08;
const GROWTH_NEAR: f64 = 1.03;
const NEAR: std::ops::Range<f64> = 0.8..1.2;
/// A line that was full long ago may have changed.
const FULL_US: i64 = 30_000_000;
const LEAST_BETWEEN_CUTS_US: i64 = 120_000;
const MOST_BETWEEN_CUTS_US: i64 = 300_000;

/// A shorter queue needs no draining.
const DRAINED_US: i64 = 40_000;
/// So long a queue goes away by itself, now that no more is sent than the line carries.
const PATIENT_US: i64 = 120_000;
/// A queue so long would stop everything, were it not for the limit.
const DRAIN_SPAN_US: f64 = 700_000.0;
const DRAIN_MOST: f64 = 0.85;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Observed {
    pub now_us: i64,
    pub usage: Usage,
    /// What arrived lately.
    pub delivered_bps: f64,
    /// Growth ends here: nobody has seen the line carry more.
    pub growth_limit_bps: f64,
    /// Less is sent than allowed, and all of it arrives as fast as it is sent.
    pub limited: bool,
    /// Far less is sent than allowed, however it arrives now.
    pub hardly_used: bool,
    /// How long a packet that leaves now will wait.
    pub queue_us: i64,
    pub rtt_us: i64,
}

#[derive(Debug)]
pub(crate) struct Rate {
    bps: f64,
    updated_us: Option<i64>,
    cut_us: Option<i64>,
    /// What the line carried when it was full, and when that was.
    full: Option<(f64, i64)>,
    draining: bool,
    drain: f64,
}

impl Rate {
    pub fn new(bps: f64) -> Self {
        Self {
            bps,
            updated_us: None,
            cut_us: None,
            full: None,
            draining: false,
            drain: 1.0,
        }
    }

    pub fn bps(&self) -> f64 {
        self.bps
    }

    /// The share of it to use, until the queue is gone.
    pub fn drain(&self) -> f64 {
        self.drain
    }

    pub fn cut_us(&self) -> Option<i64> {
        self.cut_us
    }

    /// Something better than growth found out what the line carries.
    pub fn set(&mut self, bps: f64) {
        self.draining |= bps < self.bps;
        self.bps = bps.clamp(MIN_BPS, MAX_BPS);
    }

    pub fn update(&mut self, observed: Observed) {
        let passed_us = observed.now_us - self.updated_us.unwrap_or(observed.now_us);
        self.updated_us = Some(observed.now_us);
        match observed.usage {
            Usage::Over => self.cut(observed),
            Usage::Under => {}
            Usage::Normal if self.draining => {}
            Usage::Normal => self.grow(observed, passed_us),
        }
        self.draining &= observed.queue_us > DRAINED_US;
        self.drain = if self.draining {
            let over_us = (observed.queue_us - PATIENT_US).max(0) as f64;
            1.0 - (over_us / DRAIN_SPAN_US).min(DRAIN_MOST)
        } else {
            1.0
        };
    }

    fn cut(&mut self, observed: Observed) {
        self.draining |= observed.queue_us > DRAINED_US;
        let pause_us = observed
            .rtt_us
            .clamp(LEAST_BETWEEN_CUTS_US, MOST_BETWEEN_CUTS_US);
        if self
            .cut_us
            .is_some_and(|cut_us| observed.now_us - cut_us < pause_us)
        {
            return;
        }
        self.cut_us = Some(observed.now_us);
        let bps = if observed.limited {
            self.bps * KEPT_LIMITED
        } else {
            self.full = Some((observed.delivered_bps, observed.now_us));
            let least = if observed.hardly_used {
                self.bps * KEPT_UNUSED
            } else {
                0.0
            };
            (observed.delivered_bps * KEPT).max(least)
        };
        self.set(bps.min(self.bps));
    }

    fn grow(&mut self, observed: Observed, passed_us: i64) {
        if self.bps >= observed.growth_limit_bps {
            return;
        }
        let near = self.full.is_some_and(|(full_bps, at_us)| {
            observed.now_us - at_us < FULL_US && NEAR.contains(&(self.bps / full_bps))
        });
        let growth = if near { GROWTH_NEAR } else { GROWTH };
        let seconds = (passed_us as f64 / 1e6).clamp(0.0, 1.0);
        let grown_bps = self.bps * growth.powf(seconds) + 1_000.0 * seconds;
        self.set(grown_bps.min(observed.growth_limit_bps));
    }
}
