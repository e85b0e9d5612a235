//! The media thread: waits for datagrams, commands and time, drives the core, and sends what it has to say in one
//! batch. No tokio, no locks, no decisions.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use ::media::{
    Batch, CloseReason, Command, Config, Datagram, Event, GroupId, Input, Output, PeerId, Sfu,
    Stats, Transport,
};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

use super::socket::Socket;
use super::sys::{self, Waker};

/// How long to sleep when nothing is due.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// When to try again to hand over events that the rooms had no room for.
const BACKLOG_WAIT: Duration = Duration::from_millis(5);
/// Batches and commands in a row before the others get their turn.
const BATCHES_PER_TURN: usize = 8;
const COMMANDS_PER_TURN: usize = 256;
const STATS_EVERY: Duration = Duration::from_secs(1);

pub struct Shard {
    config: Config,
    sfu: Sfu,
    sockets: Vec<Socket>,
    commands: Receiver<Command>,
    waker: Arc<Waker>,
    events: mpsc::Sender<Event>,
    /// Events that wait for the rooms.
    backlog: VecDeque<Event>,
    /// Whom the core knows, in case that it has to be replaced.
    peers: HashMap<PeerId, GroupId>,
    stats: watch::Sender<Stats>,
    stats_at: Instant,
}

impl Shard {
    pub fn new(
        config: Config,
        sfu: Sfu,
        sockets: Vec<Socket>,
        commands: Receiver<Command>,
        waker: Arc<Waker>,
        events: mpsc::Sender<Event>,
        stats: watch::Sender<Stats>,
    ) -> Self {
        Self {
            config,
            sfu,
            sockets,
            commands,
            waker,
            events,
            backlog: VecDeque::new(),
            peers: HashMap::new(),
            stats,
            stats_at: Instant::now(),
        }
    }

    /// Until the last handle is gone.
    pub fn run(mut self) {
        let fds: Vec<RawFd> = self
            .sockets
            .iter()
            .map(AsRawFd::as_raw_fd)
            .chain([self.waker.as_raw_fd()])
            .collect();
        loop {
            if let Err(error) = sys::wait(&fds, self.patience()) {
                tracing::error!(%error, "the media thread cannot wait for its sockets");
                std::thread::sleep(LONGEST_WAIT);
            }
            match catch_unwind(AssertUnwindSafe(|| self.turn())) {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => self.start_over(),
            }
        }
    }

    fn patience(&self) -> Duration {
        let due = self
            .sfu
            .poll_timeout()
            .map(|at| at.saturating_duration_since(Instant::now()));
        let wait = due.map_or(LONGEST_WAIT, |due| due.min(LONGEST_WAIT));
        if self.backlog.is_empty() {
            wait
        } else {
            wait.min(BACKLOG_WAIT)
        }
    }

    /// False when nobody can give commands any more.
    fn turn(&mut self) -> bool {
        self.waker.clear();
        if !self.take_commands() {
            return false;
        }
        for _ in 0..BATCHES_PER_TURN {
            if !self.receive() {
                break;
            }
        }
        let now = Instant::now();
        if self.sfu.poll_timeout().is_some_and(|at| at <= now) {
            self.sfu.handle_timeout(now);
            self.drain();
        }
        self.hand_over();
        if now.saturating_duration_since(self.stats_at) >= STATS_EVERY {
            self.stats_at = now;
            self.stats.send_replace(self.sfu.stats());
        }
        true
    }

    fn take_commands(&mut self) -> bool {
        for _ in 0..COMMANDS_PER_TURN {
            match self.commands.try_recv() {
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
        self.waker.wake();
        true
    }

    /// One batch of each socket. False when none had anything.
    fn receive(&mut self) -> bool {
        let now = Instant::now();
        let mut any = false;
        for socket in &mut self.sockets {
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
                Output::Transmit(batch) => self.send(batch),
                Output::Event(event) => {
                    if let Event::Closed { peer, .. } = &event {
                        self.peers.remove(peer);
                    }
                    self.backlog.push_back(event);
                }
            }
        }
    }

    fn send(&mut self, batch: Batch) {
        let refused: usize = self
            .sockets
            .iter_mut()
            .map(|socket| socket.send(&batch))
            .sum();
        if refused > 0 {
            tracing::debug!(refused, "datagrams could not be sent");
        }
        self.sfu.reuse(batch);
    }

    fn hand_over(&mut self) {
        while let Some(event) = self.backlog.pop_front() {
            match self.events.try_send(event) {
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
        let reason = CloseReason::Internal;
        self.backlog
            .extend(self.peers.drain().map(|(peer, group)| Event::Closed {
                group,
                peer,
                reason,
            }));
    }
}
