//! What somebody with a seat and valid keys may send that makes no sense: payloads, numbers and times as data. Whoever sits
//! beside them notices nothing, and when they behave again they are seen and heard like anybody.

use super::client::Smuggled;
use super::network::{Conditions, Random};
use super::world::{SMALL, World, assert_continuous, twice};
use crate::{PeerId, Source};

const LAN: Conditions = Conditions {
    delay: std::time::Duration::from_millis(1),
    jitter: std::time::Duration::ZERO,
    loss_per_mille: 0,
};
const HONEST: PeerId = PeerId(1);
const HOSTILE: PeerId = PeerId(2);
/// Looks at the honest one and is what the tests look at.
const RECEIVER: PeerId = PeerId(3);
/// Looks at the hostile one.
const VICTIM: PeerId = PeerId(4);
const PACKETS: u64 = 400;
/// A descriptor with everything in it, and the start of a keyframe.
const KEYFRAME: [u8; 16] = [
    0x90, 0xe0, 0x80, 1, 2, 0, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0,
];

struct Attack {
    what: &'static str,
    source: Source,
    payload: fn(u64, &mut Random) -> Vec<u8>,
    /// How far each packet is from the one before, in packets and in ticks.
    step: fn(u64, &mut Random) -> (i64, u32),
    is_red: bool,
    /// Whether numbers are as they should be, so that the keys still fit afterwards.
    recovers: bool,
}

const CAMERA: Attack = Attack {
    what: "",
    source: Source::Camera,
    payload: |_, _| KEYFRAME.to_vec(),
    step: |_, _| (1, 3_000),
    is_red: false,
    recovers: true,
};

const MICROPHONE: Attack = Attack {
    source: Source::Microphone,
    step: |_, _| (1, 960),
    ..CAMERA
};

const ATTACKS: &[Attack] = &[
    Attack {
        what: "descriptors that end early",
        payload: |number, _| KEYFRAME[..number as usize % 7].to_vec(),
        ..CAMERA
    },
    Attack {
        what: "descriptors with every first byte there is",
        payload: |number, random| [vec![number as u8], random.bytes(8)].concat(),
        ..CAMERA
    },
    Attack {
        what: "keyframes that are cut off before their size",
        payload: |number, _| KEYFRAME[..7 + number as usize % 9].to_vec(),
        ..CAMERA
    },
    Attack {
        what: "keyframes of every size",
        payload: |_, random| [&KEYFRAME[..12], &random.bytes(40)].concat(),
        ..CAMERA
    },
    Attack {
        what: "noise of every length",
        payload: |_, random| {
            let length = random.below(1_150) as usize;
            random.bytes(length)
        },
        ..CAMERA
    },
    Attack {
        what: "a screen of noise",
        source: Source::Screen,
        payload: |_, random| random.bytes(900),
        ..CAMERA
    },
    Attack {
        what: "picture numbers that jump",
        payload: |_, random| {
            let mut payload = KEYFRAME.to_vec();
            payload[2..6].copy_from_slice(&random.bytes(4));
            payload[2] |= 0x80;
            payload
        },
        ..CAMERA
    },
    Attack {
        what: "times that jump",
        step: |_, random| (1, random.next() as u32),
        ..CAMERA
    },
    Attack {
        what: "one time for ever",
        step: |_, _| (1, 0),
        ..CAMERA
    },
    Attack {
        what: "gaps of hundreds of packets",
        step: |_, random| (1 + random.below(600) as i64, 3_000),
        recovers: false,
        ..CAMERA
    },
    Attack {
        what: "sequence numbers anywhere",
        step: |_, random| (random.below(60_000) as i64 - 30_000, 3_000),
        recovers: false,
        ..CAMERA
    },
    Attack {
        what: "sound without a byte in it, and of a few",
        payload: |number, random| random.bytes(number as usize % 4),
        ..MICROPHONE
    },
    Attack {
        what: "Opus with every first byte there is",
        payload: |number, random| [vec![number as u8], random.bytes(3)].concat(),
        ..MICROPHONE
    },
    Attack {
        what: "redundancy that is cut off",
        payload: |number, random| {
            let blocks = [0xef, 0x0f, 0xff, 0xff, 0xef, 0, 0, 4, 0x6f, 1, 2, 3, 4, 5];
            let length = number as usize % (blocks.len() + 1);
            [&blocks[..length], &random.bytes(number as usize % 3)].concat()
        },
        is_red: true,
        ..MICROPHONE
    },
    Attack {
        what: "redundancy without end",
        payload: |_, random| {
            let headers = (0..200).flat_map(|_| [0xef, random.next() as u8, 0, 1]);
            headers.collect()
        },
        is_red: true,
        ..MICROPHONE
    },
    Attack {
        what: "redundancy of noise",
        payload: |number, random| random.bytes(number as usize % 300),
        is_red: true,
        ..MICROPHONE
    },
    Attack {
        what: "sound whose time goes back",
        step: |number, _| {
            (
                1,
                if number % 2 == 0 {
                    960
                } else {
                    960u32.wrapping_neg()
                },
            )
        },
        ..MICROPHONE
    },
];

