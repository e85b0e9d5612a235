//! Meetings as tables: what happens, and what each person sees after it.

mod support;

use std::time::Duration;

use protocol::{
    Access, Demand, ErrorCode, IntentId, PathKind, QualityReport, RoomLeftReason, SlotKind,
    SlotMids, Source, UserId, VideoCodec, Wanted,
};
use room::record::unpack;
use room::{Input, Intent, Measured, MediaCommand, MediaEvent, Refusal, Size, UplinkState};
use support::{Who, World, offer};

enum Step {
    Join(Who),
    Leave(Who),
    /// The socket breaks.
    Lose(Who),
    /// The page is closed, or reloaded.
    ClosePage(Who),
    Open,
    Close,
    /// Whether the house counts invites, and whether it is an open one.
    House(bool, bool),
    EndSession(Who),
    Seconds(u64),
    RestartAfter(u64),
    /// A new media connection with so many person and screen slots.
    Media(Who, usize, usize),
    MediaGone(Who),
    Publish(Who, Source),
    PublishMuted(Who, Source),
    Mute(Who, Source),
    Unpublish(Who, Source),
    Wants(Who, &'static [Who]),
    Speak(&'static [Who]),
    Started(Who, u8, u32),
    /// Whether others than the owner and these members knock.
    Knock(bool, &'static [Who]),
    LetIn(Who, usize),
    SendAway(Who, usize),
    Expect(Who),
    End(RoomLeftReason),
}

use Step::*;

fn act(world: &mut World, step: &Step) {
    match step {
        Join(who) => world.join(who),
        Leave(who) => world.leave(who),
        Lose(who) => world.lose(who),
        ClosePage(who) => world.close_page(who),
        Open => world.access(Access::Guests),
        Close => world.access(Access::Accounts),
        House(invites, open_house) => world.house(*invites, *open_house),
        EndSession(person) => world.end_session(person),
        Seconds(seconds) => world.pass(Duration::from_secs(*seconds)),
        RestartAfter(seconds) => world.restart(Duration::from_secs(*seconds)),
        Media(who, persons, screens) => world.offer(who, *persons, *screens),
        MediaGone(who) => {
            let peer = world.peer(who).unwrap();
            world.input(Input::Media(MediaEvent::Closed { peer }));
        }
        Publish(who, source) => world.publish(who, *source, false),
        PublishMuted(who, source) => world.publish(who, *source, true),
        Mute(who, source) => {
            world.intent(
                who,
                Intent::SetMuted {
                    id: IntentId::from("mute"),
                    source: *source,
                    muted: true,
                },
            );
        }
        Unpublish(who, source) => {
            world.intent(
                who,
                Intent::Unpublish {
                    id: IntentId::from("unpublish"),
                    source: *source,
                },
            );
        }
        Wants(who, people) => world.wanted(who, people),
        Knock(knock, members) => world.knock(*knock, members),
        LetIn(by, place) => world.admit(by, *place, true),
        SendAway(by, place) => world.admit(by, *place, false),
        Expect(who) => world.input(Input::Expect(UserId::from(*who))),
        End(reason) => world.input(Input::End(*reason)),
        Speak(people) => world.speak(people),
        Started(who, slot, generation) => {
            let event = MediaEvent::SlotStarted {
                peer: world.peer(who).unwrap(),
                slot: *slot,
                generation: *generation,
                rtp_timestamp: 7,
            };
            world.input(Input::Media(event));
        }
    }
}

fn check(access: Access, table: &[(Step, &[(Who, &str)])]) -> World {
    let mut world = World::new(access);
    for (index, (step, expected)) in table.iter().enumerate() {
        act(&mut world, step);
        for (who, sees) in *expected {
            assert_eq!(&world.sees(who), sees, "what {who} sees after step {index}");
        }
    }
    world
}

const CAMERA: Source = Source::Camera;
const MICROPHONE: Source = Source::Microphone;
const SCREEN: Source = Source::Screen;

#[test]
fn people_come_and_go_in_the_order_of_their_joining() {
    let world = check(
        Access::Accounts,
        &[
            (Join("anna"), &[("anna", "anna")]),
            (
                Join("bert"),
                &[("anna", "anna bert"), ("bert", "anna bert")],
            ),
            (
                Join("bert/phone"),
                &[("anna", "anna bert bert"), ("bert/phone", "anna bert bert")],
            ),
            (Leave("anna"), &[("anna", "outside"), ("bert", "bert bert")]),
            (Leave("bert"), &[("bert/phone", "bert")]),
            (Leave("bert/phone"), &[("bert/phone", "outside")]),
        ],
    );
    assert!(world.ended && world.seats.is_empty());
}

#[test]
fn a_guest_waits_until_somebody_is_in() {
    check(
        Access::Guests,
        &[
            (Join("gil"), &[("gil", "waiting")]),
            (Join("gert"), &[("gil", "waiting"), ("gert", "waiting")]),
            (Publish("gil", CAMERA), &[("gil", "waiting")]),
            (
                Join("anna"),
                &[
                    ("anna", "anna gil* gert*"),
                    ("gil", "anna gil* gert*"),
                    ("gert", "anna gil* gert*"),
                ],
            ),
            (Join("gustav"), &[("gustav", "anna gil* gert* gustav*")]),
        ],
    );
}

#[test]
fn guests_inside_stay_when_the_last_account_leaves_or_the_room_is_closed() {
    check(
        Access::Guests,
        &[
            (Join("anna"), &[]),
            (Join("gil"), &[("gil", "anna gil*")]),
            (Leave("anna"), &[("gil", "gil*")]),
            (Join("gert"), &[("gert", "waiting"), ("gil", "gil*")]),
            (Close, &[("gert", "left GuestsNotAllowed"), ("gil", "gil*")]),
            (Join("gert"), &[("gert", "refused GuestsNotAllowed")]),
            (Lose("gil"), &[]),
            (Join("gil"), &[("gil", "gil*")]),
        ],
    );
}

#[test]
fn an_invited_guest_needs_no_open_room_and_waits_like_every_guest() {
    check(
        Access::Accounts,
        &[
            (Join("gus+"), &[("gus+", "waiting")]),
            (Join("gil"), &[("gil", "refused GuestsNotAllowed")]),
            (Open, &[]),
            (Join("gil"), &[("gil", "waiting"), ("gus+", "waiting")]),
            (
                Close,
                &[("gil", "left GuestsNotAllowed"), ("gus+", "waiting")],
            ),
            (
                Join("anna"),
                &[("gus+", "anna gus+*"), ("anna", "anna gus+*")],
            ),
            (Leave("anna"), &[("gus+", "gus+*")]),
            (Join("gert+"), &[("gert+", "waiting")]),
            (
                EndSession("gus+"),
                &[("gus+", "left SessionEnded"), ("gert+", "waiting")],
            ),
            (EndSession("gert+"), &[("gert+", "left SessionEnded")]),
        ],
    );
}

#[test]
fn invites_count_for_nothing_in_a_house_that_takes_no_guests() {
    check(
        Access::Accounts,
        &[
            (Join("gus+"), &[("gus+", "waiting")]),
            (House(false, false), &[("gus+", "left GuestsNotAllowed")]),
            (Join("gus+"), &[("gus+", "refused GuestsNotAllowed")]),
            (Join("anna"), &[]),
            (Join("gus+"), &[("gus+", "refused GuestsNotAllowed")]),
            (House(true, false), &[]),
            (Join("gus+"), &[("gus+", "anna gus+*")]),
        ],
    );
}

#[test]
fn in_an_open_house_guests_of_open_rooms_wait_for_nobody() {
    check(
        Access::Guests,
        &[
            (Join("gil"), &[("gil", "waiting")]),
            (House(true, true), &[("gil", "gil*")]),
            (Join("gert"), &[("gert", "gil* gert*")]),
            (Close, &[("gil", "gil* gert*")]),
            (Join("gustav"), &[("gustav", "refused GuestsNotAllowed")]),
            (Join("gus+"), &[("gus+", "waiting")]),
        ],
    );
}

#[test]
fn an_opened_room_takes_guests_from_then_on() {
    check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Join("gil"), &[("gil", "refused GuestsNotAllowed")]),
            (Open, &[]),
            (Join("gil"), &[("gil", "anna gil*"), ("anna", "anna gil*")]),
        ],
    );
}

