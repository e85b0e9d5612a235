//! Accounts as they change, and the directory's index that goes with them.

use std::collections::BTreeSet;

use identity::directory::{LISTED_WHOLE, MOST_HITS, Search, Sight};
use identity::{DisplayName, GroupName, Mail, Username, session};
use protocol::UserId;
use protocol::http::PersonSource::{House, Ldap};

use super::{account, new_account, new_session, on_both, session_id};
use crate::store::people::{Filter, complete_index};
use crate::store::users::{self, Change, Changed};
use crate::store::{Db, StoreError, groups, on, people, sessions};

async fn words_of(db: &Db, user: &str) -> Vec<String> {
    const SQL: &str = "SELECT word FROM person_words WHERE user_id = $1 ORDER BY word";
    let words: Vec<Vec<u8>> =
        on!(db, pool => sqlx::query_scalar(SQL).bind(user).fetch_all(pool).await).expect("a list");
    words
        .into_iter()
        .map(|word| String::from_utf8(word).expect("text"))
        .collect()
}

async fn forget_words(db: &Db) {
    on!(db, pool => sqlx::query("DELETE FROM person_words").execute(pool).await.map(drop))
        .expect("empty");
}

async fn change(db: &Db, id: &str, change: Change) -> Changed {
    users::change(db, &UserId::from(id), &change)
        .await
        .expect("an answer")
}

#[tokio::test]
async fn a_change_is_what_it_says_and_nothing_else() {
    on_both(async |db| {
        let anna = account(db, "u1", "Anna").await;
        assert_eq!(
            words_of(db, "u1").await,
            ["aenne", "anna", "anne", "schmidt"]
        );
        assert_eq!(
            change(db, "u1", Change::default()).await,
            Changed::Done(anna.clone())
        );
        let mail = Mail::parse("A.Meier@Example.org").expect("an address");
        let renamed = Change {
            username: Username::parse("anna.m").ok(),
            name: DisplayName::parse("Anna Meier").ok(),
            mail: Some(Some(mail)),
            ..Change::default()
        };
        let mut expect = anna.clone();
        expect.username = "anna.m".to_owned();
        expect.name = "Anna Meier".to_owned();
        expect.mail = Some("A.Meier@Example.org".to_owned());
        assert_eq!(
            change(db, "u1", renamed).await,
            Changed::Done(expect.clone())
        );
        let (found, password) = users::by_username(db, "anna.m")
            .await
            .expect("an answer")
            .expect("anna");
        assert_eq!(found, expect);
        assert!(password.is_some(), "the password stays");
        assert!(
            users::by_username(db, "anna")
                .await
                .expect("an answer")
                .is_none()
        );
        let words = ["a.meier@example.org", "ameier", "annam", "meier"];
        assert_eq!(words_of(db, "u1").await, words);

        let no_mail = Change {
            mail: Some(None),
            ..Change::default()
        };
        expect.mail = None;
        assert_eq!(change(db, "u1", no_mail).await, Changed::Done(expect));
        assert_eq!(words_of(db, "u1").await, ["annam", "meier"]);
        assert_eq!(change(db, "gone", Change::default()).await, Changed::Nobody);

        account(db, "u2", "bernd").await;
        let taken = Change {
            username: Username::parse("BERND").ok(),
            ..Change::default()
        };
        let taken = users::change(db, &UserId::from("u1"), &taken).await;
        assert!(matches!(taken, Err(StoreError::Taken)), "{taken:?}");
    })
    .await;
}

