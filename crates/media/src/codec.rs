//! What a packet of video says of itself, whichever codec it is of: to which picture and which layers it belongs, and
//! whether one can begin with it. Reads dependency descriptors, or else those of the payload, and nothing of what may be
//! encrypted but sizes.

use crate::api::{Size, VideoCodec};
use crate::dependency_descriptor::{Descriptor, Indication, Structure};
use crate::pipe::Layers;
use crate::rewriter::Pictures;
use crate::{vp8, vp9};

/// Temporal layers that are told apart.
pub(crate) const TEMPORAL_LAYERS: usize = 4;

/// Where a picture stands in time. What has no temporal layers is in the base layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Temporal {
    pub id: u8,
    /// It needs nothing but the base layer: here one can climb up to it.
    pub is_sync: bool,
    /// No later picture of a higher layer needs one of a higher layer before this: after it one can climb.
    pub opens: bool,
}

/// Where a frame stands in a stream that has several sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spatial {
    pub id: u8,
    /// The sizes for which it is needed, as bits.
    pub serves: u8,
    /// The packet is the last of its frame.
    pub ends_frame: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub codec: VideoCodec,
    pub pictures: Pictures,
    pub temporal: Temporal,
    /// Absent where each size is a stream of its own.
    pub spatial: Option<Spatial>,
    pub starts_picture: bool,
    pub starts_keyframe: bool,
    /// Of a stream with several sizes, those that begin with this keyframe, as bits.
    pub begins: Layers,
}

impl Content {
    /// What the payload says. `None` if it is not what it should be, or says nothing.
    pub fn read(codec: VideoCodec, payload: &[u8]) -> Option<Self> {
        match codec {
            VideoCodec::Vp8 => Some(Self::of_vp8(&vp8::Descriptor::parse(payload)?)),
            VideoCodec::Vp9 => Some(Self::of_vp9(&vp9::Descriptor::parse(payload)?, payload)),
            VideoCodec::Av1 => None,
        }
    }

    /// What a dependency descriptor says. `valid` is the structure that it refers to.
    pub fn described(codec: VideoCodec, descriptor: &Descriptor, valid: &Structure) -> Self {
        let frame = &descriptor.frame;
        let all = valid.targets.iter().zip(&frame.indications);
        let of = all.filter(|(_, indication)| **indication != Indication::Absent);
        let mut above = of
            .clone()
            .filter(|(target, _)| target.temporal > frame.temporal);
        let starts_keyframe =
            descriptor.starts_frame && descriptor.structure.is_some() && frame.needs.is_empty();
        let active = descriptor.active.filter(|_| starts_keyframe).unwrap_or(0);
        let targets = valid.targets.iter().enumerate();
        let begun = targets.filter(|(index, _)| active >> index & 1 == 1);
        Self {
            codec,
            pictures: Pictures {
                picture_id: Some(descriptor.frame_number),
                ..Pictures::default()
            },
            temporal: Temporal {
                id: frame.temporal,
                is_sync: false,
                opens: above.all(|(_, indication)| *indication == Indication::Switch),
            },
            spatial: Some(Spatial {
                id: frame.spatial,
                serves: of.fold(0, |bits, (target, _)| bits | 1 << target.spatial),
                ends_frame: descriptor.ends_frame,
            }),
            starts_picture: descriptor.starts_frame,
            starts_keyframe,
            begins: begun.fold(0, |bits, (_, target)| bits | 1 << target.spatial),
        }
    }

    fn of_vp8(descriptor: &vp8::Descriptor) -> Self {
        Self {
            codec: VideoCodec::Vp8,
            pictures: Pictures {
                picture_id: descriptor.picture_id,
                tl0_pic_idx: descriptor.tl0_pic_idx,
                key_idx: descriptor.key_idx,
            },
            temporal: descriptor.temporal,
            spatial: None,
            starts_picture: descriptor.starts_picture,
            starts_keyframe: descriptor.starts_keyframe,
            begins: Layers::from(descriptor.starts_keyframe),
        }
    }

    /// Sizes need each other at keyframes only, and there all the smaller ones: what browsers call `_KEY`.
    fn of_vp9(descriptor: &vp9::Descriptor, payload: &[u8]) -> Self {
        let (id, starts_keyframe) = (descriptor.spatial, descriptor.starts_keyframe());
        let layers = descriptor.layers(payload).unwrap_or(1);
        Self {
            codec: VideoCodec::Vp9,
            pictures: Pictures {
                picture_id: descriptor.picture_id,
                tl0_pic_idx: descriptor.tl0_pic_idx,
                key_idx: None,
            },
            temporal: descriptor.temporal,
            spatial: Some(Spatial {
                id,
                serves: match descriptor.is_predicted {
                    true => 1 << id,
                    false => u8::MAX << id,
                },
                ends_frame: descriptor.ends_frame,
            }),
            starts_picture: descriptor.starts_frame,
            starts_keyframe,
            begins: match starts_keyframe {
                true => (1 << layers) - 1,
                false => 0,
            },
        }
    }
}

