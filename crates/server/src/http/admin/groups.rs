//! Groups of people. What LDAP, SCIM and providers say about who is in them stays theirs.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use identity::GroupName;
use protocol::http::PersonSource;
use protocol::http::admin::{CreateGroup, Group, Groups};
use protocol::{ErrorCode, UserId};

use crate::audit;
use crate::chance;
use crate::http::State;
use crate::http::administrator::Administrator;
use crate::http::error::ApiResult;
use crate::http::guard::JsonBody;
use crate::store::groups::{self, StoredGroup};
use crate::store::users;

#[utoipa::path(get, path = "/groups", responses((status = 200, description = "All of them, by name.", body = Groups)))]
pub async fn list(app: State, _: Administrator) -> ApiResult<Json<Groups>> {
    let groups = groups::all(&app.db).await?;
    Ok(Json(Groups {
        groups: groups.into_iter().map(shown).collect(),
    }))
}

#[utoipa::path(post, path = "/groups", request_body = CreateGroup,
    responses((status = 200, description = "A new group, with nobody in it.", body = Group)))]
pub async fn create(
    app: State,
    administrator: Administrator,
    JsonBody(body): JsonBody<CreateGroup>,
) -> ApiResult<Json<Group>> {
    let name = GroupName::parse(&body.name)?;
    let group = groups::create(&app.db, &name, chance::unix_ms()).await?;
    let subject = format!("group:{}", group.id);
    audit::record(&app.db, &administrator.actor, "group.created", &subject, "").await?;
    Ok(Json(shown(group)))
}

#[utoipa::path(patch, path = "/groups/{id}", params(("id" = String, Path)), request_body = CreateGroup,
    responses((status = 200, description = "Under its new name.", body = Group)))]
pub async fn rename(
    app: State,
    administrator: Administrator,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<CreateGroup>,
) -> ApiResult<Json<Group>> {
    let name = GroupName::parse(&body.name)?;
    groups::rename(&app.db, &id, &name).await?;
    let group = groups::by_id(&app.db, &id)
        .await?
        .ok_or(ErrorCode::NotFound)?;
    let subject = format!("group:{id}");
    audit::record(&app.db, &administrator.actor, "group.renamed", &subject, "").await?;
    Ok(Json(shown(group)))
}

#[utoipa::path(delete, path = "/groups/{id}", params(("id" = String, Path)),
    responses((status = 204, description = "Nobody is in it any more.")))]
pub async fn remove(
    app: State,
    administrator: Administrator,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    if !groups::remove(&app.db, &id).await? {
        return Err(ErrorCode::NotFound.into());
    }
    let subject = format!("group:{id}");
    audit::record(&app.db, &administrator.actor, "group.removed", &subject, "").await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(put, path = "/groups/{id}/people/{user}", params(("id" = String, Path), ("user" = String, Path)),
    responses((status = 204, description = "The person is in the group.")))]
pub async fn join(
    app: State,
    administrator: Administrator,
    Path((id, user)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let user = UserId::from(user);
    if !groups::join(&app.db, &id, &user, PersonSource::House).await? {
        return Err(ErrorCode::NotFound.into());
    }
    let (subject, details) = (format!("group:{id}"), format!("user:{user}"));
    audit::record(
        &app.db,
        &administrator.actor,
        "group.joined",
        &subject,
        &details,
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `managed_elsewhere` if the person stays in the group because another source says so.
#[utoipa::path(delete, path = "/groups/{id}/people/{user}", params(("id" = String, Path), ("user" = String, Path)),
    responses((status = 204, description = "The person is not in the group.")))]
pub async fn leave(
    app: State,
    administrator: Administrator,
    Path((id, user)): Path<(String, String)>,
) -> ApiResult<StatusCode> {
    let user = UserId::from(user);
    let there = groups::by_id(&app.db, &id).await?.is_some()
        && users::by_id(&app.db, &user).await?.is_some();
    if !there {
        return Err(ErrorCode::NotFound.into());
    }
    if groups::leave(&app.db, &id, &user, PersonSource::House).await? {
        return Err(ErrorCode::ManagedElsewhere.into());
    }
    let (subject, details) = (format!("group:{id}"), format!("user:{user}"));
    audit::record(
        &app.db,
        &administrator.actor,
        "group.left",
        &subject,
        &details,
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(group: StoredGroup) -> Group {
    Group {
        id: group.id,
        name: group.name,
        people: group.people,
    }
}
