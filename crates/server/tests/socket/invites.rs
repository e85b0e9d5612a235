//! Guests who came by an invite, and rooms of an open house, as meetings.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::client::{Socket, grant, guest_ticket, people};
use crate::support::{House, Person, answer};

async fn invite(person: &Person, room: &str) -> (String, String) {
    let body = json!({"room": room, "life_ms": 3_600_000});
    let made = person.post("/api/v1/rooms/invites", body).await.json();
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    (text(&made["token"]), text(&made["invite"]["id"]))
}

async fn invited(house: &House, token: &str, name: &str) -> Socket {
    let person = house.person();
    let body = json!({"invite": token, "name": name});
    let grant = person.post("/api/v1/guests", body).await.json();
    let grant = grant["grant"].as_str().expect("a grant").to_owned();
    Socket::greeted(&house.base, &guest_ticket(&person, &grant).await).await
}

#[tokio::test]
async fn an_invited_guest_waits_enters_and_is_out_when_the_invite_is_taken_back() {
    for house in [House::new(), House::on_postgres()] {
        let (house, person) = house.with_anna().await;
        person.post("/api/v1/rooms", json!({"name": "Küche"})).await;
        let (token, id) = invite(&person, "Küche").await;
        let (other_token, _) = invite(&person, "Küche").await;
        let mut gil = invited(&house, &token, "Gil").await;
        assert_eq!(gil.join("Küche", "g").await, Ok(()));
        gil.wait_for("waiting").await;

        let mut anna = Socket::of(&person, &house.base).await;
        anna.enter("Küche", "a").await;
        let view = gil.view().await;
        assert_eq!(people(&view), ["Anna Ö.", "Gil"]);
        let guests = view["participants"].as_array().expect("a list").iter();
        let guests: Vec<_> = guests.map(|one| one["guest"].as_bool()).collect();
        assert_eq!(
            guests,
            [Some(false), Some(true)],
            "the server says who is a guest"
        );
        assert_eq!(view["access"], "accounts");
        let mut gert = invited(&house, &other_token, "Gert").await;
        gert.enter("Küche", "g").await;

        let path = format!("/api/v1/rooms/invites/{id}");
        let began = Instant::now();
        answer(person.request(Method::DELETE, &path).json(&json!({}))).await;
        let (seen, code) = gil.closed().await;
        assert!(began.elapsed() < Duration::from_secs(2));
        assert_eq!(code, 1008, "{seen:?}");
        let last = seen.last().expect("a last word");
        assert_eq!(
            last,
            &json!({"type": "room_left", "reason": "session_ended"})
        );
        anna.change("participant_left").await;
        // The other invite's guest stays.
        gert.settle().await;
        anna.send(json!({"type": "get_snapshot", "channel": "room"}))
            .await;
        assert_eq!(people(&anna.view().await), ["Anna Ö.", "Gert"]);
    }
}

#[tokio::test]
async fn an_invite_leads_into_its_room_only() {
    let (house, person) = House::new().with_anna().await;
    for room in ["Küche", "Bad", "public/Garten"] {
        person.post("/api/v1/rooms", json!({"name": room})).await;
    }
    let (token, _) = invite(&person, "Küche").await;
    let mut gil = invited(&house, &token, "Gil").await;
    for room in ["Bad", "Garten", "Neu"] {
        let refused = gil.join(room, "g").await;
        assert_eq!(refused, Err("guests_not_allowed".to_owned()), "{room}");
    }
    let mut anna = Socket::of(&person, &house.base).await;
    anna.enter("Küche", "a").await;
    gil.enter("Küche", "g").await;
}

#[tokio::test]
async fn in_an_open_house_people_meet_without_anybody_of_the_house() {
    let mut house = House::new();
    house.set("POLICY__OPEN_HOUSE", "true");
    let (house, _) = house.with_anna().await;
    let enter = async |name: &str| {
        let person = house.person();
        let grant = grant(&person, "Garten", name).await;
        let mut socket = Socket::greeted(&house.base, &guest_ticket(&person, &grant).await).await;
        let view = socket.enter("Garten", "g").await;
        (socket, view)
    };
    let (_gil, view) = enter("Gil").await;
    assert_eq!(
        (people(&view), &view["owner"]),
        (vec!["Gil".to_owned()], &json!(false))
    );
    let (_gert, view) = enter("Gert").await;
    assert_eq!(people(&view), ["Gil", "Gert"]);
}
