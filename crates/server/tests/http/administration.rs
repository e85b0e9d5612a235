//! Who gets into the administration and who does not: everybody, at every route that is described.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, House, Person, answer, behind_its_back};

/// What somebody brings.
enum With {
    Nothing,
    Cookie(Person),
    Bearer(String),
}

impl With {
    async fn ask(&self, house: &House, method: &Method, path: &str) -> Answer {
        let request = match self {
            Self::Nothing => house.person().request(method.clone(), path),
            Self::Cookie(person) => person.request(method.clone(), path),
            Self::Bearer(token) => house
                .person()
                .request(method.clone(), path)
                .bearer_auth(token),
        };
        answer(request.json(&json!({}))).await
    }
}

async fn token(anna: &Person, scopes: &[&str]) -> String {
    let body = json!({"name": "A machine", "scopes": scopes, "life_ms": 3_600_000});
    let answer = anna.post("/api/v1/admin/tokens", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["secret"]
        .as_str()
        .expect("a secret")
        .to_owned()
}

async fn guest(house: &House, anna: &Person) -> String {
    anna.post("/api/v1/rooms", json!({"name": "public/garden"}))
        .await;
    let entry = json!({"room": "garden", "name": "Gast"});
    let grant = house.person().post("/api/v1/guests", entry).await;
    grant.json()["grant"].as_str().expect("a grant").to_owned()
}

/// One operation of the description, with ids that nobody has.
#[derive(Debug)]
struct Route {
    method: Method,
    path: String,
    /// For administrators in person, and for no machine.
    in_person: bool,
}

async fn administration(house: &House) -> Vec<Route> {
    let document = house.person().get("/api/v1/openapi.json").await.json();
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        if !path.starts_with("/api/v1/admin/") {
            continue;
        }
        let parts = path.split('/');
        let parts = parts.map(|part| {
            if part.starts_with('{') {
                "nobody"
            } else {
                part
            }
        });
        let path = parts.collect::<Vec<_>>().join("/");
        for (method, operation) in operations.as_object().expect("operations") {
            let method = Method::from_bytes(method.to_uppercase().as_bytes());
            found.push(Route {
                method: method.expect("a method"),
                path: path.clone(),
                in_person: operation["security"] == json!([{"session": []}]),
            });
        }
    }
    found
}

/// Whatever comes of it, it is no refusal at the entrance.
const OPEN: u16 = 0;

#[tokio::test]
async fn only_administrators_and_tokens_of_the_right_scope_get_into_the_administration() {
    let (house, anna) = House::new().with_anna().await;
    let routes = administration(&house).await;
    assert!(routes.len() > 25, "{routes:?}");
    let in_person: Vec<_> = routes.iter().filter(|route| route.in_person).collect();
    assert!(in_person.iter().all(|route| {
        route.path.starts_with("/api/v1/admin/tokens") || route.path == "/api/v1/admin/mail/test"
    }));
    assert_eq!(in_person.len(), 4);

    let locked = house.member("otto").await;
    let lock = "UPDATE users SET admin = TRUE, locked = TRUE WHERE username = 'otto'";
    behind_its_back(&house, lock).await;
    let expired = token(&anna, &["read", "write"]).await;
    behind_its_back(&house, "UPDATE api_tokens SET expires = 1").await;
    let mut unknown = token(&anna, &["read", "write"]).await;
    unknown.replace_range(6..9, "AAA");
    let grant = guest(&house, &anna).await;
    let berta = house.member("berta").await;
    let scim = token(&anna, &["scim"]).await;
    let read = token(&anna, &["read"]).await;
    let write = token(&anna, &["write"]).await;

    // The answer to reading and to changing, where machines may come, and where only people may.
    let check = async |who: &str, with: With, answers: [u16; 4]| {
        for Route {
            method,
            path,
            in_person,
        } in &routes
        {
            let [read, write, read_in_person, write_in_person] = answers;
            let expected = match (in_person, method.is_safe()) {
                (false, true) => read,
                (false, false) => write,
                (true, true) => read_in_person,
                (true, false) => write_in_person,
            };
            let found = with.ask(&house, method, path).await.status.as_u16();
            let right = match expected {
                OPEN => ![401, 403, 405, 500].contains(&found),
                _ => found == expected,
            };
            assert!(right, "{who}: {method} {path} is answered {found}");
        }
    };
    use With::{Bearer, Cookie, Nothing};
    check("nobody", Nothing, [401; 4]).await;
    check("a guest", Bearer(grant), [401; 4]).await;
    check("a locked administrator", Cookie(locked), [401; 4]).await;
    check("an expired token", Bearer(expired), [401; 4]).await;
    check("an unknown token", Bearer(unknown), [401; 4]).await;
    check("an account", Cookie(berta), [403; 4]).await;
    check("a token for SCIM", Bearer(scim), [403; 4]).await;
    check("a token to read", Bearer(read), [OPEN, 403, 403, 403]).await;
    check("a token to write", Bearer(write), [403, OPEN, 403, 403]).await;
    check("an administrator", Cookie(anna), [OPEN; 4]).await;
}

