//! A media thread: waits for datagrams, commands, other shards and time, drives the core, and sends what it has to say in
//! one batch. No tokio, no decisions, and no lock but the one on who is where, when somebody is gone.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::media::{
    Batch, CloseReason, Command, Config, Datagram, Event, GroupId, Input, Output, PeerId,
    Placement, Sfu, Stats, Transport,
};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

use super::fault::Fault;
use super::lines::{Crossing, Lines};
use super::socket::Socket;
use super::sys::{self, Waker};
use super::tcp::Connections;

/// How long to sleep when nothing is due.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// When to try again to hand over events that the rooms had no room for.
const BACKLOG_WAIT: Duration = Duration::from_millis(5);
/// Batches and commands in a row before the others get their turn.
const BATCHES_PER_TURN: usize = 8;
const COMMANDS_PER_TURN: usize = 256;
const STATS_EVERY: Duration = Duration::from_secs(1);

/// What a media thread says of itself every second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    pub stats: Stats,
    /// Thousandths of the last second in which it did not wait.
    pub busy: u32,
    /// Packets for other shards that found no room, since the start.
    pub dropped: u64,
    /// Packets of other shards that wait for it.
    pub waiting: usize,
}

/// What leads into the thread and out of it.
pub struct Wiring {
    pub sockets: Vec<Socket>,
    pub commands: Receiver<Command>,
    pub waker: Arc<Waker>,
    pub lines: Lines,
    pub connections: Connections,
    pub events: mpsc::Sender<Event>,
    /// Who is where. A peer that is gone gives its place back.
    pub places: Arc<Mutex<Placement>>,
    pub load: watch::Sender<Load>,
    pub fault: Fault,
}

pub struct Shard {
    config: Config,
    sfu: Sfu,
    wiring: Wiring,
    /// Events that wait for the rooms.
    backlog: VecDeque<Event>,
    /// Whom the core knows, in case that it has to be replaced.
    peers: HashMap<PeerId, GroupId>,
    told_at: Instant,
    /// Since then.
    waited: Duration,
}

impl Shard {
    pub fn new(config: Config, sfu: Sfu, wiring: Wiring) -> Self {
        Self {
            config,
            sfu,
            wiring,
            backlog: VecDeque::new(),
            peers: HashMap::new(),
            told_at: Instant::now(),
            waited: Duration::ZERO,
        }
    }

    /// Until the last handle is gone.
    pub fn run(mut self) {
        let fds: Vec<RawFd> = self
            .wiring
            .sockets
            .iter()
            .map(AsRawFd::as_raw_fd)
            .chain([self.wiring.waker.as_raw_fd()])
            .collect();
        loop {
            let before = Instant::now();
            if let Err(error) = sys::wait(&fds, self.patience(before)) {
                tracing::error!(%error, "the media thread cannot wait for its sockets");
                std::thread::sleep(LONGEST_WAIT);
            }
            self.waited += before.elapsed();
            match catch_unwind(AssertUnwindSafe(|| self.turn())) {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => self.start_over(),
            }
        }
    }

    fn patience(&self, now: Instant) -> Duration {
        let due = self
            .sfu
            .poll_timeout()
            .map(|at| at.saturating_duration_since(now));
        let wait = due.map_or(LONGEST_WAIT, |due| due.min(LONGEST_WAIT));
        if self.backlog.is_empty() && !self.wiring.lines.is_blocked() {
            wait
        } else {
            wait.min(BACKLOG_WAIT)
        }
    }

    /// False when nobody can give commands any more.
    fn turn(&mut self) -> bool {
        self.wiring.waker.clear();
        self.wiring.fault.strike();
        if !self.take_commands() {
            return false;
        }
        for _ in 0..BATCHES_PER_TURN {
            // They may say whose it is what comes next.
            self.take_crossings();
            if !self.receive() {
                break;
            }
        }
        self.take_connections();
        let now = Instant::now();
        if self.sfu.poll_timeout().is_some_and(|at| at <= now) {
            self.sfu.handle_timeout(now);
            self.drain();
        }
        self.wiring.lines.flush();
        self.hand_over();
        self.tell_load(now);
        true
    }

