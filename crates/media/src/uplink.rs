//! What one peer sends of one source: its layers, which of them are alive, keyframe requests towards the sender, and
//! who is subscribed. Turns a packet of the engine into one that can be forwarded.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::rtp::{RtpPacket, Ssrc};

use crate::allocation::{Choice, Step};
use crate::api::{PeerId, ShardIndex, Size, SlotIndex, Source, UplinkState};
use crate::clock::{Report, SenderClock};
use crate::egress::PassedOn;
use crate::layers::{self, Candidate, Reach, Resized};
use crate::opus;
use crate::pipe::Layers;
use crate::rate::{Part, Rate};
use crate::red::{Arrived, Block};
use crate::rewriter::{Arrival, Origin, Pictures};
use crate::sound::Recent;
use crate::thinning::ALL;
use crate::vp8::{self, Descriptor};

pub(crate) const VIDEO_CLOCK_RATE: u32 = 90_000;
pub(crate) const AUDIO_CLOCK_RATE: u32 = 48_000;
/// A layer that sent nothing for so long is taken for switched off; one that was asked for and did not come until then,
/// for one that its sender is not able to send.
const LAYER_DEAD_AFTER: Duration = Duration::from_millis(1_500);
/// A layer that nobody has needed for so long is switched off. Somebody else may need it in a moment.
const SLEEP_AFTER: Duration = Duration::from_secs(3);
/// What is left of a large layer counts so much.
const UNEVEN_PERCENT: u64 = 125;
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
    /// Of sound only.
    pub arrived: Arrived,
    pub recent: Recent,
    layers: Vec<Layer>,
}

/// What the layers of a source are to somebody who chooses among them now.
#[derive(Clone, Copy)]
pub(crate) struct Choices<'a> {
    now: Instant,
    source: Source,
    sends_since: Option<Instant>,
    layers: &'a [Layer],
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

/// A packet as the engine gives it.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    pub ssrc: u32,
    /// Extended.
    pub sequence: u64,
    pub timestamp: u32,
    pub arrived: Instant,
    pub marker: bool,
    pub extensions: PassedOn,
    pub payload: Arc<[u8]>,
}

