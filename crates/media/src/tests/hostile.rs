//! What must not work: offers that make no sense, garbage on the port, and addresses that nobody has proven.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use str0m::ice::{StunMessage, TransId};

use super::client::{Client, Kind};
use super::network::{LAN, Random};
use super::world::{GROUP, MIDDLE, World};
use crate::clock::SenderClock;
use crate::egress::PassedOn;
use crate::packet::Incoming;
use crate::uplink::Uplink;
use crate::{
    CloseReason, Event, Negotiate, PeerId, Refusal, RequestId, SlotKind, SlotMids, Source,
    VideoCodec,
};

/// A good request to be spoilt.
fn request(world: &World) -> Negotiate {
    let mut client = Client::new(PeerId(7), world.now, Kind::default());
    let sdp = client.offer(2, 1, false);
    Negotiate {
        peer: PeerId(7),
        group: GROUP,
        request: RequestId(1_000),
        sdp,
        uplink: client.uplink,
        slots: client.slots,
        renegotiate: false,
        with: vec![],
    }
}

fn offer(world: &mut World, request: Negotiate) -> Result<String, Refusal> {
    world.sfu.handle_input(
        world.now,
        crate::Input::Command(crate::Command::Negotiate(Box::new(request))),
    );
    loop {
        match world.sfu.poll_output().expect("an answer") {
            crate::Output::Event(Event::Negotiated { result, .. }) => return result,
            _ => continue,
        }
    }
}

type Spoil = fn(&mut Negotiate);

