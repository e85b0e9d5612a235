//! `stube-bot`: a crowd in one room, and a line about it every few seconds. All work is done by the library.
#![forbid(unsafe_code)]

use std::{env, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use bot::{Bot, House, Identity, Options, Person, Phase, SlotReceived};
use clap::Parser;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, interval_at, sleep_until},
};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Makes a crowd: every bot sends a prepared picture and a voice, and counts what it gets of the others.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    /// The house, for example http://localhost:8080.
    #[arg(long, default_value = "http://localhost:8080")]
    url: String,
    /// The room's name, as it stands in its address.
    #[arg(long)]
    room: String,
    #[arg(long, default_value_t = 1)]
    count: usize,
    /// The number of the first face; it shows as a barcode and sounds at 300 + 100 × number Hz.
    #[arg(long, default_value_t = 1)]
    first: usize,
    /// Come in by the link of an open room, without an account.
    #[arg(long, conflicts_with_all = ["username", "password"], required_unless_present = "username")]
    guest: bool,
    #[arg(long)]
    username: Option<String>,
    /// Read from STUBE_BOT_PASSWORD when it is not given here.
    #[arg(long, requires = "username")]
    password: Option<String>,
    /// Down slots for people, per bot.
    #[arg(long, default_value_t = 6)]
    slots: usize,
    /// How loud the voices say they are, in dBov: a soft one is not heard where many louder ones are.
    #[arg(long, default_value_t = -12, allow_negative_numbers = true, value_parser = clap::value_parser!(i8).range(-127..=0))]
    loudness: i8,
    /// How long to stay.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seconds between two lines.
    #[arg(long, default_value_t = 5)]
    every: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let wished = env::var("RUST_LOG").ok();
    let wished = wished.and_then(|words| words.parse::<Targets>().ok());
    tracing_subscriber::registry()
        .with(fmt::layer().with_writer(std::io::stderr))
        .with(wished.unwrap_or_else(|| Targets::new().with_default(LevelFilter::WARN)))
        .init();
    match run(&Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("stube-bot: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether everybody who came was still inside at the end.
async fn run(arguments: &Arguments) -> Result<bool> {
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    // Listens from the start: who is asked to stop while others still come in leaves properly too.
    let mut stop = tokio::spawn(asked_to_stop());
    let mut crowd = Vec::new();
    tokio::select! {
        entered = enter(arguments, &mut crowd) => entered?,
        _ = &mut stop => return leave(crowd).await.map(|()| true),
    }
    println!("{} bots are in {}", crowd.len(), arguments.room);
    let every = Duration::from_secs(arguments.every.max(1));
    let mut lines = interval_at(Instant::now() + every, every);
    let mut before = SlotReceived::default();
    loop {
        tokio::select! {
            _ = lines.tick() => before = report(&crowd, &before, every),
            () = sleep_until(end) => break,
            _ = &mut stop => break,
        }
    }
    let all = crowd.iter().all(|bot| bot.state().phase == Phase::Inside);
    leave(crowd).await?;
    Ok(all)
}

async fn enter(arguments: &Arguments, crowd: &mut Vec<Bot>) -> Result<()> {
    let house = House::new(&arguments.url)?;
    let account = match &arguments.username {
        Some(username) => Some(house.sign_in(username, &password(arguments)?).await?),
        None => None,
    };
    for number in arguments.first..arguments.first + arguments.count {
        let person: Person = match &account {
            Some(account) => account.clone().into(),
            None => house
                .guest(&arguments.room, &format!("Bot {number}"))
                .await?
                .into(),
        };
        let mut options = Options::new(&arguments.room, Identity::nth(number));
        options.person_slots = arguments.slots;
        options.loudness = arguments.loudness;
        let bot = Bot::join(person, options).await;
        crowd.push(bot.with_context(|| format!("bot {number} did not get in"))?);
    }
    Ok(())
}

async fn leave(crowd: Vec<Bot>) -> Result<()> {
    for bot in crowd {
        bot.leave().await?;
    }
    Ok(())
}

fn password(arguments: &Arguments) -> Result<String> {
    let given = arguments
        .password
        .clone()
        .or_else(|| std::env::var("STUBE_BOT_PASSWORD").ok());
    given.context("give --password, or set STUBE_BOT_PASSWORD")
}

fn report(crowd: &[Bot], before: &SlotReceived, every: Duration) -> SlotReceived {
    let states: Vec<_> = crowd.iter().map(Bot::state).collect();
    let mut now = SlotReceived::default();
    for bot in crowd {
        now += &bot.received().total();
    }
    let seconds = every.as_secs_f64();
    let bits = 8 * (now.audio_bytes + now.video_bytes - before.audio_bytes - before.video_bytes);
    println!(
        "{} of {} inside, {} with media | {:.0} packets/s, {:.0} kbit/s, {:.0} frames/s | missing {}, undecodable {}, keyframes asked {}",
        states
            .iter()
            .filter(|state| state.phase == Phase::Inside)
            .count(),
        states.len(),
        states.iter().filter(|state| state.media).count(),
        (now.audio_packets + now.video_packets - before.audio_packets - before.video_packets)
            as f64
            / seconds,
        bits as f64 / 1000.0 / seconds,
        (now.frames - before.frames) as f64 / seconds,
        now.missing,
        now.undecodable,
        now.keyframe_requests,
    );
    now
}

/// Ctrl-C or SIGTERM; where signals cannot be had, never.
async fn asked_to_stop() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
