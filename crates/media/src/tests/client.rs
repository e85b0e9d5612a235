//! A participant without a browser: sends a camera in three layers, a screen and sounds, and writes down what comes.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::{Codec, PayloadParams};
use str0m::media::{Direction, MediaKind, Mid, Pt, Rid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive, TcpType};
use str0m::rtp::{
    ExtensionMap, ExtensionValues, RedDecoder, RedEncoder, RedundantBlock, RtpWrite, Vp8Descriptor,
};
use str0m::{Candidate, Event, Input, Output, Rtc};

use super::described::{self, descriptor};
use super::network::{InFlight, Random};
use crate::described::{Bytes, extension};
use crate::vp9;
use crate::{PeerId, SlotKind, SlotMids, Source, Transport, UplinkMids, VideoCodec};

pub const FRAME: Duration = Duration::from_millis(33);
pub const RIDS: [&str; 3] = ["q", "h", "f"];
/// Packets per frame of each layer, and bytes of each; the last is for a camera without layers and for screens.
pub type Shape = [(u64, usize); 3];
pub const LIGHT: Shape = [(1, 200), (2, 200), (4, 200)];
/// As heavy as what browsers send: some 150, 500 and 1 500 kbit/s.
pub const HEAVY: Shape = [(1, 600), (2, 1_000), (6, 1_000)];
/// The first byte of what Chromium sends of a voice.
const OPUS_20_MS: u8 = 0x78;
const SIZES: [(u16, u16); 3] = [(320, 180), (640, 360), (1280, 720)];

/// What a payload was sent as. Looked up by the payload itself, so it works for noise too.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub by: PeerId,
    pub source: Source,
    pub layer: usize,
    pub frame: u64,
    pub packet: u64,
    /// Of its frame.
    pub packets: u64,
    pub keyframe: bool,
    pub temporal: u8,
    /// Frames of the layer without which this one cannot be decoded.
    pub needs: [Option<u64>; 2],
    /// And the same frame of the layer below.
    pub needs_below: bool,
    /// Of its picture, as its sender counts.
    pub number: u16,
    /// What its descriptor says but for the number, if it has one.
    pub described: Option<u64>,
    pub captured: Instant,
}

pub type Ledger = HashMap<Vec<u8>, Sent>;

/// A packet as a receiver got it.
#[derive(Clone, Copy, Debug)]
pub struct Got {
    pub at: Instant,
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub codec: VideoCodec,
    pub picture_id: Option<u16>,
    pub tl0: Option<u8>,
    pub audio_level: Option<i8>,
    pub sent: Sent,
}

struct Video {
    mid: Mid,
    source: Source,
    active: bool,
    layers: Vec<VideoLayer>,
    next_frame: Instant,
}

struct VideoLayer {
    rid: Option<&'static str>,
    active: bool,
    /// In one stream, from this layer on.
    sizes: usize,
    sequence: u64,
    timestamp_offset: u32,
    picture_id: u16,
    tl0: u8,
    frame: u64,
    /// Of the last keyframe.
    began: u64,
    keyframe_wanted: bool,
}

/// A place in the pattern of temporal layers: the layer, whether the frame needs the base layer only, and which frames it
/// needs, counted back.
type Place = (u8, bool, &'static [u64]);
/// As Chromium divides pictures of VP8 into one, two and three temporal layers.
const PATTERNS: [&[Place]; 3] = [
    &[(0, false, &[1])],
    &[
        (0, false, &[2]),
        (1, true, &[1]),
        (0, false, &[2]),
        (1, false, &[1, 2]),
    ],
    &[
        (0, false, &[4]),
        (2, true, &[1]),
        (1, true, &[2]),
        (2, false, &[1, 3]),
        (0, false, &[4]),
        (2, false, &[1, 3]),
        (1, false, &[2, 4]),
        (2, false, &[1, 3]),
    ],
];

struct Audio {
    mid: Mid,
    source: Source,
    active: bool,
    sequence: u64,
    timestamp: u32,
    packet: u64,
    next_packet: Instant,
    level: i8,
    before: Option<RedundantBlock>,
}

/// What a client can do.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub opaque: bool,
    pub simulcast: bool,
    pub redundancy: bool,
    pub transport: Transport,
    /// Beside VP8.
    pub codec: VideoCodec,
    /// Understands dependency descriptors, and sends them whatever the codec.
    pub describes: bool,
}

impl Default for Kind {
    fn default() -> Self {
        Self {
            opaque: false,
            simulcast: true,
            redundancy: false,
            transport: Transport::Udp,
            codec: VideoCodec::Vp8,
            describes: false,
        }
    }
}

/// A packet that no honest client sends.
pub struct Smuggled {
    /// After the last one.
    pub sequence: i64,
    pub ticks: u32,
    pub payload: Vec<u8>,
    pub is_red: bool,
    pub level: Option<i8>,
}

