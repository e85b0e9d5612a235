//! Second factors: authenticator apps, backup codes, and the account that has them.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::support::{Answer, House, PASSWORD, Person, answer};

/// A house behind a proxy, so that one test can come from many addresses.
fn house() -> House {
    let mut house = House::new();
    house.set("TRUSTED_PROXIES", "127.0.0.1");
    house
}

/// The app's code for a number of steps ahead. The server takes the next one too, so that the present one and that one are
/// good for the time of a test.
fn code(secret: &str, ahead: u64) -> String {
    let secret = Secret::try_from_base32(secret).expect("base32");
    let totp = Builder::new().with_secret(secret).build().expect("a key");
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("after 1970").as_secs();
    totp.generate(now + 30 * ahead).to_string()
}

async fn post(person: &Person, path: &str, body: Value) -> Answer {
    person.post(&format!("/api/v1/account{path}"), body).await
}

/// Gives the secret and the backup codes.
async fn add_totp(person: &Person) -> (String, Vec<String>) {
    let (secret, codes, _) = add_totp_with_its_code(person).await;
    (secret, codes)
}

/// Gives the code that was used up by it too: another half minute may have begun meanwhile.
async fn add_totp_with_its_code(person: &Person) -> (String, Vec<String>, String) {
    let begun = post(person, "/totp", json!({"password": PASSWORD})).await;
    let secret = begun.json()["secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    let used = code(&secret, 0);
    let confirmed = post(person, "/totp/confirm", json!({"code": used})).await;
    let codes = confirmed.json()["codes"].clone();
    let codes: Vec<String> = serde_json::from_value(codes).expect("codes");
    (secret, codes, used)
}

async fn account(person: &Person) -> Value {
    person.get("/api/v1/account").await.json()
}

async fn first_step(person: &Person) -> String {
    let step = person.sign_in("anna", PASSWORD).await;
    let body = step.json();
    assert_eq!((step.status.as_u16(), &body["step"]), (200, &json!("code")));
    assert_eq!(step.header("set-cookie"), "", "nobody is signed in yet");
    body["token"].as_str().expect("a token").to_owned()
}

async fn second_step(person: &Person, token: &str, code: &str) -> Answer {
    let body = json!({"token": token, "code": code});
    person.post("/api/v1/session/code", body).await
}

async fn second_step_from(person: &Person, token: &str, code: &str, address: &str) -> Answer {
    let body = json!({"token": token, "code": code});
    let request = person
        .request(Method::POST, "/api/v1/session/code")
        .header("x-forwarded-for", address);
    answer(request.json(&body)).await
}

#[tokio::test]
async fn with_an_authenticator_app_the_password_alone_opens_nothing() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        assert_eq!(account(&anna).await["totp"], false);
        let (secret, codes, used) = add_totp_with_its_code(&anna).await;
        let now = account(&anna).await;
        assert_eq!(
            (&now["totp"], &now["backup_codes"]),
            (&json!(true), &json!(10))
        );

        let browser = house.person();
        let token = first_step(&browser).await;
        assert_eq!(browser.me().await["user"], json!(null));
        second_step(&browser, &token, &used)
            .await
            .is(401, "wrong_code");
        let next = code(&secret, 1);
        let done = second_step(&browser, &token, &next).await;
        assert_eq!(done.json()["user"]["username"], "anna", "{done:?}");
        assert_eq!(browser.me().await["user"]["username"], "anna");
        second_step(&browser, &token, &codes[0])
            .await
            .is(410, "link_invalid");

        let another = house.person();
        let token = first_step(&another).await;
        second_step(&another, &token, &next)
            .await
            .is(401, "wrong_code");
        let typed = codes[0].to_uppercase().replace('-', " ");
        assert_eq!(second_step(&another, &token, &typed).await.status, 200);
        assert_eq!(account(&anna).await["backup_codes"], 9);
        let token = first_step(&another).await;
        second_step(&another, &token, &codes[0])
            .await
            .is(401, "wrong_code");
        assert_eq!(second_step(&another, &token, &codes[1]).await.status, 200);

        let removed = post(&anna, "/totp/remove", json!({"password": PASSWORD})).await;
        assert_eq!(removed.status, 204, "{removed:?}");
        let step = house.person().sign_in("anna", PASSWORD).await;
        assert_eq!(step.json()["step"], "done");
        assert_eq!(account(&anna).await.get("backup_codes"), None);
    }
}

