//! `stube user …`: what administrators do for people from the command line, beside making an account. Everything is written
//! to the audit log; a running server notices within moments.

use std::io::Write;

use anyhow::{Context, bail};
use clap::Subcommand;
use identity::link::Invite;
use identity::{DisplayName, Mail, Username};

use crate::audit::{self, Actor};
use crate::chance;
use crate::config::Config;
use crate::links::{self, Made, Occasion};
use crate::mail::letters::{self, Letter};
use crate::run;
use crate::settings::Settings;
use crate::store::leaving::{self, Removed};
use crate::store::users::{self, Account, Change, Changed};
use crate::store::{Db, export, sessions};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const MOST_SESSIONS: u32 = 200;

#[derive(Subcommand)]
pub enum UserCommand {
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
    pub async fn execute(self, db: &Db, config: Config) -> anyhow::Result<()> {
        match self {
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
        let house = Settings::load(config, db).await?.get().name.clone();
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
    let house = Settings::load(config, db).await?.get().name.clone();
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
