//! `cargo xtask dist`: the one binary to hand out, optimised, with the web app inside.
//!
//! Prints its size and SHA-256 and writes the latter beside it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::node::{Node, web};
use crate::tools::{Repo, cargo, stdout_of, which};
use crate::{Success, process};

const LIMIT: Duration = Duration::from_secs(60 * 60);

pub fn command(repo: &Repo, arguments: &[String]) -> Result<Success> {
    ensure!(arguments.is_empty(), "dist takes no arguments");
    let node = Node::find()?;
    node.install(&web(repo))?;
    node.build_web(repo)?;
    let build = [
        "build",
        "--release",
        "--locked",
        "--package",
        "server",
        "--bin",
        "stube",
    ];
    process::succeed(cargo().current_dir(&repo.root).args(build), LIMIT)?;

    let folder = repo.target.join("dist");
    fs::create_dir_all(&folder)?;
    let binary = folder.join("stube");
    fs::copy(repo.target.join("release/stube"), &binary)
        .with_context(|| format!("cannot write {}", binary.display()))?;
    let sum = sha256(&binary)?;
    fs::write(folder.join("stube.sha256"), format!("{sum}  stube\n"))?;
    let megabytes = fs::metadata(&binary)?.len() as f64 / 1e6;
    println!("{}\n{megabytes:.1} MB\nsha256 {sum}", binary.display());
    Ok(Success::Yes)
}

/// By coreutils or, where those are not, by Perl's tool of the same output.
fn sha256(path: &Path) -> Result<String> {
    let mut command = match which("sha256sum") {
        Some(program) => Command::new(program),
        None => Command::new("shasum"),
    };
    if which("sha256sum").is_none() {
        command.args(["-a", "256"]);
    }
    let text = stdout_of(command.arg(path))?;
    Ok(text
        .split_whitespace()
        .next()
        .context("no checksum was printed")?
        .to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_sha_256() {
        let path = std::env::temp_dir().join(format!("stube-xtask-{}-sum", std::process::id()));
        fs::write(&path, "abc").unwrap();
        let sum = sha256(&path);
        fs::remove_file(&path).unwrap();
        assert_eq!(
            sum.unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
