//! All sizes of a camera in one stream (VP9): everybody gets the size that they need and no other, whatever is left out
//! leaves no gap, and who can show nothing but VP8 is sent that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::client::{Got, HEAVY};
use super::network::{Conditions, LAN, LOSSY, REORDERING};
use super::world::{LARGE, MIDDLE, SMALL, World, twice};
use crate::{Command, Config, Event, Generation, PeerId, Sfu, SlotIndex, VideoCodec};

const SENDER: PeerId = PeerId(2);
const RECEIVER: PeerId = PeerId(1);
const OTHER: PeerId = PeerId(3);
/// What is kept for the one voice.
const VOICE: u64 = 50_000;

/// Everybody can do more than VP8 and sends what is asked for.
fn begin(world: &mut World) {
    world.vp9 = true;
    world.obey_after = Some(Duration::from_millis(50));
    world.join(RECEIVER.0);
    world.join(SENDER.0);
    world.client(SENDER).shape = HEAVY;
    set_line(world, RECEIVER, 20_000_000);
}

fn set_line(world: &mut World, peer: PeerId, bps: u64) {
    world.peer(peer).line_bps = Some(bps);
}

fn join_other(world: &mut World) {
    world.join(OTHER.0);
    set_line(world, OTHER, 20_000_000);
    world.bind(OTHER, 0, 1, Some(SENDER), SMALL);
}

fn settle(world: &mut World) {
    world.run_ms(6_000);
    world.forget_received();
    world.run_ms(2_000);
}

/// The layers of which frames came, but for those that a keyframe takes.
fn layers(packets: &[Got]) -> BTreeSet<usize> {
    let plain = packets.iter().filter(|got| !got.sent.keyframe);
    plain.map(|got| got.sent.layer).collect()
}

fn codecs(packets: &[Got]) -> Vec<VideoCodec> {
    let mut codecs: Vec<VideoCodec> = packets.iter().map(|got| got.codec).collect();
    codecs.dedup();
    codecs
}

/// The frames of which everything came, by layer and number.
fn whole(packets: &[Got]) -> BTreeSet<(usize, u64)> {
    let mut frames: BTreeMap<(usize, u64), (BTreeSet<u64>, u64)> = BTreeMap::new();
    for got in packets {
        let frame = frames.entry((got.sent.layer, got.sent.frame)).or_default();
        frame.0.insert(got.sent.packet);
        frame.1 = got.sent.packets;
    }
    let is_whole = |(frame, (came, all)): (_, (BTreeSet<u64>, u64))| {
        (came.len() as u64 == all).then_some(frame)
    };
    frames.into_iter().filter_map(is_whole).collect()
}

/// Frames that came and lack another one, from the first keyframe on.
fn undecodable(packets: &[Got]) -> Vec<(usize, u64)> {
    let whole = whole(packets);
    let keyframes = packets.iter().filter(|got| got.sent.keyframe);
    let first = keyframes
        .map(|got| got.sent.frame)
        .min()
        .expect("a keyframe");
    let lacks = |got: &&Got| {
        let (sent, layer) = (got.sent, got.sent.layer);
        let earlier = sent.needs.into_iter().flatten();
        let below = sent.needs_below.then(|| (layer - 1, sent.frame));
        let mut needs = earlier.map(|frame| (layer, frame)).chain(below);
        sent.frame >= first
            && whole.contains(&(layer, sent.frame))
            && needs.any(|needed| !whole.contains(&needed))
    };
    let broken: BTreeSet<(usize, u64)> = packets
        .iter()
        .filter(lacks)
        .map(|got| (got.sent.layer, got.sent.frame))
        .collect();
    broken.into_iter().collect()
}

