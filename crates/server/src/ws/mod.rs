//! The WebSocket: the door (origin, ticket), and one task per socket. Turns frames into inputs and outputs into frames;
//! decides nothing about people or media.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod conversation;
mod entering;
pub mod outbound;
mod people;
pub mod rate;
mod socket;
pub mod sockets;

use std::time::{Duration, Instant};

use axum::extract::rejection::QueryRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use protocol::{ErrorCode, limits};
use serde::Deserialize;
use tracing::Instrument;

use crate::chance;
use crate::http::Shared;
use crate::http::error::ApiError;
use crate::principal::Principal;
use crate::returns::Return;
use crate::store::{self, sessions, users};

use conversation::Conversation;
use outbound::Outbound;
use socket::Socket;

/// Read whole, so that a message somewhat over the limit is answered with the right code and not with a broken connection.
const READ_BYTES: usize = 2 * limits::OFFER_BYTES;
/// Of each socket, all the time; most messages are short.
const BUFFER_BYTES: usize = 2 * 1024;

#[derive(Deserialize)]
pub struct Door {
    #[serde(default)]
    ticket: String,
}

/// Nothing is spent on a request that is no upgrade or comes from another site's page.
#[utoipa::path(get, path = "/socket", tag = "rooms", params(("ticket" = String, Query)), security(()),
    responses((status = 101, description = "A WebSocket that speaks docs/protocol.md. Only from the house's own origin.")))]
pub async fn socket(
    State(app): State<Shared>,
    door: Result<Query<Door>, QueryRejection>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let (Ok(upgrade), Ok(Query(Door { ticket }))) = (upgrade, door) else {
        return ApiError::from(ErrorCode::Malformed).into_response();
    };
    if !app.origins.allows(&headers) {
        return ApiError::from(ErrorCode::Forbidden).into_response();
    }
    let principal = match principal_of(&app, &ticket).await {
        Ok(Some(principal)) => principal,
        Ok(None) => return ApiError::from(ErrorCode::SignInRequired).into_response(),
        Err(error) => return ApiError::from(error).into_response(),
    };
    let outbound = Outbound::default();
    let place = app.rooms.sockets().open(&principal, outbound.clone());
    // Asked once the socket is in the list: whatever ends the session from now on finds it there.
    match sessions::is_there(&app.db, &principal.session).await {
        Ok(true) => {}
        Ok(false) => return ApiError::from(ErrorCode::SignInRequired).into_response(),
        Err(error) => return ApiError::from(error).into_response(),
    }
    let upgrade = upgrade
        .max_message_size(READ_BYTES)
        .max_frame_size(READ_BYTES);
    let upgrade = upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES);
    let span = tracing::info_span!("socket", socket = place.socket, session = %principal.session);
    let talk = async move |stream| {
        let expires = tokio::time::Instant::now() + life(&principal);
        let (_back, ticket) = Return::of(&app, &principal).unzip();
        let conversation =
            Conversation::new(principal, app, place.socket, outbound.clone(), ticket);
        Socket {
            stream,
            conversation,
            outbound,
            place,
            expires,
        }
        .run()
        .await;
    };
    upgrade.on_upgrade(|stream| talk(stream).instrument(span))
}

/// Whose ticket it is. Somebody who comes back may have another name by now.
async fn principal_of(app: &Shared, ticket: &str) -> store::Result<Option<Principal>> {
    let now = Instant::now();
    if let Some(fresh) = app.tickets.redeem(now, ticket) {
        return Ok(Some(fresh));
    }
    let Some(mut back) = app.returns.redeem(now, ticket) else {
        return Ok(None);
    };
    if let Some(user) = back.user() {
        let Some(account) = users::by_id(&app.db, user).await? else {
            return Ok(None);
        };
        back.name = account.name;
    }
    Ok(Some(back))
}

fn life(principal: &Principal) -> Duration {
    Duration::from_millis(principal.expires.saturating_sub(chance::unix_ms()))
}
