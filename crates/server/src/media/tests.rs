//! The media threads over real sockets: clients connect, hear each other, and the threads end when they should.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::media::{
    Certificate, Command, Event, Generation, GroupId, Negotiate, PeerId, RequestId, SlotIndex,
    SlotKind, SlotMids, Source, UplinkMids, UplinkState,
};
use str0m::change::SdpAnswer;
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Input, Output, Rtc};

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

fn settings(addresses: &[IpAddr]) -> Settings {
    Settings {
        port: 0,
        addresses: addresses.to_vec(),
        also_tcp: vec![],
        video: ::media::VideoCodec::Vp8,
        loudest: 5,
        shards: 1,
        spread: 50,
        certificate: Certificate::generate().expect("a certificate"),
    }
}

fn event(events: &mut Events) -> Event {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let next = async { tokio::time::timeout(PATIENCE, events.recv()).await };
    runtime
        .block_on(next)
        .expect("an event in time")
        .expect("a living thread")
}

/// How a client and the server reach each other.
enum Line {
    Udp(UdpSocket),
    Tcp { stream: TcpStream, came: Vec<u8> },
}

impl Line {
    fn send(&mut self, datagram: &str0m::net::Transmit) {
        match self {
            Self::Udp(socket) => {
                let _ = socket.send_to(&datagram.contents, datagram.destination);
            }
            Self::Tcp { stream, .. } => {
                let mut frame = vec![];
                ::media::put_frame(&datagram.contents, &mut frame);
                let _ = stream.write_all(&frame);
            }
        }
    }

    /// What comes within a few milliseconds, and from where.
    fn receive(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut buffer = [0; 20_000];
        match self {
            Self::Udp(socket) => {
                let came = socket.recv_from(&mut buffer).ok();
                let came = came.map(|(length, source)| (source, buffer[..length].to_vec()));
                came.into_iter().collect()
            }
            Self::Tcp { stream, came } => {
                let read = stream.read(&mut buffer).unwrap_or(0);
                came.extend(&buffer[..read]);
                let whole = ::media::whole_frames(came).expect("frames");
                let source = stream.peer_addr().expect("a connection");
                let whole: Vec<u8> = came.drain(..whole).collect();
                ::media::frames(&whole)
                    .map(|frame| (source, frame.to_vec()))
                    .collect()
            }
        }
    }

    fn protocol(&self) -> Protocol {
        match self {
            Self::Udp(_) => Protocol::Udp,
            Self::Tcp { .. } => Protocol::Tcp,
        }
    }
}

struct Client {
    rtc: Rtc,
    line: Line,
    address: SocketAddr,
    microphone: Mid,
    sequence: u64,
    connected: bool,
    heard: Vec<Vec<u8>>,
}

impl Client {
    /// Offers to the thread and takes its answer.
    fn join(peer: u64, address: IpAddr, handle: &MediaHandle, events: &mut Events) -> Self {
        let socket = UdpSocket::bind((address, 0)).expect("a socket");
        let patience = Some(Duration::from_millis(2));
        socket.set_read_timeout(patience).expect("a timeout");
        let address = socket.local_addr().expect("an address");
        Self::join_over(Line::Udp(socket), address, peer, handle, events)
    }

    /// As `join`, over the TCP connection that the answer offers last.
    fn join_over_tcp(
        peer: u64,
        server: SocketAddr,
        handle: &MediaHandle,
        events: &mut Events,
    ) -> Self {
        let stream = TcpStream::connect(server).expect("a connection");
        let patience = Some(Duration::from_millis(2));
        stream.set_read_timeout(patience).expect("a timeout");
        let address = stream.local_addr().expect("an address");
        let line = Line::Tcp {
            stream,
            came: vec![],
        };
        Self::join_over(line, address, peer, handle, events)
    }

