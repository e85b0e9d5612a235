//! Passkeys: signing in without a username, and every way in which an answer can be worth nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::authenticator::Authenticator;
use crate::support::{Answer, House, PASSWORD, Person, answer};

async fn start_adding(person: &Person) -> Value {
    let body = json!({"password": PASSWORD});
    let started = person.post("/api/v1/account/passkeys/start", body).await;
    assert_eq!(started.status, 200, "{started:?}");
    started.json()
}

async fn finish_adding(person: &Person, challenge: &Value, credential: Value) -> Answer {
    let body = json!({"token": challenge["token"], "name": "Notebook", "credential": credential});
    person.post("/api/v1/account/passkeys/finish", body).await
}

async fn add(person: &Person, authenticator: &mut Authenticator) -> Answer {
    let challenge = start_adding(person).await;
    let credential = authenticator.create(&challenge["options"]);
    finish_adding(person, &challenge, credential).await
}

async fn start(person: &Person) -> Value {
    let path = "/api/v1/session/passkey/start";
    person.post(path, json!({})).await.json()
}

async fn finish(person: &Person, challenge: &Value, credential: &Value) -> Answer {
    let body = json!({"token": challenge["token"], "credential": credential});
    person.post("/api/v1/session/passkey/finish", body).await
}

async fn sign_in(person: &Person, authenticator: &mut Authenticator) -> Answer {
    let challenge = start(person).await;
    let credential = authenticator.get(&challenge["options"]);
    finish(person, &challenge, &credential).await
}

#[tokio::test]
async fn a_passkey_signs_in_without_username_until_it_is_taken_away() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let mut key = Authenticator::new(&house.base, 1);
        let added = add(&anna, &mut key).await;
        assert_eq!(added.json()["name"], "Notebook", "{added:?}");
        let account = anna.get("/api/v1/account").await.json();
        assert_eq!(account["passkeys"][0], added.json());

        let browser = house.person();
        let done = sign_in(&browser, &mut key).await;
        assert_eq!(done.json()["step"], "done", "{done:?}");
        assert_eq!(browser.me().await["user"]["username"], "anna");
        let account = anna.get("/api/v1/account").await.json();
        assert!(account["passkeys"][0]["used_ms"].is_u64(), "{account}");
        assert_eq!(sign_in(&browser, &mut key).await.status, 200, "and again");

        let id = added.json()["id"].as_str().expect("an id").to_owned();
        let bernd = house.member("bernd").await;
        let remove = |person: &Person| {
            let path = format!("/api/v1/account/passkeys/{id}");
            let body = json!({"password": PASSWORD});
            answer(person.request(Method::DELETE, &path).json(&body))
        };
        remove(&bernd).await.is(404, "not_found");
        assert_eq!(
            sign_in(&browser, &mut key).await.status,
            200,
            "others take nothing away"
        );
        assert_eq!(remove(&anna).await.status, 204);
        sign_in(&browser, &mut key).await.is(401, "passkey_invalid");
    }
}

#[tokio::test]
async fn the_options_ask_for_what_a_sign_in_without_username_needs() {
    let (house, anna) = House::new().with_anna().await;
    let options = start_adding(&anna).await["options"].clone();
    for (pointer, expect) in [
        ("/rp/id", json!("localhost")),
        ("/rp/name", json!("Stube")),
        ("/user/name", json!("anna")),
        ("/authenticatorSelection/residentKey", json!("required")),
        (
            "/authenticatorSelection/userVerification",
            json!("required"),
        ),
        ("/attestation", json!("none")),
    ] {
        assert_eq!(options.pointer(pointer), Some(&expect), "{options}");
    }
    let mut key = Authenticator::new(&house.base, 1);
    assert_eq!(add(&anna, &mut key).await.status, 200);
    let excluded = start_adding(&anna).await["options"]["excludeCredentials"].clone();
    assert_eq!(
        excluded.as_array().map(Vec::len),
        Some(1),
        "not the same one twice"
    );
    let options = start(&house.person()).await["options"].clone();
    assert_eq!(options["userVerification"], "required");
    assert_eq!(options["allowCredentials"], json!([]));
}

