//! The door: who takes a seat, who comes back to one, who waits, and who has to go.

use std::collections::VecDeque;

use protocol::{Access, DeviceId, ErrorCode, RoomLeftReason, ServerMessage, WaitingReason, limits};

use crate::Room;
use crate::io::{ConnectionId, Join, Now, Output, Persist, RoomFacts, SessionKey, Subject};
use crate::seats::Seat;
use crate::view::Link;

/// Devices of one guest in a room and at its door: one link must not be enough to fill it.
const PLACES_PER_GRANT: usize = 3;
/// Devices of one account: more than anybody has, and far from a full room.
const PLACES_PER_ACCOUNT: usize = 10;

/// A guest at the door: no seat yet, nothing to see.
pub struct Waiting {
    join: Join,
}

impl Waiting {
    pub fn connection(&self) -> ConnectionId {
        self.join.connection
    }
}

impl Room {
    pub(crate) fn join(&mut self, now: Now, join: Join) {
        if self.knows(join.connection) {
            return self.refuse(join.connection, join.id, ErrorCode::AlreadyInRoom);
        }
        if self.seats.of_person(&join.subject, &join.device).is_some() {
            return self.come_back(join);
        }
        let guest = matches!(join.subject, Subject::Guest(_));
        if guest && !self.is_open_for(&join) {
            self.turn_away(join.connection, join.id, ErrorCode::GuestsNotAllowed);
        } else if self.places_of(&join) >= most_places(&join.subject) {
            self.turn_away(join.connection, join.id, ErrorCode::TooMany);
        } else if guest && !self.guests_may_come_in() {
            self.wait(join);
        } else if self.is_full() {
            self.turn_away(join.connection, join.id, ErrorCode::RoomFull);
        } else {
            self.ok(join.connection, join.id.clone());
            self.take_seat(now, &join);
        }
    }

    pub(crate) fn leave(&mut self, connection: ConnectionId) {
        self.stop_waiting(connection);
        self.links.retain(|link| link.connection != connection);
        if let Some(seat) = self.seats.of_connection(connection) {
            let id = seat.public.id.clone();
            self.remove_seat(&id);
        }
    }

    pub(crate) fn disconnected(&mut self, now: Now, connection: ConnectionId) {
        self.stop_waiting(connection);
        self.links.retain(|link| link.connection != connection);
        if let Some(seat) = self.seats.of_connection(connection) {
            seat.disconnect(now);
            let record = seat.record();
            self.outputs
                .push_back(Output::Persist(Persist::Save(record)));
        }
    }

    pub(crate) fn session_ended(&mut self, session: &SessionKey) {
        let (ended, waiting): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| &waiting.join.session == session);
        self.waiting = waiting;
        for waiting in ended {
            self.drop_link(waiting.connection(), RoomLeftReason::SessionEnded);
        }
        let seats: Vec<_> = self
            .seats
            .iter()
            .filter(|seat| seat.session.as_ref() == Some(session))
            .map(|seat| (seat.public.id.clone(), seat.connection()))
            .collect();
        for (id, connection) in seats {
            if let Some(connection) = connection {
                self.drop_link(connection, RoomLeftReason::SessionEnded);
            }
            self.remove_seat(&id);
        }
    }

    pub(crate) fn facts_changed(&mut self, facts: RoomFacts) {
        self.facts = facts;
        for waiting in std::mem::take(&mut self.waiting) {
            if self.is_open_for(&waiting.join) {
                self.waiting.push_back(waiting);
            } else {
                self.drop_link(waiting.connection(), RoomLeftReason::GuestsNotAllowed);
            }
        }
    }

    pub(crate) fn admit_waiting(&mut self, now: Now) {
        if !self.guests_may_come_in() {
            return;
        }
        while !self.is_full() {
            let Some(waiting) = self.waiting.pop_front() else {
                return;
            };
            self.take_seat(now, &waiting.join);
        }
    }

    pub(crate) fn is_waiting(&self, connection: ConnectionId) -> bool {
        self.waiting
            .iter()
            .any(|waiting| waiting.connection() == connection)
    }

    pub(crate) fn say_waiting(&mut self, connection: ConnectionId) {
        self.send(
            connection,
            ServerMessage::Waiting {
                reason: WaitingReason::NobodyIn,
            },
        );
    }

    fn knows(&self, connection: ConnectionId) -> bool {
        self.is_waiting(connection) || self.links.iter().any(|link| link.connection == connection)
    }

    /// Whether this guest is welcome at all, now or when somebody is in.
    fn is_open_for(&self, guest: &Join) -> bool {
        self.facts.access == Access::Guests || (guest.invited && self.facts.invites)
    }

    /// Whether guests get in without waiting.
    fn guests_may_come_in(&self) -> bool {
        let by_themselves = self.facts.open_house && self.facts.access == Access::Guests;
        by_themselves || self.seats.iter().any(|seat| !seat.is_guest())
    }

    fn come_back(&mut self, join: Join) {
        let Some(seat) = self.seats.of_person(&join.subject, &join.device) else {
            return;
        };
        let before = seat.connection();
        seat.connect(&join);
        let (id, record) = (seat.public.id.clone(), seat.record());
        if let Some(old) = before {
            self.drop_link(old, RoomLeftReason::Replaced);
        }
        self.outputs
            .push_back(Output::Persist(Persist::Save(record)));
        self.ok(join.connection, join.id);
        self.links.push(Link::new(join.connection, id));
    }

    fn take_seat(&mut self, now: Now, join: &Join) {
        // Distinct, so that the order is the same after a restart.
        let last = self.seats.iter().map(|seat| seat.public.joined_at).max();
        let joined_at = last.map_or(now.unix_ms, |last| now.unix_ms.max(last + 1));
        let seat = Seat::new(joined_at, join);
        self.outputs
            .push_back(Output::Persist(Persist::Save(seat.record())));
        self.links
            .push(Link::new(join.connection, seat.public.id.clone()));
        self.seats.push(seat);
    }

    fn wait(&mut self, join: Join) {
        if let Some(old) = self.waiting_person(&join.subject, &join.device) {
            self.stop_waiting(old);
            self.drop_link(old, RoomLeftReason::Replaced);
        }
        if self.waiting.len() >= limits::ROOM_PEOPLE {
            return self.turn_away(join.connection, join.id, ErrorCode::RoomFull);
        }
        self.ok(join.connection, join.id.clone());
        self.say_waiting(join.connection);
        self.waiting.push_back(Waiting { join });
    }

    fn waiting_person(&self, subject: &Subject, device: &DeviceId) -> Option<ConnectionId> {
        let same =
            |waiting: &&Waiting| &waiting.join.subject == subject && &waiting.join.device == device;
        self.waiting.iter().find(same).map(Waiting::connection)
    }

    /// Where the same subject is already, with other devices.
    fn places_of(&self, join: &Join) -> usize {
        let seats = self
            .seats
            .iter()
            .filter(|seat| seat.subject == join.subject);
        let waiting = self.waiting.iter().map(|waiting| &waiting.join);
        let waiting =
            waiting.filter(|other| other.subject == join.subject && other.device != join.device);
        seats.count() + waiting.count()
    }

    fn stop_waiting(&mut self, connection: ConnectionId) {
        self.waiting
            .retain(|waiting| waiting.connection() != connection);
    }
}

fn most_places(subject: &Subject) -> usize {
    match subject {
        Subject::Guest(_) => PLACES_PER_GRANT,
        Subject::Account(_) => PLACES_PER_ACCOUNT,
    }
}
