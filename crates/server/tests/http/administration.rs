//! Who gets into the administration and who does not: everybody, at every route that is described.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, House, Person, answer};

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

/// Path and method of everything that is described, with ids that nobody has.
async fn described(house: &House) -> Vec<(Method, String)> {
    let document = house.person().get("/api/v1/openapi.json").await.json();
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let path: Vec<_> = path
            .split('/')
            .map(|part| {
                if part.starts_with('{') {
                    "nobody"
                } else {
                    part
                }
            })
            .collect();
        for method in operations.as_object().expect("operations").keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes());
            found.push((method.expect("a method"), path.join("/")));
        }
    }
    found
}

/// Whatever comes of it, it is no refusal at the entrance.
const OPEN: u16 = 0;

#[tokio::test]
async fn only_administrators_and_tokens_of_the_right_scope_get_into_the_administration() {
    let (house, anna) = House::new().with_anna().await;
    let mut routes = described(&house).await;
    routes.retain(|(_, path)| path.starts_with("/api/v1/admin/"));
    assert!(routes.len() >= 3, "{routes:?}");

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

    // The answer to reading and to changing, at everything and at the tokens.
    let check = async |who: &str, with: With, [read, write, token_read, token_write]: [u16; 4]| {
        for (method, path) in &routes {
            let at_tokens = path.starts_with("/api/v1/admin/tokens");
            let expected = match (at_tokens, method.is_safe()) {
                (false, true) => read,
                (false, false) => write,
                (true, true) => token_read,
                (true, false) => token_write,
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

/// Of a house on SQLite: what no interface does.
async fn behind_its_back(house: &House, sql: &'static str) {
    let file = house.directory.0.join("data/stube.db");
    let url = format!("sqlite://{}", file.to_str().expect("an ASCII path"));
    let pool = sqlx::SqlitePool::connect(&url).await.expect("the database");
    sqlx::query(sql).execute(&pool).await.expect("a change");
    pool.close().await;
}
