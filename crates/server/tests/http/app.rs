//! The app that is served: which build it is, which versions are too old, and what browsers install.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{House, Person, answer};

const SETTINGS: &str = "/api/v1/admin/settings";
const MANIFEST: &str = "/manifest.webmanifest";

/// Serves a small app of the tests' own.
fn house() -> House {
    let mut house = House::new();
    house.serve_app(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/app"));
    house
}

async fn app(person: &Person) -> Value {
    person.me().await["app"].clone()
}

#[tokio::test]
async fn everybody_is_told_which_build_is_served() {
    let (house, _anna) = house().with_anna().await;
    assert_eq!(
        app(&house.person()).await,
        json!({"build": "0.1.0-5f2c9a41"})
    );
}

#[tokio::test]
async fn a_minimum_version_is_told_and_never_one_that_nobody_can_have() {
    let (house, anna) = house().with_anna().await;
    let own = env!("CARGO_PKG_VERSION");
    for (chosen, told) in [("0.0.2", "0.0.2"), (own, own), ("99.0.0", own)] {
        let settings = anna
            .patch(SETTINGS, json!({"minimum_version": chosen}))
            .await;
        assert_eq!(settings.json()["minimum_version"], chosen);
        assert_eq!(app(&house.person()).await["minimum_version"], told);
    }
    for wrong in ["new", "1.2", "1.2.3.4", "v1.2.3"] {
        let refused = anna
            .patch(SETTINGS, json!({"minimum_version": wrong}))
            .await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    anna.patch(SETTINGS, json!({"minimum_version": ""})).await;
    assert_eq!(app(&anna).await.get("minimum_version"), None);
}

#[tokio::test]
async fn what_is_installed_has_the_name_of_the_house_and_the_language_of_the_browser() {
    let mut house = house();
    house.set("HOUSE__NAME", "Verein");
    house.start();
    for (accepted, language) in [("de-AT,de;q=0.9", "de"), ("en-GB", "en"), ("fr", "en")] {
        let request = house.person().request(Method::GET, MANIFEST);
        let manifest = answer(request.header("accept-language", accepted)).await;
        assert_eq!(manifest.header("content-type"), "application/manifest+json");
        assert_eq!(manifest.header("cache-control"), "no-cache");
        assert_eq!(manifest.header("vary"), "accept-language");
        assert_eq!(
            manifest.json(),
            json!({"name": "Verein", "short_name": "Verein", "lang": language, "id": "/"})
        );
    }
}