#[test]
fn hostile_offers_are_refused_and_leave_nothing_behind() {
    let mut world = World::new(LAN, false);
    let table: &[(&str, Spoil, &str)] = &[
        ("empty", |r| r.sdp.clear(), "no fingerprint"),
        (
            "not SDP",
            |r| r.sdp = "a=fingerprint:sha-256 AA\r\n\0\0\0".into(),
            "named but not in the offer",
        ),
        (
            "too large",
            |r| r.sdp.push_str(&"a=x\r\n".repeat(60_000)),
            "bytes long",
        ),
        (
            "too many sections",
            |r| {
                r.sdp
                    .push_str(&"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(64))
            },
            "sections",
        ),
        (
            "too many candidates",
            |r| {
                r.sdp
                    .push_str(&"a=candidate:1 1 udp 1 10.0.0.1 1 typ host\r\n".repeat(65))
            },
            "candidates",
        ),
        (
            "payload type 128",
            |r| {
                r.sdp = r
                    .sdp
                    .replacen("a=rtpmap:", "a=rtpmap:128 x/90000\r\na=rtpmap:", 1)
            },
            "payload",
        ),
        (
            "payload type in the m-line",
            |r| r.sdp = r.sdp.replacen("SAVPF ", "SAVPF 250 ", 1),
            "payload",
        ),
        (
            "negative payload type",
            |r| r.sdp = r.sdp.replacen("a=fmtp:", "a=fmtp:-1 x=1\r\na=fmtp:", 1),
            "payload",
        ),
        (
            "associated payload type",
            |r| r.sdp = r.sdp.replacen("apt=", "apt=999;x=", 1),
            "payload",
        ),
        (
            "no fingerprint",
            |r| r.sdp = r.sdp.replace("a=fingerprint:", "a=x:"),
            "no fingerprint",
        ),
        (
            "SHA-1 only",
            |r| {
                r.sdp = r
                    .sdp
                    .replace("a=fingerprint:sha-256", "a=fingerprint:sha-1")
            },
            "not SHA-256",
        ),
        (
            "no role left",
            |r| r.sdp = r.sdp.replace("a=setup:actpass", "a=setup:passive"),
            "DTLS role",
        ),
        (
            "ICE-lite",
            |r| r.sdp = r.sdp.replacen("m=", "a=ice-lite\r\nm=", 1),
            "ICE-lite",
        ),
        (
            "no ICE password",
            |r| r.sdp = r.sdp.replace("a=ice-pwd:", "a=x:"),
            "engine",
        ),
        (
            "no bundle",
            |r| r.sdp = r.sdp.replace("a=group:", "a=x:"),
            "engine",
        ),
        (
            "a mid that is not there",
            |r| r.uplink.camera = "zzz".into(),
            "not in the offer",
        ),
        (
            "a mid named twice",
            |r| r.slots[0].audio = r.uplink.microphone.clone(),
            "named twice",
        ),
        (
            "kinds swapped",
            |r| {
                let s = &mut r.slots[0];
                std::mem::swap(&mut s.audio, &mut s.video)
            },
            "wrong kind",
        ),
        (
            "a slot that sends",
            |r| r.sdp = r.sdp.replacen("a=recvonly", "a=sendonly", 1),
            "direction",
        ),
        (
            "an uplink that receives",
            |r| r.sdp = r.sdp.replacen("a=sendonly", "a=recvonly", 1),
            "direction",
        ),
        (
            "both ways",
            |r| r.sdp = r.sdp.replacen("a=sendonly", "a=sendrecv", 1),
            "direction",
        ),
        (
            "a stray section",
            |r| {
                r.slots.pop();
            },
            "not named",
        ),
        (
            "strange layers",
            |r| r.sdp = r.sdp.replace("a=rid:q", "a=rid:x"),
            "layers",
        ),
        (
            "a layer twice",
            |r| r.sdp = r.sdp.replace("a=rid:q", "a=rid:h"),
            "layers",
        ),
        (
            "a mid twice",
            |r| {
                let m = format!("a=mid:{}", r.slots[0].audio);
                r.sdp = r.sdp.replace(&m, &format!("a=mid:{}", r.slots[1].audio));
            },
            "twice",
        ),
        (
            "a long mid",
            |r| r.sdp = r.sdp.replacen("a=mid:", "a=mid:aaaaaaaaaaaaaaaaaaaa", 1),
            "no usable mid",
        ),
        (
            "a mid with spaces",
            |r| r.sdp = r.sdp.replacen("a=mid:", "a=mid:a b", 1),
            "no usable mid",
        ),
        (
            "a data channel",
            |r| {
                r.sdp.push_str("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:dd\r\na=sctp-port:5000\r\n")
            },
            "not named",
        ),
    ];
    for (description, spoil, expected) in table {
        let mut request = request(&world);
        spoil(&mut request);
        let refusal = offer(&mut world, request)
            .expect_err(description)
            .to_string();
        assert!(refusal.contains(expected), "{description}: {refusal}");
        assert_eq!(
            (world.stats().peers, world.stats().ufrags),
            (0, 0),
            "{description}"
        );
    }
    let good = request(&world);
    assert!(
        offer(&mut world, good).is_ok(),
        "and the unspoilt one is answered"
    );
}

#[test]
fn offers_cut_and_scrambled_anywhere_never_panic() {
    let mut world = World::new(LAN, false);
    let mut random = Random(3);
    let good = request(&world);
    for _ in 0..400 {
        let mut request = good.clone();
        let mut bytes = request.sdp.into_bytes();
        match random.below(3) {
            0 => bytes.truncate(random.below(bytes.len() as u64) as usize),
            1 => {
                for _ in 0..random.below(20) + 1 {
                    let at = random.below(bytes.len() as u64) as usize;
                    bytes[at] = random.below(128) as u8;
                }
            }
            _ => {
                let text = String::from_utf8(bytes).unwrap();
                let mut lines: Vec<&str> = text.lines().collect();
                for _ in 0..5 {
                    let (a, b) = (
                        random.below(lines.len() as u64),
                        random.below(lines.len() as u64),
                    );
                    lines.swap(a as usize, b as usize);
                }
                bytes = lines.join("\r\n").into_bytes();
            }
        }
        request.sdp = String::from_utf8_lossy(&bytes).into_owned();
        if offer(&mut world, request).is_ok() {
            world.command(crate::Command::Remove { peer: PeerId(7) });
        }
    }
    let stats = world.stats();
    assert_eq!((stats.panics, stats.peers, stats.ufrags), (0, 0, 0));
}

#[test]
fn slots_and_sources_of_an_earlier_offer_cannot_move() {
    let mut world = World::new(LAN, false);
    let a = world.join(1);
    let sdp = world.client(a).offer(1, 0, false);
    let good = Negotiate {
        peer: a,
        group: GROUP,
        request: RequestId(1_000),
        sdp,
        uplink: world.client(a).uplink.clone(),
        slots: world.client(a).slots.clone(),
        renegotiate: true,
        with: vec![],
    };
    let table: &[(&str, Spoil, &str)] = &[
        ("slots swapped", |r| r.slots.swap(0, 1), "not the first"),
        ("slots missing", |r| r.slots.truncate(3), "not the first"),
        (
            "another kind",
            |r| r.slots[0].kind = SlotKind::Screen,
            "not the first",
        ),
        (
            "sources swapped",
            |r| std::mem::swap(&mut r.uplink.camera, &mut r.uplink.screen),
            "moved",
        ),
    ];
    for (description, spoil, expected) in table {
        let mut request = good.clone();
        spoil(&mut request);
        let refusal = offer(&mut world, request)
            .expect_err(description)
            .to_string();
        assert!(refusal.contains(expected), "{description}: {refusal}");
    }
    assert!(offer(&mut world, good).is_ok());
}

#[test]
fn the_answer_for_the_most_slots_is_right() {
    let mut world = World::new(LAN, false);
    let mut client = Client::new(PeerId(7), world.now, Kind::default());
    let sdp = client.offer(25, 2, false);
    let request = Negotiate {
        peer: PeerId(7),
        group: GROUP,
        request: RequestId(1),
        sdp: sdp.clone(),
        uplink: client.uplink.clone(),
        slots: client.slots.clone(),
        renegotiate: false,
        with: vec![],
    };
    let answer = offer(&mut world, request).unwrap();
    let sections: Vec<&str> = answer.split("\r\nm=").skip(1).collect();
    assert_eq!(sections.len(), 58);
    let mids = |sdp: &str| -> Vec<String> {
        sdp.lines()
            .filter_map(|line| line.strip_prefix("a=mid:"))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(mids(&answer), mids(&sdp), "same sections, same order");
    let value = |section: &str, name: &str| -> Vec<String> {
        section
            .lines()
            .filter_map(|line| line.strip_prefix(name))
            .map(str::to_owned)
            .collect()
    };
    let mut ssrcs = vec![];
    for section in &sections {
        let mid = value(section, "a=mid:").remove(0);
        let slot = client
            .slots
            .iter()
            .position(|SlotMids { audio, video, .. }| *audio == mid || *video == mid);
        let is_video = section.starts_with("video");
        assert_eq!(
            section.contains("\r\na=sendonly"),
            slot.is_some(),
            "{section}"
        );
        assert_eq!(
            section.contains("\r\na=recvonly"),
            slot.is_none(),
            "{section}"
        );
        assert!(section.contains("\r\na=setup:passive"));
        let codecs: Vec<String> = value(section, "a=rtpmap:");
        let names: Vec<&str> = codecs
            .iter()
            .filter_map(|codec| codec.split([' ', '/']).nth(1))
            .collect();
        let expected: &[&str] = if is_video { &["VP8", "rtx"] } else { &["opus"] };
        assert_eq!(
            names.iter().map(|n| n.to_lowercase()).collect::<Vec<_>>(),
            expected
                .iter()
                .map(|n| n.to_lowercase())
                .collect::<Vec<_>>()
        );
        if is_video {
            let feedback = value(section, "a=rtcp-fb:").join(" ");
            assert!(
                ["nack pli", "transport-cc"]
                    .iter()
                    .all(|kind| feedback.contains(kind)),
                "{feedback}"
            );
        }
        assert!(
            value(section, "a=extmap:")
                .iter()
                .any(|ext| ext.ends_with("sdes:mid")),
            "{section}"
        );
        if let Some(slot) = slot {
            assert!(
                value(section, "a=msid:")[0].starts_with(&format!("slot{slot} ")),
                "{section}"
            );
            ssrcs.extend(
                value(section, "a=ssrc:")
                    .iter()
                    .filter(|line| line.contains(" cname:"))
                    .cloned(),
            );
        }
    }
    let distinct: std::collections::BTreeSet<&str> = ssrcs
        .iter()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(
        distinct.len(),
        27 * 3,
        "one SSRC per audio, two per video section"
    );
    client.answered(&answer);
}

#[test]
fn garbage_on_the_port_is_counted_and_dropped() {
    let mut world = World::new(LAN, false);
    let (a, b) = (world.join(1), world.join(2));
    world.bind(a, 0, 1, Some(b), MIDDLE);
    world.run_ms(500);
    let before = world.stats();
    let mut random = Random(5);
    let stranger = SocketAddr::from(([198, 51, 100, 1], 9));
    let known = world.clients[&b].address;
    for round in 0..3_000 {
        let length = random.below(300) as usize;
        let mut bytes = random.bytes(length);
        if let Some(first) = bytes.first_mut() {
            // Every kind by its first byte: STUN, DTLS, RTP and RTCP, and what is none of them.
            *first = [0, 1, 20, 22, 63, 128, 144, 255][round % 8];
        }
        world.datagram(if round % 3 == 0 { known } else { stranger }, &bytes);
        if round % 300 == 0 {
            world.run_ms(1_000);
        }
    }
    let after = world.stats();
    assert!(after.dropped_malformed > before.dropped_malformed);
    assert!(after.dropped_unknown_address > before.dropped_unknown_address);
    assert_eq!(
        (after.addresses, after.peers, after.panics),
        (before.addresses, 2, 0)
    );
    world.forget_received();
    world.run_ms(1_000);
    assert!(world.video(a, 0).len() > 50, "the call goes on");
}

#[test]
fn stun_without_the_right_password_binds_no_address() {
    let mut world = World::new(LAN, false);
    let (a, b) = (world.join(1), world.join(2));
    world.bind(a, 0, 1, Some(b), MIDDLE);
    world.run_ms(500);
    let ufrag = world.clients[&a].server_ufrag.clone();
    let password = world
        .sfu
        .demux
        .claimed(world.now, &ufrag)
        .unwrap()
        .password
        .to_owned();
    let remote = world
        .client(a)
        .rtc
        .direct_api()
        .local_ice_credentials()
        .ufrag;
    let thief = SocketAddr::from(([198, 51, 100, 1], 9));
    let crypto = str0m::crypto::from_feature_flags();
    let request = |username: &str, password: &str| {
        let message = StunMessage::binding_request(username, TransId::new(), true, 1, 1_000, true);
        let mut bytes = vec![0; 300];
        let hmac = |key: &[u8], parts: &[&[u8]]| crypto.sha1_hmac_provider.sha1_hmac(key, parts);
        let length = message
            .to_bytes(Some(password.as_bytes()), &mut bytes, hmac)
            .unwrap();
        bytes.truncate(length);
        bytes
    };
    let before = world.stats();
    let name = format!("{ufrag}:{remote}");
    for (description, bytes) in [
        ("wrong password", request(&name, "not the password at all")),
        ("empty password", request(&name, "")),
        (
            "nobody's fragment",
            request(&format!("nobody:{remote}"), &password),
        ),
        (
            "fragments swapped",
            request(&format!("{remote}:{ufrag}"), &password),
        ),
    ] {
        world.datagram(thief, &bytes);
        world.run_ms(50);
        assert_eq!(world.stats().addresses, before.addresses, "{description}");
    }
    assert_eq!(
        world.stats().dropped_unauthentic,
        before.dropped_unauthentic + 4
    );
    world.forget_received();
    world.run_ms(500);
    assert!(
        world.video(a, 0).len() > 20,
        "media still goes to its owner"
    );
    world.datagram(thief, &request(&name, &password));
    assert_eq!(
        world.stats().addresses,
        before.addresses + 1,
        "the test's requests are good ones"
    );
}

#[test]
fn checks_that_somebody_else_sends_again_do_not_cut_off_who_sent_them() {
    let mut world = World::new(LAN, false);
    let (a, b) = (world.join(1), world.join(2));
    world.bind(b, 0, 1, Some(a), MIDDLE);
    world.run_ms(1_000);
    let ufrag = world.clients[&a].server_ufrag.clone();
    let claim = world.sfu.demux.claimed(world.now, &ufrag).unwrap();
    let password = claim.password.to_owned();
    let crypto = str0m::crypto::from_feature_flags();
    let hmac = |key: &[u8], parts: &[&[u8]]| crypto.sha1_hmac_provider.sha1_hmac(key, parts);
    let name = format!("{ufrag}:seen");
    let seen = StunMessage::binding_request(&name, TransId::new(), true, 1, 1_000, true);
    let mut bytes = vec![0; 300];
    let length = seen.to_bytes(Some(password.as_bytes()), &mut bytes, hmac);
    bytes.truncate(length.unwrap());
    let address = world.clients[&a].address;
    for round in 0..40u16 {
        for port in 1..=10 {
            let other = SocketAddr::from(([198, 51, 100, 1], 100 * round + port));
            world.datagram(other, &bytes);
        }
        let owner = world.sfu.demux.by_address(crate::Transport::Udp, address);
        assert_eq!(owner, Some(a), "round {round}");
        world.run_ms(20);
    }
    let dropped = world.stats().dropped_unknown_address;
    assert_eq!(dropped, 0, "of what it sends");
}

#[test]
fn pictures_of_another_size_each_time_do_not_make_everybody_choose_anew_each_time() {
    let start = World::new(LAN, false).now;
    let mut uplink = Uplink::new(Source::Camera, &[]);
    let mut choices = 0;
    for number in 0..3_000u64 {
        let mut payload = vec![0x10, 0, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0];
        payload[7] = number as u8;
        let incoming = Incoming {
            ssrc: 1,
            payload_type: 96,
            sequence: number,
            timestamp: 3_000 * number as u32,
            arrived: start + Duration::from_millis(number),
            marker: true,
            extensions: PassedOn::default(),
            descriptor: None,
            payload: payload.into(),
        };
        let packet = uplink.read(
            PeerId(1),
            0,
            VideoCodec::Vp8,
            &incoming,
            &SenderClock::default(),
        );
        let (packet, _) = packet.expect("a packet that makes sense");
        assert!(packet.starts_keyframe());
        let (is_news, _) = uplink.take_in(&Arc::new(packet));
        choices += usize::from(is_news);
    }
    assert!((1..=30).contains(&choices), "{choices}");
}

#[test]
fn a_flood_is_dropped_and_its_peer_closed() {
    let mut world = World::new(LAN, false);
    let (a, b) = (world.join(1), world.join(2));
    let address = world.clients[&b].address;
    let bytes = [&[0x80, 96][..], &[7; 1_000]].concat();
    for _ in 0..13 {
        for _ in 0..1_500 {
            world.datagram(address, &bytes);
        }
        world.run_ms(1_000);
    }
    assert!(world.stats().dropped_over_limit > 3_000);
    let closed = |peer| {
        let closed = Event::Closed {
            group: GROUP,
            peer,
            reason: CloseReason::TooMuch,
        };
        world.events.iter().any(|(_, event)| *event == closed)
    };
    assert!(closed(b) && !closed(a));
}
