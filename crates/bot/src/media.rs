//! One media connection: the str0m peer, its link, the prepared streams that go out and the watchers of what comes in.
//! Knows mids, slots and sources; nothing of names, rooms or the signalling socket.

use std::time::Instant;

use anyhow::{Context as _, Result};
use protocol::{MediaConnectionId, Slot, SlotMids, Source, UplinkMids};
use str0m::{
    Event, IceConnectionState, Input, Output, Rtc,
    change::{SdpAnswer, SdpPendingOffer},
    media::{KeyframeRequestKind, Mid, Rid},
    net::Receive,
    rtp::{ExtensionValues, RtpPacket, RtpWrite},
};

use crate::{
    Identity, Load, Received,
    fixture::{self, CAMERA_RATE, SCREEN_RATE, VOICE_RATE},
    link::Link,
    load,
    offer::{self, Ice, Layout, RIDS},
    sending::{Content, Sender, Sent},
    watching::{Packet, Watcher},
};

/// How many datagrams are taken in one go before timers get their turn.
const DATAGRAMS_AT_ONCE: usize = 64;

/// Of everybody who is not told otherwise.
pub(crate) const LOUDNESS: i8 = -12;

pub(crate) struct Media {
    rtc: Rtc,
    identity: Identity,
    load: Option<Load>,
    /// Of the voice, in dBov.
    pub loudness: i8,
    /// For a network that lets no UDP through.
    pub over_tcp: bool,
    layout: Layout,
    pending: Option<SdpPendingOffer>,
    link: Option<Link>,
    timer: Instant,
    streams: Vec<Stream>,
    watchers: Vec<Watcher>,
    pub connection: Option<MediaConnectionId>,
    pub connected: bool,
    pub failed: bool,
    /// The next offer has new ICE credentials.
    pub restarts_ice: bool,
}

/// One encoding that this bot sends.
struct Stream {
    source: Source,
    mid: Mid,
    rid: Option<Rid>,
    sender: Sender,
    on: bool,
}

/// What to put into an `offer` message.
pub(crate) struct Offered {
    pub sdp: String,
    pub uplink: UplinkMids,
    pub slots: Vec<SlotMids>,
    pub connection: Option<MediaConnectionId>,
}

/// A full ICE client, as a browser is one.
pub(crate) fn peer(now: Instant) -> Rtc {
    str0m::crypto::from_feature_flags().install_process_default();
    Rtc::builder()
        .set_rtp_mode(true)
        .clear_codecs()
        .enable_opus(true, false)
        .enable_vp8(true)
        .build(now)
}

impl Media {
    /// With `load`, that is what its camera sends.
    pub fn new(identity: Identity, load: Option<Load>, now: Instant) -> Self {
        Self {
            rtc: peer(now),
            identity,
            load,
            loudness: LOUDNESS,
            over_tcp: false,
            layout: Layout::default(),
            pending: None,
            link: None,
            timer: now,
            streams: Vec::new(),
            watchers: Vec::new(),
            connection: None,
            connected: false,
            failed: false,
            restarts_ice: false,
        }
    }

    pub fn offer(&mut self, people: usize, screens: usize) -> Result<Offered> {
        let ice = match std::mem::take(&mut self.restarts_ice) {
            true => Ice::Restarts,
            false => Ice::GoesOn,
        };
        let (offer, pending) = offer::offer(&mut self.rtc, &mut self.layout, people, screens, ice)
            .context("nothing new to offer")?;
        self.pending = Some(pending);
        Ok(Offered {
            sdp: offer.to_sdp_string(),
            uplink: self
                .layout
                .uplink_mids()
                .context("an offer has an uplink")?,
            slots: self.layout.slot_mids(),
            connection: self.connection.clone(),
        })
    }

    pub async fn answer(&mut self, sdp: &str, connection: MediaConnectionId) -> Result<()> {
        let pending = self.pending.take().context("no offer is pending")?;
        let answer = SdpAnswer::from_sdp_string(sdp).context("the answer is no SDP")?;
        self.rtc
            .sdp_api()
            .accept_answer(pending, answer)
            .context("the answer does not fit the offer")?;
        self.connection = Some(connection);
        while self.watchers.len() < self.layout.slots.len() {
            self.watchers.push(Watcher::new(self.watchers.len()));
        }
        if self.link.is_none() {
            let link = match self.over_tcp {
                true => Link::tcp(offer::destination(sdp, "tcp")?).await?,
                false => Link::udp(offer::destination(sdp, "udp")?).await?,
            };
            self.rtc.add_local_candidate(link.candidate()?);
            self.link = Some(link);
            self.prepare_streams()?;
        }
        Ok(())
    }

