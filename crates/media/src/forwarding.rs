//! From one peer's packet to the slots that carry it: subscriptions, layers, keyframes. The part of [`Sfu`] that runs
//! per packet; its work grows with the receivers of that packet and with nothing else.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use str0m::rtp::RtpPacket;

use crate::api::{
    CloseReason, Event, Generation, PeerId, SlotIndex, Source, UplinkState, VideoCodec,
};
use crate::egress::Route;
use crate::packet::{Incoming, Packet};
use crate::peer::Stream;
use crate::pipe::Said;
use crate::sender::{Home, Sender};
use crate::sfu::Sfu;
use crate::slot::{Bind, Slot, Verdict};
use crate::uplink::{Subscriber, Uplink};

/// How many packets of one stream SRTP can number (RFC 3711, section 3.3.1).
const SEQUENCES: u64 = 1 << 48;

/// What became of a packet at one subscriber.
pub(crate) enum Delivery {
    /// Sent or not wanted.
    Done,
    AwaitsKeyframe,
    /// Follows this layer from this packet on.
    Joined,
}

impl Sfu {
    pub(crate) fn packet(&mut self, peer: PeerId, packet: RtpPacket) {
        match self.stream_of(peer, &packet) {
            Some((source, layer)) if source.is_video() => {
                self.picture(peer, source, layer, &Incoming::from(&packet));
            }
            Some((source, _)) => self.sound(peer, source, &packet),
            None => {}
        }
    }

    fn picture(&mut self, peer: PeerId, source: Source, layer: usize, packet: &Incoming) {
        let Some((packet, waited)) = self.read(peer, source, layer, packet) else {
            return;
        };
        let packet = Arc::new(packet);
        self.pass_on(peer, &packet, false);
        self.forward(peer, &packet);
        for packet in &waited {
            self.picture(peer, source, layer, packet);
        }
    }

    /// To all who are subscribed.
    pub(crate) fn forward(&mut self, peer: PeerId, packet: &Arc<Packet>) {
        let Some(uplink) = self.uplink(peer, packet.source) else {
            return;
        };
        let (layers_changed, early) = uplink.take_in(packet);
        if layers_changed && packet.source.is_video() {
            for subscriber in uplink.subscribers.clone() {
                self.share_out(subscriber.peer);
            }
        }
        let Some(uplink) = self.uplink(peer, packet.source) else {
            return;
        };
        let subscribers = std::mem::take(&mut uplink.subscribers);
        let mut keyframe_needed = false;
        for subscriber in &subscribers {
            match self.deliver(*subscriber, packet) {
                Delivery::Done => {}
                Delivery::AwaitsKeyframe => keyframe_needed = true,
                Delivery::Joined => early.iter().for_each(|packet| {
                    self.deliver(*subscriber, packet);
                }),
            }
        }
        if let Some(uplink) = self.uplink(peer, packet.source) {
            uplink.subscribers = subscribers;
            if packet.starts_keyframe() {
                uplink.keyframe_came(packet);
            } else if keyframe_needed {
                uplink.want_keyframe(packet.layer);
            }
        }
        if keyframe_needed || layers_changed {
            self.request_keyframes(peer);
        }
    }

    fn stream_of(&mut self, peer: PeerId, packet: &RtpPacket) -> Option<(Source, usize)> {
        let state = self.peers.get_mut(&peer)?;
        state.proved(self.now);
        // From before the first packet. No receiver could follow, whoever came after that.
        if *packet.seq_no >= SEQUENCES {
            self.stats.dropped_rtp += 1;
            return None;
        }
        match state.stream_of(packet.header.ssrc, self.senders.get(&peer)?) {
            Ok(Stream::Of(source, layer)) => return Some((source, layer)),
            Ok(Stream::Unknown) => self.stats.dropped_rtp += 1,
            Ok(Stream::TooMany) => self.close(peer, CloseReason::TooMuch),
            Err(fault) => self.fault(peer, fault),
        }
        None
    }

