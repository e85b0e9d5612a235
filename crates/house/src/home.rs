//! What each home page shows: one projected view per person, told to each of their sockets as a snapshot and then in
//! deltas. Changes are collected for a moment, so that a busy room costs one message a beat and not one per join.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::{
    ErrorCode, Home, HomeChange, HomeRoom, Meeting, MeetingId, RoomId, ServerMessage, UserId,
};

use crate::House;
use crate::io::{Intent, Now, Output, PersonFacts, SocketId};
use crate::timers::Timer;

/// How long changes are collected.
const BEAT: Duration = Duration::from_millis(200);
/// When somebody whose facts could not be read may ask again.
const AGAIN_MS: u64 = 2000;
/// Planned meetings on one home page.
const MOST_MEETINGS: usize = 50;

/// What one person may have asked before their facts are there.
const MOST_HELD: usize = 20;

/// The answer is on its way.
#[derive(Default)]
pub struct Load {
    /// Something changed since it was asked for: it is worth nothing.
    too_early: bool,
}

impl House {
    pub(crate) fn load(&mut self, user: UserId) {
        if self.loads.contains_key(&user) {
            return self.loaded_too_early(&user);
        }
        self.loads.insert(user.clone(), Load::default());
        self.outputs.push_back(Output::Load { user });
    }

    pub(crate) fn loaded_too_early(&mut self, user: &UserId) {
        if let Some(load) = self.loads.get_mut(user) {
            load.too_early = true;
        }
    }

    pub(crate) fn loaded(&mut self, now: Now, user: UserId, mut facts: PersonFacts) {
        let too_early = self.loads.remove(&user).is_some_and(|load| load.too_early);
        if self
            .people
            .get(&user)
            .is_none_or(|person| person.sockets.is_empty())
        {
            return;
        }
        if too_early {
            return self.load(user);
        }
        self.stale.remove(&user);
        for room in &mut facts.rooms {
            room.people = self.inside(&room.id);
        }
        let Some(person) = self.people.get_mut(&user) else {
            return;
        };
        person.status = Some(facts.status);
        let before = person.home.replace(Box::new(facts.clone()));
        let held = std::mem::take(&mut person.held);
        match &before {
            None => {
                let sockets = person.sockets.clone();
                sockets.into_iter().for_each(|id| self.snapshot(id));
            }
            Some(before) => {
                for change in changes(before, &facts) {
                    self.tell(&user, &change);
                }
            }
        }
        let before = before.map(|before| before.rooms).unwrap_or_default();
        self.read_by(&user, &before, &facts.rooms);
        self.availability_changed(now, &user);
        for (socket, intent) in held {
            self.intent(now, socket, intent);
        }
    }

    pub(crate) fn not_loaded(&mut self, user: &UserId) {
        self.loads.remove(user);
        let Some(person) = self
            .people
            .get_mut(user)
            .filter(|person| person.home.is_none())
        else {
            return;
        };
        let held = std::mem::take(&mut person.held);
        for socket in person.sockets.clone() {
            self.send(socket, unavailable(None));
        }
        for (socket, intent) in held {
            if let Some(id) = intent.id() {
                self.send(socket, unavailable(Some(id.clone())));
            }
        }
    }

    pub(crate) fn hold(&mut self, socket: SocketId, user: &UserId, intent: Intent) {
        let Some(person) = self.people.get_mut(user) else {
            return;
        };
        let loading = self.loads.contains_key(user);
        if loading && person.held.len() < MOST_HELD {
            person.held.push((socket, intent));
        } else if let Some(id) = intent.id() {
            self.send(socket, unavailable(Some(id.clone())));
        }
    }

    /// Facts that nobody looks at are read when somebody comes.
    pub(crate) fn facts_changed(&mut self, now: Now, user: &UserId) {
        if self.loads.contains_key(user) {
            self.loaded_too_early(user);
        } else if self
            .people
            .get(user)
            .is_some_and(|person| person.home.is_some())
        {
            self.due_at_beat(now);
            self.stale.insert(user.clone());
        }
    }

