//! Knocking over real sockets, and rooms that end while people are inside.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Socket, grant, guest_ticket, ticket};
use crate::support::{House, Person, answer};

/// Anna's room, open to guests, where others knock.
async fn office(house: House) -> (House, Person) {
    let (house, anna) = house.with_anna().await;
    anna.post("/api/v1/rooms", json!({"name": "public/Büro"}))
        .await
        .json();
    let knock = json!({"name": "Büro", "knock": true});
    anna.patch("/api/v1/rooms", knock).await.json();
    (house, anna)
}

async fn guest(house: &House, name: &str) -> Socket {
    let grant = grant(&house.person(), "Büro", name).await;
    let ticket = guest_ticket(&house.person(), &grant).await;
    Socket::greeted(&house.base, &ticket).await
}

async fn knock(socket: &mut Socket, device: &str) -> Value {
    let join = json!({"type": "join_room", "room": "Büro", "device": device});
    socket.intend(join).await.expect("a place at the door");
    socket.wait_for("waiting").await["reason"].clone()
}

/// Who knocks, as the next change of that list says.
async fn knocking(inside: &mut Socket) -> Vec<Value> {
    let change = inside
        .wait(|message| message["change"]["type"] == "knocking_changed")
        .await;
    change["change"]["knocking"]
        .as_array()
        .expect("a list")
        .clone()
}

async fn admit(inside: &mut Socket, knocking: &Value, admit: bool) -> Result<(), String> {
    let intent = json!({"type": "admit", "knocking": knocking["id"], "admit": admit});
    inside.intend(intent).await
}

#[tokio::test]
async fn whoever_knocks_is_let_in_or_not_by_somebody_inside() {
    let (house, anna) = office(House::new()).await;
    let bert = house.member("bert").await;
    let mut berts = Socket::of(&bert, &house.base).await;
    assert_eq!(knock(&mut berts, "b").await, "nobody_in");
    let mut annas = Socket::of(&anna, &house.base).await;
    let inside = annas.enter("Büro", "a").await;
    assert_eq!(inside["knocking"][0]["name"], "bert");
    assert_eq!(berts.wait_for("waiting").await["reason"], "knocking");
    assert_eq!(
        bert.door("Büro").await.json()["known"],
        false,
        "not inside yet"
    );

    let mut gil = guest(&house, "Gil").await;
    assert_eq!(knock(&mut gil, "g").await, "knocking");
    let list = knocking(&mut annas).await;
    assert_eq!(
        (&list[1]["name"], &list[1]["guest"]),
        (&json!("Gil"), &json!(true))
    );
    let own = json!({"type": "admit", "knocking": list[0]["id"], "admit": true});
    assert_eq!(berts.intend(own).await, Err("not_admitted".to_owned()));

    admit(&mut annas, &list[0], true).await.expect("let in");
    let seen = berts.wait_for("room_snapshot").await;
    assert_eq!(
        seen["room"]["knocking"][0]["name"], "Gil",
        "accounts see who knocks"
    );
    assert_eq!(
        admit(&mut annas, &list[0], true).await,
        Err("not_found".to_owned())
    );
    admit(&mut berts, &list[1], false)
        .await
        .expect("not let in");
    assert_eq!(gil.wait_for("room_left").await["reason"], "not_admitted");
    let again = json!({"type": "join_room", "room": "Büro", "device": "g"});
    assert_eq!(gil.intend(again).await, Err("rate_limited".to_owned()));
    for _ in 0..100 {
        if bert.door("Büro").await.json()["known"] == true {
            return;
        }
    }
    panic!("bert was inside");
}

#[tokio::test]
async fn guests_inside_neither_see_nor_answer_who_knocks() {
    let (house, anna) = office(House::new()).await;
    let mut annas = Socket::of(&anna, &house.base).await;
    annas.enter("Büro", "a").await;
    let mut gil = guest(&house, "Gil").await;
    knock(&mut gil, "g").await;
    let list = knocking(&mut annas).await;
    admit(&mut annas, &list[0], true).await.expect("let in");
    gil.wait_for("room_snapshot").await;
    knocking(&mut annas).await;
    let mut gert = guest(&house, "Gert").await;
    knock(&mut gert, "g").await;
    let list = knocking(&mut annas).await;
    assert_eq!(
        admit(&mut gil, &list[0], true).await,
        Err("forbidden".to_owned())
    );
    gil.send(json!({"type": "get_snapshot", "channel": "room"}))
        .await;
    let view = gil.wait_for("room_snapshot").await;
    assert_eq!(view["room"]["knocking"], json!([]));
    assert_eq!(view["room"]["knock"], true);
}

#[tokio::test]
async fn a_reload_keeps_the_place_and_a_new_member_walks_in() {
    let (house, anna) = office(House::new()).await;
    let bert = house.member("bert").await;
    let mut annas = Socket::of(&anna, &house.base).await;
    annas.enter("Büro", "a").await;
    let mut berts = Socket::of(&bert, &house.base).await;
    knock(&mut berts, "b").await;
    let first = knocking(&mut annas).await;
    let mut gil = guest(&house, "Gil").await;
    knock(&mut gil, "g").await;
    drop(berts);
    let mut berts = Socket::of(&bert, &house.base).await;
    knock(&mut berts, "b").await;
    annas
        .send(json!({"type": "get_snapshot", "channel": "room"}))
        .await;
    let view = annas.wait_for("room_snapshot").await;
    let list = view["room"]["knocking"].as_array().expect("a list");
    assert_eq!((list.len(), &list[0]), (2, &first[0]), "still the first");

    let me = bert.get("/api/v1/me").await.json();
    let body = json!({"room": "Büro", "person": me["user"]["id"]});
    let added = answer(
        anna.request(Method::PUT, "/api/v1/rooms/members")
            .json(&body),
    )
    .await;
    assert!(added.status.is_success(), "{added:?}");
    berts.wait_for("room_snapshot").await;
}

#[tokio::test]
async fn whoever_is_inside_or_at_the_door_is_told_that_the_room_is_deleted() {
    let (house, anna) = office(House::new()).await;
    let bert = house.member("bert").await;
    let mut annas = Socket::greeted(&house.base, &ticket(&anna).await).await;
    annas.enter("Büro", "a").await;
    let mut berts = Socket::of(&bert, &house.base).await;
    knock(&mut berts, "b").await;
    let mut gil = guest(&house, "Gil").await;
    knock(&mut gil, "g").await;
    let list = {
        knocking(&mut annas).await;
        knocking(&mut annas).await
    };
    admit(&mut annas, &list[1], true).await.expect("let in");
    gil.wait_for("room_snapshot").await;
    let path = "/api/v1/rooms?room=B%C3%BCro";
    let deleted = answer(anna.request(Method::DELETE, path).json(&json!({}))).await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    for socket in [&mut annas, &mut berts, &mut gil] {
        assert_eq!(socket.wait_for("room_left").await["reason"], "room_deleted");
    }
    let removed = annas
        .wait(|message| message["change"]["type"] == "room_removed")
        .await;
    assert_eq!(removed["type"], "home_delta");
}
