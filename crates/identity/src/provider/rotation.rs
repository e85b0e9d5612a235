//! The life of signing keys: published a day before they sign, replaced after ninety days, and kept for as long as an ID
//! token they signed may come back as a hint.

use super::jose::Algorithm;
use crate::{UnixMs, session};

const HOUR_MS: u64 = 60 * 60 * 1000;
/// Longer than anybody is told to keep the list of keys.
pub const PUBLISHED_AHEAD_MS: u64 = 24 * HOUR_MS;
pub const SIGNS_FOR_MS: u64 = 90 * 24 * HOUR_MS;
/// What a key signed last is good as a hint at logout for as long as the longest sign-in.
pub const KEPT_MS: u64 = session::WHOLE_MS;

/// A key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    pub kid: String,
    pub algorithm: Algorithm,
    pub signs_from: UnixMs,
    /// Its private half can be read.
    pub can_sign: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Keys to make, and when each begins to sign.
    pub make: Vec<(Algorithm, UnixMs)>,
    pub forget: Vec<String>,
}

pub fn plan(now: UnixMs, keys: &[KeyRecord]) -> Plan {
    let mut plan = Plan::default();
    for algorithm in Algorithm::ALL {
        let mut line: Vec<&KeyRecord> = keys
            .iter()
            .filter(|key| key.algorithm == algorithm)
            .collect();
        line.sort_by_key(|key| key.signs_from);
        let newest = line.iter().rev().find(|key| key.can_sign);
        match newest.map(|key| key.signs_from.saturating_add(SIGNS_FOR_MS)) {
            // Nothing can be signed at all: there is no time to tell anybody.
            None => plan.make.push((algorithm, now)),
            Some(ends) if now.saturating_add(PUBLISHED_AHEAD_MS) >= ends => {
                plan.make
                    .push((algorithm, now.saturating_add(PUBLISHED_AHEAD_MS)));
            }
            Some(_) => {}
        }
        let replaced = line.iter().zip(line.iter().skip(1));
        plan.forget.extend(
            replaced
                .filter(|(_, next)| now >= next.signs_from.saturating_add(KEPT_MS))
                .map(|(old, _)| old.kid.clone()),
        );
    }
    plan
}

/// The key that signs now: the latest that may, or the next to come if the clock was set back.
pub fn signer(now: UnixMs, algorithm: Algorithm, keys: &[KeyRecord]) -> Option<&KeyRecord> {
    let able = || {
        keys.iter()
            .filter(|key| key.algorithm == algorithm && key.can_sign)
    };
    able()
        .filter(|key| key.signs_from <= now)
        .max_by_key(|key| key.signs_from)
        .or_else(|| able().min_by_key(|key| key.signs_from))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * HOUR_MS;
    use Algorithm::{EdDsa, Rs256};

    fn key(kid: &str, signs_from: UnixMs) -> KeyRecord {
        KeyRecord {
            kid: kid.to_owned(),
            algorithm: Rs256,
            signs_from,
            can_sign: true,
        }
    }

    /// Only of RSA keys; the other kind is there.
    fn planned(now: UnixMs, keys: &[KeyRecord]) -> (Vec<UnixMs>, Vec<String>) {
        let mut keys = keys.to_vec();
        keys.push(KeyRecord {
            algorithm: EdDsa,
            ..key("ed", now)
        });
        let plan = plan(now, &keys);
        let make = plan.make.iter().map(|(algorithm, from)| {
            assert_eq!(*algorithm, Rs256);
            *from
        });
        (make.collect(), plan.forget)
    }

    #[test]
    fn the_first_key_of_each_kind_signs_at_once() {
        let first = plan(5 * DAY, &[]);
        assert_eq!(first.make, [(Rs256, 5 * DAY), (EdDsa, 5 * DAY)]);
    }

    #[test]
    fn the_next_key_is_published_a_day_before_it_signs() {
        let old = key("a", 0);
        assert_eq!(
            planned(89 * DAY - 1, std::slice::from_ref(&old)),
            (vec![], vec![])
        );
        assert_eq!(
            planned(89 * DAY, std::slice::from_ref(&old)),
            (vec![90 * DAY], vec![])
        );
        let keys = [old, key("b", 90 * DAY)];
        assert_eq!(planned(89 * DAY + 1, &keys), (vec![], vec![]), "once");
        let signs = |now| signer(now, Rs256, &keys).map(|key| key.kid.as_str());
        assert_eq!(signs(90 * DAY - 1), Some("a"));
        assert_eq!(signs(90 * DAY), Some("b"));
        assert_eq!(signer(0, EdDsa, &keys), None);
    }

    #[test]
    fn a_house_that_slept_for_a_year_still_tells_a_day_ahead() {
        let keys = [key("a", 0)];
        assert_eq!(planned(400 * DAY, &keys), (vec![401 * DAY], vec![]));
    }

    #[test]
    fn a_key_is_kept_until_what_it_signed_is_of_no_use() {
        let keys = [key("a", 0), key("b", 90 * DAY)];
        assert_eq!(planned(120 * DAY - 1, &keys).1, Vec::<String>::new());
        assert_eq!(planned(120 * DAY, &keys).1, ["a"]);
    }

    #[test]
    fn a_key_that_cannot_be_read_is_replaced_at_once_and_kept_to_verify() {
        let lost = KeyRecord {
            can_sign: false,
            ..key("a", 0)
        };
        assert_eq!(
            planned(DAY, std::slice::from_ref(&lost)),
            (vec![DAY], vec![])
        );
        let keys = [lost, key("b", DAY)];
        assert_eq!(
            signer(DAY, Rs256, &keys).map(|key| key.kid.as_str()),
            Some("b")
        );
    }

    #[test]
    fn a_clock_that_was_set_back_stops_nothing() {
        let keys = [key("a", 90 * DAY)];
        assert_eq!(
            signer(DAY, Rs256, &keys).map(|key| key.kid.as_str()),
            Some("a")
        );
    }
}
