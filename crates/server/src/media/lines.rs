//! The lines between the media threads: a bounded queue for each pair. What crosses is collected over a turn and leaves in
//! one piece with one wake-up. Media that finds no room is dropped and counted; everything else waits at its sender, in
//! its order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use ::media::{Input, Message, Parcel, ShardIndex};

use super::sys::Waker;

/// Pieces that may wait in one line, and packets in all of them: what a busy shard has to say in some ten milliseconds.
const PIECES: usize = 256;
const PACKETS: usize = 4_096;
/// Pieces of one line in a row before the others get their turn.
const PIECES_PER_TURN: usize = 16;

#[derive(Debug)]
pub enum Crossing {
    Message(Message),
    Parcel(Parcel),
}

type Piece = Vec<Crossing>;

impl Crossing {
    /// Packets and datagrams in it, which nobody misses for good.
    fn packets(&self) -> usize {
        match self {
            Crossing::Message(message) => usize::from(message.may_be_dropped()),
            Crossing::Parcel(parcel) => parcel.len(),
        }
    }

    pub fn into_input(self, from: ShardIndex) -> Input<'static> {
        match self {
            Crossing::Message(message) => Input::Pipe { from, message },
            Crossing::Parcel(parcel) => Input::Parcel { from, parcel },
        }
    }
}

fn packets(piece: &[Crossing]) -> usize {
    piece.iter().map(Crossing::packets).sum()
}

/// The ends of one thread.
#[derive(Default)]
pub struct Lines {
    outward: Vec<Outward>,
    inward: Vec<Inward>,
    dropped: u64,
}

struct Outward {
    to: ShardIndex,
    queue: SyncSender<Piece>,
    /// Packets that wait in the queue.
    depth: Arc<AtomicUsize>,
    waker: Arc<Waker>,
    next: Piece,
}

struct Inward {
    from: ShardIndex,
    queue: Receiver<Piece>,
    depth: Arc<AtomicUsize>,
}

impl Lines {
    /// Between all threads, each with its waker.
    pub fn between(wakers: &[Arc<Waker>]) -> Vec<Self> {
        let mut all: Vec<Self> = wakers.iter().map(|_| Self::default()).collect();
        for from in 0..wakers.len() {
            for (to, waker) in wakers.iter().enumerate().filter(|(to, _)| *to != from) {
                let (sender, receiver) = sync_channel(PIECES);
                let depth = Arc::new(AtomicUsize::new(0));
                all[from].outward.push(Outward {
                    to: ShardIndex(to as u8),
                    queue: sender,
                    depth: depth.clone(),
                    waker: waker.clone(),
                    next: vec![],
                });
                all[to].inward.push(Inward {
                    from: ShardIndex(from as u8),
                    queue: receiver,
                    depth,
                });
            }
        }
        all
    }

    /// Leaves with the next flush.
    pub fn put(&mut self, to: ShardIndex, crossing: Crossing) {
        if let Some(line) = self.outward.iter_mut().find(|line| line.to == to) {
            line.next.push(crossing);
        }
    }

    pub fn flush(&mut self) {
        for line in &mut self.outward {
            self.dropped += line.flush() as u64;
        }
    }

    /// Something waits for room.
    pub fn is_blocked(&self) -> bool {
        self.outward.iter().any(|line| !line.next.is_empty())
    }

    /// Gives what has come. True when there may be more.
    pub fn take(&mut self, mut each: impl FnMut(ShardIndex, Crossing)) -> bool {
        let mut more = false;
        for line in &self.inward {
            let pieces = line.queue.try_iter().take(PIECES_PER_TURN);
            let taken = pieces.fold(0, |taken, piece| {
                line.depth.fetch_sub(packets(&piece), Ordering::Relaxed);
                piece
                    .into_iter()
                    .for_each(|crossing| each(line.from, crossing));
                taken + 1
            });
            more |= taken == PIECES_PER_TURN;
        }
        more
    }

    /// Packets for others for which there was no room, since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Packets that wait for this thread.
    pub fn waiting(&self) -> usize {
        let depth = |line: &Inward| line.depth.load(Ordering::Relaxed);
        self.inward.iter().map(depth).sum()
    }
}

