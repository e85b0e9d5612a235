//! One meeting on several shards: everybody gets the same as on one, wherever datagrams land, whoever comes and goes, and
//! whatever becomes of a shard.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use str0m::ice::{StunMessage, TransId};

use super::network::{Conditions, LAN, LOSSY, REORDERING, Random};
use super::world::{LARGE, MIDDLE, SERVER, SMALL, World, assert_continuous};
use crate::{Datagram, Event, Input, Output, PeerId, ShardIndex, Source, Transport, UplinkState};

const SOON: Duration = Duration::from_millis(50);
const QUIET: i8 = -75;
const LOUD: i8 = -20;

/// Three shards, one person of the meeting on each before a second one comes.
fn spread(conditions: Conditions) -> World {
    World::sharded(conditions, false, 3, 1)
}

fn nothing_is_left(world: &World) {
    let stats = world.stats();
    let left = (
        stats.peers,
        stats.groups,
        stats.subscriptions,
        stats.addresses,
        stats.ufrags,
        stats.timers,
    );
    assert_eq!(left, (0, 0, 0, 0, 0, 0));
    assert_eq!(world.senders(), 0, "remote senders");
    assert_eq!(stats.panics, 0);
}

fn speaking(world: &World) -> Vec<Vec<PeerId>> {
    let lists = world.events.iter().filter_map(|(_, event)| match event {
        Event::Speaking { peers, .. } => Some(peers.clone()),
        _ => None,
    });
    lists.collect()
}

fn demand(world: &World, of: PeerId) -> Option<Vec<String>> {
    let demands = world.events.iter().rev();
    let mut demands = demands.filter_map(|(_, event)| match event {
        Event::Demand {
            peer,
            source: Source::Camera,
            layers,
            ..
        } if *peer == of => Some(layers.clone()),
        _ => None,
    });
    demands.next().flatten()
}

/// Whose sound and pictures came in each slot of everybody, one after the other, which layer came last, and what was
/// told of it.
type Summary = BTreeMap<String, String>;

fn summary(world: &World) -> Summary {
    let mut all = Summary::new();
    for (peer, client) in &world.clients {
        for slot in 0..client.slots.len() {
            for (kind, packets) in [
                ("hears", world.audio(*peer, slot)),
                ("sees", world.video(*peer, slot)),
            ] {
                let mut ordered: Vec<_> = packets.to_vec();
                ordered.sort_by_key(|got| got.sequence);
                let mut people: Vec<(PeerId, Source)> = ordered
                    .iter()
                    .map(|got| (got.sent.by, got.sent.source))
                    .collect();
                people.dedup();
                let last = ordered.last().map(|got| got.sent.layer);
                all.insert(
                    format!("{peer} {kind} in {slot}"),
                    format!("{people:?}, at last {last:?}"),
                );
            }
        }
    }
    let mut started: Vec<String> = vec![];
    for (_, event) in &world.events {
        match event {
            Event::SlotStarted {
                peer,
                slot,
                generation,
                ..
            } => started.push(format!("{peer} {slot} {generation}")),
            Event::Demand {
                peer,
                source,
                layers,
                ..
            } => {
                all.insert(
                    format!("{peer} {source:?} is asked for"),
                    format!("{layers:?}"),
                );
            }
            Event::SlotPaused { peer, slot, .. } => {
                all.insert(format!("{peer} {slot} paused"), String::new());
            }
            Event::Closed { peer, reason, .. } => {
                all.insert(format!("{peer} closed"), format!("{reason:?}"));
            }
            _ => {}
        }
    }
    started.sort();
    all.insert("started".into(), format!("{started:?}"));
    all.insert("speaking".into(), format!("{:?}", speaking(world)));
    all
}

