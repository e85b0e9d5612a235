//! Setting up, signing in and out, and guessing.

use reqwest::Method;
use serde_json::json;

use crate::support::{House, PASSWORD, answer, with_input};

fn both() -> [House; 2] {
    [House::new(), House::on_postgres()]
}

#[tokio::test]
async fn the_setup_link_makes_the_administrator_once() {
    for house in both() {
        let (mut house, anna) = house.with_anna().await;
        let me = anna.me().await;
        assert_eq!(me["user"]["username"], "anna");
        assert_eq!(me["user"]["name"], "Anna Ö.");
        assert_eq!(me["user"]["admin"], true);
        assert_eq!(me["setup_needed"], false);
        house
            .person()
            .set_up(&house, "bernd")
            .await
            .is(410, "setup_link_invalid");
        house.kill();
        house.start();
        assert_eq!(house.setup_link, None);
        assert!(!house.run(&["setup-link"]).status.success());
    }
}

#[tokio::test]
async fn the_setup_link_stays_the_same_until_it_is_used() {
    let mut house = House::new();
    house.set("LISTEN", &free_port());
    house.start();
    let first = house.setup_link.clone().expect("a link");
    let printed = String::from_utf8(house.run(&["setup-link"]).stdout).expect("text");
    assert_eq!(printed.trim(), first);
    house.kill();
    house.start();
    assert_eq!(house.setup_link.as_ref(), Some(&first));
    assert_eq!(house.person().me().await["setup_needed"], true);
    // A wrong link is told before anything else is looked at, the password above all.
    for password in [PASSWORD, "short"] {
        let body = json!({"token": "A".repeat(43), "username": "anna", "name": "Anna", "password": password});
        house
            .person()
            .post("/api/v1/setup", body)
            .await
            .is(410, "setup_link_invalid");
    }
    assert_eq!(house.person().set_up(&house, "anna").await.status, 200);
}

/// Free a moment ago; nobody else on this machine asks for it by number.
fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

#[tokio::test]
async fn setting_up_refuses_bad_names_and_passwords_and_keeps_the_link() {
    let mut house = House::new();
    house.start();
    let link = house.setup_link.clone().expect("a link");
    let token = link.split_once('#').expect("a token").1;
    let nobody = house.person();
    for (username, name, password, code) in [
        ("", "Anna", PASSWORD, "name_invalid"),
        ("an na", "Anna", PASSWORD, "name_invalid"),
        ("anna", "\u{202e}Anna", PASSWORD, "name_invalid"),
        ("anna", "Anna", "short", "password_invalid"),
        ("anna", "Anna", "Passwort123", "password_invalid"),
        ("anna", "Anna", &"x".repeat(1025), "password_invalid"),
    ] {
        let body =
            json!({"token": token, "username": username, "name": name, "password": password});
        nobody.post("/api/v1/setup", body).await.is(400, code);
    }
    assert_eq!(nobody.set_up(&house, "anna").await.status, 200);
}

#[tokio::test]
async fn signing_in_takes_any_writing_of_the_username_and_always_makes_a_new_session() {
    for house in both() {
        let (house, anna) = house.with_anna().await;
        let again = house.person();
        let first = again.sign_in("ANNA", PASSWORD).await;
        assert_eq!(
            (first.status.as_u16(), &first.json()["user"]["username"]),
            (200, &json!("anna"))
        );
        let cookie = first.header("set-cookie").to_owned();
        assert!(cookie.starts_with("stube="), "{cookie}");
        for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let second = again.sign_in("anna", PASSWORD).await;
        let old = cookie.split(';').next().expect("a pair");
        assert!(!second.header("set-cookie").starts_with(old));
        let with_old = answer(
            house
                .person()
                .request(Method::GET, "/api/v1/me")
                .header("cookie", old),
        )
        .await;
        assert_eq!(
            with_old.json()["user"],
            json!(null),
            "the session of before has ended"
        );
        assert_eq!(
            anna.me().await["user"]["username"],
            "anna",
            "other browsers stay signed in"
        );

        let out = answer(again.request(Method::DELETE, "/api/v1/session")).await;
        assert_eq!(out.status, 200);
        assert!(out.header("set-cookie").contains("Max-Age=0"));
        assert_eq!(again.me().await["user"], json!(null));
        again
            .post("/api/v1/tickets", json!({}))
            .await
            .is(401, "sign_in_required");
    }
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_look_the_same() {
    let (house, _) = House::new().with_anna().await;
    let nobody = house.person();
    let wrong = nobody.sign_in("anna", "falsches pferd").await;
    let unknown = nobody.sign_in("bernd", "falsches pferd").await;
    let impossible = nobody.sign_in("an na", "falsches pferd").await;
    wrong.is(401, "wrong_credentials");
    for other in [unknown, impossible] {
        assert_eq!((other.status, &other.text), (wrong.status, &wrong.text));
        let names = |headers: &reqwest::header::HeaderMap| {
            headers
                .keys()
                .map(|name| name.as_str().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&other.headers), names(&wrong.headers));
    }
}

#[tokio::test]
async fn guessing_is_told_to_come_later_and_so_is_the_right_password() {
    let (house, anna) = House::new().with_anna().await;
    let guesser = house.person();
    for _ in 0..3 {
        guesser
            .sign_in("anna", "falsches pferd")
            .await
            .is(401, "wrong_credentials");
    }
    let refused = guesser.sign_in("anna", PASSWORD).await;
    refused.is(429, "rate_limited");
    assert!(
        refused.json()["retry_after_ms"]
            .as_u64()
            .is_some_and(|ms| ms > 0)
    );
    assert!(
        refused
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds > 0)
    );
    house.add_user("bernd");
    assert_eq!(
        guesser.sign_in("bernd", PASSWORD).await.status,
        200,
        "another account is another matter"
    );
    assert_eq!(
        anna.me().await["user"]["username"],
        "anna",
        "who is in stays in"
    );
    let mut failures = 0;
    while guesser
        .sign_in(&format!("user{failures}"), "falsches pferd")
        .await
        .status
        == 401
    {
        failures += 1;
    }
    assert_eq!(failures, 7, "ten failures from one address");
    guesser
        .sign_in("bernd", PASSWORD)
        .await
        .is(429, "rate_limited");
}

