//! RTP headers as we write them (RFC 3550, section 5.1), with the header extensions that the client negotiated
//! (RFC 8285). Knows nothing of payloads.

use super::PassedOn;
use crate::described;

const ONE_BYTE_FORM: u16 = 0xbede;
const TWO_BYTE_FORM: u16 = 0x1000;
/// Larger ids and longer values do not fit into the one-byte form.
const ONE_BYTE_IDS: u8 = 14;
const ONE_BYTE_LENGTH: usize = 16;

/// The ids of the extensions in one section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    pub mid: Option<u8>,
    pub transport_cc: Option<u8>,
    pub audio_level: Option<u8>,
    pub video_orientation: Option<u8>,
    /// The dependency descriptor.
    pub descriptor: Option<u8>,
}

impl Extensions {
    fn fit_one_byte(&self) -> bool {
        [
            self.mid,
            self.transport_cc,
            self.audio_level,
            self.video_orientation,
            self.descriptor,
        ]
        .into_iter()
        .flatten()
        .all(|id| id <= ONE_BYTE_IDS)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'a> {
    pub payload_type: u8,
    pub marker: bool,
    pub padding: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    /// Until the receiver knows which section the stream belongs to.
    pub mid: Option<&'a str>,
    pub passed_on: PassedOn,
    /// With the number of its frame.
    pub descriptor: Option<(&'a [u8], u16)>,
}

/// Where a header was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub bytes: usize,
    /// Where in the buffer the transport-wide number goes, if there is one.
    pub transport_number: Option<usize>,
}

pub(crate) fn write(buffer: &mut Vec<u8>, header: &Header<'_>, ids: &Extensions) -> Written {
    let start = buffer.len();
    let padding = if header.padding { 0x20 } else { 0 };
    let marker = if header.marker { 0x80 } else { 0 };
    buffer.extend([0x90 | padding, marker | (header.payload_type & 0x7f)]);
    buffer.extend(header.sequence.to_be_bytes());
    buffer.extend(header.timestamp.to_be_bytes());
    buffer.extend(header.ssrc.to_be_bytes());
    let described = header.descriptor.filter(|_| ids.descriptor.is_some());
    let is_short = described.is_none_or(|(bytes, _)| bytes.len() <= ONE_BYTE_LENGTH);
    let one_byte = is_short && ids.fit_one_byte();
    let form = if one_byte {
        ONE_BYTE_FORM
    } else {
        TWO_BYTE_FORM
    };
    buffer.extend(form.to_be_bytes());
    let length_at = buffer.len();
    buffer.extend([0, 0]);
    let mut element = |id: Option<u8>, value: Option<&[u8]>| {
        let (id, value) = id.zip(value)?;
        let length = u8::try_from(value.len())
            .ok()
            .filter(|length| *length > 0)?;
        if one_byte {
            buffer.push(id << 4 | (length - 1));
        } else {
            buffer.extend([id, length]);
        }
        buffer.extend_from_slice(value);
        Some(buffer.len() - value.len())
    };
    // The transport-wide number first, so that it lies at the same place in all packets.
    let transport_number = element(ids.transport_cc, Some(&[0, 0]));
    element(ids.mid, header.mid.map(str::as_bytes));
    let passed = header.passed_on;
    let level = passed.audio_level.zip(passed.voice_activity);
    let level =
        level.map(|(level, speaks)| [u8::from(speaks) << 7 | (level.unsigned_abs() & 0x7f)]);
    element(ids.audio_level, level.as_ref().map(|value| &value[..]));
    let orientation = passed
        .video_orientation
        .map(|orientation| [orientation as u8]);
    element(
        ids.video_orientation,
        orientation.as_ref().map(|value| &value[..]),
    );
    let descriptor = element(ids.descriptor, described.map(|(bytes, _)| bytes));
    if let Some((at, (_, number))) = descriptor.zip(described) {
        described::write_number(buffer.get_mut(at..).unwrap_or_default(), number);
    }
    let elements = buffer.len() - length_at - 2;
    buffer.resize(length_at + 2 + elements.next_multiple_of(4), 0);
    let words = (elements.div_ceil(4) as u16).to_be_bytes();
    if let Some(length) = buffer
        .get_mut(length_at..)
        .and_then(<[u8]>::first_chunk_mut)
    {
        *length = words;
    }
    Written {
        bytes: buffer.len() - start,
        transport_number,
    }
}

#[cfg(test)]
mod tests {
    use str0m::rtp::VideoOrientation;

