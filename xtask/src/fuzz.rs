//! `cargo xtask fuzz`: looks for inputs that break what the fuzz targets promise, with cargo-fuzz and a nightly compiler.
//!
//! No part of the tests, which only run the inputs that were found and committed (`fuzz/corpus`). Built without a sanitizer:
//! the code that is tried has no `unsafe` in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::Success;
use crate::process::{self, Output, describe};
use crate::tools::{Repo, cargo, stdout_of};

const CARGO_FUZZ: &str = "0.13.2";
const TOOLCHAIN: &str = "nightly";
const DEFAULT_MINUTES: u64 = 60;
const BUILD_LIMIT: Duration = Duration::from_secs(60 * 60);
/// For a target to start and to end.
const AROUND: Duration = Duration::from_secs(120);
/// Larger than any datagram, and long enough for stories.
const LONGEST_INPUT: usize = 4_096;
/// One input that takes so long hangs.
const SLOWEST_SECONDS: u64 = 20;
const MOST_MEMORY_MIB: u64 = 2_048;

/// Each a binary of `fuzz/`, with what it tries.
const TARGETS: &[(&str, &str)] = &[
    (
        "ingress",
        "datagrams from strangers and from a client's address",
    ),
    ("packets", "RTP and RTCP that clients seal"),
    (
        "numbers",
        "readers of RTCP, feedback, VP8, redundancy; the rewriter",
    ),
    (
        "shards",
        "one meeting on several media threads, and what goes wrong between them",
    ),
    ("stream", "what comes over a TCP connection for media"),
    ("descriptor", "dependency descriptors"),
    ("offers", "SDP"),
    ("messages", "JSON of the protocol"),
    ("meeting", "any sequence of events in a meeting"),
];

#[derive(Debug, PartialEq)]
struct Options {
    minutes: u64,
    /// Whether what crashed becomes an input of the tests.
    keep: bool,
    targets: Vec<&'static str>,
}

pub fn command(repo: &Repo, arguments: &[String]) -> Result<Success> {
    let options = options(arguments)?;
    let host = nightly()?;
    let built = build(repo, &host)?;
    let seconds = (60 * options.minutes / options.targets.len() as u64).max(1);
    let mut lines = vec![];
    for target in &options.targets {
        println!("{target}: {seconds} s");
        let said = run(repo, &built, target, seconds)?;
        let line = Line::read(target, &said);
        println!("{}", line.row());
        for crash in &line.crashes {
            println!("  {}\n  {}", crash.display(), reason(&said));
            if options.keep {
                println!("  kept as {}", keep(repo, target, crash)?);
            }
        }
        lines.push(line);
    }
    println!("\n{}", table(&lines));
    let crashed = lines.iter().any(|line| !line.is_good());
    Ok(if crashed { Success::No } else { Success::Yes })
}

fn options(arguments: &[String]) -> Result<Options> {
    let mut options = Options {
        minutes: DEFAULT_MINUTES,
        keep: false,
        targets: vec![],
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--minutes" => {
                let number = rest.next().and_then(|text| text.parse().ok());
                options.minutes = number.context("--minutes takes a number")?;
            }
            "--keep" => options.keep = true,
            name => match TARGETS.iter().find(|(known, _)| *known == name) {
                Some((known, _)) => options.targets.push(known),
                None => bail!(
                    "there is no fuzz target `{name}`; there are:\n{}\nand --minutes, --keep",
                    known()
                ),
            },
        }
    }
    ensure!(options.minutes > 0, "--minutes is at least 1");
    if options.targets.is_empty() {
        options.targets = TARGETS.iter().map(|(name, _)| *name).collect();
    }
    Ok(options)
}

