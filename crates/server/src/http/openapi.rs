//! The description of everything under `/api/v1`, made from the routes themselves: `GET /api/v1/openapi.json`. The same stands
//! in `docs/openapi.json` (`cargo xtask codegen`). Holds no secret, so everybody may read it.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use protocol::ErrorCode;
use protocol::http::HttpError;
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use super::{Shared, admin, routes};

const DESCRIPTION: &str = "Video meetings in your own house. Errors are `HttpError` with the status of their code. \
    Absent means missing, never `null`; times are Unix milliseconds. What changes something takes JSON, unless it says \
    otherwise, and comes from a page of the house or from a program (then without `Origin`). \
    Routes may be added within this version, and fields to what is answered.";

#[derive(OpenApi)]
#[openapi(
    info(title = "Stube", description = DESCRIPTION),
    components(schemas(HttpError, ErrorCode))
)]
struct Frame;

static DOCUMENT: LazyLock<String> = LazyLock::new(document);

#[utoipa::path(get, path = "/openapi.json", tag = "house", security(()), responses((status = 200, description = "This description.", body = Object)))]
pub async fn read() -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, DOCUMENT.as_str()).into_response()
}

fn document() -> String {
    let frame: OpenApiRouter<Shared> = OpenApiRouter::with_openapi(Frame::openapi());
    let described = frame
        .nest("/api/v1", routes(admin::routes()))
        .into_openapi();
    let mut document = serde_json::to_value(described).unwrap_or_default();
    without_null(&mut document);
    if let Some(components) = document["components"].as_object_mut() {
        components.insert("securitySchemes".to_owned(), security_schemes());
    }
    for (path, operations) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            operation["operationId"] = id(method, path).into();
            finish(path, operation);
        }
    }
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn security_schemes() -> Value {
    json!({
        "session": {
            "type": "apiKey", "in": "cookie", "name": "__Host-stube",
            "description": "Somebody signed in. Over plain HTTP, which there is on localhost only, it is called `stube`."
        },
        "token": {
            "type": "http", "scheme": "bearer",
            "description": "A machine's token, with scope `read` for GET and `write` for the rest."
        },
        "grant": {
            "type": "http", "scheme": "bearer",
            "description": "What a guest holds, for one room."
        }
    })
}

/// `get_admin_people_id`: unlike the names of our functions, none stands twice.
fn id(method: &str, path: &str) -> String {
    let parts = path.trim_start_matches("/api/v1/").split('/');
    let words = parts.map(|part| part.trim_matches(['{', '}']).replace(['.', '-'], "_"));
    std::iter::once(method.to_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join("_")
}

/// What holds of all operations, and of all that administer.
fn finish(path: &str, operation: &mut Value) {
    operation["responses"]["default"] = json!({
        "description": "A refusal.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HttpError"}}}
    });
    let (tag, who) = if path.starts_with("/api/v1/admin/") {
        ("administration", json!([{"session": []}, {"token": []}]))
    } else if path == "/api/v1/account" || path.starts_with("/api/v1/account/") {
        ("account", json!([{"session": []}]))
    } else {
        return;
    };
    operation["tags"] = json!([tag]);
    // What says so itself is for others, as some of the administration is for people only.
    if operation["security"].is_null() {
        operation["security"] = who;
    }
}

/// Nothing of ours is ever `null`: what may be absent is not required, and that says it all.
fn without_null(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(fields) => {
            fields.values_mut().for_each(without_null);
            if let Some(Value::Array(types)) = fields.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = fields.get_mut("oneOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    fields.remove("oneOf");
                    // A description beside stands for this one use.
                    for (key, value) in only {
                        fields.entry(key).or_insert(value);
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_description_is_the_one_that_is_served() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        if std::env::var_os("STUBE_UPDATE").is_some() {
            std::fs::write(file, document()).expect("the file is written");
        }
        let written = std::fs::read_to_string(file).unwrap_or_default();
        assert!(
            written == document(),
            "docs/openapi.json is not what the routes make: run `cargo xtask codegen`"
        );
    }

    #[test]
    fn every_route_is_described_and_says_who_may_come_and_what_it_answers() {
        let sources = [
            include_str!("mod.rs")
                .split_once("\nfn routes(")
                .expect("the routes")
                .1,
            include_str!("admin/mod.rs"),
        ];
        for source in sources {
            let source = source.split("\n}\n").next().expect("a function");
            assert!(
                !source.contains(".route("),
                "without a description: {source}"
            );
        }
        let document: Value = serde_json::from_str(&document()).expect("JSON");
        let mut ids = std::collections::BTreeSet::new();
        for (path, operations) in document["paths"].as_object().expect("paths") {
            for (method, operation) in operations.as_object().expect("operations") {
                let at = format!("{method} {path}");
                for field in ["tags", "security"] {
                    let list = operation[field].as_array();
                    assert!(list.is_some_and(|list| !list.is_empty()), "{at}: {field}");
                }
                let answers = operation["responses"].as_object().expect("answers");
                assert!(answers.len() > 1, "{at}: nothing but refusals");
                let in_words = |answer: &Value| {
                    let text = answer["description"].as_str();
                    text.is_some_and(|text| !text.is_empty())
                };
                assert!(answers.values().all(in_words), "{at}: answers in words");
                let id = operation["operationId"].as_str().expect("an id");
                assert!(ids.insert(id.to_owned()), "{at}: {id} stands twice");
                for name in path.split('/').filter_map(|part| part.strip_prefix('{')) {
                    let name = name.trim_end_matches('}');
                    let named = operation["parameters"].as_array().expect("parameters");
                    assert!(named.iter().any(|one| one["name"] == name), "{at}: {name}");
                }
            }
        }
        for reference in references(&document) {
            let found = reference
                .strip_prefix('#')
                .and_then(|at| document.pointer(at));
            assert!(found.is_some(), "{reference} leads nowhere");
        }
    }

    fn references(value: &Value) -> Vec<String> {
        match value {
            Value::Array(items) => items.iter().flat_map(references).collect(),
            Value::Object(fields) => {
                let own = fields
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map(str::to_owned);
                let inner = fields.values().flat_map(references);
                own.into_iter().chain(inner).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn what_may_be_absent_is_never_null() {
        let mut value = json!({
            "a": {"type": ["string", "null"]},
            "b": {"description": "here", "oneOf": [{"type": "null"}, {"$ref": "#/x"}]},
            "c": {"oneOf": [{"$ref": "#/x"}, {"$ref": "#/y"}]},
        });
        without_null(&mut value);
        assert_eq!(
            value,
            json!({
                "a": {"type": "string"},
                "b": {"description": "here", "$ref": "#/x"},
                "c": {"oneOf": [{"$ref": "#/x"}, {"$ref": "#/y"}]},
            })
        );
    }
}
