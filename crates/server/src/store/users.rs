//! Accounts.

use identity::administrators::{Standing, may_become};
use identity::directory::Entry;
use identity::{DisplayName, Mail, PasswordHash, Secret, UnixMs, Username};
use protocol::UserId;
use protocol::http::PersonSource;

use super::{Db, Result, in_transaction, links, on, settings, stored};

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
    pub(super) fn account(&self) -> Account {
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

impl Account {
    pub fn entry(&self) -> Entry {
        Entry::new(&self.name, &self.username, self.mail.as_deref())
    }

    pub(super) fn keeps_house(&self, before: &Self, others: i64) -> bool {
        let standing = |account: &Self| Standing {
            admin: account.admin,
            locked: account.locked,
        };
        let others = u64::try_from(others).unwrap_or_default();
        may_become(standing(before), Some(standing(self)), others).is_ok()
    }
}

pub(super) const INSERT: &str = "INSERT INTO users \
    (id, username, username_key, name, mail, mail_key, admin, password_hash, password_changed, source, created) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// Writes a new account and its words, within a transaction.
macro_rules! insert_account {
    ($tx:expr, $new:expr) => {{
        let new: &$crate::store::users::NewAccount = $new;
        sqlx::query($crate::store::users::INSERT)
            .bind(new.id.as_str())
            .bind(new.username.as_str())
            .bind(new.username.key())
            .bind(new.name.as_str())
            .bind(new.mail.as_ref().map(identity::Mail::as_str))
            .bind(new.mail.as_ref().map(identity::Mail::key))
            .bind(new.admin)
            .bind(
                new.password
                    .as_ref()
                    .map_or("", identity::PasswordHash::as_str),
            )
            .bind(
                new.password
                    .as_ref()
                    .map(|_| $crate::store::stored(new.created)),
            )
            .bind($crate::store::users::written(new.source))
            .bind($crate::store::stored(new.created))
            .execute(&mut *$tx)
            .await?;
        $crate::store::people::index_person!($tx, new.id.as_str(), &new.account().entry());
        if new.admin {
            sqlx::query("DELETE FROM settings WHERE key = $1")
                .bind($crate::store::settings::SETUP_LINK)
                .execute(&mut *$tx)
                .await?;
        }
    }};
}
pub(super) use insert_account;

/// `Taken` if the username is. With an administrator in the house the set-up link is no way in any more.
pub async fn create(db: &Db, new: &NewAccount) -> Result<Account> {
    in_transaction!(db, tx => {
        insert_account!(tx, new);
    });
    Ok(new.account())
}

/// Makes the first administrator if the set-up link is still good, and uses the link up; both or neither.
pub async fn create_first(db: &Db, link: &Secret, new: &NewAccount) -> Result<Option<Account>> {
    const USE_SETUP_LINK: &str = "DELETE FROM settings WHERE key = $1 AND value = $2 \
        AND NOT EXISTS (SELECT 1 FROM users WHERE admin)";
    let used = in_transaction!(db, tx => {
        let deleted = sqlx::query(USE_SETUP_LINK)
            .bind(settings::SETUP_LINK)
            .bind(link.expose())
            .execute(&mut *tx)
            .await?
            .rows_affected();
        if deleted == 1 {
            insert_account!(tx, new);
        }
        deleted == 1
    });
    Ok(used.then(|| new.account()))
}

/// What is to be another about an account; absent: stays as it is.
#[derive(Debug, Default)]
pub struct Change {
    pub username: Option<Username>,
    pub name: Option<DisplayName>,
    /// Absent within: no address any more.
    pub mail: Option<Option<Mail>>,
    pub admin: Option<bool>,
    /// Sessions are somebody else's to end.
    pub locked: Option<bool>,
    pub source: Option<PersonSource>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// As the account is now.
    Done(Account),
    Nobody,
    /// Nothing was changed: the house would have no administrator who can sign in.
    LastAdministrator,
}

impl Change {
    pub(super) fn of(&self, before: &Account) -> Account {
        let text = |new: Option<&str>, old: &String| new.map_or_else(|| old.clone(), str::to_owned);
        Account {
            id: before.id.clone(),
            username: text(
                self.username.as_ref().map(Username::as_str),
                &before.username,
            ),
            name: text(self.name.as_ref().map(DisplayName::as_str), &before.name),
            mail: match &self.mail {
                Some(mail) => mail.as_ref().map(|mail| mail.as_str().to_owned()),
                None => before.mail.clone(),
            },
            admin: self.admin.unwrap_or(before.admin),
            locked: self.locked.unwrap_or(before.locked),
            source: self.source.unwrap_or(before.source),
            picture: before.picture.clone(),
        }
    }
}

/// `Taken` if the username is somebody else's.
pub async fn change(db: &Db, id: &UserId, change: &Change) -> Result<Changed> {
    Ok(in_transaction!(db, tx => { change_account!(tx, id, change) }))
}

/// [`change`] within a transaction.
macro_rules! change_account {
    ($tx:expr, $id:expr, $change:expr) => {{
        let (id, change): (&protocol::UserId, &$crate::store::users::Change) = ($id, $change);
        // Nobody else changes the account, or who is an administrator if that matters, until this is done.
        if change.admin == Some(false) || change.locked == Some(true) {
            sqlx::query($crate::store::users::HOLD_ADMINISTRATORS)
                .execute(&mut *$tx)
                .await?;
        }
        sqlx::query($crate::store::users::HOLD)
            .bind(id.as_str())
            .execute(&mut *$tx)
            .await?;
        let before: Option<$crate::store::users::Account> =
            sqlx::query_as($crate::store::users::BY_ID)
                .bind(id.as_str())
                .fetch_optional(&mut *$tx)
                .await?;
        let others: i64 = sqlx::query_scalar($crate::store::users::OTHER_ADMINISTRATORS)
            .bind(id.as_str())
            .fetch_one(&mut *$tx)
            .await?;
        match before.map(|before| (change.of(&before), before)) {
            None => $crate::store::users::Changed::Nobody,
            Some((after, before)) if !after.keeps_house(&before, others) => {
                $crate::store::users::Changed::LastAdministrator
            }
            Some((after, before)) => {
                let username_key = change.username.as_ref().map(identity::Username::key);
                let mail_key = after.mail.as_ref().map(|mail| mail.to_lowercase());
                sqlx::query($crate::store::users::UPDATE)
                    .bind(id.as_str())
                    .bind(&after.username)
                    .bind(username_key)
                    .bind(&after.name)
                    .bind(&after.mail)
                    .bind(mail_key)
                    .bind(after.admin)
                    .bind(after.locked)
                    .bind($crate::store::users::written(after.source))
                    .execute(&mut *$tx)
                    .await?;
                let entry = after.entry();
                if entry != before.entry() {
                    $crate::store::people::index_person!($tx, id.as_str(), &entry);
                }
                $crate::store::users::Changed::Done(after)
            }
        }
    }};
}
pub(super) use change_account;

/// For the time of a transaction, on PostgreSQL: SQLite lets one at a time write anyway.
pub(super) const HOLD_ADMINISTRATORS: &str =
    "UPDATE users SET admin = admin WHERE admin AND NOT locked";
pub(super) const HOLD: &str = "UPDATE users SET admin = admin WHERE id = $1";
pub(super) const OTHER_ADMINISTRATORS: &str =
    "SELECT COUNT(*) FROM users WHERE admin AND NOT locked AND id <> $1";
pub(super) const UPDATE: &str = "UPDATE users SET username = $2, username_key = COALESCE($3, username_key), \
    name = $4, mail = $5, mail_key = $6, admin = $7, locked = $8, source = $9 WHERE id = $1";

/// Whether anybody administers the house. Until then the set-up link is good: people who come by LDAP do not close it.
pub async fn any_administrator(db: &Db) -> Result<bool> {
    Ok(
        on!(db, pool => sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users WHERE admin)").fetch_one(pool).await)?,
    )
}

/// Whether more than one person has an account, or an invite that is still good.
pub async fn are_several(db: &Db, now: UnixMs) -> Result<bool> {
    const SQL: &str = "SELECT (SELECT COUNT(*) FROM users) > 1 OR EXISTS \
        (SELECT 1 FROM account_links WHERE user_id IS NULL AND uses_left > 0 AND expires > $1)";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(stored(now)).fetch_one(pool).await)?)
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