pub struct Client {
    pub id: PeerId,
    pub rtc: Rtc,
    pub address: SocketAddr,
    /// Of its TCP connection, if that is another one.
    pub tcp_address: Option<SocketAddr>,
    pub connected: bool,
    pub closed: bool,
    pub uplink: UplinkMids,
    pub slots: Vec<SlotMids>,
    pub received: BTreeMap<String, Vec<Got>>,
    /// Packets without sound that the server put at the end of some: sequence and timestamp.
    pub silences: BTreeMap<String, Vec<(u64, u32)>>,
    /// Numbers of pictures that came with nothing.
    pub blanks: BTreeMap<String, Vec<u64>>,
    /// Sound that came along with later packets: section, timestamp and what it was.
    pub carried: Vec<(String, u32, Sent)>,
    /// The newest sender report per section: wall clock and RTP timestamp.
    pub reports: BTreeMap<String, (SystemTime, u32)>,
    pub keyframe_requests: u64,
    /// Layers that this device cannot send.
    pub unable: Vec<&'static str>,
    /// The server's ICE user fragment.
    pub server_ufrag: String,
    /// The newest.
    pub answer: String,
    pub next: Instant,
    pub shape: Shape,
    /// A keyframe is so many times as large as another frame.
    pub keyframe_weight: u64,
    /// Takes whatever comes, and looks at none of it.
    pub is_heedless: bool,
    /// Of each layer, one to three.
    pub temporal_layers: usize,
    /// What the camera sends.
    pub codec: VideoCodec,
    kind: Kind,
    video: Vec<Video>,
    audio: Vec<Audio>,
    pending: Option<SdpPendingOffer>,
    random: Random,
    start: Instant,
}

pub fn candidate(transport: Transport, address: SocketAddr) -> Candidate {
    match transport {
        Transport::Udp => Candidate::host(address, "udp").unwrap(),
        Transport::Tcp => {
            let host = Candidate::builder().tcp().host(address);
            host.tcptype(TcpType::Active).build().unwrap()
        }
    }
}

