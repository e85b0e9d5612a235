//! People from a CSV file: read with all mistakes told by their lines, compared with those of the house, and written as a
//! whole or not at all. A file makes and corrects; it takes nothing away.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use anyhow::{Context, bail};
use csv::{ByteRecord, Position, ReaderBuilder, Trim};
use identity::administration::may_act_on_administrators;
use identity::sync::{Authority, Entry, Known, Plan, Trouble, plan};
use identity::{GroupName, Username};
use protocol::http::PersonSource;
use protocol::http::admin::{ImportProblem, ImportReport};
use protocol::{ErrorCode, UserId};

use crate::audit::{self, Actor};
use crate::chance;
use crate::store::imports::{self, Batch};
use crate::store::{self, Db};

pub const MOST_BYTES: usize = 4 * 1024 * 1024;
const MOST_ROWS: usize = 10_000;
/// Told at once: whoever sees so many looks at the file anyway.
const MOST_PROBLEMS: usize = 1_000;
const COLUMNS: [&str; 4] = ["username", "name", "mail", "groups"];
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("the file has more than {MOST_ROWS} rows or {MOST_BYTES} bytes")]
    TooLarge,
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

/// With any problem, or `dry`, nothing is written.
pub async fn import(
    db: &Db,
    actor: &Actor,
    bytes: &[u8],
    dry: bool,
) -> Result<ImportReport, FileError> {
    if bytes.len() > MOST_BYTES {
        return Err(FileError::TooLarge);
    }
    let mut file = File::read(bytes);
    if file.rows.len() > MOST_ROWS {
        return Err(FileError::TooLarge);
    }
    let known = imports::known(db, PersonSource::House, "").await?;
    file.write_usernames_as(&known);
    let mut groups = imports::group_names(db).await?;
    groups.extend(std::mem::take(&mut file.groups));
    let entries: Vec<Entry> = file.rows.iter().map(|(_, entry)| entry.clone()).collect();
    let plan = plan(Authority::Partial, &known, &entries, false);
    for problem in &plan.problems {
        let row = problem.entry.and_then(|index| file.rows.get(index));
        if let Some((line, _)) = row {
            file.problems.push(told(*line, problem.what));
        }
    }
    if !may_act_on_administrators(!matches!(actor, Actor::Token(_))) {
        file.keep_from_administrators(&plan, &known);
    }
    file.problems.sort_by_key(|problem| problem.line);
    file.problems.truncate(MOST_PROBLEMS);
    let report = ImportReport {
        created: plan.create.len() as u64,
        updated: plan.update.len() as u64,
        unchanged: plan.unchanged as u64,
        problems: file.problems,
    };
    if dry || !report.problems.is_empty() {
        return Ok(report);
    }
    let create = plan.create.into_iter();
    let create: Vec<_> = create
        .map(|target| (UserId::from(chance::id()), target))
        .collect();
    let update = plan.update.into_iter();
    let update: Vec<_> = update
        .map(|(id, target)| (UserId::from(id), target))
        .collect();
    let batch = Batch {
        source: PersonSource::House,
        issuer: None,
        create: &create,
        update: &update,
        unlock: &[],
        lock: &[],
        groups: &groups,
        now: chance::unix_ms(),
    };
    imports::write(db, &batch).await?;
    let details = format!("created {}, updated {}", report.created, report.updated);
    audit::record(db, actor, "people.imported", "", &details).await?;
    Ok(report)
}

/// `stube user import`: says what became of the file.
pub async fn command(db: &Db, file: &Path, dry: bool) -> anyhow::Result<()> {
    let bytes =
        std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let report = import(db, &Actor::House, &bytes, dry).await?;
    for problem in &report.problems {
        let code = serde_json::to_value(problem.code)?;
        let code = code.as_str().unwrap_or_default();
        println!("line {}\t{}\t{code}", problem.line, problem.column);
    }
    if !report.problems.is_empty() {
        bail!("nothing was changed: the file has mistakes");
    }
    let would = if dry { "would be " } else { "" };
    println!(
        "{} {would}new, {} {would}changed, {} as before.",
        report.created, report.updated, report.unchanged
    );
    Ok(())
}

/// What the file says, as far as it can be read.
#[derive(Debug, Default)]
struct File {
    /// With their lines.
    rows: Vec<(u64, Entry)>,
    /// By folded names.
    groups: HashMap<String, GroupName>,
    problems: Vec<ImportProblem>,
}