/// An hour of a meeting in some seconds.
fn meeting(world: &mut World) -> Summary {
    world.obey_after = Some(SOON);
    let ids: Vec<PeerId> = (1..=5).map(|id| world.join(id)).collect();
    let [a, b, c, d, e] = ids[..] else {
        unreachable!()
    };
    ids.iter().for_each(|id| world.client(*id).set_level(QUIET));
    for id in &ids {
        let others = ids.iter().filter(|other| *other != id);
        for (slot, from) in others.enumerate() {
            let size = [LARGE, MIDDLE, SMALL, None][slot];
            world.bind(*id, slot as u8, 1, Some(*from), size);
        }
    }
    world.run_ms(3_000);
    world.client(b).set_level(LOUD);
    world.run_ms(1_000);
    world.client(d).set_level(LOUD + 10);
    world.run_ms(1_000);
    world.client(b).set_level(QUIET);
    world.run_ms(2_000);
    world.set_uplink(d, Source::Microphone, UplinkState::Muted);
    world.set_uplink(e, Source::Camera, UplinkState::Off);
    world.run_ms(1_000);
    // Another person in the first slot: nothing is seen before the old label is off.
    world.bind(a, 0, 2, Some(c), LARGE);
    world.run_ms(500);
    world.ready(a, 0, 2);
    world.bind(b, 1, 1, Some(c), LARGE);
    world.set_uplink(c, Source::Screen, UplinkState::Live);
    world.set_uplink(c, Source::ScreenAudio, UplinkState::Live);
    world.client(c).set_active(Source::Screen, true);
    world.client(c).set_active(Source::ScreenAudio, true);
    for id in [a, b, d, e] {
        world.bind(id, 6, 1, Some(c), LARGE);
    }
    world.run_ms(2_000);
    world.leave(d);
    let _ = world.client(e).rtc.close();
    world.wake(e);
    world.run_ms(500);
    world.clients.remove(&e);
    world.set_uplink(c, Source::Screen, UplinkState::Off);
    world.client(c).set_active(Source::Screen, false);
    let late = world.join(6);
    world.client(late).set_level(QUIET);
    for (slot, from) in [a, b, c].into_iter().enumerate() {
        world.bind(late, slot as u8, 1, Some(from), MIDDLE);
    }
    world.bind(a, 3, 2, Some(late), SMALL);
    world.ready(a, 3, 2);
    world.set_uplink(a, Source::Microphone, UplinkState::Muted);
    world.run_ms(4_000);
    for (peer, slot) in [(b, 0), (b, 1), (c, 0), (late, 1), (late, 2)] {
        assert_continuous(&format!("{peer} in {slot}"), world.video(peer, slot));
        world.assert_continuous_sound(&format!("{peer} in {slot}"), peer, slot);
    }
    let summary = summary(world);
    for peer in [a, b, c, late] {
        world.leave(peer);
    }
    world.run(Duration::from_secs(31));
    nothing_is_left(world);
    summary
}

#[test]
fn a_meeting_on_several_shards_is_what_it_is_on_one() {
    for (opaque, spreads) in [(false, [(2, 1), (3, 2)]), (true, [(3, 1), (3, 50)])] {
        let alone = meeting(&mut World::new(LAN, opaque));
        for (shards, most) in spreads {
            let together = meeting(&mut World::sharded(LAN, opaque, shards, most));
            for (what, before) in &alone {
                assert_eq!(together.get(what), Some(before), "{what}, {shards} shards");
            }
            assert_eq!(together.len(), alone.len());
        }
    }
}

#[test]
fn a_layer_wakes_for_another_shard_and_sleeps_when_no_shard_needs_it() {
    let mut world = spread(LAN);
    world.obey_after = Some(SOON);
    let (a, b, c) = (world.join(1), world.join(2), world.join(3));
    let homes: BTreeSet<ShardIndex> = [a, b, c].map(|peer| world.home(peer)).into();
    assert_eq!(homes.len(), 3);
    let lines = [a, b, c];
    lines
        .iter()
        .for_each(|peer| world.peer(*peer).line_bps = Some(20_000_000));
    world.bind(a, 0, 1, Some(b), SMALL);
    world.run_ms(2_000);
    assert_eq!(world.client(b).sends(), ["q"]);
    world.bind(c, 0, 1, Some(b), LARGE);
    world.run_ms(2_000);
    assert_eq!(world.client(b).sends(), ["q", "f"], "what both need");
    assert_eq!(world.video(c, 0).last().unwrap().sent.layer, 2);
    assert_eq!(world.video(a, 0).last().unwrap().sent.layer, 0);
    world.leave(a);
    world.run_ms(4_000);
    assert_eq!(world.client(b).sends(), ["f"]);
    world.bind(c, 0, 1, None, None);
    world.run_ms(4_000);
    assert_eq!(world.client(b).sends(), [""; 0]);
    assert_eq!(demand(&world, b), None);
    let before = world.stats().piped_packets;
    world.set_uplink(b, Source::Microphone, UplinkState::Muted);
    world.set_uplink(c, Source::Microphone, UplinkState::Muted);
    world.run_ms(1_000);
    assert_eq!(world.stats().piped_packets, before, "nobody needs anything");
}