#[tokio::test]
async fn a_crowd_at_sign_in_is_served_or_told_to_come_later() {
    let (house, _) = House::new().with_anna().await;
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let person = house.person();
        crowd.spawn(async move { person.sign_in("anna", PASSWORD).await });
    }
    let answers = crowd.join_all().await;
    for answer in &answers {
        assert!(
            matches!(answer.status.as_u16(), 200 | 429 | 503),
            "{answer:?}"
        );
        let told_when = answer.status == 200 || answer.header("retry-after").parse::<u64>().is_ok();
        assert!(told_when, "{answer:?}");
    }
    assert!(answers.iter().any(|answer| answer.status == 200));
    assert!(answers.iter().any(|answer| answer.status != 200));
}

/// The most memory the process ever had, in bytes.
fn peak_memory(house: &House) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", house.pid()));
    let status = status.expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.trim().parse::<u64>().ok())
        .expect("a number")
        * 1024
}

#[tokio::test]
async fn passwords_take_no_more_memory_than_the_cores_at_once() {
    const HASHING: u64 = 19 * 1024 * 1024;
    let (house, _) = House::new().with_anna().await;
    let before = peak_memory(&house);
    let mut crowd = tokio::task::JoinSet::new();
    for n in 0..60 {
        let person = house.person();
        crowd.spawn(async move {
            let name = format!("somebody{n}");
            let guess = person.sign_in(&name, "falsches pferd");
            // Half of them go away before they are answered, which stops no hashing.
            if n % 2 == 0 {
                return Some(guess.await.status.as_u16());
            }
            let soon = std::time::Duration::from_millis(20);
            let answer = tokio::time::timeout(soon, guess).await;
            answer.ok().map(|answer| answer.status.as_u16())
        });
    }
    let answers = crowd.join_all().await;
    assert!(answers.contains(&Some(401)), "{answers:?}");
    let cores = std::thread::available_parallelism()
        .expect("a number")
        .get() as u64;
    let grown = peak_memory(&house) - before;
    // The set-up has hashed one password already.
    let most = cores * HASHING + 16 * 1024 * 1024;
    assert!(grown < most, "{grown} bytes with {cores} cores");
}

#[tokio::test]
async fn eleven_people_of_one_office_sign_in_at_once() {
    let (house, _) = House::new().with_anna().await;
    let names: Vec<String> = (0..11).map(|n| format!("person{n}")).collect();
    for name in &names {
        house.add_user(name);
    }
    let mut office = tokio::task::JoinSet::new();
    for name in names {
        let person = house.person();
        office.spawn(async move { person.sign_in(&name, PASSWORD).await });
    }
    for answer in office.join_all().await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn the_end_of_a_session_closes_its_socket() {
    let (house, anna) = House::new().with_anna().await;
    let bernd = house.member("bernd").await;
    let mut annas = anna.socket().await;
    let mut bernds = bernd.socket().await;
    let out = answer(anna.request(Method::DELETE, "/api/v1/session")).await;
    assert_eq!(out.status, 200);
    annas.until_closed().await;

    let mut passwd = house.command(&["user", "passwd", "bernd", "--password-stdin"]);
    assert!(
        with_input(&mut passwd, "neues pferd im stall")
            .status
            .success()
    );
    bernds.until_closed().await;
}
