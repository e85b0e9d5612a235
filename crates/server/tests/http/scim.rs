//! Another system looks after people by SCIM.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, House, Person, answer};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A machine with its token.
struct Machine {
    person: Person,
    token: String,
}

impl Machine {
    async fn new(house: &House, admin: &Person, scopes: &[&str]) -> Self {
        let body = json!({"name": "Okta", "scopes": scopes});
        let made = admin.post("/api/v1/admin/tokens", body).await.json();
        Self {
            person: house.person(),
            token: made["secret"].as_str().expect("a secret").to_owned(),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self
            .person
            .request(method, &format!("/scim/v2{path}"))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/scim+json")
                .body(body.to_string());
        }
        answer(request).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({"schemas": [PATCH], "Operations": operations});
        self.ask(Method::PATCH, path, Some(body)).await
    }

    /// Somebody new; gives their id.
    async fn make(&self, username: &str) -> String {
        let body = json!({"schemas": [USER], "userName": username, "displayName": username});
        let made = self.post("/Users", body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        made.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Totals and usernames.
    async fn found(&self, query: &[(&str, &str)]) -> (u64, Vec<String>) {
        let request = self.person.request(Method::GET, "/scim/v2/Users");
        let url = reqwest::Url::parse_with_params(
            request.build().expect("a request").url().as_str(),
            query,
        );
        let request = self.person.client.get(url.expect("a URL"));
        let found = answer(request.bearer_auth(&self.token)).await.json();
        let people = found["Resources"].as_array().expect("a list").iter();
        let names = people.map(|one| one["userName"].as_str().expect("text").to_owned());
        (
            found["totalResults"].as_u64().expect("a number"),
            names.collect(),
        )
    }
}

/// Where somebody is.
fn user(id: &str) -> String {
    ["/Users", id].join("/")
}

#[track_caller]
fn refused(answer: &Answer, status: u16, kind: Option<&str>) {
    let body = answer.json();
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(
        body.get("scimType").and_then(Value::as_str),
        kind,
        "{answer:?}"
    );
    assert_eq!(body["status"], status.to_string());
    assert_eq!(
        body["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
    );
    assert_eq!(answer.header("content-type"), "application/scim+json");
}

#[tokio::test]
async fn people_are_made_found_changed_and_removed() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let okta = Machine::new(&house, &anna, &["scim"]).await;
        let body = json!({
            "schemas": [USER], "userName": "Carla@example.org", "externalId": "00u1", "active": true,
            "name": {"givenName": "Carla", "familyName": "Ölmann"},
            "emails": [{"value": "carla@example.org", "primary": true, "type": "work"}]
        });
        let made = okta.post("/Users", body.clone()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        assert_eq!(made.header("content-type"), "application/scim+json");
        let carla = made.json();
        assert_eq!(made.header("location"), carla["meta"]["location"]);
        assert_eq!(carla["displayName"], "Carla Ölmann");
        assert_eq!(carla["emails"][0]["value"], "carla@example.org");
        assert_eq!(
            (&carla["active"], &carla["externalId"]),
            (&json!(true), &json!("00u1"))
        );
        let place = user(carla["id"].as_str().expect("an id"));
        assert_eq!(okta.get(&place).await.json(), carla);
        refused(&okta.post("/Users", body).await, 409, Some("uniqueness"));
        let listed = anna.get("/api/v1/people?q=olmann").await.json();
        assert_eq!(listed["people"][0]["username"], "Carla@example.org");

        okta.make("dora").await;
        for (query, expect) in [
            (&[][..], (2, vec!["Carla@example.org", "dora"])),
            (
                &[("filter", "userName eq \"carla@EXAMPLE.org\"")],
                (1, vec!["Carla@example.org"]),
            ),
            (
                &[("filter", "externalId eq \"00u1\"")],
                (1, vec!["Carla@example.org"]),
            ),
            (
                &[("filter", "emails.value eq \"Carla@example.org\"")],
                (1, vec!["Carla@example.org"]),
            ),
            (&[("filter", "userName eq \"anna\"")], (0, vec![])),
            (&[("filter", "userName eq \"not possible\"")], (0, vec![])),
            (&[("count", "1")], (2, vec!["Carla@example.org"])),
            (&[("startIndex", "2"), ("count", "5")], (2, vec!["dora"])),
            (&[("startIndex", "3")], (2, vec![])),
            (&[("count", "0")], (2, vec![])),
            (
                &[("startIndex", "-4"), ("count", "1")],
                (2, vec!["Carla@example.org"]),
            ),
        ] {
            let (total, names) = okta.found(query).await;
            assert_eq!(
                (total, names.iter().map(String::as_str).collect()),
                expect,
                "{query:?}"
            );
        }
        refused(
            &okta.get("/Users?filter=userName%20co%20%22a%22").await,
            400,
            Some("invalidFilter"),
        );
        refused(
            &okta.get("/Users?filter=title%20eq%20%22a%22").await,
            400,
            Some("invalidFilter"),
        );

        let put = json!({"schemas": [USER], "userName": "carla", "displayName": "Carla B."});
        let changed = okta.ask(Method::PUT, &place, Some(put)).await.json();
        assert_eq!(
            (
                &changed["userName"],
                &changed["displayName"],
                changed.get("emails"),
                changed.get("externalId")
            ),
            (&json!("carla"), &json!("Carla B."), None, None)
        );
        assert_eq!(changed["id"], carla["id"]);
        let taken = json!([{"op": "replace", "path": "userName", "value": "DORA"}]);
        refused(&okta.patch(&place, taken).await, 409, Some("uniqueness"));
        let mail = json!([{"op": "add", "path": "emails[type eq \"work\"].value", "value": "c@example.org"}]);
        assert_eq!(
            okta.patch(&place, mail).await.json()["emails"][0]["value"],
            "c@example.org"
        );

        assert_eq!(okta.ask(Method::DELETE, &place, None).await.status, 204);
        for method in [Method::GET, Method::DELETE] {
            refused(&okta.ask(method, &place, None).await, 404, None);
        }
        assert_eq!(okta.found(&[]).await, (1, vec!["dora".to_owned()]));
    }
}

#[tokio::test]
async fn who_is_inactive_is_thrown_out_and_an_administrators_lock_stays() {
    let (house, anna) = House::new().with_anna().await;
    let entra = Machine::new(&house, &anna, &["scim"]).await;
    let id = entra.make("carla").await;
    let place = user(&id);
    let password = "neues pferd im stall";
    let mut passwd = house.command(&["user", "passwd", "carla", "--password-stdin"]);
    assert!(
        crate::support::with_input(&mut passwd, password)
            .status
            .success()
    );
    let carla = house.person();
    assert_eq!(
        carla.sign_in("carla", password).await.status,
        StatusCode::OK
    );
    let mut socket = carla.socket().await;

    let off = json!([{"op": "Replace", "path": "active", "value": "False"}]);
    let on = json!([{"op": "replace", "value": {"active": true}}]);
    assert_eq!(
        entra.patch(&place, off.clone()).await.json()["active"],
        false
    );
    socket.until_closed().await;
    assert_eq!(carla.me().await.get("user"), None);
    carla
        .sign_in("carla", password)
        .await
        .is(401, "wrong_credentials");
    assert_eq!(entra.patch(&place, on.clone()).await.json()["active"], true);
    assert_eq!(
        carla.sign_in("carla", password).await.status,
        StatusCode::OK
    );

    let locked = house.run(&["user", "lock", "carla"]);
    assert!(locked.status.success(), "{locked:?}");
    assert_eq!(
        entra.patch(&place, on.clone()).await.json()["active"],
        false
    );
    entra.patch(&place, off).await;
    assert_eq!(
        entra.patch(&place, on).await.json()["active"],
        false,
        "not SCIM's to unlock"
    );
}

#[tokio::test]
async fn groups_hold_whom_scim_made_and_leave_what_others_said() {
    let (house, anna) = House::new().with_anna().await;
    let okta = Machine::new(&house, &anna, &["scim"]).await;
    let (carla, dora) = (okta.make("carla").await, okta.make("dora").await);
    let members = |answer: &Answer| -> Vec<&str> {
        let body = answer.json();
        let list = body["members"].as_array().cloned().unwrap_or_default();
        let name = |one: &Value| match one["value"].as_str() {
            Some(id) if id == carla => "carla",
            Some(id) if id == dora => "dora",
            _ => "somebody else",
        };
        list.iter().map(name).collect()
    };
    let made = okta
        .post(
            "/Groups",
            json!({"displayName": "Chor", "externalId": "g1", "members": [{"value": carla}]}),
        )
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    assert_eq!(members(&made), ["carla"]);
    let place = format!("/Groups/{}", made.json()["id"].as_str().expect("an id"));
    refused(
        &okta.post("/Groups", json!({"displayName": "CHOR"})).await,
        409,
        Some("uniqueness"),
    );
    refused(
        &okta.post("/Groups", json!({})).await,
        400,
        Some("invalidValue"),
    );

    let add = json!([{"op": "Add", "path": "members", "value": [{"value": dora}]}]);
    assert_eq!(members(&okta.patch(&place, add).await), ["carla", "dora"]);
    let remove = json!([{"op": "remove", "path": format!("members[value eq \"{carla}\"]")}]);
    assert_eq!(members(&okta.patch(&place, remove).await), ["dora"]);
    let person = okta.get(&user(&dora)).await.json();
    assert_eq!(person["groups"][0]["display"], "Chor");
    let me = anna.me().await["user"]["id"].clone();
    let foreign = json!([{"op": "add", "path": "members", "value": [{"value": me}]}]);
    refused(
        &okta.patch(&place, foreign).await,
        400,
        Some("invalidValue"),
    );
    let found = okta
        .get("/Groups?filter=displayName%20eq%20%22chor%22&excludedAttributes=members")
        .await;
    assert_eq!(found.json()["totalResults"], 1);
    assert_eq!(found.json()["Resources"][0].get("members"), None);
    let by_their_id = okta
        .get("/Groups?filter=externalId%20eq%20%22g1%22")
        .await
        .json();
    assert_eq!(by_their_id["Resources"][0]["externalId"], "g1");
    let put = json!({"displayName": "Kammerchor", "members": [{"value": carla}, {"value": dora}]});
    let changed = okta.ask(Method::PUT, &place, Some(put)).await;
    assert_eq!(
        (members(&changed).len(), &changed.json()["displayName"]),
        (2, &json!("Kammerchor"))
    );

    let joined = house.run(&["group", "join", "Kammerchor", "anna"]);
    assert!(joined.status.success(), "{joined:?}");
    assert_eq!(
        members(&okta.get(&place).await),
        ["carla", "dora"],
        "others are not SCIM's to see"
    );
    let rename = json!([{"op": "replace", "value": {"displayName": "Chor"}}]);
    refused(&okta.patch(&place, rename).await, 409, Some("mutability"));
    assert_eq!(okta.ask(Method::DELETE, &place, None).await.status, 204);
    assert_eq!(members(&okta.get(&place).await), Vec::<&str>::new());
    let left = house.run(&["group", "leave", "Kammerchor", "anna"]);
    assert!(left.status.success(), "{left:?}");
    assert_eq!(okta.ask(Method::DELETE, &place, None).await.status, 204);
    refused(&okta.get(&place).await, 404, None);
}

#[tokio::test]
async fn nobody_comes_in_but_machines_with_the_scope_and_only_to_their_own_people() {
    let (house, anna) = House::new().with_anna().await;
    let okta = Machine::new(&house, &anna, &["scim"]).await;
    okta.make("carla").await;
    let body = || json!({"schemas": [USER], "userName": "eve"});
    for (machine, status) in [
        (Machine::new(&house, &anna, &["read", "write"]).await, 403),
        (
            Machine {
                person: house.person(),
                token: "stube_nonsense".to_owned(),
            },
            401,
        ),
        (
            Machine {
                person: house.person(),
                token: String::new(),
            },
            401,
        ),
    ] {
        refused(&machine.get("/Users").await, status, None);
        refused(&machine.post("/Users", body()).await, status, None);
    }
    let by_cookie = anna.get("/scim/v2/Users").await;
    refused(&by_cookie, 403, None);
    let nobody = house.person().get("/scim/v2/Users").await;
    refused(&nobody, 401, None);
    assert_eq!(nobody.header("www-authenticate"), "Bearer");

    let annas = anna.me().await["user"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let place = user(&annas);
    refused(&okta.get(&place).await, 404, None);
    refused(
        &okta
            .patch(
                &place,
                json!([{"op": "replace", "path": "active", "value": false}]),
            )
            .await,
        404,
        None,
    );
    refused(&okta.ask(Method::DELETE, &place, None).await, 404, None);
    refused(
        &okta.post("/Users", json!({"userName": "ANNA"})).await,
        409,
        Some("uniqueness"),
    );
    refused(&okta.get("/Nowhere").await, 404, None);
    refused(&okta.ask(Method::DELETE, "/Users", None).await, 405, None);
    let text = okta
        .person
        .request(Method::POST, "/scim/v2/Users")
        .bearer_auth(&okta.token);
    refused(&answer(text.body("x")).await, 400, Some("invalidSyntax"));
    assert_eq!(anna.get("/scim/v2").await.status, 404, "no page of the app");
    assert_eq!(anna.me().await["user"]["username"], "anna");
}

#[tokio::test]
async fn what_can_be_done_is_told_to_programs_that_ask() {
    let (house, anna) = House::new().with_anna().await;
    let okta = Machine::new(&house, &anna, &["scim"]).await;
    let config = okta.get("/ServiceProviderConfig").await.json();
    assert_eq!(
        (&config["patch"]["supported"], &config["bulk"]["supported"]),
        (&json!(true), &json!(false))
    );
    for (path, ids) in [
        ("/ResourceTypes", ["User", "Group"]),
        (
            "/Schemas",
            [USER, "urn:ietf:params:scim:schemas:core:2.0:Group"],
        ),
    ] {
        let list = okta.get(path).await.json();
        let found: Vec<_> = list["Resources"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one["id"].clone())
            .collect();
        assert_eq!(found, ids, "{path}");
        for id in ids {
            assert_eq!(okta.get(&format!("{path}/{id}")).await.json()["id"], id);
        }
        refused(&okta.get(&format!("{path}/nothing")).await, 404, None);
        refused(
            &okta.get(&format!("{path}?filter=id%20eq%20%22x%22")).await,
            403,
            None,
        );
    }
}
