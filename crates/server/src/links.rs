//! Links to accounts: made, written down as hashes, sent, and used. Who may have one says `identity::link`; who may make
//! one is asked before.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use identity::link::{self, Invite, Owner};
use identity::throttle::{Network, Quota};
use identity::{Mail, Secret, UnixMs, Username};
use protocol::http::PersonSource;
use protocol::http::admin::NewLink;
use protocol::{ErrorCode, UserId};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::audit::{self, Actor};
use crate::chance;
use crate::http::Shared;
use crate::http::error::{ApiError, ApiResult};
use crate::mail::letters::{self, Letter};
use crate::store::users::{self, Account};
use crate::store::{self, Db, links};

/// Questions after a lost password from one network at once, and then how often.
const ASKS: u32 = 5;
const ASKS_EVERY: Duration = Duration::from_secs(60);
/// Links that one person may have asked for and not used; more letters than that help nobody.
const ASKED: u64 = 3;
/// Questions that are looked into at the same time; more than that is a flood.
const AT_ONCE: usize = 32;

/// What stands between a mail server and somebody who asks and asks.
pub struct Asks {
    quota: Mutex<Quota>,
    places: Arc<Semaphore>,
}

impl Default for Asks {
    fn default() -> Self {
        Self {
            quota: Mutex::new(Quota::new(ASKS, ASKS_EVERY)),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

/// A link as it is handed out; nobody can read it again.
pub struct Made {
    pub id: String,
    pub url: String,
    pub created: UnixMs,
    pub expires: UnixMs,
}

impl Made {
    fn new(base: &str, page: &str, life_ms: u64) -> Result<(Self, Secret), link::LinkError> {
        let (secret, created) = (chance::secret(), chance::unix_ms());
        let made = Self {
            id: chance::id(),
            url: format!("{base}/{page}#{}", secret.expose()),
            created,
            expires: link::expires(created, life_ms)?,
        };
        Ok((made, secret))
    }

    fn row<'a>(&'a self, secret: &Secret, made_by: Option<&'a UserId>) -> links::NewLink<'a> {
        links::NewLink {
            id: &self.id,
            secret: secret.hash(),
            made_by,
            created: self.created,
            expires: self.expires,
        }
    }

    pub fn link(&self) -> letters::Link<'_> {
        letters::Link {
            url: &self.url,
            now: self.created,
            expires: self.expires,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error(transparent)]
    Link(#[from] link::LinkError),
    #[error("there is no group {0}")]
    NoGroup(String),
    #[error("somebody else keeps this password: it cannot be changed here")]
    PasswordElsewhere,
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Link(_) => ErrorCode::Malformed.into(),
            Problem::NoGroup(_) => ErrorCode::NotFound.into(),
            Problem::PasswordElsewhere => ErrorCode::ManagedElsewhere.into(),
            Problem::Store(error) => error.into(),
        }
    }
}

/// A link that makes accounts.
pub async fn invite(
    db: &Db,
    base: &str,
    actor: &Actor,
    invite: &Invite,
    life_ms: u64,
) -> Result<Made, Problem> {
    invite.check()?;
    for group in &invite.groups {
        let key = identity::GroupName::parse(group).map(|name| name.key().to_owned());
        let there = match key {
            Ok(key) => store::groups::by_key(db, &key).await?.is_some(),
            Err(_) => false,
        };
        if !there {
            return Err(Problem::NoGroup(group.clone()));
        }
    }
    let (made, secret) = Made::new(base, "invite", life_ms)?;
    links::create_invite(db, &made.row(&secret, actor.user()), invite).await?;
    let details = format!("uses: {}, admin: {}", invite.uses, invite.admin);
    let subject = format!("invite:{}", made.id);
    audit::record(db, actor, "invite.created", &subject, &details).await?;
    Ok(made)
}

/// Why somebody who has an account gets a link to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The account is new and has no password yet.
    Welcome,
    Recovery,
}

impl Occasion {
    fn life_ms(self) -> u64 {
        match self {
            Self::Welcome => link::WELCOME_LIFE_MS,
            Self::Recovery => link::RECOVERY_LIFE_MS,
        }
    }