#[tokio::test]
async fn a_recovery_link_is_one_factor_and_the_other_is_asked_for_as_ever() {
    let (house, anna) = house().with_anna().await;
    let (secret, _) = add_totp(&anna).await;
    let output = house.run(&["user", "recover", "anna"]);
    let url = String::from_utf8(output.stdout).expect("text");
    let token = url.trim().split_once("/recover#").expect("a link").1;
    let person = house.person();
    let body = json!({"token": token, "password": "blaue tür am mittag"});
    let step = person.post("/api/v1/links/accept", body).await;
    assert_eq!(step.json()["step"], "code", "{step:?}");
    assert_eq!(person.me().await["user"], Value::Null);
    let waiting = step.json()["token"].as_str().expect("a token").to_owned();
    second_step(&person, &waiting, "000000")
        .await
        .is(401, "wrong_code");
    let done = second_step(&person, &waiting, &code(&secret, 1)).await;
    assert_eq!(done.json()["step"], "done", "{done:?}");
    assert_eq!(person.me().await["user"]["username"], "anna");
}

#[tokio::test]
async fn a_token_is_good_for_five_codes() {
    let (house, anna) = house().with_anna().await;
    let (secret, codes) = add_totp(&anna).await;
    let browser = house.person();
    let token = first_step(&browser).await;
    for n in 1..=5 {
        let address = format!("192.0.2.{n}");
        let wrong = second_step_from(&browser, &token, "000000", &address).await;
        wrong.is(401, "wrong_code");
    }
    let late = second_step_from(&browser, &token, &code(&secret, 1), "192.0.2.6").await;
    late.is(410, "link_invalid");
    let token = first_step(&browser).await;
    for n in 1..=4 {
        let address = format!("192.0.2.{n}");
        let wrong = second_step_from(&browser, &token, "000000", &address).await;
        wrong.is(401, "wrong_code");
    }
    let fifth = second_step_from(&browser, &token, &codes[3], "192.0.2.6").await;
    assert_eq!(fifth.status, 200, "{fifth:?}");
}

#[tokio::test]
async fn codes_cannot_be_guessed_with_one_new_token_after_another() {
    let (house, anna) = house().with_anna().await;
    let (secret, _) = add_totp(&anna).await;
    let guesser = house.person();
    for _ in 0..3 {
        let token = first_step(&guesser).await;
        let wrong = second_step(&guesser, &token, "000000").await;
        wrong.is(401, "wrong_code");
    }
    let token = first_step(&guesser).await;
    let refused = second_step(&guesser, &token, &code(&secret, 1)).await;
    refused.is(429, "rate_limited");
    assert!(
        refused
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds > 0)
    );
    let elsewhere = second_step_from(&guesser, &token, &code(&secret, 1), "192.0.2.1").await;
    assert_eq!(
        elsewhere.status, 200,
        "elsewhere nobody is kept out: {elsewhere:?}"
    );
}

#[tokio::test]
async fn codes_cannot_be_guessed_from_many_addresses() {
    let (house, anna) = house().with_anna().await;
    let (secret, _) = add_totp(&anna).await;
    let guesser = house.person();
    for network in 0..6 {
        let token = first_step(&guesser).await;
        for n in 0..5 {
            let address = format!("2001:db8:0:{network}{n}::1");
            let wrong = second_step_from(&guesser, &token, "000000", &address).await;
            wrong.is(401, "wrong_code");
        }
    }
    let token = first_step(&guesser).await;
    let refused = second_step_from(&guesser, &token, &code(&secret, 1), "2001:db8:1::1").await;
    refused.is(429, "rate_limited");
}

#[tokio::test]
async fn nobody_keeps_all_cores_busy_with_one_confirmation() {
    let (_house, anna) = house().with_anna().await;
    let begun = post(&anna, "/totp", json!({"password": PASSWORD})).await;
    let begun = begun.json();
    let now = code(begun["secret"].as_str().expect("a secret"), 0);
    let confirm = || post(&anna, "/totp/confirm", json!({"code": now}));
    let answers = futures_util::future::join_all((0..12).map(|_| confirm())).await;
    let count = |status| {
        let with = answers.iter().filter(|answer| answer.status == status);
        with.count()
    };
    assert_eq!(count(200), 1, "{answers:?}");
    assert!(count(429) > 0, "{answers:?}");
}

