//! Children of ours: shown while they run, ended with all they started when we are interrupted or they take too long.
//!
//! Each child leads a process group of its own, so that a signal reaches its children too. Nothing here knows what is run.

use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What a shell reports for a program ended by Ctrl-C.
pub const INTERRUPTED_EXIT_CODE: u8 = 130;

/// How long a child may take to stop after it was asked to.
const GRACE: Duration = Duration::from_secs(8);

/// Somebody stopped us: not a failure of what we ran.
#[derive(Debug)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// What happens around a running child, in the order it was noticed.
#[derive(Debug)]
pub enum Event {
    Text(String),
    Exited(ExitStatus),
    Interrupted,
}

/// The child that runs now and wants to hear of signals. Without one, a signal ends us at once.
static CURRENT: Mutex<Option<Sender<Event>>> = Mutex::new(None);

/// From here on a signal ends the running child first, then us.
pub fn watch_signals() -> Result<()> {
    let mut signals =
        Signals::new([SIGINT, SIGTERM, SIGHUP]).context("cannot watch for signals")?;
    thread::spawn(move || {
        for _ in signals.forever() {
            let current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
            let heard = current
                .as_ref()
                .is_some_and(|events| events.send(Event::Interrupted).is_ok());
            if !heard {
                std::process::exit(i32::from(INTERRUPTED_EXIT_CODE));
            }
        }
    });
    Ok(())
}

/// Where a child's output goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Output {
    /// To our own standard output and error, untouched.
    Shown,
    /// Standard output is shown and reported as text too; standard error is shown.
    ShownAndRead,
    /// Standard output and error are reported as text and not shown.
    Read,
}

/// A child at work. Dropping it ends it.
#[derive(Debug)]
pub struct Running {
    group: u32,
    events: Receiver<Event>,
    ended: bool,
}

impl Running {
    pub fn start(command: &mut Command, output: Output) -> Result<Running> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).process_group(0);
        if output != Output::Shown {
            command.stdout(Stdio::piped());
        }
        if output == Output::Read {
            command.stderr(Stdio::piped());
        }
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let (sender, events) = channel();
        *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender.clone());
        if let Some(stdout) = child.stdout.take() {
            forward(stdout, sender.clone(), output == Output::ShownAndRead);
        }
        if let Some(stderr) = child.stderr.take() {
            forward(stderr, sender.clone(), false);
        }
        let group = child.id();
        wait_in_background(child, sender);
        Ok(Running {
            group,
            events,
            ended: false,
        })
    }

    pub fn process(&self) -> u32 {
        self.group
    }

    /// The next thing that happens, or `None` if nothing does until then.
    pub fn next_event(&mut self, deadline: Instant) -> Option<Event> {
        let event = match self
            .events
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        };
        self.ended |= matches!(event, Event::Exited(_));
        Some(event)
    }

    /// Asks the child to stop and returns how it ended; whatever is left of its group then is ended hard.
    pub fn stop(&mut self) -> Option<ExitStatus> {
        let mut status = None;
        if !self.ended {
            signal_group("TERM", self.group);
            let deadline = Instant::now() + GRACE;
            while let Some(event) = self.next_event(deadline) {
                if let Event::Exited(exited) = event {
                    status = Some(exited);
                    break;
                }
            }
        }
        signal_group("KILL", self.group);
        self.ended = true;
        status
    }

    /// All text that is still on its way after the child has ended.
    fn remaining_text(&mut self) -> String {
        release_signals();
        let mut text = String::new();
        let deadline = Instant::now() + Duration::from_secs(2);
        while let Some(event) = self.next_event(deadline) {
            if let Event::Text(chunk) = event {
                text.push_str(&chunk);
            }
        }
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        release_signals();
        if !self.ended {
            self.stop();
        }
    }
}

/// What a finished child left behind.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub text: String,
}

