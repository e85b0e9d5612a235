//! People and groups as SCIM looks after them: only those who come by it.

use std::collections::BTreeSet;

use identity::{DisplayName, Mail, UnixMs, Username};
use protocol::UserId;
use protocol::http::PersonSource;

use super::groups::JOIN_IF_THERE;
use super::imports::{UNLOCK, lock_gone};
use super::users::{Change, NewAccount, change_account, insert_account};
use super::{Db, Result, in_transaction, on, settings};
use crate::principal::SessionId;

/// Asked about at once: both databases take some thousands of values in one question.
const AT_ONCE: usize = 1_000;

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Person {
    #[sqlx(try_from = "String")]
    pub id: UserId,
    pub username: String,
    pub name: String,
    pub mail: Option<String>,
    pub external_id: Option<String>,
    pub locked: bool,
    #[sqlx(try_from = "i64")]
    pub created: UnixMs,
}

/// What somebody is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub username: Username,
    pub name: DisplayName,
    pub mail: Option<Mail>,
    pub external_id: Option<String>,
    /// Absent: as it is.
    pub active: Option<bool>,
}

/// By what people are found; folded, where there is folding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find<'a> {
    Everybody,
    Id(&'a str),
    Username(&'a str),
    Mail(&'a str),
    ExternalId(&'a str),
}

/// A group of a person, or a person of a group.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Member {
    pub id: String,
    pub name: String,
}

/// How many there are, and those after `offset`, in the order in which they came.
pub async fn people(db: &Db, find: Find<'_>, offset: u32, most: u32) -> Result<(u64, Vec<Person>)> {
    const COUNT: &str = "SELECT COUNT(*) FROM users u WHERE u.source = 'scim' AND ";
    const LIST: &str = "SELECT u.id, u.username, u.name, u.mail, u.external_id, u.locked, u.created FROM users u \
        WHERE u.source = 'scim' AND ";
    let (column, value) = match find {
        Find::Everybody => ("$1 = ''", ""),
        Find::Id(id) => ("u.id = $1", id),
        Find::Username(key) => ("u.username_key = $1", key),
        Find::Mail(key) => ("u.mail_key = $1", key),
        Find::ExternalId(id) => ("u.external_id = $1", id),
    };
    let count = sqlx::AssertSqlSafe(format!("{COUNT}{column}"));
    let list = sqlx::AssertSqlSafe(format!("{LIST}{column} ORDER BY u.id LIMIT $2 OFFSET $3"));
    let total: i64 = on!(db, pool => sqlx::query_scalar(count).bind(value).fetch_one(pool).await)?;
    let people = on!(db, pool => {
        let query = sqlx::query_as(list).bind(value).bind(i64::from(most)).bind(i64::from(offset));
        query.fetch_all(pool).await
    })?;
    Ok((total.unsigned_abs(), people))
}

pub async fn person(db: &Db, id: &str) -> Result<Option<Person>> {
    let (_, people) = people(db, Find::Id(id), 0, 1).await?;
    Ok(people.into_iter().next())
}

const SET_EXTERNAL_ID: &str = "UPDATE users SET external_id = $2 WHERE id = $1";

/// `Taken` if the username is.
pub async fn create(db: &Db, id: &UserId, wanted: &Wanted, now: UnixMs) -> Result<()> {
    let new = NewAccount {
        id: id.clone(),
        username: wanted.username.clone(),
        name: wanted.name.clone(),
        mail: wanted.mail.clone(),
        admin: false,
        password: None,
        source: PersonSource::Scim,
        created: now,
    };
    in_transaction!(db, tx => {
        insert_account!(tx, &new);
        sqlx::query(SET_EXTERNAL_ID).bind(id.as_str()).bind(&wanted.external_id).execute(&mut *tx).await?;
        if wanted.active == Some(false) {
            drop(lock_gone!(tx, id));
        }
    });
    Ok(())
}

/// Gives the sessions that ended; absent, and nothing was changed: the house would be without an administrator. `Taken` if
/// the username is.
pub async fn change(db: &Db, id: &UserId, wanted: &Wanted) -> Result<Option<Vec<SessionId>>> {
    let change = Change {
        username: Some(wanted.username.clone()),
        name: Some(wanted.name.clone()),
        mail: Some(wanted.mail.clone()),
        ..Change::default()
    };
    let mark = crate::chance::id();
    Ok(in_transaction!(db, tx => {
        if wanted.active == Some(false) {
            sqlx::query(settings::SET).bind(settings::SESSIONS_ENDED).bind(&mark).execute(&mut *tx).await?;
        }
        let ended = match wanted.active {
            Some(false) => lock_gone!(tx, id),
            Some(true) => {
                sqlx::query(UNLOCK).bind(id.as_str()).execute(&mut *tx).await?;
                Some(Vec::new())
            }
            None => Some(Vec::new()),
        };
        if ended.is_some() {
            change_account!(tx, id, &change);
            sqlx::query(SET_EXTERNAL_ID).bind(id.as_str()).bind(&wanted.external_id).execute(&mut *tx).await?;
        }
        ended
    }))
}

/// In the order of their names.
pub async fn groups_of(db: &Db, user: &UserId) -> Result<Vec<Member>> {
    const SQL: &str = "SELECT g.id, g.name FROM groups g JOIN group_people p ON p.group_id = g.id \
        WHERE p.user_id = $1 AND p.source = 'scim' ORDER BY g.name_key";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(user.as_str()).fetch_all(pool).await)?)
}

