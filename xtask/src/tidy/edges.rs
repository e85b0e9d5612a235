//! Which of our crates may know which: a table, compared with what cargo finds in the manifests.
//!
//! A new edge changes the table in the same commit.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Finding;

/// Crate, what it is built on, and what only its tests are built on.
const EDGES: &[(&str, &[&str], &[&str])] = &[
    ("bot", &["protocol"], &[]),
    ("corpus", &[], &[]),
    ("house", &["protocol"], &[]),
    ("identity", &[], &[]),
    ("media", &[], &["corpus"]),
    ("protocol", &[], &["corpus"]),
    ("room", &["protocol"], &["corpus"]),
    (
        "server",
        &["house", "identity", "media", "protocol", "room"],
        &["bot"],
    ),
    ("xtask", &[], &[]),
];

pub fn check(metadata: &Value) -> Result<Vec<Finding>> {
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let found: BTreeSet<String> = packages.iter().flat_map(edges).collect();
    let allowed: BTreeSet<String> = EDGES
        .iter()
        .flat_map(|(name, built_on, tested_with)| {
            let normal = built_on
                .iter()
                .map(move |other| format!("{name} -> {other}"));
            let tests = tested_with
                .iter()
                .map(move |other| format!("{name} -> {other} (tests)"));
            std::iter::once(name.to_string()).chain(normal).chain(tests)
        })
        .collect();
    let finding = |edge: &String, message: &str| {
        Finding::new("crate-edges", "Cargo.toml", format!("`{edge}` {message}"))
    };
    let new = found
        .difference(&allowed)
        .map(|edge| finding(edge, "is not in the table of crate edges"));
    let gone = allowed
        .difference(&found)
        .map(|edge| finding(edge, "is in the table of crate edges and in no manifest"));
    Ok(new.chain(gone).collect())
}

/// The crate itself and its edges to others in this repository.
fn edges(package: &Value) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let ours = package["dependencies"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|dependency| dependency["path"].is_string());
    let edges = ours.map(|dependency| {
        let other = dependency["name"].as_str().unwrap_or_default();
        match dependency["kind"].as_str() {
            Some("dev") => format!("{name} -> {other} (tests)"),
            _ => format!("{name} -> {other}"),
        }
    });
    std::iter::once(name.to_string()).chain(edges).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn dependency(name: &str, kind: Option<&str>) -> Value {
        json!({ "name": name, "path": format!("/x/{name}"), "kind": kind })
    }

    /// The manifests just as the table wants them.
    fn house() -> Vec<Value> {
        let package = |(name, built_on, tested_with): &(&str, &[&str], &[&str])| {
            let mut dependencies: Vec<Value> = built_on
                .iter()
                .map(|other| dependency(other, None))
                .collect();
            dependencies.extend(
                tested_with
                    .iter()
                    .map(|other| dependency(other, Some("dev"))),
            );
            dependencies.push(json!({ "name": "serde", "path": null, "kind": null }));
            json!({ "name": name, "dependencies": dependencies })
        };
        EDGES.iter().map(package).collect()
    }

    fn messages(packages: Vec<Value>) -> Vec<String> {
        check(&json!({ "packages": packages }))
            .unwrap()
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn the_table_itself_is_fine() {
        assert_eq!(messages(house()), Vec::<String>::new());
    }

    #[test]
    fn a_new_edge_a_lost_edge_and_a_new_crate_are_found() {
        let mut packages = house();
        let place = |name| EDGES.iter().position(|(other, ..)| *other == name).unwrap();
        packages[place("identity")]["dependencies"]
            .as_array_mut()
            .unwrap()
            .push(dependency("room", None));
        packages[place("house")]["dependencies"] = json!([]);
        packages.push(json!({ "name": "cellar", "dependencies": [] }));
        let mut found = messages(packages);
        found.sort();
        assert_eq!(
            found,
            [
                "`cellar` is not in the table of crate edges",
                "`house -> protocol` is in the table of crate edges and in no manifest",
                "`identity -> room` is not in the table of crate edges",
            ]
        );
    }
}
