//! Who waits at the door, why, and how it ends: somebody of the house comes in, somebody inside answers the knock, or they
//! give up. Nobody here has a seat or sees anything.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use protocol::{
    Access, DeviceId, ErrorCode, IntentId, Knocking, ParticipantId, RoomLeftReason, ServerMessage,
    WaitingReason, limits,
};

use crate::Room;
use crate::io::{ConnectionId, Join, Now, SessionKey, Subject};

/// How long the place of somebody who knocked is kept while their page reloads.
const KNOCK_GRACE: Duration = Duration::from_secs(15);
/// Whoever was not let in knocks again after this.
pub const KNOCK_AGAIN: Duration = Duration::from_secs(15);

/// Somebody at the door.
pub struct Waiting {
    join: Join,
    reason: WaitingReason,
    /// Their socket is gone, and their place goes then.
    away_until: Option<Instant>,
}

impl Waiting {
    pub fn is_here(&self) -> bool {
        self.away_until.is_none()
    }

    fn is(&self, subject: &Subject, device: &DeviceId) -> bool {
        &self.join.subject == subject && &self.join.device == device
    }

    fn is_on(&self, connection: ConnectionId) -> bool {
        self.is_here() && self.join.connection == connection
    }
}

/// The queue in front of the door, the longest waiting first, and what was said to those who knocked.
#[derive(Default)]
pub struct AtDoor {
    queue: Vec<Waiting>,
    /// They do not knock as long as this meeting lasts: let in once, or rung.
    expected: HashSet<Subject>,
    turned_away: HashMap<Subject, Instant>,
}

impl AtDoor {
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub fn expect(&mut self, subject: Subject) {
        self.expected.insert(subject);
    }

    pub fn expect_nobody(&mut self) {
        self.expected.clear();
    }

    pub fn expects(&self, subject: &Subject) -> bool {
        self.expected.contains(subject)
    }

    pub fn is_waiting(&self, connection: ConnectionId) -> bool {
        self.on(connection).is_some()
    }

    /// Devices of this subject at the door, other than this one.
    pub fn other_places(&self, subject: &Subject, device: &DeviceId) -> usize {
        let of_subject = self.queue.iter().map(|waiting| &waiting.join);
        of_subject
            .filter(|join| &join.subject == subject && &join.device != device)
            .count()
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.queue
            .iter()
            .filter_map(|waiting| waiting.away_until)
            .min()
    }

    pub fn forget_lost(&mut self, now: Instant) {
        self.queue
            .retain(|waiting| waiting.away_until.is_none_or(|until| now < until));
    }

    /// Gives up, or is gone without a place to come back to.
    pub fn remove(&mut self, connection: ConnectionId) {
        self.queue.retain(|waiting| !waiting.is_on(connection));
    }

    /// The socket of somebody is gone. Who knocked may come back to their place.
    pub fn lose(&mut self, now: Instant, connection: ConnectionId) {
        for waiting in &mut self.queue {
            if waiting.is_on(connection) && waiting.reason == WaitingReason::Knocking {
                waiting.away_until = Some(now + KNOCK_GRACE);
            }
        }
        self.remove(connection);
    }

    /// Takes all of them out whom this concerns, and gives their connections.
    pub fn take(&mut self, concerns: impl Fn(&Join) -> bool) -> Vec<ConnectionId> {
        let (taken, left) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition(|waiting| concerns(&waiting.join));
        self.queue = left;
        let here = |waiting: Waiting| waiting.is_here().then_some(waiting.join.connection);
        Vec::into_iter(taken).filter_map(here).collect()
    }

    pub fn knocking(&self) -> Vec<Knocking> {
        let knocks = |waiting: &&Waiting| waiting.reason == WaitingReason::Knocking;
        let knocking = self.queue.iter().filter(knocks);
        knocking
            .map(|waiting| Knocking {
                id: waiting.join.fresh.clone(),
                name: waiting.join.name.clone(),
                guest: waiting.join.subject.is_guest(),
            })
            .collect()
    }

    fn on(&self, connection: ConnectionId) -> Option<&Waiting> {
        self.queue.iter().find(|waiting| waiting.is_on(connection))
    }

    fn knocker(&self, id: &ParticipantId) -> Option<&Subject> {
        let knocks = |waiting: &&Waiting| {
            waiting.reason == WaitingReason::Knocking && &waiting.join.fresh == id
        };
        self.queue
            .iter()
            .find(knocks)
            .map(|waiting| &waiting.join.subject)
    }

    /// How long somebody has to wait before they knock again.
    fn knocks_again_in(&self, now: Instant, subject: &Subject) -> Option<Duration> {
        let until = self.turned_away.get(subject)?;
        until
            .checked_duration_since(now)
            .filter(|left| !left.is_zero())
    }

    fn turn_away(&mut self, now: Instant, subject: Subject) {
        self.turned_away.retain(|_, until| now < *until);
        self.turned_away.insert(subject, now + KNOCK_AGAIN);
    }
}

