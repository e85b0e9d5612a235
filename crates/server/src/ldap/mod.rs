//! People from an LDAP directory or Active Directory: kept in step, and signed in by binding as them.
//!
//! The directory is asked, never written. A directory that is down stops nothing and locks nobody.

mod client;
pub mod commands;
mod entry;
mod sync;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use identity::sync::Authority;
use protocol::ErrorCode;
use protocol::http::PersonSource;
use protocol::http::admin::LdapStatus;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::chance;
use crate::config::outside;
use crate::http::error::{ApiError, ApiResult};
use crate::sign_ins;
use crate::store::users::Account;
use crate::store::{imports, users};
use client::Address;
use entry::{Memberships, Record};

/// When to come again after the directory did not answer.
const SOON: Duration = Duration::from_secs(5);

/// The directory of this house.
pub struct Ldap {
    address: Address,
    status: Mutex<LdapStatus>,
    /// One run at a time.
    running: tokio::sync::Mutex<()>,
}

impl Ldap {
    /// Absent where none is set. Says nothing to the directory yet.
    pub fn new(settings: &outside::Ldap) -> anyhow::Result<Option<Self>> {
        let Some(url) = settings.url.clone() else {
            return Ok(None);
        };
        let address = Address::new(settings, url)?;
        let status = LdapStatus {
            url: address.url().to_owned(),
            last_run_ms: None,
            people: 0,
            created: 0,
            updated: 0,
            removed: 0,
            problem: None,
        };
        Ok(Some(Self {
            address,
            status: Mutex::new(status),
            running: tokio::sync::Mutex::default(),
        }))
    }

    pub fn status(&self) -> LdapStatus {
        let status = self.status.lock();
        status.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn settings(&self) -> &outside::Ldap {
        &self.address.settings
    }
}

/// Runs once at the start and then as often as the settings say, until it is aborted.
pub async fn keep_in_step(app: std::sync::Arc<App>) {
    let Some(ldap) = &app.ldap else {
        return;
    };
    let minutes = ldap.settings().sync_minutes.max(1);
    let mut clock = interval(Duration::from_secs(60 * u64::from(minutes)));
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        run(&app, ldap, false).await;
    }
}

/// One run. `remove_many`: who is missing is meant to be, however many they are.
pub async fn run(app: &App, ldap: &Ldap, remove_many: bool) -> LdapStatus {
    for session in ldap.sync(&app.db, remove_many).await {
        sign_ins::close(app, &session).await;
    }
    ldap.status()
}

/// Whose name and password these are, if they are right there. `account`: who has the username here.
///
/// Whether anybody there is called so or not, the directory is asked twice, and once as somebody: how long it takes tells
/// as much about names as the directory itself would. Accounts of the house take the same way; their own password was
/// looked at before. An account that comes from elsewhere is never the directory's, whatever its username.
pub async fn check(
    app: &App,
    account: Option<&Account>,
    username: &str,
    password: &str,
) -> ApiResult<Option<Account>> {
    let Some(ldap) = &app.ldap else {
        return Ok(None);
    };
    let record = ldap.checked(username, password).await.map_err(|error| {
        tracing::warn!(
            error = format!("{error:#}"),
            "the directory cannot check a password"
        );
        ApiError::retry(ErrorCode::Unavailable, SOON)
    })?;
    let foreign = account.is_some_and(|account| account.source != PersonSource::Ldap);
    match record {
        Some(record) if !foreign => ldap.welcome(app, record).await,
        _ => Ok(None),
    }
}

impl Ldap {
    async fn checked(&self, username: &str, password: &str) -> anyhow::Result<Option<Record>> {
        if username.is_empty() || password.is_empty() {
            return Ok(None);
        }
        let mut connection = self.address.open().await?;
        let record = connection.find(username).await?;
        connection.close().await;
        let nobody = || format!("cn={},{}", chance::id(), self.settings().base_dn);
        let dn = record
            .as_ref()
            .map_or_else(nobody, |record| record.dn.clone());
        let right = self.address.is_password(&dn, password).await?;
        Ok(record.filter(|_| right))
    }

    /// The account of somebody who has just proved to be this person; made now, if no run was faster.
    async fn welcome(&self, app: &App, record: Record) -> ApiResult<Option<Account>> {
        let found = imports::by_subject(&app.db, &record.id).await?;
        if let Some((account, false)) = found {
            return Ok(Some(account));
        }
        let made = self.admit(app, record.clone()).await.map_err(|error| {
            tracing::warn!(
                error = format!("{error:#}"),
                "somebody of the directory cannot get an account"
            );
            ApiError::retry(ErrorCode::Unavailable, SOON)
        })?;
        if let Some(trouble) = made {
            tracing::warn!(?trouble, "somebody of the directory cannot get an account");
        }
        let found = imports::by_subject(&app.db, &record.id).await?;
        Ok(match found {
            Some((account, _)) => users::by_id(&app.db, &account.id).await?,
            None => None,
        })
    }

    async fn admit(
        &self,
        app: &App,
        record: Record,
    ) -> anyhow::Result<Option<identity::sync::Trouble>> {
        let mut connection = self.address.open().await?;
        let groups = connection.groups_of(&record).await?;
        connection.close().await;
        let memberships = Memberships::new(&groups);
        let outcome = self
            .carry_out(&app.db, Authority::Partial, &[record], &memberships, false)
            .await?;
        Ok(outcome.problems.first().map(|problem| problem.what))
    }
}
