//! Calls and who is there, as the devices of both sides see them.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Socket, grant, guest_ticket, people};
use crate::support::{House, Person, answer, behind_its_back};

/// Anna, and Bert with two devices.
pub struct Scene {
    pub house: House,
    pub anna: Person,
    pub bert: Person,
    pub caller: Socket,
    pub laptop: Socket,
    pub phone: Socket,
}

async fn id_of(person: &Person) -> String {
    let me = person.me().await;
    me["user"]["id"].as_str().expect("an id").to_owned()
}

async fn device(house: &House, person: &Person, browser: &str) -> Socket {
    let mut socket = Socket::device(person, &house.base, browser).await;
    socket.wait_for("home_snapshot").await;
    socket
}

impl Scene {
    pub async fn new() -> Self {
        Self::of(House::new()).await
    }

    async fn of(house: House) -> Self {
        let (house, anna) = house.with_anna().await;
        let bert = house.member("bert").await;
        Self {
            caller: device(&house, &anna, "annas").await,
            laptop: device(&house, &bert, "laptop").await,
            phone: device(&house, &bert, "phone").await,
            house,
            anna,
            bert,
        }
    }

    /// Anna calls Bert, and it rings on both devices.
    pub async fn ring(&mut self) -> Value {
        let bert = id_of(&self.bert).await;
        let call = start(&mut self.caller, &bert).await.expect("it rings");
        assert_eq!(
            (&call["direction"], &call["ringing"]),
            (&json!("outgoing"), &json!(true))
        );
        for device in [&mut self.laptop, &mut self.phone] {
            let rings = device.home("call_changed").await["call"].clone();
            assert_eq!(
                (&rings["id"], &rings["direction"]),
                (&call["id"], &json!("incoming"))
            );
        }
        call
    }
}

/// What the caller is told: the call, or the code of a refusal.
async fn start(socket: &mut Socket, person: &str) -> Result<Value, String> {
    socket
        .send(json!({"type": "start_call", "id": "call", "person": person, "video": true}))
        .await;
    let answer = socket.wait(|message| message["id"] == "call").await;
    match answer["type"].as_str() {
        Some("calling") => Ok(answer["call"].clone()),
        Some("ok") => Err("ok".to_owned()),
        _ => Err(answer["code"].as_str().expect("a code").to_owned()),
    }
}

pub async fn about(socket: &mut Socket, what: &str, call: &Value) -> Result<(), String> {
    socket
        .intend(json!({"type": what, "call": call["id"]}))
        .await
}

pub async fn end(socket: &mut Socket) -> String {
    let ended = socket.home("call_ended").await;
    ended["end"].as_str().expect("an end").to_owned()
}

pub async fn enter_call(socket: &mut Socket, call: &Value, device: &str) -> Value {
    let join = json!({"type": "join_call", "room": call["room"], "device": device});
    socket.intend(join).await.expect("let in");
    socket.view().await
}

/// Kind, end and whether it took time, the newest first.
pub async fn history(person: &Person) -> Vec<(String, Option<String>, bool)> {
    let history = person.get("/api/v1/history").await.json();
    let entries = history["entries"].as_array().expect("entries").iter();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    entries
        .map(|entry| {
            let kind = text(&entry["kind"]).expect("a kind");
            (kind, text(&entry["end"]), entry["duration_ms"].is_u64())
        })
        .collect()
}

pub fn line(kind: &str, end: Option<&str>, lasted: bool) -> (String, Option<String>, bool) {
    (kind.to_owned(), end.map(str::to_owned), lasted)
}

