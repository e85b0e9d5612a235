//! The VP8 payload descriptor (RFC 7741 section 4.2), written as Chromium writes it and read as a receiver must.
//! Knows nothing of RTP headers and of what the pictures show.

/// Room for one piece of a frame in a packet.
const PIECE_BYTES: usize = 1150;

/// What continues from frame to frame of one encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counters {
    /// 15 bits.
    pub picture_id: u16,
    pub tl0_pic_idx: u8,
}

impl Counters {
    pub fn advance(&mut self) {
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        self.tl0_pic_idx = self.tl0_pic_idx.wrapping_add(1);
    }
}

/// The payloads of one frame, in order.
pub(crate) fn payloads(frame: &[u8], counters: Counters) -> Vec<Vec<u8>> {
    pieces(frame, counters, PIECE_BYTES)
}

pub(crate) fn pieces(frame: &[u8], counters: Counters, piece_bytes: usize) -> Vec<Vec<u8>> {
    let pieces = frame.chunks(piece_bytes).enumerate();
    pieces
        .map(|(index, piece)| {
            let start = if index == 0 { 0x10 } else { 0 };
            let [high, low] = (counters.picture_id | 0x8000).to_be_bytes();
            let mut payload = vec![0x80 | start, 0xe0, high, low, counters.tl0_pic_idx, 0];
            payload.extend(piece);
            payload
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub starts_frame: bool,
    pub picture_id: Option<u16>,
    pub data: &'a [u8],
}

/// `None` when the bytes are no VP8 payload.
pub(crate) fn parse(payload: &[u8]) -> Option<Piece<'_>> {
    let mut rest = payload;
    let first = byte(&mut rest)?;
    let extension = if first & 0x80 != 0 {
        byte(&mut rest)?
    } else {
        0
    };
    let mut picture_id = None;
    if extension & 0x80 != 0 {
        let high = byte(&mut rest)?;
        picture_id = Some(if high & 0x80 == 0 {
            u16::from(high)
        } else {
            u16::from_be_bytes([high & 0x7f, byte(&mut rest)?])
        });
    }
    if extension & 0x40 != 0 {
        byte(&mut rest)?;
    }
    if extension & 0x30 != 0 {
        byte(&mut rest)?;
    }
    if rest.is_empty() {
        return None;
    }
    Some(Piece {
        starts_frame: first & 0x17 == 0x10,
        picture_id,
        data: rest,
    })
}

/// Of the first bytes of a frame (RFC 6386 section 9.1).
pub(crate) fn is_keyframe(frame: &[u8]) -> bool {
    frame.first().is_some_and(|byte| byte & 1 == 0)
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, left) = rest.split_first()?;
    *rest = left;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_frame_comes_back_from_its_pieces() {
        let frame: Vec<u8> = (0..3000u32).map(|n| n as u8).collect();
        let payloads = payloads(
            &frame,
            Counters {
                picture_id: 0x7fff,
                tl0_pic_idx: 9,
            },
        );
        assert_eq!(payloads.len(), 3);
        let pieces: Vec<_> = payloads
            .iter()
            .map(|payload| parse(payload).expect("a piece"))
            .collect();
        assert_eq!(
            pieces
                .iter()
                .map(|piece| piece.starts_frame)
                .collect::<Vec<_>>(),
            [true, false, false]
        );
        assert!(pieces.iter().all(|piece| piece.picture_id == Some(0x7fff)));
        assert_eq!(
            pieces
                .iter()
                .flat_map(|piece| piece.data)
                .copied()
                .collect::<Vec<_>>(),
            frame
        );
    }

    #[test]
    fn descriptors_of_other_senders_are_read() {
        for (payload, picture_id) in [
            (&[0x10, 0x44][..], None),
            (&[0x90, 0x80, 0x11, 0x44], Some(0x11)),
        ] {
            assert_eq!(
                parse(payload),
                Some(Piece {
                    starts_frame: true,
                    picture_id,
                    data: &[0x44]
                })
            );
        }
        for cut in [&[][..], &[0x90], &[0x90, 0xe0, 0x80, 0x01, 0x02, 0x03]] {
            assert_eq!(parse(cut), None);
        }
    }

    #[test]
    fn picture_ids_wrap_at_fifteen_bits() {
        let mut counters = Counters {
            picture_id: 0x7fff,
            tl0_pic_idx: 255,
        };
        counters.advance();
        assert_eq!(
            counters,
            Counters {
                picture_id: 0,
                tl0_pic_idx: 0
            }
        );
    }
}
