//! What people do and what each of them hears of it, in words. `check` plays the steps and compares what the last one
//! brought about: `anna/pc` is a tab of Anna's, `ben` what is stored and pushed for Ben.

mod support;

use house::{Input, Intent};
use protocol::{CallId, HistoryId, Meeting, RoomId, RoomKind, Status, UserId};
use support::{World, home_room, user_of};

const BOTH: &[&str] = &["anna/pc opens", "ben/pc opens"];
const RINGING: &[&str] = &[
    "anna/pc opens",
    "ben/pc opens",
    "ben/phone opens",
    "anna/pc calls ben",
    "anna/pc sits",
];
const TALKING: &[&str] = &[
    "anna/pc opens",
    "ben/pc opens",
    "anna/pc calls ben",
    "anna/pc sits",
    "ben/pc accepts",
    "ben/pc sits",
    "10 s pass",
];

fn check(what: &str, given: &[&str], last: &str, expect: &[&str]) {
    let mut world = play(given);
    world.heard.clear();
    act(&mut world, last);
    assert_eq!(world.heard, expect, "{what}");
}

fn play(steps: &[&str]) -> World {
    let mut world = World::new();
    world.store.rooms = vec![home_room("kitchen"), home_room("cellar")];
    steps.iter().for_each(|step| act(&mut world, step));
    world
}

fn act(world: &mut World, step: &str) {
    let words: Vec<_> = step.split(' ').collect();
    let (who, what) = (words[0], &words[1..]);
    let id = || "1".into();
    let call = || last_call(world, user_of(who));
    match what {
        ["opens"] => world.open(who),
        ["closes"] => world.close(who),
        ["calls", callee] => world.call(who, callee, None),
        ["rings", "in", callee] => {
            let room = world.seats.iter().find(|(_, seats)| seats.contains(who));
            let room = room.map_or_else(|| "nowhere".into(), |(room, _)| room.clone());
            world.kinds.entry(room.clone()).or_default();
            world.call(who, callee, Some(room));
        }
        ["accepts"] => world.intent(
            who,
            Intent::Accept {
                id: id(),
                call: call(),
            },
        ),
        ["declines"] => world.intent(
            who,
            Intent::Decline {
                id: id(),
                call: call(),
            },
        ),
        ["cancels"] => world.intent(
            who,
            Intent::Cancel {
                id: id(),
                call: call(),
            },
        ),
        ["ignores"] => world.intent(
            who,
            Intent::Ignore {
                id: id(),
                call: call(),
            },
        ),
        ["declines", "the", "notification"] => {
            let input = Input::Declined {
                user: who.into(),
                call: call(),
            };
            world.input(input);
        }
        ["sits"] => {
            let room = world.store.calls[&call()].call.room.clone();
            world.sit(who, &room);
        }
        ["sits", room] => world.sit(who, &RoomId::from(*room)),
        ["leaves"] => world.stand_up(who),
        ["sees", "missed"] => world.intent(who, Intent::SeeMissed { id: id() }),
        ["is", "used"] => world.intent(who, Intent::SetActive { active: true }),
        ["is", "unused"] => world.intent(who, Intent::SetActive { active: false }),
        ["is", "pushable"] => drop(world.pushable.insert(who.to_owned())),
        ["is", "gone"] => world.input(Input::PersonGone { user: who.into() }),
        ["says", status] => {
            let status = match *status {
                "away" => Status::Away,
                "do_not_disturb" => Status::DoNotDisturb,
                _ => Status::Available,
            };
            world.intent(who, Intent::SetStatus { id: id(), status });
        }
        ["watches", people @ ..] => {
            let people = people.iter().map(|one| UserId::from(*one)).collect();
            world.intent(who, Intent::Watch { people });
        }
        ["deletes", "history"] => {
            world.store.lines.remove(who);
            let entries = None;
            world.input(Input::HistoryDeleted {
                user: who.into(),
                entries,
            });
        }
        ["asks"] => world.intent(who, Intent::GetSnapshot),
        ["ms", "pass"] => world.pass(who.parse().expect("a number")),
        ["s", "pass"] => world.pass(1000 * who.parse::<u64>().expect("a number")),
        ["s", "to", "restart"] => world.restart(1000 * who.parse::<u64>().expect("a number")),
        _ => panic!("nobody can {step:?}"),
    }
}