#[tokio::test]
async fn a_call_is_accepted_on_one_device_and_ends_for_both_when_one_hangs_up() {
    for house in [House::new(), House::on_postgres()] {
        let mut scene = Scene::of(house).await;
        let call = scene.ring().await;
        assert_eq!(
            people(&enter_call(&mut scene.caller, &call, "d").await),
            ["Anna Ö."]
        );
        let too_early = json!({"type": "join_call", "room": "nowhere", "device": "d"});
        let refused = scene.laptop.intend(too_early).await;
        assert_eq!(refused, Err("not_found".to_owned()));
        about(&mut scene.phone, "accept_call", &call)
            .await
            .expect("accepted");
        assert_eq!(end(&mut scene.phone).await, "answered");
        assert_eq!(end(&mut scene.laptop).await, "answered_elsewhere");
        assert_eq!(end(&mut scene.caller).await, "answered");
        let again = about(&mut scene.laptop, "accept_call", &call).await;
        assert_eq!(again, Err("call_over".to_owned()));
        let view = enter_call(&mut scene.phone, &call, "p").await;
        assert_eq!(people(&view), ["Anna Ö.", "bert"]);
        scene.caller.change("participant_joined").await;
        scene
            .phone
            .intend(json!({"type": "leave_room"}))
            .await
            .expect("left");
        let left = scene.caller.wait_for("room_left").await;
        assert_eq!(left["reason"], "call_ended");
        scene.caller.settle().await;
        assert_eq!(history(&scene.anna).await, [line("outgoing", None, true)]);
        assert_eq!(history(&scene.bert).await, [line("incoming", None, true)]);
        let back = json!({"type": "join_call", "room": call["room"], "device": "d"});
        assert_eq!(scene.caller.intend(back).await, Err("not_found".to_owned()));
    }
}

#[tokio::test]
async fn declining_and_cancelling_end_it_everywhere_and_ignoring_here_alone() {
    let mut scene = Scene::new().await;
    let call = scene.ring().await;
    about(&mut scene.laptop, "decline_call", &call)
        .await
        .expect("declined");
    assert_eq!(end(&mut scene.laptop).await, "declined");
    assert_eq!(end(&mut scene.phone).await, "answered_elsewhere");
    assert_eq!(end(&mut scene.caller).await, "declined");

    let call = scene.ring().await;
    about(&mut scene.phone, "ignore_call", &call)
        .await
        .expect("ignored");
    assert_eq!(end(&mut scene.phone).await, "ignored");
    about(&mut scene.caller, "cancel_call", &call)
        .await
        .expect("cancelled");
    assert_eq!(end(&mut scene.laptop).await, "cancelled");
    assert_eq!(end(&mut scene.caller).await, "cancelled");
    assert_eq!(scene.phone.home("missed_changed").await["missed"], 1);

    let call = scene.ring().await;
    let path = format!(
        "/api/v1/calls/{}/decline",
        call["id"].as_str().expect("an id")
    );
    let theirs = scene.anna.post(&path, json!({})).await;
    assert_eq!(theirs.status, StatusCode::NO_CONTENT, "which says nothing");
    scene.caller.settle().await;
    assert!(
        scene
            .caller
            .unseen
            .iter()
            .all(|message| message["change"]["type"] != "call_ended")
    );
    let declined = scene.bert.post(&path, json!({})).await;
    assert_eq!(declined.status, StatusCode::NO_CONTENT);
    assert_eq!(end(&mut scene.caller).await, "declined");

    for _ in 0..3 {
        scene.caller.home("history_changed").await;
    }
    assert_eq!(
        history(&scene.anna).await,
        [
            line("outgoing", Some("declined"), false),
            line("outgoing", Some("cancelled"), false),
            line("outgoing", Some("declined"), false),
        ]
    );
}

#[tokio::test]
async fn who_cannot_be_rung_misses_the_call_and_the_caller_hears_why() {
    let mut scene = Scene::new().await;
    let bert = id_of(&scene.bert).await;
    let carl = scene.house.member("carl").await;
    let carl = id_of(&carl).await;
    start(&mut scene.caller, &carl).await.expect("a call");
    assert_eq!(end(&mut scene.caller).await, "not_reachable");

    let status = |status: &str| json!({"type": "set_status", "status": status});
    scene
        .laptop
        .intend(status("do_not_disturb"))
        .await
        .expect("set");
    assert_eq!(
        scene.phone.home("status_changed").await["status"],
        "do_not_disturb"
    );
    start(&mut scene.caller, &bert).await.expect("a call");
    assert_eq!(end(&mut scene.caller).await, "do_not_disturb");
    scene.laptop.intend(status("available")).await.expect("set");

    scene.phone.enter("Garten", "p").await;
    let mut tries = 0;
    while start(&mut scene.caller, &bert).await.is_ok() {
        // The meeting's list reaches the house a moment after its people.
        let end = end(&mut scene.caller).await;
        tries += 1;
        if end == "busy" {
            break;
        }
        assert!(tries < 4, "{end}");
    }
    assert_eq!(scene.laptop.home("missed_changed").await["missed"], 1);
    assert_eq!(scene.laptop.home("missed_changed").await["missed"], 2);
    scene
        .laptop
        .intend(json!({"type": "see_missed"}))
        .await
        .expect("seen");
    let none = |message: &Value| message["change"]["missed"] == 0;
    scene.phone.wait(none).await;
}

