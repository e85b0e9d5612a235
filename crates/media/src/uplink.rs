//! What one peer sends of one source: its layers, which of them are alive, keyframe requests towards the sender, and
//! who is subscribed. Turns a packet of the engine into one that can be forwarded.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::rtp::{RtpPacket, Ssrc, Vp8Descriptor};

use crate::api::{PeerId, Size, SlotIndex, Source, UplinkState};
use crate::clock::{Report, SenderClock};
use crate::egress::PassedOn;
use crate::layers::{self, Candidate};
use crate::rewriter::{Arrival, Origin, Pictures};

pub(crate) const VIDEO_CLOCK_RATE: u32 = 90_000;
pub(crate) const AUDIO_CLOCK_RATE: u32 = 48_000;
/// A layer that sent nothing for so long is taken for switched off.
const LAYER_DEAD_AFTER: Duration = Duration::from_millis(1_500);
/// Packets and time that a keyframe's beginning may be late.
const EARLY_PACKETS: usize = 256;
const EARLY_AGE: Duration = Duration::from_millis(300);
/// Requests for one layer are at least so far apart, whoever asks.
pub(crate) const KEYFRAME_INTERVAL: Duration = Duration::from_millis(500);

pub(crate) fn clock_rate(source: Source) -> u32 {
    if source.is_video() {
        VIDEO_CLOCK_RATE
    } else {
        AUDIO_CLOCK_RATE
    }
}

/// A down slot of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subscriber {
    pub peer: PeerId,
    pub slot: SlotIndex,
}

#[derive(Debug)]
pub(crate) struct Uplink {
    pub source: Source,
    pub state: UplinkState,
    pub subscribers: Vec<Subscriber>,
    layers: Vec<Layer>,
    /// Whether its sender was told that somebody looks.
    demanded: bool,
}

/// One encoding of a source; audio and screens have a single one.
#[derive(Debug)]
struct Layer {
    rid: Option<String>,
    ssrc: Option<Ssrc>,
    last_packet: Option<Instant>,
    alive: bool,
    size: Option<Size>,
    report: Option<Report>,
    keyframe: KeyframeDemand,
    /// What came while a keyframe was awaited: parts of it may overtake its beginning.
    early: VecDeque<Arc<Packet>>,
}

/// Asked for until it comes, but not all the time.
#[derive(Debug, Default)]
struct KeyframeDemand {
    wanted: bool,
    requested: Option<Instant>,
}

/// A packet that is ready to be forwarded, and then shared by all who get it.
#[derive(Debug)]
pub(crate) struct Packet {
    pub source: Source,
    pub layer: usize,
    pub arrival: Arrival,
    pub arrived: Instant,
    pub marker: bool,
    pub payload: Arc<[u8]>,
    /// Absent in packets without payload, which only keep the numbers going.
    pub vp8: Option<Vp8Descriptor>,
    pub starts_keyframe: bool,
    pub extensions: PassedOn,
}

impl Uplink {
    /// `rids` from the smallest layer to the largest; none means a single encoding.
    pub fn new(source: Source, rids: &[String]) -> Self {
        let mut uplink = Self {
            source,
            state: UplinkState::default(),
            subscribers: vec![],
            layers: vec![],
            demanded: false,
        };
        uplink.set_layers(rids);
        uplink
    }

    /// After a negotiation. Layers that stay keep what is known of them.
    pub fn set_layers(&mut self, rids: &[String]) {
        let rids: Vec<Option<String>> = if rids.is_empty() {
            vec![None]
        } else {
            rids.iter().cloned().map(Some).collect()
        };
        if !self.layers.iter().map(|layer| &layer.rid).eq(&rids) {
            self.layers = rids.into_iter().map(Layer::new).collect();
        }
    }

    pub fn layer_of(&self, rid: Option<&str>) -> Option<usize> {
        self.layers
            .iter()
            .position(|layer| layer.rid.as_deref() == rid)
    }

    /// `None` if the payload is not what it should be.
    pub fn read(
        &self,
        peer: PeerId,
        layer: usize,
        packet: &RtpPacket,
        clock: &SenderClock,
    ) -> Option<Packet> {
        let vp8 = match self.source.is_video() && !packet.payload.is_empty() {
            true => Some(Vp8Descriptor::parse(&packet.payload).ok()?),
            false => None,
        };
        let timestamp = packet.header.timestamp;
        let captured = match self.layers.get(layer)?.report {
            Some(report) => {
                report.captured(clock, clock_rate(self.source), timestamp, packet.timestamp)
            }
            None => packet.timestamp,
        };
        let extensions = &packet.header.ext_vals;
        Some(Packet {
            source: self.source,
            layer,
            arrival: Arrival {
                origin: Origin {
                    peer,
                    ssrc: *packet.header.ssrc,
                },
                sequence: *packet.seq_no,
                timestamp,
                captured,
                pictures: vp8.map_or(Pictures::default(), |vp8| Pictures {
                    picture_id: vp8.picture_id(),
                    tl0_pic_idx: vp8.tl0_pic_idx(),
                    key_idx: vp8.key_idx(),
                }),
            },
            arrived: packet.timestamp,
            marker: packet.header.marker,
            starts_keyframe: vp8.is_some_and(|vp8| vp8.starts_keyframe(&packet.payload)),
            extensions: PassedOn {
                audio_level: extensions.audio_level,
                voice_activity: extensions.voice_activity,
                video_orientation: extensions.video_orientation,
            },
            vp8,
            payload: packet.payload.clone(),
        })
    }

