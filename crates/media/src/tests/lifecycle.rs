//! How peers come, stay and go: handshakes, deadlines, restarts of ICE, more slots, faults, and that nothing is left.

use std::time::Duration;

use str0m::ice::{StunMessage, TransId};

use super::network::{LAN, REORDERING};
use super::world::{GROUP, MIDDLE, World, assert_continuous, twice};
use crate::{CloseReason, Event, PeerId, Refusal, Stats};

fn closed(world: &World, peer: PeerId) -> Vec<CloseReason> {
    let reason = |event: &Event| match event {
        Event::Closed {
            group: GROUP,
            peer: of,
            reason,
        } if *of == peer => Some(*reason),
        _ => None,
    };
    world
        .events
        .iter()
        .filter_map(|(_, event)| reason(event))
        .collect()
}

fn sizes(stats: Stats) -> [usize; 7] {
    let Stats {
        peers,
        groups,
        addresses,
        ufrags,
        ssrcs,
        subscriptions,
        timers,
        ..
    } = stats;
    [
        peers,
        groups,
        addresses,
        ufrags,
        ssrcs,
        subscriptions,
        timers,
    ]
}

#[test]
fn two_hundred_joins_and_leaves_leave_nothing_behind() {
    let mut world = World::new(LAN, false);
    let host = world.join(1);
    world.run_ms(200);
    let before = sizes(world.stats());
    for guest in 2..202 {
        let guest = world.join(guest);
        world.bind(host, 0, guest.0 as u32 - 1, Some(guest), MIDDLE);
        world.ready(host, 0, guest.0 as u32 - 1);
        world.bind(guest, 0, 1, Some(host), MIDDLE);
        world.run_ms(60);
        assert_eq!(world.stats().subscriptions, 4);
        if guest.0.is_multiple_of(2) {
            world.leave(guest);
        } else {
            // Gone without a word from the room: the tab was closed.
            let _ = world.client(guest).rtc.close();
            world.wake(guest);
            world.run_ms(10);
            assert_eq!(closed(&world, guest), [CloseReason::ByPeer]);
            world.clients.remove(&guest);
        }
    }
    world.run_ms(200);
    assert_eq!(sizes(world.stats()), before);
    world.assert_continuous_sound("200 people in one slot", host, 0);
    world.leave(host);
    world.run_ms(100);
    assert_eq!(sizes(world.stats()), [0; 7]);
    assert_eq!(world.sfu.poll_timeout(), None, "an empty core sleeps");
    assert_eq!(world.stats().panics, 0);
}

#[test]
fn a_handshake_that_never_ends_is_ended() {
    let mut world = World::new(LAN, false);
    world.network.conditions.loss_per_mille = 1_000;
    let a = world.join_unconnected(1, 1, 0, true);
    world.run(Duration::from_secs(7));
    assert_eq!(closed(&world, a), []);
    world.run(Duration::from_secs(2));
    assert_eq!(closed(&world, a), [CloseReason::HandshakeTimeout]);
    assert_eq!(sizes(world.stats()), [0; 7]);
}

#[test]
fn a_peer_that_falls_silent_is_sent_nothing_after_half_a_minute_and_closed_after_a_whole_one() {
    let mut world = World::new(LAN, false);
    let (a, b) = (world.join(1), world.join(2));
    world.bind(a, 0, 1, Some(b), MIDDLE);
    world.run_ms(1_000);
    world.clients.remove(&a);
    world.run(Duration::from_secs(29));
    assert_eq!(closed(&world, a), []);
    world.run(Duration::from_secs(2));
    let forwarded = world.stats().forwarded_packets;
    world.run(Duration::from_secs(28));
    assert_eq!(world.stats().forwarded_packets, forwarded);
    assert_eq!(closed(&world, a), []);
    world.run(Duration::from_secs(2));
    assert_eq!(closed(&world, a), [CloseReason::Silent]);
    assert_eq!(closed(&world, b), [], "the other one goes on");
}

#[test]
fn an_outage_of_twenty_seconds_is_survived() {
    let mut world = World::new(LAN, false);
    let (a, b) = (world.join(1), world.join(2));
    world.bind(a, 0, 1, Some(b), MIDDLE);
    world.run_ms(1_000);
    world.network.conditions.loss_per_mille = 1_000;
    world.run(Duration::from_secs(20));
    world.network.conditions.loss_per_mille = 0;
    let sdp = world.client(b).offer(0, 0, true);
    world.negotiate(b, sdp, true).unwrap();
    let sdp = world.client(a).offer(0, 0, true);
    world.negotiate(a, sdp, true).unwrap();
    world.run(Duration::from_secs(2));
    world.forget_received();
    world.run(Duration::from_secs(2));
    assert!(world.video(a, 0).len() > 100, "{}", world.video(a, 0).len());
}

