//! How well they get it: layers, switches, loss that heals, keyframes that are asked for and not too often.

use std::collections::BTreeSet;

use super::client::Got;
use super::network::{Conditions, LAN, LOSSY, REORDERING};
use super::world::{LARGE, MIDDLE, SMALL, World, assert_continuous, twice};
use crate::Size;

fn layers(packets: &[Got]) -> Vec<usize> {
    let mut layers: Vec<usize> = packets.iter().map(|got| got.sent.layer).collect();
    layers.dedup();
    layers
}

fn last_layer(world: &World, peer: crate::PeerId) -> usize {
    world
        .video(peer, 0)
        .iter()
        .max_by_key(|got| got.sequence)
        .expect("video")
        .sent
        .layer
}

#[test]
fn the_layer_follows_the_tile_without_losing_a_packet() {
    for conditions in [LAN, REORDERING] {
        twice(conditions, |world| {
            let (a, b) = (world.join(1), world.join(2));
            world.run_ms(500);
            let table: &[(Option<Size>, usize)] =
                &[(SMALL, 0), (LARGE, 2), (MIDDLE, 1), (LARGE, 2), (SMALL, 0)];
            for (size, layer) in table {
                world.bind(a, 0, 1, Some(b), *size);
                world.run_ms(2_000);
                assert_eq!(last_layer(world, a), *layer, "{size:?}");
            }
            assert_continuous("over five sizes", world.video(a, 0));
            assert_eq!(world.stats().layer_switches, 4);
        });
    }
}

#[test]
fn each_receiver_gets_the_layer_for_its_own_tile() {
    twice(LAN, |world| {
        let (a, b, c) = (world.join(1), world.join(2), world.join(3));
        world.bind(a, 0, 1, Some(c), SMALL);
        world.bind(b, 0, 1, Some(c), LARGE);
        world.run_ms(2_000);
        assert_eq!((last_layer(world, a), last_layer(world, b)), (0, 2));
    });
}

#[test]
fn a_dead_layer_is_left_and_taken_again_when_it_lives() {
    twice(LAN, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.bind(a, 0, 1, Some(b), LARGE);
        world.run_ms(2_000);
        assert_eq!(last_layer(world, a), 2);
        world.client(b).set_layer_active("f", false);
        world.run_ms(2_500);
        assert_eq!(last_layer(world, a), 1, "the next one below");
        world.client(b).set_layer_active("h", false);
        world.run_ms(2_500);
        assert_eq!(last_layer(world, a), 0);
        world.client(b).set_layer_active("f", true);
        world.run_ms(1_500);
        assert_eq!(last_layer(world, a), 2, "up again");
        assert_continuous("over deaths", world.video(a, 0));
    });
}

#[test]
fn a_sender_without_layers_is_seen_too() {
    twice(LAN, |world| {
        let a = world.join(1);
        let b = world.join_unconnected(2, 6, 2, false);
        world.run_until("connected", |world| world.saw_connected(b));
        world.bind(a, 0, 1, Some(b), SMALL);
        world.run_ms(1_000);
        assert_eq!(layers(world.video(a, 0)), [0]);
        assert!(world.video(a, 0).len() > 80);
    });
}

#[test]
fn loss_in_both_directions_heals() {
    twice(LOSSY, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.bind(a, 0, 1, Some(b), LARGE);
        world.run_ms(10_000);
        // The end is still on its way.
        let newest = world
            .video(a, 0)
            .iter()
            .map(|got| got.sequence)
            .max()
            .unwrap();
        let settled: Vec<Got> = world
            .video(a, 0)
            .iter()
            .filter(|got| got.sequence + 150 < newest)
            .copied()
            .collect();
        assert!(settled.len() > 700, "{}", settled.len());
        let distinct: BTreeSet<u64> = settled.iter().map(|got| got.sequence).collect();
        let span = distinct.last().unwrap() - distinct.first().unwrap() + 1;
        let missing = span - distinct.len() as u64;
        assert!(missing <= 2, "{missing} of {span} packets never came");
        let stalls = frame_gaps(&settled);
        assert!(stalls <= 2, "{stalls} frames were incomplete");
    });
}

#[test]
fn a_tenth_lost_in_both_directions_heals() {
    let bad = Conditions {
        loss_per_mille: 100,
        ..LOSSY
    };
    twice(bad, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.bind(a, 0, 1, Some(b), MIDDLE);
        world.run_ms(10_000);
        let packets = world.video(a, 0);
        let newest = packets.iter().map(|got| got.sequence).max().unwrap();
        let got: BTreeSet<u64> = packets
            .iter()
            .map(|got| got.sequence)
            .filter(|sequence| sequence + 100 < newest)
            .collect();
        let span = got.last().unwrap() - got.first().unwrap() + 1;
        let missing = span - got.len() as u64;
        assert!(span > 350, "{span}");
        assert!(missing * 100 <= span, "{missing} of {span} never came");
    });
}