    fn join_over(
        line: Line,
        address: SocketAddr,
        peer: u64,
        handle: &MediaHandle,
        events: &mut Events,
    ) -> Self {
        let mut rtc = Rtc::builder()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .set_rtp_mode(true)
            .build(Instant::now());
        let own = Candidate::host(address, line.protocol()).expect("a candidate");
        rtc.add_local_candidate(own);
        let mut api = rtc.sdp_api();
        let mut section = |kind, direction| api.add_media(kind, direction, None, None, None);
        let microphone = section(MediaKind::Audio, Direction::SendOnly);
        let uplink = UplinkMids {
            microphone: microphone.to_string(),
            camera: section(MediaKind::Video, Direction::SendOnly).to_string(),
            screen: section(MediaKind::Video, Direction::SendOnly).to_string(),
            screen_audio: section(MediaKind::Audio, Direction::SendOnly).to_string(),
        };
        let slots = vec![SlotMids {
            kind: SlotKind::Person,
            audio: section(MediaKind::Audio, Direction::RecvOnly).to_string(),
            video: section(MediaKind::Video, Direction::RecvOnly).to_string(),
        }];
        let (offer, pending) = api.apply().expect("an offer");
        let negotiate = Negotiate {
            peer: PeerId(peer),
            group: GroupId(1),
            request: RequestId(peer),
            sdp: offer.to_sdp_string(),
            uplink,
            slots,
            renegotiate: false,
            with: vec![],
        };
        handle
            .send(Command::Negotiate(Box::new(negotiate)))
            .expect("a living thread");
        let answer = loop {
            if let Event::Negotiated { result, .. } = event(events) {
                break result.expect("an answer");
            }
        };
        let answer = SdpAnswer::from_sdp_string(&answer).expect("SDP");
        rtc.sdp_api()
            .accept_answer(pending, answer)
            .expect("an answer that fits");
        Self {
            rtc,
            line,
            address,
            microphone,
            sequence: 0,
            connected: false,
            heard: vec![],
        }
    }

    /// Sends and receives for a few milliseconds.
    fn step(&mut self, say: Option<&[u8]>) {
        if let Some(words) = say.filter(|_| self.connected) {
            let params = self.rtc.codec_config().params().iter();
            let opus = params
                .clone()
                .find(|params| params.spec().codec == Codec::Opus)
                .expect("Opus")
                .pt();
            self.sequence += 1;
            let time = self.sequence as u32 * 960;
            let write = RtpWrite::new(
                opus,
                self.sequence.into(),
                time,
                Instant::now(),
                words.to_vec(),
            );
            self.rtc
                .direct_api()
                .stream_tx_by_mid(self.microphone, None)
                .expect("a stream")
                .write_rtp(write);
        }
        self.rtc
            .handle_input(Input::Timeout(Instant::now()))
            .expect("a living client");
        self.drain();
        for (source, bytes) in self.line.receive() {
            let received = Receive::new(self.line.protocol(), source, self.address, &bytes)
                .expect("a datagram");
            self.rtc
                .handle_input(Input::Receive(Instant::now(), received))
                .expect("a living client");
            self.drain();
        }
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().expect("a living client") {
                Output::Timeout(_) => return,
                Output::Transmit(datagram) => self.line.send(&datagram),
                Output::Event(str0m::Event::Connected) => self.connected = true,
                Output::Event(str0m::Event::RtpPacket(packet)) => {
                    self.heard.push(packet.payload.to_vec())
                }
                Output::Event(_) => {}
            }
        }
    }
}