    /// Notes that the layer lives. True when the choice of layers may change by it; with the packets that overtook the
    /// beginning of a keyframe, when this is one.
    pub fn take_in(&mut self, packet: &Arc<Packet>) -> (bool, Vec<Arc<Packet>>) {
        let Some(layer) = self.layers.get_mut(packet.layer) else {
            return (false, vec![]);
        };
        layer.ssrc = Some(packet.arrival.origin.ssrc.into());
        layer.last_packet = Some(packet.arrived);
        let mut changed = !layer.alive;
        layer.alive = true;
        if !packet.starts_keyframe {
            layer.keep_early(packet);
            return (changed, vec![]);
        }
        let size = keyframe_size(&packet.payload);
        changed |= size.is_some() && size != layer.size;
        layer.size = size.or(layer.size);
        (changed, layer.take_early(packet))
    }

    pub fn keyframe_came(&mut self, layer: usize) {
        if let Some(layer) = self.layers.get_mut(layer) {
            layer.keyframe.wanted = false;
        }
    }

    /// True when a layer died since the last look.
    pub fn bury_the_dead(&mut self, now: Instant) -> bool {
        let mut changed = false;
        for layer in &mut self.layers {
            let silent = |last| now.saturating_duration_since(last) >= LAYER_DEAD_AFTER;
            if layer.alive && layer.last_packet.is_none_or(silent) {
                layer.alive = false;
                layer.keyframe.wanted = false;
                layer.early.clear();
                changed = true;
            }
        }
        changed
    }

    /// True when somebody looks now who did not when this was asked last, or the other way round.
    pub fn demand_changed(&mut self) -> bool {
        let demanded = !self.subscribers.is_empty();
        std::mem::replace(&mut self.demanded, demanded) != demanded
    }

    pub fn demanded_rids(&self) -> Option<Vec<String>> {
        let rids = self.layers.iter().filter_map(|layer| layer.rid.clone());
        self.demanded.then(|| rids.collect())
    }

    pub fn report(&mut self, rid: Option<&str>, report: Report) {
        if let Some(layer) = self
            .layers
            .iter_mut()
            .find(|layer| layer.rid.as_deref() == rid)
        {
            layer.report = Some(report);
        }
    }

    /// The layer for a tile of this height.
    pub fn choose(&self, wanted_height: u16) -> Option<usize> {
        let candidates = self.layers.iter().map(|layer| Candidate {
            height: layer
                .size
                .map_or(layers::nominal_height(layer.rid.as_deref()), |size| {
                    size.height
                }),
            alive: layer.alive,
        });
        layers::choose(candidates, wanted_height)
    }

    /// Somebody needs a keyframe of this layer.
    pub fn want_keyframe(&mut self, layer: usize) {
        if let Some(layer) = self.layers.get_mut(layer) {
            layer.keyframe.wanted = true;
        }
    }

    /// The streams to be asked for a keyframe now. Each counts as asked.
    pub fn due_keyframes(&mut self, now: Instant) -> Vec<Ssrc> {
        if self.state != UplinkState::Live || self.subscribers.is_empty() {
            for layer in &mut self.layers {
                layer.keyframe.wanted = false;
            }
        }
        self.layers
            .iter_mut()
            .filter_map(|layer| layer.keyframe.due(now).then_some(layer.ssrc).flatten())
            .collect()
    }
}

impl Layer {
    fn new(rid: Option<String>) -> Self {
        Self {
            rid,
            ssrc: None,
            last_packet: None,
            alive: false,
            size: None,
            report: None,
            keyframe: KeyframeDemand::default(),
            early: VecDeque::new(),
        }
    }
}

impl Layer {
    /// Keeps a packet that somebody may need who is still waiting for the keyframe that it belongs to.
    fn keep_early(&mut self, packet: &Arc<Packet>) {
        if !self.keyframe.wanted || packet.vp8.is_none() {
            return;
        }
        let now = packet.arrived;
        let is_old = |early: &Arc<Packet>| now.saturating_duration_since(early.arrived) > EARLY_AGE;
        while self.early.len() >= EARLY_PACKETS || self.early.front().is_some_and(is_old) {
            self.early.pop_front();
        }
        self.early.push_back(packet.clone());
    }

    fn take_early(&mut self, keyframe: &Packet) -> Vec<Arc<Packet>> {
        let mut early: Vec<Arc<Packet>> = self.early.drain(..).collect();
        early.retain(|packet| {
            packet.arrival.origin == keyframe.arrival.origin
                && packet.arrival.sequence > keyframe.arrival.sequence
        });
        early.sort_by_key(|packet| packet.arrival.sequence);
        early
    }
}

impl KeyframeDemand {
    fn due(&mut self, now: Instant) -> bool {
        let rested = self
            .requested
            .is_none_or(|last| now.saturating_duration_since(last) >= KEYFRAME_INTERVAL);
        let due = self.wanted && rested;
        if due {
            self.requested = Some(now);
        }
        due
    }
}

/// The size in a VP8 keyframe's header (RFC 6386, section 9.1), if the payload is in the clear.
fn keyframe_size(payload: &[u8]) -> Option<Size> {
    let start = payload
        .get(..32)
        .unwrap_or(payload)
        .windows(3)
        .position(|bytes| bytes == [0x9d, 0x01, 0x2a])?;
    let at = |offset: usize| payload.get(start + offset).copied();
    let dimension = |low: u8, high: u8| u16::from_le_bytes([low, high]) & 0x3fff;
    Some(Size {
        width: dimension(at(3)?, at(4)?),
        height: dimension(at(5)?, at(6)?),
    })
}
