//! Links to accounts: what they make, how often, and for how long.

use identity::link::Invite;
use identity::{DisplayName, GroupName, Mail, PasswordHash, Secret, Username, session};
use protocol::UserId;
use tokio::task::JoinSet;

use super::{account, new_account, new_session, on_both, people_of, secret, session_id};
use crate::store::links::{self, Behind, NewLink};
use crate::store::users::{Change, NewAccount};
use crate::store::{Db, StoreError, groups, sessions, settings, users};

fn link<'a>(id: &'a str, secret: &Secret, made_by: Option<&'a UserId>) -> NewLink<'a> {
    NewLink {
        id,
        secret: secret.hash(),
        made_by,
        created: 1_000,
        expires: 2_000,
    }
}

fn invite(uses: u32) -> Invite {
    Invite {
        uses,
        ..Invite::default()
    }
}

fn newcomer(id: &str, now: u64) -> NewAccount {
    NewAccount {
        created: now,
        ..new_account(id, id)
    }
}

async fn accept(db: &Db, secret: &Secret, id: &str, now: u64) -> Result<bool, StoreError> {
    let made = links::accept_invite(db, secret.hash(), newcomer(id, now)).await?;
    Ok(made.is_some())
}

#[tokio::test]
async fn an_invite_makes_an_account_with_what_it_carries() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let choir = GroupName::parse("Chor").expect("a name");
        let choir = groups::create(db, &choir, 1).await.expect("a group");
        let full = Invite {
            name: DisplayName::parse("Bernd B.").ok(),
            username: Username::parse("bernd").ok(),
            mail: Mail::parse("Bernd@example.org").ok(),
            admin: true,
            groups: vec!["CHOR".to_owned(), "Gone".to_owned()],
            uses: 1,
        };
        let token = secret(1);
        links::create_invite(db, &link("i1", &token, Some(&anna)), &full)
            .await
            .expect("an invite");
        let opened = links::open(db, token.hash(), 1_999)
            .await
            .expect("an answer");
        assert_eq!(
            opened,
            Some(Behind::Invite {
                name: "Bernd B.".to_owned(),
                username: "bernd".to_owned()
            })
        );
        let listed = links::invites(db, 1_999).await.expect("an answer");
        assert_eq!(listed.len(), 1);
        assert_eq!(
            (listed[0].by.as_deref(), listed[0].uses_left),
            (Some("Änne 🏡 Schmidt"), 1)
        );
        let made = links::accept_invite(db, token.hash(), newcomer("u2", 1_500)).await;
        let (bernd, by) = made.expect("an answer").expect("an account");
        assert_eq!(
            (by.as_str(), bernd.mail.as_deref(), bernd.admin),
            ("i1", Some("Bernd@example.org"), true)
        );
        let stored = users::by_id(db, &bernd.id).await.expect("an answer");
        assert_eq!(stored.as_ref(), Some(&bernd));
        let people = people_of(db, &choir.id).await;
        assert_eq!(people, [bernd.id]);
        assert_eq!(accept(db, &token, "u3", 1_600).await.ok(), Some(false));
        assert!(
            links::invites(db, 1_600)
                .await
                .expect("an answer")
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn an_invite_for_some_is_used_by_so_many_and_no_more_however_they_hurry() {
    on_both(async |db| {
        let token = secret(1);
        links::create_invite(db, &link("i1", &token, None), &invite(5))
            .await
            .expect("an invite");
        let mut crowd = JoinSet::new();
        for n in 0..12 {
            let (db, token) = (db.clone(), token.clone());
            crowd.spawn(async move { accept(&db, &token, &format!("u{n}"), 1_500).await });
        }
        let answers = crowd.join_all().await;
        let made = answers
            .iter()
            .filter(|answer| matches!(answer, Ok(true)))
            .count();
        assert_eq!(made, 5, "{answers:?}");
        assert_eq!(users::all(db).await.expect("an answer").len(), 5);
    })
    .await;
}

#[tokio::test]
async fn a_username_that_is_taken_uses_nothing_up() {
    on_both(async |db| {
        account(db, "anna", "anna").await;
        let token = secret(1);
        links::create_invite(db, &link("i1", &token, None), &invite(1))
            .await
            .expect("an invite");
        let taken = links::accept_invite(db, token.hash(), new_account("u2", "ANNA")).await;
        assert!(matches!(taken, Err(StoreError::Taken)), "{taken:?}");
        assert_eq!(accept(db, &token, "u2", 1_500).await.ok(), Some(true));
    })
    .await;
}

#[tokio::test]
async fn links_that_are_over_taken_back_or_of_the_other_kind_are_good_for_nothing() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let hash = PasswordHash::from_stored("new".to_owned());
        for (what, now, change) in [
            ("good", 1_999, ""),
            ("over", 2_000, ""),
            ("taken back", 1_500, "take back"),
            ("another one", 1_500, "other"),
            ("of somebody locked", 1_500, "lock"),
        ] {
            let (invited, recovered) = (secret(1), secret(2));
            links::create_invite(db, &link("i1", &invited, None), &invite(1))
                .await
                .expect("an invite");
            links::create_recovery(db, &link("r1", &recovered, None), &anna)
                .await
                .expect("a link");
            let crossed = links::recover(db, invited.hash(), &hash, "m", 1_500).await;
            assert_eq!(crossed.expect("an answer"), None, "{what}");
            let crossed = accept(db, &recovered, "x", 1_500).await;
            assert_eq!(crossed.ok(), Some(false), "{what}");
            let (mut invited, mut recovered) = (invited, recovered);
            match change {
                "take back" => {
                    assert!(links::remove_invite(db, "i1").await.expect("an answer"));
                    assert!(!links::remove_invite(db, "r1").await.expect("an answer"));
                    links::remove_expired(db, 2_000).await.expect("an answer");
                }
                "other" => (invited, recovered) = (secret(3), secret(4)),
                "lock" => {
                    let locked = Change {
                        locked: Some(true),
                        ..Change::default()
                    };
                    users::change(db, &anna, &locked).await.expect("locked");
                    links::remove_invite(db, "i1").await.expect("an answer");
                }
                _ => {}
            }
            let good = what == "good";
            for token in [&invited, &recovered] {
                let opened = links::open(db, token.hash(), now).await;
                assert_eq!(opened.expect("an answer").is_some(), good, "{what}");
            }
            let made = accept(db, &invited, &format!("made {what}").replace(' ', "-"), now).await;
            assert_eq!(made.ok(), Some(good), "{what}");
            let done = links::recover(db, recovered.hash(), &hash, "m", now).await;
            assert_eq!(done.expect("an answer").is_some(), good, "{what}");
            links::remove_invite(db, "i1").await.expect("an answer");
            links::remove_expired(db, u64::MAX)
                .await
                .expect("an answer");
        }
    })
    .await;
}