/// Two people over real sockets, each at an address of the given family.
fn check_call(address: IpAddr) {
    let (handle, mut events, thread) = start(settings(&[address])).expect("a start");
    let mut a = Client::join(1, address, &handle, &mut events);
    let mut b = Client::join(2, address, &handle, &mut events);
    for (peer, from) in [(1, 2), (2, 1)] {
        let (peer, from) = (PeerId(peer), Some(PeerId(from)));
        let state = UplinkState::Live;
        handle
            .send(Command::SetUplink {
                peer,
                source: Source::Microphone,
                state,
                encrypted: false,
            })
            .expect("a living thread");
        let (slot, generation) = (SlotIndex(0), Generation(1));
        let bind = Command::Bind {
            peer,
            slot,
            generation,
            from,
            video: None,
            ready: true,
            rank: 0,
        };
        handle.send(bind).expect("a living thread");
    }
    let until = Instant::now() + PATIENCE;
    while a.heard.len() < 20 || b.heard.len() < 20 {
        assert!(
            Instant::now() < until,
            "heard {} and {} packets",
            a.heard.len(),
            b.heard.len()
        );
        a.step(Some(b"from a"));
        b.step(Some(b"from b"));
    }
    assert!(a.heard.iter().all(|words| words == b"from b"));
    assert!(b.heard.iter().all(|words| words == b"from a"));

    let stranger = UdpSocket::bind((address, 0)).expect("a socket");
    let port = a.rtc_peer_port();
    stranger
        .send_to(b"\xffgarbage", (address, port))
        .expect("sent");
    let before = handle.stats().dropped_malformed;
    while handle.stats().dropped_malformed == before {
        assert!(Instant::now() < until, "garbage was not counted");
        a.step(None);
    }
    drop(handle);
    thread.join().expect("an orderly end");
    let connected = std::iter::from_fn(|| events.blocking_recv());
    assert_eq!(
        connected
            .filter(|event| matches!(event, Event::Connected { .. }))
            .count(),
        2
    );
}

impl Client {
    /// The port of the server, as the answer named it.
    fn rtc_peer_port(&mut self) -> u16 {
        let mut port = None;
        let until = Instant::now() + PATIENCE;
        while port.is_none() {
            assert!(Instant::now() < until, "nothing comes from the server");
            port = self.line.receive().first().map(|(from, _)| from.port());
        }
        port.unwrap_or_default()
    }
}

#[test]
fn two_people_hear_each_other_over_ipv4() {
    check_call(IpAddr::from(Ipv4Addr::LOCALHOST));
}

#[test]
fn two_people_hear_each_other_over_ipv6_where_there_is_any() {
    if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        check_call(IpAddr::from(Ipv6Addr::LOCALHOST));
    }
}

fn send(handle: &MediaHandle, command: Command) {
    handle.send(command).expect("living threads");
}

/// From now on `peer` gets `from` in its only slot.
fn bind_to(handle: &MediaHandle, peer: u64, generation: u32, from: u64) {
    send(
        handle,
        Command::Bind {
            peer: PeerId(peer),
            slot: SlotIndex(0),
            generation: Generation(generation),
            from: Some(PeerId(from)),
            video: None,
            ready: true,
            rank: 0,
        },
    );
}

fn unmute(handle: &MediaHandle, peer: u64) {
    send(
        handle,
        Command::SetUplink {
            peer: PeerId(peer),
            source: Source::Microphone,
            state: UplinkState::Live,
            encrypted: false,
        },
    );
}

/// Until all of them have heard so much more.
fn talk(clients: &mut [(u64, Client)]) {
    clients
        .iter_mut()
        .for_each(|(_, client)| client.heard.clear());
    let until = Instant::now() + PATIENCE;
    while clients.iter().any(|(_, client)| client.heard.len() < 10) {
        let heard: Vec<usize> = clients
            .iter()
            .map(|(_, client)| client.heard.len())
            .collect();
        assert!(Instant::now() < until, "heard {heard:?} packets");
        for (peer, client) in clients.iter_mut() {
            client.step(Some(format!("from {peer}").as_bytes()));
        }
    }
}

fn on_three_threads() -> (MediaHandle, Events, Threads) {
    let settings = Settings {
        shards: 3,
        spread: 1,
        ..settings(&[IpAddr::from(Ipv4Addr::LOCALHOST)])
    };
    start(settings).expect("a start")
}

