//! One run: everybody of the directory against everybody who came from it before, planned in `identity::sync` and written in
//! pieces, so that nobody waits long for the database.

use std::collections::{BTreeSet, HashMap};

use anyhow::Context;
use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Bytes;
use identity::sync::{Authority, Entry, Plan, Problem, Target, Trouble, plan};
use identity::{GroupName, Mail};
use protocol::UserId;
use protocol::http::PersonSource;
use protocol::http::admin::LdapStatus;

use super::Ldap;
use super::entry::{Memberships, Record, group_names};
use crate::audit::{self, Actor};
use crate::chance;
use crate::images::{self, Image, Purpose};
use crate::principal::SessionId;
use crate::store::imports::{self, Batch, Written};
use crate::store::{self, Db, StoreError};

/// People who are written at once.
const PIECE: usize = 200;
/// People who are named in what is told to administrators.
const NAMED: usize = 5;

/// What came of a list.
#[derive(Debug, Default)]
pub struct Outcome {
    created: usize,
    updated: usize,
    locked: usize,
    written: Written,
    pub problems: Vec<Problem>,
}

impl Ldap {
    /// Gives the sessions that ended, for whoever holds their sockets. What went wrong stands in the status.
    pub async fn sync(&self, db: &Db, remove_many: bool) -> Vec<SessionId> {
        let _one = self.running.lock().await;
        let mut status = LdapStatus {
            last_run_ms: Some(chance::unix_ms()),
            people: 0,
            created: 0,
            updated: 0,
            removed: 0,
            problem: None,
            ..self.status()
        };
        let ended = match self.take_over(db, remove_many, &mut status).await {
            Ok(ended) => ended,
            Err(error) => {
                status.problem = Some(in_words(&error));
                Vec::new()
            }
        };
        match &status.problem {
            Some(_) => tracing::warn!("the run over the directory had a problem: see its status"),
            None => tracing::info!(people = status.people, "the directory was read"),
        }
        *self
            .status
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = status;
        ended
    }

    async fn take_over(
        &self,
        db: &Db,
        remove_many: bool,
        status: &mut LdapStatus,
    ) -> anyhow::Result<Vec<SessionId>> {
        let mut connection = self.address.open().await?;
        let (people, without_id) = connection.people().await?;
        let groups = connection.groups().await?;
        let memberships = Memberships::new(&groups);
        let outcome = self
            .carry_out(db, Authority::Whole, &people, &memberships, remove_many)
            .await?;
        status.people = people.len() as u64;
        status.created = outcome.created as u64;
        status.updated = outcome.updated as u64;
        status.removed = outcome.locked as u64;
        status.problem = self.told(&people, without_id, &outcome);
        if outcome.created + outcome.updated + outcome.locked > 0 {
            let details = format!(
                "created {}, updated {}, locked {}",
                outcome.created, outcome.updated, outcome.locked
            );
            audit::record(db, &Actor::House, "ldap.synced", "", &details).await?;
        }
        if !self.settings().attributes.picture.is_empty() {
            let pictures = take_pictures(&mut connection, db).await;
            pictures.context("the pictures cannot be read from the directory")?;
        }
        connection.close().await;
        Ok(outcome.written.ended)
    }

    /// Plans and writes.
    pub async fn carry_out(
        &self,
        db: &Db,
        authority: Authority,
        people: &[Record],
        memberships: &Memberships<'_>,
        remove_many: bool,
    ) -> anyhow::Result<Outcome> {
        let mut groups = imports::group_names(db).await?;
        let entries: Vec<Entry> = people
            .iter()
            .map(|record| self.entry(record, memberships, &mut groups))
            .collect();
        let issuer = self.address.url();
        let known = imports::known(db, PersonSource::Ldap, issuer).await?;
        let plan = plan(authority, &known, &entries, remove_many);
        let writing = Writing {
            db,
            issuer,
            groups: &groups,
        };
        Ok(writing.all(plan).await?)
    }

    fn entry(
        &self,
        record: &Record,
        memberships: &Memberships<'_>,
        groups: &mut HashMap<String, GroupName>,
    ) -> Entry {
        let mut keys = BTreeSet::new();
        for name in group_names(memberships.of(record)) {
            keys.insert(name.key().to_owned());
            groups.entry(name.key().to_owned()).or_insert(name);
        }
        let admin_group = self.settings().admin_group.as_deref();
        let admin_group = admin_group.and_then(|name| GroupName::parse(name).ok());
        Entry {
            subject: record.id.clone(),
            username: record.username.clone(),
            name: record.name.clone(),
            // A directory's odd address is no reason to keep somebody out.
            mail: Mail::parse(&record.mail)
                .map_or_else(|_| String::new(), |mail| mail.as_str().to_owned()),
            admin: admin_group.map(|group| keys.contains(group.key())),
            groups: keys,
        }
    }

    /// In words, for administrators.
    fn told(&self, people: &[Record], without_id: usize, outcome: &Outcome) -> Option<String> {
        let mut sentences = Vec::new();
        if without_id > 0 {
            let id = &self.settings().attributes.id;
            sentences.push(format!(
                "{without_id} entries have no {id} and were left out."
            ));
        }
        let mut left_out = Vec::new();
        for problem in &outcome.problems {
            let record = problem.entry.and_then(|index| people.get(index));
            match record {
                Some(record) => {
                    left_out.push(format!("{} ({})", record.username, reason(problem.what)))
                }
                None => sentences.push(whole(problem.what)),
            }
        }
        if !left_out.is_empty() {
            let more = left_out.len().saturating_sub(NAMED);
            let mut names = left_out
                .into_iter()
                .take(NAMED)
                .collect::<Vec<_>>()
                .join(", ");
            if more > 0 {
                names = format!("{names} and {more} more");
            }
            sentences.push(format!("Left out: {names}."));
        }
        if outcome.written.kept > 0 {
            sentences.push(whole(Trouble::LastAdmin));
        }
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }
}

