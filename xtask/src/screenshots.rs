//! `cargo xtask screenshots`: every screen in docs/screens, photographed from the real app by a real browser.
//!
//! What is photographed is decided in `e2e`; this only sees to it that all it needs is built.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::node::{Node, npm, web};
use crate::test::e2e_environment;
use crate::tools::Repo;
use crate::{Success, packages, process, run};

const LIMIT: Duration = Duration::from_secs(20 * 60);

pub fn command(repo: &Repo, arguments: &[String]) -> Result<Success> {
    ensure!(arguments.is_empty(), "screenshots takes no arguments");
    let node = Node::find()?;
    packages::ensure(packages::BROWSERS)?;
    node.install(&web(repo))?;
    node.build_web(repo)?;
    run::build_binaries(repo)?;
    let e2e = repo.root.join("e2e");
    node.install(&e2e)?;
    let mut command = npm(&e2e);
    e2e_environment(repo, command.args(["run", "screenshots"]));
    process::succeed(&mut command, LIMIT)?;
    println!("The screens are in docs/screens: look at each of them before committing.");
    Ok(Success::Yes)
}
