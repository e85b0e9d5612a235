//! npm's lock files: complete for every platform, and silent about where packages were fetched from.
//!
//! npm forgets the optional packages of other platforms when `node_modules` is there while it writes the lock file.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Finding;
use super::files::Files;

pub fn check(files: &Files) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in files
        .texts
        .iter()
        .filter(|file| file.path.ends_with("package-lock.json"))
    {
        let lock: Value = serde_json::from_str(&file.text).with_context(|| file.path.clone())?;
        let packages = lock["packages"]
            .as_object()
            .with_context(|| format!("{} lists no packages", file.path))?;
        for (place, package) in packages {
            if let Some(url) = package["resolved"]
                .as_str()
                .filter(|url| url.contains("://"))
            {
                let message = format!(
                    "`{place}` names {url}; .npmrc leaves that out with omit-lockfile-registry-resolved=true"
                );
                findings.push(Finding::new("lock-file", &file.path, message));
            }
            let wanted = package["optionalDependencies"]
                .as_object()
                .into_iter()
                .flat_map(|wanted| wanted.keys());
            for name in
                wanted.filter(|name| !resolves(place, name, |place| packages.contains_key(place)))
            {
                let message = format!(
                    "`{place}` wants {name} on some platform, and the lock file has none: remove node_modules and the lock file, then `npm install`"
                );
                findings.push(Finding::new("lock-file", &file.path, message));
            }
        }
    }
    Ok(findings)
}

/// As node looks for it: below the one that asks, then ever further up.
fn resolves(place: &str, name: &str, is_there: impl Fn(&str) -> bool) -> bool {
    let mut folder = Some(place);
    while let Some(above) = folder {
        let candidate = if above.is_empty() {
            format!("node_modules/{name}")
        } else {
            format!("{above}/node_modules/{name}")
        };
        if is_there(&candidate) {
            return true;
        }
        folder = match above.rfind("node_modules/") {
            Some(0) => Some(""),
            Some(start) => Some(&above[..start - 1]),
            None => None,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn messages(packages: Value) -> Vec<String> {
        let text = json!({ "packages": packages }).to_string();
        let findings = check(&Files::from_texts([("web/package-lock.json", text)])).unwrap();
        findings
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn an_optional_package_may_be_anywhere_node_would_find_it() {
        let found = messages(json!({
            "": {},
            "node_modules/a": { "optionalDependencies": { "x": "1", "y": "1" } },
            "node_modules/a/node_modules/x": {},
            "node_modules/y": {},
            "node_modules/a/node_modules/@s/b": { "optionalDependencies": { "x": "1", "y": "1" } },
        }));
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_missing_platform_is_found() {
        let found = messages(
            json!({ "node_modules/a": { "optionalDependencies": { "a-linux": "1", "a-mac": "1" } }, "node_modules/a-linux": {} }),
        );
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("wants a-mac"), "{found:?}");
    }

    #[test]
    fn the_address_of_a_registry_is_found() {
        let found = messages(
            json!({ "node_modules/a": { "resolved": "https://registry.example.org/a.tgz" }, "node_modules/b": { "integrity": "sha512-x" } }),
        );
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
