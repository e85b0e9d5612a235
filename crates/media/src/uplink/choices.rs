//! What of a source somebody can be given now: which layers come or would come, what could be left of each, and what that
//! takes. Decides nothing: `allocation` divides lines.

use std::time::Instant;

use super::{LAYER_DEAD_AFTER, Layer};
use crate::allocation::{Choice, Step};
use crate::api::Source;
use crate::layers::{self, Candidate, Reach};
use crate::rate::Part;
use crate::thinning::ALL;

/// What is left of a large layer counts so much.
const UNEVEN_PERCENT: u64 = 125;

/// What the layers of a source are to somebody who chooses among them now.
#[derive(Clone, Copy)]
pub(crate) struct Choices<'a> {
    pub(super) now: Instant,
    pub(super) source: Source,
    pub(super) sends_since: Option<Instant>,
    pub(super) layers: &'a [Layer],
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