    /// With what came before it and can be read only now. `None` for what is not to be forwarded.
    pub(crate) fn read(
        &mut self,
        peer: PeerId,
        source: Source,
        layer: usize,
        packet: &Incoming,
    ) -> Option<(Packet, VecDeque<Incoming>)> {
        let state = self.peers.get(&peer)?;
        let codec = match state.other == Some(packet.payload_type) {
            true => self.config.video,
            false => VideoCodec::Vp8,
        };
        let live = |uplink: &&mut Uplink| uplink.state == UplinkState::Live;
        let uplink = self.senders.get_mut(&peer)?.uplink_mut(source).filter(live);
        let read = uplink.and_then(|uplink| uplink.read(peer, layer, codec, packet, &state.clock));
        self.stats.dropped_rtp += u64::from(read.is_none());
        read
    }

    pub(crate) fn slot(&mut self, at: Subscriber) -> Option<&mut Slot> {
        self.peers.get_mut(&at.peer)?.slot(at.slot)
    }

    pub(crate) fn uplink(&mut self, peer: PeerId, source: Source) -> Option<&mut Uplink> {
        self.senders.get_mut(&peer)?.uplink_mut(source)
    }

    pub(crate) fn deliver(&mut self, to: Subscriber, packet: &Arc<Packet>) -> Delivery {
        let now = self.now;
        let state = self.peers.get_mut(&to.peer);
        let state = state.filter(|state| state.connected && state.listens(now));
        let Some(state) = state else {
            return Delivery::Done;
        };
        let group = state.group;
        let Some(slot) = state.slots.get_mut(usize::from(to.slot.0)) else {
            return Delivery::Done;
        };
        let is_video = packet.source.is_video();
        let lane = if is_video { &slot.video } else { &slot.audio };
        let Some(route) = lane.route else {
            return Delivery::Done;
        };
        let verdict = slot.judge(packet);
        let (numbers, started, joined, switched) = match verdict {
            Verdict::Drop => return Delivery::Done,
            Verdict::AwaitKeyframe => return Delivery::AwaitsKeyframe,
            Verdict::Send {
                numbers,
                started,
                joined,
                switched,
            } => (numbers, started, joined, switched),
        };
        if numbers.is_blank {
            let blank = Arc::new(packet.blank());
            state.egress.enqueue(self.now, route, &blank, numbers);
        } else {
            state.egress.enqueue(self.now, route, packet, numbers);
        }
        if !std::mem::replace(&mut state.sending, true) {
            self.sending.push(to.peer);
        }
        self.stats.forwarded_packets += 1;
        self.stats.layer_switches += u64::from(switched);
        if switched {
            state.measuring.changed_layer();
        }
        if let Some(generation) = started {
            self.event(Event::SlotStarted {
                group,
                peer: to.peer,
                slot: to.slot,
                generation,
                rtp_timestamp: numbers.timestamp,
            });
        }
        if joined {
            Delivery::Joined
        } else {
            Delivery::Done
        }
    }

    pub(crate) fn connected(&mut self, peer: PeerId) {
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        state.connected = true;
        let group = state.group;
        let sender = self.senders.get_mut(&peer);
        for uplink in sender.into_iter().flat_map(|sender| &mut sender.uplinks) {
            uplink.sends_since = Some(self.now);
        }
        self.event(Event::Connected { group, peer });
        self.tell_of(peer);
        self.share_out(peer);
        self.ask_for(peer);
    }

    pub(crate) fn bind(&mut self, peer: PeerId, index: SlotIndex, mut bind: Bind) {
        let Some(group) = self.peers.get(&peer).map(|state| state.group) else {
            return;
        };
        // Another shard may not have told of this one yet.
        let may_be = |from: &PeerId| {
            let sender = self.senders.get(from);
            sender.is_none_or(|sender| sender.group == group)
        };
        bind.from = bind.from.filter(may_be);
        let to = Subscriber { peer, slot: index };
        let Some(before) = self.slot(to).map(|slot| slot.from()) else {
            return;
        };
        if before.is_some() && before != bind.from {
            self.silence(to);
        }
        let Some(slot) = self.slot(to) else { return };
        slot.bind(bind);
        let [audio, video] = slot.mids.kind.sources();
        if let Some(before) = before {
            self.subscribe(to, before, audio, false);
            self.subscribe(to, before, video, false);
        }
        if let Some(from) = bind.from {
            self.subscribe(to, from, audio, true);
            self.subscribe(to, from, video, bind.video.is_some());
            if before != bind.from && audio == Source::Microphone {
                self.catch_up(to, from);
            }
        }
        self.share_out(peer);
        for sender in [before, bind.from].into_iter().flatten() {
            self.tell_home(sender);
        }
    }