#[test]
fn an_ice_restart_keeps_the_media() {
    twice(REORDERING, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.bind(a, 0, 1, Some(b), MIDDLE);
        world.bind(b, 0, 1, Some(a), MIDDLE);
        world.run_ms(1_000);
        let (before, since) = (world.stats(), world.now);
        let sdp = world.client(b).offer(0, 0, true);
        world.negotiate(b, sdp, true).unwrap();
        world.run_ms(3_300);
        for (who, whom) in [(a, b), (b, a)] {
            // The first packets of all may overtake the end of the handshake, which a client cannot read yet.
            let mut later = world.video(who, 0).to_vec();
            later.retain(|got| got.sent.captured > since);
            assert_continuous("over the restart", &later);
            world.assert_continuous_sound("over the restart", who, 0);
            let last = world.video(who, 0).last().unwrap();
            assert_eq!(last.sent.by, whom);
            assert!(world.now - last.at < Duration::from_millis(200));
        }
        let after = world.stats();
        assert_eq!(
            (before.ufrags, before.addresses),
            (after.ufrags, after.addresses)
        );
        assert_eq!(closed(world, b), []);
    });
}

#[test]
fn over_an_ice_restart_the_old_path_is_answered_for_three_seconds() {
    let mut world = World::new(LAN, false);
    let a = world.join(1);
    world.run_ms(500);
    let ufrag = world.clients[&a].server_ufrag.clone();
    let claim = world.sfu.demux.claimed(world.now, &ufrag).unwrap();
    let password = claim.password.to_owned();
    let crypto = str0m::crypto::from_feature_flags();
    let hmac = |key: &[u8], parts: &[&[u8]]| crypto.sha1_hmac_provider.sha1_hmac(key, parts);
    let name = format!("{ufrag}:whoever");
    let check = |world: &mut World| {
        let id = TransId::new();
        let request = StunMessage::binding_request(&name, id, true, 1, 1_000, true);
        let mut bytes = vec![0; 300];
        let length = request
            .to_bytes(Some(password.as_bytes()), &mut bytes, hmac)
            .unwrap();
        let address = world.clients[&a].address;
        let before = world.stats();
        world.datagram(address, &bytes[..length]);
        let after = world.stats();
        (
            after.datagrams_out - before.datagrams_out,
            after.dropped_unauthentic - before.dropped_unauthentic,
        )
    };
    // A client that is gone says nothing else meanwhile, and does not move to the new path.
    let sdp = world.client(a).offer(0, 0, true);
    world.negotiate(a, sdp, true).unwrap();
    let answered = check(&mut world);
    assert_eq!(answered.1, 0);
    assert!(answered.0 >= 1, "{answered:?}");
    world.run_ms(2_900);
    assert_eq!(check(&mut world).1, 0);
    world.run_ms(200);
    assert_eq!(check(&mut world).1, 1, "the old credentials are over");
}

#[test]
fn whoever_renegotiates_all_the_time_is_refused_and_lives_on() {
    let mut world = World::new(LAN, false);
    let (a, b) = (world.join(1), world.join(2));
    world.bind(a, 0, 1, Some(b), MIDDLE);
    world.run_ms(500);
    let sdp = world.client(b).offer(0, 0, true);
    let results: Vec<_> = (0..12)
        .map(|_| world.request(b, sdp.clone(), true))
        .collect();
    assert!(results[..10].iter().all(Result::is_ok), "{results:?}");
    assert_eq!(results[10], Err(Refusal::TooOften));
    world.run_ms(3_000);
    assert!(world.request(b, sdp.clone(), true).is_ok(), "after a pause");
    assert_eq!(closed(&world, b), []);
}

#[test]
fn a_client_that_moves_to_another_address_is_followed() {
    let mut world = World::new(LAN, false);
    let (a, b) = (world.join(1), world.join(2));
    world.bind(a, 0, 1, Some(b), MIDDLE);
    world.run_ms(1_000);
    let moved = std::net::SocketAddr::from(([10, 9, 9, 9], 5_000));
    let client = world.client(b);
    client
        .rtc
        .add_local_candidate(str0m::Candidate::host(moved, "udp").unwrap());
    let old = str0m::Candidate::host(client.address, "udp").unwrap();
    client.rtc.direct_api().invalidate_candidate(&old);
    client.address = moved;
    let sdp = client.offer(0, 0, true);
    world.negotiate(b, sdp, true).unwrap();
    world.run_ms(3_000);
    let last = world.video(a, 0).last().unwrap();
    assert!(world.now - last.at < Duration::from_millis(200));
    assert_eq!(closed(&world, b), []);
}

