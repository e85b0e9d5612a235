//! Accounts.

use identity::{DisplayName, Mail, PasswordHash, Secret, UnixMs, Username};
use protocol::UserId;
use protocol::http::PersonSource;

use super::{Db, Result, in_transaction, on, settings, stored};

/// An account as it is stored, without its password.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Account {
    #[sqlx(try_from = "String")]
    pub id: UserId,
    pub username: String,
    pub name: String,
    pub mail: Option<String>,
    pub admin: bool,
    /// Cannot sign in.
    pub locked: bool,
    #[sqlx(try_from = "Source")]
    pub source: PersonSource,
    /// Another value whenever the picture is another; absent without one.
    pub picture: Option<String>,
}

/// What an [`Account`] is read from; the table is `u`.
macro_rules! account_columns {
    () => {
        "u.id, u.username, u.name, u.mail, u.admin, u.locked, u.source, u.picture"
    };
}
pub(super) use account_columns;

#[derive(sqlx::Type)]
#[sqlx(transparent)]
pub struct Source(String);

impl From<Source> for PersonSource {
    fn from(source: Source) -> Self {
        match source.0.as_str() {
            "ldap" => Self::Ldap,
            "scim" => Self::Scim,
            "provider" => Self::Provider,
            _ => Self::House,
        }
    }
}

pub fn written(source: PersonSource) -> &'static str {
    match source {
        PersonSource::House => "house",
        PersonSource::Ldap => "ldap",
        PersonSource::Scim => "scim",
        PersonSource::Provider => "provider",
    }
}

#[derive(Debug)]
pub struct NewAccount {
    pub id: UserId,
    pub username: Username,
    pub name: DisplayName,
    pub mail: Option<Mail>,
    pub admin: bool,
    /// Absent: there is no signing in with a password.
    pub password: Option<PasswordHash>,
    pub source: PersonSource,
    pub created: UnixMs,
}

impl NewAccount {
    fn account(&self) -> Account {
        Account {
            id: self.id.clone(),
            username: self.username.as_str().to_owned(),
            name: self.name.as_str().to_owned(),
            mail: self.mail.as_ref().map(|mail| mail.as_str().to_owned()),
            admin: self.admin,
            locked: false,
            source: self.source,
            picture: None,
        }
    }
}

const INSERT: &str = "INSERT INTO users \
    (id, username, username_key, name, mail, mail_key, admin, password_hash, password_changed, source, created) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

macro_rules! insert {
    ($new:expr, $executor:expr) => {
        sqlx::query(INSERT)
            .bind($new.id.as_str())
            .bind($new.username.as_str())
            .bind($new.username.key())
            .bind($new.name.as_str())
            .bind($new.mail.as_ref().map(Mail::as_str))
            .bind($new.mail.as_ref().map(Mail::key))
            .bind($new.admin)
            .bind($new.password.as_ref().map_or("", PasswordHash::as_str))
            .bind($new.password.as_ref().map(|_| stored($new.created)))
            .bind(written($new.source))
            .bind(stored($new.created))
            .execute($executor)
            .await
    };
}

/// `Taken` if the username is. With an account in the house the set-up link is no way in any more.
pub async fn create(db: &Db, new: &NewAccount) -> Result<Account> {
    in_transaction!(db, tx => {
        insert!(new, &mut *tx)?;
        sqlx::query("DELETE FROM settings WHERE key = $1").bind(settings::SETUP_LINK).execute(&mut *tx).await?;
    });
    Ok(new.account())
}

/// Makes the first account if the set-up link is still good, and uses the link up; both or neither.
pub async fn create_first(db: &Db, link: &Secret, new: &NewAccount) -> Result<Option<Account>> {
    let used = in_transaction!(db, tx => {
        let deleted = sqlx::query("DELETE FROM settings WHERE key = $1 AND value = $2")
            .bind(settings::SETUP_LINK)
            .bind(link.expose())
            .execute(&mut *tx)
            .await?
            .rows_affected();
        if deleted == 1 {
            insert!(new, &mut *tx)?;
        }
        deleted == 1
    });
    Ok(used.then(|| new.account()))
}

pub async fn any(db: &Db) -> Result<bool> {
    Ok(
        on!(db, pool => sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users)").fetch_one(pool).await)?,
    )
}

/// In the order of their usernames.
pub async fn all(db: &Db) -> Result<Vec<Account>> {
    const SQL: &str = concat!(
        "SELECT ",
        account_columns!(),
        " FROM users u ORDER BY u.username_key"
    );
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

pub async fn by_id(db: &Db, id: &UserId) -> Result<Option<Account>> {
    const SQL: &str = concat!(
        "SELECT ",
        account_columns!(),
        " FROM users u WHERE u.id = $1"
    );
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(pool).await)?)
}

/// The account with this folded username and the hash of its password, if it has one.
pub async fn by_username(db: &Db, key: &str) -> Result<Option<(Account, Option<PasswordHash>)>> {
    const SQL: &str = concat!(
        "SELECT ",
        account_columns!(),
        ", u.password_hash FROM users u WHERE u.username_key = $1"
    );
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        account: Account,
        password_hash: String,
    }
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(key).fetch_optional(pool).await)?;
    Ok(row.map(|row| {
        let password = Some(row.password_hash).filter(|hash| !hash.is_empty());
        (row.account, password.map(PasswordHash::from_stored))
    }))
}

/// Also ends all sessions of the account and all that applications were given in its name, and says so to the server, which may be another process.
pub async fn set_password(
    db: &Db,
    user: &UserId,
    password: &PasswordHash,
    ended: &str,
    now: UnixMs,
) -> Result<()> {
    in_transaction!(db, tx => {
        sqlx::query("UPDATE users SET password_hash = $2, password_changed = $3 WHERE id = $1")
            .bind(user.as_str())
            .bind(password.as_str())
            .bind(stored(now))
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(user.as_str()).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM oidc_grants WHERE user_id = $1").bind(user.as_str()).execute(&mut *tx).await?;
        sqlx::query(settings::SET).bind(settings::SESSIONS_ENDED).bind(ended).execute(&mut *tx).await?;
    });
    Ok(())
}
