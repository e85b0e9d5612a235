//! How often somebody may call and be called. A bucket that holds a burst and fills at a steady rate is one moment: when it
//! was, or will be, full.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use protocol::UserId;

struct Rate {
    every: Duration,
    burst: u32,
}

const BY_CALLER: Rate = Rate {
    every: Duration::from_secs(6),
    burst: 10,
};
const BY_PAIR: Rate = Rate {
    every: Duration::from_secs(12),
    burst: 5,
};
const BY_CALLEE: Rate = Rate {
    every: Duration::from_secs(3),
    burst: 20,
};
/// Each change is stored and told to all devices.
const STATUS: Rate = Rate {
    every: Duration::from_secs(3),
    burst: 20,
};
/// Full buckets are thrown away when there are more than this, and twice as many as were left the last time.
const FEW: usize = 1000;

#[derive(Default)]
pub struct Rates {
    callers: Buckets<UserId>,
    pairs: Buckets<(UserId, UserId)>,
    callees: Buckets<UserId>,
    statuses: Buckets<UserId>,
}

impl Rates {
    /// Any attempt counts. The error is how long to wait.
    pub fn try_calling(&mut self, now: Instant, caller: &UserId) -> Result<(), Duration> {
        self.callers.take(now, &BY_CALLER, caller.clone())
    }

    pub fn try_reaching(
        &mut self,
        now: Instant,
        caller: &UserId,
        callee: &UserId,
    ) -> Result<(), Duration> {
        self.pairs
            .take(now, &BY_PAIR, (caller.clone(), callee.clone()))?;
        self.callees.take(now, &BY_CALLEE, callee.clone())
    }

    pub fn try_changing_status(&mut self, now: Instant, user: &UserId) -> Result<(), Duration> {
        self.statuses.take(now, &STATUS, user.clone())
    }
}

struct Buckets<K> {
    full_at: HashMap<K, Instant>,
    sweep_above: usize,
}

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self {
            full_at: HashMap::new(),
            sweep_above: FEW,
        }
    }
}

impl<K: Eq + Hash> Buckets<K> {
    fn take(&mut self, now: Instant, rate: &Rate, key: K) -> Result<(), Duration> {
        if self.full_at.len() > self.sweep_above {
            self.full_at.retain(|_, full_at| *full_at > now);
            self.sweep_above = FEW.max(2 * self.full_at.len());
        }
        let full_at = self.full_at.entry(key).or_insert(now);
        let after = (*full_at).max(now) + rate.every;
        match (after - now).checked_sub(rate.every * rate.burst) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                *full_at = after;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_fine_then_one_at_a_time() {
        let start = Instant::now();
        let mut rates = Rates::default();
        let anna = UserId::from("anna");
        for _ in 0..10 {
            assert_eq!(rates.try_calling(start, &anna), Ok(()));
        }
        let wait = Duration::from_secs(6);
        assert_eq!(rates.try_calling(start, &anna), Err(wait));
        assert_eq!(rates.try_calling(start + wait, &anna), Ok(()));
        assert_eq!(rates.try_calling(start + wait, &anna), Err(wait));
        assert_eq!(rates.try_calling(start + wait, &"ben".into()), Ok(()));
    }

    #[test]
    fn nobody_is_called_more_often_than_they_can_bear_by_one_or_by_many() {
        let start = Instant::now();
        let mut rates = Rates::default();
        let ben = UserId::from("ben");
        for caller in ["a", "b", "c", "d"] {
            for _ in 0..5 {
                assert_eq!(rates.try_reaching(start, &caller.into(), &ben), Ok(()));
            }
            assert!(rates.try_reaching(start, &caller.into(), &ben).is_err());
        }
        assert_eq!(
            rates.try_reaching(start, &"e".into(), &ben),
            Err(Duration::from_secs(3))
        );
        assert_eq!(
            rates.try_reaching(start, &"e".into(), &"carla".into()),
            Ok(())
        );
    }

    #[test]
    fn a_status_is_changed_as_often_as_somebody_changes_their_mind() {
        let start = Instant::now();
        let mut rates = Rates::default();
        let anna = UserId::from("anna");
        for _ in 0..20 {
            assert_eq!(rates.try_changing_status(start, &anna), Ok(()));
        }
        let wait = Duration::from_secs(3);
        assert_eq!(rates.try_changing_status(start, &anna), Err(wait));
        assert_eq!(rates.try_changing_status(start, &"ben".into()), Ok(()));
    }

    #[test]
    fn buckets_that_are_full_again_are_thrown_away() {
        let start = Instant::now();
        let mut rates = Rates::default();
        for caller in 0..=FEW {
            let _ = rates.try_calling(start, &caller.to_string().into());
        }
        let _ = rates.try_calling(start + Duration::from_secs(6), &"late".into());
        assert_eq!(rates.callers.full_at.len(), 1);
    }
}
