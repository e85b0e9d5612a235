//! `/Users`: people whom SCIM looks after.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use identity::{Mail, Username};
use protocol::UserId;
use serde_json::Value;

use super::error::{ScimError, ScimResult};
use super::path::Filter;
use super::person::{self, Draft};
use super::{Asked, Body, Provisioner, base, created, scim_json};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::chance;
use crate::http::State;
use crate::store::scim::{self, Find, Person, Wanted};
use crate::{leaving, sign_ins};

pub async fn list(app: State, _: Provisioner, asked: Asked) -> ScimResult<Response> {
    let filter = asked.filter.as_deref().map(Filter::parse).transpose()?;
    let (total, people) = match &filter {
        None => scim::people(&app.db, Find::Everybody, asked.offset(), asked.count()).await?,
        Some(filter) => find(&app, filter, &asked).await?,
    };
    let mut shown = Vec::with_capacity(people.len());
    for person in &people {
        shown.push(asked.cut(show(&app, person).await?));
    }
    Ok(asked.list(total, shown))
}

async fn find(app: &App, filter: &Filter, asked: &Asked) -> ScimResult<(u64, Vec<Person>)> {
    let nobody = Ok((0, Vec::new()));
    let (username, mail);
    let find = match filter.attribute.as_str() {
        "username" => match Username::parse(&filter.value) {
            Ok(parsed) => {
                username = parsed;
                Find::Username(username.key())
            }
            Err(_) => return nobody,
        },
        "emails.value" | "emails" | "emails[type eq \"work\"].value" => {
            match Mail::parse(&filter.value) {
                Ok(parsed) => {
                    mail = parsed;
                    Find::Mail(mail.key())
                }
                Err(_) => return nobody,
            }
        }
        "externalid" => Find::ExternalId(&filter.value),
        "id" => Find::Id(&filter.value),
        _ => return Err(ScimError::invalid_filter()),
    };
    Ok(scim::people(&app.db, find, asked.offset(), asked.count()).await?)
}

pub async fn read(
    app: State,
    _: Provisioner,
    Path(id): Path<String>,
    asked: Asked,
) -> ScimResult<Response> {
    let person = person(&app, &id).await?;
    let shown = asked.cut(show(&app, &person).await?);
    Ok(scim_json(StatusCode::OK, &shown))
}

pub async fn create(
    app: State,
    Provisioner(actor): Provisioner,
    asked: Asked,
    Body(body): Body,
) -> ScimResult<Response> {
    let wanted = Draft::whole(&body)?.finish()?;
    let id = UserId::from(chance::id());
    scim::create(&app.db, &id, &wanted, chance::unix_ms()).await?;
    record(&app, &actor, "person.created", &id).await?;
    let person = person(&app, id.as_str()).await?;
    Ok(created(&asked.cut(show(&app, &person).await?)))
}

pub async fn put(
    app: State,
    Provisioner(actor): Provisioner,
    Path(id): Path<String>,
    asked: Asked,
    Body(body): Body,
) -> ScimResult<Response> {
    let person = person(&app, &id).await?;
    let wanted = Draft::whole(&body)?.finish()?;
    changed(&app, &actor, &person, wanted, &asked).await
}

pub async fn patch(
    app: State,
    Provisioner(actor): Provisioner,
    Path(id): Path<String>,
    asked: Asked,
    Body(body): Body,
) -> ScimResult<Response> {
    let person = person(&app, &id).await?;
    let mut draft = Draft::of(&person);
    draft.patch(&body)?;
    changed(&app, &actor, &person, draft.finish()?, &asked).await
}

/// For good, with everything that is theirs.
pub async fn remove(
    app: State,
    Provisioner(actor): Provisioner,
    Path(id): Path<String>,
) -> ScimResult<Response> {
    let person = person(&app, &id).await?;
    leaving::remove(&app, &actor, &person.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn changed(
    app: &App,
    actor: &Actor,
    before: &Person,
    wanted: Wanted,
    asked: &Asked,
) -> ScimResult<Response> {
    let ended = scim::change(&app.db, &before.id, &wanted).await?;
    let last = || ScimError::conflict("the house needs an administrator who can sign in");
    for session in ended.ok_or_else(last)? {
        sign_ins::close(app, &session).await;
    }
    let after = person(app, before.id.as_str()).await?;
    if after != *before {
        let action = match (before.locked, after.locked) {
            (false, true) => "person.locked",
            (true, false) => "person.unlocked",
            _ => "person.changed",
        };
        record(app, actor, action, &after.id).await?;
    }
    let shown = asked.cut(show(app, &after).await?);
    Ok(scim_json(StatusCode::OK, &shown))
}

async fn person(app: &App, id: &str) -> ScimResult<Person> {
    let found = scim::person(&app.db, id).await?;
    found.ok_or_else(ScimError::not_found)
}

async fn show(app: &App, person: &Person) -> ScimResult<Value> {
    let groups = scim::groups_of(&app.db, &person.id).await?;
    Ok(person::shown(person, &groups, &base(app)))
}

async fn record(app: &App, actor: &Actor, action: &'static str, user: &UserId) -> ScimResult<()> {
    let subject = format!("user:{user}");
    Ok(audit::record(&app.db, actor, action, &subject, "by SCIM").await?)
}
