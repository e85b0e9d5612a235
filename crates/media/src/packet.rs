//! A packet on its way through the core: as the engine gives it, and as it is shared by all who get it. Plain values.

use std::sync::Arc;
use std::time::Instant;

use str0m::rtp::RtpPacket;

use crate::api::{Size, Source, VideoCodec};
use crate::described;
use crate::egress::PassedOn;
use crate::opus;
use crate::pipe::Layers;
use crate::red::Block;
use crate::rewriter::Arrival;

/// A packet as the engine gives it.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    pub ssrc: u32,
    pub payload_type: u8,
    /// Extended.
    pub sequence: u64,
    pub timestamp: u32,
    pub arrived: Instant,
    pub marker: bool,
    pub extensions: PassedOn,
    /// The dependency descriptor.
    pub descriptor: Option<Arc<[u8]>>,
    pub payload: Arc<[u8]>,
}

impl From<&RtpPacket> for Incoming {
    fn from(packet: &RtpPacket) -> Self {
        let extensions = &packet.header.ext_vals;
        Self {
            ssrc: *packet.header.ssrc,
            payload_type: *packet.header.payload_type,
            sequence: *packet.seq_no,
            timestamp: packet.header.timestamp,
            arrived: packet.timestamp,
            marker: packet.header.marker,
            extensions: PassedOn {
                audio_level: extensions.audio_level,
                voice_activity: extensions.voice_activity,
                video_orientation: extensions.video_orientation,
            },
            descriptor: extensions
                .user_values
                .get()
                .map(|described::Bytes(bytes)| bytes.clone()),
            payload: packet.payload.clone(),
        }
    }
}

/// A packet that is ready to be forwarded, and then shared by all who get it.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub source: Source,
    pub layer: usize,
    pub arrival: Arrival,
    pub arrived: Instant,
    pub marker: bool,
    pub payload: Arc<[u8]>,
    pub encrypted: bool,
    /// The sound before it that it can carry along, the nearest first.
    pub before: Vec<Block>,
    pub codec: VideoCodec,
    /// The layers that begin with this packet, as bits: those of a keyframe.
    pub begins: Layers,
    /// Of the layers from this one on, as far as its keyframe tells.
    pub sizes: Box<[Size]>,
    pub extensions: PassedOn,
    /// The dependency descriptor, whose numbers stand for those of the payload.
    pub descriptor: Option<Arc<[u8]>>,
}

impl Packet {
    pub fn starts_keyframe(&self) -> bool {
        self.begins != 0
    }

    pub fn begins_layer(&self, layer: usize) -> bool {
        self.begins >> layer.min(31) & 1 == 1
    }

    pub fn layers_begun(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..32).filter(|layer| self.begins_layer(*layer))
    }

    /// The last of its picture, as far as that is of this layer.
    pub fn ends_picture(&self) -> bool {
        let spatial = self.arrival.spatial;
        spatial.map_or(self.marker, |spatial| spatial.ends_frame)
    }

    /// Which of the sizes of its stream a layer is.
    pub fn size_of(&self, layer: usize) -> u8 {
        let own = self.arrival.spatial.map_or(0, |spatial| spatial.id);
        let smallest = self.layer.saturating_sub(own.into());
        layer.saturating_sub(smallest) as u8
    }

    /// Nothing of it but its time: it only takes up a number.
    pub fn blank(&self) -> Self {
        Self {
            payload: Arc::new([]),
            marker: false,
            begins: 0,
            sizes: Box::default(),
            extensions: PassedOn::default(),
            descriptor: None,
            ..self.clone()
        }
    }

    /// The packet that ends the sound after this one, and how much later it is.
    pub fn ending(&self) -> Option<(Self, u32)> {
        if self.encrypted || opus::is_silence(&self.payload) {
            return None;
        }
        let (payload, ticks) =
            opus::silence_after(&self.payload).zip(opus::duration(&self.payload))?;
        let mut ending = self.clone();
        ending.arrival.captured += opus::time(ticks);
        ending.payload = Arc::new(payload);
        ending.marker = false;
        ending.extensions = PassedOn::default();
        ending.before = vec![];
        Some((ending, ticks))
    }
}
