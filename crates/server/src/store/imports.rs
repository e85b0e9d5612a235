//! People who come from elsewhere by the list: what is known of them, and a whole plan written at once.

use std::collections::{BTreeSet, HashMap};

use identity::sync::{Known, Target};
use identity::{DisplayName, GroupName, Mail, UnixMs, Username};
use protocol::UserId;
use protocol::http::PersonSource;

use super::groups::set_groups_in;
use super::users::{
    Account, Change, Changed, NewAccount, account_columns, change_account, insert_account, written,
};
use super::{Db, Result, StoreError, in_transaction, on, settings, stored};
use crate::principal::SessionId;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    username: String,
    username_key: String,
    name: String,
    mail: Option<String>,
    admin: bool,
    locked: bool,
    gone: bool,
    source: String,
    subject: Option<String>,
}

/// All accounts as a list of this source meets them: its own by what the source calls them (people of the house by their
/// folded username), the others by their usernames only. `issuer`: the directory that is asked now; people may have come
/// from it under another address.
pub async fn known(db: &Db, source: PersonSource, issuer: &str) -> Result<Vec<Known>> {
    const SQL: &str = "SELECT u.id, u.username, u.username_key, u.name, u.mail, u.admin, u.locked, u.gone, u.source, \
        COALESCE((SELECT MIN(i.subject) FROM identities i WHERE i.user_id = u.id AND i.issuer = $1), \
                 (SELECT MIN(i.subject) FROM identities i WHERE i.user_id = u.id AND i.issuer LIKE 'ldap%')) AS subject \
        FROM users u ORDER BY u.id";
    let rows: Vec<Row> = on!(db, pool => sqlx::query_as(SQL).bind(issuer).fetch_all(pool).await)?;
    let mut groups = groups(db, source).await?;
    let wrong = |error: identity::NameError| StoreError::Broken(sqlx::Error::Decode(error.into()));
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let own = row.source == written(source);
        let subject = match source {
            PersonSource::House => Some(row.username_key),
            _ => row.subject,
        };
        all.push(Known {
            groups: groups.remove(&row.id).unwrap_or_default(),
            id: row.id,
            subject: subject.filter(|_| own),
            username: Username::parse(&row.username).map_err(wrong)?,
            name: DisplayName::parse(&row.name).map_err(wrong)?,
            mail: row.mail.and_then(|mail| Mail::parse(&mail).ok()),
            admin: row.admin,
            locked: row.locked,
            gone: row.locked && row.gone,
        });
    }
    Ok(all)
}

/// Of each person the folded names of the groups that this source puts them in.
async fn groups(db: &Db, source: PersonSource) -> Result<HashMap<String, BTreeSet<String>>> {
    const SQL: &str = "SELECT p.user_id, g.name_key FROM group_people p JOIN groups g ON g.id = p.group_id \
        WHERE p.source = $1";
    let rows: Vec<(String, String)> =
        on!(db, pool => sqlx::query_as(SQL).bind(written(source)).fetch_all(pool).await)?;
    let mut all: HashMap<String, BTreeSet<String>> = HashMap::new();
    for (user, key) in rows {
        all.entry(user).or_default().insert(key);
    }
    Ok(all)
}

/// All groups, by their folded names.
pub async fn group_names(db: &Db) -> Result<HashMap<String, GroupName>> {
    const SQL: &str = "SELECT name FROM groups";
    let names: Vec<String> = on!(db, pool => sqlx::query_scalar(SQL).fetch_all(pool).await)?;
    let names = names.iter().filter_map(|name| GroupName::parse(name).ok());
    Ok(names.map(|name| (name.key().to_owned(), name)).collect())
}

/// Whom the directory calls so, under whatever address it was asked, and whether they are locked because they were gone.
pub async fn by_subject(db: &Db, subject: &str) -> Result<Option<(Account, bool)>> {
    const SQL: &str = concat!(
        "SELECT ",
        account_columns!(),
        ", u.gone FROM users u WHERE u.source = 'ldap' AND u.id IN \
        (SELECT i.user_id FROM identities i WHERE i.subject = $1 AND i.issuer LIKE 'ldap%')"
    );
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        account: Account,
        gone: bool,
    }
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(subject).fetch_optional(pool).await)?;
    Ok(row.map(|row| {
        let gone = row.gone && row.account.locked;
        (row.account, gone)
    }))
}

/// Of everybody of the directory what it calls them, and the version of their picture.
pub async fn pictures(db: &Db) -> Result<Vec<(String, UserId, Option<String>)>> {
    const SQL: &str = "SELECT DISTINCT i.subject, u.id, u.picture FROM users u JOIN identities i ON i.user_id = u.id \
        WHERE u.source = 'ldap' AND i.issuer LIKE 'ldap%'";
    let rows: Vec<(String, String, Option<String>)> =
        on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(subject, user, picture)| (subject, user.into(), picture))
        .collect())
}

