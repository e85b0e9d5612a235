//! How many rooms somebody may own, and when a room of nobody is forgotten. Knows no store.

use crate::UnixMs;

const OWNED: u32 = 200;
const OWNED_BY_ADMINISTRATOR: u32 = 2_000;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administrators_may_own_more_rooms() {
        assert_eq!((most_owned(false), most_owned(true)), (200, 2_000));
    }

    #[test]
    fn a_room_of_nobody_is_forgotten_a_day_after_its_last_use() {
        assert_eq!(forgotten_before(UNUSED_MS + 5), 5);
        assert_eq!(forgotten_before(1), 0);
    }
}
