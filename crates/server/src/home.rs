//! The home channel: each account's own and recent rooms, live, on each of its sockets. One task owns all of it; changes
//! are collected for a moment, so that a busy room costs one message a beat and not one per join.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use protocol::{
    Home as View, HomeChange, HomeRoom, RoomId, RoomKind, ServerMessage, Status, UserId,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::chance;
use crate::rooms::{People, effective};
use crate::settings::Settings;
use crate::store::rooms::StoredRoom;
use crate::store::visits::KnownRoom;
use crate::store::{self, Db, visits};
use crate::ws::outbound::Outbound;

/// How long changes are collected.
const BEAT: Duration = Duration::from_millis(200);
/// Rooms on one home page.
const MOST_ROOMS: u32 = 50;
const QUEUE: usize = 4096;

/// Clones speak to the same task.
#[derive(Clone)]
pub struct Home(mpsc::Sender<Event>);

enum Event {
    Opened {
        socket: u64,
        user: UserId,
        outbound: Outbound,
    },
    Closed {
        socket: u64,
    },
    SnapshotWanted {
        socket: u64,
    },
    PeopleChanged {
        room: RoomId,
    },
    RoomChanged {
        room: RoomId,
        owner: Option<UserId>,
    },
    UserChanged {
        user: UserId,
    },
    HouseChanged,
}

impl Home {
    pub fn start(db: Db, people: People, settings: Settings) -> Self {
        let (events, queue) = mpsc::channel(QUEUE);
        tokio::spawn(
            Desk {
                db,
                people,
                settings,
                readers: HashMap::new(),
            }
            .run(queue),
        );
        Self(events)
    }

    /// Sends a snapshot, and deltas from then on.
    pub fn opened(&self, socket: u64, user: UserId, outbound: Outbound) {
        self.send(Event::Opened {
            socket,
            user,
            outbound,
        });
    }

    pub fn closed(&self, socket: u64) {
        self.send(Event::Closed { socket });
    }

    pub fn snapshot_wanted(&self, socket: u64) {
        self.send(Event::SnapshotWanted { socket });
    }

    pub fn people_changed(&self, room: &RoomId) {
        self.send(Event::PeopleChanged { room: room.clone() });
    }

    /// Made, renamed, opened, closed or forgotten.
    pub fn room_changed(&self, room: &StoredRoom) {
        self.send(Event::RoomChanged {
            room: room.id.clone(),
            owner: room.owner.clone(),
        });
    }

    /// Visited a room.
    pub fn user_changed(&self, user: &UserId) {
        self.send(Event::UserChanged { user: user.clone() });
    }

    /// What the house allows is another.
    pub fn house_changed(&self) {
        self.send(Event::HouseChanged);
    }

    /// Nobody waits for a home page: when the task is that far behind, the event waits instead.
    fn send(&self, event: Event) {
        if let Err(mpsc::error::TrySendError::Full(event)) = self.0.try_send(event) {
            let events = self.0.clone();
            tokio::spawn(async move { events.send(event).await });
        }
    }
}

struct Desk {
    db: Db,
    people: People,
    settings: Settings,
    readers: HashMap<u64, Reader>,
}

