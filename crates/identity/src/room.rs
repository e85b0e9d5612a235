//! How many rooms somebody may own, what their personal one is called, and when a room of nobody is forgotten. Knows no
//! store.

use crate::name::ROOM_NAME_GRAPHEMES;
use crate::{RoomAddress, RoomName, UnixMs};

const OWNED: u32 = 200;
const OWNED_BY_ADMINISTRATOR: u32 = 2_000;
/// Who comes into one room without knocking.
pub const MOST_MEMBERS: u32 = 500;
/// Rooms that one person has pinned.
pub const MOST_PINS: u32 = 100;
/// Names that are tried for a personal room; so many people of one name have none.
const PERSONAL_NAMES: u32 = 100;
/// How long a room without owner stays with nobody in it.
pub const UNUSED_MS: u64 = 24 * 60 * 60 * 1000;

/// Whoever is at it enters rooms that others made, and no new ones.
pub fn most_owned(administrator: bool) -> u32 {
    if administrator {
        OWNED_BY_ADMINISTRATOR
    } else {
        OWNED
    }
}

/// Rooms without owner that were last used then, or before, are forgotten.
pub fn forgotten_before(now: UnixMs) -> UnixMs {
    now.saturating_sub(UNUSED_MS)
}

/// What somebody's personal room may be called, the best first: their own name, or that with a number.
pub fn personal_names(person: &str) -> impl Iterator<Item = RoomName> {
    let person: String = person.chars().take(ROOM_NAME_GRAPHEMES - 8).collect();
    (1..=PERSONAL_NAMES).filter_map(move |number| {
        let name = match number {
            1 => person.clone(),
            _ => format!("{person} {number}"),
        };
        RoomAddress::parse(&name).ok().map(|address| address.name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administrators_may_own_more_rooms() {
        assert_eq!((most_owned(false), most_owned(true)), (200, 2_000));
    }

    #[test]
    fn a_personal_room_is_called_like_its_owner_or_nearly_so() {
        let names = |person: &str| -> Vec<String> {
            let names = personal_names(person).take(3);
            names.map(|name| name.as_str().to_owned()).collect()
        };
        assert_eq!(names("Anna"), ["Anna", "Anna 2", "Anna 3"]);
        assert_eq!(names(".."), [".. 2", ".. 3", ".. 4"]);
        assert_eq!(names("public/Anna")[0], "Anna", "open to nobody");
        assert_eq!(names(&"x".repeat(500)).len(), 3);
        assert_eq!(personal_names("Anna").count(), 100);
    }

    #[test]
    fn a_room_of_nobody_is_forgotten_a_day_after_its_last_use() {
        assert_eq!(forgotten_before(UNUSED_MS + 5), 5);
        assert_eq!(forgotten_before(1), 0);
    }
}
