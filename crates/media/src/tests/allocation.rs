//! Who gets which layer, and which layers are sent at all: what nobody looks at sleeps, and a thin line carries sound
//! first, then what matters most.

use std::time::Duration;

use super::client::Got;
use super::network::LAN;
use super::world::{LARGE, MIDDLE, SMALL, World, assert_continuous, twice};
use crate::{Command, Event, Generation, PeerId, SlotIndex, Source, UplinkState, VideoCodec};

const SOON: Duration = Duration::from_millis(50);
const ROOM_FOR_ALL: u64 = 20_000_000;

fn last_layer(world: &World, peer: PeerId, slot: usize) -> usize {
    let newest = world
        .video(peer, slot)
        .iter()
        .max_by_key(|got| got.sequence);
    newest.expect("video").sent.layer
}

/// The longest time without a packet.
fn longest_gap(packets: &[Got]) -> Duration {
    let gaps = packets.windows(2).map(|pair| match pair {
        [before, after] => after.at - before.at,
        _ => Duration::ZERO,
    });
    gaps.max().unwrap_or_default()
}

fn demands(world: &World, of: PeerId, of_source: Source) -> Vec<Option<Vec<String>>> {
    let of_peer = world.events.iter().filter_map(|(_, event)| match event {
        Event::Demand {
            peer,
            source,
            layers,
            ..
        } if *peer == of && *source == of_source => Some(layers.clone()),
        _ => None,
    });
    of_peer.collect()
}

fn pauses(world: &World, of: PeerId) -> Vec<(u8, bool)> {
    let of_peer = world.events.iter().filter_map(|(_, event)| match event {
        Event::SlotPaused {
            peer, slot, paused, ..
        } if *peer == of => Some((slot.0, *paused)),
        _ => None,
    });
    of_peer.collect()
}

fn set_line(world: &mut World, peer: PeerId, bps: u64) {
    world.peer(peer).line_bps = Some(bps);
}

#[test]
fn a_talk_of_two_costs_one_encoding_each() {
    twice(LAN, |world| {
        world.obey_after = Some(SOON);
        let (a, b) = (world.join(1), world.join(2));
        set_line(world, a, ROOM_FOR_ALL);
        set_line(world, b, ROOM_FOR_ALL);
        world.bind(a, 0, 1, Some(b), LARGE);
        world.bind(b, 0, 1, Some(a), MIDDLE);
        world.run_ms(5_000);
        assert_eq!(world.client(b).sends(), ["f"]);
        assert_eq!(world.client(a).sends(), ["h"]);
        world.bind(a, 0, 1, Some(b), SMALL);
        world.run_ms(5_000);
        assert_eq!(world.client(b).sends(), ["q"]);
        assert_eq!(last_layer(world, a, 0), 0);
        assert_continuous("down to q", world.video(a, 0));
        assert!(longest_gap(world.video(a, 0)) < Duration::from_millis(100));
    });
}

#[test]
fn what_nobody_looks_at_is_not_sent_and_is_back_at_once() {
    twice(LAN, |world| {
        world.obey_after = Some(SOON);
        let (a, b) = (world.join(1), world.join(2));
        set_line(world, a, ROOM_FOR_ALL);
        set_line(world, b, ROOM_FOR_ALL);
        world.bind(a, 0, 1, Some(b), LARGE);
        world.run_ms(2_000);
        // Paged out: heard, not seen.
        world.bind(a, 0, 1, Some(b), None);
        world.run_ms(1_000);
        assert_eq!(
            world.client(b).sends(),
            ["f"],
            "somebody may turn the page back"
        );
        world.forget_received();
        world.run_ms(4_000);
        assert_eq!(world.client(b).sends(), [""; 0]);
        assert_eq!(demands(world, b, Source::Camera).last(), Some(&None));
        assert_eq!(world.video(a, 0).len(), 0);
        assert!(world.audio(a, 0).len() > 150);
        let turned = world.now;
        world.bind(a, 0, 1, Some(b), LARGE);
        world.run_ms(1_000);
        let first = world.video(a, 0).first().expect("a picture").at - turned;
        assert!(first < Duration::from_millis(200), "{first:?}");
        assert_eq!(last_layer(world, a, 0), 2);
    });
}

