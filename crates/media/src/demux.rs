//! Whose datagram is it: by the remote address, once the peer behind it has proven by STUN that it knows our ICE
//! password, and by the user name of such a STUN message before. Credentials go with their peer, those from before a
//! restart of ICE soon after it, and addresses when nothing is proven from them any more.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::api::{PeerId, ShardIndex, Transport};

/// A client on the move proves new addresses, and with TCP one for each address of ours; the oldest are forgotten.
const ADDRESSES_PER_PEER: usize = 16;
/// Clients check the path that they use every few seconds, and lose their consent after this (RFC 7675).
pub(crate) const ADDRESS_LIFE: Duration = Duration::from_secs(30);
/// After a restart a client uses the old path until the new one stands.
const FORMER_LIFE: Duration = Duration::from_secs(3);
/// How often the shard where an address lands is told that it is still proven. Well within its life.
const CONFIRMED_EVERY: Duration = Duration::from_secs(5);

pub(crate) type Remote = (Transport, SocketAddr);

/// What STUN messages to us are addressed to and signed with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub ufrag: String,
    pub password: String,
}

/// Whom a STUN message names, and how to see whether it is from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim<'a> {
    pub peer: PeerId,
    pub password: &'a str,
    /// Of before the last restart: the engine knows nothing of it any more.
    pub is_former: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Demux {
    by_address: HashMap<Remote, PeerId>,
    by_ufrag: HashMap<String, PeerId>,
    known: HashMap<PeerId, Known>,
    /// Addresses that nobody here has any more, and at which shard they land.
    lost: Vec<(ShardIndex, Remote)>,
}

#[derive(Debug, Default)]
struct Known {
    /// In the order of the first proof or the last use.
    addresses: VecDeque<Proven>,
    current: Credentials,
    former: Option<(Credentials, Instant)>,
}

/// An address that a peer has proven to be its own.
#[derive(Debug)]
struct Proven {
    remote: Remote,
    at: Instant,
    /// The other shard at which its datagrams land, and when that was told whose they are.
    landed: Option<ShardIndex>,
    confirmed: Option<Instant>,
}

impl Proven {
    /// True when the shard at which it lands has to be told.
    fn again(&mut self, now: Instant, landed: Option<ShardIndex>) -> bool {
        self.at = now;
        if std::mem::replace(&mut self.landed, landed) != landed {
            self.confirmed = None;
        }
        let rests = |then| now.saturating_duration_since(then) < CONFIRMED_EVERY;
        let is_due = landed.is_some() && !self.confirmed.is_some_and(rests);
        if is_due {
            self.confirmed = Some(now);
        }
        is_due
    }
}

impl Demux {
    pub fn by_address(&self, transport: Transport, source: SocketAddr) -> Option<PeerId> {
        self.by_address.get(&(transport, source)).copied()
    }

