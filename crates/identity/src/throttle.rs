//! Guessing made slow: who may try a password or a link now, and who has to wait how long.
//!
//! Failures count per address, and per account from one address. Nobody is ever kept out of an account by what others do
//! from elsewhere. An attempt counts as failed from its start, so that many at once gain nothing.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Failures from one address within the window, then nothing more until the oldest is forgotten.
const MOST_FAILURES: usize = 10;
const WINDOW: Duration = Duration::from_secs(30 * 60);
/// People mistype: the first failures on an account cost nothing, then the delay doubles.
const FREE_FAILURES: usize = 3;
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// Entries kept before those without a recent failure are looked for and dropped.
const ENTRIES: usize = 10_000;

/// Who counts as one: an IPv4 address, or the /64 that one IPv6 customer has for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self(v4.into()),
            IpAddr::V6(v6) => {
                Self(std::net::Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into())
            }
        }
    }
}

/// Sign-ins.
#[derive(Debug, Default)]
pub struct Throttle {
    networks: Failures<Network>,
    accounts: Failures<(String, Network)>,
}

impl Throttle {
    /// Begins an attempt, or says how long to wait. `account` is the folded username, existing or not.
    pub fn attempt(&mut self, now: Instant, account: &str, from: Network) -> Result<(), Duration> {
        let key = (account.to_owned(), from);
        let mut wait = self.networks.wait(now, &from, window_delay);
        wait = wait.max(self.accounts.wait(now, &key, account_delay));
        if !wait.is_zero() {
            return Err(wait);
        }
        self.networks.add(now, from);
        self.accounts.add(now, key);
        Ok(())
    }

    /// The attempt begun at `began` was right: it is no failure, and this account is forgiven at this address.
    pub fn succeeded(&mut self, began: Instant, account: &str, from: Network) {
        self.networks.take_back(began, &from);
        self.accounts.forget(&(account.to_owned(), from));
    }

    /// The attempt begun at `began` came to no answer.
    pub fn abandoned(&mut self, began: Instant, account: &str, from: Network) {
        self.networks.take_back(began, &from);
        self.accounts.take_back(began, &(account.to_owned(), from));
    }
}

fn window_delay(failures: &[Instant]) -> Option<Instant> {
    let oldest_that_counts = failures.len().checked_sub(MOST_FAILURES)?;
    failures.get(oldest_that_counts).map(|at| *at + WINDOW)
}

fn account_delay(failures: &[Instant]) -> Option<Instant> {
    let doublings = failures.len().checked_sub(FREE_FAILURES)?;
    let factor = 1u32 << doublings.min(16);
    failures
        .last()
        .map(|at| *at + FIRST_DELAY.saturating_mul(factor).min(LONGEST_DELAY))
}

/// The recent failures of each key, oldest first.
#[derive(Debug)]
struct Failures<K>(HashMap<K, Vec<Instant>>);

impl<K> Default for Failures<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone> Failures<K> {
    fn wait(
        &mut self,
        now: Instant,
        key: &K,
        until: impl Fn(&[Instant]) -> Option<Instant>,
    ) -> Duration {
        let Some(failures) = self.0.get_mut(key) else {
            return Duration::ZERO;
        };
        failures.retain(|at| now.saturating_duration_since(*at) < WINDOW);
        until(failures).map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }

    fn add(&mut self, now: Instant, key: K) {
        if self.0.len() >= ENTRIES && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        self.0.entry(key).or_default().push(now);
    }

    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, failures| {
            failures
                .last()
                .is_some_and(|at| now.saturating_duration_since(*at) < WINDOW)
        });
        if self.0.len() < ENTRIES {
            return;
        }
        let oldest = self
            .0
            .iter()
            .min_by_key(|(_, failures)| failures.last().copied())
            .map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            self.0.remove(&oldest);
        }
    }

    fn take_back(&mut self, began: Instant, key: &K) {
        let Some(failures) = self.0.get_mut(key) else {
            return;
        };
        if let Some(index) = failures.iter().position(|at| *at == began) {
            failures.remove(index);
        }
        if failures.is_empty() {
            self.0.remove(key);
        }
    }

    fn forget(&mut self, key: &K) {
        self.0.remove(key);
    }
}

/// So many at once per address, or whoever else counts as one, then so many per second.
#[derive(Debug)]
pub struct Quota<K = Network> {
    burst: u32,
    every: Duration,
    /// When the address will have all of its burst back.
    full_at: HashMap<K, Instant>,
}

impl<K: Eq + Hash> Quota<K> {
    pub fn new(burst: u32, every: Duration) -> Self {
        Self {
            burst,
            every,
            full_at: HashMap::new(),
        }
    }