    fn tell_load(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.told_at);
        if elapsed < STATS_EVERY {
            return;
        }
        let idle = self.waited.as_micros() * 1_000 / elapsed.as_micros().max(1);
        let busy = 1_000 - (idle as u32).min(1_000);
        (self.told_at, self.waited) = (now, Duration::ZERO);
        self.wiring.connections.tidy();
        places(&self.wiring.places).told(self.config.shard, busy);
        self.wiring.load.send_replace(Load {
            stats: self.sfu.stats(),
            busy,
            dropped: self.wiring.lines.dropped(),
            waiting: self.wiring.lines.waiting(),
        });
    }

    fn take_commands(&mut self) -> bool {
        for _ in 0..COMMANDS_PER_TURN {
            match self.wiring.commands.try_recv() {
                Ok(command) => {
                    self.note(&command);
                    self.sfu
                        .handle_input(Instant::now(), Input::Command(command));
                    self.drain();
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        // There are more: come again at once, after the sockets had their turn.
        self.wiring.waker.wake();
        true
    }

    fn take_crossings(&mut self) {
        let (sfu, now) = (&mut self.sfu, Instant::now());
        let Wiring { lines, sockets, .. } = &mut self.wiring;
        let more = lines.take(|from, crossing| {
            if let Crossing::Parcel(parcel) = &crossing {
                for datagram in parcel.datagrams() {
                    let own = datagram.destination.ip();
                    sockets.iter_mut().for_each(|socket| socket.learn(own));
                }
            }
            sfu.handle_input(now, crossing.into_input(from));
        });
        if more {
            self.wiring.waker.wake();
        }
        // A core that is new has something to say though nothing came.
        self.drain();
    }

    /// What has come over TCP.
    fn take_connections(&mut self) {
        let (sfu, now) = (&mut self.sfu, Instant::now());
        let mut any = false;
        let more = self.wiring.connections.take(|datagram| {
            any = true;
            sfu.handle_input(now, Input::Datagram(datagram));
        });
        if more {
            self.wiring.waker.wake();
        }
        if any {
            self.drain();
        }
    }

    /// One batch of each socket. False when none had anything.
    fn receive(&mut self) -> bool {
        let now = Instant::now();
        let mut any = false;
        for socket in &mut self.wiring.sockets {
            let sfu = &mut self.sfu;
            any |= socket.receive(
                |source: SocketAddr, destination: SocketAddr, bytes: &[u8]| {
                    let datagram = Datagram {
                        transport: Transport::Udp,
                        source,
                        destination,
                        bytes,
                    };
                    sfu.handle_input(now, Input::Datagram(datagram));
                },
            );
        }
        if any {
            self.drain();
        }
        any
    }

    fn drain(&mut self) {
        while let Some(output) = self.sfu.poll_output() {
            match output {
                Output::Transmit(batch) => {
                    self.wiring.lines.flush();
                    self.send(batch);
                }
                Output::Parcel { to, parcel } => {
                    self.wiring.lines.put(to, Crossing::Parcel(parcel));
                }
                Output::Pipe { to, message } => {
                    self.wiring.lines.put(to, Crossing::Message(message));
                }
                Output::Event(event) => {
                    self.note_end(&event);
                    self.backlog.push_back(event);
                }
            }
        }
    }

    /// Whoever is gone, or was never let in, gives the place back.
    fn note_end(&mut self, event: &Event) {
        let (Event::Closed { peer, .. } | Event::Negotiated { peer, .. }) = event else {
            return;
        };
        if !self.sfu.knows(*peer) {
            self.peers.remove(peer);
            places(&self.wiring.places).release(*peer);
        }
    }

    fn send(&mut self, batch: Batch) {
        let refused: usize = self
            .wiring
            .sockets
            .iter_mut()
            .map(|socket| socket.send(&batch))
            .sum();
        if refused > 0 {
            tracing::debug!(refused, "datagrams could not be sent");
        }
        let connections = &mut self.wiring.connections;
        connections.send(Instant::now(), batch.runs());
        self.sfu.reuse(batch);
    }

    fn hand_over(&mut self) {
        while let Some(event) = self.backlog.pop_front() {
            match self.wiring.events.try_send(event) {
                Ok(()) | Err(TrySendError::Closed(_)) => {}
                Err(TrySendError::Full(event)) => return self.backlog.push_front(event),
            }
        }
    }

    fn note(&mut self, command: &Command) {
        match command {
            Command::Negotiate(request) => {
                self.peers.insert(request.peer, request.group);
            }
            Command::Remove { peer } => {
                self.peers.remove(peer);
            }
            Command::SetUplink { .. }
            | Command::Bind { .. }
            | Command::SlotReady { .. }
            | Command::NoPicture { .. } => {}
        }
    }

    /// A bug in the core. Its state cannot be trusted any more, so everybody gets a new connection.
    fn start_over(&mut self) {
        tracing::error!(
            peers = self.peers.len(),
            "the media core panicked; all its peers are closed"
        );
        let fresh = Sfu::new(self.config.clone(), Instant::now());
        let broken = std::mem::replace(&mut self.sfu, fresh);
        // Taking it apart may panic again.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(broken)));
        self.wiring.connections.close_all();
        let reason = CloseReason::Internal;
        let mut places = places(&self.wiring.places);
        for (peer, group) in self.peers.drain() {
            places.release(peer);
            self.backlog.push_back(Event::Closed {
                group,
                peer,
                reason,
            });
        }
        // The other shards are told at once.
        self.wiring.waker.wake();
    }
}

/// Whoever held it before may have panicked, but never in the middle of a change.
pub fn places(places: &Mutex<Placement>) -> MutexGuard<'_, Placement> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}
