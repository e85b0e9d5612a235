//! Coming back: after a lost socket, on another socket, and after the server was killed or stopped.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::client::{Socket, grant, guest_ticket, people};
use crate::support::House;

#[tokio::test]
async fn a_lost_socket_keeps_its_seat_and_a_second_one_takes_it_over() {
    let (house, anna) = House::new().with_anna().await;
    let bert = house.member("bert").await;
    let mut watcher = Socket::of(&anna, &house.base).await;
    watcher.enter("Garten", "a").await;
    let mut first = Socket::of(&bert, &house.base).await;
    let you = first.enter("Garten", "b").await["you"].clone();
    drop(first);
    let gone = watcher.change("participant_changed").await;
    assert_eq!(
        (&gone["participant"]["id"], &gone["participant"]["presence"]),
        (&you, &json!("reconnecting"))
    );

    let mut second = Socket::of(&bert, &house.base).await;
    let view = second.enter("Garten", "b").await;
    assert_eq!(view["you"], you);
    assert_eq!(people(&view), ["Anna Ö.", "bert"]);
    assert_eq!(
        watcher.change("participant_changed").await["participant"]["presence"],
        "connected"
    );

    let mut third = Socket::of(&bert, &house.base).await;
    assert_eq!(third.enter("Garten", "b").await["you"], you);
    assert_eq!(second.wait_for("room_left").await["reason"], "replaced");
    second.enter("Hof", "b").await;
    let mut other = Socket::of(&bert, &house.base).await;
    assert_ne!(other.enter("Garten", "another device").await["you"], you);
}

#[tokio::test]
async fn whoever_pings_and_falls_silent_is_known_to_be_away_within_seconds() {
    let (house, anna) = House::new().with_anna().await;
    let bert = house.member("bert").await;
    let mut watcher = Socket::of(&anna, &house.base).await;
    watcher.enter("Garten", "a").await;
    let mut silent = Socket::of(&bert, &house.base).await;
    let you = silent.enter("Garten", "b").await["you"].clone();
    silent.send(json!({"type": "ping", "id": "1"})).await;
    silent.wait_for("pong").await;
    // Nobody reads it any more, so nothing is answered.
    let since = std::time::Instant::now();
    let gone = watcher.change("participant_changed").await;
    assert_eq!(
        (&gone["participant"]["id"], &gone["participant"]["presence"]),
        (&you, &json!("reconnecting"))
    );
    let took = since.elapsed().as_millis();
    assert!((7_000..25_000).contains(&took), "{took} ms");
}

#[tokio::test]
async fn a_page_that_says_goodbye_keeps_its_seat_for_a_reload_only() {
    let (house, anna) = House::new().with_anna().await;
    let bert = house.member("bert").await;
    let mut watcher = Socket::of(&anna, &house.base).await;
    watcher.enter("Garten", "a").await;
    let mut page = Socket::of(&bert, &house.base).await;
    let you = page.enter("Garten", "b").await["you"].clone();
    page.close(CloseCode::Away).await;
    watcher.change("participant_changed").await;
    let mut reloaded = Socket::of(&bert, &house.base).await;
    assert_eq!(reloaded.enter("Garten", "b").await["you"], you);
    watcher.change("participant_changed").await;

    let closed = std::time::Instant::now();
    reloaded.close(CloseCode::Away).await;
    assert_eq!(watcher.change("participant_left").await["participant"], you);
    let kept = closed.elapsed().as_millis();
    assert!((14_000..30_000).contains(&kept), "{kept} ms");
}

#[tokio::test]
async fn while_meetings_may_end_by_themselves_nothing_new_begins() {
    let mut house = House::new();
    house.set("DRAIN_SECONDS", "600");
    let (mut house, anna) = house.with_anna().await;
    let bert = house.member("bert").await;
    let mut inside = Socket::of(&anna, &house.base).await;
    inside.enter("Garten", "a").await;
    let mut outside = Socket::of(&bert, &house.base).await;
    house.ask_to_stop();
    while anna.get("/readyz").await.status != 503 {
        tokio::task::yield_now().await;
    }
    outside
        .send(json!({"type": "join_room", "id": "1", "room": "Hof", "device": "b"}))
        .await;
    assert_eq!(outside.wait_for("error").await["code"], "restarting");
    outside.enter("Garten", "b").await;
    let mut again = Socket::of(&anna, &house.base).await;
    again.enter("Garten", "a").await;

    again.send(json!({"type": "leave_room", "id": "2"})).await;
    outside.send(json!({"type": "leave_room", "id": "2"})).await;
    assert_eq!(outside.closed().await.1, 1012);
    let ended = tokio::task::spawn_blocking(move || house.end());
    assert!(ended.await.expect("no panic").success());
}

