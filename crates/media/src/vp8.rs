//! What of a VP8 payload is in the clear even under end-to-end encryption: the payload descriptor (RFC 7741, section
//! 4.2) and the bit of the payload header that tells a keyframe. The size of a keyframe too, where nothing is encrypted.

use crate::api::Size;
use crate::codec::Temporal;
use crate::rewriter::Pictures;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// 15 bits.
    pub picture_id: Option<u16>,
    pub tl0_pic_idx: Option<u8>,
    pub temporal: Temporal,
    /// 5 bits.
    pub key_idx: Option<u8>,
    pub starts_picture: bool,
    pub starts_keyframe: bool,
}

impl Descriptor {
    /// `None` if nothing follows the descriptor, or it is cut off.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut bytes = payload.iter().copied();
        let first = bytes.next()?;
        let present = if first & 0x80 != 0 { bytes.next()? } else { 0 };
        let mut descriptor = Self::default();
        if present & 0x80 != 0 {
            let id = bytes.next()?;
            descriptor.picture_id = Some(match id & 0x80 {
                0 => u16::from(id),
                _ => u16::from_be_bytes([id & 0x7f, bytes.next()?]),
            });
        }
        if present & 0x40 != 0 {
            descriptor.tl0_pic_idx = Some(bytes.next()?);
        }
        if present & 0x30 != 0 {
            let layer = bytes.next()?;
            if present & 0x20 != 0 {
                descriptor.temporal = Temporal {
                    id: layer >> 6,
                    is_sync: layer & 0x20 != 0,
                    opens: false,
                };
            }
            descriptor.key_idx = (present & 0x10 != 0).then_some(layer & 0x1f);
        }
        let header = bytes.next()?;
        // The first partition begins, and it is the first.
        descriptor.starts_picture = first & 0x17 == 0x10;
        descriptor.starts_keyframe = descriptor.starts_picture && header & 1 == 0;
        Some(descriptor)
    }
}

/// The size in a keyframe's header (RFC 6386, section 9.1), if the payload is in the clear.
pub(crate) fn keyframe_size(payload: &[u8]) -> Option<Size> {
    let start = payload
        .get(..32)
        .unwrap_or(payload)
        .windows(3)
        .position(|bytes| bytes == [0x9d, 0x01, 0x2a])?;
    let at = |offset: usize| payload.get(start + offset).copied();
    let dimension = |low: u8, high: u8| u16::from_le_bytes([low, high]) & 0x3fff;
    Some(Size {
        width: dimension(at(3)?, at(4)?),
        height: dimension(at(5)?, at(6)?),
    })
}

/// Writes picture numbers over those of a VP8 payload. Fields that it does not have stay absent.
pub(crate) fn write_pictures(payload: &mut [u8], pictures: &Pictures) {
    let mut fields = payload.iter_mut();
    let has_extension = fields.next().is_some_and(|first| *first & 0x80 != 0);
    let Some(present) = fields.next().filter(|_| has_extension).map(|flags| *flags) else {
        return;
    };
    if present & 0x80 != 0
        && let Some(first) = fields.next()
    {
        write_picture_id(first, &mut fields, pictures.picture_id);
    }
    if present & 0x40 != 0
        && let (Some(field), Some(index)) = (fields.next(), pictures.tl0_pic_idx)
    {
        *field = index;
    }
    if present & 0x30 != 0
        && let (Some(field), Some(index)) = (fields.next(), pictures.key_idx)
        && present & 0x10 != 0
    {
        *field = (*field & 0xe0) | (index & 0x1f);
    }
}