    pub fn claimed(&self, now: Instant, ufrag: &str) -> Option<Claim<'_>> {
        let peer = *self.by_ufrag.get(ufrag)?;
        let known = self.known.get(&peer)?;
        if known.current.ufrag == ufrag {
            return Some(Claim {
                peer,
                password: &known.current.password,
                is_former: false,
            });
        }
        let (former, until) = known.former.as_ref()?;
        (former.ufrag == ufrag && now < *until).then_some(Claim {
            peer,
            password: &former.password,
            is_former: true,
        })
    }

    /// What this peer's STUN messages name from now on; for a moment, they may still name what they did before.
    pub fn set_credentials(&mut self, now: Instant, peer: PeerId, credentials: Credentials) {
        let known = self.known.entry(peer).or_default();
        if known.current == credentials {
            return;
        }
        self.by_ufrag.insert(credentials.ufrag.clone(), peer);
        let before = std::mem::replace(&mut known.current, credentials);
        if let Some((oldest, _)) = known.former.replace((before, now + FORMER_LIFE)) {
            self.by_ufrag.remove(&oldest.ufrag);
        }
    }

    /// Only for an address from which the peer sent STUN with the right password. `landed`: the other shard where that
    /// came. True when it has to be told that what comes from there is ours.
    pub fn prove(
        &mut self,
        now: Instant,
        peer: PeerId,
        remote: Remote,
        landed: Option<ShardIndex>,
    ) -> bool {
        let before = self.by_address.insert(remote, peer);
        let known = self.known.entry(peer).or_default();
        if before == Some(peer) {
            let mut own = known.addresses.iter_mut();
            let own = own.find(|own| own.remote == remote);
            return own.is_some_and(|own| own.again(now, landed));
        }
        let mut proven = Proven {
            remote,
            at: now,
            landed,
            confirmed: None,
        };
        let is_news = proven.again(now, landed);
        known.addresses.push_back(proven);
        if known.addresses.len() > ADDRESSES_PER_PEER
            && let Some(oldest) = known.addresses.pop_front()
        {
            self.by_address.remove(&oldest.remote);
            self.lost.extend(oldest.landed.zip(Some(oldest.remote)));
        }
        if let Some(known) = before.and_then(|other| self.known.get_mut(&other)) {
            known.addresses.retain(|proven| proven.remote != remote);
        }
        is_news
    }

    /// The peer is sent what it gets there: it is the last of its addresses to be forgotten for others.
    pub fn uses(&mut self, peer: PeerId, remote: Remote) {
        let Some(known) = self.known.get_mut(&peer) else {
            return;
        };
        let own = known.addresses.iter().position(|own| own.remote == remote);
        let own = own.and_then(|at| known.addresses.remove(at));
        known.addresses.extend(own);
    }

    /// The addresses of our peers whose datagrams land at this other shard.
    pub fn landed_at(&self, shard: ShardIndex) -> Vec<Remote> {
        let proven = self.known.values().flat_map(|known| &known.addresses);
        proven
            .filter(|proven| proven.landed == Some(shard))
            .map(|proven| proven.remote)
            .collect()
    }

    /// Addresses that are nobody's any more, with the shards that were told whose they are.
    pub fn take_lost(&mut self) -> Vec<(ShardIndex, Remote)> {
        std::mem::take(&mut self.lost)
    }

    /// Forgets credentials and addresses whose time is over.
    pub fn age(&mut self, now: Instant) {
        for known in self.known.values_mut() {
            if known
                .former
                .as_ref()
                .is_some_and(|(_, until)| *until <= now)
                && let Some((former, _)) = known.former.take()
            {
                self.by_ufrag.remove(&former.ufrag);
            }
            known.addresses.retain(|proven| {
                let lives = now.saturating_duration_since(proven.at) < ADDRESS_LIFE;
                if !lives {
                    self.by_address.remove(&proven.remote);
                    self.lost.extend(proven.landed.zip(Some(proven.remote)));
                }
                lives
            });
        }
    }

    pub fn remove(&mut self, peer: PeerId) {
        let Some(known) = self.known.remove(&peer) else {
            return;
        };
        self.by_ufrag.remove(&known.current.ufrag);
        if let Some((former, _)) = known.former {
            self.by_ufrag.remove(&former.ufrag);
        }
        for proven in known.addresses {
            self.by_address.remove(&proven.remote);
            self.lost.extend(proven.landed.zip(Some(proven.remote)));
        }
    }

    pub fn addresses(&self) -> usize {
        self.by_address.len()
    }

    pub fn ufrags(&self) -> usize {
        self.by_ufrag.len()
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests need one arbitrary instant to count from"
)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn credentials(name: &str) -> Credentials {
        Credentials {
            ufrag: name.to_owned(),
            password: format!("the password of {name}"),
        }
    }

    #[test]
    fn an_address_belongs_to_the_last_who_proved_it_and_goes_with_them() {
        let now = Instant::now();
        let (a, b) = (PeerId(1), PeerId(2));
        let mut demux = Demux::default();
        demux.set_credentials(now, a, credentials("aaaa"));
        demux.set_credentials(now, b, credentials("bbbb"));
        demux.prove(now, a, (Transport::Udp, address(1)), None);
        assert_eq!(demux.by_address(Transport::Udp, address(1)), Some(a));
        assert_eq!(demux.by_address(Transport::Tcp, address(1)), None);
        demux.prove(now, b, (Transport::Udp, address(1)), None);
        demux.remove(a);
        assert_eq!(demux.by_address(Transport::Udp, address(1)), Some(b));
        assert_eq!(demux.claimed(now, "aaaa"), None);
        demux.remove(b);
        assert_eq!(
            (demux.addresses(), demux.ufrags(), demux.known.len()),
            (0, 0, 0)
        );
    }

    #[test]
    fn a_peer_keeps_few_addresses_and_two_sets_of_credentials() {
        let now = Instant::now();
        let mut demux = Demux::default();
        for port in 1..100 {
            demux.set_credentials(now, PeerId(1), credentials(&format!("frag{port}")));
            demux.prove(now, PeerId(1), (Transport::Udp, address(port)), None);
        }
        assert_eq!((demux.addresses(), demux.ufrags()), (ADDRESSES_PER_PEER, 2));
        assert_eq!(
            demux.by_address(Transport::Udp, address(99)),
            Some(PeerId(1))
        );
    }

    #[test]
    fn former_credentials_are_good_for_three_seconds_after_a_restart() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut demux = Demux::default();
        demux.set_credentials(at(0), PeerId(1), credentials("old"));
        assert!(!demux.claimed(at(0), "old").unwrap().is_former);
        // More slots are no restart.
        demux.set_credentials(at(1_000), PeerId(1), credentials("old"));
        demux.set_credentials(at(5_000), PeerId(1), credentials("new"));
        let old = demux.claimed(at(7_999), "old").unwrap();
        assert_eq!((old.password, old.is_former), ("the password of old", true));
        assert!(!demux.claimed(at(7_999), "new").unwrap().is_former);
        assert_eq!(demux.claimed(at(8_000), "old"), None);
        assert_eq!(demux.ufrags(), 2);
        demux.age(at(8_000));
        assert_eq!(demux.ufrags(), 1);
    }

    #[test]
    fn an_address_from_which_nothing_is_proven_any_more_is_forgotten() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut demux = Demux::default();
        demux.prove(at(0), PeerId(1), (Transport::Udp, address(1)), None);
        demux.prove(at(0), PeerId(1), (Transport::Udp, address(2)), None);
        demux.prove(at(20), PeerId(1), (Transport::Udp, address(2)), None);
        demux.age(at(29));
        assert_eq!(demux.addresses(), 2);
        demux.age(at(30));
        assert_eq!(demux.by_address(Transport::Udp, address(1)), None);
        assert_eq!(
            demux.by_address(Transport::Udp, address(2)),
            Some(PeerId(1))
        );
    }

    #[test]
    fn the_shard_where_an_address_lands_is_told_now_and_then_and_when_it_is_over() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let (one, two) = (Some(ShardIndex(1)), Some(ShardIndex(2)));
        let remote = |port| (Transport::Udp, address(port));
        let mut demux = Demux::default();
        assert!(demux.prove(at(0), PeerId(1), remote(1), one));
        assert!(!demux.prove(at(0), PeerId(1), remote(2), None));
        // However often its client checks.
        assert!(!demux.prove(at(4), PeerId(1), remote(1), one));
        assert!(demux.prove(at(5), PeerId(1), remote(1), one));
        assert!(demux.prove(at(6), PeerId(1), remote(1), two));
        assert!(!demux.prove(at(7), PeerId(1), remote(1), None));
        assert!(demux.prove(at(8), PeerId(1), remote(1), two));
        assert_eq!(demux.take_lost(), []);
        demux.age(at(40));
        assert_eq!(demux.take_lost(), [(ShardIndex(2), remote(1))]);
        // From one peer to another it stays with this shard.
        demux.prove(at(41), PeerId(1), remote(1), one);
        assert!(demux.prove(at(41), PeerId(2), remote(1), one));
        demux.remove(PeerId(1));
        assert_eq!(demux.take_lost(), []);
        demux.remove(PeerId(2));
        assert_eq!(demux.take_lost(), [(ShardIndex(1), remote(1))]);
        for port in 0..20 {
            demux.prove(at(42), PeerId(3), remote(port), one);
        }
        assert_eq!(demux.take_lost().len(), 20 - ADDRESSES_PER_PEER);
    }
}
