//! How a group lives on several shards. What one sends is told to every other shard that has members of its group, which
//! then has it as a *remote* sender; its packets follow where somebody there receives it. Back goes what is needed there.
//!
//! The messages of one shard to another arrive in order, and only media may be missing, and what is said again anyway. A
//! shard whose core began anew says so first; what it had told before is void, and it is told everything again.

use std::sync::Arc;

use crate::api::{GroupId, PeerId, ShardIndex, Source, UplinkState};
use crate::demux::Remote;
use crate::group::Group;
use crate::packet::Packet;
use crate::sender::{Home, Sender};
use crate::sfu::Sfu;
use crate::uplink::{Elsewhere, Told};

/// What one shard tells another.
#[derive(Clone, Debug)]
pub struct Message(pub(crate) Said);

impl Message {
    /// Where there is no room it may be dropped. Everything else has to wait, in its order.
    pub fn may_be_dropped(&self) -> bool {
        // Keyframes are asked for until they come, addresses are confirmed again soon, and forgotten again with the next
        // datagram.
        matches!(
            self.0,
            Said::Packet { .. }
                | Said::Keyframe { .. }
                | Said::Confirm { .. }
                | Said::Forget { .. }
        )
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// The shard knows nothing of what was before.
    Anew,
    /// The shard has members of this group from now on, or none any more.
    Enters {
        group: GroupId,
    },
    Leaves {
        group: GroupId,
    },
    /// A sender of the shard as it is now. To those who entered its group.
    Sender {
        peer: PeerId,
        group: GroupId,
        uplinks: Vec<Told>,
    },
    Gone {
        peer: PeerId,
    },
    /// Of a live microphone, or of a source that somebody at the other shard receives.
    Packet {
        packet: Arc<Packet>,
        is_recovered: bool,
    },
    /// What is needed of a sender of the other shard.
    Wanted {
        peer: PeerId,
        source: Source,
        wanted: Option<Layers>,
    },
    Keyframe {
        peer: PeerId,
        source: Source,
        layer: usize,
    },
    /// What comes from this address is for the shard that says so, or not any more.
    Confirm {
        remote: Remote,
    },
    Forget {
        remote: Remote,
    },
}

/// Layers of a source, as bits.
pub(crate) type Layers = u32;

impl Sfu {
    pub(crate) fn say(&mut self, to: ShardIndex, said: Said) {
        self.said.push_back((to, Message(said)));
    }

    /// The first member of a group is here, or somebody says that there are more shards.
    pub(crate) fn enter(&mut self, group: GroupId, with: &[ShardIndex]) {
        let own = self.config.shard;
        let Some(state) = self.groups.get_mut(&group) else {
            return;
        };
        let shards: Vec<ShardIndex> = with
            .iter()
            .chain(&state.present)
            .filter(|shard| **shard != own && !state.entered.contains(shard))
            .copied()
            .collect();
        state.entered.extend(&shards);
        for shard in shards {
            self.say(shard, Said::Enters { group });
        }
    }

    /// A peer that was connected here is gone.
    pub(crate) fn gone(&mut self, peer: PeerId, group: GroupId) {
        let Some(state) = self.groups.get_mut(&group) else {
            return;
        };
        state.here = state.here.saturating_sub(1);
        let is_last = state.here == 0;
        for shard in state.present.clone() {
            self.say(shard, Said::Gone { peer });
        }
        if is_last {
            self.leave(group);
        }
    }

    fn leave(&mut self, group: GroupId) {
        let Some(state) = self.groups.get_mut(&group) else {
            return;
        };
        let remote: Vec<PeerId> = state.members.iter().copied().collect();
        for shard in std::mem::take(&mut state.entered) {
            self.say(shard, Said::Leaves { group });
        }
        for peer in remote {
            self.end_sender(peer);
        }
        self.forget_if_empty(group);
    }

    fn forget_if_empty(&mut self, group: GroupId) {
        let is_empty = |state: &Group| state.members.is_empty() && state.present.is_empty();
        if self.groups.get(&group).is_some_and(is_empty) {
            self.groups.remove(&group);
        }
    }