impl Client {
    pub fn new(id: PeerId, now: Instant, kind: Kind) -> Self {
        let address = SocketAddr::from(([10, 0, (id.0 >> 8) as u8, id.0 as u8], 4_000));
        let mut extensions = ExtensionMap::standard();
        if kind.describes {
            extensions.set(12, extension());
        }
        let mut rtc = Rtc::builder()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, kind.redundancy)
            .enable_vp8(true)
            .enable_vp9(kind.codec == VideoCodec::Vp9)
            .enable_av1(kind.codec == VideoCodec::Av1)
            .enable_h264(true)
            .set_extension_map(extensions)
            .build(now);
        rtc.add_local_candidate(candidate(kind.transport, address));
        let empty = String::new;
        Self {
            id,
            rtc,
            address,
            tcp_address: None,
            connected: false,
            closed: false,
            uplink: UplinkMids {
                microphone: empty(),
                camera: empty(),
                screen: empty(),
                screen_audio: empty(),
            },
            slots: vec![],
            received: BTreeMap::new(),
            silences: BTreeMap::new(),
            blanks: BTreeMap::new(),
            carried: vec![],
            reports: BTreeMap::new(),
            keyframe_requests: 0,
            unable: vec![],
            server_ufrag: String::new(),
            answer: String::new(),
            next: now,
            shape: LIGHT,
            keyframe_weight: 1,
            is_heedless: false,
            temporal_layers: 1,
            codec: VideoCodec::Vp8,
            kind,
            video: vec![],
            audio: vec![],
            pending: None,
            random: Random(id.0 * 7_919),
            start: now,
        }
    }

    /// An offer with so many more slots; the first one brings the uplink too.
    pub fn offer(&mut self, persons: usize, screens: usize, restart_ice: bool) -> String {
        let is_first = self.video.is_empty();
        let simulcast = self.kind.simulcast;
        let mut api = self.rtc.sdp_api();
        let mut sources = vec![];
        if is_first {
            let layers = simulcast.then(|| Simulcast {
                send: RIDS.into_iter().map(SimulcastLayer::new).collect(),
                recv: vec![],
            });
            for (kind, layers) in [
                (MediaKind::Audio, None),
                (MediaKind::Video, layers),
                (MediaKind::Video, None),
                (MediaKind::Audio, None),
            ] {
                sources.push(api.add_media(kind, Direction::SendOnly, None, None, layers));
            }
        }
        let mut slots = vec![];
        for kind in [
            vec![SlotKind::Person; persons],
            vec![SlotKind::Screen; screens],
        ]
        .concat()
        {
            let mut section = |kind| {
                api.add_media(kind, Direction::RecvOnly, None, None, None)
                    .to_string()
            };
            slots.push(SlotMids {
                kind,
                audio: section(MediaKind::Audio),
                video: section(MediaKind::Video),
            });
        }
        if restart_ice {
            api.ice_restart(true);
        }
        let (offer, pending) = api.apply().expect("something to offer");
        self.pending = Some(pending);
        if let [microphone, camera, screen, screen_audio] = sources[..] {
            self.add_uplink(microphone, camera, screen, screen_audio);
        }
        self.slots.extend(slots);
        offer.to_sdp_string()
    }

    fn add_uplink(&mut self, microphone: Mid, camera: Mid, screen: Mid, screen_audio: Mid) {
        self.uplink = UplinkMids {
            microphone: microphone.to_string(),
            camera: camera.to_string(),
            screen: screen.to_string(),
            screen_audio: screen_audio.to_string(),
        };
        let rids: Vec<_> = if self.kind.simulcast {
            RIDS.into_iter().map(Some).collect()
        } else {
            vec![None]
        };
        for (mid, source, rids) in [
            (camera, Source::Camera, rids),
            (screen, Source::Screen, vec![None]),
        ] {
            let layers = rids
                .into_iter()
                .map(|rid| VideoLayer::new(rid, &mut self.random))
                .collect();
            self.video.push(Video {
                mid,
                source,
                layers,
                active: source == Source::Camera,
                next_frame: self.start,
            });
        }
        for (mid, source) in [
            (microphone, Source::Microphone),
            (screen_audio, Source::ScreenAudio),
        ] {
            self.audio.push(Audio {
                mid,
                source,
                sequence: self.random.below(60_000),
                timestamp: self.random.next() as u32,
                packet: 0,
                next_packet: self.start,
                active: source == Source::Microphone,
                level: -80,
                before: None,
            });
        }
    }

    pub fn answered(&mut self, answer: &str) {
        let mut fragments = answer
            .lines()
            .filter_map(|line| line.strip_prefix("a=ice-ufrag:"));
        self.server_ufrag = fragments.next().unwrap().to_owned();
        answer.clone_into(&mut self.answer);
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        self.rtc
            .sdp_api()
            .accept_answer(self.pending.take().unwrap(), answer)
            .unwrap();
        // Browsers answer every request for a retransmission.
        let mut api = self.rtc.direct_api();
        for (mid, rid) in self.video.iter().flat_map(|video| {
            let rids = video.layers.iter().map(|layer| layer.rid.map(Rid::from));
            rids.map(|rid| (video.mid, rid))
        }) {
            let stream = api.stream_tx_by_mid(mid, rid).unwrap();
            stream.set_rtx_cache(1_000, Duration::from_secs(3), None);
        }
    }

    pub fn set_active(&mut self, source: Source, active: bool) {
        self.video
            .iter_mut()
            .filter(|video| video.source == source)
            .for_each(|video| video.active = active);
        self.audio
            .iter_mut()
            .filter(|audio| audio.source == source)
            .for_each(|audio| audio.active = active);
    }

    pub fn set_layer_active(&mut self, rid: &str, active: bool) {
        let layers = self.video.iter_mut().flat_map(|video| &mut video.layers);
        layers
            .filter(|layer| layer.rid == Some(rid))
            .for_each(|layer| layer.active = active);
    }

    /// Sends what somebody looks at, as browsers do: a layer that wakes begins with a keyframe.
    pub fn obey(&mut self, source: Source, demanded: Option<&[String]>, codec: VideoCodec) {
        if source == Source::Camera && self.kind.codec != VideoCodec::Vp8 {
            self.obey_in(demanded, codec);
        }
        let several = self.codec != VideoCodec::Vp8 && source == Source::Camera;
        if several && demanded.is_some_and(|rids| rids.len() > 1) {
            return;
        }
        let unable = self.unable.clone();
        let videos = self.video.iter_mut().filter(|video| video.source == source);
        for layer in videos.flat_map(|video| &mut video.layers) {
            let wanted = match (demanded, layer.rid) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(rids), Some(rid)) => {
                    rids.iter().any(|one| one == rid) && !unable.contains(&rid)
                }
            };
            layer.keyframe_wanted |= wanted && !layer.active;
            layer.active = wanted;
        }
    }

    /// Several sizes go in one stream, in the place of the smallest; a change begins with a keyframe.
    fn obey_in(&mut self, demanded: Option<&[String]>, codec: VideoCodec) {
        let is_other = std::mem::replace(&mut self.codec, codec) != codec;
        let rids = demanded.unwrap_or_default();
        let is_one_stream = codec != VideoCodec::Vp8 && rids.len() > 1;
        let top = RIDS
            .iter()
            .rposition(|rid| rids.iter().any(|one| one == rid));
        let cameras = self
            .video
            .iter_mut()
            .filter(|video| video.source == Source::Camera);
        for (index, layer) in cameras.flat_map(|video| video.layers.iter_mut().enumerate()) {
            let sizes = match is_one_stream && index == 0 {
                true => 1 + top.unwrap_or(0),
                false => 1,
            };
            layer.keyframe_wanted |= is_other || layer.sizes != sizes;
            layer.sizes = sizes;
            if is_one_stream {
                layer.keyframe_wanted |= index == 0 && !layer.active;
                layer.active = index == 0;
            }
        }
    }

    /// Which layers of the camera are sent.
    pub fn sends(&self) -> Vec<&'static str> {
        let cameras = self
            .video
            .iter()
            .filter(|video| video.source == Source::Camera);
        let layers = cameras.flat_map(|video| &video.layers);
        layers
            .filter(|layer| layer.active)
            .filter_map(|layer| layer.rid)
            .collect()
    }

    pub fn set_level(&mut self, level: i8) {
        self.audio.iter_mut().for_each(|audio| audio.level = level);
    }

    /// Sends something of its own making in the stream of a source, so much further on than what it sent last.
    pub fn smuggle(&mut self, now: Instant, source: Source, smuggled: Smuggled) {
        let opus = payload_type(&self.rtc, Codec::Opus);
        let vp8 = payload_type(&self.rtc, Codec::Vp8);
        let red = redundancy(&self.rtc).unwrap_or(opus);
        let Smuggled {
            sequence,
            ticks,
            payload,
            is_red,
            level,
        } = smuggled;
        let further = |number: u64| number.saturating_add_signed(sequence);
        let video = self.video.iter_mut().find(|video| video.source == source);
        let audio = self.audio.iter_mut().find(|audio| audio.source == source);
        let (mid, rid, pt, sequence, timestamp) = match (video, audio) {
            (Some(video), _) => {
                let layer = &mut video.layers[0];
                layer.sequence = further(layer.sequence);
                layer.timestamp_offset = layer.timestamp_offset.wrapping_add(ticks);
                let rid = layer.rid.map(Rid::from);
                (video.mid, rid, vp8, layer.sequence, layer.timestamp_offset)
            }
            (None, Some(audio)) => {
                audio.sequence = further(audio.sequence);
                audio.timestamp = audio.timestamp.wrapping_add(ticks);
                let pt = if is_red { red } else { opus };
                (audio.mid, None, pt, audio.sequence, audio.timestamp)
            }
            (None, None) => unreachable!("every source is audio or video"),
        };
        let levels = ExtensionValues {
            audio_level: level,
            ..Default::default()
        };
        let write = RtpWrite::new(pt, sequence.into(), timestamp, now, payload).ext_vals(levels);
        let mut api = self.rtc.direct_api();
        api.stream_tx_by_mid(mid, rid).unwrap().write_rtp(write);
    }

    pub fn is_at(&self, address: SocketAddr) -> bool {
        self.address == address || self.tcp_address == Some(address)
    }

    pub fn receive(&mut self, now: Instant, datagram: &InFlight) {
        let received = Receive::new(
            datagram.transport.into(),
            datagram.source,
            datagram.destination,
            &datagram.bytes,
        )
        .unwrap();
        let _ = self.rtc.handle_input(Input::Receive(now, received));
    }

    /// Sends what is due and gives out datagrams.
    pub fn run(&mut self, now: Instant, ledger: &mut Ledger) -> Vec<InFlight> {
        let mut datagrams = vec![];
        if self.connected {
            self.send_media(now, ledger);
        }
        for _ in 0..50 {
            let _ = self.rtc.handle_input(Input::Timeout(now));
            self.next = self.poll(now, ledger, &mut datagrams);
            if self.next > now {
                break;
            }
        }
        if self.connected {
            let video = self.video.iter().map(|video| video.next_frame);
            let audio = self.audio.iter().map(|audio| audio.next_packet);
            self.next = video.chain(audio).fold(self.next, Instant::min);
        }
        datagrams
    }

    fn poll(&mut self, now: Instant, ledger: &Ledger, datagrams: &mut Vec<InFlight>) -> Instant {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(next)) => return next,
                Ok(Output::Transmit(datagram)) => datagrams.push(InFlight {
                    transport: match datagram.proto {
                        Protocol::Udp => Transport::Udp,
                        _ => Transport::Tcp,
                    },
                    source: datagram.source,
                    destination: datagram.destination,
                    bytes: datagram.contents.into(),
                }),
                Ok(Output::Event(event)) => self.happened(now, event, ledger),
                Err(_) => {
                    self.closed = true;
                    return now + Duration::from_secs(3_600);
                }
            }
        }
    }

    fn happened(&mut self, now: Instant, event: Event, ledger: &Ledger) {
        match event {
            Event::Connected => {
                self.connected = true;
                self.video
                    .iter_mut()
                    .for_each(|video| video.next_frame = now);
                self.audio
                    .iter_mut()
                    .for_each(|audio| audio.next_packet = now);
            }
            Event::KeyframeRequest(request) => {
                self.keyframe_requests += 1;
                let videos = self
                    .video
                    .iter_mut()
                    .filter(|video| video.mid == request.mid);
                let layers = videos.flat_map(|video| &mut video.layers);
                layers
                    .filter(|layer| layer.rid == request.rid.as_deref())
                    .for_each(|layer| layer.keyframe_wanted = true);
            }
            Event::RtpPacket(_) if self.is_heedless => {}
            Event::RtpPacket(packet) => {
                let mid = self
                    .rtc
                    .direct_api()
                    .stream_rx(&packet.header.ssrc)
                    .unwrap()
                    .mid()
                    .to_string();
                let vp8 = self.slots.iter().any(|slot| slot.video == mid);
                if vp8 && packet.payload.is_empty() {
                    self.blanks.entry(mid).or_default().push(*packet.seq_no);
                    return;
                }
                let other = agreed(&self.rtc, self.kind.codec);
                let codec = match vp8 && other == Some(packet.header.payload_type) {
                    true => self.kind.codec,
                    false => VideoCodec::Vp8,
                };
                let descriptor: Option<&Bytes> = packet.header.ext_vals.user_values.get();
                let descriptor = descriptor.map(|Bytes(bytes)| &bytes[..]);
                let (picture_id, tl0) = match (vp8, codec) {
                    _ if descriptor.is_some() => (descriptor.map(described::number), None),
                    (false, _) | (true, VideoCodec::Av1) => (None, None),
                    (true, VideoCodec::Vp8) => {
                        let descriptor = Vp8Descriptor::parse(&packet.payload).unwrap();
                        (descriptor.picture_id(), descriptor.tl0_pic_idx())
                    }
                    (true, VideoCodec::Vp9) => {
                        let descriptor = vp9::Descriptor::parse(&packet.payload).unwrap();
                        (descriptor.picture_id, descriptor.tl0_pic_idx)
                    }
                };
                if !vp8 && packet.payload.len() == 1 {
                    assert_eq!(*packet.payload, [OPUS_20_MS]);
                    let numbers = (*packet.seq_no, packet.header.timestamp);
                    self.silences.entry(mid).or_default().push(numbers);
                    return;
                }
                let mut payload = &packet.payload[..];
                let blocks;
                if !vp8 && redundancy(&self.rtc) == Some(packet.header.payload_type) {
                    blocks = RedDecoder::decode(payload).unwrap();
                    let (primary, earlier) = blocks.split_last().unwrap();
                    payload = primary.payload;
                    self.carried.extend(earlier.iter().map(|block| {
                        let timestamp =
                            packet.header.timestamp.wrapping_sub(block.timestamp_offset);
                        (mid.clone(), timestamp, ledger[block.payload])
                    }));
                }
                let key = match codec {
                    VideoCodec::Vp8 => ledger_key(payload, vp8),
                    VideoCodec::Vp9 | VideoCodec::Av1 => end_key(payload),
                };
                let sent = *ledger
                    .get(&key)
                    .expect("a payload that somebody sent, unchanged");
                if self.describes() {
                    let said = descriptor.map(described::fingerprint);
                    assert_eq!(said, sent.described, "all but the number is unchanged");
                }
                self.received.entry(mid).or_default().push(Got {
                    at: now,
                    sequence: *packet.seq_no,
                    timestamp: packet.header.timestamp,
                    marker: packet.header.marker,
                    codec,
                    picture_id,
                    tl0,
                    audio_level: packet.header.ext_vals.audio_level,
                    sent,
                });
            }
            Event::SenderFeedback(feedback) => {
                let timestamp = feedback.sender_info.rtp_time.numer() as u32;
                self.reports.insert(
                    feedback.mid.to_string(),
                    (feedback.sender_info.ntp_time, timestamp),
                );
            }
            Event::Closed => self.closed = true,
            _ => {}
        }
    }

    /// Whether descriptors were agreed on.
    fn describes(&self) -> bool {
        self.kind.describes && self.answer.contains("dependency-descriptor")
    }

    fn send_media(&mut self, now: Instant, ledger: &mut Ledger) {
        let describes = self.describes();
        let (opus, vp8) = (
            payload_type(&self.rtc, Codec::Opus),
            payload_type(&self.rtc, Codec::Vp8),
        );
        // Nobody who encrypts puts anything beside it.
        let red = redundancy(&self.rtc).filter(|_| !self.kind.opaque);
        for audio in &mut self.audio {
            while audio.next_packet <= now {
                audio.next_packet += Duration::from_millis(20);
                audio.timestamp = audio.timestamp.wrapping_add(960);
                audio.packet += 1;
                // A microphone in a pause of its own sends nothing, and its clock goes on.
                if !audio.active {
                    continue;
                }
                audio.sequence += 1;
                let mut payload = self.random.bytes(60);
                if !self.kind.opaque {
                    payload[0] = OPUS_20_MS;
                }
                let sent = Sent {
                    by: self.id,
                    source: audio.source,
                    layer: 0,
                    frame: audio.packet,
                    packet: 0,
                    packets: 1,
                    keyframe: false,
                    temporal: 0,
                    needs: [None; 2],
                    needs_below: false,
                    number: 0,
                    described: None,
                    captured: now,
                };
                ledger.insert(ledger_key(&payload, false), sent);
                let levels = ExtensionValues {
                    audio_level: Some(audio.level),
                    voice_activity: Some(audio.level > -50),
                    ..Default::default()
                };
                let redundancy = red.filter(|_| audio.source == Source::Microphone);
                let (pt, payload) = match redundancy {
                    Some(red) => (red, audio.redundant(opus, payload)),
                    None => (opus, payload),
                };
                let write = RtpWrite::new(pt, audio.sequence.into(), audio.timestamp, now, payload)
                    .ext_vals(levels);
                self.rtc
                    .direct_api()
                    .stream_tx_by_mid(audio.mid, None)
                    .unwrap()
                    .write_rtp(write);
            }
        }
        for video in &mut self.video {
            while video.next_frame <= now {
                let captured = video.next_frame;
                video.next_frame += FRAME;
                if !video.active {
                    continue;
                }
                let ticks = (captured - self.start).as_micros() as u64 * 9 / 100;
                let count = video.layers.len();
                for (index, layer) in video
                    .layers
                    .iter_mut()
                    .enumerate()
                    .filter(|(_, layer)| layer.active)
                {
                    if self.codec != VideoCodec::Vp8 && video.source == Source::Camera {
                        let rid = layer.rid.map(Rid::from);
                        let by = self.id;
                        let pt = agreed(&self.rtc, self.codec).expect("an agreed codec");
                        let mut api = self.rtc.direct_api();
                        let stream = api.stream_tx_by_mid(video.mid, rid).unwrap();
                        let random = &mut self.random;
                        let picture = match self.codec {
                            VideoCodec::Av1 => {
                                layer.av1_picture(index, (by, captured), &self.shape, random)
                            }
                            _ => layer.vp9_picture(index, (by, captured), &self.shape, random),
                        };
                        let timestamp = layer.timestamp_offset.wrapping_add(ticks as u32);
                        let last = picture.len() - 1;
                        for (at, (payload, descriptor, sent)) in picture.into_iter().enumerate() {
                            ledger.insert(end_key(&payload), sent);
                            let sequence = layer.sequence.into();
                            let write = RtpWrite::new(pt, sequence, timestamp, now, payload)
                                .ext_vals(with(descriptor));
                            stream.write_rtp(write.marker(at == last).nackable(true));
                            layer.sequence += 1;
                        }
                        continue;
                    }
                    let shape = if count == 1 { 2 } else { index };
                    let timestamp = layer.timestamp_offset.wrapping_add(ticks as u32);
                    let (packets, bytes) = self.shape[shape];
                    let weight = if layer.keyframe_wanted {
                        self.keyframe_weight
                    } else {
                        1
                    };
                    let packets = packets * weight;
                    if layer.keyframe_wanted {
                        layer.began = layer.frame;
                    }
                    let place = layer.place(self.temporal_layers);
                    layer.tl0 = layer.tl0.wrapping_add(u8::from(place.0 == 0));
                    let back = |at: usize| {
                        let back = place.2.get(at).filter(|_| !layer.keyframe_wanted)?;
                        layer.frame.checked_sub(*back)
                    };
                    let needs = [back(0), back(1)];
                    for packet in 0..packets {
                        let sent = Sent {
                            by: self.id,
                            source: video.source,
                            layer: index,
                            frame: layer.frame,
                            packet,
                            packets,
                            keyframe: layer.keyframe_wanted,
                            temporal: place.0,
                            needs,
                            needs_below: false,
                            number: layer.picture_id,
                            described: None,
                            captured,
                        };
                        let mut payload = video_payload(
                            layer,
                            place,
                            &sent,
                            SIZES[shape],
                            bytes,
                            self.kind.opaque,
                            &mut self.random,
                        );
                        let descriptor = describes.then(|| {
                            payload.splice(..DESCRIPTOR, [payload[0] & 0x10]);
                            layer.descriptor_of_vp8(
                                self.temporal_layers,
                                &sent,
                                SIZES[shape],
                                place,
                            )
                        });
                        let described = descriptor.as_deref().map(described::fingerprint);
                        let sent = Sent { described, ..sent };
                        ledger.insert(ledger_key(&payload, true), sent);
                        let write =
                            RtpWrite::new(vp8, layer.sequence.into(), timestamp, now, payload)
                                .ext_vals(with(descriptor))
                                .marker(packet + 1 == packets)
                                .nackable(true);
                        layer.sequence += 1;
                        let rid = layer.rid.map(Rid::from);
                        self.rtc
                            .direct_api()
                            .stream_tx_by_mid(video.mid, rid)
                            .unwrap()
                            .write_rtp(write);
                    }
                    layer.frame += 1;
                    layer.picture_id = (layer.picture_id + 1) & 0x7fff;
                    layer.keyframe_wanted = false;
                }
            }
        }
    }
}

