//! Planned meetings and invitations by mail, for people with an account.

use axum::Json;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use identity::RoomAddress;
use protocol::http::meetings::{
    ChangeMeeting, InviteByMail, Invited, Meetings, PlanMeeting, PlannedMeeting,
};
use protocol::{ErrorCode, MeetingId};

use super::State;
use super::caller::Member;
use super::error::ApiResult;
use super::guard::JsonBody;
use super::invites::good_invite;
use crate::meetings::post::Sent;
use crate::meetings::words::{self, RoomAbout, Way};
use crate::meetings::{self, asked};
use crate::rooms::effective;
use crate::store::meetings::{self as stored, Asked};
use crate::store::{rooms, users};
use crate::{chance, mail};

#[utoipa::path(post, path = "/meetings", tag = "meetings", request_body = PlanMeeting, security(("session" = [])),
    responses((status = 200, description = "As it was planned.", body = PlannedMeeting)))]
pub async fn plan(
    app: State,
    Member(caller): Member,
    JsonBody(body): JsonBody<PlanMeeting>,
) -> ApiResult<Json<PlannedMeeting>> {
    let planned = meetings::plan(&app, &caller.account, body).await?;
    Ok(Json(planned))
}

#[utoipa::path(get, path = "/meetings", tag = "meetings", security(("session" = [])),
    responses((status = 200, description = "Own ones and those one is asked to, the next first.", body = Meetings)))]
pub async fn list(app: State, Member(caller): Member) -> ApiResult<Json<Meetings>> {
    let now = chance::unix_ms();
    let meetings = stored::upcoming_for(&app.db, &caller.account.id, now).await?;
    Ok(Json(Meetings { meetings }))
}

#[utoipa::path(get, path = "/meetings/{id}", tag = "meetings", params(("id" = String, Path)), security(("session" = [])),
    responses((status = 200, description = "For who planned it and who is asked to it.", body = PlannedMeeting)))]
pub async fn read(
    app: State,
    Member(caller): Member,
    Path(id): Path<String>,
) -> ApiResult<Json<PlannedMeeting>> {
    let id = MeetingId::from(id);
    let planned = meetings::read(&app, &caller.account, &id).await?;
    Ok(Json(planned))
}

#[utoipa::path(patch, path = "/meetings/{id}", tag = "meetings", params(("id" = String, Path)), request_body = ChangeMeeting, security(("session" = [])),
    responses((status = 200, description = "As it is now.", body = PlannedMeeting)))]
pub async fn change(
    app: State,
    Member(caller): Member,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<ChangeMeeting>,
) -> ApiResult<Json<PlannedMeeting>> {
    let id = MeetingId::from(id);
    let planned = meetings::change(&app, &caller.account, &id, body).await?;
    Ok(Json(planned))
}

#[utoipa::path(delete, path = "/meetings/{id}", tag = "meetings", params(("id" = String, Path)), security(("session" = [])),
    responses((status = 200, description = "Cancelled.", body = PlannedMeeting)))]
pub async fn cancel(
    app: State,
    Member(caller): Member,
    Path(id): Path<String>,
) -> ApiResult<Json<PlannedMeeting>> {
    let id = MeetingId::from(id);
    let planned = meetings::cancel(&app, &caller.account, &id).await?;
    Ok(Json(planned))
}

#[utoipa::path(get, path = "/meetings/{id}/calendar.ics", tag = "meetings", params(("id" = String, Path)), security(("session" = [])),
    responses((status = 200, description = "The meeting for calendars.", content_type = "text/calendar")))]
pub async fn calendar(
    app: State,
    Member(caller): Member,
    Path(id): Path<String>,
) -> ApiResult<Response> {
    let id = MeetingId::from(id);
    let text = meetings::file(&app, &caller.account, &id).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"meeting.ics\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text).into_response())
}

#[utoipa::path(post, path = "/invitations", tag = "meetings", request_body = InviteByMail, security(("session" = [])),
    responses((status = 200, description = "How many letters went out.", body = Invited)))]
pub async fn invite(
    app: State,
    Member(caller): Member,
    JsonBody(body): JsonBody<InviteByMail>,
) -> ApiResult<Json<Invited>> {
    if !app.mail.is_there() {
        return Err(ErrorCode::Forbidden.into());
    }
    let by = &caller.account;
    let address = RoomAddress::parse(&body.room)?;
    let room = rooms::by_name(&app.db, &address.name).await?;
    let room = room.ok_or(ErrorCode::NotFound)?;
    let (link, way) = match &body.invite {
        Some(token) => {
            let invite = good_invite(&app, token).await?;
            if invite.room_id != room.id {
                return Err(ErrorCode::LinkInvalid.into());
            }
            let link = format!("{}/join#{token}", app.origins.base());
            (link, Way::Invited(invite.expires))
        }
        None => {
            let access = effective(room.access, app.settings.get().welcome());
            (app.origins.room(&room.name, access), access.into())
        }
    };
    let people = asked::resolve(&app, by, &body.people, &body.mails).await?;
    app.post.begin(&app, &by.id, people.len())?;
    let mut sent = Sent::default();
    for person in &people {
        let letter = words::room_letter(&RoomAbout {
            house: &app.settings.get().name,
            by: &by.name,
            room: &room.name,
            link: &link,
            way,
            language: body.language,
        });
        let letter = mail::letters::Letter {
            reply_to: by
                .mail
                .as_deref()
                .and_then(|mail| identity::Mail::parse(mail).ok()),
            ..letter
        };
        let to = match person {
            Asked::Person(user) => users::by_id(&app.db, user)
                .await?
                .and_then(|user| user.mail),
            Asked::Mail(mail) => Some(mail.as_str().to_owned()),
        };
        sent += app.post.send(&app, letter, to.as_deref());
    }
    tracing::info!(room = %room.id, user = %by.id, letters = sent.mailed, "people were invited by mail");
    Ok(Json(Invited {
        mailed: sent.mailed,
        not_mailed: sent.not_mailed,
    }))
}
