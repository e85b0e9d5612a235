//! `/Groups`: who is in which group, as far as SCIM says so. Names are everybody's, so a group in which others put people
//! too is not renamed from here, and only emptied of SCIM's own people when it is to be removed.

use std::collections::BTreeSet;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use identity::GroupName;
use protocol::UserId;
use protocol::http::PersonSource;
use serde_json::{Value, json};

use super::error::{ScimError, ScimResult};
use super::path::Filter;
use super::person::{Kind, Operation, field, object, operations, text};
use super::{Asked, Body, Provisioner, base, created, scim_json};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::chance;
use crate::http::State;
use crate::store::groups::{self, StoredGroup};
use crate::store::scim::{self, Member};

pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

pub async fn list(app: State, _: Provisioner, asked: Asked) -> ScimResult<Response> {
    let all = match &asked.filter {
        None => groups::all(&app.db).await?,
        Some(filter) => find(&app, &Filter::parse(filter)?).await?,
    };
    let total = all.len() as u64;
    let (offset, count) = (asked.offset() as usize, asked.count() as usize);
    let mut shown = Vec::new();
    for group in all.iter().skip(offset).take(count) {
        shown.push(show(&app, group, &asked).await?);
    }
    Ok(asked.list(total, shown))
}

async fn find(app: &App, filter: &Filter) -> ScimResult<Vec<StoredGroup>> {
    let found = match filter.attribute.as_str() {
        "displayname" => match GroupName::parse(&filter.value) {
            Ok(name) => groups::by_key(&app.db, name.key()).await?,
            Err(_) => None,
        },
        "externalid" => match scim::by_external_id(&app.db, &filter.value).await? {
            Some(id) => groups::by_id(&app.db, &id).await?,
            None => None,
        },
        "id" => groups::by_id(&app.db, &filter.value).await?,
        _ => return Err(ScimError::invalid_filter()),
    };
    Ok(found.into_iter().collect())
}

pub async fn read(
    app: State,
    _: Provisioner,
    Path(id): Path<String>,
    asked: Asked,
) -> ScimResult<Response> {
    let group = group(&app, &id).await?;
    Ok(scim_json(
        StatusCode::OK,
        &show(&app, &group, &asked).await?,
    ))
}

pub async fn create(
    app: State,
    Provisioner(actor): Provisioner,
    asked: Asked,
    Body(body): Body,
) -> ScimResult<Response> {
    let change = Change::whole(&body)?;
    let name = change.checked_name()?;
    let name = name.ok_or_else(|| ScimError::invalid_value("displayName is missing"))?;
    let people = known(&app, change.people).await?;
    let group = groups::create(&app.db, &name, chance::unix_ms()).await?;
    scim::change_people(&app.db, &group.id, &people, &BTreeSet::new()).await?;
    let external_id = change.external_id.flatten();
    scim::set_external_id_of(&app.db, &group.id, external_id.as_deref()).await?;
    record(&app, &actor, "group.created", &group.id).await?;
    Ok(created(&show(&app, &group, &asked).await?))
}

pub async fn put(
    app: State,
    Provisioner(actor): Provisioner,
    Path(id): Path<String>,
    asked: Asked,
    Body(body): Body,
) -> ScimResult<Response> {
    let group = group(&app, &id).await?;
    let before = people_of(&app, &group).await?;
    let change = Change::whole(&body)?;
    apply(&app, &actor, group, before, change, &asked).await
}

pub async fn patch(
    app: State,
    Provisioner(actor): Provisioner,
    Path(id): Path<String>,
    asked: Asked,
    Body(body): Body,
) -> ScimResult<Response> {
    let group = group(&app, &id).await?;
    let before = people_of(&app, &group).await?;
    let mut change = Change {
        name: None,
        people: before.clone(),
        external_id: None,
    };
    for operation in operations(&body)? {
        change.take(&operation)?;
    }
    apply(&app, &actor, group, before, change, &asked).await
}