impl VideoLayer {
    fn new(rid: Option<&'static str>, random: &mut Random) -> Self {
        Self {
            rid,
            active: true,
            sizes: 1,
            sequence: random.below(60_000),
            timestamp_offset: random.next() as u32,
            picture_id: random.below(0x8000) as u16,
            tl0: random.next() as u8,
            frame: 0,
            began: 0,
            keyframe_wanted: true,
        }
    }
}

impl VideoLayer {
    fn place(&self, temporal_layers: usize) -> Place {
        let pattern = PATTERNS[temporal_layers - 1];
        pattern[(self.frame - self.began) as usize % pattern.len()]
    }
}

impl VideoLayer {
    /// As Chromium sends it: a frame of each size, which need each other in keyframes only.
    fn vp9_picture(
        &mut self,
        index: usize,
        (by, captured): (PeerId, Instant),
        shape: &Shape,
        random: &mut Random,
    ) -> Picture {
        let keyframe = std::mem::take(&mut self.keyframe_wanted);
        if keyframe {
            self.began = self.frame;
        }
        let (temporal, back) =
            [(0, 4), (2, 1), (1, 2), (2, 1)][(self.frame - self.began) as usize % 4];
        let mut all = vec![];
        for size in 0..self.sizes {
            let (packets, bytes) = shape[index + size];
            for packet in 0..packets {
                let sent = Sent {
                    by,
                    source: Source::Camera,
                    layer: index + size,
                    frame: self.frame,
                    packet,
                    packets,
                    keyframe,
                    temporal,
                    needs: [(!keyframe).then(|| self.frame - back), None],
                    needs_below: keyframe && size > 0,
                    number: self.picture_id,
                    described: None,
                    captured,
                };
                let has_structure = keyframe && size == 0 && packet == 0;
                let flag = |bit: u8, is_set: bool| if is_set { bit } else { 0 };
                let picture = self.picture_id.to_be_bytes();
                let mut payload = vec![
                    0xb0 | flag(0x40, !keyframe)
                        | flag(0x08, packet == 0)
                        | flag(0x04, packet + 1 == packets)
                        | flag(0x02, has_structure),
                    0x80 | picture[0],
                    picture[1],
                    temporal << 5 | 0x10 | (size as u8) << 1 | flag(1, keyframe && size > 0),
                ];
                if !keyframe {
                    payload.push((back as u8) << 1);
                }
                if has_structure {
                    payload.push((self.sizes as u8 - 1) << 5 | 0x10);
                    for (width, height) in &SIZES[index..index + self.sizes] {
                        payload.extend(width.to_be_bytes());
                        payload.extend(height.to_be_bytes());
                    }
                }
                payload.append(&mut random.bytes(bytes));
                all.push((payload, None, sent));
            }
        }
        self.frame += 1;
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        all
    }

