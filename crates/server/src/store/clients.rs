//! Applications that sign people in with us.

use identity::UnixMs;
use identity::provider::client::ClientSecretHash;
use identity::provider::jose::Algorithm;
use identity::provider::{Client, ClientId, RedirectUri};

use super::{Db, Result, on, stored};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    secret_hash: Option<String>,
    trusted: bool,
    redirect_uris: String,
    post_logout_uris: String,
    algorithm: String,
}

impl TryFrom<Row> for Client {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> std::result::Result<Self, sqlx::Error> {
        let unknown = || sqlx::Error::Decode(format!("algorithm {}", row.algorithm).into());
        Ok(Self {
            algorithm: Algorithm::from_stored(&row.algorithm).ok_or_else(unknown)?,
            id: ClientId(row.id),
            name: row.name,
            secret: row.secret_hash.map(ClientSecretHash::from_stored),
            trusted: row.trusted,
            redirect_uris: read_uris(&row.redirect_uris)?,
            post_logout_uris: read_uris(&row.post_logout_uris)?,
        })
    }
}

fn read_uris(text: &str) -> std::result::Result<Vec<RedirectUri>, sqlx::Error> {
    let uris: Vec<String> =
        serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(uris.into_iter().map(RedirectUri::from_stored).collect())
}

fn write_uris(uris: &[RedirectUri]) -> String {
    let uris = uris.iter().map(RedirectUri::as_str);
    serde_json::Value::from_iter(uris).to_string()
}

/// `Taken` if there is one with this id.
pub async fn create(db: &Db, client: &Client, created: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO oidc_clients (id, name, secret_hash, trusted, redirect_uris, post_logout_uris, \
        algorithm, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(client.id.as_str()).bind(&client.name);
        let query = query.bind(client.secret.as_ref().map(ClientSecretHash::as_str)).bind(client.trusted);
        let query = query.bind(write_uris(&client.redirect_uris)).bind(write_uris(&client.post_logout_uris));
        query.bind(client.algorithm.as_str()).bind(stored(created)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

pub async fn by_id(db: &Db, id: &ClientId) -> Result<Option<Client>> {
    const SQL: &str = "SELECT id, name, secret_hash, trusted, redirect_uris, post_logout_uris, algorithm \
        FROM oidc_clients WHERE id = $1";
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(pool).await)?;
    Ok(row.map(Client::try_from).transpose()?)
}

/// In the order of their registration, and when that was.
pub async fn all(db: &Db) -> Result<Vec<(Client, UnixMs)>> {
    const SQL: &str = "SELECT id, name, secret_hash, trusted, redirect_uris, post_logout_uris, algorithm, created \
        FROM oidc_clients ORDER BY created, id";
    #[derive(sqlx::FromRow)]
    struct Registered {
        #[sqlx(flatten)]
        row: Row,
        #[sqlx(try_from = "i64")]
        created: u64,
    }
    let rows: Vec<Registered> = on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?;
    let clients = rows
        .into_iter()
        .map(|registered| Ok((Client::try_from(registered.row)?, registered.created)));
    Ok(clients.collect::<std::result::Result<_, sqlx::Error>>()?)
}

/// With all that it was ever given. `false` if there was none.
pub async fn remove(db: &Db, id: &ClientId) -> Result<bool> {
    const SQL: &str = "DELETE FROM oidc_clients WHERE id = $1";
    let removed = on!(db, pool => sqlx::query(SQL).bind(id.as_str()).execute(pool).await.map(|done| done.rows_affected()))?;
    Ok(removed == 1)
}
