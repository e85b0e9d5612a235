//! Sizes: how long a file and a function may be and how many public methods a type may have.
//!
//! Tests do not count. What is longer for a good reason stands in the exceptions list.

use std::collections::BTreeMap;

use super::Finding;
use super::files::Files;
use super::rust_source::{functions, public_methods};

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const PUBLIC_METHODS: usize = 12;

/// What we write by hand in the web app and its journeys.
const WEB_EXTENSIONS: &[&str] = &["ts", "mts", "svelte", "js", "mjs", "css"];

pub fn check(files: &Files) -> Vec<Finding> {
    let mut findings = rust_files(files);
    findings.extend(web_files(files));
    findings.extend(types(files));
    findings
}

fn rust_files(files: &Files) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &files.rust {
        if source.shipped_lines() > FILE_LINES {
            let message = format!(
                "{} lines, of which {FILE_LINES} are allowed",
                source.shipped_lines()
            );
            findings.push(Finding::new("file-length", &source.path, message));
        }
        for function in functions(&source.shipped())
            .iter()
            .filter(|function| function.lines > FUNCTION_LINES)
        {
            let at = format!("{}::{}", source.path, function.name);
            let message = format!(
                "line {}: a function of {} lines, of which {FUNCTION_LINES} are allowed",
                function.first_line, function.lines
            );
            findings.push(Finding::new("function-length", at, message));
        }
    }
    findings
}

fn web_files(files: &Files) -> Vec<Finding> {
    let written = files
        .with_extension(WEB_EXTENSIONS)
        .filter(|file| !is_generated(&file.path) && !file.path.contains(".test."));
    let long = written
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES);
    long.map(|(file, lines)| {
        Finding::new(
            "file-length",
            &file.path,
            format!("{lines} lines, of which {FILE_LINES} are allowed"),
        )
    })
    .collect()
}

pub fn is_generated(path: &str) -> bool {
    path.rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with("generated."))
}

/// Counted per crate, since a type's methods may stand in several files of it.
fn types(files: &Files) -> Vec<Finding> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for source in &files.rust {
        let house = source.path.split("/src/").next().unwrap_or_default();
        for name in public_methods(&source.shipped()) {
            *counts.entry(format!("{house}::{name}")).or_default() += 1;
        }
    }
    let wide = counts
        .into_iter()
        .filter(|(_, count)| *count > PUBLIC_METHODS);
    wide.map(|(at, count)| {
        Finding::new(
            "public-methods",
            at,
            format!("{count} public methods, of which {PUBLIC_METHODS} are allowed"),
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(path: &str, text: String, expected: &[(&str, &str)]) {
        let findings = check(&Files::from_texts([(path, text)]));
        let found: Vec<(&str, &str)> = findings
            .iter()
            .map(|finding| (finding.rule, finding.at.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_long_file_is_found_and_long_tests_are_not() {
        check_one("crates/a/src/b.rs", "//\n".repeat(600), &[]);
        check_one(
            "crates/a/src/b.rs",
            "//\n".repeat(601),
            &[("file-length", "crates/a/src/b.rs")],
        );
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "//\n".repeat(700));
        check_one("crates/a/src/b.rs", tests, &[]);
        check_one(
            "web/src/ui/Big.svelte",
            "\n".repeat(601),
            &[("file-length", "web/src/ui/Big.svelte")],
        );
        check_one("web/src/protocol/generated.ts", "\n".repeat(601), &[]);
    }

    #[test]
    fn a_long_function_is_found() {
        let function =
            |lines: usize| format!("fn long() {{\n{}}}\n", "    step();\n".repeat(lines - 2));
        check_one("crates/a/src/b.rs", function(70), &[]);
        check_one(
            "crates/a/src/b.rs",
            function(71),
            &[("function-length", "crates/a/src/b.rs::long")],
        );
    }

    #[test]
    fn a_wide_type_is_found_across_its_files() {
        let methods =
            |count: usize| format!("impl Wide {{\n{}}}\n", "pub fn m(&self) {}\n".repeat(count));
        check_one("crates/a/src/b.rs", methods(12), &[]);
        let files = Files::from_texts([
            ("crates/a/src/b.rs", methods(7)),
            ("crates/a/src/c.rs", methods(6)),
            ("crates/d/src/b.rs", methods(6)),
        ]);
        assert_eq!(
            check(&files)
                .iter()
                .map(|finding| finding.at.as_str())
                .collect::<Vec<_>>(),
            ["crates/a::Wide"]
        );
    }
}
