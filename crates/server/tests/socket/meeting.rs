//! Joins, doors and ends of a meeting, as its people see them.

use reqwest::Method;
use serde_json::json;

use crate::client::{Socket, grant, guest_ticket, people};
use crate::support::{House, answer};

#[tokio::test]
async fn people_see_each_other_come_publish_and_go() {
    let (house, anna) = House::new().with_anna().await;
    let bert = house.member("bert").await;
    let mut anna = Socket::of(&anna, &house.base).await;
    let mut bert = Socket::of(&bert, &house.base).await;
    let view = anna.enter("Küche / 3. Stock?", "a").await;
    assert_eq!(
        (people(&view), &view["owner"]),
        (vec!["Anna Ö.".to_owned()], &json!(true))
    );
    let view = bert.enter("küche / 3. stock?", "b").await;
    assert_eq!(
        (people(&view), &view["owner"]),
        (vec!["Anna Ö.".to_owned(), "bert".to_owned()], &json!(false))
    );
    assert_eq!(view["name"], "Küche / 3. Stock?");
    assert_eq!(
        anna.change("participant_joined").await["participant"]["name"],
        "bert"
    );

    bert.intend(json!({"type": "publish", "source": "microphone", "muted": true}))
        .await
        .expect("published");
    let changed = anna.change("participant_changed").await;
    assert_eq!(
        changed["participant"]["tracks"],
        json!([{"source": "microphone", "muted": true}])
    );

    bert.intend(json!({"type": "leave_room"}))
        .await
        .expect("left");
    anna.change("participant_left").await;
    bert.settle().await;
    assert!(
        bert.unseen
            .iter()
            .all(|message| message["type"] != "room_left"),
        "leaving is not being left"
    );
    bert.enter("küche / 3. stock?", "b").await;
}

#[tokio::test]
async fn a_guest_gets_into_the_room_of_the_grant_and_no_other() {
    let (house, anna) = House::new().with_anna().await;
    anna.post("/api/v1/rooms", json!({"name": "public/Garten"}))
        .await;
    anna.post("/api/v1/rooms", json!({"name": "public/Hof"}))
        .await;
    let grant = grant(&house.person(), "Garten", "Gil").await;
    let mut gil = Socket::greeted(&house.base, &guest_ticket(&house.person(), &grant).await).await;
    for other in ["Hof", "public/Hof", "Nirgends"] {
        assert_eq!(
            gil.join(other, "g").await,
            Err("guests_not_allowed".to_owned()),
            "{other}"
        );
    }
    gil.join("public/garten", "g").await.expect("at the door");
    gil.wait_for("waiting").await;
    assert_eq!(
        gil.intend(json!({"type": "publish", "source": "camera", "muted": false}))
            .await,
        Err("not_admitted".to_owned())
    );

    let mut anna = Socket::of(&anna, &house.base).await;
    let view = anna.enter("Garten", "a").await;
    assert_eq!(people(&view), ["Anna Ö.", "Gil"]);
    assert_eq!(view["participants"][1]["guest"], true);
    assert_eq!(people(&gil.view().await), ["Anna Ö.", "Gil"]);
}

#[tokio::test]
async fn who_waits_sees_nothing_and_is_sent_away_when_the_room_is_closed() {
    let (house, anna) = House::new().with_anna().await;
    anna.post("/api/v1/rooms", json!({"name": "public/Garten"}))
        .await;
    let grant = grant(&house.person(), "Garten", "Gil").await;
    let mut gil = Socket::greeted(&house.base, &guest_ticket(&house.person(), &grant).await).await;
    gil.join("Garten", "g").await.expect("at the door");
    gil.send(json!({"type": "get_snapshot", "channel": "room"}))
        .await;
    let closed = anna
        .patch(
            "/api/v1/rooms",
            json!({"name": "Garten", "access": "accounts"}),
        )
        .await;
    assert!(closed.status.is_success(), "{closed:?}");
    assert_eq!(
        gil.wait_for("room_left").await["reason"],
        "guests_not_allowed"
    );
    assert!(
        gil.unseen
            .iter()
            .all(|message| message["type"] == "waiting"),
        "{:?}",
        gil.unseen
    );
    assert_eq!(
        gil.join("Garten", "g").await,
        Err("guests_not_allowed".to_owned())
    );
    let new = house
        .person()
        .post("/api/v1/guests", json!({"room": "Garten", "name": "Gert"}))
        .await;
    new.is(403, "guests_not_allowed");
}

