//! Invite links of rooms, and what people without an account may do in an open house.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, House, Person, answer};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn both() -> [House; 2] {
    [House::new(), House::on_postgres()]
}

async fn create(person: &Person, name: &str) -> Answer {
    person.post("/api/v1/rooms", json!({"name": name})).await
}

async fn invite(person: &Person, room: &str, life_ms: u64) -> Answer {
    let body = json!({"room": room, "life_ms": life_ms});
    person.post("/api/v1/rooms/invites", body).await
}

async fn list(person: &Person, room: &str) -> Vec<Value> {
    let answer = person
        .get(&format!("/api/v1/rooms/invites?room={room}"))
        .await;
    answer.json()["invites"].as_array().expect("a list").clone()
}

async fn take_back(person: &Person, id: &str) -> Answer {
    let path = format!("/api/v1/rooms/invites/{id}");
    answer(person.request(Method::DELETE, &path).json(&json!({}))).await
}

async fn open(person: &Person, token: &str) -> Answer {
    person
        .post("/api/v1/invites/open", json!({"token": token}))
        .await
}

async fn enter(person: &Person, token: &str) -> Answer {
    let body = json!({"invite": token, "name": "Gast"});
    person.post("/api/v1/guests", body).await
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[tokio::test]
async fn an_invite_opens_the_door_of_a_closed_room_until_it_is_taken_back() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        create(&anna, "Küche").await;
        let made = invite(&anna, "küche", 7 * DAY_MS).await.json();
        let (token, id) = (text(&made["token"]), text(&made["invite"]["id"]));
        assert_eq!(token.len(), 43);
        let life = made["invite"]["expires_ms"]
            .as_u64()
            .zip(made["invite"]["created_ms"].as_u64());
        assert_eq!(life.map(|(ends, began)| ends - began), Some(7 * DAY_MS));
        assert_eq!(list(&anna, "K%C3%BCche").await, [made["invite"].clone()]);

        let guest = house.person();
        guest.door("Küche").await.is(403, "guests_not_allowed");
        let door = json!({"name": "Küche", "access": "accounts", "kind": "named", "knock": false, "exists": true, "owner": false, "member": false, "known": false});
        assert_eq!(open(&guest, token).await.json(), door);
        assert_eq!(open(&anna, token).await.json()["owner"], true, "as herself");
        let grant = enter(&guest, token).await.json();
        assert_eq!(
            (&grant["name"], &grant["expires_in_ms"]),
            (&json!("Gast"), &json!(43_200_000))
        );
        let ticket = async || {
            let request = guest.request(Method::POST, "/api/v1/tickets");
            answer(request.bearer_auth(text(&grant["grant"])).json(&json!({}))).await
        };
        assert_eq!(ticket().await.status, 200);

        assert_eq!(take_back(&anna, id).await.status, 204);
        let never = open(&guest, &"A".repeat(43)).await;
        never.is(410, "link_invalid");
        for invalid in [
            open(&guest, token).await,
            open(&anna, token).await,
            open(&guest, "no token").await,
            enter(&guest, token).await,
            enter(&guest, "").await,
        ] {
            assert_eq!((invalid.status, &invalid.text), (never.status, &never.text));
        }
        ticket().await.is(401, "sign_in_required");
        assert_eq!(list(&anna, "K%C3%BCche").await, Vec::<Value>::new());
        take_back(&anna, id).await.is(404, "not_found");
    }
}

#[tokio::test]
async fn an_invite_is_good_for_minutes_to_months_and_who_is_in_may_stay_the_evening() {
    let (house, anna) = House::new().with_anna().await;
    create(&anna, "Küche").await;
    for life_ms in [0, 299_999, 90 * DAY_MS + 1] {
        invite(&anna, "Küche", life_ms).await.is(400, "malformed");
    }
    let made = invite(&anna, "Küche", 300_000).await.json();
    let grant = enter(&house.person(), text(&made["token"])).await.json();
    assert_eq!(grant["expires_in_ms"], 12 * 60 * 60 * 1000);
    let made = invite(&anna, "Küche", 90 * DAY_MS).await;
    assert_eq!(made.status, 200);
}

#[tokio::test]
async fn who_may_invite_and_who_sees_and_takes_back_what() {
    let (house, anna) = House::new().with_anna().await;
    let bernd = house.member("bernd").await;
    create(&anna, "Küche").await;
    let guest = house.person();
    invite(&guest, "Küche", DAY_MS)
        .await
        .is(401, "sign_in_required");
    guest
        .get("/api/v1/rooms/invites?room=x")
        .await
        .is(401, "sign_in_required");
    take_back(&guest, "x").await.is(401, "sign_in_required");
    invite(&anna, "Bad", DAY_MS).await.is(404, "not_found");
    invite(&bernd, "Küche", DAY_MS).await.is(403, "forbidden");
    anna.get("/api/v1/rooms/invites").await.is(400, "malformed");
    assert_eq!(list(&anna, "Bad").await, Vec::<Value>::new());

    let mine = invite(&anna, "Küche", DAY_MS).await.json()["invite"].clone();
    assert_eq!(list(&bernd, "K%C3%BCche").await, Vec::<Value>::new());
    take_back(&bernd, text(&mine["id"]))
        .await
        .is(404, "not_found");
    assert_eq!(list(&anna, "K%C3%BCche").await, [mine]);
    for _ in 1..50 {
        assert_eq!(invite(&anna, "Küche", DAY_MS).await.status, 200);
    }
    invite(&anna, "Küche", DAY_MS).await.is(409, "too_many");
}

