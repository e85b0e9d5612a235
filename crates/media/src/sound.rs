//! What is particular to sound: only the loudest microphones of a group go on to its slots, nobody's first syllable is
//! lost by that, and a lane that falls silent does so as a sender does that has nothing to say. Which microphones those
//! are is decided in `loudest`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::rtp::RtpPacket;

use crate::api::{Event, PeerId, Source, UplinkState};
use crate::loudest::Hearing;
use crate::packet::Packet;
use crate::red;
use crate::rewriter::Origin;
use crate::sfu::Sfu;
use crate::uplink::Subscriber;

/// How much goes out of what was said before somebody was let in, by the first packet that is louder than the microphones
/// around it: what a soft consonant began. Late by that much, and still heard: a jitter buffer drops what is older than
/// what it has played, and the lane has played nothing since its former pause.
const LEAD_IN: Duration = Duration::from_millis(70);
/// The same for somebody who had no slot yet: the room decides who gets one, which takes a moment.
const CATCH_UP: Duration = Duration::from_millis(150);
/// Packets of 20 ms that are kept of each source of sound.
const KEPT: usize = 8;

/// The newest packets of one source of sound, forwarded or not, in the order of their sequence.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    packets: VecDeque<Arc<Packet>>,
    origin: Option<Origin>,
    /// The newest that went on.
    forwarded: Option<u64>,
}

impl Recent {
    /// Keeps a packet, with what it can carry of those before it.
    fn keep(&mut self, mut packet: Packet) -> Arc<Packet> {
        let at = self.place_of(&packet);
        packet.before = red::blocks(&packet, self.packets.range(..at).map(Arc::as_ref));
        let packet = Arc::new(packet);
        self.insert(at, packet.clone());
        packet
    }

    /// Keeps a packet that another shard has kept already.
    pub fn put(&mut self, packet: &Arc<Packet>) {
        let at = self.place_of(packet);
        self.insert(at, packet.clone());
    }

    /// Among those of the same origin; those of another one are over.
    fn place_of(&mut self, packet: &Packet) -> usize {
        let arrival = packet.arrival;
        if self.origin.replace(arrival.origin) != Some(arrival.origin) {
            *self = Self {
                origin: Some(arrival.origin),
                ..Self::default()
            };
        }
        let is_earlier = |kept: &&Arc<Packet>| kept.arrival.sequence < arrival.sequence;
        self.packets.iter().take_while(is_earlier).count()
    }

    fn insert(&mut self, at: usize, packet: Arc<Packet>) {
        self.packets.insert(at, packet);
        if self.packets.len() > KEPT {
            self.packets.pop_front();
        }
    }

    /// What came shortly before the newest packet and has not gone on. From now on all of it counts as gone.
    fn take_lead_in(&mut self, now: Instant) -> Vec<Arc<Packet>> {
        let newest = self.packets.back().map(|newest| newest.arrival.sequence);
        let before = std::mem::replace(&mut self.forwarded, newest);
        let is_held = |kept: &&Arc<Packet>| {
            let sequence = kept.arrival.sequence;
            before.is_none_or(|before| sequence > before)
                && Some(sequence) != newest
                && now.saturating_duration_since(kept.arrived) <= LEAD_IN
        };
        self.packets.iter().filter(is_held).cloned().collect()
    }
}

impl Sfu {
    /// A packet of a microphone or of a screen's sound.
    pub(crate) fn sound(&mut self, peer: PeerId, source: Source, packet: &RtpPacket) {
        let Some(state) = self.peers.get(&peer) else {
            return;
        };
        let is_red = state.red == Some(*packet.header.payload_type);
        let Some(uplink) = self.uplink(peer, source) else {
            return;
        };
        // Nobody here can take apart what only the others can read.
        let arrived = match is_red && uplink.encrypted {
            true => vec![],
            false => uplink.arrived.take_in(packet.into(), is_red),
        };
        if arrived.is_empty() {
            self.stats.dropped_rtp += 1;
        }
        let lost = arrived.len().saturating_sub(1);
        self.stats.recovered_packets += lost as u64;
        for (index, packet) in arrived.iter().enumerate() {
            let Some((packet, _)) = self.read(peer, source, 0, packet) else {
                continue;
            };
            let is_recovered = index < lost;
            let Some(uplink) = self.uplink(peer, source) else {
                return;
            };
            let packet = uplink.recent.keep(packet);
            self.pass_on(peer, &packet, is_recovered);
            match source {
                Source::Microphone => self.voice(peer, &packet, is_recovered),
                _ => self.forward(peer, &packet),
            }
        }
    }