/// The library's errors say again what caused them.
fn in_words(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            let colon = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{colon}{cause}");
        }
    }
    text
}

fn reason(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Username(_) => "the username cannot be one",
        Trouble::Name(_) => "the name cannot be one",
        Trouble::Mail => "the mail address cannot be one",
        Trouble::Taken => "another account has this username",
        Trouble::Twice => "the username is there twice",
        Trouble::TooManyGone(_) | Trouble::LastAdmin => "",
    }
}

fn whole(trouble: Trouble) -> String {
    match trouble {
        Trouble::TooManyGone(count) => format!(
            "{count} people are suddenly missing, so none of them was locked; if that is meant, run \
             `stube ldap sync --remove-many`."
        ),
        Trouble::LastAdmin => {
            "The last administrator was left as they are, since the house needs one.".to_owned()
        }
        other => reason(other).to_owned(),
    }
}

struct Writing<'a> {
    db: &'a Db,
    issuer: &'a str,
    groups: &'a HashMap<String, GroupName>,
}

impl Writing<'_> {
    async fn all(&self, plan: Plan) -> store::Result<Outcome> {
        let ids = |ids: Vec<String>| ids.into_iter().map(UserId::from).collect::<Vec<_>>();
        let create = plan.create.into_iter();
        let create: Vec<_> = create
            .map(|target| (UserId::from(chance::id()), target))
            .collect();
        let update = plan.update.into_iter();
        let mut update: Vec<_> = update
            .map(|(id, target)| (UserId::from(id), target))
            .collect();
        // Whoever becomes an administrator does so before others are none any more.
        update.sort_by_key(|(_, target)| !target.admin);
        let (unlock, lock) = (ids(plan.unlock), ids(plan.lock));
        let mut outcome = Outcome {
            created: create.len(),
            updated: update.len().max(unlock.len()),
            locked: lock.len(),
            problems: plan.problems,
            ..Outcome::default()
        };
        self.piece(&mut outcome, &[], &[], &unlock, &[]).await?;
        for some in create.chunks(PIECE) {
            self.piece(&mut outcome, some, &[], &[], &[]).await?;
        }
        for some in update.chunks(PIECE) {
            self.piece(&mut outcome, &[], some, &[], &[]).await?;
        }
        for some in lock.chunks(PIECE) {
            self.piece(&mut outcome, &[], &[], &[], some).await?;
            for user in some {
                let subject = format!("user:{user}");
                audit::record(
                    self.db,
                    &Actor::House,
                    "person.locked",
                    &subject,
                    "gone from LDAP",
                )
                .await?;
            }
        }
        Ok(outcome)
    }

    async fn piece(
        &self,
        outcome: &mut Outcome,
        create: &[(UserId, Target)],
        update: &[(UserId, Target)],
        unlock: &[UserId],
        lock: &[UserId],
    ) -> store::Result<()> {
        let batch = Batch {
            source: PersonSource::Ldap,
            issuer: Some(self.issuer),
            create,
            update,
            unlock,
            lock,
            groups: self.groups,
            now: chance::unix_ms(),
        };
        let written = match imports::write(self.db, &batch).await {
            // Somebody took a username meanwhile, or two people change theirs: each by themselves, then.
            Err(StoreError::Taken) if create.len() + update.len() > 1 => {
                for one in create.chunks(1) {
                    Box::pin(self.piece(outcome, one, &[], &[], &[])).await?;
                }
                for one in update.chunks(1) {
                    Box::pin(self.piece(outcome, &[], one, &[], &[])).await?;
                }
                return Ok(());
            }
            Err(StoreError::Taken) => {
                outcome.created -= create.len();
                outcome.updated -= update.len();
                return Ok(());
            }
            written => written?,
        };
        outcome.written.ended.extend(written.ended);
        outcome.written.kept += written.kept;
        Ok(())
    }
}

/// Those that changed are made anew; who has none there has none here.
async fn take_pictures(
    connection: &mut super::client::Connection<'_>,
    db: &Db,
) -> anyhow::Result<()> {
    let rows = imports::pictures(db).await?.into_iter();
    let mut people: HashMap<_, _> = rows
        .map(|(subject, user, version)| (subject, (user, version)))
        .collect();
    let mut pictures = connection.pictures().await?;
    while let Some((subject, bytes)) = pictures.next().await? {
        let Some((user, old)) = people.remove(&subject) else {
            continue;
        };
        // Of what the directory has, so that the same picture need not be made again to be known.
        let version = version(&bytes);
        if old.as_ref() == Some(&version) {
            continue;
        }
        match images::prepare(Bytes::from(bytes), Purpose::Person).await {
            Ok(Image { bytes, .. }) => {
                let image = Image { bytes, version };
                store::images::set_picture(db, &user, Some(&image)).await?;
            }
            Err(error) => tracing::debug!(%user, %error, "a picture of the directory is none"),
        }
    }
    for (user, _) in people.into_values().filter(|(_, old)| old.is_some()) {
        store::images::set_picture(db, &user, None).await?;
    }
    Ok(())
}

fn version(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    let start = hash.as_ref().iter().take(8);
    start.map(|byte| format!("{byte:02x}")).collect()
}