#[test]
fn a_screen_in_one_encoding_is_demanded_without_layers() {
    twice(LAN, |world| {
        world.obey_after = Some(SOON);
        let (a, b) = (world.join(1), world.join(2));
        set_line(world, a, ROOM_FOR_ALL);
        set_line(world, b, ROOM_FOR_ALL);
        world.set_uplink(b, Source::Screen, UplinkState::Live);
        world.client(b).set_active(Source::Screen, true);
        world.bind(a, 6, 1, Some(b), LARGE);
        world.run_ms(1_000);
        assert_eq!(demands(world, b, Source::Screen), [Some(vec![])]);
        assert!(world.video(a, 6).len() > 50);
        world.bind(a, 6, 1, None, None);
        world.run_ms(4_000);
        assert_eq!(demands(world, b, Source::Screen), [Some(vec![]), None]);
    });
}

#[test]
fn who_waits_for_a_layer_that_wakes_keeps_what_there_is() {
    twice(LAN, |world| {
        world.obey_after = Some(Duration::from_millis(1_200));
        let (a, b) = (world.join(1), world.join(2));
        set_line(world, a, ROOM_FOR_ALL);
        set_line(world, b, ROOM_FOR_ALL);
        world.bind(a, 0, 1, Some(b), SMALL);
        world.run_ms(7_000);
        assert_eq!(world.client(b).sends(), ["q"]);
        world.bind(a, 0, 1, Some(b), LARGE);
        world.run_ms(1_100);
        assert_eq!(last_layer(world, a, 0), 0);
        world.run_ms(400);
        assert_eq!(last_layer(world, a, 0), 2);
        assert_continuous("up to f", world.video(a, 0));
        assert!(longest_gap(world.video(a, 0)) < Duration::from_millis(100));
    });
}

#[test]
fn of_a_sender_that_is_not_able_to_the_next_best_comes_and_nothing_flaps() {
    twice(LAN, |world| {
        world.obey_after = Some(SOON);
        let (a, b) = (world.join(1), world.join(2));
        set_line(world, a, ROOM_FOR_ALL);
        set_line(world, b, ROOM_FOR_ALL);
        world.client(b).unable = vec!["f"];
        world.bind(a, 0, 1, Some(b), SMALL);
        world.run_ms(5_000);
        world.bind(a, 0, 1, Some(b), LARGE);
        world.run_ms(2_000);
        assert_eq!(last_layer(world, a, 0), 1);
        world.run_ms(20_000);
        assert_eq!(last_layer(world, a, 0), 1);
        assert!(longest_gap(world.video(a, 0)) < Duration::from_millis(100));
        let told = demands(world, b, Source::Camera);
        assert!(told.len() <= 5, "{told:?}");
        assert_eq!(world.client(b).sends(), ["h"]);
        // It gets better: the layer is still asked for.
        world.client(b).unable = vec![];
        world.client(b).obey(
            Source::Camera,
            Some(&["h".into(), "f".into()]),
            VideoCodec::Vp8,
        );
        world.run_ms(500);
        assert_eq!(last_layer(world, a, 0), 2);
    });
}

#[test]
fn demand_is_what_all_receivers_need_together() {
    twice(LAN, |world| {
        world.obey_after = Some(SOON);
        let (a, b, c) = (world.join(1), world.join(2), world.join(3));
        set_line(world, a, ROOM_FOR_ALL);
        set_line(world, b, ROOM_FOR_ALL);
        world.bind(a, 0, 1, Some(c), SMALL);
        world.bind(b, 0, 1, Some(c), LARGE);
        world.run_ms(5_000);
        assert_eq!(world.client(c).sends(), ["q", "f"]);
        assert_eq!((last_layer(world, a, 0), last_layer(world, b, 0)), (0, 2));
        world.leave(b);
        world.run_ms(5_000);
        assert_eq!(world.client(c).sends(), ["q"]);
    });
}

