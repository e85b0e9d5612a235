//! A meeting in memory: clients, the network, the core, and a simple room that binds people to each other's slots as
//! the real one does.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::client::{Client, Got, Kind, Ledger};
use super::network::{Conditions, InFlight, Network, Random};
use crate::peer::Peer;
use crate::{
    Certificate, CloseReason, Command, Config, Datagram, Event, Generation, GroupId, IngressLimit,
    Input, Message, Negotiate, Output, Parcel, PeerId, Placement, Refusal, RequestId, Sfu,
    ShardIndex, Size, SlotIndex, Source, Stats, Transport, UplinkState, VideoCodec, shard_of_check,
};

pub const SERVER: ([u8; 4], u16) = ([192, 0, 2, 1], 10_000);
pub const GROUP: GroupId = GroupId(1);
pub const LARGE: Option<Size> = Some(Size {
    width: 1280,
    height: 720,
});
pub const MIDDLE: Option<Size> = Some(Size {
    width: 640,
    height: 360,
});
pub const SMALL: Option<Size> = Some(Size {
    width: 160,
    height: 90,
});

pub struct World {
    pub now: Instant,
    pub start: Instant,
    /// The first shard, and in most tests the only one.
    pub sfu: Sfu,
    pub others: Vec<Sfu>,
    pub placement: Placement,
    /// What goes from shard to shard, and how long that takes.
    crossing: VecDeque<(Instant, ShardIndex, ShardIndex, Crossing)>,
    pub crossing_delay: Duration,
    /// There is no room for media between shards.
    pub is_full: bool,
    pub clients: BTreeMap<PeerId, Client>,
    pub network: Network,
    pub events: Vec<(Instant, Event)>,
    pub ledger: Ledger,
    pub opaque: bool,
    /// How long clients take to send what is demanded; they do not care while there is none.
    pub obey_after: Option<Duration>,
    demanded: Vec<Demanded>,
    /// Whether whoever joins understands redundancy of sound, and sends it.
    pub redundancy: bool,
    /// Over which whoever joins connects.
    pub transport: Transport,
    /// The shards of TCP connections.
    streams: BTreeMap<SocketAddr, ShardIndex>,
    /// What the house wants of cameras, and what whoever joins can do beside VP8.
    pub video: VideoCodec,
    pub codec: VideoCodec,
    /// Whether whoever joins describes layers in a header extension, whatever the codec.
    pub describes: bool,
    answers: BTreeMap<RequestId, Result<String, Refusal>>,
    requests: u64,
}

/// When it reaches whom, and what is to be sent.
type Demanded = (Instant, PeerId, Source, Option<Vec<String>>, VideoCodec);

#[derive(Debug)]
enum Crossing {
    Message(Message),
    Parcel(Parcel),
}

pub fn config() -> Config {
    static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
    let certificate = CERTIFICATE
        .get_or_init(|| Certificate::generate().unwrap())
        .clone();
    Config {
        candidates: vec![SocketAddr::from(SERVER)],
        tcp_candidates: vec![SocketAddr::from(SERVER)],
        certificate,
        ingress: IngressLimit::default(),
        video: VideoCodec::Vp9,
        loudest: 5,
        shard: ShardIndex(0),
        shards: 1,
    }
}

/// Runs a call with payload in the clear and with payload that is noise, and once more with everybody on another shard
/// than the next.
pub fn twice(conditions: Conditions, call: impl Fn(&mut World)) {
    for opaque in [false, true] {
        call(&mut World::new(conditions, opaque));
    }
    call(&mut World::sharded(conditions, false, 3, 1));
}