/// The youngest call from or to somebody.
fn last_call(world: &World, user: &str) -> CallId {
    let mut calls = world.started.iter().rev();
    let of = calls.find(|(_, caller, callee)| caller == user || callee == user);
    of.map_or_else(|| "never".into(), |(call, ..)| call.clone())
}

fn with(given: &[&'static str], more: &[&'static str]) -> Vec<&'static str> {
    [given, more].concat()
}

#[test]
fn a_call_rings_on_every_device_of_the_called_one() {
    check(
        "two devices",
        &with(BOTH, &["ben/phone opens"]),
        "anna/pc calls ben",
        &[
            "anna/pc: calling",
            "anna/pc: outgoing ben",
            "ben/pc: incoming anna",
            "ben/phone: incoming anna",
        ],
    );
    check(
        "the caller's other device shows it too",
        &with(BOTH, &["anna/phone opens"]),
        "anna/pc calls ben",
        &[
            "anna/pc: calling",
            "anna/pc: outgoing ben",
            "anna/phone: outgoing ben",
            "ben/pc: incoming anna",
        ],
    );
    check(
        "a device that appears while it rings",
        &[
            "anna/pc opens",
            "ben is pushable",
            "anna/pc calls ben",
            "anna/pc sits",
        ],
        "ben/pc opens",
        &["anna/pc: outgoing ben", "ben/pc: snapshot incoming anna"],
    );
    check(
        "nobody there, but to be woken",
        &["anna/pc opens", "ben is pushable"],
        "anna/pc calls ben",
        &[
            "anna/pc: calling in silence",
            "anna/pc: outgoing ben in silence",
            "ben: pushed anna rings but on []",
        ],
    );
    check(
        "some are there, others are to be woken",
        &with(BOTH, &["ben is pushable"]),
        "anna/pc calls ben",
        &[
            "anna/pc: calling",
            "anna/pc: outgoing ben",
            "ben/pc: incoming anna",
            "ben: pushed anna rings but on [\"ben/pc\"]",
        ],
    );
}

#[test]
fn answering_on_one_device_ends_it_on_the_others() {
    check(
        "accepted",
        RINGING,
        "ben/phone accepts",
        &[
            "ben/phone: ok",
            "anna/pc: answered",
            "ben/pc: answered_elsewhere",
            "ben/phone: answered",
            "anna: line outgoing",
            "ben: line incoming",
        ],
    );
    check(
        "declined",
        RINGING,
        "ben/phone declines",
        &[
            "anna/pc: declined",
            "ben/pc: answered_elsewhere",
            "ben/phone: declined",
            "anna: line outgoing declined",
            "ben: line incoming declined",
            "room: ended",
            "ben/phone: ok",
        ],
    );
    check(
        "declined from a notification",
        RINGING,
        "ben declines the notification",
        &[
            "anna/pc: declined",
            "ben/pc: declined",
            "ben/phone: declined",
            "anna: line outgoing declined",
            "ben: line incoming declined",
            "room: ended",
        ],
    );
    check(
        "ignored here",
        RINGING,
        "ben/phone ignores",
        &["ben/phone: ignored", "ben/phone: ok"],
    );
    check(
        "ignored here, accepted there",
        &with(RINGING, &["ben/phone ignores"]),
        "ben/pc accepts",
        &[
            "ben/pc: ok",
            "anna/pc: answered",
            "ben/pc: answered",
            "anna: line outgoing",
            "ben: line incoming",
        ],
    );
    check(
        "what was ignored does not come back by a reload",
        &with(RINGING, &["ben/phone ignores", "ben/phone closes"]),
        "ben/phone opens",
        &["ben/phone: snapshot"],
    );
    check(
        "another tab of the same browser is the same device",
        &with(RINGING, &["ben/phone#2 opens"]),
        "ben/phone#2 accepts",
        &[
            "ben/phone#2: ok",
            "anna/pc: answered",
            "ben/pc: answered_elsewhere",
            "ben/phone: answered",
            "ben/phone#2: answered",
            "anna: line outgoing",
            "ben: line incoming",
        ],
    );
    check(
        "walking into the room is accepting",
        RINGING,
        "ben/pc sits",
        &[
            "anna/pc: answered",
            "ben/pc: answered",
            "ben/phone: answered",
            "anna: line outgoing",
            "ben: line incoming",
        ],
    );
}