pub async fn remove(
    app: State,
    Provisioner(actor): Provisioner,
    Path(id): Path<String>,
) -> ScimResult<Response> {
    let group = group(&app, &id).await?;
    if scim::is_shared(&app.db, &group.id).await? {
        // What SCIM said of it goes; what others said stays.
        let nobody = BTreeSet::new();
        groups::set_people_of(&app.db, &group.id, PersonSource::Scim, &nobody).await?;
    } else {
        groups::remove(&app.db, &group.id).await?;
    }
    record(&app, &actor, "group.removed", &group.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What a group is to be: a name, and the ids of people.
#[derive(Debug, Default, PartialEq, Eq)]
struct Change {
    name: Option<String>,
    people: BTreeSet<String>,
    /// Absent: as it is.
    external_id: Option<Option<String>>,
}

impl Change {
    fn whole(body: &Value) -> ScimResult<Self> {
        let body = object(body)?;
        let name = field(body, "displayName").filter(|name| !name.is_null());
        let people = field(body, "members").map(members).transpose()?;
        let external_id = field(body, "externalId").filter(|id| !id.is_null());
        Ok(Self {
            name: name.map(text).transpose()?,
            people: people.into_iter().flatten().collect(),
            external_id: Some(external_id.map(text).transpose()?),
        })
    }

    /// One step of a patch.
    fn take(&mut self, operation: &Operation<'_>) -> ScimResult<()> {
        let Some(path) = &operation.path else {
            if operation.kind == Kind::Remove {
                return Err(ScimError::no_target());
            }
            let told = Self::whole(operation.value)?;
            if field(object(operation.value)?, "members").is_some() {
                self.put_in(told.people, operation.replaces);
            }
            if field(object(operation.value)?, "externalId").is_some() {
                self.external_id = told.external_id;
            }
            self.name = told.name.or(self.name.take());
            return Ok(());
        };
        match (path.attribute.as_str(), operation.kind) {
            ("displayname", Kind::Set) => self.name = Some(text(operation.value)?),
            ("displayname", Kind::Remove) => {
                return Err(ScimError::mutability("displayName cannot be removed"));
            }
            ("externalid", Kind::Set) => self.external_id = Some(Some(text(operation.value)?)),
            ("externalid", Kind::Remove) => self.external_id = Some(None),
            ("members", Kind::Set) => {
                let people = members(operation.value)?.into_iter().collect();
                self.put_in(people, operation.replaces);
            }
            ("members", Kind::Remove) => match &path.filter {
                Some(filter) if filter.attribute == "value" => self.take_out(&filter.value),
                Some(_) => return Err(ScimError::invalid_filter()),
                None if operation.value.is_null() => self.people.clear(),
                None => {
                    for id in members(operation.value)? {
                        self.take_out(&id);
                    }
                }
            },
            _ => {}
        }
        Ok(())
    }

    fn put_in(&mut self, people: BTreeSet<String>, instead: bool) {
        if instead {
            self.people.clear();
        }
        self.people.extend(people);
    }

    fn take_out(&mut self, id: &str) {
        self.people.remove(id);
    }

    fn checked_name(&self) -> ScimResult<Option<GroupName>> {
        let name = self.name.as_deref().map(GroupName::parse).transpose();
        name.map_err(|_| ScimError::invalid_value("displayName cannot be a name here"))
    }
}

/// Only people whom SCIM made are its to put anywhere.
async fn known(app: &App, ids: BTreeSet<String>) -> ScimResult<BTreeSet<UserId>> {
    let known = scim::which(&app.db, &ids).await?;
    if known.len() < ids.len() {
        return Err(ScimError::invalid_value(
            "members has somebody who is not there",
        ));
    }
    Ok(known)
}

async fn people_of(app: &App, group: &StoredGroup) -> ScimResult<BTreeSet<String>> {
    let people = scim::people_of(&app.db, &group.id).await?;
    Ok(people.into_iter().map(|member| member.id).collect())
}

/// Ids, out of objects with `value` or as they are.
fn members(value: &Value) -> ScimResult<Vec<String>> {
    let list = match value {
        Value::Null => &[],
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let id = |one: &Value| match one {
        Value::String(id) => Ok(id.clone()),
        one => field(object(one)?, "value")
            .map(text)
            .unwrap_or_else(|| Err(ScimError::invalid_value("a member has no value"))),
    };
    list.iter().map(id).collect()
}

/// Writes what became another, and nothing else: two may change one group at once.
async fn apply(
    app: &App,
    actor: &Actor,
    group: StoredGroup,
    before: BTreeSet<String>,
    change: Change,
    asked: &Asked,
) -> ScimResult<Response> {
    let name = change.checked_name()?;
    let new = change.people.difference(&before).cloned().collect();
    let new = known(app, new).await?;
    let gone = before
        .difference(&change.people)
        .cloned()
        .map(UserId::from)
        .collect();
    if let Some(name) = name.filter(|name| name.as_str() != group.name) {
        if scim::is_shared(&app.db, &group.id).await? {
            let detail = "others put people into this group too, so its name is not SCIM's";
            return Err(ScimError::conflict(detail));
        }
        groups::rename(&app.db, &group.id, &name).await?;
    }
    scim::change_people(&app.db, &group.id, &new, &gone).await?;
    if let Some(id) = &change.external_id {
        scim::set_external_id_of(&app.db, &group.id, id.as_deref()).await?;
    }
    record(app, actor, "group.changed", &group.id).await?;
    let group = self::group(app, &group.id).await?;
    Ok(scim_json(StatusCode::OK, &show(app, &group, asked).await?))
}

async fn group(app: &App, id: &str) -> ScimResult<StoredGroup> {
    let found = groups::by_id(&app.db, id).await?;
    found.ok_or_else(ScimError::not_found)
}

async fn show(app: &App, group: &StoredGroup, asked: &Asked) -> ScimResult<Value> {
    let members: Vec<Member> = if asked.wants("members") {
        scim::people_of(&app.db, &group.id).await?
    } else {
        Vec::new()
    };
    let base = base(app);
    let mut shown = json!({
        "schemas": [SCHEMA],
        "id": group.id,
        "displayName": group.name,
        "meta": { "resourceType": "Group", "location": format!("{base}/Groups/{}", group.id) },
    });
    if let Some(id) = scim::external_id_of(&app.db, &group.id).await? {
        shown["externalId"] = id.into();
    }
    if !members.is_empty() {
        let members = members.iter().map(|member| {
            json!({ "value": member.id, "type": "User",
                "$ref": format!("{base}/Users/{}", member.id) })
        });
        shown["members"] = members.collect();
    }
    Ok(asked.cut(shown))
}

async fn record(app: &App, actor: &Actor, action: &'static str, group: &str) -> ScimResult<()> {
    let subject = format!("group:{group}");
    Ok(audit::record(&app.db, actor, action, &subject, "by SCIM").await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_put_people_in_and_take_them_out() {
        let check = |what: &str, list: Value, expect: &str| {
            let body = json!({ "Operations": list });
            let mut change = Change {
                name: None,
                people: ["a", "b"].map(str::to_owned).into(),
                external_id: None,
            };
            let taken = operations(&body)
                .and_then(|all| all.iter().try_for_each(|operation| change.take(operation)));
            let told = match taken {
                Err(error) => format!("{error:?}").contains("kind: Some").to_string(),
                Ok(()) => {
                    let people: Vec<_> = change.people.into_iter().collect();
                    format!("{}:{}", change.name.unwrap_or_default(), people.join(""))
                }
            };
            assert_eq!(told, expect, "{what}");
        };
        let one = |id: &str| json!([{ "value": id }]);
        check(
            "add",
            json!([{"op": "add", "path": "members", "value": one("c")}]),
            ":abc",
        );
        check(
            "add, Entra",
            json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": "c"}]}]),
            ":abc",
        );
        check(
            "add, without a path",
            json!([{"op": "add", "value": {"members": one("c")}}]),
            ":abc",
        );
        check(
            "remove, Okta",
            json!([{"op": "remove", "path": "members[value eq \"a\"]"}]),
            ":b",
        );
        check(
            "remove, Entra",
            json!([{"op": "Remove", "path": "members", "value": one("a")}]),
            ":b",
        );
        check(
            "remove everybody",
            json!([{"op": "remove", "path": "members"}]),
            ":",
        );
        check(
            "remove nobody",
            json!([{"op": "remove", "path": "members[value eq \"x\"]"}]),
            ":ab",
        );
        check(
            "replace",
            json!([{"op": "replace", "path": "members", "value": one("c")}]),
            ":c",
        );
        check(
            "rename, Okta",
            json!([{"op": "replace", "value": {"id": "g", "displayName": "N"}}]),
            "N:ab",
        );
        check(
            "rename",
            json!([{"op": "replace", "path": "displayName", "value": "N"}]),
            "N:ab",
        );
        check(
            "several",
            json!([{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": one("z")}]),
            ":z",
        );
        check(
            "what the house has no use for",
            json!([{"op": "add", "path": "externalId", "value": "x"}]),
            ":ab",
        );
        check("remove what", json!([{"op": "remove"}]), "true");
        check(
            "a name that is none",
            json!([{"op": "replace", "path": "displayName", "value": 5}]),
            "true",
        );
        check(
            "members without value",
            json!([{"op": "add", "path": "members", "value": [{"display": "x"}]}]),
            "true",
        );
        check(
            "members by another attribute",
            json!([{"op": "remove", "path": "members[display eq \"x\"]"}]),
            "true",
        );
    }
}
