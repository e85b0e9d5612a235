//! The directory: the index of people's words, kept with every account that is made or renamed, and what is read by it.

use std::fmt::Write;

use identity::UnixMs;
use identity::directory::{Entry, INDEX_VERSION, LISTED_WHOLE, MOST_HITS, Search, Sight};
use protocol::UserId;

use super::users::{Account, account_columns};
use super::{Db, Result, groups, in_transaction, on, settings};

/// By which version of the words the index was made.
const INDEX: &str = "directory_index";
/// People whose words are looked for and written at once.
const BATCH: i64 = 5_000;
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
        let mut rows: Vec<_> = entries
            .iter()
            .flat_map(|(id, entry)| entry.words.iter().map(move |word| (id.as_str(), entry, word)))
            .collect();
        // In the order of the index: each of its pages is written once.
        rows.sort_by_key(|(_, _, word)| *word);
        add_words!(tx, &rows);
        entries.into_iter().map(|(id, _)| id).collect()
    });
    Ok(added)
}

/// A statement whose conditions depend on what is asked for. All text is ours; whatever comes from outside is a value.
struct Statement {
    text: String,
    values: Vec<Value>,
}

enum Value {
    Text(String),
    Bytes(Vec<u8>),
}

/// Runs a [`Statement`]: its values are of the types that both databases know.
macro_rules! fetch {
    ($db:expr, $query:path, $statement:expr, $fetch:ident) => {{
        let statement: Statement = $statement;
        on!($db, pool => {
            let mut query = $query(sqlx::AssertSqlSafe(statement.text));
            for value in statement.values {
                query = match value {
                    Value::Text(text) => query.bind(text),
                    Value::Bytes(bytes) => query.bind(bytes),
                };
            }
            query.$fetch(pool).await
        })
    }};
}

impl Statement {
    fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            values: Vec::new(),
        }
    }

    fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    fn bind(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        let place = self.values.len();
        // Writing to a string cannot fail.
        let _ = write!(self.text, "${place}");
        self
    }

    fn bind_text(&mut self, text: &str) -> &mut Self {
        self.bind(Value::Text(text.to_owned()))
    }

    /// That `column` begins with this word. No UTF-8 has the byte 255.
    fn begins(&mut self, column: &str, word: &str) -> &mut Self {
        let first = word.as_bytes().to_vec();
        let end = [word.as_bytes(), &[0xFF]].concat();
        self.push(column).push(" >= ").bind(Value::Bytes(first));
        self.push(" AND ")
            .push(column)
            .push(" < ")
            .bind(Value::Bytes(end))
    }

    /// The ids of the groups of these folded names.
    fn groups<'a>(&mut self, names: impl Iterator<Item = &'a String>) -> &mut Self {
        self.push("(SELECT id FROM groups WHERE name_key IN (");
        for (index, name) in names.enumerate() {
            self.push(if index == 0 { "" } else { ", " })
                .bind_text(name);
        }
        self.push("))")
    }
}

/// Who is found, in the order of their names; at most one more than [`MOST_HITS`]. Only for searches that are telling.
///
/// The longest word leads through the index, whose rows bring the order with them; accounts are read of those only who
/// are listed.
pub async fn search(
    db: &Db,
    reader: &UserId,
    sight: &Sight,
    search: &Search,
) -> Result<Vec<Account>> {
    let Some((first, others)) = search.words.split_first() else {
        return Ok(Vec::new());
    };
    let mut statement = Statement::new(concat!(
        "SELECT ",
        account_columns!(),
        " FROM (SELECT DISTINCT w.name_key, w.user_id FROM person_words w WHERE "
    ));
    statement.begins("w.word", first);
    for word in others {
        statement
            .push(" AND EXISTS (SELECT 1 FROM person_words o WHERE o.user_id = w.user_id AND ");
        statement.begins("o.word", word).push(")");
    }
    // Read once, from an index of the few who are locked: to look each account up would cost more than all the rest.
    statement.push(" AND w.user_id NOT IN (SELECT l.id FROM users l WHERE l.locked)");
    if let Sight::Groups(seen) = sight {
        statement
            .push(" AND (w.user_id = ")
            .bind_text(reader.as_str());
        if !seen.is_empty() {
            statement.push(" OR EXISTS (SELECT 1 FROM group_people g WHERE g.user_id = w.user_id AND g.group_id IN ");
            statement.groups(seen.iter()).push(")");
        }
        statement.push(")");
    }
    let most = MOST_HITS + 1;
    let _ = write!(
        statement.text,
        " ORDER BY w.name_key, w.user_id LIMIT {most}) f JOIN users u ON u.id = f.user_id \
         ORDER BY f.name_key, f.user_id"
    );
    Ok(fetch!(db, sqlx::query_as, statement, fetch_all)?)
}

/// Everybody whom the reader may see, in no order; at most one more than [`LISTED_WHOLE`].
pub async fn seen(db: &Db, reader: &UserId, sight: &Sight) -> Result<Vec<Account>> {
    let mut statement = Statement::new(concat!(
        "SELECT ",
        account_columns!(),
        " FROM users u WHERE NOT u.locked"
    ));
    if let Sight::Groups(seen) = sight {
        statement
            .push(" AND u.id IN (SELECT id FROM users WHERE id = ")
            .bind_text(reader.as_str());
        if !seen.is_empty() {
            statement.push(" UNION SELECT user_id FROM group_people WHERE group_id IN ");
            statement.groups(seen.iter());
        }
        statement.push(")");
    }
    let most = LISTED_WHOLE + 1;
    let _ = write!(statement.text, " LIMIT {most}");
    Ok(fetch!(db, sqlx::query_as, statement, fetch_all)?)
}

