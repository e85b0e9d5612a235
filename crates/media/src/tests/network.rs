//! A network in memory: loss, delay and reordering out of a seed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    pub delay: Duration,
    /// Up to so much more, independently for each datagram: reorders.
    pub jitter: Duration,
    /// Lost out of 1 000 datagrams, in each direction.
    pub loss_per_mille: u64,
}

pub const LAN: Conditions = Conditions {
    delay: Duration::from_millis(1),
    jitter: Duration::ZERO,
    loss_per_mille: 0,
};
pub const REORDERING: Conditions = Conditions {
    delay: Duration::from_millis(20),
    jitter: Duration::from_millis(8),
    loss_per_mille: 0,
};
pub const LOSSY: Conditions = Conditions {
    delay: Duration::from_millis(20),
    jitter: Duration::from_millis(3),
    loss_per_mille: 40,
};

#[derive(Clone, Debug)]
pub struct InFlight {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub bytes: Vec<u8>,
}

pub struct Network {
    pub conditions: Conditions,
    pub random: Random,
    queue: BTreeMap<(Instant, u64), InFlight>,
    sent: u64,
}

impl Network {
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            random: Random(seed),
            queue: BTreeMap::new(),
            sent: 0,
        }
    }

    pub fn send(&mut self, now: Instant, datagram: InFlight) {
        if self.random.below(1_000) < self.conditions.loss_per_mille {
            return;
        }
        let jitter = self.conditions.jitter.as_micros() as u64;
        let extra = Duration::from_micros(self.random.below(jitter + 1));
        self.sent += 1;
        self.queue
            .insert((now + self.conditions.delay + extra, self.sent), datagram);
    }

    pub fn next(&self) -> Option<Instant> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    pub fn arrived(&mut self, now: Instant) -> Option<InFlight> {
        let first = self
            .queue
            .first_entry()
            .filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}