#[tokio::test]
async fn a_token_is_told_once_and_worth_nothing_when_taken_back() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let body = json!({"name": "Backup", "scopes": ["write", "read", "read"]});
        let made = anna.post("/api/v1/admin/tokens", body).await.json();
        let secret = made["secret"].as_str().expect("a secret").to_owned();
        let id = made["token"]["id"].as_str().expect("an id").to_owned();
        assert_eq!(made["token"]["scopes"], json!(["read", "write"]));
        assert_eq!(made["token"]["by"], "Anna Ö.");
        assert_eq!(made["token"].get("expires_ms"), None);

        let with = With::Bearer(secret.clone());
        let door = with.ask(&house, &Method::GET, "/api/v1/admin/tokens").await;
        door.is(403, "forbidden");
        let list = anna.get("/api/v1/admin/tokens").await;
        assert!(!list.text.contains(&secret), "{}", list.text);
        assert!(
            list.json()["tokens"][0]["used_ms"].is_u64(),
            "{}",
            list.text
        );

        let path = format!("/api/v1/admin/tokens/{id}");
        let gone = answer(anna.request(Method::DELETE, &path)).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT);
        let door = with.ask(&house, &Method::GET, "/api/v1/admin/tokens").await;
        door.is(401, "sign_in_required");
        answer(anna.request(Method::DELETE, &path))
            .await
            .is(404, "not_found");
    }
}

#[tokio::test]
async fn tokens_that_make_no_sense_are_not_made() {
    let (_house, anna) = House::new().with_anna().await;
    let check = async |what: &str, body: Value, status: u16, code: &str| {
        let answer = anna.post("/api/v1/admin/tokens", body).await;
        if status == 200 {
            assert_eq!(answer.status, StatusCode::OK, "{what}: {answer:?}");
        } else {
            answer.is(status, code);
        }
    };
    let body = |name: &str, scopes: Value, life: u64| json!({"name": name, "scopes": scopes, "life_ms": life});
    check("usual", body("A", json!(["scim"]), 60_000), 200, "").await;
    check(
        "no name",
        body(" ", json!(["scim"]), 60_000),
        400,
        "name_invalid",
    )
    .await;
    check(
        "for nothing",
        body("A", json!([]), 60_000),
        400,
        "malformed",
    )
    .await;
    check(
        "for more than there is",
        body("A", json!(["root"]), 60_000),
        400,
        "malformed",
    )
    .await;
    check(
        "too short a life",
        body("A", json!(["scim"]), 59_999),
        400,
        "malformed",
    )
    .await;
    check(
        "for ever and a day",
        body("A", json!(["scim"]), u64::MAX),
        400,
        "malformed",
    )
    .await;
}

#[tokio::test]
async fn a_token_and_a_grant_never_stand_for_each_other() {
    let (house, anna) = House::new().with_anna().await;
    let grant = guest(&house, &anna).await;
    let machine = token(&anna, &["read", "write", "scim"]).await;
    let ticket = async |with: With| with.ask(&house, &Method::POST, "/api/v1/tickets").await;
    assert_eq!(ticket(With::Bearer(grant)).await.status, StatusCode::OK);
    ticket(With::Bearer(machine.clone()))
        .await
        .is(401, "sign_in_required");
    let bare = machine.trim_start_matches("stube_").to_owned();
    ticket(With::Bearer(bare)).await.is(401, "sign_in_required");
    // Nor does a machine become a person.
    let me = With::Bearer(machine)
        .ask(&house, &Method::GET, "/api/v1/me")
        .await;
    assert_eq!(me.json().get("user"), None);
}

