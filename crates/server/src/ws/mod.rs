//! The WebSocket: origin, ticket, and messages in and out.

use protocol::ErrorCode;

use crate::http::error::ApiError;

pub async fn socket() -> ApiError {
    ErrorCode::Unavailable.into()
}
