//! Groups of people. Each membership belongs to whoever said so (the house, LDAP, SCIM, a provider) and is taken back by
//! the same only.

use std::collections::{BTreeMap, BTreeSet};

use identity::{GroupName, UnixMs};
use protocol::UserId;
use protocol::http::PersonSource;

use super::people::ROWS;
use super::users::written;
use super::{Db, Result, in_transaction, on, stored};
use crate::chance;

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredGroup {
    pub id: String,
    pub name: String,
    /// Folded.
    pub name_key: String,
    /// How many are in it.
    #[sqlx(try_from = "i64")]
    pub people: u64,
}

macro_rules! group_columns {
    () => {
        "g.id, g.name, g.name_key, \
        (SELECT COUNT(DISTINCT p.user_id) FROM group_people p WHERE p.group_id = g.id) AS people"
    };
}

/// In the order of their folded names.
pub async fn all(db: &Db) -> Result<Vec<StoredGroup>> {
    const SQL: &str = concat!(
        "SELECT ",
        group_columns!(),
        " FROM groups g ORDER BY g.name_key"
    );
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

pub async fn by_id(db: &Db, id: &str) -> Result<Option<StoredGroup>> {
    const SQL: &str = concat!(
        "SELECT ",
        group_columns!(),
        " FROM groups g WHERE g.id = $1"
    );
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?)
}

/// By the folded name.
pub async fn by_key(db: &Db, key: &str) -> Result<Option<StoredGroup>> {
    const SQL: &str = concat!(
        "SELECT ",
        group_columns!(),
        " FROM groups g WHERE g.name_key = $1"
    );
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(key).fetch_optional(pool).await)?)
}

/// `Taken` if there is a group of this name.
pub async fn create(db: &Db, name: &GroupName, created: UnixMs) -> Result<StoredGroup> {
    const SQL: &str = "INSERT INTO groups (id, name, name_key, created) VALUES ($1, $2, $3, $4)";
    let id = chance::id();
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(&id).bind(name.as_str()).bind(name.key());
        query.bind(stored(created)).execute(pool).await.map(drop)
    })?;
    Ok(StoredGroup {
        id,
        name: name.as_str().to_owned(),
        name_key: name.key().to_owned(),
        people: 0,
    })
}

/// Whether it was there. `Taken` if another group has this name.
pub async fn rename(db: &Db, id: &str, name: &GroupName) -> Result<bool> {
    const SQL: &str = "UPDATE groups SET name = $2, name_key = $3 WHERE id = $1";
    let renamed = on!(db, pool => {
        let query = sqlx::query(SQL).bind(id).bind(name.as_str()).bind(name.key());
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(renamed == 1)
}

/// Whether it was there.
pub async fn remove(db: &Db, id: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM groups WHERE id = $1";
    let removed = on!(db, pool => sqlx::query(SQL).bind(id).execute(pool).await.map(|done| done.rows_affected()))?;
    Ok(removed == 1)
}

/// Whether group and person are there.
pub async fn join(db: &Db, id: &str, user: &UserId, source: PersonSource) -> Result<bool> {
    const BOTH: &str = "SELECT EXISTS (SELECT 1 FROM groups WHERE id = $1) \
        AND EXISTS (SELECT 1 FROM users WHERE id = $2)";
    Ok(in_transaction!(db, tx => {
        let both = sqlx::query_scalar(BOTH).bind(id).bind(user.as_str()).fetch_one(&mut *tx).await?;
        if both {
            sqlx::query(JOIN).bind(id).bind(user.as_str()).bind(written(source)).execute(&mut *tx).await?;
        }
        both
    }))
}

const JOIN: &str = "INSERT INTO group_people (group_id, user_id, source) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

/// Takes back what this source said. Gives whether the person is still in it, because another says so.
pub async fn leave(db: &Db, id: &str, user: &UserId, source: PersonSource) -> Result<bool> {
    const LEAVE: &str =
        "DELETE FROM group_people WHERE group_id = $1 AND user_id = $2 AND source = $3";
    const STILL: &str =
        "SELECT EXISTS (SELECT 1 FROM group_people WHERE group_id = $1 AND user_id = $2)";
    Ok(in_transaction!(db, tx => {
        sqlx::query(LEAVE).bind(id).bind(user.as_str()).bind(written(source)).execute(&mut *tx).await?;
        sqlx::query_scalar(STILL).bind(id).bind(user.as_str()).fetch_one(&mut *tx).await?
    }))
}

/// The names of the groups that a person is in, by whomever.
pub async fn names_of(db: &Db, user: &UserId) -> Result<Vec<String>> {
    const SQL: &str = "SELECT g.name FROM groups g WHERE g.id IN \
        (SELECT p.group_id FROM group_people p WHERE p.user_id = $1) ORDER BY g.name_key";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(user.as_str()).fetch_all(pool).await)?)
}

/// As [`names_of`], folded.
pub async fn keys_of(db: &Db, user: &UserId) -> Result<Vec<String>> {
    const SQL: &str = "SELECT g.name_key FROM groups g WHERE g.id IN \
        (SELECT p.group_id FROM group_people p WHERE p.user_id = $1) ORDER BY g.name_key";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(user.as_str()).fetch_all(pool).await)?)
}

