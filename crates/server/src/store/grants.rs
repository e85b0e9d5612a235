//! Authorizations of applications, their codes and refresh tokens, and what people have allowed.

use identity::provider::authorize::{Challenge, Grant};
use identity::provider::token::RefreshToken;
use identity::provider::{ClientId, GrantId, Scopes, Subject};
use identity::{SecretHash, UnixMs};
use protocol::UserId;

use super::users::{Account, account_columns};
use super::{Db, Result, in_transaction, on, stored};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    client_id: String,
    user_id: String,
    session: String,
    scope: String,
    nonce: Option<String>,
    #[sqlx(try_from = "i64")]
    auth_time: u64,
    redirect_uri: String,
    challenge: String,
    #[sqlx(try_from = "i64")]
    created: u64,
    redeemed: Option<i64>,
}

impl From<Row> for Grant {
    fn from(row: Row) -> Self {
        Self {
            id: GrantId(row.id),
            client: ClientId(row.client_id),
            subject: Subject(row.user_id),
            session: row.session,
            scopes: Scopes::parse(&row.scope),
            nonce: row.nonce,
            auth_time: row.auth_time,
            redirect_uri: row.redirect_uri,
            challenge: Challenge::from_stored(row.challenge),
            created: row.created,
            redeemed: row.redeemed.and_then(|at| u64::try_from(at).ok()),
        }
    }
}

const COLUMNS: &str = "g.id, g.client_id, g.user_id, g.session, g.scope, g.nonce, g.auth_time, g.redirect_uri, \
    g.challenge, g.created, g.redeemed";

/// Nothing comes of what somebody allowed who is locked now.
const UNLOCKED: &str = "EXISTS (SELECT 1 FROM users u WHERE u.id = g.user_id AND NOT u.locked)";

pub async fn create(db: &Db, grant: &Grant, code: SecretHash) -> Result<()> {
    const SQL: &str = "INSERT INTO oidc_grants (id, client_id, user_id, session, bound_to, scope, nonce, auth_time, \
        redirect_uri, challenge, code_hash, created, ends) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let bound_to = (!grant.is_offline()).then_some(grant.session.as_str());
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(&grant.id.0).bind(grant.client.as_str()).bind(&grant.subject.0);
        let query = query.bind(&grant.session).bind(bound_to).bind(grant.scopes.to_string()).bind(grant.nonce.as_deref());
        let query = query.bind(stored(grant.auth_time)).bind(&grant.redirect_uri).bind(grant.challenge.as_str());
        let query = query.bind(code.to_hex()).bind(stored(grant.created)).bind(stored(grant.ends()));
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}

pub async fn by_code(db: &Db, code: SecretHash) -> Result<Option<Grant>> {
    let sql = format!("SELECT {COLUMNS} FROM oidc_grants g WHERE g.code_hash = $1 AND {UNLOCKED}");
    let row: Option<Row> = on!(db, pool => {
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(code.to_hex());
        query.fetch_optional(pool).await
    })?;
    Ok(row.map(Grant::from))
}

pub async fn by_refresh_token(db: &Db, token: SecretHash) -> Result<Option<(RefreshToken, Grant)>> {
    #[derive(sqlx::FromRow)]
    struct Joined {
        #[sqlx(try_from = "i64")]
        issued: u64,
        used: Option<i64>,
        #[sqlx(flatten)]
        grant: Row,
    }
    let sql = format!(
        "SELECT t.issued, t.used, {COLUMNS} FROM oidc_refresh_tokens t JOIN oidc_grants g ON g.id = t.grant_id \
         WHERE t.hash = $1 AND {UNLOCKED}"
    );
    let row: Option<Joined> = on!(db, pool => {
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(token.to_hex());
        query.fetch_optional(pool).await
    })?;
    Ok(row.map(|row| {
        let grant = Grant::from(row.grant);
        let token = RefreshToken {
            grant: grant.id.clone(),
            issued: row.issued,
            used: row.used.and_then(|at| u64::try_from(at).ok()),
        };
        (token, grant)
    }))
}

const NEW_TOKEN: &str =
    "INSERT INTO oidc_refresh_tokens (hash, grant_id, issued) VALUES ($1, $2, $3)";

/// Uses the code up and writes down the first refresh token. `false` if the code was used before, by whomever.
pub async fn redeem(
    db: &Db,
    grant: &GrantId,
    now: UnixMs,
    token: Option<SecretHash>,
) -> Result<bool> {
    const SQL: &str = "UPDATE oidc_grants SET redeemed = $2 WHERE id = $1 AND redeemed IS NULL";
    Ok(in_transaction!(db, tx => {
        let done = sqlx::query(SQL).bind(&grant.0).bind(stored(now)).execute(&mut *tx).await?;
        let first = done.rows_affected() == 1;
        if let Some(token) = token.filter(|_| first) {
            let query = sqlx::query(NEW_TOKEN).bind(token.to_hex()).bind(&grant.0);
            query.bind(stored(now)).execute(&mut *tx).await?;
        }
        first
    }))
}