    /// A sender is here from now on: for whoever is bound to it already.
    pub(crate) fn meet(&mut self, sender: PeerId) {
        let Some(group) = self.senders.get(&sender).map(|sender| sender.group) else {
            return;
        };
        let mut bound = vec![];
        for (peer, state) in self.peers.iter().filter(|(_, state)| state.group == group) {
            for (index, slot) in state.slots.iter().enumerate() {
                let slot_of = SlotIndex(index as u8);
                let to = Subscriber {
                    peer: *peer,
                    slot: slot_of,
                };
                if slot.from() == Some(sender) {
                    bound.push((to, slot.mids.kind.sources(), slot.shows()));
                }
            }
        }
        for (to, [audio, video], shows) in bound {
            self.subscribe(to, sender, audio, true);
            self.subscribe(to, sender, video, shows);
            self.share_out(to.peer);
        }
        self.tell_home(sender);
    }

    fn subscribe(&mut self, to: Subscriber, from: PeerId, source: Source, wanted: bool) {
        let Some(uplink) = self.uplink(from, source) else {
            return;
        };
        uplink.subscribers.retain(|known| *known != to);
        if wanted {
            uplink.subscribers.push(to);
        }
    }

    pub(crate) fn slot_ready(&mut self, peer: PeerId, index: SlotIndex, generation: Generation) {
        if let Some(slot) = self.slot(Subscriber { peer, slot: index }) {
            slot.set_ready(generation);
            self.aim(Subscriber { peer, slot: index });
        }
    }

    pub(crate) fn set_uplink(
        &mut self,
        peer: PeerId,
        source: Source,
        state: UplinkState,
        encrypted: bool,
    ) {
        if !self.senders.get(&peer).is_some_and(Sender::is_here) {
            return;
        }
        self.uplink_is(peer, source, state, encrypted, Some(self.now));
        self.tell_of(peer);
    }

    /// What a source sends has changed, apart from its layers.
    pub(crate) fn uplink_is(
        &mut self,
        peer: PeerId,
        source: Source,
        state: UplinkState,
        encrypted: bool,
        since: Option<Instant>,
    ) {
        let Some(sender) = self.senders.get_mut(&peer) else {
            return;
        };
        if source == Source::Microphone && state != UplinkState::Live {
            sender.meter.silence();
        }
        let Some(uplink) = sender.uplink_mut(source) else {
            return;
        };
        uplink.state = state;
        uplink.encrypted = encrypted;
        uplink.sends_since = since;
        let subscribers = uplink.subscribers.clone();
        if source == Source::Microphone {
            self.microphone_is(peer, state);
        }
        for subscriber in subscribers {
            if state == UplinkState::Live {
                self.share_out(subscriber.peer);
            } else if !source.is_video() {
                self.silence(subscriber);
            } else if let Some(slot) = self.slot(subscriber) {
                slot.pause_video();
            }
        }
        self.request_keyframes(peer);
    }

    /// Chooses the slot's layer anew and asks for the keyframe that it takes.
    fn aim(&mut self, to: Subscriber) {
        let slot = self.slot(to);
        let Some((from, source)) =
            slot.and_then(|slot| Some((slot.from()?, slot.mids.kind.video_source())))
        else {
            return;
        };
        self.aim_at(to, from, source);
        self.request_keyframes(from);
    }

