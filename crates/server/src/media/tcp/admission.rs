//! How many TCP connections there may be: of all, and of one address.

use std::collections::HashMap;
use std::net::IpAddr;

use identity::throttle::Network;

/// Each is a file and some ten kilobytes.
const MOST: usize = 4_096;
/// A company behind one address: each of its people opens one to each address of ours, for a moment even where UDP works.
const MOST_OF_ONE: usize = 256;

#[derive(Debug, Default)]
pub struct Admission {
    inside: usize,
    by_source: HashMap<Network, usize>,
}

impl Admission {
    pub fn inside(&self) -> usize {
        self.inside
    }

    /// False if there are too many.
    pub fn enter(&mut self, source: IpAddr) -> bool {
        let of_source = self.by_source.get(&source.into()).copied().unwrap_or(0);
        let may = self.inside < MOST && of_source < MOST_OF_ONE;
        if may {
            self.inside += 1;
            self.by_source.insert(source.into(), of_source + 1);
        }
        may
    }

    /// For each that entered, once.
    pub fn leave(&mut self, source: IpAddr) {
        self.inside -= 1;
        if let Some(of_source) = self.by_source.get_mut(&source.into()) {
            *of_source -= 1;
            if *of_source == 0 {
                self.by_source.remove(&source.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    /// So many different customers, each with as many addresses as they like.
    fn v6(customer: u16, address: u16) -> IpAddr {
        Ipv6Addr::new(0x2001, 0xdb8, 0, customer, 0, 0, 0, address).into()
    }

    #[test]
    fn neither_one_address_nor_all_together_take_more_than_their_share() {
        let mut admission = Admission::default();
        let mut in_all = 0;
        for customer in 0..20 {
            let entered = (0..300).filter(|address| admission.enter(v6(customer, *address)));
            in_all += entered.count();
            assert_eq!(in_all, (usize::from(customer + 1) * MOST_OF_ONE).min(MOST));
        }
        assert_eq!(admission.inside(), MOST);
        admission.leave(v6(0, 9));
        assert!(!admission.enter(v6(1, 1)), "as many as it may");
        assert!(admission.enter(v6(0, 1)));
        for customer in 0..(MOST / MOST_OF_ONE) as u16 {
            (0..MOST_OF_ONE).for_each(|_| admission.leave(v6(customer, 7)));
        }
        assert_eq!((admission.inside(), admission.by_source.len()), (0, 0));
    }
}
