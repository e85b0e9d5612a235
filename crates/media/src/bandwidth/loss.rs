//! What loss says about the line. Loss that grows with the rate is congestion and bounds it; loss that stays when less
//! is sent (radio, a bad cable) is a property of the line, and sending less would only make it worse to look at.

/// A window of packets that is judged together.
const WINDOW_US: i64 = 400_000;
const WINDOW_PACKETS: u32 = 20;
/// Loss above what is the line's own that is taken for congestion, and below which the bound is lifted.
const CONGESTED: f64 = 0.08;
const FREE: f64 = 0.03;
/// So many standard deviations of a window's loss are taken for chance.
const CHANCE: f64 = 1.5;
/// Less loss than this has to last for two windows.
const AT_ONCE: f64 = 0.25;
/// Per window.
const LIFT: f64 = 1.15;
const LIFT_SLOWLY: f64 = 1.02;
/// Near where it was too much last time, and for so long.
const NEAR: f64 = 0.9;
const BEYOND: f64 = 1.1;
const REMEMBERED_US: i64 = 20_000_000;
/// A bound this far above the estimate bounds nothing.
const IDLE_ABOVE: f64 = 1.5;
/// What is kept of what is delivered: enough less that the loss must go away, if it can.
const KEPT: f64 = 0.93;
/// No more than this per window.
const CUT_MOST: f64 = 0.5;
/// Loss above this is never taken for a property of the line.
const OWN_MOST: f64 = 0.4;
/// Sending less must take away this share of the loss, or the loss is the line's own.
const RELIEF: f64 = 0.5;
/// So much less is sent than before a cut, or it says nothing yet about the loss.
const OBEYED: f64 = 0.85;
const OWN_FADES: f64 = 0.3;
/// Loss that is there all the time without being much is the line's own too.
const OWN_GROWS: f64 = 0.1;
const OWN_UNTRIED: f64 = 0.05;
const SMOOTHING: f64 = 0.3;

/// A cut that has to prove itself.
#[derive(Clone, Copy, Debug)]
struct Trial {
    loss: f64,
    sent_bps: f64,
    bound_before_bps: Option<f64>,
}

#[derive(Debug, Default)]
pub(crate) struct Loss {
    /// Packets sent before this are not counted.
    since_us: i64,
    window_us: Option<i64>,
    packets: u32,
    lost: u32,
    bytes: f64,
    lost_bytes: f64,
    smoothed: f64,
    /// The part of the loss that does not depend on the rate.
    own: f64,
    bound_bps: Option<f64>,
    trial: Option<Trial>,
    /// The last window lost more than the line's own.
    excessive: bool,
    /// What it was cut to last, and when.
    hit: Option<(f64, i64)>,
}

/// What the rest of the estimator knows when a window ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub now_us: i64,
    pub estimate_bps: f64,
    pub delivered_bps: f64,
    /// Less is sent than the estimate allows, so that what arrives is no measure of the line.
    pub limited: bool,
}

/// A packet of which the fate is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub sent_us: i64,
    pub bytes: u32,
    pub lost: bool,
    /// It had been said to be lost before.
    pub was_lost: bool,
}

/// What was sent in a window, and what of it arrived.
#[derive(Clone, Copy, Debug)]
struct Rates {
    sent_bps: f64,
    arrived_bps: f64,
}

impl Loss {
    pub fn packet(&mut self, packet: Counted) {
        if packet.sent_us < self.since_us {
            return;
        }
        self.window_us.get_or_insert(packet.sent_us);
        let bytes = f64::from(packet.bytes);
        if packet.was_lost {
            self.lost = self.lost.saturating_sub(1);
            self.lost_bytes -= bytes;
            return;
        }
        self.packets += 1;
        self.bytes += bytes;
        if packet.lost {
            self.lost += 1;
            self.lost_bytes += bytes;
        }
    }

    /// The share that is lost, from 0 to 1.
    pub fn smoothed(&self) -> f64 {
        self.smoothed
    }

    /// The share of it that would be lost at any rate.
    pub fn own(&self) -> f64 {
        self.own
    }

    /// No time for more.
    pub fn excessive(&self) -> bool {
        self.excessive
    }

