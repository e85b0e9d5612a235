//! Markdown: links lead somewhere, and commands that it tells to type exist.
//!
//! Links to other hosts are not followed: a test must not depend on them.

use super::Finding;
use super::files::Files;
use super::text::resolve;
use crate::COMMANDS;

pub fn check(files: &Files) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.with_extension(&["md"]) {
        for target in targets(&file.text) {
            if let Some(message) = broken(files, &file.path, &target) {
                findings.push(Finding::new("link", &file.path, message));
            }
        }
        for name in commands(&file.text)
            .filter(|name| !COMMANDS.iter().any(|command| command.name == *name))
        {
            findings.push(Finding::new(
                "command",
                &file.path,
                format!("`cargo xtask {name}` does not exist"),
            ));
        }
    }
    findings
}

/// Everything linked or shown: `](target)`, `href="target"`, `src="target"`. Code is left out.
fn targets(markdown: &str) -> Vec<String> {
    let text = without_code(markdown);
    let mut targets = Vec::new();
    for (opening, closing) in [
        ("](", [')', ' ']),
        ("href=\"", ['"', '"']),
        ("src=\"", ['"', '"']),
    ] {
        for (start, _) in text.match_indices(opening) {
            let rest = &text[start + opening.len()..];
            targets.extend(
                rest.split(closing)
                    .next()
                    .map(|target| target.trim_matches(['<', '>']).to_string()),
            );
        }
    }
    targets
}

fn without_code(markdown: &str) -> String {
    let mut in_block = false;
    let mut text = String::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            // Every second piece between backquotes is code.
            text.extend(line.split('`').step_by(2));
        }
        text.push('\n');
    }
    text
}

fn broken(files: &Files, from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() {
        from.to_string()
    } else {
        resolve(from, path)
    };
    let is_folder = files
        .paths
        .iter()
        .any(|known| known.starts_with(&format!("{}/", path.trim_end_matches('/'))));
    if !is_folder && !files.paths.contains(&path) {
        return Some(format!("the link to {target} leads nowhere"));
    }
    let headings = files
        .text(&path)
        .filter(|_| path.ends_with(".md") && !anchor.is_empty())?;
    let known = headings
        .lines()
        .filter(|line| line.starts_with('#'))
        .any(|line| anchor_of(line) == anchor);
    (!known).then(|| format!("the link to {target} names a heading that is not there"))
}

/// The anchor that renderers give a heading.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn commands(markdown: &str) -> impl Iterator<Item = &str> {
    let name = |rest: &'_ str| {
        rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '-')
                .len()
    };
    let names = markdown
        .split("cargo xtask ")
        .skip(1)
        .map(move |rest| &rest[..name(rest)]);
    names.filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(readme: &str) -> Vec<String> {
        let files = Files::from_texts([
            ("README.md", readme),
            (
                "docs/protocol.md",
                "# The wire\n\n## Errors & codes\n[up](../README.md)\n",
            ),
        ]);
        check(&files)
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        let good = "[a](docs/protocol.md) [b](./docs/protocol.md#errors--codes) [c](docs) [d](https://example.org/x) <img src=\"docs/protocol.md\">\n# Top\n[e](#top) `[f](nowhere.md)`\n```\n[g](nowhere.md)\n```\n";
        assert_eq!(messages(good), Vec::<String>::new());
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        assert_eq!(
            messages("[a](docs/other.md)"),
            ["the link to docs/other.md leads nowhere"]
        );
        assert_eq!(
            messages("[a](docs/protocol.md#nothing)"),
            ["the link to docs/protocol.md#nothing names a heading that is not there"]
        );
        assert_eq!(
            messages("<img src=\"docs/x.png\" alt=\"x\">"),
            ["the link to docs/x.png leads nowhere"]
        );
    }

    #[test]
    fn a_command_that_does_not_exist_is_found() {
        assert_eq!(
            messages("Type `cargo xtask run --lan` or\n```\ncargo xtask test\n```"),
            Vec::<String>::new()
        );
        assert_eq!(
            messages("Type `cargo xtask dance`."),
            ["`cargo xtask dance` does not exist"]
        );
        assert_eq!(messages("All of `cargo xtask`."), Vec::<String>::new());
    }
}
