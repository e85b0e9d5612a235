//! Divides each receiver's line over its slots, and asks of each sender what somebody needs and nothing else. What is
//! decided by whom: `allocation` divides, `uplink` knows what can come; here both meet.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::allocation::{Decision, Step, Wish};
use crate::api::{Event, Generation, PeerId, SlotIndex, Source, UplinkState, VideoCodec};
use crate::bandwidth::Bandwidth;
use crate::peer::Peer;
use crate::pipe::Layers;
use crate::sfu::Sfu;
use crate::slot::Slot;
use crate::uplink::{Demand, PLAIN, Subscriber};

/// What a voice takes, and how many speak at once where it matters.
const VOICE_BPS: u64 = 50_000;
const VOICES: usize = 3;

/// What is to be seen in one slot.
struct Picture {
    slot: usize,
    from: PeerId,
    source: Source,
    /// The layer that would fill the tile.
    best: Option<usize>,
    /// What can be sent of it; absent while it is not sent at all.
    wish: Option<Wish>,
}

impl Sfu {
    /// Divides the line of a receiver anew, and aims all its slots accordingly.
    pub(crate) fn share_out(&mut self, peer: PeerId) {
        let Some(state) = self.peers.get(&peer).filter(|state| state.connected) else {
            return;
        };
        let pictures = self.pictures(state);
        let sound = self.sound_bps(state);
        let budget = line_bps(state).map(|bps| bps.saturating_sub(sound));
        let wishes: Vec<Wish> = pictures
            .iter()
            .filter_map(|picture| picture.wish.clone())
            .collect();
        let now = self.now;
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let decision = state.allocation.decide(now, budget, &wishes);
        if let Some(bandwidth) = &mut state.egress.bandwidth {
            bandwidth.set_wanted(decision.wanted_bps + sound);
        }
        let senders = give(state, &pictures, &decision);
        let told = told(state, &pictures, now);
        let group = state.group;
        for (slot, generation, paused) in told {
            self.event(Event::SlotPaused {
                group,
                peer,
                slot,
                generation,
                paused,
            });
        }
        for picture in &pictures {
            let slot = SlotIndex(picture.slot as u8);
            self.aim_at(Subscriber { peer, slot }, picture.from, picture.source);
        }
        for sender in senders {
            self.ask_for(sender);
            self.request_keyframes(sender);
        }
    }

    fn pictures(&self, state: &Peer) -> Vec<Picture> {
        let mut pictures = vec![];
        for (index, slot) in state.slots.iter().enumerate() {
            let source = slot.mids.kind.video_source();
            let Some(tile) = slot.binding.and_then(|binding| binding.tile()) else {
                continue;
            };
            let sender = self.senders.get(&tile.from);
            let Some(uplink) = sender.and_then(|sender| sender.uplink(source)) else {
                continue;
            };
            let choices = uplink.choices(self.now);
            let options = choices.options(tile.height, slot.share.most(self.now));
            let is_live = uplink.state == UplinkState::Live && !options.is_empty();
            pictures.push(Picture {
                slot: index,
                from: tile.from,
                source,
                best: choices.best(tile.height),
                wish: is_live.then_some(Wish {
                    slot: index,
                    generation: tile.generation,
                    rank: tile.rank,
                    camera: source == Source::Camera,
                    options,
                }),
            });
        }
        pictures
    }

    /// What sound may take of this receiver's line, before any picture.
    fn sound_bps(&self, state: &Peer) -> u64 {
        let is_heard = |from: PeerId, source| {
            let sender = self.senders.get(&from);
            let uplink = sender.and_then(|sender| sender.uplink(source));
            uplink.is_some_and(|uplink| uplink.state == UplinkState::Live)
        };
        let voices = state.slots.iter().filter(|slot| {
            let [audio, _] = slot.mids.kind.sources();
            slot.from().is_some_and(|from| is_heard(from, audio))
        });
        voices.take(VOICES).count() as u64 * VOICE_BPS
    }

    /// Tells a sender which of its layers are needed now, where that changed.
    pub(crate) fn ask_for(&mut self, peer: PeerId) {
        let Some(sender) = self.senders.get(&peer) else {
            return;
        };
        let (group, is_here) = (sender.group, sender.is_here());
        let is_connected = |state: &Peer| state.connected;
        if is_here && !self.peers.get(&peer).is_some_and(is_connected) {
            return;
        }
        self.tell_home(peer);
        let now = self.now;
        let can_more = self
            .peers
            .get(&peer)
            .is_some_and(|state| state.other.is_some());
        let mut changed = vec![];
        for (source, needed) in self.needed_of(peer) {
            if !source.is_video() {
                continue;
            }
            let codec = match can_more && source == Source::Camera {
                true => self.config.video,
                false => VideoCodec::Vp8,
            };
            let needed = needed.unwrap_or(0);
            let asked = self
                .uplink(peer, source)
                .and_then(|uplink| uplink.demand(now, needed, codec));
            changed.extend(asked.map(|demand| (source, demand)));
        }
        // Its home tells it.
        for (source, Demand { layers, codec }) in changed.into_iter().filter(|_| is_here) {
            self.event(Event::Demand {
                group,
                peer,
                source,
                layers,
                codec,
            });
        }
    }

