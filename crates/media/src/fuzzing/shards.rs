//! The target `shards`: one meeting on three shards, whose datagrams land anywhere and whose words to each other come late, not
//! at all, twice or in the wrong order, while shards begin anew in between. An even first byte promises what the lines between
//! threads promise: nothing but media is missing, and nothing overtakes.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::handshake::{RECORD, client_srtp, provider};
use super::input::Bytes;
use super::stage::{
    ADDRESSES, CALLS_PER_MOMENT, CREDENTIALS, Client, GROUP, SERVER, STEPS, STREAMS, TIMERS,
    config, offer,
};
use super::watch::Watch;
use crate::egress::srtp::Srtp;
use crate::{
    Command, Config, Datagram, Event, Generation, Input, Message, Negotiate, Output, Parcel,
    PeerId, Placement, RequestId, Sfu, ShardIndex, Size, SlotIndex, Source, Transport, UplinkState,
};

const SHARDS: u8 = 3;
/// One of the meeting on each shard before a second one comes to any.
const SPREAD: usize = 1;
const MOST_STEPS: usize = 200;
const MOST_PEOPLE: usize = 8;
const SLOTS: usize = 3;
/// As long as addresses of others are remembered.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(32);

enum Crossing {
    Message(Message),
    Parcel(Parcel),
}

struct House {
    now: Instant,
    cores: Vec<Sfu>,
    placement: Placement,
    /// What is on its way, by the shards that it is from and for.
    lines: BTreeMap<(u8, u8), VecDeque<Crossing>>,
    people: Vec<Person>,
    requests: u64,
    watch: Watch,
    /// Of everybody who ever joined.
    joined: u8,
}

struct Person {
    client: Client,
    srtp: Srtp,
    sequences: [u16; 4],
}

pub fn shards(input: &[u8]) {
    let (house, keeps_order) = play(input);
    house.end(keeps_order);
}

fn play(input: &[u8]) -> (House, bool) {
    let mut house = House::new();
    let mut bytes = Bytes::new(input);
    let keeps_order = bytes.u8().is_none_or(|first| first & 1 == 0);
    for _ in 0..MOST_STEPS {
        if step(&mut house, keeps_order, &mut bytes).is_none() {
            break;
        }
    }
    (house, keeps_order)
}

fn step(house: &mut House, keeps_order: bool, bytes: &mut Bytes<'_>) -> Option<()> {
    let (kind, which) = (bytes.u8()?, bytes.u8()?);
    let shard = which % SHARDS;
    let person = usize::from(which >> 2) % house.people.len().max(1);
    let line = (shard, (shard + 1 + (which >> 2) % 2) % SHARDS);
    match kind & 0x0f {
        0 => house.join(),
        1 => {
            house.check(person, shard, kind >> 4);
            house.deliver_all();
            house.datagram(person, shard, RECORD);
            house.deliver_all();
        }
        2 => house.check(person, shard, kind >> 4),
        3 => house.datagram(person, shard, RECORD),
        4..7 => {
            let packet = house.packet(person, kind >> 4, bytes)?;
            house.datagram(person, shard, &packet);
        }
        7 => {
            house.deliver(line, 0);
        }
        8 => house.deliver_all(),
        9 => house.spoil(line, kind >> 4, keeps_order),
        10 => house.restart(ShardIndex(shard)),
        11 => house.pass(bytes.time()?, kind & 0x10 != 0),
        12 => house.remove(person),
        13 => {
            let state = bytes.pick(&[UplinkState::Live, UplinkState::Muted, UplinkState::Off])?;
            house.set_uplink(person, *Source::ALL.get(usize::from(kind >> 4) % 4)?, state);
        }
        _ => {
            let from = usize::from(bytes.u8()?);
            house.bind(person, kind >> 4, from);
        }
    }
    Some(())
}

