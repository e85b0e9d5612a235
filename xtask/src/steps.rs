//! A visible list of steps: each announced, timed and judged, with a summary at the end that counts what happened.
//!
//! Knows nothing of what a step does. A step whose precondition failed is not run and counts as failed.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::counts::Counts;
use crate::process::Interrupted;

/// What a step that came out well has to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    Done,
    /// It had been done before and nothing has changed since.
    Fresh,
    Tests(Counts),
}

/// One step of a chain. If a `gate` fails, the steps after it make no sense.
pub struct Step<'a> {
    pub name: &'static str,
    pub gate: bool,
    pub run: Box<dyn FnOnce() -> Result<Outcome> + 'a>,
}

impl<'a> Step<'a> {
    pub fn new(name: &'static str, run: impl FnOnce() -> Result<Outcome> + 'a) -> Step<'a> {
        Step {
            name,
            gate: false,
            run: Box::new(run),
        }
    }

    pub fn gate(name: &'static str, run: impl FnOnce() -> Result<Outcome> + 'a) -> Step<'a> {
        Step {
            name,
            gate: true,
            run: Box::new(run),
        }
    }
}

/// What skipped tests are worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Skipped {
    Reported,
    Failure,
}

#[derive(Debug)]
enum Verdict {
    Passed(Outcome),
    Failed(String),
    NotRun,
}

#[derive(Debug)]
struct Line {
    name: &'static str,
    verdict: Verdict,
    time: Duration,
}

/// Runs chains of steps and keeps the score.
#[derive(Debug)]
pub struct Score {
    skipped: Skipped,
    planned: usize,
    lines: Vec<Line>,
}

impl Score {
    pub fn new(skipped: Skipped, planned: usize) -> Score {
        Score {
            skipped,
            planned,
            lines: Vec::new(),
        }
    }

    /// Runs a chain in order. Only an interruption is an error; failures are in the summary.
    pub fn run(&mut self, chain: Vec<Step<'_>>) -> Result<()> {
        let mut blocked = false;
        for step in chain {
            let Step { name, gate, run } = step;
            println!("\n[{}/{}] {name}", self.lines.len() + 1, self.planned);
            let start = Instant::now();
            let verdict = if blocked {
                Verdict::NotRun
            } else {
                self.judge(run())
            };
            if matches!(&verdict, Verdict::Failed(reason) if reason == INTERRUPTED) {
                return Err(Interrupted.into());
            }
            match &verdict {
                Verdict::Failed(reason) => println!("--- failed: {reason}"),
                Verdict::NotRun => println!("--- not run, because a step before it failed"),
                Verdict::Passed(_) => {}
            }
            blocked |= gate && matches!(verdict, Verdict::Failed(_));
            self.lines.push(Line {
                name,
                verdict,
                time: start.elapsed(),
            });
        }
        Ok(())
    }

    fn judge(&self, result: Result<Outcome>) -> Verdict {
        match result {
            Err(error) if error.is::<Interrupted>() => Verdict::Failed(INTERRUPTED.to_string()),
            Err(error) => Verdict::Failed(format!("{error:#}")),
            Ok(Outcome::Tests(Counts { run: 0, .. })) => {
                Verdict::Failed("not one test was run".to_string())
            }
            Ok(Outcome::Tests(Counts { skipped, .. }))
                if skipped > 0 && self.skipped == Skipped::Failure =>
            {
                Verdict::Failed(format!(
                    "{skipped} skipped tests, and here a skipped test counts as a failure"
                ))
            }
            Ok(outcome) => Verdict::Passed(outcome),
        }
    }

    pub fn failed(&self) -> usize {
        self.lines
            .iter()
            .filter(|line| !matches!(line.verdict, Verdict::Passed(_)))
            .count()
    }

    /// A table of all steps, and in its last line how many passed and failed.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let (word, remark) = match &line.verdict {
                Verdict::Passed(Outcome::Done) => ("passed", String::new()),
                Verdict::Passed(Outcome::Fresh) => ("passed", "nothing to do".to_string()),
                Verdict::Passed(Outcome::Tests(counts)) => ("passed", tests(*counts)),
                Verdict::Failed(reason) => (
                    "FAILED",
                    reason.lines().next().unwrap_or_default().to_string(),
                ),
                Verdict::NotRun => (
                    "FAILED",
                    "not run, because a step before it failed".to_string(),
                ),
            };
            let row = format!(
                "{word}  {:>7}  {:<40}  {remark}",
                clock(line.time),
                line.name
            );
            text.push_str(row.trim_end());
            text.push('\n');
        }
        let total: Duration = self.lines.iter().map(|line| line.time).sum();
        let failed = self.failed();
        text.push_str(&format!(
            "in {}\n\n{} passed, {failed} failed",
            clock(total),
            self.lines.len() - failed
        ));
        text
    }
}

const INTERRUPTED: &str = "interrupted";

fn tests(counts: Counts) -> String {
    let skipped = if counts.skipped > 0 {
        format!(", {} skipped", counts.skipped)
    } else {
        String::new()
    };
    format!("{} tests{skipped}", counts.run)
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f32())
    } else {
        format!("{}:{:02} min", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn score(skipped: Skipped, chain: Vec<Step<'_>>) -> Score {
        let mut score = Score::new(skipped, chain.len());
        score.run(chain).unwrap();
        score
    }

    fn last_line(score: &Score) -> String {
        score.summary().lines().last().unwrap().to_string()
    }

    fn skipping_step<'a>() -> Step<'a> {
        Step::new("tests", || {
            Ok(Outcome::Tests(Counts { run: 5, skipped: 1 }))
        })
    }

    #[test]
    fn the_last_line_counts_steps() {
        let chain = vec![
            Step::new("a", || Ok(Outcome::Done)),
            Step::new("b", || bail!("no")),
            Step::new("c", || Ok(Outcome::Fresh)),
        ];
        let score = score(Skipped::Reported, chain);
        assert_eq!(last_line(&score), "2 passed, 1 failed");
        assert!(score.summary().contains("no"));
    }

    #[test]
    fn what_depends_on_a_failed_step_is_not_run_and_counts_as_failed() {
        let mut ran = false;
        let chain = vec![
            Step::gate("a", || bail!("no")),
            Step::new("b", || {
                ran = true;
                Ok(Outcome::Done)
            }),
        ];
        let score = score(Skipped::Reported, chain);
        assert_eq!(last_line(&score), "0 passed, 2 failed");
        drop(score);
        assert!(!ran);
    }

    #[test]
    fn a_skipped_test_fails_only_where_it_counts() {
        let reported = score(Skipped::Reported, vec![skipping_step()]);
        assert_eq!(last_line(&reported), "1 passed, 0 failed");
        assert!(reported.summary().contains("5 tests, 1 skipped"));
        assert_eq!(
            last_line(&score(Skipped::Failure, vec![skipping_step()])),
            "0 passed, 1 failed"
        );
    }

    #[test]
    fn a_test_run_without_tests_fails() {
        let empty = Step::new("tests", || Ok(Outcome::Tests(Counts::default())));
        assert_eq!(
            last_line(&score(Skipped::Reported, vec![empty])),
            "0 passed, 1 failed"
        );
    }

    #[test]
    fn an_interruption_ends_the_list() {
        let mut score = Score::new(Skipped::Reported, 2);
        let chain = vec![
            Step::new("a", || Err(Interrupted.into())),
            Step::new("b", || panic!("must not run")),
        ];
        assert!(score.run(chain).unwrap_err().is::<Interrupted>());
    }
}
