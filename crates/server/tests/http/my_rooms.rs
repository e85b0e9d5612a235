//! Rooms of one's own: who knocks, members, pins, the personal room, and the end of a room.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, House, Person, answer};

fn both() -> [House; 2] {
    [House::new(), House::on_postgres()]
}

async fn create(person: &Person, name: &str) -> Value {
    person
        .post("/api/v1/rooms", json!({"name": name}))
        .await
        .json()
}

async fn put(person: &Person, path: &str, body: Value) -> Answer {
    answer(person.request(Method::PUT, path).json(&body)).await
}

async fn delete(person: &Person, path: &str) -> Answer {
    answer(person.request(Method::DELETE, path).json(&json!({}))).await
}

async fn id_of(person: &Person) -> String {
    let me = person.get("/api/v1/me").await.json();
    me["user"]["id"].as_str().expect("an id").to_owned()
}

async fn add(owner: &Person, room: &str, person: &str) -> Answer {
    let body = json!({"room": room, "person": person});
    put(owner, "/api/v1/rooms/members", body).await
}

fn names(members: &Value) -> Vec<&str> {
    let members = members["members"].as_array().expect("a list").iter();
    members
        .filter_map(|member| member["username"].as_str())
        .collect()
}

#[tokio::test]
async fn the_owner_says_who_knocks_and_who_does_not() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        let bernd = house.member("bernd").await;
        let bernds_id = id_of(&bernd).await;
        assert_eq!(create(&anna, "Büro").await["knock"], false);
        let knock = json!({"name": "Büro", "knock": true});
        assert_eq!(
            anna.patch("/api/v1/rooms", knock).await.json()["knock"],
            true
        );
        let seen = |door: Value| (door["knock"].clone(), door["member"].clone());
        let stranger = (json!(true), json!(false));
        assert_eq!(seen(bernd.door("Büro").await.json()), stranger);
        let members = add(&anna, "büro", &bernds_id).await.json();
        assert_eq!(names(&members), ["bernd"]);
        add(&anna, "Büro", &bernds_id).await.json();
        let member = (json!(true), json!(true));
        assert_eq!(seen(bernd.door("Büro").await.json()), member);
        assert_eq!(anna.door("Büro").await.json()["member"], false, "the owner");

        let path = format!("/api/v1/rooms/members?room=B%C3%BCro&person={bernds_id}");
        delete(&bernd, &path).await.is(403, "not_owner");
        assert_eq!(delete(&anna, &path).await.status, 204);
        assert_eq!(seen(bernd.door("Büro").await.json()), stranger);
        let list = anna
            .get("/api/v1/rooms/members?room=B%C3%BCro")
            .await
            .json();
        assert_eq!(names(&list), Vec::<&str>::new());
    }
}

#[tokio::test]
async fn only_people_whom_the_owner_may_see_become_members_of_only_their_rooms() {
    let (house, anna) = House::new().with_anna().await;
    let bernd = house.member("bernd").await;
    let annas_id = id_of(&anna).await;
    let bernds_id = id_of(&bernd).await;
    create(&anna, "Büro").await;
    create(&bernd, "Keller").await;
    add(&anna, "Büro", "nobody").await.is(404, "not_found");
    add(&anna, "Büro", &annas_id).await.is(404, "not_found");
    add(&anna, "Keller", &bernds_id).await.is(403, "not_owner");
    add(&anna, "Speicher", &bernds_id)
        .await
        .is(404, "not_found");
    add(&bernd, "Büro", &bernds_id).await.is(403, "not_owner");
    bernd
        .get("/api/v1/rooms/members?room=B%C3%BCro")
        .await
        .is(403, "not_owner");
    anna.get("/api/v1/rooms/members").await.is(400, "malformed");
    let locked = house.run(&["user", "lock", "bernd"]);
    assert!(locked.status.success(), "{locked:?}");
    add(&anna, "Büro", &bernds_id).await.is(404, "not_found");
    let guest = house.person();
    add(&guest, "Büro", &annas_id)
        .await
        .is(401, "sign_in_required");
}

#[tokio::test]
async fn everybody_has_one_personal_room_where_others_knock() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        let bernd = house.member("bernd").await;
        let me = anna.get("/api/v1/me").await.json();
        let name = me["user"]["name"].as_str().expect("a name").to_owned();
        create(&bernd, &name).await;
        let made = anna.post("/api/v1/rooms/personal", json!({})).await.json();
        let expected = json!({"name": format!("{name} 2"), "access": "accounts", "kind": "personal", "knock": true,
            "exists": true, "owner": true, "member": false, "known": true, "people": 0});
        assert_eq!(made, expected);
        let rename = json!({"name": made["name"], "new_name": "Meine Stube", "access": "guests", "knock": false});
        anna.patch("/api/v1/rooms", rename).await.json();
        let again = anna.post("/api/v1/rooms/personal", json!({})).await.json();
        assert_eq!(
            (&again["name"], &again["kind"], &again["knock"]),
            (&json!("Meine Stube"), &json!("personal"), &json!(false)),
            "it stays hers, whatever it is called"
        );
        let guest = house.person();
        guest
            .post("/api/v1/rooms/personal", json!({}))
            .await
            .is(401, "sign_in_required");
    }
}

#[tokio::test]
async fn only_its_owner_deletes_a_room_and_then_its_name_is_free() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        let bernd = house.member("bernd").await;
        create(&anna, "public/Garten").await;
        let body = json!({"room": "Garten"});
        assert_eq!(put(&bernd, "/api/v1/rooms/pin", body).await.status, 204);
        delete(&bernd, "/api/v1/rooms?room=Garten")
            .await
            .is(403, "not_owner");
        delete(&house.person(), "/api/v1/rooms?room=Garten")
            .await
            .is(401, "sign_in_required");
        assert_eq!(delete(&anna, "/api/v1/rooms?room=garten").await.status, 204);
        delete(&anna, "/api/v1/rooms?room=Garten")
            .await
            .is(404, "not_found");
        delete(&bernd, "/api/v1/rooms/pin?room=Garten")
            .await
            .is(404, "not_found");
        let door = bernd.door("Garten").await.json();
        assert_eq!(
            (&door["exists"], &door["owner"]),
            (&json!(false), &json!(true))
        );
        house
            .person()
            .door("Garten")
            .await
            .is(403, "guests_not_allowed");
    }
}

#[tokio::test]
async fn rooms_are_pinned_by_whoever_knows_them() {
    let (house, anna) = House::new().with_anna().await;
    let bernd = house.member("bernd").await;
    create(&anna, "Garten").await;
    let pin = async |person: &Person, room: &str| {
        put(person, "/api/v1/rooms/pin", json!({"room": room})).await
    };
    for _ in 0..2 {
        assert_eq!(pin(&bernd, "garten").await.status, 204);
    }
    pin(&bernd, "Keller").await.is(404, "not_found");
    pin(&house.person(), "Garten")
        .await
        .is(401, "sign_in_required");
    for _ in 0..2 {
        let unpinned = delete(&bernd, "/api/v1/rooms/pin?room=Garten").await;
        assert_eq!(unpinned.status, 204);
    }
}
