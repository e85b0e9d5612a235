//! Datagrams that land at the wrong shard. All shards share one port, and the kernel spreads what comes by addresses, not
//! by rooms; so a shard hands over what belongs to another one, and the owner answers by itself.
//!
//! A connectivity check says whose it is: its user name begins with the shard. Everything else goes by its address, after
//! the owner has confirmed that. Only the owner can tell whether a check is authentic, so nothing is learned here from
//! what a stranger sends.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use str0m::ice::StunMessage;

use crate::api::{Datagram, ShardIndex, Transport};
use crate::demux::{ADDRESS_LIFE, Remote};

/// Shards of one port at most: one character names one.
pub const MOST_SHARDS: u8 = 16;
/// Addresses of others that a shard knows. Each peer has sixteen at most.
const MOST_AWAY: usize = 32 * 1024;
/// Connectivity checks from unknown addresses that are handed over in a second: a thousand people who come back at once.
const STRANGERS_PER_SECOND: u32 = 10_000;
const SECOND: Duration = Duration::from_secs(1);
/// A user name is `ours:theirs`; ours begins with the shard.
const RADIX: u32 = 16;

/// With what our ICE user name fragments begin.
pub(crate) fn tag(shard: ShardIndex) -> char {
    char::from_digit(u32::from(shard.0), RADIX).unwrap_or('0')
}

fn shard_of(ufrag: &str) -> Option<ShardIndex> {
    let digit = ufrag.chars().next()?.to_digit(RADIX)?;
    u8::try_from(digit).ok().map(ShardIndex)
}

/// Whose the connectivity check is with which a connection begins, by its user name. Whether it is authentic can only be told
/// there. `None` when it is no such check.
pub fn shard_of_check(datagram: &[u8], shards: u8) -> Option<ShardIndex> {
    // Whoever sends this is unknown.
    let named = catch_unwind(|| {
        let message = StunMessage::parse(datagram).ok()?;
        let (ufrag, _) = message
            .is_binding_request()
            .then(|| message.split_username())??;
        shard_of(ufrag)
    });
    named.ok().flatten().filter(|shard| shard.0 < shards)
}

/// Datagrams on their way to the shard that they belong to, back to back.
#[derive(Debug, Default)]
pub struct Parcel {
    bytes: Vec<u8>,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    transport: Transport,
    source: SocketAddr,
    destination: SocketAddr,
    end: usize,
}

impl Parcel {
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub fn len(&self) -> usize {
        self.parts.len()
    }

    pub fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        let mut start = 0;
        self.parts.iter().map(move |part| {
            let bytes = self.bytes.get(start..part.end).unwrap_or_default();
            start = part.end;
            Datagram {
                transport: part.transport,
                source: part.source,
                destination: part.destination,
                bytes,
            }
        })
    }

    fn push(&mut self, datagram: Datagram<'_>) {
        self.bytes.extend_from_slice(datagram.bytes);
        self.parts.push(Part {
            transport: datagram.transport,
            source: datagram.source,
            destination: datagram.destination,
            end: self.bytes.len(),
        });
    }
}

/// Whose a datagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Ours, or nobody's.
    Ours,
    Of(ShardIndex),
}

#[derive(Debug)]
pub(crate) struct Handover {
    own: ShardIndex,
    shards: u8,
    /// Addresses that peers of other shards have proven, whose datagrams land here.
    away: HashMap<Remote, Away>,
    /// The second that is counted, and the checks of strangers in it.
    window: Option<Instant>,
    strangers: u32,
    parcels: VecDeque<(ShardIndex, Parcel)>,
    aged: Option<Instant>,
}

#[derive(Debug)]
struct Away {
    owner: ShardIndex,
    confirmed: Instant,
}

impl Handover {
    pub fn new(own: ShardIndex, shards: u8) -> Self {
        Self {
            own,
            shards,
            away: HashMap::new(),
            window: None,
            strangers: 0,
            parcels: VecDeque::new(),
            aged: None,
        }
    }

    /// Whose the connectivity check with this user name fragment is, if it is authentic.
    pub fn named(&self, ufrag: &str) -> Whose {
        match shard_of(ufrag) {
            Some(shard) if shard != self.own && shard.0 < self.shards => Whose::Of(shard),
            _ => Whose::Ours,
        }
    }

    /// Whose everything else from this address is.
    pub fn at(&self, remote: Remote) -> Whose {
        match self.away.get(&remote) {
            Some(away) => Whose::Of(away.owner),
            None => Whose::Ours,
        }
    }

    /// Whether one more connectivity check of an address that nobody has confirmed may be handed over.
    pub fn admits(&mut self, now: Instant, remote: Remote) -> bool {
        if self.away.contains_key(&remote) {
            return true;
        }
        let is_over = |since| now.saturating_duration_since(since) >= SECOND;
        if self.window.is_none_or(is_over) {
            (self.window, self.strangers) = (Some(now), 0);
        }
        self.strangers += 1;
        self.strangers <= STRANGERS_PER_SECOND
    }

    pub fn put(&mut self, to: ShardIndex, datagram: Datagram<'_>) {
        let started = self.parcels.iter_mut().find(|(of, _)| *of == to);
        if let Some((_, parcel)) = started {
            return parcel.push(datagram);
        }
        let mut parcel = Parcel::default();
        parcel.push(datagram);
        self.parcels.push_back((to, parcel));
    }

    pub fn poll(&mut self) -> Option<(ShardIndex, Parcel)> {
        self.parcels.pop_front()
    }

