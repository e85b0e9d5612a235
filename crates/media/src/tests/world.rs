//! A meeting in memory: clients, the network, the core, and a simple room that binds people to each other's slots as
//! the real one does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::client::{Client, Got, Kind, Ledger};
use super::network::{Conditions, InFlight, Network};
use crate::{
    Certificate, Command, Config, Datagram, Event, Generation, GroupId, IngressLimit, Input,
    Negotiate, Output, PeerId, Refusal, RequestId, Sfu, Size, SlotIndex, Source, Transport,
    UplinkState,
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
    pub sfu: Sfu,
    pub clients: BTreeMap<PeerId, Client>,
    pub network: Network,
    pub events: Vec<(Instant, Event)>,
    pub ledger: Ledger,
    pub opaque: bool,
    /// How long clients take to send what is demanded; they do not care while there is none.
    pub obey_after: Option<Duration>,
    demanded: Vec<(Instant, PeerId, Source, Option<Vec<String>>)>,
    /// Whether whoever joins understands redundancy of sound, and sends it.
    pub redundancy: bool,
    answers: BTreeMap<RequestId, Result<String, Refusal>>,
    requests: u64,
}

pub fn config() -> Config {
    static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
    let certificate = CERTIFICATE
        .get_or_init(|| Certificate::generate().unwrap())
        .clone();
    Config {
        candidates: vec![SocketAddr::from(SERVER)],
        certificate,
        ingress: IngressLimit::default(),
        loudest: 5,
    }
}

/// Runs a call with payload in the clear and with payload that is noise.
pub fn twice(conditions: Conditions, call: impl Fn(&mut World)) {
    for opaque in [false, true] {
        call(&mut World::new(conditions, opaque));
    }
}

impl World {
    #[allow(
        clippy::disallowed_methods,
        reason = "one arbitrary instant to count from"
    )]
    pub fn new(conditions: Conditions, opaque: bool) -> Self {
        let now = Instant::now();
        Self {
            now,
            start: now,
            sfu: Sfu::new(config(), now),
            clients: BTreeMap::new(),
            network: Network::new(conditions, 42),
            events: vec![],
            ledger: Ledger::new(),
            opaque,
            obey_after: None,
            demanded: vec![],
            redundancy: false,
            answers: BTreeMap::new(),
            requests: 0,
        }
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
        };
        let mut client = Client::new(peer, self.now, kind);
        let sdp = client.offer(persons, screens, false);
        if self.obey_after.is_some() {
            client.obey(Source::Camera, None);
            client.obey(Source::Screen, None);
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
        self.sfu.handle_input(self.now, Input::Command(command));
        self.drain();
    }

    pub fn datagram(&mut self, source: SocketAddr, bytes: &[u8]) {
        self.take_in(source, bytes);
        self.drain();
    }

    fn take_in(&mut self, source: SocketAddr, bytes: &[u8]) {
        let destination = SocketAddr::from(SERVER);
        let datagram = Datagram {
            transport: Transport::Udp,
            source,
            destination,
            bytes,
        };
        self.sfu.handle_input(self.now, Input::Datagram(datagram));
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
            .chain(self.sfu.poll_timeout())
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
            self.take_in(datagram.source, &datagram.bytes);
        }
        if self.sfu.poll_timeout().is_some_and(|at| at <= self.now) {
            self.sfu.handle_timeout(self.now);
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
            .find(|client| client.address == datagram.destination)
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
        let due: Vec<(Instant, PeerId, Source, Option<Vec<String>>)> = due;
        for (_, peer, source, layers) in due {
            if let Some(client) = self.clients.get_mut(&peer) {
                client.obey(source, layers.as_deref());
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
        while let Some(output) = self.sfu.poll_output() {
            match output {
                Output::Transmit(batch) => {
                    for run in batch.runs() {
                        for datagram in run.datagrams() {
                            let datagram = InFlight {
                                source: run.source,
                                destination: run.destination,
                                bytes: datagram.to_vec(),
                            };
                            self.network.send(self.now, datagram);
                        }
                    }
                    self.sfu.reuse(batch);
                }
                Output::Event(Event::Negotiated {
                    request, result, ..
                }) => {
                    self.answers.insert(request, result);
                }
                Output::Event(event) => {
                    if let (
                        Some(after),
                        Event::Demand {
                            peer,
                            source,
                            layers,
                            ..
                        },
                    ) = (self.obey_after, &event)
                    {
                        self.demanded
                            .push((self.now + after, *peer, *source, layers.clone()));
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