/// Frames of which a packet never came.
fn frame_gaps(packets: &[Got]) -> usize {
    let mut frames: std::collections::BTreeMap<u64, BTreeSet<u64>> = Default::default();
    for got in packets.iter().filter(|got| got.sent.layer == 2) {
        frames
            .entry(got.sent.frame)
            .or_default()
            .insert(got.sent.packet);
    }
    frames.values().filter(|packets| packets.len() < 4).count()
}

#[test]
fn switches_under_loss_keep_the_numbers_in_order() {
    twice(LOSSY, |world| {
        let (a, b) = (world.join(1), world.join(2));
        for round in 0..6 {
            world.bind(a, 0, 1, Some(b), if round % 2 == 0 { LARGE } else { SMALL });
            world.run_ms(2_500);
        }
        let mut ordered = world.video(a, 0).to_vec();
        ordered.sort_by_key(|got| got.sequence);
        let mut seen = BTreeSet::new();
        for pair in ordered.windows(2) {
            let [before, after] = pair else {
                unreachable!()
            };
            assert!(
                seen.insert(before.sequence),
                "{} came twice",
                before.sequence
            );
            let step = after.timestamp.wrapping_sub(before.timestamp);
            assert!(step < 1 << 31, "{before:?} {after:?}");
            if before.sent.layer != after.sent.layer && after.sequence == before.sequence + 1 {
                assert!(after.sent.keyframe && after.sent.packet == 0);
            }
        }
        assert!(world.stats().layer_switches >= 5);
    });
}

#[test]
fn keyframes_are_asked_for_until_they_come_and_not_all_the_time() {
    twice(LAN, |world| {
        let sender = world.join(1);
        let receivers: Vec<_> = (2..12).map(|id| world.join(id)).collect();
        world.run_ms(2_000);
        let before = world.client(sender).keyframe_requests;
        for receiver in &receivers {
            world.bind(*receiver, 0, 1, Some(sender), LARGE);
        }
        world.run_ms(1_000);
        let asked = world.client(sender).keyframe_requests - before;
        assert!(
            (1..=2).contains(&asked),
            "{asked} requests for ten people at once"
        );
        assert!(
            receivers
                .iter()
                .all(|receiver| !world.video(*receiver, 0).is_empty())
        );
    });
}

#[test]
fn a_lost_keyframe_request_is_repeated() {
    twice(LAN, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.run_ms(2_000);
        world.network.conditions.loss_per_mille = 1_000;
        world.bind(a, 0, 1, Some(b), LARGE);
        world.run_ms(200);
        assert!(world.video(a, 0).is_empty());
        world.network.conditions.loss_per_mille = 0;
        world.run_ms(1_500);
        assert!(
            world
                .video(a, 0)
                .first()
                .is_some_and(|got| got.sent.keyframe)
        );
    });
}

#[test]
fn sender_reports_keep_voice_and_picture_together() {
    twice(REORDERING, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.bind(a, 0, 1, Some(b), LARGE);
        world.run_ms(6_000);
        let apart = lips_from_voice(world, a, 0);
        assert!(
            apart < 0.005,
            "voice and picture are {:.1} ms apart",
            apart * 1_000.0
        );
    });
}

#[test]
fn whoever_takes_over_a_slot_brings_lips_and_voice_on_one_clock_at_once() {
    twice(REORDERING, |world| {
        let (a, b, c) = (world.join(1), world.join(2), world.join(3));
        world.bind(a, 0, 1, Some(b), LARGE);
        world.run_ms(3_000);
        for (generation, from) in [(2, c), (3, b), (4, c)] {
            world.forget_received();
            world.bind(a, 0, generation, Some(from), LARGE);
            world.ready(a, 0, generation);
            world.run_until("seen", |world| !world.video(a, 0).is_empty());
            // A picture is three frames old at most when it is put beside the voice.
            world.run_ms(100);
            let apart = lips_from_voice(world, a, 0);
            assert!(apart < 0.010, "{:.1} ms apart", apart * 1_000.0);
            world.run_ms(1_237);
        }
    });
}

/// By how many seconds a receiver that goes by the reports puts voice and picture apart that were captured together.
fn lips_from_voice(world: &World, peer: crate::PeerId, slot: usize) -> f64 {
    let client = &world.clients[&peer];
    let slot = &client.slots[slot];
    let captured = [(&slot.audio, 48_000.0), (&slot.video, 90_000.0)].map(|(mid, rate)| {
        let (time, timestamp) = *client.reports.get(mid).expect("a sender report");
        let last = client.received[mid].last().expect("something came");
        let ticks = f64::from(last.timestamp.wrapping_sub(timestamp).cast_signed());
        let time = time.duration_since(std::time::UNIX_EPOCH).unwrap();
        time.as_secs_f64() + ticks / rate - (last.sent.captured - world.start).as_secs_f64()
    });
    (captured[0] - captured[1]).abs()
}