#[test]
fn an_account_that_is_expected_back_still_opens_the_door_to_guests() {
    check(
        Access::Guests,
        &[
            (Join("anna"), &[]),
            (Lose("anna"), &[]),
            (Join("gil"), &[("gil", "anna~ gil*")]),
            (Seconds(60), &[("gil", "gil*")]),
            (Join("gert"), &[("gert", "waiting")]),
        ],
    );
}

#[test]
fn a_waiting_guest_is_forgotten_with_their_socket() {
    let world = check(
        Access::Guests,
        &[
            (Join("gil"), &[("gil", "waiting")]),
            (
                Join("gil"),
                &[("gil!", "left Replaced"), ("gil", "waiting")],
            ),
            (Lose("gil"), &[]),
        ],
    );
    assert!(world.ended && world.seats.is_empty());
}

#[test]
fn a_seat_is_kept_for_sixty_seconds() {
    let world = check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Join("bert"), &[]),
            (PublishMuted("bert", CAMERA), &[("anna", "anna bert[c]")]),
            (Lose("bert"), &[("anna", "anna bert~[c]")]),
            (Seconds(59), &[("anna", "anna bert~[c]")]),
            (
                Join("bert"),
                &[("anna", "anna bert[c]"), ("bert", "anna bert[c]")],
            ),
            (Lose("bert"), &[]),
            (Seconds(60), &[("anna", "anna")]),
            (Join("bert"), &[("anna", "anna bert")]),
        ],
    );
    assert_eq!(
        world.participant("bert").unwrap().as_str(),
        "p4",
        "a new stay is a new id"
    );
}

#[test]
fn a_page_that_is_closed_keeps_its_seat_for_a_reload_and_no_longer() {
    let world = check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Join("bert"), &[]),
            (ClosePage("bert"), &[("anna", "anna bert~")]),
            (Seconds(14), &[("anna", "anna bert~")]),
            (Join("bert"), &[("anna", "anna bert")]),
            (ClosePage("bert"), &[("anna", "anna bert~")]),
            (Seconds(10), &[("anna", "anna bert~")]),
            (RestartAfter(4), &[]),
            (Join("anna"), &[("anna", "anna bert~")]),
            (Seconds(1), &[("anna", "anna")]),
        ],
    );
    assert_eq!(world.participant("anna").unwrap().as_str(), "p1");
}

#[test]
fn a_second_connection_of_the_same_seat_replaces_the_first() {
    let world = check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Join("bert"), &[]),
            (
                Join("bert"),
                &[
                    ("bert!", "left Replaced"),
                    ("bert", "anna bert"),
                    ("anna", "anna bert"),
                ],
            ),
            (Lose("bert!"), &[("bert", "anna bert")]),
        ],
    );
    assert_eq!(world.participant("bert").unwrap().as_str(), "p2");
}

#[test]
fn everybody_gets_their_seat_back_after_a_restart() {
    let world = check(
        Access::Guests,
        &[
            (Join("anna"), &[]),
            (Join("gil"), &[]),
            (Join("bert"), &[]),
            (Lose("bert"), &[]),
            (Seconds(50), &[]),
            (RestartAfter(5), &[]),
            (Join("gil"), &[("gil", "anna~ gil* bert~")]),
            (Seconds(5), &[("gil", "anna~ gil*")]),
            (Join("anna"), &[("gil", "anna gil*")]),
        ],
    );
    assert_eq!(world.participant("gil").unwrap().as_str(), "p2");
    assert_eq!(world.participant("anna").unwrap().as_str(), "p1");
}

#[test]
fn a_seat_whose_time_ran_out_during_a_restart_is_removed() {
    let world = check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Lose("anna"), &[]),
            (RestartAfter(60), &[]),
        ],
    );
    assert!(world.seats.is_empty());
}

#[test]
fn the_end_of_a_session_takes_all_its_seats() {
    check(
        Access::Guests,
        &[
            (Join("anna"), &[]),
            (Join("anna/phone"), &[]),
            (Join("bert"), &[]),
            (Lose("anna/phone"), &[("bert", "anna anna~ bert")]),
            (
                EndSession("anna"),
                &[("anna", "left SessionEnded"), ("bert", "bert")],
            ),
            (Leave("bert"), &[]),
            (Join("gil"), &[("gil", "waiting")]),
            (EndSession("gil"), &[("gil", "left SessionEnded")]),
        ],
    );
}

#[test]
fn tracks_are_what_their_owner_published() {
    check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Join("bert"), &[]),
            (Mute("bert", CAMERA), &[("anna", "anna bert")]),
            (Publish("bert", CAMERA), &[("anna", "anna bert[C]")]),
            (
                PublishMuted("bert", MICROPHONE),
                &[("anna", "anna bert[mC]")],
            ),
            (Mute("bert", CAMERA), &[("anna", "anna bert[mc]")]),
            (
                Unpublish("bert", MICROPHONE),
                &[("anna", "anna bert[c]"), ("bert", "anna bert[c]")],
            ),
        ],
    );
}

