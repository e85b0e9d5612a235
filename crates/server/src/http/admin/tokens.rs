//! Bearer tokens of machines, made and taken back by administrators in person: a machine that could make tokens would
//! never have to go.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use identity::DisplayName;
use identity::administration::{Scope, TokenLife};
use protocol::ErrorCode;
use protocol::http::admin::{CreateToken, Token, TokenCreated, TokenScope, Tokens};

use crate::audit;
use crate::chance;
use crate::http::State;
use crate::http::administrator::{AdministratorSession, PREFIX};
use crate::http::error::ApiResult;
use crate::http::guard::JsonBody;
use crate::store::tokens::{self, NewToken, StoredToken};

#[utoipa::path(get, path = "/tokens", responses((status = 200, description = "All of them, expired ones too.", body = Tokens)))]
pub async fn list(app: State, _: AdministratorSession) -> ApiResult<Json<Tokens>> {
    let tokens = tokens::all(&app.db).await?;
    Ok(Json(Tokens {
        tokens: tokens.into_iter().map(shown).collect(),
    }))
}

#[utoipa::path(post, path = "/tokens", request_body = CreateToken,
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
    let (id, secret, now) = (chance::id(), chance::secret(), chance::unix_ms());
    let new = NewToken {
        id: &id,
        name: name.as_str(),
        secret: secret.hash(),
        scopes: &scopes,
        made_by: Some(&administrator.user),
        created: now,
        expires: life.map(|life| life.end(now)),
    };
    tokens::create(&app.db, &new).await?;
    let words: Vec<_> = scopes.iter().map(|scope| scope.word()).collect();
    audit::record(
        &app.db,
        &administrator.actor,
        "token.created",
        &format!("token:{id}"),
        &words.join(" "),
    )
    .await?;
    let made = tokens::by_id(&app.db, &id)
        .await?
        .ok_or(ErrorCode::NotFound)?;
    Ok(Json(TokenCreated {
        token: shown(made),
        secret: format!("{PREFIX}{}", secret.expose()),
    }))
}

#[utoipa::path(delete, path = "/tokens/{id}", params(("id" = String, Path)),
    responses((status = 204, description = "It is worth nothing any more.")))]
pub async fn remove(
    app: State,
    administrator: AdministratorSession,
    Path(id): Path<String>,
) -> ApiResult<StatusCode> {
    if !tokens::remove(&app.db, &id).await? {
        return Err(ErrorCode::NotFound.into());
    }
    let subject = format!("token:{id}");
    audit::record(&app.db, &administrator.actor, "token.removed", &subject, "").await?;
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