    /// A packet of a live microphone that is kept already. Recovered ones have no level.
    pub(crate) fn voice(&mut self, peer: PeerId, packet: &Arc<Packet>, is_recovered: bool) {
        let (now, level) = (packet.arrived, packet.extensions.audio_level);
        let Some(sender) = self.senders.get_mut(&peer) else {
            return;
        };
        if !is_recovered {
            sender.meter.packet(now, level);
        }
        let Some(group) = self.groups.get_mut(&sender.group) else {
            return;
        };
        let hearing = match is_recovered {
            true => group.loudest.hears(peer),
            false => group.loudest.hear(now, peer, level),
        };
        let tells = group.is_teller(self.config.shard);
        let (group, is_here) = (sender.group, sender.is_here());
        let Some(uplink) = sender.uplink_mut(Source::Microphone) else {
            return;
        };
        if hearing == Hearing::Hold {
            // Every shard of the group comes to this by itself.
            self.stats.held_packets += u64::from(is_here);
            return;
        }
        let lead_in = uplink.recent.take_lead_in(now);
        if let Hearing::Instead(quiet) = hearing {
            if tells {
                self.event(Event::Heard { group, peer });
            }
            self.hush(quiet, Source::Microphone);
        }
        for earlier in &lead_in {
            self.forward(peer, earlier);
        }
        self.forward(peer, packet);
    }

    /// Tells the group that a microphone went live, was muted or is gone.
    pub(crate) fn microphone_is(&mut self, peer: PeerId, state: UplinkState) {
        let now = self.now;
        let Some(group) = self.group_of(peer) else {
            return;
        };
        if state == UplinkState::Live {
            group.loudest.open(now, peer);
        } else {
            group.loudest.shut(peer);
        }
    }

    /// A slot has just been given to somebody. Who began to speak a moment ago got it for that, and is heard from the
    /// beginning.
    pub(crate) fn catch_up(&mut self, to: Subscriber, from: PeerId) {
        let Some(sender) = self.senders.get(&from) else {
            return;
        };
        let group = self.groups.get(&sender.group);
        if !group.is_some_and(|group| group.loudest.has_begun(self.now, from, CATCH_UP)) {
            return;
        }
        let uplink = sender.uplink(Source::Microphone);
        let recent = uplink.map(|uplink| uplink.recent.packets.clone());
        for packet in recent.into_iter().flatten() {
            if self.now.saturating_duration_since(packet.arrived) <= CATCH_UP {
                self.deliver(to, &packet);
            }
        }
    }

    /// Nothing of this source goes on for now.
    fn hush(&mut self, peer: PeerId, source: Source) {
        let Some(uplink) = self.uplink(peer, source) else {
            return;
        };
        for subscriber in uplink.subscribers.clone() {
            self.silence(subscriber);
        }
    }

    /// The sound of this slot pauses.
    pub(crate) fn silence(&mut self, at: Subscriber) {
        let Some(state) = self.peers.get_mut(&at.peer) else {
            return;
        };
        let Some(slot) = state.slots.get_mut(usize::from(at.slot.0)) else {
            return;
        };
        let Some(((ending, numbers), route)) = slot.silence().zip(slot.audio.route) else {
            return;
        };
        if !state.connected || !state.listens(self.now) {
            return;
        }
        state.egress.enqueue(self.now, route, &ending, numbers);
        if !std::mem::replace(&mut state.sending, true) {
            self.sending.push(at.peer);
        }
    }
}
