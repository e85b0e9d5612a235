//! What a packet of video says of itself, whichever codec it is of: to which picture and which layers it belongs, and
//! whether one can begin with it. Reads and writes payload descriptors, and nothing of what may be encrypted but sizes.

use crate::api::{Size, VideoCodec};
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
    /// `None` if the payload is not what it should be.
    pub fn read(codec: VideoCodec, payload: &[u8]) -> Option<Self> {
        match codec {
            VideoCodec::Vp8 => Some(Self::of_vp8(&vp8::Descriptor::parse(payload)?)),
            VideoCodec::Vp9 => Some(Self::of_vp9(&vp9::Descriptor::parse(payload)?, payload)),
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
    }
}

/// Writes picture numbers over those of a payload.
pub(crate) fn write_pictures(codec: VideoCodec, payload: &mut [u8], pictures: &Pictures) {
    match codec {
        VideoCodec::Vp8 => vp8::write_pictures(payload, pictures),
        VideoCodec::Vp9 => {
            vp9::write_pictures(payload, pictures.picture_id, pictures.tl0_pic_idx);
        }
    }
}
