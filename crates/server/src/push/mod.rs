//! Waking the browsers of somebody whose pages are closed, through the push services of the browsers' makers, where the
//! house allows it. Nobody waits for it: orders go into a bounded queue, and one task sees to them.
//!
//! Who is woken for what is decided in the core `house`; this knows to which browsers it has told what.

pub mod address;
mod delivery;
pub mod message;
mod vapid;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use house::Push;
use identity::UnixMs;
use identity::throttle::Quota;
use protocol::{BrowserId, CallId, UserId};
use reqwest::Client;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use url::Url;

use crate::chance;
use crate::config::Config;
use crate::sealing::Sealer;
use crate::settings::Settings;
use crate::store::push::{self, Subscription};
use crate::store::{self, Db, language};
use address::{Allowed, PublicOnly};
use delivery::Delivery;
use message::Keys;
use vapid::Vapid;

/// Orders that may wait for the task.
const QUEUE: usize = 1024;
/// Messages on their way, or waiting to be tried again; more than that is a mistake or an attack.
const DELIVERIES: usize = 2000;
/// Subscriptions that one account may make at once, and then how often: each has a name looked up.
const SUBSCRIBE_BURST: u32 = 20;
const SUBSCRIBE_EVERY: Duration = Duration::from_secs(10);
/// For how long it is known after a call's time who was told of it.
const KNOWN_AFTER: UnixMs = 60_000;
const DATABASE_PAUSE: Duration = Duration::from_secs(5);

/// Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Pushes {
    orders: mpsc::Sender<(UserId, Push)>,
    office: Arc<Office>,
}

pub struct Office {
    db: Db,
    settings: Settings,
    vapid: Vapid,
    allowed: Allowed,
    /// To public addresses only.
    public: Client,
    /// To what the settings name.
    own: Client,
    places: Arc<Semaphore>,
    quota: Mutex<Quota<UserId>>,
}

impl Pushes {
    /// `base`: the address of the house. Needs a tokio runtime.
    pub fn start(config: &Config, settings: Settings, db: Db, base: &str) -> anyhow::Result<Self> {
        let mail = config.mail.from.as_ref();
        let contact = if base.starts_with("https://") {
            Some(base.to_owned())
        } else {
            mail.map(|mail| format!("mailto:{mail}"))
        };
        let public = delivery::client()
            .https_only(true)
            .dns_resolver(PublicOnly)
            .build();
        let own = delivery::client().build();
        let office = Arc::new(Office {
            vapid: Vapid::new(Arc::new(Sealer::new(&config.data_dir)), contact),
            allowed: Allowed::new(&config.push.services),
            public: public.context("no requests to push services are possible")?,
            own: own.context("no requests to push services are possible")?,
            places: Arc::new(Semaphore::new(DELIVERIES)),
            quota: Mutex::new(Quota::new(SUBSCRIBE_BURST, SUBSCRIBE_EVERY)),
            settings,
            db,
        });
        let (orders, queue) = mpsc::channel(QUEUE);
        tokio::spawn(forget_when_off(office.db.clone(), office.settings.clone()));
        tokio::spawn(work(office.clone(), queue));
        Ok(Self { orders, office })
    }

    /// Never waits.
    pub fn send(&self, user: UserId, push: Push) {
        if self.orders.try_send((user, push)).is_err() {
            tracing::warn!("too many push messages wait; one more was thrown away");
        }
    }

    /// Messages that are on their way or wait for another try.
    pub fn running(&self) -> usize {
        DELIVERIES - self.office.places.available_permits().min(DELIVERIES)
    }

    pub fn are_on(&self) -> bool {
        self.office.settings.get().push
    }

    /// What browsers subscribe with.
    pub async fn key(&self) -> anyhow::Result<String> {
        self.office.vapid.public(&self.office.db).await
    }

    pub fn allowed(&self) -> &Allowed {
        &self.office.allowed
    }

    /// One subscription of this account; or for how long there are enough.
    pub fn take(&self, user: &UserId) -> Result<(), Duration> {
        let quota = self.office.quota.lock();
        let mut quota = quota.unwrap_or_else(PoisonError::into_inner);
        quota.take(Instant::now(), user.clone())
    }
}

impl Office {
    fn client(&self, endpoint: &Url) -> &Client {
        if self.allowed.names(endpoint) {
            &self.own
        } else {
            &self.public
        }
    }
}