    /// The same of AV1, where every frame has a number of its own, and everything is said in a descriptor.
    fn av1_picture(
        &mut self,
        index: usize,
        (by, captured): (PeerId, Instant),
        shape: &Shape,
        random: &mut Random,
    ) -> Picture {
        let keyframe = std::mem::take(&mut self.keyframe_wanted);
        if keyframe {
            self.began = self.frame;
        }
        let (temporal, back) =
            [(0, 4), (2, 1), (1, 2), (2, 1)][(self.frame - self.began) as usize % 4];
        let structure = described::of_sizes(&SIZES[index..index + self.sizes]);
        let mut all = vec![];
        for size in 0..self.sizes {
            let (packets, bytes) = shape[index + size];
            for packet in 0..packets {
                let descriptor = descriptor(
                    &structure,
                    described::template(size as u8, temporal, keyframe),
                    self.picture_id,
                    (packet == 0, packet + 1 == packets),
                    keyframe && size == 0 && packet == 0,
                    None,
                );
                let sent = Sent {
                    by,
                    source: Source::Camera,
                    layer: index + size,
                    frame: self.frame,
                    packet,
                    packets,
                    keyframe,
                    temporal,
                    needs: [(!keyframe).then(|| self.frame - back), None],
                    needs_below: keyframe && size > 0,
                    number: self.picture_id,
                    described: Some(described::fingerprint(&descriptor)),
                    captured,
                };
                all.push((random.bytes(bytes), Some(descriptor), sent));
            }
            self.picture_id = self.picture_id.wrapping_add(1);
        }
        self.frame += 1;
        all
    }

