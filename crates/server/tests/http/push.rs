//! Browsers that want to be woken: where the house allows it, with what they must bring, and how it ends.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, House, PASSWORD, Person, answer};

const PUSH: &str = "/api/v1/push";
const SUBSCRIPTION: &str = "/api/v1/push/subscription";
// Of the example in RFC 8291.
const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
/// Named in the settings; nothing has to answer there.
const SERVICE: &str = "http://127.0.0.1:9";

fn subscription() -> Value {
    json!({"endpoint": format!("{SERVICE}/a"), "p256dh": P256DH, "auth": AUTH, "browser": "b-1", "language": "de"})
}

fn with(field: &str, value: &str) -> Value {
    let mut body = subscription();
    body[field] = value.into();
    body
}

async fn put(person: &Person, body: &Value) -> Answer {
    answer(person.request(Method::PUT, SUBSCRIPTION).json(body)).await
}

async fn wakeable(person: &Person) -> usize {
    let all = person.get("/api/v1/account/export").await.json();
    all["browsers_to_wake"].as_array().expect("a list").len()
}

async fn house_that_wakes() -> (House, Person) {
    let mut house = House::new();
    house.set("POLICY__PUSH", "true");
    house.set("PUSH__SERVICES", SERVICE);
    house.with_anna().await
}

#[tokio::test]
async fn a_browser_is_woken_while_its_session_lasts() {
    let (house, anna) = house_that_wakes().await;
    let told = anna.get(PUSH).await.json();
    assert_eq!(told["on"], true);
    assert_eq!(told["key"].as_str().map(str::len), Some(87), "{told}");
    assert_eq!(anna.get(PUSH).await.json(), told);
    assert_eq!(put(&anna, &subscription()).await.status, 204);
    assert_eq!(
        put(&anna, &with("endpoint", &format!("{SERVICE}/b")))
            .await
            .status,
        204
    );
    assert_eq!(
        wakeable(&anna).await,
        1,
        "the second took the place of the first"
    );
    let export = anna.get("/api/v1/account/export").await.text;
    for secret in [P256DH, AUTH, SERVICE] {
        assert!(!export.contains(secret), "{secret} in {export}");
    }
    let phone = house.person();
    assert_eq!(phone.sign_in("anna", PASSWORD).await.status, 200);
    assert_eq!(
        put(&phone, &with("endpoint", &format!("{SERVICE}/c")))
            .await
            .status,
        204
    );
    assert_eq!(wakeable(&anna).await, 2);
    let signed_out = answer(phone.request(Method::DELETE, "/api/v1/session")).await;
    assert!(signed_out.status.is_success(), "{signed_out:?}");
    assert_eq!(wakeable(&anna).await, 1);
    for _ in 0..2 {
        let ended = answer(anna.request(Method::DELETE, SUBSCRIPTION)).await;
        assert_eq!(ended.status, 204);
        assert_eq!(wakeable(&anna).await, 0);
    }
}

