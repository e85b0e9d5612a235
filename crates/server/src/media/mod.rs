//! The media plane's shell: threads that share one UDP port, each with its sockets and a sans-IO core of the `media` crate.
//!
//! Everybody else sees a handle that takes commands and a receiver that gives events. Nothing here decides anything
//! about people or media, and nothing on this path uses tokio except the channels that lead out.

mod fault;
mod lines;
mod send;
mod shard;
mod socket;
mod sys;
mod tcp;
#[cfg(test)]
mod tests;

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use ::media::{
    Certificate, Command, Config, Event, IngressLimit, Placement, Sfu, ShardIndex, Stats,
    VideoCodec,
};
use anyhow::{Context, bail, ensure};
use tokio::sync::{mpsc, watch};

use fault::Fault;
use lines::Lines;
pub use shard::Load;
use shard::{Shard, Wiring, places};
use socket::Socket;
use sys::Waker;
pub use tcp::{BesideTls, Front, Numbers};

/// Commands that may wait for a media thread, and events that may wait for the rooms.
const COMMAND_QUEUE: usize = 4096;
const EVENT_QUEUE: usize = 1024;
/// To find a port that is free for UDP and TCP, if any is good.
const TRIES: usize = 16;

/// What the media plane has to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// UDP, for everybody, and TCP with the same number. 0 takes any free one.
    pub port: u16,
    /// Where browsers are told to send media to, most preferred first.
    pub addresses: Vec<IpAddr>,
    /// Further addresses that browsers can connect to with TCP.
    pub also_tcp: Vec<SocketAddr>,
    /// What cameras send where sender and receivers can.
    pub video: VideoCodec,
    /// How many microphones of a meeting are heard at a time.
    pub loudest: u8,
    /// How many threads.
    pub shards: u8,
    /// So many people of one meeting are on one thread before it takes in another.
    pub spread: usize,
    pub certificate: Certificate,
}

/// Events of all meetings, in order; each names its group.
pub type Events = mpsc::Receiver<Event>;

/// Where commands to the media threads go in. Cheap to clone; the threads end with the last one.
#[derive(Clone)]
pub struct MediaHandle {
    shards: Arc<[Entrance]>,
    places: Arc<Mutex<Placement>>,
    front: Front,
}

/// Of one thread.
struct Entrance {
    commands: SyncSender<Command>,
    /// Dropped after `commands`, so that the thread sees that nobody is left.
    waker: WakeOnDrop,
    load: watch::Receiver<Load>,
    fault: Fault,
}

struct WakeOnDrop(Arc<Waker>);

impl Drop for WakeOnDrop {
    fn drop(&mut self) {
        self.0.wake();
    }
}

/// The threads, to be joined for an orderly stop.
pub struct Threads(Vec<JoinHandle<()>>);

impl Threads {
    pub fn join(self) -> std::thread::Result<()> {
        self.0.into_iter().try_for_each(JoinHandle::join)
    }
}

/// The media thread is gone, or so far behind that its queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the media thread takes no commands at the moment")]
pub struct MediaUnavailable;

impl MediaHandle {
    /// Never blocks. Commands about one peer are carried out in the order of their sending.
    pub fn send(&self, mut command: Command) -> Result<(), MediaUnavailable> {
        let shard = places(&self.places).route(&mut command);
        let entrance = self.shards.get(usize::from(shard.0));
        let entrance = entrance.ok_or(MediaUnavailable)?;
        match entrance.commands.try_send(command) {
            Ok(()) => {
                entrance.waker.0.wake();
                Ok(())
            }
            Err(TrySendError::Full(command) | TrySendError::Disconnected(command)) => {
                if let Command::Negotiate(request) = command
                    && !request.renegotiate
                {
                    places(&self.places).release(request.peer);
                }
                Err(MediaUnavailable)
            }
        }
    }

    /// Of all threads together, at most a second old.
    pub fn stats(&self) -> Stats {
        self.loads().into_iter().map(|load| load.stats).sum()
    }