#[test]
fn more_slots_come_by_a_new_offer_and_the_old_ones_keep_their_identity() {
    twice(LAN, |world| {
        let (a, b, c) = (world.join(1), world.join(2), world.join(3));
        world.bind(a, 0, 1, Some(b), MIDDLE);
        world.run_ms(1_000);
        let streams = |world: &mut World| {
            let slots = world.client(a).slots.clone();
            let peer = world.peer(a);
            slots
                .iter()
                .map(|slot| {
                    let of = |mids: &str| {
                        peer.slots
                            .iter()
                            .flat_map(|known| {
                                [
                                    (&known.mids.audio, &known.audio),
                                    (&known.mids.video, &known.video),
                                ]
                            })
                            .find(|(mid, _)| *mid == mids)
                            .map(|(_, lane)| peer.egress.ssrc(lane.route.unwrap()))
                    };
                    (of(&slot.audio), of(&slot.video))
                })
                .collect::<Vec<_>>()
        };
        let before = streams(world);
        let sdp = world.client(a).offer(19, 0, false);
        world.negotiate(a, sdp, true).unwrap();
        let after = streams(world);
        assert_eq!(after.len(), 27);
        assert_eq!(after[..8], before[..], "SSRCs of the first slots");
        world.bind(a, 26, 1, Some(c), MIDDLE);
        world.run_ms(1_000);
        assert_eq!(world.video(a, 26).last().unwrap().sent.by, c);
        assert!(world.audio(a, 26).len() > 40);
        assert_continuous("the first slot goes on", world.video(a, 0));
        world.assert_continuous_sound("the first slot goes on", a, 0);
        assert!(world.now - world.video(a, 0).last().unwrap().at < Duration::from_millis(200));
    });
}

#[test]
fn a_panic_in_one_engine_costs_one_peer() {
    let mut world = World::new(LAN, false);
    let (a, b, c) = (world.join(1), world.join(2), world.join(3));
    world.bind(a, 0, 1, Some(b), MIDDLE);
    world.bind(a, 1, 1, Some(c), MIDDLE);
    world.run_ms(500);
    world.peer(b).connection.panic();
    world.run_ms(500);
    assert_eq!(closed(&world, b), [CloseReason::Internal]);
    assert_eq!(world.stats().panics, 1);
    world.forget_received();
    world.run_ms(500);
    assert!(world.video(a, 0).is_empty());
    assert!(!world.video(a, 1).is_empty());
    assert_eq!(closed(&world, a), []);
}

#[test]
fn somebody_who_comes_back_gets_a_new_connection_and_keeps_the_label() {
    twice(LAN, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.bind(a, 0, 1, Some(b), MIDDLE);
        world.run_ms(1_000);
        world.leave(b);
        world.run_ms(500);
        let again = world.join(3);
        world.bind(a, 0, 1, Some(again), MIDDLE);
        world.run_ms(1_000);
        assert_eq!(world.video(a, 0).last().unwrap().sent.by, again);
        assert_continuous("over the reconnect", world.video(a, 0));
        let starts = world
            .events
            .iter()
            .filter(|(_, event)| matches!(event, Event::SlotStarted { .. }))
            .count();
        assert_eq!(starts, 1, "the same generation starts once");
    });
}

#[test]
fn offers_for_peers_that_are_there_or_are_not_are_refused() {
    let mut world = World::new(LAN, false);
    let a = world.join(1);
    let sdp = world.client(a).offer(1, 0, false);
    assert_eq!(
        world.negotiate(a, sdp.clone(), false),
        Err(Refusal::PeerExists)
    );
    world.command(crate::Command::Remove { peer: a });
    assert_eq!(world.negotiate(a, sdp, true), Err(Refusal::UnknownPeer));
}

#[test]
fn the_cipher_is_aes_gcm_and_the_version_is_1_2() {
    let mut world = World::new(LAN, false);
    let a = world.join(1);
    let version = world.client(a).rtc.direct_api().dtls_protocol_version();
    assert_eq!(version, Some(str0m::crypto::dtls::ProtocolVersion::DTLS1_2));
}