    pub(crate) fn room_facts_changed(&mut self, now: Now, room: Option<&RoomId>) {
        let concerned: Vec<_> = match room {
            Some(room) => self
                .readers
                .get(room)
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
            None => self.people.keys().cloned().collect(),
        };
        for user in concerned {
            self.facts_changed(now, &user);
        }
    }

    pub(crate) fn head_count_changed(&mut self, now: Now, room: &RoomId) {
        if self.readers.contains_key(room) {
            self.due_at_beat(now);
            self.changed_rooms.insert(room.clone());
        }
    }

    pub(crate) fn home_beat(&mut self) {
        let mut concerned: BTreeSet<UserId> = BTreeSet::new();
        for room in std::mem::take(&mut self.changed_rooms) {
            concerned.extend(self.readers.get(&room).into_iter().flatten().cloned());
        }
        for user in concerned {
            self.count_heads(&user);
        }
        for user in std::mem::take(&mut self.stale) {
            if self
                .people
                .get(&user)
                .is_some_and(|person| person.home.is_some())
            {
                self.load(user);
            }
        }
    }

    pub(crate) fn get_snapshot(&mut self, id: SocketId) {
        let Some(user) = self.sockets.get(&id).map(|socket| socket.user.clone()) else {
            return;
        };
        if self
            .people
            .get(&user)
            .is_some_and(|person| person.home.is_some())
        {
            self.snapshot(id);
        } else if !self.loads.contains_key(&user) {
            self.load(user);
        }
    }

    /// The person's facts are there.
    pub(crate) fn snapshot(&mut self, id: SocketId) {
        let calls = self.calls_on(id);
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let Some(home) = self
            .people
            .get(&socket.user)
            .and_then(|person| person.home.as_ref())
        else {
            return;
        };
        socket.told = true;
        let message = ServerMessage::HomeSnapshot {
            epoch: socket.epoch.clone(),
            seq: socket.seq,
            home: Home {
                rooms: home.rooms.clone(),
                calls,
                missed: home.missed,
                status: home.status,
                meetings: home.meetings.clone(),
            },
        };
        self.send(id, message);
        self.tell_watched(id);
    }

    pub(crate) fn forget_home(&mut self, user: &UserId) {
        let home = self
            .people
            .get_mut(user)
            .and_then(|person| person.home.take());
        if let Some(home) = home {
            self.read_by(user, &home.rooms, &[]);
        }
        self.stale.remove(user);
    }

    pub(crate) fn meeting_changed(&mut self, user: &UserId, meeting: Meeting) {
        self.loaded_too_early(user);
        let Some(home) = self.home_of(user) else {
            return;
        };
        home.meetings.retain(|known| known.id != meeting.id);
        home.meetings.push(meeting.clone());
        home.meetings
            .sort_by(|a, b| (a.starts_at, &a.id).cmp(&(b.starts_at, &b.id)));
        // However many others ask them to, their own stay on the page.
        let same = home.meetings.iter().filter(|one| one.own == meeting.own);
        let beyond: Vec<_> = same.skip(MOST_MEETINGS).map(|one| one.id.clone()).collect();
        home.meetings.retain(|one| !beyond.contains(&one.id));
        self.tell(user, &HomeChange::MeetingChanged { meeting });
        for meeting in beyond {
            self.tell(user, &HomeChange::MeetingRemoved { meeting });
        }
    }

    pub(crate) fn meeting_removed(&mut self, user: &UserId, meeting: MeetingId) {
        self.loaded_too_early(user);
        let Some(home) = self.home_of(user) else {
            return;
        };
        home.meetings.retain(|known| known.id != meeting);
        self.tell(user, &HomeChange::MeetingRemoved { meeting });
    }

    pub(crate) fn home_of(&mut self, user: &UserId) -> Option<&mut PersonFacts> {
        self.people.get_mut(user)?.home.as_deref_mut()
    }

    /// To all of somebody's devices.
    pub(crate) fn tell(&mut self, user: &UserId, change: &HomeChange) {
        let sockets = self.people.get(user).map(|person| person.sockets.clone());
        for id in sockets.into_iter().flatten() {
            self.tell_socket(id, change);
        }
    }

