//! What the house is called, shows and allows: what stands in the settings' file or the environment holds; the rest is
//! what administrators set in the browser, else the default. Read at every request, so it lives in memory.

use std::sync::Arc;

use identity::guest::Welcome;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, watch};

use crate::config::{Config, Visibility};
use crate::store::{self, Db, settings};
use crate::version::Version;

const HISTORY_DAYS: u32 = 90;

/// What can be set in the browser, as it is stored: absent means untouched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chosen {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imprint_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_url: Option<String>,
    /// Another value whenever the logo is another; its bytes are an image of the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guests: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_house: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_sign_in: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_version: Option<Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Vec<Visibility>>,
    pub checklist_dismissed: bool,
}

/// What holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective {
    pub name: String,
    pub imprint_url: Option<String>,
    pub privacy_url: Option<String>,
    pub logo: Option<String>,
    pub guests: bool,
    pub open_house: bool,
    pub local_sign_in: bool,
    pub minimum_version: Option<Version>,
    pub push: bool,
    /// With 0, what is over is forgotten within the hour.
    pub history_days: u32,
    pub visibility: Vec<Visibility>,
}

impl Effective {
    pub fn welcome(&self) -> Welcome {
        Welcome {
            guests: self.guests,
            open_house: self.open_house,
        }
    }
}

/// Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Settings {
    fixed: Arc<Config>,
    now: Arc<watch::Sender<(Chosen, Arc<Effective>)>>,
    /// Held from reading what is stored until it holds, so that nothing older comes after something newer.
    changing: Arc<Mutex<()>>,
}

impl Settings {
    pub async fn load(config: Config, db: &Db) -> store::Result<Self> {
        let chosen = settings::chosen(db).await?;
        Ok(Self::new(config, chosen))
    }

    pub fn new(config: Config, chosen: Chosen) -> Self {
        let effective = Arc::new(effective(&config, &chosen));
        Self {
            fixed: Arc::new(config),
            now: Arc::new(watch::Sender::new((chosen, effective))),
            changing: Arc::default(),
        }
    }

    /// What holds now.
    pub fn get(&self) -> Arc<Effective> {
        self.now.borrow().1.clone()
    }

    pub fn chosen(&self) -> Chosen {
        self.now.borrow().0.clone()
    }

    /// Hears of every change from now on.
    pub fn subscribe(&self) -> watch::Receiver<(Chosen, Arc<Effective>)> {
        self.now.subscribe()
    }

    /// Stores what was chosen and lets it hold from now on.
    pub async fn choose(&self, db: &Db, change: impl FnOnce(&mut Chosen)) -> store::Result<()> {
        let _changing = self.changing.lock().await;
        self.adopt(settings::choose(db, change).await?);
        Ok(())
    }

    /// Lets hold what another process has stored.
    pub async fn look(&self, db: &Db) -> store::Result<()> {
        let _changing = self.changing.lock().await;
        let stored = settings::chosen(db).await?;
        if stored != self.chosen() {
            self.adopt(stored);
        }
        Ok(())
    }

    fn adopt(&self, chosen: Chosen) {
        let effective = Arc::new(effective(&self.fixed, &chosen));
        self.now.send_replace((chosen, effective));
    }
}

fn effective(config: &Config, chosen: &Chosen) -> Effective {
    let (house, policy) = (&config.house, &config.policy);
    let address = |fixed: &Option<url::Url>, chosen: &Option<String>| {
        fixed
            .as_ref()
            .map(ToString::to_string)
            .or_else(|| chosen.clone())
    };
    let switch =
        |fixed: Option<bool>, chosen: Option<bool>, default| fixed.or(chosen).unwrap_or(default);
    Effective {
        name: house
            .name
            .clone()
            .or_else(|| chosen.name.clone())
            .unwrap_or_else(|| "Stube".to_owned()),
        imprint_url: address(&house.imprint_url, &chosen.imprint_url),
        privacy_url: address(&house.privacy_url, &chosen.privacy_url),
        logo: chosen.logo.clone(),
        guests: switch(policy.guests, chosen.guests, true),
        open_house: switch(policy.open_house, chosen.open_house, false),
        local_sign_in: switch(policy.local_sign_in, chosen.local_sign_in, true),
        minimum_version: policy.minimum_version.or(chosen.minimum_version),
        push: switch(policy.push, chosen.push, false),
        history_days: policy
            .history_days
            .or(chosen.history_days)
            .unwrap_or(HISTORY_DAYS),
        visibility: policy
            .visibility
            .clone()
            .or_else(|| chosen.visibility.clone())
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_wins_over_the_browser_and_the_browser_over_the_default() {
        let mut config = Config::default();
        let mut chosen = Chosen::default();
        assert_eq!(effective(&config, &chosen).name, "Stube");
        assert!(effective(&config, &chosen).guests);
        chosen.name = Some("Kirchengemeinde".to_owned());
        chosen.guests = Some(false);
        assert_eq!(effective(&config, &chosen).name, "Kirchengemeinde");
        assert!(!effective(&config, &chosen).guests);
        config.house.name = Some("Verein".to_owned());
        config.policy.guests = Some(true);
        assert_eq!(effective(&config, &chosen).name, "Verein");
        assert!(effective(&config, &chosen).guests);
    }
}