impl Room {
    /// Why somebody cannot come in now though they are welcome; `None` if they can.
    pub(crate) fn waits_for(&self, join: &Join) -> Option<WaitingReason> {
        let house_is_in = self.seats.iter().any(|seat| !seat.is_guest());
        if self.has_to_knock(&join.subject) {
            Some(match house_is_in {
                true => WaitingReason::Knocking,
                false => WaitingReason::NobodyIn,
            })
        } else {
            let by_themselves = self.facts.open_house && self.facts.access == Access::Guests;
            let free = !join.subject.is_guest() || by_themselves || house_is_in;
            (!free).then_some(WaitingReason::NobodyIn)
        }
    }

    pub(crate) fn has_to_knock(&self, subject: &Subject) -> bool {
        let walks_in = match subject {
            Subject::Account(user) => self.facts.walks_in(user),
            Subject::Guest(_) => !self.facts.knock,
        };
        !walks_in && !self.door.expects(subject)
    }

    pub(crate) fn wait(&mut self, now: Now, join: Join, reason: WaitingReason) {
        let pause = self.door.knocks_again_in(now.instant, &join.subject);
        if let Some(pause) = pause.filter(|_| self.has_to_knock(&join.subject)) {
            return self.turn_away_for(join.connection, join.id, pause);
        }
        let queue = &mut self.door.queue;
        let place = queue
            .iter()
            .position(|waiting| waiting.is(&join.subject, &join.device));
        if place.is_none() && queue.len() >= limits::ROOM_PEOPLE {
            return self.turn_away(join.connection, join.id, ErrorCode::RoomFull);
        }
        let (connection, id) = (join.connection, join.id.clone());
        let mut waiting = Waiting {
            join,
            reason,
            away_until: None,
        };
        let mut replaced = None;
        match place.and_then(|place| queue.get_mut(place)) {
            Some(place) => {
                replaced = place.is_here().then_some(place.join.connection);
                waiting.join.fresh = place.join.fresh.clone();
                *place = waiting;
            }
            None => queue.push(waiting),
        }
        if let Some(old) = replaced {
            self.drop_link(old, RoomLeftReason::Replaced);
        }
        self.ok(connection, id);
        self.say_waiting(connection);
    }

    /// Lets in who can come in now, in their order, and tells the others why they wait if that is another reason.
    pub(crate) fn admit_waiting(&mut self, now: Now) {
        while !self.is_full() {
            let comes_in =
                |waiting: &Waiting| waiting.is_here() && self.waits_for(&waiting.join).is_none();
            let Some(index) = self.door.queue.iter().position(comes_in) else {
                break;
            };
            let waiting = self.door.queue.remove(index);
            self.take_seat(now, &waiting.join);
        }
        let mut queue = std::mem::take(&mut self.door.queue);
        for waiting in &mut queue {
            // Of a full room nobody outside is told.
            let reason = self
                .waits_for(&waiting.join)
                .unwrap_or(WaitingReason::NobodyIn);
            if std::mem::replace(&mut waiting.reason, reason) != reason && waiting.is_here() {
                self.send(waiting.join.connection, ServerMessage::Waiting { reason });
            }
        }
        self.door.queue = queue;
    }

    pub(crate) fn say_waiting(&mut self, connection: ConnectionId) {
        if let Some(reason) = self.door.on(connection).map(|waiting| waiting.reason) {
            self.send(connection, ServerMessage::Waiting { reason });
        }
    }

    /// Somebody inside answers a knock.
    pub(crate) fn answer_knock(
        &mut self,
        now: Now,
        connection: ConnectionId,
        id: IntentId,
        knocking: &ParticipantId,
        admit: bool,
    ) {
        let by_guest = self
            .seats
            .of_connection(connection)
            .is_none_or(|seat| seat.is_guest());
        if by_guest {
            return self.refuse(connection, id, ErrorCode::Forbidden);
        }
        let Some(subject) = self.door.knocker(knocking).cloned() else {
            return self.refuse(connection, id, ErrorCode::NotFound);
        };
        if admit && self.is_full() {
            return self.refuse(connection, id, ErrorCode::RoomFull);
        }
        if admit {
            // Who is at the door comes in when this input is settled; a reloading page when it is back.
            self.door.expect(subject);
        } else {
            self.door.turn_away(now.instant, subject.clone());
            for gone in self.door.take(|join| join.subject == subject) {
                self.drop_link(gone, RoomLeftReason::NotAdmitted);
            }
        }
        self.ok(connection, id);
    }

    pub(crate) fn send_away(&mut self, reason: RoomLeftReason, concerns: impl Fn(&Join) -> bool) {
        for connection in self.door.take(concerns) {
            self.drop_link(connection, reason);
        }
    }

    pub(crate) fn end_session_at_door(&mut self, session: &SessionKey) {
        self.send_away(RoomLeftReason::SessionEnded, |join| {
            &join.session == session
        });
    }
}
