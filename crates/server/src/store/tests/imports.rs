//! People who come by the list, on both databases.

use std::collections::{BTreeSet, HashMap};

use identity::sync::Target;
use identity::{DisplayName, GroupName, Mail, Username, session};
use protocol::UserId;
use protocol::http::PersonSource;

use super::{account, new_account, new_session, on_both, session_id};
use crate::store::imports::{self, Batch, Written};
use crate::store::{Db, StoreError, groups, sessions, users};

const ISSUER: &str = "ldaps://ldap.example.org";

fn target(subject: &str, username: &str, keys: &[&str]) -> Target {
    Target {
        subject: subject.to_owned(),
        username: Username::parse(username).expect("a username"),
        name: DisplayName::parse(username).expect("a name"),
        mail: Mail::parse(&format!("{username}@example.org")).ok(),
        admin: false,
        groups: keys.iter().map(|key| (*key).to_owned()).collect(),
    }
}

/// What a batch is to do, in short.
#[derive(Default)]
struct Todo {
    create: Vec<(UserId, Target)>,
    update: Vec<(UserId, Target)>,
    unlock: Vec<UserId>,
    lock: Vec<UserId>,
}

async fn write(db: &Db, todo: Todo) -> Result<Written, StoreError> {
    let names = ["Chor", "Küche"].map(|name| GroupName::parse(name).expect("a name"));
    let groups: HashMap<_, _> = names
        .into_iter()
        .map(|name| (name.key().to_owned(), name))
        .collect();
    let batch = Batch {
        source: PersonSource::Ldap,
        issuer: Some(ISSUER),
        create: &todo.create,
        update: &todo.update,
        unlock: &todo.unlock,
        lock: &todo.lock,
        groups: &groups,
        now: 1_000,
    };
    imports::write(db, &batch).await
}

async fn create(db: &Db, id: &str, target: Target) {
    let todo = Todo {
        create: vec![(UserId::from(id), target)],
        ..Todo::default()
    };
    write(db, todo).await.expect("a new one");
}

async fn lock(db: &Db, id: &str) -> Written {
    let todo = Todo {
        lock: vec![UserId::from(id)],
        ..Todo::default()
    };
    write(db, todo).await.expect("an answer")
}

async fn unlock(db: &Db, id: &str) {
    let todo = Todo {
        unlock: vec![UserId::from(id)],
        ..Todo::default()
    };
    write(db, todo).await.expect("an answer");
}

/// Whether somebody is locked, and whether because they are gone.
async fn state(db: &Db, id: &str) -> (bool, bool) {
    let known = imports::known(db, PersonSource::Ldap, ISSUER).await;
    let known = known.expect("a list");
    let one = known.iter().find(|one| one.id == id).expect("somebody");
    (one.locked, one.gone)
}

#[tokio::test]
async fn who_was_written_is_known_again_by_what_the_directory_calls_them() {
    on_both(async |db| {
        account(db, "u1", "anna").await;
        create(db, "u2", target("s2", "carla", &["chor", "küche"])).await;
        groups::join(
            db,
            &groups::by_key(db, "chor")
                .await
                .expect("an answer")
                .expect("a group")
                .id,
            &UserId::from("u1"),
            PersonSource::House,
        )
        .await
        .expect("an answer");
        let known = imports::known(db, PersonSource::Ldap, ISSUER)
            .await
            .expect("a list");
        let [anna, carla] = &known[..] else {
            panic!("two people: {known:?}")
        };
        assert_eq!(
            anna.subject, None,
            "the directory has nothing to say about her"
        );
        assert_eq!(anna.groups, BTreeSet::new());
        assert_eq!(carla.subject.as_deref(), Some("s2"));
        assert_eq!(
            carla.mail.as_ref().map(Mail::as_str),
            Some("carla@example.org")
        );
        assert_eq!(
            carla.groups,
            BTreeSet::from(["chor".to_owned(), "küche".to_owned()])
        );
        let found = imports::by_subject(db, "s2").await.expect("an answer");
        let found = found.map(|(account, gone)| (account.username, account.source, gone));
        assert_eq!(found, Some(("carla".to_owned(), PersonSource::Ldap, false)));
        assert_eq!(
            imports::by_subject(db, "s1").await.expect("an answer"),
            None
        );

        let elsewhere = imports::known(db, PersonSource::Ldap, "ldap://new.example.org").await;
        let elsewhere = elsewhere.expect("a list");
        assert_eq!(
            elsewhere.last().and_then(|one| one.subject.as_deref()),
            Some("s2"),
            "under another address"
        );
        let house = imports::known(db, PersonSource::House, "")
            .await
            .expect("a list");
        let subjects: Vec<_> = house.iter().map(|one| one.subject.as_deref()).collect();
        assert_eq!(
            subjects,
            [Some("anna"), None],
            "people of the house go by their usernames"
        );
    })
    .await;
}

