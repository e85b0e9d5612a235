//! How large the server is: what the system says of its process, and what it says of itself to Prometheus. One line each.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use crate::support::{House, Person};

/// What is read from the numbers for Prometheus, and under which name it is written down.
const NUMBERS: &[(&str, &str)] = &[
    ("tasks", "stube_tasks"),
    ("sockets", "stube_sockets"),
    ("rooms", "stube_rooms"),
    ("peers", "stube_media_peers"),
    ("groups", "stube_media_groups"),
    ("subscriptions", "stube_media_subscriptions"),
    ("addresses", "stube_media_addresses"),
    ("credentials", "stube_media_credentials"),
    ("streams", "stube_media_streams"),
    ("timers", "stube_media_timers"),
    ("connections", "stube_media_tcp_connections"),
    ("panics", "stube_media_panics_total"),
    ("handed_over", "stube_media_shard_handed_over_total"),
    ("passed_on", "stube_media_shard_passed_on_total"),
];
/// Those of them that are 0 when nobody is there.
const TABLES: std::ops::Range<usize> = 1..11;
/// Descriptors and tasks may be so many more than before.
const SLACK: u64 = 2;

pub struct Sampler {
    pid: u32,
    page: Person,
    start: Instant,
    file: File,
}

/// One sample.
#[derive(Clone, Debug)]
pub struct Sizes {
    descriptors: u64,
    numbers: Vec<u64>,
}

impl Sizes {
    /// Nobody is in any table.
    pub fn is_empty(&self) -> bool {
        self.numbers[TABLES].iter().all(|number| *number == 0)
    }

    pub fn is_as_small_as(&self, other: &Self) -> bool {
        self.descriptors <= other.descriptors + SLACK && self.numbers[0] <= other.numbers[0] + SLACK
    }
}

impl Sampler {
    pub fn new(house: &House, port: u16, path: &Path) -> Self {
        let mut file = File::create(path).expect("a file for samples");
        let names: Vec<&str> = NUMBERS.iter().map(|(name, _)| *name).collect();
        writeln!(
            file,
            "phase\tseconds\tpeople\trss_kib\tthreads\tdescriptors\t{}",
            names.join("\t")
        )
        .expect("a line");
        Self {
            pid: house.pid(),
            page: Person::new(&format!("http://127.0.0.1:{port}")),
            start: Instant::now(),
            file,
        }
    }

    pub async fn sample(&mut self, phase: &str, people: usize) -> Sizes {
        let page = self.page.get("/metrics").await.text;
        // The sum over all media threads, where each has its own.
        let number = |name: &str| {
            let values = page.lines().filter_map(|line| {
                let rest = line.strip_prefix(name)?;
                let is_this = rest.starts_with([' ', '{']);
                is_this.then(|| rest.rsplit(' ').next()?.parse::<u64>().ok())?
            });
            let values = values.reduce(|sum, value| sum + value);
            values.unwrap_or_else(|| panic!("no number {name} in {page}"))
        };
        let numbers: Vec<u64> = NUMBERS.iter().map(|(_, name)| number(name)).collect();
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.pid));
        let sizes = Sizes {
            descriptors: descriptors.expect("a running process").count() as u64,
            numbers,
        };
        let (rss, threads) = (self.status("VmRSS:"), self.status("Threads:"));
        let numbers: Vec<String> = sizes.numbers.iter().map(u64::to_string).collect();
        writeln!(
            self.file,
            "{phase}\t{:.1}\t{people}\t{rss}\t{threads}\t{}\t{}",
            self.start.elapsed().as_secs_f64(),
            sizes.descriptors,
            numbers.join("\t")
        )
        .expect("a line");
        sizes
    }

    fn status(&self, key: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid));
        let text = text.expect("a running process");
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.expect("a number")
    }
}
