//! From a sign-in at a provider to an account: found, made or refused as `identity::outside::account` decides, and brought
//! up to what the provider tells.

use axum::body::Bytes;
use identity::outside::Profile;
use identity::outside::account::{
    Changes, Decision, KeptBy, Known, Refused, Situation, decide, usernames,
};
use identity::outside::picture::{Picture, may_be_fetched};
use protocol::UserId;
use protocol::http::PersonSource;
use reqwest::Client;
use url::Url;

use super::fetch;
use super::provider::Outside;
use crate::app::App;
use crate::chance;
use crate::http::error::{ApiError, ApiResult};
use crate::images::{self, Purpose};
use crate::store::identities::{self, Subject};
use crate::store::users::{self, Account, Change, Changed, NewAccount};
use crate::store::{Db, StoreError, groups, images as pictures};

/// Somebody else may take the same name, or the same person may come in twice, while this one comes in.
const TRIES: usize = 3;

pub async fn account(
    app: &App,
    outside: &Outside,
    subject: &Subject<'_>,
    profile: &Profile,
) -> ApiResult<Result<Account, Refused>> {
    for _ in 0..TRIES {
        let (account, keeps_profile) = match decision(app, outside, subject, profile).await? {
            Decision::Refuse(refused) => return Ok(Err(refused)),
            Decision::Create { admin } => match create(app, subject, profile, admin).await? {
                Some(account) => (account, true),
                None => continue,
            },
            Decision::Enter {
                account,
                link,
                changes,
            } => {
                let id = UserId::from(account);
                if link {
                    identities::link(&app.db, &id, subject, chance::unix_ms()).await?;
                    tracing::info!(user = %id, provider = outside.id, "linked");
                }
                match update(app, &id, profile, changes).await? {
                    Some(account) => (account, changes.profile),
                    None => continue,
                }
            }
        };
        let (id, source) = (&account.id, PersonSource::Provider);
        let now = chance::unix_ms();
        groups::set_groups_of(&app.db, id, source, &profile.groups, now).await?;
        if keeps_profile {
            picture(app, outside, &account, profile).await?;
        }
        return Ok(Ok(account));
    }
    Err(ApiError::internal(
        &"an account is made and unmade all the time",
    ))
}

async fn decision(
    app: &App,
    outside: &Outside,
    subject: &Subject<'_>,
    profile: &Profile,
) -> ApiResult<Decision> {
    let db = &app.db;
    let linked = identities::account(db, subject).await?.map(known);
    let (mut same_mail, mut same_id) = (Vec::new(), None);
    if linked.is_none() {
        if let Some(mail) = &profile.mail {
            same_mail = identities::new_with_mail(db, mail, subject.issuer).await?;
        }
        if app.sso.is_only() {
            same_id = identities::new_with_external_id(db, subject).await?;
        }
    }
    let same_mail: Vec<_> = same_mail.into_iter().map(known).collect();
    let same_id = same_id.map(known);
    Ok(decide(&Situation {
        profile,
        linked: linked.as_ref(),
        same_mail: &same_mail,
        same_id: same_id.as_ref(),
        admin_group: outside.admin_group.as_ref(),
        without_administrator: linked.is_none() && !users::any_administrator(db).await?,
    }))
}

fn known(account: Account) -> Known {
    Known {
        id: account.id.0,
        locked: account.locked,
        admin: account.admin,
        kept_by: match account.source {
            PersonSource::House => KeptBy::House,
            PersonSource::Ldap => KeptBy::Ldap,
            PersonSource::Scim => KeptBy::Scim,
            PersonSource::Provider => KeptBy::Provider,
        },
    }
}

/// `None`: the same person has come in meanwhile.
async fn create(
    app: &App,
    subject: &Subject<'_>,
    profile: &Profile,
    admin: bool,
) -> ApiResult<Option<Account>> {
    for username in usernames(&profile.username, u32::from_be_bytes(chance::bytes())) {
        let new = NewAccount {
            id: chance::id().into(),
            username,
            name: profile.name.clone(),
            mail: profile.mail.clone(),
            admin,
            password: None,
            source: PersonSource::Provider,
            created: chance::unix_ms(),
        };
        match identities::create(&app.db, &new, subject).await {
            Ok(account) => {
                tracing::info!(user = %account.id, "an account was made by a sign-in");
                return Ok(Some(account));
            }
            Err(StoreError::Taken) => {}
            Err(error) => return Err(error.into()),
        }
        if identities::account(&app.db, subject).await?.is_some() {
            return Ok(None);
        }
    }
    Err(ApiError::internal(&"all usernames like this one are taken"))
}

/// `None`: the account is gone.
async fn update(
    app: &App,
    id: &UserId,
    profile: &Profile,
    changes: Changes,
) -> ApiResult<Option<Account>> {
    let change = |admin| {
        let mut change = Change {
            admin,
            ..Change::default()
        };
        if changes.profile {
            change.name = Some(profile.name.clone());
            change.mail = Some(profile.mail.clone());
        }
        change
    };
    let mut changed = users::change(&app.db, id, &change(changes.admin)).await?;
    if changed == Changed::LastAdministrator {
        tracing::warn!(user = %id, "stays an administrator, against the provider: there is no other");
        changed = users::change(&app.db, id, &change(None)).await?;
    }
    match changed {
        Changed::Done(account) => Ok(Some(account)),
        Changed::Nobody | Changed::LastAdministrator => Ok(None),
    }
}

/// A picture at an address is fetched while the person goes on.
async fn picture(
    app: &App,
    outside: &Outside,
    account: &Account,
    profile: &Profile,
) -> ApiResult<()> {
    match &profile.picture {
        None if account.picture.is_none() => {}
        None => pictures::set_picture(&app.db, &account.id, None).await?,
        Some(Picture::Bytes(bytes)) => {
            let bytes = Bytes::from(bytes.clone());
            take_picture(&app.db, account, bytes).await?;
        }
        Some(Picture::Address(address)) if may_be_fetched(address, &outside.issuer) => {
            let (db, http) = (app.db.clone(), outside.http.clone());
            let (account, address) = (account.clone(), address.clone());
            tokio::spawn(async move {
                if let Err(error) = fetch_picture(&db, &http, &account, address).await {
                    tracing::info!(user = %account.id, "no picture: {error:#}");
                }
            });
        }
        Some(Picture::Address(_)) => {
            tracing::debug!(user = %account.id, "the picture lies elsewhere and is not fetched");
        }
    }
    Ok(())
}

async fn fetch_picture(
    db: &Db,
    http: &Client,
    account: &Account,
    address: Url,
) -> anyhow::Result<()> {
    let image = fetch::found(http.get(address), images::MOST_BYTES).await?;
    take_picture(db, account, image.bytes.into()).await?;
    Ok(())
}

/// What is no image leaves the one that is there.
async fn take_picture(db: &Db, account: &Account, bytes: Bytes) -> Result<(), StoreError> {
    match images::prepare(bytes, Purpose::Person).await {
        Ok(image) if account.picture.as_ref() == Some(&image.version) => Ok(()),
        Ok(image) => pictures::set_picture(db, &account.id, Some(&image)).await,
        Err(error) => {
            tracing::info!(user = %account.id, %error, "the provider's picture is not taken");
            Ok(())
        }
    }
}