#[tokio::test]
async fn the_command_line_makes_and_takes_back_tokens_for_a_running_server() {
    let (house, anna) = House::new().with_anna().await;
    let run = |arguments: &[&str]| {
        let output = house.run(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), text)
    };
    let (_, token) = run(&["token", "add", "Backup", "--scope", "read", "--days", "1"]);
    let token = token.trim();
    let with = With::Bearer(token.to_owned());
    let ask = async || {
        with.ask(&house, &Method::GET, "/api/v1/admin/settings")
            .await
    };
    assert_eq!(ask().await.status, StatusCode::OK);
    let (_, list) = run(&["token", "list"]);
    assert!(
        list.contains("\tBackup\tread\tused ") && !list.contains(token),
        "{list}"
    );
    let id = list.split('\t').next().expect("an id");
    assert!(run(&["token", "remove", id]).0);
    ask().await.is(401, "sign_in_required");
    assert!(!run(&["token", "remove", id]).0, "it is gone");
    for wrong in [
        &["token", "add", "X", "--scope", "root"][..],
        &["token", "add", "X", "--scope", "read", "--days", "0"],
        &["token", "add", "X"],
    ] {
        assert!(!run(wrong).0, "{wrong:?}");
    }
    assert_eq!(run(&["token", "list"]).1, "");

    let (_, log) = run(&["audit", "--lines", "2"]);
    let lines: Vec<Vec<_>> = log
        .lines()
        .map(|line| line.split('\t').skip(1).collect())
        .collect();
    assert_eq!(
        lines,
        [
            ["stube", "token.created", id, "read"],
            ["stube", "token.removed", id, "Backup"]
        ]
    );
    drop(anna);
}

#[tokio::test]
async fn applications_are_registered_listed_and_removed() {
    for house in [House::new(), House::on_postgres()] {
        let (_house, anna) = house.with_anna().await;
        let path = "/api/v1/admin/clients";
        let new = |uri: &str, public: bool| {
            json!({
                "name": "Wiki", "redirect_uris": [uri], "public": public, "trusted": true,
                "post_logout_uris": ["https://wiki.example.org/bye"],
            })
        };
        for (uri, public) in [
            ("http://wiki.example.org/", true),
            ("javascript:alert(1)", true),
            ("org.example.app:/cb", false),
        ] {
            let refused = anna.post(path, new(uri, public)).await;
            refused.is(400, "address_invalid");
        }
        let none = json!({"name": "Wiki", "redirect_uris": []});
        anna.post(path, none).await.is(400, "address_invalid");
        let made = anna
            .post(path, new("https://wiki.example.org/cb", false))
            .await
            .json();
        let secret = made["secret"].as_str().expect("a secret");
        let public = anna
            .post(path, new("org.example.app:/cb", true))
            .await
            .json();
        assert_eq!(public.get("secret"), None);
        let list = anna.get(path).await;
        assert_eq!(
            list.json()["clients"],
            json!([made["client"], public["client"]])
        );
        assert_eq!(made["client"]["trusted"], true);
        assert!(!list.text.contains(secret), "{}", list.text);

        let id = made["client"]["id"].as_str().expect("an id");
        let one = format!("{path}/{id}");
        let gone = answer(anna.request(Method::DELETE, &one)).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT);
        answer(anna.request(Method::DELETE, &one))
            .await
            .is(404, "not_found");
        let log = anna.get("/api/v1/admin/audit").await.json();
        let entry = &log["entries"][0];
        assert_eq!(
            [
                &entry["by"],
                &entry["action"],
                &entry["subject"],
                &entry["details"]
            ],
            ["Anna Ö.", "client.removed", id, "Wiki"]
        );
        assert_eq!(
            log["entries"][1]["subject"], "Wiki",
            "still there, so by its name"
        );
    }
}

