//! Calls over bad lines: conditions over time as data, and what people would notice of them. Sound that is missing or
//! late, pictures that stand still, layers that flap.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::client::{Got, HEAVY};
use super::network::{Conditions, Down, Losses};
use super::world::{LARGE, World, twice};
use crate::{PeerId, Source};

const SENDER: PeerId = PeerId(2);
const RECEIVER: PeerId = PeerId(1);
/// Up to the server, and down to those who have a good line.
const GOOD: Conditions = Conditions {
    delay: Duration::from_millis(15),
    jitter: Duration::ZERO,
    loss_per_mille: 0,
};
/// Sound that comes later than this after the quickest is as good as lost.
const LATE: Duration = Duration::from_millis(200);

const fn line(bps: u64) -> Down {
    Down {
        bps,
        queue_bytes: 60_000,
        delay: Duration::from_millis(15),
        jitter: Duration::ZERO,
        reorders: false,
        losses: Losses::None,
    }
}

#[derive(Clone, Copy, Debug)]
enum Is {
    /// Missing or late, out of 1 000 packets of sound.
    Concealed,
    /// Whole frames per second.
    Frames,
    LayerChanges,
    /// Of the layer, or of its temporal layers, second by second.
    Changes,
    /// The layer at the end.
    Layer,
    /// For how many milliseconds no whole frame came, at the longest.
    Still,
}

struct Call {
    what: &'static str,
    lines: &'static [(u64, Down)],
    /// From and to which second, what, at least, at most.
    expect: &'static [(u64, u64, Is, u64, u64)],
}

const ANY: u64 = u64::MAX;

const CALLS: &[Call] = &[
    Call {
        what: "600 kbit/s",
        lines: &[(0, line(600_000))],
        expect: &[
            (10, 70, Is::LayerChanges, 0, 2),
            (10, 70, Is::Frames, 27, 31),
            (10, 70, Is::Concealed, 0, 10),
        ],
    },
    Call {
        what: "300 kbit/s",
        lines: &[(0, line(300_000))],
        expect: &[
            (5, 30, Is::Concealed, 0, 10),
            (5, 30, Is::Frames, 7, 31),
            (10, 30, Is::Layer, 0, 0),
        ],
    },
    Call {
        what: "3 Mbit/s, then 300 kbit/s, then 3 Mbit/s",
        lines: &[
            (0, line(3_000_000)),
            (15, line(300_000)),
            (35, line(3_000_000)),
        ],
        expect: &[
            (5, 15, Is::Layer, 2, 2),
            (5, 15, Is::Concealed, 0, 10),
            (20, 35, Is::Layer, 0, 0),
            (20, 35, Is::Concealed, 0, 10),
            (20, 35, Is::Frames, 7, 31),
            (14, 35, Is::Still, 0, 1_900),
            (47, 60, Is::Frames, 27, 31),
            (47, 60, Is::Layer, 2, 2),
        ],
    },
    Call {
        what: "600 kbit/s in half steps",
        lines: &[(0, line(600_000))],
        expect: &[
            (10, 70, Is::Changes, 0, 2),
            (10, 70, Is::Frames, 14, 31),
            (10, 70, Is::Layer, 1, 1),
            (10, 70, Is::Concealed, 0, 10),
        ],
    },
    Call {
        what: "180 kbit/s in half steps",
        lines: &[(0, line(180_000))],
        expect: &[
            (10, 70, Is::Changes, 0, 2),
            (10, 70, Is::Frames, 7, 31),
            (10, 70, Is::Concealed, 0, 20),
        ],
    },
    Call {
        what: "5 % loss",
        lines: &[(
            0,
            Down {
                losses: Losses::PerMille(50),
                ..line(5_000_000)
            },
        )],
        expect: &[
            (5, 20, Is::Concealed, 0, 75),
            (5, 20, Is::Frames, 28, 31),
            (5, 20, Is::Layer, 2, 2),
        ],
    },
    Call {
        what: "10 % loss",
        lines: &[(
            0,
            Down {
                losses: Losses::PerMille(100),
                ..line(5_000_000)
            },
        )],
        expect: &[
            (5, 20, Is::Concealed, 0, 130),
            (5, 20, Is::Frames, 27, 31),
            (5, 20, Is::Layer, 1, 2),
        ],
    },
    Call {
        what: "30 % loss",
        lines: &[(
            0,
            Down {
                losses: Losses::PerMille(300),
                ..line(5_000_000)
            },
        )],
        expect: &[(5, 20, Is::Concealed, 0, 350), (5, 20, Is::Frames, 15, 31)],
    },
    Call {
        what: "bursts of loss",
        lines: &[(
            0,
            Down {
                losses: Losses::Bursts {
                    begin: 5,
                    end: 150,
                    lost: 800,
                },
                ..line(5_000_000)
            },
        )],
        expect: &[(5, 30, Is::Concealed, 0, 60), (5, 30, Is::Frames, 26, 31)],
    },
    Call {
        what: "100 ms of jitter",
        lines: &[(
            0,
            Down {
                jitter: Duration::from_millis(100),
                ..line(5_000_000)
            },
        )],
        expect: &[
            (5, 20, Is::Concealed, 0, 10),
            (5, 20, Is::Frames, 28, 31),
            (10, 20, Is::Layer, 1, 2),
        ],
    },
    // Packets wait for each other all the time, which is no queue and does not go away.
    Call {
        what: "130 ms of jitter on a long way",
        lines: &[(
            0,
            Down {
                delay: Duration::from_millis(60),
                jitter: Duration::from_millis(130),
                ..line(5_000_000)
            },
        )],
        expect: &[(5, 20, Is::Concealed, 0, 10), (5, 20, Is::Frames, 20, 31)],
    },
    Call {
        what: "reordering",
        lines: &[(
            0,
            Down {
                jitter: Duration::from_millis(20),
                reorders: true,
                ..line(5_000_000)
            },
        )],
        expect: &[
            (5, 20, Is::Concealed, 0, 5),
            (5, 20, Is::Frames, 29, 31),
            (5, 20, Is::Layer, 2, 2),
        ],
    },
];

