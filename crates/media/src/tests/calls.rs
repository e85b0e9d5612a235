//! Who gets whom: the bound people and nobody else, over joins and leaves, new labels, mutes and screens.

use std::collections::BTreeSet;

use super::client::Got;
use super::network::{LAN, REORDERING};
use super::world::{GROUP, LARGE, MIDDLE, World, assert_continuous, twice};
use crate::{Event, Generation, PeerId, SlotIndex, Source, UplinkState};

fn people(packets: &[Got]) -> BTreeSet<(PeerId, Source)> {
    packets
        .iter()
        .map(|got| (got.sent.by, got.sent.source))
        .collect()
}

fn only(peer: PeerId, source: Source) -> BTreeSet<(PeerId, Source)> {
    BTreeSet::from([(peer, source)])
}

fn started(world: &World, peer: PeerId, slot: u8) -> Vec<(Generation, u32)> {
    let of_slot = |event: &Event| match event {
        Event::SlotStarted {
            peer: of,
            slot: SlotIndex(at),
            generation,
            rtp_timestamp,
            ..
        } if *of == peer && *at == slot => Some((*generation, *rtp_timestamp)),
        _ => None,
    };
    world
        .events
        .iter()
        .filter_map(|(_, event)| of_slot(event))
        .collect()
}

#[test]
fn two_people_see_and_hear_each_other_and_not_themselves() {
    twice(LAN, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.bind(a, 0, 1, Some(b), LARGE);
        world.bind(b, 0, 1, Some(a), LARGE);
        world.run_ms(3_000);
        for (who, whom) in [(a, b), (b, a)] {
            assert_eq!(people(world.video(who, 0)), only(whom, Source::Camera));
            assert_eq!(people(world.audio(who, 0)), only(whom, Source::Microphone));
            assert_continuous("video", world.video(who, 0));
            world.assert_continuous_sound("audio", who, 0);
            assert!(world.audio(who, 0).len() > 140);
            assert_eq!(
                world.clients[&who].received.len(),
                2,
                "nothing in any other section"
            );
        }
    });
}

#[test]
fn three_people_get_exactly_the_bound_others_while_people_come_and_go() {
    twice(REORDERING, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.bind(a, 0, 1, Some(b), MIDDLE);
        world.bind(b, 0, 1, Some(a), MIDDLE);
        world.run_ms(1_000);
        let c = world.join(3);
        world.bind(a, 1, 1, Some(c), MIDDLE);
        world.bind(c, 0, 1, Some(a), MIDDLE);
        world.bind(c, 1, 1, Some(b), MIDDLE);
        world.run_ms(2_000);
        let expected = [(a, 0, b), (a, 1, c), (b, 0, a), (c, 0, a), (c, 1, b)];
        for (who, slot, whom) in expected {
            assert_eq!(
                people(world.video(who, slot)),
                only(whom, Source::Camera),
                "{who} {slot}"
            );
            assert_eq!(
                people(world.audio(who, slot)),
                only(whom, Source::Microphone),
                "{who} {slot}"
            );
            assert_continuous("video", world.video(who, slot));
        }
        assert!(
            world.video(b, 1).is_empty() && world.audio(b, 1).is_empty(),
            "b was not given c"
        );
        world.leave(b);
        world.run_ms(200);
        world.forget_received();
        world.run_ms(1_000);
        assert!(world.video(a, 0).is_empty() && world.video(c, 1).is_empty());
        assert!(world.audio(a, 0).is_empty() && world.audio(c, 1).is_empty());
        assert_eq!(people(world.video(a, 1)), only(c, Source::Camera));
    });
}

#[test]
fn the_first_frame_after_a_join_comes_at_once() {
    twice(LAN, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.bind(b, 0, 1, Some(a), LARGE);
        world.run_ms(5_000);
        let before = world.now;
        let c = world.join_unconnected(3, 6, 2, true);
        world.bind(c, 0, 1, Some(a), LARGE);
        world.run_ms(2_000);
        let first = world.video(c, 0).first().expect("video");
        assert!(first.sent.keyframe && first.sent.packet == 0);
        let waited = (first.at - before).as_millis();
        assert!(waited < 250, "{waited} ms");
    });
}

