//! Pages, their headers, and the addresses that lead to them.

use reqwest::Method;
use serde_json::json;

use crate::support::{House, answer};

#[tokio::test]
async fn every_answer_says_what_browsers_may_do_with_it() {
    let (house, anna) = House::new().with_anna().await;
    let mut answers = vec![anna.post("/api/v1/rooms", json!({"name": ""})).await];
    for path in [
        "/",
        "/r/K%C3%BCche",
        "/nothing",
        "/api/v1/me",
        "/api/v1/nothing",
        "/healthz",
        "/meet",
        "/assets/none.js",
    ] {
        answers.push(anna.get(path).await);
    }
    answers.push(answer(anna.request(Method::DELETE, "/")).await);
    answers.push(anna.post("/csp", json!({"csp-report": {}})).await);
    for answer in &answers {
        for (name, value) in [
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), value, "{answer:?}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{answer:?}");
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-"),
            "{policy}"
        );
        assert!(
            answer
                .header("permissions-policy")
                .contains("camera=(self)"),
            "{answer:?}"
        );
        assert_eq!(
            answer.header("strict-transport-security"),
            "",
            "not without TLS"
        );
    }
    let page = anna.get("/").await;
    let socket = house.base.replace("http", "ws");
    for rule in [
        "script-src 'self';",
        &format!("connect-src 'self' {socket};"),
        "trusted-types stube svelte-trusted-html",
    ] {
        assert!(
            page.header("content-security-policy").contains(rule),
            "{page:?}"
        );
    }
    let numeric = house.base.replace("localhost", "127.0.0.1");
    let page = crate::support::Person::new(&numeric).get("/").await;
    assert!(
        page.header("content-security-policy")
            .contains("ws://127.0.0.1:"),
        "{page:?}"
    );
    assert_eq!(
        anna.get("/api/v1/me").await.header("cache-control"),
        "no-store"
    );
    assert_eq!(
        anna.get("/api/v1/nothing").await.header("cache-control"),
        "no-store"
    );
}

#[tokio::test]
async fn the_app_answers_at_its_addresses_and_elsewhere_with_404() {
    let mut house = House::new();
    house.start();
    let somebody = house.person();
    let cases = [
        ("/", 200),
        ("/setup", 200),
        ("/sign-in?to=%2Fr%2Fx", 200),
        ("/r/x", 200),
        ("/r/public/Haus/Keller", 200),
        ("/r/%2E%2E%2Fx%3F%23%25", 200),
        ("/r/", 404),
        ("/r", 404),
        ("/nothing", 404),
        ("/setup/more", 404),
        ("/../../etc/passwd", 404),
        ("/assets/%2e%2e/%2e%2e/Cargo.toml", 404),
    ];
    for (path, status) in cases {
        let got = somebody.get(path).await;
        assert_eq!(got.status.as_u16(), status, "{path}");
        assert!(
            got.header("content-type").starts_with("text/html"),
            "{path}: {got:?}"
        );
        assert_eq!(got.header("cache-control"), "no-cache", "{path}");
        let head = answer(somebody.request(Method::HEAD, path)).await;
        assert_eq!(
            (head.status, head.text.as_str()),
            (got.status, ""),
            "{path}"
        );
    }
}

#[tokio::test]
async fn old_links_lead_to_the_right_door() {
    let mut house = House::new();
    house.start();
    for (old, new) in [
        ("/meet", "/"),
        ("/meet/", "/"),
        ("/meet/r/call", "/"),
        (
            "/meet/r/join/group/public/K%C3%BCche%20S%C3%BCd",
            "/r/public/K%C3%BCche%20S%C3%BCd",
        ),
        ("/meet/r/join/conference/Haus/Keller", "/r/Haus/Keller"),
        ("/meet/r/group/a%3Fb", "/r/a%3Fb"),
        ("/meet/r/conference/public/x", "/r/public/x"),
        ("/meet/r/group//evil.example/", "/r//evil.example/"),
    ] {
        let answer = house.person().get(old).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (302, new),
            "{old}"
        );
    }
    for none in ["/meet/r/join/group/", "/meet/r/", "/meeting", "/meet/other"] {
        assert_eq!(house.person().get(none).await.status, 404, "{none}");
    }
}
