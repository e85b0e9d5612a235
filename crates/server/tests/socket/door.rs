//! Who gets a socket at all.

use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::client::{Socket, guest_ticket, knock, ticket};
use crate::support::{House, answer};

#[tokio::test]
async fn only_our_own_pages_with_an_unused_ticket_get_a_socket() {
    let (house, anna) = House::new().with_anna().await;
    let base = &house.base;
    let good = ticket(&anna).await;
    let refused = async |origin, ticket| knock(base, origin, ticket).await.err();
    assert_eq!(
        refused(Some("https://evil.example"), &good).await,
        Some(403)
    );
    assert_eq!(refused(Some("null"), &good).await, Some(403));
    assert_eq!(refused(None, &good).await, Some(403));
    assert_eq!(refused(Some(base), "").await, Some(401));
    assert_eq!(refused(Some(base), "made-up").await, Some(401));
    let mut socket = knock(base, Some(base), &good)
        .await
        .expect("it was not spent on the others");
    assert_eq!(
        refused(Some(base), &good).await,
        Some(401),
        "a ticket opens once"
    );
    let welcome = socket.hello().await;
    assert_eq!(welcome["me"]["kind"], "account");
    assert_eq!(welcome["version"], 1);
}

#[tokio::test]
async fn a_request_that_is_no_upgrade_spends_no_ticket() {
    let (house, anna) = House::new().with_anna().await;
    let good = ticket(&anna).await;
    let path = format!("/api/v1/socket?ticket={good}");
    let plain = answer(
        anna.request(reqwest::Method::GET, &path)
            .header("origin", &house.base),
    )
    .await;
    plain.is(400, "malformed");
    let twice = format!("/api/v1/socket?ticket={good}&ticket={good}");
    anna.get(&twice).await.is(400, "malformed");
    Socket::greeted(&house.base, &good).await;
}

#[tokio::test]
async fn a_ticket_of_a_session_that_has_ended_opens_nothing() {
    let (house, anna) = House::new().with_anna().await;
    let good = ticket(&anna).await;
    let out = answer(
        anna.request(reqwest::Method::DELETE, "/api/v1/session")
            .json(&json!({})),
    )
    .await;
    assert!(out.status.is_success(), "{out:?}");
    assert_eq!(
        knock(&house.base, Some(&house.base), &good).await.err(),
        Some(401)
    );
}

#[tokio::test]
async fn a_guest_is_told_their_room_and_gets_no_home_page() {
    let (house, anna) = House::new().with_anna().await;
    anna.post("/api/v1/rooms", json!({"name": "public/Garten"}))
        .await;
    let grant = crate::client::grant(&house.person(), "Garten", "Gil").await;
    let ticket = guest_ticket(&house.person(), &grant).await;
    let mut gil = knock(&house.base, Some(&house.base), &ticket)
        .await
        .expect("a socket");
    let welcome = gil.hello().await;
    assert_eq!(
        (&welcome["me"]["kind"], &welcome["me"]["name"]),
        (&json!("guest"), &json!("Gil"))
    );
    assert!(welcome["me"]["room"].is_string());
    gil.send(json!({"type": "get_snapshot", "channel": "home"}))
        .await;
    gil.settle().await;
    assert!(gil.unseen.is_empty(), "{:?}", gil.unseen);
}

#[tokio::test]
async fn whoever_loses_a_socket_comes_back_with_what_it_was_told() {
    let (house, anna) = House::new().with_anna().await;
    let base = &house.base;
    let mut first = knock(base, Some(base), &ticket(&anna).await)
        .await
        .expect("a socket");
    let back = |welcome: serde_json::Value| welcome["back"].as_str().expect("a ticket").to_owned();
    let next = back(first.hello().await);
    let renamed = anna
        .patch("/api/v1/account", json!({"name": "Anna Berg"}))
        .await;
    assert!(renamed.status.is_success(), "{renamed:?}");
    assert_eq!(
        knock(base, Some("https://evil.example"), &next).await.err(),
        Some(403)
    );
    let mut second = knock(base, Some(base), &next).await.expect("a socket");
    let welcome = second.hello().await;
    assert_eq!(welcome["me"]["name"], "Anna Berg");
    assert_eq!(knock(base, Some(base), &next).await.err(), Some(401));
    second.close(CloseCode::Away).await;
    let after_the_end = back(welcome);
    let mut third = knock(base, Some(base), &after_the_end)
        .await
        .expect("a socket");
    let last = back(third.hello().await);
    let out = answer(
        anna.request(reqwest::Method::DELETE, "/api/v1/session")
            .json(&json!({})),
    )
    .await;
    assert!(out.status.is_success(), "{out:?}");
    assert_eq!(knock(base, Some(base), &last).await.err(), Some(401));
}

#[tokio::test]
async fn a_guest_comes_back_into_the_one_room() {
    let (house, anna) = House::new().with_anna().await;
    let base = &house.base;
    anna.post("/api/v1/rooms", json!({"name": "public/Garten"}))
        .await;
    let grant = crate::client::grant(&house.person(), "Garten", "Gil").await;
    let ticket = guest_ticket(&house.person(), &grant).await;
    let mut gil = knock(base, Some(base), &ticket).await.expect("a socket");
    let welcome = gil.hello().await;
    let back = welcome["back"].as_str().expect("a ticket");
    let mut again = knock(base, Some(base), back).await.expect("a socket");
    assert_eq!(again.hello().await["me"], welcome["me"]);
}