/// Those that SCIM put in.
pub async fn people_of(db: &Db, group: &str) -> Result<Vec<Member>> {
    const SQL: &str = "SELECT u.id, u.name FROM users u JOIN group_people p ON p.user_id = u.id \
        WHERE p.group_id = $1 AND p.source = 'scim' ORDER BY u.id";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(group).fetch_all(pool).await)?)
}

/// Whether somebody else put people into this group, so that it is not SCIM's alone.
pub async fn is_shared(db: &Db, group: &str) -> Result<bool> {
    const SQL: &str =
        "SELECT EXISTS (SELECT 1 FROM group_people WHERE group_id = $1 AND source <> 'scim')";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(group).fetch_one(pool).await)?)
}

/// What the other system calls a group.
pub async fn external_id_of(db: &Db, group: &str) -> Result<Option<String>> {
    const SQL: &str = "SELECT external_id FROM groups WHERE id = $1";
    let id: Option<Option<String>> =
        on!(db, pool => sqlx::query_scalar(SQL).bind(group).fetch_optional(pool).await)?;
    Ok(id.flatten())
}

pub async fn set_external_id_of(db: &Db, group: &str, id: Option<&str>) -> Result<()> {
    const SQL: &str = "UPDATE groups SET external_id = $2 WHERE id = $1";
    on!(db, pool => sqlx::query(SQL).bind(group).bind(id).execute(pool).await.map(drop))?;
    Ok(())
}

/// The id of the group that the other system calls so.
pub async fn by_external_id(db: &Db, id: &str) -> Result<Option<String>> {
    const SQL: &str = "SELECT MIN(id) FROM groups WHERE external_id = $1";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(id).fetch_one(pool).await)?)
}

/// Puts people in and takes people out, as far as SCIM says so; whoever is not there is left out.
pub async fn change_people(
    db: &Db,
    group: &str,
    add: &BTreeSet<UserId>,
    remove: &BTreeSet<UserId>,
) -> Result<()> {
    const REMOVE: &str =
        "DELETE FROM group_people WHERE group_id = $1 AND user_id = $2 AND source = 'scim'";
    in_transaction!(db, tx => {
        for user in remove {
            sqlx::query(REMOVE).bind(group).bind(user.as_str()).execute(&mut *tx).await?;
        }
        for user in add {
            sqlx::query(JOIN_IF_THERE).bind(group).bind(user.as_str()).bind("scim").execute(&mut *tx).await?;
        }
    });
    Ok(())
}

/// Those of these ids that are people whom SCIM looks after.
pub async fn which(db: &Db, ids: &BTreeSet<String>) -> Result<BTreeSet<UserId>> {
    let all: Vec<&String> = ids.iter().collect();
    let mut found = BTreeSet::new();
    for some in all.chunks(AT_ONCE) {
        let rows: Vec<String> = on!(db, pool => {
            let mut select = sqlx::QueryBuilder::new("SELECT id FROM users WHERE source = 'scim' AND id IN (");
            let mut list = select.separated(", ");
            for id in some {
                list.push_bind(id.as_str());
            }
            list.push_unseparated(")");
            select.build_query_scalar().fetch_all(pool).await
        })?;
        found.extend(rows.into_iter().map(UserId::from));
    }
    Ok(found)
}
