//! All sizes of a camera in one stream (VP9 and AV1): everybody gets the size that they need and no other, whatever is left out
//! leaves no gap, and who can show nothing but VP8 is sent that.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::client::{Got, HEAVY};
use super::network::{Conditions, LAN, LOSSY, REORDERING};
use super::world::{LARGE, MIDDLE, SMALL, World, twice};
use crate::{Command, Event, Generation, PeerId, SlotIndex, VideoCodec};

const SENDER: PeerId = PeerId(2);
const RECEIVER: PeerId = PeerId(1);
const OTHER: PeerId = PeerId(3);
/// What is kept for the one voice.
const VOICE: u64 = 50_000;

/// In a house that wants VP9 and in one that wants AV1, of which nothing is read but what is beside the payload.
fn both(conditions: Conditions, call: impl Fn(&mut World)) {
    for codec in [VideoCodec::Vp9, VideoCodec::Av1] {
        twice(conditions, |world| {
            world.house_wants(codec);
            call(world);
        });
    }
}

/// Everybody can do more than VP8 and sends what is asked for.
fn begin(world: &mut World) {
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
        let is_same = before.sent.by == after.sent.by
            && before.sent.frame == after.sent.frame
            && before.sent.captured == after.sent.captured;
        // The keyframe of another stream begins in the middle of a picture.
        let is_other = after.codec == VideoCodec::Vp8 && after.sent.keyframe;
        assert!(is_other || is_same != before.marker, "{what}");
        assert_eq!(is_same, before.timestamp == after.timestamp, "{what}");
        assert!(
            after.timestamp.wrapping_sub(before.timestamp) < 1 << 31,
            "{what}"
        );
        let bits = if after.codec == VideoCodec::Av1 {
            0xffff
        } else {
            0x7fff
        };
        let pictures = after
            .picture_id
            .unwrap()
            .wrapping_sub(before.picture_id.unwrap())
            & bits;
        let numbers = after.sent.number.wrapping_sub(before.sent.number);
        match after.sent.keyframe {
            true => assert!(pictures < 24, "{what}"),
            false => assert_eq!(pictures, numbers & bits, "{what}"),
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
    both(LAN, |world| {
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
            assert_eq!(codecs(got), [world.video]);
            assert_whole("two sizes", got, &blanks(world, peer));
        }
    });
}

#[test]
fn whoever_pauses_and_comes_back_changes_nothing_for_the_others() {
    both(LAN, |world| {
        begin(world);
        world.bind(RECEIVER, 0, 1, Some(SENDER), LARGE);
        join_other(world);
        settle(world);
        let asked = world.clients[&SENDER].keyframe_requests;
        for _ in 0..3 {
            set_line(world, OTHER, VOICE);
            settle(world);
            assert!(world.video(OTHER, 0).is_empty());
            assert_eq!(world.clients[&SENDER].sends(), ["q"]);
            set_line(world, OTHER, 20_000_000);
            settle(world);
            assert_eq!(layers(world.video(OTHER, 0)), [0].into());
        }
        let asked = world.clients[&SENDER].keyframe_requests - asked;
        assert!(asked <= 3, "one for each return: {asked}");
        let got = world.video(RECEIVER, 0);
        assert_eq!(layers(got), [2].into());
        assert_whole("who stayed", got, &blanks(world, RECEIVER));
        // For good.
        set_line(world, OTHER, VOICE);
        world.run_ms(40_000);
        assert_eq!(world.clients[&SENDER].sends(), ["f"]);
    });
}