#[test]
fn people_keep_their_slot_and_the_longest_free_one_is_used_first() {
    check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Media("anna", 4, 0), &[("anna", "anna")]),
            (Join("bert"), &[("anna", "anna bert")]),
            (
                Media("bert", 4, 0),
                &[
                    ("anna", "anna bert | 0=bert.1"),
                    ("bert", "anna bert | 0=anna.1"),
                ],
            ),
            (Join("cleo"), &[]),
            (
                Media("cleo", 4, 0),
                &[("anna", "anna bert cleo | 0=bert.1 1=cleo.1")],
            ),
            (Leave("bert"), &[("anna", "anna cleo | 1=cleo.1")]),
            (Leave("cleo"), &[("anna", "anna")]),
            (Join("dora"), &[]),
            (Media("dora", 4, 0), &[("anna", "anna dora | 2=dora.1")]),
            (Join("emil"), &[]),
            (
                Media("emil", 4, 0),
                &[("anna", "anna dora emil | 2=dora.1 3=emil.1")],
            ),
            (Join("fred"), &[]),
            (
                Media("fred", 4, 0),
                &[("anna", "anna dora emil fred | 0=fred.2 2=dora.1 3=emil.1")],
            ),
        ],
    );
}

#[test]
fn with_few_slots_those_shown_come_first_then_speakers_then_early_comers() {
    check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Join("bert"), &[]),
            (Join("cleo"), &[]),
            (Join("dora"), &[]),
            (Media("bert", 0, 0), &[]),
            (Media("cleo", 0, 0), &[]),
            (Media("dora", 0, 0), &[]),
            (
                Media("anna", 1, 0),
                &[("anna", "anna bert cleo dora | 0=bert.1")],
            ),
            (
                Speak(&["dora"]),
                &[("anna", "anna bert cleo dora | 0=dora.2 | !dora")],
            ),
            (Speak(&[]), &[("anna", "anna bert cleo dora | 0=dora.2")]),
            (
                Wants("anna", &["cleo"]),
                &[("anna", "anna bert cleo dora | 0=cleo.3")],
            ),
            (Leave("cleo"), &[("anna", "anna bert dora | 0=dora.4")]),
        ],
    );
}

#[test]
fn whoever_leaves_does_not_speak_any_more() {
    check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Join("bert"), &[]),
            (Media("anna", 0, 0), &[]),
            (Media("bert", 0, 0), &[]),
            (
                Speak(&["bert", "anna"]),
                &[("anna", "anna bert | !bert anna")],
            ),
            (Leave("bert"), &[("anna", "anna | !anna")]),
        ],
    );
}

#[test]
fn what_is_wanted_holds_for_one_connection() {
    check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Join("bert"), &[]),
            (Join("cleo"), &[]),
            (Media("bert", 0, 0), &[]),
            (Media("cleo", 0, 0), &[]),
            (
                Media("anna", 1, 0),
                &[("anna", "anna bert cleo | 0=bert.1")],
            ),
            (
                Wants("anna", &["cleo"]),
                &[("anna", "anna bert cleo | 0=cleo.2")],
            ),
            (Join("anna"), &[("anna", "anna bert cleo | 0=bert.3")]),
        ],
    );
}

#[test]
fn a_screen_has_a_slot_while_it_is_shared() {
    check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Media("anna", 1, 1), &[]),
            (Join("bert"), &[]),
            (Media("bert", 1, 1), &[("anna", "anna bert | 0=bert.1")]),
            (
                Publish("bert", SCREEN),
                &[("anna", "anna bert[S] | 0=bert.1 1=bert.1")],
            ),
            (
                Started("anna", 1, 1),
                &[("anna", "anna bert[S] | 0=bert.1 1=bert.1@7")],
            ),
            (
                Unpublish("bert", SCREEN),
                &[("anna", "anna bert | 0=bert.1")],
            ),
            (Started("anna", 1, 1), &[("anna", "anna bert | 0=bert.1")]),
            (
                Publish("bert", SCREEN),
                &[("anna", "anna bert[S] | 0=bert.1 1=bert.2")],
            ),
        ],
    );
}

#[test]
fn a_lost_media_connection_leaves_the_person_in_their_slot() {
    check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Media("anna", 1, 0), &[]),
            (Join("bert"), &[]),
            (Media("bert", 1, 0), &[]),
            (Started("anna", 0, 1), &[("anna", "anna bert | 0=bert.1@7")]),
            (
                MediaGone("bert"),
                &[("anna", "anna bert | 0=bert.1@7"), ("bert", "anna bert")],
            ),
            (
                Media("bert", 1, 0),
                &[
                    ("anna", "anna bert | 0=bert.1@7"),
                    ("bert", "anna bert | 0=anna.1"),
                ],
            ),
            (MediaGone("bert"), &[]),
            (Join("cleo"), &[]),
            (
                Media("cleo", 1, 0),
                &[("anna", "anna bert cleo | 0=cleo.2")],
            ),
        ],
    );
}

#[test]
fn what_is_looked_at_of_their_own_is_told_to_its_sender_alone() {
    let mut world = World::new(Access::Accounts);
    for who in ["anna", "bert"] {
        world.join(who);
        world.offer(who, 1, 1);
    }
    let demand = |world: &mut World, source, layers: Option<&[&str]>| {
        let layers = layers.map(|rids| rids.iter().map(|rid| (*rid).to_owned()).collect());
        let peer = world.peer("bert").unwrap();
        world.input(Input::Media(MediaEvent::Demand {
            peer,
            source,
            layers,
            codec: (source == CAMERA).then_some(VideoCodec::Vp9),
        }));
    };
    let told = |world: &World, who: Who| world.view(who).demand.clone();
    let entry = |source, layers: &[&str]| Demand {
        codec: (source == CAMERA).then_some(VideoCodec::Vp9),
        source,
        layers: layers.iter().map(|rid| (*rid).to_owned()).collect(),
    };
    assert_eq!(told(&world, "bert"), [], "so it begins");
    demand(&mut world, SCREEN, Some(&[]));
    demand(&mut world, CAMERA, Some(&["q", "h"]));
    let expected = [entry(CAMERA, &["q", "h"]), entry(SCREEN, &[])];
    assert_eq!(told(&world, "bert"), expected, "in the order of sources");
    assert_eq!(told(&world, "anna"), []);
    demand(&mut world, CAMERA, Some(&["f"]));
    demand(&mut world, SCREEN, None);
    assert_eq!(told(&world, "bert"), [entry(CAMERA, &["f"])]);
    world.lose("bert");
    world.join("bert");
    let expected = [entry(CAMERA, &["f"])];
    assert_eq!(told(&world, "bert"), expected, "after coming back");
    world.offer("bert", 1, 1);
    assert_eq!(told(&world, "bert"), [], "of another media connection");
    let gone = MediaEvent::Demand {
        peer: "m-unknown".into(),
        source: CAMERA,
        layers: Some(vec![]),
        codec: None,
    };
    world.input(Input::Media(gone));
    assert_eq!(told(&world, "bert"), []);
}