    /// What is needed of each source of a sender but its voice, here and as other shards said. `None` for what nobody
    /// receives.
    pub(crate) fn needed_of(&self, sender: PeerId) -> Vec<(Source, Option<Layers>)> {
        let sender = self.senders.get(&sender).into_iter();
        let uplinks = sender.flat_map(|sender| &sender.uplinks);
        uplinks
            .filter(|uplink| uplink.source != Source::Microphone)
            .map(|uplink| {
                let needed_by = |to: &Subscriber| match uplink.source.is_video() {
                    true => self.needed_by(*to),
                    false => 0,
                };
                let here = uplink.subscribers.iter().map(needed_by);
                let elsewhere = uplink.elsewhere.iter().map(|needed| needed.layers);
                (uplink.source, here.chain(elsewhere).reduce(|a, b| a | b))
            })
            .collect()
    }

    /// The layers that a slot gets or waits for, as bits, and whether it can show nothing but VP8.
    fn needed_by(&self, to: Subscriber) -> Layers {
        let state = self.peers.get(&to.peer).filter(|state| state.connected);
        let slot = state.and_then(|state| state.slots.get(usize::from(to.slot.0)));
        let Some((slot, state)) = slot.zip(state) else {
            return 0;
        };
        let is_plain = state.is_plain || !slot.video.takes_other;
        let share = slot.share;
        // What goes out, what should, and what would be better still.
        let layers = [slot.current, share.layer, share.layer.and(share.better)];
        let bits = layers.into_iter().flatten().map(|layer| 1 << layer.min(31));
        bits.fold(if is_plain { PLAIN } else { 0 }, |all, bit| all | bit)
    }

    /// The receiver could show nothing of this slot for a while: it gets a keyframe, and the next time a smaller layer.
    pub(crate) fn no_picture(&mut self, peer: PeerId, index: SlotIndex, generation: Generation) {
        let now = self.now;
        let to = Subscriber { peer, slot: index };
        let slot = self.slot(to);
        let is_this = |slot: &&mut Slot| {
            let binding = slot.binding;
            binding.is_some_and(|binding| binding.generation == generation)
        };
        let Some(slot) = slot.filter(is_this) else {
            return;
        };
        let Some((from, layer)) = slot.from().zip(slot.visible_layer()) else {
            return;
        };
        let source = slot.mids.kind.video_source();
        if !slot.share.complain(now, layer) {
            return;
        }
        // A keyframe did not help: perhaps another codec does.
        let is_in_vain = slot.share.most(now).is_some() && slot.video.codec != VideoCodec::Vp8;
        if let Some(state) = self.peers.get_mut(&peer) {
            state.is_plain |= is_in_vain;
        }
        self.share_out(peer);
        self.ask_for(from);
        let slot = self.slot(to);
        let layer = slot.and_then(|slot| slot.visible_layer());
        if let Some((uplink, layer)) = self.uplink(from, source).zip(layer) {
            uplink.want_keyframe(layer);
        }
        self.request_keyframes(from);
    }
}

/// What the line to a receiver carries; `None` if it gives no feedback.
fn line_bps(state: &Peer) -> Option<u64> {
    let measured = state.egress.bandwidth.as_ref();
    let measured = measured.map(Bandwidth::estimate_bps);
    #[cfg(test)]
    let measured = state.line_bps.or(measured);
    measured
}

/// Notes what each slot gets, and gives the senders for whom that is something else than before.
fn give(state: &mut Peer, pictures: &[Picture], decision: &Decision) -> BTreeSet<PeerId> {
    let mut steps = decision.steps.iter();
    let mut senders = BTreeSet::new();
    for picture in pictures {
        let Some(slot) = state.slots.get_mut(picture.slot) else {
            continue;
        };
        let step = match &picture.wish {
            Some(_) => steps.next().copied().flatten(),
            None => picture.best.map(Step::whole),
        };
        let layer = step.map(|step| step.layer);
        if slot.share.layer != layer {
            senders.insert(picture.from);
        }
        slot.share.layer = layer;
        slot.share.temporal = step.map_or(0, |step| step.temporal);
        slot.share.better = picture.best.filter(|_| decision.full);
        slot.share.full = decision.full;
        if layer.is_none() {
            slot.pause_video();
        }
    }
    senders
}

/// Of which slots the receiver has to be told that they are paused, or are not any more.
fn told(
    state: &mut Peer,
    pictures: &[Picture],
    now: Instant,
) -> Vec<(SlotIndex, Generation, bool)> {
    let mut told = vec![];
    for (index, slot) in state.slots.iter_mut().enumerate() {
        let is_picture = pictures.iter().any(|picture| picture.slot == index);
        if !is_picture {
            slot.share.layer = None;
        }
        let paused = slot
            .share
            .pause(now, is_picture && slot.share.layer.is_none());
        let generation = slot.binding.map(|binding| binding.generation);
        told.extend(
            generation
                .zip(paused)
                .map(|(generation, paused)| (SlotIndex(index as u8), generation, paused)),
        );
    }
    told
}
