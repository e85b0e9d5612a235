//! What every request handler can reach. Wiring only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;

use crate::config::Config;
use crate::directory::Searches;
use crate::http::caller::Proxies;
use crate::http::gate::Gate;
use crate::ldap::Ldap;
use crate::links::Asks;
use crate::mail::Mailer;
use crate::meetings::post::Post;
use crate::oidc::Provider;
use crate::origins::Origins;
use crate::passkeys::Passkeys;
use crate::push::Pushes;
use crate::returns::Returns;
use crate::rooms::Rooms;
use crate::run;
use crate::sealing::Sealer;
use crate::second_factor::Waiting;
use crate::settings::Settings;
use crate::sso::Sso;
use crate::store::Db;
use crate::tickets::Tickets;
use crate::version::Version;
use crate::web;

pub struct App {
    pub config: Config,
    /// What can change while the house runs.
    pub settings: Settings,
    pub origins: Origins,
    pub proxies: Proxies,
    pub db: Db,
    pub sealer: Arc<Sealer>,
    pub tickets: Tickets,
    pub returns: Returns,
    pub rooms: Rooms,
    /// Waking browsers.
    pub pushes: Pushes,
    /// Passwords and links tried too often, and how many passwords may be checked at once.
    pub gate: Gate,
    /// Of the directory.
    pub searches: Searches,
    /// Letters of the house.
    pub mail: Mailer,
    /// How many letters people may send by it.
    pub post: Post,
    /// Passwords that are said to be lost.
    pub asks: Asks,
    /// Sign-ins that wait for a code.
    pub waiting: Waiting,
    /// Absent where the house has no host name.
    pub passkeys: Option<Passkeys>,
    /// For other applications of the house.
    pub provider: Provider,
    /// The directory of people outside, if there is one.
    pub ldap: Option<Ldap>,
    /// Other providers, that sign people in here.
    pub sso: Sso,
    pub readiness: Readiness,
}

impl App {
    pub fn new(
        config: Config,
        settings: Settings,
        origins: Origins,
        db: Db,
        rooms: Rooms,
        pushes: Pushes,
    ) -> anyhow::Result<Self> {
        let sealer = Arc::new(Sealer::new(&config.data_dir));
        Ok(Self {
            mail: run::mailer(&config)?,
            post: Post::default(),
            asks: Asks::default(),
            proxies: Proxies::new(&config.trusted_proxies),
            gate: Gate::new(available_parallelism().map_or(1, usize::from)),
            provider: Provider::new(sealer.clone()),
            sso: Sso::new(config.oidc.as_slice())?,
            waiting: Waiting::default(),
            passkeys: Passkeys::new(&origins),
            tickets: Tickets::default(),
            returns: Returns::default(),
            searches: Searches::default(),
            ldap: Ldap::new(&config.ldap)?,
            readiness: Readiness::default(),
            config,
            settings,
            origins,
            db,
            sealer,
            rooms,
            pushes,
        })
    }

    /// The web app that is served, and which of them have to become it.
    pub fn web(&self) -> protocol::App {
        let minimum = self.settings.get().minimum_version;
        // Nothing above what is served could be met.
        let minimum = minimum.map(|version| version.min(Version::own()));
        protocol::App {
            build: web::build(),
            minimum_version: minimum.map(|version| version.to_string()),
        }
    }
}

/// Whether new work is welcome.
#[derive(Debug, Default)]
pub struct Readiness {
    draining: AtomicBool,
    stopping: AtomicBool,
}

impl Readiness {
    /// What goes on may go on; nothing new begins.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Nobody can be served any more.
    pub fn start_stopping(&self) {
        self.start_draining();
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
