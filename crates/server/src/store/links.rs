//! Links that make an account or give one a new password. Only hashes of what stands in them.

use identity::link::Invite;
use identity::{Mail, PasswordHash, SecretHash, UnixMs};
use protocol::UserId;

use super::users::{self, Account, NewAccount, account_columns, insert_account};
use super::{Db, Result, in_transaction, on, settings, stored};
use crate::principal::SessionId;

/// What all links have.
#[derive(Debug)]
pub struct NewLink<'a> {
    pub id: &'a str,
    pub secret: SecretHash,
    /// Absent: the command line, a machine, or the person by mail.
    pub made_by: Option<&'a UserId>,
    pub created: UnixMs,
    pub expires: UnixMs,
}

const INSERT: &str = "INSERT INTO account_links (id, secret_hash, user_id, name, username, mail, admin, group_names, \
    uses_left, made_by, created, expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

pub async fn create_invite(db: &Db, link: &NewLink<'_>, invite: &Invite) -> Result<()> {
    let groups = serde_json::to_string(&invite.groups).unwrap_or_default();
    on!(db, pool => {
        let query = sqlx::query(INSERT).bind(link.id).bind(link.secret.to_hex()).bind(None::<&str>);
        let query = query.bind(invite.name.as_ref().map_or("", |name| name.as_str()));
        let query = query.bind(invite.username.as_ref().map_or("", |name| name.as_str()));
        let query = query.bind(invite.mail.as_ref().map(Mail::as_str)).bind(invite.admin).bind(groups);
        let query = query.bind(i64::from(invite.uses)).bind(link.made_by.map(UserId::as_str));
        query.bind(stored(link.created)).bind(stored(link.expires)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

pub async fn create_recovery(db: &Db, link: &NewLink<'_>, user: &UserId) -> Result<()> {
    on!(db, pool => {
        let query = sqlx::query(INSERT).bind(link.id).bind(link.secret.to_hex()).bind(user.as_str());
        let query = query.bind("").bind("").bind(None::<&str>).bind(false).bind("[]").bind(1_i64);
        let query = query.bind(link.made_by.map(UserId::as_str));
        query.bind(stored(link.created)).bind(stored(link.expires)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// How many links this person has asked for since then that are still unused.
pub async fn asked_since(db: &Db, user: &UserId, since: UnixMs) -> Result<u64> {
    const SQL: &str = "SELECT COUNT(*) FROM account_links WHERE user_id = $1 AND made_by IS NULL AND created > $2";
    let count: i64 = on!(db, pool => {
        sqlx::query_scalar(SQL).bind(user.as_str()).bind(stored(since)).fetch_one(pool).await
    })?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// What is behind a link that is good now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behind {
    Invite { name: String, username: String },
    Recovery(Account),
}

pub async fn open(db: &Db, secret: SecretHash, now: UnixMs) -> Result<Option<Behind>> {
    const INVITE: &str = "SELECT name, username FROM account_links \
        WHERE secret_hash = $1 AND user_id IS NULL AND uses_left > 0 AND expires > $2";
    const RECOVERY: &str = concat!(
        "SELECT ",
        account_columns!(),
        " FROM account_links l JOIN users u ON u.id = l.user_id \
         WHERE l.secret_hash = $1 AND l.expires > $2 AND NOT u.locked"
    );
    let invite: Option<(String, String)> = on!(db, pool => {
        sqlx::query_as(INVITE).bind(secret.to_hex()).bind(stored(now)).fetch_optional(pool).await
    })?;
    if let Some((name, username)) = invite {
        return Ok(Some(Behind::Invite { name, username }));
    }
    let account: Option<Account> = on!(db, pool => {
        sqlx::query_as(RECOVERY).bind(secret.to_hex()).bind(stored(now)).fetch_optional(pool).await
    })?;
    Ok(account.map(Behind::Recovery))
}

#[derive(sqlx::FromRow)]
struct Carried {
    id: String,
    mail: Option<String>,
    admin: bool,
    group_names: String,
}

/// Makes the account, with what the link carries, and counts one use; both or neither. `None` if the link is good for
/// nothing any more, `Taken` if the username is. Gives the link's id too.
pub async fn accept_invite(
    db: &Db,
    secret: SecretHash,
    mut new: NewAccount,
) -> Result<Option<(Account, String)>> {
    const USE: &str = "UPDATE account_links SET uses_left = uses_left - 1 \
        WHERE secret_hash = $1 AND user_id IS NULL AND uses_left > 0 AND expires > $2 \
        RETURNING id, mail, admin, group_names";
    // A group that is gone meanwhile is not missed.
    const JOIN: &str = "INSERT INTO group_people (group_id, user_id, source) \
        SELECT id, $2, 'house' FROM groups WHERE name_key = $1 ON CONFLICT DO NOTHING";
    let link = in_transaction!(db, tx => {
        let query = sqlx::query_as(USE).bind(secret.to_hex()).bind(stored(new.created));
        let link: Option<Carried> = query.fetch_optional(&mut *tx).await?;
        if let Some(link) = &link {
            new.mail = link.mail.as_deref().and_then(|mail| Mail::parse(mail).ok());
            new.admin = link.admin;
            insert_account!(tx, &new);
            for key in group_keys(&link.group_names) {
                sqlx::query(JOIN).bind(key).bind(new.id.as_str()).execute(&mut *tx).await?;
            }
            let used_up = "DELETE FROM account_links WHERE id = $1 AND uses_left = 0";
            sqlx::query(used_up).bind(&link.id).execute(&mut *tx).await?;
        }
        link
    });
    Ok(link.map(|link| (new.account(), link.id)))
}

fn group_keys(names: &str) -> Vec<String> {
    group_names(names)
        .iter()
        .filter_map(|name| identity::GroupName::parse(name).ok())
        .map(|name| name.key().to_owned())
        .collect()
}

fn group_names(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}

/// Of a person whose password is another now, or who is locked: a link that lies in a mailbox is good for nothing any more.
pub(super) const TAKE_BACK: &str = "DELETE FROM account_links WHERE user_id = $1";

/// Gives the person behind the link a new password, takes all their recovery links back, ends all their sessions and all
/// that applications were given in their name. `None` if the link is good for nothing any more.
pub async fn recover(
    db: &Db,
    secret: SecretHash,
    password: &PasswordHash,
    mark: &str,
    now: UnixMs,
) -> Result<Option<(UserId, Vec<SessionId>)>> {
    const USE: &str = "DELETE FROM account_links WHERE secret_hash = $1 AND expires > $2 AND user_id IN \
        (SELECT id FROM users WHERE NOT locked) RETURNING user_id";
    let done = in_transaction!(db, tx => {
        sqlx::query(settings::SET).bind(settings::SESSIONS_ENDED).bind(mark).execute(&mut *tx).await?;
        let query = sqlx::query_scalar(USE).bind(secret.to_hex()).bind(stored(now));
        let user: Option<String> = query.fetch_optional(&mut *tx).await?;
        let mut ended: Vec<String> = Vec::new();
        if let Some(user) = &user {
            sqlx::query(users::SET_PASSWORD)
                .bind(user)
                .bind(password.as_str())
                .bind(stored(now))
                .execute(&mut *tx)
                .await?;
            sqlx::query(TAKE_BACK).bind(user).execute(&mut *tx).await?;
            sqlx::query("DELETE FROM oidc_grants WHERE user_id = $1").bind(user).execute(&mut *tx).await?;
            let sessions = "DELETE FROM sessions WHERE user_id = $1 RETURNING id";
            ended = sqlx::query_scalar(sessions).bind(user).fetch_all(&mut *tx).await?;
        }
        user.map(|user| (user, ended))
    });
    Ok(done.map(|(user, ended)| {
        let ended = ended.into_iter().map(SessionId::from).collect();
        (user.into(), ended)
    }))
}

/// An invite as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: String,
    pub name: String,
    pub mail: Option<String>,
    pub admin: bool,
    pub groups: Vec<String>,
    pub uses_left: u32,
    /// Name of who made it; absent for the command line, and for somebody who is gone.
    pub by: Option<String>,
    pub created: UnixMs,
    pub expires: UnixMs,
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    id: String,
    name: String,
    mail: Option<String>,
    admin: bool,
    group_names: String,
    #[sqlx(try_from = "i64")]
    uses_left: u32,
    made_by_name: Option<String>,
    #[sqlx(try_from = "i64")]
    created: u64,
    #[sqlx(try_from = "i64")]
    expires: u64,
}

/// Invites that are good now, the newest first.
pub async fn invites(db: &Db, now: UnixMs) -> Result<Vec<Listed>> {
    const SQL: &str = "SELECT l.id, l.name, l.mail, l.admin, l.group_names, l.uses_left, u.name AS made_by_name, \
        l.created, l.expires FROM account_links l LEFT JOIN users u ON u.id = l.made_by \
        WHERE l.user_id IS NULL AND l.uses_left > 0 AND l.expires > $1 ORDER BY l.id DESC";
    let rows: Vec<ListedRow> =
        on!(db, pool => sqlx::query_as(SQL).bind(stored(now)).fetch_all(pool).await)?;
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            id: row.id,
            name: row.name,
            mail: row.mail,
            admin: row.admin,
            groups: group_names(&row.group_names),
            uses_left: row.uses_left,
            by: row.made_by_name,
            created: row.created,
            expires: row.expires,
        })
        .collect())
}

/// `false` if there is no such invite.
pub async fn remove_invite(db: &Db, id: &str) -> Result<bool> {
    const SQL: &str = "DELETE FROM account_links WHERE id = $1 AND user_id IS NULL";
    let removed = on!(db, pool => sqlx::query(SQL).bind(id).execute(pool).await.map(|done| done.rows_affected()))?;
    Ok(removed == 1)
}

/// Forgets what has expired by `now`.
pub async fn remove_expired(db: &Db, now: UnixMs) -> Result<()> {
    const SQL: &str = "DELETE FROM account_links WHERE expires <= $1";
    on!(db, pool => sqlx::query(SQL).bind(stored(now)).execute(pool).await.map(drop))?;
    Ok(())
}