    fn prepare_streams(&mut self) -> Result<()> {
        let uplink = self
            .layout
            .uplink
            .context("an answered offer has an uplink")?;
        let prepared = fixture::prepared(self.identity);
        let voice = || Content::Voice(&prepared.voice);
        let mut add = |source, mid, rid: Option<&str>, content, rate| {
            let clock = match content {
                Content::Voice(_) => 48_000,
                Content::Picture(_) | Content::Load(_) => 90_000,
            };
            let offset = u16::from(self.identity.number()) * 977 + self.streams.len() as u16 * 5003;
            self.streams.push(Stream {
                source,
                mid,
                rid: rid.map(Rid::from),
                sender: Sender::new(content, rate, clock, offset),
                on: false,
            });
        };
        let (microphone, camera) = (uplink.microphone, uplink.camera);
        add(Source::Microphone, microphone, None, voice(), VOICE_RATE);
        match self.load {
            None => {
                for (rid, frames) in RIDS.iter().zip(&prepared.camera) {
                    let picture = Content::Picture(frames);
                    add(Source::Camera, camera, Some(rid), picture, CAMERA_RATE);
                }
            }
            Some(load) => {
                let largest = RIDS.last().copied();
                let rate = load.frames_per_second;
                add(Source::Camera, camera, largest, Content::Load(load), rate);
            }
        }
        let picture = Content::Picture(&prepared.screen);
        add(Source::Screen, uplink.screen, None, picture, SCREEN_RATE);
        let source = Source::ScreenAudio;
        add(source, uplink.screen_audio, None, voice(), VOICE_RATE);
        Ok(())
    }

    /// Sends this source, or stops; before the answer there is nothing to switch.
    pub fn send(&mut self, source: Source, on: bool) {
        for stream in self
            .streams
            .iter_mut()
            .filter(|stream| stream.source == source)
        {
            stream.on = on;
            if !on {
                stream.sender.stop();
            }
        }
    }

    /// True when the label is for another person than before.
    pub fn assign(&mut self, slot: &Slot) -> bool {
        self.watchers
            .get_mut(usize::from(slot.slot))
            .is_some_and(|watcher| watcher.assign(slot))
    }

    /// Done when the link has something; never while there is none.
    pub async fn readable(&self) {
        match &self.link {
            Some(link) => link.ready().await,
            None => std::future::pending().await,
        }
    }

    pub fn due(&self) -> Instant {
        let senders = self.streams.iter().filter_map(|stream| stream.sender.due());
        senders.chain([self.timer]).min().unwrap_or(self.timer)
    }

    /// Takes in what came, sends what is due, runs timers.
    pub fn drive(&mut self, received: &mut Received) -> Result<()> {
        self.take_in(received)?;
        let now = Instant::now();
        if self.connected {
            self.write_due(now);
            self.ask_for_keyframes(now, received);
        }
        self.drain(received)?;
        if self.timer <= now {
            self.rtc.handle_input(Input::Timeout(now))?;
            self.drain(received)?;
        }
        if let Some(link) = &mut self.link {
            link.flush();
            self.failed |= link.is_over();
        }
        self.failed |= !self.rtc.is_alive();
        Ok(())
    }

    /// Says goodbye to the server.
    pub fn close(&mut self, received: &mut Received) {
        self.rtc.disconnect();
        let _ = self.drain(received);
    }

    fn take_in(&mut self, received: &mut Received) -> Result<()> {
        for _ in 0..DATAGRAMS_AT_ONCE {
            let Some(link) = &mut self.link else {
                return Ok(());
            };
            let (protocol, local) = (link.protocol(), link.local());
            let Some((source, datagram)) = link.receive() else {
                return Ok(());
            };
            let Ok(receive) = Receive::new(protocol, source, local, datagram) else {
                continue;
            };
            self.rtc
                .handle_input(Input::Receive(Instant::now(), receive))?;
            self.drain(received)?;
        }
        Ok(())
    }

