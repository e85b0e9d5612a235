//! `cargo xtask soak`: a long life of a house under people and faults, and whether it is afterwards as it was before.
//!
//! The life is the bench target `soak` of the server, which writes down sizes; they are judged here. Prints a table for
//! `docs/measurements/soak.md` and fails when a bound is broken.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::Success;
use crate::process::{self, Output};
use crate::tools::{Repo, cargo};

const DEFAULT_MINUTES: u64 = 60;
const DEFAULT_SEED: u64 = 1;
/// For the build, the warm-up and the time until all is quiet.
const AROUND: Duration = Duration::from_secs(60 * 60);
/// Below that, memory has not settled: nothing can be said of how it grows.
const JUDGED_FROM_MINUTES: u64 = 30;
const MOST_GROWTH: f64 = 1.0;
/// Descriptors and tasks may be so many more than before.
const SLACK: f64 = 2.0;
/// Joins out of a thousand that may fail: a machine that is busy with other things lets some run out of time.
const FAILED_PER_MILLE: f64 = 10.0;
/// Columns that are 0 when nobody is there.
const TABLES: &[&str] = &[
    "sockets",
    "rooms",
    "peers",
    "groups",
    "subscriptions",
    "addresses",
    "credentials",
    "streams",
    "timers",
    "connections",
];

#[derive(Clone, Copy, Debug, PartialEq)]
struct Options {
    minutes: u64,
    seed: u64,
    release: bool,
}

pub fn command(repo: &Repo, arguments: &[String]) -> Result<Success> {
    let options = options(arguments)?;
    let profile = if options.release { "bench" } else { "dev" };
    let folder = repo.target.join("soak");
    let mut command = cargo();
    command.current_dir(&repo.root);
    command.args(["bench", "--quiet", "--package", "server", "--bench", "soak"]);
    command.args(["--profile", profile, "--"]).arg(&folder);
    command.args([options.minutes.to_string(), options.seed.to_string()]);
    let limit = Duration::from_secs(60 * options.minutes) + AROUND;
    let finished = process::finish(&mut command, Output::Shown, limit)?;
    ensure!(
        finished.status.success(),
        "the run broke off ({})",
        finished.status
    );
    let run = Run::read(&folder)?;
    let (table, broken) = run.judge(options);
    println!("\n{table}");
    Ok(if broken.is_empty() {
        Success::Yes
    } else {
        Success::No
    })
}

fn options(arguments: &[String]) -> Result<Options> {
    let mut options = Options {
        minutes: DEFAULT_MINUTES,
        seed: DEFAULT_SEED,
        release: false,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut number = || -> Result<u64> {
            let number = rest.next().and_then(|text| text.parse().ok());
            number.with_context(|| format!("{argument} takes a number"))
        };
        match argument.as_str() {
            "--minutes" => options.minutes = number()?,
            "--seed" => options.seed = number()?,
            "--release" => options.release = true,
            other => bail!("soak takes --minutes, --seed and --release, and no `{other}`"),
        }
    }
    ensure!(options.minutes > 0, "--minutes is at least 1");
    Ok(options)
}

/// What a run wrote down.
#[derive(Debug, Default)]
struct Run {
    samples: Vec<Sample>,
    counts: Vec<(String, f64)>,
    log: Log,
}

#[derive(Clone, Debug, PartialEq)]
struct Sample {
    phase: String,
    numbers: BTreeMap<String, f64>,
}

/// Lines of the server's log that somebody has to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Log {
    panics: usize,
    errors: usize,
    warnings: usize,
}

