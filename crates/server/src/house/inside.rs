//! Who sits in which room, on the way from the rooms to the house: the latest of each room, so that nobody waits for the
//! other.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use house::Input;
use protocol::{RoomId, RoomKind, UserId};
use tokio::sync::Notify;

/// Who sits in a room, and which room that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    pub kind: RoomKind,
    /// As the client writes it to get in; of a call's room empty.
    pub address: String,
    pub name: String,
    /// Guests among them.
    pub people: u32,
    /// Accounts, each once, also while their seat waits for them.
    pub accounts: Vec<UserId>,
}

#[derive(Default)]
pub struct Rolls {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// Those with somebody in them, and those the house has not heard the end of.
    rooms: HashMap<RoomId, Inside>,
    changed: HashSet<RoomId>,
}

impl Rolls {
    pub fn set(&self, room: RoomId, inside: Inside) {
        let mut state = self.lock();
        state.changed.insert(room.clone());
        state.rooms.insert(room, inside);
        drop(state);
        self.changed.notify_one();
    }

    /// Waits for news. Cancel-safe.
    pub async fn changed(&self) -> Vec<Input> {
        loop {
            let news = self.news();
            if !news.is_empty() {
                return news;
            }
            self.changed.notified().await;
        }
    }

    /// Everything, for a house that knows nothing.
    pub fn all(&self) -> Vec<Input> {
        let mut state = self.lock();
        state.changed = state.rooms.keys().cloned().collect();
        drop(state);
        self.news()
    }

    /// What changed since it was asked for last, perhaps nothing.
    pub fn news(&self) -> Vec<Input> {
        let mut state = self.lock();
        let changed = std::mem::take(&mut state.changed);
        let news = changed.into_iter().filter_map(|room| {
            let inside = state.rooms.get(&room)?.clone();
            if inside.people == 0 {
                state.rooms.remove(&room);
            }
            Some(Input::RoomPeople {
                room,
                kind: inside.kind,
                address: inside.address,
                name: inside.name,
                people: inside.people,
                accounts: inside.accounts,
            })
        });
        news.collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
