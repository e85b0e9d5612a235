//! Who is inside the live rooms, for whoever shows or counts them. Decides nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::RoomId;

/// Clones are the same list.
#[derive(Clone, Default)]
pub struct People(Arc<Mutex<HashMap<RoomId, room::People>>>);

impl People {
    /// How many, guests too.
    pub fn inside(&self, room: &RoomId) -> u32 {
        self.lock().get(room).map_or(0, |people| people.count)
    }

    /// Rooms in which somebody is, and all who are.
    pub(super) fn counts(&self) -> (usize, u64) {
        let rooms = self.lock();
        let people = rooms.values().map(|people| u64::from(people.count));
        (rooms.len(), people.sum())
    }

    pub(super) fn of(&self, room: &RoomId) -> room::People {
        self.lock().get(room).cloned().unwrap_or_default()
    }

    pub(super) fn set(&self, room: &RoomId, people: room::People) {
        if people.count == 0 {
            self.lock().remove(room);
        } else {
            self.lock().insert(room.clone(), people);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomId, room::People>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