/// What is to be written.
#[derive(Debug)]
pub struct Batch<'a> {
    pub source: PersonSource,
    /// Under which the subjects are kept; absent: they are not.
    pub issuer: Option<&'a str>,
    pub create: &'a [(UserId, Target)],
    pub update: &'a [(UserId, Target)],
    pub unlock: &'a [UserId],
    pub lock: &'a [UserId],
    /// Of each folded name that is used the name to make the group by.
    pub groups: &'a HashMap<String, GroupName>,
    pub now: UnixMs,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Of those who were locked: to be closed where they are open.
    pub ended: Vec<SessionId>,
    /// Not locked or changed, because the house would be without an administrator.
    pub kept: usize,
}

const LINK: &str = "INSERT INTO identities (issuer, subject, user_id, created) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (issuer, subject) DO NOTHING";
pub(super) const UNLOCK: &str =
    "UPDATE users SET locked = FALSE, gone = FALSE WHERE id = $1 AND locked AND gone";
/// Whom somebody else locked stays theirs to let in.
pub(super) const MARK_GONE: &str = "UPDATE users SET gone = TRUE WHERE id = $1 AND NOT locked";

/// What the source says of somebody beside the account itself.
macro_rules! belong {
    ($tx:expr, $id:expr, $target:expr, $batch:expr) => {{
        let (id, target, batch): (&UserId, &Target, &Batch<'_>) = ($id, $target, $batch);
        if let Some(issuer) = batch.issuer {
            sqlx::query(LINK)
                .bind(issuer)
                .bind(&target.subject)
                .bind(id.as_str())
                .bind(stored(batch.now))
                .execute(&mut *$tx)
                .await?;
        }
        let keys = target.groups.iter();
        let names = keys.filter_map(|key| batch.groups.get(key));
        set_groups_in!($tx, id, batch.source, names, batch.now);
    }};
}

/// Locks somebody whom their source has no more, within a transaction that has said that sessions end. Gives which; absent:
/// the house would be without an administrator.
macro_rules! lock_gone {
    ($tx:expr, $user:expr) => {{
        let user: &protocol::UserId = $user;
        sqlx::query($crate::store::imports::MARK_GONE)
            .bind(user.as_str())
            .execute(&mut *$tx)
            .await?;
        let change = $crate::store::users::Change {
            locked: Some(true),
            ..Default::default()
        };
        match $crate::store::users::change_account!($tx, user, &change) {
            $crate::store::users::Changed::LastAdministrator => None,
            $crate::store::users::Changed::Nobody => Some(Vec::new()),
            $crate::store::users::Changed::Done(_) => {
                for sql in [
                    $crate::store::links::TAKE_BACK,
                    "DELETE FROM oidc_grants WHERE user_id = $1",
                ] {
                    sqlx::query(sql)
                        .bind(user.as_str())
                        .execute(&mut *$tx)
                        .await?;
                }
                let ended: Vec<String> =
                    sqlx::query_scalar("DELETE FROM sessions WHERE user_id = $1 RETURNING id")
                        .bind(user.as_str())
                        .fetch_all(&mut *$tx)
                        .await?;
                Some(
                    ended
                        .into_iter()
                        .map($crate::principal::SessionId::from)
                        .collect::<Vec<_>>(),
                )
            }
        }
    }};
}
pub(super) use lock_gone;

/// All of it or, with an error, nothing. `Taken` if somebody has one of the usernames meanwhile.
pub async fn write(db: &Db, batch: &Batch<'_>) -> Result<Written> {
    let mut done = Written::default();
    let mark = crate::chance::id();
    in_transaction!(db, tx => {
        if !batch.lock.is_empty() {
            sqlx::query(settings::SET).bind(settings::SESSIONS_ENDED).bind(&mark).execute(&mut *tx).await?;
        }
        for (id, target) in batch.create {
            let new = new_account(id, target, batch);
            insert_account!(tx, &new);
            belong!(tx, id, target, batch);
        }
        for user in batch.unlock {
            sqlx::query(UNLOCK).bind(user.as_str()).execute(&mut *tx).await?;
        }
        for (id, target) in batch.update {
            let change = change_of(target);
            match change_account!(tx, id, &change) {
                Changed::Done(_) => belong!(tx, id, target, batch),
                Changed::Nobody => {}
                Changed::LastAdministrator => done.kept += 1,
            }
        }
        for user in batch.lock {
            match lock_gone!(tx, user) {
                Some(ended) => done.ended.extend(ended),
                None => done.kept += 1,
            }
        }
    });
    Ok(done)
}

fn new_account(id: &UserId, target: &Target, batch: &Batch<'_>) -> NewAccount {
    NewAccount {
        id: id.clone(),
        username: target.username.clone(),
        name: target.name.clone(),
        mail: target.mail.clone(),
        admin: target.admin,
        password: None,
        source: batch.source,
        created: batch.now,
    }
}

fn change_of(target: &Target) -> Change {
    Change {
        username: Some(target.username.clone()),
        name: Some(target.name.clone()),
        mail: Some(target.mail.clone()),
        admin: Some(target.admin),
        ..Change::default()
    }
}
