//! Ten seconds of a connection while they last, and how points become coarser ones. Cuts every number to what can be.

use protocol::{ConnectionPoint, QualityReport};

use crate::io::Measured;

/// Shares are in thousandths.
const WHOLE: u32 = 1000;
const MOST_MS: u32 = 10_000;
const MOST_FPS: u32 = 120;
const MOST_KBPS: u64 = u16::MAX as u64 - 1;
const MOST_LAYERS: u32 = 8;

/// The mean of what came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    sum: u64,
    count: u32,
}

impl Mean {
    pub fn add(&mut self, value: Option<u32>, most: u32) {
        if let Some(value) = value {
            self.sum = self.sum.saturating_add(u64::from(value.min(most)));
            self.count = self.count.saturating_add(1);
        }
    }

    pub fn get(&self) -> Option<u16> {
        let mean = self.sum.checked_div(u64::from(self.count))?;
        Some(u16::try_from(mean).unwrap_or(u16::MAX - 1))
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Bucket {
    rtt: Mean,
    jitter: Mean,
    loss_up: Mean,
    loss_down: Mean,
    up: Mean,
    down: Mean,
    estimate: Mean,
    fps: Mean,
    concealed: Mean,
    layers: Mean,
    freezes: u32,
    frozen_ms: u32,
    layer_changes: u32,
    pauses: u32,
    cpu_ms: u32,
    narrow_up_ms: u32,
    anything: bool,
}

impl Bucket {
    pub fn measured(&mut self, measured: &Measured) {
        self.anything = true;
        self.rtt.add(measured.rtt_ms, MOST_MS);
        self.jitter.add(measured.jitter_ms, MOST_MS);
        self.loss_up.add(measured.loss_up.map(u32::from), WHOLE);
        self.loss_down.add(measured.loss_down.map(u32::from), WHOLE);
        self.up.add(Some(kbps(measured.up_bps)), u32::MAX);
        self.down.add(Some(kbps(measured.down_bps)), u32::MAX);
        self.estimate.add(measured.estimate_bps.map(kbps), u32::MAX);
        self.layer_changes = self.layer_changes.saturating_add(measured.layer_changes);
        self.pauses = self.pauses.saturating_add(measured.pauses);
    }

    /// `own_loss`: of up and down, whether the server knows better.
    pub fn reported(&mut self, report: &QualityReport, own_loss: [bool; 2]) {
        self.anything = true;
        let [knows_up, knows_down] = own_loss;
        self.rtt.add(report.rtt_ms, MOST_MS);
        self.jitter.add(report.jitter_ms, MOST_MS);
        self.loss_up
            .add(report.loss_up.filter(|_| !knows_up), WHOLE);
        self.loss_down
            .add(report.loss_down.filter(|_| !knows_down), WHOLE);
        self.fps.add(report.fps, MOST_FPS);
        self.concealed.add(report.concealed, WHOLE);
        self.layers.add(report.layers, MOST_LAYERS);
        self.freezes = self.freezes.saturating_add(report.freezes.min(100));
        self.frozen_ms = self.frozen_ms.saturating_add(report.frozen_ms.min(MOST_MS));
        self.cpu_ms = self
            .cpu_ms
            .saturating_add(report.limited_cpu_ms.min(MOST_MS));
        let narrow = report.limited_bandwidth_ms.min(MOST_MS);
        self.narrow_up_ms = self.narrow_up_ms.saturating_add(narrow);
    }

    /// `None` if nobody measured anything.
    pub fn point(&self) -> Option<ConnectionPoint> {
        self.anything.then(|| ConnectionPoint {
            rtt_ms: self.rtt.get(),
            jitter_ms: self.jitter.get(),
            loss_up: self.loss_up.get(),
            loss_down: self.loss_down.get(),
            up_kbps: self.up.get(),
            down_kbps: self.down.get(),
            estimate_kbps: self.estimate.get(),
            fps: self.fps.get(),
            concealed: self.concealed.get(),
            layers: self.layers.get(),
            freezes: short(self.freezes),
            frozen_ms: short(self.frozen_ms.min(MOST_MS)),
            layer_changes: short(self.layer_changes),
            pauses: short(self.pauses),
            cpu_ms: short(self.cpu_ms.min(MOST_MS)),
            narrow_up_ms: short(self.narrow_up_ms.min(MOST_MS)),
        })
    }
}

fn kbps(bps: u64) -> u32 {
    u32::try_from((bps / 1000).min(MOST_KBPS)).unwrap_or_default()
}

fn short(count: u32) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// Means of what was measured, sums of what happened.
pub(super) fn merged(points: &[ConnectionPoint]) -> ConnectionPoint {
    let mean = |of: fn(&ConnectionPoint) -> Option<u16>| {
        let mut mean = Mean::default();
        points
            .iter()
            .for_each(|point| mean.add(of(point).map(u32::from), u32::MAX));
        mean.get()
    };
    let sum = |of: fn(&ConnectionPoint) -> u16| {
        points
            .iter()
            .fold(0u16, |sum, point| sum.saturating_add(of(point)))
    };
    ConnectionPoint {
        rtt_ms: mean(|point| point.rtt_ms),
        jitter_ms: mean(|point| point.jitter_ms),
        loss_up: mean(|point| point.loss_up),
        loss_down: mean(|point| point.loss_down),
        up_kbps: mean(|point| point.up_kbps),
        down_kbps: mean(|point| point.down_kbps),
        estimate_kbps: mean(|point| point.estimate_kbps),
        fps: mean(|point| point.fps),
        concealed: mean(|point| point.concealed),
        layers: mean(|point| point.layers),
        freezes: sum(|point| point.freezes),
        frozen_ms: sum(|point| point.frozen_ms),
        layer_changes: sum(|point| point.layer_changes),
        pauses: sum(|point| point.pauses),
        cpu_ms: sum(|point| point.cpu_ms),
        narrow_up_ms: sum(|point| point.narrow_up_ms),
    }
}