impl Run {
    fn read(folder: &Path) -> Result<Self> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        Ok(Self {
            samples: samples(&read("samples.tsv")?)?,
            counts: counts(&read("counts.tsv")?),
            log: Log::read(&read("server.log")?),
        })
    }

    /// A table in Markdown, and the bounds that are broken.
    fn judge(&self, options: Options) -> (String, Vec<String>) {
        let mut broken = vec![];
        let mut table = String::from(
            "| Size | before | median | highest | at the end | bound |\n|---|---|---|---|---|---|\n",
        );
        let (before, end) = (self.last("baseline"), self.last("end"));
        let mut row = |name: &str, key: &str, scale: f64, bound: Option<f64>, words: &str| {
            let mut load = self.of_load(key);
            load.sort_by(f64::total_cmp);
            let median = load.get(load.len() / 2).copied().unwrap_or(f64::NAN);
            let highest = load.last().copied().unwrap_or(f64::NAN);
            let show = |number: f64| match scale == 1.0 {
                true => format!("{number:.0}"),
                false => format!("{:.1}", number * scale),
            };
            let (first, last) = (number(before, key), number(end, key));
            let verdict = match bound {
                None => words.to_owned(),
                Some(bound) if last <= bound => format!("{words}: held"),
                Some(_) => {
                    broken.push(name.to_owned());
                    format!("{words}: **broken**")
                }
            };
            let (first, median, highest, last) =
                (show(first), show(median), show(highest), show(last));
            table.push_str(&format!(
                "| {name} | {first} | {median} | {highest} | {last} | {verdict} |\n"
            ));
        };
        row("memory, MiB", "rss_kib", 1.0 / 1024.0, None, "see growth");
        row("threads", "threads", 1.0, None, "");
        for (name, key) in [("descriptors", "descriptors"), ("tasks", "tasks")] {
            let bound = number(before, key) + SLACK;
            row(name, key, 1.0, Some(bound), "as before + 2");
        }
        for key in TABLES {
            row(key, key, 1.0, Some(0.0), "0");
        }
        row("panics of the engine", "panics", 1.0, Some(0.0), "0");
        let between = [
            ("datagrams for another media thread", "handed_over"),
            ("packets to another media thread", "passed_on"),
        ];
        for (name, key) in between {
            row(name, key, 1.0, None, "since the start");
        }
        let (events, failed) = self.events();
        broken.extend(failed);
        let (growth, failed) = self.growth(options);
        broken.extend(failed);
        let word = match broken.is_empty() {
            true => "All bounds held.".to_owned(),
            false => format!("**Broken: {}.**", broken.join(", ")),
        };
        (format!("{table}\n{events}\n{growth}\n\n{word}"), broken)
    }

    /// What happened, in a table, and what of it must not.
    fn events(&self) -> (String, Vec<String>) {
        let count = |name: &str| {
            let found = self.counts.iter().find(|(known, _)| known == name);
            found.map_or(f64::NAN, |(_, count)| *count)
        };
        let most_failed = count("joins") * FAILED_PER_MILLE / 1000.0;
        let bounds = [
            ("joins that failed", count("failed_joins"), most_failed),
            (
                "people who did not come back after a fault",
                count("lost"),
                0.0,
            ),
            ("deltas out of order", count("sequence_gaps"), 0.0),
            ("deltas that contradict", count("contradictions"), 0.0),
            ("panics in the log", self.log.panics as f64, 0.0),
            ("errors in the log", self.log.errors as f64, 0.0),
        ];
        let mut table = String::from("| Event | count | bound |\n|---|---|---|\n");
        for name in ["joins", "leaves", "failed_leaves"] {
            let words = name.replace("failed_leaves", "leaves that got no answer");
            table.push_str(&format!("| {words} | {:.0} | |\n", count(name)));
        }
        for (name, times) in &self.counts {
            if let Some(fault) = name.strip_prefix("fault: ") {
                table.push_str(&format!("| fault: {fault} | {times:.0} | |\n"));
            }
        }
        let mut broken = vec![];
        for (name, number, bound) in bounds {
            let verdict = if number <= bound {
                "held"
            } else {
                broken.push(name.to_owned());
                "**broken**"
            };
            table.push_str(&format!(
                "| {name} | {number:.0} | at most {bound:.0}: {verdict} |\n"
            ));
        }
        table.push_str(&format!(
            "| warnings in the log | {} | |\n",
            self.log.warnings
        ));
        (table, broken)
    }

    /// How fast memory grew in the second half, and whether that is too fast.
    fn growth(&self, options: Options) -> (String, Option<String>) {
        let hours = self.of_load("seconds").into_iter().map(|at| at / 3600.0);
        let mebibytes = self.of_load("rss_kib").into_iter().map(|kib| kib / 1024.0);
        let points: Vec<(f64, f64)> = hours.zip(mebibytes).collect();
        let half = points.get(points.len() / 2..).unwrap_or_default();
        let Some(line) = Line::through(half) else {
            return ("Too few samples for a slope.".to_owned(), None);
        };
        let text = format!(
            "Growth of memory in the second half, by least squares over {} samples: {:.2} MiB/h (standard error {:.2}).",
            half.len(),
            line.slope,
            line.error
        );
        if options.minutes < JUDGED_FROM_MINUTES {
            let why = format!(
                "Not judged: a run of {} minutes is too short for that; it takes {JUDGED_FROM_MINUTES}.",
                options.minutes
            );
            return (format!("{text} {why}"), None);
        }
        let held = line.slope < MOST_GROWTH;
        let verdict = if held { "held" } else { "**broken**" };
        let text = format!("{text} Bound {MOST_GROWTH:.0} MiB/h: {verdict}.");
        (text, (!held).then(|| "growth of memory".to_owned()))
    }

    fn last(&self, phase: &str) -> Option<&Sample> {
        self.samples.iter().rfind(|sample| sample.phase == phase)
    }

    fn of_load(&self, key: &str) -> Vec<f64> {
        let load = self.samples.iter().filter(|sample| sample.phase == "load");
        load.filter_map(|sample| sample.numbers.get(key).copied())
            .collect()
    }
}

