//! Licences, banned crates and sources of everything that is built, held against the lists of deny.toml.
//!
//! Looks at the features really chosen on this platform: an optional crate that only the lock file names is no matter.

use anyhow::{Context, Result};

use super::Finding;
use super::files::Files;
use crate::tools::{Repo, cargo, stdout_of};

/// The lists of deny.toml that are held here.
#[derive(Debug)]
struct Lists {
    licences: Vec<String>,
    banned: Vec<String>,
    registries: Vec<String>,
}

/// A package of the build, as `cargo tree` names it.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Package {
    name: String,
    licence: String,
}

pub fn check(repo: &Repo, files: &Files) -> Result<Vec<Finding>> {
    let lists = Lists::parse(files.text("deny.toml").context("there is no deny.toml")?)?;
    let mut tree = cargo();
    tree.current_dir(&repo.root).args([
        "tree",
        "--workspace",
        "--locked",
        "--edges",
        "normal,build,dev",
        "--prefix",
        "none",
        "--format",
        "{p}|{l}",
    ]);
    let packages = packages(&stdout_of(&mut tree)?);
    let mut findings = judge(&packages, &lists);
    findings.extend(sources(
        files.text("Cargo.lock").context("there is no Cargo.lock")?,
        &lists,
    )?);
    Ok(findings)
}

impl Lists {
    fn parse(text: &str) -> Result<Lists> {
        let table: toml::Table = text.parse().context("deny.toml")?;
        let list = |section: &str, key: &str| -> Result<Vec<String>> {
            let values = table
                .get(section)
                .and_then(|section| section.get(key))
                .and_then(toml::Value::as_array);
            let values =
                values.with_context(|| format!("deny.toml has no list {section}.{key}"))?;
            let text = |value: &toml::Value| {
                value
                    .get("name")
                    .unwrap_or(value)
                    .as_str()
                    .map(str::to_string)
            };
            values
                .iter()
                .map(|value| {
                    text(value).with_context(|| format!("deny.toml: {value} in {section}.{key}"))
                })
                .collect()
        };
        Ok(Lists {
            licences: list("licenses", "allow")?,
            banned: list("bans", "deny")?,
            registries: list("sources", "allow-registry")?,
        })
    }
}

/// Lines such as `serde v1.0.229|MIT OR Apache-2.0 (*)`.
fn packages(tree: &str) -> Vec<Package> {
    let package = |line: &str| {
        let (package, licence) = line.trim_end_matches(" (*)").split_once('|')?;
        Some(Package {
            name: package.split(' ').next()?.to_string(),
            licence: licence.trim().to_string(),
        })
    };
    let mut packages: Vec<Package> = tree.lines().filter_map(package).collect();
    packages.sort();
    packages.dedup();
    packages
}

fn judge(packages: &[Package], lists: &Lists) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        if lists.banned.contains(&package.name) {
            findings.push(Finding::new(
                "banned-crate",
                &package.name,
                "is built, and deny.toml bans it",
            ));
        }
        if !satisfies(&package.licence, &lists.licences) {
            let message = format!(
                "its licence `{}` is not allowed by deny.toml",
                package.licence
            );
            findings.push(Finding::new("licence", &package.name, message));
        }
    }
    findings
}

fn sources(lock: &str, lists: &Lists) -> Result<Vec<Finding>> {
    let table: toml::Table = lock.parse().context("Cargo.lock")?;
    let packages = table
        .get("package")
        .and_then(toml::Value::as_array)
        .context("Cargo.lock lists no packages")?;
    let foreign = packages.iter().filter_map(|package| {
        let source = package.get("source")?.as_str()?;
        let known = source
            .strip_prefix("registry+")
            .is_some_and(|url| lists.registries.iter().any(|known| known == url));
        let name = package.get("name")?.as_str()?;
        (!known).then(|| {
            Finding::new(
                "source",
                name,
                format!("comes from {source}, which deny.toml does not allow"),
            )
        })
    });
    Ok(foreign.collect())
}

/// Whether an SPDX expression can be met with the licences allowed.
fn satisfies(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser {
        words: &words,
        allowed,
    };
    parser.alternatives() == Some(true) && parser.words.is_empty()
}

struct Parser<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl<'a> Parser<'a> {
    fn alternatives(&mut self) -> Option<bool> {
        let mut met = self.conjunction()?;
        while self.eat("OR") {
            met |= self.conjunction()?;
        }
        Some(met)
    }

    fn conjunction(&mut self) -> Option<bool> {
        let mut met = self.licence()?;
        while self.eat("AND") {
            met &= self.licence()?;
        }
        Some(met)
    }

    fn licence(&mut self) -> Option<bool> {
        if self.eat("(") {
            let met = self.alternatives()?;
            return self.eat(")").then_some(met);
        }
        let name = self.word()?;
        let name = if self.eat("WITH") {
            format!("{name} WITH {}", self.word()?)
        } else {
            name.to_string()
        };
        Some(self.allowed.contains(&name))
    }

    fn word(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"]
        [bans]
        deny = [{ name = "ring" }, "openssl-sys"]
        [sources]
        allow-registry = ["https://github.com/rust-lang/crates.io-index"]
    "#;

    #[test]
    fn an_expression_is_met_by_one_alternative_with_all_its_parts() {
        let allowed = Lists::parse(DENY).unwrap().licences;
        for (expression, expected) in [
            ("MIT", true),
            ("MIT/GPL-3.0", true),
            ("GPL-3.0 OR Apache-2.0", true),
            ("GPL-3.0", false),
            ("MIT AND GPL-3.0", false),
            ("ISC AND (Apache-2.0 OR GPL-3.0)", true),
            ("(MIT OR Apache-2.0) AND GPL-3.0", false),
            ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
            ("Apache-2.0 WITH Other-exception", false),
            ("", false),
            ("MIT OR", false),
            ("(MIT", false),
            ("MIT MIT", false),
        ] {
            assert_eq!(satisfies(expression, &allowed), expected, "{expression}");
        }
    }

    #[test]
    fn a_banned_crate_and_a_licence_not_allowed_are_found() {
        let tree = "server v0.1.0 (/x)|MIT\nserde v1.0.2|MIT OR Apache-2.0\nring v0.17.1|Apache-2.0 AND ISC\n\nserde v1.0.2|MIT OR Apache-2.0 (*)\ncopyleft v1.0.0|GPL-3.0\n";
        let findings = judge(&packages(tree), &Lists::parse(DENY).unwrap());
        let found: Vec<(&str, &str)> = findings
            .iter()
            .map(|finding| (finding.rule, finding.at.as_str()))
            .collect();
        assert_eq!(found, [("licence", "copyleft"), ("banned-crate", "ring")]);
    }

    #[test]
    fn a_crate_from_git_or_another_registry_is_found() {
        let lock = r#"
            [[package]]
            name = "ours"
            [[package]]
            name = "good"
            source = "registry+https://github.com/rust-lang/crates.io-index"
            [[package]]
            name = "forked"
            source = "git+https://example.org/forked"
            [[package]]
            name = "mirrored"
            source = "registry+https://example.org/index"
        "#;
        let found = sources(lock, &Lists::parse(DENY).unwrap()).unwrap();
        assert_eq!(
            found
                .iter()
                .map(|finding| finding.at.as_str())
                .collect::<Vec<_>>(),
            ["forked", "mirrored"]
        );
    }
}