#[test]
fn whoever_watches_from_another_shard_has_a_picture_at_once() {
    let mut world = spread(LAN);
    let sender = world.join(1);
    let receivers: Vec<PeerId> = (2..12).map(|id| world.join(id)).collect();
    world.run_ms(2_000);
    let before = world.client(sender).keyframe_requests;
    let bound = world.now;
    for receiver in &receivers {
        world.bind(*receiver, 0, 1, Some(sender), LARGE);
    }
    world.run_ms(1_000);
    let asked = world.client(sender).keyframe_requests - before;
    assert!((1..=2).contains(&asked), "{asked} requests for all of them");
    for receiver in receivers {
        let first = world.video(receiver, 0).first().expect("a picture");
        assert!(first.at - bound < Duration::from_millis(100));
        assert!(first.sent.keyframe);
    }
}

#[test]
fn what_is_lost_between_server_and_people_heals_on_every_shard() {
    for conditions in [LOSSY, REORDERING] {
        let mut world = spread(conditions);
        let (a, b, c) = (world.join(1), world.join(2), world.join(3));
        world.bind(a, 0, 1, Some(b), MIDDLE);
        world.bind(b, 0, 1, Some(c), MIDDLE);
        world.bind(c, 0, 1, Some(a), MIDDLE);
        world.run_ms(6_000);
        // What was lost a moment ago has had no time to come again.
        let until = world.now - Duration::from_secs(1);
        for peer in [a, b, c] {
            let packets = world.video(peer, 0).iter();
            let packets = packets.filter(|got| got.sent.captured < until);
            let numbers: BTreeSet<u64> = packets.map(|got| got.sequence).collect();
            let (first, last) = (numbers.first().unwrap(), numbers.last().unwrap());
            let share = numbers.len() as f64 / (last - first + 1) as f64;
            assert!(share > 0.995, "{share} of the packets came in the end");
        }
    }
}

#[test]
fn a_binding_waits_for_a_sender_of_whom_the_shard_has_not_heard() {
    let mut world = spread(LAN);
    world.crossing_delay = Duration::from_millis(80);
    let a = world.join(1);
    let b = world.join_unconnected(2, 1, 0, true);
    world.bind(a, 0, 1, Some(b), MIDDLE);
    assert_eq!(world.stats().subscriptions, 0);
    world.run_ms(3_000);
    assert_ne!(world.home(a), world.home(b));
    assert!(world.video(a, 0).iter().all(|got| got.sent.by == b));
    assert!(world.video(a, 0).len() > 50 && world.audio(a, 0).len() > 70);
    // Long gone when the other shard hears of it.
    world.leave(b);
    world.bind(a, 0, 2, Some(b), MIDDLE);
    world.ready(a, 0, 2);
    world.run_ms(1_000);
    world.forget_received();
    world.run_ms(1_000);
    assert!(world.video(a, 0).is_empty() && world.audio(a, 0).is_empty());
    assert_eq!(world.stats().subscriptions, 0);
}

#[test]
fn while_there_is_no_room_between_shards_media_is_missing_and_then_goes_on() {
    let mut world = spread(LAN);
    let (a, b) = (world.join(1), world.join(2));
    world.bind(a, 0, 1, Some(b), MIDDLE);
    world.run_ms(1_000);
    // Only the way between shards, not that to the shard of the client.
    let landed = [a, b].map(|peer| (world.landed(world.clients[&peer].address), world.home(peer)));
    world.is_full = true;
    world.run_ms(1_000);
    // Told all the same.
    world.set_uplink(b, Source::Microphone, UplinkState::Muted);
    world.forget_received();
    world.run_ms(500);
    assert!(world.video(a, 0).is_empty(), "{landed:?}");
    world.is_full = false;
    world.run_ms(3_000);
    assert!(world.audio(a, 0).is_empty(), "muted meanwhile");
    let from = world.now - Duration::from_secs(1);
    let recent = world.video(a, 0).iter().filter(|got| got.at > from);
    assert!(recent.count() > 50);
}