    /// The owner has seen a proof from this address, which landed here.
    pub fn confirm(&mut self, now: Instant, owner: ShardIndex, remote: Remote) {
        if self.away.len() < MOST_AWAY || self.away.contains_key(&remote) {
            let confirmed = now;
            self.away.insert(remote, Away { owner, confirmed });
        }
    }

    /// The owner knows nothing of this address any more.
    pub fn forget(&mut self, owner: ShardIndex, remote: Remote) {
        if self.at(remote) == Whose::Of(owner) {
            self.away.remove(&remote);
        }
    }

    /// A peer of ours has proven this address: whoever had it before has lost it.
    pub fn is_ours(&mut self, remote: Remote) {
        self.away.remove(&remote);
    }

    /// Another shard began anew.
    pub fn forget_all_of(&mut self, owner: ShardIndex) {
        self.away.retain(|_, away| away.owner != owner);
    }

    pub fn age(&mut self, now: Instant) {
        let is_recent = |then| now.saturating_duration_since(then) < SECOND;
        if self.away.is_empty() || self.aged.is_some_and(is_recent) {
            return;
        }
        self.aged = Some(now);
        self.away
            .retain(|_, away| now.saturating_duration_since(away.confirmed) < ADDRESS_LIFE);
    }

    pub fn addresses(&self) -> usize {
        self.away.len()
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests need one arbitrary instant to count from"
)]
mod tests {
    use super::*;

    fn remote(port: u16) -> Remote {
        (Transport::Udp, SocketAddr::from(([192, 0, 2, 1], port)))
    }

    #[test]
    fn a_check_says_whose_it_is_and_no_name_leads_astray() {
        let handover = Handover::new(ShardIndex(1), 3);
        let table = [
            ("0abc", Whose::Of(ShardIndex(0))),
            ("1abc", Whose::Ours),
            ("2abc", Whose::Of(ShardIndex(2))),
            // There are three.
            ("3abc", Whose::Ours),
            ("fabc", Whose::Ours),
            ("zabc", Whose::Ours),
            ("\u{0}", Whose::Ours),
            ("é", Whose::Ours),
            ("", Whose::Ours),
        ];
        for (ufrag, whose) in table {
            assert_eq!(handover.named(ufrag), whose, "{ufrag:?}");
        }
        for shard in (0..MOST_SHARDS).map(ShardIndex) {
            assert_eq!(shard_of(&format!("{}x", tag(shard))), Some(shard));
        }
    }

    #[test]
    fn an_address_is_anothers_from_its_word_until_its_word_or_for_thirty_seconds() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let (one, two) = (ShardIndex(1), ShardIndex(2));
        let mut handover = Handover::new(ShardIndex(0), 3);
        assert_eq!(handover.at(remote(1)), Whose::Ours);
        handover.confirm(at(0), one, remote(1));
        handover.confirm(at(0), one, remote(2));
        assert_eq!(handover.at(remote(1)), Whose::Of(one));
        // It moved on before the former owner noticed.
        handover.confirm(at(1), two, remote(1));
        handover.forget(one, remote(1));
        assert_eq!(handover.at(remote(1)), Whose::Of(two));
        handover.forget(one, remote(2));
        assert_eq!(handover.at(remote(2)), Whose::Ours);
        handover.age(at(30));
        assert_eq!(handover.addresses(), 1);
        handover.age(at(31));
        assert_eq!(handover.addresses(), 0);
        handover.confirm(at(31), one, remote(1));
        handover.is_ours(remote(1));
        assert_eq!(handover.at(remote(1)), Whose::Ours);
    }

    #[test]
    fn strangers_are_handed_over_up_to_a_bound_and_known_addresses_always() {
        let start = Instant::now();
        let mut handover = Handover::new(ShardIndex(0), 2);
        handover.confirm(start, ShardIndex(1), remote(1));
        let admitted = (0..STRANGERS_PER_SECOND + 500)
            .filter(|number| handover.admits(start, remote(2 + (number % 9_000) as u16)))
            .count();
        assert_eq!(admitted, STRANGERS_PER_SECOND as usize);
        assert!(handover.admits(start, remote(1)));
        assert!(handover.admits(start + SECOND, remote(2)));
    }

    #[test]
    fn the_table_is_bounded() {
        let start = Instant::now();
        let mut handover = Handover::new(ShardIndex(0), 2);
        for number in 0..MOST_AWAY as u32 + 100 {
            let [a, b, c, d] = number.to_be_bytes();
            let source = SocketAddr::from(([a, b, c, d], 1));
            handover.confirm(start, ShardIndex(1), (Transport::Udp, source));
        }
        assert_eq!(handover.addresses(), MOST_AWAY);
    }

    #[test]
    fn datagrams_to_one_shard_travel_together_and_arrive_as_they_were() {
        let mut handover = Handover::new(ShardIndex(0), 3);
        let datagram = |port, bytes| Datagram {
            transport: Transport::Udp,
            source: remote(port).1,
            destination: remote(9).1,
            bytes,
        };
        handover.put(ShardIndex(1), datagram(1, b"one"));
        handover.put(ShardIndex(2), datagram(2, b"two"));
        handover.put(ShardIndex(1), datagram(3, b"three"));
        let (to, parcel) = handover.poll().unwrap();
        let told: Vec<(u16, &[u8])> = parcel
            .datagrams()
            .map(|datagram| (datagram.source.port(), datagram.bytes))
            .collect();
        assert_eq!((to, parcel.len()), (ShardIndex(1), 2));
        assert_eq!(told, [(1, &b"one"[..]), (3, b"three")]);
        assert_eq!(handover.poll().unwrap().0, ShardIndex(2));
        assert!(handover.poll().is_none());
    }
}
