//! The directory: the index of people's words, kept with every account that is made or renamed, and what is read by it.

use identity::directory::{Entry, INDEX_VERSION};

use super::{Db, Result, in_transaction, settings};

/// By which version of the words the index was made.
const INDEX: &str = "directory_index";
/// People whose words are looked for and written at once.
const BATCH: i64 = 500;
/// Rows of one statement: SQLite takes 32 766 values in all.
pub(super) const ROWS: usize = 5_000;

/// Writes the words of one person, instead of those that were there.
macro_rules! index_person {
    ($tx:expr, $id:expr, $entry:expr) => {{
        let (id, entry): (&str, &identity::directory::Entry) = ($id, $entry);
        sqlx::query("DELETE FROM person_words WHERE user_id = $1")
            .bind(id)
            .execute(&mut *$tx)
            .await?;
        let rows: Vec<_> = entry.words.iter().map(|word| (id, entry, word)).collect();
        $crate::store::people::add_words!($tx, &rows);
    }};
}
pub(super) use index_person;

macro_rules! add_words {
    ($tx:expr, $rows:expr) => {{
        let rows: &[(&str, &identity::directory::Entry, &String)] = $rows;
        for rows in rows.chunks($crate::store::people::ROWS) {
            let mut insert =
                sqlx::QueryBuilder::new("INSERT INTO person_words (word, name_key, user_id) ");
            insert.push_values(rows, |mut row, (id, entry, word)| {
                row.push_bind(word.as_bytes())
                    .push_bind(entry.order.as_bytes())
                    .push_bind(*id);
            });
            insert.push(" ON CONFLICT DO NOTHING");
            insert.build().execute(&mut *$tx).await?;
        }
    }};
}
pub(super) use add_words;

/// Makes the index anew if its words are of another version, and adds whoever is not in it. Gives how many were added.
pub async fn complete_index(db: &Db) -> Result<usize> {
    let version = INDEX_VERSION.to_string();
    if settings::get(db, INDEX).await?.as_ref() != Some(&version) {
        in_transaction!(db, tx => {
            sqlx::query("DELETE FROM person_words").execute(&mut *tx).await?;
            sqlx::query(settings::SET).bind(INDEX).bind(&version).execute(&mut *tx).await?;
        });
    }
    let mut added = 0;
    let mut after = String::new();
    loop {
        let batch = add_batch(db, &after).await?;
        added += batch.len();
        match batch.into_iter().next_back() {
            Some(last) => after = last,
            None => return Ok(added),
        }
    }
}

/// Gives the ids of those who were added, in order. Somebody without any letter has no words, so they have to be
/// left behind by their id.
async fn add_batch(db: &Db, after: &str) -> Result<Vec<String>> {
    const MISSING: &str = "SELECT u.id, u.name, u.username, u.mail FROM users u WHERE u.id > $1 AND NOT EXISTS \
        (SELECT 1 FROM person_words w WHERE w.user_id = u.id) ORDER BY u.id LIMIT $2";
    let added = in_transaction!(db, tx => {
        let people: Vec<(String, String, String, Option<String>)> =
            sqlx::query_as(MISSING).bind(after).bind(BATCH).fetch_all(&mut *tx).await?;
        let entries: Vec<(String, Entry)> = people
            .into_iter()
            .map(|(id, name, username, mail)| (id, Entry::new(&name, &username, mail.as_deref())))
            .collect();
        let rows: Vec<_> = entries
            .iter()
            .flat_map(|(id, entry)| entry.words.iter().map(move |word| (id.as_str(), entry, word)))
            .collect();
        add_words!(tx, &rows);
        entries.into_iter().map(|(id, _)| id).collect()
    });
    Ok(added)
}
