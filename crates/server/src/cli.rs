//! The command line: what can be asked of the program beside running it.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};

use crate::commands::group::GroupCommand;
use crate::commands::log::AuditCommand;
use crate::commands::settings::SettingsCommand;
use crate::commands::token::TokenCommand;
use crate::commands::user::UserCommand;
use crate::config::Config;
use crate::ldap::commands::LdapCommand;
use crate::oidc::commands::ClientCommand;
use crate::store::settings;
use crate::{chance, run};

/// Stube: video meetings in your own house.
#[derive(Parser)]
#[command(name = "stube", version)]
pub struct Cli {
    /// The settings; without it `stube.toml` in this directory, if it is there.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server.
    Run {
        /// Serves HTTPS on all addresses with a certificate of its own, for phones and computers nearby.
        #[arg(long)]
        lan: bool,
    },
    /// Prints the link that makes the first account.
    SetupLink,
    /// Accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Applications that sign people in with this house.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Groups of people.
    #[command(subcommand)]
    Group(GroupCommand),
    /// The directory of people outside.
    #[command(subcommand)]
    Ldap(LdapCommand),
    /// Bearer tokens of machines.
    #[command(subcommand)]
    Token(TokenCommand),
    /// What can also be chosen in the browser: name, links, who may come.
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Shows who changed what, the newest last.
    Audit(AuditCommand),
    /// The settings' file and the environment.
    #[command(subcommand)]
    Config(Settings),
}

#[derive(Subcommand)]
enum Settings {
    /// Says whether the settings are good.
    Check,
    /// Prints all settings as they are in effect.
    Print,
}

impl Cli {
    pub fn execute(self) -> anyhow::Result<()> {
        let lan = matches!(self.command, Command::Run { lan: true });
        let config = Config::load(self.config.as_deref(), lan)?;
        match self.command {
            Command::Config(Settings::Check) => println!("The settings are good."),
            Command::Config(Settings::Print) => print!("{}", config.shown()?),
            Command::Run { lan } => runtime()?.block_on(run::run(config, lan))?,
            Command::SetupLink => runtime()?.block_on(setup_link(config))?,
            Command::Client(client) => runtime()?.block_on(client.execute(config))?,
            Command::Group(group) => runtime()?.block_on(group.execute(config))?,
            Command::Ldap(ldap) => runtime()?.block_on(ldap.execute(config))?,
            Command::Token(token) => runtime()?.block_on(token.execute(config))?,
            Command::Settings(settings) => runtime()?.block_on(settings.execute(config))?,
            Command::Audit(audit) => runtime()?.block_on(audit.execute(config))?,
            Command::User(user) => runtime()?.block_on(user.execute(config))?,
        }
        Ok(())
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.context("the runtime does not start")
}

async fn setup_link(config: Config) -> anyhow::Result<()> {
    let db = run::open_store(&config).await?;
    let Some(link) = settings::setup_link(&db, &chance::secret()).await? else {
        bail!("there is an administrator already: sign in, or add others with `stube user add`");
    };
    let base = run::address(&db, &config).await?;
    println!("{base}/setup#{}", link.expose());
    db.close().await;
    Ok(())
}
