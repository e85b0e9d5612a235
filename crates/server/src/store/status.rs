//! What somebody says of themselves, until they say something else.

use protocol::{Status, UserId};

use super::{Db, Result, from_word, on, word};

/// Of somebody who is not there: as if they had never said anything.
pub async fn of(db: &Db, user: &UserId) -> Result<Status> {
    const SQL: &str = "SELECT status FROM users WHERE id = $1";
    let said: Option<String> =
        on!(db, pool => sqlx::query_scalar(SQL).bind(user.as_str()).fetch_optional(pool).await)?;
    Ok(said.as_deref().and_then(from_word).unwrap_or_default())
}

pub async fn set(db: &Db, user: &UserId, status: Status) -> Result<()> {
    const SQL: &str = "UPDATE users SET status = $2 WHERE id = $1";
    on!(db, pool => sqlx::query(SQL).bind(user.as_str()).bind(word(&status)).execute(pool).await.map(drop))?;
    Ok(())
}