#[test]
fn sizes_change_at_keyframes_without_a_gap() {
    both(LAN, |world| {
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
    both(LAN, |world| {
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
    both(conditions, |world| {
        begin(world);
        flap_now(world, broken_percent);
    });
}

fn flap_now(world: &mut World, broken_percent: usize) {
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
}

/// Beside AV1 browsers say of VP8 nothing in the payload, and everything in the descriptor.
fn flap_in_vp8(conditions: Conditions, broken_percent: usize) {
    twice(conditions, |world| {
        world.house_wants(VideoCodec::Av1);
        world.codec = VideoCodec::Vp8;
        begin(world);
        world.client(SENDER).temporal_layers = 3;
        flap_now(world, broken_percent);
        assert_eq!(codecs(world.video(RECEIVER, 0)), [VideoCodec::Vp8]);
    });
}

#[test]
fn a_descriptor_says_of_vp8_what_its_payload_does_not() {
    flap_in_vp8(LAN, 0);
    flap_in_vp8(REORDERING, 1);
}

#[test]
fn whoever_comes_next_in_a_slot_goes_on_with_the_numbers() {
    both(LAN, |world| {
        begin(world);
        join_other(world);
        world.bind(RECEIVER, 0, 1, Some(SENDER), LARGE);
        settle(world);
        for generation in 2..8 {
            let next = [SENDER, OTHER][generation as usize % 2];
            world.bind(RECEIVER, 0, generation, Some(next), MIDDLE);
            world.ready(RECEIVER, 0, generation);
            world.run_ms(400 + 170 * u64::from(generation));
        }
        let got = world.video(RECEIVER, 0);
        let people: BTreeSet<PeerId> = got.iter().map(|got| got.sent.by).collect();
        assert_eq!(people.len(), 2);
        assert_eq!(codecs(got), [world.video]);
        assert_whole("one after the other", got, &blanks(world, RECEIVER));
    });
}

#[test]
fn av1_is_agreed_with_whoever_takes_its_descriptor_alone() {
    let mut world = World::new(LAN, false);
    world.house_wants(VideoCodec::Av1);
    world.describes = false;
    begin(&mut world);
    assert!(world.clients[&RECEIVER].answer.contains("AV1"));
    world.bind(RECEIVER, 0, 1, Some(SENDER), LARGE);
    settle(&mut world);
    assert_eq!(codecs(world.video(RECEIVER, 0)), [VideoCodec::Vp8]);
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
    both(LAN, |world| {
        begin(world);
        world.bind(RECEIVER, 0, 1, Some(SENDER), LARGE);
        settle(world);
        assert_eq!(codecs(world.video(RECEIVER, 0)), [world.video]);
        world.codec = VideoCodec::Vp8;
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
        assert_eq!(codecs(got), [VideoCodec::Vp8, world.video]);
        let first = got.iter().find(|got| got.codec == world.video);
        assert!(first.is_some_and(|got| got.sent.keyframe));
    });
}

#[test]
fn who_still_sees_nothing_after_a_keyframe_gets_another_codec() {
    both(LAN, |world| {
        begin(world);
        world.bind(RECEIVER, 0, 1, Some(SENDER), LARGE);
        settle(world);
        for _ in 0..2 {
            assert_eq!(codecs(world.video(RECEIVER, 0)).last(), Some(&world.video));
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
    for (codec, name) in [(VideoCodec::Vp9, "VP9"), (VideoCodec::Av1, "AV1")] {
        let mut world = World::new(LAN, false);
        world.house_wants(VideoCodec::Vp8);
        (world.codec, world.describes) = (codec, true);
        begin(&mut world);
        let answer = &world.clients[&RECEIVER].answer;
        assert!(!answer.contains(name));
        assert!(!answer.contains("dependency-descriptor"));
        world.bind(RECEIVER, 0, 1, Some(SENDER), LARGE);
        settle(&mut world);
        assert_eq!(codecs(world.video(RECEIVER, 0)), [VideoCodec::Vp8]);
        let asks = |(_, event): &(_, Event)| matches!(event, Event::Demand { codec, .. } if *codec != VideoCodec::Vp8);
        assert!(!world.events.iter().any(asks));
        assert_eq!(world.clients[&SENDER].sends(), ["f"]);
    }
}
