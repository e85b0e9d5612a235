//! People, as administrators list, make and change them.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, House, PASSWORD, Person, behind_its_back};

const PEOPLE: &str = "/api/v1/admin/people";

async fn create(anna: &Person, username: &str, name: &str) -> Value {
    let made = anna
        .post(PEOPLE, json!({"username": username, "name": name}))
        .await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    made.json()
}

async fn id_of(anna: &Person, username: &str) -> String {
    let found = anna.get(&format!("{PEOPLE}?q={username}")).await.json();
    found["people"][0]["id"].as_str().expect("an id").to_owned()
}

async fn change(anna: &Person, id: &str, change: Value) -> Answer {
    anna.patch(&format!("{PEOPLE}/{id}"), change).await
}

async fn group(anna: &Person, name: &str) {
    let made = anna
        .post("/api/v1/admin/groups", json!({"name": name}))
        .await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
}

fn usernames(page: &Value) -> Vec<String> {
    let people = page["people"].as_array().expect("people");
    let names = people
        .iter()
        .map(|person| person["username"].as_str().expect("a name"));
    names.map(str::to_owned).collect()
}

/// Action and details of the newest entries of the log, the newest first.
async fn log(anna: &Person, most: usize) -> Vec<[String; 2]> {
    let log = anna.get("/api/v1/admin/audit").await.json();
    let entries = log["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .take(most);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    entries
        .map(|entry| [text(&entry["action"]), text(&entry["details"])])
        .collect()
}

#[tokio::test]
async fn people_are_listed_page_by_page_and_found_by_words_and_groups() {
    for house in [House::new(), House::on_postgres()] {
        let (_house, anna) = house.with_anna().await;
        group(&anna, "Chor").await;
        for number in 0..103 {
            create(
                &anna,
                &format!("p{number:03}"),
                &format!("Person Nummer{number}"),
            )
            .await;
        }
        let body = json!({"username": "zoe", "name": "Zoë Müller", "mail": "z@example.org", "groups": ["chor"]});
        assert_eq!(anna.post(PEOPLE, body).await.status, StatusCode::OK);
        let get = async |query: &str| anna.get(&format!("{PEOPLE}{query}")).await.json();
        let first = get("").await;
        assert_eq!(
            (&first["total"], usernames(&first).len()),
            (&json!(105), 100)
        );
        assert_eq!(first["next"], "p098");
        let second = get("?after=P098").await;
        assert_eq!(usernames(&second), ["p099", "p100", "p101", "p102", "zoe"]);
        assert_eq!(second.get("next"), None);
        for (query, expect) in [
            ("?q=mueller", &["zoe"][..]),
            ("?q=z%40example", &["zoe"]),
            (
                "?q=nummer7&after=p070",
                &[
                    "p071", "p072", "p073", "p074", "p075", "p076", "p077", "p078", "p079",
                ],
            ),
            ("?q=nobody", &[]),
            ("?group=CHOR", &["zoe"]),
            ("?group=Chor&q=p", &[]),
        ] {
            assert_eq!(usernames(&get(query).await), expect, "{query}");
        }
        assert_eq!(get("?q=nummer7&after=p070").await["total"], 11);
        anna.get(&format!("{PEOPLE}?group=nobody"))
            .await
            .is(404, "not_found");
        anna.get(&format!("{PEOPLE}?after=%20"))
            .await
            .is(400, "name_invalid");
        let zoe = &get("?q=zoe").await["people"][0];
        assert_eq!(
            [
                &zoe["name"],
                &zoe["mail"],
                &zoe["source"],
                &zoe["groups"],
                &zoe["locked"],
                &zoe["totp"]
            ],
            [
                &json!("Zoë Müller"),
                &json!("z@example.org"),
                &json!("house"),
                &json!(["Chor"]),
                &json!(false),
                &json!(false)
            ]
        );
        let anna_again = &get("?q=anna").await["people"][0];
        assert!(anna_again["used_ms"].is_u64(), "{anna_again}");
        assert_eq!(
            (zoe.get("used_ms"), &anna_again["admin"]),
            (None, &json!(true))
        );
    }
}

#[tokio::test]
async fn somebody_new_gets_in_by_the_link() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let made = create(&anna, "berta", "Berta").await;
        let url = made["link"]["url"].as_str().expect("an address");
        let token = url.split_once("/recover#").expect("a token").1;
        let password = "blaue tür am mittag";
        let berta = house.person();
        berta
            .sign_in("berta", password)
            .await
            .is(401, "wrong_credentials");
        let accepted = json!({"token": token, "password": password});
        let accepted = berta.post("/api/v1/links/accept", accepted).await;
        assert_eq!(accepted.json()["step"], "done", "{accepted:?}");
        assert_eq!(berta.me().await["user"]["username"], "berta");

        let id = made["person"]["id"].as_str().expect("an id");
        let details = anna.get(&format!("{PEOPLE}/{id}")).await.json();
        assert_eq!(details["person"]["name"], "Berta");
        assert_eq!(details["sessions"][0]["method"], "link");
        assert_eq!(
            (
                &details["sessions"][0]["current"],
                &details["passkeys"],
                &details["providers"]
            ),
            (&json!(false), &json!([]), &json!([]))
        );
        anna.get(&format!("{PEOPLE}/nobody"))
            .await
            .is(404, "not_found");
    }
}