/// What is wrong, and what makes it so.
type Fault = (&'static str, fn(&mut Authenticator));

const FAULTS: &[Fault] = &[
    ("another site", |key| {
        "https://evil.example".clone_into(&mut key.origin)
    }),
    ("another port", |key| {
        "http://localhost:1".clone_into(&mut key.origin)
    }),
    ("for another host", |key| {
        "evil.example".clone_into(&mut key.host)
    }),
    ("nobody was verified", |key| key.verified = false),
];

#[tokio::test]
async fn an_answer_that_does_not_fit_signs_nobody_in() {
    let (house, anna) = House::new().with_anna().await;
    let browser = house.person();
    let mut key = Authenticator::new(&house.base, 1);
    assert_eq!(add(&anna, &mut key).await.status, 200);
    let bernd = house.member("bernd").await;
    let mut bernds = Authenticator::new(&house.base, 2);
    assert_eq!(add(&bernd, &mut bernds).await.status, 200);

    let of_bernd = bernds.user.clone();
    let (base, of_anna) = (house.base.clone(), key.user.clone());
    let more: [Fault; 1] = [("a counter that goes back", |key| key.counter = 0)];
    assert_eq!(sign_in(&browser, &mut key).await.status, 200);
    for (what, fault) in FAULTS.iter().chain(&more) {
        let counter = key.counter;
        fault(&mut key);
        let refused = sign_in(&browser, &mut key).await;
        assert_eq!(
            refused.json()["code"],
            "passkey_invalid",
            "{what}: {refused:?}"
        );
        key.origin.clone_from(&base);
        "localhost".clone_into(&mut key.host);
        (key.verified, key.counter) = (true, counter + 1);
        let right = sign_in(&browser, &mut key).await;
        assert_eq!(right.status, 200, "{what}, put right: {right:?}");
    }
    key.user = of_bernd;
    sign_in(&browser, &mut key).await.is(401, "passkey_invalid");
    key.user = of_anna.clone();
    let mut copy = Authenticator::new(&house.base, 1);
    (copy.user, copy.counter) = (of_anna, key.counter);
    sign_in(&browser, &mut copy)
        .await
        .is(401, "passkey_invalid");
    let mut unknown = Authenticator::new(&house.base, 9);
    unknown.user.clone_from(&key.user);
    sign_in(&browser, &mut unknown)
        .await
        .is(401, "passkey_invalid");
    assert_eq!(sign_in(&browser, &mut key).await.status, 200);
}

#[tokio::test]
async fn a_challenge_is_good_once_and_for_its_own_answer() {
    let (house, anna) = House::new().with_anna().await;
    let browser = house.person();
    let mut key = Authenticator::new(&house.base, 1);
    let adding = start_adding(&anna).await;
    let created = key.create(&adding["options"]);
    let bernd = house.member("bernd").await;
    finish_adding(&bernd, &adding, created.clone())
        .await
        .is(410, "link_invalid");
    let adding = start_adding(&anna).await;
    finish_adding(&anna, &adding, created)
        .await
        .is(401, "passkey_invalid");
    finish_adding(&anna, &adding, json!({}))
        .await
        .is(410, "link_invalid");
    assert_eq!(add(&anna, &mut key).await.status, 200);
    add(&anna, &mut key).await.is(401, "passkey_invalid");
    let mut again = Authenticator::new(&house.base, 1);
    add(&bernd, &mut again).await.is(401, "passkey_invalid");

    let (first, second) = (start(&browser).await, start(&browser).await);
    let for_first = key.get(&first["options"]);
    finish(&browser, &second, &for_first)
        .await
        .is(401, "passkey_invalid");
    let mut changed = key.get(&first["options"]);
    changed["response"]["signature"] = json!("AAAA");
    finish(&browser, &first, &changed)
        .await
        .is(401, "passkey_invalid");
    finish(&browser, &first, &for_first)
        .await
        .is(410, "link_invalid");

    let challenge = start(&browser).await;
    let right = key.get(&challenge["options"]);
    assert_eq!(finish(&browser, &challenge, &right).await.status, 200);
    finish(&browser, &challenge, &right)
        .await
        .is(410, "link_invalid");
    for credential in [json!({}), json!(1), json!({"id": "x"})] {
        let challenge = start(&browser).await;
        finish(&browser, &challenge, &credential)
            .await
            .is(401, "passkey_invalid");
    }
}

#[tokio::test]
async fn a_passkey_that_does_not_fit_is_not_added() {
    let (house, anna) = House::new().with_anna().await;
    for (what, fault) in FAULTS {
        let mut key = Authenticator::new(&house.base, 1);
        fault(&mut key);
        let refused = add(&anna, &mut key).await;
        assert_eq!(
            refused.json()["code"],
            "passkey_invalid",
            "{what}: {refused:?}"
        );
    }
    let challenge = start_adding(&anna).await;
    let mut key = Authenticator::new(&house.base, 1);
    let mut hidden = key.create(&challenge["options"]);
    hidden["clientExtensionResults"] = json!({"credProps": {"rk": false}});
    finish_adding(&anna, &challenge, hidden)
        .await
        .is(401, "passkey_invalid");
    assert_eq!(add(&anna, &mut key).await.status, 200);
}

#[tokio::test]
async fn where_the_house_has_no_host_name_there_are_no_passkeys() {
    let mut house = House::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    house.set("LISTEN", &address);
    house.set("PUBLIC_URL", &format!("http://{address}"));
    let (house, anna) = house.with_anna().await;
    let body = json!({"password": PASSWORD});
    anna.post("/api/v1/account/passkeys/start", body)
        .await
        .is(404, "not_found");
    let path = "/api/v1/session/passkey/start";
    house
        .person()
        .post(path, json!({}))
        .await
        .is(404, "not_found");
}