#[test]
fn a_shard_that_begins_anew_takes_its_people_with_it_and_nobody_else() {
    let mut world = spread(LAN);
    let (a, b, c) = (world.join(1), world.join(2), world.join(3));
    for (who, slot, whom) in [(a, 0, b), (a, 1, c), (c, 0, a), (c, 1, b), (b, 0, a)] {
        world.bind(who, slot, 1, Some(whom), MIDDLE);
    }
    world.run_ms(1_000);
    world.crossing_delay = Duration::from_millis(20);
    world.run_ms(100);
    let home = world.home(b);
    world.restart(home);
    world.clients.remove(&b);
    world.run_ms(500);
    world.forget_received();
    world.run_ms(1_000);
    for (peer, slot) in [(a, 1), (c, 0)] {
        assert!(world.video(peer, slot).len() > 50, "{peer} goes on");
        assert!(world.audio(peer, slot).len() > 45, "{peer} goes on");
    }
    for (peer, slot) in [(a, 0), (c, 1)] {
        assert!(world.video(peer, slot).is_empty() && world.audio(peer, slot).is_empty());
    }
    // Back with a new connection, on the same shard again: it is where there is room.
    let again = world.join(4);
    assert_eq!(world.home(again), home);
    world.bind(a, 0, 1, Some(again), MIDDLE);
    world.bind(again, 0, 1, Some(c), MIDDLE);
    world.run_ms(1_000);
    assert!(world.video(a, 0).len() > 20 && world.video(again, 0).len() > 20);
    assert_eq!(world.video(a, 0).last().unwrap().sent.by, again);
    world.client(again).set_level(LOUD);
    world.client(a).set_level(QUIET);
    world.client(c).set_level(QUIET);
    world.run_ms(3_000);
    assert_eq!(speaking(&world).last(), Some(&vec![again]));
    for peer in [a, c, again] {
        world.leave(peer);
    }
    world.run(Duration::from_secs(31));
    nothing_is_left(&world);
}

#[test]
fn one_shard_tells_who_speaks_and_another_when_that_has_nobody_left() {
    let mut world = spread(LAN);
    let ids: Vec<PeerId> = (1..=9).map(|id| world.join(id)).collect();
    ids.iter().for_each(|id| world.client(*id).set_level(QUIET));
    world.run_ms(2_000);
    world.events.clear();
    let speaker = ids[8];
    assert_eq!(world.home(speaker), ShardIndex(2));
    world.client(speaker).set_level(LOUD);
    world.run_ms(1_000);
    assert_eq!(speaking(&world), [vec![speaker]], "once");
    // Nine microphones and five places.
    let heard = world.events.iter();
    let heard = heard.filter(|(_, event)| matches!(event, Event::Heard { .. }));
    assert!(heard.count() <= 1);
    for id in [1, 4, 7] {
        assert_eq!(world.home(PeerId(id)), ShardIndex(0));
        world.leave(PeerId(id));
    }
    world.run_ms(2_000);
    assert_eq!(
        speaking(&world),
        [vec![speaker], vec![speaker]],
        "said again by the one that took over"
    );
    world.client(speaker).set_level(QUIET);
    world.run_ms(2_000);
    assert_eq!(speaking(&world).len(), 3);
    assert_eq!(speaking(&world).last(), Some(&vec![]));
}

#[test]
fn who_begins_to_speak_is_let_in_on_all_shards_at_once() {
    let mut world = spread(LAN);
    let people = 12;
    let ids: Vec<PeerId> = (1..=people).map(|id| world.join(id)).collect();
    for id in &ids {
        world.client(*id).set_active(Source::Camera, false);
        world.client(*id).set_level(QUIET);
    }
    let speaker = ids[11];
    for id in &ids[..9] {
        for (slot, from) in ids[6..]
            .iter()
            .rev()
            .filter(|from| *from != id)
            .take(6)
            .enumerate()
        {
            world.bind(*id, slot as u8, 1, Some(*from), None);
        }
    }
    world.run_ms(2_000);
    world.forget_received();
    world.events.clear();
    let begins = world.now;
    world.client(speaker).set_level(LOUD);
    world.run_ms(500);
    let heard: Vec<PeerId> = world
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Heard { peer, .. } => Some(*peer),
            _ => None,
        })
        .collect();
    assert_eq!(heard, [speaker], "told once");
    for id in &ids[..9] {
        let first = world
            .audio(*id, 0)
            .iter()
            .find(|got| got.sent.captured >= begins);
        let first = first.expect("heard");
        assert_eq!(first.sent.by, speaker);
        assert!(first.at - begins < Duration::from_millis(60), "{id}");
    }
}

