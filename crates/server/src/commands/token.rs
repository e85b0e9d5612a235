//! `stube token`: bearer tokens of machines.

use anyhow::{Context, bail};
use clap::Subcommand;
use identity::DisplayName;
use identity::administration::{Scope, TokenLife};

use crate::audit::Actor;
use crate::config::Config;
use crate::machines;
use crate::run;
use crate::store::tokens::{self, StoredToken};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

#[derive(Subcommand)]
pub enum TokenCommand {
    /// Makes one and prints it, once: it goes into `Authorization: Bearer …`.
    Add {
        /// What it is for.
        name: String,
        /// What it is good for: `read` or `write` under /api/v1/admin, or `scim`. May stand more than once.
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// For so long; without it until it is removed.
        #[arg(long, value_name = "NUMBER")]
        days: Option<u64>,
    },
    /// Lists all: id, name, scopes, when it was used last and when it ends, in seconds since 1970.
    List,
    /// Makes one worthless.
    Remove { id: String },
}

impl TokenCommand {
    pub async fn execute(self, config: Config) -> anyhow::Result<()> {
        let db = run::open_store(&config).await?;
        match self {
            Self::Add { name, scopes, days } => {
                let name = DisplayName::parse(&name).context("this name cannot be taken")?;
                let life = days.map(|days| TokenLife::parse(days.saturating_mul(DAY_MS)));
                let life = life
                    .map(|life| life.context("--days must be 1 to 3660"))
                    .transpose()?;
                let scopes = parse(&scopes)?;
                let (_, token) = machines::create(&db, &Actor::House, &name, &scopes, life).await?;
                println!("{token}");
            }
            Self::List => {
                for token in tokens::all(&db).await? {
                    println!("{}", line(&token));
                }
            }
            Self::Remove { id } => {
                if !machines::remove(&db, &Actor::House, &id).await? {
                    bail!("there is no token {id}");
                }
                println!("The token {id} is worth nothing any more.");
            }
        }
        db.close().await;
        Ok(())
    }
}

/// Each once.
fn parse(words: &[String]) -> anyhow::Result<Vec<Scope>> {
    if let Some(unknown) = words.iter().find(|word| Scope::parse(word).is_none()) {
        bail!("{unknown} is no scope: read, write and scim are");
    }
    let scopes = Scope::ALL.into_iter();
    let asked = |scope: &Scope| words.iter().any(|word| word == scope.word());
    Ok(scopes.filter(asked).collect())
}

fn line(token: &StoredToken) -> String {
    let scopes: Vec<_> = token.scopes.iter().map(|scope| scope.word()).collect();
    let seconds =
        |ms: Option<u64>| ms.map_or_else(|| "never".to_owned(), |ms| (ms / 1000).to_string());
    format!(
        "{}\t{}\t{}\tused {}\tends {}",
        token.id,
        token.name,
        scopes.join(" "),
        seconds(token.used),
        seconds(token.expires)
    )
}
