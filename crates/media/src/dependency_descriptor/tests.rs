//! The reader against bits worked out by hand from the specification, against a writer, and against strangers.

use proptest::prelude::*;

use super::*;

/// Bits as one writes them down, in groups with whitespace between; the rest of the last byte is zero.
fn bytes(text: &str) -> Vec<u8> {
    let bits: Vec<u8> = text
        .bytes()
        .filter(|c| matches!(c, b'0' | b'1'))
        .map(|c| c - b'0')
        .collect();
    let byte =
        |bits: &[u8]| (0..8).fold(0, |byte, at| byte << 1 | bits.get(at).copied().unwrap_or(0));
    bits.chunks(8).map(byte).collect()
}

/// Writes what `Descriptor::parse` reads.
#[derive(Default)]
struct Writer(String);

impl Writer {
    fn put(&mut self, count: u32, value: u32) {
        for bit in (0..count).rev() {
            self.0.push(if value >> bit & 1 == 1 { '1' } else { '0' });
        }
    }

    fn below(&mut self, limit: u32, value: u32) {
        let width = u32::BITS - limit.leading_zeros();
        let short = (1 << width) - limit;
        match value < short {
            true => self.put(width - 1, value),
            false => self.put(width, value + short),
        }
    }

    fn indications(&mut self, frame: &Frame) {
        for indication in &frame.indications {
            self.put(2, *indication as u32);
        }
    }

    fn structure(&mut self, structure: &Structure) {
        let targets = structure.targets.len() as u32;
        self.put(6, structure.offset.into());
        self.put(5, targets - 1);
        for pair in structure.templates.windows(2) {
            let next = match (
                pair[1].spatial > pair[0].spatial,
                pair[1].temporal > pair[0].temporal,
            ) {
                (true, _) => 2,
                (false, true) => 1,
                (false, false) => 0,
            };
            self.put(2, next);
        }
        self.put(2, 3);
        structure
            .templates
            .iter()
            .for_each(|template| self.indications(template));
        for template in &structure.templates {
            for need in &template.needs {
                self.put(5, 0x10 | (u32::from(*need) - 1));
            }
            self.put(1, 0);
        }
        self.below(targets + 1, structure.chains.into());
        if structure.chains > 0 {
            for target in &structure.targets {
                self.below(structure.chains.into(), target.chain.unwrap().into());
            }
        }
        for chain in structure
            .templates
            .iter()
            .flat_map(|template| &template.chains)
        {
            self.put(4, (*chain).into());
        }
        self.put(1, u32::from(!structure.sizes.is_empty()));
        for size in &structure.sizes {
            self.put(16, u32::from(size.width) - 1);
            self.put(16, u32::from(size.height) - 1);
        }
    }
}

/// `custom`: indications, needs and chains are written out, though a template has them.
pub(crate) fn write(
    descriptor: &Descriptor,
    template: u8,
    known: Option<&Structure>,
    custom: [bool; 3],
) -> Vec<u8> {
    let mut to = Writer::default();
    to.put(1, descriptor.starts_frame.into());
    to.put(1, descriptor.ends_frame.into());
    to.put(6, template.into());
    to.put(16, descriptor.frame_number.into());
    let structure = descriptor.structure.as_ref();
    let valid = structure.or(known).unwrap();
    let all = u32::MAX >> (32 - valid.targets.len());
    let says_active = descriptor
        .active
        .filter(|active| structure.is_none() || *active != all);
    if structure.is_none() && says_active.is_none() && custom == [false; 3] {
        return bytes(&to.0);
    }
    to.put(1, structure.is_some().into());
    to.put(1, says_active.is_some().into());
    custom.iter().for_each(|flag| to.put(1, (*flag).into()));
    if let Some(structure) = structure {
        to.structure(structure);
    }
    if let Some(active) = says_active {
        to.put(valid.targets.len() as u32, active);
    }
    let frame = &descriptor.frame;
    if custom[0] {
        to.indications(frame);
    }
    if custom[1] {
        for need in &frame.needs {
            let nibbles = 1 + (u32::from(*need) - 1).checked_ilog2().unwrap_or(0) / 4;
            to.put(2, nibbles);
            to.put(4 * nibbles, u32::from(*need) - 1);
        }
        to.put(2, 0);
    }
    if custom[2] {
        frame
            .chains
            .iter()
            .for_each(|chain| to.put(8, (*chain).into()));
    }
    bytes(&to.0)
}

use Indication::{Absent, Discardable, Required, Switch};