#[tokio::test]
async fn the_log_is_read_page_by_page() {
    let (house, anna) = House::new().with_anna().await;
    // After the entry that tells of her own account.
    for number in 0..104 {
        let dismissed = anna
            .post("/api/v1/admin/checklist/dismiss", json!({}))
            .await;
        assert_eq!(dismissed.status, StatusCode::NO_CONTENT, "{number}");
    }
    let mut found = Vec::new();
    let mut path = "/api/v1/admin/audit".to_owned();
    for expected in [100, 5, 0] {
        let page = anna.get(&path).await.json();
        let page = page["entries"].as_array().expect("entries").clone();
        assert_eq!(page.len(), expected);
        let ids = page
            .iter()
            .map(|entry| entry["id"].as_str().expect("an id").to_owned());
        found.extend(ids);
        path = format!(
            "/api/v1/admin/audit?before={}",
            found.last().expect("an id")
        );
    }
    assert!(
        found.is_sorted_by(|newer, older| newer > older),
        "newest first, none twice"
    );
    anna.get("/api/v1/admin/audit?before=a&before=b")
        .await
        .is(400, "malformed");
    behind_its_back(
        &house,
        "UPDATE audit SET actor = 'user:gone', subject = 'user:gone'",
    )
    .await;
    let log = anna.get("/api/v1/admin/audit").await.json();
    let entry = &log["entries"][0];
    assert_eq!(
        (&entry["by"], &entry["subject"]),
        (&json!(""), &json!("gone"))
    );
}

#[tokio::test]
async fn a_machine_neither_makes_administrators_nor_acts_on_them() {
    let (house, anna) = House::new().with_anna().await;
    let id = anna.me().await["user"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let member = json!({"username": "cem", "name": "Cem", "admin": false});
    let cem = anna.post("/api/v1/admin/people", member).await.json()["person"]["id"].clone();
    let cem = cem.as_str().expect("an id");
    let machine = token(&anna, &["read", "write"]).await;
    let way = house.person();
    let ask = async |method: Method, path: &str, body: Value| {
        let request = way.request(method, &format!("/api/v1/admin{path}"));
        answer(request.bearer_auth(&machine).json(&body)).await
    };
    let day = 24 * 60 * 60 * 1000;
    let (anna_at, cem_at) = (format!("/people/{id}"), format!("/people/{cem}"));
    let recovery = |at: &str| format!("{at}/recovery");
    let forbidden = [
        (
            Method::POST,
            "/people".to_owned(),
            json!({"username": "dora", "name": "Dora", "admin": true}),
        ),
        (
            Method::POST,
            "/invites".to_owned(),
            json!({"life_ms": day, "uses": 1, "admin": true}),
        ),
        (Method::PATCH, cem_at.clone(), json!({"admin": true})),
        (
            Method::PATCH,
            anna_at.clone(),
            json!({"mail": "machine@example.org"}),
        ),
        (
            Method::PATCH,
            anna_at.clone(),
            json!({"remove_second_factors": true}),
        ),
        (Method::POST, recovery(&anna_at), json!({})),
        (Method::DELETE, anna_at.clone(), json!({})),
    ];
    for (method, path, body) in forbidden {
        ask(method, &path, body).await.is(403, "forbidden");
    }
    let table = "username,name,mail\nanna,Anna,machine@example.org\n";
    let import = way.request(Method::POST, "/api/v1/admin/people/import?dry_run=false");
    let import = import
        .bearer_auth(&machine)
        .header("content-type", "text/csv");
    let report = answer(import.body(table)).await.json();
    assert_eq!(report["problems"][0]["code"], "forbidden", "{report}");

    let allowed = [
        (
            Method::POST,
            "/people".to_owned(),
            json!({"username": "dora", "name": "Dora"}),
        ),
        (
            Method::POST,
            "/invites".to_owned(),
            json!({"life_ms": day, "uses": 1}),
        ),
        (
            Method::PATCH,
            cem_at.clone(),
            json!({"mail": "cem@example.org"}),
        ),
        (Method::POST, recovery(&cem_at), json!({})),
        (Method::DELETE, cem_at.clone(), json!({})),
    ];
    for (method, path, body) in allowed {
        let answer = ask(method, &path, body).await;
        assert!(answer.status.is_success(), "{path} {answer:?}");
    }
}
