//! A small independent model of who sits where, and any sequence of events against it: the tests of `model.rs`, and the fuzz
//! target `meeting`.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use protocol::{Access, Presence, RoomLeftReason, Source, UserId, WaitingReason, limits};
use room::{Input, Intent, MediaEvent};

use super::{Client, Stand, Who, World};

/// Anna owns the room, Carl is a member, Bert has an account like many, the others are guests.
const PEOPLE: &[Who] = &[
    "anna",
    "anna/phone",
    "bert",
    "carl",
    "gil",
    "gert",
    "gert/phone",
];
const KNOCK_MS: u64 = 15_000;
const MOST_EVENTS: usize = 100;
const SOURCES: [Source; 4] = [
    Source::Microphone,
    Source::Camera,
    Source::Screen,
    Source::ScreenAudio,
];
const GRACE_MS: u64 = limits::SEAT_GRACE_MS;

#[derive(Clone, Debug)]
pub enum Event {
    Join(Who),
    Leave(Who),
    Lose(Who),
    ClosePage(Who),
    Access(Access),
    EndSession(Who),
    Pass(u64),
    Restart(u64),
    Offer(Who, usize, usize),
    MediaGone(Who),
    Publish(Who, Source, bool),
    Unpublish(Who, Source),
    Wanted(Who, Vec<Who>),
    Ready(Who, u8, u32),
    Started(Who, u8, u32),
    Speak(Vec<Who>),
    Demand(Who, Source, bool),
    Pause(Who, u8, u32, bool),
    Knock(bool),
    Admit(Who, usize, bool),
    Expect(Who),
    /// At the door; whether the media side has answered.
    Prepare(Who, bool),
    EnterPrepared(Who),
    LeaveDoor(Who),
    End,
}

/// A meeting: how open its room is, and what happens.
pub type Story = (Access, Vec<Event>);

pub fn story() -> impl Strategy<Value = Story> {
    let access = prop::sample::select(&[Access::Accounts, Access::Guests][..]);
    (access, vec(event(), 1..60))
}

/// The fuzz target: the bytes choose what happens, until they end.
pub fn meeting(input: &[u8]) {
    let mut bytes = input.iter().copied();
    let access = match bytes.next().unwrap_or_default() % 2 {
        0 => Access::Accounts,
        _ => Access::Guests,
    };
    let mut events = Vec::new();
    while events.len() < MOST_EVENTS
        && let Some(event) = next_event(&mut bytes)
    {
        events.push(event);
    }
    play((access, events));
}

/// The same events as those of [`event`], and the same limits.
fn next_event(bytes: &mut impl Iterator<Item = u8>) -> Option<Event> {
    let mut number = || bytes.next().map(usize::from);
    let (kind, who) = (number()?, number()?);
    let flag = who & 0x80 != 0;
    let person = |number: usize| PEOPLE[number % PEOPLE.len()];
    let place = (who >> 3) % 4;
    let source = SOURCES[(who >> 3) % SOURCES.len()];
    let (slot, generation) = ((who >> 3) as u8 % 5, 1 + kind as u32 / 64);
    let who = person(who % 8);
    Some(match kind % 25 {
        0 => Event::Join(who),
        1 => Event::Leave(who),
        2 => Event::Lose(who),
        3 => Event::ClosePage(who),
        4 if flag => Event::Access(Access::Accounts),
        4 => Event::Access(Access::Guests),
        5 => Event::EndSession(person_of(who)),
        6 => Event::Pass([1, 14_999, 20_000, 59_999, 60_000][number()? % 5]),
        7 => Event::Restart([1, 30_000, 60_000][number()? % 3]),
        8 => Event::Offer(who, place, usize::from(flag)),
        9 => Event::MediaGone(who),
        10 => Event::Publish(who, source, flag),
        11 => Event::Unpublish(who, source),
        12 => Event::Wanted(who, vec![person(number()?), person(number()?)]),
        13 => Event::Ready(who, slot, generation),
        14 => Event::Started(who, slot, generation),
        15 => Event::Speak(vec![who, person(number()?)]),
        16 => Event::Demand(who, source, flag),
        17 => Event::Pause(who, slot, generation, flag),
        18 => Event::Knock(flag),
        19 => Event::Admit(who, place.min(2), flag),
        20 => Event::Expect(if flag { "bert" } else { "carl" }),
        21 => Event::Prepare(who, flag),
        22 => Event::EnterPrepared(who),
        23 => Event::LeaveDoor(who),
        _ => Event::End,
    })
}

