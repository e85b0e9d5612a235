//! Redundancy of sound: who gets it, what it saves, and that nobody finds anything old in it.

use std::collections::BTreeSet;

use super::network::{Conditions, LAN};
use super::world::{LARGE, World, twice};
use crate::{PeerId, Source, UplinkState};

const LOSES_A_TENTH: Conditions = Conditions {
    loss_per_mille: 100,
    ..LAN
};

/// Two who speak to each other; whether they understand redundancy.
fn talk(world: &mut World, redundancy: [bool; 2]) -> [PeerId; 2] {
    let loss = std::mem::take(&mut world.network.conditions.loss_per_mille);
    let peers = [1, 2].map(|id| {
        world.redundancy = redundancy[id as usize - 1];
        let peer = world.join(id);
        world.client(peer).set_active(Source::Camera, false);
        world.client(peer).set_level(-30);
        peer
    });
    for (peer, from) in [(0, 1), (1, 0)] {
        world.bind(peers[peer], 0, 1, Some(peers[from]), LARGE);
    }
    world.network.conditions.loss_per_mille = loss;
    peers
}

/// Which of the packets that were sent the listener heard: by themselves, and together with those carried along.
fn heard(world: &World, listener: PeerId) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let client = &world.clients[&listener];
    let mid = &client.slots[0].audio;
    let plain: BTreeSet<u64> = world
        .audio(listener, 0)
        .iter()
        .map(|got| got.sent.frame)
        .collect();
    let carried = client.carried.iter().filter(|(of, ..)| of == mid);
    let all = carried
        .map(|(_, _, sent)| sent.frame)
        .chain(plain.iter().copied());
    (plain.clone(), all.collect())
}

fn share(frames: &BTreeSet<u64>) -> f64 {
    let span = frames.last().unwrap() - frames.first().unwrap() + 1;
    frames.len() as f64 / span as f64
}

#[test]
fn what_is_lost_on_either_way_is_heard_all_the_same() {
    twice(LOSES_A_TENTH, |world| {
        let [a, b] = talk(world, [true, true]);
        world.run_ms(20_000);
        let (plain, all) = heard(world, a);
        if world.opaque {
            assert_eq!(plain, all, "nothing is put to what nobody here can read");
            return;
        }
        let recovered = world.stats().recovered_packets;
        assert!(
            recovered > 100,
            "{recovered} were whole again at the server"
        );
        assert!((0.85..0.93).contains(&share(&plain)), "{}", share(&plain));
        assert!(share(&all) > 0.96, "{}", share(&all));
        // What was carried lies where it would have been by itself.
        let client = &world.clients[&a];
        let first = world.audio(a, 0)[0];
        for (_, timestamp, sent) in &client.carried {
            let ticks = timestamp.wrapping_sub(first.timestamp);
            assert_eq!(u64::from(ticks), 960 * (sent.frame - first.sent.frame));
            assert_eq!(sent.by, b);
        }
    });
}

#[test]
fn whoever_does_not_understand_redundancy_gets_plain_sound() {
    let mut world = World::new(LAN, false);
    let [a, b] = talk(&mut world, [false, true]);
    world.run_ms(2_000);
    assert!(world.audio(a, 0).len() > 95 && world.clients[&a].carried.is_empty());
    assert!(world.audio(b, 0).len() > 95);
    assert!(
        world.clients[&b].carried.len() > 90,
        "made here, out of plain sound"
    );
}

#[test]
fn nothing_from_before_a_pause_is_carried() {
    let mut world = World::new(LAN, false);
    let [a, b] = talk(&mut world, [true, true]);
    for _ in 0..5 {
        world.run_ms(400);
        world.client(b).set_active(Source::Microphone, false);
        world.run_ms(400);
        world.client(b).set_active(Source::Microphone, true);
        world.run_ms(400);
        world.set_uplink(b, Source::Microphone, UplinkState::Muted);
        world.run_ms(400);
        world.set_uplink(b, Source::Microphone, UplinkState::Live);
    }
    let client = &world.clients[&a];
    let plain = world.audio(a, 0);
    assert!(client.carried.len() > 100);
    for (_, timestamp, sent) in &client.carried {
        let by_itself = plain.iter().find(|got| got.sent.frame == sent.frame);
        let by_itself =
            by_itself.expect("nothing is lost, and nothing is carried that was not sent on");
        assert_eq!(*timestamp, by_itself.timestamp);
        let follows = |got: &&super::client::Got| got.sent.frame == sent.frame + 1;
        assert!(
            plain.iter().any(|got| follows(&got)),
            "frame {} ends a spurt",
            sent.frame
        );
    }
}

#[test]
fn another_person_in_the_slot_carries_nothing_of_the_former_one() {
    let mut world = World::new(LAN, false);
    let [a, b] = talk(&mut world, [true, true]);
    world.redundancy = true;
    let c = world.join(3);
    world.client(c).set_active(Source::Camera, false);
    world.run_ms(500);
    for (generation, from) in (2..8).zip([c, b].into_iter().cycle()) {
        world.bind(a, 0, generation, Some(from), None);
        world.run_ms(400);
    }
    let plain = world.audio(a, 0).to_vec();
    for (_, timestamp, sent) in &world.clients[&a].carried {
        let known =
            |got: &&super::client::Got| (got.sent.by, got.sent.frame) == (sent.by, sent.frame);
        let by_itself = plain.iter().find(known).expect("was sent here");
        assert_eq!(*timestamp, by_itself.timestamp);
    }
}
