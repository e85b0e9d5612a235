//! How many TCP connections there may be: of all, and of one address. And only one at a time for each address and port: whose
//! something is goes by these, and people behind one translated address can make them meet at two ports of ours.

use std::collections::HashMap;
use std::net::SocketAddr;

use identity::throttle::Network;

/// Each is a file and some ten kilobytes.
const MOST: usize = 4_096;
/// A company behind one address: each of its people opens one to each address of ours, for a moment even where UDP works.
const MOST_OF_ONE: usize = 256;

#[derive(Debug, Default)]
pub struct Admission {
    inside: usize,
    by_source: HashMap<Network, usize>,
    by_remote: HashMap<SocketAddr, Held>,
}

/// Connections from one address and port. With the same address of ours, all but the newest are over and about to go.
#[derive(Debug)]
struct Held {
    local: SocketAddr,
    connections: usize,
}

impl Admission {
    pub fn inside(&self) -> usize {
        self.inside
    }

    /// False if there are too many, or one that it would be taken for.
    pub fn enter(&mut self, remote: SocketAddr, local: SocketAddr) -> bool {
        let network = Network::from(remote.ip());
        let of_source = self.by_source.get(&network).copied().unwrap_or(0);
        let held = self.by_remote.get(&remote);
        let is_taken = held.is_some_and(|held| held.local != local);
        let may = self.inside < MOST && of_source < MOST_OF_ONE && !is_taken;
        if may {
            self.inside += 1;
            self.by_source.insert(network, of_source + 1);
            let connections = held.map_or(0, |held| held.connections) + 1;
            self.by_remote.insert(remote, Held { local, connections });
        }
        may
    }

    /// For each that entered, once.
    pub fn leave(&mut self, remote: SocketAddr) {
        self.inside -= 1;
        let network = Network::from(remote.ip());
        if let Some(of_source) = self.by_source.get_mut(&network) {
            *of_source -= 1;
            if *of_source == 0 {
                self.by_source.remove(&network);
            }
        }
        if let Some(held) = self.by_remote.get_mut(&remote) {
            held.connections -= 1;
            if held.connections == 0 {
                self.by_remote.remove(&remote);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    /// So many different customers, each with as many addresses as they like.
    fn v6(customer: u16, address: u16) -> SocketAddr {
        let ip = Ipv6Addr::new(0x2001, 0xdb8, 0, customer, 0, 0, 0, address);
        SocketAddr::from((ip, 1_000))
    }

    fn port(port: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    #[test]
    fn neither_one_address_nor_all_together_take_more_than_their_share() {
        let mut admission = Admission::default();
        let mut in_all = 0;
        for customer in 0..20 {
            let entered =
                (0..300).filter(|address| admission.enter(v6(customer, *address), port(443)));
            in_all += entered.count();
            assert_eq!(in_all, (usize::from(customer + 1) * MOST_OF_ONE).min(MOST));
        }
        assert_eq!(admission.inside(), MOST);
        admission.leave(v6(0, 9));
        assert!(!admission.enter(v6(1, 1), port(443)), "as many as it may");
        assert!(admission.enter(v6(0, 300), port(443)));
        for customer in 0..(MOST / MOST_OF_ONE) as u16 {
            (0..MOST_OF_ONE as u16).for_each(|address| match (customer, address) {
                (0, 9) => admission.leave(v6(0, 300)),
                _ => admission.leave(v6(customer, address)),
            });
        }
        assert_eq!((admission.inside(), admission.by_source.len()), (0, 0));
        assert!(admission.by_remote.is_empty());
    }

    #[test]
    fn two_connections_are_never_taken_for_each_other() {
        let mut admission = Admission::default();
        let remote = v6(1, 1);
        assert!(admission.enter(remote, port(443)));
        assert!(!admission.enter(remote, port(10_000)));
        // The one before is over, and that is not noticed yet.
        assert!(admission.enter(remote, port(443)));
        admission.leave(remote);
        assert!(!admission.enter(remote, port(10_000)));
        admission.leave(remote);
        assert!(admission.enter(remote, port(10_000)));
    }
}