fn between(packets: &[Got], world: &World, from_s: u64, to_s: u64) -> Vec<Got> {
    let [from, to] = [from_s, to_s].map(|second| world.start + Duration::from_secs(second));
    let captured = |got: &&Got| (from..to).contains(&got.sent.captured);
    packets.iter().filter(captured).copied().collect()
}

fn measure(world: &World, receiver: PeerId, from_s: u64, to_s: u64, is: Is) -> u64 {
    let audio = between(world.audio(receiver, 0), world, from_s, to_s);
    let mut video = between(world.video(receiver, 0), world, from_s, to_s);
    video.sort_by_key(|got| got.sequence);
    match is {
        Is::Concealed => {
            let delay = |got: &Got| got.at - got.sent.captured;
            let quickest = audio.iter().map(delay).min().unwrap_or_default();
            let in_time: BTreeSet<u64> = audio
                .iter()
                .filter(|got| delay(got) < quickest + LATE)
                .map(|got| got.sent.frame)
                .collect();
            let all = (to_s - from_s) * 50;
            all.saturating_sub(in_time.len() as u64) * 1_000 / all
        }
        Is::Frames => whole_frames(&video).len() as u64 / (to_s - from_s),
        Is::Still => {
            let [from, to] = [from_s, to_s].map(|second| world.start + Duration::from_secs(second));
            let mut moments = whole_frames(&video);
            moments.extend([from, to.min(world.now)]);
            moments.sort();
            let pauses = moments.windows(2).map(|two| two[1] - two[0]);
            pauses.max().unwrap_or_default().as_millis() as u64
        }
        Is::LayerChanges => {
            let mut layers: Vec<usize> = video.iter().map(|got| got.sent.layer).collect();
            layers.dedup();
            layers.len().saturating_sub(1) as u64
        }
        Is::Changes => {
            let step = |second| {
                let video = between(&video, world, second, second + 1);
                let step = |got: &Got| (got.sent.layer, got.sent.temporal);
                video.iter().map(step).max()
            };
            let mut steps: Vec<_> = (from_s..to_s).filter_map(step).collect();
            steps.dedup();
            steps.len().saturating_sub(1) as u64
        }
        Is::Layer => video.last().map_or(ANY, |got| got.sent.layer as u64),
    }
}

/// When each frame was there as a whole.
fn whole_frames(video: &[Got]) -> Vec<Instant> {
    let mut frames: BTreeMap<(usize, u64), BTreeSet<u64>> = BTreeMap::new();
    let mut whole = vec![];
    for got in video {
        let frame = frames.entry((got.sent.layer, got.sent.frame)).or_default();
        frame.insert(got.sent.packet);
        if frame.len() as u64 == got.sent.packets {
            whole.push(got.at);
        }
    }
    whole
}

fn concealed(world: &World, receiver: PeerId, from_s: u64, to_s: u64) -> u64 {
    measure(world, receiver, from_s, to_s, Is::Concealed)
}

fn frames(world: &World, receiver: PeerId, from_s: u64, to_s: u64) -> u64 {
    measure(world, receiver, from_s, to_s, Is::Frames)
}

