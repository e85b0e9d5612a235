//! What is no message of the protocol, and what is too much of it.

use std::time::Duration;

use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use crate::client::{Socket, knock, knock_with_buffer, ticket};
use crate::support::{House, PASSWORD, with_input};

#[tokio::test]
async fn violations_close_the_socket_with_their_code() {
    let (house, anna) = House::new().with_anna().await;
    let text = |bytes: &[u8]| {
        Message::Frame(Frame::message(
            bytes.to_vec(),
            OpCode::Data(Data::Text),
            true,
        ))
    };
    let long = |kind: &str, bytes: usize| {
        Message::text(json!({"type": kind, "id": "1", "pad": "x".repeat(bytes)}).to_string())
    };
    let table = [
        ("a binary frame", Message::binary(vec![1, 2, 3]), 1002),
        ("no UTF-8", text(&[0x7b, 0xff, 0xfe]), 1007),
        ("a long message", long("ping", 16 * 1024), 1009),
        ("a long offer", long("offer", 256 * 1024), 1009),
        (
            "a reserved opcode",
            Message::Frame(Frame::message(
                vec![],
                OpCode::Data(Data::Reserved(3)),
                true,
            )),
            1002,
        ),
    ];
    for (what, frame, code) in table {
        let mut socket = Socket::of(&anna, &house.base).await;
        socket.stream.send(frame).await.expect("an open socket");
        assert_eq!(socket.closed().await.1, code, "{what}");
    }
}

#[tokio::test]
async fn hello_comes_first_and_names_a_version_we_speak() {
    let (house, anna) = House::new().with_anna().await;
    let client = json!({"name": "test", "version": "0"});
    for first in [
        json!({"type": "ping", "id": "1"}),
        json!({"type": "hello", "versions": [], "client": client}),
        json!({"type": "hello", "versions": [999], "client": client}),
    ] {
        let mut socket = knock(&house.base, Some(&house.base), &ticket(&anna).await)
            .await
            .expect("a socket");
        socket.send(first.clone()).await;
        let (seen, code) = socket.closed().await;
        assert_eq!(code, 1002, "{first}");
        assert_eq!(
            seen,
            [json!({"type": "error", "code": "unsupported_version"})],
            "{first}"
        );
    }
}

#[tokio::test]
async fn who_says_nothing_is_closed_after_ten_seconds() {
    let (house, anna) = House::new().with_anna().await;
    let mut socket = knock(&house.base, Some(&house.base), &ticket(&anna).await)
        .await
        .expect("a socket");
    assert_eq!(socket.closed().await, (vec![], 1002));
}

#[tokio::test]
async fn refusals_leave_the_socket_open() {
    let (house, anna) = House::new().with_anna().await;
    let mut socket = Socket::of(&anna, &house.base).await;
    let table = [
        ("hello?", json!({"type": "error", "code": "malformed"})),
        (
            r#"{"type":"publish","id":"7"}"#,
            json!({"type": "error", "id": "7", "code": "malformed"}),
        ),
        (
            r#"{"type":"wave","id":"7"}"#,
            json!({"type": "error", "id": "7", "code": "unknown_type"}),
        ),
        (
            r#"{"type":"wave"}"#,
            json!({"type": "error", "code": "unknown_type"}),
        ),
        (
            r#"{"type":"ping","id":"1","id":"2"}"#,
            json!({"type": "error", "code": "malformed"}),
        ),
        (
            r#"{"type":"leave_room","id":"7"}"#,
            json!({"type": "error", "id": "7", "code": "not_in_room"}),
        ),
        (
            r#"{"type":"publish","id":"7","source":"camera","muted":false}"#,
            json!({"type": "error", "id": "7", "code": "not_in_room"}),
        ),
        (
            r#"{"type":"join_room","id":"7","room":" ","device":"d"}"#,
            json!({"type": "error", "id": "7", "code": "name_invalid"}),
        ),
    ];
    for (text, expected) in table {
        socket.send_text(text).await;
        assert_eq!(socket.wait_for("error").await, expected, "{text}");
    }
    socket.enter("Garten", "d").await;
    assert_eq!(
        socket.join("Hof", "d").await,
        Err("already_in_room".to_owned())
    );
    assert_eq!(
        socket
            .intend(json!({"type": "unpublish", "source": "camera"}))
            .await,
        Err("not_found".to_owned())
    );
    socket.settle().await;
}

