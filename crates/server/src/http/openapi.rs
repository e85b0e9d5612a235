//! The description of everything under `/api/v1`, made from the routes themselves: `GET /api/v1/openapi.json`. The same stands
//! in `docs/openapi.json` (`cargo xtask codegen`). Holds no secret, so everybody may read it.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use protocol::ErrorCode;
use protocol::http::HttpError;
use serde_json::{Map, Value, json};
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

#[utoipa::path(get, path = "/openapi.json", responses((status = 200, description = "This description.", body = Object)))]
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
        for operation in operations
            .as_object_mut()
            .into_iter()
            .flat_map(Map::values_mut)
        {
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

/// What holds of all operations, and of all that administer.
fn finish(path: &str, operation: &mut Value) {
    operation["responses"]["default"] = json!({
        "description": "A refusal.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HttpError"}}}
    });
    if path.starts_with("/api/v1/admin/") {
        operation["tags"] = json!(["administration"]);
        let anybody = json!([{"session": []}, {"token": []}]);
        // What says so itself is for people only.
        if operation["security"].is_null() {
            operation["security"] = anybody;
        }
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
