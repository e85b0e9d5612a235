//! A whole stay in numbers: sums over its ten-second buckets, which are exact however coarse the timeline has become.

use protocol::{
    BrowserFamily, ConnectionSummary, DeviceProblem, NetworkKind, PathKind, QualityReport, Strain,
};

use super::STEP_SECONDS;
use super::point::Bucket;

/// From here on people notice, in the middle of ten seconds.
const BAD_LOSS: u16 = 30;
const BAD_RTT_MS: u16 = 400;
const BAD_CONCEALED: u16 = 30;
const BAD_FROZEN_MS: u16 = 1_000;

/// A number over the stay; it counts once for each bucket that has it.
#[derive(Clone, Copy, Debug, Default)]
struct Track {
    sum: u64,
    count: u32,
    bad_sum: u64,
    bad_count: u32,
}

impl Track {
    fn add(&mut self, value: Option<u16>, bad_from: u16) -> bool {
        let Some(value) = value else { return false };
        self.sum += u64::from(value);
        self.count += 1;
        let bad = value >= bad_from;
        if bad {
            self.bad_sum += u64::from(value);
            self.bad_count += 1;
        }
        bad
    }

    fn mean(&self) -> Option<u32> {
        let mean = self.sum.checked_div(u64::from(self.count))?;
        Some(u32::try_from(mean).unwrap_or(u32::MAX))
    }

    fn strain(&self) -> Option<Strain> {
        let bad = self.bad_sum.checked_div(u64::from(self.bad_count));
        Some(Strain {
            mean: self.mean()?,
            bad_seconds: self.bad_count * STEP_SECONDS,
            bad_mean: bad.map_or(0, |mean| u32::try_from(mean).unwrap_or(u32::MAX)),
        })
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    buckets: u32,
    troubled: u32,
    rtt: Track,
    loss_up: Track,
    loss_down: Track,
    concealed: Track,
    jitter: Track,
    up: Track,
    down: Track,
    fps: Track,
    freezes: u32,
    frozen_ms: u32,
    cpu_ms: u32,
    narrow_up_ms: u32,
    narrow_down: u32,
    layer_changes: u32,
    restarts: u32,
    problems: Vec<DeviceProblem>,
    networks: Vec<NetworkKind>,
    browser: Option<BrowserFamily>,
    path: Option<PathKind>,
}

impl Sums {
    pub fn path(&mut self, path: PathKind) {
        self.path = Some(path);
    }

    /// What is no number.
    pub fn reported(&mut self, report: &QualityReport) {
        self.restarts = self.restarts.saturating_add(report.restarts.min(10));
        // There are only a handful of words, each kept once.
        for problem in &report.problems {
            if !self.problems.contains(problem) {
                self.problems.push(*problem);
            }
        }
        if let Some(network) = report.network
            && !self.networks.contains(&network)
        {
            self.networks.push(network);
        }
        self.browser = report.browser.or(self.browser);
    }

    pub fn add(&mut self, bucket: &Bucket) {
        let Some(point) = bucket.point() else { return };
        self.buckets = self.buckets.saturating_add(1);
        let never = u16::MAX;
        self.jitter.add(point.jitter_ms, never);
        self.up.add(point.up_kbps, never);
        self.down.add(point.down_kbps, never);
        self.fps.add(point.fps, never);
        let noticed = [
            self.rtt.add(point.rtt_ms, BAD_RTT_MS),
            self.loss_up.add(point.loss_up, BAD_LOSS),
            self.loss_down.add(point.loss_down, BAD_LOSS),
            self.concealed.add(point.concealed, BAD_CONCEALED),
            point.frozen_ms >= BAD_FROZEN_MS,
            point.pauses > 0,
        ];
        self.troubled = self
            .troubled
            .saturating_add(u32::from(noticed.contains(&true)));
        self.freezes = self.freezes.saturating_add(u32::from(point.freezes));
        self.frozen_ms = self.frozen_ms.saturating_add(u32::from(point.frozen_ms));
        self.cpu_ms = self.cpu_ms.saturating_add(u32::from(point.cpu_ms));
        self.narrow_up_ms = self
            .narrow_up_ms
            .saturating_add(u32::from(point.narrow_up_ms));
        self.narrow_down = self.narrow_down.saturating_add(u32::from(point.pauses > 0));
        self.layer_changes = self
            .layer_changes
            .saturating_add(u32::from(point.layer_changes));
    }

    pub fn summary(&self) -> ConnectionSummary {
        ConnectionSummary {
            seconds: self.buckets.saturating_mul(STEP_SECONDS),
            troubled_seconds: self.troubled.saturating_mul(STEP_SECONDS),
            rtt_ms: self.rtt.strain(),
            loss_up: self.loss_up.strain(),
            loss_down: self.loss_down.strain(),
            concealed: self.concealed.strain(),
            jitter_ms: self.jitter.mean(),
            up_kbps: self.up.mean(),
            down_kbps: self.down.mean(),
            fps: self.fps.mean(),
            freezes: self.freezes,
            frozen_ms: self.frozen_ms,
            cpu_seconds: self.cpu_ms / 1000,
            narrow_up_seconds: self.narrow_up_ms / 1000,
            narrow_down_seconds: self.narrow_down.saturating_mul(STEP_SECONDS),
            layer_changes: self.layer_changes,
            restarts: self.restarts,
            problems: self.problems.clone(),
            networks: self.networks.clone(),
            browser: self.browser,
            path: self.path,
        }
    }
}
