//! One subscriber's egress by itself: what leaves when, what is sent again and how much, and what a hostile receiver
//! can make of it. That a real client understands it is what all the calls show.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::crypto::dtls::SrtpProfile;

use super::network::Random;
use crate::batch::{Batch, Path};
use crate::codec::Temporal;
use crate::egress::keys::Keys;
use crate::egress::srtp::Srtp;
use crate::egress::{Egress, Extensions, PassedOn, Retransmission, Route, Section};
use crate::packet::Packet;
use crate::rewriter::{Arrival, Origin, Pictures, Rewritten};
use crate::{PeerId, Source, Transport, VideoCodec};

const VIDEO: u32 = 10;
const AGAIN: u32 = 11;
const AUDIO: u32 = 20;

/// An egress, and the client at the other end of it.
struct Line {
    egress: Egress,
    client: Srtp,
    client_index: u32,
    path: Path,
    video: Route,
    audio: Route,
    now: Instant,
    next: u64,
}

/// The clear part of a packet that left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    ssrc: u32,
    sequence: u16,
    payload_type: u8,
    bytes: usize,
}

impl Line {
    #[allow(
        clippy::disallowed_methods,
        reason = "one arbitrary instant to count from"
    )]
    fn new(profile: SrtpProfile) -> Self {
        let now = Instant::now();
        let crypto = str0m::crypto::from_feature_flags();
        let keys = |is_client| Keys {
            profile,
            material: (0..profile.keying_material_len() as u8).collect(),
            is_client,
        };
        let mut egress = Egress::new(now);
        egress.set_keys(&crypto, &keys(false));
        let path = Path {
            transport: Transport::Udp,
            source: SocketAddr::from(([192, 0, 2, 1], 1)),
            destination: SocketAddr::from(([192, 0, 2, 2], 2)),
        };
        egress.paths.engine_uses(now, path);
        let section = |mid: &str, ssrc, again| Section {
            mid: mid.into(),
            cname: "cname".into(),
            ssrc,
            payload_type: 96,
            retransmission: again,
            other: None,
            redundancy: None,
            extensions: Extensions {
                mid: Some(4),
                transport_cc: Some(3),
                ..Extensions::default()
            },
            clock_rate: 90_000,
        };
        let again = Retransmission {
            ssrc: AGAIN,
            payload_type: 97,
        };
        Self {
            video: egress.open(section("v", VIDEO, Some(again))),
            audio: egress.open(section("a", AUDIO, None)),
            egress,
            client: Srtp::new(&crypto, &keys(true)).unwrap(),
            client_index: 0,
            path,
            now,
            next: 1,
        }
    }

    fn packet(&self, source: Source, bytes: usize) -> Arc<Packet> {
        let payload: Arc<[u8]> = [&[0x90, 0x80, 0x80, 1, 1][..], &vec![7; bytes - 5]]
            .concat()
            .into();
        Arc::new(Packet {
            source,
            layer: 0,
            arrival: Arrival {
                origin: Origin {
                    peer: PeerId(1),
                    ssrc: 1,
                },
                sequence: self.next,
                timestamp: 0,
                captured: self.now,
                pictures: Pictures::default(),
                temporal: Temporal::default(),
                spatial: None,
                starts_picture: false,
            },
            arrived: self.now,
            marker: false,
            payload,
            encrypted: false,
            before: vec![],
            codec: VideoCodec::Vp8,
            begins: 0,
            sizes: Box::default(),
            extensions: PassedOn::default(),
            descriptor: None,
        })
    }

    fn numbers(sequence: u64) -> Rewritten {
        Rewritten {
            sequence,
            timestamp: 3_000,
            pictures: Pictures::default(),
            first: false,
            ends_picture: false,
            is_blank: false,
        }
    }

    /// Puts so many packets of video into the queue.
    fn frame(&mut self, packets: u64, bytes: usize) {
        for _ in 0..packets {
            let packet = self.packet(Source::Camera, bytes);
            self.egress
                .enqueue(self.now, self.video, &packet, Self::numbers(self.next));
            self.next += 1;
        }
    }

    fn flush(&mut self) -> Batch {
        let mut batch = Batch::default();
        self.egress.flush(self.now, &mut batch);
        batch
    }

    fn left(&mut self) -> Vec<Left> {
        left(&self.flush())
    }

    fn wait(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    /// Until the queue is empty.
    fn drain(&mut self) -> Vec<Left> {
        self.drain_for(2_000)
    }

    fn drain_for(&mut self, ms: u64) -> Vec<Left> {
        let mut all = self.left();
        for _ in 0..ms {
            self.wait(1);
            all.extend(self.left());
        }
        all
    }

    /// The client sends these RTCP packets. True when they were understood.
    fn say(&mut self, rtcp: &[u8]) -> Option<crate::egress::Heard> {
        let mut datagram = rtcp.to_vec();
        let ssrc = u32::from_be_bytes(rtcp[4..8].try_into().unwrap());
        self.client_index += 1;
        self.client
            .seal_rtcp(&mut datagram, 0, ssrc, self.client_index)
            .unwrap();
        self.egress.receive(self.now, self.path, &datagram)
    }

    /// Sequence numbers and the sixteen behind each.
    fn ask(&mut self, entries: &[(u16, u16)]) {
        let mut rtcp = vec![0x81, 205, 0, 2 + entries.len() as u8, 0, 0, 0, 99];
        rtcp.extend(VIDEO.to_be_bytes());
        for (first, others) in entries {
            rtcp.extend(first.to_be_bytes());
            rtcp.extend(others.to_be_bytes());
        }
        assert!(self.say(&rtcp).is_some());
    }
}