fn known() -> String {
    let lines = TARGETS
        .iter()
        .map(|(name, what)| format!("  {name:<9} {what}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Sees to it that there is a nightly compiler. The platform it builds for.
fn nightly() -> Result<String> {
    let installed = stdout_of(Command::new("rustup").args(["toolchain", "list"]))
        .context("fuzzing takes a nightly compiler, which rustup installs: https://rustup.rs")?;
    if !installed.lines().any(|line| line.starts_with(TOOLCHAIN)) {
        let mut install = Command::new("rustup");
        install.args(["toolchain", "install", TOOLCHAIN, "--profile", "minimal"]);
        process::succeed(&mut install, BUILD_LIMIT)?;
    }
    let about = stdout_of(Command::new("rustup").args(["run", TOOLCHAIN, "rustc", "-vV"]))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

/// Builds all targets. Where they are.
fn build(repo: &Repo, host: &str) -> Result<PathBuf> {
    let tool = cargo_fuzz(repo)?;
    let folder = repo.root.join("fuzz");
    // The versions that are shipped are the ones that are tried; what fuzzing needs besides is added.
    fs::copy(repo.root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let target = repo.target.join("fuzz");
    let mut build = Command::new("rustup");
    build.args(["run", TOOLCHAIN]).arg(tool);
    build.args(["fuzz", "build", "--sanitizer", "none", "--target", host]);
    build.arg("--target-dir").arg(&target);
    build.arg("--fuzz-dir").arg(&folder);
    build.env_remove("CARGO").env_remove("CARGO_TARGET_DIR");
    process::succeed(build.current_dir(&repo.root), BUILD_LIMIT)?;
    Ok(target.join(host).join("release"))
}

/// Our own, of the version that is known to work here.
fn cargo_fuzz(repo: &Repo) -> Result<PathBuf> {
    let root = repo.target.join("tools");
    let tool = root.join("bin/cargo-fuzz");
    let version = stdout_of(Command::new(&tool).args(["fuzz", "--version"])).unwrap_or_default();
    if version.trim().ends_with(CARGO_FUZZ) {
        return Ok(tool);
    }
    let mut install = cargo();
    install.current_dir(&repo.root);
    install.args(["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ]);
    process::succeed(install.arg("--root").arg(&root), BUILD_LIMIT)?;
    Ok(tool)
}

/// Runs one target for so long, and gives what libFuzzer said. What it learns lies in the target folder and is used again.
fn run(repo: &Repo, built: &Path, target: &str, seconds: u64) -> Result<String> {
    let learned = repo.target.join("fuzz/corpus").join(target);
    let artifacts = repo.target.join("fuzz/artifacts").join(target);
    fs::create_dir_all(&learned)?;
    fs::create_dir_all(&artifacts)?;
    let mut run = Command::new(built.join(target));
    run.current_dir(&artifacts);
    run.arg(&learned);
    run.arg(repo.root.join("fuzz/corpus").join(target));
    run.arg(format!("-max_total_time={seconds}"));
    run.arg(format!("-max_len={LONGEST_INPUT}"));
    run.arg(format!("-timeout={SLOWEST_SECONDS}"));
    run.arg(format!("-rss_limit_mb={MOST_MEMORY_MIB}"));
    run.arg("-print_final_stats=1");
    run.arg(format!("-artifact_prefix={}/", artifacts.display()));
    let words = repo.root.join(format!("fuzz/{target}.dict"));
    if words.is_file() {
        run.arg(format!("-dict={}", words.display()));
    }
    let shown = describe(&run);
    let finished = process::finish(
        &mut run,
        Output::Read,
        Duration::from_secs(seconds) + AROUND,
    )?;
    let crashed = finished.text.contains(WRITTEN);
    ensure!(
        finished.status.success() || crashed,
        "`{shown}` failed ({}):\n{}",
        finished.status,
        finished.text
    );
    Ok(finished.text)
}

const WRITTEN: &str = "Test unit written to ";

/// What came of one target.
#[derive(Debug, PartialEq)]
struct Line {
    target: String,
    executions: u64,
    per_second: u64,
    coverage: u64,
    corpus: u64,
    crashes: Vec<PathBuf>,
}

impl Line {
    fn read(target: &str, said: &str) -> Self {
        let stat = |name: &str| {
            let lines = said.lines().filter_map(|line| line.strip_prefix(name));
            lines
                .filter_map(|number| number.trim().parse().ok())
                .next_back()
        };
        // `#12345	NEW    cov: 4321 ft: 9876 corp: 55/2Kb lim: 4096 exec/s: 120 rss: 98Mb`
        let word = |name: &str| {
            let lines = said.lines().filter_map(|line| line.split_once(name));
            let numbers = lines.filter_map(|(_, rest)| {
                let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
                digits.parse().ok()
            });
            numbers.max()
        };
        let crashes = said.lines().filter_map(|line| line.split_once(WRITTEN));
        Self {
            target: target.to_owned(),
            executions: stat("stat::number_of_executed_units:").unwrap_or_default(),
            per_second: stat("stat::average_exec_per_sec:").unwrap_or_default(),
            coverage: word(" cov: ").unwrap_or_default(),
            corpus: word(" corp: ").unwrap_or_default(),
            crashes: crashes.map(|(_, path)| path.trim().into()).collect(),
        }
    }

    /// Something was tried, and nothing broke.
    fn is_good(&self) -> bool {
        self.executions > 0 && self.crashes.is_empty()
    }

    fn row(&self) -> String {
        format!(
            "| {} | {} | {} | {} | {} | {} |",
            self.target,
            self.executions,
            self.per_second,
            self.coverage,
            self.corpus,
            self.crashes.len()
        )
    }
}

fn table(lines: &[Line]) -> String {
    let mut text = String::from(
        "| Target | executions | per second | edges covered | inputs | crashes |\n|---|---|---|---|---|---|",
    );
    for line in lines {
        text.push('\n');
        text.push_str(&line.row());
    }
    text
}

/// What the target said when it broke.
fn reason(said: &str) -> String {
    let mut lines = said
        .lines()
        .skip_while(|line| !line.contains("panicked at"));
    let two: Vec<&str> = lines.by_ref().take(2).collect();
    match two.is_empty() {
        true => "it took too long or too much memory".to_owned(),
        false => two.join(" "),
    }
}

/// The input as a part of the tests. Its name.
fn keep(repo: &Repo, target: &str, crash: &Path) -> Result<String> {
    let name = crash.file_name().context("a crash without a name")?;
    let name: String = name
        .to_string_lossy()
        .chars()
        .take("crash-01234567".len())
        .collect();
    let kept = repo.root.join("fuzz/corpus").join(target).join(name);
    fs::copy(crash, &kept)?;
    Ok(repo.relative(&kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_name_targets_that_there_are() {
        let all = options(&[]).unwrap();
        assert_eq!((all.minutes, all.targets.len()), (60, TARGETS.len()));
        let some = options(&words("offers --minutes 5 --keep ingress")).unwrap();
        let expected = Options {
            minutes: 5,
            keep: true,
            targets: vec!["offers", "ingress"],
        };
        assert_eq!(some, expected);
        for wrong in ["--minutes", "--minutes 0", "nothing"] {
            assert!(options(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_target_is_a_binary_with_inputs() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let mut folders: Vec<String> = fs::read_dir(root.join("corpus"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        folders.sort();
        let mut names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(folders, names);
        for name in names {
            assert!(
                manifest.contains(&format!("path = \"targets/{name}.rs\"")),
                "{name}"
            );
            assert!(root.join(format!("targets/{name}.rs")).is_file(), "{name}");
        }
    }

    #[test]
    fn what_the_fuzzer_says_is_read() {
        let said = "#2\tINITED cov: 1200 ft: 1300 corp: 12/345b exec/s: 0 rss: 50Mb\n\
            #900\tNEW    cov: 1311 ft: 2000 corp: 40/2Kb lim: 4096 exec/s: 90 rss: 60Mb L: 9/9 MS: 1 CopyPart-\n\
            thread '<unnamed>' (7) panicked at crates/media/src/x.rs:1:2:\na number twice\nnote: run with\n\
            artifact_prefix='/t/'; Test unit written to /t/crash-0123456789\n\
            stat::number_of_executed_units: 900\nstat::average_exec_per_sec:     90\n";
        let line = Line::read("packets", said);
        assert_eq!(line.row(), "| packets | 900 | 90 | 1311 | 40 | 1 |");
        assert!(!line.is_good());
        assert_eq!(
            reason(said),
            "thread '<unnamed>' (7) panicked at crates/media/src/x.rs:1:2: a number twice"
        );
        let nothing = Line::read("packets", "");
        assert!(!nothing.is_good(), "nothing was tried");
    }
}