#[tokio::test]
async fn an_update_is_all_of_it_or_nothing() {
    on_both(async |db| {
        account(db, "u1", "anna").await;
        create(db, "u2", target("s2", "carla", &["chor"])).await;
        create(db, "u3", target("s3", "dora", &[])).await;
        let update = |id: &str, target: Target| (UserId::from(id), target);
        let taken = Todo {
            update: vec![
                update("u3", target("s3", "dorothea", &[])),
                update("u2", target("s2", "Anna", &[])),
            ],
            ..Todo::default()
        };
        let refused = write(db, taken).await;
        assert!(matches!(refused, Err(StoreError::Taken)), "{refused:?}");
        let good = Todo {
            update: vec![update("u2", target("s2", "karla", &["küche"]))],
            ..Todo::default()
        };
        write(db, good).await.expect("an answer");
        let all = users::all(db).await.expect("a list");
        let names: Vec<_> = all
            .iter()
            .map(|account| account.username.as_str())
            .collect();
        assert_eq!(names, ["anna", "dora", "karla"]);
        let groups = groups::names_of(db, &UserId::from("u2")).await;
        assert_eq!(groups.expect("a list"), ["Küche"]);
    })
    .await;
}

#[tokio::test]
async fn who_is_gone_loses_their_sessions_and_comes_back_unless_an_administrator_locked_them() {
    on_both(async |db| {
        create(db, "u2", target("s2", "carla", &[])).await;
        let times = session::Times::new(1);
        let new = new_session(session_id("t1"), 1, &UserId::from("u2"), times);
        sessions::create(db, &new).await.expect("a session");
        let written = lock(db, "u2").await;
        assert_eq!(written.ended, [session_id("t1")]);
        assert_eq!(state(db, "u2").await, (true, true));
        assert!(
            !sessions::is_there(db, &session_id("t1"))
                .await
                .expect("an answer")
        );
        unlock(db, "u2").await;
        assert_eq!(state(db, "u2").await, (false, false));

        let by_hand = users::Change {
            locked: Some(true),
            ..users::Change::default()
        };
        users::change(db, &UserId::from("u2"), &by_hand)
            .await
            .expect("an answer");
        lock(db, "u2").await;
        assert_eq!(
            state(db, "u2").await,
            (true, false),
            "locked already, by somebody else"
        );
        unlock(db, "u2").await;
        assert_eq!(state(db, "u2").await, (true, false), "and theirs to let in");
    })
    .await;
}

#[tokio::test]
async fn the_last_administrator_is_not_locked_by_a_list() {
    on_both(async |db| {
        let boss = Target {
            admin: true,
            ..target("s1", "boss", &[])
        };
        create(db, "u1", boss).await;
        let written = lock(db, "u1").await;
        assert_eq!((written.kept, written.ended.len()), (1, 0));
        assert_eq!(state(db, "u1").await, (false, false));
        let mut other = new_account("u2", "anna");
        other.admin = true;
        users::create(db, &other).await.expect("another one");
        assert_eq!(lock(db, "u1").await.kept, 0);
        assert_eq!(state(db, "u1").await, (true, true));
    })
    .await;
}
