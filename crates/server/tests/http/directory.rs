//! The directory and the groups, over HTTP and from the command line.

use std::fs;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, House, PASSWORD, Person, answer};

async fn search(person: &Person, text: &str) -> Answer {
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    person.get(&format!("/api/v1/people?q={encoded}")).await
}

fn usernames(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let people = answer.json()["people"].clone();
    let people = people.as_array().expect("people").clone();
    people
        .iter()
        .map(|person| person["username"].as_str().expect("text").to_owned())
        .collect()
}

async fn found(person: &Person, text: &str) -> Vec<String> {
    usernames(&search(person, text).await)
}

/// What no interface does, in the database of the house.
async fn behind_its_back(house: &House, statements: &[String]) {
    match house.postgres_url() {
        Some(url) => {
            let pool = sqlx::PgPool::connect(url).await.expect("the database");
            for sql in statements {
                let sql = sqlx::AssertSqlSafe(sql.as_str());
                sqlx::query(sql).execute(&pool).await.expect("a change");
            }
            pool.close().await;
        }
        None => {
            let file = house.directory.0.join("data/stube.db");
            let url = format!("sqlite://{}", file.to_str().expect("an ASCII path"));
            let pool = sqlx::SqlitePool::connect(&url).await.expect("the database");
            for sql in statements {
                let sql = sqlx::AssertSqlSafe(sql.as_str());
                sqlx::query(sql).execute(&pool).await.expect("a change");
            }
            pool.close().await;
        }
    }
}

fn group(house: &House, arguments: &[&str]) -> String {
    let output = house.run(&[&["group"], arguments].concat());
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test]
async fn only_people_with_an_account_read_the_directory() {
    let (house, anna) = House::new().with_anna().await;
    house.add_user("bernd");
    let bernd = house.person();
    bernd.sign_in("bernd", PASSWORD).await;
    let locked = house.member("otto").await;
    let lock = "UPDATE users SET locked = TRUE WHERE username = 'otto'".to_owned();
    behind_its_back(&house, &[lock]).await;
    anna.post("/api/v1/rooms", json!({"name": "public/garden"}))
        .await;
    let entry = json!({"room": "garden", "name": "Gast"});
    let grant = house.person().post("/api/v1/guests", entry).await.json();
    let body = json!({"name": "Machine", "scopes": ["read", "write", "scim"]});
    let token = anna.post("/api/v1/admin/tokens", body).await.json();
    let bearer = |secret: &Value| {
        let request = house.person().request(Method::GET, "/api/v1/people?q=anna");
        request.bearer_auth(secret.as_str().expect("a secret"))
    };
    let cookie = |person: &Person| person.request(Method::GET, "/api/v1/people?q=anna");

    for (who, request, allowed) in [
        ("nobody", cookie(&house.person()), false),
        ("a guest", bearer(&grant["grant"]), false),
        ("a machine", bearer(&token["secret"]), false),
        ("a locked account", cookie(&locked), false),
        ("a member", cookie(&bernd), true),
        ("an administrator", cookie(&anna), true),
    ] {
        let answer = answer(request).await;
        if allowed {
            assert_eq!(usernames(&answer), ["anna"], "{who}");
        } else {
            answer.is(401, "sign_in_required");
            assert!(!answer.text.contains("Anna"), "{who}");
        }
    }
}

