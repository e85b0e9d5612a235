//! How often one connection may speak: so many messages a second after a burst, and an end to those who never stop.

use std::time::{Duration, Instant};

use protocol::limits;

/// Refused messages, without a pause to earn new ones, after which the connection is closed.
const PATIENCE: u32 = 200;

/// A bucket that holds a burst and fills at the steady rate.
pub struct Rate {
    every: Duration,
    burst: u32,
    /// When the bucket was, or will be, full.
    full_at: Instant,
    refused: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// Come again after so long.
    TooFast(Duration),
    Flood,
}

impl Rate {
    /// All that a client sends.
    pub fn of_messages(now: Instant) -> Self {
        let every = Duration::from_millis(1000 / u64::from(limits::MESSAGES_PER_SECOND));
        Self::new(now, every, limits::MESSAGE_BURST)
    }

    /// An offer costs the media thread, which everybody shares, some milliseconds.
    pub fn of_offers(now: Instant) -> Self {
        let every = Duration::from_millis(limits::OFFER_INTERVAL_MS);
        Self::new(now, every, limits::OFFER_BURST)
    }

    pub fn new(now: Instant, every: Duration, burst: u32) -> Self {
        Self {
            every,
            burst,
            full_at: now,
            refused: 0,
        }
    }

    /// Nothing is owed: it is as good as new.
    pub fn is_rested(&self, now: Instant) -> bool {
        self.full_at <= now
    }

    pub fn count(&mut self, now: Instant) -> Verdict {
        let full_at = self.full_at.max(now);
        if full_at == now {
            self.refused = 0;
        }
        let owed = full_at + self.every - now;
        let burst = self.every * self.burst;
        if owed <= burst {
            self.full_at = full_at + self.every;
            return Verdict::Fine;
        }
        self.refused += 1;
        if self.refused > PATIENCE {
            Verdict::Flood
        } else {
            Verdict::TooFast(owed - burst)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_fine_then_twenty_a_second() {
        let start = Instant::now();
        let mut rate = Rate::of_messages(start);
        let fine = (0..100)
            .filter(|_| rate.count(start) == Verdict::Fine)
            .count();
        assert_eq!(fine, 60);
        assert_eq!(
            rate.count(start),
            Verdict::TooFast(Duration::from_millis(50))
        );
        let later = start + Duration::from_secs(1);
        let fine = (0..100)
            .filter(|_| rate.count(later) == Verdict::Fine)
            .count();
        assert_eq!(fine, 20);
    }

    #[test]
    fn whoever_never_stops_is_a_flood_and_whoever_pauses_is_not() {
        let start = Instant::now();
        let mut rate = Rate::of_messages(start);
        assert!((0..60 + PATIENCE).all(|_| rate.count(start) != Verdict::Flood));
        let mut patient = Rate {
            full_at: rate.full_at,
            refused: rate.refused,
            ..Rate::of_messages(start)
        };
        assert_eq!(rate.count(start), Verdict::Flood);
        let rested = start + Duration::from_secs(3);
        assert!((0..60 + PATIENCE).all(|_| patient.count(rested) != Verdict::Flood));
    }
}
