//! `stube client`: which applications may sign people in with this house.

use anyhow::{Context, bail};
use clap::Subcommand;
use identity::DisplayName;
use identity::provider::jose::Algorithm;
use identity::provider::{Client, ClientId, RedirectUri};

use super::registry::{self, Registration};
use crate::audit::Actor;
use crate::config::Config;
use crate::run;
use crate::store::clients;

#[derive(Subcommand)]
pub enum ClientCommand {
    /// Registers an application; prints its id and, once, its secret.
    Add {
        /// What people read when they are asked.
        name: String,
        /// Where people come back to after signing in, character by character. May stand more than once.
        #[arg(long = "redirect", value_name = "ADDRESS", required = true)]
        redirects: Vec<String>,
        /// Where people may go after signing out. May stand more than once.
        #[arg(long = "post-logout", value_name = "ADDRESS")]
        post_logouts: Vec<String>,
        /// Runs where a secret cannot be kept: in a browser, on a phone.
        #[arg(long)]
        public: bool,
        /// Belongs to the house: people are not asked whether it may know who they are.
        #[arg(long)]
        trusted: bool,
        /// Signs its tokens with EdDSA and not with RS256, which everybody understands.
        #[arg(long)]
        eddsa: bool,
    },
    /// Lists all applications: id, name, kind and addresses.
    List,
    /// Removes an application; what it was given is worth nothing any more.
    Remove { id: String },
}

impl ClientCommand {
    pub async fn execute(self, config: Config) -> anyhow::Result<()> {
        let db = run::open_store(&config).await?;
        match self {
            Self::Add {
                name,
                redirects,
                post_logouts,
                public,
                trusted,
                eddsa,
            } => {
                let new = Registration {
                    name: DisplayName::parse(&name).context("this name cannot be taken")?,
                    redirect_uris: addresses(&redirects, public)?,
                    post_logout_uris: addresses(&post_logouts, public)?,
                    public,
                    trusted,
                    algorithm: if eddsa {
                        Algorithm::EdDsa
                    } else {
                        Algorithm::Rs256
                    },
                };
                let made = registry::register(&db, &Actor::House, new).await?;
                println!("client_id      {}", made.client.id.as_str());
                if let Some(secret) = made.secret {
                    println!("client_secret  {}", secret.expose());
                }
                println!("issuer         {}", run::address(&db, &config).await?);
            }
            Self::List => {
                for (client, _) in clients::all(&db).await? {
                    println!("{}", line(&client));
                }
            }
            Self::Remove { id } => {
                if !registry::remove(&db, &Actor::House, ClientId(id.clone())).await? {
                    bail!("there is no client {id}");
                }
                println!("The client {id} is gone.");
            }
        }
        db.close().await;
        Ok(())
    }
}

fn addresses(texts: &[String], public: bool) -> anyhow::Result<Vec<RedirectUri>> {
    let parsed = texts.iter().map(|text| {
        RedirectUri::parse(text, public).map_err(|error| anyhow::anyhow!("{text} {error}"))
    });
    parsed.collect()
}

fn line(client: &Client) -> String {
    let kind = if client.secret.is_some() {
        "confidential"
    } else {
        "public"
    };
    let trusted = if client.trusted { "trusted" } else { "asks" };
    let addresses: Vec<_> = client
        .redirect_uris
        .iter()
        .chain(&client.post_logout_uris)
        .map(RedirectUri::as_str)
        .collect();
    format!(
        "{}\t{}\t{kind}\t{trusted}\t{}\t{}",
        client.id.as_str(),
        client.name,
        client.algorithm.as_str(),
        addresses.join(" ")
    )
}