impl World {
    #[allow(
        clippy::disallowed_methods,
        reason = "one arbitrary instant to count from"
    )]
    pub fn new(conditions: Conditions, opaque: bool) -> Self {
        Self::at(Instant::now(), conditions, opaque, 1, 50)
    }

    /// With several shards, on each of which a group has so many peers before it takes in another.
    pub fn sharded(conditions: Conditions, opaque: bool, shards: u8, spread: usize) -> Self {
        let now = Self::new(conditions, opaque).now;
        let mut world = Self::at(now, conditions, opaque, shards, spread);
        world.drain();
        world
    }

    fn at(now: Instant, conditions: Conditions, opaque: bool, shards: u8, spread: usize) -> Self {
        let video = config().video;
        Self {
            now,
            start: now,
            sfu: Self::core(0, shards, video, now),
            others: (1..shards)
                .map(|shard| Self::core(shard, shards, video, now))
                .collect(),
            placement: Placement::new(shards, spread),
            crossing: VecDeque::new(),
            crossing_delay: Duration::ZERO,
            is_full: false,
            clients: BTreeMap::new(),
            network: Network::new(conditions, 42),
            events: vec![],
            ledger: Ledger::new(),
            opaque,
            obey_after: None,
            demanded: vec![],
            redundancy: false,
            transport: Transport::Udp,
            streams: BTreeMap::new(),
            video,
            codec: VideoCodec::Vp8,
            describes: false,
            answers: BTreeMap::new(),
            requests: 0,
        }
    }

    fn core(shard: u8, shards: u8, video: VideoCodec, now: Instant) -> Sfu {
        let config = Config {
            shard: ShardIndex(shard),
            shards,
            video,
            ..config()
        };
        Sfu::new(config, now)
    }

    /// Another codec than the usual one, which everybody can do who joins from now on. For a house in which nobody is yet.
    pub fn house_wants(&mut self, video: VideoCodec) {
        (self.video, self.codec) = (video, video);
        self.describes = video == VideoCodec::Av1;
        let (shards, now) = (self.shards(), self.now);
        self.sfu = Self::core(0, shards, video, now);
        self.others = (1..shards)
            .map(|shard| Self::core(shard, shards, video, now))
            .collect();
        self.drain();
    }

    fn shards(&self) -> u8 {
        1 + self.others.len() as u8
    }

    pub fn shard(&mut self, shard: ShardIndex) -> &mut Sfu {
        match usize::from(shard.0).checked_sub(1) {
            None => &mut self.sfu,
            Some(other) => &mut self.others[other],
        }
    }

    /// Of all shards together.
    pub fn stats(&self) -> Stats {
        self.cores().map(Sfu::stats).sum()
    }

    pub fn senders(&self) -> usize {
        self.cores().map(|core| core.senders.len()).sum()
    }

    /// How a peer is kept where it is connected.
    pub fn peer(&mut self, peer: PeerId) -> &mut Peer {
        let home = self.home(peer);
        self.shard(home).peers.get_mut(&peer).unwrap()
    }

    fn cores(&self) -> impl Iterator<Item = &Sfu> {
        std::iter::once(&self.sfu).chain(&self.others)
    }

    /// Where a peer is connected.
    pub fn home(&self, peer: PeerId) -> ShardIndex {
        let home = self.cores().position(|core| core.peers.contains_key(&peer));
        ShardIndex(home.expect("a connected peer") as u8)
    }

    /// As the server does when a core panicked: a new one, and everybody who was there is told to be gone.
    pub fn restart(&mut self, shard: ShardIndex) {
        let (shards, video, now) = (self.shards(), self.video, self.now);
        let lost: Vec<PeerId> = self.shard(shard).peers.keys().copied().collect();
        *self.shard(shard) = Self::core(shard.0, shards, video, now);
        for peer in lost {
            self.placement.release(peer);
            let reason = CloseReason::Internal;
            let group = GROUP;
            self.events.push((
                now,
                Event::Closed {
                    group,
                    peer,
                    reason,
                },
            ));
        }
        self.drain();
    }

    /// A person joins with six person slots and two screen slots, sends microphone and camera, and is connected.
    pub fn join(&mut self, id: u64) -> PeerId {
        let peer = self.join_unconnected(id, 6, 2, true);
        self.run_until("connected", |world| {
            world.clients[&peer].connected && world.saw_connected(peer)
        });
        peer
    }

    pub fn join_unconnected(
        &mut self,
        id: u64,
        persons: usize,
        screens: usize,
        simulcast: bool,
    ) -> PeerId {
        let peer = PeerId(id);
        let kind = Kind {
            opaque: self.opaque,
            simulcast,
            redundancy: self.redundancy,
            transport: self.transport,
            codec: self.codec,
            describes: self.describes,
        };
        let mut client = Client::new(peer, self.now, kind);
        let sdp = client.offer(persons, screens, false);
        if self.obey_after.is_some() {
            client.obey(Source::Camera, None, VideoCodec::Vp8);
            client.obey(Source::Screen, None, VideoCodec::Vp8);
        }
        self.clients.insert(peer, client);
        self.negotiate(peer, sdp, false).unwrap();
        for source in [Source::Microphone, Source::Camera] {
            self.command(Command::SetUplink {
                peer,
                source,
                state: UplinkState::Live,
                encrypted: self.opaque,
            });
        }
        peer
    }

    pub fn saw_connected(&self, peer: PeerId) -> bool {
        self.events
            .iter()
            .any(|(_, event)| *event == Event::Connected { group: GROUP, peer })
    }

    pub fn negotiate(
        &mut self,
        peer: PeerId,
        sdp: String,
        renegotiate: bool,
    ) -> Result<(), Refusal> {
        let answer = self.request(peer, sdp, renegotiate)?;
        self.clients.get_mut(&peer).unwrap().answered(&answer);
        self.wake(peer);
        Ok(())
    }

    /// An offer whose answer does not reach the client.
    pub fn request(
        &mut self,
        peer: PeerId,
        sdp: String,
        renegotiate: bool,
    ) -> Result<String, Refusal> {
        self.requests += 1;
        let request = RequestId(self.requests);
        let client = &self.clients[&peer];
        let (uplink, slots) = (client.uplink.clone(), client.slots.clone());
        self.command(Command::Negotiate(Box::new(Negotiate {
            peer,
            group: GROUP,
            request,
            sdp,
            uplink,
            slots,
            renegotiate,
            with: vec![],
        })));
        self.answers.remove(&request).expect("an immediate answer")
    }

    pub fn leave(&mut self, peer: PeerId) {
        self.command(Command::Remove { peer });
        self.clients.remove(&peer);
    }

    pub fn bind(
        &mut self,
        peer: PeerId,
        slot: u8,
        generation: u32,
        from: Option<PeerId>,
        video: Option<Size>,
    ) {
        let (slot, generation) = (SlotIndex(slot), Generation(generation));
        self.command(Command::Bind {
            peer,
            slot,
            generation,
            from,
            video,
            ready: generation.0 == 1,
            rank: slot.0,
        });
    }

    pub fn ready(&mut self, peer: PeerId, slot: u8, generation: u32) {
        self.command(Command::SlotReady {
            peer,
            slot: SlotIndex(slot),
            generation: Generation(generation),
        });
    }

    pub fn set_uplink(&mut self, peer: PeerId, source: Source, state: UplinkState) {
        self.command(Command::SetUplink {
            peer,
            source,
            state,
            encrypted: self.opaque,
        });
    }

    pub fn command(&mut self, command: Command) {
        let mut command = command;
        let shard = self.placement.route(&mut command);
        let now = self.now;
        let core = self.shard(shard);
        core.handle_input(now, Input::Command(command));
        self.drain();
    }

    pub fn datagram(&mut self, source: SocketAddr, bytes: &[u8]) {
        self.frame(Transport::Udp, source, bytes);
    }

    pub fn frame(&mut self, transport: Transport, source: SocketAddr, bytes: &[u8]) {
        self.take_in(transport, source, bytes);
        self.drain();
    }

    fn take_in(&mut self, transport: Transport, source: SocketAddr, bytes: &[u8]) {
        let destination = SocketAddr::from(SERVER);
        let datagram = Datagram {
            transport,
            source,
            destination,
            bytes,
        };
        let now = self.now;
        let landed = match transport {
            Transport::Udp => Some(self.landed(source)),
            // As the server does: a connection is for the shard that its first frame names.
            Transport::Tcp => {
                let known = self.streams.get(&source).copied();
                known.or_else(|| shard_of_check(bytes, self.shards()))
            }
        };
        let Some(landed) = landed else { return };
        if transport == Transport::Tcp {
            self.streams.insert(source, landed);
        }
        let core = self.shard(landed);
        core.handle_input(now, Input::Datagram(datagram));
    }

    /// At which shard the kernel would put what comes from this address.
    pub fn landed(&self, source: SocketAddr) -> ShardIndex {
        let mut hash = Random(u64::from(source.port()));
        if let SocketAddr::V4(v4) = source {
            hash.0 += u64::from(v4.ip().to_bits()) << 16;
        }
        ShardIndex(hash.below(u64::from(self.shards())) as u8)
    }

    pub fn client(&mut self, peer: PeerId) -> &mut Client {
        self.clients.get_mut(&peer).unwrap()
    }

    /// That the numbers of a slot's sound go on, with the silences that end it here and there.
    pub fn assert_continuous_sound(&self, description: &str, peer: PeerId, slot: usize) {
        let client = &self.clients[&peer];
        let silences = client.silences.get(&client.slots[slot].audio);
        let silences = silences.into_iter().flatten();
        let mut known = self.audio(peer, slot).to_vec();
        known.sort_by_key(|got| got.sequence);
        for (sequence, timestamp) in silences {
            let after = known.partition_point(|got| got.sequence < *sequence);
            let before = *known.get(after - 1).expect("nothing ends before it began");
            let (sequence, timestamp) = (*sequence, *timestamp);
            known.insert(
                after,
                Got {
                    sequence,
                    timestamp,
                    ..before
                },
            );
        }
        assert_continuous(description, &known);
    }

    /// What a slot's video (or audio) section got, oldest first.
    pub fn video(&self, peer: PeerId, slot: usize) -> &[Got] {
        let client = &self.clients[&peer];
        client
            .received
            .get(&client.slots[slot].video)
            .map_or(&[], Vec::as_slice)
    }

    pub fn audio(&self, peer: PeerId, slot: usize) -> &[Got] {
        let client = &self.clients[&peer];
        client
            .received
            .get(&client.slots[slot].audio)
            .map_or(&[], Vec::as_slice)
    }

    pub fn forget_received(&mut self) {
        self.clients
            .values_mut()
            .for_each(|client| client.received.clear());
    }

    pub fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until) {}
        self.now = until;
    }

    pub fn run_ms(&mut self, ms: u64) {
        self.run(Duration::from_millis(ms));
    }

    pub fn run_until(&mut self, what: &str, done: impl Fn(&World) -> bool) {
        let until = self.now + Duration::from_secs(20);
        while !done(self) {
            assert!(self.step(until), "not {what} after 20 s");
        }
    }

    /// Goes on to the next moment at which something happens. False when there is none until `until`.
    fn step(&mut self, until: Instant) -> bool {
        let clients = self.clients.values().map(|client| client.next);
        let next = clients
            .chain(self.network.next())
            .chain(self.cores().filter_map(Sfu::poll_timeout))
            .chain(self.crossing.front().map(|(at, ..)| *at))
            .chain(self.demanded.iter().map(|(at, ..)| *at))
            .min();
        let Some(next) = next.filter(|next| *next <= until) else {
            return false;
        };
        self.now = self.now.max(next);
        self.obey();
        let mut batch = vec![];
        while let Some(datagram) = self.network.arrived(self.now) {
            if datagram.destination == SocketAddr::from(SERVER) {
                batch.push(datagram);
            } else {
                self.deliver(&datagram);
            }
        }
        // As the server does: all of a batch in, then all out.
        for datagram in &batch {
            self.take_in(datagram.transport, datagram.source, &datagram.bytes);
        }
        let now = self.now;
        for core in std::iter::once(&mut self.sfu).chain(&mut self.others) {
            if core.poll_timeout().is_some_and(|at| at <= now) {
                core.handle_timeout(now);
            }
        }
        self.drain();
        let due: Vec<PeerId> = self
            .clients
            .values()
            .filter(|client| client.next <= self.now)
            .map(|client| client.id)
            .collect();
        for peer in due {
            self.wake(peer);
        }
        true
    }

    fn deliver(&mut self, datagram: &InFlight) {
        if let Some(client) = self
            .clients
            .values_mut()
            .find(|client| client.is_at(datagram.destination))
        {
            client.receive(self.now, datagram);
            let peer = client.id;
            self.wake(peer);
        }
    }

    fn obey(&mut self) {
        let now = self.now;
        let (due, later) = std::mem::take(&mut self.demanded)
            .into_iter()
            .partition(|(at, ..)| *at <= now);
        self.demanded = later;
        let due: Vec<Demanded> = due;
        for (_, peer, source, layers, codec) in due {
            if let Some(client) = self.clients.get_mut(&peer) {
                client.obey(source, layers.as_deref(), codec);
            }
        }
    }

    pub fn wake(&mut self, peer: PeerId) {
        let Some(client) = self.clients.get_mut(&peer) else {
            return;
        };
        for datagram in client.run(self.now, &mut self.ledger) {
            self.network.send(self.now, datagram);
        }
    }

    fn drain(&mut self) {
        loop {
            for shard in (0..self.shards()).map(ShardIndex) {
                self.drain_shard(shard);
            }
            let now = self.now;
            let is_due = |(at, ..): &mut (Instant, _, _, _)| *at <= now;
            let Some((_, from, to, crossing)) = self.crossing.pop_front_if(is_due) else {
                return;
            };
            let input = match crossing {
                Crossing::Message(message) => Input::Pipe { from, message },
                Crossing::Parcel(parcel) => Input::Parcel { from, parcel },
            };
            self.shard(to).handle_input(now, input);
        }
    }

    fn cross(&mut self, from: ShardIndex, to: ShardIndex, crossing: Crossing) {
        let is_media = match &crossing {
            Crossing::Message(message) => message.may_be_dropped(),
            Crossing::Parcel(_) => true,
        };
        if !(is_media && self.is_full) {
            let at = self.now + self.crossing_delay;
            self.crossing.push_back((at, from, to, crossing));
        }
    }

    fn drain_shard(&mut self, shard: ShardIndex) {
        while let Some(output) = self.shard(shard).poll_output() {
            match output {
                Output::Parcel { to, parcel } => {
                    self.cross(shard, to, Crossing::Parcel(parcel));
                }
                Output::Pipe { to, message } => {
                    self.cross(shard, to, Crossing::Message(message));
                }
                Output::Transmit(batch) => {
                    for run in batch.runs() {
                        for datagram in run.datagrams() {
                            let datagram = InFlight {
                                transport: run.transport,
                                source: run.source,
                                destination: run.destination,
                                bytes: datagram.to_vec(),
                            };
                            self.network.send(self.now, datagram);
                        }
                    }
                    self.shard(shard).reuse(batch);
                }
                Output::Event(Event::Negotiated {
                    request, result, ..
                }) => {
                    self.answers.insert(request, result);
                }
                Output::Event(event) => {
                    if let Event::Closed { peer, .. } = &event {
                        self.placement.release(*peer);
                    }
                    if let (
                        Some(after),
                        Event::Demand {
                            peer,
                            source,
                            layers,
                            codec,
                            ..
                        },
                    ) = (self.obey_after, &event)
                    {
                        self.demanded.push((
                            self.now + after,
                            *peer,
                            *source,
                            layers.clone(),
                            *codec,
                        ));
                    }
                    self.events.push((self.now, event));
                }
            }
        }
    }
}