#[test]
fn ringing_ends_by_itself_or_by_its_caller() {
    let cancelled = &[
        "anna/pc: cancelled",
        "ben/pc: cancelled",
        "ben/phone: cancelled",
        "anna: line outgoing cancelled",
        "ben: line missed",
        "ben/pc: missed 1",
        "ben/phone: missed 1",
        "room: ended",
    ];
    check(
        "the caller leaves the room",
        RINGING,
        "anna/pc leaves",
        cancelled,
    );
    check(
        "the caller cancels",
        RINGING,
        "anna/pc cancels",
        &[&cancelled[..], &["anna/pc: ok"]].concat(),
    );
    check("nobody answers for 44 s", RINGING, "44 s pass", &[]);
    check(
        "nobody answers for 45 s",
        &with(RINGING, &["44 s pass"]),
        "1 s pass",
        &[
            "anna/pc: no_answer",
            "ben/pc: no_answer",
            "ben/phone: no_answer",
            "anna: line outgoing no_answer",
            "ben: line missed",
            "ben/pc: missed 1",
            "ben/phone: missed 1",
            "room: ended",
        ],
    );
    check(
        "the caller never comes into the room",
        &with(BOTH, &["anna/pc calls ben", "14 s pass"]),
        "1 s pass",
        &[
            "anna/pc: cancelled",
            "ben/pc: cancelled",
            "anna: line outgoing cancelled",
            "ben: line missed",
            "ben/pc: missed 1",
            "room: ended",
        ],
    );
    check(
        "the caller's last socket closes",
        &with(RINGING, &["anna/pc closes", "9 s pass"]),
        "1 s pass",
        &cancelled[1..],
    );
    check(
        "and opens again in time",
        &with(RINGING, &["anna/pc closes", "9 s pass", "anna/pc opens"]),
        "1 s pass",
        &[],
    );
    check(
        "the caller cancels before coming into the room",
        &with(BOTH, &["anna/pc calls ben"]),
        "anna/pc cancels",
        &[
            "anna/pc: cancelled",
            "ben/pc: cancelled",
            "anna: line outgoing cancelled",
            "ben: line missed",
            "ben/pc: missed 1",
            "room: ended",
            "anna/pc: ok",
        ],
    );
    check(
        "the called one reloads",
        &with(RINGING, &["ben/phone closes", "ben/pc closes", "1 s pass"]),
        "ben/pc opens",
        &["ben/pc: snapshot incoming anna"],
    );
    check(
        "the called one vanishes: it rings on, in silence",
        &with(RINGING, &["ben/phone closes", "ben/pc closes"]),
        "5 s pass",
        &["anna/pc: outgoing ben in silence"],
    );
    check(
        "what was pushed is taken back",
        &[
            "anna/pc opens",
            "ben is pushable",
            "anna/pc calls ben",
            "anna/pc sits",
        ],
        "anna/pc cancels",
        &[
            "anna/pc: cancelled",
            "anna: line outgoing cancelled",
            "ben: line missed",
            "ben: pushed cancelled, missed",
            "room: ended",
            "anna/pc: ok",
        ],
    );
}

#[test]
fn who_cannot_be_rung_misses_the_call_and_the_caller_hears_why() {
    let silent = |end: &str, rest: &[&str]| {
        let mut all = vec![
            "anna/pc: calling in silence".to_owned(),
            format!("anna/pc: {end}"),
        ];
        all.push(format!("anna: line outgoing {end}"));
        all.push("ben: line missed".to_owned());
        all.extend(rest.iter().map(|one| (*one).to_owned()));
        all
    };
    let check = |what, given: &[&str], end, rest: &[&str]| {
        let expect = silent(end, rest);
        let expect: Vec<_> = expect.iter().map(String::as_str).collect();
        check(what, given, "anna/pc calls ben", &expect);
    };
    let missed = &["ben/pc: missed 1"];
    check("not here", &["anna/pc opens"], "not_reachable", &[]);
    check(
        "gone for a while",
        &with(BOTH, &["ben/pc closes", "5 s pass"]),
        "not_reachable",
        &[],
    );
    check(
        "in a meeting",
        &with(BOTH, &["ben/pc sits kitchen"]),
        "busy",
        missed,
    );
    check(
        "being rung by another",
        &with(BOTH, &["carla/pc opens", "carla/pc calls ben"]),
        "busy",
        missed,
    );
    check(
        "calling another",
        &with(BOTH, &["carla/pc opens", "ben/pc calls carla"]),
        "busy",
        missed,
    );
    check(
        "on the way into a call",
        &with(
            BOTH,
            &["carla/pc opens", "carla/pc calls ben", "ben/pc accepts"],
        ),
        "busy",
        missed,
    );
    check(
        "does not want to be disturbed",
        &with(BOTH, &["ben/pc says do_not_disturb"]),
        "do_not_disturb",
        missed,
    );
    check(
        "not here and does not want to be woken",
        &with(
            BOTH,
            &[
                "ben/pc says do_not_disturb",
                "ben/pc closes",
                "5 s pass",
                "ben is pushable",
            ],
        ),
        "do_not_disturb",
        &[],
    );
}