#[tokio::test]
async fn a_house_without_guests_has_no_invites() {
    let (mut house, anna) = House::new().with_anna().await;
    create(&anna, "Küche").await;
    let made = invite(&anna, "Küche", DAY_MS).await.json();
    let token = text(&made["token"]);
    assert_eq!(open(&house.person(), token).await.status, 200);
    house.set("POLICY__GUESTS", "false");
    house.set("POLICY__OPEN_HOUSE", "true");
    house.stop();
    house.start();
    let anna = house.person();
    anna.sign_in("anna", crate::support::PASSWORD).await;
    let guest = house.person();
    open(&guest, token).await.is(410, "link_invalid");
    enter(&guest, token).await.is(410, "link_invalid");
    invite(&anna, "Küche", DAY_MS).await.is(403, "forbidden");
    // And it is no open house either.
    assert_eq!(guest.me().await["open_house"], false);
    create(&guest, "Neu").await.is(401, "sign_in_required");
    guest.door("Neu").await.is(403, "guests_not_allowed");
}

#[tokio::test]
async fn in_an_open_house_everybody_makes_rooms_and_nothing_else_opens() {
    for mut house in both() {
        house.set("POLICY__OPEN_HOUSE", "true");
        let (house, anna) = house.with_anna().await;
        let (guest, other) = (house.person(), house.person());
        assert_eq!(guest.me().await["open_house"], true);
        let door = |exists: bool| json!({"name": "Garten", "access": "guests", "kind": "named", "knock": false, "exists": exists, "owner": false, "member": false, "known": false});
        assert_eq!(guest.door("Garten").await.json(), door(false));
        assert_eq!(create(&guest, "Garten").await.json(), door(true));
        assert_eq!(other.door("public/garten").await.json(), door(true));
        // Entering makes it, too.
        let entry = json!({"room": "Hof", "name": "Gast"});
        assert_eq!(other.post("/api/v1/guests", entry).await.status, 200);
        assert_eq!(guest.door("Hof").await.json()["exists"], true);
        let seen = anna.door("Garten").await.json();
        assert_eq!(
            (&seen["owner"], &seen["access"]),
            (&json!(false), &json!("guests"))
        );

        // A room of the house that is closed stays so.
        create(&anna, "Küche").await;
        guest.door("Küche").await.is(403, "guests_not_allowed");
        create(&guest, "Küche").await.is(403, "guests_not_allowed");
        let entry = json!({"room": "Küche", "name": "Gast"});
        guest
            .post("/api/v1/guests", entry)
            .await
            .is(403, "guests_not_allowed");
        // Nobody owns the new one, so nobody changes it.
        let change = json!({"name": "Garten", "access": "accounts", "new_name": "Park"});
        guest
            .patch("/api/v1/rooms", change.clone())
            .await
            .is(401, "sign_in_required");
        anna.patch("/api/v1/rooms", change)
            .await
            .is(403, "not_owner");
        invite(&guest, "Garten", DAY_MS)
            .await
            .is(401, "sign_in_required");
        for path in [
            "/api/v1/people?q=ann",
            "/api/v1/account",
            "/api/v1/admin/people",
        ] {
            let refused = guest.get(path).await.status.as_u16();
            assert!(matches!(refused, 401 | 404), "{path}: {refused}");
        }
    }
}

#[tokio::test]
async fn making_rooms_without_end_is_told_to_come_later() {
    let mut house = House::new();
    house.set("POLICY__OPEN_HOUSE", "true");
    let (house, anna) = house.with_anna().await;
    let guest = house.person();
    for number in 0..20 {
        assert_eq!(create(&guest, &format!("r{number}")).await.status, 200);
    }
    create(&guest, "r20").await.is(429, "rate_limited");
    let entry = json!({"room": "r20", "name": "Gast"});
    guest
        .post("/api/v1/guests", entry)
        .await
        .is(429, "rate_limited");
    let entry = json!({"room": "r19", "name": "Gast"});
    assert_eq!(guest.post("/api/v1/guests", entry).await.status, 200);
    assert_eq!(create(&guest, "r7").await.status, 200, "it is there");
    assert_eq!(
        create(&anna, "r20").await.status,
        200,
        "people of the house make rooms"
    );
}

#[tokio::test]
async fn somebody_who_owns_two_hundred_rooms_makes_no_more() {
    let (house, anna) = House::new().with_anna().await;
    let bernd = house.member("bernd").await;
    for number in 0..200 {
        assert_eq!(create(&bernd, &format!("b{number}")).await.status, 200);
    }
    create(&bernd, "b200").await.is(409, "too_many");
    assert_eq!(bernd.door("b200").await.json()["exists"], false);
    assert_eq!(create(&anna, "b200").await.status, 200);
    assert_eq!(create(&bernd, "b200").await.json()["owner"], false);
    assert_eq!(create(&bernd, "b0").await.json()["owner"], true);
}
