//! What administrators choose about the house: it holds at once, is written down, and never locks the house.

use std::process::Output;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, House, Person, answer, behind_its_back};

const SETTINGS: &str = "/api/v1/admin/settings";
const CHECKLIST: &str = "/api/v1/admin/checklist";

async fn delete(person: &Person, path: &str) -> Answer {
    answer(person.request(Method::DELETE, path)).await
}

/// The newest entry of the audit log: by whom, what, details.
async fn last_entry(anna: &Person) -> [String; 3] {
    let log = anna.get("/api/v1/admin/audit").await.json();
    ["by", "action", "details"].map(|field| {
        let text = log["entries"][0][field].as_str();
        text.expect("a text").to_owned()
    })
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn what_is_chosen_holds_at_once_and_after_a_restart() {
    for house in [House::new(), House::on_postgres()] {
        let (mut house, anna) = house.with_anna().await;
        let change = json!({
            "name": "Kirchengemeinde", "imprint_url": "https://example.org/imprint",
            "privacy_url": "mailto:privacy@example.org", "guests": false, "open_house": true,
            "visibility": [{"group": "Pupils", "sees": ["Teachers", "Pupils"]}],
        });
        let changed = anna.patch(SETTINGS, change.clone()).await;
        assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
        let check = async |anna: &Person| {
            let settings = anna.get(SETTINGS).await.json();
            let seen = house.person().me().await;
            for (key, value) in change.as_object().expect("an object") {
                assert_eq!(&settings[key], value, "{key}");
                if !["visibility", "open_house"].contains(&key.as_str()) {
                    assert_eq!(&seen[key], value, "{key}");
                }
            }
            assert_eq!(seen["open_house"], false, "nobody is a guest here");
        };
        check(&anna).await;
        assert_eq!(
            last_entry(&anna).await,
            [
                "Anna Ö.",
                "settings.changed",
                "house.name = Kirchengemeinde\n\
                 house.imprint_url = https://example.org/imprint\n\
                 house.privacy_url = mailto:privacy@example.org\n\
                 policy.guests = false\n\
                 policy.open_house = true\n\
                 policy.visibility = Pupils: Teachers, Pupils"
            ]
        );
        let gone = anna.patch(SETTINGS, json!({"imprint_url": ""})).await;
        assert_eq!(gone.json().get("imprint_url"), None);
        assert_eq!(gone.json()["name"], "Kirchengemeinde");
        anna.patch(
            SETTINGS,
            json!({"imprint_url": "https://example.org/imprint"}),
        )
        .await;
        house.stop();
        house.start();
        let again = house.person();
        again.sign_in("anna", crate::support::PASSWORD).await;
        let seen = house.person().me().await;
        assert_eq!(
            (&seen["name"], &seen["guests"]),
            (&json!("Kirchengemeinde"), &json!(false))
        );
        assert_eq!(again.get(SETTINGS).await.json()["open_house"], true);
    }
}

#[tokio::test]
async fn what_the_file_says_cannot_be_chosen_and_wrong_values_change_nothing() {
    let mut house = House::new();
    house.set("HOUSE__NAME", "Verein");
    house.set("POLICY__GUESTS", "true");
    let (house, anna) = house.with_anna().await;
    let before = anna.get(SETTINGS).await.json();
    assert_eq!(before["fixed"], json!(["house.name", "policy.guests"]));
    let many: Vec<_> = (0..101)
        .map(|n| json!({"group": n.to_string(), "sees": []}))
        .collect();
    let check = async |what: &str, with: Value, status: u16, code: &str| {
        let mut change = json!({"open_house": true});
        let fields = change.as_object_mut().expect("an object");
        fields.extend(with.as_object().expect("an object").clone());
        let answer = anna.patch(SETTINGS, change).await;
        assert_eq!(answer.json()["code"], code, "{what}");
        assert_eq!(answer.status.as_u16(), status, "{what}");
        assert_eq!(anna.get(SETTINGS).await.json(), before, "{what}");
    };
    check(
        "a fixed name",
        json!({"name": "Stadt"}),
        409,
        "managed_elsewhere",
    )
    .await;
    check(
        "a fixed rule",
        json!({"guests": false}),
        409,
        "managed_elsewhere",
    )
    .await;
    check("no name", json!({"name": " "}), 400, "name_invalid").await;
    check(
        "a script",
        json!({"imprint_url": "javascript:alert(1)"}),
        400,
        "address_invalid",
    )
    .await;
    check(
        "a path",
        json!({"privacy_url": "/privacy"}),
        400,
        "address_invalid",
    )
    .await;
    check(
        "a word for a switch",
        json!({"local_sign_in": "no"}),
        400,
        "malformed",
    )
    .await;
    check(
        "too many rules",
        json!({"visibility": many}),
        413,
        "too_large",
    )
    .await;
    let nameless = json!({"visibility": [{"group": "", "sees": []}]});
    check("a group without a name", nameless, 400, "name_invalid").await;
    let answer = anna.patch(SETTINGS, json!({"open_house": true})).await;
    assert_eq!(answer.json()["open_house"], true);
    drop(house);
}

#[tokio::test]
async fn the_sign_in_here_is_closed_only_by_an_administrator_who_came_by_a_provider() {
    let close = json!({"local_sign_in": false});
    let mut house = House::new();
    house.set("OIDC__ISSUER", "https://id.example.org");
    house.set("OIDC__CLIENT_ID", "stube");
    let (house, anna) = house.with_anna().await;
    anna.patch(SETTINGS, close.clone())
        .await
        .is(409, "last_admin");
    let token = json!({"name": "Machine", "scopes": ["write"]});
    let token = anna.post("/api/v1/admin/tokens", token).await.json();
    let machine = house
        .person()
        .request(Method::PATCH, SETTINGS)
        .bearer_auth(token["secret"].as_str().expect("a secret"));
    answer(machine.json(&close)).await.is(409, "last_admin");

    behind_its_back(
        &house,
        "UPDATE sessions SET issuer = 'https://other.example.org'",
    )
    .await;
    anna.patch(SETTINGS, close.clone())
        .await
        .is(409, "last_admin");
    behind_its_back(
        &house,
        "UPDATE sessions SET issuer = 'https://id.example.org'",
    )
    .await;
    let closed = anna.patch(SETTINGS, close).await;
    assert_eq!(closed.json()["local_sign_in"], false);
    assert_eq!(house.person().me().await["local_sign_in"], false);
}

#[tokio::test]
async fn the_command_line_chooses_for_a_running_server() {
    let (house, anna) = House::new().with_anna().await;
    let set = house.run(&["settings", "set", "house.name", "Rathaus"]);
    let began = Instant::now();
    assert_eq!(said(&set), "house.name = Rathaus\n");
    while anna.me().await["name"] != "Rathaus" {
        assert!(began.elapsed() < Duration::from_secs(4), "it never holds");
        tokio::task::yield_now().await;
    }
    assert_eq!(
        last_entry(&anna).await,
        ["stube", "settings.changed", "house.name = Rathaus"]
    );
    let shown = said(&house.run(&["settings", "show"]));
    assert!(shown.starts_with("house.name\tRathaus\t\n"), "{shown}");
    assert_eq!(
        said(&house.run(&["settings", "unset", "house.name"])),
        "house.name = Stube\n"
    );
    for arguments in [
        ["settings", "set", "policy.guests", "maybe"],
        ["settings", "set", "media.port", "1"],
    ] {
        let refused = house.run(&arguments);
        let error = String::from_utf8_lossy(&refused.stderr);
        assert!(
            !refused.status.success() && error.contains(arguments[2]),
            "{error}"
        );
        assert_eq!(error.trim().lines().count(), 1, "one sentence: {error}");
    }
    let mut fixed = house.command(&["settings", "set", "house.name", "X"]);
    let fixed = fixed.env("STUBE__HOUSE__NAME", "Y").output().expect("runs");
    assert!(!fixed.status.success());
}

/// A red square of one pixel, as PNG.
const PIXEL: &[u8] = &[
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0,
    0, 0, 144, 119, 83, 222, 0, 0, 0, 12, 73, 68, 65, 84, 120, 156, 99, 248, 207, 192, 0, 0, 3, 1,
    1, 0, 201, 254, 146, 239, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130,
];

#[tokio::test]
async fn the_logo_stands_where_everybody_sees_it_until_it_is_taken_away() {
    let (house, anna) = House::new().with_anna().await;
    let stranger = house.person();
    stranger.get("/api/v1/logo").await.is(404, "not_found");
    let put = async |bytes: Vec<u8>| {
        let request = anna.request(Method::PUT, "/api/v1/admin/logo");
        answer(request.header("content-type", "image/png").body(bytes)).await
    };
    put(b"<svg/>".to_vec()).await.is(400, "image_invalid");
    put(vec![0; 1024 * 1024 + 1]).await.is(413, "too_large");
    assert_eq!(put(PIXEL.to_vec()).await.status, StatusCode::NO_CONTENT);
    let version = stranger.me().await["logo"]
        .as_str()
        .expect("a version")
        .to_owned();
    let logo = stranger.get(&format!("/api/v1/logo?v={version}")).await;
    assert_eq!(logo.header("content-type"), "image/png");
    assert!(
        logo.header("cache-control").contains("immutable"),
        "{logo:?}"
    );
    assert_eq!(anna.get(SETTINGS).await.json()["logo"], version);
    assert_eq!(last_entry(&anna).await[1], "logo.changed");

    let gone = delete(&anna, "/api/v1/admin/logo").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    stranger.get("/api/v1/logo").await.is(404, "not_found");
    assert_eq!(stranger.me().await.get("logo"), None);
    let without = answer(
        house
            .person()
            .request(Method::PUT, "/api/v1/admin/logo")
            .body(PIXEL),
    )
    .await;
    without.is(401, "sign_in_required");
}

#[tokio::test]
async fn the_checklist_says_what_is_done_until_it_is_put_away() {
    let (house, anna) = House::new().with_anna().await;
    let list = async || anna.get(CHECKLIST).await.json();
    let nothing = json!({
        "dismissed": false, "name": false, "logo": false, "legal_links": false, "people": false,
        "guests": false, "mail": false,
    });
    assert_eq!(list().await, nothing);
    anna.patch(SETTINGS, json!({"imprint_url": "https://example.org/i"}))
        .await;
    assert_eq!(list().await, nothing, "one link is not both");
    anna.patch(
        SETTINGS,
        json!({"name": "Verein", "privacy_url": "https://example.org/p", "guests": true}),
    )
    .await;
    house.add_user("berta");
    answer(anna.request(Method::PUT, "/api/v1/admin/logo").body(PIXEL)).await;
    let dismissed = anna
        .post("/api/v1/admin/checklist/dismiss", json!({}))
        .await;
    assert_eq!(dismissed.status, StatusCode::NO_CONTENT);
    let all = json!({
        "dismissed": true, "name": true, "logo": true, "legal_links": true, "people": true,
        "guests": true, "mail": false,
    });
    assert_eq!(list().await, all);
}