    fn drain(&mut self, received: &mut Received) -> Result<()> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.timer = at;
                    return Ok(());
                }
                Output::Transmit(transmit) => {
                    if let Some(link) = &mut self.link {
                        link.send(&transmit.contents, transmit.destination);
                    }
                }
                Output::Event(event) => self.handle_event(event, received),
            }
        }
    }

    fn handle_event(&mut self, event: Event, received: &mut Received) {
        match event {
            Event::Connected => self.connected = true,
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed => {
                self.failed = true
            }
            Event::KeyframeRequest(request) => {
                let asked = |stream: &&mut Stream| {
                    stream.mid == request.mid
                        && (request.rid.is_none() || stream.rid == request.rid)
                };
                for stream in self.streams.iter_mut().filter(asked) {
                    stream.sender.keyframe();
                }
            }
            Event::RtpPacket(packet) => self.receive(packet, received),
            _ => {}
        }
    }

    fn receive(&mut self, packet: RtpPacket, received: &mut Received) {
        let Some(mid) = self
            .rtc
            .direct_api()
            .stream_rx(&packet.header.ssrc)
            .map(|stream| stream.mid())
        else {
            return;
        };
        let age = self
            .load
            .and_then(|_| load::age(&packet.payload, packet.timestamp));
        received.delays_us.extend(age);
        let slots = self.layout.slots.iter().zip(&mut self.watchers);
        for (slot, watcher) in slots {
            let packet = || Packet {
                seq: *packet.seq_no,
                timestamp: packet.header.timestamp,
                marker: packet.header.marker,
                payload: packet.payload.clone(),
            };
            if slot.audio == mid {
                watcher.hear(packet(), received);
            } else if slot.video == mid {
                watcher.see(packet(), received);
            }
        }
    }

    fn write_due(&mut self, now: Instant) {
        for stream in &mut self.streams {
            if !stream.on {
                continue;
            }
            stream.sender.start(now);
            for sent in stream.sender.poll(now) {
                write(&mut self.rtc, stream, self.loudness, sent, now);
            }
        }
    }

    fn ask_for_keyframes(&mut self, now: Instant, received: &mut Received) {
        for (slot, watcher) in self.layout.slots.iter().zip(&mut self.watchers) {
            if watcher.wants_keyframe(now, received)
                && let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(slot.video, None)
            {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        }
    }
}

