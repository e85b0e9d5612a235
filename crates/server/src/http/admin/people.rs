//! People: listed, made, changed. What somebody else looks after (LDAP, SCIM, a provider) is changed there.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use identity::administration::{self, Kept, Touched};
use identity::directory::Search;
use identity::{DisplayName, GroupName, Mail, Username, session};
use protocol::http::PersonSource;
use protocol::http::admin::{
    AdminPeople, AdminPerson, AdminPersonDetails, ChangePerson, CreatePerson, PersonCreated,
};
use protocol::{ErrorCode, UserId};
use serde::Deserialize;

use crate::app::App;
use crate::audit::{self, Actor};
use crate::chance;
use crate::http::State;
use crate::http::account::passkeys;
use crate::http::administrator::Administrator;
use crate::http::error::ApiResult;
use crate::http::guard::JsonBody;
use crate::http::own::{is_live, shown as shown_session};
use crate::leaving;
use crate::links::{self, Occasion};
use crate::store::people::{self, Filter, PersonRow};
use crate::store::users::{self, Account, Change, NewAccount};
use crate::store::{groups, identities, passkeys as stored_passkeys, sessions, totp};

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    group: String,
    after: Option<String>,
}

#[utoipa::path(get, path = "/people", params(
        ("q" = Option<String>, Query, description = "Beginnings of words of names, usernames and mail addresses."),
        ("group" = Option<String>, Query, description = "Name of a group: only who is in it."),
        ("after" = Option<String>, Query, description = "What the page before answered as `next`.")),
    responses((status = 200, description = "By username, 100 at most.", body = AdminPeople)))]
pub async fn list(
    app: State,
    _: Administrator,
    query: Result<Query<Asked>, QueryRejection>,
) -> ApiResult<Json<AdminPeople>> {
    let Query(asked) = query.map_err(|_| ErrorCode::Malformed)?;
    let after = asked.after.as_deref().map(Username::parse).transpose()?;
    let group = match asked.group.as_str() {
        "" => None,
        name => Some(group_id(&app, name).await?),
    };
    let filter = Filter {
        search: Search::parse(&asked.q),
        group: group.as_deref(),
        after: after.as_ref().map(Username::key),
    };
    let page = people::page(&app.db, &filter).await?;
    let last = page.people.last().filter(|_| page.more);
    Ok(Json(AdminPeople {
        total: page.total,
        next: last.map(|last| last.account.username.clone()),
        people: page.people.into_iter().map(shown).collect(),
    }))
}

#[utoipa::path(get, path = "/people/{id}", params(("id" = String, Path)),
    responses((status = 200, description = "Where they are signed in, and what with.", body = AdminPersonDetails)))]
pub async fn read(
    app: State,
    administrator: Administrator,
    Path(id): Path<String>,
) -> ApiResult<Json<AdminPersonDetails>> {
    let id = UserId::from(id);
    let person = people::person(&app.db, &id).await?;
    let person = person.ok_or(ErrorCode::NotFound)?;
    let sessions = sessions::list(&app.db, Some(&id), session::PER_USER as u32).await?;
    let sessions = sessions.into_iter().filter(is_live);
    let passkeys = stored_passkeys::of(&app.db, &id).await?;
    let issuers = identities::issuers_of(&app.db, &id).await?;
    let issuers = issuers.into_iter().map(|issuer| {
        let name = app.sso.name_of(&issuer).map(str::to_owned);
        name.unwrap_or(issuer)
    });
    let current = administrator.session.as_ref();
    Ok(Json(AdminPersonDetails {
        person: shown(person),
        sessions: sessions
            .map(|session| shown_session(session, current))
            .collect(),
        passkeys: passkeys.into_iter().map(passkeys::shown).collect(),
        providers: issuers.collect(),
    }))
}

#[utoipa::path(post, path = "/people", request_body = CreatePerson,
    responses((status = 200, description = "With the link that gives it a password, told this once.", body = PersonCreated)))]
pub async fn create(
    app: State,
    administrator: Administrator,
    JsonBody(body): JsonBody<CreatePerson>,
) -> ApiResult<Json<PersonCreated>> {
    administrator.may_touch(body.admin)?;
    let actor = &administrator.actor;
    let groups = known_groups(&app, &body.groups).await?;
    let new = NewAccount {
        id: chance::id().into(),
        username: Username::parse(&body.username)?,
        name: DisplayName::parse(&body.name)?,
        mail: mail(body.mail.as_deref())?,
        admin: body.admin,
        password: None,
        source: PersonSource::House,
        created: chance::unix_ms(),
    };
    let account = users::create(&app.db, &new).await?;
    set_groups(&app, &account.id, &groups).await?;
    let details = if account.admin { "admin = true" } else { "" };
    record(&app, actor, "person.created", &account.id, details).await?;
    let link =
        links::create_for_person(&app, actor, &account, Occasion::Welcome, body.send_mail).await?;
    Ok(Json(PersonCreated {
        person: one(&app, &account.id).await?,
        link,
    }))
}

#[utoipa::path(patch, path = "/people/{id}", params(("id" = String, Path)), request_body = ChangePerson, responses(
    (status = 200, description = "Everything that is named is changed. Who is locked is signed out everywhere.", body = AdminPerson)))]