#[test]
fn a_paused_picture_is_said_of_the_slot_and_its_generation() {
    let mut world = check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Media("anna", 1, 0), &[]),
            (Join("bert"), &[]),
            (Media("bert", 0, 0), &[]),
        ],
    );
    let pause = |world: &mut World, generation, paused| {
        let peer = world.peer("anna").unwrap();
        world.input(Input::Media(MediaEvent::SlotPaused {
            peer,
            slot: 0,
            generation,
            paused,
        }));
    };
    let told = |world: &World| {
        world
            .view("anna")
            .slots
            .iter()
            .map(|slot| slot.paused)
            .collect::<Vec<_>>()
    };
    pause(&mut world, 2, true);
    assert_eq!(told(&world), [false], "another generation");
    pause(&mut world, 1, true);
    assert_eq!(told(&world), [true]);
    act(&mut world, &Wants("anna", &["bert"]));
    assert_eq!(told(&world), [true], "in another size");
    pause(&mut world, 1, false);
    assert_eq!(told(&world), [false]);
    pause(&mut world, 1, true);
    world.leave("bert");
    act(&mut world, &Join("cleo"));
    act(&mut world, &Media("cleo", 0, 0));
    assert_eq!(told(&world), [false], "somebody else");
}

#[test]
fn that_no_picture_comes_reaches_media_only_for_who_is_there() {
    let mut world = check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Media("anna", 1, 0), &[]),
            (Join("bert"), &[]),
            (Media("bert", 0, 0), &[]),
        ],
    );
    world.media.clear();
    for (slot, generation) in [(0, 1), (0, 2), (1, 1), (9, 0)] {
        world.intent("anna", Intent::NoPicture { slot, generation });
    }
    let peer = world.peer("anna").unwrap();
    let (slot, generation) = (0, 1);
    let expected = MediaCommand::NoPicture {
        peer,
        slot,
        generation,
    };
    assert_eq!(world.media, [expected]);
    world.leave("bert");
    world.media.clear();
    world.intent("anna", Intent::NoPicture { slot, generation });
    assert_eq!(world.media, [], "nobody is in the slot");
}

#[test]
fn screens_rank_before_cameras_and_both_as_the_reader_lists_them() {
    let mut world = World::new(Access::Accounts);
    world.join("anna");
    world.offer("anna", 3, 2);
    for who in ["bert", "cleo", "dora"] {
        world.join(who);
        world.offer(who, 0, 0);
        world.publish(who, SCREEN, false);
    }
    let ranks = |world: &World| {
        let mut ranks = std::collections::BTreeMap::new();
        for command in &world.media {
            if let MediaCommand::Bind { slot, rank, .. } = command {
                ranks.insert(*slot, *rank);
            }
        }
        ranks.into_values().collect::<Vec<_>>()
    };
    let first = [1, 1, 1, 0, 0];
    assert_eq!(ranks(&world), first, "before anything is said");
    let tile = |world: &World, who, source| Wanted {
        participant: world.participant(who).unwrap(),
        source,
        width: 320,
        height: 180,
    };
    let wanted = vec![
        tile(&world, "cleo", CAMERA),
        tile(&world, "cleo", SCREEN),
        tile(&world, "bert", CAMERA),
        tile(&world, "bert", SCREEN),
    ];
    world.intent("anna", Intent::SetWanted { wanted });
    assert_eq!(ranks(&world), [3, 2, u8::MAX, 1, 0]);
}

/// Slot, generation, from whom, size, ready.
type Bind = (u8, u32, Option<String>, Option<Size>, bool);

fn binds(world: &World, who: Who) -> Vec<Bind> {
    let reader = world.peer(who).unwrap();
    let bind = |command: &MediaCommand| match command {
        MediaCommand::Bind {
            peer,
            slot,
            generation,
            from,
            video,
            ready,
            ..
        } if *peer == reader => Some((
            *slot,
            *generation,
            from.as_ref().map(|from| from.to_string()),
            *video,
            *ready,
        )),
        _ => None,
    };
    world.media.iter().filter_map(bind).collect()
}

#[test]
fn media_is_told_who_is_bound_and_waits_for_ready_from_the_second_person_on() {
    let mut world = check(
        Access::Accounts,
        &[
            (Join("anna"), &[]),
            (Media("anna", 1, 0), &[]),
            (Join("bert"), &[]),
            (Media("bert", 0, 0), &[]),
            (Wants("anna", &["bert"]), &[]),
            (Wants("anna", &[]), &[]),
            (Leave("bert"), &[]),
            (Join("cleo"), &[]),
            (Media("cleo", 0, 0), &[]),
        ],
    );
    let name = |who| world.peer(who).map(|peer| peer.to_string());
    let (bert, cleo) = (name("bert"), name("cleo"));
    let size = |width, height| Some(Size { width, height });
    let expected = vec![
        (0, 1, bert.clone(), size(640, 360), true),
        (0, 1, bert.clone(), size(320, 180), true),
        (0, 1, bert, None, true),
        (0, 1, None, None, true),
        (0, 2, cleo, None, false),
    ];
    assert_eq!(binds(&world, "anna"), expected);
    world.media.clear();
    world.ready("anna", 0, 1);
    assert_eq!(world.media, [], "an old generation is ignored");
    world.ready("anna", 9, 2);
    assert_eq!(world.media, [], "an unknown slot is ignored");
    world.ready("anna", 0, 2);
    world.ready("anna", 0, 2);
    let peer = world.peer("anna").unwrap();
    assert_eq!(
        world.media,
        [MediaCommand::SlotReady {
            peer,
            slot: 0,
            generation: 2
        }],
        "once is enough"
    );
}

#[test]
fn media_lets_through_only_what_is_published_and_not_muted() {
    let mut world = World::new(Access::Accounts);
    world.join("anna");
    world.publish("anna", MICROPHONE, true);
    world.offer("anna", 1, 0);
    act(&mut world, &Publish("anna", MICROPHONE));
    act(&mut world, &Publish("anna", CAMERA));
    act(&mut world, &Mute("anna", CAMERA));
    act(&mut world, &Unpublish("anna", CAMERA));
    let state = |command: &MediaCommand| match command {
        MediaCommand::SetUplink { source, state, .. } => Some((*source, *state)),
        _ => None,
    };
    let states: Vec<_> = world.media.iter().filter_map(state).collect();
    let expected = [
        (MICROPHONE, UplinkState::Muted),
        (MICROPHONE, UplinkState::Live),
        (CAMERA, UplinkState::Live),
        (CAMERA, UplinkState::Muted),
        (CAMERA, UplinkState::Off),
    ];
    assert_eq!(states, expected);
}

