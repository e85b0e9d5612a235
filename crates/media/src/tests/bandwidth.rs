//! What the bandwidth estimator makes of lines: conditions over time as data, and the corridor in which the estimate,
//! the queue and what is sent have to stay.

use std::time::Duration;

use super::link::{BACK, Back, Line, Media, SLOT_MS, Simulation, Slot, line};
use super::network::{Losses, Random};

#[derive(Clone, Copy, Debug)]
enum Is {
    /// The estimate, in kbit/s.
    EstimateLeast,
    EstimateMost,
    /// What is sent on average, in kbit/s.
    Sent,
    /// Padding on average, in kbit/s.
    Padding,
    /// The longest wait in the queue, and the wait that 95 of 100 slots stay below, in ms.
    QueueMost,
    Queue95,
}

type Corridor = (i64, i64, Is, u64, u64);

struct Scenario {
    what: &'static str,
    lines: &'static [(i64, Line)],
    media: &'static [(i64, Media)],
    /// From and to which second, what, at least, at most.
    expect: &'static [Corridor],
}

const MUCH: Media = Media::Smooth(8_000_000);
const SOME: Media = Media::Smooth(3_000_000);
const LAYERS: Media = Media::Layers(&[150_000, 500_000, 1_500_000]);

fn measure(slots: &[Slot], is: Is) -> u64 {
    let count = slots.len().max(1) as u64;
    let kbps = |bytes: usize| bytes as u64 * 8 / (count * SLOT_MS as u64);
    let estimates = || slots.iter().map(|slot| slot.estimate_bps / 1_000);
    let mut queues: Vec<i64> = slots.iter().map(|slot| slot.queue_ms).collect();
    queues.sort_unstable();
    match is {
        Is::EstimateLeast => estimates().min().unwrap(),
        Is::EstimateMost => estimates().max().unwrap(),
        Is::Sent => kbps(slots.iter().map(|slot| slot.sent_bytes).sum()),
        Is::Padding => kbps(slots.iter().map(|slot| slot.padding_bytes).sum()),
        Is::QueueMost => *queues.last().unwrap() as u64,
        Is::Queue95 => queues[queues.len() * 95 / 100] as u64,
    }
}

fn run(scenario: &Scenario, seed: u64) -> Simulation {
    let (_, first) = scenario.lines[0];
    let mut simulation = Simulation::new(seed, first, &[scenario.media[0].1]);
    let end_s = scenario
        .expect
        .iter()
        .map(|corridor| corridor.1)
        .max()
        .unwrap();
    for second in 0..end_s {
        for (_, line) in scenario.lines.iter().filter(|(at, _)| *at == second) {
            simulation.line = *line;
        }
        for (_, media) in scenario.media.iter().filter(|(at, _)| *at == second) {
            simulation.set_media(0, *media);
        }
        simulation.run_ms(1_000);
    }
    simulation
}

fn slots(slots: &[Slot], from_s: i64, to_s: i64) -> &[Slot] {
    let per_second = 1_000 / SLOT_MS;
    &slots[(from_s * per_second) as usize..(to_s * per_second) as usize]
}

const SEEDS: [u64; 3] = [1, 7, 42];

fn failures(scenario: &Scenario) -> Vec<String> {
    let mut failures = vec![];
    for seed in SEEDS {
        let simulation = run(scenario, seed);
        for (from_s, to_s, is, least, most) in scenario.expect {
            let found = measure(slots(&simulation.flows[0].slots, *from_s, *to_s), *is);
            if !(*least..=*most).contains(&found) {
                failures.push(format!(
                    "{}, seed {seed}, {from_s} to {to_s} s: {is:?} is {found}, not {least} to {most}",
                    scenario.what
                ));
            }
        }
    }
    failures
}

const ANY: u64 = u64::MAX;