/// That the numbers of a stream go on without gap or repetition, that frames are whole, and that time moves. Every
/// packet but the last few is looked at in the order of its sequence number, since retransmissions come late.
pub fn assert_continuous(description: &str, packets: &[Got]) {
    let mut ordered = packets.to_vec();
    ordered.sort_by_key(|got| got.sequence);
    // The newest may have overtaken others that are still on their way.
    let newest = ordered.last().map_or(0, |got| got.sequence);
    ordered.retain(|got| got.sequence + 12 < newest);
    assert!(ordered.len() > 20, "{description}: too few packets to tell");
    for pair in ordered.windows(2) {
        let [before, after] = pair else {
            unreachable!()
        };
        assert_eq!(
            after.sequence,
            before.sequence + 1,
            "{description}: sequence, {before:?} {after:?}"
        );
        let is_same_frame = (
            before.sent.by,
            before.sent.source,
            before.sent.layer,
            before.sent.frame,
        ) == (
            after.sent.by,
            after.sent.source,
            after.sent.layer,
            after.sent.frame,
        );
        let is_switch = (before.sent.by, before.sent.layer) != (after.sent.by, after.sent.layer);
        let step = after.timestamp.wrapping_sub(before.timestamp);
        if before.sent.source.is_video() {
            assert!(
                is_same_frame || before.marker || is_switch,
                "{description}: a frame ends with its marker, {before:?} {after:?}"
            );
            assert_eq!(
                step == 0,
                is_same_frame,
                "{description}: a timestamp per frame, {before:?} {after:?}"
            );
            let expected = (before.picture_id.unwrap() + u16::from(!is_same_frame)) & 0x7fff;
            assert_eq!(
                after.picture_id.unwrap(),
                expected,
                "{description}: picture, {before:?} {after:?}"
            );
            let is_next = !is_same_frame && after.sent.temporal == 0;
            let expected = before.tl0.unwrap().wrapping_add(u8::from(is_next));
            assert_eq!(
                after.tl0.unwrap(),
                expected,
                "{description}: tl0, {before:?} {after:?}"
            );
        }
        assert!(
            step < 1 << 31,
            "{description}: time goes back, {before:?} {after:?}"
        );
        if is_switch && before.sent.source.is_video() {
            assert!(
                after.sent.keyframe && after.sent.packet == 0,
                "{description}: switch without keyframe"
            );
        }
    }
}
