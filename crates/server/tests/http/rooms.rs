//! Doors, rooms, guests and tickets.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, House, Person, answer};

fn both() -> [House; 2] {
    [House::new(), House::on_postgres()]
}

async fn create(person: &Person, name: &str) -> Answer {
    person.post("/api/v1/rooms", json!({"name": name})).await
}

async fn enter_as_guest(person: &Person, room: &str, name: &str) -> Answer {
    person
        .post("/api/v1/guests", json!({"room": room, "name": name}))
        .await
}

async fn ticket_for(person: &Person, grant: &str) -> Answer {
    answer(
        person
            .request(Method::POST, "/api/v1/tickets")
            .bearer_auth(grant)
            .json(&json!({})),
    )
    .await
}

#[tokio::test]
async fn whoever_makes_a_room_owns_it_and_only_they_change_it() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        let bernd = house.member("bernd").await;
        let before = anna.door("Küche").await.json();
        assert_eq!(
            before,
            json!({"name": "Küche", "access": "accounts", "kind": "named", "knock": false, "exists": false, "owner": true, "member": false, "known": false, "people": 0})
        );
        let made = json!({"name": "Küche", "access": "accounts", "kind": "named", "knock": false, "exists": true, "owner": true, "member": false, "known": true, "people": 0});
        assert_eq!(create(&anna, "Küche").await.json(), made);
        assert_eq!(
            create(&anna, "küche").await.json(),
            made,
            "it is the same room"
        );
        assert_eq!(bernd.door("KÜCHE").await.json()["owner"], false);
        assert_eq!(
            create(&bernd, "public/Küche").await.json()["access"],
            "accounts",
            "entering opens nothing"
        );
        let open = json!({"name": "Küche", "access": "guests"});
        bernd
            .patch("/api/v1/rooms", open.clone())
            .await
            .is(403, "not_owner");
        assert_eq!(
            anna.patch("/api/v1/rooms", open).await.json()["access"],
            "guests"
        );
        anna.patch("/api/v1/rooms", json!({"name": "Bad", "access": "guests"}))
            .await
            .is(404, "not_found");

        create(&bernd, "Bad").await;
        let rename = json!({"name": "Küche", "new_name": "BAD"});
        anna.patch("/api/v1/rooms", rename)
            .await
            .is(409, "name_taken");
        let rename = json!({"name": "Küche", "new_name": "Wohnküche"});
        assert_eq!(
            anna.patch("/api/v1/rooms", rename).await.json()["name"],
            "Wohnküche"
        );
        assert_eq!(
            bernd.door("Küche").await.json()["exists"],
            false,
            "the old address leads nowhere"
        );
        assert_eq!(bernd.door("wohnküche").await.json()["access"], "guests");
    }
}

#[tokio::test]
async fn names_survive_as_they_are_written() {
    let (house, anna) = House::new().with_anna().await;
    let guest = house.person();
    for name in [
        "mit Leerzeichen",
        "Haus/Keller/Süd",
        "/vorn und hinten/",
        "a//b",
        "Grüße & Öl",
        "Was? #1 100% +a=b;c",
        "%2F%20",
        "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️",
        "../oben",
        "\"<script>\"",
        "日本語",
    ] {
        assert_eq!(
            create(&anna, &format!("public/{name}")).await.json()["name"],
            name
        );
        assert_eq!(guest.door(name).await.json()["name"], name);
        assert_eq!(
            guest.door(&format!("public/{name}")).await.json()["name"],
            name
        );
    }
    for name in [
        "",
        " ",
        ".",
        "..",
        "public/",
        "a\u{200b}b",
        "\u{202e}a",
        &"x".repeat(129),
    ] {
        create(&anna, name).await.is(400, "name_invalid");
        guest.door(name).await.is(400, "name_invalid");
    }
    create(&anna, "a\u{0}b").await.is(400, "name_invalid");
    guest.door("a\u{0}b").await.is(400, "malformed");
    guest.get("/api/v1/door").await.is(400, "malformed");
    guest
        .get("/api/v1/door?room=%ff")
        .await
        .is(403, "guests_not_allowed");
}