    use super::*;

    const IDS: Extensions = Extensions {
        mid: Some(4),
        transport_cc: Some(3),
        audio_level: Some(1),
        video_orientation: Some(13),
        descriptor: Some(12),
    };

    fn header(mid: Option<&str>, passed_on: PassedOn) -> Header<'_> {
        Header {
            payload_type: 96,
            marker: true,
            padding: false,
            sequence: 0x1234,
            timestamp: 0x5678_9abc,
            ssrc: 0xdead_beef,
            mid,
            passed_on,
            descriptor: None,
        }
    }

    #[test]
    fn a_descriptor_goes_along_with_the_number_of_its_frame() {
        let long = [9; 17];
        let unknown = Extensions {
            descriptor: None,
            ..IDS
        };
        type Row<'a> = (&'a str, Extensions, &'a [u8], &'a [u8]);
        let table: &[Row<'_>] = &[
            (
                "short",
                IDS,
                &[9, 9, 9, 9],
                &[0xbe, 0xde, 0, 2, 0x31, 0, 0, 0xc3, 9, 0x12, 0x34, 9],
            ),
            (
                "long",
                IDS,
                &long,
                &[
                    0x10, 0, 0, 6, 3, 2, 0, 0, 12, 17, 9, 0x12, 0x34, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
                    9, 9, 9, 9, 0,
                ],
            ),
            (
                "not agreed",
                unknown,
                &long,
                &[0xbe, 0xde, 0, 1, 0x31, 0, 0, 0],
            ),
        ];
        for (description, ids, descriptor, expected) in table {
            let header = Header {
                descriptor: Some((descriptor, 0x1234)),
                ..header(None, PassedOn::default())
            };
            let mut buffer = vec![];
            write(&mut buffer, &header, ids);
            assert_eq!(buffer[12..], **expected, "{description}");
        }
    }

    #[test]
    fn a_header_has_what_was_negotiated_and_nothing_else() {
        let all = PassedOn {
            audio_level: Some(-20),
            voice_activity: Some(true),
            video_orientation: Some(VideoOrientation::Deg90),
        };
        let fixed: &[u8] = &[
            0x90, 0xe0, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xad, 0xbe, 0xef,
        ];
        let high = Extensions {
            transport_cc: Some(15),
            ..IDS
        };
        type Row<'a> = (&'a str, Extensions, Option<&'a str>, PassedOn, &'a [u8]);
        let table: &[Row<'_>] = &[
            (
                "nothing",
                Extensions::default(),
                Some("a"),
                all,
                &[0xbe, 0xde, 0, 0],
            ),
            (
                "only the transport-wide number",
                IDS,
                None,
                PassedOn::default(),
                &[0xbe, 0xde, 0, 1, 0x31, 0, 0, 0],
            ),
            (
                "everything",
                IDS,
                Some("v1"),
                all,
                &[
                    0xbe, 0xde, 0, 3, 0x31, 0, 0, 0x41, b'v', b'1', 0x10, 0x94, 0xd0, 3, 0, 0,
                ],
            ),
            (
                "an id that takes the long form",
                high,
                Some("v"),
                PassedOn::default(),
                &[0x10, 0, 0, 2, 15, 2, 0, 0, 4, 1, b'v', 0],
            ),
        ];
        for (description, ids, mid, passed_on, expected) in table {
            let mut buffer = vec![7; 5];
            let written = write(&mut buffer, &header(*mid, *passed_on), ids);
            let expected = [fixed, expected].concat();
            assert_eq!(buffer[5..], expected, "{description}");
            assert_eq!(written.bytes, expected.len(), "{description}");
            let at = ids.transport_cc.map(|id| if id > 14 { 23 } else { 22 });
            assert_eq!(written.transport_number, at, "{description}");
        }
    }
}
