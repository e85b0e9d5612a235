//! How a packet leaves towards one subscriber: header, payload patch, SRTP, retransmission and sender reports of one
//! down section. An interface of our own, so that str0m's sender can be replaced without touching who gets what.
//!
//! A section that has carried nothing yet is parked outside the engine: it costs nothing per packet there, and sends
//! no reports about a time line that has not begun.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::Rtc;
use str0m::format::Codec;
use str0m::media::{Mid, Pt};
use str0m::rtp::{ExtensionValues, RtpWrite, Ssrc, VideoOrientation, Vp8Descriptor, Vp8Patch};

use crate::rewriter::{Pictures, Rewritten};

/// Packets and time that a receiver can ask for again.
const RETRANSMISSION_PACKETS: usize = 1_000;
const RETRANSMISSION_AGE: Duration = Duration::from_secs(3);
/// Share of retransmissions in what is sent above which they are dropped.
const RETRANSMISSION_SHARE: f32 = 0.5;

/// One down section that the client agreed to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub mid: Mid,
    pub ssrc: Ssrc,
    payload_type: Pt,
}

/// A packet for one subscriber. The payload is shared by all of them.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub numbers: Rewritten,
    pub captured: Instant,
    pub marker: bool,
    pub payload: &'a Arc<[u8]>,
    pub vp8: Option<&'a Vp8Descriptor>,
    pub extensions: PassedOn,
}

/// The header extensions that go from sender to receiver.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PassedOn {
    pub audio_level: Option<i8>,
    pub voice_activity: Option<bool>,
    pub video_orientation: Option<VideoOrientation>,
}

/// The down sections of one subscriber.
#[derive(Debug, Default)]
pub(crate) struct Egress {
    parked: HashMap<Ssrc, (Mid, Option<Ssrc>)>,
}

impl Egress {
    /// To be called after each negotiation. `None` when the client receives nothing there, or not our codec.
    pub fn open(&mut self, rtc: &mut Rtc, mid: &str) -> Option<Route> {
        let mid = Mid::from(mid);
        let media = rtc.media(mid)?;
        let codec = if media.kind().is_video() {
            Codec::Vp8
        } else {
            Codec::Opus
        };
        let agreed = media.remote_pts();
        let payload_type = rtc
            .codec_config()
            .params()
            .iter()
            .find(|params| params.spec().codec == codec && agreed.contains(&params.pt()))?
            .pt();
        let ssrc = rtc.direct_api().stream_tx_by_mid(mid, None)?.ssrc();
        Some(Route {
            mid,
            ssrc,
            payload_type,
        })
    }

    /// Takes a section that has not carried anything yet out of the engine.
    pub fn park(&mut self, rtc: &mut Rtc, route: &Route) {
        let mut api = rtc.direct_api();
        if let Some(rtx) = api.stream_tx(&route.ssrc).map(|stream| stream.rtx()) {
            api.remove_stream_tx(route.ssrc);
            self.parked.insert(route.ssrc, (route.mid, rtx));
        }
    }

    /// Before a negotiation: the engine must know all sections, or it would give them new identities.
    pub fn unpark_all(&mut self, rtc: &mut Rtc) {
        for (ssrc, (mid, rtx)) in self.parked.drain() {
            declare(rtc, ssrc, mid, rtx);
        }
    }

    pub fn send(&mut self, rtc: &mut Rtc, route: &Route, packet: Outgoing<'_>) {
        if let Some((mid, rtx)) = self.parked.remove(&route.ssrc) {
            declare(rtc, route.ssrc, mid, rtx);
        }
        let extensions = ExtensionValues {
            audio_level: packet.extensions.audio_level,
            voice_activity: packet.extensions.voice_activity,
            video_orientation: packet.extensions.video_orientation,
            ..Default::default()
        };
        let numbers = packet.numbers;
        let mut write = RtpWrite::new(
            route.payload_type,
            numbers.sequence.into(),
            numbers.timestamp,
            packet.captured,
            packet.payload.clone(),
        )
        .marker(packet.marker)
        .ext_vals(extensions)
        .nackable(packet.vp8.is_some());
        if let Some(patch) = packet
            .vp8
            .and_then(|descriptor| patch(descriptor, numbers.pictures))
        {
            write = write.vp8_patch(patch);
        }
        if let Some(stream) = rtc.direct_api().stream_tx(&route.ssrc) {
            stream.write_rtp(write);
        }
    }
}

fn declare(rtc: &mut Rtc, ssrc: Ssrc, mid: Mid, rtx: Option<Ssrc>) {
    let mut api = rtc.direct_api();
    let stream = api.declare_stream_tx(ssrc, rtx, mid, None);
    stream.set_rtx_cache(
        RETRANSMISSION_PACKETS,
        RETRANSMISSION_AGE,
        Some(RETRANSMISSION_SHARE),
    );
}

fn patch(descriptor: &Vp8Descriptor, pictures: Pictures) -> Option<Vp8Patch> {
    let build = |mask: u16| {
        let mut patch = descriptor.patch();
        if let Some(id) = pictures.picture_id {
            patch = patch.picture_id(id & mask);
        }
        if let Some(index) = pictures.tl0_pic_idx {
            patch = patch.tl0_pic_idx(index);
        }
        if let Some(index) = pictures.key_idx {
            patch = patch.key_idx(index);
        }
        patch.build().ok()
    };
    // The field has 15 bits, or 7 when the sender chose the short form.
    build(0x7fff).or_else(|| build(0x7f))
}
