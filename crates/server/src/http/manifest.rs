//! `GET /manifest.webmanifest`: what browsers install. The build has one per language; the house's own name is put in here.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::ErrorCode;
use rust_embed::RustEmbed;
use serde_json::{Map, Value};

use super::State;
use super::error::{ApiError, ApiResult};
use crate::languages;
use crate::web::Web;

/// What fits under an icon; what is longer is cut by every home screen in its own way.
const SHORT_NAME_CHARACTERS: usize = 12;

pub async fn read(app: State, headers: HeaderMap) -> ApiResult<Response> {
    let language = languages::preferred(&headers);
    let file = Web::get(&format!("manifest.{language}.webmanifest"));
    let file = file.ok_or(ErrorCode::NotFound)?;
    let manifest = serde_json::from_slice(&file.data)
        .map_err(|error| ApiError::internal(&format!("the manifest of the build: {error}")))?;
    let manifest = named(manifest, &app.settings.get().name);
    let kept = [
        (header::CONTENT_TYPE, "application/manifest+json"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "accept-language"),
    ];
    Ok((StatusCode::OK, kept, Value::Object(manifest).to_string()).into_response())
}

fn named(mut manifest: Map<String, Value>, house: &str) -> Map<String, Value> {
    manifest.insert("name".to_owned(), house.into());
    if house.chars().count() <= SHORT_NAME_CHARACTERS {
        manifest.insert("short_name".to_owned(), house.into());
    }
    manifest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_gives_its_name_and_a_long_one_stays_stube_under_the_icon() {
        for (house, short) in [("Verein", "Verein"), ("Kirchengemeinde", "Stube")] {
            let built = [("name", "Stube"), ("short_name", "Stube"), ("id", "/")];
            let built = built.map(|(key, value)| (key.to_owned(), value.into()));
            let manifest = named(Map::from_iter(built), house);
            assert_eq!(manifest["name"], house);
            assert_eq!(manifest["short_name"], short);
            assert_eq!(manifest["id"], "/");
        }
    }
}