    /// One that waits for its snapshot will find it there.
    pub(crate) fn tell_socket(&mut self, id: SocketId, change: &HomeChange) {
        let Some(socket) = self.sockets.get_mut(&id).filter(|socket| socket.told) else {
            return;
        };
        socket.seq += 1;
        let message = ServerMessage::HomeDelta {
            seq: socket.seq,
            change: change.clone(),
        };
        self.send(id, message);
    }

    fn count_heads(&mut self, user: &UserId) {
        let rooms = &self.rooms;
        let inside = |id: &RoomId| rooms.get(id).map_or(0, |room| room.roll.people);
        let Some(home) = self
            .people
            .get_mut(user)
            .and_then(|person| person.home.as_mut())
        else {
            return;
        };
        let mut changed = Vec::new();
        for room in home.rooms.iter_mut().rev() {
            let people = inside(&room.id);
            if room.people != people {
                room.people = people;
                changed.push(HomeChange::RoomChanged { room: room.clone() });
            }
        }
        for change in changed {
            self.tell(user, &change);
        }
    }

    fn read_by(&mut self, user: &UserId, before: &[HomeRoom], after: &[HomeRoom]) {
        for room in before {
            if let Some(readers) = self.readers.get_mut(&room.id) {
                readers.remove(user);
                if readers.is_empty() {
                    self.readers.remove(&room.id);
                }
            }
        }
        for room in after {
            let readers = self.readers.entry(room.id.clone()).or_default();
            readers.insert(user.clone());
        }
    }

    fn inside(&self, room: &RoomId) -> u32 {
        self.rooms.get(room).map_or(0, |room| room.roll.people)
    }

    fn due_at_beat(&mut self, now: Now) {
        if self.changed_rooms.is_empty() && self.stale.is_empty() {
            self.timers.add(now.instant + BEAT, Timer::HomeBeat);
        }
    }
}

fn unavailable(id: Option<protocol::IntentId>) -> ServerMessage {
    ServerMessage::Error {
        id,
        code: ErrorCode::Unavailable,
        retry_after_ms: Some(AGAIN_MS),
        reference: None,
    }
}

fn changes(told: &PersonFacts, fresh: &PersonFacts) -> Vec<HomeChange> {
    let mut changes = room_changes(&told.rooms, &fresh.rooms);
    changes.extend(meeting_changes(&told.meetings, &fresh.meetings));
    if told.missed != fresh.missed {
        changes.push(HomeChange::MissedChanged {
            missed: fresh.missed,
        });
    }
    if told.status != fresh.status {
        changes.push(HomeChange::StatusChanged {
            status: fresh.status,
        });
    }
    changes
}

/// Oldest first: a reader that puts each new or just visited room in front ends up with the snapshot's order.
fn room_changes(told: &[HomeRoom], fresh: &[HomeRoom]) -> Vec<HomeChange> {
    let before: BTreeMap<_, _> = told.iter().map(|room| (&room.id, room)).collect();
    let after: BTreeSet<_> = fresh.iter().map(|room| &room.id).collect();
    let gone = told.iter().filter(|room| !after.contains(&room.id));
    let gone = gone.map(|room| HomeChange::RoomRemoved {
        room: room.id.clone(),
    });
    let new = fresh.iter().rev();
    let new = new.filter(|room| before.get(&room.id) != Some(room));
    gone.chain(new.map(|room| HomeChange::RoomChanged { room: room.clone() }))
        .collect()
}

fn meeting_changes(told: &[Meeting], fresh: &[Meeting]) -> Vec<HomeChange> {
    let gone = told
        .iter()
        .filter(|known| fresh.iter().all(|meeting| meeting.id != known.id));
    let gone = gone.map(|meeting| HomeChange::MeetingRemoved {
        meeting: meeting.id.clone(),
    });
    let new = fresh.iter().filter(|meeting| !told.contains(meeting));
    gone.chain(new.map(|meeting| HomeChange::MeetingChanged {
        meeting: meeting.clone(),
    }))
    .collect()
}