impl From<&RtpPacket> for Incoming {
    fn from(packet: &RtpPacket) -> Self {
        let extensions = &packet.header.ext_vals;
        Self {
            ssrc: *packet.header.ssrc,
            sequence: *packet.seq_no,
            timestamp: packet.header.timestamp,
            arrived: packet.timestamp,
            marker: packet.header.marker,
            extensions: PassedOn {
                audio_level: extensions.audio_level,
                voice_activity: extensions.voice_activity,
                video_orientation: extensions.video_orientation,
            },
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
    /// Absent in packets without payload, which only keep the numbers going.
    pub vp8: Option<Descriptor>,
    pub starts_keyframe: bool,
    pub extensions: PassedOn,
}

impl Packet {
    /// Nothing of it but its time: it only takes up a number.
    pub fn blank(&self) -> Self {
        Self {
            payload: Arc::new([]),
            vp8: None,
            marker: false,
            starts_keyframe: false,
            extensions: PassedOn::default(),
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

    /// `None` if the payload is not what it should be.
    pub fn read(
        &self,
        peer: PeerId,
        layer: usize,
        packet: &Incoming,
        clock: &SenderClock,
    ) -> Option<Packet> {
        let vp8 = match self.source.is_video() && !packet.payload.is_empty() {
            true => Some(Descriptor::parse(&packet.payload)?),
            false => None,
        };
        let told = vp8.unwrap_or_default();
        let Incoming {
            timestamp, arrived, ..
        } = *packet;
        let captured = match self.layers.get(layer)?.report {
            Some(report) => report.captured(clock, clock_rate(self.source), timestamp, arrived),
            None => arrived,
        };
        Some(Packet {
            source: self.source,
            layer,
            arrival: Arrival {
                origin: Origin {
                    peer,
                    ssrc: packet.ssrc,
                },
                sequence: packet.sequence,
                timestamp,
                captured,
                pictures: Pictures {
                    picture_id: told.picture_id,
                    tl0_pic_idx: told.tl0_pic_idx,
                    key_idx: told.key_idx,
                },
                temporal: told.temporal,
                starts_picture: told.starts_picture,
            },
            arrived,
            marker: packet.marker,
            starts_keyframe: told.starts_keyframe,
            extensions: packet.extensions,
            vp8,
            payload: packet.payload.clone(),
            encrypted: self.encrypted,
            before: vec![],
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
        let (bytes, temporal) = (packet.payload.len(), packet.arrival.temporal.id);
        let rate = &mut layer.rate;
        rate.packet(packet.arrived, bytes, temporal, packet.marker);
        let mut changed = !layer.alive;
        layer.alive = true;
        if !packet.starts_keyframe {
            layer.keep_early(packet);
            return (changed, vec![]);
        }
        let size = vp8::keyframe_size(&packet.payload);
        changed |= size.is_some() && size != layer.size && layer.resized.note(packet.arrived);
        layer.size = size.or(layer.size);
        (changed, layer.take_early(packet))
    }

    pub fn keyframe_came(&mut self, layer: usize) {
        if let Some(layer) = self.layers.get_mut(layer) {
            layer.keyframe.wanted = false;
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

    /// Takes in which layers are needed now. What to tell the sender, if that changed: the rids to send, or that nobody
    /// looks.
    pub fn demand(
        &mut self,
        now: Instant,
        needed: impl Fn(usize) -> bool,
    ) -> Option<Option<Vec<String>>> {
        let mut changed = false;
        for (index, layer) in self.layers.iter_mut().enumerate() {
            changed |= layer.asked.update(now, needed(index));
        }
        let asked = || {
            self.layers
                .iter()
                .filter(|layer| layer.asked.since.is_some())
        };
        let rids = || asked().filter_map(|layer| layer.rid.clone()).collect();
        changed.then(|| asked().next().is_some().then(rids))
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
        self.layers
            .iter_mut()
            .enumerate()
            .filter_map(|(index, layer)| layer.keyframe.due(now).then_some((index, layer.ssrc)))
            .collect()
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

impl Choices<'_> {
    /// What a tile of this height may get, from the least to the layer that fills it, with the rates.
    pub fn options(&self, wanted_height: u16, most: Option<usize>) -> Vec<Choice> {
        let reaches = self.candidates().collect::<Vec<_>>();
        let Some(top) = layers::choose(reaches.iter().copied(), wanted_height) else {
            return vec![];
        };
        let usable = |(index, _): &(usize, &Layer)| {
            let reach = reaches.get(*index).map(|candidate| candidate.reach);
            *index <= top && (*index == top || reach != Some(Reach::Unable))
        };
        let layers = self.layers.iter().enumerate().filter(usable);
        let least = layers.clone().next().map(|(index, _)| index);
        let allowed = |index: usize| Some(index) == least || most.is_none_or(|most| index <= most);
        layers
            .filter(|(index, _)| allowed(*index))
            .flat_map(|(index, layer)| self.steps(index, layer, Some(index) == least))
            .collect()
    }

    /// A layer, and before it what could be left of it where that is worth seeing. In place of no picture at all
    /// everything is, and a screen need not move to be read.
    fn steps(&self, index: usize, layer: &Layer, is_least: bool) -> Vec<Choice> {
        let (all, whole) = (layer.bps(self.source), Step::whole(index));
        let choice = |temporal, percent| Choice {
            step: Step { temporal, ..whole },
            bps: all * percent / 100,
        };
        // A large layer's pictures are large, however few they are: that takes more room than the mean says.
        let margin = if is_least { 100 } else { UNEVEN_PERCENT };
        let is_worth = |part: &Part| part.is_brisk || is_least || self.source == Source::Screen;
        // What was never seen is taken to be divided like what was.
        let all_layers = [layer].into_iter().chain(self.layers);
        let mut parts = all_layers.map(|layer| layer.rate.parts().collect::<Vec<_>>());
        let parts = parts.find(|parts| !parts.is_empty()).unwrap_or_default();
        let parts = parts.into_iter().filter(is_worth);
        parts
            .map(|part| choice(part.temporal, (part.percent * margin / 100).min(100)))
            .chain([choice(ALL, 100)])
            .collect()
    }

    /// The layer that would fill the tile if every layer could come.
    pub fn best(&self, wanted_height: u16) -> Option<usize> {
        let candidates = self.layers.iter().map(|layer| Candidate {
            height: layer.height(self.source),
            reach: Reach::Alive,
        });
        layers::choose(candidates, wanted_height)
    }

    fn candidates(&self) -> impl Iterator<Item = Candidate> {
        self.layers.iter().map(|layer| Candidate {
            height: layer.height(self.source),
            reach: self.reach(layer),
        })
    }

    /// What can be sent now on the way to this layer: itself, else the largest below it, else itself when it comes.
    pub fn stand_in(&self, layer: usize) -> usize {
        let alive = |index: &usize| self.layers.get(*index).is_some_and(|layer| layer.alive);
        (0..=layer).rev().find(alive).unwrap_or(layer)
    }

    fn reach(&self, layer: &Layer) -> Reach {
        let since = layer.asked.since.max(self.sends_since);
        let patient = |since| self.now.saturating_duration_since(since) < LAYER_DEAD_AFTER;
        if layer.alive {
            Reach::Alive
        } else if layer.asked.since.is_none() || since.is_none_or(patient) {
            Reach::Asleep
        } else {
            Reach::Unable
        }
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

impl Asked {
    /// True when the sender has to be told.
    fn update(&mut self, now: Instant, needed: bool) -> bool {
        if needed {
            self.needed = Some(now);
            let was_asleep = self.since.is_none();
            self.since.get_or_insert(now);
            return was_asleep;
        }
        let rested = |last| now.saturating_duration_since(last) >= SLEEP_AFTER;
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
