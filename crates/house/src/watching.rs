//! Who looks at whom: availability goes to those who have it on the screen, once a beat, and to nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::{Availability, HomeChange, PersonAvailability, UserId, limits};

use crate::House;
use crate::io::{Now, SocketId};
use crate::timers::Timer;

/// How long changes are collected.
const BEAT: Duration = Duration::from_millis(500);

/// Somebody whom others have on the screen.
pub struct Watched {
    by: BTreeSet<SocketId>,
    /// What all of them were told.
    told: Availability,
}

impl House {
    /// Replaces what this socket watched before.
    pub(crate) fn watch(&mut self, id: SocketId, mut people: Vec<UserId>) {
        people.truncate(limits::WATCHED_PEOPLE);
        people.sort();
        people.dedup();
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let before = std::mem::replace(&mut socket.watches, people.clone());
        self.watch_nobody(id, &before);
        for person in people {
            let told = self.availability(&person);
            let watched = self.watched.entry(person).or_insert_with(|| Watched {
                by: BTreeSet::new(),
                told,
            });
            watched.by.insert(id);
        }
        self.tell_watched(id);
    }

    pub(crate) fn watch_nobody(&mut self, id: SocketId, people: &[UserId]) {
        for person in people {
            if let Some(watched) = self.watched.get_mut(person) {
                watched.by.remove(&id);
                if watched.by.is_empty() {
                    self.watched.remove(person);
                    self.changed_people.remove(person);
                }
            }
        }
    }

    /// All that a socket watches: the answer to its wish, and after each snapshot, which it may have asked for because it
    /// missed something.
    pub(crate) fn tell_watched(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.get(&id) else {
            return;
        };
        let told = |person: &UserId| {
            Some(PersonAvailability {
                person: person.clone(),
                availability: self.watched.get(person)?.told,
            })
        };
        let people: Vec<_> = socket.watches.iter().filter_map(told).collect();
        if !people.is_empty() {
            self.tell_socket(id, &HomeChange::AvailabilityChanged { people });
        }
    }

    /// Perhaps: at the beat it is seen whether it is another one.
    pub(crate) fn availability_changed(&mut self, now: Now, user: &UserId) {
        if !self.watched.contains_key(user) {
            return;
        }
        if self.changed_people.is_empty() {
            self.timers.add(now.instant + BEAT, Timer::AvailabilityBeat);
        }
        self.changed_people.insert(user.clone());
    }

    pub(crate) fn availability_beat(&mut self) {
        let mut news: BTreeMap<SocketId, Vec<PersonAvailability>> = BTreeMap::new();
        for person in std::mem::take(&mut self.changed_people) {
            let availability = self.availability(&person);
            let Some(watched) = self.watched.get_mut(&person) else {
                continue;
            };
            if watched.told == availability {
                continue;
            }
            watched.told = availability;
            for id in &watched.by {
                news.entry(*id).or_default().push(PersonAvailability {
                    person: person.clone(),
                    availability,
                });
            }
        }
        for (id, people) in news {
            self.tell_socket(id, &HomeChange::AvailabilityChanged { people });
        }
    }
}