#[test]
fn a_call_that_cannot_be_is_refused() {
    let refused = |what, given: &[&str], last: &str, code: &str| {
        let tab = last.split(' ').next().expect("a tab");
        check(what, given, last, &[&format!("{tab}: {code}")]);
    };
    refused("a stranger", BOTH, "anna/pc calls zoe", "cannot_be_called");
    refused("oneself", BOTH, "anna/pc calls anna", "cannot_be_called");
    let calling = &with(BOTH, &["anna/pc calls ben"]);
    refused(
        "a second call at once",
        calling,
        "anna/pc calls carla",
        "in_call",
    );
    refused(
        "from within a call",
        TALKING,
        "anna/pc calls carla",
        "in_call",
    );
    refused(
        "on the way into a call",
        &with(BOTH, &["anna/pc calls ben", "ben/pc accepts"]),
        "ben/pc calls carla",
        "in_call",
    );
    refused(
        "ringing in from nowhere",
        BOTH,
        "anna/pc rings in ben",
        "not_in_room",
    );
    refused(
        "into a room where they are",
        TALKING,
        "anna/pc rings in ben",
        "in_call",
    );
    refused(
        "into a room where they are being rung in",
        &with(TALKING, &["carla/pc opens", "anna/pc rings in carla"]),
        "ben/pc rings in carla",
        "in_call",
    );
    refused(
        "accepting one's own call",
        RINGING,
        "anna/pc accepts",
        "call_over",
    );
    refused(
        "declining one's own call",
        RINGING,
        "anna/pc declines",
        "call_over",
    );
    refused(
        "cancelling a call to oneself",
        RINGING,
        "ben/pc cancels",
        "call_over",
    );
    refused("accepting nothing", BOTH, "ben/pc accepts", "call_over");
    refused(
        "accepting what is over",
        &with(RINGING, &["anna/pc cancels"]),
        "ben/pc accepts",
        "call_over",
    );
    refused(
        "accepting twice",
        &with(RINGING, &["ben/pc accepts"]),
        "ben/phone accepts",
        "call_over",
    );
    refused(
        "ignoring what is over",
        &with(RINGING, &["anna/pc cancels"]),
        "ben/pc ignores",
        "call_over",
    );
    check(
        "declining from an old notification",
        &with(RINGING, &["anna/pc cancels"]),
        "ben declines the notification",
        &[],
    );
    check(
        "a meeting does not hinder from calling",
        &with(BOTH, &["anna/phone opens", "anna/phone sits kitchen"]),
        "anna/pc calls ben",
        &[
            "anna/pc: calling",
            "anna/pc: outgoing ben",
            "anna/phone: outgoing ben",
            "ben/pc: incoming anna",
        ],
    );
}

#[test]
fn nobody_but_the_called_one_can_answer() {
    for forged in ["accepts", "declines", "ignores", "cancels"] {
        let mut world = play(&with(RINGING, &["carla/pc opens"]));
        let call = last_call(&world, "ben");
        world.heard.clear();
        let id = "1".into();
        let intent = match forged {
            "accepts" => Intent::Accept { id, call },
            "declines" => Intent::Decline { id, call },
            "ignores" => Intent::Ignore { id, call },
            _ => Intent::Cancel { id, call },
        };
        world.intent("carla/pc", intent);
        assert_eq!(world.heard, ["carla/pc: call_over"], "carla {forged}");
    }
    let mut world = play(RINGING);
    let call = last_call(&world, "ben");
    world.heard.clear();
    world.input(Input::Declined {
        user: "carla".into(),
        call,
    });
    assert_eq!(world.heard, [""; 0]);
}

