//! Links to accounts as their holders meet them: opened, accepted, and asked for when a password is lost.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use identity::{DisplayName, NewPassword, PasswordHash, Secret, SecretHash, Username};
use protocol::ErrorCode;
use protocol::http::entry::{AcceptLink, AccountLink, AskForRecovery, OpenLink};
use protocol::http::{PersonSource, SignInMethod, SignInStep};

use super::State;
use super::caller::{Caller, From};
use super::error::{ApiError, ApiResult};
use super::guard::JsonBody;
use crate::app::App;
use crate::audit::{self, Actor};
use crate::chance;
use crate::links as house_links;
use crate::sign_ins::{self, How};
use crate::store::links::{self, Behind};
use crate::store::users::{self, Account, NewAccount};

fn invalid() -> ApiError {
    ErrorCode::LinkInvalid.into()
}

/// Where only outside providers say who somebody is, no link is a way in, however long ago it was made.
async fn behind(app: &App, secret: SecretHash) -> ApiResult<Behind> {
    if !app.settings.get().local_sign_in {
        return Err(invalid());
    }
    let behind = links::open(&app.db, secret, chance::unix_ms()).await?;
    behind.ok_or_else(invalid)
}

#[utoipa::path(post, path = "/links/open", tag = "sign-in", security(()), request_body = OpenLink,
    responses((status = 200, description = "What is behind the link.", body = AccountLink)))]
pub async fn open(
    app: State,
    From(from): From,
    JsonBody(body): JsonBody<OpenLink>,
) -> ApiResult<Json<AccountLink>> {
    app.gate.guest(from)?;
    let secret = Secret::parse(&body.token).ok_or_else(invalid)?;
    let behind = behind(&app, secret.hash()).await?;
    Ok(Json(match behind {
        Behind::Invite { name, username } => AccountLink::Invite { name, username },
        Behind::Recovery(account) => AccountLink::Recovery {
            name: account.name,
            username: account.username,
        },
    }))
}

#[utoipa::path(post, path = "/links/accept", tag = "sign-in", security(()), request_body = AcceptLink,
    responses((status = 200, description = "The account is there, or has its new password.", body = SignInStep)))]
pub async fn accept(
    app: State,
    Caller(before): Caller,
    From(from): From,
    headers: HeaderMap,
    JsonBody(body): JsonBody<AcceptLink>,
) -> ApiResult<Response> {
    app.gate.guest(from)?;
    let secret = Secret::parse(&body.token).ok_or_else(invalid)?.hash();
    // Nobody without a link makes us hash a password.
    let account = match behind(&app, secret).await? {
        Behind::Invite { name, username } => {
            let username = Username::parse(body.username.as_deref().unwrap_or(&username))?;
            let name = DisplayName::parse(body.name.as_deref().unwrap_or(&name))?;
            make_account(&app, secret, username, name, &body.password).await?
        }
        Behind::Recovery(account) => recover(&app, secret, account, &body.password).await?,
    };
    let how = How::here(SignInMethod::Link, &headers);
    sign_ins::next_step(&app, &account, how, before).await
}

async fn make_account(
    app: &App,
    secret: SecretHash,
    username: Username,
    name: DisplayName,
    password: &str,
) -> ApiResult<Account> {
    // Asked before the password is hashed; asked again when it is written.
    if users::by_username(&app.db, username.key()).await?.is_some() {
        return Err(ErrorCode::NameTaken.into());
    }
    let names = [username.as_str(), name.as_str()];
    let password = hash(app, password, names).await?;
    let new = NewAccount {
        id: chance::id().into(),
        username,
        name,
        // Mail, groups and all that is the inviter's to say stands in the link.
        mail: None,
        admin: false,
        password: Some(password),
        source: PersonSource::House,
        created: chance::unix_ms(),
    };
    let made = links::accept_invite(&app.db, secret, new).await?;
    let (account, invite) = made.ok_or_else(invalid)?;
    let actor = Actor::Person(account.id.clone());
    let (subject, details) = (format!("user:{}", account.id), format!("invite: {invite}"));
    audit::record(&app.db, &actor, "person.created", &subject, &details).await?;
    Ok(account)
}

/// Second factors stay: whoever reads somebody's mail has not got their phone.
async fn recover(
    app: &App,
    secret: SecretHash,
    account: Account,
    password: &str,
) -> ApiResult<Account> {
    let password = hash(app, password, [&account.username, &account.name]).await?;
    let (mark, now) = (chance::id(), chance::unix_ms());
    let done = links::recover(&app.db, secret, &password, &mark, now).await?;
    let (user, ended) = done.ok_or_else(invalid)?;
    for session in &ended {
        sign_ins::close(app, session).await;
    }
    let subject = format!("user:{user}");
    audit::record(
        &app.db,
        &Actor::Person(user),
        "person.recovered",
        &subject,
        "",
    )
    .await?;
    Ok(account)
}

async fn hash(app: &App, password: &str, names: [&str; 2]) -> ApiResult<PasswordHash> {
    let house = app.settings.get();
    let [username, name] = names;
    let password = NewPassword::parse(password, &[&house.name, username, name])?;
    app.gate.hash(password).await
}

#[utoipa::path(post, path = "/recovery", tag = "sign-in", security(()), request_body = AskForRecovery,
    responses((status = 202, description = "If there is such a person with a mail address, they get a link.")))]
pub async fn ask(
    app: State,
    From(from): From,
    JsonBody(body): JsonBody<AskForRecovery>,
) -> ApiResult<StatusCode> {
    if !app.mail.is_there() || !app.settings.get().local_sign_in {
        return Err(ErrorCode::NotFound.into());
    }
    house_links::ask(&app, from, body.who)?;
    Ok(StatusCode::ACCEPTED)
}