#[test]
fn a_new_offer_replaces_the_media_connection_and_a_named_one_renegotiates_it() {
    let mut world = World::new(Access::Accounts);
    let person = || SlotMids {
        kind: SlotKind::Person,
        audio: "a".to_owned(),
        video: "v".to_owned(),
    };
    world.join("anna");
    world.offer("anna", 1, 0);
    let first = world.peer("anna").unwrap();
    world.offer("anna", 2, 0);
    let second = world.peer("anna").unwrap();
    assert_ne!(first, second);
    assert!(world.media.contains(&MediaCommand::Remove {
        peer: first.clone()
    }));

    world.media.clear();
    world.intent(
        "anna",
        Intent::Offer(offer(vec![person(); 3], Some(second.clone()), "unused")),
    );
    world.answer_all();
    assert_eq!(world.peer("anna"), Some(second.clone()));
    assert!(matches!(
        &world.media[..],
        [MediaCommand::Negotiate {
            renegotiate: true,
            ..
        }]
    ));

    world.intent(
        "anna",
        Intent::Offer(offer(vec![person()], Some(second.clone()), "unused")),
    );
    assert_eq!(
        world.clients["anna"].refused,
        Some(protocol::ErrorCode::SdpInvalid),
        "slots never get fewer"
    );

    world.intent(
        "anna",
        Intent::Offer(offer(vec![person()], Some(first), "third")),
    );
    world.answer_all();
    assert_eq!(
        world.clients["anna"].refused,
        Some(protocol::ErrorCode::NoMediaConnection),
        "nobody else can answer for a connection that is gone"
    );
    assert_eq!(world.peer("anna"), Some(second));
}

#[test]
fn a_refused_offer_leaves_everything_as_it_was() {
    let mut world = World::new(Access::Accounts);
    world.join("anna");
    world.offer("anna", 1, 0);
    let before = world.peer("anna");
    world.media.clear();
    world.intent("anna", Intent::Offer(offer(Vec::new(), None, "bad")));
    let [MediaCommand::Negotiate { request, .. }] = world.media[..] else {
        panic!("{:?}", world.media)
    };
    world.input(Input::Media(MediaEvent::Negotiated {
        request,
        result: Err(Refusal::Invalid),
    }));
    assert_eq!(
        world.clients["anna"].refused,
        Some(protocol::ErrorCode::SdpInvalid)
    );
    assert_eq!(world.peer("anna"), before);
    let bad = MediaCommand::Remove { peer: "bad".into() };
    assert_eq!(world.media[1..], [bad], "nothing else was removed");
}

#[test]
fn an_answer_for_a_socket_that_is_gone_is_dropped_with_its_peer() {
    let mut world = World::new(Access::Accounts);
    world.join("anna");
    world.intent("anna", Intent::Offer(offer(Vec::new(), None, "lost")));
    world.join("anna");
    world.answer_all();
    assert_eq!(world.peer("anna"), None);
    let removed = MediaCommand::Remove {
        peer: "lost".into(),
    };
    assert!(world.media.contains(&removed), "{:?}", world.media);
}

#[test]
fn whoever_leaves_takes_their_media_along() {
    let mut world = World::new(Access::Accounts);
    world.join("anna");
    world.offer("anna", 1, 0);
    let peer = world.peer("anna").unwrap();
    world.lose("anna");
    assert!(
        !world
            .media
            .contains(&MediaCommand::Remove { peer: peer.clone() }),
        "media outlives a lost socket"
    );
    world.pass(Duration::from_secs(60));
    assert_eq!(world.media.last(), Some(&MediaCommand::Remove { peer }));
    assert!(world.ended && world.seats.is_empty());
}

#[test]
fn a_full_room_says_so_and_lets_the_next_one_in_when_somebody_left() {
    let mut world = World::new(Access::Guests);
    let names: Vec<String> = (0..protocol::limits::ROOM_PEOPLE)
        .map(|index| format!("p{index}"))
        .collect();
    for name in &names {
        world.join(name);
    }
    world.join("zoe");
    assert_eq!(world.sees("zoe"), "refused RoomFull");
    world.join("gil");
    assert_eq!(world.sees("gil"), "refused RoomFull");
    world.leave(&names[0]);
    world.join("zoe");
    assert!(world.participant("zoe").is_some());
    assert_eq!(world.people.count as usize, names.len());
}

#[test]
fn one_guest_cannot_fill_a_room_or_its_door() {
    let devices = ["gil/a", "gil/b", "gil/c", "gil/d"];
    let mut world = World::new(Access::Guests);
    for device in devices {
        world.join(device);
    }
    world.join("gil/a");
    assert_eq!(
        [devices[0], devices[2], devices[3]].map(|who| world.sees(who)),
        ["waiting", "waiting", "refused TooMany"]
    );
    world.join("gert");
    world.join("anna");
    assert_eq!(world.people.count, 5, "three of gil's, gert and anna");
    world.join("gil/d");
    assert_eq!(world.sees("gil/d"), "refused TooMany");
    world.lose("gil/a");
    world.join("gil/a");
    world.leave("gil/b");
    world.join("gil/d");
    assert_eq!(world.people.count, 5);
}

#[test]
fn one_account_cannot_fill_a_room_with_its_devices() {
    let mut world = World::new(Access::Accounts);
    let devices: Vec<String> = (0..11).map(|index| format!("anna/{index}")).collect();
    for device in &devices {
        world.join(device);
    }
    assert_eq!(world.people.count, 10);
    assert_eq!(world.sees("anna/10"), "refused TooMany");
    world.join("bert");
    assert_eq!(world.people.count, 11, "others have places of their own");
    world.join("anna/3");
    assert_eq!(world.people.count, 11, "a device that is in may come again");
    world.leave("anna/3");
    world.join("anna/10");
    assert_eq!(world.people.count, 11);
}

#[test]
fn only_people_inside_may_act() {
    let mut world = World::new(Access::Guests);
    world.join("gil");
    world.publish("gil", CAMERA, false);
    assert_eq!(
        world.clients["gil"].refused,
        Some(protocol::ErrorCode::NotAdmitted)
    );
    world.leave("gil");
    world.publish("gil", CAMERA, false);
    assert_eq!(
        world.clients["gil"].refused,
        Some(protocol::ErrorCode::NotInRoom)
    );
    world.join("anna");
    world.join("gil");
    act(&mut world, &Mute("gil", CAMERA));
    assert_eq!(
        world.clients["gil"].refused,
        Some(protocol::ErrorCode::NotFound)
    );
}

