//! Meetings of bots over the real binary: who is there, who is seen and heard under which name, and what survives.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bot::{Account, Bot, Identity, Options, Phase, Publish, Refused, Scene, View};
use protocol::{
    Access, ErrorCode, ParticipantId, RoomLeftReason, Source, Wanted, http::ChangeRoom,
};
use tokio::sync::{Semaphore, SemaphorePermit};

use house::{House, room};
use postgres::Postgres;

mod ending;
mod house;
mod postgres;

/// Long enough for a machine that does other things too.
const SOON: Duration = Duration::from_secs(40);
/// More than a second of a camera.
const FRAMES: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_people_see_and_hear_exactly_the_others() {
    let _turn = turn().await;
    let house = House::open().await;
    let anna = house.admin().await;
    room(&anna, "Runde", Access::Guests).await;
    let bots = [
        enter(&anna, "Runde", 1).await,
        enter(&anna, "Runde", 2).await,
        enter_as_guest(&house, "public/Runde", "Gast", 3).await,
    ];
    meet(&bots).await;
    let gast = bots[0].state().person("Gast").cloned().expect("the guest");
    assert!(gast.guest, "the server marks guests");
    for bot in &bots {
        let total = bot.received().total();
        assert_eq!(
            (
                total.undecodable,
                total.picture_id_jumps,
                total.timestamp_regressions
            ),
            (0, 0, 0)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_leaves_is_gone_and_comes_back_as_somebody_new() {
    let _turn = turn().await;
    let house = House::open().await;
    let anna = house.admin().await;
    let (first, second) = (
        enter(&anna, "Runde", 1).await,
        enter(&anna, "Runde", 2).await,
    );
    let pair = [first, second];
    meet(&pair).await;
    let [first, second] = pair;
    let (seat, device) = (second.id().expect("a seat"), second.device().clone());
    second.leave().await.expect("everybody may go");
    first
        .wait_for("the other to be gone", SOON, |view| {
            view.state.others().count() == 0
        })
        .await
        .expect("gone");

    let mut options = Options::new("Runde", Identity::nth(3));
    options.device = Some(device);
    let third = Bot::join(anna.clone(), options).await.expect("a seat");
    let pair = [first, third];
    meet(&pair).await;
    assert_ne!(pair[1].id(), Some(seat), "a seat that was left is not kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_muted_or_not_published_reaches_nobody() {
    let _turn = turn().await;
    let house = House::open().await;
    let anna = house.admin().await;
    let mut rude = Options::new("Runde", Identity::nth(1));
    rude.rude = true;
    let pair = [
        Bot::join(anna.clone(), rude).await.expect("a seat"),
        enter(&anna, "Runde", 2).await,
    ];
    meet(&pair).await;
    let [rude, other] = pair;
    let id = rude.id().expect("a seat");

    rude.set_muted(Source::Microphone, true)
        .await
        .expect("own microphone");
    rude.set_muted(Source::Camera, true)
        .await
        .expect("own camera");
    let muted = |view: &View| {
        let tracks = view
            .state
            .others()
            .flat_map(|person| person.tracks.clone())
            .collect::<Vec<_>>();
        tracks.len() == 2 && tracks.iter().all(|track| track.muted)
    };
    other
        .wait_for("both to be muted", SOON, muted)
        .await
        .expect("told");
    let heard = silence(&other, &id).await;

    rude.set_muted(Source::Microphone, false)
        .await
        .expect("own microphone");
    rude.set_muted(Source::Camera, false)
        .await
        .expect("own camera");
    let again = |view: &View| {
        let person = view.received.person(&id);
        person.audio_packets > heard.0 + 10 && person.frames > heard.1 + 10
    };
    other
        .wait_for("sound and picture again", SOON, again)
        .await
        .expect("again");
    assert_eq!(
        other.received().total().undecodable,
        0,
        "a picture that comes back begins with a keyframe"
    );

    rude.unpublish(Source::Camera).await.expect("own camera");
    rude.unpublish(Source::Microphone)
        .await
        .expect("own microphone");
    let none = |view: &View| view.state.others().all(|person| person.tracks.is_empty());
    other
        .wait_for("nothing to be published", SOON, none)
        .await
        .expect("told");
    silence(&other, &id).await;
    assert_eq!(
        rude.set_muted(Source::Camera, true)
            .await
            .expect_err("nothing to mute")
            .downcast_ref(),
        { Some(&Refused(ErrorCode::NotFound)) }
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_waits_until_somebody_is_in() {
    let _turn = turn().await;
    let house = House::open().await;
    let anna = house.admin().await;
    room(&anna, "Sprechstunde", Access::Guests).await;
    let guest = enter_as_guest(&house, "public/Sprechstunde", "Gast", 5).await;
    guest
        .wait_for("being asked to wait", SOON, |view| {
            view.state.phase == Phase::Waiting
        })
        .await
        .expect("waiting");
    assert!(guest.state().room.is_none(), "who waits sees nothing");

    let host = enter(&anna, "Sprechstunde", 1).await;
    let pair = [host, guest];
    meet(&pair).await;
    let [host, guest] = pair;

    // Who is inside stays; who waits is sent away when the room is closed.
    host.leave().await.expect("everybody may go");
    guest
        .wait_for("being alone", SOON, |view| view.state.others().count() == 0)
        .await
        .expect("alone");
    let late = enter_as_guest(&house, "public/Sprechstunde", "Spät", 6).await;
    late.wait_for("being asked to wait", SOON, |view| {
        view.state.phase == Phase::Waiting
    })
    .await
    .expect("waiting");
    let close = ChangeRoom {
        name: "Sprechstunde".into(),
        access: Some(Access::Accounts),
        knock: None,
        new_name: None,
    };
    anna.change_room(&close).await.expect("the owner closes");
    let sent_away = Phase::Left(RoomLeftReason::GuestsNotAllowed);
    late.wait_for("being sent away", SOON, |view| {
        view.state.phase == sent_away
    })
    .await
    .expect("sent away");
    assert_eq!(guest.state().phase, Phase::Inside);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_socket_keeps_the_seat() {
    let _turn = turn().await;
    let house = House::open().await;
    let anna = house.admin().await;
    let bots = [
        enter(&anna, "Runde", 1).await,
        enter(&anna, "Runde", 2).await,
    ];
    meet(&bots).await;
    let seat = bots[1].id();
    let snapshots = bots[1].state().snapshots;
    bots[1].drop_socket().await.expect("a socket");
    let back = |view: &View| view.state.snapshots > snapshots && view.state.phase == Phase::Inside;
    bots[1]
        .wait_for("being back", SOON, back)
        .await
        .expect("back");
    assert_eq!(bots[1].id(), seat);
    still_meet(&bots).await;
    assert_eq!(
        bots[0].state().contradictions,
        0,
        "nobody left and nobody joined"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_device_takes_its_seat_from_the_other_connection() {
    let _turn = turn().await;
    let house = House::open().await;
    let anna = house.admin().await;
    let first = enter(&anna, "Runde", 1).await;
    first
        .wait_for("a seat", SOON, |view| view.state.phase == Phase::Inside)
        .await
        .expect("a seat");
    let seat = first.id();
    let mut options = Options::new("Runde", Identity::nth(1));
    options.device = Some(first.device().clone());
    let second = Bot::join(anna, options).await.expect("the same seat");
    let replaced = Phase::Left(RoomLeftReason::Replaced);
    first
        .wait_for("being replaced", SOON, |view| view.state.phase == replaced)
        .await
        .expect("replaced");
    second
        .wait_for("the seat", SOON, |view| view.state.phase == Phase::Inside)
        .await
        .expect("the seat");
    assert_eq!(second.id(), seat);
    assert_eq!(second.state().people().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_and_a_kill_bring_everybody_back_to_their_seats() {
    let _turn = turn().await;
    come_back(House::open().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_restart_and_a_kill_bring_everybody_back_too() {
    let _turn = turn().await;
    let postgres = Postgres::start().await;
    come_back(House::open_with(Some(postgres.url())).await).await;
}

async fn come_back(mut house: House) {
    let anna = house.admin().await;
    room(&anna, "Runde", Access::Guests).await;
    let bots = [
        enter(&anna, "Runde", 1).await,
        enter(&anna, "Runde", 2).await,
        enter_as_guest(&house, "Runde", "Gast", 3).await,
    ];
    meet(&bots).await;
    let seats = bots.each_ref().map(Bot::id);
    for kill in [false, true] {
        let before = bots.each_ref().map(|bot| bot.state().snapshots);
        if kill {
            house.kill();
        } else {
            house.stop().await;
        }
        house.start().await;
        for (bot, before) in bots.iter().zip(before) {
            let back =
                |view: &View| view.state.snapshots > before && view.state.phase == Phase::Inside;
            bot.wait_for("being back", SOON, back).await.expect("back");
        }
        still_meet(&bots).await;
        assert_eq!(
            bots.each_ref().map(Bot::id),
            seats,
            "the same seats, kill: {kill}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_people_in_one_room_know_each_other_and_see_right_faces_only() {
    let _turn = turns(AT_ONCE).await;
    let house = House::open().await;
    let anna = house.admin().await;
    let bela = house.member("bela").await;
    let mut bots = Vec::new();
    // With ten devices each, which is as many as one may have in a room.
    for number in (1..=20).step_by(2) {
        bots.push(enter(&anna, "Großer Saal", number).await);
        bots.push(enter(&bela, "Großer Saal", number + 1).await);
    }
    let expected = identities(&bots);
    for bot in &bots {
        let everybody = |view: &View| ids(view) == expected.keys().cloned().collect();
        bot.wait_for("everybody to be there", SOON, everybody)
            .await
            .expect("everybody");
        // Six slots: six people are seen and heard, the others are known by name.
        let six = |view: &View| {
            view.received
                .people
                .values()
                .filter(|person| person.frames >= FRAMES)
                .count()
                >= 6
                && view
                    .received
                    .people
                    .values()
                    .filter(|person| !person.heard.is_empty())
                    .count()
                    >= 6
        };
        bot.wait_for("six faces and voices", SOON, six)
            .await
            .expect("six");
    }
    for bot in &bots {
        for (id, person) in bot.received().people {
            assert!(
                person.faces().iter().all(|face| *face == expected[&id]),
                "{id} is {person:?}"
            );
        }
        let state = bot.state();
        assert_eq!((state.sequence_gaps, state.contradictions), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_are_apart() {
    let _turn = turn().await;
    let house = House::open().await;
    let anna = house.admin().await;
    let mut rooms = Vec::new();
    for (name, first) in [("Küche", 1), ("Stube", 5), ("Kammer", 9)] {
        let mut bots = Vec::new();
        for number in first..first + 4 {
            bots.push(enter(&anna, name, number).await);
        }
        rooms.push(bots);
    }
    for bots in &rooms {
        meet(bots).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_size_of_a_tile_chooses_the_layer_without_a_broken_frame() {
    let _turn = turn().await;
    let house = House::open().await;
    let anna = house.admin().await;
    let pair = [
        enter(&anna, "Runde", 1).await,
        enter(&anna, "Runde", 2).await,
    ];
    meet(&pair).await;
    let [watcher, other] = pair;
    let id = other.id().expect("a seat");
    for (width, height, layer) in [(160, 90, 0), (640, 360, 2), (320, 180, 1), (640, 360, 2)] {
        let tile = Wanted {
            participant: id.clone(),
            source: Source::Camera,
            width,
            height,
        };
        watcher.want(vec![tile]).await.expect("a wish");
        let scene = Scene::Camera { layer };
        let shown =
            |view: &View| view.received.person(&id).last_seen == Some((other.identity(), scene));
        watcher
            .wait_for(&format!("layer {layer}"), SOON, shown)
            .await
            .expect("the layer");
    }
    let total = watcher.received().total();
    assert_eq!(
        (
            total.undecodable,
            total.picture_id_jumps,
            total.timestamp_regressions
        ),
        (0, 0, 0)
    );

    // Off the screen: heard, and not seen.
    watcher.want(vec![]).await.expect("a wish");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = watcher.received().person(&id);
    let heard = |view: &View| view.received.person(&id).audio_packets > before.audio_packets + 50;
    watcher
        .wait_for("a second of the voice", SOON, heard)
        .await
        .expect("heard");
    assert_eq!(
        watcher.received().person(&id).frames,
        before.frames,
        "nobody asked for these frames"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_slots_show_more_people() {
    let _turn = turn().await;
    let house = House::open().await;
    let anna = house.admin().await;
    let mut options = Options::new("Runde", Identity::nth(1));
    options.person_slots = 1;
    let watcher = Bot::join(anna.clone(), options).await.expect("a seat");
    let others = [2, 3, 4].map(|number| enter(&anna, "Runde", number));
    let others = futures_util::future::join_all(others).await;
    let seen = |view: &View| {
        view.received
            .people
            .values()
            .filter(|person| person.frames >= 5)
            .count()
    };
    watcher
        .wait_for("one face", SOON, |view| seen(view) == 1)
        .await
        .expect("one");
    watcher.widen(3).await.expect("more slots");
    watcher
        .wait_for("three faces", SOON, |view| seen(view) == 3)
        .await
        .expect("three");
    for other in &others {
        let id = other.id().expect("a seat");
        assert_eq!(watcher.received().person(&id).faces(), [other.identity()]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_screen_is_shown_beside_the_face() {
    let _turn = turn().await;
    let house = House::open().await;
    let anna = house.admin().await;
    let pair = [
        enter(&anna, "Runde", 1).await,
        enter(&anna, "Runde", 2).await,
    ];
    meet(&pair).await;
    let [watcher, other] = pair;
    let id = other.id().expect("a seat");
    other
        .publish(Source::Screen, false)
        .await
        .expect("own screen");
    let frames = |view: &View, scene: Scene| {
        view.received
            .person(&id)
            .seen
            .get(&(other.identity(), scene))
            .copied()
            .unwrap_or(0)
    };
    let screen = |view: &View| frames(view, Scene::Screen) >= 5;
    watcher
        .wait_for("the screen", SOON, screen)
        .await
        .expect("the screen");
    other.unpublish(Source::Screen).await.expect("own screen");
    let gone = |view: &View| view.state.others().all(|person| person.tracks.len() == 2);
    watcher
        .wait_for("the screen to be gone", SOON, gone)
        .await
        .expect("gone");
    let faces = watcher.received().person(&id).frames;
    let face = |view: &View| view.received.person(&id).frames > faces + FRAMES;
    watcher
        .wait_for("the face to go on", SOON, face)
        .await
        .expect("the face");
}

/// One slot for three people who come and go: the label and the face change together, always.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_never_stands_under_another_face() {
    let _turn = turn().await;
    let house = House::open().await;
    let anna = house.admin().await;
    let mut options = Options::new("Runde", Identity::nth(1));
    options.person_slots = 1;
    options.publish = vec![Publish {
        source: Source::Microphone,
        muted: true,
    }];
    let watcher = Bot::join(anna.clone(), options).await.expect("a seat");
    let mut faces = BTreeMap::new();
    for round in 0..6 {
        let other = enter(&anna, "Runde", 2 + round).await;
        other
            .wait_for("a seat", SOON, |view| view.state.phase == Phase::Inside)
            .await
            .expect("a seat");
        let id = other.id().expect("a seat");
        faces.insert(id.clone(), other.identity());
        let seen = |view: &View| view.received.person(&id).frames >= 5;
        watcher
            .wait_for("the new face", SOON, seen)
            .await
            .expect("seen");
        other.leave().await.expect("everybody may go");
        let gone = |view: &View| view.state.others().count() == 0;
        watcher
            .wait_for("an empty room", SOON, gone)
            .await
            .expect("gone");
    }
    let received = watcher.received();
    for (id, face) in faces {
        assert_eq!(received.person(&id).faces(), [face]);
    }
    let total = received.total();
    assert_eq!((total.undecodable, total.timestamp_regressions), (0, 0));
}

/// Meetings that two cores are enough for, since most of the time somebody waits for something.
const AT_ONCE: u32 = 3;

async fn turn() -> SemaphorePermit<'static> {
    turns(1).await
}

async fn turns(count: u32) -> SemaphorePermit<'static> {
    static TURNS: Semaphore = Semaphore::const_new(AT_ONCE as usize);
    TURNS.acquire_many(count).await.expect("nobody closes it")
}

async fn enter(account: &Account, room: &str, number: usize) -> Bot {
    Bot::join(account.clone(), Options::new(room, Identity::nth(number)))
        .await
        .expect("a seat")
}

/// In the room, or on a chair outside while nobody of the house is in.
async fn enter_as_guest(house: &House, room: &str, name: &str, number: usize) -> Bot {
    let guest = house.guest(room, name).await;
    Bot::join(guest, Options::new(room, Identity::nth(number)))
        .await
        .expect("a seat or a chair outside")
}

fn identities(bots: &[Bot]) -> BTreeMap<ParticipantId, Identity> {
    bots.iter()
        .map(|bot| (bot.id().expect("a seat"), bot.identity()))
        .collect()
}

fn ids(view: &View) -> BTreeSet<ParticipantId> {
    view.state
        .people()
        .iter()
        .map(|person| person.id.clone())
        .collect()
}

/// Everybody has a seat, and everybody sees and hears exactly the others.
async fn meet(bots: &[Bot]) {
    for bot in bots {
        let inside = |view: &View| view.state.phase == Phase::Inside && view.state.media;
        bot.wait_for("a seat and media", SOON, inside)
            .await
            .expect("a seat and media");
    }
    still_meet(bots).await;
}

/// From now on, that is.
async fn still_meet(bots: &[Bot]) {
    let expected = identities(bots);
    for bot in bots {
        let own = bot.id().expect("a seat");
        let others: Vec<_> = expected.iter().filter(|(id, _)| **id != own).collect();
        let before = bot.received();
        let all = |view: &View| {
            ids(view) == expected.keys().cloned().collect()
                && others.iter().all(|(id, identity)| {
                    let (then, now) = (before.person(id), view.received.person(id));
                    let voice = |person: &bot::PersonReceived| {
                        person.heard.get(identity).copied().unwrap_or(0)
                    };
                    now.frames >= then.frames + FRAMES && voice(&now) > voice(&then) + 10
                })
        };
        bot.wait_for("the others' faces and voices", SOON, all)
            .await
            .expect("faces and voices");
        let (received, state) = (bot.received(), bot.state());
        for (id, identity) in others {
            let person = received.person(id);
            assert_eq!(person.faces(), [*identity], "the face under a name");
            assert_eq!(
                person.heard.keys().collect::<Vec<_>>(),
                [identity],
                "the voice under a name"
            );
        }
        assert_eq!((state.sequence_gaps, state.contradictions), (0, 0));
        assert_eq!(state.errors, []);
    }
}

/// Nothing of this person arrives any more, once what was on its way has been let in. Returns packets and frames so far.
async fn silence(watcher: &Bot, id: &ParticipantId) -> (u64, u64) {
    let counts = || {
        let person = watcher.received().person(id);
        (person.audio_packets, person.frames)
    };
    // 25 packets of a voice: much longer than one needs on its way.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = counts();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(counts(), before, "something came through");
    before
}
