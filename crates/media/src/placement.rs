//! Which shard a new peer goes to: that of its group, or the least busy one; a large group takes in further shards. Pure
//! bookkeeping of who is where; knows neither packets nor threads.

use std::collections::{BTreeMap, HashMap};

use crate::api::{Command, GroupId, PeerId, ShardIndex};

/// What a peer is taken to cost before its shard has said how busy it is with it, in thousandths of a core: six pictures
/// and the voices, some 450 packets a second at some microseconds each, and what it sends itself.
const PER_PEER: u32 = 5;

#[derive(Debug)]
pub struct Placement {
    /// From so many peers of a group on each of its shards on, it takes in another shard.
    spread: usize,
    shards: Vec<Load>,
    /// How many peers of a group are on which shard.
    groups: HashMap<GroupId, BTreeMap<ShardIndex, usize>>,
    peers: HashMap<PeerId, (GroupId, ShardIndex)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Load {
    /// Thousandths of the last second.
    busy: u32,
    /// Since it said so.
    placed: u32,
    peers: usize,
}

/// Where a peer goes, and where the rest of its group is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Placed {
    shard: ShardIndex,
    with: Vec<ShardIndex>,
}

impl Placement {
    pub fn new(shards: u8, spread: usize) -> Self {
        Self {
            spread,
            shards: vec![Load::default(); usize::from(shards.max(1))],
            groups: HashMap::new(),
            peers: HashMap::new(),
        }
    }

    /// The shard that a command is for. A new peer is placed by it, and one that is removed gives its place back.
    pub fn route(&mut self, command: &mut Command) -> ShardIndex {
        let peer = match command {
            Command::Negotiate(request) if !request.renegotiate => {
                let placed = self.place(request.peer, request.group);
                request.with = placed.with;
                return placed.shard;
            }
            Command::Negotiate(request) => request.peer,
            Command::Remove { peer }
            | Command::SetUplink { peer, .. }
            | Command::Bind { peer, .. }
            | Command::SlotReady { peer, .. }
            | Command::NoPicture { peer, .. } => *peer,
        };
        // Of whom nobody knows anything any shard may say so.
        let shard = self.shard_of(peer).unwrap_or(ShardIndex(0));
        if let Command::Remove { peer } = command {
            self.release(*peer);
        }
        shard
    }

    /// A peer that is placed already stays where it is.
    fn place(&mut self, peer: PeerId, group: GroupId) -> Placed {
        let shard = match self.shard_of(peer) {
            Some(shard) => shard,
            None => self.take_in(peer, group),
        };
        let on = self.groups.get(&group).into_iter().flat_map(BTreeMap::keys);
        Placed {
            shard,
            with: on.copied().filter(|other| *other != shard).collect(),
        }
    }

    fn take_in(&mut self, peer: PeerId, group: GroupId) -> ShardIndex {
        let shard = self.choose(group);
        self.peers.insert(peer, (group, shard));
        *self
            .groups
            .entry(group)
            .or_default()
            .entry(shard)
            .or_default() += 1;
        if let Some(load) = self.shards.get_mut(usize::from(shard.0)) {
            load.placed += 1;
            load.peers += 1;
        }
        shard
    }

    fn choose(&self, group: GroupId) -> ShardIndex {
        let on = self.groups.get(&group);
        let has = |shard: &ShardIndex| on.and_then(|on| on.get(shard).copied()).unwrap_or(0);
        let all = (0..self.shards.len() as u8).map(ShardIndex);
        let open = all
            .clone()
            .filter(|shard| (1..self.spread).contains(&has(shard)));
        let new = all.clone().filter(|shard| has(shard) == 0);
        let least_busy = |shard: &ShardIndex| (self.load(*shard), shard.0);
        // Where all are full, the group is spread evenly.
        open.min_by_key(least_busy)
            .or_else(|| new.min_by_key(least_busy))
            .or_else(|| all.min_by_key(|shard| (has(shard), least_busy(shard))))
            .unwrap_or(ShardIndex(0))
    }

    /// As far as it is known; of two that do nothing, the one with fewer peers.
    fn load(&self, shard: ShardIndex) -> (u32, usize) {
        let load = self.shards.get(usize::from(shard.0));
        let load = load.copied().unwrap_or_default();
        (load.busy + load.placed * PER_PEER, load.peers)
    }