#[test]
fn people_on_three_threads_hear_each_other_wherever_their_datagrams_land() {
    let localhost = IpAddr::from(Ipv4Addr::LOCALHOST);
    let (handle, mut events, threads) = on_three_threads();
    let mut clients: Vec<(u64, Client)> = vec![];
    // Where datagrams land is the kernel's to say: people come until some are not where they belong.
    while clients.len() < 4 || handle.stats().handed_over == 0 {
        let peer = clients.len() as u64 + 1;
        assert!(peer < 40, "forty ports that all lead to the right thread");
        clients.push((peer, Client::join(peer, localhost, &handle, &mut events)));
        unmute(&handle, peer);
        bind_to(&handle, peer, 1, peer - 1);
        bind_to(&handle, 1, peer as u32, peer);
        let until = Instant::now() + PATIENCE;
        let told = |handle: &MediaHandle| handle.stats().peers == peer as usize;
        while !clients.iter().all(|(_, client)| client.connected) || !told(&handle) {
            assert!(Instant::now() < until, "not connected");
            clients.iter_mut().for_each(|(_, client)| client.step(None));
        }
    }
    // The loudest five, and those are the first.
    let mut first: Vec<(u64, Client)> = clients.drain(..4).collect();
    bind_to(&handle, 1, 100, 4);
    talk(&mut first);
    for (peer, client) in &first {
        let from = if *peer == 1 { 4 } else { peer - 1 };
        let words = format!("from {from}").into_bytes();
        assert!(client.heard.iter().all(|heard| *heard == words), "{peer}");
    }
    let loads = handle.loads();
    let peers: Vec<usize> = loads.iter().map(|load| load.stats.peers).collect();
    assert!(peers.iter().all(|peers| *peers > 0), "{peers:?}");
    let until = Instant::now() + PATIENCE;
    while handle.stats().piped_packets == 0 {
        assert!(Instant::now() < until, "the threads say nothing of it");
        talk(&mut first);
    }
    drop(handle);
    threads.join().expect("an orderly end");
}

#[test]
fn a_bug_in_one_thread_costs_its_people_their_connections_and_nobody_else() {
    let localhost = IpAddr::from(Ipv4Addr::LOCALHOST);
    let (handle, mut events, threads) = on_three_threads();
    let mut clients = vec![];
    for peer in 1..=3 {
        clients.push((peer, Client::join(peer, localhost, &handle, &mut events)));
        unmute(&handle, peer);
    }
    for (peer, from) in [(1, 2), (2, 3), (3, 1)] {
        bind_to(&handle, peer, 1, from);
    }
    talk(&mut clients);
    handle.break_shard(1);
    let closed = loop {
        if let Event::Closed { peer, reason, .. } = event(&mut events) {
            break (peer, reason);
        }
    };
    assert_eq!(closed, (PeerId(2), ::media::CloseReason::Internal));
    clients.remove(1);
    bind_to(&handle, 1, 2, 3);
    talk(&mut clients);
    // And who comes back, to the thread where there is room, finds all others.
    clients.push((4, Client::join(4, localhost, &handle, &mut events)));
    unmute(&handle, 4);
    bind_to(&handle, 4, 1, 1);
    bind_to(&handle, 1, 3, 4);
    talk(&mut clients);
    let stats = handle.loads().into_iter().map(|load| load.stats.peers);
    assert!(stats.sum::<usize>() <= 4);
    drop(handle);
    threads.join().expect("an orderly end");
}

/// Takes connections in, for as long as it lives.
fn taking_connections(handle: &MediaHandle) -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    handle.tcp().listen().expect("listeners");
    runtime
}

