//! Lines of what somebody did and missed: one for each side of a call, one for each stay in a named room; and how many of
//! the missed calls they have not looked at.

use std::time::{Duration, Instant};

use protocol::{
    CallEnd, CallPerson, HistoryEntry, HistoryId, HistoryKind, HistoryRoom, HomeChange, RoomId,
    RoomKind, UserId,
};

use crate::House;
use crate::calls::Ringing;
use crate::io::{Now, Persist};
use crate::rooms::Room;
use crate::timers::Timer;

/// Who is back by then goes on with the same line.
const PAUSE: Duration = Duration::from_secs(5 * 60);

/// An answered call while both are inside. A line that was deleted is not written again.
pub struct Talk {
    caller: UserId,
    callee: UserId,
    since_ms: u64,
    lines: [Option<HistoryEntry>; 2],
}

/// Somebody's stay in a named room, with its pauses.
pub struct Stay {
    room: RoomId,
    /// Absent once it was deleted.
    line: Option<HistoryEntry>,
    /// Inside now.
    since_ms: Option<u64>,
    before_ms: u64,
    over_at: Option<Instant>,
}

impl Talk {
    fn is_of(&self, user: &UserId) -> bool {
        &self.caller == user || &self.callee == user
    }
}

impl House {
    pub(crate) fn see_missed(&mut self, user: &UserId) {
        let Some(home) = self.home_of(user).filter(|home| home.missed > 0) else {
            return;
        };
        home.missed = 0;
        self.loaded_too_early(user);
        self.persist(Persist::MissedSeen { user: user.clone() });
        self.tell(user, &HomeChange::MissedChanged { missed: 0 });
    }

    /// Missed calls may have been among them: how many are left is known to the store.
    pub(crate) fn history_deleted(
        &mut self,
        now: Now,
        user: &UserId,
        entries: Option<Vec<HistoryId>>,
    ) {
        self.forget_lines(user, entries.as_deref());
        self.facts_changed(now, user);
        let change = match entries {
            Some(entries) => HomeChange::HistoryRemoved { entries },
            None => HomeChange::HistoryCleared,
        };
        self.tell(user, &change);
    }

    /// The call was answered: both lines are written, and once more when one of the two leaves.
    pub(crate) fn talk_begins(&mut self, now: Now, ringing: &Ringing) {
        let lines = [
            line(ringing, HistoryKind::Outgoing, None),
            line(ringing, HistoryKind::Incoming, None),
        ];
        self.write_both(ringing, &lines);
        let talk = Talk {
            caller: ringing.caller.id.clone(),
            callee: ringing.callee.id.clone(),
            since_ms: now.unix_ms,
            lines: lines.map(Some),
        };
        let room = self.rooms.entry(ringing.stored.room.clone()).or_default();
        room.talks.push(talk);
    }

    pub(crate) fn call_unanswered(&mut self, ringing: &Ringing, end: CallEnd) {
        let incoming = match end {
            CallEnd::Declined => line(ringing, HistoryKind::Incoming, Some(end)),
            _ => line(ringing, HistoryKind::Missed, None),
        };
        let lines = [line(ringing, HistoryKind::Outgoing, Some(end)), incoming];
        self.write_both(ringing, &lines);
    }

    /// One of the two left, or never came.
    pub(crate) fn talks_over(&mut self, now: Now, room: &RoomId, user: &UserId) {
        self.end_talks(now, room, |talk| talk.is_of(user));
    }

    pub(crate) fn all_talks_over(&mut self, now: Now, room: &RoomId) {
        self.end_talks(now, room, |_| true);
    }

    pub(crate) fn stay_begins(&mut self, now: Now, id: &RoomId, user: &UserId) {
        let Some(room) = self
            .rooms
            .get(id)
            .filter(|room| room.roll.kind != RoomKind::Call)
        else {
            return;
        };
        let room = HistoryRoom {
            id: id.clone(),
            address: room.roll.address.clone(),
            name: room.roll.name.clone(),
        };
        let stays = self.stays.entry(user.clone()).or_default();
        let paused = stays.iter_mut().find(|stay| {
            &stay.room == id
                && stay.line.is_some()
                && stay.over_at.is_some_and(|at| at > now.instant)
        });
        let line = if let Some(stay) = paused {
            stay.since_ms = Some(now.unix_ms);
            stay.over_at = None;
            if let Some(line) = &mut stay.line {
                line.duration_ms = None;
                line.room = Some(room);
            }
            stay.line.clone()
        } else {
            self.lines_made += 1;
            let line = HistoryEntry {
                id: format!("{}-{}", self.run, self.lines_made).into(),
                kind: HistoryKind::Room,
                person: None,
                room: Some(room),
                video: false,
                end: None,
                started_at: now.unix_ms,
                duration_ms: None,
                seen: true,
            };
            stays.retain(|stay| &stay.room != id);
            stays.push(Stay {
                room: id.clone(),
                line: Some(line.clone()),
                since_ms: Some(now.unix_ms),
                before_ms: 0,
                over_at: None,
            });
            Some(line)
        };
        if let Some(line) = line {
            self.write(user, line);
        }
    }