#[test]
fn a_label_never_stands_under_another_face() {
    twice(LAN, |world| {
        change_of_person(world);
        let a = PeerId(1);
        assert_continuous("over the change of person", world.video(a, 0));
        world.assert_continuous_sound("audio over the change of person", a, 0);
    });
    // What of the former person was still on its way to the SFU is dropped, and may leave a hole before the newcomer.
    twice(REORDERING, |world| {
        change_of_person(world);
        let (a, c) = (PeerId(1), PeerId(3));
        let of_c = |got: &[Got]| -> Vec<Got> {
            got.iter().filter(|got| got.sent.by == c).copied().collect()
        };
        assert_continuous("the newcomer", &of_c(world.video(a, 0)));
        assert_continuous("the newcomer's voice", &of_c(world.audio(a, 0)));
    });
}

fn change_of_person(world: &mut World) {
    let (a, b, c) = (world.join(1), world.join(2), world.join(3));
    world.bind(a, 0, 1, Some(b), LARGE);
    world.run_ms(1_500);
    assert_eq!(
        started(world, a, 0),
        [(Generation(1), world.video(a, 0)[0].timestamp)]
    );

    world.bind(a, 0, 2, Some(c), LARGE);
    let rebound = world.now;
    world.run_ms(1_000);
    let in_flight = world.network.conditions.delay + world.network.conditions.jitter;
    let seen_after = |got: &&Got| got.at > rebound + in_flight;
    assert_eq!(
        world.video(a, 0).iter().filter(seen_after).count(),
        0,
        "video before the client was ready"
    );
    let heard: Vec<Got> = world
        .audio(a, 0)
        .iter()
        .filter(seen_after)
        .copied()
        .collect();
    assert_eq!(
        people(&heard),
        only(c, Source::Microphone),
        "the new voice is heard at once"
    );
    assert!(heard.len() > 40);

    world.ready(a, 0, 1);
    world.run_ms(300);
    assert_eq!(
        started(world, a, 0).len(),
        1,
        "ready for an older generation means nothing"
    );
    world.ready(a, 0, 2);
    world.run_ms(1_500);
    let (generation, timestamp) = started(world, a, 0)[1];
    assert_eq!(generation, Generation(2));
    let from = |peer| {
        world
            .video(a, 0)
            .iter()
            .filter(move |got| got.sent.by == peer)
    };
    assert_eq!(from(c).map(|got| got.timestamp).min(), Some(timestamp));
    assert!(
        from(b).all(|got| got.timestamp.wrapping_sub(timestamp) > 1 << 31),
        "all of b is older"
    );
    assert!(from(c).count() > 100);
    assert_eq!(started(world, a, 0).len(), 2);
}

#[test]
fn an_empty_slot_is_silent_and_goes_on_with_the_next_person() {
    twice(LAN, |world| {
        let (a, b, c) = (world.join(1), world.join(2), world.join(3));
        world.bind(a, 0, 1, Some(b), MIDDLE);
        world.run_ms(1_000);
        world.bind(a, 0, 2, None, None);
        world.run_ms(50);
        let (video, audio) = (world.video(a, 0).len(), world.audio(a, 0).len());
        world.run_ms(2_000);
        assert_eq!(
            (world.video(a, 0).len(), world.audio(a, 0).len()),
            (video, audio)
        );
        world.bind(a, 0, 3, Some(c), MIDDLE);
        world.ready(a, 0, 3);
        world.run_ms(1_000);
        assert!(world.video(a, 0).len() > video && world.audio(a, 0).len() > audio);
        assert_continuous("video", world.video(a, 0));
        world.assert_continuous_sound("audio", a, 0);
    });
}

