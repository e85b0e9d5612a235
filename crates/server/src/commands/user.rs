//! `stube user …`: what is done for people from the command line. Every change is written to the audit log; a running server
//! notices within moments.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;
use identity::link::Invite;
use identity::{DisplayName, Mail, NewPassword, PasswordHash, Username};
use protocol::http::PersonSource;

use crate::audit::{self, Actor};
use crate::chance;
use crate::config::Config;
use crate::links::{self, Made, Occasion};
use crate::mail::letters::{self, Letter};
use crate::settings::Settings;
use crate::store::leaving::{self, Removed};
use crate::store::users::{self, Account, Change, Changed, NewAccount};
use crate::store::{Db, StoreError, export, sessions};
use crate::{people_file, run, sys};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const MOST_SESSIONS: u32 = 200;

#[derive(Subcommand)]
pub enum UserCommand {
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
    /// Prints a link by which somebody makes their own account.
    Invite {
        /// A suggestion for the name; the person may write another one.
        #[arg(long)]
        name: Option<String>,
        /// The same for the username.
        #[arg(long)]
        username: Option<String>,
        /// The account's mail address; with a mail server in the settings, the link is sent there.
        #[arg(long)]
        mail: Option<String>,
        #[arg(long)]
        admin: bool,
        /// A group that the person becomes part of. May stand more than once.
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
        /// How many accounts the link makes.
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// How long it is good.
        #[arg(long, default_value_t = 7)]
        days: u64,
    },
    /// Prints a link by which somebody gives their account a new password; sends it too with `--mail`.
    Recover {
        username: String,
        #[arg(long)]
        mail: bool,
    },
    /// Locks an account: it is signed out everywhere, and nobody can sign in to it.
    Lock { username: String },
    /// Lets a locked account sign in again.
    Unlock { username: String },
    /// Removes an account and everything that is stored about its person.
    Delete { username: String },
    /// Prints everything that is stored about a person, as JSON.
    Export { username: String },
    /// Lists where an account is signed in, or everybody without one.
    Sessions {
        username: Option<String>,
        /// Ends them.
        #[arg(long, requires = "username")]
        end: bool,
    },
}

impl UserCommand {
    pub async fn execute(self, config: Config) -> anyhow::Result<()> {
        let db = run::open_store(&config).await?;
        let done = self.run(&db, config).await;
        db.close().await;
        done
    }

    async fn run(self, db: &Db, config: Config) -> anyhow::Result<()> {
        match self {
            Self::Add {
                username,
                name,
                admin,
                password_stdin,
            } => {
                let house = house(db, config).await?;
                let person = (username.as_str(), name.as_deref());
                add(db, &house, person, admin, password_stdin).await
            }
            Self::List => list_accounts(db).await,
            Self::Passwd {
                username,
                password_stdin,
            } => {
                let house = house(db, config).await?;
                passwd(db, &house, &account(db, &username).await?, password_stdin).await
            }
            Self::Import { file, dry_run } => people_file::command(db, &file, dry_run).await,
            Self::Invite {
                name,
                username,
                mail,
                admin,
                groups,
                uses,
                days,
            } => {
                let parsed = Invite {
                    name: parse(name, DisplayName::parse, "name")?,
                    username: parse(username, Username::parse, "username")?,
                    mail: parse(mail, Mail::parse, "mail address")?,
                    admin,
                    groups,
                    uses,
                };
                invite(db, config, &parsed, days.saturating_mul(DAY_MS)).await
            }
            Self::Recover { username, mail } => {
                recover(db, config, &account(db, &username).await?, mail).await
            }
            Self::Lock { username } => set_locked(db, &username, true).await,
            Self::Unlock { username } => set_locked(db, &username, false).await,
            Self::Delete { username } => delete(db, &username).await,
            Self::Export { username } => print_all(db, &username).await,
            Self::Sessions {
                username,
                end: false,
            } => list(db, username.as_deref()).await,
            Self::Sessions {
                username,
                end: true,
            } => sign_out(db, &username.unwrap_or_default()).await,
        }
    }
}

/// Its name.
async fn house(db: &Db, config: Config) -> anyhow::Result<String> {
    Ok(Settings::load(config, db).await?.get().name.clone())
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
    let account = match users::create(db, &new).await {
        Ok(account) => account,
        Err(StoreError::Taken) => bail!("the username {} is taken", new.username.as_str()),
        Err(error) => return Err(error.into()),
    };
    audited(db, "person.created", &account).await?;
    println!("{} has an account now.", account.username);
    Ok(())
}

async fn list_accounts(db: &Db) -> anyhow::Result<()> {
    for account in users::all(db).await? {
        let admin = if account.admin { "administrator" } else { "" };
        println!("{}\t{}\t{admin}", account.username, account.name);
    }
    Ok(())
}

async fn passwd(
    db: &Db,
    house: &str,
    account: &Account,
    password_stdin: bool,
) -> anyhow::Result<()> {
    let names = [house, account.username.as_str(), account.name.as_str()];
    let password = read_password(password_stdin, &names)?;
    let (mark, now) = (chance::id(), chance::unix_ms());
    users::set_password(db, &account.id, &password, &mark, now).await?;
    audited(db, "person.password_set", account).await?;
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

fn parse<T, E: std::error::Error + Send + Sync + 'static>(
    text: Option<String>,
    parse: impl Fn(&str) -> Result<T, E>,
    what: &'static str,
) -> anyhow::Result<Option<T>> {
    text.map(|text| parse(&text).with_context(|| format!("this {what} cannot be taken")))
        .transpose()
}

