//! The target `stream`: what comes over a TCP connection, in pieces as the network cuts it, ends in the same datagrams as in one
//! piece, each of a length that is allowed.

use super::input::Bytes;
use crate::{LONGEST_FRAME, MOST_SHARDS, frames, put_frame, shard_of_check, whole_frames};

pub fn stream(input: &[u8]) {
    let mut bytes = Bytes::new(input);
    let Some(piece) = bytes.u8() else { return };
    let stream = bytes.slice(usize::MAX);
    let (mut buffer, mut came, mut is_broken) = (vec![], vec![], false);
    for piece in stream.chunks(usize::from(piece) + 1) {
        buffer.extend_from_slice(piece);
        let Ok(whole) = whole_frames(&buffer) else {
            is_broken = true;
            break;
        };
        came.extend(frames(&buffer[..whole]).map(<[u8]>::to_vec));
        buffer.drain(..whole);
        assert!(
            buffer.len() < 2 + LONGEST_FRAME,
            "more waits than one frame"
        );
    }
    let sizes = 1..=LONGEST_FRAME;
    assert!(came.iter().all(|frame| sizes.contains(&frame.len())));
    match whole_frames(stream) {
        Ok(whole) => {
            assert!(!is_broken);
            assert!(frames(&stream[..whole]).eq(came.iter().map(Vec::as_slice)));
        }
        Err(_) => assert!(is_broken),
    }
    let mut again = vec![];
    came.iter().for_each(|frame| put_frame(frame, &mut again));
    assert_eq!(whole_frames(&again), Ok(again.len()));
    assert!(frames(&again).eq(came.iter().map(Vec::as_slice)));
    for shard in came
        .iter()
        .filter_map(|frame| shard_of_check(frame, MOST_SHARDS))
    {
        assert!(shard.0 < MOST_SHARDS);
    }
}