pub(super) const BY_ID: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM users u WHERE u.id = $1"
);

pub async fn by_id(db: &Db, id: &UserId) -> Result<Option<Account>> {
    Ok(on!(db, pool => sqlx::query_as(BY_ID).bind(id.as_str()).fetch_optional(pool).await)?)
}

/// The account with this folded username and the hash of its password, if it has one.
pub async fn by_username(db: &Db, key: &str) -> Result<Option<(Account, Option<PasswordHash>)>> {
    const SQL: &str = concat!(
        "SELECT ",
        account_columns!(),
        ", u.password_hash FROM users u WHERE u.username_key = $1"
    );
    let row: Option<WithPassword> =
        on!(db, pool => sqlx::query_as(SQL).bind(key).fetch_optional(pool).await)?;
    Ok(row.map(WithPassword::pair))
}

/// As [`by_username`], by the folded mail address: several people may share one.
pub async fn by_mail(db: &Db, key: &str) -> Result<Vec<(Account, Option<PasswordHash>)>> {
    const SQL: &str = concat!(
        "SELECT ",
        account_columns!(),
        ", u.password_hash FROM users u WHERE u.mail_key = $1 ORDER BY u.id LIMIT 10"
    );
    let rows: Vec<WithPassword> =
        on!(db, pool => sqlx::query_as(SQL).bind(key).fetch_all(pool).await)?;
    Ok(rows.into_iter().map(WithPassword::pair).collect())
}

#[derive(sqlx::FromRow)]
struct WithPassword {
    #[sqlx(flatten)]
    account: Account,
    password_hash: String,
}

impl WithPassword {
    fn pair(self) -> (Account, Option<PasswordHash>) {
        let password = Some(self.password_hash).filter(|hash| !hash.is_empty());
        (self.account, password.map(PasswordHash::from_stored))
    }
}

pub(super) const SET_PASSWORD: &str =
    "UPDATE users SET password_hash = $2, password_changed = $3 WHERE id = $1";

/// Also ends all sessions of the account, all that applications were given in its name and all links to it, and says so to
/// the server, which may be another process.
pub async fn set_password(
    db: &Db,
    user: &UserId,
    password: &PasswordHash,
    ended: &str,
    now: UnixMs,
) -> Result<()> {
    in_transaction!(db, tx => {
        sqlx::query(settings::SET).bind(settings::SESSIONS_ENDED).bind(ended).execute(&mut *tx).await?;
        sqlx::query(SET_PASSWORD)
            .bind(user.as_str())
            .bind(password.as_str())
            .bind(stored(now))
            .execute(&mut *tx)
            .await?;
        sqlx::query(links::TAKE_BACK).bind(user.as_str()).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(user.as_str()).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM oidc_grants WHERE user_id = $1").bind(user.as_str()).execute(&mut *tx).await?;
    });
    Ok(())
}
