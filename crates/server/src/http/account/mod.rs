//! One's own account under `/api/v1/account`: what a person sees and changes about themselves.
//!
//! What a sign-in depends on asks for the password again and is written to the audit log.

mod factors;
pub mod passkeys;

use axum::Json;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use identity::throttle::Network;
use identity::{DisplayName, Mail, NewPassword, Username};
use protocol::ErrorCode;
use protocol::http::account::{ChangeAccount, ChangePassword};
use protocol::http::{Account, PersonSource};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{From, Member, SignedIn};
use super::error::ApiResult;
use super::guard::JsonBody;
use super::{Shared, State};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::images::{self, MOST_BYTES, Purpose};
use crate::store::users::{self, Change, Changed};
use crate::store::{
    groups, identities, images as pictures, passkeys as stored_passkeys, passwords, totp,
};
use crate::{chance, sign_ins};

pub fn routes() -> OpenApiRouter<Shared> {
    let picture = OpenApiRouter::default()
        .routes(routes!(set_picture, remove_picture))
        // One more than is taken, so that it is an image that is too large and not a broken connection.
        .layer(DefaultBodyLimit::max(MOST_BYTES + 1));
    OpenApiRouter::default()
        .routes(routes!(read, change))
        .routes(routes!(change_password))
        .routes(routes!(factors::begin_totp))
        .routes(routes!(factors::confirm_totp))
        .routes(routes!(factors::remove_totp))
        .routes(routes!(passkeys::start))
        .routes(routes!(passkeys::finish))
        .routes(routes!(passkeys::remove))
        .merge(picture)
}

#[utoipa::path(get, path = "", tag = "account", responses((status = 200, description = "As it is now.", body = Account)))]
pub async fn read(app: State, Member(member): Member) -> ApiResult<Json<Account>> {
    shown(&app, member.account).await.map(Json)
}

async fn shown(app: &App, account: users::Account) -> ApiResult<Account> {
    let (db, id) = (&app.db, &account.id);
    let password = passwords::of(db, id).await?;
    let totp = totp::of(db, id, true).await?.is_some();
    let codes = totp::backup_codes(db, id).await?.len();
    let passkeys = stored_passkeys::of(db, id).await?;
    let issuers = identities::issuers_of(db, id).await?;
    let providers = issuers.iter().filter_map(|issuer| app.sso.name_of(issuer));
    Ok(Account {
        groups: groups::names_of(db, id).await?,
        password_changed_ms: password.map(|password| password.changed),
        totp,
        backup_codes: u32::try_from(codes).ok().filter(|_| totp),
        passkeys: passkeys.into_iter().map(passkeys::shown).collect(),
        providers: providers.map(str::to_owned).collect(),
        id: account.id,
        username: account.username,
        name: account.name,
        mail: account.mail,
        admin: account.admin,
        picture: account.picture,
        source: account.source,
    })
}

#[utoipa::path(patch, path = "", tag = "account", request_body = ChangeAccount,
    responses((status = 200, description = "As it is now.", body = Account)))]
pub async fn change(
    app: State,
    Member(member): Member,
    From(from): From,
    JsonBody(body): JsonBody<ChangeAccount>,
) -> ApiResult<Json<Account>> {
    own_house(&member)?;
    let name = body.name.as_deref().map(DisplayName::parse).transpose()?;
    let mail = match body.mail.as_deref() {
        None => None,
        Some("") => Some(None),
        Some(text) => Some(Some(Mail::parse(text)?)),
    };
    let before = member.account.mail.as_deref();
    let other = |mail: &Option<Mail>| mail.as_ref().map(Mail::as_str) != before;
    if mail.as_ref().is_some_and(other) {
        same_person(&app, &member, from, body.password.unwrap_or_default()).await?;
        let actor = Actor::Person(member.account.id.clone());
        audit::record(&app.db, &actor, "mail.changed", &subject(&member), "").await?;
    }
    let change = Change {
        name,
        mail,
        ..Change::default()
    };
    match users::change(&app.db, &member.account.id, &change).await? {
        Changed::Done(account) => {
            app.rooms.house().facts_changed(&account.id);
            shown(&app, account).await.map(Json)
        }
        Changed::Nobody => Err(ErrorCode::SignInRequired.into()),
        Changed::LastAdministrator => Err(ErrorCode::LastAdmin.into()),
    }
}