    pub fn bound_bps(&self) -> Option<f64> {
        self.bound_bps
    }

    /// What was lost until now has another cause than too much of it.
    pub fn disregard_until(&mut self, now_us: i64) {
        self.begin(now_us);
        self.trial = None;
    }

    pub fn judge(&mut self, moment: Moment, newest_sent_us: i64) {
        let Some(since_us) = self.window_us else {
            return;
        };
        if newest_sent_us - since_us < WINDOW_US || self.packets < WINDOW_PACKETS {
            return;
        }
        let packets = f64::from(self.packets);
        let loss = f64::from(self.lost) / packets;
        self.smoothed += (loss - self.smoothed) * SMOOTHING;
        let per_second = 8e6 / (newest_sent_us - since_us) as f64;
        let rates = Rates {
            sent_bps: self.bytes * per_second,
            arrived_bps: (self.bytes - self.lost_bytes).max(0.0) * per_second,
        };
        self.begin(self.since_us);
        let obeyed = |trial: &mut Trial| {
            let bound_bps = self.bound_bps.unwrap_or(f64::INFINITY);
            rates.sent_bps < (trial.sent_bps * OBEYED).max(bound_bps)
        };
        if let Some(trial) = self.trial.take_if(obeyed) {
            let relieved = trial.loss - loss > (trial.loss - self.own) * RELIEF;
            if !relieved {
                self.own = loss.min(trial.loss).min(OWN_MOST);
                self.bound_bps = trial.bound_before_bps;
            }
        }
        if loss < self.own {
            self.own += (loss - self.own) * OWN_FADES;
        }
        let above_own = |loss: f64| ((loss - self.own) / (1.0 - self.own)).max(0.0);
        let excess = above_own(loss);
        let certain = above_own(loss - CHANCE * (loss * (1.0 - loss) / packets).sqrt());
        let lasts = self.excessive || certain > AT_ONCE;
        self.excessive = excess > FREE;
        if certain > CONGESTED && lasts {
            self.cut(moment, rates, loss, excess);
            return;
        }
        if self.excessive {
            self.own += (loss.min(OWN_UNTRIED) - self.own).max(0.0) * OWN_GROWS;
        }
        if let Some(bound_bps) = self.bound_bps {
            let near = self.hit.is_some_and(|(hit_bps, at_us)| {
                moment.now_us - at_us < REMEMBERED_US
                    && (NEAR..BEYOND).contains(&(bound_bps / hit_bps))
            });
            let lift = if excess < FREE && !near {
                LIFT
            } else {
                LIFT_SLOWLY
            };
            let lifted_bps = bound_bps * lift;
            let idle = lifted_bps > moment.estimate_bps * IDLE_ABOVE;
            self.bound_bps = (!idle).then_some(lifted_bps);
        }
    }

    fn cut(&mut self, moment: Moment, rates: Rates, loss: f64, excess: f64) {
        let rate_bps = self
            .bound_bps
            .map_or(moment.estimate_bps, |bound| bound.min(moment.estimate_bps));
        // Little is sent now, but what was lost may have been part of much.
        let carried_bps = if !moment.limited {
            moment.delivered_bps * KEPT / (1.0 - self.own)
        } else if rates.sent_bps > rate_bps {
            rates.arrived_bps.max(moment.delivered_bps) * KEPT / (1.0 - self.own)
        } else {
            rate_bps * (1.0 - excess)
        };
        let before = self.trial.take().map(|trial| trial.bound_before_bps);
        // A cut that does not go all the way proves nothing.
        self.trial = (carried_bps >= rate_bps * CUT_MOST).then_some(Trial {
            loss,
            sent_bps: rates.sent_bps,
            bound_before_bps: before.unwrap_or(self.bound_bps),
        });
        let bound_bps = carried_bps.clamp(rate_bps * CUT_MOST, rate_bps);
        self.bound_bps = Some(bound_bps);
        self.hit = Some((bound_bps, moment.now_us));
        self.begin(moment.now_us);
    }

    fn begin(&mut self, now_us: i64) {
        self.since_us = now_us;
        (self.window_us, self.packets, self.lost) = (None, 0, 0);
        (self.bytes, self.lost_bytes) = (0.0, 0.0);
    }
}
