//! What the core keeps about one group: who sends in it, which other shards it lives on, and who speaks. Of several shards
//! one tells who speaks, to whom it may concern.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::api::{Event, PeerId, ShardIndex};
use crate::loudest::Loudest;
use crate::sfu::Sfu;
use crate::speakers::Speakers;

/// A shard that becomes the one that tells who speaks needs so long to know it, and then says it though it seems no news.
const TELLS_ANEW_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Group {
    /// All senders, remote ones too.
    pub members: BTreeSet<PeerId>,
    /// How many of them are connected here. Without any, no remote ones are known.
    pub here: usize,
    /// The other shards that have members, and are told of ours.
    pub present: BTreeSet<ShardIndex>,
    /// Those that were told that there are members here.
    pub entered: BTreeSet<ShardIndex>,
    pub loudest: Loudest,
    speakers: Speakers,
    /// As of the last look.
    pub was_teller: bool,
    tells_anew: Option<Instant>,
}

impl Group {
    pub fn new(loudest: usize) -> Self {
        Self {
            members: BTreeSet::new(),
            here: 0,
            present: BTreeSet::new(),
            entered: BTreeSet::new(),
            loudest: Loudest::new(loudest),
            speakers: Speakers::default(),
            was_teller: true,
            tells_anew: None,
        }
    }

    /// Whether this shard tells who speaks: the first of those that have members.
    pub fn is_teller(&self, own: ShardIndex) -> bool {
        self.here > 0 && self.present.first().is_none_or(|first| own < *first)
    }

    /// With each look. True when it has to be told again who speaks.
    fn takes_over(&mut self, now: Instant, is_teller: bool) -> bool {
        if is_teller && !self.was_teller {
            self.tells_anew = Some(now + TELLS_ANEW_AFTER);
        }
        self.was_teller = is_teller;
        let is_due = |at: &mut Instant| !is_teller || *at <= now;
        self.tells_anew.take_if(is_due).is_some() && is_teller
    }
}

impl Sfu {
    pub(crate) fn look_for_speakers(&mut self) {
        let mut told = vec![];
        for (id, group) in &mut self.groups {
            let mut levels = vec![];
            for member in &group.members {
                let level = self
                    .senders
                    .get_mut(member)
                    .and_then(|sender| sender.meter.speaking(self.now));
                levels.extend(level.map(|level| (*member, level)));
            }
            let is_teller = group.is_teller(self.config.shard);
            let is_news = group.speakers.update(self.now, &levels);
            if (group.takes_over(self.now, is_teller) || is_news) && is_teller {
                told.push((*id, group.speakers.list()));
            }
        }
        for (group, peers) in told {
            self.event(Event::Speaking { group, peers });
        }
    }
}