    /// Tells the other shards of its group how this sender of ours is now.
    pub(crate) fn tell_of(&mut self, peer: PeerId) {
        let Some(sender) = self.senders.get(&peer) else {
            return;
        };
        let group = sender.group;
        let Some(state) = self.groups.get(&group) else {
            return;
        };
        for shard in state.present.clone() {
            self.tell(shard, peer);
        }
    }

    fn tell(&mut self, shard: ShardIndex, peer: PeerId) {
        if let Some(sender) = self.senders.get(&peer).filter(|sender| sender.is_here()) {
            let group = sender.group;
            let uplinks = sender.uplinks.iter().map(Told::of).collect();
            let said = Said::Sender {
                peer,
                group,
                uplinks,
            };
            self.say(shard, said);
        }
    }

    /// A packet of a sender of ours goes to the shards where it is needed. Every shard of a group decides for itself who is
    /// loudest, by the same packets.
    pub(crate) fn pass_on(&mut self, peer: PeerId, packet: &Arc<Packet>, is_recovered: bool) {
        if self.config.shards < 2 {
            return;
        }
        let Some(sender) = self.senders.get(&peer) else {
            return;
        };
        let to: Vec<ShardIndex> = match packet.source {
            Source::Microphone => {
                let group = self.groups.get(&sender.group);
                let present = group.map(|group| &group.present);
                present.into_iter().flatten().copied().collect()
            }
            source => {
                let uplink = sender.uplink(source);
                let elsewhere = uplink.map(|uplink| &uplink.elsewhere);
                elsewhere
                    .into_iter()
                    .flatten()
                    .map(|needed| needed.shard)
                    .collect()
            }
        };
        self.stats.piped_packets += to.len() as u64;
        for shard in to {
            let packet = packet.clone();
            let said = Said::Packet {
                packet,
                is_recovered,
            };
            self.say(shard, said);
        }
    }

    /// Tells the home of a remote sender what is needed of it here, where that changed.
    pub(crate) fn tell_home(&mut self, peer: PeerId) {
        let Some(Home::Shard(home)) = self.senders.get(&peer).map(|sender| sender.home) else {
            return;
        };
        let needed = self.needed_of(peer);
        for (source, wanted) in needed {
            let Some(uplink) = self.uplink(peer, source) else {
                continue;
            };
            if std::mem::replace(&mut uplink.told_home, wanted) != wanted {
                let said = Said::Wanted {
                    peer,
                    source,
                    wanted,
                };
                self.say(home, said);
            }
        }
    }

    /// Takes in what another shard says.
    pub(crate) fn heard_from(&mut self, from: ShardIndex, message: Message) {
        match message.0 {
            Said::Anew => self.began_anew(from),
            Said::Enters { group } => self.entered(from, group),
            Said::Leaves { group } => self.left(from, group),
            Said::Sender {
                peer,
                group,
                uplinks,
            } => self.told_of(from, peer, group, uplinks),
            Said::Gone { peer } => {
                if self.is_home(from, peer) {
                    self.end_sender(peer);
                }
            }
            Said::Packet {
                packet,
                is_recovered,
            } => self.passed_on(from, &packet, is_recovered),
            Said::Wanted {
                peer,
                source,
                wanted,
            } => self.wanted(from, peer, source, wanted),
            Said::Keyframe {
                peer,
                source,
                layer,
            } => {
                if let Some(uplink) = self.uplink(peer, source) {
                    uplink.want_keyframe(layer);
                }
                self.request_keyframes(peer);
            }
            Said::Confirm { remote } => self.handover.confirm(self.now, from, remote),
            Said::Forget { remote } => self.handover.forget(from, remote),
        }
        self.schedule_tick();
    }

    fn is_home(&self, shard: ShardIndex, peer: PeerId) -> bool {
        let sender = self.senders.get(&peer);
        sender.is_some_and(|sender| sender.home == Home::Shard(shard))
    }

