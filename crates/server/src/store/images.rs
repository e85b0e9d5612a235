//! Pictures of people and the logo of the house, as [`crate::images`] made them. Which one is the current one stands with
//! whose it is.

use protocol::UserId;

use super::{Db, Result, in_transaction, on};
use crate::images::Image;

/// The owner of the house's own logo; no id of a person is like it.
pub const LOGO: &str = "logo";

const PUT: &str = "INSERT INTO images (owner, bytes) VALUES ($1, $2) \
    ON CONFLICT (owner) DO UPDATE SET bytes = excluded.bytes";
const REMOVE: &str = "DELETE FROM images WHERE owner = $1";

pub async fn get(db: &Db, owner: &str) -> Result<Option<Vec<u8>>> {
    const SQL: &str = "SELECT bytes FROM images WHERE owner = $1";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(owner).fetch_optional(pool).await)?)
}

/// The image and its version, or none of both any more.
pub async fn set_picture(db: &Db, user: &UserId, image: Option<&Image>) -> Result<()> {
    const SQL: &str = "UPDATE users SET picture = $2 WHERE id = $1";
    in_transaction!(db, tx => {
        let updated = sqlx::query(SQL)
            .bind(user.as_str())
            .bind(image.map(|image| image.version.as_str()))
            .execute(&mut *tx)
            .await?
            .rows_affected();
        // Of somebody who is gone meanwhile nothing is kept.
        match image.filter(|_| updated == 1) {
            Some(image) => sqlx::query(PUT).bind(user.as_str()).bind(&image.bytes).execute(&mut *tx).await?.rows_affected(),
            None => sqlx::query(REMOVE).bind(user.as_str()).execute(&mut *tx).await?.rows_affected(),
        };
    });
    Ok(())
}

/// Its version stands among the settings that administrators choose.
pub async fn set_logo(db: &Db, image: Option<&Image>) -> Result<()> {
    match image {
        Some(image) => {
            on!(db, pool => sqlx::query(PUT).bind(LOGO).bind(&image.bytes).execute(pool).await.map(drop))?
        }
        None => on!(db, pool => sqlx::query(REMOVE).bind(LOGO).execute(pool).await.map(drop))?,
    }
    Ok(())
}