/// One sees and hears the other, whose camera is as heavy as a browser's.
fn begin(world: &mut World) {
    world.join(RECEIVER.0);
    world.join(SENDER.0);
    let sender = world.client(SENDER);
    (sender.shape, sender.keyframe_weight) = (HEAVY, 3);
    world.bind(RECEIVER, 0, 1, Some(SENDER), LARGE);
    world.start = world.now;
}

fn failures(call: &Call, opaque: bool) -> Vec<String> {
    let mut world = World::new(GOOD, opaque);
    begin(&mut world);
    if call.what.ends_with("in half steps") {
        world.client(SENDER).temporal_layers = 3;
    }
    let address = world.client(RECEIVER).address;
    let end_s = call.expect.iter().map(|(_, to_s, ..)| *to_s).max().unwrap();
    for second in 0..end_s + 1 {
        for (_, line) in call.lines.iter().filter(|(at_s, _)| *at_s == second) {
            world.network.set_line(world.now, address, *line);
        }
        world.run_ms(1_000);
    }
    let mut failures = vec![];
    for (from_s, to_s, is, least, most) in call.expect {
        let found = measure(&world, RECEIVER, *from_s, *to_s, *is);
        if !(*least..=*most).contains(&found) {
            failures.push(format!(
                "{}, opaque {opaque}, {from_s} to {to_s} s: {is:?} is {found}, not {least} to {most}",
                call.what
            ));
        }
    }
    failures
}