#[test]
fn owner_and_members_walk_in_and_others_knock() {
    let world = check(
        Access::Guests,
        &[
            (Knock(true, &["carl"]), &[]),
            (Join("bert"), &[("bert", "waiting")]),
            (Join("gil"), &[("gil", "waiting")]),
            (
                Join("carl"),
                &[
                    ("carl", "carl | ?bert gil*"),
                    ("bert", "knocking"),
                    ("gil", "knocking"),
                ],
            ),
            (
                LetIn("carl", 1),
                &[("gil", "carl gil*"), ("carl", "carl gil* | ?bert")],
            ),
            (Join("anna"), &[("anna", "carl gil* anna | ?bert")]),
            (
                SendAway("anna", 0),
                &[("bert", "left NotAdmitted"), ("carl", "carl gil* anna")],
            ),
            (Join("bert"), &[("bert", "refused RateLimited")]),
            (Seconds(15), &[]),
            (
                Join("bert"),
                &[("bert", "knocking"), ("gil", "carl gil* anna")],
            ),
            (LetIn("anna", 0), &[("bert", "carl gil* anna bert")]),
            (Leave("bert"), &[]),
            (Join("bert"), &[("bert", "carl gil* anna bert")]),
        ],
    );
    assert_eq!(world.came_in, ["bert", "bert"], "members are not counted");
}

#[test]
fn whoever_knocks_where_nobody_of_the_house_is_left_waits_for_somebody() {
    check(
        Access::Guests,
        &[
            (Join("anna"), &[]),
            (Join("gil"), &[]),
            (Knock(true, &[]), &[("gil", "anna gil*")]),
            (Join("gert"), &[("gert", "knocking")]),
            (Leave("anna"), &[("gert", "waiting"), ("gil", "gil*")]),
            (Join("bert"), &[("bert", "waiting")]),
            (Join("anna"), &[("anna", "gil* anna | ?gert* bert")]),
            (
                Close,
                &[("gert", "left GuestsNotAllowed"), ("bert", "knocking")],
            ),
            (Knock(true, &["bert"]), &[("bert", "gil* anna bert")]),
        ],
    );
}

#[test]
fn a_reload_keeps_the_place_of_whoever_knocks_for_fifteen_seconds() {
    check(
        Access::Guests,
        &[
            (Knock(true, &[]), &[]),
            (Join("anna"), &[]),
            (Join("bert"), &[]),
            (Join("gil"), &[]),
            (Lose("bert"), &[("anna", "anna | ?bert gil*")]),
            (Join("bert"), &[("anna", "anna | ?bert gil*")]),
            (Lose("bert"), &[]),
            (Seconds(15), &[("anna", "anna | ?gil*")]),
            (Lose("gil"), &[]),
            (LetIn("anna", 0), &[("anna", "anna")]),
            (Join("gil"), &[("gil", "anna gil*")]),
            (
                Join("bert"),
                &[("anna", "anna gil* | ?bert"), ("gil", "anna gil*")],
            ),
            (Lose("bert"), &[]),
            (SendAway("anna", 0), &[("anna", "anna gil*")]),
            (Join("bert"), &[("bert", "refused RateLimited")]),
        ],
    );
}

#[test]
fn whoever_is_expected_or_no_longer_has_to_knock_comes_in() {
    check(
        Access::Guests,
        &[
            (Knock(true, &[]), &[]),
            (Join("anna"), &[]),
            (Join("bert"), &[("bert", "knocking")]),
            (Expect("bert"), &[("bert", "anna bert")]),
            (Expect("dora"), &[]),
            (Join("dora"), &[("dora", "anna bert dora")]),
            (Join("gil"), &[("gil", "knocking")]),
            (Knock(false, &[]), &[("gil", "anna bert dora gil*")]),
        ],
    );
}

#[test]
fn whoever_waits_on_does_not_make_the_next_meeting_a_part_of_this_one() {
    check(
        Access::Guests,
        &[
            (Knock(true, &[]), &[]),
            (Join("anna"), &[]),
            (Expect("bert"), &[]),
            (Join("gil"), &[("gil", "knocking")]),
            (Leave("anna"), &[("gil", "waiting")]),
            (Join("bert"), &[("bert", "waiting")]),
        ],
    );
}

#[test]
fn only_accounts_inside_answer_a_knock_and_only_once() {
    let mut world = World::new(Access::Guests);
    world.join("anna");
    world.join("gil");
    world.knock(true, &[]);
    world.join("gert");
    world.join("bert");
    let refused = |world: &World, who: &str| world.clients[who].refused;
    let answer = |world: &mut World, by: &str, of: &str| {
        let knocking = world.clients["anna"].clone();
        let support::Stand::In { view, .. } = knocking.stand else {
            panic!("anna is inside");
        };
        let known = view.knocking.iter().find(|known| known.name == of);
        let knocking = known.map_or("nobody".into(), |known| known.id.clone());
        let (id, admit) = (IntentId::from("admit"), true);
        let intent = Intent::Admit {
            id,
            knocking,
            admit,
        };
        world.intent(by, intent);
    };
    answer(&mut world, "gil", "gert");
    assert_eq!(refused(&world, "gil"), Some(ErrorCode::Forbidden));
    answer(&mut world, "bert", "bert");
    assert_eq!(refused(&world, "bert"), Some(ErrorCode::NotAdmitted));
    answer(&mut world, "anna", "nobody");
    assert_eq!(refused(&world, "anna"), Some(ErrorCode::NotFound));
    answer(&mut world, "anna", "gert");
    assert_eq!(refused(&world, "anna"), None);
    assert_eq!(world.sees("gert"), "anna gil* gert*");
    answer(&mut world, "anna", "gert");
    assert_eq!(refused(&world, "anna"), Some(ErrorCode::NotFound));
}

#[test]
fn a_full_room_lets_nobody_in_and_says_so_to_who_answers() {
    let mut world = World::new(Access::Accounts);
    world.knock(true, &[]);
    world.join("anna");
    world.join("bert");
    let others = (1..protocol::limits::ROOM_PEOPLE).map(|index| format!("c{index}"));
    for other in others {
        world.input(Input::Expect(UserId::from(other.as_str())));
        world.join(&other);
    }
    world.admit("anna", 0, true);
    assert_eq!(world.clients["anna"].refused, Some(ErrorCode::RoomFull));
    assert_eq!(world.sees("bert"), "knocking");
    world.leave("c1");
    world.admit("anna", 0, true);
    assert_eq!(world.people.count as usize, protocol::limits::ROOM_PEOPLE);
    assert!(world.sees("bert").contains("bert"));
}

