//! The whole core with clients of the targets' own around it, and what must hold after each step, whatever was sent: no
//! answer to an unproven address, no number sealed twice, bounded tables, counters that add up, timers that advance.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use str0m::crypto::CryptoProvider;
use str0m::ice::{StunMessage, TransId};

use super::handshake;
use super::watch::Watch;
use crate::bandwidth::{MAX_BPS, MIN_BPS};
use crate::{
    Certificate, Command, Config, Datagram, Event, GroupId, IngressLimit, Input, Negotiate, Output,
    PeerId, Refusal, RequestId, Sfu, ShardIndex, SlotKind, SlotMids, Source, Stats, Transport,
    UplinkMids, UplinkState, VideoCodec,
};

pub(crate) const SERVER: ([u8; 4], u16) = ([192, 0, 2, 1], 10_000);
pub(crate) const GROUP: GroupId = GroupId(1);
/// Calls for one moment after which something has to lie in the future.
pub(crate) const CALLS_PER_MOMENT: usize = 64;
/// Steps of time between two inputs; a connection has some in each second.
pub(crate) const STEPS: usize = 20_000;
/// For each peer, as `demux`, `peer` and `sfu` promise.
pub(crate) const ADDRESSES: usize = 16;
pub(crate) const CREDENTIALS: usize = 2;
pub(crate) const STREAMS: usize = 20;
pub(crate) const TIMERS: usize = 2;

pub(crate) struct Stage {
    pub now: Instant,
    pub sfu: Sfu,
    pub clients: Vec<Client>,
    pub events: Vec<Event>,
    pub watch: Watch,
    /// What is known to have gone in and out.
    fed: Stats,
    requests: u64,
}

pub(crate) struct Client {
    pub id: PeerId,
    pub address: SocketAddr,
    pub ufrag: String,
    pub password: String,
    /// The streams of its slots, and those for what is sent again, in the order of the answer.
    pub ssrcs: Vec<u32>,
    /// Transport-wide number of the newest packet that came.
    pub newest: u16,
}

/// The least that the core takes for an offer, with layers and with everything that it negotiates.
pub(crate) fn offer(
    persons: usize,
    screens: usize,
    ufrag: &str,
) -> (String, UplinkMids, Vec<SlotMids>) {
    let sections = 4 + 2 * (persons + screens);
    let mids: Vec<String> = (0..sections).map(|mid| mid.to_string()).collect();
    let mut sdp = format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\na=msid-semantic: WMS\r\n",
        mids.join(" ")
    );
    let kinds = ["audio", "video", "video", "audio"].into_iter();
    let kinds = kinds.chain(["audio", "video"].into_iter().cycle());
    for (index, (mid, kind)) in mids.iter().zip(kinds).enumerate() {
        let direction = if index < 4 { "sendonly" } else { "recvonly" };
        let formats = if kind == "audio" { "111 63" } else { "96 97" };
        sdp.push_str(&format!(
            "m={kind} 9 UDP/TLS/RTP/SAVPF {formats}\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:{ufrag}\r\n\
             a=ice-pwd:client-password-of-24-ch\r\na=fingerprint:sha-256 {}\r\na=setup:actpass\r\na=mid:{mid}\r\n\
             a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
             a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n",
            handshake::fingerprint()
        ));
        sdp.push_str(match kind {
            "audio" => {
                "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=rtpmap:111 opus/48000/2\r\n\
                 a=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\n\
                 a=fmtp:63 111/111\r\n"
            }
            _ => {
                "a=extmap:13 urn:3gpp:video-orientation\r\na=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n\
                 a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\na=rtpmap:96 VP8/90000\r\n\
                 a=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n\
                 a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
            }
        });
        sdp.push_str(&format!("a={direction}\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"));
        if index == 1 {
            sdp.push_str(
                "a=rid:q send\r\na=rid:h send\r\na=rid:f send\r\na=simulcast:send q;h;f\r\n",
            );
        }
    }
    let (uplink, slots) = names(&mids, persons);
    (sdp, uplink, slots)
}

/// The first four sections go up; pairs of audio and video come down, those for people first.
pub(crate) fn names(mids: &[String], persons: usize) -> (UplinkMids, Vec<SlotMids>) {
    let mid = |index: usize| mids.get(index).cloned().unwrap_or_default();
    let uplink = UplinkMids {
        microphone: mid(0),
        camera: mid(1),
        screen: mid(2),
        screen_audio: mid(3),
    };
    let pairs = mids.get(4..).unwrap_or_default().chunks_exact(2);
    let slots = pairs.enumerate().map(|(index, pair)| SlotMids {
        kind: match index < persons {
            true => SlotKind::Person,
            false => SlotKind::Screen,
        },
        audio: pair[0].clone(),
        video: pair[1].clone(),
    });
    (uplink, slots.collect())
}