    /// Of each thread, at most a second old.
    pub fn loads(&self) -> Vec<Load> {
        let entrances = self.shards.iter();
        entrances.map(|entrance| *entrance.load.borrow()).collect()
    }

    /// Where connections over TCP come in.
    pub fn tcp(&self) -> &Front {
        &self.front
    }

    /// Stands for a bug in one core.
    #[cfg(any(test, debug_assertions))]
    pub fn break_shard(&self, shard: usize) {
        if let Some(entrance) = self.shards.get(shard) {
            entrance.fault.order();
            entrance.waker.0.wake();
        }
    }

    /// A handle without a thread behind it, and what was sent into it.
    #[cfg(test)]
    pub fn detached() -> (Self, std::sync::mpsc::Receiver<Command>) {
        let (commands, sent) = sync_channel(COMMAND_QUEUE);
        let (_, load) = watch::channel(Load::default());
        let entrance = Entrance {
            commands,
            waker: WakeOnDrop(Arc::new(Waker::new().expect("an eventfd"))),
            load,
            fault: Fault::default(),
        };
        let handle = Self {
            shards: Arc::new([entrance]),
            places: Arc::new(Mutex::new(Placement::new(1, 1))),
            front: Front::new(vec![], &[]).0,
        };
        (handle, sent)
    }
}

/// Binds the port and starts the threads `media-0` and so on. They end when all handles are gone.
pub fn start(settings: Settings) -> anyhow::Result<(MediaHandle, Events, Threads)> {
    let (bound, listeners) = bind(&settings)?;
    let first = bound.first().and_then(|sockets| sockets.first());
    let port = first.map_or(settings.port, Socket::port);
    let config = config(&settings, port, &listeners);
    let first = Sfu::new(config.clone(), Instant::now());
    ensure!(first.warm_up(), "the media's certificate cannot be used");
    let wakers = bound.iter().map(|_| Ok(Arc::new(Waker::new()?)));
    let wakers: std::io::Result<Vec<Arc<Waker>>> = wakers.collect();
    let wakers = wakers.context("the media threads cannot be woken")?;
    let places = Placement::new(settings.shards, settings.spread);
    let places = Arc::new(Mutex::new(places));
    let (given, events) = mpsc::channel(EVENT_QUEUE);
    let (mut entrances, mut threads) = (vec![], vec![]);
    let lines = Lines::between(&wakers);
    let (front, connections) = Front::new(listeners, &wakers);
    let ends = lines.into_iter().zip(connections);
    for (((index, sockets), waker), ends) in (0u8..).zip(bound).zip(wakers).zip(ends) {
        let (lines, connections) = ends;
        let (commands, taken) = sync_channel(COMMAND_QUEUE);
        let (told, load) = watch::channel(Load::default());
        let fault = Fault::default();
        let config = Config {
            shard: ShardIndex(index),
            ..config.clone()
        };
        let wiring = Wiring {
            sockets,
            commands: taken,
            waker: waker.clone(),
            lines,
            connections,
            events: given.clone(),
            places: places.clone(),
            load: told,
            fault: fault.clone(),
        };
        threads.push(spawn(config, wiring)?);
        entrances.push(Entrance {
            commands,
            waker: WakeOnDrop(waker),
            load,
            fault,
        });
    }
    let handle = MediaHandle {
        shards: entrances.into(),
        places,
        front,
    };
    Ok((handle, events, Threads(threads)))
}

/// Of the first thread; the others differ in their number.
fn config(settings: &Settings, port: u16, listeners: &[TcpListener]) -> Config {
    let at_port = |address: &IpAddr| SocketAddr::new(*address, port);
    let listens = |address: &IpAddr| {
        let mut own = listeners.iter().flat_map(TcpListener::local_addr);
        own.any(|own| own.is_ipv4() == address.is_ipv4())
    };
    let addresses = settings.addresses.iter();
    let over_tcp = addresses
        .clone()
        .filter(|address| listens(address))
        .map(at_port);
    Config {
        candidates: addresses.map(at_port).collect(),
        tcp_candidates: over_tcp.chain(settings.also_tcp.clone()).collect(),
        certificate: settings.certificate.clone(),
        ingress: IngressLimit::default(),
        video: settings.video,
        loudest: usize::from(settings.loudest),
        shard: ShardIndex(0),
        shards: settings.shards,
    }
}