/// Whatever happens, everybody sees what the model says, and in the end nothing is left.
pub fn play((access, events): Story) {
    let mut world = World::new(access);
    let mut model = Model {
        access,
        now: GRACE_MS,
        seats: Vec::new(),
        waiting: Vec::new(),
        knock: false,
        expected: Vec::new(),
        turned_away: Vec::new(),
    };
    for event in events {
        if leaves_unknown_seats(&world, &model, &event) {
            continue;
        }
        let prepared = world
            .clients
            .contains_key(&format!("{}@door", entering(&event)));
        act(&mut world, &event);
        match event {
            // Who had asked before comes in like everybody else.
            Event::EnterPrepared(who) if prepared => model.apply(&Event::Join(who)),
            event => model.apply(&event),
        }
        check_everybody(&mut world, &model);
    }
    for who in PEOPLE {
        world.lose(who);
        world.leave_door(who);
    }
    world.pass(Duration::from_millis(GRACE_MS));
    // Says it again if everybody had gone before.
    world.end_session("nobody");
    assert!(world.ended, "the meeting is over");
    assert!(world.seats.is_empty(), "no seat is left");
    assert_eq!(world.people.count, 0);
    assert_eq!(world.room.poll_timeout(), None);
    let left = world.unremoved_peers();
    assert!(left.is_empty(), "no media is left: {left:?}");
}

fn who() -> impl Strategy<Value = Who> {
    prop::sample::select(PEOPLE)
}

fn source() -> impl Strategy<Value = Source> {
    prop::sample::select(&SOURCES[..])
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => who().prop_map(Event::Join),
        2 => who().prop_map(Event::Leave),
        2 => who().prop_map(Event::Lose),
        1 => who().prop_map(Event::ClosePage),
        1 => prop::sample::select(&[Access::Accounts, Access::Guests][..]).prop_map(Event::Access),
        1 => prop::sample::select(&["anna", "bert", "gil", "gert"][..]).prop_map(Event::EndSession),
        3 => prop::sample::select(&[1_u64, 14_999, 20_000, 59_999, 60_000][..]).prop_map(Event::Pass),
        1 => prop::sample::select(&[1_u64, 30_000, 60_000][..]).prop_map(Event::Restart),
        5 => (who(), 0..4_usize, 0..2_usize).prop_map(|(who, persons, screens)| Event::Offer(who, persons, screens)),
        1 => who().prop_map(Event::MediaGone),
        3 => (who(), source(), any::<bool>()).prop_map(|(who, source, muted)| Event::Publish(who, source, muted)),
        1 => (who(), source()).prop_map(|(who, source)| Event::Unpublish(who, source)),
        2 => (who(), vec(who(), 0..4)).prop_map(|(who, people)| Event::Wanted(who, people)),
        2 => (who(), 0..5_u8, 1..4_u32).prop_map(|(who, slot, generation)| Event::Ready(who, slot, generation)),
        2 => (who(), 0..5_u8, 1..4_u32).prop_map(|(who, slot, generation)| Event::Started(who, slot, generation)),
        2 => vec(who(), 0..3).prop_map(Event::Speak),
        2 => (who(), source(), any::<bool>()).prop_map(|(who, source, some)| Event::Demand(who, source, some)),
        2 => (who(), 0..5_u8, 1..4_u32, any::<bool>()).prop_map(|(who, slot, generation, paused)| Event::Pause(who, slot, generation, paused)),
        3 => any::<bool>().prop_map(Event::Knock),
        6 => (who(), 0..3_usize, any::<bool>()).prop_map(|(by, place, admit)| Event::Admit(by, place, admit)),
        1 => prop::sample::select(&["bert", "carl"][..]).prop_map(Event::Expect),
        4 => (who(), any::<bool>()).prop_map(|(who, answered)| Event::Prepare(who, answered)),
        4 => who().prop_map(Event::EnterPrepared),
        1 => who().prop_map(Event::LeaveDoor),
        1 => Just(Event::End),
    ]
}