    /// It has neither senders nor receivers any more, and has to be told again who is here.
    fn began_anew(&mut self, shard: ShardIndex) {
        self.handover.forget_all_of(shard);
        for remote in self.demux.landed_at(shard) {
            self.say(shard, Said::Confirm { remote });
        }
        let groups: Vec<GroupId> = self.groups.keys().copied().collect();
        for group in groups {
            let was_told = self
                .groups
                .get(&group)
                .is_some_and(|state| state.entered.contains(&shard));
            self.left(shard, group);
            if was_told {
                self.say(shard, Said::Enters { group });
            }
        }
    }

    fn entered(&mut self, shard: ShardIndex, group: GroupId) {
        let loudest = self.config.loudest;
        let state = self.groups.entry(group);
        let state = state.or_insert_with(|| Group::new(loudest));
        state.present.insert(shard);
        let members: Vec<PeerId> = state.members.iter().copied().collect();
        if state.here > 0 {
            self.enter(group, &[]);
        }
        for peer in members {
            self.tell(shard, peer);
        }
    }

    fn left(&mut self, shard: ShardIndex, group: GroupId) {
        let Some(state) = self.groups.get_mut(&group) else {
            return;
        };
        state.present.remove(&shard);
        let members: Vec<PeerId> = state.members.iter().copied().collect();
        for peer in members {
            if self.is_home(shard, peer) {
                self.end_sender(peer);
                continue;
            }
            let sender = self.senders.get_mut(&peer).into_iter();
            for uplink in sender.flat_map(|sender| &mut sender.uplinks) {
                uplink.elsewhere.retain(|needed| needed.shard != shard);
            }
        }
        self.forget_if_empty(group);
    }

    fn told_of(&mut self, home: ShardIndex, peer: PeerId, group: GroupId, uplinks: Vec<Told>) {
        // After the last member here has left there may be some more on the way.
        let Some(state) = self.groups.get_mut(&group).filter(|state| state.here > 0) else {
            return;
        };
        let (home, now) = (Home::Shard(home), self.now);
        let is_new = !self.senders.contains_key(&peer);
        if is_new {
            state.members.insert(peer);
            self.senders.insert(peer, Sender::new(group, home));
        }
        let Some(sender) = self.senders.get_mut(&peer) else {
            return;
        };
        if sender.home != home || sender.group != group {
            return;
        }
        let mut changed = uplinks;
        changed.retain(|told| {
            let uplink = sender.uplink_mut(told.source);
            uplink.is_some_and(|uplink| told.apply_layers(now, uplink))
        });
        if is_new {
            self.meet(peer);
        }
        for told in changed {
            let Told {
                source,
                state,
                encrypted,
                sends_since,
                ..
            } = told;
            self.uplink_is(peer, source, state, encrypted, sends_since);
        }
    }

    fn passed_on(&mut self, home: ShardIndex, packet: &Arc<Packet>, is_recovered: bool) {
        let peer = packet.arrival.origin.peer;
        if !self.is_home(home, peer) {
            return;
        }
        let source = packet.source;
        let Some(uplink) = self.uplink(peer, source) else {
            return;
        };
        if uplink.state != UplinkState::Live {
            return;
        }
        if !source.is_video() {
            uplink.recent.put(packet);
        }
        match source {
            Source::Microphone => self.voice(peer, packet, is_recovered),
            _ => self.forward(peer, packet),
        }
    }

    fn wanted(&mut self, by: ShardIndex, peer: PeerId, source: Source, wanted: Option<Layers>) {
        let is_here = self.senders.get(&peer).is_some_and(Sender::is_here);
        let Some(uplink) = self.uplink(peer, source).filter(|_| is_here) else {
            return;
        };
        let before = uplink.elsewhere.len();
        uplink.elsewhere.retain(|needed| needed.shard != by);
        let is_new = uplink.elsewhere.len() == before && wanted.is_some();
        uplink
            .elsewhere
            .extend(wanted.map(|layers| Elsewhere { shard: by, layers }));
        if is_new {
            // Nothing of it went there before: nobody there knows which layers are sent.
            self.tell(by, peer);
        }
        self.ask_for(peer);
    }
}