/// Folded names of the groups that somebody beside the house says this person is in.
pub async fn keys_from_elsewhere(db: &Db, user: &UserId) -> Result<Vec<String>> {
    const SQL: &str = "SELECT g.name_key FROM groups g WHERE g.id IN \
        (SELECT p.group_id FROM group_people p WHERE p.user_id = $1 AND p.source <> 'house') ORDER BY g.name_key";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(user.as_str()).fetch_all(pool).await)?)
}

/// Makes what this source says about a person's groups exactly this. Groups that are not there yet are made; a person who
/// is not there is in none.
pub async fn set_groups_of(
    db: &Db,
    user: &UserId,
    source: PersonSource,
    names: &[GroupName],
    now: UnixMs,
) -> Result<()> {
    in_transaction!(db, tx => { set_groups_in!(tx, user, source, names, now); });
    Ok(())
}

/// [`set_groups_of`] within a transaction.
macro_rules! set_groups_in {
    ($tx:expr, $user:expr, $source:expr, $names:expr, $now:expr) => {{
        let user: &protocol::UserId = $user;
        let source = $crate::store::users::written($source);
        sqlx::query("DELETE FROM group_people WHERE user_id = $1 AND source = $2")
            .bind(user.as_str())
            .bind(source)
            .execute(&mut *$tx)
            .await?;
        for name in $names {
            let name: &identity::GroupName = name;
            let id: String = sqlx::query_scalar($crate::store::groups::FIND_OR_CREATE)
                .bind($crate::chance::id())
                .bind(name.as_str())
                .bind(name.key())
                .bind($crate::store::stored($now))
                .fetch_one(&mut *$tx)
                .await?;
            sqlx::query($crate::store::groups::JOIN_IF_THERE)
                .bind(id)
                .bind(user.as_str())
                .bind(source)
                .execute(&mut *$tx)
                .await?;
        }
    }};
}
pub(super) use set_groups_in;

pub(super) const FIND_OR_CREATE: &str = "INSERT INTO groups (id, name, name_key, created) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (name_key) DO UPDATE SET name_key = groups.name_key RETURNING id";

pub(super) const JOIN_IF_THERE: &str = "INSERT INTO group_people (group_id, user_id, source) \
    SELECT $1, u.id, $3 FROM users u WHERE u.id = $2 ON CONFLICT DO NOTHING";

/// Makes what this source says about who is in a group exactly this; whoever is not there any more is left out.
pub async fn set_people_of(
    db: &Db,
    id: &str,
    source: PersonSource,
    people: &BTreeSet<UserId>,
) -> Result<()> {
    const NOW: &str = "SELECT user_id FROM group_people WHERE group_id = $1 AND source = $2";
    const HALF: usize = ROWS / 2;
    let source = written(source);
    let wanted: BTreeSet<&str> = people.iter().map(UserId::as_str).collect();
    in_transaction!(db, tx => {
        let now: BTreeSet<String> = sqlx::query_scalar(NOW)
            .bind(id)
            .bind(source)
            .fetch_all(&mut *tx)
            .await?
            .into_iter()
            .collect();
        let gone: Vec<&str> = now.iter().map(String::as_str).filter(|user| !wanted.contains(user)).collect();
        let new: Vec<&str> = wanted.iter().copied().filter(|user| !now.contains(*user)).collect();
        for some in gone.chunks(HALF) {
            let mut delete = sqlx::QueryBuilder::new("DELETE FROM group_people WHERE group_id = ");
            delete.push_bind(id).push(" AND source = ").push_bind(source).push(" AND user_id IN (");
            let mut list = delete.separated(", ");
            for user in some {
                list.push_bind(*user);
            }
            list.push_unseparated(")");
            delete.build().execute(&mut *tx).await?;
        }
        for some in new.chunks(HALF) {
            let mut insert = sqlx::QueryBuilder::new("INSERT INTO group_people (group_id, user_id, source) SELECT ");
            insert.push_bind(id).push(", u.id, ").push_bind(source).push(" FROM users u WHERE u.id IN (");
            let mut list = insert.separated(", ");
            for user in some {
                list.push_bind(*user);
            }
            list.push_unseparated(") ON CONFLICT DO NOTHING");
            insert.build().execute(&mut *tx).await?;
        }
    });
    Ok(())
}

/// Of each of these people the names of their groups, in order.
pub async fn names_of_each(db: &Db, people: &[&UserId]) -> Result<BTreeMap<String, Vec<String>>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for some in people.chunks(ROWS) {
        let rows: Vec<(String, String)> = on!(db, pool => {
            let mut select = sqlx::QueryBuilder::new(
                "SELECT DISTINCT p.user_id, g.name, g.name_key FROM group_people p JOIN groups g ON g.id = p.group_id \
                 WHERE p.user_id IN (",
            );
            let mut list = select.separated(", ");
            for user in some {
                list.push_bind(user.as_str());
            }
            list.push_unseparated(") ORDER BY p.user_id, g.name_key");
            let rows: std::result::Result<Vec<(String, String, String)>, _> = select.build_query_as().fetch_all(pool).await;
            rows.map(|rows| rows.into_iter().map(|(user, name, _)| (user, name)).collect())
        })?;
        for (user, name) in rows {
            all.entry(user).or_default().push(name);
        }
    }
    Ok(all)
}