/// Who has a seat, in order, and who waits. Nothing of slots, deltas or connections.
struct Model {
    access: Access,
    now: u64,
    seats: Vec<(Who, Option<u64>)>,
    waiting: Vec<AtDoor>,
    knock: bool,
    /// Persons who do not knock.
    expected: Vec<&'static str>,
    /// Persons and when they may knock again.
    turned_away: Vec<(&'static str, u64)>,
}

struct AtDoor {
    who: Who,
    /// Absent: nobody of the house is in.
    knocks: bool,
    away: Option<u64>,
}

impl Model {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::Join(who) => self.join(who),
            Event::Leave(who) => {
                self.seats
                    .retain(|(seated, away)| seated != who || away.is_some());
                self.waiting
                    .retain(|waiting| waiting.who != *who || waiting.away.is_some());
            }
            Event::Lose(who) | Event::ClosePage(who) => {
                let now = self.now;
                // As if it had been away for longer already.
                let since = match event {
                    Event::ClosePage(_) => now + limits::RELOAD_GRACE_MS - GRACE_MS,
                    _ => now,
                };
                let seat = self
                    .seats
                    .iter_mut()
                    .find(|(seated, away)| seated == who && away.is_none());
                seat.into_iter().for_each(|(_, away)| *away = Some(since));
                for waiting in &mut self.waiting {
                    if waiting.who == *who && waiting.away.is_none() {
                        waiting.away = Some(now);
                    }
                }
                self.waiting
                    .retain(|waiting| waiting.who != *who || waiting.knocks);
            }
            Event::Access(access) => {
                self.access = *access;
                if *access == Access::Accounts {
                    self.waiting.retain(|waiting| !is_guest(waiting.who));
                }
            }
            Event::Knock(knock) => self.knock = *knock,
            Event::Expect(person) => self.expected.push(person),
            Event::Admit(by, place, admit) => self.admit(by, *place, *admit),
            Event::End => {
                self.seats.clear();
                self.waiting.clear();
            }
            Event::EndSession(person) => {
                self.seats
                    .retain(|(seated, _)| person_of(seated) != *person);
                self.waiting
                    .retain(|waiting| person_of(waiting.who) != *person);
            }
            Event::Pass(ms) => self.now += ms,
            Event::Restart(ms) => {
                self.waiting.clear();
                self.expected.clear();
                self.turned_away.clear();
                self.now += ms;
                let now = self.now;
                self.seats
                    .iter_mut()
                    .for_each(|(_, away)| *away = Some(away.unwrap_or(now)));
            }
            _ => {}
        }
        let now = self.now;
        self.seats
            .retain(|(_, away)| away.is_none_or(|since| now - since < GRACE_MS));
        self.waiting
            .retain(|waiting| waiting.away.is_none_or(|since| now - since < KNOCK_MS));
        while let Some(index) = self
            .waiting
            .iter()
            .position(|waiting| waiting.away.is_none() && !self.waits(waiting.who))
        {
            let waiting = self.waiting.remove(index);
            self.seats.push((waiting.who, None));
        }
        if self.seats.is_empty() {
            self.expected.clear();
        }
        let knocks: Vec<_> = self
            .waiting
            .iter()
            .map(|waiting| self.house_is_in() && self.has_to_knock(waiting.who))
            .collect();
        for (waiting, knocks) in self.waiting.iter_mut().zip(knocks) {
            waiting.knocks = knocks;
        }
    }

    fn has_to_knock(&self, who: &str) -> bool {
        let person = person_of(who);
        self.knock && !["anna", "carl"].contains(&person) && !self.expected.contains(&person)
    }

    fn waits(&self, who: &str) -> bool {
        self.has_to_knock(who) || (is_guest(who) && !self.house_is_in())
    }

    fn knocking(&self) -> Vec<&'static str> {
        let knocking = self.waiting.iter().filter(|waiting| waiting.knocks);
        knocking.map(|waiting| person_of(waiting.who)).collect()
    }

    fn admit(&mut self, by: Who, place: usize, admit: bool) {
        let inside = self.seats.contains(&(by, None)) && !is_guest(by);
        let Some(person) = self.knocking().get(place).copied().filter(|_| inside) else {
            return;
        };
        if admit {
            self.expected.push(person);
        } else {
            self.turned_away.push((person, self.now + KNOCK_MS));
            self.waiting
                .retain(|waiting| person_of(waiting.who) != person);
        }
    }

    fn join(&mut self, who: Who) {
        if let Some((_, away)) = self.seats.iter_mut().find(|(seated, _)| *seated == who) {
            *away = None;
        } else if is_guest(who) && self.access != Access::Guests {
            // Refused.
        } else if !self.waits(who) {
            self.waiting.retain(|waiting| waiting.who != who);
            self.seats.push((who, None));
        } else if self.has_to_knock(who) && self.was_turned_away(who) {
            // Refused for a while.
        } else if let Some(place) = self.waiting.iter_mut().find(|waiting| waiting.who == who) {
            place.away = None;
        } else {
            let (knocks, away) = (false, None);
            self.waiting.push(AtDoor { who, knocks, away });
        }
    }

    fn was_turned_away(&self, who: &str) -> bool {
        let mut turned_away = self.turned_away.iter();
        turned_away.any(|(person, until)| *person == person_of(who) && self.now < *until)
    }

    fn house_is_in(&self) -> bool {
        self.seats.iter().any(|(who, _)| !is_guest(who))
    }

    fn people(&self) -> Vec<(String, Presence)> {
        let presence = |away: &Option<u64>| match away {
            None => Presence::Connected,
            Some(_) => Presence::Reconnecting,
        };
        self.seats
            .iter()
            .map(|(who, away)| (person_of(who).to_owned(), presence(away)))
            .collect()
    }
}