#[tokio::test]
async fn the_first_step_is_worth_nothing_after_a_new_password_or_a_lock() {
    let (house, anna) = House::new().with_anna().await;
    let (_, codes) = add_totp(&anna).await;
    let browser = house.person();
    let token = first_step(&browser).await;
    let change = json!({"current": PASSWORD, "new": "neues pferd im stall"});
    assert_eq!(post(&anna, "/password", change).await.status, 204);
    second_step(&browser, &token, &codes[0])
        .await
        .is(410, "link_invalid");
    for token in ["", "short", &"A".repeat(43)] {
        second_step(&browser, token, &codes[0])
            .await
            .is(410, "link_invalid");
    }
    let step = browser.sign_in("anna", "neues pferd im stall").await;
    let token = step.json()["token"].as_str().expect("a token").to_owned();
    assert_eq!(second_step(&browser, &token, &codes[0]).await.status, 200);
}

#[tokio::test]
async fn a_recovery_link_gives_a_new_password_and_still_asks_for_the_code() {
    let (house, anna) = House::new().with_anna().await;
    let (_, codes) = add_totp(&anna).await;
    let printed = house.run(&["user", "recover", "anna"]);
    let printed = String::from_utf8(printed.stdout).expect("text");
    let link = printed.split_once("/recover#").expect("a link").1;
    let token = link.split_whitespace().next().expect("a token");
    let browser = house.person();
    let body = json!({"token": token, "password": "neues pferd im stall"});
    let step = browser.post("/api/v1/links/accept", body).await;
    assert_eq!(step.json()["step"], "code", "{step:?}");
    assert_eq!(browser.me().await["user"], json!(null));
    let token = step.json()["token"].as_str().expect("a token").to_owned();
    assert_eq!(second_step(&browser, &token, &codes[0]).await.status, 200);
    let sessions = browser.get("/api/v1/account/sessions").await.json();
    assert_eq!(sessions["sessions"][0]["method"], "link", "{sessions}");
    let step = browser.sign_in("anna", "neues pferd im stall").await;
    let token = step.json()["token"].as_str().expect("a token").to_owned();
    assert_eq!(second_step(&browser, &token, &codes[1]).await.status, 200);
    let sessions = browser.get("/api/v1/account/sessions").await.json();
    assert_eq!(sessions["sessions"][0]["method"], "password_and_code");
}

#[tokio::test]
async fn what_a_sign_in_depends_on_asks_for_the_password_again() {
    let (house, anna) = house().with_anna().await;
    let requests = |password: &str| {
        [
            (Method::POST, "/totp", json!({"password": password})),
            (Method::POST, "/totp/remove", json!({"password": password})),
            (
                Method::POST,
                "/passkeys/start",
                json!({"password": password}),
            ),
            (
                Method::DELETE,
                "/passkeys/none",
                json!({"password": password}),
            ),
            (
                Method::POST,
                "/password",
                json!({"current": password, "new": "neues pferd im stall"}),
            ),
            (
                Method::PATCH,
                "",
                json!({"mail": "anna@example.org", "password": password}),
            ),
        ]
    };
    let mut address = 0;
    let mut send = |person: &Person, method: Method, path: &str, body: &Value| {
        address += 1;
        let request = person
            .request(method, &format!("/api/v1/account{path}"))
            .header("x-forwarded-for", format!("192.0.2.{address}"));
        answer(request.json(body))
    };
    for (method, path, body) in requests("falsches pferd") {
        let wrong = send(&anna, method.clone(), path, &body).await;
        wrong.is(401, "wrong_credentials");
        send(&house.person(), method, path, &body)
            .await
            .is(401, "sign_in_required");
    }
    let without = send(
        &anna,
        Method::PATCH,
        "",
        &json!({"mail": "anna@example.org"}),
    )
    .await;
    without.is(401, "wrong_credentials");
    for (method, path, body) in requests(PASSWORD) {
        let right = send(&anna, method, path, &body).await;
        assert!(
            matches!(right.status.as_u16(), 200 | 204 | 404),
            "{path}: {right:?}"
        );
        if path == "/password" {
            let back = json!({"current": "neues pferd im stall", "new": PASSWORD});
            assert_eq!(send(&anna, Method::POST, path, &back).await.status, 204);
        }
    }
    assert_eq!(account(&anna).await["mail"], "anna@example.org");
    let same = send(
        &anna,
        Method::PATCH,
        "",
        &json!({"mail": "anna@example.org"}),
    )
    .await;
    assert_eq!(same.status, 200, "the same address changes nothing");
    let gone = send(
        &anna,
        Method::PATCH,
        "",
        &json!({"mail": "", "password": PASSWORD}),
    )
    .await;
    assert_eq!(gone.json().get("mail"), None);
}