#[tokio::test]
async fn a_recovery_ends_what_the_old_password_began_and_is_good_once() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let bernd = account(db, "u2", "bernd").await.id;
        let times = session::Times::new(1);
        for (id, seed, user) in [("a", 1, &anna), ("a2", 2, &anna), ("b", 3, &bernd)] {
            sessions::create(db, &new_session(session_id(id), seed, user, times))
                .await
                .expect("a session");
        }
        for (id, seed) in [("r1", 7), ("r2", 8)] {
            links::create_recovery(db, &link(id, &secret(seed), Some(&bernd)), &anna)
                .await
                .expect("a link");
        }
        links::create_recovery(db, &link("r3", &secret(9), None), &anna)
            .await
            .expect("a link");
        let asked = async |since| {
            links::asked_since(db, &anna, since)
                .await
                .expect("a number")
        };
        assert_eq!((asked(999).await, asked(1_000).await), (1, 0));
        let hash = PasswordHash::from_stored("another".to_owned());
        let done = links::recover(db, secret(7).hash(), &hash, "mark", 1_500).await;
        let (user, mut ended) = done.expect("an answer").expect("a good link");
        ended.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        assert_eq!(
            (user, ended),
            (anna, vec![session_id("a"), session_id("a2")])
        );
        let mark = settings::get(db, settings::SESSIONS_ENDED).await;
        assert_eq!(mark.expect("an answer").as_deref(), Some("mark"));
        let stored = users::by_username(db, "anna").await.expect("an answer");
        assert_eq!(stored.expect("anna").1, Some(hash.clone()));
        let all = [session_id("a"), session_id("a2"), session_id("b")];
        let there = sessions::still_there(db, &all).await.expect("an answer");
        assert_eq!(there.into_iter().collect::<Vec<_>>(), [session_id("b")]);
        for seed in [7, 8, 9] {
            let again = links::recover(db, secret(seed).hash(), &hash, "m", 1_500).await;
            assert_eq!(again.expect("an answer"), None, "link {seed}");
        }
    })
    .await;
}