#[tokio::test]
async fn a_small_house_is_listed_and_a_large_one_asks_for_three_letters() {
    for house in [House::new(), House::on_postgres()] {
        let (mut house, anna) = house.with_anna().await;
        house.add_user("Öle");
        house.add_user("bernd");
        assert_eq!(found(&anna, "").await, ["anna", "bernd", "Öle"]);
        assert_eq!(found(&anna, "b").await, ["bernd"]);
        assert_eq!(found(&anna, "oel").await, ["Öle"]);
        let person = search(&anna, "anna").await.json()["people"][0].clone();
        assert_eq!(
            (&person["name"], person.get("mail")),
            (&json!("Anna Ö."), None)
        );

        // As they were made before there was a directory.
        let many: Vec<_> = (0..150)
            .map(|number| {
                format!(
                    "INSERT INTO users (id, username, username_key, name, admin, password_hash, created) VALUES \
                     ('u{number}', 'schmidt{number}', 'schmidt{number}', 'Jörg Schmidt', FALSE, '', 1)"
                )
            })
            .collect();
        behind_its_back(&house, &many).await;
        house.stop();
        house.start();
        let anna = house.person();
        anna.sign_in("anna", PASSWORD).await;
        for text in ["", "sc", "a", "?"] {
            let answer = search(&anna, text).await.json();
            assert_eq!(
                answer,
                json!({"people": [], "more": false, "type_more": true}),
                "{text}"
            );
        }
        let answer = search(&anna, "joerg sch").await;
        assert_eq!(usernames(&answer).len(), 100);
        assert_eq!(answer.json()["more"], true);
        let answer = search(&anna, "Schmidt149").await;
        assert_eq!(usernames(&answer), ["schmidt149"]);
        assert_eq!(answer.json()["more"], false);
    }
}

#[tokio::test]
async fn people_see_whom_the_rules_of_the_house_let_them_see() {
    let rules = "[[policy.visibility]]\ngroup = \"Schüler\"\nsees = [\"lehrer\"]\n\
        [[policy.visibility]]\ngroup = \"Eltern\"\nsees = [\"Eltern\"]\n";
    for house in [House::new(), House::on_postgres()] {
        fs::write(house.directory.0.join("stube.toml"), rules).expect("a file");
        let (house, anna) = house.with_anna().await;
        let (pupil, parent, teacher) = (
            house.member("pupil").await,
            house.member("parent").await,
            house.member("teacher").await,
        );
        for (name, username) in [
            ("Schüler", "pupil"),
            ("Eltern", "parent"),
            ("Lehrer", "teacher"),
        ] {
            group(&house, &["add", name]);
            group(&house, &["join", name, username]);
        }
        let everybody = ["anna", "parent", "pupil", "teacher"];
        assert_eq!(found(&anna, "").await, everybody);
        assert_eq!(found(&teacher, "").await, everybody);
        assert_eq!(found(&pupil, "").await, ["pupil", "teacher"]);
        assert_eq!(found(&parent, "").await, ["parent"]);
        assert_eq!(found(&parent, "teacher").await, Vec::<String>::new());
        assert_eq!(found(&pupil, "teacher").await, ["teacher"]);

        let everyone = search(&anna, "").await.json();
        let id = |name: &str| {
            let mut all = everyone["people"].as_array().expect("people").iter();
            let person = all.find(|person| person["username"] == name);
            person.expect("somebody")["id"]
                .as_str()
                .expect("an id")
                .to_owned()
        };
        let picture = format!(
            "INSERT INTO images (owner, bytes) VALUES ('{}', {})",
            id("teacher"),
            if house.postgres_url().is_some() {
                "'\\x89504e47'"
            } else {
                "x'89504e47'"
            }
        );
        let version = "UPDATE users SET picture = 'v1' WHERE username = 'teacher'".to_owned();
        behind_its_back(&house, &[picture, version]).await;
        let person = search(&pupil, "teacher").await.json()["people"][0].clone();
        assert_eq!(person["picture"], "v1");
        let path = format!("/api/v1/people/{}/picture", id("teacher"));
        for (person, status) in [(&pupil, 200), (&teacher, 200), (&anna, 200), (&parent, 404)] {
            let answer = person.get(&path).await;
            assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        }

        group(&house, &["join", "Eltern", "pupil"]);
        assert_eq!(
            found(&pupil, "").await,
            ["parent", "pupil", "teacher"],
            "both together"
        );
        group(&house, &["leave", "Schüler", "pupil"]);
        assert_eq!(found(&pupil, "").await, ["parent", "pupil"]);
    }
}

