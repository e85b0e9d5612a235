//! Whom somebody likes to call.

use std::collections::HashSet;

use identity::UnixMs;
use protocol::UserId;

use super::{Db, Result, in_transaction, on, stored};

/// The one added last comes first.
pub async fn of(db: &Db, user: &UserId) -> Result<Vec<UserId>> {
    const SQL: &str =
        "SELECT person_id FROM favourites WHERE user_id = $1 ORDER BY added DESC, person_id";
    let people: Vec<String> =
        on!(db, pool => sqlx::query_scalar(SQL).bind(user.as_str()).fetch_all(pool).await)?;
    Ok(people.into_iter().map(UserId::from).collect())
}

pub async fn all_of(db: &Db, user: &UserId) -> Result<HashSet<UserId>> {
    Ok(of(db, user).await?.into_iter().collect())
}

/// `false` if they have `most` already. Somebody who is a favourite stays where they are.
pub async fn add(db: &Db, user: &UserId, person: &UserId, now: UnixMs, most: u32) -> Result<bool> {
    const THERE: &str =
        "SELECT EXISTS (SELECT 1 FROM favourites WHERE user_id = $1 AND person_id = $2)";
    const SQL: &str = "INSERT INTO favourites (user_id, person_id, added) SELECT $1, $2, $3 \
        WHERE (SELECT COUNT(*) FROM favourites WHERE user_id = $1) < $4 ON CONFLICT DO NOTHING";
    Ok(in_transaction!(db, tx => {
        let query = sqlx::query_scalar(THERE).bind(user.as_str()).bind(person.as_str());
        let there: bool = query.fetch_one(&mut *tx).await?;
        let query = sqlx::query(SQL).bind(user.as_str()).bind(person.as_str());
        let query = query.bind(stored(now)).bind(i64::from(most));
        there || query.execute(&mut *tx).await?.rows_affected() == 1
    }))
}

/// Whether they were one.
pub async fn remove(db: &Db, user: &UserId, person: &UserId) -> Result<bool> {
    const SQL: &str = "DELETE FROM favourites WHERE user_id = $1 AND person_id = $2";
    let removed = on!(db, pool => {
        sqlx::query(SQL).bind(user.as_str()).bind(person.as_str()).execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(removed > 0)
}