fn is_rtcp(datagram: &[u8]) -> bool {
    (192..=223).contains(&datagram[1])
}

fn is_padding(datagram: &[u8]) -> bool {
    !is_rtcp(datagram) && datagram[0] & 0x20 != 0
}

fn left(batch: &Batch) -> Vec<Left> {
    let datagrams = batch
        .runs()
        .flat_map(|run| run.datagrams().collect::<Vec<_>>());
    datagrams
        .filter(|datagram| !is_rtcp(datagram) && !is_padding(datagram))
        .map(|datagram| Left {
            ssrc: u32::from_be_bytes(datagram[8..12].try_into().unwrap()),
            sequence: u16::from_be_bytes(datagram[2..4].try_into().unwrap()),
            payload_type: datagram[1] & 0x7f,
            bytes: datagram.len(),
        })
        .collect()
}

fn of(packets: &[Left], ssrc: u32) -> Vec<u16> {
    packets
        .iter()
        .filter(|left| left.ssrc == ssrc)
        .map(|left| left.sequence)
        .collect()
}

#[test]
fn a_frame_leaves_as_one_run_and_sound_before_it() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    line.frame(6, 1_100);
    let sound = line.packet(Source::Microphone, 60);
    line.egress
        .enqueue(line.now, line.audio, &sound, Line::numbers(1));
    let batch = line.flush();
    let runs: Vec<(u32, usize)> = batch
        .runs()
        .map(|run| {
            let first = run.datagrams().next().unwrap();
            let ssrc = u32::from_be_bytes(first[8..12].try_into().unwrap());
            (
                ssrc,
                run.datagrams()
                    .filter(|one| !is_rtcp(one) && !is_padding(one))
                    .count(),
            )
        })
        .filter(|(_, media)| *media > 0)
        .collect();
    assert_eq!(runs, [(AUDIO, 1), (VIDEO, 6)]);
}

#[test]
fn nothing_is_sealed_twice_under_one_number() {
    for profile in [
        SrtpProfile::AES128_CM_SHA1_80,
        SrtpProfile::AEAD_AES_128_GCM,
        SrtpProfile::AEAD_AES_256_GCM,
    ] {
        let mut line = Line::new(profile);
        let packet = line.packet(Source::Camera, 500);
        for sequence in [1, 2, 2, 5, 1, 3, 65_540, 5, 65_530] {
            line.egress
                .enqueue(line.now, line.video, &packet, Line::numbers(sequence));
        }
        assert_eq!(of(&line.drain(), VIDEO), [1, 2, 5, 3, 4, 65_530]);
    }
}

#[test]
fn what_is_missing_comes_again_in_the_stream_for_that() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_128_GCM);
    line.frame(8, 1_000);
    let first = line.drain();
    assert_eq!(of(&first, VIDEO), [1, 2, 3, 4, 5, 6, 7, 8]);
    line.frame(9, 1_000);
    line.left();
    line.ask(&[(10, 0b101)]);
    let again = line.drain();
    let numbers = of(&again, AGAIN);
    assert_eq!(numbers.len(), 3);
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    assert!(again.iter().all(|left| left.payload_type == 97));
    assert_eq!(
        again[0].bytes,
        first[0].bytes + 2,
        "the number it had, in front"
    );
    line.ask(&[(1, 0)]);
    assert_eq!(line.drain(), [], "too old");
    line.ask(&[(500, 0xffff)]);
    assert_eq!(line.drain(), [], "never sent");
}

#[test]
fn a_packet_is_not_sent_again_while_the_last_attempt_may_be_on_its_way() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    line.frame(3, 1_000);
    line.left();
    for (wait, expected) in [(100, 1), (5, 0), (30, 0), (60, 1)] {
        line.wait(wait);
        line.ask(&[(2, 0)]);
        let again = of(&line.left(), AGAIN);
        assert_eq!(again.len(), expected, "after {wait} ms more");
    }
}