/// Who of these people the reader may see, in no order. Nobody sees who is locked.
pub async fn seen_of(
    db: &Db,
    reader: &UserId,
    sight: &Sight,
    people: &[UserId],
) -> Result<Vec<Account>> {
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::new(concat!(
        "SELECT ",
        account_columns!(),
        " FROM users u WHERE NOT u.locked AND u.id IN ("
    ));
    for (index, person) in people.iter().enumerate() {
        statement
            .push(if index == 0 { "" } else { ", " })
            .bind_text(person.as_str());
    }
    statement.push(")");
    if let Sight::Groups(seen) = sight {
        statement.push(" AND (u.id = ").bind_text(reader.as_str());
        if !seen.is_empty() {
            statement.push(" OR EXISTS (SELECT 1 FROM group_people g WHERE g.user_id = u.id AND g.group_id IN ");
            statement.groups(seen.iter()).push(")");
        }
        statement.push(")");
    }
    Ok(fetch!(db, sqlx::query_as, statement, fetch_all)?)
}

/// Somebody as the administration shows them.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PersonRow {
    #[sqlx(flatten)]
    pub account: Account,
    #[sqlx(try_from = "i64")]
    pub created: UnixMs,
    /// The latest use of any session, in Unix milliseconds.
    pub used: Option<i64>,
    pub totp: bool,
    pub passkeys: i64,
    /// By name, in order.
    #[sqlx(skip)]
    pub groups: Vec<String>,
}

macro_rules! person_columns {
    () => {
        concat!(
            "SELECT ",
            account_columns!(),
            ", u.created, (SELECT MAX(s.used) FROM sessions s WHERE s.user_id = u.id) AS used, \
            EXISTS (SELECT 1 FROM totp t WHERE t.user_id = u.id AND t.confirmed) AS totp, \
            (SELECT COUNT(*) FROM passkeys p WHERE p.user_id = u.id) AS passkeys FROM users u WHERE "
        )
    };
}

/// People on a page of the administration.
pub const PAGE: usize = 100;

#[derive(Debug, Default)]
pub struct Filter<'a> {
    pub search: Search,
    /// Only the people of the group with this id.
    pub group: Option<&'a str>,
    /// Only who comes after this folded username.
    pub after: Option<&'a str>,
}

#[derive(Debug)]
pub struct Page {
    pub people: Vec<PersonRow>,
    /// On this page or not.
    pub total: u64,
    /// There is another page after this one.
    pub more: bool,
}

impl Filter<'_> {
    fn push_to(&self, statement: &mut Statement) {
        statement.push("TRUE");
        for word in &self.search.words {
            statement.push(" AND u.id IN (SELECT w.user_id FROM person_words w WHERE ");
            statement.begins("w.word", word).push(")");
        }
        if let Some(group) = self.group {
            statement
                .push(" AND u.id IN (SELECT g.user_id FROM group_people g WHERE g.group_id = ");
            statement.bind_text(group).push(")");
        }
    }
}

/// Everybody, locked or not, in the order of their usernames.
pub async fn page(db: &Db, filter: &Filter<'_>) -> Result<Page> {
    let mut count = Statement::new("SELECT COUNT(*) FROM users u WHERE ");
    filter.push_to(&mut count);
    let total: i64 = fetch!(db, sqlx::query_scalar, count, fetch_one)?;

    let mut statement = Statement::new(person_columns!());
    filter.push_to(&mut statement);
    if let Some(after) = filter.after {
        statement.push(" AND u.username_key > ").bind_text(after);
    }
    let most = PAGE + 1;
    let _ = write!(statement.text, " ORDER BY u.username_key LIMIT {most}");
    let mut people: Vec<PersonRow> = fetch!(db, sqlx::query_as, statement, fetch_all)?;
    let more = people.len() > PAGE;
    people.truncate(PAGE);
    with_groups(db, &mut people).await?;
    Ok(Page {
        people,
        total: u64::try_from(total).unwrap_or_default(),
        more,
    })
}

/// One person as on a [`Page`].
pub async fn person(db: &Db, id: &UserId) -> Result<Option<PersonRow>> {
    let mut statement = Statement::new(concat!(person_columns!(), "u.id = "));
    statement.bind_text(id.as_str());
    let mut people: Vec<PersonRow> = fetch!(db, sqlx::query_as, statement, fetch_all)?;
    with_groups(db, &mut people).await?;
    Ok(people.pop())
}

async fn with_groups(db: &Db, people: &mut [PersonRow]) -> Result<()> {
    let ids: Vec<_> = people.iter().map(|person| &person.account.id).collect();
    let mut groups = groups::names_of_each(db, &ids).await?;
    for person in people {
        person.groups = groups
            .remove(person.account.id.as_str())
            .unwrap_or_default();
    }
    Ok(())
}