pub(crate) fn config() -> Config {
    static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
    let certificate = CERTIFICATE
        .get_or_init(|| Certificate::generate().expect("a certificate"))
        .clone();
    Config {
        video: VideoCodec::Vp9,
        candidates: vec![SocketAddr::from(SERVER)],
        tcp_candidates: vec![SocketAddr::from(SERVER)],
        certificate,
        ingress: IngressLimit::default(),
        loudest: 5,
        shard: ShardIndex(0),
        shards: 1,
    }
}

impl Client {
    pub fn new(id: PeerId, answer: &str) -> Self {
        let mut client = Self {
            id,
            address: SocketAddr::from(([198, 51, 100, id.0 as u8], 4_000)),
            ufrag: String::new(),
            password: String::new(),
            ssrcs: vec![],
            newest: 0,
        };
        client.answered(answer);
        client
    }

    fn answered(&mut self, answer: &str) {
        let value = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name));
        self.ufrag = value("a=ice-ufrag:").expect("a user fragment").to_owned();
        self.password = value("a=ice-pwd:").expect("a password").to_owned();
        let ssrcs = answer.lines().filter_map(|line| {
            let ssrc = line.strip_prefix("a=ssrc:")?.split(' ').next()?;
            ssrc.parse().ok()
        });
        self.ssrcs = ssrcs.collect();
        self.ssrcs.dedup();
    }

    /// A connectivity check as browsers send it.
    pub fn check(&self, crypto: &CryptoProvider, nominates: bool) -> Vec<u8> {
        let username = format!("{}:client", self.ufrag);
        let message =
            StunMessage::binding_request(&username, TransId::new(), true, 1, 1_000, nominates);
        let hmac = |key: &[u8], parts: &[&[u8]]| crypto.sha1_hmac_provider.sha1_hmac(key, parts);
        let mut bytes = vec![0; 300];
        let password = Some(self.password.as_bytes());
        let length = message.to_bytes(password, &mut bytes, hmac);
        bytes.truncate(length.expect("a check is short"));
        bytes
    }
}