    /// Takes one, or says how long to wait.
    pub fn take(&mut self, now: Instant, from: K) -> Result<(), Duration> {
        if self.full_at.len() >= ENTRIES {
            self.full_at.retain(|_, at| *at > now);
        }
        let full_at = self
            .full_at
            .get(&from)
            .copied()
            .filter(|at| *at > now)
            .unwrap_or(now);
        let owed = full_at.duration_since(now) + self.every;
        let allowed = self.every.saturating_mul(self.burst);
        if owed > allowed {
            return Err(owed - allowed);
        }
        self.full_at.insert(from, full_at + self.every);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Network {
        Network::from(text.parse::<IpAddr>().expect("an address"))
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Tries until refused; what the refusals said.
    fn fail(
        throttle: &mut Throttle,
        mut now: Instant,
        account: &str,
        from: &str,
        times: usize,
    ) -> Vec<u64> {
        let mut waits = Vec::new();
        for _ in 0..times {
            while let Err(wait) = throttle.attempt(now, account, address(from)) {
                waits.push(wait.as_secs());
                now += wait;
            }
        }
        waits
    }

    #[test]
    fn each_failure_on_an_account_doubles_the_wait() {
        let mut throttle = Throttle::default();
        let waits = fail(&mut throttle, Instant::now(), "anna", "192.0.2.1", 10);
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn after_ten_failures_an_address_waits_for_the_oldest_to_be_forgotten() {
        let mut throttle = Throttle::default();
        let start = Instant::now();
        for (minute, name) in ('a'..='j').enumerate() {
            let now = start + seconds(60 * minute as u64);
            assert_eq!(
                throttle.attempt(now, &name.to_string(), address("192.0.2.1")),
                Ok(())
            );
        }
        let now = start + seconds(600);
        assert_eq!(
            throttle.attempt(now, "k", address("192.0.2.1")),
            Err(seconds(1200))
        );
        assert_eq!(
            throttle.attempt(start + WINDOW, "k", address("192.0.2.1")),
            Ok(())
        );
    }

    #[test]
    fn nobody_is_kept_out_of_an_account_by_somebody_elsewhere() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        fail(&mut throttle, now, "anna", "192.0.2.1", 10);
        assert_eq!(throttle.attempt(now, "anna", address("192.0.2.2")), Ok(()));
    }

    #[test]
    fn one_ipv6_customer_is_one_address() {
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
    }

    #[test]
    fn the_right_password_is_no_failure_and_forgives_the_account_only() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        let anna = address("192.0.2.1");
        for _ in 0..50 {
            assert_eq!(throttle.attempt(now, "anna", anna), Ok(()));
            throttle.succeeded(now, "anna", anna);
        }
        let mut at = now;
        for other in 0..9 {
            at += seconds(1);
            assert_eq!(
                throttle.attempt(at, &format!("other {other}"), anna),
                Ok(())
            );
        }
        at += seconds(1);
        assert_eq!(throttle.attempt(at, "anna", anna), Ok(()));
        throttle.succeeded(at, "anna", anna);
        assert_eq!(throttle.attempt(at + seconds(1), "x", anna), Ok(()));
        assert!(throttle.attempt(at + seconds(2), "anna", anna).is_err());
    }

    #[test]
    fn many_attempts_at_once_count_before_they_are_answered() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        let allowed = (0..100)
            .filter(|_| throttle.attempt(now, "anna", address("192.0.2.1")).is_ok())
            .count();
        assert_eq!(allowed, FREE_FAILURES);
    }

    #[test]
    fn a_flood_of_addresses_is_remembered_within_bounds() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        for n in 0..(ENTRIES as u32 + 50) {
            let from = Network::from(IpAddr::from(std::net::Ipv4Addr::from(n)));
            assert_eq!(
                throttle.attempt(now + Duration::from_nanos(n.into()), "anna", from),
                Ok(())
            );
        }
        assert!(throttle.networks.0.len() <= ENTRIES && throttle.accounts.0.len() <= ENTRIES);
    }

    #[test]
    fn a_quota_gives_its_burst_and_then_one_at_a_time() {
        let mut quota = Quota::new(3, seconds(2));
        let now = Instant::now();
        let from = address("192.0.2.1");
        let taken: Vec<_> = (0..4).map(|_| quota.take(now, from)).collect();
        assert_eq!(taken, [Ok(()), Ok(()), Ok(()), Err(seconds(2))]);
        assert_eq!(quota.take(now, address("192.0.2.2")), Ok(()));
        assert_eq!(quota.take(now + seconds(2), from), Ok(()));
        assert_eq!(quota.take(now + seconds(2), from), Err(seconds(2)));
    }
}