#[test]
fn two_who_call_each_other_are_in_one_call() {
    check(
        "crossing",
        &with(BOTH, &["anna/pc calls ben", "anna/pc sits"]),
        "ben/pc calls anna",
        &[
            "ben/pc: ok",
            "anna/pc: answered",
            "ben/pc: answered",
            "anna: line outgoing",
            "ben: line incoming",
        ],
    );
    check(
        "a circle of three does not close",
        &with(
            BOTH,
            &["carla/pc opens", "anna/pc calls ben", "ben/pc calls carla"],
        ),
        "carla/pc calls anna",
        &[
            "carla/pc: calling in silence",
            "carla/pc: busy",
            "carla: line outgoing busy",
            "anna: line missed",
            "anna/pc: missed 1",
        ],
    );
}

#[test]
fn a_call_ends_when_one_is_left() {
    check(
        "one of two hangs up",
        TALKING,
        "ben/pc leaves",
        &[
            "anna: line outgoing 10s",
            "ben: line incoming 10s",
            "room: ended",
        ],
    );
    check(
        "the called one accepts and does not come",
        &with(RINGING, &["ben/pc accepts", "14 s pass"]),
        "1 s pass",
        &[
            "anna: line outgoing 0s",
            "ben: line incoming 0s",
            "room: ended",
        ],
    );
    check(
        "the caller leaves while the called one is on the way",
        &with(RINGING, &["ben/pc accepts", "anna/pc leaves"]),
        "ben/pc sits",
        &["room: ended"],
    );
    let three = with(
        TALKING,
        &[
            "carla/pc opens",
            "anna/pc rings in carla",
            "carla/pc accepts",
            "carla/pc sits",
        ],
    );
    check(
        "one of three leaves",
        &three,
        "ben/pc leaves",
        &["anna: line outgoing 10s", "ben: line incoming 10s"],
    );
    check(
        "two of three leave",
        &with(&three, &["ben/pc leaves"]),
        "carla/pc leaves",
        &[
            "anna: line outgoing 0s",
            "carla: line incoming 0s",
            "room: ended",
        ],
    );
    check(
        "a third is still being rung",
        &with(TALKING, &["carla/pc opens", "anna/pc rings in carla"]),
        "ben/pc leaves",
        &["anna: line outgoing 10s", "ben: line incoming 10s"],
    );
    check(
        "then declines",
        &with(
            TALKING,
            &["carla/pc opens", "anna/pc rings in carla", "ben/pc leaves"],
        ),
        "carla/pc declines",
        &[
            "anna/pc: declined",
            "carla/pc: declined",
            "anna: line outgoing declined",
            "carla: line incoming declined",
            "room: ended",
            "carla/pc: ok",
        ],
    );
}

#[test]
fn people_are_rung_into_a_meeting() {
    let ringing = with(BOTH, &["anna/pc sits kitchen", "anna/pc rings in ben"]);
    check(
        "into a named room",
        &with(BOTH, &["anna/pc sits kitchen"]),
        "anna/pc rings in ben",
        &[
            "anna/pc: calling",
            "anna/pc: outgoing ben",
            "ben/pc: incoming anna",
        ],
    );
    check(
        "who accepts need not knock",
        &ringing,
        "ben/pc accepts",
        &[
            "kitchen: expects ben",
            "ben/pc: ok",
            "anna/pc: answered",
            "ben/pc: answered",
            "anna: line outgoing",
            "ben: line incoming",
        ],
    );
    check(
        "who declines does not end the meeting",
        &ringing,
        "ben/pc declines",
        &[
            "anna/pc: declined",
            "ben/pc: declined",
            "anna: line outgoing declined",
            "ben: line incoming declined",
            "ben/pc: ok",
        ],
    );
    check(
        "several at once",
        &with(&ringing, &["carla/pc opens"]),
        "anna/pc rings in carla",
        &[
            "anna/pc: calling",
            "anna/pc: outgoing carla",
            "carla/pc: incoming anna",
        ],
    );
    let world = play(&with(
        TALKING,
        &["carla/pc opens", "anna/pc rings in carla"],
    ));
    let room = world
        .kinds
        .iter()
        .find(|(_, kind)| **kind == RoomKind::Call);
    let member = (room.expect("a call's room").0.clone(), "carla".to_owned());
    assert!(
        world.store.members.contains(&member),
        "may enter the call's room"
    );
}