    fn descriptor_of_vp8(
        &self,
        temporal_layers: usize,
        sent: &Sent,
        size: (u16, u16),
        (_, _, needs): Place,
    ) -> Arc<[u8]> {
        let temporal_layers = temporal_layers as u8;
        let period = if temporal_layers == 3 { 8 } else { 1 };
        let template =
            described::template_of_vp8(temporal_layers, (self.frame - self.began) % period);
        let needs = needs.iter().filter(|_| !sent.keyframe);
        descriptor(
            &described::of_vp8(temporal_layers, size),
            template,
            sent.number,
            (sent.packet == 0, sent.packet + 1 == sent.packets),
            sent.keyframe && sent.packet == 0,
            Some(needs.map(|back| *back as u16).collect()),
        )
    }
}

/// Packets with their descriptors.
type Picture = Vec<(Vec<u8>, Option<Arc<[u8]>>, Sent)>;

fn with(descriptor: Option<Arc<[u8]>>) -> ExtensionValues {
    let mut values = ExtensionValues::default();
    if let Some(descriptor) = descriptor {
        values.user_values.set(Bytes(descriptor));
    }
    values
}

impl Audio {
    /// With the packet before it, as Chromium does.
    fn redundant(&mut self, opus: Pt, payload: Vec<u8>) -> Vec<u8> {
        let before = self.before.replace(RedundantBlock {
            pt: *opus,
            timestamp_offset: self.timestamp,
            payload: payload.clone(),
        });
        let before = before.map(|block| RedundantBlock {
            timestamp_offset: self.timestamp.wrapping_sub(block.timestamp_offset),
            ..block
        });
        RedEncoder::encode(*opus, &payload, before.as_slice())
    }
}

