//! The audit log.

use identity::UnixMs;

use super::{Db, Result, on, stored};

pub async fn add(
    db: &Db,
    id: &str,
    at: UnixMs,
    actor: &str,
    action: &str,
    subject: &str,
    details: &str,
) -> Result<()> {
    const SQL: &str = "INSERT INTO audit (id, at, actor, action, subject, details) VALUES ($1, $2, $3, $4, $5, $6)";
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(id).bind(stored(at)).bind(actor).bind(action);
        query.bind(subject).bind(details).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// One line of the log, with names as they are now.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    pub id: String,
    #[sqlx(try_from = "i64")]
    pub at: u64,
    /// As it is stored: `user:<id>`, `token:<id>` or `stube`.
    pub actor: String,
    /// Absent for whoever is gone, and for `stube`.
    pub actor_name: Option<String>,
    pub action: String,
    /// As it is stored: `user:<id>`, `client:<id>`, … or empty.
    pub subject: String,
    /// Absent for what is gone or has no name.
    pub subject_name: Option<String>,
    pub details: String,
}

/// The newest first; older than the entry `before`, if there is one.
pub async fn page(db: &Db, before: Option<&str>, most: u32) -> Result<Vec<Entry>> {
    const SQL: &str = "SELECT a.id, a.at, a.actor, COALESCE(au.name, at.name) AS actor_name, a.action, a.subject, \
        COALESCE(su.name, st.name, sc.name, sg.name) AS subject_name, a.details FROM audit a \
        LEFT JOIN users au ON a.actor LIKE 'user:%' AND au.id = SUBSTR(a.actor, 6) \
        LEFT JOIN api_tokens at ON a.actor LIKE 'token:%' AND at.id = SUBSTR(a.actor, 7) \
        LEFT JOIN users su ON a.subject LIKE 'user:%' AND su.id = SUBSTR(a.subject, 6) \
        LEFT JOIN api_tokens st ON a.subject LIKE 'token:%' AND st.id = SUBSTR(a.subject, 7) \
        LEFT JOIN oidc_clients sc ON a.subject LIKE 'client:%' AND sc.id = SUBSTR(a.subject, 8) \
        LEFT JOIN groups sg ON a.subject LIKE 'group:%' AND sg.id = SUBSTR(a.subject, 7) \
        WHERE a.id < $1 ORDER BY a.id DESC LIMIT $2";
    // After every id: they are of lower-case letters and digits.
    const END: &str = "~";
    Ok(on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(before.unwrap_or(END)).bind(i64::from(most));
        query.fetch_all(pool).await
    })?)
}
