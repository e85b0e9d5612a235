//! What one peer sends of one source: its layers, which of them are alive, keyframe requests towards the sender, and
//! who is subscribed. Turns a packet of the engine into one that can be forwarded.

mod choices;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::rtp::Ssrc;

use crate::api::{PeerId, ShardIndex, Size, SlotIndex, Source, UplinkState, VideoCodec};
use crate::clock::{Report, SenderClock};
use crate::codec::{self, Content};
use crate::described::{self, Known, Said};
use crate::layers::{self, Resized};
use crate::packet::{Incoming, Packet};
use crate::pipe::Layers;
use crate::rate::Rate;
use crate::red::Arrived;
use crate::rewriter::{Arrival, Origin};
use crate::sound::Recent;
use choices::Choices;

pub(crate) const VIDEO_CLOCK_RATE: u32 = 90_000;
pub(crate) const AUDIO_CLOCK_RATE: u32 = 48_000;
/// A layer that sent nothing for so long is taken for switched off; one that was asked for and did not come until then,
/// for one that its sender is not able to send.
const LAYER_DEAD_AFTER: Duration = Duration::from_millis(1_500);
/// A layer that nobody has needed for so long is switched off. Somebody else may need it in a moment.
const SLEEP_AFTER: Duration = Duration::from_secs(3);
/// The same for one below others in their stream: it takes little, and without it they begin anew with a keyframe, for all.
const LEAVE_STREAM_AFTER: Duration = Duration::from_secs(30);
/// After the last one who can show nothing but VP8 it goes on for so long: another codec begins with a keyframe.
const PLAIN_FOR: Duration = Duration::from_secs(30);
/// Among needed layers: somebody can show nothing but VP8.
pub(crate) const PLAIN: Layers = 1 << 31;
/// Packets and time that a keyframe's beginning may be late.
const EARLY_PACKETS: usize = 256;
const EARLY_AGE: Duration = Duration::from_millis(300);
/// So long the beginning of a keyframe may still be on its way, or sent again.
const PATIENCE: Duration = Duration::from_millis(100);
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

/// What other shards are told of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub source: Source,
    pub state: UplinkState,
    pub encrypted: bool,
    pub sends_since: Option<Instant>,
    layers: Vec<Seen>,
}

/// A layer as its home knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    rid: Option<String>,
    size: Option<Size>,
    alive: bool,
}

/// Another shard where somebody receives a source, and the layers that are needed there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    pub shard: ShardIndex,
    pub layers: Layers,
}

/// What its sender is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Demand {
    /// The rids; none for a source in one encoding, absent when nobody looks.
    pub layers: Option<Vec<String>>,
    pub codec: VideoCodec,
}

#[derive(Debug)]
pub(crate) struct Uplink {
    pub source: Source,
    pub state: UplinkState,
    pub encrypted: bool,
    pub subscribers: Vec<Subscriber>,
    /// Of a sender that is connected here.
    pub elsewhere: Vec<Elsewhere>,
    /// Of a remote one: what its home was told last.
    pub told_home: Option<Layers>,
    /// From when on what is asked for can come.
    pub sends_since: Option<Instant>,
    /// The codec that the sender was asked for, and until when it is the one that everybody can show.
    codec: VideoCodec,
    plain_until: Option<Instant>,
    /// Of sound only.
    pub arrived: Arrived,
    pub recent: Recent,
    layers: Vec<Layer>,
}

/// One encoding of a source; audio and screens have a single one.
#[derive(Debug)]
struct Layer {
    rid: Option<String>,
    ssrc: Option<Ssrc>,
    last_packet: Option<Instant>,
    alive: bool,
    size: Option<Size>,
    resized: Resized,
    report: Option<Report>,
    rate: Rate,
    asked: Asked,
    keyframe: KeyframeDemand,
    /// What came while a keyframe was awaited: parts of it may overtake its beginning.
    early: VecDeque<Arc<Packet>>,
    /// What descriptors refer to, and what refers to something newer that is still to come.
    known: Option<Known>,
    unread: VecDeque<Incoming>,
}

/// Whether the sender was told that somebody needs a layer.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    /// Since when it is asked for; a layer that nobody needs sleeps.
    since: Option<Instant>,
    needed: Option<Instant>,
}