const SCENARIOS: &[Scenario] = &[
    Scenario {
        what: "a thin line of 300 kbit/s",
        lines: &[(0, line(300_000))],
        media: &[(0, MUCH)],
        expect: &[
            (1, 5, Is::Sent, 150, 320),
            (2, 60, Is::QueueMost, 0, 500),
            (5, 60, Is::Sent, 210, 300),
            (5, 60, Is::EstimateMost, 0, 400),
        ],
    },
    Scenario {
        what: "1 Mbit/s",
        lines: &[(0, line(1_000_000))],
        media: &[(0, MUCH)],
        expect: &[
            (5, 60, Is::Sent, 780, 1_000),
            (2, 60, Is::QueueMost, 0, 400),
            (2, 60, Is::Queue95, 0, 200),
        ],
    },
    Scenario {
        what: "3 Mbit/s",
        lines: &[(0, line(3_000_000))],
        media: &[(0, MUCH)],
        expect: &[
            (3, 10, Is::Sent, 2_200, 3_000),
            (5, 60, Is::Sent, 2_350, 3_000),
            (2, 60, Is::QueueMost, 0, 300),
        ],
    },
    Scenario {
        what: "10 Mbit/s",
        lines: &[(0, line(10_000_000))],
        media: &[(0, MUCH)],
        expect: &[
            (3, 5, Is::Sent, 4_500, 9_600),
            // Long enough for the sequence numbers to wrap.
            (10, 90, Is::Sent, 7_000, 9_600),
            (2, 60, Is::QueueMost, 0, 250),
        ],
    },
    Scenario {
        what: "3 Mbit/s, then 300 kbit/s, then 3 Mbit/s",
        lines: &[
            (0, line(3_000_000)),
            (20, line(300_000)),
            (50, line(3_000_000)),
        ],
        media: &[(0, SOME)],
        expect: &[
            (10, 20, Is::Sent, 2_300, 3_000),
            (25, 50, Is::Sent, 180, 310),
            (25, 50, Is::QueueMost, 0, 500),
            (62, 80, Is::EstimateLeast, 1_800, ANY),
            (62, 80, Is::Sent, 2_200, 3_000),
        ],
    },
    Scenario {
        what: "5 % loss on a fat line",
        lines: &[(
            0,
            Line {
                losses: Losses::PerMille(50),
                ..line(10_000_000)
            },
        )],
        media: &[(0, SOME)],
        expect: &[
            (5, 60, Is::Sent, 2_700, 3_300),
            (5, 60, Is::EstimateLeast, 1_500, ANY),
        ],
    },
    Scenario {
        what: "10 % loss on a fat line",
        lines: &[(
            0,
            Line {
                losses: Losses::PerMille(100),
                ..line(10_000_000)
            },
        )],
        media: &[(0, SOME)],
        expect: &[
            (8, 60, Is::Sent, 2_500, 3_300),
            (8, 60, Is::EstimateLeast, 1_200, ANY),
        ],
    },
    Scenario {
        what: "30 % loss on a fat line",
        lines: &[(
            0,
            Line {
                losses: Losses::PerMille(300),
                ..line(10_000_000)
            },
        )],
        media: &[(0, SOME)],
        expect: &[
            (20, 60, Is::Sent, 1_000, 3_300),
            (10, 60, Is::EstimateLeast, 300, ANY),
        ],
    },
    Scenario {
        what: "bursts of loss",
        lines: &[(
            0,
            Line {
                losses: Losses::Bursts {
                    begin: 5,
                    end: 100,
                    lost: 700,
                },
                ..line(5_000_000)
            },
        )],
        media: &[(0, SOME)],
        expect: &[(5, 60, Is::Sent, 1_800, 3_300)],
    },
    Scenario {
        what: "30 ms of jitter",
        lines: &[(
            0,
            Line {
                jitter_ms: 30,
                ..line(5_000_000)
            },
        )],
        media: &[(0, SOME)],
        expect: &[
            (5, 60, Is::Sent, 2_200, 3_200),
            (3, 60, Is::QueueMost, 0, 400),
        ],
    },
    Scenario {
        what: "100 ms of jitter",
        lines: &[(
            0,
            Line {
                jitter_ms: 100,
                ..line(5_000_000)
            },
        )],
        media: &[(0, SOME)],
        expect: &[
            (8, 60, Is::Sent, 1_500, 3_200),
            (3, 60, Is::QueueMost, 0, 500),
        ],
    },
    Scenario {
        what: "100 ms of jitter on 1 Mbit/s",
        lines: &[(
            0,
            Line {
                jitter_ms: 100,
                ..line(1_000_000)
            },
        )],
        media: &[(0, SOME)],
        expect: &[(5, 60, Is::Sent, 500, 1_000), (5, 60, Is::Queue95, 0, 400)],
    },
    Scenario {
        what: "reordering",
        lines: &[(
            0,
            Line {
                reordered: 50,
                ..line(5_000_000)
            },
        )],
        media: &[(0, SOME)],
        expect: &[
            (5, 60, Is::Sent, 2_600, 3_200),
            (5, 60, Is::EstimateLeast, 1_500, ANY),
        ],
    },
    Scenario {
        what: "others take half of 3 Mbit/s, and give it back",
        lines: &[
            (0, line(3_000_000)),
            (
                20,
                Line {
                    cross_bps: 1_500_000,
                    ..line(3_000_000)
                },
            ),
            (40, line(3_000_000)),
        ],
        media: &[(0, SOME)],
        expect: &[
            (23, 40, Is::Sent, 900, 1_550),
            (25, 40, Is::QueueMost, 0, 400),
            (52, 60, Is::Sent, 2_200, 3_050),
            (52, 60, Is::QueueMost, 0, 500),
        ],
    },
    Scenario {
        what: "sound alone for a minute, then a picture",
        lines: &[(0, line(3_000_000))],
        media: &[(0, SOME), (20, Media::Sound), (80, SOME)],
        expect: &[
            (25, 80, Is::EstimateLeast, 1_500, ANY),
            (25, 80, Is::EstimateMost, 0, 3_500),
            (25, 80, Is::Padding, 0, 1),
            (83, 100, Is::Sent, 2_200, 3_000),
        ],
    },
    Scenario {
        what: "sound alone from the start, then a picture",
        lines: &[(0, line(5_000_000))],
        media: &[(0, Media::Sound), (60, SOME)],
        expect: &[
            (0, 60, Is::Padding, 0, 0),
            (5, 60, Is::EstimateLeast, 400, 700),
            (63, 80, Is::Sent, 2_700, 3_200),
        ],
    },
    Scenario {
        what: "sound alone on a jittering line",
        lines: &[(
            0,
            Line {
                jitter_ms: 60,
                ..line(5_000_000)
            },
        )],
        media: &[(0, SOME), (20, Media::Sound)],
        expect: &[(25, 140, Is::EstimateLeast, 600, ANY)],
    },
    Scenario {
        what: "sound alone, and feedback that gets lost",
        lines: &[
            (0, line(3_000_000)),
            (
                20,
                Line {
                    back: Back {
                        lost: 400,
                        every_ms: 250,
                        ..BACK
                    },
                    ..line(3_000_000)
                },
            ),
        ],
        media: &[(0, SOME), (20, Media::Sound)],
        expect: &[(25, 80, Is::EstimateLeast, 1_000, ANY)],
    },
    Scenario {
        what: "layers on 600 kbit/s",
        lines: &[(0, line(660_000))],
        media: &[(0, LAYERS)],
        expect: &[
            (10, 120, Is::EstimateLeast, 549, ANY),
            (10, 120, Is::EstimateMost, 0, 760),
            (10, 120, Is::QueueMost, 0, 300),
            (10, 120, Is::Padding, 0, 20),
        ],
    },
    Scenario {
        what: "layers on 5 Mbit/s",
        lines: &[(0, line(5_000_000))],
        media: &[(0, LAYERS)],
        expect: &[
            (2, 60, Is::Sent, 1_450, 1_650),
            (10, 60, Is::EstimateMost, 0, 2_500),
            (5, 60, Is::Padding, 0, 1),
        ],
    },
    Scenario {
        what: "feedback that is lost, doubled and late",
        lines: &[(
            0,
            Line {
                back: Back {
                    lost: 200,
                    doubled: 100,
                    jitter_ms: 150,
                    ..BACK
                },
                ..line(3_000_000)
            },
        )],
        media: &[(0, SOME)],
        expect: &[
            (5, 60, Is::Sent, 1_900, 3_000),
            (5, 60, Is::QueueMost, 0, 400),
        ],
    },
    Scenario {
        what: "a policer that drops instead of queueing",
        lines: &[(
            0,
            Line {
                queue_bytes: 8_000,
                ..line(1_000_000)
            },
        )],
        media: &[(0, SOME)],
        expect: &[(5, 60, Is::Sent, 600, 1_150)],
    },
    Scenario {
        what: "nothing arrives for six seconds",
        lines: &[
            (0, line(3_000_000)),
            (
                20,
                Line {
                    losses: Losses::PerMille(1_000),
                    ..line(3_000_000)
                },
            ),
            (26, line(3_000_000)),
        ],
        media: &[(0, SOME)],
        expect: &[
            (24, 26, Is::EstimateMost, 0, 1_200),
            (29, 40, Is::Sent, 2_100, 3_000),
        ],
    },
    Scenario {
        what: "a long way: 300 ms there and back",
        lines: &[(
            0,
            Line {
                delay_ms: 150,
                ..line(3_000_000)
            },
        )],
        media: &[(0, SOME)],
        expect: &[
            (8, 60, Is::Sent, 2_100, 3_000),
            (8, 60, Is::QueueMost, 0, 500),
        ],
    },
];