    pub fn letter(self, house: &str, username: &str, made: &Made) -> Letter {
        match self {
            Self::Welcome => letters::invite(house, &made.link()),
            Self::Recovery => letters::recovery(house, username, &made.link()),
        }
    }
}

/// A link that gives an account a password.
pub async fn for_person(
    db: &Db,
    base: &str,
    actor: &Actor,
    account: &Account,
    occasion: Occasion,
) -> Result<Made, Problem> {
    if !owner(account, false).may_get_link() {
        return Err(Problem::PasswordElsewhere);
    }
    let (made, secret) = Made::new(base, "recover", occasion.life_ms())?;
    links::create_recovery(db, &made.row(&secret, actor.user()), &account.id).await?;
    let subject = format!("user:{}", account.id);
    audit::record(db, actor, "person.link_created", &subject, "").await?;
    Ok(made)
}

/// The same from a running house, by mail too if that is wished and possible.
pub async fn create_for_person(
    app: &App,
    actor: &Actor,
    account: &Account,
    occasion: Occasion,
    send_mail: bool,
) -> ApiResult<NewLink> {
    let made = for_person(&app.db, app.origins.base(), actor, account, occasion).await?;
    let to = account.mail.as_deref().filter(|_| send_mail);
    let letter = occasion.letter(&app.settings.get().name, &account.username, &made);
    Ok(hand_out(app, made, letter, to))
}

/// Puts a link that was made into an answer, and into the mail if there is an address.
pub fn hand_out(app: &App, made: Made, letter: Letter, to: Option<&str>) -> NewLink {
    let to = to.and_then(|to| Mail::parse(to).ok());
    NewLink {
        mailed: to.is_some_and(|to| app.mail.post(letter, &to)),
        url: made.url,
        expires_ms: made.expires,
    }
}

/// Somebody asks for a link to an account that may or may not be there; looked into when they have their answer already.
pub fn ask(app: &Shared, from: Network, who: String) -> ApiResult<()> {
    let taken = app
        .asks
        .quota
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take(Instant::now(), from);
    taken.map_err(|wait| ApiError::retry(ErrorCode::RateLimited, wait))?;
    let Ok(place) = app.asks.places.clone().try_acquire_owned() else {
        return Ok(());
    };
    let app = app.clone();
    tokio::spawn(async move {
        if let Err(error) = answer(&app, &who).await {
            tracing::warn!(%error, "somebody who asked for a new password gets none");
        }
        drop(place);
    });
    Ok(())
}

async fn answer(app: &App, who: &str) -> Result<(), Problem> {
    for (account, has_password) in asked_for(&app.db, who).await? {
        let Some(to) = account.mail.as_deref().and_then(|to| Mail::parse(to).ok()) else {
            continue;
        };
        let since = chance::unix_ms().saturating_sub(link::ASKED_LIFE_MS);
        let asked = links::asked_since(&app.db, &account.id, since).await?;
        if !owner(&account, has_password).may_ask() || asked >= ASKED {
            tracing::info!(user = %account.id, "no link for somebody who asked");
            continue;
        }
        let (made, secret) = Made::new(app.origins.base(), "recover", link::ASKED_LIFE_MS)?;
        links::create_recovery(&app.db, &made.row(&secret, None), &account.id).await?;
        let subject = format!("user:{}", account.id);
        audit::record(&app.db, &Actor::House, "person.link_asked", &subject, "").await?;
        let house = &app.settings.get().name;
        let letter = Occasion::Recovery.letter(house, &account.username, &made);
        app.mail.post(letter, &to);
    }
    Ok(())
}

/// Whom a username or a mail address means; two people may share an address.
async fn asked_for(db: &Db, who: &str) -> store::Result<Vec<(Account, bool)>> {
    let mut found = Vec::new();
    if let Ok(name) = Username::parse(who) {
        found.extend(users::by_username(db, name.key()).await?);
    }
    if found.is_empty()
        && let Ok(mail) = Mail::parse(who)
    {
        found = users::by_mail(db, mail.key()).await?;
    }
    let with_password = |(account, hash): (Account, Option<_>)| (account, hash.is_some());
    Ok(found.into_iter().map(with_password).collect())
}

fn owner(account: &Account, has_password: bool) -> Owner {
    Owner {
        locked: account.locked,
        password_elsewhere: account.source == PersonSource::Ldap,
        of_the_house: account.source == PersonSource::House,
        has_password,
    }
}
