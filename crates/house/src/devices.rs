//! Sockets that come and go, and whether their person is here.

use std::time::Duration;

use protocol::{Availability, BrowserId, HomeChange, Status, UserId};

use crate::House;
use crate::io::{Now, Persist, SocketId};
use crate::people::{Person, Socket};
use crate::timers::Timer;

/// A reload takes less; and with it, somebody whose device vanished is offline 45 s later, once the dead socket was noticed.
const LINGER: Duration = Duration::from_secs(4);

impl House {
    pub(crate) fn opened(
        &mut self,
        now: Now,
        id: SocketId,
        user: UserId,
        browser: BrowserId,
        epoch: String,
    ) {
        let person = self.people.entry(user.clone()).or_default();
        person.sockets.push(id);
        person.lingers_until = None;
        let known = person.home.is_some();
        let appeared = browser.clone();
        let socket = Socket {
            user: user.clone(),
            browser,
            epoch,
            seq: 0,
            told: false,
            active: true,
            watches: Vec::new(),
        };
        self.sockets.insert(id, socket);
        self.calls_of_newcomer(&user, &appeared);
        if known {
            self.snapshot(id);
        } else if !self.loads.contains_key(&user) {
            self.load(user.clone());
        }
        self.availability_changed(now, &user);
    }

    pub(crate) fn closed(&mut self, now: Now, id: SocketId) {
        let Some(socket) = self.sockets.remove(&id) else {
            return;
        };
        self.watch_nobody(id, &socket.watches);
        let user = socket.user;
        let Some(person) = self.people.get_mut(&user) else {
            return;
        };
        person.sockets.retain(|other| *other != id);
        person.held.retain(|(holder, _)| *holder != id);
        if person.sockets.is_empty() {
            person.was_active = socket.active;
            let until = now.instant + LINGER;
            person.lingers_until = Some(until);
            self.timers.add(until, Timer::Offline(user.clone()));
            self.forget_home(&user);
            self.caller_lost(now, &user);
        }
        self.availability_changed(now, &user);
    }

    /// The last socket closed a while ago, if none came since.
    pub(crate) fn offline(&mut self, now: Now, user: &UserId) {
        let over = |person: &&mut Person| {
            person
                .lingers_until
                .is_some_and(|until| until <= now.instant)
        };
        let Some(person) = self.people.get_mut(user).filter(over) else {
            return;
        };
        person.lingers_until = None;
        self.callee_lost(user);
        self.availability_changed(now, user);
        self.forget_nobody(user);
    }

    /// The sockets are closed by those who hold them; until then they hear nothing.
    pub(crate) fn person_gone(&mut self, now: Now, user: &UserId) {
        self.calls_of_gone(now, user);
        self.forget_home(user);
        let Some(person) = self.people.get_mut(user) else {
            return;
        };
        person.lingers_until = None;
        person.held.clear();
        for id in std::mem::take(&mut person.sockets) {
            if let Some(socket) = self.sockets.remove(&id) {
                self.watch_nobody(id, &socket.watches);
            }
        }
        self.availability_changed(now, user);
        self.forget_nobody(user);
    }

    pub(crate) fn set_active(&mut self, now: Now, id: SocketId, active: bool) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        socket.active = active;
        let user = socket.user.clone();
        self.availability_changed(now, &user);
    }

    pub(crate) fn set_status(&mut self, now: Now, user: &UserId, status: Status) {
        let Some(person) = self.people.get_mut(user) else {
            return;
        };
        person.status = Some(status);
        if let Some(home) = &mut person.home {
            home.status = status;
        }
        self.loaded_too_early(user);
        let user = user.clone();
        self.persist(Persist::Status {
            user: user.clone(),
            status,
        });
        self.tell(&user, &HomeChange::StatusChanged { status });
        self.availability_changed(now, &user);
    }

    pub(crate) fn availability(&self, user: &UserId) -> Availability {
        let Some(person) = self.people.get(user) else {
            return Availability::Offline;
        };
        let used = |id: &SocketId| self.sockets.get(id).is_some_and(|socket| socket.active);
        let active = match person.sockets.is_empty() {
            true => person.was_active,
            false => person.sockets.iter().any(used),
        };
        person.availability(active)
    }

    pub(crate) fn forget_nobody(&mut self, user: &UserId) {
        if self.people.get(user).is_some_and(Person::is_nobody) {
            self.people.remove(user);
        }
    }
}
