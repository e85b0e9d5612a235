//! The home page, live.

use serde_json::{Value, json};

use crate::client::{Socket, ticket};
use crate::support::House;

async fn next_room(socket: &mut Socket) -> Value {
    socket.home("room_changed").await["room"].clone()
}

#[tokio::test]
async fn own_and_visited_rooms_are_shown_with_the_people_inside() {
    let (house, anna) = House::new().with_anna().await;
    let bert = house.member("bert").await;
    anna.post("/api/v1/rooms", json!({"name": "public/Garten"}))
        .await;
    let mut page = Socket::greeted(&house.base, &ticket(&anna).await).await;
    let snapshot = page.wait_for("home_snapshot").await;
    let rooms = snapshot["home"]["rooms"].as_array().expect("a list");
    let [room] = &rooms[..] else {
        panic!("{rooms:?}")
    };
    assert_eq!(
        (&room["name"], &room["people"], &room["owner"]),
        (&json!("Garten"), &json!(0), &json!(true))
    );
    assert!(room.get("visited_at").is_none());

    let mut visitor = Socket::of(&bert, &house.base).await;
    let empty = visitor.wait_for("home_snapshot").await;
    assert_eq!(empty["home"]["rooms"], json!([]));
    let known = async || bert.door("Garten").await.json()["known"].clone();
    assert_eq!(known().await, false, "somebody's link to a strange room");
    visitor.enter("Garten", "b").await;
    assert_eq!(known().await, true);
    assert_eq!(next_room(&mut page).await["people"], 1);
    let visited = next_room(&mut visitor).await;
    assert_eq!(
        (&visited["name"], &visited["owner"]),
        (&json!("Garten"), &json!(false))
    );
    assert!(visited["visited_at"].is_u64());

    anna.patch(
        "/api/v1/rooms",
        json!({"name": "Garten", "new_name": "Park"}),
    )
    .await;
    assert_eq!(next_room(&mut page).await["name"], "Park");
    visitor
        .intend(json!({"type": "leave_room"}))
        .await
        .expect("left");
    assert_eq!(next_room(&mut page).await["people"], 0);

    page.send(json!({"type": "get_snapshot", "channel": "home"}))
        .await;
    let again = page.wait_for("home_snapshot").await;
    assert_eq!(again["home"]["rooms"][0]["name"], "Park");
    assert_eq!(again["epoch"], snapshot["epoch"]);
    assert_eq!(again["seq"], 3);
}
