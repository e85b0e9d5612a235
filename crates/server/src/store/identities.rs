//! Sign-ins elsewhere that lead to an account: by whom (issuer) and as whom (subject) somebody is known there.

use identity::{Mail, UnixMs};
use protocol::UserId;

use super::users::{Account, NewAccount, account_columns, insert_account};
use super::{Db, Result, in_transaction, on, stored};

/// Somebody, as another house calls them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    pub issuer: &'a str,
    pub subject: &'a str,
}

const LINK: &str =
    "INSERT INTO identities (issuer, subject, user_id, created) VALUES ($1, $2, $3, $4)";

/// Whose this subject is.
pub async fn account(db: &Db, subject: &Subject<'_>) -> Result<Option<Account>> {
    const SQL: &str = concat!(
        "SELECT ",
        account_columns!(),
        " FROM identities i JOIN users u ON u.id = i.user_id WHERE i.issuer = $1 AND i.subject = $2"
    );
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(subject.issuer).bind(subject.subject).fetch_optional(pool).await
    })?)
}

/// Makes an account and says whose it is. `Taken` if the username or the subject is.
pub async fn create(db: &Db, new: &NewAccount, subject: &Subject<'_>) -> Result<Account> {
    in_transaction!(db, tx => {
        insert_account!(tx, new);
        sqlx::query(LINK)
            .bind(subject.issuer)
            .bind(subject.subject)
            .bind(new.id.as_str())
            .bind(stored(new.created))
            .execute(&mut *tx)
            .await?;
    });
    Ok(new.account())
}

/// From now on the subject is this account's, unless it is somebody's already.
pub async fn link(db: &Db, user: &UserId, subject: &Subject<'_>, now: UnixMs) -> Result<()> {
    const SQL: &str = "INSERT INTO identities (issuer, subject, user_id, created) VALUES ($1, $2, $3, $4) \
        ON CONFLICT DO NOTHING";
    on!(db, pool => {
        let query = sqlx::query(SQL).bind(subject.issuer).bind(subject.subject).bind(user.as_str());
        query.bind(stored(now)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Up to two people who have this address and have never come from this issuer.
pub async fn new_with_mail(db: &Db, mail: &Mail, issuer: &str) -> Result<Vec<Account>> {
    const SQL: &str = concat!(
        "SELECT ",
        account_columns!(),
        " FROM users u WHERE u.mail_key = $1 AND NOT EXISTS \
        (SELECT 1 FROM identities i WHERE i.user_id = u.id AND i.issuer = $2) ORDER BY u.id LIMIT 2"
    );
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(mail.key()).bind(issuer).fetch_all(pool).await)?)
}

/// Who has the subject as SCIM's `externalId` and has never come from this issuer.
pub async fn new_with_external_id(db: &Db, subject: &Subject<'_>) -> Result<Option<Account>> {
    const SQL: &str = concat!(
        "SELECT ",
        account_columns!(),
        " FROM users u WHERE u.external_id = $2 AND u.source = 'scim' AND NOT EXISTS \
        (SELECT 1 FROM identities i WHERE i.user_id = u.id AND i.issuer = $1) ORDER BY u.id LIMIT 1"
    );
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(subject.issuer).bind(subject.subject).fetch_optional(pool).await
    })?)
}

/// By whom this account's person is known.
pub async fn issuers_of(db: &Db, user: &UserId) -> Result<Vec<String>> {
    const SQL: &str = "SELECT issuer FROM identities WHERE user_id = $1 ORDER BY created, issuer";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(user.as_str()).fetch_all(pool).await)?)
}
