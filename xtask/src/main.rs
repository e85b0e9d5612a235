//! `cargo xtask`: all automation of this repository, from the first start to the build server's run.
//!
//! Owns the table of commands and their exit codes. Each command is a module; what they share is `tools` (where things
//! are), `process` (children that end when we do), `steps` (a visible list with a summary) and `stamp` (what is stale).
#![forbid(unsafe_code)]

mod bench;
mod budgets;
mod codegen;
mod counts;
mod dist;
mod fuzz;
mod golang;
mod http;
mod node;
mod packages;
mod process;
mod python;
mod quickstart;
mod run;
mod screenshots;
mod soak;
mod stamp;
mod steps;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::Result;

use crate::tools::Repo;

/// A command of `cargo xtask`: its name, one sentence, and what it does with the rest of the command line.
struct Command {
    name: &'static str,
    summary: &'static str,
    run: fn(&Repo, &[String]) -> Result<Success>,
}

/// Whether everything that was asked for came out well. An error instead says why a command could not go on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Success {
    Yes,
    No,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "run",
        summary: "builds what is stale and starts Stube on http://localhost:8080 (--lan: HTTPS for phones nearby; more arguments go to the server)",
        run: run::command,
    },
    Command {
        name: "test",
        summary: "installs what the tests need and runs them all, or only the parts named: rust web tidy e2e",
        run: test::command,
    },
    Command {
        name: "ci",
        summary: "does what `test` does, for a build server: a skipped test counts as a failure",
        run: test::ci_command,
    },
    Command {
        name: "codegen",
        summary: "writes the generated files anew: TypeScript types and golden messages, from crates/protocol; docs/openapi.json, from the server's routes",
        run: codegen::command,
    },
    Command {
        name: "tidy",
        summary: "checks the rules of the house that no compiler knows",
        run: tidy::command,
    },
    Command {
        name: "screenshots",
        summary: "photographs every screen into docs/screens with a real browser",
        run: screenshots::command,
    },
    Command {
        name: "bench",
        summary: "measures what has to be fast and prints it, of the tests' build or with --release of the one to hand out: directory",
        run: bench::command,
    },
    Command {
        name: "fuzz",
        summary: "looks for inputs that break what the fuzz targets promise, for an hour or --minutes, in all targets or those named; --keep makes them tests",
        run: fuzz::command,
    },
    Command {
        name: "soak",
        summary: "lets people come, go and suffer faults for an hour, or --minutes, and judges whether the server is as before",
        run: soak::command,
    },
    Command {
        name: "dist",
        summary: "builds the one binary to hand out, with the web app inside: target/dist/stube",
        run: dist::command,
    },
    Command {
        name: "help",
        summary: "prints this list",
        run: help_command,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => ("help", &[][..]),
    };
    let name = if matches!(name, "--help" | "-h") {
        "help"
    } else {
        name
    };
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprintln!("cargo xtask has no command `{name}`.\n\n{}", help());
        return ExitCode::from(2);
    };
    match Repo::find()
        .and_then(|repo| process::watch_signals().and_then(|()| (command.run)(&repo, rest)))
    {
        Ok(Success::Yes) => ExitCode::SUCCESS,
        Ok(Success::No) => ExitCode::FAILURE,
        Err(error) if error.is::<process::Interrupted>() => {
            eprintln!("\nInterrupted.");
            ExitCode::from(process::INTERRUPTED_EXIT_CODE)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn help_command(_repo: &Repo, _arguments: &[String]) -> Result<Success> {
    println!("{}", help());
    Ok(Success::Yes)
}

fn help() -> String {
    let mut text = String::from("Usage: cargo xtask <command>\n");
    for command in COMMANDS {
        text.push_str(&format!("\n  {:<12} {}", command.name, command.summary));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_command_with_a_sentence() {
        for command in COMMANDS {
            assert!(help().contains(&format!("  {:<12} {}", command.name, command.summary)));
            assert!(
                command.summary.split_whitespace().count() >= 3,
                "{} says too little",
                command.name
            );
        }
    }
}