#[test]
fn datagrams_find_their_shard_wherever_they_land_and_no_stranger_moves_them() {
    let mut world = World::sharded(LAN, false, 3, 50);
    let ids: Vec<PeerId> = (1..=6).map(|id| world.join(id)).collect();
    assert!(ids.iter().all(|id| world.home(*id) == ShardIndex(0)));
    let a = ids[0];
    for id in &ids[1..] {
        world.bind(*id, 0, 1, Some(a), MIDDLE);
        world.bind(a, id.0 as u8 - 2, 1, Some(*id), SMALL);
    }
    let away = |world: &World| {
        let landed = world
            .clients
            .values()
            .map(|client| world.landed(client.address));
        landed.filter(|landed| *landed != ShardIndex(0)).count()
    };
    assert!(
        away(&world) > 1,
        "the test is about those that land elsewhere"
    );
    world.run(Duration::from_secs(40));
    assert_eq!(world.stats().away, away(&world));
    for id in &ids[1..] {
        assert_continuous("to everybody", world.video(*id, 0));
    }

    // Somebody else's connectivity checks, and media from nowhere.
    let thief = SocketAddr::from(([198, 51, 100, 77], 9));
    let ufrag = world.clients[&a].server_ufrag.clone();
    assert!(ufrag.starts_with('0'));
    let before = world.stats();
    let mut random = Random(8);
    for round in 0..300 {
        let name = match round % 4 {
            0 => format!("{ufrag}:abcd"),
            1 => format!("{}{}:abcd", random.below(4), &ufrag[1..]),
            2 => "2:abcd".to_owned(),
            _ => format!("f{ufrag}:{ufrag}"),
        };
        let source = SocketAddr::from(([198, 51, 100, 77], 1 + round));
        world.datagram(source, &check(&name, "not the password at all"));
        world.datagram(source, &[0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 7]);
    }
    world.run_ms(100);
    let after = world.stats();
    assert_eq!(
        (after.away, after.addresses),
        (before.away, before.addresses)
    );
    assert_eq!(after.dropped_unauthentic - before.dropped_unauthentic, 300);
    assert_eq!(
        after.dropped_unknown_address - before.dropped_unknown_address,
        300
    );

    // Of the right one, from somewhere else: learned, told, and forgotten when its time is over.
    let password = {
        let claim = world.sfu.demux.claimed(world.now, &ufrag);
        claim.unwrap().password.to_owned()
    };
    let elsewhere = (1..u16::MAX)
        .map(|port| SocketAddr::from((thief.ip(), port)))
        .find(|source| world.landed(*source) != ShardIndex(0))
        .unwrap();
    world.datagram(elsewhere, &check(&format!("{ufrag}:abcd"), &password));
    assert_eq!(world.stats().away, before.away + 1);
    world.run(Duration::from_secs(31));
    assert_eq!(world.stats().away, before.away);
    for id in ids {
        world.leave(id);
    }
    world.run_ms(100);
    assert_eq!(world.stats().away, 0, "forgotten with their peers");
}

#[test]
fn where_an_address_lands_it_is_known_before_its_client_hears_so() {
    let mut world = World::sharded(LAN, false, 2, 50);
    let a = world.join(1);
    let name = world.clients[&a].server_ufrag.clone();
    let claim = world.sfu.demux.claimed(world.now, &name);
    let password = claim.unwrap().password.to_owned();
    let client = &mut world.client(a).rtc;
    let theirs = client.direct_api().local_ice_credentials().ufrag;
    let datagram = Datagram {
        transport: Transport::Udp,
        source: SocketAddr::from(([198, 51, 100, 77], 7)),
        destination: SocketAddr::from(SERVER),
        bytes: &check(&format!("{name}:{theirs}"), &password),
    };
    let now = world.now;
    let landed = &mut world.others[0];
    landed.handle_input(now, Input::Datagram(datagram));
    let Some(Output::Parcel { parcel, .. }) = landed.poll_output() else {
        panic!("it is handed over");
    };
    let from = ShardIndex(1);
    world.sfu.handle_input(now, Input::Parcel { from, parcel });
    let order: Vec<&str> = std::iter::from_fn(|| world.sfu.poll_output())
        .map(|output| match output {
            Output::Pipe { to, .. } if to == from => "told",
            Output::Transmit(_) => "answered",
            _ => "else",
        })
        .collect();
    assert_eq!(order, ["told", "answered"]);
}

fn check(name: &str, password: &str) -> Vec<u8> {
    let crypto = str0m::crypto::from_feature_flags();
    let message = StunMessage::binding_request(name, TransId::new(), true, 1, 1_000, true);
    let mut bytes = vec![0; 400];
    let hmac = |key: &[u8], parts: &[&[u8]]| crypto.sha1_hmac_provider.sha1_hmac(key, parts);
    let length = message
        .to_bytes(Some(password.as_bytes()), &mut bytes, hmac)
        .unwrap();
    bytes.truncate(length);
    bytes
}

