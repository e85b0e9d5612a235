//! Networks that let no UDP through: the same calls over TCP, beside people over UDP, and from one to the other and back.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use str0m::ice::{StunMessage, TransId};

use super::client::candidate;
use super::network::{LAN, LOSSY, REORDERING};
use super::world::{LARGE, MIDDLE, SERVER, World, assert_continuous, twice};
use crate::{Event, PathKind, PeerId, Transport};

/// Of the newest measurement of this peer.
fn path(world: &World, of: PeerId) -> Option<PathKind> {
    let mut newest_first = world.events.iter().rev();
    newest_first.find_map(|(_, event)| match event {
        Event::Measured { peer, quality, .. } if *peer == of => Some(quality.path),
        _ => None,
    })
}

fn assert_goes_on(world: &World, who: PeerId, whom: PeerId) {
    let last = world.video(who, 0).last().expect("a picture");
    assert_eq!(last.sent.by, whom);
    assert!(world.now - last.at < Duration::from_millis(300));
    let last = world.audio(who, 0).last().expect("sound");
    assert!(world.now - last.at < Duration::from_millis(300));
}

#[test]
fn two_people_see_and_hear_each_other_over_tcp_alone() {
    for (conditions, least_bps) in [(LAN, 500_000), (LOSSY, 200_000)] {
        twice(conditions, |world| {
            world.network.without_udp = BTreeSet::from([SocketAddr::from(SERVER).ip()]);
            world.transport = Transport::Tcp;
            let (a, b) = (world.join(1), world.join(2));
            world.bind(a, 0, 1, Some(b), LARGE);
            world.bind(b, 0, 1, Some(a), MIDDLE);
            world.run_ms(11_000);
            for (who, whom) in [(a, b), (b, a)] {
                assert_continuous("over TCP", world.video(who, 0));
                world.assert_continuous_sound("over TCP", who, 0);
                assert_goes_on(world, who, whom);
                assert_eq!(path(world, who), Some(PathKind::TcpV4));
                let bandwidth = world.peer(who).egress.bandwidth.as_ref();
                let estimate = bandwidth.map(|bandwidth| bandwidth.estimate_bps());
                assert!(estimate > Some(least_bps), "{estimate:?}");
            }
            assert_eq!(world.stats().panics, 0);
        });
    }
}

#[test]
fn people_over_udp_and_over_tcp_meet_in_one_room() {
    twice(REORDERING, |world| {
        let a = world.join(1);
        world.transport = Transport::Tcp;
        let (b, c) = (world.join(2), world.join(3));
        world.bind(a, 0, 1, Some(b), MIDDLE);
        world.bind(b, 0, 1, Some(c), MIDDLE);
        world.bind(c, 0, 1, Some(a), MIDDLE);
        world.run_ms(11_000);
        let paths = [PathKind::UdpV4, PathKind::TcpV4, PathKind::TcpV4];
        for ((who, whom), expected) in [(a, b), (b, c), (c, a)].into_iter().zip(paths) {
            assert_continuous("mixed", world.video(who, 0));
            assert_goes_on(world, who, whom);
            assert_eq!(path(world, who), Some(expected));
        }
    });
}

#[test]
fn an_ice_restart_leads_to_tcp_when_udp_is_blocked_and_back_when_it_is_not() {
    twice(LAN, |world| {
        let (a, b) = (world.join(1), world.join(2));
        world.bind(a, 0, 1, Some(b), MIDDLE);
        world.bind(b, 0, 1, Some(a), MIDDLE);
        world.run_ms(1_000);
        let udp = world.clients[&b].address;
        let mut over_tcp = candidate(Transport::Tcp, udp);
        for expected in [Transport::Tcp, Transport::Udp] {
            let is_blocked = expected == Transport::Tcp;
            // Browsers make a new connection after a restart, from another port.
            let at = SocketAddr::new(udp.ip(), udp.port() + 1 + u16::from(is_blocked));
            world.network.without_udp = is_blocked.then_some(udp.ip()).into_iter().collect();
            let client = world.client(b);
            client.rtc.direct_api().invalidate_candidate(&over_tcp);
            over_tcp = candidate(Transport::Tcp, at);
            client.rtc.add_local_candidate(over_tcp.clone());
            client.tcp_address = Some(at);
            let sdp = client.offer(0, 0, true);
            world.negotiate(b, sdp, true).unwrap();
            world.run_ms(12_000);
            assert_goes_on(world, a, b);
            assert_goes_on(world, b, a);
            for (peer, transport) in [(a, Transport::Udp), (b, expected)] {
                let path = world.peer(peer).egress.paths.current();
                assert_eq!(path.map(|path| path.transport), Some(transport));
            }
        }
    });
}

#[test]
fn an_answer_names_udp_first_and_tcp_with_less_weight() {
    let mut world = World::new(LAN, false);
    let a = world.join(1);
    let candidates: Vec<Vec<&str>> = world.clients[&a]
        .answer
        .lines()
        .filter_map(|line| line.strip_prefix("a=candidate:"))
        .map(|line| line.split(' ').collect())
        .take(2)
        .collect();
    let [udp, tcp] = &candidates[..] else {
        panic!("{candidates:?}")
    };
    let priority = |fields: &[&str]| fields[3].parse::<u32>().unwrap();
    assert_eq!((udp[2], tcp[2]), ("udp", "tcp"));
    assert_eq!(udp[4..6], tcp[4..6]);
    assert!(
        tcp.windows(2).any(|pair| pair == ["tcptype", "passive"]),
        "{tcp:?}"
    );
    assert!(priority(tcp) < priority(udp));
}

#[test]
fn an_address_is_proven_over_tcp_as_over_udp_and_for_that_alone() {
    let mut world = World::new(LAN, false);
    let (a, b) = (world.join(1), world.join(2));
    world.bind(a, 0, 1, Some(b), MIDDLE);
    world.run_ms(500);
    let known = world.clients[&b].address;
    let before = world.stats();
    // It has proven its address over UDP.
    world.frame(
        Transport::Tcp,
        known,
        &[128, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7],
    );
    let ufrag = world.clients[&a].server_ufrag.clone();
    let claim = world.sfu.demux.claimed(world.now, &ufrag).unwrap();
    let password = claim.password.to_owned();
    let crypto = str0m::crypto::from_feature_flags();
    let hmac = |key: &[u8], parts: &[&[u8]]| crypto.sha1_hmac_provider.sha1_hmac(key, parts);
    let check = |password: &str| {
        let name = format!("{ufrag}:whoever");
        let request = StunMessage::binding_request(&name, TransId::new(), true, 1, 1_000, true);
        let mut bytes = vec![0; 300];
        let length = request.to_bytes(Some(password.as_bytes()), &mut bytes, hmac);
        bytes.truncate(length.unwrap());
        bytes
    };
    let stranger = SocketAddr::from(([198, 51, 100, 1], 9));
    world.frame(Transport::Tcp, stranger, &check("not the password at all"));
    world.frame(
        Transport::Tcp,
        stranger,
        &[128, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7],
    );
    let after = world.stats();
    assert_eq!(after.addresses, before.addresses);
    assert_eq!(after.dropped_unauthentic, before.dropped_unauthentic + 1);
    assert!(after.dropped_unknown_address > before.dropped_unknown_address);
    world.frame(Transport::Tcp, stranger, &check(&password));
    assert_eq!(world.stats().addresses, before.addresses + 1);
}
