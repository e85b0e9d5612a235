//! People from an LDAP directory, against Debian's slapd.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::slapd::{BASE, SERVICE, SERVICE_PASSWORD, Slapd, group, person};
use crate::support::{Answer, House, PASSWORD, Person, with_input};

/// Lets a house read a directory.
fn connect(house: &mut House, slapd: &Slapd) {
    for (key, value) in [
        ("URL", slapd.url().as_str()),
        ("BASE_DN", BASE),
        ("BIND_DN", SERVICE),
        ("BIND_PASSWORD", SERVICE_PASSWORD),
        ("FILTER", "(objectClass=inetOrgPerson)"),
    ] {
        house.set(&format!("LDAP__{key}"), value);
    }
}

async fn sync(admin: &Person) -> Value {
    let answer = admin.post("/api/v1/admin/ldap/sync", json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

/// Of the last run: people, created, updated, removed.
fn counts(status: &Value) -> [u64; 4] {
    ["people", "created", "updated", "removed"].map(|key| {
        status[key]
            .as_u64()
            .unwrap_or_else(|| panic!("{key} in {status}"))
    })
}

/// Until the run at the start is over.
async fn first_run(admin: &Person) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let status = admin.get("/api/v1/admin/ldap").await.json();
        if status.get("last_run_ms").is_some() {
            return status;
        }
        assert!(Instant::now() < deadline, "{status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn sign_in(house: &House, username: &str, password: &str) -> (Person, Answer) {
    let person = house.person();
    let answer = person.sign_in(username, password).await;
    (person, answer)
}

/// A started house with an administrator, who was there before anybody of the directory.
async fn with_administrator(mut house: House) -> (House, Person) {
    let mut add = house.command(&["user", "add", "anna", "--admin", "--password-stdin"]);
    let added = with_input(&mut add, PASSWORD);
    assert!(added.status.success(), "{added:?}");
    house.start();
    let (anna, answer) = sign_in(&house, "anna", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    (house, anna)
}

/// Signed in, as this account.
async fn member(house: &House, username: &str) -> (Person, Value) {
    let (person, answer) = sign_in(house, username, &format!("geheim von {username}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let user = person.me().await["user"].clone();
    (person, user)
}

#[tokio::test]
async fn a_thousand_people_come_page_by_page_and_the_run_after_that_changes_nothing() {
    let mut ldif = String::new();
    let mut everybody = Vec::new();
    for number in 0..1000 {
        let username = format!("person{number:04}");
        ldif += &person(&username, &format!("Person Nummer {number}"), "");
        everybody.push(username);
    }
    let names: Vec<&str> = everybody.iter().map(String::as_str).collect();
    ldif += &group("Alle", &names);
    let slapd = Slapd::start(&ldif);
    let mut house = House::on_postgres();
    connect(&mut house, &slapd);
    let (house, anna) = house.with_anna().await;

    let first = first_run(&anna).await;
    assert_eq!(counts(&first), [1000, 1000, 0, 0], "{first}");
    assert_eq!(first.get("problem"), None);
    let second = sync(&anna).await;
    assert_eq!(counts(&second), [1000, 0, 0, 0], "{second}");
    let (_, last) = member(&house, "person0999").await;
    assert_eq!(last["name"], "Person Nummer 999");
}

#[tokio::test]
async fn people_sign_in_with_the_directorys_password_and_never_without() {
    let slapd = Slapd::start(
        &[
            person("carla", "Carla Ölmann", ""),
            person("dora", "Dora", ""),
        ]
        .concat(),
    );
    let mut house = House::new();
    connect(&mut house, &slapd);
    let (house, anna) = house.with_anna().await;
    first_run(&anna).await;

    let (_, carla) = member(&house, "carla").await;
    assert_eq!(carla["name"], "Carla Ölmann");
    assert_eq!(carla["admin"], false);
    let (_, capital) = sign_in(&house, "CARLA", "geheim von carla").await;
    assert_eq!(capital.status, StatusCode::OK);
    for (what, username, password) in [
        ("another's password", "carla", "geheim von dora"),
        ("no password", "dora", ""),
        ("nobody", "emil", "geheim von emil"),
        ("anybody", "*", "geheim von carla"),
        ("the filter's end", "carla)(uid=*", "geheim von carla"),
        ("or everybody", "x)(|(uid=carla", "geheim von carla"),
        (
            "a DN",
            "uid=carla,ou=people,dc=example,dc=org",
            "geheim von carla",
        ),
        ("the service", "stube", SERVICE_PASSWORD),
    ] {
        let (_, answer) = sign_in(&house, username, password).await;
        assert_eq!(
            answer.status,
            StatusCode::UNAUTHORIZED,
            "{what}: {answer:?}"
        );
        assert_eq!(
            answer.json(),
            json!({"code": "wrong_credentials"}),
            "{what}"
        );
    }
    let (_, own) = sign_in(&house, "anna", PASSWORD).await;
    assert_eq!(own.status, StatusCode::OK, "the house's own password");
}

#[tokio::test]
async fn who_is_gone_is_locked_and_thrown_out_and_who_is_back_is_let_in_again() {
    let slapd = Slapd::start(&[person("carla", "Carla", ""), person("dora", "Dora", "")].concat());
    let mut house = House::new();
    connect(&mut house, &slapd);
    let (house, anna) = house.with_anna().await;
    first_run(&anna).await;
    let (carla, account) = member(&house, "carla").await;
    let mut socket = carla.socket().await;

    slapd.remove("carla").await;
    let run = sync(&anna).await;
    assert_eq!(counts(&run), [1, 0, 0, 1], "{run}");
    socket.until_closed().await;
    assert_eq!(carla.me().await.get("user"), None, "the session is over");
    let (_, refused) = sign_in(&house, "carla", "geheim von carla").await;
    refused.is(401, "wrong_credentials");
    assert_eq!(counts(&sync(&anna).await), [1, 0, 0, 0], "once is enough");

    slapd.add("carla").await;
    let run = sync(&anna).await;
    let problem = run["problem"].as_str().unwrap_or_default();
    assert!(
        problem.contains("carla"),
        "another entry is another person: {run}"
    );
    let (_, refused) = sign_in(&house, "carla", "geheim von carla").await;
    refused.is(401, "wrong_credentials");
    assert_ne!(account["id"], Value::Null);
}

#[tokio::test]
async fn who_matches_the_filter_again_is_the_same_person() {
    let ldif = [
        person("carla", "Carla", "employeeType: active\n"),
        person("dora", "Dora", "employeeType: active\n"),
    ];
    let slapd = Slapd::start(&ldif.concat());
    let mut house = House::new();
    connect(&mut house, &slapd);
    house.set("LDAP__FILTER", "(employeeType=active)");
    let (house, anna) = house.with_anna().await;
    first_run(&anna).await;
    let (_, before) = member(&house, "carla").await;

    slapd.replace("carla", "employeeType", "left").await;
    assert_eq!(counts(&sync(&anna).await), [1, 0, 0, 1]);
    let (_, refused) = sign_in(&house, "carla", "geheim von carla").await;
    refused.is(401, "wrong_credentials");

    slapd.replace("carla", "employeeType", "active").await;
    let (_, at_once) = member(&house, "carla").await;
    assert_eq!(
        at_once["id"], before["id"],
        "the sign-in need not wait for a run"
    );
    assert_eq!(counts(&sync(&anna).await), [2, 0, 0, 0]);

    slapd.replace("carla", "employeeType", "left").await;
    sync(&anna).await;
    slapd.replace("carla", "employeeType", "active").await;
    assert_eq!(counts(&sync(&anna).await), [2, 0, 1, 0]);
    let (_, after) = member(&house, "carla").await;
    assert_eq!(after["id"], before["id"]);
}

#[tokio::test]
async fn another_username_is_the_same_account_and_a_taken_one_is_nobodys() {
    let ldif = [
        person("carla", "Carla", ""),
        person("dora", "Dora", ""),
        person("anna", "Falsche Anna", ""),
    ];
    let slapd = Slapd::start(&ldif.concat());
    let mut house = House::new();
    connect(&mut house, &slapd);
    house.add_user("bernd");
    let (house, anna) = with_administrator(house).await;

    let first = first_run(&anna).await;
    assert_eq!(counts(&first), [3, 2, 0, 0], "{first}");
    let problem = first["problem"].as_str().unwrap_or_default();
    assert!(
        problem.contains("anna (another account has this username)"),
        "{first}"
    );
    let (_, impostor) = sign_in(&house, "anna", "geheim von anna").await;
    impostor.is(401, "wrong_credentials");
    let name = anna.me().await["user"]["name"].clone();
    assert_eq!(name, "anna", "nothing was taken over");

    let (_, before) = member(&house, "carla").await;
    slapd.rename("carla", "karla").await;
    slapd.rename("dora", "bernd").await;
    let run = sync(&anna).await;
    assert_eq!(counts(&run), [3, 0, 1, 0], "{run}");
    assert!(
        run["problem"]
            .as_str()
            .is_some_and(|text| text.contains("bernd")),
        "{run}"
    );
    let (_, answer) = sign_in(&house, "karla", "geheim von carla").await;
    assert_eq!(answer.json()["user"]["id"], before["id"], "{answer:?}");
    let (_, bernd) = sign_in(&house, "bernd", "geheim von dora").await;
    bernd.is(401, "wrong_credentials");
}

#[tokio::test]
async fn somebody_new_signs_in_before_the_next_run() {
    let slapd =
        Slapd::start(&[person("carla", "Carla", ""), group("Vorstand", &["carla"])].concat());
    let mut house = House::new();
    connect(&mut house, &slapd);
    house.set("LDAP__ADMIN_GROUP", "vorstand");
    let (house, anna) = with_administrator(house).await;
    first_run(&anna).await;
    slapd.add("emil").await;
    let (emil, user) = member(&house, "emil").await;
    assert_eq!(user["username"], "emil");
    assert_eq!(user["admin"], false);
    assert_eq!(counts(&sync(&anna).await), [2, 0, 0, 0]);
    assert_eq!(emil.me().await["user"]["id"], user["id"]);
}

#[tokio::test]
async fn groups_come_with_their_people_through_other_groups_and_one_makes_administrators() {
    let ldif = [
        person("carla", "Carla", ""),
        person("dora", "Dora", ""),
        person("emil", "Emil", ""),
        group("Vorstand", &["carla"]),
        group("Leitung", &["@Vorstand", "dora"]),
        group("Leer", &["niemand"]),
    ];
    let slapd = Slapd::start(&ldif.concat());
    let mut house = House::new();
    connect(&mut house, &slapd);
    house.set("LDAP__ADMIN_GROUP", "Leitung");
    let (house, anna) = with_administrator(house).await;
    let status = first_run(&anna).await;
    assert_eq!(status.get("problem"), None, "{status}");
    for (username, admin) in [("carla", true), ("dora", true), ("emil", false)] {
        let (_, user) = member(&house, username).await;
        assert_eq!(user["admin"], admin, "{username}");
    }
    assert_eq!(
        anna.me().await["user"]["admin"],
        true,
        "the house's own stays"
    );
    let (carla, _) = member(&house, "carla").await;
    assert_eq!(
        counts(&sync(&carla).await),
        [3, 0, 0, 0],
        "an administrator, and nothing new"
    );
    let account = carla.get("/api/v1/account").await;
    if account.status == StatusCode::OK {
        assert_eq!(account.json()["groups"], json!(["Leitung", "Vorstand"]));
    }
}

#[tokio::test]
async fn a_directory_that_is_down_stops_nothing_and_locks_nobody() {
    let mut slapd = Slapd::start(&person("carla", "Carla", ""));
    let mut house = House::new();
    connect(&mut house, &slapd);
    let (mut house, anna) = house.with_anna().await;
    first_run(&anna).await;
    let (carla, _) = member(&house, "carla").await;

    slapd.stop();
    let down = sync(&anna).await;
    assert!(
        down["problem"]
            .as_str()
            .is_some_and(|text| text.contains("reached")),
        "{down}"
    );
    assert_eq!(
        carla.me().await["user"]["username"],
        "carla",
        "who is in stays in"
    );
    let (_, own) = sign_in(&house, "anna", PASSWORD).await;
    assert_eq!(own.status, StatusCode::OK);
    let (_, hers) = sign_in(&house, "carla", "geheim von carla").await;
    hers.is(503, "unavailable");
    let (_, unknown) = sign_in(&house, "nobody", "geheim von carla").await;
    unknown.is(503, "unavailable");
    for _ in 0..3 {
        let (_, guess) = sign_in(&house, "anna", "geraten und falsch").await;
        guess.is(503, "unavailable");
    }
    let (_, guess) = sign_in(&house, "anna", PASSWORD).await;
    guess.is(429, "rate_limited");

    assert!(house.stop().success());
    house.start();
    let (anna, answer) = sign_in(&house, "anna", PASSWORD).await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "the server starts without it"
    );
    first_run(&anna).await;
    slapd.run();
    member(&house, "carla").await;
    let up = sync(&anna).await;
    assert_eq!(
        (counts(&up), up.get("problem")),
        ([1, 0, 0, 0], None),
        "{up}"
    );
}

#[tokio::test]
async fn a_directory_that_suddenly_tells_of_few_locks_nobody_until_somebody_says_so() {
    let all: Vec<String> = (0..20).map(|number| format!("person{number}")).collect();
    let ldif: String = all
        .iter()
        .map(|username| person(username, username, ""))
        .collect();
    let slapd = Slapd::start(&ldif);
    let mut house = House::new();
    connect(&mut house, &slapd);
    let (house, anna) = house.with_anna().await;
    first_run(&anna).await;
    slapd.remove_all_but(&["person0", "person1"]).await;
    let held = sync(&anna).await;
    assert_eq!(counts(&held), [2, 0, 0, 0], "{held}");
    assert!(
        held["problem"]
            .as_str()
            .is_some_and(|text| text.contains("18 people")),
        "{held}"
    );
    let meant = anna
        .post("/api/v1/admin/ldap/sync?remove_many=true", json!({}))
        .await
        .json();
    assert_eq!(
        (counts(&meant), meant.get("problem")),
        ([2, 0, 0, 18], None),
        "{meant}"
    );
    member(&house, "person1").await;
}

#[tokio::test]
async fn the_connection_is_encrypted_and_the_certificate_has_to_be_known() {
    let slapd = Slapd::start(&person("carla", "Carla", ""));
    let localhost = slapd.url().replace("127.0.0.1", "localhost");
    let ca_file = slapd.ca_file().display().to_string();
    for (what, url, start_tls, known, works) in [
        ("TLS", slapd.tls_url(), false, true, true),
        ("StartTLS", localhost.clone(), true, true, true),
        (
            "TLS, from an unknown authority",
            slapd.tls_url(),
            false,
            false,
            false,
        ),
        (
            "StartTLS, from an unknown authority",
            localhost,
            true,
            false,
            false,
        ),
        (
            "TLS, under another name",
            slapd.tls_url().replace("localhost", "127.0.0.2"),
            false,
            true,
            false,
        ),
    ] {
        let mut house = House::new();
        connect(&mut house, &slapd);
        house.set("LDAP__URL", &url);
        house.set("LDAP__START_TLS", if start_tls { "true" } else { "false" });
        if known {
            house.set("LDAP__CA_FILE", &ca_file);
        }
        let output = house.run(&["ldap", "check"]);
        assert_eq!(output.status.success(), works, "{what}: {output:?}");
    }
    let mut house = House::new();
    connect(&mut house, &slapd);
    house.set("LDAP__URL", &slapd.tls_url());
    house.set("LDAP__CA_FILE", &ca_file);
    let (house, anna) = house.with_anna().await;
    assert_eq!(first_run(&anna).await.get("problem"), None);
    member(&house, "carla").await;
}

#[tokio::test]
async fn the_command_line_checks_and_runs() {
    let ldif = [
        person("carla", "Carla", ""),
        person("dora", "Dora", ""),
        group("Chor", &["carla"]),
    ];
    let mut slapd = Slapd::start(&ldif.concat());
    let mut house = House::new();
    let refused = house.run(&["ldap", "check"]);
    assert!(!refused.status.success(), "there is no directory");
    connect(&mut house, &slapd);
    let said = |arguments: &[&str]| {
        let output = house.run(arguments);
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    };
    let (good, text) = said(&["ldap", "check"]);
    assert!(good && text.contains("2 people, 1 groups."), "{text}");
    assert!(text.contains("carla\tCarla\tcarla@example.org"), "{text}");
    let (good, text) = said(&["ldap", "sync"]);
    assert!(
        good && text.contains("2 people: 2 new, 0 changed, 0 locked."),
        "{text}"
    );
    let (_, list) = said(&["user", "list"]);
    assert!(list.contains("carla\tCarla"), "{list}");
    slapd.stop();
    for command in ["check", "sync"] {
        let (good, text) = said(&["ldap", command]);
        assert!(
            !good && text.contains("the directory cannot be reached"),
            "{text}"
        );
    }
}
