//! Accounts.

use identity::{DisplayName, PasswordHash, Secret, UnixMs, Username};
use protocol::UserId;

use super::{Db, Result, in_transaction, on, settings, stored};

/// An account as it is stored, without its password.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Account {
    #[sqlx(try_from = "String")]
    pub id: UserId,
    pub username: String,
    pub name: String,
    pub admin: bool,
}

#[derive(Debug)]
pub struct NewAccount {
    pub id: UserId,
    pub username: Username,
    pub name: DisplayName,
    pub admin: bool,
    pub password: PasswordHash,
    pub created: UnixMs,
}

impl NewAccount {
    fn account(&self) -> Account {
        Account {
            id: self.id.clone(),
            username: self.username.as_str().to_owned(),
            name: self.name.as_str().to_owned(),
            admin: self.admin,
        }
    }
}

const INSERT: &str = "INSERT INTO users (id, username, username_key, name, admin, password_hash, created) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

macro_rules! insert {
    ($new:expr, $executor:expr) => {
        sqlx::query(INSERT)
            .bind($new.id.as_str())
            .bind($new.username.as_str())
            .bind($new.username.key())
            .bind($new.name.as_str())
            .bind($new.admin)
            .bind($new.password.as_str())
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
    const SQL: &str = "SELECT id, username, name, admin FROM users ORDER BY username_key";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// The account with this folded username and the hash of its password.
pub async fn by_username(db: &Db, key: &str) -> Result<Option<(Account, PasswordHash)>> {
    const SQL: &str =
        "SELECT id, username, name, admin, password_hash FROM users WHERE username_key = $1";
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        account: Account,
        password_hash: String,
    }
    let row: Option<Row> =
        on!(db, pool => sqlx::query_as(SQL).bind(key).fetch_optional(pool).await)?;
    Ok(row.map(|row| (row.account, PasswordHash::from_stored(row.password_hash))))
}

/// Also ends all sessions of the account and all that applications were given in its name, and says so to the server, which may be another process.
pub async fn set_password(
    db: &Db,
    user: &UserId,
    password: &PasswordHash,
    ended: &str,
) -> Result<()> {
    in_transaction!(db, tx => {
        sqlx::query("UPDATE users SET password_hash = $2 WHERE id = $1")
            .bind(user.as_str())
            .bind(password.as_str())
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(user.as_str()).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM oidc_grants WHERE user_id = $1").bind(user.as_str()).execute(&mut *tx).await?;
        sqlx::query(settings::SET).bind(settings::SESSIONS_ENDED).bind(ended).execute(&mut *tx).await?;
    });
    Ok(())
}
