//! `cargo xtask codegen`: generated files are written by the tests that compare them, told to write instead.
//!
//! So what is written and what is compared can never differ.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::tools::{Repo, cargo};
use crate::{Success, process};

const LIMIT: Duration = Duration::from_secs(10 * 60);

pub fn command(repo: &Repo, arguments: &[String]) -> Result<Success> {
    ensure!(arguments.is_empty(), "codegen takes no arguments");
    for mut tests in all(repo) {
        process::succeed(tests.env("STUBE_UPDATE", "1"), LIMIT)?;
    }
    check(repo)?;
    println!("Generated files are current.");
    Ok(Success::Yes)
}

/// Fails if a generated file is not what the protocol's types and the server's routes make.
pub fn check(repo: &Repo) -> Result<()> {
    for mut tests in all(repo) {
        process::succeed(&mut tests, LIMIT)?;
    }
    Ok(())
}

fn all(repo: &Repo) -> [Command; 2] {
    [protocol_tests(repo), description_tests(repo)]
}

/// Those that write, and none beside them that reads.
fn protocol_tests(repo: &Repo) -> Command {
    let mut command = cargo();
    command.current_dir(&repo.root).args([
        "test",
        "--quiet",
        "--package",
        "protocol",
        "--lib",
        "golden",
    ]);
    command
}

/// `docs/openapi.json`.
fn description_tests(repo: &Repo) -> Command {
    let mut command = cargo();
    command.current_dir(&repo.root).args([
        "test",
        "--quiet",
        "--package",
        "server",
        "--bin",
        "stube",
        "http::openapi",
    ]);
    command
}
