//! How the connection of one stay was, from both ends: a timeline that never grows beyond [`MOST_POINTS`], and sums over
//! all of it. What clients report is cut to what can be. Judges nothing but which seconds were noticeably bad.

mod packed;
mod point;
mod summary;

#[cfg(test)]
mod tests;

use protocol::{ConnectionPoint, ConnectionSummary, ParticipantId, QualityReport, RoomKind};

use crate::io::{Measured, Subject};
use point::Bucket;
use summary::Sums;

pub use packed::unpack;

/// What the timeline begins with, and how it goes on when it is full: with steps twice as long.
pub const STEP_SECONDS: u32 = 10;
pub const MOST_POINTS: usize = 360;
const MOST_GAP: u64 = 60;

/// A stay as it is stored, again and again while it lasts.
#[derive(Clone, Debug, PartialEq)]
pub struct StayRecord {
    pub participant: ParticipantId,
    /// The meeting's epoch.
    pub meeting: String,
    pub subject: Subject,
    pub name: String,
    pub kind: RoomKind,
    /// Unix milliseconds.
    pub started: u64,
    pub ended: u64,
    pub over: bool,
    pub summary: ConnectionSummary,
    /// For [`unpack`].
    pub timeline: Vec<u8>,
}

/// What is known of one stay's connection.
#[derive(Clone, Debug)]
pub struct Record {
    /// Unix milliseconds.
    started: u64,
    last: u64,
    /// The ten seconds that go on, and which they are.
    bucket: Bucket,
    index: u64,
    /// Full ones that make up the next point.
    gathered: Vec<ConnectionPoint>,
    step: u32,
    points: Vec<ConnectionPoint>,
    sums: Sums,
    /// Whether the server measures this by itself, better than clients can.
    own_loss: [bool; 2],
    changed: bool,
}

impl Record {
    pub fn new(started: u64) -> Self {
        Self {
            started,
            last: started,
            bucket: Bucket::default(),
            index: 0,
            gathered: Vec::new(),
            step: STEP_SECONDS,
            points: Vec::new(),
            sums: Sums::default(),
            own_loss: [false; 2],
            changed: false,
        }
    }

    pub fn started(&self) -> u64 {
        self.started
    }

    pub fn last(&self) -> u64 {
        self.last
    }

    /// What the media side measured.
    pub fn measured(&mut self, now: u64, measured: &Measured) {
        self.turn_to(now);
        self.own_loss = [measured.loss_up.is_some(), measured.loss_down.is_some()];
        self.sums.path(measured.path);
        self.bucket.measured(measured);
    }

    /// What the client says.
    pub fn reported(&mut self, now: u64, report: &QualityReport) {
        self.turn_to(now);
        self.sums.reported(report);
        self.bucket.reported(report, self.own_loss);
    }

    /// Whether there is anything that was not stored yet; from now on there is not.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// With what goes on.
    pub fn summary(&self) -> ConnectionSummary {
        let mut sums = self.sums.clone();
        sums.add(&self.bucket);
        sums.summary()
    }

    pub fn timeline(&self) -> Vec<u8> {
        let mut points = self.points.clone();
        let mut last = self.gathered.clone();
        last.extend(self.bucket.point());
        if !last.is_empty() {
            points.push(point::merged(&last));
        }
        packed::pack(self.step, &points)
    }

    /// Ends buckets that are over. Nobody measured while somebody was away: that is a gap.
    fn turn_to(&mut self, now: u64) {
        self.changed = true;
        self.last = self.last.max(now);
        let index = now.saturating_sub(self.started) / (u64::from(STEP_SECONDS) * 1000);
        // A seat waits for a minute; a longer gap is a clock that was set.
        let gaps = index.saturating_sub(self.index).min(MOST_GAP);
        for _ in 0..gaps {
            let bucket = std::mem::take(&mut self.bucket);
            self.sums.add(&bucket);
            self.gather(bucket.point().unwrap_or_default());
        }
        self.index = self.index.max(index);
    }

    fn gather(&mut self, point: ConnectionPoint) {
        self.gathered.push(point);
        if self.gathered.len() < (self.step / STEP_SECONDS) as usize {
            return;
        }
        self.points.push(point::merged(&self.gathered));
        self.gathered.clear();
        if self.points.len() >= MOST_POINTS {
            self.points = self.points.chunks(2).map(point::merged).collect();
            self.step = self.step.saturating_mul(2);
        }
    }
}
