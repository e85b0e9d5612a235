//! Whose datagram is it: by the remote address, once the peer behind it has proven by STUN that it knows our ICE
//! password, and by the user name of such a STUN message before. Addresses and fragments go with their peer.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use crate::api::{PeerId, Transport};

/// A client on the move proves new addresses; the oldest are forgotten.
const ADDRESSES_PER_PEER: usize = 8;

type Remote = (Transport, SocketAddr);

#[derive(Debug, Default)]
pub(crate) struct Demux {
    by_address: HashMap<Remote, PeerId>,
    by_ufrag: HashMap<String, PeerId>,
    known: HashMap<PeerId, Known>,
}

#[derive(Debug, Default)]
struct Known {
    addresses: VecDeque<Remote>,
    ufrag: String,
}

impl Demux {
    pub fn by_address(&self, transport: Transport, source: SocketAddr) -> Option<PeerId> {
        self.by_address.get(&(transport, source)).copied()
    }

    pub fn by_ufrag(&self, ufrag: &str) -> Option<PeerId> {
        self.by_ufrag.get(ufrag).copied()
    }

    /// The local fragment that this peer's STUN messages name from now on.
    pub fn set_ufrag(&mut self, peer: PeerId, ufrag: String) {
        let known = self.known.entry(peer).or_default();
        self.by_ufrag.remove(&known.ufrag);
        known.ufrag.clone_from(&ufrag);
        self.by_ufrag.insert(ufrag, peer);
    }

    /// Only for an address from which the peer sent STUN with the right password.
    pub fn prove(&mut self, peer: PeerId, transport: Transport, source: SocketAddr) {
        let remote = (transport, source);
        let before = self.by_address.insert(remote, peer);
        if before == Some(peer) {
            return;
        }
        if let Some(known) = before.and_then(|other| self.known.get_mut(&other)) {
            known.addresses.retain(|address| *address != remote);
        }
        let known = self.known.entry(peer).or_default();
        known.addresses.push_back(remote);
        if known.addresses.len() > ADDRESSES_PER_PEER
            && let Some(oldest) = known.addresses.pop_front()
        {
            self.by_address.remove(&oldest);
        }
    }

    pub fn remove(&mut self, peer: PeerId) {
        if let Some(known) = self.known.remove(&peer) {
            self.by_ufrag.remove(&known.ufrag);
            for address in known.addresses {
                self.by_address.remove(&address);
            }
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
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[test]
    fn an_address_belongs_to_the_last_who_proved_it_and_goes_with_them() {
        let (a, b) = (PeerId(1), PeerId(2));
        let mut demux = Demux::default();
        demux.set_ufrag(a, "aaaa".into());
        demux.set_ufrag(b, "bbbb".into());
        demux.prove(a, Transport::Udp, address(1));
        assert_eq!(demux.by_address(Transport::Udp, address(1)), Some(a));
        assert_eq!(demux.by_address(Transport::Tcp, address(1)), None);
        demux.prove(b, Transport::Udp, address(1));
        demux.remove(a);
        assert_eq!(demux.by_address(Transport::Udp, address(1)), Some(b));
        assert_eq!(demux.by_ufrag("aaaa"), None);
        demux.remove(b);
        assert_eq!(
            (demux.addresses(), demux.ufrags(), demux.known.len()),
            (0, 0, 0)
        );
    }

    #[test]
    fn a_peer_keeps_few_addresses_and_one_fragment() {
        let mut demux = Demux::default();
        for port in 1..100 {
            demux.set_ufrag(PeerId(1), format!("frag{port}"));
            demux.prove(PeerId(1), Transport::Udp, address(port));
        }
        assert_eq!((demux.addresses(), demux.ufrags()), (ADDRESSES_PER_PEER, 1));
        assert_eq!(
            demux.by_address(Transport::Udp, address(99)),
            Some(PeerId(1))
        );
    }
}