/// Also what another process has turned off, and what the settings' file says at the start.
async fn forget_when_off(db: Db, settings: Settings) {
    let mut changes = settings.subscribe();
    drop(settings);
    loop {
        let on = changes.borrow_and_update().1.push;
        if !on {
            while let Err(error) = forget_all(&db).await {
                tracing::warn!(%error, "push subscriptions cannot be forgotten now");
                sleep(DATABASE_PAUSE).await;
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

async fn forget_all(db: &Db) -> store::Result<()> {
    let count = push::remove_all(db).await?;
    if count > 0 {
        tracing::info!(count, "push is off: all subscriptions were forgotten");
    }
    Ok(())
}

/// Who was told that a call rings.
struct Rung {
    until: UnixMs,
    /// What is not delivered by the end of the call is not any more.
    stop: watch::Sender<bool>,
    /// By subscription. What comes next to a browser waits for this.
    told: HashMap<String, JoinHandle<()>>,
    /// Rang by themselves.
    ringing: Vec<BrowserId>,
}

async fn work(office: Arc<Office>, mut orders: mpsc::Receiver<(UserId, Push)>) {
    let mut calls: HashMap<CallId, Rung> = HashMap::new();
    while let Some((user, push)) = orders.recv().await {
        if !office.settings.get().push {
            continue;
        }
        let subscriptions = match push::of(&office.db, &user).await {
            Ok(subscriptions) => subscriptions,
            Err(error) => {
                tracing::warn!(%error, %user, "nobody's browsers can be woken now");
                continue;
            }
        };
        let now = chance::unix_ms();
        calls.retain(|_, rung| rung.until + KNOWN_AFTER > now);
        match &push {
            Push::Ringing { call, ringing, .. } => {
                let rung = ring(&office, &push, subscriptions, ringing, now);
                calls.insert(call.clone(), rung);
            }
            Push::Over { call, missed, .. } => {
                let rung = calls.remove(call);
                end_ringing(&office, &push, subscriptions, rung, *missed, now);
            }
        }
    }
}

fn ring(
    office: &Arc<Office>,
    push: &Push,
    subscriptions: Vec<Subscription>,
    ringing: &[BrowserId],
    now: UnixMs,
) -> Rung {
    let (stop, stopped) = watch::channel(false);
    let asleep = subscriptions
        .into_iter()
        .filter(|one| !ringing.contains(&one.browser));
    let told = asleep.filter_map(|one| {
        let id = one.id.clone();
        let sent = deliver(office, push, one, stopped.clone(), None, now)?;
        Some((id, sent))
    });
    Rung {
        until: message::until(push, now),
        told: told.collect(),
        ringing: ringing.to_vec(),
        stop,
    }
}

/// A missed call is told to all browsers that have not seen it themselves; everything else to those alone that ring for it.
/// Who that is is forgotten with a restart: then it is all of them.
fn end_ringing(
    office: &Arc<Office>,
    push: &Push,
    subscriptions: Vec<Subscription>,
    mut rung: Option<Rung>,
    missed: bool,
    now: UnixMs,
) {
    let known = rung.is_some();
    if let Some(rung) = &rung {
        rung.stop.send_replace(true);
    }
    for one in subscriptions {
        let before = rung.as_mut().and_then(|rung| rung.told.remove(&one.id));
        let rang_itself = rung
            .as_ref()
            .is_some_and(|rung| rung.ringing.contains(&one.browser));
        let wanted = match before {
            Some(_) => true,
            None if missed => !rang_itself,
            None => !known,
        };
        if wanted {
            let (_, never) = watch::channel(false);
            deliver(office, push, one, never, before, now);
        }
    }
}

/// `before`: what has to be through first, so that nothing older comes after something newer.
fn deliver(
    office: &Arc<Office>,
    push: &Push,
    to: Subscription,
    stop: watch::Receiver<bool>,
    before: Option<JoinHandle<()>>,
    now: UnixMs,
) -> Option<JoinHandle<()>> {
    let text = message::text(push, language::read(&to.language));
    let written = Keys::parse(&to.p256dh, &to.auth).and_then(|keys| keys.encrypt(text));
    let (Ok(encrypted), Ok(endpoint)) = (written, office.allowed.endpoint(&to.endpoint)) else {
        tracing::warn!(
            subscription = to.id,
            "a push subscription cannot be used any more"
        );
        return None;
    };
    let Ok(place) = office.places.clone().try_acquire_owned() else {
        tracing::warn!("too many push messages are on their way; one more was thrown away");
        return None;
    };
    let delivery = Delivery {
        id: to.id,
        call: message::call_of(push).clone(),
        endpoint,
        encrypted,
        until: message::until(push, now),
        stop,
    };
    let office = office.clone();
    Some(tokio::spawn(async move {
        if let Some(before) = before {
            // However that ended.
            let _ = before.await;
        }
        delivery.run(&office).await;
        drop(place);
    }))
}

#[cfg(test)]
mod tests;