fn spawn(config: Config, wiring: Wiring) -> anyhow::Result<JoinHandle<()>> {
    let sfu = Sfu::new(config.clone(), Instant::now());
    let name = format!("media-{}", config.shard);
    let shard = Shard::new(config, sfu, wiring);
    std::thread::Builder::new()
        .name(name)
        .spawn(move || shard.run())
        .context("a media thread cannot be started")
}

/// UDP sockets of each thread, and what listens on the same port of TCP.
type Bound = (Vec<Vec<Socket>>, Vec<TcpListener>);

fn bind(settings: &Settings) -> anyhow::Result<Bound> {
    let mut tries = 0;
    loop {
        tries += 1;
        let sockets = bind_udp(settings)?;
        let first = sockets.iter().flatten().next();
        let port = first.map_or(settings.port, Socket::port);
        match listen(settings, port) {
            Ok(listeners) => return Ok((sockets, listeners)),
            // Any port will do, and this one is free for UDP only.
            Err(_) if settings.port == 0 && tries < TRIES => {}
            Err(error) => {
                tracing::warn!(
                    %error,
                    "TCP port {port} cannot be used: people whose network lets no UDP through will have neither sound nor pictures"
                );
                return Ok((sockets, vec![]));
            }
        }
    }
}

/// The wildcard addresses of those families that browsers are told about.
fn families(settings: &Settings) -> impl Iterator<Item = IpAddr> {
    let wants = |is_kind: fn(&IpAddr) -> bool| settings.addresses.iter().any(is_kind);
    let v4 = wants(IpAddr::is_ipv4).then_some(IpAddr::from(Ipv4Addr::UNSPECIFIED));
    let v6 = wants(IpAddr::is_ipv6).then_some(IpAddr::from(Ipv6Addr::UNSPECIFIED));
    v4.into_iter().chain(v6)
}

fn listen(settings: &Settings, port: u16) -> std::io::Result<Vec<TcpListener>> {
    if settings.also_tcp.iter().any(|also| also.port() == port) {
        // What has it takes media in as well.
        return Ok(vec![]);
    }
    families(settings)
        .map(|wildcard| sys::listen(SocketAddr::new(wildcard, port)))
        .collect()
}

/// For each thread a socket per address family that browsers are told about, all on the same port.
fn bind_udp(settings: &Settings) -> anyhow::Result<Vec<Vec<Socket>>> {
    let mut port = settings.port;
    let shards = usize::from(settings.shards.max(1));
    let mut bound: Vec<Vec<Socket>> = (0..shards).map(|_| vec![]).collect();
    for wildcard in families(settings) {
        // The first one finds out whether the port is free, and keeps it from then on: the others come beside it.
        let first = match Socket::bind(SocketAddr::new(wildcard, port)) {
            Ok(socket) => socket,
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                bail!(
                    "UDP port {port} is taken by another program: stop that, or set media.port to another port"
                )
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("UDP port {port} (media.port) cannot be used"));
            }
        };
        port = first.port();
        let mut sockets = vec![];
        for _ in 1..shards {
            let beside = first.beside();
            sockets.push(beside.context(
                "several media threads cannot share a port here: set media.shards to 1",
            )?);
        }
        sockets.insert(0, first);
        for (of_shard, socket) in bound.iter_mut().zip(sockets) {
            of_shard.push(socket);
        }
    }
    ensure!(
        bound.iter().all(|sockets| !sockets.is_empty()),
        "media.addresses is empty: there is no address that browsers could send media to"
    );
    Ok(bound)
}
