//! The media plane's shell: one thread that owns the UDP sockets and drives the sans-IO core of the `media` crate.
//!
//! Everybody else sees a handle that takes commands and a receiver that gives events. Nothing here decides anything
//! about people or media, and nothing on this path uses tokio except the channels that lead out.

mod send;
mod shard;
mod socket;
mod sys;
#[cfg(test)]
mod tests;

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use ::media::{Certificate, Command, Config, Event, IngressLimit, Sfu, Stats};
use anyhow::{Context, bail, ensure};
use tokio::sync::{mpsc, watch};

use shard::Shard;
use socket::Socket;
use sys::Waker;

/// Commands that may wait for the media thread, and events that may wait for the rooms.
const COMMAND_QUEUE: usize = 4096;
const EVENT_QUEUE: usize = 1024;

/// What the media plane has to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// UDP, for everybody. 0 takes any free one.
    pub port: u16,
    /// Where browsers are told to send media to, most preferred first.
    pub addresses: Vec<IpAddr>,
    /// How many microphones of a meeting are heard at a time.
    pub loudest: u8,
    pub certificate: Certificate,
}

/// Events of all meetings, in order; each names its group.
pub type Events = mpsc::Receiver<Event>;

/// Where commands to the media thread go in. Cheap to clone; the thread ends with the last one.
#[derive(Clone)]
pub struct MediaHandle {
    commands: SyncSender<Command>,
    /// Dropped after `commands`, so that the thread sees that nobody is left.
    waker: Arc<WakeOnDrop>,
    stats: watch::Receiver<Stats>,
}

struct WakeOnDrop(Arc<Waker>);

impl Drop for WakeOnDrop {
    fn drop(&mut self) {
        self.0.wake();
    }
}

/// The media thread is gone, or so far behind that its queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the media thread takes no commands at the moment")]
pub struct MediaUnavailable;

impl MediaHandle {
    /// Never blocks. Commands are carried out in the order of their sending.
    pub fn send(&self, command: Command) -> Result<(), MediaUnavailable> {
        match self.commands.try_send(command) {
            Ok(()) => {
                self.waker.0.wake();
                Ok(())
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(MediaUnavailable),
        }
    }

    /// At most a second old.
    pub fn stats(&self) -> Stats {
        *self.stats.borrow()
    }

    /// A handle without a thread behind it, and what was sent into it.
    #[cfg(test)]
    pub fn detached() -> (Self, std::sync::mpsc::Receiver<Command>) {
        let (commands, sent) = sync_channel(COMMAND_QUEUE);
        let waker = Arc::new(WakeOnDrop(Arc::new(Waker::new().expect("an eventfd"))));
        let (_, stats) = watch::channel(Stats::default());
        (
            Self {
                commands,
                waker,
                stats,
            },
            sent,
        )
    }
}

/// Binds the port and starts the thread `media-0`. It ends when all handles are gone; join it for an orderly stop.
pub fn start(settings: Settings) -> anyhow::Result<(MediaHandle, Events, JoinHandle<()>)> {
    let sockets = bind(&settings)?;
    let port = sockets.first().map_or(settings.port, Socket::port);
    let config = Config {
        candidates: settings
            .addresses
            .iter()
            .map(|address| SocketAddr::new(*address, port))
            .collect(),
        certificate: settings.certificate,
        ingress: IngressLimit::default(),
        loudest: usize::from(settings.loudest),
    };
    let sfu = Sfu::new(config.clone(), Instant::now());
    ensure!(sfu.warm_up(), "the media's certificate cannot be used");
    let (commands, taken) = sync_channel(COMMAND_QUEUE);
    let (given, events) = mpsc::channel(EVENT_QUEUE);
    let (counted, stats) = watch::channel(Stats::default());
    let waker = Arc::new(Waker::new().context("the media thread cannot be woken")?);
    let shard = Shard::new(config, sfu, sockets, taken, waker.clone(), given, counted);
    let thread = std::thread::Builder::new()
        .name("media-0".to_owned())
        .spawn(move || shard.run())
        .context("the media thread cannot be started")?;
    let handle = MediaHandle {
        commands,
        waker: Arc::new(WakeOnDrop(waker)),
        stats,
    };
    Ok((handle, events, thread))
}

/// One socket per address family that browsers are told about, on the same port.
fn bind(settings: &Settings) -> anyhow::Result<Vec<Socket>> {
    let mut port = settings.port;
    let mut sockets: Vec<Socket> = vec![];
    let families = [
        (
            IpAddr::from(Ipv4Addr::UNSPECIFIED),
            settings.addresses.iter().any(IpAddr::is_ipv4),
        ),
        (
            IpAddr::from(Ipv6Addr::UNSPECIFIED),
            settings.addresses.iter().any(IpAddr::is_ipv6),
        ),
    ];
    for (wildcard, _) in families.into_iter().filter(|(_, wanted)| *wanted) {
        match Socket::bind(SocketAddr::new(wildcard, port)) {
            Ok(socket) => {
                port = socket.port();
                sockets.push(socket);
            }
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                bail!(
                    "UDP port {port} is taken by another program: stop that, or set media.port to another port"
                )
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("UDP port {port} (media.port) cannot be used"));
            }
        }
    }
    ensure!(
        !sockets.is_empty(),
        "media.addresses is empty: there is no address that browsers could send media to"
    );
    Ok(sockets)
}