#[tokio::test]
async fn whoever_cannot_be_called_gets_one_answer_that_says_nothing() {
    let mut scene = Scene::new().await;
    let (anna, house) = (&scene.anna, &scene.house);
    let mut ids = vec![
        ("oneself", id_of(anna).await),
        ("unknown", "nobody".to_owned()),
    ];
    let admin = "/api/v1/admin/people";
    for (what, username) in [
        ("deleted", "dora"),
        ("locked", "luis"),
        ("not to be seen", "uwe"),
    ] {
        house.add_user(username);
        let found = anna.get(&format!("{admin}?q={username}")).await.json();
        ids.push((
            what,
            found["people"][0]["id"].as_str().expect("an id").to_owned(),
        ));
    }
    let path = |index: usize| format!("{admin}/{}", ids[index].1);
    let deleted = answer(anna.request(Method::DELETE, &path(2))).await;
    assert!(deleted.status.is_success(), "{deleted:?}");
    let locked = anna.patch(&path(3), json!({"locked": true})).await;
    assert!(locked.status.is_success(), "{locked:?}");
    for group in ["Chor", "Rat"] {
        let made = anna
            .post("/api/v1/admin/groups", json!({"name": group}))
            .await;
        assert_eq!(made.status, StatusCode::OK, "{made:?}");
    }
    let bert = id_of(&scene.bert).await;
    let joined = anna
        .patch(&format!("{admin}/{bert}"), json!({"groups": ["Chor"]}))
        .await;
    assert!(joined.status.is_success(), "{joined:?}");
    let rules = json!({"visibility": [{"group": "Chor", "sees": ["Chor"]}]});
    let set = anna.patch("/api/v1/admin/settings", rules).await;
    assert_eq!(set.status, StatusCode::OK, "{set:?}");
    ids[0].1 = bert;
    let mut answers = Vec::new();
    for (what, id) in &ids {
        let call = json!({"type": "start_call", "id": "i", "person": id, "video": false});
        scene.laptop.send(call).await;
        let answer = scene.laptop.wait(|message| message["id"] == "i").await;
        assert_eq!(answer["code"], "cannot_be_called", "{what}: {answer}");
        answers.push(answer);
        let watch = json!({"type": "watch_people", "people": [id]});
        scene.laptop.send(watch).await;
        scene.laptop.settle().await;
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let heard = |message: &&Value| message["change"]["type"] == "availability_changed";
    let heard: Vec<_> = scene.laptop.unseen.iter().filter(heard).collect();
    let only_self = |message: &&&Value| message["change"]["people"][0]["person"] == ids[0].1;
    assert_eq!(
        heard.iter().filter(only_self).count(),
        heard.len(),
        "{heard:?}"
    );
    for (what, id) in &ids[1..] {
        let page = scene.bert.get(&format!("/api/v1/people/{id}")).await;
        page.is(404, "not_found");
        let favourite = scene
            .bert
            .request(Method::PUT, &format!("/api/v1/people/{id}/favourite"));
        let favourite = answer(favourite.json(&json!({}))).await;
        assert_eq!(favourite.status, StatusCode::NOT_FOUND, "{what}");
    }
}

#[tokio::test]
async fn nobody_else_answers_or_ends_a_call() {
    let mut scene = Scene::new().await;
    let carl = scene.house.member("carl").await;
    let mut stranger = device(&scene.house, &carl, "carls").await;
    let call = scene.ring().await;
    for what in ["accept_call", "decline_call", "cancel_call", "ignore_call"] {
        let answer = about(&mut stranger, what, &call).await;
        assert_eq!(answer, Err("call_over".to_owned()), "{what}");
    }
    for what in ["accept_call", "decline_call"] {
        let answer = about(&mut scene.caller, what, &call).await;
        assert_eq!(answer, Err("call_over".to_owned()), "{what} by the caller");
    }
    let cancel = about(&mut scene.laptop, "cancel_call", &call).await;
    assert_eq!(cancel, Err("call_over".to_owned()));
    let join = json!({"type": "join_call", "room": call["room"], "device": "d"});
    assert_eq!(stranger.intend(join).await, Err("not_found".to_owned()));
    about(&mut scene.phone, "decline_call", &call)
        .await
        .expect("it still rang");
    assert_eq!(end(&mut scene.caller).await, "declined");
    for (socket, what) in [
        (&mut scene.phone, "accept_call"),
        (&mut scene.caller, "cancel_call"),
    ] {
        let answer = about(socket, what, &call).await;
        assert_eq!(answer, Err("call_over".to_owned()), "{what} of an old call");
    }
}

#[tokio::test]
async fn two_who_call_each_other_talk() {
    let mut scene = Scene::new().await;
    let call = scene.ring().await;
    let anna = id_of(&scene.anna).await;
    assert_eq!(start(&mut scene.laptop, &anna).await, Err("ok".to_owned()));
    assert_eq!(end(&mut scene.laptop).await, "answered");
    assert_eq!(end(&mut scene.caller).await, "answered");
    enter_call(&mut scene.caller, &call, "d").await;
    let view = enter_call(&mut scene.laptop, &call, "l").await;
    assert_eq!(people(&view), ["Anna Ö.", "bert"]);
}

#[tokio::test]
async fn it_rings_on_after_a_reload_and_after_a_restart() {
    let mut scene = Scene::new().await;
    let call = scene.ring().await;
    enter_call(&mut scene.caller, &call, "d").await;
    drop(scene.phone);
    drop(scene.laptop);
    let mut laptop = Socket::device(&scene.bert, &scene.house.base, "laptop").await;
    let snapshot = laptop.wait_for("home_snapshot").await;
    assert_eq!(snapshot["home"]["calls"][0]["id"], call["id"]);

    assert!(scene.house.stop().success());
    scene.house.start();
    let elsewhere = |person: &Person| person.at(&scene.house.base);
    let (anna, bert) = (elsewhere(&scene.anna), elsewhere(&scene.bert));
    let mut caller = Socket::device(&anna, &scene.house.base, "annas").await;
    let snapshot = caller.wait_for("home_snapshot").await;
    assert_eq!(snapshot["home"]["calls"][0]["id"], call["id"]);
    let mut laptop = Socket::device(&bert, &scene.house.base, "laptop").await;
    let snapshot = laptop.wait_for("home_snapshot").await;
    assert_eq!(snapshot["home"]["calls"][0]["id"], call["id"]);
    enter_call(&mut caller, &call, "d").await;
    about(&mut laptop, "accept_call", &call)
        .await
        .expect("accepted");
    let view = enter_call(&mut laptop, &call, "l").await;
    assert_eq!(people(&view), ["Anna Ö.", "bert"]);
}

#[tokio::test]
async fn people_are_rung_into_a_meeting_and_come_in_without_knocking() {
    let mut scene = Scene::new().await;
    let bert = id_of(&scene.bert).await;
    let ring_in = json!({"type": "ring_in", "person": bert});
    let outside = scene.caller.intend(ring_in.clone()).await;
    assert_eq!(outside, Err("not_in_room".to_owned()));
    let room = json!({"name": "public/Garten"});
    scene.anna.post("/api/v1/rooms", room).await;
    behind_its_back(&scene.house, "UPDATE rooms SET knock = TRUE").await;
    scene.caller.enter("Garten", "d").await;
    let mut ring = ring_in;
    ring["id"] = json!("ring");
    scene.caller.send(ring).await;
    let answer = scene.caller.wait(|message| message["id"] == "ring").await;
    assert_eq!(answer["call"]["into"], "public/Garten", "{answer}");
    let call = scene.laptop.home("call_changed").await["call"].clone();
    assert_eq!(call["into"], "public/Garten");
    about(&mut scene.laptop, "accept_call", &call)
        .await
        .expect("accepted");
    let view = scene.laptop.enter("public/Garten", "l").await;
    assert_eq!(people(&view), ["Anna Ö.", "bert"]);
}

#[tokio::test]
async fn a_flood_of_calls_is_slowed_down() {
    let mut scene = Scene::new().await;
    let bert = id_of(&scene.bert).await;
    let mut answers = Vec::new();
    for _ in 0..12 {
        let answer = start(&mut scene.caller, &bert).await;
        if let Ok(call) = &answer {
            about(&mut scene.caller, "cancel_call", call)
                .await
                .expect("cancelled");
        }
        answers.push(answer.map(|_| ()));
    }
    assert!(answers[..5].iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(answers[11], Err("rate_limited".to_owned()), "{answers:?}");
    let unknown = start(&mut scene.caller, "nobody").await;
    assert_eq!(unknown, Err("rate_limited".to_owned()), "whoever it is");
}

#[tokio::test]
async fn guests_hear_nothing_of_people_and_calls() {
    let mut scene = Scene::new().await;
    scene.caller.enter("public/Garten", "d").await;
    let gil = scene.house.person();
    let grant = grant(&gil, "Garten", "Gil").await;
    let mut guest = Socket::greeted(&scene.house.base, &guest_ticket(&gil, &grant).await).await;
    guest.enter("Garten", "g").await;
    let bert = id_of(&scene.bert).await;
    let call = scene.ring_into(&bert).await;
    for message in [
        json!({"type": "start_call", "person": bert, "video": false}),
        json!({"type": "ring_in", "person": bert}),
        json!({"type": "accept_call", "call": call["id"]}),
        json!({"type": "decline_call", "call": call["id"]}),
        json!({"type": "cancel_call", "call": call["id"]}),
        json!({"type": "ignore_call", "call": call["id"]}),
        json!({"type": "see_missed"}),
        json!({"type": "set_status", "status": "away"}),
    ] {
        let refused = guest.intend(message.clone()).await;
        assert_eq!(refused, Err("forbidden".to_owned()), "{message}");
    }
    guest
        .send(json!({"type": "watch_people", "people": [bert]}))
        .await;
    guest
        .send(json!({"type": "set_active", "active": false}))
        .await;
    guest
        .send(json!({"type": "get_snapshot", "channel": "home"}))
        .await;
    guest.settle().await;
    let home = |message: &&Value| {
        message["type"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("home"))
    };
    assert_eq!(guest.unseen.iter().find(home), None);
    for path in ["/api/v1/history", "/api/v1/people/near"] {
        gil.get(path).await.is(401, "sign_in_required");
    }
    about(&mut scene.laptop, "decline_call", &call)
        .await
        .expect("it still rang");
}

#[tokio::test]
async fn whoever_was_rung_into_a_talk_in_vain_cannot_enter_it_later() {
    for house in [House::new(), House::on_postgres()] {
        let mut scene = Scene::of(house).await;
        let talk = scene.ring().await;
        enter_call(&mut scene.caller, &talk, "d").await;
        about(&mut scene.phone, "accept_call", &talk)
            .await
            .expect("accepted");
        enter_call(&mut scene.phone, &talk, "p").await;
        let carl = scene.house.member("carl").await;
        let mut late = device(&scene.house, &carl, "carls").await;
        let enter = json!({"type": "join_call", "room": talk["room"], "device": "c"});
        let carl = id_of(&carl).await;
        for (who, what) in [("caller", "cancel_call"), ("callee", "decline_call")] {
            let ring = json!({"type": "ring_in", "id": who, "person": carl});
            scene.caller.send(ring).await;
            let answer = scene.caller.wait(|message| message["id"] == who).await;
            let call = answer["call"].clone();
            assert_eq!(call["room"], talk["room"], "{answer}");
            late.home("call_changed").await;
            let by = match who {
                "caller" => &mut scene.caller,
                _ => &mut late,
            };
            about(by, what, &call).await.expect("over");
            late.home("call_ended").await;
            let refused = late.intend(enter.clone()).await;
            assert_eq!(refused, Err("not_found".to_owned()), "{what}");
        }
        let ring = json!({"type": "ring_in", "id": "again", "person": carl});
        scene.caller.send(ring).await;
        let call = late.home("call_changed").await["call"].clone();
        about(&mut late, "accept_call", &call)
            .await
            .expect("accepted");
        let view = enter_call(&mut late, &call, "c").await;
        assert_eq!(people(&view), ["Anna Ö.", "bert", "carl"]);
    }
}

impl Scene {
    async fn ring_into(&mut self, person: &str) -> Value {
        let ring = json!({"type": "ring_in", "id": "ring", "person": person});
        self.caller.send(ring).await;
        let answer = self.caller.wait(|message| message["id"] == "ring").await;
        self.laptop.home("call_changed").await;
        answer["call"].clone()
    }
}

/// What somebody watches says this of the person, within two seconds after `since`.
async fn seen_as(socket: &mut Socket, person: &str, availability: &str, since: Instant) {
    let is = |message: &Value| {
        let people = message["change"]["people"].as_array();
        people.is_some_and(|people| {
            let expected = json!({"person": person, "availability": availability});
            people.contains(&expected)
        })
    };
    socket.wait(is).await;
    assert!(since.elapsed() < Duration::from_secs(2), "{availability}");
}

#[tokio::test]
async fn who_is_there_is_seen_within_two_seconds() {
    let mut scene = Scene::new().await;
    let carl = scene.house.member("carl").await;
    let (bert, carls) = (id_of(&scene.bert).await, id_of(&carl).await);
    let now = Instant::now;
    let watch = json!({"type": "watch_people", "people": [bert, carls]});
    scene.caller.send(watch).await;
    let asked = now();
    seen_as(&mut scene.caller, &bert, "available", asked).await;
    let came = now();
    let mut carls_phone = device(&scene.house, &carl, "carls").await;
    seen_as(&mut scene.caller, &carls, "available", came).await;
    let away = now();
    carls_phone
        .send(json!({"type": "set_active", "active": false}))
        .await;
    seen_as(&mut scene.caller, &carls, "away", away).await;
    let back = now();
    carls_phone
        .send(json!({"type": "set_active", "active": true}))
        .await;
    seen_as(&mut scene.caller, &carls, "available", back).await;
    let set = now();
    let disturb = json!({"type": "set_status", "status": "do_not_disturb"});
    carls_phone.intend(disturb).await.expect("set");
    seen_as(&mut scene.caller, &carls, "do_not_disturb", set).await;
    let sat = now();
    carls_phone.enter("Garten", "c").await;
    seen_as(&mut scene.caller, &carls, "in_call", sat).await;
}

#[tokio::test]
async fn whoever_is_signed_out_locked_or_deleted_is_in_no_call() {
    let mut scene = Scene::new().await;
    let call = scene.ring().await;
    enter_call(&mut scene.caller, &call, "d").await;
    let out = answer(scene.anna.request(Method::DELETE, "/api/v1/session")).await;
    assert!(out.status.is_success(), "{out:?}");
    assert_eq!(end(&mut scene.laptop).await, "cancelled");

    let house = &scene.house;
    scene.anna.sign_in("anna", crate::support::PASSWORD).await;
    let bert = id_of(&scene.bert).await;
    let path = format!("/api/v1/admin/people/{bert}");
    let mut caller = device(house, &scene.anna, "annas").await;
    let call = start(&mut caller, &bert).await.expect("it rings");
    enter_call(&mut caller, &call, "d").await;
    let locked = scene.anna.patch(&path, json!({"locked": true})).await;
    assert!(locked.status.is_success(), "{locked:?}");
    assert_eq!(end(&mut caller).await, "not_reachable");
    assert_eq!(caller.wait_for("room_left").await["reason"], "call_ended");
}

#[tokio::test]
async fn a_call_that_cannot_be_stored_is_told_to_nobody_but_its_caller() {
    let mut scene = Scene::new().await;
    let bert = id_of(&scene.bert).await;
    behind_its_back(
        &scene.house,
        "CREATE TRIGGER broken BEFORE INSERT ON calls BEGIN SELECT RAISE(ABORT, 'broken'); END",
    )
    .await;
    assert_eq!(
        start(&mut scene.caller, &bert).await,
        Err("unavailable".to_owned())
    );
    scene.laptop.settle().await;
    let rings = |message: &&Value| message["change"]["type"] == "call_changed";
    assert_eq!(scene.laptop.unseen.iter().find(rings), None);
    behind_its_back(&scene.house, "DROP TRIGGER broken").await;
    scene.ring().await;
}