/// Two spatial layers, whose frames take turns: L2T1 of the specification's scalability modes.
fn two_layers() -> Structure {
    let frame = |spatial, indications: [Indication; 2], needs: &[u16], chains: [u8; 2]| Frame {
        spatial,
        temporal: 0,
        indications: indications.into(),
        needs: needs.into(),
        chains: chains.into(),
    };
    let target = |spatial| Target {
        spatial,
        temporal: 0,
        chain: Some(spatial),
    };
    Structure {
        offset: 62,
        templates: vec![
            frame(0, [Switch, Switch], &[], [0, 0]),
            frame(0, [Switch, Required], &[2], [2, 1]),
            frame(1, [Absent, Switch], &[1], [1, 1]),
            frame(1, [Absent, Required], &[2, 1], [1, 1]),
        ],
        targets: vec![target(0), target(1)],
        chains: 2,
        sizes: vec![
            Size {
                width: 640,
                height: 360,
            },
            Size {
                width: 1280,
                height: 720,
            },
        ],
    }
}

/// The same by hand.
const TWO_LAYERS: &str = "
    1 1 111110 0000000001100100  1 0 0 0 0
    111110 00001
    00 10 00 11
    10 10  10 11  00 10  00 11
    0  1 0001 0  1 0000 0  1 0001 1 0000 0
    11  0 1
    0000 0000  0010 0001  0001 0001  0001 0001
    1
    0000001001111111 0000000101100111  0000010011111111 0000001011001111";

