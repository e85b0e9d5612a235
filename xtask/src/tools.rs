//! Where the repository, its target folder and the programs we call are.
//!
//! Says in one sentence what is missing. Starts nothing that lasts; children are started by `process`.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Variables that `cargo run` sets for us and that would make a cargo below us believe it builds `xtask`.
const CARGO_RUN_VARIABLES: &[&str] = &[
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
];

/// The checkout that this `xtask` was built from, and the folder cargo builds into.
#[derive(Debug)]
pub struct Repo {
    pub root: PathBuf,
    pub target: PathBuf,
}

impl Repo {
    pub fn find() -> Result<Repo> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest
            .parent()
            .context("xtask has no parent folder")?
            .to_path_buf();
        ensure!(
            root.join("Cargo.lock").is_file(),
            "this xtask was built from {}, which is no longer there: run it again through `cargo xtask`",
            root.display()
        );
        let metadata = metadata(&root, &["--no-deps"])?;
        let target = metadata["target_directory"]
            .as_str()
            .context("cargo metadata names no target_directory")?;
        Ok(Repo {
            target: PathBuf::from(target),
            root,
        })
    }

    /// A binary of the development profile.
    pub fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// The path as seen from the root, with forward slashes, for messages and tables.
    pub fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .to_string_lossy()
            .replace('\\', "/")
    }
}

/// What `cargo metadata` says, with the lock file left as it is.
pub fn metadata(root: &Path, options: &[&str]) -> Result<serde_json::Value> {
    let mut command = cargo();
    command
        .current_dir(root)
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(options);
    let text = stdout_of(&mut command)?;
    serde_json::from_str(&text).context("cargo metadata printed something that is not JSON")
}

/// The cargo that runs us, without what it told us about ourselves.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if CARGO_RUN_VARIABLES.contains(&&*text) || text.starts_with("CARGO_PKG_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Git in the checkout, even if somebody else owns it, as in a build server's container.
pub fn git(root: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(root)
        .arg("-c")
        .arg(format!("safe.directory={}", root.display()));
    command
}

/// Runs a short, silent helper program and returns what it prints.
pub fn stdout_of(command: &mut Command) -> Result<String> {
    let shown = format!("{:?}", command.get_program()).replace('"', "");
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        bail!(
            "{shown} failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first program of that name on the path.
pub fn which(name: &str) -> Option<PathBuf> {
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// A version as programs print it: `v20.19.0`, `11.4.2`, `22.12`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl Version {
    pub fn parse(text: &str) -> Option<Version> {
        let mut numbers = text
            .trim()
            .trim_start_matches('v')
            .split('.')
            .map(leading_number);
        let major = numbers.next()??;
        let minor = numbers.next().flatten().unwrap_or(0);
        let patch = numbers.next().flatten().unwrap_or(0);
        Some(Version {
            major,
            minor,
            patch,
        })
    }
}

fn leading_number(text: &str) -> Option<u32> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    text[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_programs_print_them() {
        let version = |major, minor, patch| {
            Some(Version {
                major,
                minor,
                patch,
            })
        };
        assert_eq!(Version::parse("v20.19.0\n"), version(20, 19, 0));
        assert_eq!(Version::parse("11.4.2"), version(11, 4, 2));
        assert_eq!(Version::parse("22.12"), version(22, 12, 0));
        assert_eq!(Version::parse("25.0.0-nightly2026"), version(25, 0, 0));
        assert_eq!(Version::parse("node"), None);
        assert_eq!(Version::parse(""), None);
    }

    #[test]
    fn a_child_cargo_does_not_hear_that_it_builds_xtask() {
        let removed: Vec<_> = cargo()
            .get_envs()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| name.to_owned())
            .collect();
        assert!(
            removed.iter().any(|name| name == "CARGO_MANIFEST_DIR"),
            "{removed:?}"
        );
        assert!(
            removed.iter().any(|name| name == "CARGO_PKG_NAME"),
            "{removed:?}"
        );
    }

    #[test]
    fn programs_are_found_on_the_path_only() {
        assert!(which("sh").is_some());
        assert_eq!(which("no-such-program-anywhere"), None);
    }
}