#[test]
fn what_rang_before_a_restart_rings_on() {
    let restarted = with(RINGING, &["10 s pass", "2 s to restart"]);
    check(
        "for the called one",
        &restarted,
        "ben/pc opens",
        &["ben/pc: snapshot incoming anna"],
    );
    check(
        "and for the caller",
        &restarted,
        "anna/pc opens",
        &["anna/pc: snapshot outgoing ben in silence"],
    );
    check(
        "the caller does not come back",
        &with(&restarted, &["ben/pc opens", "14 s pass"]),
        "1 s pass",
        &[
            "ben/pc: cancelled",
            "anna: line outgoing cancelled",
            "ben: line missed",
            "ben/pc: missed 1",
            "room: ended",
        ],
    );
    let back = with(&restarted, &["anna/pc opens", "ben/pc opens"]);
    check("the 45 s go on: not yet", &back, "32 s pass", &[]);
    check(
        "the 45 s go on: over",
        &with(&back, &["32 s pass"]),
        "1 s pass",
        &[
            "anna/pc: no_answer",
            "ben/pc: no_answer",
            "anna: line outgoing no_answer",
            "ben: line missed",
            "ben/pc: missed 1",
            "room: ended",
        ],
    );
    check(
        "and can be accepted",
        &back,
        "ben/pc accepts",
        &[
            "ben/pc: ok",
            "anna/pc: answered",
            "ben/pc: answered",
            "anna: line outgoing",
            "ben: line incoming",
        ],
    );
    check(
        "it took too long",
        &with(RINGING, &["60 s to restart"]),
        "0 ms pass",
        &[
            "anna: line outgoing no_answer",
            "ben: line missed",
            "room: ended",
        ],
    );
    check(
        "who was on the way in has time to come",
        &with(RINGING, &["ben/pc accepts", "1 s to restart"]),
        "14 s pass",
        &[],
    );
    check(
        "once two are back, it ends as any other call",
        &with(TALKING, &["1 s to restart"]),
        "ben/pc leaves",
        &["room: ended"],
    );
    check(
        "everybody leaves before that time is over",
        &with(
            RINGING,
            &[
                "ben/pc accepts",
                "1 s to restart",
                "anna/pc leaves",
                "14 s pass",
            ],
        ),
        "1 s pass",
        &["room: ended"],
    );
    check(
        "and not for ever",
        &with(RINGING, &["ben/pc accepts", "1 s to restart", "14 s pass"]),
        "1 s pass",
        &["room: ended"],
    );
}

#[test]
fn a_call_from_before_a_restart_that_is_empty_at_once_is_over() {
    let mut world = World::new();
    let roll = |kind| Input::RoomPeople {
        room: "old".into(),
        kind,
        address: String::new(),
        name: String::new(),
        people: 0,
        accounts: Vec::new(),
    };
    world.input(roll(RoomKind::Named));
    assert_eq!(world.heard, [""; 0]);
    world.input(roll(RoomKind::Call));
    assert_eq!(world.heard, ["room: ended"]);
}

#[test]
fn floods_are_slowed_down() {
    let mut world = play(&["anna/pc opens"]);
    for callee in [
        "ben", "carla", "dora", "emil", "zoe", "ben", "carla", "dora", "emil", "zoe",
    ] {
        act(&mut world, &format!("anna/pc calls {callee}"));
    }
    world.heard.clear();
    act(&mut world, "anna/pc calls zoe");
    act(&mut world, "anna/pc calls ben");
    assert_eq!(
        world.heard,
        ["anna/pc: rate_limited", "anna/pc: rate_limited"]
    );
    assert_eq!(world.store.missed("ben"), 2);
}

#[test]
fn missed_calls_are_counted_until_they_are_seen() {
    let missed = with(
        BOTH,
        &[
            "ben/pc sits kitchen",
            "anna/pc calls ben",
            "anna/pc calls ben",
        ],
    );
    check(
        "seen",
        &missed,
        "ben/pc sees missed",
        &["ben/pc: missed 0", "ben/pc: ok"],
    );
    check(
        "seen twice",
        &with(&missed, &["ben/pc sees missed"]),
        "ben/pc sees missed",
        &["ben/pc: ok"],
    );
    let mut world = play(&missed);
    act(&mut world, "ben/phone opens");
    assert_eq!(world.client("ben/phone").home().missed, 2);
    act(&mut world, "ben deletes history");
    act(&mut world, "200 ms pass");
    assert_eq!(world.client("ben/phone").home().missed, 0);
}