/// The sizes that a keyframe's first packet tells, from the smallest; none if it does not.
pub(crate) fn sizes(codec: VideoCodec, payload: &[u8]) -> Vec<Size> {
    match codec {
        VideoCodec::Vp8 => vp8::keyframe_size(payload).into_iter().collect(),
        VideoCodec::Vp9 => vp9::Descriptor::parse(payload)
            .map(|descriptor| descriptor.sizes(payload))
            .unwrap_or_default(),
        VideoCodec::Av1 => vec![],
    }
}

/// Writes picture numbers over those of a payload.
pub(crate) fn write_pictures(codec: VideoCodec, payload: &mut [u8], pictures: &Pictures) {
    match codec {
        VideoCodec::Vp8 => vp8::write_pictures(payload, pictures),
        VideoCodec::Vp9 => {
            vp9::write_pictures(payload, pictures.picture_id, pictures.tl0_pic_idx);
        }
        VideoCodec::Av1 => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of Chromium: a keyframe of AV1 with three sizes, of which two are sent, and of VP8 with three temporal layers.
    const AV1: &str = "c00001c0081485214eaaaaa8000600004000100002aa80a8000600004000100002a000a800060000400016d549241b5524906d54923157e001974ca864330e222396eca8655304224390eca87753013f00b3027f016704ff02cf1f80";
    const AV1_OF_THREE: &str = "c0000580081485214eaaaaa8000600004000100002aa80a8000600004000100002a000a800060000400016d549241b5524906d54923157e001974ca864330e222396eca8655304224390eca87753013f00b3027f016704ff02cf";
    const VP8: &str = "c000028002044eaaaf2860414d34538a0940404fc02cc0";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex
            .bytes()
            .map(|c| (c as char).to_digit(16).unwrap() as u8)
            .collect();
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    }

    #[test]
    fn a_descriptor_tells_the_layers_and_where_one_can_begin_and_climb() {
        // Begun layers, size, which sizes it serves, temporal layer, and whether one can climb after it.
        type Row<'a> = (&'a str, &'a str, &'a str, (Layers, u8, u8, u8, bool));
        let table: &[Row<'_>] = &[
            ("two sizes begin", AV1, AV1, (0b011, 0, 0b111, 0, true)),
            ("three begin", AV1, AV1_OF_THREE, (0b111, 0, 0b111, 0, true)),
            (
                "a keyframe's second size",
                AV1,
                "c50002",
                (0, 1, 0b110, 0, true),
            ),
            ("its third", AV1, "8a0007", (0, 2, 0b100, 0, true)),
            ("a base layer", AV1, "c10011", (0, 0, 0b001, 0, true)),
            ("of the largest size", AV1, "0b0013", (0, 2, 0b100, 0, true)),
            ("a middle layer", AV1, "c7000c", (0, 1, 0b010, 1, true)),
            ("an upper layer", AV1, "c80009", (0, 1, 0b010, 2, true)),
            ("VP8 begins", VP8, VP8, (0b001, 0, 0b001, 0, true)),
            (
                "a base layer that upper ones look over",
                VP8,
                "c2001e1360",
                (0, 0, 0b001, 0, false),
            ),
            ("a middle layer", VP8, "c300061260", (0, 0, 0b001, 1, true)),
            ("an upper layer", VP8, "c500041220", (0, 0, 0b001, 2, true)),
        ];
        for (description, structure, descriptor, expected) in table {
            let before = Descriptor::parse(&bytes(structure), None).unwrap();
            let valid = before.structure.unwrap();
            let descriptor = Descriptor::parse(&bytes(descriptor), Some(&valid)).unwrap();
            let told = Content::described(VideoCodec::Av1, &descriptor, &valid);
            let spatial = told.spatial.unwrap();
            let found = (
                told.begins,
                spatial.id,
                spatial.serves,
                told.temporal.id,
                told.temporal.opens,
            );
            assert_eq!(found, *expected, "{description}");
            assert_eq!(told.starts_keyframe, told.begins != 0, "{description}");
            assert_eq!(told.pictures.picture_id, Some(descriptor.frame_number));
        }
    }
}
