//! Applications that sign people in with this house.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use identity::provider::jose::Algorithm;
use identity::provider::{self, ClientId, RedirectUri};
use identity::{DisplayName, UnixMs};
use protocol::ErrorCode;
use protocol::http::admin::{Client, ClientCreated, Clients, CreateClient};

use crate::http::State;
use crate::http::administrator::Administrator;
use crate::http::error::ApiResult;
use crate::http::guard::JsonBody;
use crate::oidc::registry::{self, Registration};
use crate::store::clients;

const MOST_ADDRESSES: usize = 50;

#[utoipa::path(get, path = "/clients",
    responses((status = 200, description = "In the order of their registration.", body = Clients)))]
pub async fn list(app: State, _: Administrator) -> ApiResult<Json<Clients>> {
    let clients = clients::all(&app.db).await?.into_iter();
    Ok(Json(Clients {
        clients: clients
            .map(|(client, created)| shown(client, created))
            .collect(),
    }))
}

#[utoipa::path(post, path = "/clients", request_body = CreateClient,
    responses((status = 200, description = "With its secret, told this once.", body = ClientCreated)))]
pub async fn create(
    app: State,
    administrator: Administrator,
    JsonBody(body): JsonBody<CreateClient>,
) -> ApiResult<Json<ClientCreated>> {
    if body.redirect_uris.is_empty() {
        return Err(ErrorCode::AddressInvalid.into());
    }
    let new = Registration {
        name: DisplayName::parse(&body.name)?,
        redirect_uris: addresses(&body.redirect_uris, body.public)?,
        post_logout_uris: addresses(&body.post_logout_uris, body.public)?,
        public: body.public,
        trusted: body.trusted,
        algorithm: Algorithm::Rs256,
    };
    let made = registry::register(&app.db, &administrator.actor, new).await?;
    Ok(Json(ClientCreated {
        client: shown(made.client, made.created),
        secret: made.secret.map(|secret| secret.expose().to_owned()),
    }))
}

#[utoipa::path(delete, path = "/clients/{id}", params(("id" = String, Path)),
    responses((status = 204, description = "What it was ever given is worth nothing any more.")))]
pub async fn remove(
    app: State,
    administrator: Administrator,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    if !registry::remove(&app.db, &administrator.actor, ClientId(id)).await? {
        return Err(ErrorCode::NotFound.into());
    }
    Ok(StatusCode::NO_CONTENT)
}

fn addresses(texts: &[String], public: bool) -> ApiResult<Vec<RedirectUri>> {
    if texts.len() > MOST_ADDRESSES {
        return Err(ErrorCode::TooLarge.into());
    }
    let parsed = texts.iter().map(|text| RedirectUri::parse(text, public));
    let parsed: Result<_, _> = parsed.collect();
    parsed.map_err(|_| ErrorCode::AddressInvalid.into())
}

fn shown(client: provider::Client, created: UnixMs) -> Client {
    let texts = |uris: &[RedirectUri]| uris.iter().map(|uri| uri.as_str().to_owned()).collect();
    Client {
        public: client.secret.is_none(),
        trusted: client.trusted,
        redirect_uris: texts(&client.redirect_uris),
        post_logout_uris: texts(&client.post_logout_uris),
        id: client.id.0,
        name: client.name,
        created_ms: created,
    }
}