/// Over a number of 7 or 15 bits, whose first byte tells which.
pub(crate) fn write_picture_id<'a>(
    first: &mut u8,
    rest: &mut impl Iterator<Item = &'a mut u8>,
    id: Option<u16>,
) {
    let is_long = *first & 0x80 != 0;
    let second = if is_long { rest.next() } else { None };
    match (id, second) {
        (Some(id), Some(second)) => {
            let [high, low] = (id | 0x8000).to_be_bytes();
            (*first, *second) = (high, low);
        }
        (Some(id), None) => *first = (id & 0x7f) as u8,
        (None, _) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use str0m::rtp::Vp8Descriptor;

    use super::*;

    #[test]
    fn a_descriptor_has_what_its_bits_say() {
        let base = Descriptor::default();
        let keyframe = Descriptor {
            starts_picture: true,
            starts_keyframe: true,
            ..base
        };
        type Row<'a> = (&'a str, &'a [u8], Option<Descriptor>);
        let table: &[Row<'_>] = &[
            ("a keyframe without numbers", &[0x10, 0x50], Some(keyframe)),
            (
                "not a keyframe",
                &[0x10, 0x51],
                Some(Descriptor {
                    starts_keyframe: false,
                    ..keyframe
                }),
            ),
            ("a later partition", &[0x11, 0x50], Some(base)),
            ("the middle of a partition", &[0x00, 0x50], Some(base)),
            ("not referenced", &[0x30, 0x50], Some(keyframe)),
            (
                "all numbers, as Chromium writes them",
                &[0x90, 0xe0, 0x92, 0x34, 0x56, 0xa0, 0x51],
                Some(Descriptor {
                    picture_id: Some(0x1234),
                    tl0_pic_idx: Some(0x56),
                    temporal: Temporal {
                        id: 2,
                        is_sync: true,
                        opens: false,
                    },
                    starts_picture: true,
                    ..base
                }),
            ),
            (
                "a short picture number and a key index",
                &[0x80, 0x90, 0x12, 0x57, 0x00],
                Some(Descriptor {
                    picture_id: Some(0x12),
                    key_idx: Some(0x17),
                    ..base
                }),
            ),
            ("nothing", &[], None),
            ("nothing behind it", &[0x10], None),
            ("cut off in the flags", &[0x90], None),
            ("cut off in the picture number", &[0x90, 0x80, 0x80], None),
            ("cut off in the layer", &[0x90, 0x60, 0x01], None),
        ];
        for (description, payload, expected) in table {
            assert_eq!(Descriptor::parse(payload), *expected, "{description}");
        }
    }

    #[test]
    fn picture_numbers_are_written_where_they_are() {
        let pictures = Pictures {
            picture_id: Some(0x1234),
            tl0_pic_idx: Some(0x56),
            key_idx: Some(0x17),
        };
        let table: &[(&str, &[u8], &[u8])] = &[
            ("no extension", &[0x10, 1], &[0x10, 1]),
            (
                "all, long",
                &[0x90, 0xf0, 0x80, 0, 0, 0xe0, 9],
                &[0x90, 0xf0, 0x92, 0x34, 0x56, 0xf7, 9],
            ),
            (
                "all, short",
                &[0x90, 0xf0, 0x01, 0, 0xa0, 9],
                &[0x90, 0xf0, 0x34, 0x56, 0xb7, 9],
            ),
            (
                "only a picture",
                &[0x80, 0x80, 0x80, 0, 9],
                &[0x80, 0x80, 0x92, 0x34, 9],
            ),
            (
                "no key index",
                &[0x80, 0x60, 0, 0x40, 9],
                &[0x80, 0x60, 0x56, 0x40, 9],
            ),
            ("cut off", &[0x80, 0xf0, 0x80], &[0x80, 0xf0, 0x34]),
            ("empty", &[], &[]),
        ];
        for (description, payload, expected) in table {
            let mut patched = payload.to_vec();
            write_pictures(&mut patched, &pictures);
            assert_eq!(patched, *expected, "{description}");
            if let Ok(read) = Vp8Descriptor::parse(&patched) {
                let before = Vp8Descriptor::parse(payload).unwrap();
                assert_eq!(read.tl0_pic_idx().is_some(), before.tl0_pic_idx().is_some());
                assert!(read.key_idx().is_none_or(|index| index == 0x17));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, rng_seed: proptest::test_runner::RngSeed::Fixed(6), ..ProptestConfig::default() })]

        #[test]
        fn the_engine_reads_the_same(payload in proptest::collection::vec(any::<u8>(), 0..9)) {
            let ours = Descriptor::parse(&payload);
            if let Ok(theirs) = Vp8Descriptor::parse(&payload) {
                let ours = ours.unwrap();
                prop_assert_eq!(ours.picture_id, theirs.picture_id());
                prop_assert_eq!(ours.tl0_pic_idx, theirs.tl0_pic_idx());
                prop_assert_eq!(ours.key_idx, theirs.key_idx());
                prop_assert_eq!(ours.starts_keyframe, theirs.starts_keyframe(&payload));
            }
        }
    }
}
