//! What people see and end of their own: sessions, applications, everything as one file. And what administrators end for
//! them.

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{Answer, House, PASSWORD, Person, answer};

async fn delete(person: &Person, path: &str) -> Answer {
    answer(person.request(Method::DELETE, path)).await
}

async fn sessions(person: &Person) -> Vec<Value> {
    let list = person.get("/api/v1/account/sessions").await.json();
    list["sessions"].as_array().expect("a list").clone()
}

fn id(session: &Value) -> &str {
    session["id"].as_str().expect("an id")
}

async fn is_in(person: &Person) -> bool {
    person.me().await["user"] != Value::Null
}

/// Somebody else's browser of the same person.
async fn again(house: &House, username: &str) -> Person {
    let person = house.person();
    let answer = person.sign_in(username, PASSWORD).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    person
}

#[tokio::test]
async fn people_see_where_they_are_signed_in_and_end_it_there() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let bernd = house.member("bernd").await;
        let phone = again(&house, "anna").await;
        let mut socket = phone.socket().await;
        let list = sessions(&anna).await;
        let (current, other): (Vec<_>, Vec<_>) =
            list.iter().partition(|session| session["current"] == true);
        assert_eq!((current.len(), other.len()), (1, 1), "{list:?}");
        assert_eq!(
            (&current[0]["method"], &other[0]["method"]),
            (&json!("link"), &json!("password"))
        );

        let own = format!("/api/v1/account/sessions/{}", id(other[0]));
        delete(&bernd, &own).await.is(404, "not_found");
        delete(&house.person(), &own)
            .await
            .is(401, "sign_in_required");
        assert!(is_in(&phone).await);
        assert_eq!(delete(&anna, &own).await.status, 204);
        socket.until_closed().await;
        assert!(!is_in(&phone).await && is_in(&anna).await);
        delete(&anna, &own).await.is(404, "not_found");

        let (first, second) = (again(&house, "anna").await, again(&house, "anna").await);
        assert_eq!(delete(&first, "/api/v1/account/sessions").await.status, 204);
        assert!(is_in(&first).await && is_in(&bernd).await);
        assert!(!is_in(&second).await && !is_in(&anna).await);
        assert_eq!(sessions(&first).await.len(), 1);
    }
}

#[tokio::test]
async fn administrators_see_all_sessions_and_end_them() {
    let (house, anna) = House::new().with_anna().await;
    let bernd = house.member("bernd").await;
    let user = bernd.me().await["user"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let all = anna.get("/api/v1/admin/sessions").await.json();
    let all = all["sessions"].as_array().expect("a list").clone();
    let of = |user: &str| {
        all.iter()
            .find(|one| one["user"] == user)
            .expect("theirs")
            .clone()
    };
    let bernds = of(&user);
    assert_eq!((all.len(), &bernds["name"]), (2, &json!("bernd")));
    let ours = all.iter().filter(|one| one["session"]["current"] == true);
    assert_eq!(ours.count(), 1);
    let path = format!("/api/v1/admin/sessions/{}", id(&bernds["session"]));
    delete(&bernd, &path).await.is(403, "forbidden");
    assert_eq!(delete(&anna, &path).await.status, 204);
    delete(&anna, &path).await.is(404, "not_found");
    assert!(!is_in(&bernd).await);
    let (first, second) = (again(&house, "bernd").await, again(&house, "bernd").await);
    let path = format!("/api/v1/admin/people/{user}/sessions");
    assert_eq!(delete(&anna, &path).await.status, 204);
    assert!(!is_in(&first).await && !is_in(&second).await && is_in(&anna).await);
    delete(&anna, "/api/v1/admin/people/nobody/sessions")
        .await
        .is(404, "not_found");
}

#[tokio::test]
async fn a_ticket_dies_with_its_session_whoever_ends_it() {
    for house in [House::new(), House::on_postgres()] {
        let (house, _) = house.with_anna().await;
        for (username, arguments) in [
            ("bernd", &[][..]),
            ("carla", &["user", "sessions", "carla", "--end"]),
            ("dora", &["user", "lock", "dora"]),
            ("emil", &["user", "delete", "emil"]),
        ] {
            let person = house.member(username).await;
            let ticket = person.post("/api/v1/tickets", json!({})).await.json();
            let ticket = ticket["ticket"].as_str().expect("a ticket").to_owned();
            if !arguments.is_empty() {
                let output = house.run(arguments);
                assert!(output.status.success(), "{output:?}");
            }
            let url = house.base.replacen("http", "ws", 1);
            let url = format!("{url}/api/v1/socket?ticket={ticket}");
            let mut request = url.into_client_request().expect("a request");
            let origin = house.base.parse().expect("a header");
            request.headers_mut().insert("origin", origin);
            match (connect_async(request).await, arguments.is_empty()) {
                (Ok(_), true) => {}
                (Err(Error::Http(answer)), false) => {
                    assert_eq!(answer.status(), 401, "{username}");
                }
                (other, _) => panic!("{username}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn somebody_who_is_removed_is_gone_and_their_rooms_belong_to_nobody() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let bernd = house.member("bernd").await;
        let user = bernd.me().await["user"]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        for room in ["Runde", "Tagebuch"] {
            bernd.post("/api/v1/rooms", json!({"name": room})).await;
        }
        enter(&anna, "Runde").await;
        let export = format!("/api/v1/admin/people/{user}/export");
        let theirs = bernd.get("/api/v1/account/export").await;
        assert!(
            theirs
                .header("content-disposition")
                .starts_with("attachment")
        );
        let all = anna.get(&export).await.json();
        assert_eq!(all["account"], theirs.json()["account"]);
        assert_eq!(all["rooms_owned"].as_array().map(Vec::len), Some(2));
        bernd.get(&export).await.is(403, "forbidden");

        let path = format!("/api/v1/admin/people/{user}");
        delete(&bernd, &path).await.is(403, "forbidden");
        assert_eq!(delete(&anna, &path).await.status, 204);
        delete(&anna, &path).await.is(404, "not_found");
        anna.get(&export).await.is(404, "not_found");
        assert!(!is_in(&bernd).await);
        bernd
            .sign_in("bernd", PASSWORD)
            .await
            .is(401, "wrong_credentials");
        let door = anna.door("Runde").await.json();
        assert_eq!(
            (&door["exists"], &door["owner"]),
            (&json!(true), &json!(false))
        );
        assert_eq!(anna.door("Tagebuch").await.json()["exists"], false);

        let me = anna.me().await["user"]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        delete(&anna, &format!("/api/v1/admin/people/{me}"))
            .await
            .is(409, "last_admin");
        for word in ["delete", "lock"] {
            let output = house.run(&["user", word, "anna"]);
            assert!(!output.status.success(), "{word}");
        }
        assert!(is_in(&anna).await);
    }
}

/// From now on she knows it.
async fn enter(person: &Person, room: &str) {
    let mut socket = person.socket().await;
    let join = json!({"type": "join_room", "id": "1", "room": room, "device": "d".repeat(32)});
    let sent = socket.0.send(Message::text(join.to_string())).await;
    sent.expect("a wish");
    while let Some(message) = socket.0.next().await {
        let text = message.expect("a message").into_text().expect("text");
        assert!(!text.contains("\"error\""), "{text}");
        if text.contains("\"room_snapshot\"") {
            return;
        }
    }
    panic!("the socket closed");
}
