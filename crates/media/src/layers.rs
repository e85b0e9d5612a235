//! Which simulcast layer a receiver gets: a pure choice among those alive, by the size that is wanted.

use std::cmp::Ordering;

/// What the choice needs to know of a layer. Layers are ordered from the smallest to the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub height: u16,
    pub alive: bool,
}

/// The smallest layer alive that is at least as high as wanted, else the largest alive. `None` when none is alive.
pub(crate) fn choose(
    layers: impl IntoIterator<Item = Candidate>,
    wanted_height: u16,
) -> Option<usize> {
    layers
        .into_iter()
        .enumerate()
        .filter(|(_, layer)| layer.alive)
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

/// The height that a layer has when the camera gives 720 lines; used until its first keyframe tells, and for ever when
/// the payload is encrypted.
pub(crate) fn nominal_height(rid: Option<&str>) -> u16 {
    match rid {
        Some("q") => 180,
        Some("h") => 360,
        _ => 720,
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
                "the middle one is dead",
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
            ("none lives", &[(180, false), (360, false)], 100, None),
            ("no layers at all", &[], 100, None),
            ("one layer without simulcast", &[(720, true)], 90, Some(0)),
        ];
        for (description, layers, wanted, expected) in table {
            let candidates = layers.iter().map(|(height, alive)| Candidate {
                height: *height,
                alive: *alive,
            });
            assert_eq!(choose(candidates, *wanted), *expected, "{description}");
        }
    }
}
