//! Which simulcast layer a receiver gets: a pure choice among those that can come, by the size that is wanted.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use crate::api::Source;

/// Receivers choose anew so often at most because of sizes; they do so regularly anyway.
const RESIZED_APART: Duration = Duration::from_millis(100);

/// What the choice needs to know of a layer. Layers are ordered from the smallest to the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub height: u16,
    pub reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It is being sent.
    Alive,
    /// Nobody has needed it: it comes when it is asked for.
    Asleep,
    /// It was asked for and did not come.
    Unable,
}

/// When a layer's pictures became larger or smaller the last time.
#[derive(Debug, Default)]
pub(crate) struct Resized(Option<Instant>);

impl Resized {
    /// Notes that it happened. True when receivers should choose anew at once.
    pub fn note(&mut self, now: Instant) -> bool {
        let is_recent = |then| now.saturating_duration_since(then) < RESIZED_APART;
        !self.0.replace(now).is_some_and(is_recent)
    }
}

/// The smallest layer that is at least as high as wanted, else the largest, of those that can come; of all when none can.
/// `None` when there is none at all.
pub(crate) fn choose(
    layers: impl IntoIterator<Item = Candidate> + Clone,
    wanted_height: u16,
) -> Option<usize> {
    let able = |layer: &Candidate| layer.reach != Reach::Unable;
    let none_can = !layers.clone().into_iter().any(|layer| able(&layer));
    layers
        .into_iter()
        .enumerate()
        .filter(|(_, layer)| none_can || able(layer))
        .min_by(
            |(_, a), (_, b)| match (a.height >= wanted_height, b.height >= wanted_height) {
                (true, true) => a.height.cmp(&b.height),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => b.height.cmp(&a.height),
            },
        )
        .map(|(index, _)| index)
}

/// The height that a layer has when the camera gives 720 lines and the screen 1080; used until its first keyframe tells,
/// and for ever when the payload is encrypted.
pub(crate) fn nominal_height(source: Source, rid: Option<&str>) -> u16 {
    match (source, rid) {
        (Source::Screen, Some("h")) => 540,
        (Source::Screen, _) => 1080,
        (_, Some("q")) => 180,
        (_, Some("h")) => 360,
        _ => 720,
    }
}

/// The rate that a layer is taken to have until it was measured. What comes in one encoding may be little: it is tried.
pub(crate) fn nominal_bps(source: Source, rid: Option<&str>) -> u64 {
    match (source, rid) {
        (_, None) => 300_000,
        (Source::Screen, Some("h")) => 300_000,
        (Source::Screen, _) => 1_000_000,
        (_, Some("q")) => 120_000,
        (_, Some("h")) => 420_000,
        _ => 1_500_000,
    }
}

/// Rank of the rids that we offer to take, from the smallest layer to the largest.
pub(crate) fn rank(rid: &str) -> Option<u8> {
    match rid {
        "q" => Some(0),
        "h" => Some(1),
        "f" => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_layer_that_fills_the_tile_is_chosen() {
        type Row<'a> = (&'a str, &'a [(u16, bool)], u16, Option<usize>);
        let table: &[Row<'_>] = &[
            (
                "a small tile",
                &[(180, true), (360, true), (720, true)],
                150,
                Some(0),
            ),
            (
                "exactly as high",
                &[(180, true), (360, true), (720, true)],
                180,
                Some(0),
            ),
            (
                "one line more",
                &[(180, true), (360, true), (720, true)],
                181,
                Some(1),
            ),
            (
                "full screen",
                &[(180, true), (360, true), (720, true)],
                1080,
                Some(2),
            ),
            (
                "the middle one does not come",
                &[(180, true), (360, false), (720, true)],
                300,
                Some(2),
            ),
            (
                "only a small one lives",
                &[(180, true), (360, false), (720, false)],
                700,
                Some(0),
            ),
            (
                "two too small ones",
                &[(180, true), (360, true), (720, false)],
                700,
                Some(1),
            ),
            ("none comes", &[(180, false), (360, false)], 100, Some(0)),
            ("no layers at all", &[], 100, None),
            ("one layer without simulcast", &[(720, true)], 90, Some(0)),
        ];
        for (description, layers, wanted, expected) in table {
            for able in [Reach::Alive, Reach::Asleep] {
                let candidates = layers.iter().map(|(height, alive)| Candidate {
                    height: *height,
                    reach: if *alive { able } else { Reach::Unable },
                });
                assert_eq!(choose(candidates, *wanted), *expected, "{description}");
            }
        }
    }
}