fn meeting(world: &mut World) {
    world.redundancy = true;
    for peer in [HONEST, HOSTILE, RECEIVER, VICTIM] {
        world.join(peer.0);
    }
    for (receiver, sender) in [(RECEIVER, HONEST), (VICTIM, HOSTILE)] {
        world.bind(receiver, 0, 1, Some(sender), SMALL);
        world.bind(receiver, 6, 1, Some(sender), SMALL);
    }
    world.set_uplink(HOSTILE, Source::Screen, crate::UplinkState::Live);
    // Nothing is left out for want of room.
    world.sfu.peers.get_mut(&VICTIM).unwrap().line_bps = Some(20_000_000);
    world.run_ms(500);
}

fn endure(world: &mut World, attack: &Attack) {
    let description = attack.what;
    meeting(world);
    let before = world.stats();
    world.client(VICTIM).is_heedless = true;
    world.client(HOSTILE).set_active(Source::Camera, false);
    world.client(HOSTILE).set_active(Source::Microphone, false);
    let mut random = Random(7);
    for number in 0..PACKETS {
        let (sequence, ticks) = (attack.step)(number, &mut random);
        let smuggled = Smuggled {
            sequence,
            ticks,
            payload: (attack.payload)(number, &mut random),
            is_red: attack.is_red,
            level: (number % 3 > 0).then_some(-(random.below(128) as i8)),
        };
        let now = world.now;
        world.client(HOSTILE).smuggle(now, attack.source, smuggled);
        world.wake(HOSTILE);
        world.run_ms(5);
    }
    world.run_ms(500);
    let after = world.stats();
    assert_eq!(after.panics, 0, "{description}");
    assert_eq!(after.peers, 4, "{description}: everybody is still there");
    assert!(
        after.timers <= before.timers + 8,
        "{description}: {after:?}"
    );
    assert!(after.ssrcs <= before.ssrcs + 8, "{description}: {after:?}");
    assert_continuous(description, world.video(RECEIVER, 0));
    world.assert_continuous_sound(description, RECEIVER, 0);
    let seconds = (PACKETS * 5 + 500) / 1_000;
    let heard = world.audio(RECEIVER, 0).len() as u64;
    assert!(
        heard >= seconds * 49,
        "{description}: {heard} in {seconds} s"
    );
    if attack.recovers {
        let refused = after.dropped_rtp - before.dropped_rtp;
        let passed = after.forwarded_packets - before.forwarded_packets;
        assert!(
            refused + passed > heard + PACKETS / 2,
            "{description}: it was tried"
        );
        recover(world, description);
    }
}

fn recover(world: &mut World, description: &str) {
    world.forget_received();
    world.client(VICTIM).is_heedless = false;
    world.client(HOSTILE).set_active(Source::Camera, true);
    world.client(HOSTILE).set_active(Source::Microphone, true);
    world.run_ms(2_000);
    let frames = world.video(VICTIM, 0).iter().filter(|got| got.marker);
    let frames = frames.count();
    assert!(frames > 20, "{description}: {frames} frames afterwards");
    let heard = world.audio(VICTIM, 0).len();
    assert!(heard > 60, "{description}: {heard} of sound afterwards");
}

#[test]
fn whoever_sends_nonsense_disturbs_nobody_and_may_come_to_reason() {
    for attack in ATTACKS {
        twice(LAN, |world| endure(world, attack));
    }
}
