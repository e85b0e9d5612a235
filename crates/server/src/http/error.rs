//! The one place where errors become HTTP answers.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::{MailError, NameError, PasswordError};
use protocol::ErrorCode;
use protocol::http::HttpError;

use crate::chance;
use crate::store::StoreError;

/// When to come again if we cannot know better.
const SOON: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    body: HttpError,
}

pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    fn new(code: ErrorCode) -> Self {
        Self {
            status: status(code),
            body: HttpError {
                code,
                retry_after_ms: None,
                reference: None,
            },
        }
    }

    pub fn retry(code: ErrorCode, after: Duration) -> Self {
        let mut error = Self::new(code);
        error.body.retry_after_ms =
            Some(u64::try_from(after.as_millis()).unwrap_or(u64::MAX).max(1));
        error
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// As `Retry-After` has it: whole seconds, and never too few.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.body.retry_after_ms.map(|ms| ms.div_ceil(1000))
    }

    /// What the log has of it, too.
    pub fn reference(&self) -> Option<&str> {
        self.body.reference.as_deref()
    }

    /// A bug of ours: what is logged carries the reference that the person sees.
    pub fn internal(what: &dyn std::fmt::Display) -> Self {
        let reference = chance::id();
        tracing::error!(%reference, "{what}");
        let mut error = Self::new(ErrorCode::Internal);
        error.body.reference = Some(reference);
        error
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

impl From<NameError> for ApiError {
    fn from(_: NameError) -> Self {
        ErrorCode::NameInvalid.into()
    }
}

impl From<MailError> for ApiError {
    fn from(_: MailError) -> Self {
        ErrorCode::MailInvalid.into()
    }
}

impl From<PasswordError> for ApiError {
    fn from(_: PasswordError) -> Self {
        ErrorCode::PasswordInvalid.into()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken => ErrorCode::NameTaken.into(),
            StoreError::Unavailable(ref error) => {
                tracing::warn!(%error, "the database does not answer");
                Self::retry(ErrorCode::Unavailable, SOON)
            }
            StoreError::Broken(_) => Self::internal(&error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let wait = self.retry_after_seconds();
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(seconds) = wait {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Malformed
        | ErrorCode::UnknownType
        | ErrorCode::UnsupportedVersion
        | ErrorCode::NameInvalid
        | ErrorCode::PasswordInvalid
        | ErrorCode::MailInvalid
        | ErrorCode::ImageInvalid
        | ErrorCode::AddressInvalid
        | ErrorCode::TimeInvalid
        | ErrorCode::SdpInvalid => StatusCode::BAD_REQUEST,
        ErrorCode::SignInRequired
        | ErrorCode::WrongCredentials
        | ErrorCode::WrongCode
        | ErrorCode::PasskeyInvalid => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden
        | ErrorCode::NotOwner
        | ErrorCode::GuestsNotAllowed
        | ErrorCode::NotAdmitted
        | ErrorCode::CannotBeCalled => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::InCall
        | ErrorCode::CallOver
        | ErrorCode::NameTaken
        | ErrorCode::ManagedElsewhere
        | ErrorCode::LastAdmin
        | ErrorCode::NotInRoom
        | ErrorCode::AlreadyInRoom
        | ErrorCode::RoomFull
        | ErrorCode::TooMany
        | ErrorCode::NoMediaConnection => StatusCode::CONFLICT,
        ErrorCode::SetupLinkInvalid | ErrorCode::LinkInvalid => StatusCode::GONE,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Unavailable | ErrorCode::Restarting => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