#[tokio::test]
async fn guessing_the_password_of_an_open_session_is_slowed_down() {
    let (_house, anna) = House::new().with_anna().await;
    for _ in 0..3 {
        let wrong = post(&anna, "/totp", json!({"password": "falsches pferd"})).await;
        wrong.is(401, "wrong_credentials");
    }
    let refused = post(&anna, "/totp", json!({"password": PASSWORD})).await;
    refused.is(429, "rate_limited");
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions_and_keeps_this_one() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let other = house.person();
        assert_eq!(other.sign_in("anna", PASSWORD).await.status, 200);
        let mut socket = other.socket().await;
        for (new, expect) in [
            ("kurz", 400),
            ("password1", 400),
            ("Anna Ö. 2026", 400),
            ("meine Stube 1", 400),
            ("neues pferd im stall", 204),
        ] {
            let body = json!({"current": PASSWORD, "new": new});
            let changed = post(&anna, "/password", body).await;
            assert_eq!(changed.status, expect, "{new}: {changed:?}");
        }
        assert_eq!(anna.me().await["user"]["username"], "anna");
        assert_eq!(other.me().await["user"], json!(null));
        socket.until_closed().await;
        other
            .sign_in("anna", PASSWORD)
            .await
            .is(401, "wrong_credentials");
        assert_eq!(
            other.sign_in("anna", "neues pferd im stall").await.status,
            200
        );
    }
}

#[tokio::test]
async fn a_secret_is_confirmed_by_its_code_and_the_old_one_holds_until_then() {
    let (house, anna) = house().with_anna().await;
    post(&anna, "/totp/confirm", json!({"code": "000000"}))
        .await
        .is(410, "link_invalid");
    let begun = post(&anna, "/totp", json!({"password": PASSWORD}))
        .await
        .json();
    let url = begun["url"].as_str().expect("an address");
    assert!(
        url.starts_with("otpauth://totp/Stube:anna?secret="),
        "{url}"
    );
    post(&anna, "/totp/confirm", json!({"code": "000000"}))
        .await
        .is(401, "wrong_code");
    assert_eq!(account(&anna).await["totp"], false, "shown is not in force");

    let (_, old_codes) = add_totp(&anna).await;
    let begun = post(&anna, "/totp", json!({"password": PASSWORD}))
        .await
        .json();
    let secret = begun["secret"].as_str().expect("a secret");
    let browser = house.person();
    let token = first_step(&browser).await;
    let unconfirmed = second_step(&browser, &token, &code(secret, 1)).await;
    unconfirmed.is(401, "wrong_code");
    assert_eq!(
        second_step(&browser, &token, &old_codes[0]).await.status,
        200
    );
    let confirmed = post(&anna, "/totp/confirm", json!({"code": code(secret, 0)})).await;
    assert_eq!(confirmed.status, 200);
    let token = first_step(&browser).await;
    second_step(&browser, &token, &old_codes[1])
        .await
        .is(401, "wrong_code");
    assert_eq!(
        second_step(&browser, &token, &code(secret, 1)).await.status,
        200
    );
}

#[tokio::test]
async fn where_only_providers_say_who_somebody_is_no_password_does() {
    let mut house = House::new();
    house.start();
    let anna = house.person();
    anna.set_up(&house, "anna").await;
    let id = account(&anna).await["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/api/v1/admin/people/{id}/recovery");
    let made = anna.post(&path, json!({"send_mail": false})).await.json();
    let link = made["url"].as_str().and_then(|url| url.split_once('#'));
    let (_, link) = link.expect("a link");
    let opened = anna
        .post("/api/v1/links/open", json!({"token": link}))
        .await;
    assert_eq!(opened.status, 200, "{opened:?}");
    house.kill();
    house.set("POLICY__LOCAL_SIGN_IN", "false");
    house.start();
    let somebody = house.person();
    somebody
        .sign_in("anna", PASSWORD)
        .await
        .is(403, "forbidden");
    let passkey = somebody
        .post("/api/v1/session/passkey/start", json!({}))
        .await;
    passkey.is(403, "forbidden");
    let body = json!({"token": link, "password": "ein neues Passwort"});
    for path in ["/api/v1/links/open", "/api/v1/links/accept"] {
        let refused = somebody.post(path, body.clone()).await;
        refused.is(410, "link_invalid");
    }
    second_step(&somebody, link, "123456")
        .await
        .is(403, "forbidden");
}