#[tokio::test]
async fn two_administrators_who_step_down_at_once_leave_one() {
    on_both(async |db| {
        for id in ["u1", "u2"] {
            let mut new = new_account(id, id);
            new.admin = true;
            users::create(db, &new).await.expect("an account");
        }
        let (one, other) = (UserId::from("u1"), UserId::from("u2"));
        let down = Change {
            admin: Some(false),
            ..Change::default()
        };
        let locked = Change {
            locked: Some(true),
            ..Change::default()
        };
        let both = tokio::join!(
            users::change(db, &one, &down),
            users::change(db, &other, &locked)
        );
        let both = [both.0, both.1];
        let done = both
            .iter()
            .filter(|done| matches!(done, Ok(Changed::Done(_))))
            .count();
        assert_eq!(done, 1, "{both:?}");
        let left = users::all(db).await.expect("a list");
        assert_eq!(
            left.iter()
                .filter(|user| user.admin && !user.locked)
                .count(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn the_index_is_completed_for_whoever_is_missing_and_made_anew_for_other_words() {
    on_both(async |db| {
        for number in 0..3 {
            account(db, &format!("u{number}"), &format!("anna{number}")).await;
        }
        assert_eq!(
            complete_index(db).await.expect("done"),
            3,
            "of an unknown version"
        );
        assert_eq!(complete_index(db).await.expect("done"), 0);
        let words = words_of(db, "u1").await;
        assert_eq!(words, ["aenne", "anna1", "anne", "schmidt"]);
        forget_words(db).await;
        account(db, "u3", "bernd").await;
        assert_eq!(complete_index(db).await.expect("done"), 3);
        assert_eq!(words_of(db, "u1").await, words);

        let mut no_letters = new_account("u4", "🏡");
        no_letters.name = DisplayName::parse("🏡").expect("a name");
        users::create(db, &no_letters).await.expect("an account");
        assert_eq!(
            complete_index(db).await.expect("done"),
            1,
            "and comes to its end"
        );
    })
    .await;
}

/// An account with this id and name, in these groups.
async fn person(db: &Db, id: &str, name: &str, groups: &[&str]) -> UserId {
    let mut new = new_account(id, &format!("login-{id}"));
    new.name = DisplayName::parse(name).expect("a name");
    new.mail = Mail::parse(&format!("{id}@example.org")).ok();
    let id = users::create(db, &new).await.expect("an account").id;
    let groups: Vec<_> = groups
        .iter()
        .map(|name| GroupName::parse(name).expect("a name"))
        .collect();
    groups::set_groups_of(db, &id, Ldap, &groups, 1)
        .await
        .expect("set");
    id
}

async fn house(db: &Db) {
    person(db, "u1", "Zoë Müller", &["Schüler"]).await;
    person(db, "u2", "Anna Muller", &["Lehrer"]).await;
    person(
        db,
        "u3",
        "änne Mueller-Lüdenscheidt",
        &["Lehrer", "Schüler"],
    )
    .await;
    person(db, "u4", "Örjan Mull", &[]).await;
    person(db, "u5", "Otto Muller", &["Lehrer"]).await;
    let lock = Change {
        locked: Some(true),
        ..Change::default()
    };
    change(db, "u5", lock).await;
}

fn groups_seen(keys: &[&str]) -> Sight {
    Sight::Groups(keys.iter().map(|key| (*key).to_owned()).collect())
}

async fn found(db: &Db, sight: &Sight, text: &str) -> Vec<String> {
    let reader = UserId::from("u1");
    let found = people::search(db, &reader, sight, &Search::parse(text)).await;
    found
        .expect("a list")
        .into_iter()
        .map(|person| person.id.as_str().to_owned())
        .collect()
}

#[tokio::test]
async fn people_are_found_by_all_their_words_in_the_order_of_their_names() {
    on_both(async |db| {
        house(db).await;
        let check = async |text: &str, expect: &[&str]| {
            assert_eq!(found(db, &Sight::Everybody, text).await, expect, "{text}");
        };
        check("mül", &["u2", "u3", "u4", "u1"]).await;
        check("MUELLER", &["u3", "u1"]).await;
        check("müller an", &["u2", "u3"]).await;
        check("an mul lue", &["u3"]).await;
        check("u4@example.org", &["u4"]).await;
        check("login", &["u2", "u3", "u4", "u1"]).await;
        check("login-u4", &["u4"]).await;
        check("muller bernd", &[]).await;
        check("otto", &[]).await;
        check("mül'; DROP TABLE users; --", &[]).await;
        check("", &[]).await;
        let unlock = Change {
            locked: Some(false),
            ..Change::default()
        };
        change(db, "u5", unlock).await;
        check("otto", &["u5"]).await;
    })
    .await;
}

#[tokio::test]
async fn nobody_is_found_whom_the_reader_may_not_see() {
    on_both(async |db| {
        house(db).await;
        let check = async |seen: &[&str], expect: &[&str]| {
            let sight = groups_seen(seen);
            assert_eq!(found(db, &sight, "mul").await, expect, "{seen:?}");
            let listed = people::seen(db, &UserId::from("u1"), &sight)
                .await
                .expect("a list");
            let listed: BTreeSet<_> = listed.iter().map(|person| person.id.as_str()).collect();
            assert_eq!(listed, expect.iter().copied().collect(), "{seen:?}");
        };
        check(&["lehrer"], &["u2", "u3", "u1"]).await;
        check(&["schüler"], &["u3", "u1"]).await;
        check(&["schüler", "lehrer"], &["u2", "u3", "u1"]).await;
        check(&["nobody's"], &["u1"]).await;
        check(&[], &["u1"]).await;
    })
    .await;
}

#[tokio::test]
async fn one_more_is_read_than_is_shown_and_the_first_by_name_are_those() {
    on_both(async |db| {
        for number in 0..MOST_HITS + 5 {
            let name = format!("{} Schmidt", char::from(b'z' - (number % 26) as u8));
            person(db, &format!("u{number}"), &name, &["Alle"]).await;
        }
        for sight in [Sight::Everybody, groups_seen(&["alle"])] {
            let hits = found(db, &sight, "sch").await;
            assert_eq!(hits.len(), MOST_HITS + 1);
            assert_eq!(
                hits[..4],
                ["u103", "u25", "u51", "u77"],
                "the As, then by id"
            );
            let seen = people::seen(db, &UserId::from("u1"), &sight).await;
            assert_eq!(seen.expect("a list").len(), LISTED_WHOLE + 1);
        }
    })
    .await;
}

#[tokio::test]
async fn the_administration_pages_through_everybody_by_username() {
    on_both(async |db| {
        house(db).await;
        for number in 10..10 + people::PAGE {
            person(db, &format!("u{number}"), "Bernd", &[]).await;
        }
        let first = people::page(db, &Filter::default()).await.expect("a page");
        assert_eq!(
            (first.people.len(), first.total, first.more),
            (people::PAGE, 105, true)
        );
        let last = first
            .people
            .last()
            .expect("a hundred")
            .account
            .username
            .clone();
        let next = Filter {
            after: Some(&last),
            ..Filter::default()
        };
        let next = people::page(db, &next).await.expect("a page");
        assert_eq!((next.people.len(), next.total, next.more), (5, 105, false));
        let both: BTreeSet<_> = [first.people, next.people]
            .concat()
            .into_iter()
            .map(|person| person.account.username)
            .collect();
        assert_eq!(both.len(), 105);

        let teachers = groups::by_key(db, "lehrer")
            .await
            .expect("an answer")
            .expect("teachers");
        let filter = Filter {
            search: Search::parse("o"),
            group: Some(&teachers.id),
            after: None,
        };
        let page = people::page(db, &filter).await.expect("a page");
        let shown: Vec<_> = page
            .people
            .iter()
            .map(|person| person.account.name.as_str())
            .collect();
        assert_eq!(
            (shown, page.total),
            (vec!["Otto Muller"], 1),
            "locked, and by one letter"
        );
    })
    .await;
}

#[tokio::test]
async fn the_administration_sees_groups_factors_and_the_last_use_of_a_person() {
    on_both(async |db| {
        let anna = person(db, "u1", "Anna", &["Lehrer", "Chor"]).await;
        groups::set_groups_of(db, &anna, House, &[GroupName::parse("lehrer").expect("a name")], 1)
            .await
            .expect("set");
        let row = async || people::person(db, &anna).await.expect("an answer").expect("anna");
        let fresh = row().await;
        assert_eq!(fresh.groups, ["Chor", "Lehrer"]);
        assert_eq!((fresh.created, fresh.used, fresh.totp, fresh.passkeys), (1_000, None, false, 0));
        for (seed, used) in [(1, 5_000), (2, 7_000)] {
            let times = session::Times { created: 1_000, used };
            let new = new_session(session_id(&format!("s{seed}")), seed, &anna, times);
            sessions::create(db, &new).await.expect("a session");
        }
        for sql in [
            "INSERT INTO passkeys (id, user_id, name, credential, created) VALUES ('k', 'u1', 'key', '{}', 1)",
            "INSERT INTO totp (user_id, sealed_secret, confirmed, last_step, created) VALUES ('u1', '', TRUE, 0, 1)",
        ] {
            on!(db, pool => sqlx::query(sql).execute(pool).await.map(drop)).expect("a row");
        }
        let row = row().await;
        assert_eq!((row.used, row.totp, row.passkeys), (Some(7_000), true, 1));
        assert_eq!(people::person(db, &UserId::from("gone")).await.expect("an answer"), None);
    })
    .await;
}
