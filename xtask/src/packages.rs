//! The Debian packages that the tests need: found by what they bring, installed by apt-get where we may.
//!
//! `cargo xtask run` needs none of them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::golang;
use crate::process;
use crate::tools::which;

const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Something a test needs, and how to see that it is there, wherever it came from.
#[derive(Debug)]
pub struct Package {
    name: &'static str,
    probe: Probe,
}

#[derive(Debug)]
enum Probe {
    Program(&'static str),
    /// On the path, or where its own installer puts it.
    AnyProgram(&'static [&'static str]),
    File(&'static str),
    /// A command that ends well.
    Command(&'static [&'static str]),
    /// A program below a folder of versions, newest or not.
    Versioned {
        folder: &'static str,
        program: &'static str,
    },
}

pub const POSTGRESQL: Package = Package {
    name: "postgresql",
    probe: Probe::Versioned {
        folder: "/usr/lib/postgresql",
        program: "bin/initdb",
    },
};

/// Not in the PATH of everybody.
pub const SLAPD: Package = Package {
    name: "slapd",
    probe: Probe::File("/usr/sbin/slapd"),
};

/// What is answered before a package asks. Without a directory of its own, slapd's service has nothing to start with: the
/// tests start theirs themselves.
const ANSWERS: &[(&str, &str)] = &[("slapd", "slapd slapd/no_configuration boolean true")];

/// What strangers' programs need that the journeys talk to.
pub const STRANGERS: &[Package] = &[
    Package {
        name: "python3-venv",
        probe: Probe::Command(&["python3", "-c", "import ensurepip, venv"]),
    },
    Package {
        name: "golang-go",
        probe: Probe::AnyProgram(golang::PLACES),
    },
];

pub const BROWSERS: &[Package] = &[
    Package {
        name: "chromium",
        probe: Probe::Program("chromium"),
    },
    Package {
        name: "firefox-esr",
        probe: Probe::Program("firefox-esr"),
    },
    Package {
        name: "ffmpeg",
        probe: Probe::Program("ffmpeg"),
    },
    Package {
        name: "pulseaudio",
        probe: Probe::Program("pulseaudio"),
    },
    // Bad lines are laid with it, in networks that the tests make for themselves.
    Package {
        name: "iproute2",
        probe: Probe::AnyProgram(&["ip", "/usr/sbin/ip", "/sbin/ip"]),
    },
    Package {
        name: "fonts-dejavu-core",
        probe: Probe::File("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    },
    Package {
        name: "fonts-noto-color-emoji",
        probe: Probe::File("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"),
    },
];

impl Package {
    fn is_there(&self) -> bool {
        match self.probe {
            Probe::Program(name) => which(name).is_some(),
            Probe::AnyProgram(names) => names.iter().any(|name| which(name).is_some()),
            Probe::File(path) => Path::new(path).is_file(),
            Probe::Command([program, arguments @ ..]) => succeeds(program, arguments),
            Probe::Command([]) => false,
            Probe::Versioned { folder, program } => fs::read_dir(folder).is_ok_and(|versions| {
                versions
                    .flatten()
                    .any(|version| version.path().join(program).is_file())
            }),
        }
    }
}

/// Sees to it that all of them are there, or fails naming those that are not.
pub fn ensure<'a>(packages: impl IntoIterator<Item = &'a Package>) -> Result<()> {
    let missing: Vec<&Package> = packages
        .into_iter()
        .filter(|package| !package.is_there())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = names(&missing);
    let Some(root) = as_root() else {
        bail!(
            "the tests need {names}, and installing them takes root: apt-get install --no-install-recommends {}",
            names.replace(',', "")
        );
    };
    println!("Installing {names}.");
    install(root, &missing)
        .with_context(|| format!("cannot install {names}, which the tests need"))?;
    let still: Vec<&Package> = missing
        .into_iter()
        .filter(|package| !package.is_there())
        .collect();
    if !still.is_empty() {
        bail!(
            "apt-get succeeded, but {} cannot be found",
            self::names(&still)
        );
    }
    Ok(())
}

fn install(mut as_root: impl FnMut() -> Command, packages: &[&Package]) -> Result<()> {
    for (_, answer) in ANSWERS
        .iter()
        .filter(|(name, _)| packages.iter().any(|package| package.name == *name))
    {
        const ANSWER: &str = "printf '%s\\n' \"$1\" | debconf-set-selections";
        process::succeed(as_root().args(["sh", "-c", ANSWER, "sh", answer]), LIMIT)?;
    }
    let mut apt_get = || {
        let mut command = as_root();
        command.args([
            "apt-get",
            "-o",
            "DPkg::Lock::Timeout=300",
            "-o",
            "Acquire::Retries=3",
        ]);
        command
    };
    process::succeed(apt_get().arg("update"), LIMIT)?;
    let names = packages.iter().map(|package| package.name);
    process::succeed(
        apt_get()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(names),
        LIMIT,
    )
}

fn names(packages: &[&Package]) -> String {
    packages
        .iter()
        .map(|package| package.name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// How to run what installs packages, without a question asked, if we may at all.
fn as_root() -> Option<impl FnMut() -> Command> {
    which("apt-get")?;
    let root = is_root();
    if !root && !sudo_without_password() {
        return None;
    }
    Some(move || {
        let mut command = if root {
            Command::new("env")
        } else {
            Command::new("sudo")
        };
        if !root {
            command.args(["-n", "env"]);
        }
        command.arg("DEBIAN_FRONTEND=noninteractive");
        command
    })
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn sudo_without_password() -> bool {
    succeeds("sudo", &["-n", "true"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_brings_a_program_or_a_file_is_seen_by_it() {
        let package = |probe| Package { name: "x", probe };
        assert!(package(Probe::Program("sh")).is_there());
        assert!(!package(Probe::Program("no-such-program-anywhere")).is_there());
        assert!(
            package(Probe::File(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/Cargo.toml"
            )))
            .is_there()
        );
        assert!(!package(Probe::File("/no/such/file")).is_there());
        assert!(package(Probe::Command(&["sh", "-c", "true"])).is_there());
        assert!(!package(Probe::Command(&["sh", "-c", "false"])).is_there());
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        assert!(
            package(Probe::Versioned {
                folder,
                program: "src/main.rs"
            })
            .is_there()
        );
        assert!(
            !package(Probe::Versioned {
                folder,
                program: "src/no-such-file.rs"
            })
            .is_there()
        );
    }

    #[test]
    fn nothing_is_installed_where_nothing_is_missing() {
        ensure(&[Package {
            name: "no-such-package",
            probe: Probe::Program("sh"),
        }])
        .unwrap();
    }
}