#[test]
fn an_end_from_outside_tells_everybody_why_and_leaves_nothing() {
    let world = check(
        Access::Guests,
        &[
            (Knock(true, &["carl"]), &[]),
            (Join("anna"), &[]),
            (Media("anna", 2, 0), &[]),
            (Join("carl"), &[]),
            (Lose("carl"), &[]),
            (Join("gil"), &[("gil", "knocking")]),
            (
                End(RoomLeftReason::RoomDeleted),
                &[("anna", "left RoomDeleted"), ("gil", "left RoomDeleted")],
            ),
        ],
    );
    assert!(world.ended && world.seats.is_empty() && world.people.count == 0);
    assert!(world.unremoved_peers().is_empty());
    assert_eq!(world.room.poll_timeout(), None);
}

/// What the media side was told of this peer, in words.
fn told(world: &World, peer: &str) -> Vec<String> {
    let about = |command: &MediaCommand| match command {
        MediaCommand::Negotiate { peer, .. } => Some((peer.clone(), "negotiate".to_owned())),
        MediaCommand::Remove { peer } => Some((peer.clone(), "remove".to_owned())),
        MediaCommand::SetUplink {
            peer,
            source,
            state,
        } => Some((peer.clone(), format!("{source:?} {state:?}"))),
        MediaCommand::Bind {
            peer, slot, from, ..
        } => {
            let from = from.as_ref().map_or("nobody", |from| from.as_str());
            Some((peer.clone(), format!("slot {slot} from {from}")))
        }
        MediaCommand::SlotReady { .. } | MediaCommand::NoPicture { .. } => None,
    };
    let commands = world.media.iter().filter_map(about);
    commands
        .filter(|(about, _)| about.as_str() == peer)
        .map(|(_, what)| what)
        .collect()
}

fn held_at_door(world: &World, who: Who) -> Option<String> {
    world
        .peer(&format!("{who}@door"))
        .map(|peer| peer.to_string())
}

/// Anna is inside, with media; somebody stands at the door with theirs prepared.
fn at_the_door(access: Access, who: Who) -> (World, String) {
    let mut world = World::new(access);
    world.join("anna");
    world.offer("anna", 1, 0);
    world.publish("anna", CAMERA, false);
    world.prepare(who, 1, 0);
    world.answer_all();
    let peer = held_at_door(&world, who).expect("prepared");
    (world, peer)
}

#[test]
fn what_was_prepared_at_the_door_is_bound_in_the_moment_of_the_join() {
    let (mut world, peer) = at_the_door(Access::Accounts, "bert");
    assert_eq!(world.sees("anna"), "anna[C]", "nobody is told");
    assert_eq!((world.people.count, world.seats.len()), (1, 1));
    assert_eq!(told(&world, &peer), ["negotiate"], "nothing flows");
    world.enter_prepared("bert");
    world.publish("bert", MICROPHONE, false);
    let anna = world.peer("anna").unwrap().to_string();
    assert_eq!(world.sees("bert"), "anna[C] bert[M] | 0=anna.1");
    assert_eq!(world.sees("anna"), "anna[C] bert[M] | 0=bert.1");
    let expected = [
        "negotiate".to_owned(),
        format!("slot 0 from {anna}"),
        "Microphone Live".to_owned(),
    ];
    assert_eq!(told(&world, &peer), expected);
    world.leave("bert");
    assert_eq!(told(&world, &peer).last().unwrap(), "remove");
}

#[test]
fn whoever_joins_before_the_answer_gets_it_inside() {
    let mut world = World::new(Access::Accounts);
    world.join("anna");
    world.prepare("bert", 1, 0);
    world.enter_prepared("bert");
    assert_eq!(world.peer("bert"), None);
    world.answer_all();
    let peer = world.peer("bert").unwrap();
    assert_eq!(world.unremoved_peers(), [peer]);
}

#[test]
fn a_prepared_connection_ends_after_two_minutes_and_the_room_with_it() {
    let mut world = World::new(Access::Accounts);
    world.prepare("anna", 1, 0);
    world.answer_all();
    assert!(!world.ended, "somebody stands at the door");
    world.pass(Duration::from_millis(119_999));
    assert!(held_at_door(&world, "anna").is_some());
    world.pass(Duration::from_millis(1));
    assert_eq!(held_at_door(&world, "anna"), None, "they are told");
    assert_eq!(world.unremoved_peers(), []);
    assert!(world.ended);
    world.enter_prepared("anna");
    assert_eq!(world.sees("anna"), "anna", "and come in all the same");
}

#[test]
fn only_who_may_come_in_without_knocking_prepares() {
    let refused = |world: &mut World, who: Who| {
        world.prepare(who, 1, 0);
        world.answer_all();
        world.clients[&format!("{who}@door")].refused
    };
    let mut world = World::new(Access::Accounts);
    assert_eq!(
        refused(&mut world, "gil"),
        Some(ErrorCode::GuestsNotAllowed)
    );
    assert_eq!(refused(&mut world, "gil+"), None, "was invited");
    world.access(Access::Guests);
    // Whether somebody of the house is in, a guest does not learn so.
    assert_eq!(refused(&mut world, "gil"), None);
    world.knock(true, &["carl"]);
    assert_eq!(refused(&mut world, "gil"), Some(ErrorCode::NotAdmitted));
    assert_eq!(refused(&mut world, "bert"), Some(ErrorCode::NotAdmitted));
    assert_eq!(refused(&mut world, "carl"), None);
    assert_eq!(refused(&mut world, "anna"), None);
}

#[test]
fn whoever_may_not_come_in_any_more_loses_what_they_prepared() {
    let table: &[(&str, Access, Who, Step)] = &[
        ("signed out", Access::Accounts, "bert", EndSession("bert")),
        ("closed to guests", Access::Guests, "gil", Close),
        ("others knock now", Access::Guests, "bert", Knock(true, &[])),
        (
            "the end of the meeting",
            Access::Accounts,
            "bert",
            End(RoomLeftReason::RoomDeleted),
        ),
    ];
    for (what, access, who, step) in table {
        let (mut world, peer) = at_the_door(*access, who);
        act(&mut world, step);
        assert_eq!(held_at_door(&world, who), None, "{what}");
        assert_eq!(told(&world, &peer), ["negotiate", "remove"], "{what}");
    }
    let (mut world, _) = at_the_door(Access::Accounts, "carl");
    world.knock(true, &["carl"]);
    assert!(held_at_door(&world, "carl").is_some(), "a member walks in");
    world.knock(true, &[]);
    assert_eq!(held_at_door(&world, "carl"), None, "not a member any more");
}

