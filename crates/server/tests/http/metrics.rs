//! The numbers for Prometheus: off by default, on a port of their own, and all that the dashboard asks for.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;

use crate::support::{House, Person};

/// Names of numbers in a formula.
fn names(formula: &str) -> Vec<String> {
    let words = formula.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let ours = |word: &&str| word.starts_with("stube_") || word.starts_with("process_");
    words.filter(ours).map(str::to_owned).collect()
}

fn formulas(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| formulas(item, all)),
        Value::Object(fields) => {
            if let Some(formula) = fields.get("expr").and_then(Value::as_str) {
                all.push(formula.to_owned());
            }
            fields.values().for_each(|field| formulas(field, all));
        }
        _ => {}
    }
}

#[tokio::test]
async fn every_number_of_the_dashboard_is_there_and_none_names_anybody() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let port = port.expect("a free port").port();
    let mut house = House::new();
    house.set("METRICS__LISTEN", &format!("127.0.0.1:{port}"));
    let (house, anna) = house.with_anna().await;
    let _socket = anna.socket().await;
    let page = Person::new(&format!("http://127.0.0.1:{port}"))
        .get("/metrics")
        .await;
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-type")
            .starts_with("application/openmetrics-text")
    );
    let samples = page.text.lines().filter(|line| !line.starts_with('#'));
    let given: BTreeSet<&str> = samples
        .filter_map(|line| line.split([' ', '{']).next())
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("a file");
    let dashboard = read("deploy/grafana/stube.json");
    let mut wanted = Vec::new();
    formulas(
        &serde_json::from_str(&dashboard).expect("JSON"),
        &mut wanted,
    );
    assert!(wanted.len() > 20, "{wanted:?}");
    for name in wanted.iter().flat_map(|formula| names(formula)) {
        assert!(given.contains(name.as_str()), "{name} is not in {given:?}");
    }
    let documented = read("docs/operating.md");
    for name in &given {
        let series = ["_bucket", "_sum", "_count"];
        let bare = series
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(name);
        assert!(documented.contains(bare), "docs/operating.md lacks {bare}");
    }
    let socket = page
        .text
        .lines()
        .find(|line| line.starts_with("stube_sockets "));
    assert_eq!(socket, Some("stube_sockets 1"), "{}", page.text);
    let me = anna.me().await;
    for private in [
        me["user"]["id"].as_str().expect("an id"),
        "anna",
        "127.0.0.1",
    ] {
        assert!(!page.text.contains(private), "{private}");
    }
    // Nothing else is there, and nothing of it elsewhere.
    let other = Person::new(&format!("http://127.0.0.1:{port}"));
    assert_eq!(other.get("/api/v1/me").await.status, 404);
    let public = anna.get("/metrics").await;
    assert!(!public.text.contains("stube_sockets"), "{}", public.text);
    drop(house);
}

#[test]
fn what_cannot_be_listened_on_ends_the_start_with_a_word() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    let mut house = House::new();
    house.set("METRICS__LISTEN", &address);
    let output = house.run(&["run"]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("metrics.listen"), "{said}");
}
