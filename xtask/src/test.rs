//! `cargo xtask test` and `cargo xtask ci`: every check there is, as a list of steps with a summary.
//!
//! Decides what is run and in which order. The cheap checks come first; the browser journeys last, one at a time.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::counts::Counts;
use crate::node::{Freshness, Node, npm, web};
use crate::process::{self, Output, describe};
use crate::steps::{Outcome, Score, Skipped, Step};
use crate::tools::{Repo, cargo, git, stdout_of};
use crate::{Success, budgets, codegen, golang, packages, python, quickstart, run, tidy};

/// Long enough for the slowest step on a cold machine with two cores, short enough to notice what hangs.
const LIMIT: Duration = Duration::from_secs(40 * 60);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Tidy,
    Web,
    Rust,
    EndToEnd,
}

const PARTS: &[(&str, Part)] = &[
    ("tidy", Part::Tidy),
    ("web", Part::Web),
    ("rust", Part::Rust),
    ("e2e", Part::EndToEnd),
];

pub fn command(repo: &Repo, arguments: &[String]) -> Result<Success> {
    run_parts(repo, &parts(arguments)?, Skipped::Reported)
}

pub fn ci_command(repo: &Repo, arguments: &[String]) -> Result<Success> {
    run_parts(repo, &parts(arguments)?, Skipped::Failure)
}

fn parts(arguments: &[String]) -> Result<Vec<Part>> {
    for argument in arguments {
        let known = PARTS
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(", ");
        ensure!(
            PARTS.iter().any(|(name, _)| name == argument),
            "`{argument}` is no part of the tests; the parts are {known}"
        );
    }
    let chosen =
        |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    Ok(PARTS
        .iter()
        .filter(|(name, _)| chosen(name))
        .map(|(_, part)| *part)
        .collect())
}

fn run_parts(repo: &Repo, parts: &[Part], skipped: Skipped) -> Result<Success> {
    let node = Node::find()?;
    install_packages(parts)?;
    let tree = Tree::now(repo);
    let everything = parts.len() == PARTS.len();
    let mut chains: Vec<Vec<Step<'_>>> = parts
        .iter()
        .map(|part| chain(repo, &node, *part, everything))
        .collect();
    chains.push(vec![Step::new("the working tree is as it was", || {
        tree.is_unchanged(repo)
    })]);

    let score = run_chains(chains, skipped)?;
    println!("\n{}", score.summary());
    Ok(if score.failed() == 0 {
        Success::Yes
    } else {
        Success::No
    })
}

fn run_chains(chains: Vec<Vec<Step<'_>>>, skipped: Skipped) -> Result<Score> {
    println!("To do:");
    for (index, step) in chains.iter().flatten().enumerate() {
        println!("{:>3}. {}", index + 1, step.name);
    }
    let mut score = Score::new(skipped, chains.iter().map(Vec::len).sum());
    for chain in chains {
        score.run(chain)?;
    }
    Ok(score)
}

fn install_packages(parts: &[Part]) -> Result<()> {
    let mut needed = Vec::new();
    if parts.contains(&Part::Rust) {
        needed.extend([&packages::POSTGRESQL, &packages::SLAPD]);
    }
    if parts.contains(&Part::EndToEnd) {
        needed.extend(packages::BROWSERS);
        needed.extend(packages::STRANGERS);
    }
    packages::ensure(needed)
}

fn chain<'a>(repo: &'a Repo, node: &'a Node, part: Part, everything: bool) -> Vec<Step<'a>> {
    match part {
        Part::Tidy => tidy_chain(repo, everything),
        Part::Web => web_chain(repo, node),
        Part::Rust => rust_chain(repo),
        Part::EndToEnd => end_to_end_chain(repo, node),
    }
}

fn tidy_chain(repo: &Repo, everything: bool) -> Vec<Step<'_>> {
    let mut steps = vec![Step::new("tidy: rules of the house", || {
        tidy::check(repo).map(|()| Outcome::Done)
    })];
    if !everything {
        // Otherwise the Rust tests compare them.
        steps.push(Step::new("tidy: generated files are current", || {
            codegen::check(repo).map(|()| Outcome::Done)
        }));
    }
    steps
}

fn web_chain<'a>(repo: &'a Repo, node: &'a Node) -> Vec<Step<'a>> {
    let script = |name: &'static str| move || show(npm(&web(repo)).args(["run", name]));
    vec![
        Step::gate("web: npm ci", || freshness(node.install(&web(repo)))),
        Step::new("web: type check", script("check")),
        Step::new("web: lint", script("lint")),
        Step::new("web: unit tests", || {
            count(npm(&web(repo)).args(["run", "test"]))
        }),
        Step::gate("web: build", || freshness(node.build_web(repo))),
        Step::new("web: size of the first load", || {
            budgets::check_first_load(&web(repo).join("dist")).map(|()| Outcome::Done)
        }),
    ]
}

