//! People without an account: what a house lets them do, their grants (one name, one room, a few hours), and the invite
//! links that lead into rooms which are not open.
//!
//! Knows no room and no store: facts come in, decisions go out.

use crate::UnixMs;

/// The longest life of a grant.
pub const LIFE_MS: u64 = 12 * HOUR_MS;
pub const SHORTEST_INVITE_MS: u64 = 5 * 60 * 1000;
pub const LONGEST_INVITE_MS: u64 = 90 * 24 * HOUR_MS;
/// Good invites of one person for one room.
pub const INVITES_EACH: u32 = 50;

const HOUR_MS: u64 = 60 * 60 * 1000;

/// What the house says of people without an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// Rooms may be opened to guests, and guests invited.
    pub guests: bool,
    /// Everybody may make rooms and needs nobody of the house in them. Nothing without `guests`.
    pub open_house: bool,
}

impl Welcome {
    /// Whether guests may come in by the room's own link.
    pub fn may_enter(self, room_is_open: bool) -> bool {
        self.guests && room_is_open
    }

    /// Whether invites are made and count for anything.
    pub fn takes_invites(self) -> bool {
        self.guests
    }

    /// Whether guests make rooms, and sit in open ones without anybody of the house.
    pub fn is_open_house(self) -> bool {
        self.guests && self.open_house
    }
}

/// When a grant ends by itself. That the invite it came by expires meanwhile puts nobody out of a meeting; that it is taken
/// back does.
pub fn expires(granted: UnixMs) -> UnixMs {
    granted.saturating_add(LIFE_MS)
}

pub fn is_live(granted: UnixMs, now: UnixMs) -> bool {
    now < expires(granted)
}

/// Who may let people in by an invite: who owns the room or has been inside. Others know no more of it than its name.
pub fn may_invite(owner: bool, has_been_inside: bool) -> bool {
    owner || has_been_inside
}

/// Who sees an invite and takes it back: the owner of the room, and whoever made it.
pub fn may_take_back(owner: bool, made_it: bool) -> bool {
    owner || made_it
}

/// When an invite made now with the wanted life ends; `None` for a life that no invite has.
pub fn invite_expires(now: UnixMs, life_ms: u64) -> Option<UnixMs> {
    let fits = (SHORTEST_INVITE_MS..=LONGEST_INVITE_MS).contains(&life_ms);
    fits.then(|| now.saturating_add(life_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_lives_twelve_hours() {
        assert!(is_live(5 * HOUR_MS, 17 * HOUR_MS - 1));
        assert!(!is_live(5 * HOUR_MS, 17 * HOUR_MS));
    }

    #[test]
    fn the_house_decides_what_people_without_an_account_may() {
        let check = |guests: bool, open_house: bool, expect: [bool; 4]| {
            let welcome = Welcome { guests, open_house };
            let may = [
                welcome.may_enter(true),
                welcome.may_enter(false),
                welcome.takes_invites(),
                welcome.is_open_house(),
            ];
            assert_eq!(may, expect, "{welcome:?}");
        };
        check(true, false, [true, false, true, false]);
        check(true, true, [true, false, true, true]);
        check(false, false, [false; 4]);
        check(false, true, [false; 4]);
    }

    #[test]
    fn invites_are_made_by_those_who_know_the_room() {
        for (owner, inside, expect) in [
            (true, true, true),
            (true, false, true),
            (false, true, true),
            (false, false, false),
        ] {
            assert_eq!(may_invite(owner, inside), expect, "{owner} {inside}");
            assert_eq!(may_take_back(owner, inside), expect, "{owner} {inside}");
        }
    }

    #[test]
    fn an_invite_is_good_from_five_minutes_to_ninety_days() {
        for (life_ms, expect) in [
            (0, None),
            (SHORTEST_INVITE_MS - 1, None),
            (SHORTEST_INVITE_MS, Some(7 + 300_000)),
            (LONGEST_INVITE_MS, Some(7 + 7_776_000_000)),
            (LONGEST_INVITE_MS + 1, None),
            (u64::MAX, None),
        ] {
            assert_eq!(invite_expires(7, life_ms), expect, "{life_ms}");
        }
    }
}