#[test]
fn a_receiver_that_asks_for_everything_gets_a_bounded_share() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    let (mut sent, mut again) = (0, 0);
    for _ in 0..400 {
        line.frame(10, 1_000);
        for _ in 0..20 {
            line.wait(5);
            let newest = line.next as u16;
            line.ask(&[
                (newest.wrapping_sub(17), 0xffff),
                (newest.wrapping_sub(34), 0xffff),
            ]);
            for packet in line.left() {
                let of_kind = if packet.ssrc == AGAIN {
                    &mut again
                } else {
                    &mut sent
                };
                *of_kind += packet.bytes;
            }
        }
    }
    assert!(sent >= 4_000 * 1_000, "{sent}");
    assert!(again > sent / 4, "{again} of {sent}: it does get a share");
    assert!(again < sent * 6 / 10 + 200_000, "{again} of {sent}");
}

#[test]
fn packets_with_nothing_in_them_are_not_sent_again_without_end() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    line.egress.bandwidth = None;
    let nothing = Arc::new(line.packet(Source::Camera, 5).blank());
    for _ in 0..1_000 {
        line.egress
            .enqueue(line.now, line.video, &nothing, Line::numbers(line.next));
        line.next += 1;
    }
    let sent: usize = line.drain_for(200).iter().map(|left| left.bytes).sum();
    let entries: Vec<(u16, u16)> = (0..58).map(|entry| (1 + entry * 17, 0xffff)).collect();
    let mut again = 0;
    for _ in 0..16 {
        line.ask(&entries);
        again += line
            .drain_for(100)
            .iter()
            .map(|left| left.bytes)
            .sum::<usize>();
    }
    assert!(again > 50_000, "{again}: it was tried");
    assert!(again < sent / 2 + 200_000, "{again} of {sent}");
}

#[test]
fn what_was_too_much_for_a_line_does_not_come_again_as_too_much() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    line.frame(60, 1_000);
    line.drain_for(300);
    let estimate_bps = line.egress.bandwidth.as_ref().unwrap().estimate_bps();
    let entries: Vec<(u16, u16)> = (0..4).map(|entry| (1 + entry * 17, 0xffff)).collect();
    let mut again = 0;
    for _ in 0..8 {
        line.ask(&entries);
        let left = line.drain_for(60);
        again += of(&left, AGAIN).len();
    }
    let in_a_quarter_second = (estimate_bps / 8 / 4 / 1_000) as usize;
    assert!(
        (in_a_quarter_second - 2..=in_a_quarter_second).contains(&again),
        "{again} of {in_a_quarter_second}"
    );
}

#[test]
fn one_datagram_asks_for_a_bounded_number_of_packets_and_each_keyframe_once() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    line.egress.bandwidth = None;
    for _ in 0..20 {
        line.frame(55, 60);
        line.drain_for(60);
    }
    let nack = |first: u16| {
        let mut nack = vec![0x81, 205, 0, 2 + 58, 0, 0, 0, 99];
        nack.extend(VIDEO.to_be_bytes());
        for entry in 0..58 {
            nack.extend((first + entry * 17).to_be_bytes());
            nack.extend([0xff, 0xff]);
        }
        nack
    };
    let pli = [&[0x81, 206, 0, 2, 0, 0, 0, 99][..], &VIDEO.to_be_bytes()].concat();
    let heard = line.say(&[nack(77), nack(1_063), pli.clone(), pli].concat());
    assert_eq!(heard.unwrap().keyframes, [line.video]);
    let again = of(&line.drain_for(1_000), AGAIN).len();
    assert!((900..=1_000).contains(&again), "{again}");
}

#[test]
fn the_section_is_named_until_the_receiver_has_reported() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    line.frame(1, 1_000);
    let with = line.left()[0].bytes;
    let mut report = vec![0x81, 201, 0, 7, 0, 0, 0, 99];
    report.extend(VIDEO.to_be_bytes());
    report.extend([0; 20]);
    assert!(line.say(&report).is_some_and(|heard| !heard.is_for_engine));
    line.wait(100);
    line.frame(1, 1_000);
    let without = line.left()[0].bytes;
    assert!(without < with, "{without} {with}");
}