/// Uses a refresh token up and writes down its successor. `false` if it was used before, by whomever.
pub async fn rotate(
    db: &Db,
    grant: &GrantId,
    now: UnixMs,
    old: SecretHash,
    new: SecretHash,
) -> Result<bool> {
    const LOCK: &str = "UPDATE oidc_grants SET ends = ends WHERE id = $1";
    const SQL: &str = "UPDATE oidc_refresh_tokens SET used = $2 WHERE hash = $1 AND used IS NULL";
    Ok(in_transaction!(db, tx => {
        // The grant before its tokens, as a revocation takes them: two that wait for each other would both be refused, and
        // one of them is the revocation.
        sqlx::query(LOCK).bind(&grant.0).execute(&mut *tx).await?;
        let done = sqlx::query(SQL).bind(old.to_hex()).bind(stored(now)).execute(&mut *tx).await?;
        let first = done.rows_affected() == 1;
        if first {
            let query = sqlx::query(NEW_TOKEN).bind(new.to_hex()).bind(&grant.0);
            query.bind(stored(now)).execute(&mut *tx).await?;
        }
        first
    }))
}

/// With all refresh tokens; access tokens that rest on it are worth nothing any more.
pub async fn revoke(db: &Db, grant: &GrantId) -> Result<()> {
    const SQL: &str = "DELETE FROM oidc_grants WHERE id = $1";
    on!(db, pool => sqlx::query(SQL).bind(&grant.0).execute(pool).await.map(drop))?;
    Ok(())
}

/// Whose tokens rest on this grant, if it still stands.
pub async fn account(db: &Db, grant: &GrantId) -> Result<Option<Account>> {
    const SQL: &str = concat!(
        "SELECT ",
        account_columns!(),
        " FROM oidc_grants g JOIN users u ON u.id = g.user_id WHERE g.id = $1 AND NOT u.locked"
    );
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(&grant.0).fetch_optional(pool).await)?)
}

/// Forgets what nothing can come of any more.
pub async fn remove_ended(db: &Db, now: UnixMs) -> Result<()> {
    const SQL: &str = "DELETE FROM oidc_grants WHERE ends <= $1";
    on!(db, pool => sqlx::query(SQL).bind(stored(now)).execute(pool).await.map(drop))?;
    Ok(())
}

/// What the person has allowed this client before.
pub async fn allowed(db: &Db, user: &UserId, client: &ClientId) -> Result<Scopes> {
    const SQL: &str = "SELECT scope FROM oidc_consents WHERE user_id = $1 AND client_id = $2";
    let scope: Option<String> = on!(db, pool => {
        let query = sqlx::query_scalar(SQL).bind(user.as_str()).bind(client.as_str());
        query.fetch_optional(pool).await
    })?;
    Ok(Scopes::parse(&scope.unwrap_or_default()))
}

pub async fn remember(
    db: &Db,
    user: &UserId,
    client: &ClientId,
    scopes: &Scopes,
    now: UnixMs,
) -> Result<()> {
    const SQL: &str = "INSERT INTO oidc_consents (user_id, client_id, scope, given) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (user_id, client_id) DO UPDATE SET scope = excluded.scope, given = excluded.given";
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(user.as_str()).bind(client.as_str());
        query.bind(scopes.to_string()).bind(stored(now)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// What a person has allowed one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub client: ClientId,
    pub name: String,
    pub scopes: Scopes,
    pub given: UnixMs,
}

#[derive(sqlx::FromRow)]
struct ConsentRow {
    client_id: String,
    name: String,
    scope: String,
    #[sqlx(try_from = "i64")]
    given: u64,
}

/// Applications that this person signs in to: those they were asked about, and those of the house that hold an
/// authorization now. By name.
pub async fn applications(db: &Db, user: &UserId, now: UnixMs) -> Result<Vec<Consent>> {
    const SQL: &str = "SELECT c.id AS client_id, c.name, o.scope, o.given FROM oidc_consents o \
        JOIN oidc_clients c ON c.id = o.client_id WHERE o.user_id = $1 \
        UNION ALL SELECT c.id AS client_id, c.name, g.scope, g.created AS given FROM oidc_grants g \
        JOIN oidc_clients c ON c.id = g.client_id WHERE g.user_id = $1 AND g.ends > $2 AND g.redeemed IS NOT NULL \
        AND g.id = (SELECT MAX(l.id) FROM oidc_grants l WHERE l.user_id = $1 AND l.client_id = g.client_id \
        AND l.ends > $2 AND l.redeemed IS NOT NULL) \
        AND NOT EXISTS (SELECT 1 FROM oidc_consents o WHERE o.user_id = $1 AND o.client_id = g.client_id) \
        ORDER BY 2, 1";
    let rows: Vec<ConsentRow> = on!(db, pool => {
        sqlx::query_as(SQL).bind(user.as_str()).bind(stored(now)).fetch_all(pool).await
    })?;
    Ok(rows
        .into_iter()
        .map(|row| Consent {
            client: ClientId(row.client_id),
            name: row.name,
            scopes: Scopes::parse(&row.scope),
            given: row.given,
        })
        .collect())
}

/// Takes the consent back and ends all that came of it. `false` if there was nothing.
pub async fn forget_application(db: &Db, user: &UserId, client: &str) -> Result<bool> {
    const SQL: [&str; 2] = [
        "DELETE FROM oidc_consents WHERE user_id = $1 AND client_id = $2",
        "DELETE FROM oidc_grants WHERE user_id = $1 AND client_id = $2",
    ];
    Ok(in_transaction!(db, tx => {
        let mut removed = 0;
        for sql in SQL {
            let query = sqlx::query(sql).bind(user.as_str()).bind(client);
            removed += query.execute(&mut *tx).await?.rows_affected();
        }
        removed > 0
    }))
}