/// One socket of an account.
struct Reader {
    user: UserId,
    outbound: Outbound,
    epoch: String,
    seq: u64,
    /// Absent until the snapshot.
    told: Option<View>,
    stale: Stale,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stale {
    No,
    /// How many people are where.
    People,
    /// Which rooms there are, what they are called.
    Rooms,
}

impl Desk {
    async fn run(mut self, mut queue: mpsc::Receiver<Event>) {
        let mut beat: Option<Instant> = None;
        loop {
            let due = async {
                match beat {
                    Some(beat) => sleep_until(beat).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = queue.recv() => match event {
                    Some(event) => {
                        self.note(event);
                        self.tell_newcomers().await;
                        if self.readers.values().any(|reader| reader.stale != Stale::No) {
                            beat.get_or_insert_with(|| Instant::now() + BEAT);
                        }
                    }
                    None => return,
                },
                () = due => {
                    beat = None;
                    self.tell_changes().await;
                }
            }
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Opened {
                socket,
                user,
                outbound,
            } => {
                let (epoch, seq, told, stale) = (chance::id(), 0, None, Stale::No);
                self.readers.insert(
                    socket,
                    Reader {
                        user,
                        outbound,
                        epoch,
                        seq,
                        told,
                        stale,
                    },
                );
            }
            Event::Closed { socket } => {
                self.readers.remove(&socket);
            }
            Event::SnapshotWanted { socket } => {
                self.readers
                    .entry(socket)
                    .and_modify(|reader| reader.told = None);
            }
            Event::PeopleChanged { room } => self.mark(Stale::People, |reader| reader.shows(&room)),
            Event::RoomChanged { room, owner } => {
                self.mark(Stale::Rooms, |reader| {
                    reader.shows(&room) || owner.as_ref() == Some(&reader.user)
                });
            }
            Event::UserChanged { user } => self.mark(Stale::Rooms, |reader| reader.user == user),
            Event::HouseChanged => self.mark(Stale::Rooms, |_| true),
        }
    }

    fn mark(&mut self, stale: Stale, concerns: impl Fn(&Reader) -> bool) {
        for reader in self.readers.values_mut().filter(|reader| concerns(reader)) {
            reader.stale = reader.stale.max(stale);
        }
    }

    async fn tell_newcomers(&mut self) {
        let new: Vec<_> = self
            .readers
            .iter()
            .filter(|(_, reader)| reader.told.is_none())
            .map(|(id, _)| *id)
            .collect();
        for socket in new {
            let Some(user) = self.readers.get(&socket).map(|reader| reader.user.clone()) else {
                continue;
            };
            let view = self.view(&user).await;
            let Some(reader) = self.readers.get_mut(&socket) else {
                continue;
            };
            match view {
                Ok(home) => reader.snapshot(home),
                Err(error) => {
                    tracing::warn!(%error, "a home page cannot be read");
                    self.readers.remove(&socket);
                }
            }
        }
    }

    async fn tell_changes(&mut self) {
        let mut read: HashMap<UserId, View> = HashMap::new();
        let users: HashSet<_> = self
            .readers
            .values()
            .filter(|reader| reader.stale == Stale::Rooms)
            .map(|reader| reader.user.clone())
            .collect();
        for user in users {
            match self.view(&user).await {
                Ok(view) => {
                    read.insert(user, view);
                }
                Err(error) => tracing::warn!(%error, "a home page is out of date"),
            }
        }
        for reader in self
            .readers
            .values_mut()
            .filter(|reader| reader.stale != Stale::No)
        {
            let fresh = read
                .get(&reader.user)
                .cloned()
                .or_else(|| reader.told.clone());
            reader.stale = Stale::No;
            if let Some(mut fresh) = fresh {
                fresh
                    .rooms
                    .iter_mut()
                    .for_each(|room| room.people = self.people.inside(&room.id));
                reader.change(fresh);
            }
        }
    }

    async fn view(&self, user: &UserId) -> store::Result<View> {
        let known = visits::known_rooms(&self.db, user, MOST_ROOMS).await?;
        Ok(View {
            rooms: known
                .into_iter()
                .map(|room| self.room(user, room))
                .collect(),
            ..empty()
        })
    }

    fn room(&self, user: &UserId, known: KnownRoom) -> HomeRoom {
        let KnownRoom { room, visited } = known;
        HomeRoom {
            owner: room.is_owned_by(user),
            people: self.people.inside(&room.id),
            access: effective(room.access, self.settings.get().welcome()),
            kind: room.kind,
            knock: room.knock,
            member: false,
            pinned: false,
            id: room.id,
            name: room.name,
            visited_at: visited,
        }
    }
}

impl Reader {
    fn shows(&self, room: &RoomId) -> bool {
        self.told
            .as_ref()
            .is_some_and(|view| view.rooms.iter().any(|known| &known.id == room))
    }

    fn snapshot(&mut self, home: View) {
        let (epoch, seq) = (self.epoch.clone(), self.seq);
        self.outbound.push(&ServerMessage::HomeSnapshot {
            epoch,
            seq,
            home: home.clone(),
        });
        self.told = Some(home);
    }

    fn change(&mut self, fresh: View) {
        let told = self.told.take().unwrap_or_else(empty);
        for change in changes(&told, &fresh) {
            self.seq += 1;
            self.outbound.push(&ServerMessage::HomeDelta {
                seq: self.seq,
                change,
            });
        }
        self.told = Some(fresh);
    }
}

fn empty() -> View {
    View {
        rooms: Vec::new(),
        calls: Vec::new(),
        missed: 0,
        status: Status::Available,
        meetings: Vec::new(),
    }
}

/// Oldest first: a reader that puts each new or just visited room in front ends up with the snapshot's order.
fn changes(told: &View, fresh: &View) -> Vec<HomeChange> {
    let gone = told
        .rooms
        .iter()
        .filter(|known| fresh.rooms.iter().all(|room| room.id != known.id));
    let gone = gone.map(|known| HomeChange::RoomRemoved {
        room: known.id.clone(),
    });
    let new = fresh
        .rooms
        .iter()
        .rev()
        .filter(|room| !told.rooms.contains(room));
    gone.chain(new.map(|room| HomeChange::RoomChanged { room: room.clone() }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Access;

    fn room(id: &str, people: u32) -> HomeRoom {
        HomeRoom {
            id: id.into(),
            name: id.to_owned(),
            access: Access::Accounts,
            kind: RoomKind::Named,
            knock: false,
            owner: false,
            member: false,
            pinned: false,
            people,
            visited_at: None,
        }
    }

    #[test]
    fn deltas_say_what_is_new_what_changed_and_what_is_gone() {
        let told = View {
            rooms: vec![room("a", 0), room("b", 0), room("c", 0)],
            ..empty()
        };
        let fresh = View {
            rooms: vec![room("d", 1), room("a", 2), room("c", 0)],
            ..empty()
        };
        let expected = vec![
            HomeChange::RoomRemoved { room: "b".into() },
            HomeChange::RoomChanged { room: room("a", 2) },
            HomeChange::RoomChanged { room: room("d", 1) },
        ];
        assert_eq!(changes(&told, &fresh), expected);
        assert_eq!(changes(&fresh, &fresh), []);
    }
}