fn write(rtc: &mut Rtc, stream: &Stream, loudness: i8, sent: Sent, now: Instant) {
    let Some(payload_type) = rtc
        .media(stream.mid)
        .and_then(|media| media.remote_pts().first().copied())
    else {
        return;
    };
    let voice = matches!(stream.source, Source::Microphone | Source::ScreenAudio);
    let mut values = ExtensionValues::default();
    if voice {
        let sounds = fixture::voice_sounds(sent.index);
        values.audio_level = Some(if sounds { loudness } else { -127 });
        values.voice_activity = Some(sounds);
    }
    let packet = RtpWrite::new(
        payload_type,
        sent.seq.into(),
        sent.timestamp,
        now,
        sent.payload,
    )
    .marker(sent.marker)
    .nackable(!voice)
    .ext_vals(values);
    if let Some(writer) = rtc.direct_api().stream_tx_by_mid(stream.mid, stream.rid) {
        writer.write_rtp(packet);
    }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, time::Duration};

    use protocol::ParticipantId;
    use str0m::{Candidate, change::SdpOffer, net::Protocol, rtp::SeqNo};
    use tokio::net::UdpSocket;

    use super::*;
    use crate::Scene;

    /// One bot against a server of twenty lines that sends its voice and one layer of its camera back into slot 2.
    #[tokio::test]
    async fn a_bot_recognises_its_own_face_and_voice_when_they_come_back() {
        let identity = Identity::nth(7);
        let mut media = Media::new(identity, None, Instant::now());
        let offered = media.offer(1, 2).expect("an offer");
        let mut mirror = Mirror::new(&offered).await;
        media
            .answer(&mirror.answer, "c".into())
            .await
            .expect("the answer fits");
        let you = ParticipantId::from("p");
        let first = u32::from(identity.number()) * 977 + 5003 * 3;
        let first_rtp_timestamp = Some(first.wrapping_mul(0x9e37_79b1));
        media.assign(&Slot {
            slot: 2,
            generation: 1,
            participant: Some(you.clone()),
            first_rtp_timestamp,
            paused: false,
        });
        media.send(Source::Microphone, true);
        media.send(Source::Camera, true);

        let mut received = Received::default();
        let deadline = Instant::now() + Duration::from_secs(20);
        // More than one round of the prepared two seconds.
        while received.person(&you).frames < 40 {
            assert!(Instant::now() < deadline, "{received:#?}");
            media.drive(&mut received).expect("media goes on");
            tokio::select! {
                () = media.readable() => {}
                () = tokio::time::sleep_until(media.due().into()) => {}
                () = mirror.step() => {}
            }
        }
        let person = received.person(&you);
        assert_eq!(
            person.seen.keys().copied().collect::<Vec<_>>(),
            [(identity, Scene::Camera { layer: 2 })]
        );
        assert_eq!(person.heard.keys().copied().collect::<Vec<_>>(), [identity]);
        let total = received.total();
        assert_eq!(
            (total.missing, total.undecodable, total.picture_id_jumps),
            (0, 0, 0)
        );
    }

    struct Mirror {
        rtc: Rtc,
        socket: UdpSocket,
        local: SocketAddr,
        answer: String,
        uplink: [Mid; 2],
        slot: [Mid; 2],
        timer: Instant,
    }

    impl Mirror {
        async fn new(offered: &Offered) -> Self {
            let now = Instant::now();
            let mut rtc = Rtc::builder()
                .set_ice_lite(true)
                .set_rtp_mode(true)
                .clear_codecs()
                .enable_opus(true, false)
                .enable_vp8(true)
                .build(now);
            let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
            let local = socket.local_addr().expect("an address");
            rtc.add_local_candidate(Candidate::host(local, "udp").expect("a candidate"));
            let offer = SdpOffer::from_sdp_string(&offered.sdp).expect("an offer");
            let answer = rtc
                .sdp_api()
                .accept_offer(offer)
                .expect("an answer")
                .to_sdp_string();
            let mid = |text: &String| Mid::from(text.as_str());
            let uplink = [mid(&offered.uplink.microphone), mid(&offered.uplink.camera)];
            let slot = [mid(&offered.slots[2].audio), mid(&offered.slots[2].video)];
            Self {
                rtc,
                socket,
                local,
                answer,
                uplink,
                slot,
                timer: now,
            }
        }

        async fn step(&mut self) {
            let mut buffer = [0; 2_000];
            tokio::select! {
                datagram = self.socket.recv_from(&mut buffer) => {
                    let (length, source) = datagram.expect("a datagram");
                    let receive = Receive::new(Protocol::Udp, source, self.local, &buffer[..length]).expect("known bytes");
                    self.rtc.handle_input(Input::Receive(Instant::now(), receive)).expect("good bytes");
                }
                () = tokio::time::sleep_until(self.timer.into()) => {
                    self.rtc.handle_input(Input::Timeout(Instant::now())).expect("a timeout");
                }
            }
            loop {
                match self.rtc.poll_output().expect("output") {
                    Output::Timeout(at) => break self.timer = at,
                    Output::Transmit(transmit) => {
                        self.socket
                            .send_to(&transmit.contents, transmit.destination)
                            .await
                            .expect("a way back");
                    }
                    Output::Event(Event::RtpPacket(packet)) => self.send_back(packet),
                    Output::Event(_) => {}
                }
            }
        }

        fn send_back(&mut self, packet: RtpPacket) {
            let (mid, rid) = {
                let mut api = self.rtc.direct_api();
                let stream = api.stream_rx(&packet.header.ssrc).expect("a known stream");
                (stream.mid(), stream.rid())
            };
            let target = match rid {
                None if mid == self.uplink[0] => self.slot[0],
                Some(rid) if mid == self.uplink[1] && rid == Rid::from("f") => self.slot[1],
                _ => return,
            };
            let seq = SeqNo::from(*packet.seq_no);
            let write = RtpWrite::new(
                packet.header.payload_type,
                seq,
                packet.header.timestamp,
                packet.timestamp,
                packet.payload,
            );
            let write = write.marker(packet.header.marker);
            self.rtc
                .direct_api()
                .stream_tx_by_mid(target, None)
                .expect("a slot")
                .write_rtp(write);
        }
    }
}
