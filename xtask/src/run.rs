//! `cargo xtask run`: from a clone to a running server, building only what is stale.
//!
//! Ends by becoming the server, so that Ctrl-C and the exit code are the server's own.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::node::{Node, web};
use crate::tools::{Repo, cargo};
use crate::{Success, process};

const BUILD_LIMIT: Duration = Duration::from_secs(60 * 60);

pub fn command(repo: &Repo, arguments: &[String]) -> Result<Success> {
    prepare(repo)?;
    let error = server(repo).args(arguments).exec();
    Err(error).with_context(|| format!("cannot start {}", repo.binary("stube").display()))
}

/// Everything that has to be there before the server can start.
pub fn prepare(repo: &Repo) -> Result<()> {
    let node = Node::find()?;
    node.install(&web(repo))?;
    node.build_web(repo)?;
    build_binaries(repo)
}

/// The whole workspace, because building one package of it would choose other features and build most things twice.
pub fn build_binaries(repo: &Repo) -> Result<()> {
    process::succeed(
        cargo()
            .current_dir(&repo.root)
            .args(["build", "--workspace", "--bins"]),
        BUILD_LIMIT,
    )
}

/// The server as a newcomer starts it: in the root of the repository, with its data in `data`.
pub fn server(repo: &Repo) -> Command {
    let mut command = Command::new(repo.binary("stube"));
    command.current_dir(&repo.root).arg("run");
    command
}