#[test]
fn people_on_three_threads_meet_over_tcp_and_udp() {
    let localhost = IpAddr::from(Ipv4Addr::LOCALHOST);
    let (handle, mut events, threads) = on_three_threads();
    let runtime = taking_connections(&handle);
    let server = handle.tcp().addresses().next().expect("a listener");
    let server = SocketAddr::new(localhost, server.port());
    let mut clients = vec![];
    for peer in 1..=4 {
        let client = match peer {
            1 => Client::join(peer, localhost, &handle, &mut events),
            _ => Client::join_over_tcp(peer, server, &handle, &mut events),
        };
        clients.push((peer, client));
        unmute(&handle, peer);
    }
    for (peer, from) in [(1, 2), (2, 3), (3, 4), (4, 1)] {
        bind_to(&handle, peer, 1, from);
    }
    talk(&mut clients);
    for (peer, client) in &clients {
        let words = format!("from {}", peer % 4 + 1).into_bytes();
        assert!(client.heard.iter().all(|heard| *heard == words), "{peer}");
    }
    assert_eq!(handle.tcp().numbers().open, 3);
    let until = Instant::now() + PATIENCE;
    let is_busy = |load: &Load| load.stats.peers > 0;
    while !handle.loads().iter().all(is_busy) {
        assert!(Instant::now() < until, "not all threads have somebody");
    }

    handle.break_shard(1);
    let closed = loop {
        if let Event::Closed { peer, .. } = event(&mut events) {
            break peer.0;
        }
    };
    while handle.tcp().numbers().open == 3 {
        assert!(
            Instant::now() < until,
            "the connections of a broken thread stay"
        );
    }
    clients.retain(|(peer, _)| *peer != closed);
    // Whoever is left hears somebody who is left.
    let left: Vec<u64> = clients.iter().map(|(peer, _)| *peer).collect();
    for (at, peer) in left.iter().enumerate() {
        bind_to(&handle, *peer, 2, left[(at + 1) % left.len()]);
    }
    talk(&mut clients);
    drop(handle);
    threads.join().expect("an orderly end");
    drop(runtime);
}

#[test]
fn a_taken_port_is_one_sentence_that_names_it() {
    let refuses = |port: u16, address: IpAddr, shards: u8| {
        let refused = start(Settings {
            port,
            shards,
            ..settings(&[address])
        })
        .err()
        .expect("a refusal")
        .to_string();
        assert!(
            refused.contains(&port.to_string()) && refused.contains("media.port"),
            "{refused}"
        );
        assert_eq!(refused.lines().count(), 1);
    };
    for address in [
        IpAddr::from(Ipv4Addr::LOCALHOST),
        IpAddr::from(Ipv6Addr::LOCALHOST),
    ] {
        let wildcard = match address {
            IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        };
        let Ok(taken) = UdpSocket::bind((wildcard, 0)) else {
            continue;
        };
        let port = taken.local_addr().expect("an address").port();
        refuses(port, address, 1);
        refuses(port, address, 3);
        drop(taken);
        // Another house of the same person, which shares the port among its own threads.
        let settings = Settings {
            port,
            shards: 2,
            ..settings(&[address])
        };
        let (_handle, _events, _threads) = start(settings).expect("a start");
        refuses(port, address, 1);
        refuses(port, address, 3);
    }
}

#[test]
fn no_address_and_a_broken_certificate_end_the_start() {
    assert!(
        start(settings(&[]))
            .err()
            .expect("a refusal")
            .to_string()
            .contains("media.addresses")
    );
    let broken = Certificate {
        certificate: vec![1],
        private_key: vec![2],
    };
    let localhost = IpAddr::from(Ipv4Addr::LOCALHOST);
    let refused = start(Settings {
        certificate: broken,
        ..settings(&[localhost])
    });
    assert!(
        refused
            .err()
            .expect("a refusal")
            .to_string()
            .contains("certificate")
    );
}

#[test]
fn the_thread_ends_with_the_last_handle() {
    for shards in [1, 3] {
        let settings = Settings {
            shards,
            ..settings(&[IpAddr::from(Ipv4Addr::LOCALHOST)])
        };
        let (handle, mut events, threads) = start(settings).expect("a start");
        let other = handle.clone();
        drop(handle);
        assert_eq!(threads.0.len(), usize::from(shards));
        assert!(threads.0.iter().all(|thread| !thread.is_finished()));
        drop(other);
        threads.join().expect("an orderly end");
        assert_eq!(events.blocking_recv(), None);
    }
}
