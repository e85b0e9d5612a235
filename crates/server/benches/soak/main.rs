//! A long life of a house, with people who come and go and a fault each minute: drives the real binary and writes down how
//! large it is. `cargo xtask soak` runs this and judges what was written; nothing is judged here.
//!
//! After `--`: `<folder> <minutes> <seed>`. In the folder come to lie `samples.tsv`, `counts.tsv` and `server.log`.

mod crowd;
mod faults;
mod random;
mod samples;
#[path = "../../tests/support/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod support;

use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crowd::Crowd;
use random::Random;
use samples::{Sampler, Sizes};
use support::House;

const CHURN_EVERY: Duration = Duration::from_secs(1);
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
const FAULT_EVERY: Duration = Duration::from_secs(60);
/// Media threads, and how many of a room one takes before another does: most rooms are on all of them.
const SHARDS: &str = "3";
const SPREAD: &str = "1";
/// Before anything is compared: what is opened once and kept (the database's connections, the memory of all that is used)
/// is there then.
const WARM_UP: Duration = Duration::from_secs(60);
/// Seats are kept for a minute, and so is what hangs on them.
const SETTLING: Duration = Duration::from_secs(180);

struct Arguments {
    folder: PathBuf,
    time: Duration,
    seed: u64,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let Some(arguments) = arguments() else {
        panic!("to be run by `cargo xtask soak`");
    };
    let folder = &arguments.folder;
    std::fs::create_dir_all(folder).expect("a folder for what is measured");
    let (metrics, media) = (free_port(), free_port());
    let mut house = House::new();
    house.set("METRICS__LISTEN", &format!("127.0.0.1:{metrics}"));
    house.set("MEDIA__PORT", &media.to_string());
    house.set("MEDIA__SHARDS", SHARDS);
    house.set("MEDIA__SPREAD", SPREAD);
    house.log_to(folder.join("server.log"));
    let (house, _) = house.with_anna().await;
    let mut sampler = Sampler::new(&house, metrics, &folder.join("samples.tsv"));
    let mut random = Random(arguments.seed);

    crowd::add_accounts(&house);
    println!("warming up");
    let mut crowd = Crowd::gather(&house, media, &mut random).await;
    live(&mut crowd, &mut sampler, "warm", WARM_UP).await;
    crowd.leave().await;
    let baseline = settle(&mut sampler, "baseline", None).await;

    println!(
        "{} minutes of people and faults",
        arguments.time.as_secs() / 60
    );
    let mut crowd = Crowd::gather(&house, media, &mut random).await;
    live(&mut crowd, &mut sampler, "load", arguments.time).await;
    crowd.recover().await;
    let counts = crowd.leave().await;
    settle(&mut sampler, "end", Some(&baseline)).await;
    counts.write(&folder.join("counts.tsv"));
}

/// `cargo bench` adds a word of its own.
fn arguments() -> Option<Arguments> {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    Some(Arguments {
        folder: words.next()?.into(),
        time: Duration::from_secs(60 * words.next()?.parse::<u64>().ok()?),
        seed: words.next()?.parse().ok()?,
    })
}

/// For UDP and for TCP.
fn free_port() -> u16 {
    let free = || {
        let over_tcp = TcpListener::bind("0.0.0.0:0").ok()?;
        let port = over_tcp.local_addr().ok()?.port();
        UdpSocket::bind(("0.0.0.0", port)).ok().map(|_| port)
    };
    (0..100).find_map(|_| free()).expect("a free port")
}

async fn live(crowd: &mut Crowd<'_>, sampler: &mut Sampler, phase: &str, time: Duration) {
    let start = Instant::now();
    let every = |period| {
        let mut every = interval(period);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        every
    };
    let (mut churn, mut sample) = (every(CHURN_EVERY), every(SAMPLE_EVERY));
    let mut fault = every(FAULT_EVERY);
    fault.tick().await;
    while start.elapsed() < time {
        tokio::select! {
            _ = fault.tick() => {
                crowd.suffer().await;
                crowd.report();
            }
            _ = sample.tick() => {
                sampler.sample(phase, crowd.people()).await;
            }
            _ = churn.tick() => crowd.churn().await,
        }
    }
}

/// Waits until nobody is left in any table, and until the process is as small as it was; gives up after a while, and the last
/// sample says how it was then.
async fn settle(sampler: &mut Sampler, phase: &str, small: Option<&Sizes>) -> Sizes {
    let until = Instant::now() + SETTLING;
    loop {
        let sizes = sampler.sample(phase, 0).await;
        if sizes.is_empty() && small.is_none_or(|small| sizes.is_as_small_as(small)) {
            return sizes;
        }
        if Instant::now() >= until {
            println!("not settled: {sizes:?}");
            return sizes;
        }
        sleep(SAMPLE_EVERY).await;
    }
}
