//! One TCP connection: its first frame says which shard it is for; from then on frames are passed on in both directions, whole
//! or not at all. Ends when its peer or its shard is gone, when either says nothing for too long, and at once when what comes
//! is no media.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ::media::{LONGEST_FRAME, ShardIndex, TooLong, frames, shard_of_check, whole_frames};
use tokio::net::TcpStream;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::shard::{Arrival, Outlet, Piece};
use super::{Counts, Door, Inner, Place};

/// Until the first whole frame, and then until its answer: only whoever knows a peer's password gets one.
const FIRST_FRAME: Duration = Duration::from_secs(5);
const FIRST_ANSWER: Duration = Duration::from_secs(5);
/// Clients check a path every few seconds, one that is only kept warm every 25.
const IDLE: Duration = Duration::from_secs(30);
/// How long a client may take nothing of what is for it.
const STALLED: Duration = Duration::from_secs(10);
/// What has waited so long to be written is worth nothing any more.
const STALE: Duration = Duration::from_millis(400);
/// Connectivity checks that a client may send before the first is answered: browsers send up to twenty in a second.
const CHECKS_BEFORE_ANSWER: usize = 128;
/// Read from one connection; what comes above it waits. More than a peer may send, so that whoever keeps at it is noticed.
/// Many small frames cost a shard as much as many packets, and the sender far less.
const FRAMES_PER_SECOND: usize = 4_000;
const SECOND: Duration = Duration::from_secs(1);
/// Room for several frames.
const BUFFER_BYTES: usize = 4 * (2 + LONGEST_FRAME);

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub enum End {
    #[error("nothing came for too long")]
    Silent,
    #[error("nobody answers what comes")]
    Unanswered,
    #[error("it made room before anybody answered what comes")]
    Displaced,
    #[error("the client does not take what is sent")]
    Stalled,
    #[error(transparent)]
    TooLong(#[from] TooLong),
    #[error("it does not begin with connectivity checks for one shard")]
    NoCheck,
    #[error("the client closed it")]
    Closed,
    #[error("the shard closed it")]
    ByShard,
    #[error(transparent)]
    Broken(#[from] io::Error),
}

impl End {
    /// Whether it was closed because there were too many, or because of what came over it.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Unanswered | Self::Displaced | Self::Stalled | Self::TooLong(_) | Self::NoCheck
        )
    }
}

pub async fn serve(place: &Place, stream: &TcpStream, local: SocketAddr) -> Result<(), End> {
    let front = &*place.front.0;
    let remote = place.remote;
    let mut inbound = Inbound::new(stream);
    let whole = timeout(FIRST_FRAME, inbound.frames()).await;
    let whole = whole.map_err(|_| match inbound.filled {
        // As browsers do that found a better way meanwhile.
        0 => End::Silent,
        _ => End::NoCheck,
    })??;
    let first = frames(inbound.first(whole)).next();
    let shard = first.and_then(|first| front.shard_of(first));
    let (shard, door) = shard.ok_or(End::NoCheck)?;
    let (outlet, pieces, waiting) = Outlet::new(front.counts.clone());
    door.put(Arrival::Opened { remote, outlet }).await?;
    let is_answered = AtomicBool::new(false);
    let inward = Inward {
        shard,
        front,
        door,
        remote,
        local,
        is_answered: &is_answered,
    };
    let outward = Outward {
        stream,
        waiting: &waiting,
        counts: &front.counts,
        place,
        is_answered: &is_answered,
    };
    tokio::select! {
        end = inward.read(inbound, whole) => end,
        end = outward.write(pieces) => end,
    }
}

impl Inner {
    fn shard_of(&self, check: &[u8]) -> Option<(ShardIndex, &Door)> {
        let shard = shard_of_check(check, self.doors.len() as u8)?;
        Some((shard, self.doors.get(usize::from(shard.0))?))
    }
}

impl Door {
    /// Waits for room: a client whose shard has much to do sends slower.
    async fn put(&self, arrival: Arrival) -> Result<(), End> {
        let sent = self.inbox.send(arrival).await;
        self.waker.wake();
        sent.map_err(|_| End::ByShard)
    }
}

/// From the client to the shard.
struct Inward<'a> {
    shard: ShardIndex,
    front: &'a Inner,
    door: &'a Door,
    remote: SocketAddr,
    local: SocketAddr,
    is_answered: &'a AtomicBool,
}

