//! Somebody as SCIM tells of them: read from whole resources and from patches, and shown again.
//!
//! Attributes that the house has no use for are taken and forgotten: providers send many, and none may keep the rest out.

use identity::{DisplayName, Mail, Username};
use serde_json::{Map, Value, json};

use super::error::{ScimError, ScimResult};
use super::path::Path;
use crate::store::scim::{Member, Person, Wanted};

pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// What is known of somebody while a request is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    username: String,
    /// As it was before; what a part of a name is put into.
    name: String,
    display: Option<String>,
    formatted: Option<String>,
    given: Option<String>,
    family: Option<String>,
    mail: Option<String>,
    external_id: Option<String>,
    active: Option<bool>,
}

impl Draft {
    pub fn of(person: &Person) -> Self {
        Self {
            username: person.username.clone(),
            name: person.name.clone(),
            mail: person.mail.clone(),
            external_id: person.external_id.clone(),
            ..Self::default()
        }
    }

    /// A whole resource: what is not told is not there, but for `active`, which only changes when it is told.
    pub fn whole(body: &Value) -> ScimResult<Self> {
        let mut draft = Self::default();
        draft.merge(body)?;
        if draft.username.trim().is_empty() {
            return Err(ScimError::invalid_value("userName is missing"));
        }
        Ok(draft)
    }

    /// `Operations` of a patch, one after the other.
    pub fn patch(&mut self, body: &Value) -> ScimResult<()> {
        for operation in operations(body)? {
            match (operation.kind, operation.path) {
                (Kind::Remove, None) => return Err(ScimError::no_target()),
                (Kind::Remove, Some(path)) => self.remove(&path)?,
                (Kind::Set, None) => self.merge(operation.value)?,
                (Kind::Set, Some(path)) => self.set(&path, operation.value)?,
            }
        }
        Ok(())
    }

    fn merge(&mut self, body: &Value) -> ScimResult<()> {
        let body = object(body)?;
        for (key, value) in body {
            // Whole schemas beside the core one have keys that are no paths.
            if let Ok(path) = Path::parse(key) {
                self.set(&path, value)?;
            }
        }
        Ok(())
    }

    fn set(&mut self, path: &Path, value: &Value) -> ScimResult<()> {
        if value.is_null() {
            return self.remove(path);
        }
        match path.names() {
            ("username", None) => self.username = text(value)?,
            ("displayname", None) => self.display = Some(text(value)?),
            ("externalid", None) => {
                self.external_id = Some(text(value)?).filter(|id| !id.is_empty())
            }
            ("active", None) => self.active = Some(switch(value)?),
            ("name", None) => {
                for (key, value) in object(value)? {
                    self.set_name(&key.to_lowercase(), value)?;
                }
            }
            ("name", Some(sub)) => self.set_name(sub, value)?,
            ("emails", None) => {
                if let Some(mail) = mail_of(value)? {
                    self.mail = Some(mail);
                } else {
                    self.mail = None;
                }
            }
            ("emails", Some("value")) => self.mail = Some(text(value)?),
            _ => {}
        }
        Ok(())
    }

