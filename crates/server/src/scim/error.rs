//! Refusals as SCIM words them (RFC 7644, section 3.12).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::scim_json;
use crate::http::error::ApiError;
use crate::store::StoreError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScimError {
    status: StatusCode,
    kind: Option<&'static str>,
    detail: String,
}

pub type ScimResult<T> = Result<T, ScimError>;

impl ScimError {
    fn new(status: StatusCode, kind: Option<&'static str>, detail: &str) -> Self {
        Self {
            status,
            kind,
            detail: detail.to_owned(),
        }
    }

    pub fn invalid_value(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some("invalidValue"), detail)
    }

    pub fn invalid_syntax(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some("invalidSyntax"), detail)
    }

    pub fn invalid_path(path: &str) -> Self {
        let detail = format!("the path {path} cannot be read");
        Self::new(StatusCode::BAD_REQUEST, Some("invalidPath"), &detail)
    }

    pub fn invalid_filter() -> Self {
        let detail = "one attribute and `eq` is all that can be filtered by";
        Self::new(StatusCode::BAD_REQUEST, Some("invalidFilter"), detail)
    }

    pub fn no_target() -> Self {
        let detail = "what is to be removed has to be named";
        Self::new(StatusCode::BAD_REQUEST, Some("noTarget"), detail)
    }

    /// It is there and cannot be another.
    pub fn mutability(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Some("mutability"), detail)
    }

    pub fn uniqueness(detail: &str) -> Self {
        Self::new(StatusCode::CONFLICT, Some("uniqueness"), detail)
    }

    /// Somebody else has a say in it.
    pub fn conflict(detail: &str) -> Self {
        Self::new(StatusCode::CONFLICT, Some("mutability"), detail)
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, None, "there is no such resource")
    }

    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, None, "not this method")
    }

    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, None, "the body is too large")
    }
}

impl From<ApiError> for ScimError {
    fn from(error: ApiError) -> Self {
        let status = error.into_response().status();
        let detail = match status {
            StatusCode::UNAUTHORIZED => "a bearer token with scope scim is needed",
            StatusCode::FORBIDDEN => "this token has not the scope scim",
            StatusCode::CONFLICT => "the house needs an administrator who can sign in",
            StatusCode::NOT_FOUND => "there is no such resource",
            _ => "not now",
        };
        Self::new(status, None, detail)
    }
}

impl From<StoreError> for ScimError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken => Self::uniqueness("another one has this name"),
            other => ApiError::from(other).into(),
        }
    }
}

impl IntoResponse for ScimError {
    fn into_response(self) -> Response {
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": self.status.as_str(),
            "detail": self.detail,
        });
        if let Some(kind) = self.kind {
            body["scimType"] = kind.into();
        }
        let mut response = scim_json(self.status, &body);
        if self.status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}