/// That numbers go on, that a picture has one time, one number and one end, and that numbers of pictures keep their gaps.
fn assert_whole(description: &str, packets: &[Got], blanks: &[u64]) {
    let mut ordered = packets.to_vec();
    ordered.sort_by_key(|got| got.sequence);
    let newest = ordered.last().map_or(0, |got| got.sequence);
    ordered.retain(|got| got.sequence + 24 < newest);
    assert!(ordered.len() > 20, "{description}: too few packets to tell");
    for pair in ordered.windows(2) {
        let [before, after] = pair else {
            unreachable!()
        };
        let what = format!("{description}: {before:?} {after:?}");
        let missing =
            (before.sequence + 1..after.sequence).filter(|number| !blanks.contains(number));
        assert_eq!(missing.count(), 0, "{what}");
        let is_same =
            before.sent.frame == after.sent.frame && before.sent.captured == after.sent.captured;
        assert_eq!(is_same, !before.marker, "{what}");
        assert_eq!(is_same, before.timestamp == after.timestamp, "{what}");
        assert!(
            after.timestamp.wrapping_sub(before.timestamp) < 1 << 31,
            "{what}"
        );
        let pictures = after
            .picture_id
            .unwrap()
            .wrapping_sub(before.picture_id.unwrap())
            & 0x7fff;
        let frames = after.sent.frame.wrapping_sub(before.sent.frame);
        match after.sent.keyframe {
            true => assert!(pictures < 8, "{what}"),
            false => assert_eq!(u64::from(pictures), frames, "{what}"),
        }
    }
}

fn blanks(world: &World, peer: PeerId) -> Vec<u64> {
    let client = &world.clients[&peer];
    let blanks = client.blanks.get(&client.slots[0].video);
    blanks.cloned().unwrap_or_default()
}

#[test]
fn one_size_alone_goes_as_a_stream_of_its_own_and_several_in_one() {
    twice(LAN, |world| {
        begin(world);
        world.bind(RECEIVER, 0, 1, Some(SENDER), LARGE);
        settle(world);
        assert_eq!(world.clients[&SENDER].sends(), ["f"]);
        assert_eq!(layers(world.video(RECEIVER, 0)), [2].into());
        join_other(world);
        settle(world);
        assert_eq!(
            world.clients[&SENDER].sends(),
            ["q"],
            "with the others in it"
        );
        for (peer, layer) in [(RECEIVER, 2), (OTHER, 0)] {
            let got = world.video(peer, 0);
            assert_eq!(layers(got), [layer].into());
            assert_eq!(codecs(got), [VideoCodec::Vp9]);
            assert_whole("two sizes", got, &blanks(world, peer));
        }
    });
}

#[test]
fn sizes_change_at_keyframes_without_a_gap() {
    twice(LAN, |world| {
        begin(world);
        join_other(world);
        let tiles = [LARGE, SMALL, MIDDLE, LARGE, MIDDLE, SMALL, LARGE];
        for (tile, layer) in tiles.into_iter().zip([2, 0, 1, 2, 1, 0, 2]) {
            world.bind(RECEIVER, 0, 1, Some(SENDER), tile);
            world.run_ms(1_500);
            let got = world.video(RECEIVER, 0);
            let newest = got.iter().rev().find(|got| !got.sent.keyframe).unwrap();
            assert_eq!(newest.sent.layer, layer);
        }
        let got = world.video(RECEIVER, 0);
        assert_whole("up and down", got, &blanks(world, RECEIVER));
        assert_eq!(undecodable(got), []);
        // Many asked, and each change took one keyframe.
        let asked = world.clients[&SENDER].keyframe_requests;
        assert!(asked <= 20, "{asked}");
    });
}

#[test]
fn a_line_that_bears_no_whole_size_gets_it_with_half_the_pictures() {
    twice(LAN, |world| {
        begin(world);
        join_other(world);
        world.bind(RECEIVER, 0, 1, Some(SENDER), LARGE);
        settle(world);
        // The sizes take 157, 504 and 1 512 kbit/s, and every fourth picture is of the base layer.
        let steps = [
            (3_000_000, 2, 2),
            (1_100_000, 2, 1),
            (720_000, 1, 2),
            (400_000, 1, 1),
            (250_000, 0, 2),
        ];
        for (bps, layer, temporal) in steps {
            set_line(world, RECEIVER, bps + VOICE);
            world.run_ms(1_500);
            world.forget_received();
            world.run_ms(4_000);
            let got = world.video(RECEIVER, 0);
            let plain = got.iter().filter(|got| !got.sent.keyframe);
            let found = plain.map(|got| (got.sent.layer, got.sent.temporal)).max();
            assert_eq!(found, Some((layer, temporal)), "{bps} bit/s");
            assert_whole(&format!("{bps} bit/s"), got, &blanks(world, RECEIVER));
        }
    });
}

