//! What one subscriber got of one stream in the last seconds, so that it can have it again.
//!
//! The payloads are shared by all who got them: there is one store per published layer, which lasts as long as one of
//! these rings names a packet of it, and no longer than `KEPT_FOR` and a look by the clock.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::packet::Packet;
use crate::rewriter::Rewritten;

/// How long a receiver may take to ask for a packet again.
const KEPT_FOR: Duration = Duration::from_secs(2);
/// Packets that are kept at first and at most. More are kept when a second of them does not fit.
const KEPT_AT_FIRST: usize = 64;
const KEPT_AT_MOST: usize = 1_024;
const GROW_BELOW: Duration = Duration::from_secs(1);

/// A packet with the numbers that it has for this subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub packet: Arc<Packet>,
    pub numbers: Rewritten,
}

/// A ring: each packet lies at its number modulo the size.
#[derive(Debug, Default)]
pub(crate) struct Past {
    kept: Vec<Option<Kept>>,
    /// Times are counted from here.
    epoch: Option<Instant>,
}

#[derive(Debug)]
struct Kept {
    sent: Numbered,
    at: Millis,
    again: Option<Millis>,
}

/// Since the epoch, from 1: a ring has many of them.
type Millis = NonZeroU32;

impl Past {
    pub fn keep(&mut self, now: Instant, sent: Numbered) {
        if self.kept.is_empty() {
            self.resize(KEPT_AT_FIRST);
        }
        let now = self.millis(now);
        let number = sent.numbers.sequence;
        let is_young = |kept: &Kept| since(now, kept.at) < GROW_BELOW;
        let would_lose = self.at(number).is_some_and(|there| is_young(there));
        if would_lose && self.kept.len() < KEPT_AT_MOST {
            self.resize(self.kept.len() * 2);
        }
        self.put(Kept {
            sent,
            at: now,
            again: None,
        });
    }

    /// `None` for what is gone, and for what was recalled less than `rest` ago.
    pub fn recall(&mut self, now: Instant, number: u64, rest: Duration) -> Option<Numbered> {
        let now = self.millis(now);
        let kept = self.at(number)?;
        let is_other = kept.sent.numbers.sequence != number;
        let is_resting = kept.again.is_some_and(|again| since(now, again) < rest);
        if is_other || is_resting || since(now, kept.at) > KEPT_FOR {
            return None;
        }
        kept.again = Some(now);
        Some(kept.sent.clone())
    }

    /// Lets go of what nobody will ask for any more.
    pub fn forget_old(&mut self, now: Instant) {
        let now = self.millis(now);
        let is_old = |kept: &mut Kept| since(now, kept.at) > KEPT_FOR;
        for place in &mut self.kept {
            place.take_if(is_old);
        }
        if self.kept.iter().all(Option::is_none) {
            self.kept = vec![];
        }
    }

    fn millis(&mut self, now: Instant) -> Millis {
        let epoch = *self.epoch.get_or_insert(now);
        let millis = now.saturating_duration_since(epoch).as_millis() as u32;
        Millis::MIN.saturating_add(millis)
    }

    fn at(&mut self, number: u64) -> Option<&mut Kept> {
        self.place(number)?.as_mut()
    }

    fn place(&mut self, number: u64) -> Option<&mut Option<Kept>> {
        let place = number.checked_rem(self.kept.len() as u64)?;
        self.kept.get_mut(place as usize)
    }

    /// A late packet does not push out a newer one.
    fn put(&mut self, kept: Kept) {
        let number = kept.sent.numbers.sequence;
        if let Some(place) = self.place(number)
            && place
                .as_ref()
                .is_none_or(|there| there.sent.numbers.sequence < number)
        {
            *place = Some(kept);
        }
    }

    fn resize(&mut self, size: usize) {
        let before = std::mem::take(&mut self.kept);
        self.kept.resize_with(size, || None);
        for kept in before.into_iter().flatten() {
            self.put(kept);
        }
    }
}

fn since(now: Millis, then: Millis) -> Duration {
    Duration::from_millis(u64::from(now.get().saturating_sub(then.get())))
}
