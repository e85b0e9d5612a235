//! The media thread over real sockets: two clients connect, hear each other, and the thread ends when it should.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
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
        loudest: 5,
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

struct Client {
    rtc: Rtc,
    socket: UdpSocket,
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
        let address = socket.local_addr().expect("an address");
        let mut rtc = Rtc::builder()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .set_rtp_mode(true)
            .build(Instant::now());
        rtc.add_local_candidate(Candidate::host(address, "udp").expect("a candidate"));
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
            socket,
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
        let mut buffer = [0; 2_000];
        self.socket
            .set_read_timeout(Some(Duration::from_millis(2)))
            .expect("a timeout");
        if let Ok((length, source)) = self.socket.recv_from(&mut buffer) {
            let received = Receive::new(Protocol::Udp, source, self.address, &buffer[..length])
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
                Output::Transmit(datagram) => {
                    let _ = self
                        .socket
                        .send_to(&datagram.contents, datagram.destination);
                }
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
            let mut buffer = [0; 2_000];
            port = self
                .socket
                .peek_from(&mut buffer)
                .ok()
                .map(|(_, from)| from.port());
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

#[test]
fn a_taken_port_is_one_sentence_that_names_it() {
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
        let refused = start(Settings {
            port,
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
    let (handle, mut events, thread) =
        start(settings(&[IpAddr::from(Ipv4Addr::LOCALHOST)])).expect("a start");
    let other = handle.clone();
    drop(handle);
    assert!(!thread.is_finished());
    drop(other);
    thread.join().expect("an orderly end");
    assert_eq!(events.blocking_recv(), None);
}
