//! The door: who takes a seat, who comes back to one, and who has to go.

use std::time::Duration;

use protocol::{Access, ErrorCode, RoomLeftReason};

use crate::Room;
use crate::io::{ConnectionId, Join, Now, Output, Persist, RoomFacts, SessionKey, Subject};
use crate::seats::Seat;
use crate::view::Link;

/// Devices of one guest in a room and at its door: one link must not be enough to fill it.
const PLACES_PER_GRANT: usize = 3;
/// Devices of one account: more than anybody has, and far from a full room.
const PLACES_PER_ACCOUNT: usize = 10;

impl Room {
    pub(crate) fn join(&mut self, now: Now, join: Join) {
        if self.knows(join.connection) {
            return self.refuse(join.connection, join.id, ErrorCode::AlreadyInRoom);
        }
        self.come_in(now, join.clone());
        self.enter_prepared(&join);
    }

    fn come_in(&mut self, now: Now, join: Join) {
        if self.seats.of_person(&join.subject, &join.device).is_some() {
            return self.come_back(join);
        }
        if !self.is_open_for(&join.subject, join.invited) {
            self.turn_away(join.connection, join.id, ErrorCode::GuestsNotAllowed);
        } else if self.places_of(&join) >= most_places(&join.subject) {
            self.turn_away(join.connection, join.id, ErrorCode::TooMany);
        } else if let Some(reason) = self.waits_for(&join) {
            self.wait(now, join, reason);
        } else if self.is_full() {
            self.turn_away(join.connection, join.id, ErrorCode::RoomFull);
        } else {
            self.ok(join.connection, join.id.clone());
            // Of somebody who was let in while their page reloaded, the place at the door.
            self.send_away(RoomLeftReason::Replaced, |other| {
                other.subject == join.subject && other.device == join.device
            });
            self.take_seat(now, &join);
        }
    }

    pub(crate) fn leave(&mut self, connection: ConnectionId) {
        self.leave_doorstep(connection);
        self.door.remove(connection);
        self.links.retain(|link| link.connection != connection);
        if let Some(seat) = self.seats.of_connection(connection) {
            let id = seat.public.id.clone();
            self.remove_seat(&id);
        }
    }

    pub(crate) fn disconnected(&mut self, now: Now, connection: ConnectionId, kept: Duration) {
        self.leave_doorstep(connection);
        self.door.lose(now.instant, connection);
        self.links.retain(|link| link.connection != connection);
        if let Some(seat) = self.seats.of_connection(connection) {
            seat.disconnect(now, kept);
            let record = seat.record();
            self.outputs
                .push_back(Output::Persist(Persist::Save(record)));
        }
    }

    pub(crate) fn session_ended(&mut self, session: &SessionKey) {
        self.end_session_at_door(session);
        self.end_session_on_doorstep(session);
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
        let (open, invites) = (facts.access == Access::Guests, facts.invites);
        self.facts = facts;
        self.send_away(RoomLeftReason::GuestsNotAllowed, |join| {
            join.subject.is_guest() && !open && !(join.invited && invites)
        });
    }

    /// Everybody has to go, and nothing of the meeting stays.
    pub(crate) fn end(&mut self, reason: RoomLeftReason) {
        self.send_away(reason, |_| true);
        self.clear_doorstep();
        let seats: Vec<_> = self
            .seats
            .iter()
            .map(|seat| (seat.public.id.clone(), seat.connection()))
            .collect();
        for (id, connection) in seats {
            if let Some(connection) = connection {
                self.drop_link(connection, reason);
            }
            self.remove_seat(&id);
        }
    }

    pub(crate) fn knows(&self, connection: ConnectionId) -> bool {
        self.door.is_waiting(connection)
            || self.links.iter().any(|link| link.connection == connection)
    }

    /// Whether they are welcome at all, now or when somebody lets them in.
    pub(crate) fn is_open_for(&self, subject: &Subject, invited: bool) -> bool {
        let invited = invited && self.facts.invites;
        !subject.is_guest() || self.facts.access == Access::Guests || invited
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

    pub(crate) fn take_seat(&mut self, now: Now, join: &Join) {
        // Distinct, so that the order is the same after a restart.
        let last = self.seats.iter().map(|seat| seat.public.joined_at).max();
        let joined_at = last.map_or(now.unix_ms, |last| now.unix_ms.max(last + 1));
        let seat = Seat::new(joined_at, join);
        if let Subject::Account(user) = &join.subject
            && !self.facts.walks_in(user)
        {
            self.outputs.push_back(Output::CameIn(user.clone()));
        }
        self.outputs
            .push_back(Output::Persist(Persist::Save(seat.record())));
        self.links
            .push(Link::new(join.connection, seat.public.id.clone()));
        self.seats.push(seat);
    }

    /// Where the same subject is already, with other devices.
    fn places_of(&self, join: &Join) -> usize {
        let seats = self
            .seats
            .iter()
            .filter(|seat| seat.subject == join.subject);
        seats.count() + self.door.other_places(&join.subject, &join.device)
    }
}

fn most_places(subject: &Subject) -> usize {
    match subject {
        Subject::Guest(_) => PLACES_PER_GRANT,
        Subject::Account(_) => PLACES_PER_ACCOUNT,
    }
}