/// Asked for until it comes, but not all the time.
#[derive(Debug, Default)]
struct KeyframeDemand {
    wanted: bool,
    requested: Option<Instant>,
}

impl Uplink {
    /// `rids` from the smallest layer to the largest; none means a single encoding.
    pub fn new(source: Source, rids: &[String]) -> Self {
        let mut uplink = Self {
            source,
            state: UplinkState::default(),
            encrypted: false,
            subscribers: vec![],
            elsewhere: vec![],
            told_home: None,
            sends_since: None,
            codec: VideoCodec::default(),
            plain_until: None,
            arrived: Arrived::default(),
            recent: Recent::default(),
            layers: vec![],
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

    /// `None` if the packet is not what it should be, or refers to one that is still to come, with which it is given out.
    /// `layer`: the smallest of the stream that it came in.
    pub fn read(
        &mut self,
        peer: PeerId,
        layer: usize,
        codec: VideoCodec,
        packet: &Incoming,
        clock: &SenderClock,
    ) -> Option<(Packet, VecDeque<Incoming>)> {
        let stream = self.layers.get_mut(layer)?;
        // Without payload it only keeps the numbers going.
        let (told, sizes) = match self.source.is_video() && !packet.payload.is_empty() {
            true => stream.told(codec, packet)?,
            false => Default::default(),
        };
        let waited = match told.starts_keyframe {
            true => std::mem::take(&mut stream.unread),
            false => VecDeque::new(),
        };
        let Incoming {
            timestamp, arrived, ..
        } = *packet;
        let captured = match stream.report {
            Some(report) => report.captured(clock, clock_rate(self.source), timestamp, arrived),
            None => arrived,
        };
        let size = told.spatial.map_or(0, |spatial| usize::from(spatial.id));
        self.layers.get(layer + size)?;
        let read = Packet {
            source: self.source,
            layer: layer + size,
            arrival: Arrival {
                origin: Origin {
                    peer,
                    ssrc: packet.ssrc,
                },
                sequence: packet.sequence,
                timestamp,
                captured,
                pictures: told.pictures,
                temporal: told.temporal,
                spatial: told.spatial,
                starts_picture: told.starts_picture,
            },
            arrived,
            marker: packet.marker,
            codec,
            begins: told.begins << layer,
            sizes,
            extensions: packet.extensions,
            descriptor: packet.descriptor.clone(),
            payload: packet.payload.clone(),
            encrypted: self.encrypted,
            before: vec![],
        };
        Some((read, waited))
    }

    /// Notes that the layer lives. True when the choice of layers may change by it; with the packets that overtook the
    /// beginning of a keyframe, when this is one.
    pub fn take_in(&mut self, packet: &Arc<Packet>) -> (bool, Vec<Arc<Packet>>) {
        let Some(layer) = self.layers.get_mut(packet.layer) else {
            return (false, vec![]);
        };
        layer.ssrc = Some(packet.arrival.origin.ssrc.into());
        layer.last_packet = Some(packet.arrived);
        let (bytes, temporal) = (packet.payload.len(), packet.arrival.temporal.id);
        let rate = &mut layer.rate;
        rate.packet(packet.arrived, bytes, temporal, packet.ends_picture());
        let mut changed = !layer.alive;
        layer.alive = true;
        if !packet.starts_keyframe() {
            // What wakes begins with one.
            let is_awaited = changed || self.same_stream(packet).any(|one| one.keyframe.wanted);
            if let Some(layer) = self.layers.get_mut(packet.layer).filter(|_| is_awaited) {
                layer.keep_early(packet);
            }
            return (changed, vec![]);
        }
        let from_here = self.layers.iter_mut().skip(packet.layer);
        for (layer, size) in from_here.zip(&packet.sizes) {
            changed |= Some(*size) != layer.size && layer.resized.note(packet.arrived);
            layer.size = Some(*size);
        }
        let mut early: Vec<_> = self
            .same_stream(packet)
            .flat_map(Layer::take_early)
            .collect();
        let keyframe = packet.arrival;
        early.retain(|packet| {
            let arrival = packet.arrival;
            arrival.origin == keyframe.origin && arrival.sequence > keyframe.sequence
        });
        early.sort_by_key(|packet| packet.arrival.sequence);
        (changed, early)
    }

    /// The layers that came with the stream of this packet last.
    fn same_stream(&mut self, packet: &Packet) -> impl Iterator<Item = &mut Layer> {
        let ssrc = Some(packet.arrival.origin.ssrc.into());
        self.layers
            .iter_mut()
            .filter(move |layer| layer.ssrc == ssrc)
    }

    pub fn keyframe_came(&mut self, packet: &Packet) {
        for layer in packet.layers_begun() {
            if let Some(layer) = self.layers.get_mut(layer) {
                layer.keyframe.wanted = false;
            }
        }
    }

    pub fn bury_the_dead(&mut self, now: Instant) {
        for layer in &mut self.layers {
            let silent = |last| now.saturating_duration_since(last) >= LAYER_DEAD_AFTER;
            if layer.alive && layer.last_packet.is_none_or(silent) {
                layer.alive = false;
                layer.keyframe.wanted = false;
                layer.early.clear();
                layer.rate.stopped();
            }
        }
    }

    /// Takes in which layers are needed now, as bits. What to tell the sender, if that changed: the rids to send, or that
    /// nobody looks, and the codec.
    pub fn demand(&mut self, now: Instant, needed: Layers, codec: VideoCodec) -> Option<Demand> {
        let mut changed = false;
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let from_here = (needed & !PLAIN) >> index.min(30);
            let is_below = from_here > 1 && self.codec != VideoCodec::Vp8;
            let patience = match is_below {
                true => LEAVE_STREAM_AFTER,
                false => SLEEP_AFTER,
            };
            changed |= layer.asked.update(now, from_here & 1 == 1, patience);
        }
        if needed & PLAIN != 0 {
            self.plain_until = Some(now + PLAIN_FOR);
        }
        let is_plain = self.plain_until.is_some_and(|until| now < until);
        let codec = if is_plain { VideoCodec::Vp8 } else { codec };
        let asked = || {
            self.layers
                .iter()
                .filter(|layer| layer.asked.since.is_some())
        };
        let is_asked = asked().next().is_some();
        changed |= is_asked && self.codec != codec;
        if !changed {
            return None;
        }
        let rids = asked().filter_map(|layer| layer.rid.clone()).collect();
        let layers = is_asked.then_some(rids);
        self.codec = codec;
        Some(Demand { layers, codec })
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

    pub fn choices(&self, now: Instant) -> Choices<'_> {
        Choices {
            now,
            source: self.source,
            sends_since: self.sends_since,
            layers: &self.layers,
        }
    }

    /// Somebody needs a keyframe of this layer.
    pub fn want_keyframe(&mut self, layer: usize) {
        if let Some(layer) = self.layers.get_mut(layer) {
            layer.keyframe.wanted = true;
        }
    }

    /// The layers to be asked for a keyframe now, with their streams as far as they are known. Each counts as asked.
    pub fn due_keyframes(&mut self, now: Instant) -> Vec<(usize, Option<Ssrc>)> {
        let is_received = !self.subscribers.is_empty() || !self.elsewhere.is_empty();
        if self.state != UplinkState::Live || !is_received {
            for layer in &mut self.layers {
                layer.keyframe.wanted = false;
            }
        }
        let mut due: Vec<(usize, Option<Ssrc>)> = vec![];
        for (index, layer) in self.layers.iter_mut().enumerate() {
            // One keyframe is for all sizes of a stream.
            let is_asked =
                |(_, ssrc): &(usize, Option<Ssrc>)| ssrc.is_some() && *ssrc == layer.ssrc;
            if due.iter().any(is_asked) {
                layer.keyframe.requested = Some(now);
            } else if layer.keyframe.due(now) {
                due.push((index, layer.ssrc));
            }
        }
        due
    }
}

impl Told {
    pub fn of(uplink: &Uplink) -> Self {
        let seen = |layer: &Layer| Seen {
            rid: layer.rid.clone(),
            size: layer.size,
            alive: layer.alive,
        };
        Self {
            source: uplink.source,
            state: uplink.state,
            encrypted: uplink.encrypted,
            sends_since: uplink.sends_since,
            layers: uplink.layers.iter().map(seen).collect(),
        }
    }