#[test]
fn bits_mean_what_the_specification_says() {
    let known = two_layers();
    let frame = |index: usize| known.templates[index].clone();
    let plain = |number, index| Descriptor {
        starts_frame: true,
        ends_frame: false,
        frame_number: number,
        structure: None,
        active: None,
        frame: frame(index),
    };
    type Row<'a> = (&'a str, &'a str, Option<Descriptor>);
    let table: &[Row<'_>] = &[
        (
            "a keyframe that brings the structure",
            TWO_LAYERS,
            Some(Descriptor {
                ends_frame: true,
                structure: Some(known.clone()),
                active: Some(3),
                ..plain(100, 0)
            }),
        ),
        (
            "a template, its number gone around",
            "1 0 000001 0000000001100111",
            Some(plain(103, 3)),
        ),
        (
            "only the lower decode target from here on",
            "1 0 111111 0000000001101000  0 1 0 0 0  01",
            Some(Descriptor {
                active: Some(1),
                ..plain(104, 1)
            }),
        ),
        (
            "all of the frame's own: one needed 3 back, one 17, one 300",
            "0 1 111111 1111111111111111  0 0 1 1 1  11 01  01 0010  10 00010000  11 000100101011  00  11111111 00000011",
            Some(Descriptor {
                starts_frame: false,
                ends_frame: true,
                frame: Frame {
                    indications: vec![Required, Discardable],
                    needs: vec![3, 17, 300],
                    chains: vec![255, 3],
                    ..frame(1)
                },
                ..plain(65_535, 1)
            }),
        ),
        (
            "a template that there is not",
            "1 0 000010 0000000001100111",
            None,
        ),
        ("one before the first", "1 0 111101 0000000001100111", None),
        ("nothing", "", None),
        ("cut off", "1 0 111110 00000000", None),
        (
            "its own needs are cut off",
            "1 0 111111 0000000001100111  0 0 0 1 0  11",
            None,
        ),
    ];
    for (description, bits, expected) in table {
        let parsed = Descriptor::parse(&bytes(bits), Some(&known));
        assert_eq!(parsed, *expected, "{description}");
    }
    assert_eq!(known.size_of(&frame(2)), known.sizes.get(1).copied());
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// A packet, the number of its frame, spatial and temporal layer, the frames back that are needed, and the decode targets
/// that there are from then on.
type Row<'a> = (&'a str, u16, (u8, u8), &'a [u16], Option<u32>);

const VP8: &[Row<'_>] = &[
    (
        "c000018002044eaaaf2860414d34538a0940404fc02cc0",
        1,
        (0, 0),
        &[],
        Some(0b111),
    ),
    ("c50002", 2, (0, 2), &[1], None),
    ("c30003", 3, (0, 1), &[2], None),
    ("c20005", 5, (0, 0), &[4], None),
    ("c60006", 6, (0, 2), &[3, 1], None),
    ("c40007", 7, (0, 1), &[4, 2], None),
    ("c10009", 9, (0, 0), &[4], None),
    // After frames that the encoder left out.
    ("c5001c1220", 28, (0, 2), &[2], None),
    ("c3001e1260", 30, (0, 1), &[4], None),
    ("c5002412a880", 36, (0, 2), &[6, 2], None),
];

/// It begins with the lower spatial layer alone; the keyframe after it has both.
const VP9: &[Row<'_>] = &[
    (
        "c00001c00514853aaaa8018004004002a02a0060010015d34514174d144c700874321651118543276809f8059813f80b38e0",
        1,
        (0, 0),
        &[],
        Some(0b000_111),
    ),
    (
        "c00002800514853aaaa8018004004002a02a0060010015d34514174d144c700874321651118543276809f8059813f80b38",
        2,
        (0, 0),
        &[],
        Some(0b111_111),
    ),
    ("c50003", 3, (1, 0), &[1], None),
    ("c30004", 4, (0, 2), &[2], None),
    ("c80005", 5, (1, 2), &[2], None),
    ("c20006", 6, (0, 1), &[4], None),
    ("c70007", 7, (1, 1), &[4], None),
    ("c40008", 8, (0, 2), &[2], None),
    ("c100091ac03830", 9, (0, 0), &[7], None),
    ("c5000a1ac00838", 10, (1, 0), &[7], None),
    ("c3000b", 11, (0, 2), &[2], None),
];

#[test]
fn what_chromium_sends_of_vp8_and_of_vp9_with_spatial_layers_is_read() {
    for stream in [VP8, VP9] {
        let mut known = None;
        for (text, number, layer, needs, active) in stream {
            let parsed = Descriptor::parse(&hex(text), known.as_ref()).expect(text);
            check(&parsed, known.as_ref());
            let frame = &parsed.frame;
            let found = (
                parsed.frame_number,
                (frame.spatial, frame.temporal),
                &frame.needs[..],
                parsed.active,
            );
            assert_eq!(found, (*number, *layer, *needs, *active), "{text}");
            assert!(parsed.starts_frame && parsed.ends_frame, "{text}");
            known = parsed.structure.or(known);
        }
    }
    let keyframe = |stream: &[Row<'_>]| {
        Descriptor::parse(&hex(stream[0].0), None)
            .unwrap()
            .structure
            .unwrap()
    };
    let sizes = |structure: Structure| {
        structure
            .sizes
            .iter()
            .map(|size| (size.width, size.height))
            .collect::<Vec<_>>()
    };
    assert_eq!(sizes(keyframe(VP8)), [(320, 180)]);
    assert_eq!(sizes(keyframe(VP9)), [(320, 180), (640, 360)]);
}

#[test]
fn a_number_below_five_has_two_or_three_bits() {
    for (value, bits) in ["00", "01", "10", "110", "111"].into_iter().enumerate() {
        let mut writer = Writer::default();
        writer.below(5, value as u32);
        assert_eq!(writer.0, bits);
        let bytes = bytes(bits);
        let mut bits = Bits {
            bytes: &bytes,
            at: 0,
        };
        assert_eq!(bits.below(5), Some(value as u32));
    }
}

#[test]
fn without_a_structure_nothing_can_be_known() {
    assert_eq!(
        Descriptor::parse(&bytes("1 1 000000 0000000000000001"), None),
        None
    );
    let keyframe = Descriptor::parse(&bytes(TWO_LAYERS), None);
    assert_eq!(keyframe.unwrap().structure, Some(two_layers()));
}

#[test]
fn what_is_cut_off_anywhere_is_no_descriptor() {
    let whole = bytes(TWO_LAYERS);
    for length in 4..whole.len() {
        assert_eq!(
            Descriptor::parse(&whole[..length], None),
            None,
            "{length} bytes"
        );
    }
}

fn frame(spatial: u8, temporal: u8, targets: usize, chains: u8) -> impl Strategy<Value = Frame> {
    let indication = prop_oneof![
        Just(Absent),
        Just(Discardable),
        Just(Switch),
        Just(Required)
    ];
    let indications = proptest::collection::vec(indication, targets);
    let needs = proptest::collection::vec(1..=16_u16, 0..4);
    let chains = proptest::collection::vec(0..16_u8, usize::from(chains));
    (indications, needs, chains).prop_map(move |(indications, needs, chains)| Frame {
        spatial,
        temporal,
        indications,
        needs,
        chains,
    })
}

fn structure() -> impl Strategy<Value = Structure> {
    let layers = proptest::collection::vec(0..3_u8, 0..12);
    (layers, 0..64_u8, 1..=32_usize, any::<u32>(), any::<bool>()).prop_flat_map(
        |(steps, offset, targets, chains, sizes)| {
            let chains = (chains as usize % (targets + 1)) as u8;
            let (mut spatial, mut temporal) = (0, 0);
            let mut templates = vec![frame(0, 0, targets, chains)];
            for step in steps {
                match step {
                    1 if temporal < MOST_TEMPORAL => temporal += 1,
                    2 if spatial < MOST_SPATIAL => (spatial, temporal) = (spatial + 1, 0),
                    _ => {}
                }
                templates.push(frame(spatial, temporal, targets, chains));
            }
            let sizes = if sizes { usize::from(spatial) + 1 } else { 0 };
            let size =
                (1..=u16::MAX, 1..=u16::MAX).prop_map(|(width, height)| Size { width, height });
            let protected = proptest::collection::vec(0..chains.max(1), targets);
            (templates, proptest::collection::vec(size, sizes), protected).prop_map(
                move |(templates, sizes, protected)| Structure {
                    offset,
                    targets: (0..targets)
                        .map(|target| Target {
                            chain: (chains > 0).then_some(protected[target]),
                            ..target_of(&templates, target)
                        })
                        .collect(),
                    templates,
                    chains,
                    sizes,
                },
            )
        },
    )
}

/// What is promised at the types.
fn check(parsed: &Descriptor, known: Option<&Structure>) {
    let valid = parsed.structure.as_ref().or(known).unwrap();
    let targets = valid.targets.len();
    assert!((1..=64).contains(&valid.templates.len()) && (1..=32).contains(&targets));
    assert!(usize::from(valid.chains) <= targets);
    for frame in valid.templates.iter().chain([&parsed.frame]) {
        assert_eq!(frame.indications.len(), targets);
        assert_eq!(frame.chains.len(), usize::from(valid.chains));
        assert!(frame.spatial <= 3 && frame.temporal <= 7);
        assert!(frame.needs.iter().all(|need| (1..=4_096).contains(need)));
    }
    let is_protected = |target: &Target| match valid.chains {
        0 => target.chain.is_none(),
        chains => target.chain.is_some_and(|chain| chain < chains),
    };
    assert!(valid.targets.iter().all(is_protected));
    assert!(
        parsed
            .active
            .is_none_or(|active| u64::from(active) < 1 << targets)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, rng_seed: proptest::test_runner::RngSeed::Fixed(6), ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        structure in structure(), brings in any::<bool>(), number in any::<u16>(), marks in any::<[bool; 2]>(),
        at in any::<usize>(), custom in any::<[bool; 3]>(), needs in proptest::collection::vec(1..=4_096_u16, 0..5),
        chains in any::<u8>(), active in any::<Option<u32>>(),
    ) {
        let at = at % structure.templates.len();
        let mut frame = structure.templates[at].clone();
        if custom[0] {
            frame.indications.reverse();
        }
        if custom[1] {
            frame.needs = needs;
        }
        if custom[2] {
            frame.chains.fill(chains);
        }
        let all = u32::MAX >> (32 - structure.targets.len());
        let active = active.map(|active| active & all);
        let [starts_frame, ends_frame] = marks;
        let descriptor = Descriptor {
            starts_frame,
            ends_frame,
            frame_number: number,
            active: if brings { active.or(Some(all)) } else { active },
            structure: brings.then(|| structure.clone()),
            frame,
        };
        let known = (!brings).then_some(&structure);
        let template = structure.offset.wrapping_add(at as u8) & 0x3f;
        let bytes = write(&descriptor, template, known, custom);
        let parsed = Descriptor::parse(&bytes, known);
        prop_assert_eq!(parsed.as_ref(), Some(&descriptor));
        check(&descriptor, known);
    }

    #[test]
    fn strangers_can_write_what_they_like(
        bytes in proptest::collection::vec(any::<u8>(), 0..260), structure in structure(), flags in 0..32_u8,
    ) {
        // Mostly templates that there are, and every combination of flags.
        let mut near = bytes.clone();
        if let [first, _, _, fourth, ..] = near.as_mut_slice() {
            *first = *first & 0xc0 | structure.offset;
            *fourth = *fourth & 7 | flags << 3;
        }
        for bytes in [bytes, near] {
            for known in [None, Some(&structure)] {
                if let Some(parsed) = Descriptor::parse(&bytes, known) {
                    check(&parsed, known);
                }
            }
        }
    }
}