/// What was agreed about redundancy of sound.
fn redundancy(rtc: &Rtc) -> Option<Pt> {
    let mut params = rtc.codec_config().params().iter();
    params
        .find(|params| params.spec().codec == Codec::Opus)?
        .red()
}

fn payload_type(rtc: &Rtc, codec: Codec) -> Pt {
    rtc.codec_config()
        .params()
        .iter()
        .find(|params| params.spec().codec == codec)
        .unwrap()
        .pt()
}

/// A codec in its usual profile, if it was agreed on.
fn agreed(rtc: &Rtc, codec: VideoCodec) -> Option<Pt> {
    let codec = match codec {
        VideoCodec::Vp8 => Codec::Vp8,
        VideoCodec::Vp9 => Codec::Vp9,
        VideoCodec::Av1 => Codec::Av1,
    };
    let mut params = rtc.codec_config().params().iter();
    let is_usual = |params: &&PayloadParams| {
        let profile = params.spec().format.profile_id;
        params.spec().codec == codec && profile.is_none_or(|profile| profile == 0)
    };
    Some(params.find(is_usual)?.pt())
}

/// The end of it: descriptors are of different lengths.
fn end_key(payload: &[u8]) -> Vec<u8> {
    payload[payload.len() - 100..].to_vec()
}

