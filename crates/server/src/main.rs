//! The binary `stube`: every socket, thread, clock, file, SQL statement and HTTP route of the house.
//!
//! Effects and wiring only; what decides about people and media is in the pure crates.
#![deny(unsafe_code)]

mod app;
mod audit;
mod banner;
mod certificates;
mod chance;
mod choices;
mod chores;
mod cli;
mod commands;
mod config;
mod directory;
#[cfg(debug_assertions)]
mod faults;
mod house;
mod http;
mod images;
mod languages;
mod ldap;
mod leaving;
mod links;
mod machines;
mod mail;
mod media;
mod meetings;
mod metrics;
mod oidc;
mod origins;
mod passkeys;
mod people_file;
mod principal;
mod private;
mod push;
mod returns;
mod rooms;
mod run;
mod scim;
mod sealing;
mod second_factor;
mod settings;
mod sign_ins;
mod sso;
mod store;
mod sys;
mod tickets;
mod version;
mod web;
mod ws;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    tracing_subscriber::registry()
        .with(fmt::layer().with_writer(std::io::stderr))
        .with(wished_log().unwrap_or_else(usual_log))
        .init();
    sys::give_large_blocks_back();
    if let Err(error) = sys::allow_many_files() {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    match cli.execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stube: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn wished_log() -> Option<Targets> {
    std::env::var("RUST_LOG").ok()?.parse().ok()
}

fn usual_log() -> Targets {
    // What the media engine warns about is what clients sent, addresses among it.
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("sqlx", LevelFilter::WARN)
        .with_targets(["str0m", "is"].map(|engine| (engine, LevelFilter::ERROR)))
}