fn rust_chain(repo: &Repo) -> Vec<Step<'_>> {
    let cargo = |arguments: &'static [&'static str]| {
        let mut command = cargo();
        command.current_dir(&repo.root).args(arguments);
        command
    };
    vec![
        Step::new("rust: format", move || {
            show(&mut cargo(&["fmt", "--all", "--check"]))
        }),
        Step::new("rust: clippy", move || {
            show(&mut cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]))
        }),
        Step::gate("rust: build tests", move || {
            show(&mut cargo(&["test", "--workspace", "--no-run"]))
        }),
        Step::new("rust: tests", move || {
            let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
            count(command.env("RUST_TEST_THREADS", test_threads().to_string()))
        }),
    ]
}

/// Most tests of the server wait: for a deadline of it, for a program that starts, for somebody to be gone.
fn test_threads() -> usize {
    4 * thread::available_parallelism().map_or(1, NonZero::get)
}

fn end_to_end_chain<'a>(repo: &'a Repo, node: &'a Node) -> Vec<Step<'a>> {
    let e2e = || repo.root.join("e2e");
    vec![
        Step::gate("e2e: build app and server", || {
            run::prepare(repo).map(|()| Outcome::Done)
        }),
        Step::new("e2e: quick start of README.md", || {
            quickstart::check(repo).map(|()| Outcome::Done)
        }),
        Step::gate("e2e: npm ci", move || freshness(node.install(&e2e()))),
        Step::gate("e2e: strangers' programs", move || {
            freshness(python::install(&strangers(repo)))
        }),
        Step::gate("e2e: strangers' provider", move || {
            freshness(golang::install(&strangers(repo)))
        }),
        Step::new("e2e: type check", move || {
            show(npm(&e2e()).args(["run", "check"]))
        }),
        Step::new("e2e: journeys in real browsers", move || {
            let mut command = npm(&e2e());
            e2e_environment(repo, command.arg("test"));
            count(&mut command)
        }),
    ]
}

/// Where the journeys find what was built.
pub fn e2e_environment(repo: &Repo, command: &mut Command) {
    command
        .env("STUBE_BIN", repo.binary("stube"))
        .env("STUBE_PYTHON", python::interpreter(&strangers(repo)))
        .env("STUBE_STRANGE_PROVIDER", golang::provider(&strangers(repo)));
}

fn strangers(repo: &Repo) -> PathBuf {
    repo.root.join("e2e/strangers")
}

fn show(command: &mut Command) -> Result<Outcome> {
    process::succeed(command, LIMIT)?;
    Ok(Outcome::Done)
}

fn count(command: &mut Command) -> Result<Outcome> {
    let shown = describe(command);
    let finished = process::finish(command, Output::ShownAndRead, LIMIT)?;
    ensure!(
        finished.status.success(),
        "`{shown}` failed ({})",
        finished.status
    );
    Ok(Outcome::Tests(Counts::read(&finished.text)))
}

fn freshness(result: Result<Freshness>) -> Result<Outcome> {
    Ok(match result? {
        Freshness::Fresh => Outcome::Fresh,
        Freshness::Renewed => Outcome::Done,
    })
}

/// What git says about the checkout. Tests leave it as they found it.
struct Tree {
    status: Option<String>,
}

impl Tree {
    /// A copy without git has no tree to compare.
    fn now(repo: &Repo) -> Tree {
        Tree {
            status: status(&repo.root),
        }
    }

    fn is_unchanged(&self, repo: &Repo) -> Result<Outcome> {
        let now = status(&repo.root);
        ensure!(
            self.status == now,
            "the tests have changed files of the repository; git status now says:\n{}",
            now.unwrap_or_default()
        );
        Ok(Outcome::Done)
    }
}

fn status(root: &Path) -> Option<String> {
    stdout_of(git(root).args(["status", "--porcelain"])).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| word.to_string()).collect()
    }

    #[test]
    fn without_arguments_every_part_is_run() {
        assert_eq!(
            parts(&[]).unwrap(),
            [Part::Tidy, Part::Web, Part::Rust, Part::EndToEnd]
        );
    }

    #[test]
    fn parts_are_run_in_the_same_order_however_they_are_named() {
        assert_eq!(
            parts(&arguments(&["e2e", "web"])).unwrap(),
            [Part::Web, Part::EndToEnd]
        );
    }

    #[test]
    fn an_unknown_part_is_refused_with_the_known_ones() {
        let error = parts(&arguments(&["rust", "fuzz"]))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "`fuzz` is no part of the tests; the parts are tidy, web, rust, e2e"
        );
    }
}