/// Everything behind the descriptor, which the server rewrites, and which is short where a header extension says the same.
fn ledger_key(payload: &[u8], vp8: bool) -> Vec<u8> {
    let descriptor = match (vp8, payload[0] & 0x80) {
        (false, _) => 0,
        (true, 0) => 1,
        (true, _) => DESCRIPTOR,
    };
    payload[descriptor..].to_vec()
}

const DESCRIPTOR: usize = 6;

/// Clear even under end-to-end encryption: the payload descriptor (RFC 7741, section 4.2) and, in the first packet of
/// a frame, the first byte of the payload header, whose lowest bit tells a keyframe (section 4.3).
fn video_payload(
    layer: &VideoLayer,
    (temporal, is_sync, _): Place,
    sent: &Sent,
    size: (u16, u16),
    bytes: usize,
    opaque: bool,
    random: &mut Random,
) -> Vec<u8> {
    let starts = if sent.packet == 0 { 0x10 } else { 0 };
    let picture = layer.picture_id.to_be_bytes();
    let mut payload = vec![
        0x80 | starts,
        0xe0,
        0x80 | picture[0],
        picture[1],
        layer.tl0,
        temporal << 6 | u8::from(is_sync) << 5,
    ];
    let mut rest = random.bytes(bytes);
    if sent.packet == 0 {
        rest[0] = (rest[0] & 0xfe) | u8::from(!sent.keyframe);
        if sent.keyframe && !opaque {
            rest[3..6].copy_from_slice(&[0x9d, 0x01, 0x2a]);
            rest[6..8].copy_from_slice(&size.0.to_le_bytes());
            rest[8..10].copy_from_slice(&size.1.to_le_bytes());
        }
    }
    payload.append(&mut rest);
    payload
}