impl Outward {
    /// Gives the number of packets that were dropped.
    fn flush(&mut self) -> usize {
        if self.next.is_empty() {
            return 0;
        }
        let mut piece = std::mem::take(&mut self.next);
        let mut count = packets(&piece);
        let mut dropped = 0;
        if self.depth.load(Ordering::Relaxed) + count > PACKETS {
            dropped = std::mem::take(&mut count);
            piece.retain(|crossing| crossing.packets() == 0);
        }
        if piece.is_empty() {
            return dropped;
        }
        self.depth.fetch_add(count, Ordering::Relaxed);
        match self.queue.try_send(piece) {
            Ok(()) => self.waker.wake(),
            Err(TrySendError::Full(mut piece)) => {
                self.depth.fetch_sub(count, Ordering::Relaxed);
                dropped += count;
                piece.retain(|crossing| crossing.packets() == 0);
                self.next = piece;
            }
            // That thread has ended, as this one is about to.
            Err(TrySendError::Disconnected(_)) => {}
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Instant;

    use ::media::{
        Certificate, Config, Datagram, IngressLimit, Output, Sfu, Transport, VideoCodec,
    };
    use str0m::ice::{StunMessage, TransId};

    use super::*;

    const OTHER: ShardIndex = ShardIndex(1);

    /// The first of two shards, and what it has to say to the other at the beginning.
    fn core() -> (Sfu, Crossing) {
        let config = Config {
            candidates: vec![],
            tcp_candidates: vec![],
            certificate: Certificate::generate().expect("a certificate"),
            ingress: IngressLimit::default(),
            video: VideoCodec::Vp8,
            loudest: 5,
            shard: ShardIndex(0),
            shards: 2,
        };
        let mut sfu = Sfu::new(config, Instant::now());
        let Some(Output::Pipe { message, .. }) = sfu.poll_output() else {
            panic!("a new core says so");
        };
        (sfu, Crossing::Message(message))
    }

    /// Some connectivity checks that name the other shard.
    fn parcel(sfu: &mut Sfu, datagrams: usize) -> Crossing {
        let crypto = str0m::crypto::from_feature_flags().sha1_hmac_provider;
        let hmac = |key: &[u8], parts: &[&[u8]]| crypto.sha1_hmac(key, parts);
        let id = TransId::new();
        let message = StunMessage::binding_request("1abc:defg", id, true, 1, 1, false);
        let mut check = vec![0; 200];
        let length = message.to_bytes(Some(b"a password"), &mut check, hmac);
        check.truncate(length.expect("room for it"));
        for _ in 0..datagrams {
            let datagram = Datagram {
                transport: Transport::Udp,
                source: SocketAddr::from(([192, 0, 2, 1], 1)),
                destination: SocketAddr::from(([192, 0, 2, 2], 2)),
                bytes: &check,
            };
            sfu.handle_input(Instant::now(), Input::Datagram(datagram));
        }
        match sfu.poll_output() {
            Some(Output::Parcel { parcel, .. }) => Crossing::Parcel(parcel),
            other => panic!("{other:?} instead of a parcel, {:?}", sfu.stats()),
        }
    }

    fn two() -> (Lines, Lines) {
        let waker = || Arc::new(Waker::new().expect("an eventfd"));
        let mut lines = Lines::between(&[waker(), waker()]).into_iter();
        lines.next().zip(lines.next()).expect("two ends")
    }

    /// Packets and messages that came.
    fn taken(lines: &mut Lines) -> (usize, usize) {
        let mut came = (0, 0);
        while lines.take(|from, crossing| {
            assert_eq!(from, ShardIndex(0));
            match crossing.packets() {
                0 => came.1 += 1,
                packets => came.0 += packets,
            }
        }) {}
        came
    }

    #[test]
    fn what_crosses_in_one_turn_goes_in_one_piece_and_in_its_order() {
        let (mut sfu, anew) = core();
        let (mut here, mut there) = two();
        here.put(OTHER, parcel(&mut sfu, 3));
        here.put(OTHER, anew);
        here.put(OTHER, parcel(&mut sfu, 2));
        assert_eq!(there.waiting(), 0, "before the turn is over");
        here.flush();
        assert_eq!(there.waiting(), 5);
        let mut order = vec![];
        assert!(!there.take(|_, crossing| order.push(crossing.packets())));
        assert_eq!(order, [3, 0, 2]);
        assert_eq!((there.waiting(), here.dropped()), (0, 0));
        assert!(!here.is_blocked());
    }

    #[test]
    fn packets_beyond_what_a_line_holds_are_dropped_and_counted() {
        let (mut sfu, _) = core();
        let (mut here, mut there) = two();
        for _ in 0..6 {
            here.put(OTHER, parcel(&mut sfu, 1_000));
            here.flush();
        }
        assert_eq!((there.waiting(), here.dropped()), (4_000, 2_000));
        assert_eq!(taken(&mut there), (4_000, 0));
        here.put(OTHER, parcel(&mut sfu, 1_000));
        here.flush();
        assert_eq!(taken(&mut there), (1_000, 0));
    }

    #[test]
    fn what_must_not_be_missed_waits_until_there_is_room() {
        let (mut sfu, anew) = core();
        let Crossing::Message(anew) = anew else {
            unreachable!("it is one");
        };
        let (mut here, mut there) = two();
        for _ in 0..PIECES + 10 {
            here.put(OTHER, Crossing::Message(anew.clone()));
            here.flush();
        }
        here.put(OTHER, parcel(&mut sfu, 5));
        here.flush();
        assert!(here.is_blocked());
        assert_eq!((there.waiting(), here.dropped()), (0, 5));
        assert_eq!(taken(&mut there), (0, PIECES));
        here.flush();
        assert!(!here.is_blocked());
        assert_eq!(taken(&mut there), (0, 10));
    }
}
