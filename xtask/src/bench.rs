//! `cargo xtask bench`: measures and prints; asserts no speed, since machines differ.
//!
//! The benchmarks are bench targets of the crates. Without `--release` they measure the binary of the tests, which is slower
//! than what is handed out.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::node::{Node, web};
use crate::tools::{Repo, cargo};
use crate::{Success, packages, process};

const LIMIT: Duration = Duration::from_secs(60 * 60);
/// Each a bench target of the server.
const ALL: &[&str] = &["directory", "media"];

pub fn command(repo: &Repo, arguments: &[String]) -> Result<Success> {
    let release = arguments.iter().any(|argument| argument == "--release");
    let mut named: Vec<&str> = arguments.iter().map(String::as_str).collect();
    named.retain(|argument| *argument != "--release");
    if let Some(unknown) = named.iter().find(|name| !ALL.contains(name)) {
        bail!(
            "there is no benchmark `{unknown}`: there are {}, and --release",
            ALL.join(", ")
        );
    }
    if named.is_empty() {
        named = ALL.to_vec();
    }
    packages::ensure([&packages::POSTGRESQL])?;
    if release {
        // The binary that is handed out has the app inside.
        let node = Node::find()?;
        node.install(&web(repo))?;
        node.build_web(repo)?;
    }
    for name in named {
        let profile = if release { "bench" } else { "dev" };
        println!("{name}, profile `{profile}`");
        let mut command = cargo();
        command.current_dir(&repo.root);
        command.args(["bench", "--quiet", "--package", "server", "--bench", name]);
        process::succeed(command.args(["--profile", profile]), LIMIT)?;
    }
    Ok(Success::Yes)
}