/// Runs a child to its end. Fails if it cannot be started, is interrupted, or takes longer than `limit`.
pub fn finish(command: &mut Command, output: Output, limit: Duration) -> Result<Finished> {
    let mut running = Running::start(command, output)?;
    let deadline = Instant::now() + limit;
    let mut text = String::new();
    loop {
        match running.next_event(deadline) {
            Some(Event::Text(chunk)) => text.push_str(&chunk),
            Some(Event::Exited(status)) => {
                text.push_str(&running.remaining_text());
                return Ok(Finished { status, text });
            }
            Some(Event::Interrupted) => {
                running.stop();
                return Err(Interrupted.into());
            }
            None => {
                running.stop();
                bail!(
                    "still not done after {} minutes, so it was ended",
                    limit.as_secs().div_ceil(60)
                );
            }
        }
    }
}

/// Runs a child that is shown, and fails unless it succeeds.
pub fn succeed(command: &mut Command, limit: Duration) -> Result<()> {
    let shown = describe(command);
    let finished = finish(command, Output::Shown, limit)?;
    anyhow::ensure!(
        finished.status.success(),
        "`{shown}` failed ({})",
        finished.status
    );
    Ok(())
}

/// The command line, as a person would type it.
pub fn describe(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or(&program).to_string();
    let words = std::iter::once(program).chain(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.collect::<Vec<_>>().join(" ")
}

fn release_signals() {
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

fn forward(mut from: impl Read + Send + 'static, to: Sender<Event>, show: bool) {
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        loop {
            match from.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(length) => {
                    let bytes = &buffer[..length];
                    if show {
                        let mut stdout = std::io::stdout().lock();
                        // A closed terminal is no reason to lose the child's result.
                        let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
                    }
                    let _ = to.send(Event::Text(String::from_utf8_lossy(bytes).into_owned()));
                }
            }
        }
    });
}

fn wait_in_background(mut child: Child, to: Sender<Event>) {
    thread::spawn(move || {
        if let Ok(status) = child.wait() {
            let _ = to.send(Event::Exited(status));
        }
    });
}

/// Through the shell's own `kill`, which every Unix has and which needs no unsafe code here.
fn signal_group(signal: &str, group: u32) {
    let _ = Command::new("sh")
        .args(["-c", &format!("kill -s {signal} -- -{group}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signals belong to one child at a time, so these tests take turns.
    static TURN: Mutex<()> = Mutex::new(());

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_is_read_to_its_end_and_the_status_kept() {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let finished = finish(
            &mut shell("echo one; echo two >&2; exit 3"),
            Output::Read,
            GRACE,
        )
        .unwrap();
        assert_eq!(finished.status.code(), Some(3));
        assert!(
            finished.text.contains("one\n") && finished.text.contains("two\n"),
            "{:?}",
            finished.text
        );
    }

    #[test]
    fn a_child_that_takes_too_long_is_ended_with_its_children() {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running =
            Running::start(&mut shell("sleep 600 & echo child=$!; wait"), Output::Read).unwrap();
        let mut text = String::new();
        while !text.ends_with('\n') {
            match running.next_event(Instant::now() + GRACE) {
                Some(Event::Text(chunk)) => text.push_str(&chunk),
                other => panic!("expected the child's id, got {other:?}"),
            }
        }
        let child = text.trim().trim_start_matches("child=");
        assert!(child.parse::<u32>().is_ok(), "{text:?}");
        assert!(running.stop().is_some_and(|status| !status.success()));
        release_signals();
        // The grandchild holds the other end of the pipe: only when it is gone do the events end.
        let last = running.events.recv_timeout(GRACE);
        assert!(
            matches!(last, Err(RecvTimeoutError::Disconnected)),
            "the grandchild outlived its group: {last:?}"
        );
    }

    #[test]
    fn a_limit_is_reported_in_words() {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let error = finish(
            &mut shell("exec sleep 600"),
            Output::Read,
            Duration::from_millis(50),
        )
        .unwrap_err();
        assert!(error.to_string().contains("still not done"), "{error}");
    }

    #[test]
    fn commands_are_described_without_the_path_of_the_program() {
        let mut command = Command::new("/usr/bin/npm");
        command.args(["run", "build"]);
        assert_eq!(describe(&command), "npm run build");
    }
}