#[test]
fn a_restart_of_ice_keeps_the_shard_in_the_name() {
    let mut world = spread(LAN);
    let (a, b) = (world.join(1), world.join(2));
    world.bind(a, 0, 1, Some(b), MIDDLE);
    let mut names = BTreeSet::new();
    for restarts in [false, true, false, true, true] {
        let sdp = world.client(b).offer(1, 0, restarts);
        world.negotiate(b, sdp, true).unwrap();
        let client = &world.clients[&b];
        let ufrag = client.server_ufrag.clone();
        assert!(ufrag.starts_with('1') && ufrag.len() == 17, "{ufrag}");
        let named: BTreeSet<&str> = client
            .answer
            .lines()
            .filter_map(|line| {
                let (_, after) = line.split_once("ufrag")?;
                after.trim_start_matches([':', ' ']).split(' ').next()
            })
            .collect();
        assert_eq!(named, BTreeSet::from([&*ufrag]), "also in the candidates");
        names.insert(ufrag);
        world.run_ms(4_000);
    }
    assert_eq!(names.len(), 4);
    world.forget_received();
    world.run_ms(1_000);
    assert!(world.video(a, 0).len() > 50);
}

#[test]
fn whatever_comes_and_goes_everybody_gets_who_is_bound_and_nothing_is_left() {
    for seed in 1..=6 {
        let mut random = Random(seed);
        let mut world = World::sharded(LAN, seed % 2 == 0, 2 + (seed % 3) as u8, 1);
        world.crossing_delay = Duration::from_millis(random.below(15));
        let mut next = 0;
        let mut generation = 0;
        for _ in 0..60 {
            let ids: Vec<PeerId> = world.clients.keys().copied().collect();
            let some =
                |random: &mut Random| ids.get(random.below(ids.len().max(1) as u64) as usize);
            match random.below(9) {
                0..=2 if ids.len() < 5 => {
                    next += 1;
                    world.join(next);
                }
                3 if ids.len() > 2 => {
                    let who = *some(&mut random).unwrap();
                    world.leave(who);
                }
                4 if ids.len() > 1 && random.below(3) == 0 => {
                    let home = world.home(*some(&mut random).unwrap());
                    let gone = ids.iter().filter(|id| world.home(**id) == home);
                    let gone: Vec<PeerId> = gone.copied().collect();
                    world.restart(home);
                    gone.iter().for_each(|id| drop(world.clients.remove(id)));
                }
                5 if !ids.is_empty() => {
                    let who = *some(&mut random).unwrap();
                    let state = [UplinkState::Live, UplinkState::Muted][random.below(2) as usize];
                    world.set_uplink(who, Source::Camera, state);
                }
                _ => {
                    if let Some((who, whom)) =
                        some(&mut random).copied().zip(some(&mut random).copied())
                    {
                        generation += 1;
                        let slot = random.below(3) as u8;
                        let size = [LARGE, SMALL, None][random.below(3) as usize];
                        world.bind(who, slot, generation, Some(whom), size);
                        world.ready(who, slot, generation);
                    }
                }
            }
            world.run_ms(random.below(400));
        }
        // Now everybody has the next one, and all send.
        let ids: Vec<PeerId> = world.clients.keys().copied().collect();
        for (index, id) in ids.iter().enumerate() {
            generation += 1;
            world.set_uplink(*id, Source::Camera, UplinkState::Live);
            world.bind(
                *id,
                0,
                generation,
                Some(ids[(index + 1) % ids.len()]),
                MIDDLE,
            );
            world.ready(*id, 0, generation);
        }
        world.run_ms(2_000);
        world.forget_received();
        world.run_ms(1_000);
        for (index, id) in ids.iter().enumerate() {
            let from = ids[(index + 1) % ids.len()];
            let seen = world.video(*id, 0);
            assert!(seen.len() > 20, "seed {seed}: {id} sees {from}");
            assert!(seen.iter().all(|got| got.sent.by == from), "seed {seed}");
            assert!(
                world.audio(*id, 0).len() > 30,
                "seed {seed}: {id} hears {from}"
            );
        }
        ids.iter().for_each(|id| world.leave(*id));
        world.run(Duration::from_secs(31));
        nothing_is_left(&world);
        assert_eq!(world.stats().away, 0);
    }
}