/// Down and up in the middle of everything, over and over.
fn flap(conditions: Conditions, broken_percent: usize) {
    twice(conditions, |world| {
        begin(world);
        join_other(world);
        world.bind(RECEIVER, 0, 1, Some(SENDER), LARGE);
        let lines = [
            900_000, 9_000_000, 1_300_000, 400_000, 130_000, 9_000_000, 800_000,
        ];
        for (turn, bps) in lines.iter().cycle().take(21).enumerate() {
            set_line(world, RECEIVER, bps + VOICE);
            world.run_ms(400 + 90 * turn as u64);
        }
        set_line(world, RECEIVER, 9_000_000);
        world.run_ms(3_000);
        let got = world.video(RECEIVER, 0);
        if broken_percent == 0 {
            assert_whole("down and up", got, &blanks(world, RECEIVER));
        }
        let temporals: BTreeSet<u8> = got.iter().map(|got| got.sent.temporal).collect();
        assert_eq!(temporals.len(), 3);
        let (broken, frames) = (undecodable(got).len(), whole(got).len());
        assert!(
            broken * 100 <= frames * broken_percent,
            "{broken} of {frames} frames"
        );
        let sequences: BTreeSet<u64> = got.iter().map(|got| got.sequence).collect();
        assert_eq!(sequences.len(), got.len(), "each number once");
    });
}

#[test]
fn whatever_is_left_out_no_number_is_missed_and_all_can_be_decoded() {
    flap(LAN, 0);
}

#[test]
fn late_packets_find_their_place() {
    flap(REORDERING, 1);
}

#[test]
fn lost_packets_find_their_place() {
    flap(LOSSY, 2);
}

#[test]
fn who_can_show_nothing_but_vp8_is_sent_that_and_so_is_everybody_until_they_are_gone() {
    twice(LAN, |world| {
        begin(world);
        world.bind(RECEIVER, 0, 1, Some(SENDER), LARGE);
        settle(world);
        assert_eq!(codecs(world.video(RECEIVER, 0)), [VideoCodec::Vp9]);
        world.vp9 = false;
        join_other(world);
        settle(world);
        for peer in [RECEIVER, OTHER] {
            assert_eq!(codecs(world.video(peer, 0)), [VideoCodec::Vp8]);
        }
        world.leave(OTHER);
        world.run_ms(25_000);
        assert_eq!(
            codecs(world.video(RECEIVER, 0)),
            [VideoCodec::Vp8],
            "not at once"
        );
        world.run_ms(7_000);
        let got = world.video(RECEIVER, 0);
        assert_eq!(codecs(got), [VideoCodec::Vp8, VideoCodec::Vp9]);
        let first = got.iter().find(|got| got.codec == VideoCodec::Vp9);
        assert!(first.is_some_and(|got| got.sent.keyframe));
    });
}

#[test]
fn who_still_sees_nothing_after_a_keyframe_gets_another_codec() {
    twice(LAN, |world| {
        begin(world);
        world.bind(RECEIVER, 0, 1, Some(SENDER), LARGE);
        settle(world);
        for _ in 0..2 {
            assert_eq!(
                codecs(world.video(RECEIVER, 0)).last(),
                Some(&VideoCodec::Vp9)
            );
            world.command(Command::NoPicture {
                peer: RECEIVER,
                slot: SlotIndex(0),
                generation: Generation(1),
            });
            world.run_ms(3_000);
        }
        assert_eq!(
            codecs(world.video(RECEIVER, 0)).last(),
            Some(&VideoCodec::Vp8)
        );
    });
}

#[test]
fn a_house_that_wants_vp8_agrees_on_nothing_else() {
    let mut world = World::new(LAN, false);
    let config = Config {
        video: VideoCodec::Vp8,
        ..super::world::config()
    };
    world.sfu = Sfu::new(config, world.now);
    begin(&mut world);
    assert!(!world.clients[&RECEIVER].answer.contains("VP9"));
    world.bind(RECEIVER, 0, 1, Some(SENDER), LARGE);
    settle(&mut world);
    assert_eq!(codecs(world.video(RECEIVER, 0)), [VideoCodec::Vp8]);
    let asks = |(_, event): &(_, Event)| {
        matches!(
            event,
            Event::Demand {
                codec: VideoCodec::Vp9,
                ..
            }
        )
    };
    assert!(!world.events.iter().any(asks));
    assert_eq!(world.clients[&SENDER].sends(), ["f"]);
}
