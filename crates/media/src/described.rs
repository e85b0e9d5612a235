//! The dependency descriptor on its way through the engine: the header extension as bytes, and what of a stream's earlier
//! descriptors it takes to read the next one. What the bytes mean is in `dependency_descriptor`.

use std::sync::Arc;

use str0m::rtp::{Extension, ExtensionSerializer, ExtensionValues};

use crate::dependency_descriptor::{Descriptor, Structure};

const URI: &str =
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";
/// More does not fit into an element that has a short head.
const SHORT: usize = 16;
/// Where the frame number lies.
const NUMBER_AT: usize = 1;

/// As it came.
#[derive(Clone, Debug)]
pub(crate) struct Bytes(pub Arc<[u8]>);

pub(crate) fn extension() -> Extension {
    Extension::with_serializer(URI, Serializer)
}

#[derive(Debug)]
struct Serializer;

impl ExtensionSerializer for Serializer {
    fn write_to(&self, buffer: &mut [u8], values: &ExtensionValues) -> usize {
        let Some(Bytes(bytes)) = values.user_values.get() else {
            return 0;
        };
        let Some(room) = buffer.get_mut(..bytes.len()) else {
            return 0;
        };
        room.copy_from_slice(bytes);
        bytes.len()
    }

    fn parse_value(&self, bytes: &[u8], values: &mut ExtensionValues) -> bool {
        values.user_values.set(Bytes(bytes.into()));
        true
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        false
    }

    fn requires_two_byte_form(&self, values: &ExtensionValues) -> bool {
        let bytes = values.user_values.get::<Bytes>();
        bytes.is_some_and(|Bytes(bytes)| bytes.len() > SHORT)
    }
}

/// Writes the number of its frame over that of a descriptor.
pub(crate) fn write_number(descriptor: &mut [u8], number: u16) {
    let field = descriptor.get_mut(NUMBER_AT..);
    if let Some(field) = field.and_then(<[u8]>::first_chunk_mut) {
        *field = number.to_be_bytes();
    }
}

/// The newest structure of one stream.
#[derive(Debug)]
pub(crate) struct Known {
    ssrc: u32,
    /// Of the packet that it came with.
    since: u64,
    structure: Structure,
}

/// What a packet's descriptor says.
#[derive(Debug)]
pub(crate) enum Said<'a> {
    /// With the structure that it refers to.
    This(Descriptor, &'a Structure),
    /// It refers to something that may still come.
    NotYet,
    Nothing,
}

/// Reads the descriptor of one packet, and takes a structure over that is newer than the known one.
pub(crate) fn read<'a>(
    known: &'a mut Option<Known>,
    ssrc: u32,
    sequence: u64,
    bytes: &[u8],
) -> Said<'a> {
    let before = known.as_ref().filter(|known| known.ssrc == ssrc);
    let is_newer = before.is_none_or(|known| known.since < sequence);
    let Some(descriptor) = Descriptor::parse(bytes, before.map(|known| &known.structure)) else {
        return match is_newer {
            true => Said::NotYet,
            false => Said::Nothing,
        };
    };
    if !is_newer && descriptor.structure.is_some() {
        return Said::Nothing;
    }
    if let Some(structure) = descriptor.structure.clone() {
        *known = Some(Known {
            ssrc,
            since: sequence,
            structure,
        });
    }
    match known {
        Some(known) => Said::This(descriptor, &known.structure),
        None => Said::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One size and one layer, from template 0 or 1 on.
    const FIRST: &[u8] = &[0xc0, 0, 1, 0x80, 0x00, 0xe0];
    const SECOND: &[u8] = &[0xc1, 0, 9, 0x80, 0x20, 0xe0];

    fn said(known: &mut Option<Known>, ssrc: u32, sequence: u64, bytes: &[u8]) -> &'static str {
        match read(known, ssrc, sequence, bytes) {
            Said::This(descriptor, valid) => {
                let own = descriptor.structure.as_ref();
                assert!(own.is_none_or(|own| own == valid));
                "this"
            }
            Said::NotYet => "not yet",
            Said::Nothing => "nothing",
        }
    }

    #[test]
    fn a_descriptor_is_read_by_the_newest_structure_of_its_stream() {
        let table: &[(&str, u32, u64, &[u8], &str)] = &[
            ("before any structure", 1, 9, &[0xc0, 0, 0], "not yet"),
            ("the first one", 1, 10, FIRST, "this"),
            ("what refers to it", 1, 11, &[0xc0, 0, 2], "this"),
            (
                "what refers to the next one",
                1,
                21,
                &[0xc1, 0, 10],
                "not yet",
            ),
            ("the next one", 1, 20, SECOND, "this"),
            ("the same again", 1, 20, SECOND, "nothing"),
            ("what refers to it", 1, 21, &[0xc1, 0, 10], "this"),
            (
                "late, and of the first one",
                1,
                12,
                &[0xc0, 0, 3],
                "nothing",
            ),
            ("an older one", 1, 13, FIRST, "nothing"),
            ("which changed nothing", 1, 22, &[0xc1, 0, 11], "this"),
            ("another stream", 2, 3, &[0xc1, 0, 10], "not yet"),
            ("its own", 2, 4, FIRST, "this"),
            ("cut off", 2, 5, &[0xc0, 0], "not yet"),
        ];
        let mut known = None;
        for (description, ssrc, sequence, bytes, expected) in table {
            let found = said(&mut known, *ssrc, *sequence, bytes);
            assert_eq!(found, *expected, "{description}");
        }
    }

    #[test]
    fn the_engine_hands_bytes_on_as_they_came() {
        let long = [7; SHORT + 1];
        for bytes in [&long[..SHORT], &long] {
            let mut values = ExtensionValues::default();
            assert!(Serializer.parse_value(bytes, &mut values));
            assert_eq!(
                Serializer.requires_two_byte_form(&values),
                bytes.len() > SHORT
            );
            let mut buffer = [0; 40];
            assert_eq!(Serializer.write_to(&mut buffer, &values), bytes.len());
            assert_eq!(buffer[..bytes.len()], *bytes);
            assert_eq!(Serializer.write_to(&mut buffer[..3], &values), 0, "no room");
        }
    }
}
