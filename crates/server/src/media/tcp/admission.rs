//! How many TCP connections there may be: of all, and of one address. Where it gets crowded, who has proved nothing yet makes
//! room, the oldest first. And only one at a time for each address and port: whose something is goes by these, and people
//! behind one translated address can make them meet at two ports of ours.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use identity::throttle::Network;
use tokio::sync::oneshot;

/// Each is a file and some ten kilobytes.
const MOST: usize = 4_096;
/// From here on each newcomer takes the place of one; what is left is for as long as those take to go.
const CROWDED: usize = MOST - 256;
/// A company behind one address: each of its people opens one to each address of ours, for a moment even where UDP works.
const MOST_OF_ONE: usize = 256;

#[derive(Debug, Default)]
pub struct Admission {
    inside: usize,
    by_source: HashMap<Network, usize>,
    by_remote: HashMap<SocketAddr, Held>,
    entered: u64,
    /// By their numbers, and so by age. Told when they have to go.
    unproved: BTreeMap<u64, oneshot::Sender<()>>,
}

/// One that entered.
#[derive(Debug)]
pub struct Entered {
    pub number: u64,
    /// Says when it has to make room, and nothing once it has proved itself.
    pub displaced: oneshot::Receiver<()>,
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

    /// `None` if there are too many, or one that it would be taken for.
    pub fn enter(&mut self, remote: SocketAddr, local: SocketAddr) -> Option<Entered> {
        let network = Network::from(remote.ip());
        let of_source = self.by_source.get(&network).copied().unwrap_or(0);
        let held = self.by_remote.get(&remote);
        let is_taken = held.is_some_and(|held| held.local != local);
        if self.inside >= MOST || of_source >= MOST_OF_ONE || is_taken {
            return None;
        }
        if self.inside >= CROWDED
            && let Some((_, oldest)) = self.unproved.pop_first()
        {
            // Nobody listens where it is about to go anyway.
            let _ = oldest.send(());
        }
        self.inside += 1;
        self.by_source.insert(network, of_source + 1);
        let connections = held.map_or(0, |held| held.connections) + 1;
        self.by_remote.insert(remote, Held { local, connections });
        self.entered += 1;
        let (displace, displaced) = oneshot::channel();
        self.unproved.insert(self.entered, displace);
        Some(Entered {
            number: self.entered,
            displaced,
        })
    }

    /// That it belongs to somebody who is in a meeting.
    pub fn prove(&mut self, number: u64) {
        self.unproved.remove(&number);
    }

    /// For each that entered, once.
    pub fn leave(&mut self, number: u64, remote: SocketAddr) {
        self.unproved.remove(&number);
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
        let mut inside = vec![];
        for customer in 0..20 {
            inside.extend((0..300).filter_map(|address| {
                let remote = v6(customer, address);
                let entered = admission.enter(remote, port(443))?;
                Some((entered.number, remote))
            }));
            let most = (usize::from(customer + 1) * MOST_OF_ONE).min(MOST);
            assert_eq!(inside.len(), most);
        }
        assert_eq!(admission.inside(), MOST);
        let (number, remote) = inside.remove(9);
        admission.leave(number, remote);
        let one_more = admission.enter(v6(1, 300), port(443));
        assert!(one_more.is_none(), "as many as it may");
        let one_more = admission.enter(v6(0, 300), port(443)).expect("room");
        inside.push((one_more.number, v6(0, 300)));
        for (number, remote) in inside {
            admission.leave(number, remote);
        }
        assert_eq!((admission.inside(), admission.by_source.len()), (0, 0));
        assert!(admission.by_remote.is_empty() && admission.unproved.is_empty());
    }

    #[test]
    fn where_it_is_crowded_the_oldest_that_proved_nothing_makes_room() {
        let mut admission = Admission::default();
        let mut enter = |address| {
            let remote = v6(address / 200, address % 200);
            let entered = admission.enter(remote, port(443)).expect("room");
            if address % 2 == 0 {
                admission.prove(entered.number);
            }
            (remote, entered)
        };
        let mut inside: Vec<_> = (0..CROWDED as u16).map(&mut enter).collect();
        let newcomers: Vec<_> = (0..3).map(|more| enter(CROWDED as u16 + more)).collect();
        inside.extend(newcomers);
        for (index, (remote, entered)) in inside.iter_mut().enumerate() {
            let is_told = entered.displaced.try_recv().is_ok();
            assert_eq!(is_told, [1, 3, 5].contains(&index), "{index}");
            if is_told {
                admission.leave(entered.number, *remote);
            }
        }
        assert_eq!(admission.inside(), CROWDED);
    }

    #[test]
    fn two_connections_are_never_taken_for_each_other() {
        let mut admission = Admission::default();
        let remote = v6(1, 1);
        let first = admission.enter(remote, port(443)).expect("room");
        assert!(admission.enter(remote, port(10_000)).is_none());
        // The one before is over, and that is not noticed yet.
        let second = admission.enter(remote, port(443)).expect("room");
        admission.leave(first.number, remote);
        assert!(admission.enter(remote, port(10_000)).is_none());
        admission.leave(second.number, remote);
        assert!(admission.enter(remote, port(10_000)).is_some());
    }
}
