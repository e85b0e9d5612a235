//! `stube-bot`: a crowd in one room, and a line about it every few seconds. All work is done by the library.
#![forbid(unsafe_code)]

use std::{process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use bot::{Bot, House, Identity, Options, Person, Phase, SlotReceived};
use clap::Parser;
use tokio::time::{Instant, interval_at, sleep_until};

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
    /// How long to stay.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seconds between two lines.
    #[arg(long, default_value_t = 5)]
    every: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
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
    let mut crowd = Vec::new();
    let account = match &arguments.username {
        Some(username) => Some(
            House::new(&arguments.url)?
                .sign_in(username, &password(arguments)?)
                .await?,
        ),
        None => None,
    };
    for number in arguments.first..arguments.first + arguments.count {
        let person: Person = match &account {
            Some(account) => account.clone().into(),
            None => House::new(&arguments.url)?
                .guest(&arguments.room, &format!("Bot {number}"))
                .await?
                .into(),
        };
        let mut options = Options::new(&arguments.room, Identity::nth(number));
        options.person_slots = arguments.slots;
        crowd.push(
            Bot::join(person, options)
                .await
                .with_context(|| format!("bot {number} did not get in"))?,
        );
    }
    let every = Duration::from_secs(arguments.every.max(1));
    let mut lines = interval_at(Instant::now() + every, every);
    let mut before = SlotReceived::default();
    loop {
        tokio::select! {
            _ = lines.tick() => before = report(&crowd, &before, every),
            () = sleep_until(end) => break,
            () = asked_to_stop() => break,
        }
    }
    let all = crowd.iter().all(|bot| bot.state().phase == Phase::Inside);
    for bot in crowd {
        bot.leave().await?;
    }
    Ok(all)
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

/// Ctrl-C; where signals cannot be had, never.
async fn asked_to_stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
