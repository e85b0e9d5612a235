//! The command line: what can be asked of the program beside running it.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use identity::{DisplayName, NewPassword, PasswordHash, Username};

use protocol::http::PersonSource;

use crate::commands::group::GroupCommand;
use crate::commands::log::AuditCommand;
use crate::commands::settings::SettingsCommand;
use crate::commands::token::TokenCommand;
use crate::commands::user::UserCommand;
use crate::config::Config;
use crate::ldap::commands::LdapCommand;
use crate::oidc::commands::ClientCommand;
use crate::settings::Settings as LiveSettings;
use crate::store::users::{self, NewAccount};
use crate::store::{Db, StoreError, settings};
use crate::{chance, people_file, run, sys};

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
    User(User),
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
enum User {
    /// Makes an account; asks for the password.
    Add {
        username: String,
        /// What others see; without it the username.
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        admin: bool,
        /// Takes the first line of standard input as the password, without asking.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Lists all accounts.
    List,
    /// Gives an account a new password and signs it out everywhere.
    Passwd {
        username: String,
        /// Takes the first line of standard input as the password, without asking.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Makes and corrects accounts by a CSV file with a header out of username, name, mail and groups.
    Import {
        file: PathBuf,
        /// Compares and tells, and changes nothing.
        #[arg(long)]
        dry_run: bool,
    },
    #[command(flatten)]
    More(UserCommand),
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

impl User {
    async fn execute(self, config: Config) -> anyhow::Result<()> {
        let db = run::open_store(&config).await?;
        let house = LiveSettings::load(config.clone(), &db)
            .await?
            .get()
            .name
            .clone();
        match self {
            Self::Add {
                username,
                name,
                admin,
                password_stdin,
            } => {
                let person = (username.as_str(), name.as_deref());
                add(&db, &house, person, admin, password_stdin).await?;
            }
            Self::List => {
                for account in users::all(&db).await? {
                    let admin = if account.admin { "administrator" } else { "" };
                    println!("{}\t{}\t{admin}", account.username, account.name);
                }
            }
            Self::Passwd {
                username,
                password_stdin,
            } => passwd(&db, &house, &username, password_stdin).await?,
            Self::Import { file, dry_run } => people_file::command(&db, &file, dry_run).await?,
            Self::More(command) => command.execute(&db, config).await?,
        }
        db.close().await;
        Ok(())
    }
}

async fn add(
    db: &Db,
    house: &str,
    (username, name): (&str, Option<&str>),
    admin: bool,
    password_stdin: bool,
) -> anyhow::Result<()> {
    let name = DisplayName::parse(name.unwrap_or(username)).context("this name cannot be taken")?;
    let username = Username::parse(username).context("this username cannot be taken")?;
    if users::by_username(db, username.key()).await?.is_some() {
        bail!("the username {} is taken", username.as_str());
    }
    let names = [house, username.as_str(), name.as_str()];
    let password = read_password(password_stdin, &names)?;
    let new = NewAccount {
        id: chance::id().into(),
        username,
        name,
        mail: None,
        admin,
        password: Some(password),
        source: PersonSource::House,
        created: chance::unix_ms(),
    };
    match users::create(db, &new).await {
        Ok(account) => println!("{} has an account now.", account.username),
        Err(StoreError::Taken) => bail!("the username {} is taken", new.username.as_str()),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

async fn passwd(db: &Db, house: &str, username: &str, password_stdin: bool) -> anyhow::Result<()> {
    let key = Username::parse(username)
        .map(|name| name.key().to_owned())
        .unwrap_or_default();
    let Some((account, _)) = users::by_username(db, &key).await? else {
        bail!("there is no user {username}")
    };
    let names = [house, account.username.as_str(), account.name.as_str()];
    users::set_password(
        db,
        &account.id,
        &read_password(password_stdin, &names)?,
        &chance::id(),
        chance::unix_ms(),
    )
    .await?;
    println!(
        "{} has a new password and is signed out everywhere.",
        account.username
    );
    Ok(())
}

fn read_password(from_stdin: bool, names: &[&str]) -> anyhow::Result<PasswordHash> {
    let ask = !from_stdin && std::io::stdin().is_terminal();
    if ask {
        eprint!("Password: ");
    }
    let text = sys::read_secret_line().context("the password cannot be read")?;
    let password = NewPassword::parse(&text, names).context("this password cannot be taken")?;
    if ask {
        eprint!("The same again: ");
        if sys::read_secret_line().context("the password cannot be read")? != text {
            bail!("the two passwords differ");
        }
    }
    Ok(password.hash(chance::bytes()))
}
