//! A guest's grant: one name, one room, a few hours, never longer.

use crate::UnixMs;

pub const LIFE_MS: u64 = 12 * 60 * 60 * 1000;

pub fn expires(granted: UnixMs) -> UnixMs {
    granted.saturating_add(LIFE_MS)
}

pub fn is_live(granted: UnixMs, now: UnixMs) -> bool {
    now < expires(granted)
}

/// Whether somebody without an account may come in by a link: the house takes guests, and the room is open.
pub fn may_enter(house_takes_guests: bool, room_is_open: bool) -> bool {
    house_takes_guests && room_is_open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_lives_twelve_hours() {
        let hour = 60 * 60 * 1000;
        assert!(is_live(5 * hour, 17 * hour - 1));
        assert!(!is_live(5 * hour, 17 * hour));
    }
}