#[test]
fn a_stay_in_a_named_room_is_one_line() {
    let stay = &["anna/pc opens", "anna/pc sits kitchen", "10 s pass"];
    check(
        "inside",
        &stay[..1],
        "anna/pc sits kitchen",
        &["anna: line room"],
    );
    check("and out", stay, "anna/pc leaves", &["anna: line room 10s"]);
    let back = with(
        stay,
        &[
            "anna/pc leaves",
            "299 s pass",
            "anna/pc sits kitchen",
            "5 s pass",
        ],
    );
    check(
        "back within five minutes",
        &back,
        "anna/pc leaves",
        &["anna: line room 15s"],
    );
    let late = with(
        stay,
        &[
            "anna/pc leaves",
            "300 s pass",
            "anna/pc sits kitchen",
            "5 s pass",
        ],
    );
    check(
        "back later",
        &late,
        "anna/pc leaves",
        &["anna: line room 5s"],
    );
    let lines = |steps: &[&str]| play(steps).store.lines["anna"].len();
    assert_eq!((lines(&back), lines(&late)), (1, 2));
    check(
        "two devices are one stay",
        &with(stay, &["anna/phone opens"]),
        "anna/phone sits kitchen",
        &[],
    );
    check(
        "a line that was deleted is not written again",
        &with(stay, &["anna deletes history"]),
        "anna/pc leaves",
        &[],
    );
    check(
        "nor that of a call; the other's is",
        &with(TALKING, &["ben deletes history"]),
        "ben/pc leaves",
        &["anna: line outgoing 10s", "room: ended"],
    );
}

#[test]
fn those_who_watch_hear_who_is_there() {
    let watching = with(BOTH, &["anna/pc watches ben carla"]);
    let after = |what, more: &[&'static str], last, expect: &[&str]| {
        let mut world = play(&with(&watching, more));
        world.heard.clear();
        act(&mut world, last);
        act(&mut world, "500 ms pass");
        let heard = world.heard.iter();
        let heard: Vec<_> = heard
            .filter(|line| line.starts_with("anna/pc: ben "))
            .collect();
        assert_eq!(heard, expect, "{what}");
    };
    check(
        "at once",
        BOTH,
        "anna/pc watches ben carla",
        &["anna/pc: ben available, carla offline"],
    );
    check(
        "after a snapshot again",
        &watching,
        "anna/pc asks",
        &["anna/pc: snapshot", "anna/pc: ben available, carla offline"],
    );
    after(
        "used no more",
        &[],
        "ben/pc is unused",
        &["anna/pc: ben away"],
    );
    after(
        "another device is used",
        &["ben/phone opens"],
        "ben/pc is unused",
        &[],
    );
    after("says so", &[], "ben/pc says away", &["anna/pc: ben away"]);
    after(
        "not to be disturbed",
        &[],
        "ben/pc says do_not_disturb",
        &["anna/pc: ben do_not_disturb"],
    );
    after(
        "in a meeting",
        &["ben/pc says do_not_disturb", "1 s pass"],
        "ben/pc sits kitchen",
        &["anna/pc: ben in_call"],
    );
    after(
        "a reload does not show",
        &["ben/pc closes"],
        "ben/pc opens",
        &[],
    );
    after(
        "gone",
        &["ben/pc closes"],
        "4 s pass",
        &["anna/pc: ben offline"],
    );
    after(
        "gone, though the seat waits",
        &["ben/pc sits kitchen", "1 s pass", "ben/pc closes"],
        "4 s pass",
        &["anna/pc: ben offline"],
    );
    after(
        "back",
        &["ben/pc closes", "5 s pass"],
        "ben/pc opens",
        &["anna/pc: ben available"],
    );
    after(
        "to and fro between two beats",
        &["ben/pc is unused"],
        "ben/pc is used",
        &[],
    );
    after(
        "nobody looks",
        &["anna/pc watches carla"],
        "ben/pc is unused",
        &[],
    );
    after("deleted", &[], "ben is gone", &["anna/pc: ben offline"]);
}