#[tokio::test]
async fn more_than_a_burst_is_refused_and_a_flood_is_closed() {
    let (house, anna) = House::new().with_anna().await;
    let mut socket = Socket::of(&anna, &house.base).await;
    for _ in 0..100 {
        socket.send(json!({"type": "ping", "id": "1"})).await;
    }
    let refused = socket.wait_for("error").await;
    assert_eq!(
        (&refused["code"], &refused["id"]),
        (&json!("rate_limited"), &json!("1"))
    );
    assert!(
        refused["retry_after_ms"].as_u64().is_some_and(|ms| ms > 0),
        "{refused}"
    );
    for _ in 0..1000 {
        if socket
            .stream
            .send(Message::text(r#"{"type":"ping","id":"1"}"#))
            .await
            .is_err()
        {
            break;
        }
    }
    let (seen, code) = socket.closed().await;
    assert_eq!(code, 1008);
    let pongs = seen
        .iter()
        .filter(|message| message["type"] == "pong")
        .count();
    assert!(pongs >= 59, "the burst was answered: {pongs}");
}

#[tokio::test]
async fn a_slow_reader_is_closed_and_nobody_else_notices() {
    let (house, _) = House::new().with_anna().await;
    // Long messages fill the queue sooner.
    let name = "👨‍👩‍👧‍👦".repeat(64);
    let member = async |username: &str| {
        let arguments = ["user", "add", username, "--name", &name, "--password-stdin"];
        assert!(
            with_input(&mut house.command(&arguments), PASSWORD)
                .status
                .success()
        );
        let person = house.person();
        person.sign_in(username, PASSWORD).await;
        person
    };

    // Seats of people who are expected back make a snapshot long.
    for username in ["carl", "dora", "emil"] {
        let away = member(username).await;
        for device in 0..8 {
            Socket::of(&away, &house.base)
                .await
                .enter("Garten", &format!("away {device}"))
                .await;
        }
    }
    let bert = member("bert").await;
    let slow = knock_with_buffer(
        &house.base,
        Some(&house.base),
        &ticket(&bert).await,
        Some(4096),
    )
    .await;
    let mut slow = slow.expect("a socket");
    slow.hello().await;
    let me = slow.enter("Garten", "slow").await["you"].clone();
    let mut other = Socket::of(&bert, &house.base).await;
    other.enter("Garten", "other").await;

    // From here on `slow` asks and does not read, while the other one talks, both as often as they may.
    let gone = |message: &Value| {
        let participant = &message["change"]["participant"];
        participant["id"] == me && participant["presence"] == "reconnecting"
    };
    let mut muted = false;
    let mut pace = tokio::time::interval(Duration::from_millis(60));
    while !other.unseen.iter().any(gone) {
        pace.tick().await;
        slow.stream
            .send(Message::text(r#"{"type":"get_snapshot","channel":"room"}"#))
            .await
            .ok();
        muted = !muted;
        other
            .intend(json!({"type": "publish", "source": "camera", "muted": muted}))
            .await
            .expect("fine");
        other.unseen.retain(gone);
    }
    assert_eq!(slow.closed().await.1, 1013);
    other.settle().await;
}

#[tokio::test]
async fn too_many_offers_in_a_row_are_refused_and_other_messages_are_not() {
    let (house, anna) = House::new().with_anna().await;
    let mut socket = Socket::of(&anna, &house.base).await;
    socket.enter("Garten", "d").await;
    let uplink = json!({"microphone": "0", "camera": "1", "screen": "2", "screen_audio": "3"});
    for n in 0..45 {
        let id = n.to_string();
        let offer = json!({"type": "offer", "id": id, "sdp": "", "uplink": uplink, "slots": []});
        socket.send(offer).await;
    }
    let mut codes = vec![String::new(); 45];
    for _ in 0..45 {
        let error = socket.wait_for("error").await;
        let index: usize = error["id"].as_str().expect("an id").parse().expect("ours");
        codes[index] = error["code"].as_str().expect("a code").to_owned();
        let limited = codes[index] == "rate_limited";
        assert_eq!(limited, error["retry_after_ms"].is_u64(), "{error}");
    }
    assert!(
        codes[..30].iter().all(|code| code != "rate_limited"),
        "{codes:?}"
    );
    assert!(
        codes[30..].iter().any(|code| code == "rate_limited"),
        "{codes:?}"
    );
    socket.settle().await;
}

#[tokio::test]
async fn whoever_says_goodbye_is_told_goodbye() {
    let (house, anna) = House::new().with_anna().await;
    let mut socket = Socket::of(&anna, &house.base).await;
    socket.close(CloseCode::Normal).await;
    assert_eq!(socket.closed().await.1, 1000);
}

#[tokio::test]
async fn a_flood_of_pongs_is_a_flood() {
    let (house, anna) = House::new().with_anna().await;
    let mut socket = Socket::of(&anna, &house.base).await;
    for _ in 0..1000 {
        if socket
            .stream
            .send(Message::Pong(vec![].into()))
            .await
            .is_err()
        {
            break;
        }
    }
    assert_eq!(socket.closed().await.1, 1008);
}

#[tokio::test]
async fn the_newest_sockets_of_a_session_stay() {
    let (house, anna) = House::new().with_anna().await;
    let mut first = Socket::of(&anna, &house.base).await;
    let mut others = Vec::new();
    for _ in 0..64 {
        others.push(Socket::of(&anna, &house.base).await);
    }
    assert_eq!(first.closed().await.1, 1008);
    for socket in &mut others {
        socket.settle().await;
    }
}