#[test]
fn keyframe_requests_name_the_section_and_what_is_for_the_engine_is_told() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    let pli = [&[0x81, 206, 0, 2, 0, 0, 0, 99][..], &VIDEO.to_be_bytes()].concat();
    let heard = line.say(&pli).unwrap();
    assert_eq!(
        (heard.keyframes, heard.is_for_engine),
        (vec![line.video], false)
    );
    let stranger = [0x81, 206, 0, 2, 0, 0, 0, 99, 0, 0, 0, 77];
    assert_eq!(line.say(&stranger).unwrap().keyframes, []);
    let goodbye = [0x81, 203, 0, 1, 0, 0, 0, 99];
    assert!(line.say(&goodbye).unwrap().is_for_engine);
    assert_eq!(
        line.egress.receive(line.now, line.path, &pli),
        None,
        "in the clear"
    );
}

#[test]
fn reports_come_once_a_second_for_what_was_sent() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    let reports = |line: &mut Line| {
        line.egress.tick(line.now);
        let batch = line.flush();
        let datagrams = batch
            .runs()
            .flat_map(|run| run.datagrams().collect::<Vec<_>>());
        datagrams.filter(|datagram| datagram[1] == 200).count()
    };
    assert_eq!(reports(&mut line), 0, "nothing was sent");
    let mut all = 0;
    for _ in 0..50 {
        line.frame(1, 500);
        line.left();
        line.wait(100);
        all += reports(&mut line);
    }
    assert!((5..=6).contains(&all), "{all}");
    line.wait(3_000);
    reports(&mut line);
    line.wait(3_000);
    assert_eq!(reports(&mut line), 0, "nothing new to report");
}

#[test]
fn a_large_keyframe_leaves_in_slices_and_whole() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    line.frame(80, 1_000);
    let first = line.left().len();
    assert!((10..40).contains(&first), "{first}");
    let next = line.egress.poll_timeout().expect("more to send");
    assert!(next > line.now && next <= line.now + Duration::from_millis(100));
    assert_eq!(first + line.drain().len(), 80);
    assert!(line.egress.poll_timeout().is_none_or(|at| at > line.now));
}

#[test]
fn ordinary_frames_are_not_held_back_before_the_line_is_known() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    for frame in 0..60 {
        line.frame(6, 1_100);
        assert_eq!(of(&line.left(), VIDEO).len(), 6, "frame {frame}");
        line.wait(33);
    }
}

#[test]
fn many_pictures_at_once_are_not_held_back_for_long() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    // Eight cameras of 1.6 Mbit/s whose frames come together: ten times what the line is taken for.
    for frame in 0..90 {
        line.frame(48, 1_100);
        let mut left = 0;
        for _ in 0..33 {
            left += of(&line.left(), VIDEO).len();
            line.wait(1);
        }
        assert!(frame < 30 || left >= 48, "{left} in frame {frame}");
    }
}

#[test]
fn a_client_is_greeted_until_it_answers_and_not_for_ever() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    let greetings = |line: &mut Line| {
        let mut greetings = 0;
        for _ in 0..600 {
            if line.egress.tick(line.now) {
                let batch = line.flush();
                let datagrams = batch
                    .runs()
                    .flat_map(|run| run.datagrams().collect::<Vec<_>>());
                greetings += datagrams.filter(|datagram| is_padding(datagram)).count();
            }
            line.wait(100);
        }
        greetings
    };
    assert_eq!(greetings(&mut line), 20);
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    assert!(line.egress.tick(line.now));
    line.flush();
    // Packet 0 came: one status of one packet, and a delta of nothing.
    let fci = [0, 0, 0, 1, 0, 0, 1, 0, 0x20, 1, 0, 0];
    let answer = [&[0x8f, 205, 0, 5, 0, 0, 0, 99, 0, 0, 0, 10][..], &fci].concat();
    assert!(line.say(&answer).is_some());
    assert_eq!(greetings(&mut line), 0);
}

#[test]
fn rtcp_of_a_hostile_receiver_never_panics() {
    let mut line = Line::new(SrtpProfile::AEAD_AES_256_GCM);
    let mut random = Random(17);
    for round in 0..4_000u64 {
        line.frame(1, 400);
        let length = 8 + random.below(100) as usize;
        let mut rtcp = random.bytes(length);
        rtcp[0] = 0x80 | [0, 1, 1, 4, 15, 31][(round % 6) as usize];
        rtcp[1] = 200 + (round % 8) as u8;
        rtcp[2] = 0;
        rtcp[3] = random.below(length as u64 / 4 + 2) as u8;
        if length >= 12 && round % 3 > 0 {
            rtcp[8..12].copy_from_slice(&[VIDEO, AUDIO][(round % 2) as usize].to_be_bytes());
        }
        assert!(line.say(&rtcp).is_some());
        line.wait(1);
        line.left();
    }
    line.frame(3, 1_000);
    assert!(
        of(&line.drain(), VIDEO).len() >= 3,
        "it still gets its picture"
    );
}