    pub(crate) fn stay_ends(&mut self, now: Now, id: &RoomId, user: &UserId) {
        let stays = self.stays.get_mut(user);
        let stay = stays.and_then(|stays| stays.iter_mut().find(|stay| &stay.room == id));
        let Some(stay) = stay else { return };
        let Some(since_ms) = stay.since_ms.take() else {
            return;
        };
        stay.before_ms += now.unix_ms.saturating_sub(since_ms);
        let over_at = now.instant + PAUSE;
        stay.over_at = Some(over_at);
        self.timers.add(over_at, Timer::Stay(user.clone()));
        if let Some(line) = &mut stay.line {
            line.duration_ms = Some(stay.before_ms);
            let line = line.clone();
            self.write(user, line);
        }
    }

    pub(crate) fn stays_over(&mut self, now: Now, user: &UserId) {
        if let Some(stays) = self.stays.get_mut(user) {
            stays.retain(|stay| stay.over_at.is_none_or(|at| at > now.instant));
            if stays.is_empty() {
                self.stays.remove(user);
            }
        }
    }

    /// All of them, or these: what is still open is not written again.
    pub(crate) fn forget_lines(&mut self, user: &UserId, entries: Option<&[HistoryId]>) {
        let deleted = |line: &HistoryEntry| entries.is_none_or(|ids| ids.contains(&line.id));
        for stay in self.stays.get_mut(user).into_iter().flatten() {
            stay.line.take_if(|line| deleted(line));
        }
        let rooms = self.people.get(user).map(|person| {
            let rooms = person.seats.iter().chain(&person.ways);
            rooms.cloned().collect::<Vec<_>>()
        });
        for room in rooms.into_iter().flatten() {
            let talks = self.rooms.get_mut(&room).map(|room| &mut room.talks);
            for talk in talks.into_iter().flatten() {
                let [outgoing, incoming] = &mut talk.lines;
                if &talk.caller == user {
                    outgoing.take_if(|line| deleted(line));
                }
                if &talk.callee == user {
                    incoming.take_if(|line| deleted(line));
                }
            }
        }
    }

    fn end_talks(&mut self, now: Now, id: &RoomId, over: impl Fn(&Talk) -> bool) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        let (ended, rest) = std::mem::take(&mut room.talks)
            .into_iter()
            .partition::<Vec<_>, _>(|talk| over(talk));
        room.talks = rest;
        for talk in ended {
            // Whoever never came in did not talk.
            let room = self.rooms.get(id);
            let late = |room: &Room| room.expects(&talk.caller) || room.expects(&talk.callee);
            let came = !room.is_some_and(late);
            let duration_ms = match came {
                true => now.unix_ms.saturating_sub(talk.since_ms),
                false => 0,
            };
            for (user, line) in [talk.caller, talk.callee].into_iter().zip(talk.lines) {
                if let Some(mut line) = line {
                    line.duration_ms = Some(duration_ms);
                    self.write(&user, line);
                }
            }
        }
    }

    fn write_both(&mut self, ringing: &Ringing, lines: &[HistoryEntry; 2]) {
        let people = [&ringing.caller.id, &ringing.callee.id];
        for (user, line) in people.into_iter().zip(lines) {
            self.write(user, line.clone());
        }
    }

    fn write(&mut self, user: &UserId, entry: HistoryEntry) {
        let missed = !entry.seen;
        self.persist(Persist::History {
            user: user.clone(),
            entry: entry.clone(),
        });
        self.tell(user, &HomeChange::HistoryChanged { entry });
        if !missed {
            return;
        }
        self.loaded_too_early(user);
        if let Some(home) = self.home_of(user) {
            home.missed += 1;
            let missed = home.missed;
            self.tell(user, &HomeChange::MissedChanged { missed });
        }
    }
}

fn line(ringing: &Ringing, kind: HistoryKind, end: Option<CallEnd>) -> HistoryEntry {
    let [outgoing, incoming] = &ringing.lines;
    let (id, person): (_, &CallPerson) = match kind {
        HistoryKind::Outgoing => (outgoing, &ringing.callee),
        _ => (incoming, &ringing.caller),
    };
    HistoryEntry {
        id: id.clone(),
        kind,
        person: Some(person.clone()),
        room: None,
        video: ringing.stored.video,
        end,
        started_at: ringing.stored.started_at,
        duration_ms: None,
        seen: kind != HistoryKind::Missed,
    }
}