    /// Takes over the layers. True when the source is something else than before.
    pub fn apply_layers(&self, now: Instant, uplink: &mut Uplink) -> bool {
        let rids = self.layers.iter().filter_map(|seen| seen.rid.clone());
        uplink.set_layers(&rids.collect::<Vec<String>>());
        let before = (uplink.state, uplink.encrypted, uplink.sends_since);
        let mut changed = before != (self.state, self.encrypted, self.sends_since);
        for (layer, seen) in uplink.layers.iter_mut().zip(&self.layers) {
            changed |= seen.size.is_some() && seen.size != layer.size;
            layer.size = seen.size.or(layer.size);
            if seen.alive && !layer.alive {
                (layer.alive, layer.last_packet) = (true, Some(now));
                changed = true;
            }
        }
        changed
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
            resized: Resized::default(),
            report: None,
            rate: Rate::default(),
            asked: Asked::default(),
            keyframe: KeyframeDemand::default(),
            early: VecDeque::new(),
            known: None,
            unread: VecDeque::new(),
        }
    }

    fn height(&self, source: Source) -> u16 {
        let nominal = layers::nominal_height(source, self.rid.as_deref());
        self.size.map_or(nominal, |size| size.height)
    }

    fn bps(&self, source: Source) -> u64 {
        let nominal = layers::nominal_bps(source, self.rid.as_deref());
        self.rate.bps().unwrap_or(nominal)
    }