#[test]
fn between_awake_layers_it_takes_a_keyframe_and_no_frame_freezes() {
    twice(LAN, |world| {
        let (a, b) = (world.join(1), world.join(2));
        set_line(world, a, ROOM_FOR_ALL);
        set_line(world, b, ROOM_FOR_ALL);
        world.bind(a, 0, 1, Some(b), LARGE);
        world.run_ms(2_000);
        for (size, layer) in [(SMALL, 0), (MIDDLE, 1), (LARGE, 2), (MIDDLE, 1)] {
            let asked = world.now;
            world.bind(a, 0, 1, Some(b), size);
            world.run_ms(600);
            let of_layer = |got: &&Got| got.at >= asked && got.sent.layer == layer;
            let first = world.video(a, 0).iter().find(of_layer).expect("the layer");
            let took = first.at - asked;
            assert!(took <= Duration::from_millis(300), "{size:?} took {took:?}");
        }
        assert!(longest_gap(world.video(a, 0)) < Duration::from_millis(100));
        assert_continuous("over four switches", world.video(a, 0));
    });
}

#[test]
fn a_thin_line_carries_sound_then_what_matters_most() {
    twice(LAN, |world| {
        let peers: Vec<PeerId> = (1..5).map(|id| world.join(id)).collect();
        let [a, others @ ..] = peers.as_slice() else {
            unreachable!()
        };
        let a = *a;
        for (slot, other) in others.iter().enumerate() {
            world.bind(a, slot as u8, 1, Some(*other), LARGE);
        }
        set_line(world, a, ROOM_FOR_ALL);
        world.run_ms(4_000);
        let layers = |world: &World| [0, 1, 2].map(|slot| last_layer(world, a, slot));
        assert_eq!(layers(world), [2, 2, 2], "room for all");
        // 150 kbit/s are kept for sound; the layers take 60, 120 and 230.
        set_line(world, a, 150_000 + 350_000);
        world.run_ms(1_000);
        assert_eq!(layers(world), [1, 0, 0]);
        assert_eq!(pauses(world, a), []);
        set_line(world, a, 150_000 + 140_000);
        world.forget_received();
        world.run_ms(3_000);
        assert_eq!([0, 1].map(|slot| last_layer(world, a, slot)), [0, 0]);
        assert_eq!(pauses(world, a), [(2, true)]);
        assert!(world.video(a, 2).len() < 40);
        set_line(world, a, 50_000);
        world.run_ms(1_500);
        world.forget_received();
        world.run_ms(2_000);
        for slot in 0..3 {
            assert_eq!(world.video(a, slot).len(), 0);
            assert!(world.audio(a, slot).len() >= 98, "sound is never paused");
        }
        assert_eq!(pauses(world, a).len(), 3);
        set_line(world, a, 5_000_000);
        world.run_ms(3_000);
        assert_eq!(layers(world), [2, 2, 2]);
        assert_eq!(
            pauses(world, a)
                .iter()
                .filter(|(_, paused)| !paused)
                .count(),
            3
        );
    });
}

#[test]
fn a_thin_line_never_begins_with_a_large_layer_of_somebody_else() {
    twice(LAN, |world| {
        world.obey_after = Some(Duration::from_millis(700));
        let (a, b, c) = (world.join(1), world.join(2), world.join(3));
        set_line(world, a, ROOM_FOR_ALL);
        set_line(world, b, ROOM_FOR_ALL);
        world.bind(b, 0, 1, Some(c), LARGE);
        world.run_ms(6_000);
        assert_eq!(world.client(c).sends(), ["f"]);
        set_line(world, a, 50_000 + 150_000);
        world.bind(a, 0, 1, Some(c), LARGE);
        world.run_ms(3_000);
        let layers: Vec<usize> = world.video(a, 0).iter().map(|got| got.sent.layer).collect();
        assert!(layers.len() > 30 && layers.iter().all(|layer| *layer == 0));
    });
}

