//! Guessing made slow: who may try a password or a link now, and who has to wait how long.
//!
//! Failures count per address, and per account from one address. Nobody is ever kept out of an account by what others do
//! from elsewhere. What is not answered yet is bounded too, by what it could cost, so that many at once gain little: whoever
//! is too many waits a second and not for somebody's failures to be forgotten.

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
    networks: Counts<Network>,
    accounts: Counts<(String, Network)>,
}

impl Throttle {
    /// Begins an attempt, or says how long to wait. `account` is the folded username, existing or not. Each attempt that
    /// has begun ends in exactly one of the three ways below.
    pub fn begin(&mut self, now: Instant, account: &str, from: Network) -> Result<(), Duration> {
        let key = (account.to_owned(), from);
        let of_network = self
            .networks
            .wait(now, &from, window_delay, most_of_network);
        let of_account = self
            .accounts
            .wait(now, &key, account_delay, most_of_account);
        let wait = of_network.max(of_account);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.networks.begin(now, from);
        self.accounts.begin(now, key);
        Ok(())
    }

    /// This account is forgiven at this address.
    pub fn succeeded(&mut self, account: &str, from: Network) {
        let key = (account.to_owned(), from);
        self.networks.end(&from);
        self.accounts.forgive(&key);
        self.accounts.end(&key);
    }

    pub fn failed(&mut self, now: Instant, account: &str, from: Network) {
        let key = (account.to_owned(), from);
        self.networks.fail(now, &from);
        self.accounts.fail(now, &key);
    }

    /// Nobody could say whether it was right, and it may have been a guess all the same: slows down this account from here,
    /// not the others that come from there. The attempt has yet to end.
    pub fn unanswered(&mut self, now: Instant, account: &str, from: Network) {
        self.accounts.note(now, &(account.to_owned(), from));
    }

    /// The attempt came to no answer.
    pub fn abandoned(&mut self, account: &str, from: Network) {
        self.networks.end(&from);
        self.accounts.end(&(account.to_owned(), from));
    }
}

/// How many may be under way after so many failures. A whole office comes at nine in the morning by one address.
fn most_of_network(failures: usize) -> usize {
    3 * MOST_FAILURES.saturating_sub(failures).max(1)
}

