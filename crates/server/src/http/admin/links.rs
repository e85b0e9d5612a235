//! Links that administrators hand out: invites, and new passwords for people who lost theirs. And whether mail works.

use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use identity::link::Invite;
use identity::{DisplayName, Mail, Username};
use protocol::http::admin::{
    AccountInvite, AccountInvites, CreateAccountInvite, CreateRecovery, NewLink,
};
use protocol::{ErrorCode, UserId};
use tokio::time::timeout;

use crate::audit;
use crate::chance;
use crate::http::State;
use crate::http::administrator::{Administrator, AdministratorSession};
use crate::http::error::ApiResult;
use crate::http::guard::JsonBody;
use crate::links::{self, Occasion};
use crate::mail::letters;
use crate::private::Private;
use crate::store::links::Listed;
use crate::store::{self, users};

/// How long somebody waits to hear whether mail works.
const TEST_PATIENCE: Duration = Duration::from_secs(20);

#[utoipa::path(get, path = "/invites",
    responses((status = 200, description = "Those that are good now, newest first.", body = AccountInvites)))]
pub async fn list(app: State, _: Administrator) -> ApiResult<Json<AccountInvites>> {
    let list = store::links::invites(&app.db, chance::unix_ms()).await?;
    Ok(Json(AccountInvites {
        invites: list.into_iter().map(shown).collect(),
    }))
}

fn shown(invite: Listed) -> AccountInvite {
    AccountInvite {
        id: invite.id,
        name: invite.name,
        mail: invite.mail,
        admin: invite.admin,
        groups: invite.groups,
        uses_left: invite.uses_left,
        by: invite.by.unwrap_or_default(),
        created_ms: invite.created,
        expires_ms: invite.expires,
    }
}

#[utoipa::path(post, path = "/invites", request_body = CreateAccountInvite,
    responses((status = 200, description = "The link, told this once.", body = NewLink)))]
pub async fn create(
    app: State,
    administrator: Administrator,
    JsonBody(body): JsonBody<CreateAccountInvite>,
) -> ApiResult<Json<NewLink>> {
    administrator.may_touch(body.admin)?;
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let invite = Invite {
        name: given(&body.name)
            .map(|name| DisplayName::parse(&name))
            .transpose()?,
        username: given(&body.username)
            .map(|name| Username::parse(&name))
            .transpose()?,
        mail: body.mail.as_deref().map(Mail::parse).transpose()?,
        admin: body.admin,
        groups: body.groups,
        uses: body.uses,
    };
    let (db, base) = (&app.db, app.origins.base());
    let made = links::invite(db, base, &administrator.actor, &invite, body.life_ms).await?;
    let letter = letters::invite(&app.settings.get().name, &made.link());
    let to = invite.mail.as_ref().filter(|_| body.send_mail);
    Ok(Json(links::hand_out(
        &app,
        made,
        letter,
        to.map(Mail::as_str),
    )))
}

#[utoipa::path(delete, path = "/invites/{id}", params(("id" = String, Path)),
    responses((status = 204, description = "Nobody can use it any more.")))]
pub async fn remove(
    app: State,
    administrator: Administrator,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    if !store::links::remove_invite(&app.db, &id).await? {
        return Err(ErrorCode::NotFound.into());
    }
    let subject = format!("invite:{id}");
    audit::record(
        &app.db,
        &administrator.actor,
        "invite.removed",
        &subject,
        "",
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(post, path = "/people/{id}/recovery", params(("id" = String, Path)), request_body = CreateRecovery,
    responses((status = 200, description = "The link for a new password, told this once.", body = NewLink)))]
pub async fn recovery(
    app: State,
    administrator: Administrator,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<CreateRecovery>,
) -> ApiResult<Json<NewLink>> {
    let account = users::by_id(&app.db, &UserId::from(id)).await?;
    let account = account.ok_or(ErrorCode::NotFound)?;
    administrator.may_touch(account.admin)?;
    let actor = &administrator.actor;
    let link =
        links::create_for_person(&app, actor, &account, Occasion::Recovery, body.send_mail).await?;
    Ok(Json(link))
}

#[utoipa::path(post, path = "/mail/test", security(("session" = [])),
    responses((status = 204, description = "The mail server took a letter to whoever asks.")))]
pub async fn test_mail(app: State, administrator: AdministratorSession) -> ApiResult<StatusCode> {
    let account = users::by_id(&app.db, &administrator.user).await?;
    let to = account
        .and_then(|account| account.mail)
        .and_then(|mail| Mail::parse(&mail).ok())
        .ok_or(ErrorCode::MailInvalid)?;
    let letter = letters::test(&app.settings.get().name);
    let sent = timeout(TEST_PATIENCE, app.mail.send(letter, &to)).await;
    match sent {
        Ok(Ok(())) => Ok(StatusCode::NO_CONTENT),
        Ok(Err(error)) => {
            tracing::warn!(error = %Private(error), "the mail that an administrator tried did not go out");
            Err(ErrorCode::Unavailable.into())
        }
        Err(_) => Err(ErrorCode::Unavailable.into()),
    }
}
