//! The quick start of README.md, done by a test: what `cargo xtask run` does, then what a newcomer does next.
//!
//! On a free port and with data of its own, so that it disturbs nobody's house.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::process::{Event, Interrupted, Output, Running};
use crate::tools::Repo;
use crate::{budgets, http, run};

const START_LIMIT: Duration = Duration::from_secs(60);

/// Follows README.md: its two commands are named, and the first leads to a page and a set-up link.
pub fn check(repo: &Repo) -> Result<()> {
    let readme =
        fs::read_to_string(repo.root.join("README.md")).context("there is no README.md")?;
    let commands = shell_commands(&readme);
    for expected in ["cargo xtask run", "cargo xtask test"] {
        ensure!(
            commands.iter().any(|command| command == expected),
            "README.md does not tell to type `{expected}`"
        );
    }
    run::prepare(repo)?;
    let scratch = Scratch::new()?;
    start_visit_stop(repo, &scratch.path)
}

fn start_visit_stop(repo: &Repo, folder: &Path) -> Result<()> {
    let mut command = run::server(repo);
    // Away from the repository, whose `data` and `stube.toml` are somebody's own.
    command
        .current_dir(folder)
        .env("STUBE__LISTEN", "127.0.0.1:0")
        .env("STUBE__MEDIA__PORT", "0");
    let mut server = Running::start(&mut command, Output::Read)?;
    let mut said = String::new();
    let port = wait_for_link(&mut server, &mut said)?;
    for path in ["/healthz", "/readyz", "/"] {
        let response =
            http::get(port, path).with_context(|| format!("{path} cannot be fetched"))?;
        ensure!(
            response.status == 200,
            "{path} answered {}:\n{}",
            response.status,
            response.body
        );
        ensure!(
            path != "/" || response.body.contains("<script"),
            "the front page is not the app:\n{}",
            response.body
        );
    }
    budgets::check_idle_memory(server.process())?;
    let status = server
        .stop()
        .context("the server did not stop when asked to")?;
    ensure!(
        status.success(),
        "the server did not stop cleanly ({status}):\n{said}"
    );
    Ok(())
}

/// Listens to the server until it prints the set-up link, and returns the port in it.
fn wait_for_link(server: &mut Running, said: &mut String) -> Result<u16> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        match server.next_event(deadline) {
            Some(Event::Text(text)) => said.push_str(&text),
            Some(Event::Exited(status)) => bail!("the server ended by itself ({status}):\n{said}"),
            Some(Event::Interrupted) => return Err(Interrupted.into()),
            None => bail!(
                "the server printed no set-up link within {} s:\n{said}",
                START_LIMIT.as_secs()
            ),
        }
        if let Some(port) = link_port(said) {
            return Ok(port);
        }
    }
}

/// The port of `http://localhost:PORT/setup#token`.
fn link_port(said: &str) -> Option<u16> {
    let mut addresses = said.split("http://localhost:").skip(1);
    addresses.find_map(|rest| {
        rest.split_once("/setup#")
            .and_then(|(port, token)| (!token.is_empty()).then(|| port.parse().ok())?)
    })
}

/// The lines in Markdown's `sh` blocks.
fn shell_commands(markdown: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut in_shell = false;
    for line in markdown.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            in_shell = !in_shell && matches!(language.trim(), "sh" | "shell" | "bash" | "console");
        } else if in_shell {
            let command = line.split(" #").next().unwrap_or_default();
            commands.push(command.trim().trim_start_matches("$ ").to_string());
        }
    }
    commands
}

/// A folder that goes away again.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new() -> Result<Scratch> {
        let path = std::env::temp_dir().join(format!("stube-quickstart-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Scratch { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left-over files in the system's temporary folder harm nobody.
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_up_link_tells_the_port() {
        assert_eq!(
            link_port("http://localhost:80/\nSet up: http://localhost:4711/setup#abc\n"),
            Some(4711)
        );
        assert_eq!(link_port("http://localhost:4711/setup#"), None);
        assert_eq!(link_port("http://localhost:4711/"), None);
    }

    #[test]
    fn commands_are_read_from_shell_blocks_only() {
        let markdown = "`cargo xtask dist`\n```sh\n$ cargo xtask run   # builds\n\ncargo xtask test\n```\n```rust\ncargo();\n```\n";
        assert_eq!(
            shell_commands(markdown),
            ["cargo xtask run", "", "cargo xtask test"]
        );
    }
}
