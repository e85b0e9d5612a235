//! A network in memory: loss, delay and reordering out of a seed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::Transport;

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

/// The line of one receiver: a bottleneck with a queue in front of it.
#[derive(Clone, Copy, Debug)]
pub struct Down {
    pub bps: u64,
    /// What does not fit is dropped.
    pub queue_bytes: u64,
    pub delay: Duration,
    /// Up to so much more.
    pub jitter: Duration,
    /// Whether datagrams overtake each other in it.
    pub reorders: bool,
    pub losses: Losses,
}

#[derive(Clone, Copy, Debug)]
pub enum Losses {
    None,
    PerMille(u64),
    /// Gilbert and Elliott's model: per mille to get into a bad stretch, out of it, and lost within.
    Bursts {
        begin: u64,
        end: u64,
        lost: u64,
    },
}

impl Losses {
    pub fn is_lost(self, random: &mut Random, bad: &mut bool) -> bool {
        let lost = match self {
            Losses::None => 0,
            Losses::PerMille(lost) => lost,
            Losses::Bursts { begin, end, lost } => {
                let turn = if *bad { end } else { begin };
                *bad ^= random.below(1_000) < turn;
                if *bad { lost } else { 0 }
            }
        };
        random.below(1_000) < lost
    }
}

struct Bottleneck {
    line: Down,
    /// When it has sent all that it was given.
    free: Instant,
    last_arrival: Instant,
    bad: bool,
}

impl Bottleneck {
    /// When a datagram arrives, if it does.
    fn pass(&mut self, now: Instant, bytes: usize, random: &mut Random) -> Option<Instant> {
        const IP_AND_UDP: usize = 28;
        let line = self.line;
        let takes = |bytes: u64| Duration::from_micros(bytes * 8_000_000 / line.bps);
        let begins = self.free.max(now);
        if begins - now > takes(line.queue_bytes) {
            return None;
        }
        self.free = begins + takes((bytes + IP_AND_UDP) as u64);
        if line.losses.is_lost(random, &mut self.bad) {
            return None;
        }
        let jitter = random.below(line.jitter.as_micros() as u64 + 1);
        let mut arrives = self.free + line.delay + Duration::from_micros(jitter);
        if !line.reorders {
            arrives = arrives.max(self.last_arrival);
            self.last_arrival = arrives;
        }
        Some(arrives)
    }
}

#[derive(Clone, Debug)]
pub struct InFlight {
    pub transport: Transport,
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub bytes: Vec<u8>,
}

pub struct Network {
    pub conditions: Conditions,
    pub random: Random,
    queue: BTreeMap<(Instant, u64), InFlight>,
    bottlenecks: BTreeMap<SocketAddr, Bottleneck>,
    /// When what was sent last over a TCP connection arrives.
    streams: BTreeMap<(SocketAddr, SocketAddr), Instant>,
    /// Whose network lets no UDP through.
    pub without_udp: BTreeSet<IpAddr>,
    sent: u64,
}

impl Network {
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            random: Random(seed),
            queue: BTreeMap::new(),
            bottlenecks: BTreeMap::new(),
            streams: BTreeMap::new(),
            without_udp: BTreeSet::new(),
            sent: 0,
        }
    }

    /// From now on datagrams to this address go through a line of their own.
    pub fn set_line(&mut self, now: Instant, to: SocketAddr, line: Down) {
        let bottleneck = self.bottlenecks.entry(to).or_insert(Bottleneck {
            line,
            free: now,
            last_arrival: now,
            bad: false,
        });
        bottleneck.line = line;
    }

    pub fn send(&mut self, now: Instant, datagram: InFlight) {
        if datagram.transport == Transport::Tcp {
            return self.stream(now, datagram);
        }
        let ends = [datagram.source.ip(), datagram.destination.ip()];
        if ends.iter().any(|end| self.without_udp.contains(end)) {
            return;
        }
        if let Some(bottleneck) = self.bottlenecks.get_mut(&datagram.destination) {
            let bytes = datagram.bytes.len();
            if let Some(arrives) = bottleneck.pass(now, bytes, &mut self.random) {
                self.sent += 1;
                self.queue.insert((arrives, self.sent), datagram);
            }
            return;
        }
        if self.random.below(1_000) < self.conditions.loss_per_mille {
            return;
        }
        let jitter = self.conditions.jitter.as_micros() as u64;
        let extra = Duration::from_micros(self.random.below(jitter + 1));
        self.sent += 1;
        self.queue
            .insert((now + self.conditions.delay + extra, self.sent), datagram);
    }

    /// Whole and in order; what is lost comes a little later, and so does all behind it.
    fn stream(&mut self, now: Instant, datagram: InFlight) {
        let jitter = self.conditions.jitter.as_micros() as u64;
        let mut delay =
            self.conditions.delay + Duration::from_micros(self.random.below(jitter + 1));
        if self.random.below(1_000) < self.conditions.loss_per_mille {
            delay += 2 * self.conditions.delay;
        }
        let ends = (datagram.source, datagram.destination);
        let before = self.streams.get(&ends).copied().unwrap_or(now);
        let arrives = before.max(now + delay);
        self.streams.insert(ends, arrives);
        self.sent += 1;
        self.queue.insert((arrives, self.sent), datagram);
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