impl Stage {
    #[allow(
        clippy::disallowed_methods,
        reason = "one arbitrary instant to count from"
    )]
    pub fn new(crypto: CryptoProvider) -> Self {
        let now = Instant::now();
        let mut sfu = Sfu::new(config(), now);
        sfu.crypto = Arc::new(crypto);
        Self {
            now,
            sfu,
            clients: vec![],
            events: vec![],
            watch: Watch::default(),
            fed: Stats::default(),
            requests: 0,
        }
    }

    pub fn join(&mut self) -> usize {
        let number = self.clients.len() + 1;
        let (sdp, uplink, slots) = offer(2, 1, "client");
        let id = PeerId(number as u64);
        let answer = self.negotiate(id, sdp, uplink, slots, false);
        let answer = answer.expect("an offer of ours is answered");
        self.clients.push(Client::new(id, &answer));
        number - 1
    }

    pub fn negotiate(
        &mut self,
        peer: PeerId,
        sdp: String,
        uplink: UplinkMids,
        slots: Vec<SlotMids>,
        renegotiate: bool,
    ) -> Result<String, Refusal> {
        self.requests += 1;
        let request = RequestId(self.requests);
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
        let answer = self.events.iter().rev().find_map(|event| match event {
            Event::Negotiated {
                request: answered,
                result,
                ..
            } if *answered == request => Some(result.clone()),
            _ => None,
        });
        answer.expect("every offer is answered at once")
    }

    /// New ICE credentials, and the same sections.
    pub fn restart(&mut self, client: usize, ufrag: &str) {
        let (sdp, uplink, slots) = offer(2, 1, ufrag);
        let id = self.clients[client].id;
        if let Ok(answer) = self.negotiate(id, sdp, uplink, slots, true) {
            self.clients[client].answered(&answer);
        }
    }

    pub fn check(&self, client: usize, nominates: bool) -> Vec<u8> {
        self.clients[client].check(&self.sfu.crypto, nominates)
    }

    pub fn prove(&mut self, client: usize, address: SocketAddr) {
        let check = self.check(client, true);
        self.watch.proves(address);
        self.datagram(address, &check);
    }

    /// Address, handshake, and everything live. Only with the handshake that is skipped.
    pub fn connect(&mut self, client: usize) {
        let (id, address) = (self.clients[client].id, self.clients[client].address);
        self.prove(client, address);
        self.datagram(address, handshake::RECORD);
        let connected = Event::Connected {
            group: GROUP,
            peer: id,
        };
        assert!(self.events.contains(&connected), "{:?}", self.events);
        for source in Source::ALL {
            self.command(Command::SetUplink {
                peer: id,
                source,
                state: UplinkState::Live,
                encrypted: false,
            });
        }
    }

    pub fn datagram(&mut self, source: SocketAddr, bytes: &[u8]) {
        self.fed.datagrams_in += 1;
        self.fed.bytes_in += bytes.len() as u64;
        let datagram = Datagram {
            transport: Transport::Udp,
            source,
            destination: SocketAddr::from(SERVER),
            bytes,
        };
        self.sfu.handle_input(self.now, Input::Datagram(datagram));
        self.drain();
    }

    pub fn command(&mut self, command: Command) {
        self.sfu.handle_input(self.now, Input::Command(command));
        self.drain();
    }

    pub fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        let mut steps = 0;
        let mut calls = 0;
        while let Some(next) = self.sfu.poll_timeout().filter(|next| *next <= until) {
            calls = if next > self.now { 0 } else { calls + 1 };
            assert!(calls < CALLS_PER_MOMENT, "time stands still");
            steps += 1;
            assert!(steps < STEPS, "time hardly passes");
            self.now = self.now.max(next);
            self.sfu.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    fn drain(&mut self) {
        while let Some(output) = self.sfu.poll_output() {
            let batch = match output {
                Output::Transmit(batch) => batch,
                Output::Parcel { .. } | Output::Pipe { .. } => {
                    unreachable!("there is no other shard")
                }
                Output::Event(event) => {
                    self.events.push(event);
                    continue;
                }
            };
            for run in batch.runs() {
                for datagram in run.datagrams() {
                    self.fed.datagrams_out += 1;
                    self.fed.bytes_out += datagram.len() as u64;
                    self.sent(run.destination, datagram);
                }
            }
            self.sfu.reuse(batch);
        }
        self.check_sizes();
    }

    fn sent(&mut self, to: SocketAddr, datagram: &[u8]) {
        let number = self.watch.sent(to, datagram);
        if let Some(number) = number
            && let Some(client) = self.clients.iter_mut().find(|client| client.address == to)
        {
            client.newest = number;
        }
    }

    fn check_sizes(&self) {
        let stats = self.sfu.stats();
        assert_eq!(stats.panics, 0, "a panic inside");
        assert_eq!(
            (stats.datagrams_in, stats.bytes_in),
            (self.fed.datagrams_in, self.fed.bytes_in)
        );
        assert_eq!(
            (stats.datagrams_out, stats.bytes_out),
            (self.fed.datagrams_out, self.fed.bytes_out)
        );
        let dropped = [
            stats.dropped_malformed,
            stats.dropped_unknown_address,
            stats.dropped_unauthentic,
            stats.dropped_over_limit,
        ];
        assert!(dropped.iter().sum::<u64>() <= stats.datagrams_in);
        assert!(stats.addresses <= ADDRESSES * stats.peers, "{stats:?}");
        assert!(stats.ufrags <= CREDENTIALS * stats.peers, "{stats:?}");
        assert!(stats.ssrcs <= STREAMS * stats.peers, "{stats:?}");
        assert!(stats.timers <= TIMERS * stats.peers, "{stats:?}");
        assert!(stats.peers <= self.clients.len() + 1, "{stats:?}");
        for peer in self.sfu.peers.values() {
            let Some(bandwidth) = &peer.egress.bandwidth else {
                continue;
            };
            let bps = bandwidth.estimate_bps() as f64;
            assert!((MIN_BPS - 1.0..=MAX_BPS).contains(&bps), "{bps} bit/s");
            assert!((0.0..=1.0).contains(&bandwidth.loss()));
        }
    }

    /// When all are gone, nothing of them is left.
    pub fn end(mut self) {
        for client in 0..self.clients.len() {
            let peer = self.clients[client].id;
            self.command(Command::Remove { peer });
        }
        let stats = self.sfu.stats();
        let left: BTreeMap<&str, usize> = [
            ("peers", stats.peers),
            ("groups", stats.groups),
            ("addresses", stats.addresses),
            ("ufrags", stats.ufrags),
            ("ssrcs", stats.ssrcs),
            ("subscriptions", stats.subscriptions),
            ("timers", stats.timers),
        ]
        .into();
        assert!(left.values().all(|size| *size == 0), "{left:?}");
        assert_eq!(self.sfu.poll_timeout(), None);
    }
}
