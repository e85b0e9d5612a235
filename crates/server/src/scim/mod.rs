//! SCIM 2.0 (RFC 7643 and 7644) under `/scim/v2`: another system makes people, locks them and keeps their groups.
//!
//! It sees and changes whom it made and nobody else; a username that somebody of the house, of LDAP or of a provider has
//! is a conflict. Groups are everybody's: it reads all by name and says only for its own people who is in them.

mod discovery;
mod error;
mod groups;
mod path;
mod people;
mod person;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use identity::UnixMs;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::audit::Actor;
use crate::http::Shared;
use crate::http::administrator::Machine;
use error::{ScimError, ScimResult};

const PREFIX: &str = "/scim/v2";
const KIND: &str = "application/scim+json";
/// A group of some ten thousand people.
const BODY_BYTES: usize = 1024 * 1024;
/// What one answer lists.
const PAGE: u32 = 100;
const MOST: u32 = 200;

/// For the root of the server's addresses.
pub fn routes() -> Router<Shared> {
    let routes = Router::new()
        .route("/ServiceProviderConfig", get(discovery::config))
        .route("/ResourceTypes", get(discovery::resource_types))
        .route("/ResourceTypes/{id}", get(discovery::resource_type))
        .route("/Schemas", get(discovery::schemas))
        .route("/Schemas/{id}", get(discovery::schema))
        .route("/Users", get(people::list).post(people::create))
        .route(
            "/Users/{id}",
            get(people::read)
                .put(people::put)
                .patch(people::patch)
                .delete(people::remove),
        )
        .route("/Groups", get(groups::list).post(groups::create))
        .route(
            "/Groups/{id}",
            get(groups::read)
                .put(groups::put)
                .patch(groups::patch)
                .delete(groups::remove),
        )
        .method_not_allowed_fallback(async || ScimError::method_not_allowed())
        .fallback(async || ScimError::not_found())
        .layer(DefaultBodyLimit::max(BODY_BYTES));
    Router::new().nest(PREFIX, routes)
}

/// Addresses under which there is no page of the app.
pub fn owns(path: &str) -> bool {
    path.starts_with("/scim/")
}

/// Where resources are.
fn base(app: &App) -> String {
    format!("{}{PREFIX}", app.origins.base())
}

/// A machine with the right token; nobody else gets past this.
pub struct Provisioner(pub Actor);

impl FromRequestParts<Shared> for Provisioner {
    type Rejection = ScimError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> ScimResult<Self> {
        let machine = Machine::from_request_parts(parts, app).await?;
        Ok(Self(machine.actor))
    }
}

/// What a request brings.
pub struct Body(pub Value);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ScimError;

    async fn from_request(request: Request, state: &S) -> ScimResult<Self> {
        let wrong = || ScimError::invalid_syntax("the body is no JSON");
        if !is_json(request.headers()) {
            return Err(wrong());
        }
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error: BytesRejection| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ScimError::too_large(),
            _ => wrong(),
        })?;
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|_| wrong())
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    [KIND, "application/json"]
        .iter()
        .any(|good| essence.eq_ignore_ascii_case(good))
}

/// What a request asks for beside a resource.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Asked {
    filter: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = ScimError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ScimResult<Self> {
        let asked = Query::<Self>::from_request_parts(parts, state).await;
        let wrong = |_: QueryRejection| ScimError::invalid_value("the query cannot be read");
        asked.map(|Query(asked)| asked).map_err(wrong)
    }
}

impl Asked {
    /// Counted from 1.
    fn start(&self) -> u32 {
        u32::try_from(self.start_index.unwrap_or(1).max(1)).unwrap_or(u32::MAX)
    }

    fn offset(&self) -> u32 {
        self.start() - 1
    }

    fn count(&self) -> u32 {
        let count = self.count.unwrap_or(PAGE.into()).clamp(0, MOST.into());
        u32::try_from(count).unwrap_or(MOST)
    }

    /// Whether an attribute is to be in the answer; these are always.
    fn wants(&self, attribute: &str) -> bool {
        let names = |list: &str| {
            list.split(',').any(|name| {
                let name = path::Path::parse(name).map(|path| path.attribute);
                name.is_ok_and(|name| name.eq_ignore_ascii_case(attribute))
            })
        };
        let always = ["schemas", "id"].contains(&attribute);
        always
            || match (&self.attributes, &self.excluded_attributes) {
                (Some(wanted), _) => names(wanted),
                (None, Some(unwanted)) => !names(unwanted),
                (None, None) => true,
            }
    }

    fn cut(&self, mut resource: Value) -> Value {
        if let Some(resource) = resource.as_object_mut() {
            resource.retain(|attribute, _| self.wants(attribute));
        }
        resource
    }

    fn list(&self, total: u64, resources: Vec<Value>) -> Response {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": total,
            "startIndex": self.start(),
            "itemsPerPage": resources.len(),
            "Resources": resources,
        });
        scim_json(StatusCode::OK, &body)
    }
}

fn scim_json(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, KIND)];
    (status, kind, body.to_string()).into_response()
}

/// With its address.
fn created(resource: &Value) -> Response {
    let mut response = scim_json(StatusCode::CREATED, resource);
    let location = resource["meta"]["location"].as_str().unwrap_or_default();
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// As RFC 3339 writes it, in UTC.
fn date_time(ms: UnixMs) -> String {
    let (days, of_day) = (ms / 86_400_000, ms % 86_400_000);
    // From days to a date after Howard Hinnant's `civil_from_days`: years begin in March.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (
        of_day / 3_600_000,
        of_day / 60_000 % 60,
        of_day / 1_000 % 60,
    );
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        of_day % 1_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        for (ms, expect) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_000, "2024-02-29T23:59:59.000Z"),
            (1_795_644_885_042, "2026-11-25T22:14:45.042Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(date_time(ms), expect);
        }
    }

    #[test]
    fn answers_have_the_attributes_that_were_asked_for() {
        let check = |attributes: Option<&str>, excluded: Option<&str>, expect: &str| {
            let asked = Asked {
                attributes: attributes.map(str::to_owned),
                excluded_attributes: excluded.map(str::to_owned),
                ..Asked::default()
            };
            let resource =
                json!({"schemas": [], "id": "1", "userName": "a", "name": {}, "emails": []});
            let cut = asked.cut(resource);
            let mut names: Vec<_> = cut
                .as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect();
            names.sort();
            assert_eq!(names.join(" "), expect);
        };
        check(None, None, "emails id name schemas userName");
        check(
            Some("username, emails.value"),
            None,
            "emails id schemas userName",
        );
        check(None, Some("name,id"), "emails id schemas userName");
        check(
            Some("urn:ietf:params:scim:schemas:core:2.0:User:name"),
            None,
            "id name schemas",
        );
    }
}
