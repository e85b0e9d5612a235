//! Bearer tokens of machines are made and taken back here, by whomever, and the audit log says so.

use identity::administration::{Scope, TokenLife};
use identity::{DisplayName, Secret};
use protocol::UserId;

use crate::audit::{self, Actor};
use crate::chance;
use crate::store::tokens::{self, NewToken, StoredToken};
use crate::store::{self, Db};

/// What a token begins with, so that those who look for secrets in the wrong places find it.
const PREFIX: &str = "stube_";

/// `None` if it cannot be a token.
pub fn secret_of(token: &str) -> Option<Secret> {
    token.strip_prefix(PREFIX).and_then(Secret::parse)
}

/// The token as it is listed, and what the machine has to bring: known to nobody any more once it was told.
pub async fn create(
    db: &Db,
    actor: &Actor,
    name: &DisplayName,
    scopes: &[Scope],
    life: Option<TokenLife>,
) -> store::Result<(StoredToken, String)> {
    let (id, secret, created) = (chance::id(), chance::secret(), chance::unix_ms());
    let made_by: Option<&UserId> = match actor {
        Actor::Person(user) => Some(user),
        Actor::Token(_) | Actor::House => None,
    };
    let new = NewToken {
        id: &id,
        name: name.as_str(),
        secret: secret.hash(),
        scopes,
        made_by,
        created,
        expires: life.map(|life| life.end(created)),
    };
    let token = tokens::create(db, &new).await?;
    let words: Vec<_> = scopes.iter().map(|scope| scope.word()).collect();
    let subject = format!("token:{id}");
    audit::record(db, actor, "token.created", &subject, &words.join(" ")).await?;
    Ok((token, format!("{PREFIX}{}", secret.expose())))
}

/// `false` if there was none.
pub async fn remove(db: &Db, actor: &Actor, id: &str) -> store::Result<bool> {
    let removed = tokens::remove(db, id).await?;
    if let Some(name) = &removed {
        let subject = format!("token:{id}");
        audit::record(db, actor, "token.removed", &subject, name).await?;
    }
    Ok(removed.is_some())
}