fn most_of_account(failures: usize) -> usize {
    FREE_FAILURES.saturating_sub(failures).max(1)
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

/// What there is to know about a key.
#[derive(Debug, Default)]
struct Count {
    under_way: usize,
    /// The recent ones, oldest first.
    failures: Vec<Instant>,
}

impl Count {
    fn is_idle(&self, now: Instant) -> bool {
        let recent = |at: &Instant| now.saturating_duration_since(*at) < WINDOW;
        self.under_way == 0 && !self.failures.last().is_some_and(recent)
    }
}

#[derive(Debug)]
struct Counts<K>(HashMap<K, Count>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone> Counts<K> {
    fn wait(
        &mut self,
        now: Instant,
        key: &K,
        until: impl Fn(&[Instant]) -> Option<Instant>,
        most: impl Fn(usize) -> usize,
    ) -> Duration {
        let Some(count) = self.0.get_mut(key) else {
            return Duration::ZERO;
        };
        count
            .failures
            .retain(|at| now.saturating_duration_since(*at) < WINDOW);
        let crowd = count.under_way >= most(count.failures.len());
        let wait = until(&count.failures).map(|at| at.saturating_duration_since(now));
        let wait = wait.unwrap_or(Duration::ZERO);
        wait.max(if crowd { FIRST_DELAY } else { Duration::ZERO })
    }

    fn begin(&mut self, now: Instant, key: K) {
        if self.0.len() >= ENTRIES && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        self.0.entry(key).or_default().under_way += 1;
    }

    fn end(&mut self, key: &K) {
        let Some(count) = self.0.get_mut(key) else {
            return;
        };
        count.under_way = count.under_way.saturating_sub(1);
        if count.under_way == 0 && count.failures.is_empty() {
            self.0.remove(key);
        }
    }

    fn fail(&mut self, now: Instant, key: &K) {
        if let Some(count) = self.0.get_mut(key) {
            count.under_way = count.under_way.saturating_sub(1);
            count.failures.push(now);
        }
    }

    fn note(&mut self, now: Instant, key: &K) {
        if let Some(count) = self.0.get_mut(key) {
            count.failures.push(now);
        }
    }

    fn forgive(&mut self, key: &K) {
        if let Some(count) = self.0.get_mut(key) {
            count.failures.clear();
        }
    }

    /// What is under way stays, or its end would be lost; the web server bounds how many those are.
    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, count| !count.is_idle(now));
        if self.0.len() < ENTRIES {
            return;
        }
        let at_rest = self.0.iter().filter(|(_, count)| count.under_way == 0);
        let oldest = at_rest
            .min_by_key(|(_, count)| count.failures.last().copied())
            .map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            self.0.remove(&oldest);
        }
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
        self.take_many(now, from, 1)
    }

    /// Takes so many, or none and says how long to wait; more than the burst are never given.
    pub fn take_many(&mut self, now: Instant, from: K, count: u32) -> Result<(), Duration> {
        if self.full_at.len() >= ENTRIES {
            self.full_at.retain(|_, at| *at > now);
        }
        let full_at = self
            .full_at
            .get(&from)
            .copied()
            .filter(|at| *at > now)
            .unwrap_or(now);
        let taken = self.every.saturating_mul(count);
        let owed = full_at.duration_since(now) + taken;
        let allowed = self.every.saturating_mul(self.burst);
        if owed > allowed {
            return Err(owed - allowed);
        }
        self.full_at.insert(from, full_at + taken);
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

    /// An attempt that fails at once, or how long to wait.
    fn fail_at(
        throttle: &mut Throttle,
        now: Instant,
        account: &str,
        from: &str,
    ) -> Result<(), Duration> {
        throttle.begin(now, account, address(from))?;
        throttle.failed(now, account, address(from));
        Ok(())
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
            while let Err(wait) = fail_at(throttle, now, account, from) {
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
            let name = name.to_string();
            assert_eq!(fail_at(&mut throttle, now, &name, "192.0.2.1"), Ok(()));
        }
        let now = start + seconds(600);
        let from = address("192.0.2.1");
        assert_eq!(throttle.begin(now, "k", from), Err(seconds(1200)));
        assert_eq!(throttle.begin(start + WINDOW, "k", from), Ok(()));
    }

    #[test]
    fn nobody_is_kept_out_of_an_account_by_somebody_elsewhere() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        fail(&mut throttle, now, "anna", "192.0.2.1", 10);
        for _ in 0..FREE_FAILURES {
            let others = throttle.begin(now, "anna", address("192.0.2.3"));
            assert_eq!(others, Ok(()), "under way");
        }
        assert_eq!(throttle.begin(now, "anna", address("192.0.2.2")), Ok(()));
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
            assert_eq!(throttle.begin(now, "anna", anna), Ok(()));
            throttle.succeeded("anna", anna);
        }
        let mut at = now;
        for other in 0..9 {
            at += seconds(1);
            let name = format!("other {other}");
            assert_eq!(fail_at(&mut throttle, at, &name, "192.0.2.1"), Ok(()));
        }
        at += seconds(1);
        assert_eq!(throttle.begin(at, "anna", anna), Ok(()));
        throttle.succeeded("anna", anna);
        assert_eq!(fail_at(&mut throttle, at, "x", "192.0.2.1"), Ok(()));
        assert!(throttle.begin(at, "anna", anna).is_err());
    }

    #[test]
    fn an_office_that_comes_at_once_is_let_in() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        let office = address("192.0.2.1");
        let names: Vec<String> = (0..30).map(|n| format!("person {n}")).collect();
        for name in &names {
            assert_eq!(throttle.begin(now, name, office), Ok(()), "{name}");
        }
        assert_eq!(throttle.begin(now, "late", office), Err(seconds(1)));
        for name in &names {
            throttle.succeeded(name, office);
        }
        assert_eq!(throttle.begin(now, "late", office), Ok(()));
        throttle.abandoned("late", office);
        assert!(throttle.networks.0.is_empty() && throttle.accounts.0.is_empty());
    }

    #[test]
    fn many_guesses_at_once_gain_little() {
        let check = |what: &str, failures: usize, names: usize, expect: usize| {
            let mut throttle = Throttle::default();
            let start = Instant::now();
            for n in 0..failures {
                let name = format!("before {n}");
                assert_eq!(fail_at(&mut throttle, start, &name, "192.0.2.1"), Ok(()));
            }
            let from = address("192.0.2.1");
            let tries = (0..100).map(|n| format!("name {}", n % names));
            let begun: Vec<String> = tries
                .filter(|name| throttle.begin(start, name, from).is_ok())
                .collect();
            assert_eq!(begun.len(), expect, "{what}");
            for name in &begun {
                throttle.failed(start, name, from);
            }
            if failures + begun.len() >= MOST_FAILURES {
                let wait = throttle.begin(start + seconds(60), "late", from);
                assert_eq!(wait, Err(WINDOW - seconds(60)), "{what}");
            }
        };
        check("one account", 0, 1, FREE_FAILURES);
        check("all accounts", 0, 100, 30);
        check("all accounts, after a failure", 1, 100, 27);
        check("all accounts, before the last failure", 9, 100, 3);
        check("after it", 10, 100, 0);
    }

    #[test]
    fn an_account_with_failures_is_tried_one_at_a_time() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        let from = address("192.0.2.1");
        fail(&mut throttle, now, "anna", "192.0.2.1", FREE_FAILURES);
        let later = now + seconds(1);
        assert_eq!(throttle.begin(later, "anna", from), Ok(()));
        assert_eq!(throttle.begin(later, "anna", from), Err(seconds(1)));
        throttle.abandoned("anna", from);
        assert_eq!(throttle.begin(later, "anna", from), Ok(()));
    }

    #[test]
    fn a_flood_of_addresses_is_remembered_within_bounds() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        let first = address("198.51.100.1");
        assert_eq!(throttle.begin(now, "anna", first), Ok(()));
        for n in 0..(ENTRIES as u32 + 50) {
            let from = Network::from(IpAddr::from(std::net::Ipv4Addr::from(n)));
            let at = now + Duration::from_nanos(n.into());
            assert_eq!(throttle.begin(at, "anna", from), Ok(()));
            throttle.failed(at, "anna", from);
        }
        assert!(throttle.networks.0.len() <= ENTRIES && throttle.accounts.0.len() <= ENTRIES);
        throttle.failed(now, "anna", first);
        assert_eq!(throttle.networks.0[&first].failures.len(), 1);
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

    #[test]
    fn guesses_that_nobody_could_answer_slow_down_their_account_and_no_other() {
        let mut throttle = Throttle::default();
        let (now, here) = (Instant::now(), address("192.0.2.1"));
        for n in 0..MOST_FAILURES {
            let account = if n < FREE_FAILURES { "anna" } else { "bernd" };
            let later = now + seconds(60 * n as u64);
            assert_eq!(throttle.begin(later, account, here), Ok(()), "{n}");
            throttle.unanswered(later, account, here);
            throttle.abandoned(account, here);
            if n + 1 == FREE_FAILURES {
                let refused = throttle.begin(later, "anna", here);
                assert_eq!(refused, Err(FIRST_DELAY));
            }
        }
        let end = now + seconds(60 * MOST_FAILURES as u64);
        assert_eq!(throttle.begin(end, "carla", here), Ok(()));
    }
}