#[tokio::test]
async fn people_who_cannot_be_are_not_made() {
    let (_house, anna) = House::new().with_anna().await;
    let check = async |what: &str, with: Value, status: u16, code: &str| {
        let mut body = json!({"username": "berta", "name": "Berta"});
        let fields = body.as_object_mut().expect("an object");
        fields.extend(with.as_object().expect("an object").clone());
        let answer = anna.post(PEOPLE, body).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["code"]),
            (status, &json!(code)),
            "{what}"
        );
        assert_eq!(anna.get(PEOPLE).await.json()["total"], 1, "{what}");
    };
    check("taken", json!({"username": "ANNA"}), 409, "name_taken").await;
    check("two words", json!({"username": "b b"}), 400, "name_invalid").await;
    check("no name", json!({"name": ""}), 400, "name_invalid").await;
    check("no address", json!({"mail": "berta"}), 400, "mail_invalid").await;
    check(
        "a group that is not there",
        json!({"groups": ["Chor"]}),
        404,
        "not_found",
    )
    .await;
    check(
        "a word for a switch",
        json!({"admin": "yes"}),
        400,
        "malformed",
    )
    .await;
    create(&anna, "berta", "Berta").await;
}

#[tokio::test]
async fn a_person_is_changed_and_the_log_keeps_no_name_of_theirs() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let berta = house.member("berta").await;
        let id = id_of(&anna, "berta").await;
        group(&anna, "Chor").await;
        let changed = json!({"name": "Berta Neu", "mail": "b@example.org", "admin": true, "groups": ["Chor"]});
        let changed = change(&anna, &id, changed).await.json();
        assert_eq!(
            [
                &changed["name"],
                &changed["mail"],
                &changed["admin"],
                &changed["groups"]
            ],
            [
                &json!("Berta Neu"),
                &json!("b@example.org"),
                &json!(true),
                &json!(["Chor"])
            ]
        );
        assert_eq!(
            log(&anna, 1).await,
            [["person.changed", "name\nmail\nadmin = true\ngroups = Chor"]]
        );
        assert_eq!(
            usernames(&anna.get(&format!("{PEOPLE}?q=neu")).await.json()),
            ["berta"]
        );
        assert_eq!(berta.get(PEOPLE).await.status, StatusCode::OK);
        let back = change(
            &anna,
            &id,
            json!({"mail": "", "admin": false, "groups": []}),
        )
        .await
        .json();
        assert_eq!((back.get("mail"), &back["groups"]), (None, &json!([])));
        berta.get(PEOPLE).await.is(403, "forbidden");
        let before = log(&anna, 1).await;
        change(&anna, &id, json!({})).await;
        assert_eq!(log(&anna, 1).await, before, "nothing was changed");
        change(&anna, &id, json!({"name": ""}))
            .await
            .is(400, "name_invalid");
        change(&anna, &id, json!({"groups": ["Nobody"]}))
            .await
            .is(404, "not_found");
        change(&anna, "nobody", json!({}))
            .await
            .is(404, "not_found");
    }
}

#[tokio::test]
async fn who_is_locked_is_out_at_once_until_unlocked() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let berta = house.member("berta").await;
        let mut socket = berta.socket().await;
        let id = id_of(&anna, "berta").await;
        let locked = change(&anna, &id, json!({"locked": true})).await;
        assert_eq!(locked.json()["locked"], true);
        socket.until_closed().await;
        assert_eq!(berta.me().await.get("user"), None);
        house
            .person()
            .sign_in("berta", PASSWORD)
            .await
            .is(401, "wrong_credentials");
        assert_eq!(log(&anna, 1).await, [["person.locked", ""]]);
        change(&anna, &id, json!({"locked": false})).await;
        let back = house.person().sign_in("berta", PASSWORD).await;
        assert_eq!(back.status, StatusCode::OK);
        assert_eq!(log(&anna, 1).await, [["person.unlocked", ""]]);
    }
}

