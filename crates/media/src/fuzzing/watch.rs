//! What leaves towards clients, and what must hold of it whoever sends: it goes to an address that somebody proved, and no
//! number of a stream is sealed twice or leaps so far that receivers lose count.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;

#[derive(Default)]
pub(crate) struct Watch {
    /// Addresses from which somebody showed the right password.
    proven: BTreeSet<SocketAddr>,
    sealed: BTreeSet<(SocketAddr, u32, u64)>,
    newest: HashMap<(SocketAddr, u32), u64>,
}

impl Watch {
    pub fn proves(&mut self, address: SocketAddr) {
        self.proven.insert(address);
    }

    /// Whom which number of which stream went to. Those of RTCP are beyond all of RTP.
    #[cfg(test)]
    pub fn sealed(&self) -> impl Iterator<Item = &(SocketAddr, u32, u64)> {
        self.sealed.iter()
    }

    /// Gives the transport-wide number, if the datagram has one.
    pub fn sent(&mut self, to: SocketAddr, datagram: &[u8]) -> Option<u16> {
        assert!(self.proven.contains(&to), "{to} has proven nothing");
        let [first, second, ..] = datagram.first_chunk::<12>()?;
        if !(128..192).contains(first) {
            return None;
        }
        let word = |at: usize| {
            let bytes = datagram.get(at..).and_then(<[u8]>::first_chunk);
            u32::from_be_bytes(*bytes.expect("a header"))
        };
        // The padding that is sealed twice would show as much as a picture.
        let (ssrc, number) = if (192..224).contains(second) {
            (word(4), u64::from(word(datagram.len() - 4)) | 1 << 63)
        } else {
            let ssrc = word(8);
            (ssrc, self.extended(to, ssrc, word(0) as u16))
        };
        let once = self.sealed.insert((to, ssrc, number));
        assert!(once, "{to}: number {number:#x} of {ssrc} was sealed twice");
        // The first element of the extension.
        let is_numbered = *first & 0x10 != 0 && datagram.get(16).is_some_and(|id| *id == 0x31);
        is_numbered.then(|| (word(16) >> 8) as u16)
    }

    fn extended(&mut self, to: SocketAddr, ssrc: u32, sequence: u16) -> u64 {
        let newest = self.newest.entry((to, ssrc)).or_insert(u64::from(sequence));
        let ahead = sequence.wrapping_sub(*newest as u16).cast_signed();
        let number = newest.wrapping_add_signed(i64::from(ahead));
        assert!(
            ahead < 1 << 14,
            "{to}: who misses some loses count of {ssrc}"
        );
        assert!(
            number < 1 << 48,
            "{to}: nothing can follow {number} of {ssrc}"
        );
        *newest = number.max(*newest);
        number
    }
}