    /// How busy a shard was in the last second, in thousandths.
    pub fn told(&mut self, shard: ShardIndex, busy: u32) {
        if let Some(load) = self.shards.get_mut(usize::from(shard.0)) {
            (load.busy, load.placed) = (busy, 0);
        }
    }

    fn shard_of(&self, peer: PeerId) -> Option<ShardIndex> {
        self.peers.get(&peer).map(|(_, shard)| *shard)
    }

    /// The peer is gone.
    pub fn release(&mut self, peer: PeerId) {
        let Some((group, shard)) = self.peers.remove(&peer) else {
            return;
        };
        if let Some(load) = self.shards.get_mut(usize::from(shard.0)) {
            load.peers = load.peers.saturating_sub(1);
        }
        let Some(on) = self.groups.get_mut(&group) else {
            return;
        };
        if let Some(count) = on.get_mut(&shard) {
            *count -= 1;
        }
        on.retain(|_, count| *count > 0);
        if on.is_empty() {
            self.groups.remove(&group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(placement: &mut Placement, group: u64, peers: std::ops::Range<u64>) -> Vec<u8> {
        peers
            .map(|peer| {
                let peer = PeerId(group * 1_000 + peer);
                placement.place(peer, GroupId(group)).shard.0
            })
            .collect()
    }

    #[test]
    fn a_group_stays_together_and_groups_are_divided() {
        let mut placement = Placement::new(3, 50);
        assert_eq!(shards(&mut placement, 1, 0..4), [0; 4]);
        assert_eq!(shards(&mut placement, 2, 0..2), [1; 2]);
        assert_eq!(shards(&mut placement, 3, 0..2), [2; 2]);
        // All idle: where the fewest are.
        for shard in 0..3 {
            placement.told(ShardIndex(shard), 0);
        }
        assert_eq!(shards(&mut placement, 4, 0..1), [1]);
        // The least busy one, however many sit there.
        placement.told(ShardIndex(1), 400);
        placement.told(ShardIndex(2), 300);
        assert_eq!(shards(&mut placement, 5, 0..3), [0; 3]);
        // Those that were placed since count before the shard tells.
        placement.told(ShardIndex(2), 14);
        assert_eq!(shards(&mut placement, 6, 0..1), [2]);
    }

    #[test]
    fn a_large_group_takes_in_one_shard_after_the_other_and_is_then_spread_evenly() {
        let mut placement = Placement::new(3, 2);
        assert_eq!(
            shards(&mut placement, 1, 0..12),
            [0, 0, 1, 1, 2, 2, 0, 1, 2, 0, 1, 2]
        );
        let placed = placement.place(PeerId(9_000), GroupId(1));
        assert_eq!(placed.with, [ShardIndex(1), ShardIndex(2)]);
        // A place that is free again on one of its shards comes before another shard.
        let mut placement = Placement::new(3, 2);
        assert_eq!(shards(&mut placement, 1, 0..3), [0, 0, 1]);
        placement.told(ShardIndex(1), 900);
        assert_eq!(shards(&mut placement, 1, 3..4), [1]);
        placement.release(PeerId(1_000));
        assert_eq!(shards(&mut placement, 1, 4..5), [0]);
    }

    #[test]
    fn who_is_gone_leaves_nothing_behind_and_who_is_placed_stays() {
        let mut placement = Placement::new(2, 1);
        let first = placement.place(PeerId(1), GroupId(1));
        let second = placement.place(PeerId(2), GroupId(1));
        assert_eq!((first.shard, second.shard), (ShardIndex(0), ShardIndex(1)));
        assert_eq!((first.with, second.with), (vec![], vec![ShardIndex(0)]));
        let again = placement.place(PeerId(1), GroupId(1));
        assert_eq!(
            (again.shard, again.with),
            (ShardIndex(0), vec![ShardIndex(1)])
        );
        for peer in [1, 1, 2, 7] {
            placement.release(PeerId(peer));
        }
        assert_eq!(placement.shard_of(PeerId(1)), None);
        assert!(placement.groups.is_empty() && placement.peers.is_empty());
        assert!(placement.shards.iter().all(|load| load.peers == 0));
    }

    #[test]
    fn without_several_shards_there_is_nothing_to_choose() {
        for count in [0, 1] {
            let mut placement = Placement::new(count, 1);
            assert_eq!(shards(&mut placement, 1, 0..5), [0; 5]);
            assert_eq!(placement.place(PeerId(9), GroupId(1)).with, []);
        }
    }
}
