//! Any sequence of events, with late answers, against what a small independent model says must hold.

mod support;

use std::collections::BTreeSet;

use house::{Input, Intent};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use protocol::{Availability, CallId, HistoryKind, Home, RoomId, RoomKind, Status, UserId, limits};
use support::{Answer, Tab, World, home_room, person, user_of};

const TABS: &[Tab] = &[
    "anna/pc",
    "anna/pc#2",
    "anna/phone",
    "ben/pc",
    "ben/phone",
    "carla/pc",
    "carla/phone",
    "dora/pc",
];
const PEOPLE: &[&str] = &["anna", "ben", "carla", "dora"];

#[derive(Clone, Debug)]
enum Event {
    Open(Tab),
    Close(Tab),
    Call(Tab, &'static str),
    RingIn(Tab, &'static str),
    /// The call so many before the youngest.
    Accept(Tab, usize),
    Decline(Tab, usize),
    Cancel(Tab, usize),
    Ignore(Tab, usize),
    Notification(&'static str, usize),
    EnterCall(Tab, usize),
    EnterRoom(Tab),
    Leave(Tab),
    Status(Tab, Status),
    Active(Tab, bool),
    Watch(Tab, Vec<&'static str>),
    SeeMissed(Tab),
    DeleteHistory(&'static str),
    FactsChanged(&'static str),
    Pushable(&'static str),
    Roll,
    Load,
    Ending,
    Pass(u64),
    Restart(u64),
    /// All that is late arrives.
    Settle,
}

fn tab() -> impl Strategy<Value = Tab> {
    prop::sample::select(TABS)
}

fn user() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PEOPLE)
}

fn event() -> impl Strategy<Value = Event> {
    let status = prop::sample::select(
        &[
            Status::Available,
            Status::Away,
            Status::DoNotDisturb,
            Status::Available,
        ][..],
    );
    let pass = prop::sample::select(&[1_u64, 200, 4000, 10_000, 15_000, 45_000, 300_000][..]);
    prop_oneof![
        12 => tab().prop_map(Event::Open),
        4 => tab().prop_map(Event::Close),
        12 => (tab(), user()).prop_map(|(tab, user)| Event::Call(tab, user)),
        4 => (tab(), user()).prop_map(|(tab, user)| Event::RingIn(tab, user)),
        8 => (tab(), 0..3_usize).prop_map(|(tab, back)| Event::Accept(tab, back)),
        2 => (tab(), 0..3_usize).prop_map(|(tab, back)| Event::Decline(tab, back)),
        2 => (tab(), 0..3_usize).prop_map(|(tab, back)| Event::Cancel(tab, back)),
        2 => (tab(), 0..3_usize).prop_map(|(tab, back)| Event::Ignore(tab, back)),
        1 => (user(), 0..3_usize).prop_map(|(user, back)| Event::Notification(user, back)),
        14 => (tab(), 0..2_usize).prop_map(|(tab, back)| Event::EnterCall(tab, back)),
        2 => tab().prop_map(Event::EnterRoom),
        4 => tab().prop_map(Event::Leave),
        1 => (tab(), status).prop_map(|(tab, status)| Event::Status(tab, status)),
        2 => (tab(), any::<bool>()).prop_map(|(tab, active)| Event::Active(tab, active)),
        2 => (tab(), vec(user(), 0..4)).prop_map(|(tab, people)| Event::Watch(tab, people)),
        1 => tab().prop_map(Event::SeeMissed),
        1 => user().prop_map(Event::DeleteHistory),
        1 => user().prop_map(Event::FactsChanged),
        1 => user().prop_map(Event::Pushable),
        8 => Just(Event::Roll),
        8 => Just(Event::Load),
        4 => Just(Event::Ending),
        4 => pass.prop_map(Event::Pass),
        1 => prop::sample::select(&[1_u64, 5000, 50_000][..]).prop_map(Event::Restart),
        3 => Just(Event::Settle),
    ]
}

fn act(world: &mut World, event: &Event) {
    let id = || "1".into();
    match event.clone() {
        Event::Open(tab) if !world.tabs.contains_key(tab) => world.open(tab),
        Event::Open(_) => {}
        Event::Close(tab) => world.close(tab),
        Event::Call(tab, callee) => world.call(tab, callee, None),
        Event::RingIn(tab, callee) => {
            if let Some(room) = seat(world, tab) {
                world.call(tab, callee, Some(room));
            }
        }
        Event::Accept(tab, back) => {
            let call = call(world, back);
            world.intent(tab, Intent::Accept { id: id(), call });
        }
        Event::Decline(tab, back) => {
            let call = call(world, back);
            world.intent(tab, Intent::Decline { id: id(), call });
        }
        Event::Cancel(tab, back) => {
            let call = call(world, back);
            world.intent(tab, Intent::Cancel { id: id(), call });
        }
        Event::Ignore(tab, back) => {
            let call = call(world, back);
            world.intent(
                tab,
                Intent::Ignore {
                    id: id(),
                    call: call.clone(),
                },
            );
            if world.tabs.contains_key(tab) && world.client(tab).answer == Some(Answer::Ok) {
                let browser = world.client(tab).browser.clone();
                world.ignored.insert((call, browser));
            }
        }
        Event::Notification(user, back) => {
            let (user, call) = (user.into(), call(world, back));
            world.input(Input::Declined { user, call });
        }
        Event::EnterCall(tab, back) => enter_call(world, tab, back),
        Event::EnterRoom(tab) => {
            if world.tabs.contains_key(tab) && seat(world, tab).is_none() {
                world.sit(tab, &"kitchen".into());
            }
        }
        Event::Leave(tab) => world.stand_up(tab),
        Event::Status(tab, status) => world.intent(tab, Intent::SetStatus { id: id(), status }),
        Event::Active(tab, active) => {
            if let Some(socket) = world.tabs.get(tab).copied() {
                let _ = match active {
                    true => world.unused.remove(&socket),
                    false => world.unused.insert(socket),
                };
                world.intent(tab, Intent::SetActive { active });
            }
        }
        Event::Watch(tab, people) => {
            let people = people.into_iter().map(UserId::from).collect();
            world.intent(tab, Intent::Watch { people });
        }
        Event::SeeMissed(tab) => world.intent(tab, Intent::SeeMissed { id: id() }),
        Event::DeleteHistory(user) => {
            world.store.lines.remove(user);
            let (user, entries) = (user.into(), None);
            world.input(Input::HistoryDeleted { user, entries });
        }
        Event::FactsChanged(user) => world.input(Input::FactsChanged { user: user.into() }),
        Event::Pushable(user) => drop(world.pushable.insert(user.to_owned())),
        Event::Roll => world.deliver_roll(),
        Event::Load => world.deliver_load(),
        Event::Ending => world.deliver_ending(),
        Event::Pass(ms) => world.pass(ms),
        Event::Restart(ms) => world.restart(ms),
        Event::Settle => settle(world),
    }
}

fn call(world: &World, back: usize) -> CallId {
    let call = world.started.iter().rev().nth(back);
    call.map_or_else(|| "never".into(), |(call, ..)| call.clone())
}

fn seat(world: &World, tab: &str) -> Option<RoomId> {
    let seat = world.seats.iter().find(|(_, seats)| seats.contains(tab));
    seat.map(|(room, _)| room.clone())
}

/// As the server lets people in: members only.
fn enter_call(world: &mut World, tab: &str, back: usize) {
    let Some(record) = world.store.calls.get(&call(world, back)) else {
        return;
    };
    let room = record.call.room.clone();
    let member = (room.clone(), user_of(tab).to_owned());
    let may = world.store.members.contains(&member);
    if may && world.tabs.contains_key(tab) && seat(world, tab).is_none() {
        world.sit(tab, &room);
    }
}

fn settle(world: &mut World) {
    while !(world.loads.is_empty() && world.rolls.is_empty() && world.endings.is_empty()) {
        world.deliver_load();
        world.deliver_roll();
        world.deliver_ending();
    }
    world.pass(500);
    while !world.loads.is_empty() {
        world.deliver_load();
    }
}

/// Holds after each event.
fn check(world: &mut World) {
    world.pass(0);
    for record in world.store.calls.values().filter(|record| record.rings) {
        let rung = world.now.unix_ms - record.call.started_at;
        assert!(rung < limits::RING_MS, "rings for too long");
    }
    for name in PEOPLE {
        let theirs = world.calling.iter();
        let theirs = theirs.filter(|call| world.parties[*call].iter().any(|one| one == name));
        let over = theirs.filter(|call| {
            let record = world.store.calls.get(*call);
            record.is_none_or(|record| !record.rings)
        });
        let lines = world.written.iter().filter(|(user, _)| user == name);
        assert_eq!(
            lines.count(),
            over.count(),
            "one line of {name}'s for each call"
        );
    }
    let tabs: Vec<_> = world.tabs.keys().cloned().collect();
    for tab in tabs {
        check_tab(world, &tab);
    }
}

fn check_tab(world: &mut World, tab: &str) {
    let client = world.client(tab);
    for call in &client.heard_of {
        assert!(
            world.parties[call].contains(&client.user),
            "{call} is no call of {tab}'s"
        );
    }
    let ended: BTreeSet<_> = client.ended.iter().map(|(call, _)| call).collect();
    assert_eq!(
        ended.len(),
        client.ended.len(),
        "a call ended twice for {tab}"
    );
    let Some((_, seq, home)) = client.home.clone() else {
        return;
    };
    let rings = world.store.calls.values().filter(|record| record.rings);
    let rings = rings.filter(|record| {
        let ignored = (record.call.id.clone(), client.browser.clone());
        let called = record.call.callee == person(&client.user).id;
        record.call.caller == person(&client.user).id || called && !world.ignored.contains(&ignored)
    });
    let rings: BTreeSet<_> = rings.map(|record| record.call.id.clone()).collect();
    let shown: BTreeSet<_> = home.calls.iter().map(|call| call.id.clone()).collect();
    assert_eq!(shown, rings, "what rings for {tab}");
    world.intent(tab, Intent::GetSnapshot);
    let (_, fresh_seq, fresh) = world.client(tab).home.clone().expect("a snapshot");
    assert!(fresh_seq >= seq);
    assert_eq!(
        sorted(home),
        sorted(fresh),
        "snapshot + deltas = state, for {tab}"
    );
}

/// The order of rooms and calls is the reader's own.
fn sorted(mut home: Home) -> Home {
    home.rooms.sort_by(|a, b| a.id.cmp(&b.id));
    home.calls.sort_by(|a, b| a.id.cmp(&b.id));
    home
}

/// Holds when nothing is on its way any more.
fn check_settled(world: &mut World) {
    world.pass(5000);
    settle(world);
    for tab in world.tabs.keys() {
        let client = world.client(tab);
        let home = client.home();
        assert_eq!(
            home.missed,
            world.store.missed(&client.user),
            "missed by {}",
            client.user
        );
        let status = world.store.status.get(&client.user).copied();
        assert_eq!(home.status, status.unwrap_or_default());
        for room in &home.rooms {
            let people = world.seats.get(&room.id).map_or(0, BTreeSet::len);
            assert_eq!(room.people as usize, people, "in {}", room.id);
        }
        for (person, told) in &client.availability {
            if client.watches(person) {
                assert_eq!(*told, availability(world, person), "{tab} watches {person}");
            }
        }
    }
}

fn availability(world: &World, person: &str) -> Availability {
    let tabs = world.tabs.iter().filter(|(tab, _)| user_of(tab) == person);
    let tabs: Vec<_> = tabs.collect();
    let sits = world
        .seats
        .values()
        .flatten()
        .any(|tab| user_of(tab) == person);
    let used = tabs
        .iter()
        .any(|(_, socket)| !world.unused.contains(socket));
    match world.store.status.get(person).copied().unwrap_or_default() {
        _ if tabs.is_empty() => Availability::Offline,
        _ if sits => Availability::InCall,
        Status::DoNotDisturb => Availability::DoNotDisturb,
        Status::Available if used => Availability::Available,
        _ => Availability::Away,
    }
}

/// Everybody goes home.
fn check_end(world: &mut World, restarted: bool) {
    for tab in TABS {
        world.stand_up(tab);
        world.close(tab);
    }
    settle(world);
    world.pass(20 * 60 * 1000);
    settle(world);
    world.pass(20 * 60 * 1000);
    check(world);
    assert!(
        world.store.calls.values().all(|record| !record.rings),
        "no ghost call"
    );
    for (room, kind) in &world.kinds {
        let ended = world.ended_rooms.contains(room);
        assert_eq!(ended, *kind == RoomKind::Call, "{room} is over");
    }
    let lines = world.store.lines.values().flat_map(|lines| lines.values());
    for line in lines.filter(|_| !restarted) {
        let inside = line.kind == HistoryKind::Room;
        let talked = inside || line.kind != HistoryKind::Missed && line.end.is_none();
        assert_eq!(talked, line.duration_ms.is_some(), "{line:?}");
    }
    assert_eq!(world.house.poll_timeout(), None);
}

/// The same sequences on every machine; a found one becomes a scenario.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 400,
        rng_seed: RngSeed::Fixed(0x4341_4c4c_494e),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_happens_no_call_is_a_ghost(
        late_loads in any::<bool>(),
        late_rolls in any::<bool>(),
        events in vec(event(), 1..100),
    ) {
        let mut world = World::new();
        world.store.rooms = vec![home_room("kitchen"), home_room("cellar")];
        (world.late_loads, world.late_rolls) = (late_loads, late_rolls);
        for tab in ["anna/pc", "ben/pc", "carla/pc"] {
            world.open(tab);
        }
        for event in &events {
            act(&mut world, event);
            check(&mut world);
            if matches!(event, Event::Settle) {
                check_settled(&mut world);
            }
        }
        check_settled(&mut world);
        let restarted = events.iter().any(|event| matches!(event, Event::Restart(_)));
        check_end(&mut world, restarted);
    }
}
