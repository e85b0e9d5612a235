//! Keeps the record of each seat's connection, takes only so many reports, and gives out what there is to store: now and
//! then while people are in, and when they go.

use std::time::{Duration, Instant};

use protocol::{MediaConnectionId, ParticipantId, QualityReport, limits};

use crate::Room;
use crate::io::{Measured, Now, Output, Persist};
use crate::record::{Record, StayRecord};
use crate::seats::Seat;

/// What a crash costs at most.
const STORE_EVERY: Duration = Duration::from_secs(60);
const REPORT_INTERVAL: Duration = Duration::from_millis(limits::REPORT_INTERVAL_MS);

/// Of one seat.
pub struct Recording {
    record: Record,
    /// When the next report would be in time; one may come before that.
    next_report: Option<Instant>,
}

impl Recording {
    /// `started`: the seat, or the server, in Unix milliseconds.
    pub fn new(started: u64) -> Self {
        Self {
            record: Record::new(started),
            next_report: None,
        }
    }

    fn takes_report(&mut self, now: Instant) -> bool {
        let due = self.next_report.unwrap_or(now).max(now);
        let in_time = due <= now + REPORT_INTERVAL;
        if in_time {
            self.next_report = Some(due + REPORT_INTERVAL);
        }
        in_time
    }
}

impl Room {
    pub(crate) fn measured(&mut self, now: Now, peer: &MediaConnectionId, measured: &Measured) {
        let of_peer = |seat: &&mut Seat| seat.peer() == Some(peer);
        if let Some(seat) = self.seats.iter_mut().find(of_peer) {
            seat.recording.record.measured(now.unix_ms, measured);
            self.store_soon(now.instant);
        }
    }

    pub(crate) fn quality_reported(
        &mut self,
        now: Now,
        participant: &ParticipantId,
        report: &QualityReport,
    ) {
        let Some(seat) = self.seats.get_mut(participant) else {
            return;
        };
        if seat.recording.takes_report(now.instant) {
            seat.recording.record.reported(now.unix_ms, report);
            self.store_soon(now.instant);
        }
    }

    /// Before the server ends: what was measured so far.
    pub fn store_records(&mut self) {
        self.store_at = None;
        let mut records = Vec::new();
        for seat in self.seats.iter_mut() {
            records.extend(stay_record(&self.facts, &self.epoch, seat, false));
        }
        self.outputs.extend(records);
    }

    pub(crate) fn store_records_if_due(&mut self, now: Instant) {
        if self.store_at.is_some_and(|at| at <= now) {
            self.store_records();
        }
    }

    pub(crate) fn end_record(&mut self, mut seat: Seat) {
        let record = stay_record(&self.facts, &self.epoch, &mut seat, true);
        self.outputs.extend(record);
        if self.seats.is_empty() {
            self.store_at = None;
        }
    }

    fn store_soon(&mut self, now: Instant) {
        self.store_at.get_or_insert(now + STORE_EVERY);
    }
}

/// `None` while there is nothing new. The end of a stay is new, if anything was ever measured.
fn stay_record(
    facts: &crate::RoomFacts,
    meeting: &str,
    seat: &mut Seat,
    over: bool,
) -> Option<Output> {
    let record = &mut seat.recording.record;
    let changed = record.take_changed();
    let summary = record.summary();
    if summary.seconds == 0 || !(changed || over) {
        return None;
    }
    Some(Output::Persist(Persist::Stay(Box::new(StayRecord {
        participant: seat.public.id.clone(),
        meeting: meeting.to_owned(),
        subject: seat.subject.clone(),
        name: seat.public.name.clone(),
        kind: facts.kind,
        started: record.started(),
        ended: record.last(),
        over,
        summary,
        timeline: record.timeline(),
    }))))
}
