//! `stube ldap`: whether the directory can be read, and a run now.

use anyhow::{Context, bail};
use clap::Subcommand;

use super::Ldap;
use crate::config::Config;
use crate::run;

#[derive(Subcommand)]
pub enum LdapCommand {
    /// Connects, binds and counts, and changes nothing.
    Check,
    /// Takes people and groups over now.
    Sync {
        /// Locks all who are missing, even if they are more than half.
        #[arg(long)]
        remove_many: bool,
    },
}

impl LdapCommand {
    pub async fn execute(self, config: Config) -> anyhow::Result<()> {
        let ldap = Ldap::new(&config.ldap)?.context("there is no [ldap] url in the settings")?;
        match self {
            Self::Check => ldap.report().await,
            Self::Sync { remove_many } => {
                let db = run::open_store(&config).await?;
                // A running server sees by itself whose sessions ended.
                drop(ldap.sync(&db, remove_many).await);
                db.close().await;
                let status = ldap.status();
                println!(
                    "{} people: {} new, {} changed, {} locked.",
                    status.people, status.created, status.updated, status.removed
                );
                match status.problem {
                    Some(problem) => bail!("{problem}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl Ldap {
    async fn report(&self) -> anyhow::Result<()> {
        let mut connection = self.address.open().await?;
        let (people, without_id) = connection.people().await?;
        let groups = connection.groups().await?;
        connection.close().await;
        println!("{} people, {} groups.", people.len(), groups.len());
        if without_id > 0 {
            println!(
                "{without_id} entries have no {}.",
                self.settings().attributes.id
            );
        }
        for record in people.iter().take(3) {
            println!("{}\t{}\t{}", record.username, record.name, record.mail);
        }
        Ok(())
    }
}
