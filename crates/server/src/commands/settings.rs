//! `stube settings`: what can be chosen in the browser, chosen here. Also the way back in when nobody can sign in any more:
//! `stube settings set policy.local_sign_in true`.

use anyhow::bail;
use clap::Subcommand;

use crate::audit::{self, Actor};
use crate::choices::{self, Choice, KEYS};
use crate::config::Config;
use crate::run;
use crate::settings::Settings;
use crate::store::Db;

#[derive(Subcommand)]
pub enum SettingsCommand {
    /// Shows what holds, one key a line, and where it was said.
    Show,
    /// Changes one. A running server follows within two seconds.
    Set {
        /// As `stube settings show` names it.
        key: String,
        value: String,
    },
    /// Takes back what was chosen, so that the default holds.
    Unset { key: String },
}

impl SettingsCommand {
    pub async fn execute(self, config: Config) -> anyhow::Result<()> {
        let db = run::open_store(&config).await?;
        let settings = Settings::load(config.clone(), &db).await?;
        match self {
            Self::Show => show(&config, &settings),
            Self::Set { key, value } => {
                changeable(&config, &key)?;
                let choice = Choice::parse(&key, &value)?;
                let words = choice.in_words();
                settings.choose(&db, |chosen| choice.apply(chosen)).await?;
                told(&db, &words).await?;
            }
            Self::Unset { key } => {
                changeable(&config, &key)?;
                settings
                    .choose(&db, |chosen| choices::forget(&key, chosen))
                    .await?;
                let value = choices::value_of(&key, &settings.get());
                told(&db, &format!("{key} = {value}")).await?;
            }
        }
        db.close().await;
        Ok(())
    }
}

fn show(config: &Config, settings: &Settings) {
    let (holds, fixed) = (settings.get(), choices::fixed(config));
    for key in KEYS {
        let by = if fixed.contains(&key) {
            "fixed by the file or the environment"
        } else {
            ""
        };
        println!("{key}\t{}\t{by}", choices::value_of(key, &holds));
    }
}

fn changeable(config: &Config, key: &str) -> anyhow::Result<()> {
    if !KEYS.contains(&key) {
        bail!("{key} cannot be set; what can: {}", KEYS.join(", "));
    }
    if choices::fixed(config).contains(&key) {
        bail!("{key} is fixed by the settings' file or the environment: change it there");
    }
    Ok(())
}

async fn told(db: &Db, words: &str) -> anyhow::Result<()> {
    audit::record(db, &Actor::House, "settings.changed", "", words).await?;
    println!("{words}");
    Ok(())
}
