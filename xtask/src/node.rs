//! Node.js: whether it is new enough, packages installed from a lock file, and the web app built, each only when stale.
//!
//! The stamps of both live in `node_modules`, so that they go with it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::process;
use crate::stamp::{Fingerprint, Stamp};
use crate::tools::{Repo, Version, stdout_of, which};

const INSTALL_LIMIT: Duration = Duration::from_secs(15 * 60);
const BUILD_LIMIT: Duration = Duration::from_secs(10 * 60);

/// The Node.js on the path, known to be new enough.
#[derive(Debug)]
pub struct Node {
    version: String,
}

impl Node {
    pub fn find() -> Result<Node> {
        if which("node").is_none() || which("npm").is_none() {
            bail!(
                "Stube needs Node.js 20.19 or newer with npm, and there is no `{}` on the path",
                missing()
            );
        }
        let version = stdout_of(Command::new("node").arg("--version"))?
            .trim()
            .to_string();
        match Version::parse(&version) {
            Some(parsed) if is_new_enough(parsed) => Ok(Node { version }),
            _ => bail!(
                "Stube needs Node.js 20.19 or newer (22.12 or newer, if it is 21 or 22), and this one is {version}"
            ),
        }
    }

    /// `npm ci`, unless the installed packages are already those of the lock file.
    pub fn install(&self, project: &Path) -> Result<Freshness> {
        let stamp = Stamp::new(project.join("node_modules/.stube-installed"));
        let fingerprint = Fingerprint::default()
            .text(&self.version)
            .file(&project.join("package.json"))?
            .file(&project.join("package-lock.json"))?
            .print();
        if stamp.matches(&fingerprint) {
            return Ok(Freshness::Fresh);
        }
        stamp.remove()?;
        let mut command = npm(project);
        command.args([
            "ci",
            "--include=dev",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]);
        process::succeed(&mut command, INSTALL_LIMIT)?;
        stamp.write(&fingerprint)?;
        Ok(Freshness::Renewed)
    }

    /// The web app's build, unless `web/dist` is already what its sources make.
    pub fn build_web(&self, repo: &Repo) -> Result<Freshness> {
        let web = web(repo);
        let stamp = Stamp::new(web.join("node_modules/.stube-built"));
        let sources = Fingerprint::default()
            .text(&self.version)
            .folder(&web)?
            .print();
        if stamp.matches(&built(&sources, &web)?) {
            return Ok(Freshness::Fresh);
        }
        stamp.remove()?;
        process::succeed(npm(&web).args(["run", "build"]), BUILD_LIMIT)?;
        stamp.write(&built(&sources, &web)?)?;
        Ok(Freshness::Renewed)
    }
}

/// Whether there was something to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Freshness {
    Fresh,
    Renewed,
}

pub fn web(repo: &Repo) -> PathBuf {
    repo.root.join("web")
}

/// npm in a project, whatever the environment says about production.
pub fn npm(project: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(project).env_remove("NODE_ENV");
    command
}

/// The tools that build the web app support these lines of Node.js; 21 and the first releases of 22 are not among them.
fn is_new_enough(version: Version) -> bool {
    let at_least = |major, minor| {
        version
            >= Version {
                major,
                minor,
                patch: 0,
            }
    };
    if version.major == 20 {
        at_least(20, 19)
    } else {
        at_least(22, 12)
    }
}

fn missing() -> &'static str {
    if which("node").is_none() {
        "node"
    } else {
        "npm"
    }
}

/// Sources and result together: a build cut off half-way, or made from something else, does not match.
fn built(sources: &str, web: &Path) -> Result<String> {
    let dist = web.join("dist");
    if !dist.join("index.html").is_file() {
        return Ok(format!("{sources} nothing"));
    }
    Ok(format!(
        "{sources} {}",
        Fingerprint::default().folder(&dist)?.print()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_from_20_19_on_will_do_where_the_build_tools_support_it() {
        for (text, expected) in [
            ("v18.20.4", false),
            ("v20.18.9", false),
            ("v20.19.0", true),
            ("v20.20.2", true),
            ("v21.7.3", false),
            ("v22.11.0", false),
            ("v22.12.0", true),
            ("v24.0.0", true),
        ] {
            assert_eq!(
                is_new_enough(Version::parse(text).unwrap()),
                expected,
                "{text}"
            );
        }
    }
}
