//! Whether the queue of the line grows: the slope of the delay over the last groups against a threshold that adapts to
//! how much the line jitters (draft-ietf-rmcat-gcc-02, section 5.4; the trendline is what libwebrtc put in place of
//! the draft's Kalman filter). Says over-use, under-use or neither; what follows from it is decided elsewhere.

use super::arrivals::Delta;

const WINDOW: usize = 20;
/// Weight of the old value when the delay is smoothed.
const SMOOTHING: f64 = 0.9;
const GAIN: f64 = 4.0;
/// With fewer groups the slope is trusted less.
const TRUSTED_GROUPS: f64 = 60.0;
const OVER_USE_MS: f64 = 10.0;

const THRESHOLD_START_MS: f64 = 12.5;
const THRESHOLD_MIN_MS: f64 = 6.0;
const THRESHOLD_MAX_MS: f64 = 600.0;
/// Above the threshold by more than that is no jitter, and the threshold does not follow.
const ADAPTS_WITHIN_MS: f64 = 15.0;
const ADAPTS_UP: f64 = 0.0087;
const ADAPTS_DOWN: f64 = 0.039;
const ADAPTS_FOR_MS: f64 = 100.0;
/// Weight of a new value in what the line jitters.
const JITTER_SMOOTHING: f64 = 0.05;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Usage {
    #[default]
    Normal,
    Over,
    Under,
}

#[derive(Debug)]
pub(crate) struct Trend {
    /// Arrival and smoothed delay, both in ms, oldest first.
    window: [(f64, f64); WINDOW],
    groups: usize,
    delay_ms: f64,
    smoothed_ms: f64,
    threshold_ms: f64,
    over_ms: Option<f64>,
    over_groups: u32,
    previous_slope: f64,
    jitter_ms: f64,
    usage: Usage,
}

impl Default for Trend {
    fn default() -> Self {
        Self {
            window: [(0.0, 0.0); WINDOW],
            groups: 0,
            delay_ms: 0.0,
            smoothed_ms: 0.0,
            threshold_ms: THRESHOLD_START_MS,
            over_ms: None,
            over_groups: 0,
            previous_slope: 0.0,
            jitter_ms: 0.0,
            usage: Usage::Normal,
        }
    }
}

impl Trend {
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// By how much the delay differs from group to group, on average.
    pub fn jitter_ms(&self) -> f64 {
        self.jitter_ms
    }

    pub fn group(&mut self, delta: Delta) {
        let (sent_ms, arrived_ms) = (ms(delta.sent_us), ms(delta.arrived_us));
        let change_ms = arrived_ms - sent_ms;
        self.jitter_ms += (change_ms.abs() - self.jitter_ms) * JITTER_SMOOTHING;
        self.delay_ms += change_ms;
        self.smoothed_ms = SMOOTHING * self.smoothed_ms + (1.0 - SMOOTHING) * self.delay_ms;
        self.window.rotate_left(1);
        if let Some(last) = self.window.last_mut() {
            *last = (ms(delta.at_us), self.smoothed_ms);
        }
        self.groups += 1;
        let slope = if self.groups < WINDOW {
            0.0
        } else {
            slope(&self.window).unwrap_or(self.previous_slope)
        };
        self.judge(slope, sent_ms, arrived_ms);
    }

    fn judge(&mut self, slope: f64, sent_ms: f64, arrived_ms: f64) {
        let trend_ms = slope * (self.groups as f64).min(TRUSTED_GROUPS) * GAIN;
        if trend_ms > self.threshold_ms {
            let over_ms = self
                .over_ms
                .map_or(sent_ms / 2.0, |over_ms| over_ms + sent_ms);
            self.over_ms = Some(over_ms);
            self.over_groups += 1;
            if over_ms > OVER_USE_MS && self.over_groups > 1 && slope >= self.previous_slope {
                self.over_ms = Some(0.0);
                self.over_groups = 0;
                self.usage = Usage::Over;
            }
        } else {
            self.over_ms = None;
            self.over_groups = 0;
            self.usage = if trend_ms < -self.threshold_ms {
                Usage::Under
            } else {
                Usage::Normal
            };
        }
        self.previous_slope = slope;
        self.adapt(trend_ms.abs(), arrived_ms.min(ADAPTS_FOR_MS));
    }

    fn adapt(&mut self, trend_ms: f64, passed_ms: f64) {
        if trend_ms > self.threshold_ms + ADAPTS_WITHIN_MS {
            return;
        }
        let speed = if trend_ms < self.threshold_ms {
            ADAPTS_DOWN
        } else {
            ADAPTS_UP
        };
        let threshold_ms = self.threshold_ms + speed * (trend_ms - self.threshold_ms) * passed_ms;
        self.threshold_ms = threshold_ms.clamp(THRESHOLD_MIN_MS, THRESHOLD_MAX_MS);
    }
}

fn ms(us: i64) -> f64 {
    us as f64 / 1_000.0
}

/// Least squares. `None` if all points lie above each other.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let (mut rise, mut run) = (0.0, 0.0);
    for (x, y) in points {
        rise += (x - mean_x) * (y - mean_y);
        run += (x - mean_x) * (x - mean_x);
    }
    (run > 0.0).then(|| rise / run)
}