impl Inward<'_> {
    /// `whole`: bytes of frames that are there already.
    async fn read(self, mut inbound: Inbound<'_>, mut whole: usize) -> Result<(), End> {
        let mut checks = 0;
        let mut pace = Pace::new();
        loop {
            let bytes = inbound.first(whole).to_vec();
            let count = frames(&bytes).count();
            // Empty ones alone are work too.
            pace.spend(count.max(1)).await;
            if !self.is_answered.load(Ordering::Relaxed) {
                checks += count.max(1);
                if checks > CHECKS_BEFORE_ANSWER || !frames(&bytes).all(|frame| self.is_ours(frame))
                {
                    return Err(End::NoCheck);
                }
            }
            if count > 0 {
                let frames = Arrival::Frames {
                    remote: self.remote,
                    destination: self.local,
                    bytes,
                };
                self.door.put(frames).await?;
            }
            inbound.consume(whole);
            let next = timeout(IDLE, inbound.frames()).await;
            whole = next.map_err(|_| End::Silent)??;
        }
    }

    fn is_ours(&self, frame: &[u8]) -> bool {
        let named = self.front.shard_of(frame);
        named.is_some_and(|(shard, _)| shard == self.shard)
    }
}

/// How much of this second's frames has come.
struct Pace {
    since: Instant,
    frames: usize,
}

impl Pace {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            frames: 0,
        }
    }

    async fn spend(&mut self, frames: usize) {
        if self.since.elapsed() >= SECOND {
            *self = Self::new();
        }
        self.frames += frames;
        if self.frames > FRAMES_PER_SECOND {
            sleep_until(self.since + SECOND).await;
            *self = Self::new();
        }
    }
}

/// What was read and is not passed on yet.
struct Inbound<'a> {
    stream: &'a TcpStream,
    buffer: Box<[u8]>,
    filled: usize,
}

impl<'a> Inbound<'a> {
    fn new(stream: &'a TcpStream) -> Self {
        Self {
            stream,
            buffer: vec![0; BUFFER_BYTES].into(),
            filled: 0,
        }
    }

    fn first(&self, bytes: usize) -> &[u8] {
        self.buffer.get(..bytes).unwrap_or_default()
    }

    fn consume(&mut self, bytes: usize) {
        self.buffer.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
    }

    /// Reads until there are whole frames, and says how many bytes they are.
    async fn frames(&mut self) -> Result<usize, End> {
        loop {
            let whole = whole_frames(self.first(self.filled))?;
            if whole > 0 {
                return Ok(whole);
            }
            self.stream.readable().await?;
            let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
            match self.stream.try_read(room) {
                Ok(0) => return Err(End::Closed),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// From the shard to the client.
struct Outward<'a> {
    stream: &'a TcpStream,
    /// Bytes in the queue.
    waiting: &'a AtomicUsize,
    counts: &'a Counts,
    place: &'a Place,
    is_answered: &'a AtomicBool,
}

impl Outward<'_> {
    async fn write(self, mut pieces: Receiver<Piece>) -> Result<(), End> {
        let first = timeout(FIRST_ANSWER, pieces.recv()).await;
        let mut next = first.map_err(|_| End::Unanswered)?;
        self.is_answered.store(true, Ordering::Relaxed);
        self.place.prove();
        loop {
            let piece = next.ok_or(End::ByShard)?;
            self.waiting.fetch_sub(piece.bytes.len(), Ordering::Relaxed);
            self.write_fresh(&piece).await?;
            let later = timeout(IDLE, pieces.recv()).await;
            next = later.map_err(|_| End::Silent)?;
        }
    }

    async fn write_fresh(&self, piece: &Piece) -> Result<(), End> {
        if piece.since.elapsed() <= STALE {
            return self.write_all(&piece.bytes).await;
        }
        let dropped = &self.counts.dropped;
        dropped.fetch_add(piece.datagrams as u64, Ordering::Relaxed);
        Ok(())
    }

    async fn write_all(&self, mut bytes: &[u8]) -> Result<(), End> {
        let mut until = Instant::now() + STALLED;
        while !bytes.is_empty() {
            let writable = timeout_at(until, self.stream.writable()).await;
            writable.map_err(|_| End::Stalled)??;
            match self.stream.try_write(bytes) {
                Ok(written) => {
                    bytes = bytes.get(written..).unwrap_or_default();
                    until = Instant::now() + STALLED;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