fn person_of(who: &str) -> &'static str {
    let person = who.split('/').next();
    PEOPLE
        .iter()
        .copied()
        .find(|known| Some(*known) == person)
        .unwrap_or_default()
}

fn is_guest(who: &str) -> bool {
    who.starts_with('g')
}

/// The session ends of a person whose session the room cannot know after a restart: such a seat runs out by its grace.
fn leaves_unknown_seats(world: &World, model: &Model, event: &Event) -> bool {
    let Event::EndSession(person) = event else {
        return false;
    };
    let seated = |(who, away): &(Who, Option<u64>)| person_of(who) == *person && away.is_some();
    world.restarted && model.seats.iter().any(seated)
}

fn entering(event: &Event) -> &str {
    match event {
        Event::EnterPrepared(who) => who,
        _ => "",
    }
}

fn act(world: &mut World, event: &Event) {
    match event {
        Event::Join(who) => world.join(who),
        Event::Leave(who) => world.leave(who),
        Event::Lose(who) => world.lose(who),
        Event::ClosePage(who) => world.close_page(who),
        Event::Access(access) => world.access(*access),
        Event::EndSession(person) => world.end_session(person),
        Event::Pass(ms) => world.pass(Duration::from_millis(*ms)),
        Event::Restart(ms) => world.restart(Duration::from_millis(*ms)),
        Event::Offer(who, persons, screens) => world.offer(who, *persons, *screens),
        Event::MediaGone(who) => {
            if let Some(peer) = world.peer(who) {
                world.input(Input::Media(MediaEvent::Closed { peer }));
            }
        }
        Event::Publish(who, source, muted) => world.publish(who, *source, *muted),
        Event::Unpublish(who, source) => {
            world.intent(
                who,
                Intent::Unpublish {
                    id: "u".into(),
                    source: *source,
                },
            );
        }
        Event::Wanted(who, people) => world.wanted(who, people),
        Event::Ready(who, slot, generation) => world.ready(who, *slot, *generation),
        Event::Started(who, slot, generation) => {
            if let Some(peer) = world.peer(who) {
                let (slot, generation, rtp_timestamp) = (*slot, *generation, 7);
                world.input(Input::Media(MediaEvent::SlotStarted {
                    peer,
                    slot,
                    generation,
                    rtp_timestamp,
                }));
            }
        }
        Event::Demand(who, source, some) => {
            if let Some(peer) = world.peer(who) {
                let (source, layers) = (*source, some.then(|| vec!["q".to_owned()]));
                world.input(Input::Media(MediaEvent::Demand {
                    peer,
                    source,
                    layers,
                    codec: None,
                }));
            }
        }
        Event::Pause(who, slot, generation, paused) => {
            if let Some(peer) = world.peer(who) {
                let (slot, generation, paused) = (*slot, *generation, *paused);
                world.input(Input::Media(MediaEvent::SlotPaused {
                    peer,
                    slot,
                    generation,
                    paused,
                }));
            }
        }
        Event::Speak(people) => world.speak(people),
        Event::Knock(knock) => world.knock(*knock, &["carl"]),
        Event::Admit(by, place, admit) => world.admit(by, *place, *admit),
        Event::Expect(person) => world.input(Input::Expect(UserId::from(*person))),
        Event::Prepare(who, answered) => {
            world.prepare(who, 3, 1);
            if *answered {
                world.answer_all();
            }
        }
        Event::EnterPrepared(who) => world.enter_prepared(who),
        Event::LeaveDoor(who) => world.leave_door(who),
        Event::End => world.input(Input::End(RoomLeftReason::CallEnded)),
    }
}

