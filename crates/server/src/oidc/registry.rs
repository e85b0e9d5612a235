//! Applications are registered and removed here, by whomever, and the audit log says so.

use identity::provider::client::ClientSecretHash;
use identity::provider::jose::Algorithm;
use identity::provider::{Client, ClientId, RedirectUri};
use identity::{DisplayName, Secret, UnixMs};

use crate::audit::{self, Actor};
use crate::chance;
use crate::store::{self, Db, clients};

/// What is said at registration, already read.
#[derive(Debug)]
pub struct Registration {
    pub name: DisplayName,
    pub redirect_uris: Vec<RedirectUri>,
    pub post_logout_uris: Vec<RedirectUri>,
    /// Runs where a secret cannot be kept.
    pub public: bool,
    /// Belongs to the house: nobody is asked.
    pub trusted: bool,
    pub algorithm: Algorithm,
}

#[derive(Debug)]
pub struct Registered {
    pub client: Client,
    pub created: UnixMs,
    /// Only hashed from now on.
    pub secret: Option<Secret>,
}

pub async fn register(db: &Db, actor: &Actor, new: Registration) -> store::Result<Registered> {
    let secret = (!new.public).then(chance::secret);
    let client = Client {
        id: ClientId(chance::id()),
        name: new.name.into_string(),
        secret: secret.as_ref().map(ClientSecretHash::of),
        trusted: new.trusted,
        redirect_uris: new.redirect_uris,
        post_logout_uris: new.post_logout_uris,
        algorithm: new.algorithm,
    };
    let created = chance::unix_ms();
    clients::create(db, &client, created).await?;
    let subject = format!("client:{}", client.id.as_str());
    audit::record(db, actor, "client.created", &subject, &in_words(&client)).await?;
    Ok(Registered {
        client,
        created,
        secret,
    })
}

/// With all that it was ever given; `false` if there was none.
pub async fn remove(db: &Db, actor: &Actor, id: ClientId) -> store::Result<bool> {
    let Some(client) = clients::by_id(db, &id).await? else {
        return Ok(false);
    };
    let removed = clients::remove(db, &id).await?;
    if removed {
        let subject = format!("client:{}", id.as_str());
        audit::record(db, actor, "client.removed", &subject, &client.name).await?;
    }
    Ok(removed)
}

fn in_words(client: &Client) -> String {
    let uris = client.redirect_uris.iter().chain(&client.post_logout_uris);
    let uris: Vec<_> = uris.map(RedirectUri::as_str).collect();
    let kind = if client.secret.is_some() {
        "confidential"
    } else {
        "public"
    };
    let trusted = if client.trusted { " trusted" } else { "" };
    format!("{kind}{trusted} {}", uris.join(" "))
}
