//! What forwarding a packet costs: the real binary with real clients, beside the least that this machine can do, in turns.
//!
//! `cargo xtask bench media --release`. The cost is the processor time of all threads of the server, divided by the packets
//! that arrived; the number to look at is its ratio to the floor of the same round.

mod floor;
#[path = "../../tests/support/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod support;

use std::fs;
use std::time::{Duration, Instant};

use bot::{Account, Bot, Identity, Load, Options, Publish};
use protocol::Source;
use support::{House, PASSWORD};
use tokio::runtime::{Handle, Runtime};

const ROUNDS: usize = 3;
const WINDOW: Duration = Duration::from_secs(6);
/// Until everybody gets everything: the estimates of their lines have to grow first.
const PATIENCE: Duration = Duration::from_secs(60);
/// Places of one account in a room.
const PLACES_EACH: usize = 10;
/// A camera of 1.6 Mbit/s.
const CAMERA: Load = Load {
    frames_per_second: 30,
    packets_per_frame: 6,
    payload_bytes: 1_100,
};
/// Subscribers whose packets' delays are measured, next to the publishers on a thread of their own: what a packet waits for in
/// a crowd of bots is nothing that the server does.
const PROBES: usize = 8;
/// Publishers and subscribers; each subscriber gets every publisher.
const SCENES: &[(usize, usize)] = &[(1, 10), (1, 40), (1, 100), (8, 16), (1, 160)];

/// Where the bots live.
struct Threads {
    crowd: Runtime,
    probes: Runtime,
}

fn main() {
    let thread = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let built = builder.worker_threads(1).enable_all().build();
        built.expect("a runtime")
    };
    let threads = Threads {
        crowd: thread(),
        probes: thread(),
    };
    // Those that are named, as in `8x16`; all when none is.
    let named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let is_named = |scene: &(usize, usize)| {
        named.is_empty() || named.contains(&format!("{}x{}", scene.0, scene.1))
    };
    println!("µs of processor time per forwarded packet, medians of {ROUNDS} rounds");
    println!(
        "publishers × subscribers | floor | stube | ratio | kB per client | delay p50 / p99 ms (floor) | arrived | missing"
    );
    for (publishers, subscribers) in SCENES.iter().filter(|scene| is_named(scene)) {
        let rounds: Vec<Round> = (0..ROUNDS)
            .map(|_| round(&threads, *publishers, *subscribers))
            .collect();
        print(*publishers, *subscribers, &rounds);
    }
}

struct Round {
    floor: floor::Floor,
    stube: Stube,
}

struct Stube {
    /// Microseconds of processor time per packet that arrived.
    cost: f64,
    kilobytes: f64,
    delays: Delays,
    /// What arrived, of what was sent in the same time: far from 1 where the machine is too busy to measure anything.
    share: f64,
    missing: u64,
}