#[utoipa::path(post, path = "/password", tag = "account", request_body = ChangePassword,
    responses((status = 204, description = "All other sessions have ended, and what applications were given.")))]
pub async fn change_password(
    app: State,
    Member(member): Member,
    From(from): From,
    JsonBody(body): JsonBody<ChangePassword>,
) -> ApiResult<StatusCode> {
    let account = &member.account;
    let house = app.settings.get();
    let names = [&*house.name, &*account.username, &*account.name];
    let new = NewPassword::parse(&body.new, &names)?;
    let before = passwords::of(&app.db, &account.id).await?;
    let before = before.ok_or(ErrorCode::ManagedElsewhere)?;
    same_person(&app, &member, from, body.current).await?;
    let hash = app.gate.hash(new).await?;
    let (mark, now) = (chance::id(), chance::unix_ms());
    let both = (&before.hash, &hash);
    let ended = passwords::change(&app.db, &account.id, both, &member.session, &mark, now).await?;
    // Somebody else has changed it meanwhile.
    let ended = ended.ok_or(ErrorCode::WrongCredentials)?;
    for session in ended {
        sign_ins::close(&app, &session).await;
    }
    record(&app, &member, "password.changed").await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(put, path = "/picture", tag = "account",
    request_body(content = Vec<u8>, content_type = "image/*", description = "JPEG, PNG or WebP, at most 1 MiB."),
    responses((status = 204, description = "This is the picture now.")))]
pub async fn set_picture(
    app: State,
    Member(member): Member,
    image: Bytes,
) -> ApiResult<StatusCode> {
    own_house(&member)?;
    let image = images::prepare(image, Purpose::Person).await?;
    pictures::set_picture(&app.db, &member.account.id, Some(&image)).await?;
    app.rooms.house().facts_changed(&member.account.id);
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/picture", tag = "account",
    responses((status = 204, description = "There is no picture any more.")))]
pub async fn remove_picture(app: State, Member(member): Member) -> ApiResult<StatusCode> {
    own_house(&member)?;
    pictures::set_picture(&app.db, &member.account.id, None).await?;
    app.rooms.house().facts_changed(&member.account.id);
    Ok(StatusCode::NO_CONTENT)
}

/// Name, mail and picture of others come again from where they come from.
fn own_house(member: &SignedIn) -> ApiResult<()> {
    match member.account.source {
        PersonSource::House => Ok(()),
        PersonSource::Ldap | PersonSource::Scim | PersonSource::Provider => {
            Err(ErrorCode::ManagedElsewhere.into())
        }
    }
}

/// The password, typed again; accounts without one have nothing to type.
async fn same_person(
    app: &App,
    member: &SignedIn,
    from: Network,
    password: String,
) -> ApiResult<()> {
    let Some(stored) = passwords::of(&app.db, &member.account.id).await? else {
        return Ok(());
    };
    let username = Username::parse(&member.account.username)?;
    let attempt = async {
        let right = app.gate.verify(password, Some(stored.hash)).await?;
        Ok(right.then_some(()))
    };
    let right = app.gate.tried(username.key(), from, attempt).await?;
    right.ok_or(ErrorCode::WrongCredentials.into())
}

async fn record(app: &App, member: &SignedIn, action: &'static str) -> ApiResult<()> {
    let actor = Actor::Person(member.account.id.clone());
    audit::record(&app.db, &actor, action, &subject(member), "").await?;
    Ok(())
}

fn subject(member: &SignedIn) -> String {
    format!("user:{}", member.account.id)
}