fn check(part: &str) {
    let mut calls = CALLS
        .iter()
        .filter(|call| call.what.contains(part))
        .peekable();
    assert!(calls.peek().is_some(), "{part}");
    let failures: Vec<String> = calls
        .flat_map(|call| [false, true].map(|opaque| failures(call, opaque)))
        .flatten()
        .collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn a_thin_line_carries_sound_and_a_steady_picture() {
    check("00 kbit/s");
}

/// A line that becomes thin at once, from so much to so much, with so many milliseconds of it in front of it.
#[derive(Clone, Copy, Debug)]
struct Drop {
    from_bps: u64,
    to_bps: u64,
    queue_ms: u64,
    /// In the 14 seconds after it. Sound is late until a long queue is gone.
    most_concealed: u64,
}

const DROPS: [Drop; 4] = [
    Drop {
        from_bps: 3_000_000,
        to_bps: 300_000,
        queue_ms: 300,
        most_concealed: 35,
    },
    Drop {
        from_bps: 50_000_000,
        to_bps: 300_000,
        queue_ms: 1_600,
        most_concealed: 140,
    },
    Drop {
        from_bps: 50_000_000,
        to_bps: 600_000,
        queue_ms: 300,
        most_concealed: 60,
    },
    // So short that only loss tells of it.
    Drop {
        from_bps: 50_000_000,
        to_bps: 400_000,
        queue_ms: 100,
        most_concealed: 90,
    },
];
const STILL_AT_MOST_MS: u64 = 1_900;

/// For how long the picture stood still, and how much of the sound was missing.
fn drop_line(drop: Drop, temporal_layers: usize, opaque: bool) -> (u64, u64) {
    let mut world = World::new(GOOD, opaque);
    // What nobody looks at sleeps, so what the thin line bears has to be woken.
    world.obey_after = Some(Duration::from_millis(200));
    begin(&mut world);
    world.client(SENDER).temporal_layers = temporal_layers;
    let address = world.client(RECEIVER).address;
    for (bps, seconds) in [(drop.from_bps, 10), (drop.to_bps, 15)] {
        let down = Down {
            queue_bytes: bps * drop.queue_ms / 8_000,
            ..line(bps)
        };
        world.network.set_line(world.now, address, down);
        world.run_ms(seconds * 1_000);
    }
    let measure = |is| measure(&world, RECEIVER, 10, 24, is);
    (measure(Is::Still), measure(Is::Concealed))
}

#[test]
fn a_line_that_becomes_thin_at_once_stops_the_picture_for_a_moment_only() {
    for drop in DROPS {
        for (temporal_layers, opaque) in [(1, false), (3, true)] {
            let (still_ms, concealed) = drop_line(drop, temporal_layers, opaque);
            let what = format!("{drop:?}, {temporal_layers} temporal layers");
            println!("{what}: still for {still_ms} ms, {concealed} concealed");
            assert!(
                still_ms <= STILL_AT_MOST_MS,
                "{what}: still for {still_ms} ms"
            );
            assert!(
                concealed <= drop.most_concealed,
                "{what}: {concealed} concealed"
            );
        }
    }
}

#[test]
fn loss_costs_no_more_than_what_is_lost() {
    check("loss");
}

#[test]
fn jitter_and_reordering_are_not_taken_for_congestion() {
    check("jitter");
    check("reordering");
}

#[test]
fn fifty_come_and_go_and_the_first_notices_nothing() {
    twice(GOOD, |world| {
        begin(world);
        world.run_ms(2_000);
        let before = world.stats().subscriptions;
        let crowd: Vec<PeerId> = (10..59)
            .map(|id| world.join_unconnected(id, 1, 0, true))
            .collect();
        for peer in &crowd {
            for source in [Source::Camera, Source::Microphone] {
                world.client(*peer).set_active(source, false);
            }
        }
        let all = crowd.clone();
        world.run_until("connected", |world| {
            all.iter().all(|peer| world.saw_connected(*peer))
        });
        let asked = world.client(SENDER).keyframe_requests;
        for peer in &crowd {
            world.bind(*peer, 0, 1, Some(SENDER), LARGE);
        }
        world.run_ms(2_000);
        let asked = world.client(SENDER).keyframe_requests - asked;
        assert!(
            (1..=6).contains(&asked),
            "{asked} keyframes for all at once"
        );
        let seen = |peer: &&PeerId| world.video(**peer, 0).len() > 30;
        assert_eq!(crowd.iter().filter(seen).count(), crowd.len());
        for peer in crowd {
            world.leave(peer);
        }
        world.run_ms(2_000);
        assert_eq!(world.stats().subscriptions, before);
        let seconds = (world.now - world.start).as_secs();
        assert_eq!(concealed(world, RECEIVER, 1, seconds - 1), 0);
        assert!(frames(world, RECEIVER, 1, seconds - 1) >= 29);
    });
}

#[test]
fn speakers_who_take_turns_are_heard_at_once_and_seen_soon() {
    twice(GOOD, |world| {
        begin(world);
        let other = world.join(3);
        world.client(other).shape = HEAVY;
        let address = world.client(RECEIVER).address;
        world.network.set_line(world.now, address, line(2_000_000));
        world.run_ms(2_000);
        let mut blind = 0;
        for turn in 2..12 {
            let speaker = if turn % 2 == 0 { other } else { SENDER };
            world.bind(RECEIVER, 0, turn, Some(speaker), LARGE);
            world.ready(RECEIVER, 0, turn);
            let since = world.now;
            world.run_ms(1_000);
            let of_turn = |got: &&Got| got.sent.by == speaker && got.at > since;
            let voice = || world.audio(RECEIVER, 0).iter().filter(of_turn);
            let numbers: BTreeSet<u64> = voice().map(|got| got.sent.frame).collect();
            let span = numbers.last().unwrap() - numbers.first().unwrap() + 1;
            assert_eq!(
                numbers.len() as u64,
                span,
                "turn {turn}: sound without gaps"
            );
            let silence = voice().next().unwrap().at - since;
            assert!(silence < LATE, "turn {turn}: heard after {silence:?}");
            let first = world.video(RECEIVER, 0).iter().find(of_turn);
            let soon = since + Duration::from_millis(500);
            blind += u64::from(first.is_none_or(|got| got.at > soon));
        }
        assert!(
            blind <= 1,
            "{blind} of 10 were not seen within half a second"
        );
    });
}

#[test]
fn a_storm_of_keyframe_requests_costs_the_sender_few_and_the_bystander_nothing() {
    twice(GOOD, |world| {
        begin(world);
        let restless: Vec<PeerId> = (10..16).map(|id| world.join(id)).collect();
        for peer in &restless {
            for source in [Source::Camera, Source::Microphone] {
                world.client(*peer).set_active(source, false);
            }
        }
        world.run_ms(1_000);
        let (before, since) = (world.client(SENDER).keyframe_requests, world.now);
        for generation in 1..25 {
            for peer in &restless {
                world.bind(*peer, 0, generation, Some(SENDER), LARGE);
                world.ready(*peer, 0, generation);
            }
            world.run_ms(200);
        }
        let asked = world.client(SENDER).keyframe_requests - before;
        let seconds = (world.now - since).as_secs_f64();
        // Of three layers.
        assert!(
            asked as f64 <= seconds * 3.0 * 4.0,
            "{asked} in {seconds} s"
        );
        let end_s = (world.now - world.start).as_secs();
        assert_eq!(concealed(world, RECEIVER, 1, end_s - 1), 0);
        assert!(frames(world, RECEIVER, 1, end_s - 1) >= 29);
    });
}