impl House {
    #[allow(
        clippy::disallowed_methods,
        reason = "one arbitrary instant to count from"
    )]
    fn new() -> Self {
        let now = Instant::now();
        let mut house = Self {
            now,
            cores: (0..SHARDS).map(|shard| core(shard, now)).collect(),
            placement: Placement::new(SHARDS, SPREAD),
            lines: BTreeMap::new(),
            people: vec![],
            requests: 0,
            watch: Watch::default(),
            joined: 0,
        };
        house.drain();
        house.deliver_all();
        house
    }

    fn join(&mut self) {
        if self.people.len() >= MOST_PEOPLE || self.joined > 200 {
            return;
        }
        self.joined += 1;
        self.requests += 1;
        let (id, request) = (PeerId(self.joined.into()), RequestId(self.requests));
        let (sdp, uplink, slots) = offer(SLOTS - 1, 1, "client");
        let events = self.command(Command::Negotiate(Box::new(Negotiate {
            peer: id,
            group: GROUP,
            request,
            sdp,
            uplink,
            slots,
            renegotiate: false,
            with: vec![],
        })));
        let answer = events.into_iter().find_map(|event| match event {
            Event::Negotiated { result, .. } => Some(result),
            _ => None,
        });
        let answer = answer.expect("every offer is answered at once");
        let answer = answer.expect("an offer of ours is taken");
        self.people.push(Person {
            client: Client::new(id, &answer),
            srtp: client_srtp(),
            sequences: [1; 4],
        });
        for source in Source::ALL {
            self.set_uplink(self.people.len() - 1, source, UplinkState::Live);
        }
    }

    fn check(&mut self, person: usize, shard: u8, port: u8) {
        let Some(person) = self.people.get_mut(person) else {
            return;
        };
        // Now and then from elsewhere.
        person.client.address.set_port(4_000 + u16::from(port));
        let (address, check) = (
            person.client.address,
            person.client.check(&self.cores[0].crypto, true),
        );
        self.watch.proves(address);
        self.lands(shard, address, &check);
    }

    fn datagram(&mut self, person: usize, shard: u8, bytes: &[u8]) {
        if let Some(person) = self.people.get(person) {
            let address = person.client.address;
            self.lands(shard, address, bytes);
        }
    }

    fn lands(&mut self, shard: u8, source: SocketAddr, bytes: &[u8]) {
        let datagram = Datagram {
            transport: Transport::Udp,
            source,
            destination: SocketAddr::from(SERVER),
            bytes,
        };
        let core = &mut self.cores[usize::from(shard)];
        core.handle_input(self.now, Input::Datagram(datagram));
        self.drain();
    }

    /// Of the voice, of a layer of the camera, or of the screen.
    fn packet(&mut self, person: usize, what: u8, bytes: &mut Bytes<'_>) -> Option<Vec<u8>> {
        let (ahead, level) = (bytes.u8()?, bytes.u8()?);
        let person = self.people.get_mut(person)?;
        let stream = usize::from(what % 4);
        let (mid, rid, payload_type) = [
            (b'0', None, 111),
            (b'1', Some(b'q'), 96),
            (b'1', Some(b'f'), 96),
            (b'2', None, 96),
        ][stream];
        let sequence = person.sequences[stream].wrapping_add(u16::from(ahead % 4));
        person.sequences[stream] = sequence.wrapping_add(1);
        let ssrc = 0x2000_0000 | stream as u32;
        let mut packet = vec![0x90, 0x80 | payload_type];
        packet.extend(sequence.to_be_bytes());
        packet.extend((u32::from(sequence) * 960).to_be_bytes());
        packet.extend(ssrc.to_be_bytes());
        let mut elements = vec![0x40, mid, 0x10, level];
        elements.extend(rid.into_iter().flat_map(|rid| [0xa0, rid]));
        elements.resize(elements.len().next_multiple_of(4), 0);
        packet.extend([0xbe, 0xde, 0, (elements.len() / 4) as u8]);
        packet.extend(elements);
        let header = packet.len();
        match payload_type {
            96 => {
                let [high, low] = sequence.to_be_bytes();
                packet.extend([0x90, 0xe0, 0x80 | high, low, low, 0]);
                packet.extend(match level & 1 {
                    0 => &[0, 0, 0, 0x9d, 1, 0x2a, 0, 5, 0xd0, 2][..],
                    _ => &[1, 0, 0],
                });
            }
            _ => packet.extend([0x78, level, 1, 2, 3]),
        }
        let sealed = &mut person.srtp;
        sealed.seal_rtp(&mut packet, 0, header, ssrc, u64::from(sequence))?;
        Some(packet)
    }

    fn set_uplink(&mut self, person: usize, source: Source, state: UplinkState) {
        let Some(peer) = self.people.get(person).map(|person| person.client.id) else {
            return;
        };
        self.command(Command::SetUplink {
            peer,
            source,
            state,
            encrypted: false,
        });
    }

    fn bind(&mut self, person: usize, slot: u8, from: usize) {
        let Some(peer) = self.people.get(person).map(|person| person.client.id) else {
            return;
        };
        let from = self.people.get(from % (MOST_PEOPLE + 1));
        let from = from.map(|person| person.client.id);
        self.requests += 1;
        self.command(Command::Bind {
            peer,
            slot: SlotIndex(slot % SLOTS as u8),
            generation: Generation(self.requests as u32),
            from: from.filter(|from| *from != peer),
            video: (slot & 8 == 0).then_some(Size {
                width: 1_280,
                height: 720,
            }),
            ready: slot & 4 == 0,
            rank: slot,
        });
    }

    fn remove(&mut self, person: usize) {
        if person < self.people.len() {
            let peer = self.people.remove(person).client.id;
            self.command(Command::Remove { peer });
        }
    }

    /// Its core broke: nobody that was connected there is any more, and what it said before is still on its way.
    fn restart(&mut self, shard: ShardIndex) {
        let fresh = core(shard.0, self.now);
        let broken = std::mem::replace(&mut self.cores[usize::from(shard.0)], fresh);
        for peer in broken.peers.keys() {
            self.placement.release(*peer);
            self.people.retain(|person| person.client.id != *peer);
        }
        self.drain();
    }

    fn command(&mut self, mut command: Command) -> Vec<Event> {
        let shard = self.placement.route(&mut command);
        let core = &mut self.cores[usize::from(shard.0)];
        core.handle_input(self.now, Input::Command(command));
        self.drain()
    }

    /// The message that lies there in the line. False when there is none.
    fn deliver(&mut self, line: (u8, u8), at: usize) -> bool {
        let queue = self.lines.entry(line).or_default();
        let Some(crossing) = queue.remove(at) else {
            return false;
        };
        let from = ShardIndex(line.0);
        let input = match crossing {
            Crossing::Message(message) => Input::Pipe { from, message },
            Crossing::Parcel(parcel) => Input::Parcel { from, parcel },
        };
        self.cores[usize::from(line.1)].handle_input(self.now, input);
        self.drain();
        true
    }

    /// Until nobody has anything to say.
    fn deliver_all(&mut self) {
        let mut delivered = 0;
        loop {
            let lines = self.lines.iter();
            let waiting = lines.filter(|(_, queue)| !queue.is_empty());
            let Some(line) = waiting.map(|(line, _)| *line).next() else {
                return;
            };
            self.deliver(line, 0);
            delivered += 1;
            assert!(delivered < STEPS, "shards talk without an end");
        }
    }

    /// Media may get lost. What else happens to a line must not, and is borne all the same.
    fn spoil(&mut self, line: (u8, u8), how: u8, keeps_order: bool) {
        let queue = self.lines.entry(line).or_default();
        let is_media = |crossing: &Crossing| match crossing {
            Crossing::Message(message) => message.may_be_dropped(),
            Crossing::Parcel(_) => true,
        };
        match how % 4 {
            _ if keeps_order => queue.retain(|crossing| !is_media(crossing)),
            0 => drop(queue.pop_front()),
            1 => queue.rotate_left(1.min(queue.len())),
            2 => queue.make_contiguous().reverse(),
            _ => {
                let again = queue.iter().filter_map(|crossing| match crossing {
                    Crossing::Message(message) => Some(Crossing::Message(message.clone())),
                    Crossing::Parcel(_) => None,
                });
                let again: Vec<Crossing> = again.take(8).collect();
                queue.extend(again);
            }
        }
    }

    fn pass(&mut self, time: Duration, delivers: bool) {
        let until = self.now + time;
        let (mut steps, mut calls) = (0, 0);
        loop {
            let timeouts = self.cores.iter().filter_map(Sfu::poll_timeout);
            let Some(next) = timeouts.min().filter(|next| *next <= until) else {
                break;
            };
            calls = if next > self.now { 0 } else { calls + 1 };
            assert!(calls < CALLS_PER_MOMENT, "time stands still");
            steps += 1;
            assert!(steps < STEPS, "time hardly passes");
            self.now = self.now.max(next);
            for core in &mut self.cores {
                if core.poll_timeout().is_some_and(|at| at <= self.now) {
                    core.handle_timeout(self.now);
                }
            }
            self.drain();
            if delivers {
                self.deliver_all();
            }
        }
        self.now = until;
    }

    fn drain(&mut self) -> Vec<Event> {
        let mut events = vec![];
        for (from, core) in (0..).zip(&mut self.cores) {
            while let Some(output) = core.poll_output() {
                let (to, crossing) = match output {
                    Output::Event(event) => {
                        events.push(event);
                        continue;
                    }
                    Output::Transmit(batch) => {
                        for run in batch.runs() {
                            for datagram in run.datagrams() {
                                self.watch.sent(run.destination, datagram);
                            }
                        }
                        core.reuse(batch);
                        continue;
                    }
                    Output::Parcel { to, parcel } => (to, Crossing::Parcel(parcel)),
                    Output::Pipe { to, message } => (to, Crossing::Message(message)),
                };
                assert!(to.0 < SHARDS && to.0 != from, "{from} to {to:?}");
                self.lines
                    .entry((from, to.0))
                    .or_default()
                    .push_back(crossing);
            }
        }
        for event in &events {
            if let Event::Closed { peer, .. } = event {
                self.placement.release(*peer);
                self.people.retain(|person| person.client.id != *peer);
            }
        }
        self.check_sizes();
        events
    }

    fn check_sizes(&self) {
        let joined = usize::from(self.joined);
        for core in &self.cores {
            let stats = core.stats();
            assert_eq!(stats.panics, 0, "a panic inside");
            assert!(stats.peers <= MOST_PEOPLE + 1, "{stats:?}");
            assert!(stats.groups <= 1, "{stats:?}");
            assert!(stats.addresses <= ADDRESSES * stats.peers, "{stats:?}");
            assert!(stats.ufrags <= CREDENTIALS * stats.peers, "{stats:?}");
            assert!(stats.ssrcs <= STREAMS * stats.peers, "{stats:?}");
            assert!(stats.timers <= TIMERS * stats.peers, "{stats:?}");
            assert!(stats.away <= ADDRESSES * joined, "{stats:?}");
            assert!(stats.subscriptions <= 2 * SLOTS * stats.peers, "{stats:?}");
            assert!(core.senders.len() <= joined, "{stats:?}");
        }
    }

    /// When all are gone and all is said, nothing of them is left. Where more went wrong than may, that holds for a shard whose
    /// neighbours began anew.
    fn end(mut self, keeps_order: bool) {
        self.deliver_all();
        while !self.people.is_empty() {
            self.remove(0);
        }
        self.deliver_all();
        if !keeps_order {
            for shard in 1..SHARDS {
                self.restart(ShardIndex(shard));
                self.deliver_all();
            }
        }
        self.pass(FORGOTTEN_AFTER, true);
        for core in &self.cores {
            let stats = core.stats();
            let left: BTreeMap<&str, usize> = [
                ("peers", stats.peers),
                ("senders", core.senders.len()),
                ("groups", stats.groups),
                ("addresses", stats.addresses),
                ("addresses of others", stats.away),
                ("ufrags", stats.ufrags),
                ("ssrcs", stats.ssrcs),
                ("subscriptions", stats.subscriptions),
                ("timers", stats.timers),
            ]
            .into();
            let shard = core.config.shard;
            assert!(left.values().all(|size| *size == 0), "{shard:?}: {left:?}");
            assert_eq!(core.poll_timeout(), None, "{shard:?}");
        }
    }
}

fn core(shard: u8, now: Instant) -> Sfu {
    let config = Config {
        shard: ShardIndex(shard),
        shards: SHARDS,
        ..config()
    };
    let mut core = Sfu::new(config, now);
    core.crypto = Arc::new(provider());
    core
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A target that nothing gets through would hold whatever is promised.
    #[test]
    fn what_is_sent_at_one_shard_is_seen_at_another() {
        let (house, keeps_order) = play(include_bytes!("../../../../fuzz/corpus/shards/a-meeting"));
        assert!(keeps_order);
        let homes: BTreeSet<usize> = (0..3)
            .filter(|shard| !house.cores[*shard].peers.is_empty())
            .collect();
        assert_eq!(homes.len(), 3);
        let sum = |of: fn(crate::Stats) -> u64| -> u64 {
            house.cores.iter().map(|core| of(core.stats())).sum()
        };
        assert!(sum(|stats| stats.piped_packets) > 10);
        assert!(sum(|stats| stats.forwarded_packets) > 10);
        assert!(sum(|stats| stats.handed_over) > 10);
        house.end(keeps_order);
    }
}