impl File {
    fn read(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let mut file = Self::default();
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter(bytes))
            .trim(Trim::All)
            .from_reader(bytes);
        let header = match reader.byte_headers() {
            Ok(header) => header.clone(),
            Err(_) => ByteRecord::new(),
        };
        let Some(columns) = file.columns(&header) else {
            return file;
        };
        let mut lines = Lines::new(bytes);
        for record in reader.byte_records() {
            match record {
                Ok(record) => file.row(&columns, lines.at(record.position()), &record),
                Err(error) => {
                    let line = lines.at(error.position());
                    file.problem(line, "", ErrorCode::Malformed);
                }
            }
            if file.rows.len() > MOST_ROWS || file.problems.len() > MOST_PROBLEMS {
                break;
            }
        }
        file
    }

    /// Where each of [`COLUMNS`] stands.
    fn columns(&mut self, header: &ByteRecord) -> Option<[Option<usize>; 4]> {
        let names: Vec<String> = header
            .iter()
            .map(|name| String::from_utf8_lossy(name).to_lowercase())
            .collect();
        for (index, name) in names.iter().enumerate() {
            let twice = names.iter().take(index).any(|before| before == name);
            if twice || !COLUMNS.contains(&name.as_str()) {
                self.problem(1, name, ErrorCode::Malformed);
            }
        }
        let columns = COLUMNS.map(|column| names.iter().position(|name| name == column));
        let [username, ..] = columns;
        if username.is_none() {
            self.problem(1, "username", ErrorCode::Malformed);
        }
        self.problems.is_empty().then_some(columns)
    }

    fn row(&mut self, columns: &[Option<usize>; 4], line: u64, record: &ByteRecord) {
        let mut cells = [""; 4];
        for ((cell, column), name) in cells.iter_mut().zip(columns).zip(COLUMNS) {
            let bytes = column
                .and_then(|column| record.get(column))
                .unwrap_or_default();
            match std::str::from_utf8(bytes) {
                Ok(text) => *cell = text,
                Err(_) => return self.problem(line, name, ErrorCode::Malformed),
            }
        }
        let [username, name, mail, list] = cells;
        let mut groups = BTreeSet::new();
        for name in list.split(';').filter(|name| !name.trim().is_empty()) {
            match GroupName::parse(name) {
                Ok(name) => {
                    groups.insert(name.key().to_owned());
                    self.groups.entry(name.key().to_owned()).or_insert(name);
                }
                Err(_) => self.problem(line, "groups", ErrorCode::NameInvalid),
            }
        }
        let key = Username::parse(username).map(|username| username.key().to_owned());
        let entry = Entry {
            subject: key.unwrap_or_else(|_| username.to_owned()),
            username: username.to_owned(),
            name: name.to_owned(),
            mail: mail.to_owned(),
            admin: None,
            groups,
        };
        self.rows.push((line, entry));
    }

    /// Small and capital letters in a username are nothing to correct.
    fn write_usernames_as(&mut self, known: &[Known]) {
        let own = known.iter().filter(|one| one.subject.is_some());
        let names: HashMap<&str, &Username> =
            own.map(|one| (one.username.key(), &one.username)).collect();
        for (_, entry) in &mut self.rows {
            if let Some(name) = names.get(entry.subject.as_str()) {
                entry.username = name.as_str().to_owned();
            }
        }
    }

    /// Rows that would change an administrator's account are mistakes of whoever may not.
    fn keep_from_administrators(&mut self, plan: &Plan, known: &[Known]) {
        let admins = known.iter().filter(|one| one.admin);
        let admins: BTreeSet<&str> = admins.map(|one| one.id.as_str()).collect();
        let touched = plan
            .update
            .iter()
            .filter(|(id, _)| admins.contains(id.as_str()));
        let touched: BTreeSet<&str> = touched.map(|(_, to)| to.username.key()).collect();
        let rows = self.rows.iter();
        let lines: Vec<u64> = rows
            .filter(|(_, entry)| touched.contains(entry.subject.as_str()))
            .map(|(line, _)| *line)
            .collect();
        for line in lines {
            self.problem(line, "username", ErrorCode::Forbidden);
        }
    }

    fn problem(&mut self, line: u64, column: &str, code: ErrorCode) {
        self.problems.push(ImportProblem {
            line,
            column: column.to_owned(),
            code,
        });
    }
}

