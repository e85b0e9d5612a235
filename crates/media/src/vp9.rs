//! The payload descriptor of VP9 (RFC 9628, section 4.2), which is in the clear even under end-to-end encryption: where a
//! packet stands among the sizes and pictures of its stream, and how large those are.
//!
//! One stream has up to eight sizes ("spatial layers"). A picture is a frame of each, with one timestamp.

use crate::api::Size;
use crate::codec::Temporal;

/// A picture is predicted from so many others at most.
const MOST_REFERENCES: usize = 3;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// 15 bits.
    pub picture_id: Option<u16>,
    pub tl0_pic_idx: Option<u8>,
    pub temporal: Temporal,
    /// 0 to 7.
    pub spatial: u8,
    /// It needs earlier pictures.
    pub is_predicted: bool,
    /// The packet is the first of its frame, or the last.
    pub starts_frame: bool,
    pub ends_frame: bool,
    /// Where the structure of the stream begins, in a packet that has it.
    structure: Option<usize>,
}

impl Descriptor {
    /// `None` if nothing follows the descriptor, or it is cut off.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut bytes = Bytes { payload, at: 0 };
        let flags = bytes.next()?;
        let has = |bit: u8| flags & bit != 0;
        let mut descriptor = Self {
            is_predicted: has(0x40),
            starts_frame: has(0x08),
            ends_frame: has(0x04),
            ..Self::default()
        };
        if has(0x80) {
            let id = bytes.next()?;
            descriptor.picture_id = Some(match id & 0x80 {
                0 => u16::from(id),
                _ => u16::from_be_bytes([id & 0x7f, bytes.next()?]),
            });
        }
        if has(0x20) {
            let layers = bytes.next()?;
            descriptor.spatial = layers >> 1 & 7;
            descriptor.temporal = Temporal {
                id: layers >> 5,
                is_sync: false,
                opens: layers & 0x10 != 0,
            };
            if !has(0x10) {
                descriptor.tl0_pic_idx = Some(bytes.next()?);
            }
        }
        if has(0x10) && has(0x40) {
            let mut left = MOST_REFERENCES;
            while bytes.next()? & 1 != 0 {
                left = left.checked_sub(1).filter(|left| *left > 0)?;
            }
        }
        if has(0x02) {
            descriptor.structure = Some(bytes.at);
            bytes.skip_structure()?;
        }
        bytes.next()?;
        Some(descriptor)
    }

    /// The first packet of a picture that can be decoded without any before.
    pub fn starts_keyframe(&self) -> bool {
        self.starts_frame && !self.is_predicted && self.spatial == 0
    }

    /// How many sizes the stream has from here on, if it is said.
    pub fn layers(&self, payload: &[u8]) -> Option<u8> {
        Some((payload.get(self.structure?)? >> 5) + 1)
    }

    /// And which, from the smallest; empty if that is not said.
    pub fn sizes(&self, payload: &[u8]) -> Vec<Size> {
        let Some(at) = self.structure else {
            return vec![];
        };
        let mut bytes = Bytes { payload, at };
        let layers = match bytes.next() {
            Some(first) if first & 0x10 != 0 => (first >> 5) + 1,
            _ => 0,
        };
        let sizes = (0..layers).map(|_| {
            Some(Size {
                width: bytes.dimension()?,
                height: bytes.dimension()?,
            })
        });
        sizes.collect::<Option<_>>().unwrap_or_default()
    }
}

struct Bytes<'a> {
    payload: &'a [u8],
    at: usize,
}

impl Bytes<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = self.payload.get(self.at).copied();
        self.at += 1;
        byte
    }

    fn dimension(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.next()?, self.next()?]))
    }

    fn skip_structure(&mut self) -> Option<()> {
        let first = self.next()?;
        if first & 0x10 != 0 {
            self.at += 4 * (usize::from(first >> 5) + 1);
        }
        if first & 0x08 != 0 {
            for _ in 0..self.next()? {
                self.at += usize::from(self.next()? >> 2 & 3);
            }
        }
        Some(())
    }
}