fn print(publishers: usize, subscribers: usize, rounds: &[Round]) {
    let median = |of: &dyn Fn(&Round) -> f64| {
        let mut all: Vec<f64> = rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    println!(
        "{publishers} × {subscribers} | {:.2} | {:.2} | {:.2} | {:.0} | {:.2} / {:.2} ({:.2} / {:.2}) | {:.1} % | {}",
        median(&|round| round.floor.cost),
        median(&|round| round.stube.cost),
        median(&|round| round.stube.cost / round.floor.cost),
        median(&|round| round.stube.kilobytes),
        median(&|round| round.stube.delays.share(0.5)),
        median(&|round| round.stube.delays.share(0.99)),
        median(&|round| round.floor.delays.share(0.5)),
        median(&|round| round.floor.delays.share(0.99)),
        100.0 * median(&|round| round.stube.share),
        rounds.iter().map(|round| round.stube.missing).sum::<u64>(),
    );
}

fn round(threads: &Threads, publishers: usize, subscribers: usize) -> Round {
    let floor = floor::measure(CAMERA, publishers, subscribers, WINDOW);
    let probes = threads.probes.handle();
    let measured = stube(probes.clone(), publishers, subscribers);
    let stube = threads.crowd.block_on(measured);
    Round { floor, stube }
}

async fn stube(probes: Handle, publishers: usize, subscribers: usize) -> Stube {
    let (house, _) = House::new().with_anna().await;
    let accounts = accounts(&house, publishers + subscribers).await;
    let before = resident(house.pid());
    let every = subscribers.div_ceil(PROBES);
    let mut crowd = vec![];
    for number in 0..publishers + subscribers {
        let account = accounts[number / PLACES_EACH].clone();
        let joining = join(account, number, publishers);
        let is_apart = number < publishers || (number - publishers).is_multiple_of(every);
        crowd.push(match is_apart {
            true => probes.spawn(joining).await.expect("a bot"),
            false => joining.await,
        });
    }
    let watching = crowd.split_off(publishers);
    let expected = per_second(publishers, subscribers);
    settle(&watching, expected).await;
    let begun: Vec<usize> = watching
        .iter()
        .map(|bot| bot.received().delays_us.len())
        .collect();
    let (start, busy, counted) = (Instant::now(), processor(house.pid()), count(&watching));
    tokio::time::sleep(WINDOW).await;
    let (busy, now) = (processor(house.pid()) - busy, count(&watching));
    let arrived = now.0 - counted.0;
    let share = arrived as f64 / (expected * start.elapsed().as_secs_f64());
    let kilobytes = (resident(house.pid()) - before) / (publishers + subscribers) as f64;
    let measured = watching.iter().zip(begun).step_by(every);
    let delays = measured.flat_map(|(bot, begun)| {
        // What came while the estimates grew was held back on purpose.
        bot.received().delays_us.split_off(begun)
    });
    let delays = Delays::new(delays.collect());
    let cost = busy.as_secs_f64() * 1e6 / arrived as f64;
    Stube {
        cost,
        kilobytes,
        delays,
        share,
        missing: now.1 - counted.1,
    }
}

/// Enough for so many places in one room.
async fn accounts(house: &House, places: usize) -> Vec<Account> {
    let address = bot::House::new(&house.base).expect("an address");
    let mut accounts = vec![];
    for number in 0..places.div_ceil(PLACES_EACH) {
        let name = format!("p{number}");
        house.add_user(&name);
        let account = address.sign_in(&name, PASSWORD).await;
        accounts.push(account.expect("a new account signs in"));
    }
    accounts
}

async fn join(account: Account, number: usize, publishers: usize) -> Bot {
    let publishes = number < publishers;
    let mut options = Options::new("Halle", Identity::nth(number + 1));
    options.publish.clear();
    if publishes {
        options.publish.push(Publish {
            source: Source::Camera,
            muted: false,
        });
    }
    options.person_slots = if publishes { 0 } else { publishers };
    options.screen_slots = 0;
    options.load = Some(CAMERA);
    let bot = Bot::join(account, options).await;
    bot.unwrap_or_else(|error| panic!("number {number} does not get in: {error:#}"))
}

fn per_second(publishers: usize, subscribers: usize) -> f64 {
    let camera = CAMERA.frames_per_second as usize * CAMERA.packets_per_frame;
    (camera * publishers * subscribers) as f64
}

/// Until what arrives is what is sent.
async fn settle(watching: &[Bot], expected: f64) {
    let until = Instant::now() + PATIENCE;
    loop {
        let (start, before) = (Instant::now(), count(watching).0);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let share =
            (count(watching).0 - before) as f64 / (expected * start.elapsed().as_secs_f64());
        if share > 0.98 {
            return;
        }
        assert!(Instant::now() < until, "only {:.1} % arrive", share * 100.0);
    }
}

/// Packets that came, and those that did not.
fn count(watching: &[Bot]) -> (u64, u64) {
    let totals = watching.iter().map(|bot| bot.received().total());
    totals.fold((0, 0), |(packets, missing), total| {
        (packets + total.video_packets, missing + total.missing)
    })
}

/// How long packets were on their way, sorted.
pub struct Delays(Vec<u32>);

impl Delays {
    pub fn new(mut microseconds: Vec<u32>) -> Self {
        microseconds.sort_unstable();
        Self(microseconds)
    }

    /// Milliseconds within which this share of the packets arrived.
    pub fn share(&self, share: f64) -> f64 {
        let at = (self.0.len().saturating_sub(1) as f64 * share) as usize;
        self.0.get(at).map_or(0.0, |delay| f64::from(*delay) / 1e3)
    }
}

/// Processor time of all threads of a process so far, in user mode and in the kernel.
fn processor(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("a running process");
    let nanoseconds = threads.filter_map(|thread| {
        let file = thread.ok()?.path().join("schedstat");
        let text = fs::read_to_string(file).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// Memory of a process, in kB.
fn resident(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kilobytes.expect("a size").parse().expect("a number")
}

/// Processor time of this thread so far.
pub fn thread_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer leads to a live `timespec`.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
