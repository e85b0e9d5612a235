//! Browsers that can be woken.

use identity::session::{PER_USER, Times};
use protocol::UserId;

use super::{account, new_session, on_both, session_id};
use crate::store::push::{self, Subscription};
use crate::store::{Db, sessions};

async fn signed_in(db: &Db, user: &UserId, session: &str, seed: u8) {
    let new = new_session(session_id(session), seed, user, Times::new(1));
    let made = sessions::create(db, &new).await.expect("an answer");
    assert!(made.is_some());
}

fn subscription(id: &str, user: &UserId, session: &str, created: u64) -> Subscription {
    Subscription {
        id: id.to_owned(),
        user: user.clone(),
        session: session_id(session),
        browser: format!("browser of {session}").as_str().into(),
        endpoint: format!("https://push.example/{id}"),
        p256dh: "key".to_owned(),
        auth: "auth".to_owned(),
        language: "de".to_owned(),
        created,
    }
}

async fn ids(db: &Db, user: &UserId) -> Vec<String> {
    let all = push::of(db, user).await.expect("a list");
    all.into_iter().map(|one| one.id).collect()
}

async fn put(db: &Db, new: &Subscription) -> bool {
    push::put(db, new).await.expect("an answer")
}

#[tokio::test]
async fn somebody_is_reachable_for_as_long_as_a_session_of_theirs_has_a_browser_to_wake() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let bernd = account(db, "u2", "bernd").await.id;
        let reachable = async |user| push::is_reachable(db, user).await.expect("an answer");
        signed_in(db, &anna, "s1", 1).await;
        assert!(!reachable(&anna).await);
        let first = subscription("a", &anna, "s1", 1);
        assert!(put(db, &first).await);
        assert_eq!(
            push::of(db, &anna).await.expect("a list"),
            std::slice::from_ref(&first)
        );
        assert!(reachable(&anna).await);
        assert!(!reachable(&bernd).await);
        let ended = sessions::remove(db, &first.session, None, "mark").await;
        assert!(ended.expect("an answer"));
        assert!(!reachable(&anna).await, "it went with the session");
        assert!(!put(db, &first).await, "and does not come back after it");
        assert!(!reachable(&anna).await);
    })
    .await;
}

#[tokio::test]
async fn a_session_has_one_and_a_browser_belongs_to_who_uses_it_now() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let bernd = account(db, "u2", "bernd").await.id;
        signed_in(db, &anna, "s1", 1).await;
        signed_in(db, &bernd, "s2", 2).await;
        assert!(put(db, &subscription("a", &anna, "s1", 1)).await);
        assert!(put(db, &subscription("b", &anna, "s1", 2)).await);
        assert_eq!(ids(db, &anna).await, ["b"]);
        let taken_over = Subscription {
            endpoint: "https://push.example/b".to_owned(),
            ..subscription("c", &bernd, "s2", 3)
        };
        assert!(put(db, &taken_over).await);
        assert_eq!(ids(db, &anna).await, Vec::<String>::new());
        assert_eq!(ids(db, &bernd).await, ["c"]);
        let forged = subscription("d", &anna, "s2", 4);
        assert!(!put(db, &forged).await, "the session is not hers");
    })
    .await;
}

#[tokio::test]
async fn there_are_no_more_than_sessions_and_each_can_be_taken_away() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        for number in 0..=PER_USER {
            let session = format!("s{number:02}");
            signed_in(db, &anna, &session, number as u8).await;
            let new = subscription(&format!("p{number:02}"), &anna, &session, number as u64);
            assert!(put(db, &new).await);
        }
        let all = ids(db, &anna).await;
        assert_eq!(all.len(), PER_USER);
        push::remove(db, &all[0]).await.expect("removed");
        push::remove(db, &all[0]).await.expect("no error");
        let session = session_id(&all[1].replace('p', "s"));
        push::remove_of(db, &session).await.expect("removed");
        assert_eq!(ids(db, &anna).await, all[2..]);
        let removed = push::remove_all(db).await.expect("a number");
        assert_eq!(removed, PER_USER as u64 - 2);
        assert!(!push::is_reachable(db, &anna).await.expect("an answer"));
    })
    .await;
}