    fn set_name(&mut self, sub: &str, value: &Value) -> ScimResult<()> {
        let place = match sub {
            "formatted" => &mut self.formatted,
            "givenname" => &mut self.given,
            "familyname" => &mut self.family,
            _ => return Ok(()),
        };
        *place = if value.is_null() {
            None
        } else {
            Some(text(value)?)
        };
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> ScimResult<()> {
        match path.names() {
            ("username", None) => return Err(ScimError::mutability("userName cannot be removed")),
            ("displayname", None) | ("name", None | Some("formatted")) => {
                self.name.clear();
                (self.display, self.formatted) = (None, None);
            }
            ("externalid", None) => self.external_id = None,
            ("emails", None | Some("value")) => self.mail = None,
            _ => {}
        }
        Ok(())
    }

    /// Parsed, or which value cannot be one.
    pub fn finish(self) -> ScimResult<Wanted> {
        let username = Username::parse(&self.username)
            .map_err(|_| ScimError::invalid_value("userName cannot be a username here"))?;
        let name = self
            .full_name()
            .unwrap_or_else(|| username.as_str().to_owned());
        let name = DisplayName::parse(&name)
            .map_err(|_| ScimError::invalid_value("displayName cannot be a name here"))?;
        let mail = self.mail.filter(|mail| !mail.is_empty());
        let mail = mail.map(|mail| Mail::parse(&mail)).transpose();
        Ok(Wanted {
            username,
            name,
            mail: mail.map_err(|_| ScimError::invalid_value("emails has no mail address"))?,
            external_id: self.external_id,
            active: self.active,
        })
    }

    /// What was told as a whole; else its parts, put into what there was.
    fn full_name(&self) -> Option<String> {
        let told = |name: &Option<String>| name.clone().filter(|name| !name.trim().is_empty());
        if let Some(name) = told(&self.display).or_else(|| told(&self.formatted)) {
            return Some(name);
        }
        let (given, family) = match self.name.rsplit_once(' ') {
            Some((given, family)) => (given, family),
            None => (self.name.as_str(), ""),
        };
        let given = self.given.as_deref().unwrap_or(given);
        let family = self.family.as_deref().unwrap_or(family);
        let name = format!("{given} {family}");
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    }
}

pub fn shown(person: &Person, groups: &[Member], base: &str) -> Value {
    let mut shown = json!({
        "schemas": [SCHEMA],
        "id": person.id,
        "userName": person.username,
        "displayName": person.name,
        "name": parts(&person.name),
        "active": !person.locked,
        "meta": {
            "resourceType": "User",
            "created": super::date_time(person.created),
            "location": format!("{base}/Users/{}", person.id),
        },
    });
    if let Some(id) = &person.external_id {
        shown["externalId"] = id.as_str().into();
    }
    if let Some(mail) = &person.mail {
        shown["emails"] = json!([{ "value": mail, "type": "work", "primary": true }]);
    }
    if !groups.is_empty() {
        let groups = groups.iter().map(|group| {
            json!({ "value": group.id, "display": group.name, "$ref": format!("{base}/Groups/{}", group.id) })
        });
        shown["groups"] = groups.collect();
    }
    shown
}

/// As well as they can be told apart: what is stored is the whole name.
fn parts(name: &str) -> Value {
    match name.rsplit_once(' ') {
        Some((given, family)) => {
            json!({ "formatted": name, "givenName": given, "familyName": family })
        }
        None => json!({ "formatted": name, "givenName": name }),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Adding and replacing is the same where there is one value.
    Set,
    Remove,
}

/// One step of a patch.
#[derive(Debug)]
pub struct Operation<'a> {
    pub kind: Kind,
    /// Of a list: instead of what is there.
    pub replaces: bool,
    pub path: Option<Path>,
    /// Null where there is none.
    pub value: &'a Value,
}

/// `Add` and `Replace` with a capital come from Entra.
pub fn operations(body: &Value) -> ScimResult<Vec<Operation<'_>>> {
    let list = field(object(body)?, "operations").and_then(Value::as_array);
    let list = list.ok_or_else(|| ScimError::invalid_syntax("Operations is missing"))?;
    let mut operations = Vec::with_capacity(list.len());
    for one in list {
        let one = object(one)?;
        let word = field(one, "op").and_then(Value::as_str).unwrap_or_default();
        let word = word.to_lowercase();
        let kind = match word.as_str() {
            "add" | "replace" => Kind::Set,
            "remove" => Kind::Remove,
            _ => return Err(ScimError::invalid_syntax("op is add, replace or remove")),
        };
        let path = field(one, "path").and_then(Value::as_str);
        operations.push(Operation {
            kind,
            replaces: word == "replace",
            path: path.map(Path::parse).transpose()?,
            value: field(one, "value").unwrap_or(&Value::Null),
        });
    }
    Ok(operations)
}

pub fn object(value: &Value) -> ScimResult<&Map<String, Value>> {
    value
        .as_object()
        .ok_or_else(|| ScimError::invalid_syntax("an object is expected"))
}

/// Names of attributes are the same in small and capital letters.
pub fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let found = object
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

pub fn text(value: &Value) -> ScimResult<String> {
    let text = value.as_str().map(|text| text.trim().to_owned());
    text.ok_or_else(|| ScimError::invalid_value("a text is expected"))
}

/// Entra writes "True" and "False".
fn switch(value: &Value) -> ScimResult<bool> {
    let text = value.as_str().map(str::to_lowercase);
    match (value, text.as_deref()) {
        (Value::Bool(on), _) => Ok(*on),
        (_, Some("true")) => Ok(true),
        (_, Some("false")) => Ok(false),
        _ => Err(ScimError::invalid_value("active is true or false")),
    }
}

