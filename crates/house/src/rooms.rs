//! Who sits where, as the meetings say.

use protocol::{RoomId, RoomKind, UserId};

use crate::House;
use crate::io::Now;

/// One meeting.
#[derive(Default)]
pub struct Room {
    pub kind: RoomKind,
    pub address: String,
    pub name: String,
    /// Guests among them.
    pub people: u32,
    pub accounts: Vec<UserId>,
}

impl House {
    pub(crate) fn room_people(&mut self, now: Now, id: RoomId, mut fresh: Room) {
        fresh.accounts.sort();
        fresh.accounts.dedup();
        let room = self.rooms.entry(id.clone()).or_default();
        let counted = room.people != fresh.people;
        let before = std::mem::replace(room, fresh);
        let after = room.accounts.clone();
        if room.people == 0 && room.accounts.is_empty() {
            self.rooms.remove(&id);
        }
        if counted {
            self.head_count_changed(now, &id);
        }
        for user in after.iter().filter(|user| !before.accounts.contains(user)) {
            self.people
                .entry(user.clone())
                .or_default()
                .seats
                .push(id.clone());
            self.availability_changed(now, user);
        }
        for user in before.accounts.iter().filter(|user| !after.contains(user)) {
            if let Some(person) = self.people.get_mut(user) {
                person.seats.retain(|seat| seat != &id);
            }
            self.availability_changed(now, user);
            self.forget_nobody(user);
        }
    }
}
