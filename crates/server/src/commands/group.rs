//! `stube group`: groups of people and who is in them, as far as the house itself says so.

use anyhow::{Context, bail};
use clap::Subcommand;
use identity::{GroupName, Username};
use protocol::http::PersonSource;

use crate::audit::{self, Actor};
use crate::chance;
use crate::config::Config;
use crate::run;
use crate::store::groups::{self, StoredGroup};
use crate::store::users::{self, Account};
use crate::store::{Db, StoreError};

#[derive(Subcommand)]
pub enum GroupCommand {
    /// Makes a group.
    Add { name: String },
    /// Lists all groups and how many people are in each.
    List,
    /// Removes a group, not the people in it.
    Remove { name: String },
    /// Puts somebody into a group.
    Join { name: String, username: String },
    /// Takes somebody out of a group.
    Leave { name: String, username: String },
}

impl GroupCommand {
    pub async fn execute(self, config: Config) -> anyhow::Result<()> {
        let db = run::open_store(&config).await?;
        match self {
            Self::Add { name } => add(&db, &name).await?,
            Self::List => {
                for group in groups::all(&db).await? {
                    println!("{}\t{}", group.name, group.people);
                }
            }
            Self::Remove { name } => {
                let group = group(&db, &name).await?;
                groups::remove(&db, &group.id).await?;
                record(&db, "group.removed", &group, None).await?;
                println!("The group {} is gone.", group.name);
            }
            Self::Join { name, username } => {
                let (group, person) = (group(&db, &name).await?, person(&db, &username).await?);
                groups::join(&db, &group.id, &person.id, PersonSource::House).await?;
                record(&db, "group.joined", &group, Some(&person)).await?;
                println!("{} is in the group {}.", person.username, group.name);
            }
            Self::Leave { name, username } => {
                let (group, person) = (group(&db, &name).await?, person(&db, &username).await?);
                leave(&db, &group, &person).await?;
            }
        }
        db.close().await;
        Ok(())
    }
}

async fn add(db: &Db, name: &str) -> anyhow::Result<()> {
    let name = GroupName::parse(name).context("this name cannot be taken")?;
    match groups::create(db, &name, chance::unix_ms()).await {
        Ok(group) => {
            record(db, "group.created", &group, None).await?;
            println!("There is a group {} now.", group.name);
            Ok(())
        }
        Err(StoreError::Taken) => bail!("there is a group {} already", name.as_str()),
        Err(error) => Err(error.into()),
    }
}

async fn leave(db: &Db, group: &StoredGroup, person: &Account) -> anyhow::Result<()> {
    if groups::leave(db, &group.id, &person.id, PersonSource::House).await? {
        bail!(
            "{} stays in the group {}, because LDAP, SCIM or a provider says so",
            person.username,
            group.name
        );
    }
    record(db, "group.left", group, Some(person)).await?;
    println!("{} is not in the group {}.", person.username, group.name);
    Ok(())
}

async fn group(db: &Db, name: &str) -> anyhow::Result<StoredGroup> {
    let key = GroupName::parse(name).map(|name| name.key().to_owned());
    let group = groups::by_key(db, &key.unwrap_or_default()).await?;
    group.with_context(|| format!("there is no group {name}"))
}

async fn person(db: &Db, username: &str) -> anyhow::Result<Account> {
    let key = Username::parse(username).map(|name| name.key().to_owned());
    let found = users::by_username(db, &key.unwrap_or_default()).await?;
    let (account, _) = found.with_context(|| format!("there is no user {username}"))?;
    Ok(account)
}

async fn record(
    db: &Db,
    action: &'static str,
    group: &StoredGroup,
    person: Option<&Account>,
) -> anyhow::Result<()> {
    let details = person.map(|person| format!("user:{}", person.id));
    let subject = format!("group:{}", group.id);
    audit::record(
        db,
        &Actor::House,
        action,
        &subject,
        &details.unwrap_or_default(),
    )
    .await?;
    Ok(())
}