/// Writes picture numbers over those of a payload. Fields that it does not have stay absent.
pub(crate) fn write_pictures(payload: &mut [u8], picture_id: Option<u16>, tl0: Option<u8>) {
    let mut fields = payload.iter_mut();
    let Some(flags) = fields.next().map(|flags| *flags) else {
        return;
    };
    if flags & 0x80 != 0
        && let Some(first) = fields.next()
    {
        crate::vp8::write_picture_id(first, &mut fields, picture_id);
    }
    // Layers, and numbers of the base layer where pictures do not name those that they need.
    if flags & 0x30 == 0x20
        && let (Some(_), Some(field), Some(index)) = (fields.next(), fields.next(), tl0)
    {
        *field = index;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of Chromium: a keyframe's first packet, with two sizes.
    const CHROMIUM: &[u8] = &[
        0xbe, 0xcf, 0xc9, 0x10, 0x30, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68, 0x83, 0x49,
        0x83, 0x42, 0x00, 0x13, 0xf0, 0x0b,
    ];
    /// With three sizes and a pattern of four pictures.
    const KEYFRAME: &[u8] = &[
        0xaa, 0x92, 0x34, 0x00, 0x56, 0x58, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68, 0x05,
        0x00, 0x02, 0xd0, 0x04, 0x14, 0x04, 0x54, 0x01, 0x34, 0x02, 0x54, 0x01, 0x77,
    ];

    #[test]
    fn a_descriptor_has_what_its_bits_say() {
        let base = Descriptor::default();
        let numbers = Descriptor {
            picture_id: Some(0x1234),
            tl0_pic_idx: Some(0x56),
            ..base
        };
        type Row<'a> = (&'a str, &'a [u8], Option<Descriptor>);
        let table: &[Row<'_>] = &[
            (
                "a keyframe",
                KEYFRAME,
                Some(Descriptor {
                    starts_frame: true,
                    structure: Some(5),
                    ..numbers
                }),
            ),
            (
                "a keyframe of Chromium",
                CHROMIUM,
                Some(Descriptor {
                    picture_id: Some(20_425),
                    temporal: Temporal {
                        opens: true,
                        ..Temporal::default()
                    },
                    starts_frame: true,
                    ends_frame: true,
                    structure: Some(4),
                    ..base
                }),
            ),
            (
                "the larger size of the picture after it, of Chromium",
                &[0xfd, 0xcf, 0xca, 0x52, 0x02, 0x86],
                Some(Descriptor {
                    picture_id: Some(20_426),
                    temporal: Temporal {
                        id: 2,
                        is_sync: false,
                        opens: true,
                    },
                    spatial: 1,
                    is_predicted: true,
                    starts_frame: true,
                    ends_frame: true,
                    ..base
                }),
            ),
            (
                "the largest size of a picture of the uppermost temporal layer",
                &[0xec, 0x92, 0x34, 0x54, 0x56, 0x77],
                Some(Descriptor {
                    spatial: 2,
                    temporal: Temporal {
                        id: 2,
                        is_sync: false,
                        opens: true,
                    },
                    is_predicted: true,
                    starts_frame: true,
                    ends_frame: true,
                    ..numbers
                }),
            ),
            (
                "pictures that name those that they need",
                &[0xf4, 0x12, 0x20, 0x03, 0x05, 0x08, 0x77],
                Some(Descriptor {
                    picture_id: Some(0x12),
                    temporal: Temporal {
                        id: 1,
                        ..Temporal::default()
                    },
                    is_predicted: true,
                    ends_frame: true,
                    ..base
                }),
            ),
            (
                "one that names more than there can be",
                &[0xf4, 0x12, 0x20, 0x03, 0x05, 0x09, 0x02, 0x77],
                None,
            ),
            (
                "no numbers and no layers",
                &[0x08, 0x77],
                Some(Descriptor {
                    starts_frame: true,
                    ..base
                }),
            ),
            ("nothing", &[], None),
            ("nothing behind it", &[0x08], None),
            ("cut off in the numbers", &[0x80, 0x92], None),
            ("cut off in the structure", &KEYFRAME[..20], None),
        ];
        for (description, payload, expected) in table {
            assert_eq!(Descriptor::parse(payload), *expected, "{description}");
        }
    }

    #[test]
    fn a_structure_tells_the_sizes() {
        let descriptor = Descriptor::parse(KEYFRAME).unwrap();
        assert!(descriptor.starts_keyframe());
        assert_eq!(descriptor.layers(KEYFRAME), Some(3));
        let sizes = descriptor.sizes(KEYFRAME);
        let heights: Vec<u16> = sizes.iter().map(|size| size.height).collect();
        assert_eq!(heights, [180, 360, 720]);
        let descriptor = Descriptor::parse(CHROMIUM).unwrap();
        assert!(descriptor.starts_keyframe());
        let sizes = descriptor.sizes(CHROMIUM);
        let heights: Vec<u16> = sizes.iter().map(|size| size.height).collect();
        assert_eq!(heights, [180, 360]);
        let unsaid = [0x0a, 0x20, 0x77];
        let descriptor = Descriptor::parse(&unsaid).unwrap();
        assert_eq!(descriptor.layers(&unsaid), Some(2));
        assert_eq!(descriptor.sizes(&unsaid), []);
    }

    #[test]
    fn picture_numbers_are_written_where_they_are() {
        let table: &[(&str, &[u8], &[u8])] = &[
            (
                "long, with those of the base layer",
                &[0xa8, 0x80, 0, 0x54, 0, 9],
                &[0xa8, 0x92, 0x34, 0x54, 0x56, 9],
            ),
            ("short", &[0x88, 0x01, 9], &[0x88, 0x34, 9]),
            (
                "those that are needed stay",
                &[0xf8, 0x80, 0, 0x54, 0x03, 9],
                &[0xf8, 0x92, 0x34, 0x54, 0x03, 9],
            ),
            ("none", &[0x08, 9], &[0x08, 9]),
            ("empty", &[], &[]),
        ];
        for (description, payload, expected) in table {
            let mut patched = payload.to_vec();
            write_pictures(&mut patched, Some(0x1234), Some(0x56));
            assert_eq!(patched, *expected, "{description}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, rng_seed: proptest::test_runner::RngSeed::Fixed(6), ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_what_is_read_afterwards(
            payload in proptest::collection::vec(any::<u8>(), 0..40), id in 0..0x80_u16, tl0: u8,
        ) {
            let before = Descriptor::parse(&payload);
            let mut written = payload.clone();
            write_pictures(&mut written, Some(id), Some(tl0));
            let Some(before) = before else {
                return Ok(());
            };
            let expected = Descriptor {
                picture_id: before.picture_id.map(|_| id),
                tl0_pic_idx: before.tl0_pic_idx.map(|_| tl0),
                ..before
            };
            prop_assert_eq!(Descriptor::parse(&written), Some(expected));
            prop_assert!(before.sizes(&payload).len() <= 8);
            write_pictures(&mut written, before.picture_id, before.tl0_pic_idx);
            prop_assert_eq!(written, payload);
        }
    }
}
