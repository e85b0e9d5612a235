//! The shard's end of TCP: takes in what connections have brought, without ever waiting for them, and gives each what is for
//! its peer. A connection whose outlet is dropped here is closed.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use ::media::{Datagram, Transmit, Transport, frames, put_frame};
use tokio::sync::mpsc;

use super::Counts;

/// Arrivals that may wait for a shard; then connections are read from no further.
pub const INBOX: usize = 256;
const ARRIVALS_PER_TURN: usize = 64;
/// What may wait for one connection: of pieces, and of bytes in them.
pub const OUTBOX: usize = 512;
pub const OUTBOX_BYTES: usize = 512 * 1024;

/// What a connection tells its shard.
pub enum Arrival {
    Opened {
        remote: SocketAddr,
        outlet: Outlet,
    },
    Frames {
        remote: SocketAddr,
        /// What the client was told to connect to.
        destination: SocketAddr,
        /// Whole ones.
        bytes: Vec<u8>,
    },
}

/// Frames on their way to a client.
pub struct Piece {
    pub bytes: Vec<u8>,
    pub datagrams: usize,
    pub since: Instant,
}

/// Where what is for one connection goes in. Opened by the answer to a connectivity check: whatever else is for its address
/// may be meant for whoever had that before.
pub struct Outlet {
    is_answered: bool,
    queue: mpsc::Sender<Piece>,
    waiting: Arc<AtomicUsize>,
    counts: Arc<Counts>,
}

impl Outlet {
    /// With the other end, and what counts the bytes that wait in it.
    pub fn new(counts: Arc<Counts>) -> (Self, mpsc::Receiver<Piece>, Arc<AtomicUsize>) {
        let (queue, pieces) = mpsc::channel(OUTBOX);
        let waiting = Arc::new(AtomicUsize::new(0));
        let outlet = Self {
            is_answered: false,
            queue,
            waiting: waiting.clone(),
            counts,
        };
        (outlet, pieces, waiting)
    }

    /// Takes all of a run or nothing.
    fn send(&mut self, now: Instant, run: &Transmit<'_>) {
        self.is_answered |= run.datagrams().any(is_answer);
        if !self.is_answered {
            return;
        }
        let mut bytes = Vec::with_capacity(run.bytes.len() + 2 * run.datagrams().len());
        run.datagrams()
            .for_each(|datagram| put_frame(datagram, &mut bytes));
        let (size, datagrams) = (bytes.len(), run.datagrams().len());
        let piece = Piece {
            bytes,
            datagrams,
            since: now,
        };
        let has_room = self.waiting.load(Ordering::Relaxed) + size <= OUTBOX_BYTES;
        // Counted before the other end can take it off again.
        self.waiting.fetch_add(size, Ordering::Relaxed);
        if !has_room || self.queue.try_send(piece).is_err() {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
            let dropped = &self.counts.dropped;
            dropped.fetch_add(datagrams as u64, Ordering::Relaxed);
        }
    }
}

/// All of one shard.
pub struct Connections {
    inbox: mpsc::Receiver<Arrival>,
    outlets: HashMap<SocketAddr, Outlet>,
}

impl Connections {
    pub fn new(inbox: mpsc::Receiver<Arrival>) -> Self {
        Self {
            inbox,
            outlets: HashMap::new(),
        }
    }

    /// Gives each datagram that has come. True when there may be more.
    pub fn take(&mut self, mut each: impl FnMut(Datagram<'_>)) -> bool {
        for _ in 0..ARRIVALS_PER_TURN {
            match self.inbox.try_recv() {
                // The newest connection from an address is the one that lives.
                Ok(Arrival::Opened { remote, outlet }) => drop(self.outlets.insert(remote, outlet)),
                Ok(Arrival::Frames {
                    remote,
                    destination,
                    bytes,
                }) => {
                    for bytes in frames(&bytes) {
                        each(Datagram {
                            transport: Transport::Tcp,
                            source: remote,
                            destination,
                            bytes,
                        });
                    }
                }
                Err(_) => return false,
            }
        }
        true
    }

    /// Passes on what goes over TCP. What has no connection any more is nobody's.
    pub fn send<'a>(&mut self, now: Instant, runs: impl Iterator<Item = Transmit<'a>>) {
        if self.outlets.is_empty() {
            return;
        }
        for run in runs.filter(|run| run.transport == Transport::Tcp) {
            if let Some(outlet) = self.outlets.get_mut(&run.destination) {
                outlet.send(now, &run);
            }
        }
    }

    /// Lets go of those that have ended.
    pub fn tidy(&mut self) {
        self.outlets.retain(|_, outlet| !outlet.queue.is_closed());
    }

    #[cfg(test)]
    pub fn open(&self) -> usize {
        self.outlets.len()
    }

    pub fn close_all(&mut self) {
        self.outlets.clear();
    }
}

/// That a connectivity check was authentic (RFC 8489, section 5: a success response).
fn is_answer(datagram: &[u8]) -> bool {
    datagram.starts_with(&[1, 1])
}
