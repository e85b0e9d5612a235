//! Datagrams in a stream of bytes: each is preceded by its length in two bytes (RFC 4571). Knows nothing of what is in them,
//! and owns no connection.

/// More than any datagram of ours or of a browser takes.
pub const LONGEST_FRAME: usize = 2_048;
const LENGTH_BYTES: usize = 2;

/// The peer announced a datagram that is longer than any may be, so where the next one begins cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes is too long")]
pub struct TooLong(pub usize);

/// How many bytes at the beginning are whole frames. The rest is the beginning of one that is not there yet.
pub fn whole_frames(stream: &[u8]) -> Result<usize, TooLong> {
    let mut whole = 0;
    while let Some(length) = length(stream, whole) {
        if length > LONGEST_FRAME {
            return Err(TooLong(length));
        }
        let end = whole + LENGTH_BYTES + length;
        if end > stream.len() {
            break;
        }
        whole = end;
    }
    Ok(whole)
}

/// The datagrams of whole frames, without the empty ones that only say that the peer is there.
pub fn frames(whole: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + LENGTH_BYTES;
        let frame = whole.get(start..start + length(whole, at)?)?;
        at = start + frame.len();
        Some(frame)
    })
    .filter(|frame| !frame.is_empty())
}

/// Appends one frame. What is too long for one is left out.
pub fn put_frame(datagram: &[u8], stream: &mut Vec<u8>) {
    if let Ok(length) = u16::try_from(datagram.len()) {
        stream.extend_from_slice(&length.to_be_bytes());
        stream.extend_from_slice(datagram);
    }
}

fn length(stream: &[u8], at: usize) -> Option<usize> {
    let bytes = stream.get(at..)?.first_chunk()?;
    Some(usize::from(u16::from_be_bytes(*bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_however_the_stream_is_cut() {
        let sent: Vec<Vec<u8>> = [1, 0, 700, 2_048, 3]
            .into_iter()
            .map(|size: usize| vec![size as u8; size])
            .collect();
        let mut stream = vec![];
        sent.iter().for_each(|frame| put_frame(frame, &mut stream));
        let expected: Vec<&[u8]> = sent
            .iter()
            .map(Vec::as_slice)
            .filter(|frame| !frame.is_empty())
            .collect();
        for cut in 1..stream.len() {
            let (mut buffer, mut came) = (vec![], vec![]);
            for piece in stream.chunks(cut) {
                buffer.extend_from_slice(piece);
                let whole = whole_frames(&buffer).unwrap();
                came.extend(frames(&buffer[..whole]).map(<[u8]>::to_vec));
                buffer.drain(..whole);
            }
            assert!(buffer.is_empty());
            assert_eq!(came, expected, "in pieces of {cut}");
        }
    }

    #[test]
    fn a_length_that_no_datagram_has_ends_the_stream_as_soon_as_it_is_read() {
        let mut stream = vec![];
        put_frame(&[1; 10], &mut stream);
        stream.extend([8, 1]);
        assert_eq!(whole_frames(&stream), Err(TooLong(2_049)));
        // What begins a TLS connection or a line of HTTP is none of ours.
        assert_eq!(whole_frames(&[22, 3, 1]), Err(TooLong(5_635)));
        assert_eq!(whole_frames(b"GET /"), Err(TooLong(18_245)));
        assert_eq!(whole_frames(&[8]), Ok(0));
    }
}