/// The primary one, else the first.
fn mail_of(value: &Value) -> ScimResult<Option<String>> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is_primary = |one: &&Value| one.get("primary").is_some_and(|it| switch(it) == Ok(true));
    match list.iter().find(is_primary).or(list.first()) {
        None => Ok(None),
        Some(Value::String(mail)) => Ok(Some(mail.trim().to_owned())),
        Some(one) => field(object(one)?, "value").map(text).transpose(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(wanted: ScimResult<Wanted>) -> String {
        match wanted {
            Err(error) => {
                let text = format!("{error:?}");
                let kind = text
                    .split_once("kind: Some(\"")
                    .and_then(|(_, rest)| rest.split_once('"'));
                kind.map_or(text.clone(), |(kind, _)| format!("!{kind}"))
            }
            Ok(wanted) => format!(
                "{}|{}|{}|{}|{:?}",
                wanted.username.as_str(),
                wanted.name.as_str(),
                wanted.mail.as_ref().map_or("", Mail::as_str),
                wanted.external_id.as_deref().unwrap_or_default(),
                wanted.active
            ),
        }
    }

    #[test]
    fn whole_resources_are_read_leniently() {
        let check = |what: &str, body: Value, expect: &str| {
            assert_eq!(
                told(Draft::whole(&body).and_then(Draft::finish)),
                expect,
                "{what}"
            );
        };
        check("the least", json!({"userName": "anna"}), "anna|anna|||None");
        check(
            "Okta",
            json!({"schemas": [SCHEMA], "userName": "anna@x.org", "name": {"givenName": "Anna", "familyName": "Albrecht"},
                "emails": [{"primary": true, "value": "anna@x.org", "type": "work"}], "locale": "de", "externalId": "00u1",
                "groups": [], "password": "x", "active": true}),
            "anna@x.org|Anna Albrecht|anna@x.org|00u1|Some(true)",
        );
        check(
            "Entra",
            json!({"userName": "anna", "displayName": "Anna A.", "active": "False", "title": "Dr.",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "x"},
                "emails": [{"type": "other", "value": "o@x.org"}, {"type": "work", "value": "w@x.org", "primary": "True"}]}),
            "anna|Anna A.|w@x.org||Some(false)",
        );
        check(
            "other letters",
            json!({"USERNAME": "anna", "DisplayName": "A"}),
            "anna|A|||None",
        );
        check(
            "nulls",
            json!({"userName": "anna", "displayName": null, "emails": null}),
            "anna|anna|||None",
        );
        check("no username", json!({"displayName": "A"}), "!invalidValue");
        check(
            "an impossible username",
            json!({"userName": "a b"}),
            "!invalidValue",
        );
        check(
            "an impossible mail",
            json!({"userName": "a", "emails": [{"value": "x"}]}),
            "!invalidValue",
        );
        check("a number as name", json!({"userName": 5}), "!invalidValue");
        check("no object", json!(["userName"]), "!invalidSyntax");
    }

    #[test]
    fn patches_change_what_they_name() {
        let before = Person {
            id: "u1".to_owned().into(),
            username: "anna".to_owned(),
            name: "Anna Maria Albrecht".to_owned(),
            mail: Some("a@x.org".to_owned()),
            external_id: Some("e1".to_owned()),
            locked: false,
            created: 0,
        };
        let check = |what: &str, operations: Value, expect: &str| {
            let mut draft = Draft::of(&before);
            let patched = draft.patch(&json!({"Operations": operations}));
            assert_eq!(
                told(patched.and_then(|()| draft.finish())),
                expect,
                "{what}"
            );
        };
        const SAME: &str = "anna|Anna Maria Albrecht|a@x.org|e1|None";
        check("nothing", json!([]), SAME);
        check(
            "Entra locks",
            json!([{"op": "Replace", "path": "active", "value": "False"}]),
            "anna|Anna Maria Albrecht|a@x.org|e1|Some(false)",
        );
        check(
            "Okta locks",
            json!([{"op": "replace", "value": {"active": false}}]),
            "anna|Anna Maria Albrecht|a@x.org|e1|Some(false)",
        );
        check(
            "Entra, without a path and with dots",
            json!([{"op": "Add", "value": {"displayName": "Anna B.", "name.familyName": "B", "emails[type eq \"work\"].value": "b@x.org"}}]),
            "anna|Anna B.|b@x.org|e1|None",
        );
        check(
            "another family",
            json!([{"op": "replace", "path": "name.familyName", "value": "Berg"}]),
            "anna|Anna Maria Berg|a@x.org|e1|None",
        );
        check(
            "another first name",
            json!([{"op": "replace", "path": "name", "value": {"givenName": "Ann"}}]),
            "anna|Ann Albrecht|a@x.org|e1|None",
        );
        check(
            "no first name",
            json!([{"op": "remove", "path": "name.givenName"}]),
            SAME,
        );
        check(
            "username and externalId",
            json!([{"op": "replace", "path": "userName", "value": "ann"}, {"op": "add", "path": "externalId", "value": "e2"}]),
            "ann|Anna Maria Albrecht|a@x.org|e2|None",
        );
        check(
            "mail, externalId and name taken away",
            json!([{"op": "remove", "path": "emails[type eq \"work\"]"}, {"op": "remove", "path": "externalId"},
                {"op": "Remove", "path": "displayName"}]),
            "anna|anna|||None",
        );
        check(
            "what the house has no use for",
            json!([{"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "x"},
                {"op": "replace", "path": "phoneNumbers[type eq \"work\"].value", "value": "1"}]),
            SAME,
        );
        check(
            "no username",
            json!([{"op": "remove", "path": "userName"}]),
            "!mutability",
        );
        check("remove what", json!([{"op": "remove"}]), "!noTarget");
        check(
            "an unknown operation",
            json!([{"op": "move", "path": "active"}]),
            "!invalidSyntax",
        );
        check(
            "a broken path",
            json!([{"op": "replace", "path": "emails[", "value": "x"}]),
            "!invalidPath",
        );
        check(
            "neither true nor false",
            json!([{"op": "replace", "path": "active", "value": "maybe"}]),
            "!invalidValue",
        );
    }
}