#[tokio::test]
async fn who_reads_the_whole_directory_has_to_wait_and_nobody_else() {
    let (house, anna) = House::new().with_anna().await;
    let bernd = house.member("bernd").await;
    let mut answered = 0;
    let refusal = loop {
        let answer = search(&anna, "bernd").await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        answered += 1;
        assert!(answered < 2_000, "somebody reads without end");
    };
    assert!(
        answered >= 120,
        "humans search {answered} times without a pause"
    );
    refusal.is(429, "rate_limited");
    assert_eq!(refusal.header("retry-after"), "1");
    assert_eq!(found(&bernd, "anna").await, ["anna"]);
}

#[tokio::test]
async fn administrators_keep_groups() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        house.add_user("bernd");
        let bernd = search(&anna, "bernd").await.json()["people"][0]["id"].clone();
        let bernd = bernd.as_str().expect("an id").to_owned();
        let make = async |name: &str| {
            anna.post("/api/v1/admin/groups", json!({"name": name}))
                .await
        };
        let choir = make(" Chor  der Älteren ").await.json();
        assert_eq!(
            (&choir["name"], &choir["people"]),
            (&json!("Chor der Älteren"), &json!(0))
        );
        make("chor der älteren").await.is(409, "name_taken");
        make("").await.is(400, "name_invalid");
        assert_eq!(make("Büro").await.status, StatusCode::OK);

        let path = format!(
            "/api/v1/admin/groups/{}",
            choir["id"].as_str().expect("an id")
        );
        let ask = async |method: Method, path: &str| answer(anna.request(method, path)).await;
        for (method, path, status) in [
            (Method::PUT, format!("{path}/people/{bernd}"), 204),
            (Method::PUT, format!("{path}/people/{bernd}"), 204),
            (Method::PUT, format!("{path}/people/nobody"), 404),
            (
                Method::PUT,
                format!("/api/v1/admin/groups/none/people/{bernd}"),
                404,
            ),
            (Method::DELETE, format!("{path}/people/nobody"), 404),
            (
                Method::DELETE,
                format!("/api/v1/admin/groups/none/people/{bernd}"),
                404,
            ),
        ] {
            assert_eq!(
                ask(method.clone(), &path).await.status.as_u16(),
                status,
                "{method} {path}"
            );
        }
        let renamed = anna.patch(&path, json!({"name": "Chor"})).await.json();
        assert_eq!(
            (&renamed["name"], &renamed["people"]),
            (&json!("Chor"), &json!(1))
        );
        anna.patch(&path, json!({"name": "büro"}))
            .await
            .is(409, "name_taken");
        let none = anna
            .patch("/api/v1/admin/groups/none", json!({"name": "A"}))
            .await;
        none.is(404, "not_found");
        assert_eq!(group(&house, &["list"]), "Büro\t0\nChor\t1\n");

        let by_ldap = format!(
            "INSERT INTO group_people (group_id, user_id, source) VALUES ('{}', '{bernd}', 'ldap')",
            choir["id"].as_str().expect("an id")
        );
        behind_its_back(&house, &[by_ldap]).await;
        let membership = format!("{path}/people/{bernd}");
        ask(Method::DELETE, &membership)
            .await
            .is(409, "managed_elsewhere");
        let output = house.run(&["group", "leave", "chor", "bernd"]);
        assert!(
            !output.status.success() && output.stdout.is_empty(),
            "{output:?}"
        );
        let not_any_more = "DELETE FROM group_people WHERE source = 'ldap'".to_owned();
        behind_its_back(&house, &[not_any_more]).await;
        assert_eq!(ask(Method::DELETE, &membership).await.status.as_u16(), 204);
        assert_eq!(
            anna.get("/api/v1/admin/groups").await.json()["groups"][1]["people"],
            0
        );

        assert_eq!(ask(Method::DELETE, &path).await.status.as_u16(), 204);
        ask(Method::DELETE, &path).await.is(404, "not_found");
        group(&house, &["remove", "büro"]);
        assert_eq!(group(&house, &["list"]), "");
        for (arguments, naming) in [
            (&["group", "remove", "Büro"][..], "Büro"),
            (&["group", "join", "Chor", "bernd"], "Chor"),
            (&["group", "add", ""], "name"),
        ] {
            let output = house.run(arguments);
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(
                !output.status.success() && error.contains(naming),
                "{error}"
            );
        }
    }
}