    pub(crate) fn aim_at(&mut self, to: Subscriber, from: PeerId, source: Source) {
        if !source.is_video() {
            return;
        }
        let Some(receiver) = self.peers.get_mut(&to.peer) else {
            return;
        };
        let now = self.now;
        let connected = receiver.connected;
        let may_flow = |slot: &&mut Slot| slot.wanted_height().is_some();
        let Some(slot) = receiver.slot(to.slot).filter(may_flow) else {
            return;
        };
        let given = slot.share.layer;
        let Some(uplink) = self.uplink(from, source) else {
            return;
        };
        let layer = Some(uplink)
            .filter(|uplink| uplink.state == UplinkState::Live)
            .and_then(|up| Some(up.choices(now).stand_in(given?)));
        let Some(slot) = self.slot(to) else {
            return;
        };
        let keyframe_needed = slot.aim(layer) && connected;
        if let Some(layer) = layer.filter(|_| keyframe_needed)
            && let Some(uplink) = self.uplink(from, source)
        {
            uplink.want_keyframe(layer);
        }
    }

    pub(crate) fn keyframe_wanted(&mut self, peer: PeerId, route: Route) {
        let Some(receiver) = self.peers.get_mut(&peer) else {
            return;
        };
        let mut slots = receiver.slots.iter();
        let Some(slot) = slots.find(|slot| slot.video.route == Some(route)) else {
            return;
        };
        let Some((from, layer)) = slot.from().zip(slot.visible_layer()) else {
            return;
        };
        let source = slot.mids.kind.video_source();
        if let Some(uplink) = self.uplink(from, source) {
            uplink.want_keyframe(layer);
        }
        self.request_keyframes(from);
    }

    /// Sends the requests of this sender's layers that are wanted and not too soon after the last ones.
    pub(crate) fn request_keyframes(&mut self, sender: PeerId) {
        let Some(state) = self.senders.get_mut(&sender) else {
            return;
        };
        let mut due = vec![];
        for uplink in &mut state.uplinks {
            let layers = uplink.due_keyframes(self.now);
            due.extend(layers.into_iter().map(|layer| (uplink.source, layer)));
        }
        if let Home::Shard(home) = state.home {
            for (source, (layer, _)) in due {
                let peer = sender;
                let said = Said::Keyframe {
                    peer,
                    source,
                    layer,
                };
                self.say(home, said);
            }
            return;
        }
        let due: Vec<_> = due.into_iter().filter_map(|(_, (_, ssrc))| ssrc).collect();
        let Some(state) = self.peers.get_mut(&sender).filter(|_| !due.is_empty()) else {
            return;
        };
        for ssrc in due {
            // A fault shows again in the drain, which closes the peer.
            let _ = state.connection.request_keyframe(ssrc);
            self.stats.keyframe_requests += 1;
        }
        self.mark_dirty(sender);
    }

    pub(crate) fn look_after_layers(&mut self, sender: PeerId) {
        let Some(state) = self.senders.get_mut(&sender) else {
            return;
        };
        for uplink in &mut state.uplinks {
            uplink.bury_the_dead(self.now);
        }
        self.request_keyframes(sender);
    }

    /// Ends all subscriptions of a peer that goes, and those to it.
    pub(crate) fn disconnect_media(&mut self, peer: PeerId) {
        let Some(state) = self.peers.get(&peer) else {
            return;
        };
        let mut bound_to: Vec<(Subscriber, PeerId, [Source; 2])> = vec![];
        for (index, slot) in state.slots.iter().enumerate() {
            let to = Subscriber {
                peer,
                slot: SlotIndex(index as u8),
            };
            bound_to.extend(slot.from().map(|from| (to, from, slot.mids.kind.sources())));
        }
        for (to, from, sources) in bound_to {
            for source in sources {
                self.subscribe(to, from, source, false);
            }
            self.tell_home(from);
        }
        self.end_sender(peer);
    }

    /// Nothing comes of this sender any more.
    pub(crate) fn end_sender(&mut self, peer: PeerId) {
        self.microphone_is(peer, UplinkState::Off);
        let Some(sender) = self.senders.remove(&peer) else {
            return;
        };
        if let Some(group) = self.groups.get_mut(&sender.group) {
            group.members.remove(&peer);
        }
        let uplinks = sender.uplinks.into_iter();
        for listener in uplinks.flat_map(|uplink| uplink.subscribers) {
            self.silence(listener);
            if let Some(slot) = self.slot(listener) {
                slot.unbind();
            }
        }
    }
}
