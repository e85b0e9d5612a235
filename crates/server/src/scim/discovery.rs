//! What this interface can do, for programs that ask (RFC 7644, section 4).

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::error::{ScimError, ScimResult};
use super::{Asked, MOST, Provisioner, base, groups, person, scim_json};
use crate::http::State;

pub async fn config(app: State, _: Provisioner) -> Response {
    let no = json!({ "supported": false });
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": MOST },
        "changePassword": no,
        "sort": no,
        "etag": no,
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token of the house with scope scim: `stube token add`, or the administration.",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{}/ServiceProviderConfig", base(&app)),
        },
    });
    scim_json(StatusCode::OK, &body)
}

pub async fn resource_types(app: State, _: Provisioner, asked: Asked) -> ScimResult<Response> {
    all(&asked, types(&base(&app)))
}

pub async fn resource_type(
    app: State,
    _: Provisioner,
    Path(id): Path<String>,
) -> ScimResult<Response> {
    one(types(&base(&app)), &id)
}

pub async fn schemas(app: State, _: Provisioner, asked: Asked) -> ScimResult<Response> {
    all(&asked, schemas_of(&base(&app)))
}

pub async fn schema(app: State, _: Provisioner, Path(id): Path<String>) -> ScimResult<Response> {
    one(schemas_of(&base(&app)), &id)
}

/// A filter here is an error, so that nobody takes all for some.
fn all(asked: &Asked, resources: Vec<Value>) -> ScimResult<Response> {
    if asked.filter.is_some() {
        return Err(ScimError::from(crate::http::error::ApiError::from(
            protocol::ErrorCode::Forbidden,
        )));
    }
    Ok(asked.list(resources.len() as u64, resources))
}

fn one(resources: Vec<Value>, id: &str) -> ScimResult<Response> {
    let found = resources.into_iter().find(|resource| resource["id"] == id);
    let found = found.ok_or_else(ScimError::not_found)?;
    Ok(scim_json(StatusCode::OK, &found))
}

fn types(base: &str) -> Vec<Value> {
    let kind = |name: &str, endpoint: &str, schema: &str| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": endpoint,
            "schema": schema,
            "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}") },
        })
    };
    vec![
        kind("User", "/Users", person::SCHEMA),
        kind("Group", "/Groups", groups::SCHEMA),
    ]
}

fn schemas_of(base: &str) -> Vec<Value> {
    let schema = |id: &str, name: &str, attributes: Vec<Value>| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": id,
            "name": name,
            "attributes": attributes,
            "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{id}") },
        })
    };
    vec![
        schema(person::SCHEMA, "User", user_attributes()),
        schema(groups::SCHEMA, "Group", group_attributes()),
    ]
}

/// A text that may be changed, unless it is said otherwise.
fn attribute(name: &str, description: &str, more: Value) -> Value {
    let mut all = json!({
        "name": name,
        "type": "string",
        "multiValued": false,
        "description": description,
        "required": false,
        "caseExact": false,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        all[key] = value.clone();
    }
    all
}

fn user_attributes() -> Vec<Value> {
    let fixed = json!({ "mutability": "readOnly" });
    vec![
        attribute(
            "userName",
            "What the person signs in with.",
            json!({ "required": true, "uniqueness": "server" }),
        ),
        attribute(
            "displayName",
            "What others see. Where it is not told, made of name or userName.",
            json!({ "required": true }),
        ),
        attribute(
            "name",
            "Made of displayName. Taken where there is no displayName.",
            json!({
                "type": "complex",
                "mutability": "readOnly",
                "subAttributes": [
                    attribute("formatted", "The whole.", fixed.clone()),
                    attribute("givenName", "All but the last word.", fixed.clone()),
                    attribute("familyName", "The last word.", fixed.clone()),
                ],
            }),
        ),
        attribute(
            "active",
            "Whether the person may sign in.",
            json!({ "type": "boolean", "required": true }),
        ),
        attribute(
            "emails",
            "One address is kept: the primary one, else the first.",
            json!({
                "type": "complex",
                "multiValued": true,
                "subAttributes": [
                    attribute("value", "The address.", json!({})),
                    attribute("type", "Always work.", fixed.clone()),
                    attribute("primary", "Always true.", json!({ "type": "boolean", "mutability": "readOnly" })),
                ],
            }),
        ),
        attribute(
            "groups",
            "The groups that SCIM put the person in.",
            json!({
                "type": "complex",
                "multiValued": true,
                "mutability": "readOnly",
                "subAttributes": [
                    attribute("value", "Its id.", fixed.clone()),
                    attribute("$ref", "Its address.", json!({
                        "type": "reference", "referenceTypes": ["Group"], "mutability": "readOnly",
                    })),
                    attribute("display", "Its name.", fixed),
                ],
            }),
        ),
    ]
}

fn group_attributes() -> Vec<Value> {
    let fixed = |more: Value| {
        let mut all = json!({ "mutability": "immutable" });
        for (key, value) in more.as_object().into_iter().flatten() {
            all[key] = value.clone();
        }
        all
    };
    vec![
        attribute(
            "displayName",
            "What the group is called.",
            json!({ "required": true, "uniqueness": "server" }),
        ),
        attribute(
            "members",
            "People whom SCIM looks after.",
            json!({
                "type": "complex",
                "multiValued": true,
                "subAttributes": [
                    attribute("value", "The id of a person.", fixed(json!({}))),
                    attribute("$ref", "The person's address.", fixed(json!({
                        "type": "reference", "referenceTypes": ["User"],
                    }))),
                    attribute("type", "Always User.", fixed(json!({ "canonicalValues": ["User"] }))),
                ],
            }),
        ),
    ]
}