/// Counts lines as editors do. The library counts a line's end only with what comes after it.
struct Lines<'a> {
    rest: &'a [u8],
    offset: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            offset: 0,
            line: 1,
        }
    }

    /// Where this record begins. Positions only grow.
    fn at(&mut self, position: Option<&Position>) -> u64 {
        let byte = position.and_then(|position| usize::try_from(position.byte()).ok());
        let skip = byte.unwrap_or_default().saturating_sub(self.offset);
        self.pass(skip);
        let ends = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        self.pass(self.rest.iter().take_while(ends).count());
        self.line
    }

    fn pass(&mut self, count: usize) {
        let (passed, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.offset += passed.len();
        self.rest = rest;
    }
}

/// As in the header: names of columns have neither.
fn delimiter(bytes: &[u8]) -> u8 {
    let header = bytes.split(|byte| *byte == b'\n').next();
    if header.unwrap_or_default().contains(&b';') {
        b';'
    } else {
        b','
    }
}

fn told(line: u64, trouble: Trouble) -> ImportProblem {
    let (column, code) = match trouble {
        Trouble::Name(_) => ("name", ErrorCode::NameInvalid),
        Trouble::Mail => ("mail", ErrorCode::MailInvalid),
        // Whoever has it comes from elsewhere: people of the house are found by it.
        Trouble::Taken => ("username", ErrorCode::ManagedElsewhere),
        Trouble::Twice => ("username", ErrorCode::NameTaken),
        Trouble::Username(_) | Trouble::TooManyGone(_) | Trouble::LastAdmin => {
            ("username", ErrorCode::NameInvalid)
        }
    };
    ImportProblem {
        line,
        column: column.to_owned(),
        code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as `line username|name|mail|groups`, then problems as `line?column:code`.
    fn check(what: &str, bytes: &[u8], expect: &str) {
        let file = File::read(bytes);
        let rows = file.rows.iter().map(|(line, entry)| {
            let groups: Vec<_> = entry.groups.iter().map(String::as_str).collect();
            let (username, name, mail) = (&entry.username, &entry.name, &entry.mail);
            format!("{line} {username}|{name}|{mail}|{}", groups.join("+"))
        });
        let problems = file
            .problems
            .iter()
            .map(|problem| format!("{}?{}:{:?}", problem.line, problem.column, problem.code));
        let all: Vec<_> = rows.chain(problems).collect();
        assert_eq!(all.join(" / "), expect, "{what}");
    }

    #[test]
    fn files_are_read_as_programs_write_them() {
        check(
            "plain",
            b"username,name,mail,groups\nanna,Anna,a@x.org,Chor;Alt\n",
            "2 anna|Anna|a@x.org|alt+chor",
        );
        check(
            "semicolons",
            b"username;groups\r\nanna;\"Chor;Alt\"\r\n",
            "2 anna|||alt+chor",
        );
        check(
            "a byte order mark",
            b"\xEF\xBB\xBFusername,name\nanna,Anna\n",
            "2 anna|Anna||",
        );
        check(
            "another order and other letters",
            b"Name,USERNAME\nAnna,anna\n",
            "2 anna|Anna||",
        );
        check(
            "quotes and a line within",
            b"username,name\nanna,\"Anna \"\"A\"\"\nB\"\nbernd,B\n",
            "2 anna|Anna \"A\"\nB|| / 4 bernd|B||",
        );
        check(
            "empty lines",
            b"username\n\nanna\n\n\nbernd",
            "3 anna||| / 6 bernd|||",
        );
        check(
            "white space",
            b" username , name \n anna , Anna \n",
            "2 anna|Anna||",
        );
        check(
            "empty groups",
            b"username,groups\nanna,; Chor ;;\n",
            "2 anna|||chor",
        );
    }

    #[test]
    fn every_mistake_is_told_by_its_line() {
        check("nothing at all", b"", "1?username:Malformed");
        check("no username", b"name\nAnna\n", "1?username:Malformed");
        check(
            "an unknown column",
            b"username,colour\nanna,red\n",
            "1?colour:Malformed",
        );
        check(
            "a column twice",
            b"username,name,name\nanna,a,b\n",
            "1?name:Malformed",
        );
        check(
            "too few cells",
            b"username,name\nanna\nbernd,B\n",
            "3 bernd|B|| / 2?:Malformed",
        );
        check(
            "no UTF-8",
            b"username,name\nanna,\xE4\n",
            "2?name:Malformed",
        );
        check(
            "an impossible group",
            b"username,groups\nanna,\"a\x07b\"\n",
            "2 anna||| / 2?groups:NameInvalid",
        );
    }
}