#[test]
fn what_was_prepared_goes_with_its_socket_and_with_a_join_that_has_to_wait() {
    let (mut world, peer) = at_the_door(Access::Accounts, "bert");
    world.leave_door("bert");
    assert_eq!(told(&world, &peer), ["negotiate", "remove"]);

    let mut world = World::new(Access::Guests);
    world.prepare("gil", 1, 0);
    world.answer_all();
    world.enter_prepared("gil");
    assert_eq!(world.sees("gil"), "waiting");
    assert_eq!(world.unremoved_peers(), []);
}

#[test]
fn what_was_prepared_by_one_is_of_no_use_to_another() {
    let (mut world, peer) = at_the_door(Access::Accounts, "bert");
    let stolen = world.clients.remove("bert@door").unwrap();
    world.clients.insert("mallory@door".to_owned(), stolen);
    world.enter_prepared("mallory");
    assert_eq!(world.sees("mallory"), "anna[C] mallory");
    assert_eq!(told(&world, &peer), ["negotiate", "remove"]);
    let connection = match &world.clients["mallory"].stand {
        support::Stand::In { view, .. } => view.connection.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(connection, None);
}

#[test]
fn a_page_that_prepares_again_lets_go_of_what_it_had() {
    let (mut world, first) = at_the_door(Access::Accounts, "bert");
    let old = world.clients.remove("bert@door").unwrap();
    world.clients.insert("reloaded".to_owned(), old);
    world.prepare("bert", 1, 0);
    world.answer_all();
    assert_eq!(told(&world, &first), ["negotiate", "remove"]);
    assert_eq!(world.peer("reloaded"), None, "the old page is told");
    world.prepare("bert/phone", 1, 0);
    world.answer_all();
    assert!(held_at_door(&world, "bert").is_some(), "another device");
    world.enter_prepared("bert");
    world.enter_prepared("bert");
    assert_eq!(world.sees("anna"), "anna[C] bert | 0=bert.1", "once");
}

#[test]
fn a_door_holds_so_many_prepared_connections_and_no_more() {
    let mut world = World::new(Access::Accounts);
    let devices: Vec<Who> = (0..33)
        .map(|device| -> Who { Box::leak(format!("bert/{device}").into_boxed_str()) })
        .collect();
    for who in &devices {
        world.prepare(who, 1, 0);
    }
    world.answer_all();
    let (last, others) = devices.split_last().unwrap();
    assert!(others.iter().all(|who| held_at_door(&world, who).is_some()));
    let refused = world.clients[&format!("{last}@door")].refused;
    assert_eq!(refused, Some(ErrorCode::TooMany));
    assert_eq!(world.room.prepared().count(), 32);
    world.enter_prepared(last);
    assert_eq!(world.sees(last), "bert", "the old way");
}

#[test]
fn a_prepared_connection_that_breaks_or_is_refused_is_told_of_and_gone() {
    let (mut world, peer) = at_the_door(Access::Accounts, "bert");
    let peer = protocol::MediaConnectionId::from(peer.as_str());
    world.input(Input::Media(MediaEvent::Closed { peer }));
    assert_eq!(held_at_door(&world, "bert"), None);
    assert_eq!(world.room.prepared().count(), 0);

    world.media.clear();
    world.prepare("bert", 1, 0);
    let Some(MediaCommand::Negotiate { request, .. }) = world.media.last().cloned() else {
        panic!("{:?}", world.media);
    };
    let result = Err(Refusal::Invalid);
    world.input(Input::Media(MediaEvent::Negotiated { request, result }));
    let refused = world.clients["bert@door"].refused;
    assert_eq!(refused, Some(ErrorCode::SdpInvalid));
    assert_eq!(world.room.prepared().count(), 0);
}

fn report(world: &mut World, who: &str, loss_up: u32) {
    let report = QualityReport {
        loss_up: Some(loss_up),
        ..QualityReport::default()
    };
    world.intent(who, Intent::ReportQuality { report });
}

fn measured(world: &mut World, who: &str, rtt_ms: u32) {
    let peer = world.peer(who).expect("a media connection");
    let measured = Measured {
        path: PathKind::UdpV4,
        rtt_ms: Some(rtt_ms),
        loss_up: None,
        loss_down: None,
        jitter_ms: None,
        up_bps: 1_000_000,
        down_bps: 1_000_000,
        estimate_bps: None,
        layer_changes: 0,
        pauses: 0,
    };
    world.input(Input::Media(MediaEvent::Measured { peer, measured }));
}

#[test]
fn what_both_ends_measured_is_stored_every_minute_and_at_the_end() {
    let mut world = World::new(Access::Guests);
    world.join("anna");
    world.join("gil");
    for who in ["anna", "gil"] {
        world.offer(who, 2, 0);
        world.answer_all();
    }
    for _ in 0..13 {
        world.pass(Duration::from_secs(10));
        measured(&mut world, "anna", 40);
        report(&mut world, "anna", 80);
    }
    let stored: Vec<_> = world.records.iter().map(|record| record.over).collect();
    assert_eq!(stored, [false, false], "two minutes are over");
    world.leave("anna");
    world.leave("gil");
    assert_eq!(world.records.len(), 3, "of gil nothing was measured");
    let last = world.records.last().expect("a record");
    assert!(last.over && last.participant == world.records[0].participant);
    assert_eq!(last.name, "anna");
    assert_eq!(last.ended - last.started, 130_000);
    let (rtt, loss) = (last.summary.rtt_ms, last.summary.loss_up);
    assert_eq!(rtt.map(|rtt| rtt.mean), Some(40));
    assert_eq!(loss.map(|loss| loss.bad_mean), Some(80));
    let (step, points) = unpack(&last.timeline).expect("a timeline");
    assert_eq!((step, points.len()), (10, 14));
    assert_eq!(world.room.poll_timeout(), None);
}

#[test]
fn reports_that_come_too_fast_or_from_outside_count_for_nothing() {
    let mut world = World::new(Access::Guests);
    world.join("anna");
    world.access(Access::Accounts);
    world.join("gil");
    report(&mut world, "gil", 1_000);
    for loss in [10, 20, 900, 900] {
        report(&mut world, "anna", loss);
    }
    world.pass(Duration::from_secs(5));
    report(&mut world, "anna", 30);
    report(&mut world, "anna", 900);
    world.leave("anna");
    let [record] = world.records.as_slice() else {
        panic!("{:?}", world.records);
    };
    assert_eq!(record.summary.loss_up.map(|loss| loss.mean), Some(20));
}

#[test]
fn before_the_server_ends_all_that_was_measured_is_given_out_once() {
    let mut world = World::new(Access::Guests);
    world.join("anna");
    report(&mut world, "anna", 10);
    world.room.store_records();
    world.room.store_records();
    let given = std::iter::from_fn(|| world.room.poll_output());
    assert_eq!(
        given
            .filter(|output| matches!(output, room::Output::Persist(room::Persist::Stay(_))))
            .count(),
        1
    );
}
