//! Who sits where, as the meetings say, and what follows: who is on the way in, who stopped calling by leaving, and when a
//! call's room is over.

use std::time::{Duration, Instant};

use protocol::{CallId, RoomId, RoomKind, UserId};

use crate::House;
use crate::calls::Outcome;
use crate::history::Talk;
use crate::io::{Now, Output};
use crate::timers::Timer;

/// From accepting or starting a call to sitting in its room.
const WAY: Duration = Duration::from_secs(15);

/// One meeting, or the room where somebody is being rung.
#[derive(Default)]
pub struct Room {
    pub roll: Roll,
    /// On the way in, and until when they are waited for.
    pub expected: Vec<(UserId, Instant)>,
    pub ringing: Vec<CallId>,
    pub talks: Vec<Talk>,
    /// A call's room from before a restart: until then, or until two are back, nobody is missed.
    kept_until: Option<Instant>,
    /// Everybody was told to leave.
    pub ended: bool,
}

/// Who is inside, of what.
#[derive(Default)]
pub struct Roll {
    pub kind: RoomKind,
    pub address: String,
    pub name: String,
    /// Guests among them.
    pub people: u32,
    pub accounts: Vec<UserId>,
}

impl Room {
    pub fn has(&self, user: &UserId) -> bool {
        self.roll.accounts.contains(user)
    }

    pub fn expects(&self, user: &UserId) -> bool {
        self.expected.iter().any(|(expected, _)| expected == user)
    }

    fn is_over(&self) -> bool {
        self.roll.kind == RoomKind::Call
            && !self.ended
            && self.roll.accounts.len() < 2
            && self.ringing.is_empty()
            && self.expected.is_empty()
            && self.kept_until.is_none()
    }

    fn is_nothing(&self) -> bool {
        self.roll.people == 0
            && self.roll.accounts.is_empty()
            && self.ringing.is_empty()
            && self.expected.is_empty()
            && self.talks.is_empty()
            && self.kept_until.is_none()
    }
}

impl House {
    pub(crate) fn room_people(&mut self, now: Now, id: RoomId, mut roll: Roll) {
        roll.accounts.sort();
        roll.accounts.dedup();
        if !self.rooms.contains_key(&id) {
            let nobody = roll.people == 0 && roll.accounts.is_empty();
            match roll.kind {
                // From before a restart, and nobody came back.
                RoomKind::Call if nobody => {
                    let room = id.clone();
                    self.outputs.push_back(Output::EndRoom { room });
                }
                RoomKind::Call => self.keep(now, &id),
                RoomKind::Named | RoomKind::Personal => {}
            }
            if nobody {
                return;
            }
        }
        let room = self.rooms.entry(id.clone()).or_default();
        let counted = room.roll.people != roll.people;
        let after = roll.accounts.clone();
        let before = std::mem::replace(&mut room.roll, roll).accounts;
        if after.len() > 1 {
            room.kept_until = None;
        }
        if counted {
            self.head_count_changed(now, &id);
        }
        for user in after.iter().filter(|user| !before.contains(user)) {
            self.came_in(now, &id, user);
        }
        for user in before.iter().filter(|user| !after.contains(user)) {
            self.went_out(now, &id, user);
        }
        self.settle_room(now, &id);
    }

    /// Waits for somebody to come in: they said that they would.
    pub(crate) fn expect(&mut self, now: Now, id: &RoomId, user: &UserId) {
        let room = self.rooms.entry(id.clone()).or_default();
        if room.has(user) {
            return;
        }
        let until = now.instant + WAY;
        room.expected.retain(|(expected, _)| expected != user);
        room.expected.push((user.clone(), until));
        self.timers.add(until, Timer::Way(id.clone()));
        let ways = &mut self.people.entry(user.clone()).or_default().ways;
        if !ways.contains(id) {
            ways.push(id.clone());
        }
    }

    /// Time is up for whoever was on the way in.
    pub(crate) fn way_over(&mut self, now: Now, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        room.kept_until = room.kept_until.filter(|until| *until > now.instant);
        let late = room.expected.iter();
        let late = late.filter(|(_, until)| *until <= now.instant);
        let late: Vec<_> = late.map(|(user, _)| user.clone()).collect();
        for user in late {
            self.talks_over(now, id, &user);
            self.not_expected(id, &user);
            self.stop_calling_into(now, id, &user);
            self.forget_nobody(&user);
        }
        self.settle_room(now, id);
    }

    /// Ends a call's room where nobody is left to talk to, and forgets rooms with nobody in them.
    pub(crate) fn settle_room(&mut self, now: Now, id: &RoomId) {
        let Some(room) = self.rooms.get_mut(id) else {
            return;
        };
        if room.is_over() {
            room.ended = true;
            self.all_talks_over(now, id);
            self.outputs.push_back(Output::EndRoom { room: id.clone() });
        }
        if self.rooms.get(id).is_some_and(Room::is_nothing) {
            self.rooms.remove(id);
        }
    }

    fn keep(&mut self, now: Now, id: &RoomId) {
        let until = now.instant + WAY;
        self.rooms.entry(id.clone()).or_default().kept_until = Some(until);
        self.timers.add(until, Timer::Way(id.clone()));
    }

    fn came_in(&mut self, now: Now, id: &RoomId, user: &UserId) {
        self.not_expected(id, user);
        let person = self.people.entry(user.clone()).or_default();
        person.seats.push(id.clone());
        let rung = person.calls.clone();
        let rung = rung.into_iter().find(|call| {
            let ringing = self.calls.get(call);
            ringing.is_some_and(|it| &it.stored.room == id && &it.callee.id == user)
        });
        if let Some(call) = rung {
            self.call_over(now, &call, &Outcome::Answered(None));
        }
        self.stay_begins(now, id, user);
        self.availability_changed(now, user);
    }

    fn went_out(&mut self, now: Now, id: &RoomId, user: &UserId) {
        if let Some(person) = self.people.get_mut(user) {
            person.seats.retain(|seat| seat != id);
        }
        self.talks_over(now, id, user);
        self.stop_calling_into(now, id, user);
        self.stay_ends(now, id, user);
        self.availability_changed(now, user);
        self.forget_nobody(user);
    }

    /// Whoever rings somebody into a room has to be there.
    fn stop_calling_into(&mut self, now: Now, id: &RoomId, user: &UserId) {
        let ringing = self.rooms.get(id).map(|room| room.ringing.clone());
        for call in ringing.into_iter().flatten() {
            if self.is_by(&call, user) {
                self.call_over(now, &call, &Outcome::Cancelled);
            }
        }
    }

    pub(crate) fn rings_into(&self, id: &RoomId, user: &UserId) -> bool {
        let ringing = self.rooms.get(id).map(|room| &room.ringing);
        let mut ringing = ringing.into_iter().flatten();
        ringing.any(|call| self.is_by(call, user))
    }

    fn is_by(&self, call: &CallId, user: &UserId) -> bool {
        let ringing = self.calls.get(call);
        ringing.is_some_and(|ringing| &ringing.caller.id == user)
    }

    pub(crate) fn not_expected(&mut self, id: &RoomId, user: &UserId) {
        if let Some(room) = self.rooms.get_mut(id) {
            room.expected.retain(|(expected, _)| expected != user);
        }
        if let Some(person) = self.people.get_mut(user) {
            person.ways.retain(|way| way != id);
        }
    }
}
