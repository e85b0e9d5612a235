//! Dependency descriptors as Chromium makes them: of AV1 with all sizes in one stream, which need each other at keyframes
//! only (`L3T3_KEY`), and of VP8 with up to three temporal layers.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::Size;
use crate::dependency_descriptor::Indication::{self, Absent, Discardable, Required, Switch};
use crate::dependency_descriptor::tests::write;
use crate::dependency_descriptor::{Descriptor, Frame, Structure, Target};

/// Whether a packet is the first and the last of its frame.
pub type Ends = (bool, bool);

const SVC_TEMPORAL: u8 = 3;

/// Of each size: what begins a stream, and a frame of each temporal layer.
pub fn of_sizes(sizes: &[(u16, u16)]) -> Structure {
    let count = sizes.len() as u16;
    let ids = || 0..sizes.len() as u8;
    let targets: Vec<Target> = ids()
        .flat_map(|spatial| (0..SVC_TEMPORAL).map(move |temporal| target(spatial, temporal)))
        .collect();
    let frame = |spatial: u8, temporal: u8, is_key: bool, needs: &[u16]| {
        let indication = |target: &Target| match (target.spatial, target.temporal) {
            (above, _) if is_key && above >= spatial => Switch,
            (other, _) if other != spatial => Absent,
            (_, below) if below < temporal => Absent,
            (_, same) if same == temporal && temporal > 0 => Discardable,
            _ => Switch,
        };
        Frame {
            spatial,
            temporal,
            indications: targets.iter().map(indication).collect(),
            needs: needs.into(),
            chains: vec![],
        }
    };
    let templates = ids().flat_map(|id| {
        let key: &[u16] = if id == 0 { &[] } else { &[1] };
        [
            frame(id, 0, true, key),
            frame(id, 0, false, &[4 * count]),
            frame(id, 1, false, &[2 * count]),
            frame(id, 2, false, &[count]),
        ]
    });
    Structure {
        offset: 0,
        templates: templates.collect(),
        targets: targets.clone(),
        chains: 0,
        sizes: sizes.iter().copied().map(size).collect(),
    }
}

/// The template of a frame of one of the sizes.
pub fn template(id: u8, temporal: u8, is_key: bool) -> u8 {
    4 * id + if is_key { 0 } else { 1 + temporal }
}

/// With two temporal layers or three; what begins a stream is the first template.
pub fn of_vp8(temporal_layers: u8, (width, height): (u16, u16)) -> Structure {
    let rows: &[(u8, &[Indication])] = match temporal_layers {
        3 => &[
            (0, &[Switch, Switch, Switch]),
            (0, &[Switch, Required, Required]),
            (1, &[Absent, Switch, Switch]),
            (1, &[Absent, Discardable, Switch]),
            (2, &[Absent, Absent, Discardable]),
        ],
        _ => &[(0, &[Switch])],
    };
    let frame = |(temporal, indications): &(u8, &[Indication])| Frame {
        spatial: 0,
        temporal: *temporal,
        indications: indications.to_vec(),
        needs: vec![],
        chains: vec![],
    };
    Structure {
        offset: 0,
        templates: rows.iter().map(frame).collect(),
        targets: (0..temporal_layers).map(|id| target(0, id)).collect(),
        chains: 0,
        sizes: vec![size((width, height))],
    }
}

/// The template of a frame by its place in the pattern.
pub fn template_of_vp8(temporal_layers: u8, place: u64) -> u8 {
    match (temporal_layers, place) {
        (3, 0) => 0,
        (3, 4) => 1,
        (3, 2) => 2,
        (3, 6) => 3,
        (3, _) => 4,
        _ => 0,
    }
}

/// `is_new`: the structure goes with it. `needs` where they are others than the template's.
pub fn descriptor(
    structure: &Structure,
    template: u8,
    number: u16,
    (starts_frame, ends_frame): Ends,
    is_new: bool,
    needs: Option<Vec<u16>>,
) -> Arc<[u8]> {
    let custom = [false, needs.is_some(), false];
    let mut frame = structure.templates[usize::from(template)].clone();
    frame.needs = needs.unwrap_or(frame.needs);
    let descriptor = Descriptor {
        starts_frame,
        ends_frame,
        frame_number: number,
        structure: is_new.then(|| structure.clone()),
        active: None,
        frame,
    };
    write(&descriptor, template, Some(structure), custom).into()
}

/// Of all that nobody on the way changes.
pub fn fingerprint(descriptor: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (descriptor[0], &descriptor[3..]).hash(&mut hasher);
    hasher.finish()
}

pub fn number(descriptor: &[u8]) -> u16 {
    u16::from_be_bytes([descriptor[1], descriptor[2]])
}

fn target(spatial: u8, temporal: u8) -> Target {
    Target {
        spatial,
        temporal,
        chain: None,
    }
}

fn size((width, height): (u16, u16)) -> Size {
    Size { width, height }
}
