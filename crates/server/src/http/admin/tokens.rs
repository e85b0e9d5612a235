//! Bearer tokens of machines, made and taken back by administrators in person: a machine that could make tokens would
//! never have to go.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use identity::DisplayName;
use identity::administration::{Scope, TokenLife};
use protocol::ErrorCode;
use protocol::http::admin::{CreateToken, Token, TokenCreated, TokenScope, Tokens};

use crate::http::State;
use crate::http::administrator::AdministratorSession;
use crate::http::error::ApiResult;
use crate::http::guard::JsonBody;
use crate::machines;
use crate::store::tokens::{self, StoredToken};

#[utoipa::path(get, path = "/tokens", security(("session" = [])), responses((status = 200, description = "All of them, expired ones too.", body = Tokens)))]
pub async fn list(app: State, _: AdministratorSession) -> ApiResult<Json<Tokens>> {
    let tokens = tokens::all(&app.db).await?;
    Ok(Json(Tokens {
        tokens: tokens.into_iter().map(shown).collect(),
    }))
}

#[utoipa::path(post, path = "/tokens", security(("session" = [])), request_body = CreateToken,
    responses((status = 200, description = "With its secret, told this once.", body = TokenCreated)))]
pub async fn create(
    app: State,
    administrator: AdministratorSession,
    JsonBody(body): JsonBody<CreateToken>,
) -> ApiResult<Json<TokenCreated>> {
    let name = DisplayName::parse(&body.name)?;
    let scopes = scopes(&body.scopes);
    if scopes.is_empty() {
        return Err(ErrorCode::Malformed.into());
    }
    let life = body.life_ms.map(TokenLife::parse);
    let life = life
        .map(|life| life.ok_or(ErrorCode::Malformed))
        .transpose()?;
    let (token, secret) =
        machines::create(&app.db, &administrator.actor, &name, &scopes, life).await?;
    Ok(Json(TokenCreated {
        token: shown(token),
        secret,
    }))
}

#[utoipa::path(delete, path = "/tokens/{id}", security(("session" = [])), params(("id" = String, Path)),
    responses((status = 204, description = "It is worth nothing any more.")))]
pub async fn remove(
    app: State,
    administrator: AdministratorSession,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    if !machines::remove(&app.db, &administrator.actor, &id).await? {
        return Err(ErrorCode::NotFound.into());
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Each once, in the order in which they are read.
fn scopes(asked: &[TokenScope]) -> Vec<Scope> {
    let wanted: Vec<_> = asked
        .iter()
        .map(|scope| match scope {
            TokenScope::Read => Scope::Read,
            TokenScope::Write => Scope::Write,
            TokenScope::Scim => Scope::Scim,
        })
        .collect();
    Scope::ALL
        .into_iter()
        .filter(|scope| wanted.contains(scope))
        .collect()
}

fn shown(token: StoredToken) -> Token {
    let scopes = token.scopes.iter().map(|scope| match scope {
        Scope::Read => TokenScope::Read,
        Scope::Write => TokenScope::Write,
        Scope::Scim => TokenScope::Scim,
    });
    Token {
        scopes: scopes.collect(),
        id: token.id,
        name: token.name,
        by: token.made_by.unwrap_or_default(),
        created_ms: token.created,
        expires_ms: token.expires,
        used_ms: token.used,
    }
}