#[test]
fn a_busy_room_costs_one_message_a_beat() {
    let told = &["anna/pc opens", "anna/phone opens"];
    let mut world = play(told);
    world.heard.clear();
    for tab in ["ben/a", "ben/b", "carla/a"] {
        world.sit(tab, &"kitchen".into());
    }
    act(&mut world, "199 ms pass");
    assert_eq!(world.heard, ["ben: line room", "carla: line room"]);
    act(&mut world, "1 ms pass");
    assert_eq!(
        world.heard[2..],
        ["anna/pc: kitchen has 3", "anna/phone: kitchen has 3"]
    );
    let mut world = play(told);
    world.heard.clear();
    world.store.rooms = vec![home_room("garden"), home_room("kitchen")];
    world.input(Input::FactsChanged {
        user: "anna".into(),
    });
    world.input(Input::RoomFactsChanged {
        room: Some("cellar".into()),
    });
    act(&mut world, "200 ms pass");
    let expect = [
        "anna/pc: cellar gone",
        "anna/phone: cellar gone",
        "anna/pc: garden has 0",
        "anna/phone: garden has 0",
    ];
    assert_eq!(world.heard, expect);
}

#[test]
fn whose_facts_cannot_be_read_is_told_to_come_again() {
    let mut world = World::new();
    world.late_loads = true;
    world.open("anna/pc");
    world.intent("anna/pc", Intent::SeeMissed { id: "1".into() });
    world.loads.clear();
    world.input(Input::NotLoaded {
        user: "anna".into(),
    });
    assert_eq!(
        world.heard,
        ["anna/pc: unavailable", "anna/pc: unavailable"]
    );
    world.heard.clear();
    world.intent("anna/pc", Intent::GetSnapshot);
    world.deliver_load();
    assert_eq!(world.heard, ["anna/pc: snapshot"]);
}

#[test]
fn meetings_of_others_do_not_push_ones_own_off_the_page() {
    let mut world = play(&["anna/pc opens"]);
    for number in 0..61 {
        let meeting = Meeting {
            id: format!("m{number:02}").into(),
            title: "title".to_owned(),
            room: "kitchen".to_owned(),
            starts_at: 100 - number,
            ends_at: 200,
            time_zone: "Europe/Berlin".to_owned(),
            by: "ben".to_owned(),
            own: number == 0,
        };
        let user = "anna".into();
        world.input(Input::MeetingChanged { user, meeting });
    }
    act(&mut world, "anna/phone opens");
    for device in ["anna/pc", "anna/phone"] {
        let meetings = &world.client(device).home().meetings;
        assert_eq!(meetings.len(), 51, "{device}");
        let shown = |one: &Meeting| one.own || one.starts_at < 90;
        assert!(meetings.iter().all(shown), "{device}: the next ones");
        assert!(meetings.iter().any(|one| one.own), "{device}");
    }
}

#[test]
fn planned_meetings_come_in_their_order() {
    let mut world = play(&["anna/pc opens"]);
    let meeting = |id: &str, starts_at| Meeting {
        id: id.into(),
        title: id.to_owned(),
        room: "kitchen".to_owned(),
        starts_at,
        ends_at: starts_at + 1,
        time_zone: "Europe/Berlin".to_owned(),
        by: "anna".to_owned(),
        own: true,
    };
    for (id, starts_at) in [("late", 3), ("early", 1), ("moved", 4), ("moved", 2)] {
        let (user, meeting) = ("anna".into(), meeting(id, starts_at));
        world.input(Input::MeetingChanged { user, meeting });
    }
    let (user, gone) = ("anna".into(), "late".into());
    world.input(Input::MeetingRemoved {
        user,
        meeting: gone,
    });
    act(&mut world, "anna/phone opens");
    let expect = [meeting("early", 1), meeting("moved", 2)];
    assert_eq!(world.client("anna/phone").home().meetings, expect);
    let entries = Some(vec![HistoryId::from("none")]);
    world.input(Input::HistoryDeleted {
        user: "anna".into(),
        entries,
    });
}

#[test]
fn an_account_that_is_gone_is_in_no_call() {
    check(
        "the called one",
        &with(BOTH, &["anna/pc calls ben", "anna/pc sits"]),
        "ben is gone",
        &[
            "anna/pc: not_reachable",
            "ben/pc: not_reachable",
            "anna: line outgoing not_reachable",
            "ben: line missed",
            "ben/pc: missed 1",
            "room: ended",
        ],
    );
    check(
        "is told nothing any more",
        &with(BOTH, &["anna/pc calls ben", "ben is gone"]),
        "ben/pc accepts",
        &[],
    );
}