    /// What a packet says of itself, and which sizes begin with it.
    fn told(&mut self, codec: VideoCodec, packet: &Incoming) -> Option<(Content, Box<[Size]>)> {
        let Some(descriptor) = &packet.descriptor else {
            let told = Content::read(codec, &packet.payload)?;
            let sizes = match told.starts_keyframe {
                true => codec::sizes(codec, &packet.payload),
                false => vec![],
            };
            return Some((told, sizes.into()));
        };
        match described::read(&mut self.known, packet.ssrc, packet.sequence, descriptor) {
            Said::This(descriptor, valid) => {
                let told = Content::described(codec, &descriptor, valid);
                let new = descriptor.structure.filter(|_| told.starts_keyframe);
                Some((told, new.map(|new| new.sizes).unwrap_or_default().into()))
            }
            Said::NotYet => {
                let wait =
                    |first: &Incoming| packet.arrived.saturating_duration_since(first.arrived);
                let waits_long = self
                    .unread
                    .front()
                    .is_some_and(|first| wait(first) > PATIENCE);
                self.ssrc = Some(packet.ssrc.into());
                self.keyframe.wanted |= waits_long;
                keep_a_while(&mut self.unread, packet.clone(), |packet| packet.arrived);
                None
            }
            Said::Nothing => None,
        }
    }

    /// Keeps a packet that somebody may need who is still waiting for the keyframe that it belongs to.
    fn keep_early(&mut self, packet: &Arc<Packet>) {
        if packet.payload.is_empty() {
            return;
        }
        keep_a_while(&mut self.early, packet.clone(), |packet| packet.arrived);
    }

    fn take_early(&mut self) -> std::collections::vec_deque::Drain<'_, Arc<Packet>> {
        self.early.drain(..)
    }
}

/// Not for long, and not many.
fn keep_a_while<T>(kept: &mut VecDeque<T>, new: T, arrived: impl Fn(&T) -> Instant) {
    let now = arrived(&new);
    let is_old = |early: &T| now.saturating_duration_since(arrived(early)) > EARLY_AGE;
    while kept.len() >= EARLY_PACKETS || kept.front().is_some_and(is_old) {
        kept.pop_front();
    }
    kept.push_back(new);
}

impl Asked {
    /// True when the sender has to be told.
    fn update(&mut self, now: Instant, needed: bool, patience: Duration) -> bool {
        if needed {
            self.needed = Some(now);
            let was_asleep = self.since.is_none();
            self.since.get_or_insert(now);
            return was_asleep;
        }
        let rested = |last| now.saturating_duration_since(last) >= patience;
        let sleeps = self.since.is_some() && self.needed.is_none_or(rested);
        if sleeps {
            self.since = None;
        }
        sleeps
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
