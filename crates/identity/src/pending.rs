//! What was begun and is not finished: sign-ins that wait for a code, passkeys whose answer is awaited.
//!
//! Each is found by a secret that only its browser has, for a few minutes. However many are begun, memory is bounded, and
//! nobody pushes out what others have begun until all places are taken.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::{Secret, SecretHash};

pub const LIFE: Duration = Duration::from_secs(5 * 60);
const ENTRIES: usize = 4_000;

#[derive(Debug)]
pub struct Pending<K, T> {
    per_owner: usize,
    entries: HashMap<SecretHash, Entry<K, T>>,
}

#[derive(Debug)]
struct Entry<K, T> {
    owner: K,
    began: Instant,
    value: T,
}

impl<K: Eq + Hash, T> Pending<K, T> {
    /// `per_owner`: as many at once for one account or one network; the oldest gives way.
    pub fn new(per_owner: usize) -> Self {
        Self {
            per_owner,
            entries: HashMap::new(),
        }
    }

    pub fn begin(&mut self, now: Instant, owner: K, secret: &Secret, value: T) {
        self.entries.retain(|_, entry| entry.is_live(now));
        let own = self.entries.values().filter(|entry| entry.owner == owner);
        if own.count() >= self.per_owner {
            self.forget_oldest(|entry| entry.owner == owner);
        }
        if self.entries.len() >= ENTRIES {
            self.forget_oldest(|_| true);
        }
        let entry = Entry {
            owner,
            began: now,
            value,
        };
        self.entries.insert(secret.hash(), entry);
    }

    /// For what may be tried several times.
    pub fn get(&mut self, now: Instant, secret: &Secret) -> Option<&mut T> {
        let entry = self.entries.get_mut(&secret.hash())?;
        entry.is_live(now).then_some(&mut entry.value)
    }

    /// For what may be tried once.
    pub fn take(&mut self, now: Instant, secret: &Secret) -> Option<T> {
        let entry = self.entries.remove(&secret.hash())?;
        entry.is_live(now).then_some(entry.value)
    }

    fn forget_oldest(&mut self, among: impl Fn(&Entry<K, T>) -> bool) {
        let candidates = self.entries.iter().filter(|(_, entry)| among(entry));
        let oldest = candidates
            .min_by_key(|(_, entry)| entry.began)
            .map(|(hash, _)| *hash);
        if let Some(oldest) = oldest {
            self.entries.remove(&oldest);
        }
    }
}

impl<K, T> Entry<K, T> {
    fn is_live(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.began) < LIFE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(n: u32) -> Secret {
        let mut random = [0; 32];
        random[..4].copy_from_slice(&n.to_be_bytes());
        Secret::new(random)
    }

    #[test]
    fn what_was_begun_is_there_for_five_minutes_and_taken_once() {
        let mut pending = Pending::new(5);
        let now = Instant::now();
        pending.begin(now, "anna", &secret(1), 7);
        pending.begin(now, "anna", &secret(2), 8);
        let late = now + LIFE;
        let last = late - Duration::from_millis(1);
        assert_eq!(pending.get(last, &secret(1)), Some(&mut 7));
        assert_eq!(pending.get(late, &secret(1)), None);
        assert_eq!(pending.take(last, &secret(1)), Some(7));
        assert_eq!(pending.take(last, &secret(1)), None);
        assert_eq!(pending.take(late, &secret(2)), None);
        assert_eq!(pending.take(now, &secret(3)), None);
    }

    #[test]
    fn who_begins_too_much_loses_their_own_oldest() {
        let mut pending = Pending::new(2);
        let now = Instant::now();
        let at = |seconds| now + Duration::from_secs(seconds);
        pending.begin(at(0), "bernd", &secret(0), ());
        for n in 1..=3 {
            pending.begin(at(n.into()), "anna", &secret(n), ());
        }
        let there: Vec<u32> = (0..=3)
            .filter(|n| pending.get(at(4), &secret(*n)).is_some())
            .collect();
        assert_eq!(there, [0, 2, 3]);
    }

    #[test]
    fn a_flood_is_kept_within_bounds() {
        let mut pending = Pending::new(5);
        let now = Instant::now();
        for n in 0..=ENTRIES as u32 {
            pending.begin(now + Duration::from_nanos(n.into()), n, &secret(n), ());
        }
        assert_eq!(pending.entries.len(), ENTRIES);
        assert!(pending.get(now, &secret(0)).is_none());
        assert!(pending.get(now, &secret(ENTRIES as u32)).is_some());
    }
}