#[tokio::test]
async fn what_is_no_good_wakes_nobody() {
    let (house, anna) = house_that_wakes().await;
    let long = "b".repeat(65);
    let swapped = json!({"endpoint": format!("{SERVICE}/a"), "p256dh": AUTH, "auth": P256DH, "browser": "b", "language": "de"});
    for (what, body, status, code) in [
        ("no point", with("p256dh", "BCVx"), 400, "malformed"),
        ("no base64url", with("p256dh", "+/="), 400, "malformed"),
        ("a short secret", with("auth", "BTBZ"), 400, "malformed"),
        ("swapped", swapped, 400, "malformed"),
        ("no browser", with("browser", ""), 400, "malformed"),
        ("a long browser", with("browser", &long), 400, "malformed"),
        (
            "a language of its own",
            with("language", "xx"),
            400,
            "malformed",
        ),
        ("nothing", json!({}), 400, "malformed"),
        (
            "no address",
            with("endpoint", "push"),
            400,
            "address_invalid",
        ),
        (
            "no https",
            with("endpoint", "http://push.example.org/a"),
            400,
            "address_invalid",
        ),
        (
            "a port",
            with("endpoint", "https://push.example.org:8443/a"),
            400,
            "address_invalid",
        ),
        (
            "credentials",
            with("endpoint", "https://a:b@push.example.org/a"),
            400,
            "address_invalid",
        ),
        (
            "a name of this computer",
            with("endpoint", "https://localhost/a"),
            400,
            "address_invalid",
        ),
        (
            "loopback",
            with("endpoint", "https://127.0.0.1/a"),
            400,
            "address_invalid",
        ),
        (
            "loopback as a number",
            with("endpoint", "https://2130706433/a"),
            400,
            "address_invalid",
        ),
        (
            "loopback in IPv6",
            with("endpoint", "https://[::1]/a"),
            400,
            "address_invalid",
        ),
        (
            "IPv4 in IPv6",
            with("endpoint", "https://[::ffff:7f00:1]/a"),
            400,
            "address_invalid",
        ),
        (
            "a private network",
            with("endpoint", "https://192.168.0.1/a"),
            400,
            "address_invalid",
        ),
        (
            "a cloud's own",
            with("endpoint", "https://169.254.169.254/latest"),
            400,
            "address_invalid",
        ),
        (
            "another port of a named one",
            with("endpoint", "http://127.0.0.1:10/a"),
            400,
            "address_invalid",
        ),
        (
            "another scheme",
            with("endpoint", "ftp://push.example.org/a"),
            400,
            "address_invalid",
        ),
        (
            "a name that nobody has",
            with("endpoint", "https://push.invalid/a"),
            503,
            "unavailable",
        ),
    ] {
        let answer = put(&anna, &body).await;
        let got = (answer.status.as_u16(), answer.json()["code"].clone());
        assert_eq!(got, (status, json!(code)), "{what}");
        assert_eq!(wakeable(&anna).await, 0, "{what}");
    }
    put(&house.person(), &subscription())
        .await
        .is(401, "sign_in_required");
    house.person().get(PUSH).await.is(401, "sign_in_required");
    let foreign = anna
        .request(Method::PUT, SUBSCRIPTION)
        .json(&subscription());
    let foreign = answer(foreign.header("origin", "https://evil.example")).await;
    foreign.is(403, "forbidden");
    assert_eq!(put(&anna, &subscription()).await.status, 204);
}

#[tokio::test]
async fn nobody_subscribes_without_end() {
    let (_house, anna) = house_that_wakes().await;
    for number in 0..40 {
        let endpoint = format!("{SERVICE}/{number}");
        let answer = put(&anna, &with("endpoint", &endpoint)).await;
        if answer.status != 204 {
            assert!(number >= 20, "{number}");
            answer.is(429, "rate_limited");
            assert_eq!(wakeable(&anna).await, 1);
            return;
        }
    }
    panic!("forty subscriptions at once were taken");
}

#[tokio::test]
async fn it_is_off_until_an_administrator_turns_it_on_and_off_again_it_forgets() {
    let mut house = House::new();
    house.set("PUSH__SERVICES", SERVICE);
    let (house, anna) = house.with_anna().await;
    let off = json!({"on": false});
    assert_eq!(anna.get(PUSH).await.json(), off);
    put(&anna, &subscription()).await.is(403, "forbidden");
    let on = anna
        .patch("/api/v1/admin/settings", json!({"push": true}))
        .await;
    assert_eq!(on.json()["push"], true);
    assert_eq!(put(&anna, &subscription()).await.status, 204);
    assert_eq!(wakeable(&anna).await, 1);

    let set = house.run(&["settings", "set", "policy.push", "false"]);
    assert!(set.status.success(), "{set:?}");
    let forgotten = async {
        while wakeable(&anna).await > 0 || anna.get(PUSH).await.json() != off {
            tokio::task::yield_now().await;
        }
    };
    let forgotten = tokio::time::timeout(Duration::from_secs(10), forgotten).await;
    forgotten.expect("forgotten in time");
}
