//! What administrators, machines and the command line changed: one line each, written with the change.

use protocol::UserId;

use crate::chance;
use crate::store::audit::{self, Entry};
use crate::store::{self, Db};

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    Person(UserId),
    Token(String),
    /// The command line, or the server by itself.
    House,
}

impl Actor {
    /// Who it is, if it is somebody.
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::Person(user) => Some(user),
            Self::Token(_) | Self::House => None,
        }
    }

    /// As it is stored.
    pub fn key(&self) -> String {
        match self {
            Self::Person(user) => format!("user:{user}"),
            Self::Token(token) => format!("token:{token}"),
            Self::House => "stube".to_owned(),
        }
    }
}

/// `action`: stable, `person.created`. `subject`: `user:<id>`, `client:<id>`, … or empty. `details`: keys and values in
/// words, never a secret, and of people no more than ids.
pub async fn record(
    db: &Db,
    actor: &Actor,
    action: &'static str,
    subject: &str,
    details: &str,
) -> store::Result<()> {
    tracing::info!(actor = %actor.key(), action, subject, "audit");
    audit::add(
        db,
        &chance::id(),
        chance::unix_ms(),
        &actor.key(),
        action,
        subject,
        details,
    )
    .await
}

/// Who did it, for people to read: a name as it is now. Of somebody who was deleted nothing is left to say.
pub fn by(entry: &Entry) -> &str {
    match (&entry.actor_name, entry.actor.split_once(':')) {
        (Some(name), _) => name,
        (None, Some(("user", _))) => "",
        (None, Some((_, id))) => id,
        (None, None) => &entry.actor,
    }
}

/// What it was done to: a name as it is now, else an id.
pub fn subject(entry: &Entry) -> &str {
    let id = entry.subject.split_once(':').map(|(_, id)| id);
    let name = entry.subject_name.as_deref();
    name.or(id).unwrap_or(&entry.subject)
}