#[tokio::test]
async fn a_house_that_takes_no_guests_any_more_closes_its_rooms_to_them_at_once() {
    let (house, anna) = House::new().with_anna().await;
    anna.post("/api/v1/rooms", json!({"name": "public/Garten"}))
        .await;
    let grant = grant(&house.person(), "Garten", "Gil").await;
    let mut gil = Socket::greeted(&house.base, &guest_ticket(&house.person(), &grant).await).await;
    gil.join("Garten", "g").await.expect("at the door");
    let settings = "/api/v1/admin/settings";
    let changed = anna.patch(settings, json!({"guests": false})).await;
    assert!(changed.status.is_success(), "{changed:?}");
    assert_eq!(
        gil.wait_for("room_left").await["reason"],
        "guests_not_allowed"
    );
    assert_eq!(
        gil.join("Garten", "g").await,
        Err("guests_not_allowed".to_owned())
    );
    let door = async || house.person().door("Garten").await;
    door().await.is(403, "guests_not_allowed");
    anna.patch(settings, json!({"guests": true})).await;
    assert!(door().await.status.is_success());
}

#[tokio::test]
async fn a_renamed_or_opened_room_changes_for_those_inside() {
    let (house, person) = House::new().with_anna().await;
    let mut anna = Socket::of(&person, &house.base).await;
    anna.enter("Garten", "a").await;
    person
        .patch(
            "/api/v1/rooms",
            json!({"name": "Garten", "access": "guests", "new_name": "Park"}),
        )
        .await;
    let expected = json!({"type": "room_changed", "name": "Park", "access": "guests", "knock": false, "owner": true});
    assert_eq!(anna.change("room_changed").await, expected);
    assert_eq!(person.door("Park").await.json()["people"], 1);
}

#[tokio::test]
async fn the_end_of_a_session_closes_its_sockets_and_frees_its_seats() {
    let (house, person) = House::new().with_anna().await;
    let bert = house.member("bert").await;
    let mut anna = Socket::of(&person, &house.base).await;
    let mut bert = Socket::of(&bert, &house.base).await;
    bert.enter("Garten", "b").await;
    anna.enter("Garten", "a").await;
    let out = answer(
        person
            .request(Method::DELETE, "/api/v1/session")
            .json(&json!({})),
    )
    .await;
    assert!(out.status.is_success(), "{out:?}");
    let (seen, code) = anna.closed().await;
    assert_eq!(code, 1008);
    assert_eq!(
        seen.last(),
        Some(&json!({"type": "room_left", "reason": "session_ended"})),
        "{seen:?}"
    );
    bert.change("participant_left").await;
}

#[tokio::test]
async fn an_offer_that_makes_no_sense_is_refused() {
    let (house, person) = House::new().with_anna().await;
    let mut anna = Socket::of(&person, &house.base).await;
    anna.enter("Garten", "a").await;
    let uplink = json!({"microphone": "0", "camera": "1", "screen": "2", "screen_audio": "3"});
    for sdp in [
        "",
        "v=0",
        "\u{0}\u{0}",
        "m=audio 9 UDP/TLS/RTP/SAVPF 999999\r\n",
    ] {
        let offer = json!({"type": "offer", "sdp": sdp, "uplink": uplink, "slots": []});
        assert_eq!(
            anna.intend(offer).await,
            Err("sdp_invalid".to_owned()),
            "{sdp:?}"
        );
    }
    let slot = json!({"kind": "person", "audio": "4", "video": "5"});
    let offer = json!({"type": "offer", "sdp": "v=0", "uplink": uplink, "slots": vec![slot; 28]});
    assert_eq!(anna.intend(offer).await, Err("sdp_invalid".to_owned()));
    anna.settle().await;
}