#[test]
fn a_room_of_fifty_costs_a_receiver_less_than_four_megabits() {
    let mut world = World::new(LAN, false);
    world.obey_after = Some(SOON);
    let reader = world.join_unconnected(1, 25, 2, true);
    world.run_until("connected", |world| world.saw_connected(reader));
    let others: Vec<PeerId> = (2..51)
        .map(|id| world.join_unconnected(id, 1, 0, true))
        .collect();
    for other in &others {
        // As browsers are told to send: 120, 420 and 1 500 kbit/s. Only some speak.
        world.client(*other).shape = [(1, 450), (2, 830), (6, 1_000)];
        world
            .client(*other)
            .set_active(Source::Microphone, other.0 < 7);
    }
    for (slot, other) in others.iter().take(25).enumerate() {
        world.bind(reader, slot as u8, 1, Some(*other), MIDDLE);
    }
    set_line(&mut world, reader, ROOM_FOR_ALL);
    let all = others.clone();
    world.run_until("connected", |world| {
        all.iter().all(|other| world.saw_connected(*other))
    });
    world.run_ms(5_000);
    world.forget_received();
    let from = world.now;
    world.run_ms(2_000);
    let seconds = (world.now - from).as_secs_f64();
    let client = &world.clients[&reader];
    let mut bits = 0;
    for (mid, packets) in &client.received {
        let is_video = client.slots.iter().any(|slot| slot.video == *mid);
        for got in packets {
            let payload = match (is_video, got.sent.layer) {
                (false, _) => 60,
                (true, 0) => 450,
                (true, 1) => 830,
                (true, _) => 1_000,
            };
            bits += (payload + 40) * 8;
        }
    }
    let bps = f64::from(bits) / seconds;
    assert!(bps < 4_000_000.0, "{bps}");
    for slot in 0..25 {
        assert!(world.video(reader, slot).len() > 50, "slot {slot}");
    }
    for other in others.iter().skip(25) {
        assert_eq!(world.client(*other).sends(), [""; 0], "nobody looks");
    }
}

#[test]
fn whoever_sees_nothing_gets_a_keyframe_then_a_smaller_layer_and_no_storm() {
    twice(LAN, |world| {
        let (a, b) = (world.join(1), world.join(2));
        set_line(world, a, ROOM_FOR_ALL);
        set_line(world, b, ROOM_FOR_ALL);
        world.bind(a, 0, 1, Some(b), LARGE);
        world.run_ms(2_000);
        let say = |world: &mut World, generation: u32| {
            world.command(Command::NoPicture {
                peer: a,
                slot: SlotIndex(0),
                generation: Generation(generation),
            });
        };
        let before = world.client(b).keyframe_requests;
        say(world, 2);
        world.run_ms(300);
        assert_eq!(
            world.client(b).keyframe_requests,
            before,
            "another generation"
        );
        say(world, 1);
        world.run_ms(300);
        assert_eq!(world.client(b).keyframe_requests, before + 1);
        assert_eq!(last_layer(world, a, 0), 2);
        world.run_ms(2_700);
        say(world, 1);
        world.run_ms(600);
        assert_eq!(last_layer(world, a, 0), 1, "a keyframe did not help");
        let before = world.client(b).keyframe_requests;
        for _ in 0..1_000 {
            say(world, 1);
            world.run_ms(10);
        }
        let asked = world.client(b).keyframe_requests - before;
        assert!(asked <= 8, "{asked} keyframes in ten seconds");
        assert_eq!(last_layer(world, a, 0), 0);
        assert_continuous("down", world.video(a, 0));
        world.run_ms(62_000);
        assert_eq!(last_layer(world, a, 0), 2, "it is tried again");
    });
}
