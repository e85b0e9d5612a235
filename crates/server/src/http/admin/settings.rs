//! What the house is called, shows and allows, its logo, and the first steps of a new house.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use identity::administration::may_leave_to_providers;
use protocol::ErrorCode;
use protocol::http::admin::{ChangeSettings, Checklist, Settings, VisibilityRule};
use url::Url;

use crate::app::App;
use crate::audit;
use crate::chance;
use crate::choices::{self, Choice};
use crate::http::State;
use crate::http::administrator::Administrator;
use crate::http::error::ApiResult;
use crate::http::guard::{JsonBody, body_error};
use crate::images::{self, Purpose};
use crate::store::{images as stored_images, sessions, users};

#[utoipa::path(get, path = "/settings",
    responses((status = 200, description = "What holds, and what of it cannot be set here.", body = Settings)))]
pub async fn read(app: State, _: Administrator) -> Json<Settings> {
    Json(shown(&app))
}

#[utoipa::path(patch, path = "/settings", request_body = ChangeSettings, responses(
    (status = 200, description = "Everything that is named is changed, or nothing is.", body = Settings)))]
pub async fn change(
    app: State,
    administrator: Administrator,
    JsonBody(body): JsonBody<ChangeSettings>,
) -> ApiResult<Json<Settings>> {
    let choices = Choice::read(body)?;
    let fixed = choices::fixed(&app.config);
    if choices.iter().any(|choice| fixed.contains(&choice.key())) {
        return Err(ErrorCode::ManagedElsewhere.into());
    }
    if choices.contains(&Choice::LocalSignIn(false)) && !comes_without(&app, &administrator).await?
    {
        return Err(ErrorCode::LastAdmin.into());
    }
    if choices.is_empty() {
        return Ok(Json(shown(&app)));
    }
    let words: Vec<_> = choices.iter().map(Choice::in_words).collect();
    app.settings
        .choose(&app.db, |chosen| {
            choices.into_iter().for_each(|choice| choice.apply(chosen));
        })
        .await?;
    let words = words.join("\n");
    audit::record(
        &app.db,
        &administrator.actor,
        "settings.changed",
        "",
        &words,
    )
    .await?;
    Ok(Json(shown(&app)))
}

/// Whether whoever asks got in otherwise than by username and password, and can again.
async fn comes_without(app: &App, administrator: &Administrator) -> ApiResult<bool> {
    let came_by = match &administrator.session {
        Some(session) => sessions::issuer_of(&app.db, session).await?,
        None => None,
    };
    let issuers = app.config.oidc.as_slice().iter();
    let issuers: Vec<Url> = issuers.map(|provider| provider.issuer.clone()).collect();
    Ok(may_leave_to_providers(&issuers, came_by.as_deref()))
}

fn shown(app: &App) -> Settings {
    let holds = app.settings.get();
    let config = &app.config;
    let rules = holds.visibility.iter().map(|rule| VisibilityRule {
        group: rule.group.clone(),
        sees: rule.sees.clone(),
    });
    Settings {
        name: holds.name.clone(),
        imprint_url: holds.imprint_url.clone(),
        privacy_url: holds.privacy_url.clone(),
        logo: holds.logo.clone(),
        guests: holds.guests,
        open_house: holds.open_house,
        local_sign_in: holds.local_sign_in,
        minimum_version: holds.minimum_version.map(|version| version.to_string()),
        push: holds.push,
        history_days: holds.history_days,
        visibility: rules.collect(),
        fixed: choices::fixed(config)
            .into_iter()
            .map(str::to_owned)
            .collect(),
        mail_from: config.mail.server.as_ref().and(config.mail.from.clone()),
        providers: app.sso.listed(),
        ldap: config.ldap.url.is_some(),
    }
}

#[utoipa::path(put, path = "/logo",
    request_body(content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp")),
        description = "At most 1 MiB. It is made to fit 512 × 256."),
    responses((status = 204, description = "The logo of the house from now on.")))]
pub async fn set_logo(
    app: State,
    administrator: Administrator,
    body: Result<Bytes, BytesRejection>,
) -> ApiResult<StatusCode> {
    let image = images::prepare(body.map_err(body_error)?, Purpose::Logo).await?;
    stored_images::set_logo(&app.db, Some(&image)).await?;
    app.settings
        .choose(&app.db, |chosen| chosen.logo = Some(image.version))
        .await?;
    audit::record(&app.db, &administrator.actor, "logo.changed", "", "").await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(delete, path = "/logo", responses((status = 204, description = "There is no logo any more.")))]
pub async fn remove_logo(app: State, administrator: Administrator) -> ApiResult<StatusCode> {
    app.settings
        .choose(&app.db, |chosen| chosen.logo = None)
        .await?;
    stored_images::set_logo(&app.db, None).await?;
    audit::record(&app.db, &administrator.actor, "logo.removed", "", "").await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(get, path = "/checklist", responses((status = 200, description = "What is done.", body = Checklist)))]
pub async fn checklist(app: State, _: Administrator) -> ApiResult<Json<Checklist>> {
    let (config, chosen, holds) = (&app.config, app.settings.chosen(), app.settings.get());
    let from_elsewhere = config.ldap.url.is_some() || !config.oidc.as_slice().is_empty();
    Ok(Json(Checklist {
        dismissed: chosen.checklist_dismissed,
        name: config.house.name.is_some() || chosen.name.is_some(),
        logo: holds.logo.is_some(),
        legal_links: holds.imprint_url.is_some() && holds.privacy_url.is_some(),
        people: from_elsewhere || users::are_several(&app.db, chance::unix_ms()).await?,
        guests: config.policy.guests.is_some() || chosen.guests.is_some(),
        mail: config.mail.server.is_some(),
    }))
}

#[utoipa::path(post, path = "/checklist/dismiss", responses((status = 204, description = "Nobody is shown it any more.")))]
pub async fn dismiss_checklist(app: State, administrator: Administrator) -> ApiResult<StatusCode> {
    app.settings
        .choose(&app.db, |chosen| chosen.checklist_dismissed = true)
        .await?;
    audit::record(&app.db, &administrator.actor, "checklist.dismissed", "", "").await?;
    Ok(StatusCode::NO_CONTENT)
}