/// What was not measured is no number, and holds no bound.
fn number(sample: Option<&Sample>, key: &str) -> f64 {
    let number = sample.and_then(|sample| sample.numbers.get(key));
    number.copied().unwrap_or(f64::NAN)
}

/// A header, and one line per sample, the phase first.
fn samples(text: &str) -> Result<Vec<Sample>> {
    let mut lines = text.lines();
    let header = lines.next().context("there is no sample")?;
    let names: Vec<&str> = header.split('\t').skip(1).collect();
    let sample = |line: &str| {
        let (phase, rest) = line.split_once('\t')?;
        let numbers: Vec<f64> = rest
            .split('\t')
            .map_while(|text| text.parse().ok())
            .collect();
        (numbers.len() == names.len()).then(|| Sample {
            phase: phase.to_owned(),
            numbers: names
                .iter()
                .map(|name| (*name).to_owned())
                .zip(numbers)
                .collect(),
        })
    };
    lines
        .map(|line| sample(line).with_context(|| format!("`{line}` is no sample")))
        .collect()
}

fn counts(text: &str) -> Vec<(String, f64)> {
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    lines
        .filter_map(|(name, count)| Some((name.to_owned(), count.parse().ok()?)))
        .collect()
}

impl Log {
    fn read(text: &str) -> Self {
        let lines = |words: &[&str]| {
            let has_one = |line: &&str| words.iter().any(|word| line.contains(word));
            text.lines().filter(has_one).count()
        };
        Self {
            panics: lines(&["panicked at"]),
            errors: lines(&[" ERROR ", "\u{1b}[31mERROR"]),
            warnings: lines(&[" WARN ", "\u{1b}[33m WARN"]),
        }
    }
}

/// A straight line through points, by least squares.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Line {
    slope: f64,
    /// Standard error of the slope.
    error: f64,
}