#[tokio::test]
async fn the_last_administrator_stays_one_and_unlocked() {
    let (house, anna) = House::new().with_anna().await;
    let me = id_of(&anna, "anna").await;
    for away in [json!({"admin": false}), json!({"locked": true})] {
        change(&anna, &me, away).await.is(409, "last_admin");
    }
    let berta = house.member("berta").await;
    let other = id_of(&anna, "berta").await;
    change(&anna, &other, json!({"admin": true, "locked": true})).await;
    let away = json!({"admin": false});
    change(&anna, &me, away.clone()).await.is(409, "last_admin");
    change(&anna, &other, json!({"locked": false})).await;
    berta.sign_in("berta", PASSWORD).await;
    assert_eq!(change(&anna, &me, away).await.status, StatusCode::OK);
    anna.get(PEOPLE).await.is(403, "forbidden");
    assert_eq!(berta.get(PEOPLE).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_looked_after_elsewhere_is_changed_there() {
    let mut house = House::new();
    house.set("OIDC__ISSUER", "https://id.example.org");
    house.set("OIDC__CLIENT_ID", "stube");
    house.set("OIDC__ADMIN_GROUP", "Admins");
    let (house, anna) = house.with_anna().await;
    house.member("berta").await;
    let id = id_of(&anna, "berta").await;
    group(&anna, "Chor").await;
    group(&anna, "Orgel").await;
    let refused = async |body: Value| change(&anna, &id, body).await.is(409, "managed_elsewhere");
    let taken = async |body: Value| {
        let answer = change(&anna, &id, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    };
    taken(json!({"name": "Berta B.", "groups": ["Chor"]})).await;

    behind_its_back(
        &house,
        "UPDATE users SET source = 'scim' WHERE username = 'berta'",
    )
    .await;
    behind_its_back(&house, "UPDATE group_people SET source = 'scim'").await;
    refused(json!({"name": "Berta C."})).await;
    refused(json!({"mail": "", "locked": true})).await;
    refused(json!({"groups": ["Orgel"]})).await;
    let both = taken(json!({"groups": ["Chor", "Orgel"], "admin": true})).await;
    assert_eq!(
        (&both["groups"], &both["locked"]),
        (&json!(["Chor", "Orgel"]), &json!(false))
    );
    assert_eq!(
        taken(json!({"groups": ["Chor"]})).await["groups"],
        json!(["Chor"])
    );

    let known = "INSERT INTO identities (issuer, subject, user_id, created) \
        SELECT 'https://id.example.org', 'b', id, 1 FROM users WHERE username = 'berta'";
    behind_its_back(&house, known).await;
    refused(json!({"admin": false})).await;
    assert_eq!(
        taken(json!({"admin": true, "locked": true})).await["locked"],
        true
    );
}

#[tokio::test]
async fn second_factors_are_taken_from_who_lost_them() {
    let (house, anna) = House::new().with_anna().await;
    house.member("berta").await;
    let id = id_of(&anna, "berta").await;
    for sql in [
        "INSERT INTO totp (user_id, sealed_secret, confirmed, last_step, created) \
         SELECT id, 'x', TRUE, 0, 1 FROM users",
        "INSERT INTO passkeys (id, user_id, name, credential, created) SELECT username, id, 'Key', '{}', 1 FROM users",
    ] {
        behind_its_back(&house, sql).await;
    }
    let has = async |username: &str| {
        let id = id_of(&anna, username).await;
        let person = anna.get(&format!("{PEOPLE}/{id}")).await.json();
        let names: Vec<_> = person["passkeys"].as_array().expect("a list").to_vec();
        assert_eq!(json!(names.len()), person["person"]["passkeys"]);
        (person["person"]["totp"].clone(), names.len())
    };
    assert_eq!(has("berta").await, (json!(true), 1));
    let gone = change(&anna, &id, json!({"remove_second_factors": true})).await;
    assert_eq!(gone.status, StatusCode::OK, "{gone:?}");
    assert_eq!(has("berta").await, (json!(false), 0));
    assert_eq!(
        has("anna").await,
        (json!(true), 1),
        "nobody else lost theirs"
    );
    assert_eq!(
        log(&anna, 1).await,
        [["person.changed", "second factors removed"]]
    );
}