#[test]
fn rtp_of_a_muted_or_unpublished_source_is_dropped() {
    for state in [UplinkState::Muted, UplinkState::Off] {
        twice(LAN, |world| {
            let (a, b) = (world.join(1), world.join(2));
            world.bind(a, 0, 1, Some(b), MIDDLE);
            world.run_ms(1_000);
            world.set_uplink(b, Source::Microphone, state);
            world.run_ms(20);
            let (video, audio) = (world.video(a, 0).len(), world.audio(a, 0).len());
            world.run_ms(1_000);
            assert_eq!(
                world.audio(a, 0).len(),
                audio,
                "{state:?} microphone is heard"
            );
            assert!(world.video(a, 0).len() > video, "the camera goes on");
            world.set_uplink(b, Source::Camera, state);
            world.set_uplink(b, Source::Microphone, UplinkState::Live);
            world.run_ms(20);
            let video = world.video(a, 0).len();
            world.run_ms(1_000);
            assert_eq!(world.video(a, 0).len(), video, "{state:?} camera is seen");
            world.set_uplink(b, Source::Camera, UplinkState::Live);
            world.run_ms(1_000);
            assert!(world.video(a, 0).len() > video && world.audio(a, 0).len() > audio);
            assert_continuous("video after a pause", world.video(a, 0));
            world.assert_continuous_sound("audio after a pause", a, 0);
            assert_eq!(
                started(world, a, 0).len(),
                1,
                "the same person needs no new label"
            );
        });
    }
}

#[test]
fn somebody_who_is_heard_and_not_seen_costs_no_video() {
    twice(LAN, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.bind(a, 0, 1, Some(b), None);
        world.run_ms(1_000);
        assert!(world.video(a, 0).is_empty());
        assert!(world.audio(a, 0).len() > 40);
        world.bind(a, 0, 1, Some(b), MIDDLE);
        world.run_ms(1_000);
        assert!(world.video(a, 0).len() > 20);
        world.bind(a, 0, 1, Some(b), None);
        world.run_ms(20);
        let video = world.video(a, 0).len();
        world.run_ms(1_000);
        assert_eq!(world.video(a, 0).len(), video);
        assert_eq!(started(world, a, 0).len(), 1);
    });
}

#[test]
fn a_screen_and_its_sound_go_through_a_screen_slot() {
    twice(LAN, |world| {
        let (a, b) = (world.join(1), world.join(2));
        for source in [Source::Screen, Source::ScreenAudio] {
            world.client(b).set_active(source, true);
            world.set_uplink(b, source, UplinkState::Live);
        }
        world.bind(a, 6, 1, Some(b), LARGE);
        world.bind(a, 0, 1, Some(b), MIDDLE);
        world.run_ms(1_000);
        assert_eq!(people(world.video(a, 6)), only(b, Source::Screen));
        assert_eq!(people(world.audio(a, 6)), only(b, Source::ScreenAudio));
        assert_eq!(people(world.video(a, 0)), only(b, Source::Camera));
        assert_eq!(people(world.audio(a, 0)), only(b, Source::Microphone));
    });
}

#[test]
fn peers_of_another_group_cannot_be_bound() {
    let mut world = World::new(LAN, false);
    let a = world.join(1);
    let stranger = PeerId(99);
    world.bind(a, 0, 1, Some(stranger), LARGE);
    world.run_ms(200);
    assert_eq!(world.stats().subscriptions, 0);
}

#[test]
fn who_speaks_is_told_loudest_first() {
    let mut world = World::new(LAN, false);
    let (a, b, c) = (world.join(1), world.join(2), world.join(3));
    world.run_ms(2_000);
    world.client(a).set_level(-35);
    world.run_ms(1_000);
    world.client(b).set_level(-15);
    world.run_ms(1_000);
    world.client(a).set_level(-80);
    world.run_ms(2_000);
    world.set_uplink(b, Source::Microphone, UplinkState::Muted);
    world.run_ms(500);
    let lists: Vec<Vec<PeerId>> = world
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Speaking {
                group: GROUP,
                peers,
            } => Some(peers.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(
        lists,
        [vec![a], vec![b, a], vec![b], vec![]],
        "{c} never spoke"
    );
}

#[test]
fn audio_levels_reach_the_receiver() {
    let mut world = World::new(LAN, false);
    let (a, b) = (world.join(1), world.join(2));
    world.client(b).set_level(-23);
    world.run_ms(50);
    world.bind(a, 0, 1, Some(b), None);
    world.run_ms(200);
    assert!(
        world
            .audio(a, 0)
            .iter()
            .all(|got| got.audio_level == Some(-23))
    );
    assert!(!world.audio(a, 0).is_empty());
}