#[test]
fn the_estimate_stays_in_its_corridor_on_every_line() {
    let failures: Vec<String> = SCENARIOS.iter().flat_map(failures).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn two_receivers_behind_one_line_share_it() {
    for seed in SEEDS {
        let mut simulation = Simulation::new(seed, line(3_000_000), &[MUCH]);
        simulation.run_ms(10_000);
        simulation.add(MUCH);
        simulation.run_ms(80_000);
        let shares: Vec<u64> = simulation
            .flows
            .iter()
            .map(|flow| measure(slots(&flow.slots, 30, 90), Is::Sent))
            .collect();
        let sum: u64 = shares.iter().sum();
        assert!((2_300..3_050).contains(&sum), "seed {seed}: {shares:?}");
        assert!(
            shares.iter().all(|share| *share > sum / 4),
            "seed {seed}: {shares:?}"
        );
    }
}

#[test]
fn a_client_that_never_sends_feedback_gets_a_fixed_rate_that_loss_lowers() {
    let silent = Back {
        lost: 1_000,
        ..BACK
    };
    let mut simulation = Simulation::new(
        1,
        Line {
            back: silent,
            ..line(3_000_000)
        },
        &[SOME],
    );
    simulation.run_ms(30_000);
    let flow = &simulation.flows[0];
    assert_eq!(measure(&flow.slots[..290], Is::EstimateLeast), 600);
    assert_eq!(measure(&flow.slots[..290], Is::EstimateMost), 600);
    let report = |simulation: &mut Simulation, lost: u8| {
        let now = simulation.now();
        simulation.flows[0].bandwidth.report(now, None, lost);
        simulation.run_ms(1_000);
        simulation.flows[0].bandwidth.estimate_bps()
    };
    let mut lowest = u64::MAX;
    for _ in 0..30 {
        let estimate_bps = report(&mut simulation, 80);
        assert!(estimate_bps <= lowest);
        lowest = estimate_bps;
    }
    assert_eq!(lowest, 150_000);
    assert_eq!(
        report(&mut simulation, 12),
        lowest,
        "neither clean nor congested"
    );
    for _ in 0..60 {
        report(&mut simulation, 0);
    }
    assert_eq!(simulation.flows[0].bandwidth.estimate_bps(), 600_000);
}

#[test]
fn receiver_reports_say_nothing_new_to_those_who_send_feedback() {
    let mut simulation = Simulation::new(1, line(3_000_000), &[SOME]);
    simulation.run_ms(10_000);
    let (now, rtt) = (simulation.now(), Duration::from_millis(77));
    let bandwidth = &mut simulation.flows[0].bandwidth;
    let before = bandwidth.estimate_bps();
    bandwidth.report(now, Some(rtt), 200);
    assert_eq!(bandwidth.estimate_bps(), before);
    assert_eq!(bandwidth.rtt(), Some(rtt));
}

#[test]
fn the_estimate_grows_without_padding_too() {
    let mut simulation = Simulation::new(1, line(3_000_000), &[SOME]);
    simulation.flows[0].unpadded = true;
    simulation.run_ms(60_000);
    let flow = &simulation.flows[0];
    assert_eq!(measure(&flow.slots, Is::Padding), 0);
    let late = measure(slots(&flow.slots, 40, 60), Is::Sent);
    assert!((2_000..3_000).contains(&late), "{late}");
}

#[test]
fn padding_is_asked_for_only_when_more_is_wanted() {
    let mut simulation = Simulation::new(1, line(5_000_000), &[Media::Smooth(400_000)]);
    simulation.run_ms(20_000);
    assert_eq!(measure(&simulation.flows[0].slots, Is::Padding), 0);
    simulation.set_media(0, SOME);
    simulation.run_ms(3_000);
    let flow = &simulation.flows[0];
    assert!(measure(slots(&flow.slots, 20, 22), Is::Padding) > 10);
    assert!(flow.bandwidth.estimate_bps() > 2_500_000);
}

/// Conditions at random, changed every second, with a way back that is as bad.
fn weather(random: &mut Random) -> Line {
    let mut pick = |choices: &[u64]| choices[random.below(choices.len() as u64) as usize];
    Line {
        bps: pick(&[30_000, 100_000, 300_000, 1_000_000, 3_000_000, 30_000_000]),
        queue_bytes: pick(&[2_000, 10_000, 50_000, 300_000]) as usize,
        delay_ms: pick(&[0, 5, 50, 400]) as i64,
        jitter_ms: pick(&[0, 0, 20, 100, 500]) as i64,
        losses: match pick(&[0, 0, 1, 2, 3]) {
            0 => Losses::None,
            1 => Losses::PerMille(pick(&[10, 100, 300, 900])),
            2 => Losses::PerMille(1_000),
            _ => Losses::Bursts {
                begin: pick(&[2, 20]),
                end: pick(&[50, 200]),
                lost: 900,
            },
        },
        reordered: pick(&[0, 0, 30, 300]),
        cross_bps: pick(&[0, 0, 200_000, 2_000_000]),
        back: Back {
            every_ms: pick(&[20, 80, 250, 900]) as i64,
            lost: pick(&[0, 0, 200, 1_000]),
            doubled: pick(&[0, 300]),
            jitter_ms: pick(&[0, 10, 300]) as i64,
        },
    }
}

fn survives_any_weather(seed: u64) {
    let mut random = Random(seed);
    let first = weather(&mut random);
    let mut simulation = Simulation::new(seed, first, &[SOME, LAYERS]);
    for _ in 0..12 {
        simulation.line = weather(&mut random);
        let media = [Media::Sound, SOME, MUCH, LAYERS];
        let flow = random.below(2) as usize;
        simulation.set_media(flow, media[random.below(4) as usize]);
        // Somebody who writes feedback of his own.
        let now = simulation.now();
        for _ in 0..random.below(4) {
            let length = random.below(40) as usize;
            let bytes = random.bytes(length);
            simulation.flows[flow].bandwidth.feedback(now, &bytes);
        }
        simulation.run_ms(1_000);
        for flow in &simulation.flows {
            let bandwidth = &flow.bandwidth;
            let estimate_bps = bandwidth.estimate_bps();
            assert!(
                (50_000..=20_000_000).contains(&estimate_bps),
                "seed {seed}: {estimate_bps}"
            );
            assert!(bandwidth.pacing_bps() >= estimate_bps, "seed {seed}");
            assert!((0.0..=1.0).contains(&bandwidth.loss()), "seed {seed}");
            let wake = bandwidth.poll_timeout();
            let soon = now + Duration::from_secs(60);
            assert!(wake.is_none_or(|at| at < soon), "seed {seed}: {wake:?}");
        }
    }
}

#[test]
fn any_weather_leaves_an_estimate_within_its_limits() {
    (0..20).for_each(survives_any_weather);
}
