//! What stands at the top: a header in each Rust file, `forbid(unsafe_code)` in each crate, and stricter lints in what
//! reads from the network. And what stands at the end: the tests.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Finding;
use super::files::Files;
use super::rust_source::RustSource;
use crate::tools::Repo;

/// Modules that read bytes from strangers.
const NETWORK_READERS: &[&str] = &[
    "crates/media/src/lib.rs",
    "crates/protocol/src/lib.rs",
    "crates/server/src/ws/mod.rs",
];

/// What may not end a process because of a stranger's bytes.
const NETWORK_LINTS: &[&str] = &[
    "clippy::expect_used",
    "clippy::indexing_slicing",
    "clippy::panic",
    "clippy::unwrap_used",
];

/// Lines of a `//!` header.
const HEADER: std::ops::RangeInclusive<usize> = 1..=6;

pub fn check(files: &Files, crate_roots: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in files
        .rust
        .iter()
        .filter(|source| source.path.contains("/src/"))
    {
        findings.extend(header(source));
        findings.extend(tests_last(source));
    }
    for path in crate_roots {
        findings.extend(contains(
            files,
            path,
            "unsafe-code",
            "#![forbid(unsafe_code)]",
        ));
    }
    for path in NETWORK_READERS {
        for lint in NETWORK_LINTS {
            findings.extend(contains(files, path, "network-lints", lint));
        }
    }
    findings
}

/// The root files of all our libraries and programs, as cargo knows them.
pub fn crate_roots(repo: &Repo, metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let targets = packages
        .iter()
        .filter_map(|package| package["targets"].as_array())
        .flatten();
    let is_shipped = |target: &&Value| {
        let kinds = target["kind"].as_array().into_iter().flatten();
        kinds
            .filter_map(Value::as_str)
            .any(|kind| matches!(kind, "lib" | "bin" | "custom-build"))
    };
    let paths = targets
        .filter(is_shipped)
        .filter_map(|target| target["src_path"].as_str());
    Ok(paths.map(|path| repo.relative(path.as_ref())).collect())
}

fn header(source: &RustSource) -> Option<Finding> {
    let lines = source
        .text
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .count();
    let message = format!(
        "a header of {lines} lines; {} to {} should say what the file owns and must not do",
        HEADER.start(),
        HEADER.end()
    );
    (!HEADER.contains(&lines)).then(|| Finding::new("file-header", &source.path, message))
}

fn tests_last(source: &RustSource) -> Option<Finding> {
    let end = source.tests.iter().map(|range| range.end).max()?;
    let after = source.code[end..].split_whitespace().next();
    after.map(|word| {
        Finding::new(
            "tests-last",
            &source.path,
            format!("`{word}` stands after the tests, which come last"),
        )
    })
}

fn contains(files: &Files, path: &str, rule: &'static str, code: &str) -> Option<Finding> {
    let source = files.rust.iter().find(|source| source.path == *path);
    match source {
        Some(source) if source.code.contains(code) => None,
        Some(_) => Some(Finding::new(rule, path, format!("`{code}` is missing"))),
        None => Some(Finding::new(rule, path, "the file is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        let files = Files::from_texts([("crates/a/src/lib.rs", text)]);
        let findings = check(&files, &["crates/a/src/lib.rs".to_string()]);
        findings
            .into_iter()
            .filter(|finding| finding.at == "crates/a/src/lib.rs")
            .map(|finding| finding.rule)
            .collect()
    }

    const GOOD: &str =
        "//! Owns a thing.\n//!\n//! And no other.\n#![forbid(unsafe_code)]\nfn a() {}\n";

    #[test]
    fn a_good_file_is_left_alone() {
        assert_eq!(rules(GOOD), Vec::<&str>::new());
        assert_eq!(
            rules(&format!("{GOOD}#[cfg(test)]\nmod tests {{}}\n// end\n")),
            Vec::<&str>::new()
        );
    }

    #[test]
    fn a_missing_or_a_long_header_is_found() {
        assert_eq!(rules("#![forbid(unsafe_code)]\n"), ["file-header"]);
        assert_eq!(
            rules(&format!(
                "{}#![forbid(unsafe_code)]\n",
                "//! Long.\n".repeat(7)
            )),
            ["file-header"]
        );
    }

    #[test]
    fn code_after_the_tests_is_found() {
        assert_eq!(
            rules(&format!(
                "{GOOD}#[cfg(test)]\nmod tests {{}}\nfn late() {{}}\n"
            )),
            ["tests-last"]
        );
    }

    #[test]
    fn a_crate_that_may_be_unsafe_is_found_even_if_a_comment_denies_it() {
        assert_eq!(
            rules("//! One.\n//! Two.\n// #![forbid(unsafe_code)]\n"),
            ["unsafe-code"]
        );
    }

    #[test]
    fn a_network_reader_without_its_lints_is_found() {
        let lints = format!("#![deny({})]\n", NETWORK_LINTS.join(", "));
        let found = |text: &str| {
            let findings = check(&Files::from_texts([("crates/media/src/lib.rs", text)]), &[]);
            findings
                .iter()
                .filter(|f| f.rule == "network-lints" && f.at == "crates/media/src/lib.rs")
                .count()
        };
        assert_eq!(found(&lints), 0);
        assert_eq!(found(&lints.replace("clippy::panic, ", "")), 1);
    }
}
