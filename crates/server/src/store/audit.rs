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
