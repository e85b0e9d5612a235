//! Go, for the provider of strangers that journeys sign in at: built from a module file that names exact versions and
//! hashes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::node::Freshness;
use crate::process;
use crate::stamp::{Fingerprint, Stamp};
use crate::tools::{Version, stdout_of, which};

const LIMIT: Duration = Duration::from_secs(10 * 60);
const PROGRAM: &str = "github.com/zitadel/oidc/v3/example/server";
/// On the path, or where its own installer puts it.
pub const PLACES: &[&str] = &["go", "/usr/local/go/bin/go"];
/// From this one on, Go fetches by itself the version that a module needs.
const OLDEST: Version = Version {
    major: 1,
    minor: 21,
    patch: 0,
};

/// The provider's program below `project`.
pub fn provider(project: &Path) -> PathBuf {
    project.join(".go/zitadel-provider")
}

/// Builds it anew, unless it is already that of `zitadel/go.mod`.
pub fn install(project: &Path) -> Result<Freshness> {
    let module = project.join("zitadel");
    let built = provider(project);
    let stamp = Stamp::new(built.with_extension("stube-built"));
    let go = find()?;
    let said = stdout_of(Command::new(&go).arg("version"))?;
    let fingerprint = Fingerprint::default()
        .text(&said)
        .file(&module.join("go.mod"))?
        .file(&module.join("go.sum"))?
        .print();
    if stamp.matches(&fingerprint) && built.is_file() {
        return Ok(Freshness::Fresh);
    }
    check_version(&said)?;
    stamp.remove()?;
    let mut build = Command::new(go);
    build
        .current_dir(module)
        .env("GOTOOLCHAIN", "auto")
        .args(["build", "-mod=readonly", "-o"])
        .arg(&built)
        .arg(PROGRAM);
    process::succeed(&mut build, LIMIT)?;
    stamp.write(&fingerprint)?;
    Ok(Freshness::Renewed)
}

fn find() -> Result<PathBuf> {
    let found = PLACES.iter().find_map(|place| which(place));
    found.context("the journeys need Go: install golang-go, or what https://go.dev/dl/ offers")
}

/// `go version go1.26.8 linux/amd64`.
fn check_version(said: &str) -> Result<()> {
    let version = said.split_whitespace().find_map(|word| {
        let number = word.strip_prefix("go")?;
        Version::parse(number)
    });
    ensure!(
        version.is_some_and(|version| version >= OLDEST),
        "`{}` is too old for the strangers' programs, which need Go {}.{} or newer: https://go.dev/dl/ has it",
        said.trim(),
        OLDEST.major,
        OLDEST.minor
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_go_that_cannot_fetch_newer_ones_is_named() {
        check_version("go version go1.26.8 linux/amd64\n").unwrap();
        check_version("go version go1.21.0 linux/arm64").unwrap();
        for old in ["go version go1.19.8 linux/amd64", "go version devel", ""] {
            let error = check_version(old).unwrap_err().to_string();
            assert!(error.contains("Go 1.21"), "{error}");
        }
    }
}