#[tokio::test]
async fn meetings_do_not_keep_a_server_longer_than_it_may_wait() {
    let mut house = House::new();
    house.set("DRAIN_SECONDS", "1");
    let (mut house, anna) = house.with_anna().await;
    let mut inside = Socket::of(&anna, &house.base).await;
    inside.enter("Garten", "a").await;
    house.ask_to_stop();
    assert_eq!(inside.closed().await.1, 1012);
    let ended = tokio::task::spawn_blocking(move || house.end());
    assert!(ended.await.expect("no panic").success());
}

#[tokio::test]
async fn whoever_asks_twice_to_stop_does_not_wait() {
    let mut house = House::new();
    house.set("DRAIN_SECONDS", "600");
    let (mut house, anna) = house.with_anna().await;
    let mut inside = Socket::of(&anna, &house.base).await;
    inside.enter("Garten", "a").await;
    house.ask_to_stop();
    while anna.get("/readyz").await.status != 503 {
        tokio::task::yield_now().await;
    }
    house.ask_to_stop();
    let ended = tokio::task::spawn_blocking(move || house.end());
    assert_eq!(ended.await.expect("no panic").code(), Some(1));
}

#[tokio::test]
async fn everybody_gets_their_seat_back_after_kill_9() {
    comes_back(House::new(), |house| house.kill()).await;
}

#[tokio::test]
async fn everybody_gets_their_seat_back_after_kill_9_on_postgresql() {
    comes_back(House::on_postgres(), |house| house.kill()).await;
}

#[tokio::test]
async fn everybody_gets_their_seat_back_after_a_stop() {
    comes_back(House::new(), |house| assert!(house.stop().success())).await;
}

async fn comes_back(house: House, end: impl FnOnce(&mut House)) {
    let (mut house, person) = house.with_anna().await;
    person
        .post("/api/v1/rooms", json!({"name": "public/Garten"}))
        .await;
    let grant = grant(&house.person(), "Garten", "Gil").await;
    let mut anna = Socket::of(&person, &house.base).await;
    let mut gil = Socket::greeted(&house.base, &guest_ticket(&house.person(), &grant).await).await;
    let before = [
        anna.enter("Garten", "a").await,
        gil.enter("Garten", "g").await,
    ];
    let _visitor = write_something_later(&person, &house).await;

    // The same port again, so that cookies and origins stay right.
    let port = house.base.rsplit(':').next().expect("a port").to_owned();
    house.set("LISTEN", &format!("127.0.0.1:{port}"));
    end(&mut house);
    house.start();

    let mut gil = Socket::greeted(&house.base, &guest_ticket(&house.person(), &grant).await).await;
    let guest_view = gil.enter("Garten", "g").await;
    assert_eq!(
        people(&guest_view)[..2],
        ["Anna Ö.~", "Gil"],
        "a guest who is first back waits for nobody"
    );
    let mut anna = Socket::of(&person, &house.base).await;
    let view = anna.enter("Garten", "a").await;
    assert_eq!(people(&view)[..2], ["Anna Ö.", "Gil"]);
    assert_eq!(
        [&view["you"], &guest_view["you"]],
        before.each_ref().map(|view| &view["you"])
    );
    assert_eq!(
        joined(&view)[..2],
        joined(&before[1]),
        "in the same order, since the same time"
    );
}

fn joined(view: &Value) -> Vec<(Value, Value)> {
    let participants = view["participants"].as_array().expect("a list").iter();
    participants
        .map(|participant| (participant["id"].clone(), participant["joined_at"].clone()))
        .collect()
}

/// Seats are written behind the answers, in their order: by the time all of this was answered, earlier ones are stored.
/// Whether that of this visitor is does not matter.
async fn write_something_later(person: &crate::support::Person, house: &House) -> Socket {
    let mut visitor = Socket::of(person, &house.base).await;
    visitor.enter("Garten", "visitor").await;
    person
        .post("/api/v1/rooms", json!({"name": "Keller"}))
        .await;
    person.post("/api/v1/rooms", json!({"name": "Boden"})).await;
    visitor
}

#[tokio::test]
async fn a_stop_says_so_on_every_socket() {
    let (mut house, person) = House::new().with_anna().await;
    let mut inside = Socket::of(&person, &house.base).await;
    inside.enter("Garten", "a").await;
    let mut outside = Socket::of(&person, &house.base).await;
    let stopped = tokio::task::spawn_blocking(move || {
        let status = house.stop();
        (house, status)
    });
    assert_eq!(inside.closed().await.1, 1012);
    assert_eq!(outside.closed().await.1, 1012);
    assert!(stopped.await.expect("no panic").1.success());
}