pub async fn account(db: &Db, username: &str) -> anyhow::Result<Account> {
    let found = match Username::parse(username) {
        Ok(name) => users::by_username(db, name.key()).await?,
        Err(_) => None,
    };
    let Some((account, _)) = found else {
        bail!("there is no user {username}")
    };
    Ok(account)
}

async fn invite(db: &Db, config: Config, invite: &Invite, life_ms: u64) -> anyhow::Result<()> {
    let base = run::address(db, &config).await?;
    let made = links::invite(db, &base, &Actor::House, invite, life_ms).await?;
    println!("{}", made.url);
    let mailer = run::mailer(&config)?;
    if let Some(to) = invite.mail.as_ref().filter(|_| mailer.is_there()) {
        let house = house(db, config).await?;
        let letter = letters::invite(&house, &made.link());
        mailer.send(letter, to).await?;
        eprintln!("It was sent by mail too.");
    }
    Ok(())
}

async fn recover(db: &Db, config: Config, account: &Account, mail: bool) -> anyhow::Result<()> {
    let base = run::address(db, &config).await?;
    let made = links::for_person(db, &base, &Actor::House, account, Occasion::Recovery).await?;
    println!("{}", made.url);
    if mail {
        send(db, config, account, &made).await?;
        eprintln!("It was sent by mail too.");
    }
    Ok(())
}

async fn send(db: &Db, config: Config, account: &Account, made: &Made) -> anyhow::Result<()> {
    let mailer = run::mailer(&config)?;
    let Some(to) = account.mail.as_deref() else {
        bail!("{} has no mail address", account.username)
    };
    let to = Mail::parse(to).context("the mail address cannot be used")?;
    let house = house(db, config).await?;
    let letter: Letter = Occasion::Recovery.letter(&house, &account.username, made);
    mailer.send(letter, &to).await?;
    Ok(())
}

async fn set_locked(db: &Db, username: &str, locked: bool) -> anyhow::Result<()> {
    let account = account(db, username).await?;
    let change = Change {
        locked: Some(locked),
        ..Change::default()
    };
    match leaving::change(db, &account.id, &change, &chance::id()).await? {
        (Changed::Done(_), _) => {}
        (Changed::Nobody, _) => bail!("there is no user {username}"),
        (Changed::LastAdministrator, _) => bail!("{}", administrators_last(&account)),
    }
    let (action, words) = if locked {
        ("person.locked", "is locked now and signed out everywhere")
    } else {
        ("person.unlocked", "can sign in again")
    };
    audited(db, action, &account).await?;
    println!("{} {words}.", account.username);
    Ok(())
}

async fn delete(db: &Db, username: &str) -> anyhow::Result<()> {
    let account = account(db, username).await?;
    match leaving::remove(db, &account.id, &chance::id()).await? {
        Removed::Done { .. } => {}
        Removed::Nobody => bail!("there is no user {username}"),
        Removed::LastAdministrator => bail!("{}", administrators_last(&account)),
    }
    audited(db, "person.removed", &account).await?;
    println!(
        "{} is gone, and everything that was theirs.",
        account.username
    );
    Ok(())
}

fn administrators_last(account: &Account) -> String {
    format!(
        "{} is the last administrator who can sign in: make somebody else one first",
        account.username
    )
}

async fn print_all(db: &Db, username: &str) -> anyhow::Result<()> {
    let account = account(db, username).await?;
    let Some(all) = export::of(db, &account.id).await? else {
        bail!("there is no user {username}")
    };
    audited(db, "person.exported", &account).await?;
    let text = serde_json::to_string_pretty(&all)?;
    writeln!(std::io::stdout(), "{text}").context("it cannot be written")
}

async fn list(db: &Db, username: Option<&str>) -> anyhow::Result<()> {
    let account = match username {
        Some(username) => Some(account(db, username).await?),
        None => None,
    };
    let of = account.as_ref().map(|account| &account.id);
    for session in sessions::list(db, of, MOST_SESSIONS).await? {
        let used = chance::unix_ms().saturating_sub(session.times.used) / 60_000;
        println!(
            "{}\t{}\t{}\tused {used} minutes ago",
            session.id, session.name, session.device
        );
    }
    Ok(())
}

async fn sign_out(db: &Db, username: &str) -> anyhow::Result<()> {
    let account = account(db, username).await?;
    let ended = sessions::remove_of(db, &account.id, None, &chance::id()).await?;
    audited(db, "person.signed_out", &account).await?;
    println!(
        "{} is signed out of {} places.",
        account.username,
        ended.len()
    );
    Ok(())
}

async fn audited(db: &Db, action: &'static str, account: &Account) -> anyhow::Result<()> {
    let subject = format!("user:{}", account.id);
    audit::record(db, &Actor::House, action, &subject, "").await?;
    Ok(())
}