fn check_everybody(world: &mut World, model: &Model) {
    for who in PEOPLE {
        let Some(client) = world.clients.get(*who).cloned() else {
            continue;
        };
        let seated = model
            .seats
            .iter()
            .any(|(seat, away)| seat == who && away.is_none());
        let waiting = model
            .waiting
            .iter()
            .find(|waiting| waiting.who == *who && waiting.away.is_none());
        match &client.stand {
            Stand::In { view, .. } => {
                assert!(seated, "{who} is inside, and should not be");
                let people: Vec<_> = view
                    .participants
                    .iter()
                    .map(|seat| (seat.name.clone(), seat.presence))
                    .collect();
                assert_eq!(people, model.people(), "what {who} sees");
                let knocking: Vec<_> = view
                    .knocking
                    .iter()
                    .map(|knocking| &knocking.name)
                    .collect();
                let expected = match is_guest(who) {
                    true => Vec::new(),
                    false => model.knocking(),
                };
                assert_eq!(knocking, expected, "who knocks, for {who}");
                check_slots(world, who, &client);
            }
            Stand::Waiting(reason) => {
                let knocks = *reason == WaitingReason::Knocking;
                assert_eq!(
                    waiting.map(|waiting| waiting.knocks),
                    Some(knocks),
                    "how {who} waits"
                );
            }
            Stand::Outside | Stand::Left(_) => {
                assert!(
                    !seated && waiting.is_none(),
                    "{who} should be inside or waiting"
                )
            }
        }
    }
    assert_eq!(world.people.count as usize, model.seats.len());
    let accounts = model.seats.iter().map(|(who, _)| person_of(who));
    let accounts: BTreeSet<_> = accounts
        .filter(|who| !is_guest(who))
        .map(UserId::from)
        .collect();
    assert_eq!(world.people.accounts, accounts, "accounts, each once");
    assert_eq!(world.seats.len(), model.seats.len(), "stored seats");
    let seats: Vec<_> = world
        .seats
        .values()
        .map(|seat| (&seat.subject, &seat.device))
        .collect();
    let twice =
        |(index, seat): (usize, &_)| seats.iter().skip(index + 1).any(|other| other == seat);
    assert!(
        !seats.iter().enumerate().any(twice),
        "one seat per device session"
    );
}

/// At most one slot of a kind per person, nobody in their own, and the deltas have led where a snapshot leads.
fn check_slots(world: &mut World, who: &str, client: &Client) {
    let Stand::In { epoch, seq, view } = &client.stand else {
        return;
    };
    let known = |id| view.participants.iter().any(|known| &known.id == id);
    assert!(
        view.speaking.iter().all(known),
        "somebody speaks who is not there"
    );
    for (index, slot) in view.slots.iter().enumerate() {
        let participant = slot.participant.as_ref().unwrap();
        assert_ne!(participant, &view.you, "{who} in their own slot");
        assert!(
            view.participants
                .iter()
                .any(|known| &known.id == participant),
            "a slot of nobody"
        );
        // The first three slots are for persons in every offer of this test, screens follow.
        let others = view
            .slots
            .iter()
            .skip(index + 1)
            .filter(|other| other.participant.as_ref() == Some(participant));
        assert!(
            others.count() <= 1,
            "{who} sees somebody in more than a person slot and a screen slot"
        );
    }
    world.intent(who, Intent::GetSnapshot);
    let Stand::In {
        epoch: fresh_epoch,
        seq: fresh_seq,
        view: fresh,
    } = &world.clients[who].stand
    else {
        panic!("no snapshot for {who}");
    };
    assert_eq!(
        (epoch, seq, view),
        (fresh_epoch, fresh_seq, fresh),
        "snapshot + deltas = state, for {who}"
    );
}