impl Line {
    fn through(points: &[(f64, f64)]) -> Option<Self> {
        let count = points.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
        let together: f64 = points
            .iter()
            .map(|point| (point.0 - x) * (point.1 - y))
            .sum();
        if points.len() < 3 || spread == 0.0 {
            return None;
        }
        let slope = together / spread;
        let rest = |point: &(f64, f64)| (point.1 - y - slope * (point.0 - x)).powi(2);
        let left: f64 = points.iter().map(rest).sum();
        Some(Self {
            slope,
            error: (left / (count - 2.0) / spread).sqrt(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Options = Options {
        minutes: 60,
        seed: 1,
        release: false,
    };

    /// An hour in which memory grows by so much, and after which so many tasks are left over.
    fn run(growth_mib: f64, tasks_left: f64) -> Run {
        let names = ["rss_kib", "threads", "descriptors", "tasks", "panics"];
        let sample = |phase: &str, seconds: f64, rss_kib: f64, tasks: f64| {
            let mut numbers: BTreeMap<String, f64> = TABLES
                .iter()
                .map(|name| ((*name).to_owned(), 0.0))
                .collect();
            let values = [rss_kib, 9.0, 40.0, tasks, 0.0];
            numbers.extend(names.map(str::to_owned).into_iter().zip(values));
            numbers.insert("seconds".to_owned(), seconds);
            Sample {
                phase: phase.to_owned(),
                numbers,
            }
        };
        let mut samples = vec![sample("baseline", 0.0, 50_000.0, 20.0)];
        for at in 0..720 {
            let seconds = f64::from(at) * 5.0;
            let rss = 80_000.0 + growth_mib * 1024.0 * seconds / 3600.0;
            samples.push(sample("load", seconds, rss, 300.0));
        }
        samples.push(sample("end", 3_700.0, 70_000.0, 20.0 + tasks_left));
        let counts = "joins\t1800\nfailed_joins\t3\nlost\t0\nsequence_gaps\t0\ncontradictions\t0\nfault: x\t60\n";
        Run {
            samples,
            counts: super::counts(counts),
            log: Log::default(),
        }
    }

    #[test]
    fn a_house_that_is_as_it_was_passes() {
        let (table, broken) = run(0.4, 2.0).judge(HOUR);
        assert_eq!(broken, Vec::<String>::new(), "{table}");
        assert!(table.contains("0.40 MiB/h"), "{table}");
        assert!(table.ends_with("All bounds held."), "{table}");
    }

    #[test]
    fn each_bound_that_is_broken_is_named() {
        let mut leaking = run(2.5, 3.0);
        leaking.log.errors = 1;
        leaking.counts[1].1 = 30.0;
        leaking
            .samples
            .last_mut()
            .unwrap()
            .numbers
            .insert("timers".to_owned(), 1.0);
        let (table, broken) = leaking.judge(HOUR);
        assert_eq!(
            broken,
            [
                "tasks",
                "timers",
                "joins that failed",
                "errors in the log",
                "growth of memory"
            ],
            "{table}"
        );
    }

    #[test]
    fn a_short_run_says_nothing_of_growth() {
        let short = Options { minutes: 5, ..HOUR };
        let (table, broken) = run(50.0, 0.0).judge(short);
        assert_eq!(broken, Vec::<String>::new());
        assert!(table.contains("Not judged"), "{table}");
    }

    #[test]
    fn what_was_not_measured_is_not_held() {
        let (_, broken) = Run::default().judge(HOUR);
        assert!(broken.contains(&"tasks".to_owned()), "{broken:?}");
        assert!(
            broken.contains(&"joins that failed".to_owned()),
            "{broken:?}"
        );
    }

    #[test]
    fn the_slope_and_its_error_are_those_of_the_textbook() {
        let line = Line::through(&[(1.0, 2.0), (2.0, 1.0), (3.0, 4.0), (4.0, 3.0), (5.0, 5.0)]);
        let line = line.unwrap();
        assert!((line.slope - 0.8).abs() < 1e-9, "{line:?}");
        assert!((line.error - 0.346_410_161_5).abs() < 1e-9, "{line:?}");
        assert_eq!(Line::through(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
    }

    #[test]
    fn samples_and_logs_are_read() {
        let read = samples("phase\tseconds\ttasks\nload\t5.0\t7\n").unwrap();
        assert_eq!(read[0].phase, "load");
        assert_eq!(read[0].numbers["tasks"], 7.0);
        assert!(samples("phase\tseconds\nload\tx\n").is_err());
        let log = "2026 WARN stube: slow\n2026 ERROR stube: no\nthread 'media-0' panicked at x\n";
        let expected = Log {
            panics: 1,
            errors: 1,
            warnings: 1,
        };
        assert_eq!(Log::read(log), expected);
    }

    #[test]
    fn options_are_words_with_numbers() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let read = options(&words("--minutes 5 --seed 9")).unwrap();
        assert_eq!((read.minutes, read.seed, read.release), (5, 9, false));
        for wrong in ["--minutes", "--minutes x", "--minutes 0", "now"] {
            assert!(options(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
