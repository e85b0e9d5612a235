//! Bad input: what it gets, and that the house stands afterwards.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::support::{House, Person, answer, read_all};

#[tokio::test]
async fn what_is_not_there_or_not_possible_says_so_with_a_code() {
    let (house, _) = House::new().with_anna().await;
    let somebody = house.person();
    for path in [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/me",
        "/api/v1/me/more",
    ] {
        somebody.get(path).await.is(404, "not_found");
    }
    for (method, path) in [
        (Method::PUT, "/api/v1/me"),
        (Method::POST, "/api/v1/me"),
        (Method::GET, "/api/v1/session"),
        (Method::PUT, "/api/v1/rooms"),
        (Method::POST, "/healthz"),
        (Method::POST, "/"),
        (Method::DELETE, "/r/Küche"),
        (Method::GET, "/csp"),
    ] {
        let answer = answer(somebody.request(method.clone(), path)).await;
        answer.is(405, "method_not_allowed");
        assert!(!answer.header("allow").is_empty(), "{method} {path}");
    }
}

async fn sign_in_with(
    person: &Person,
    kind: &str,
    body: impl Into<reqwest::Body>,
) -> crate::support::Answer {
    answer(
        person
            .request(Method::POST, "/api/v1/session")
            .header("content-type", kind)
            .body(body),
    )
    .await
}

#[tokio::test]
async fn malformed_bodies_are_400_and_large_ones_413() {
    let (house, anna) = House::new().with_anna().await;
    let somebody = house.person();
    let good = json!({"username": "anna", "password": "falsches pferd"}).to_string();
    for body in [
        "",
        "{",
        "null",
        "[]",
        "{\"username\": \"anna\"}",
        "{\"username\": 1, \"password\": \"x\"}",
        "\u{0}",
    ] {
        sign_in_with(&somebody, "application/json", body.to_owned())
            .await
            .is(400, "malformed");
    }
    sign_in_with(&somebody, "application/json", vec![0xff; 10])
        .await
        .is(400, "malformed");
    sign_in_with(&somebody, "text/plain", good.clone())
        .await
        .is(400, "malformed");
    sign_in_with(&somebody, "application/x-www-form-urlencoded", good.clone())
        .await
        .is(400, "malformed");
    sign_in_with(&somebody, "application/json; charset=utf-8", good.clone())
        .await
        .is(401, "wrong_credentials");
    let deep = "[".repeat(20_000);
    sign_in_with(&somebody, "application/json", deep)
        .await
        .is(400, "malformed");
    let padded = |length: usize| format!("{}{good}", " ".repeat(length - good.len()));
    sign_in_with(&somebody, "application/json", padded(64 * 1024))
        .await
        .is(401, "wrong_credentials");
    sign_in_with(&somebody, "application/json", padded(64 * 1024 + 1))
        .await
        .is(413, "too_large");
    assert_eq!(anna.me().await["user"]["username"], "anna");
}

#[tokio::test]
async fn a_body_of_unknown_length_is_cut_off_at_the_same_size() {
    let (house, _) = House::new().with_anna().await;
    let mut socket = TcpStream::connect(
        house
            .base
            .trim_start_matches("http://localhost")
            .replace(':', "127.0.0.1:"),
    )
    .expect("a connection");
    let head = "POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        transfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    socket.write_all(head.as_bytes()).expect("a head");
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    for _ in 0..4 {
        socket.write_all(chunk.as_bytes()).expect("16 KiB");
    }
    socket.write_all(b"1\r\n \r\n").expect("one more");
    let answer = read_all(&socket);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("{\"code\":\"too_large\"}"), "{answer}");
}

#[tokio::test]
async fn another_sites_pages_change_nothing() {
    let (house, anna) = House::new().with_anna().await;
    let body = json!({"name": "Küche"});
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let request = anna
            .request(Method::POST, "/api/v1/rooms")
            .header(name, value)
            .json(&body);
        answer(request).await.is(403, "forbidden");
        let request = anna
            .request(Method::DELETE, "/api/v1/session")
            .header(name, value);
        answer(request).await.is(403, "forbidden");
    }
    assert_eq!(anna.door("Küche").await.json()["exists"], false);
    for origin in [
        house.base.clone(),
        house.base.replace("localhost", "127.0.0.1"),
    ] {
        let request = anna
            .request(Method::POST, "/api/v1/rooms")
            .header("origin", origin)
            .json(&body);
        assert_eq!(
            answer(request.header("sec-fetch-site", "same-origin"))
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn what_is_no_http_ends_its_own_connection_only() {
    let (house, anna) = House::new().with_anna().await;
    let address = house.base.replace("http://localhost", "127.0.0.1");
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        &[0xff; 4096],
    ] {
        let mut socket = TcpStream::connect(&address).expect("a connection");
        socket.write_all(garbage).expect("garbage");
        let answer = read_all(&socket);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400 "),
            "{answer}"
        );
    }
    let mut socket = TcpStream::connect(&address).expect("a connection");
    let huge = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n",
        "x".repeat(64 * 1024)
    );
    let _ = socket.write_all(huge.as_bytes());
    let answer = read_all(&socket);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
        "{answer}"
    );
    assert_eq!(anna.me().await["user"]["username"], "anna");
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_off() {
    let (house, anna) = House::new().with_anna().await;
    let address = house.base.replace("http://localhost", "127.0.0.1");
    let (dripping, mut drips) = drip(&address);
    let slow = [
        "GET / HTTP/1.1\r\nhost: localhost\r\nx:".to_owned(),
        "POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"
            .to_owned(),
    ];
    let began = std::time::Instant::now();
    let sockets = slow.map(|head| {
        let mut socket = TcpStream::connect(&address).expect("a connection");
        socket.write_all(head.as_bytes()).expect("a beginning");
        socket
    });
    for socket in &sockets {
        read_all(socket);
    }
    let drops = tokio::time::timeout(Duration::from_secs(25), async {
        let mut pace = tokio::time::interval(Duration::from_millis(200));
        while drips.write_all(b" ").is_ok() {
            pace.tick().await;
        }
    });
    assert!(drops.await.is_ok(), "a body in drops ends too");
    assert!(read_all(&dripping).starts_with("HTTP/1.1 400 "));
    assert!(
        began.elapsed().as_secs() < 30,
        "the server ends it, not the client"
    );
    assert_eq!(anna.me().await["user"]["username"], "anna");
}

/// A body that comes byte by byte: for reading and for writing.
fn drip(address: &str) -> (TcpStream, TcpStream) {
    let mut socket = TcpStream::connect(address).expect("a connection");
    let head = "POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        content-length: 9999\r\n\r\n";
    socket.write_all(head.as_bytes()).expect("a head");
    (socket.try_clone().expect("a handle"), socket)
}

#[tokio::test]
async fn whoever_sends_too_much_gets_to_read_the_answer() {
    let (house, anna) = House::new().with_anna().await;
    let somebody = house.person();
    let large = vec![b' '; 3 * 1024 * 1024];
    for _ in 0..5 {
        for (person, path, status, code) in [
            (&anna, "/api/v1/rooms", 413, "too_large"),
            (&somebody, "/api/v1/session", 413, "too_large"),
            (&somebody, "/api/v1/rooms", 401, "sign_in_required"),
            (&somebody, "/api/v1/nothing", 404, "not_found"),
            (&somebody, "/r/x", 405, "method_not_allowed"),
        ] {
            let request = person
                .request(Method::POST, path)
                .header("content-type", "application/json")
                .body(large.clone());
            answer(request).await.is(status, code);
        }
    }
}
