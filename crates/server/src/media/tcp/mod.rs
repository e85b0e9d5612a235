//! Media over TCP, for networks that let no UDP through: clients connect to the media port's number or, where this server
//! speaks TLS itself, to that of HTTPS, and send datagrams in frames. A connection belongs to the shard that its first frame
//! names. What comes goes there over a bounded queue, and what that has to say goes back over another one.
//!
//! Judges shapes and numbers only: whose a datagram is, is found out in `media` as with UDP. Runs on tokio, since nothing here
//! is worth a media thread's time.

mod admission;
mod beside_tls;
mod connection;
mod shard;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::sys::{self, Waker};
use admission::Admission;
pub use beside_tls::BesideTls;
use connection::End;
pub use shard::Connections;
use shard::{Arrival, INBOX};

/// After the system refused to give a connection out: there are too many files.
const REST: Duration = Duration::from_millis(100);

/// What the kernel takes beyond what it has sent already.
const UNSENT_BYTES: u32 = 16 * 1024;

/// Where connections come in. Cheap to clone.
#[derive(Clone)]
pub struct Front(Arc<Inner>);

struct Inner {
    listeners: Vec<TcpListener>,
    doors: Vec<Door>,
    admission: Mutex<Admission>,
    counts: Arc<Counts>,
}

/// The way to one shard.
struct Door {
    inbox: mpsc::Sender<Arrival>,
    waker: Arc<Waker>,
}

/// Since the start.
#[derive(Debug, Default)]
pub struct Counts {
    accepted: AtomicU64,
    /// Connections that were closed because there were too many, or because of what came over them.
    refused: AtomicU64,
    /// Datagrams that came too late to be worth anything, or found no room.
    dropped: AtomicU64,
}

/// How many connections there are, and what was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    pub open: usize,
    pub accepted: u64,
    pub refused: u64,
    pub dropped: u64,
}

impl Front {
    /// With the shards' ends of it.
    pub fn new(listeners: Vec<TcpListener>, wakers: &[Arc<Waker>]) -> (Self, Vec<Connections>) {
        let counts = Arc::new(Counts::default());
        let ends = wakers.iter().map(|waker| {
            let (inbox, taken) = mpsc::channel(INBOX);
            let waker = waker.clone();
            (Door { inbox, waker }, Connections::new(taken))
        });
        let (doors, connections) = ends.unzip();
        let admission = Mutex::default();
        let front = Self(Arc::new(Inner {
            listeners,
            doors,
            admission,
            counts,
        }));
        (front, connections)
    }

    /// Begins to take connections in. To be called once, on a runtime.
    pub fn listen(&self) -> io::Result<Vec<JoinHandle<()>>> {
        let listeners = self.0.listeners.iter();
        listeners
            .map(|listener| {
                let listener = listener.try_clone()?;
                listener.set_nonblocking(true)?;
                let port = listener.local_addr()?.port();
                let listener = tokio::net::TcpListener::from_std(listener)?;
                Ok(tokio::spawn(self.clone().accept(listener, port)))
            })
            .collect()
    }

    /// Where it listens.
    #[cfg(test)]
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.listeners.iter().flat_map(TcpListener::local_addr)
    }

    async fn accept(self, listener: tokio::net::TcpListener, port: u16) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.take(stream, port),
                Err(error) => {
                    tracing::debug!(%error, "a TCP connection for media could not be accepted");
                    sleep(REST).await;
                }
            }
        }
    }

    /// Serves a connection that nothing was read from yet. `port`: what clients were told to connect to.
    pub fn take(&self, stream: TcpStream, port: u16) {
        let Ok((remote, local)) = prepare(&stream) else {
            return;
        };
        let Some((place, displaced)) = self.admit(remote, local) else {
            self.0.counts.refused.fetch_add(1, Ordering::Relaxed);
            return;
        };
        self.0.counts.accepted.fetch_add(1, Ordering::Relaxed);
        let local = SocketAddr::new(local.ip(), port);
        tokio::spawn(async move {
            let end = tokio::select! {
                end = connection::serve(&place, &stream, local) => end,
                Ok(()) = displaced => Err(End::Displaced),
            };
            if let Err(end) = end {
                tracing::debug!(%end, "a TCP connection for media was closed");
                if end.is_refusal() {
                    let counts = &place.front.0.counts;
                    counts.refused.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }

    /// With what tells that the place has to be left.
    fn admit(
        &self,
        remote: SocketAddr,
        local: SocketAddr,
    ) -> Option<(Place, oneshot::Receiver<()>)> {
        let entered = self.admission().enter(remote, local)?;
        let place = Place {
            front: self.clone(),
            number: entered.number,
            remote,
        };
        Some((place, entered.displaced))
    }

    fn admission(&self) -> MutexGuard<'_, Admission> {
        let admission = self.0.admission.lock();
        admission.unwrap_or_else(PoisonError::into_inner)
    }

    pub fn numbers(&self) -> Numbers {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Numbers {
            open: self.admission().inside(),
            accepted: count(&self.0.counts.accepted),
            refused: count(&self.0.counts.refused),
            dropped: count(&self.0.counts.dropped),
        }
    }
}

/// Nothing waits in the kernel, so that what is late can be left out. Gives the addresses of both ends.
fn prepare(stream: &TcpStream) -> io::Result<(SocketAddr, SocketAddr)> {
    stream.set_nodelay(true)?;
    sys::limit_unsent(stream, UNSENT_BYTES)?;
    let plain = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    Ok((plain(stream.peer_addr()?), plain(stream.local_addr()?)))
}

/// Among the connections that there may be. Given back when it goes, however its connection ends.
struct Place {
    front: Front,
    number: u64,
    remote: SocketAddr,
}

impl Place {
    /// From now on nobody takes it.
    fn prove(&self) {
        self.front.admission().prove(self.number);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.front.admission().leave(self.number, self.remote);
    }
}