pub async fn change(
    app: State,
    administrator: Administrator,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<ChangePerson>,
) -> ApiResult<Json<AdminPerson>> {
    let before = users::by_id(&app.db, &UserId::from(id)).await?;
    let before = before.ok_or(ErrorCode::NotFound)?;
    administrator.may_touch(before.admin || body.admin == Some(true))?;
    let touched = Touched {
        profile: body.name.is_some() || body.mail.is_some(),
        admin: body.admin.is_some_and(|admin| admin != before.admin),
    };
    if !administration::may_change(kept(&app, &before).await?, touched) {
        return Err(ErrorCode::ManagedElsewhere.into());
    }
    let groups = match &body.groups {
        Some(names) => Some(of_the_house(&app, &before.id, names).await?),
        None => None,
    };
    let change = Change {
        name: body.name.as_deref().map(DisplayName::parse).transpose()?,
        mail: body
            .mail
            .as_deref()
            .map(|text| mail(Some(text)))
            .transpose()?,
        admin: body.admin,
        locked: body.locked,
        ..Change::default()
    };
    let after = leaving::change(&app, &before.id, &change).await?;
    if let Some(groups) = &groups {
        set_groups(&app, &after.id, groups).await?;
    }
    if body.remove_second_factors {
        totp::remove(&app.db, &after.id).await?;
        stored_passkeys::remove_all(&app.db, &after.id).await?;
    }
    tell(&app, &administrator.actor, &before, &after, &body).await?;
    Ok(Json(one(&app, &after.id).await?))
}

/// Into the audit log: what was changed, and of names and addresses only that they were.
async fn tell(
    app: &App,
    actor: &Actor,
    before: &Account,
    after: &Account,
    body: &ChangePerson,
) -> ApiResult<()> {
    if before.locked != after.locked {
        let action = if after.locked {
            "person.locked"
        } else {
            "person.unlocked"
        };
        record(app, actor, action, &after.id, "").await?;
    }
    let mut words = Vec::new();
    if before.name != after.name {
        words.push("name".to_owned());
    }
    if before.mail != after.mail {
        words.push("mail".to_owned());
    }
    if before.admin != after.admin {
        words.push(format!("admin = {}", after.admin));
    }
    if let Some(groups) = &body.groups {
        words.push(format!("groups = {}", groups.join(", ")));
    }
    if body.remove_second_factors {
        words.push("second factors removed".to_owned());
    }
    if !words.is_empty() {
        record(app, actor, "person.changed", &after.id, &words.join("\n")).await?;
    }
    Ok(())
}

async fn record(
    app: &App,
    actor: &Actor,
    action: &'static str,
    user: &UserId,
    details: &str,
) -> ApiResult<()> {
    let subject = format!("user:{user}");
    Ok(audit::record(&app.db, actor, action, &subject, details).await?)
}

/// Who looks after the account beside the house.
async fn kept(app: &App, account: &Account) -> ApiResult<Kept> {
    let admins = match account.source {
        PersonSource::Ldap => app.config.ldap.admin_group.is_some(),
        PersonSource::House | PersonSource::Scim | PersonSource::Provider => {
            let issuers = identities::issuers_of(&app.db, &account.id).await?;
            issuers
                .iter()
                .any(|issuer| app.sso.says_who_administers(issuer))
        }
    };
    Ok(Kept {
        profile: account.source != PersonSource::House,
        admin: admins,
    })
}

fn mail(text: Option<&str>) -> ApiResult<Option<Mail>> {
    let text = text.filter(|text| !text.trim().is_empty());
    Ok(text.map(Mail::parse).transpose()?)
}

async fn group_id(app: &App, name: &str) -> ApiResult<String> {
    let name = GroupName::parse(name)?;
    let group = groups::by_key(&app.db, name.key()).await?;
    Ok(group.ok_or(ErrorCode::NotFound)?.id)
}

/// Groups are made on purpose, never by a slip of the pen.
async fn known_groups(app: &App, names: &[String]) -> ApiResult<Vec<GroupName>> {
    let mut known = Vec::new();
    for name in names {
        group_id(app, name).await?;
        known.push(GroupName::parse(name)?);
    }
    Ok(known)
}

/// Which of these groups the house has to say: the others are said elsewhere, and none of those may be missing.
async fn of_the_house(app: &App, user: &UserId, names: &[String]) -> ApiResult<Vec<GroupName>> {
    let mut wanted = known_groups(app, names).await?;
    let elsewhere = groups::keys_from_elsewhere(&app.db, user).await?;
    let missing = |key: &String| !wanted.iter().any(|name| name.key() == key);
    if elsewhere.iter().any(missing) {
        return Err(ErrorCode::ManagedElsewhere.into());
    }
    wanted.retain(|name| !elsewhere.iter().any(|key| key == name.key()));
    Ok(wanted)
}

async fn set_groups(app: &App, user: &UserId, names: &[GroupName]) -> ApiResult<()> {
    let now = chance::unix_ms();
    Ok(groups::set_groups_of(&app.db, user, PersonSource::House, names, now).await?)
}

async fn one(app: &App, id: &UserId) -> ApiResult<AdminPerson> {
    let person = people::person(&app.db, id).await?;
    Ok(shown(person.ok_or(ErrorCode::NotFound)?))
}

fn shown(person: PersonRow) -> AdminPerson {
    let account = person.account;
    AdminPerson {
        id: account.id,
        username: account.username,
        name: account.name,
        mail: account.mail,
        admin: account.admin,
        locked: account.locked,
        source: account.source,
        groups: person.groups,
        picture: account.picture,
        created_ms: person.created,
        used_ms: person.used.map(i64::unsigned_abs),
        totp: person.totp,
        passkeys: u32::try_from(person.passkeys).unwrap_or_default(),
    }
}