#[tokio::test]
async fn a_guest_cannot_tell_a_closed_room_from_none() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        create(&anna, "Küche").await;
        let guest = house.person();
        let closed = [
            guest.door("Küche").await,
            enter_as_guest(&guest, "Küche", "Gast").await,
        ];
        let none = [
            guest.door("Keller").await,
            enter_as_guest(&guest, "Keller", "Gast").await,
        ];
        for (closed, none) in closed.into_iter().zip(none) {
            closed.is(403, "guests_not_allowed");
            assert_eq!((closed.status, closed.text), (none.status, none.text));
            assert_eq!(closed.headers.len(), none.headers.len());
        }
        create(&guest, "Dachboden")
            .await
            .is(401, "sign_in_required");
        guest
            .patch(
                "/api/v1/rooms",
                json!({"name": "Küche", "access": "guests"}),
            )
            .await
            .is(401, "sign_in_required");
    }
}

#[tokio::test]
async fn a_guest_of_an_open_room_gets_a_grant_and_with_it_a_ticket() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        create(&anna, "public/Küche").await;
        let guest = house.person();
        let door = guest.door("public/küche").await.json();
        assert_eq!(
            door,
            json!({"name": "Küche", "access": "guests", "kind": "named", "knock": false, "exists": true, "owner": false, "member": false, "known": false})
        );
        let entry = enter_as_guest(&guest, "Küche", "  Gast   🧑‍🚀 ").await.json();
        assert_eq!(
            (&entry["name"], &entry["expires_in_ms"]),
            (&json!("Gast 🧑‍🚀"), &json!(43_200_000))
        );
        let grant = entry["grant"].as_str().expect("a grant");
        assert_eq!(
            ticket_for(&guest, grant).await.json()["ticket"]
                .as_str()
                .map(str::len),
            Some(43)
        );
        ticket_for(&guest, &"A".repeat(43))
            .await
            .is(401, "sign_in_required");
        ticket_for(&guest, "").await.is(401, "sign_in_required");
        ticket_for(&anna, &"A".repeat(43))
            .await
            .is(401, "sign_in_required");
        guest
            .post("/api/v1/tickets", json!({}))
            .await
            .is(401, "sign_in_required");
        assert_eq!(anna.post("/api/v1/tickets", json!({})).await.status, 200);
        enter_as_guest(&guest, "Küche", "\u{202e}")
            .await
            .is(400, "name_invalid");

        // A grant is no account.
        let request = guest.request(Method::GET, "/api/v1/me").bearer_auth(grant);
        assert_eq!(answer(request).await.json()["user"], json!(null));
        let request = guest
            .request(Method::POST, "/api/v1/rooms")
            .bearer_auth(grant)
            .json(&json!({"name": "x"}));
        answer(request).await.is(401, "sign_in_required");

        // Closing the room closes its door, and the guest who is inside may still reconnect.
        anna.patch(
            "/api/v1/rooms",
            json!({"name": "Küche", "access": "accounts"}),
        )
        .await;
        guest.door("Küche").await.is(403, "guests_not_allowed");
        assert_eq!(ticket_for(&guest, grant).await.status, 200);
    }
}

#[tokio::test]
async fn a_house_without_guests_has_no_open_rooms() {
    let mut house = House::new();
    house.set("POLICY__GUESTS", "false");
    let (house, anna) = house.with_anna().await;
    assert_eq!(
        create(&anna, "public/Küche").await.json()["access"],
        "accounts"
    );
    anna.patch(
        "/api/v1/rooms",
        json!({"name": "Küche", "access": "guests"}),
    )
    .await
    .is(403, "forbidden");
    house
        .person()
        .door("public/Küche")
        .await
        .is(403, "guests_not_allowed");
    assert_eq!(house.person().me().await["guests"], false);
}

#[tokio::test]
async fn knocking_at_doors_without_end_is_told_to_come_later() {
    let (house, _) = House::new().with_anna().await;
    let guest = house.person();
    let mut answers = 0;
    let refused = loop {
        let answer = guest.door("Küche").await;
        if answer.status != 403 {
            break answer;
        }
        answers += 1;
    };
    refused.is(429, "rate_limited");
    assert!(answers >= 100, "{answers}");
}
