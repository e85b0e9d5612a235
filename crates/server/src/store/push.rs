//! Browsers that can be woken: where a message for them goes, and what it is encrypted with. One for each session, and so no
//! more for a person than sessions.

use identity::UnixMs;
use protocol::{BrowserId, UserId};

use super::{Db, Result, in_transaction, on, stored};
use crate::principal::SessionId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub id: String,
    pub user: UserId,
    pub session: SessionId,
    pub browser: BrowserId,
    /// An address of a browser maker's push service. Whoever knows it can reach that browser.
    pub endpoint: String,
    /// Of the browser, for this subscription: base64url, as it came.
    pub p256dh: String,
    pub auth: String,
    /// Of what its notifications say: `de` or `en`.
    pub language: String,
    pub created: UnixMs,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    user_id: String,
    session_id: String,
    browser: String,
    endpoint: String,
    p256dh: String,
    auth: String,
    language: String,
    #[sqlx(try_from = "i64")]
    created: UnixMs,
}

impl From<Row> for Subscription {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            user: row.user_id.into(),
            session: row.session_id.into(),
            browser: row.browser.into(),
            endpoint: row.endpoint,
            p256dh: row.p256dh,
            auth: row.auth,
            language: row.language,
            created: row.created,
        }
    }
}

/// Whether a push message would reach a browser of theirs.
pub async fn is_reachable(db: &Db, user: &UserId) -> Result<bool> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM push_subscriptions WHERE user_id = $1)";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(user.as_str()).fetch_one(pool).await)?)
}

/// The newest first.
pub async fn of(db: &Db, user: &UserId) -> Result<Vec<Subscription>> {
    const SQL: &str = "SELECT id, user_id, session_id, browser, endpoint, p256dh, auth, language, created \
        FROM push_subscriptions WHERE user_id = $1 ORDER BY created DESC, id DESC";
    let rows: Vec<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(user.as_str()).fetch_all(pool).await)?;
    Ok(rows.into_iter().map(Subscription::from).collect())
}

/// Takes the place of what this session had, and of whoever used the same browser before. False: the session is over.
pub async fn put(db: &Db, new: &Subscription) -> Result<bool> {
    // Who puts at the same time comes before this or after.
    const HOLD: &str = "UPDATE users SET admin = admin WHERE id = $1";
    const REPLACED: &str = "DELETE FROM push_subscriptions WHERE session_id = $1 OR endpoint = $2";
    const INSERT: &str = "INSERT INTO push_subscriptions \
        (id, user_id, session_id, browser, endpoint, p256dh, auth, language, created) \
        SELECT $1, user_id, id, $2, $3, $4, $5, $6, $7 FROM sessions WHERE id = $8 AND user_id = $9";
    Ok(in_transaction!(db, tx => {
        sqlx::query(HOLD).bind(new.user.as_str()).execute(&mut *tx).await?;
        let query = sqlx::query(REPLACED).bind(new.session.as_str()).bind(&new.endpoint);
        query.execute(&mut *tx).await?;
        let inserted = sqlx::query(INSERT)
            .bind(&new.id)
            .bind(new.browser.as_str())
            .bind(&new.endpoint)
            .bind(&new.p256dh)
            .bind(&new.auth)
            .bind(&new.language)
            .bind(stored(new.created))
            .bind(new.session.as_str())
            .bind(new.user.as_str())
            .execute(&mut *tx)
            .await?
            .rows_affected();
        inserted == 1
    }))
}

/// What this session has.
pub async fn remove_of(db: &Db, session: &SessionId) -> Result<()> {
    const SQL: &str = "DELETE FROM push_subscriptions WHERE session_id = $1";
    on!(db, pool => sqlx::query(SQL).bind(session.as_str()).execute(pool).await.map(drop))?;
    Ok(())
}

/// One that its push service does not know any more. Where the browser has subscribed anew meanwhile, the new one stays.
pub async fn remove(db: &Db, id: &str) -> Result<()> {
    const SQL: &str = "DELETE FROM push_subscriptions WHERE id = $1";
    on!(db, pool => sqlx::query(SQL).bind(id).execute(pool).await.map(drop))?;
    Ok(())
}

/// Of everybody; gives how many there were.
pub async fn remove_all(db: &Db) -> Result<u64> {
    const SQL: &str = "DELETE FROM push_subscriptions";
    Ok(on!(db, pool => sqlx::query(SQL).execute(pool).await.map(|done| done.rows_affected()))?)
}
