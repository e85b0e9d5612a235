//! Python, for the strangers' programs that journeys talk to: an environment of its own from a list of exact versions.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::node::Freshness;
use crate::process;
use crate::stamp::{Fingerprint, Stamp};
use crate::tools::stdout_of;

const LIMIT: Duration = Duration::from_secs(10 * 60);

/// The interpreter of the environment below `project`.
pub fn interpreter(project: &Path) -> PathBuf {
    project.join(".venv/bin/python")
}

/// Makes the environment anew, unless it is already that of `requirements.txt`.
pub fn install(project: &Path) -> Result<Freshness> {
    let requirements = project.join("requirements.txt");
    let environment = project.join(".venv");
    let stamp = Stamp::new(environment.join(".stube-installed"));
    let version = stdout_of(Command::new("python3").arg("--version"))?;
    let fingerprint = Fingerprint::default()
        .text(&version)
        .file(&requirements)?
        .print();
    if stamp.matches(&fingerprint) {
        return Ok(Freshness::Fresh);
    }
    stamp.remove()?;
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&environment);
    process::succeed(&mut make, LIMIT)?;
    let mut install = Command::new(interpreter(project));
    install
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--disable-pip-version-check", "--requirement"])
        .arg(&requirements);
    process::succeed(&mut install, LIMIT)?;
    stamp.write(&fingerprint)?;
    Ok(Freshness::Renewed)
}
