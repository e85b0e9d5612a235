//! Passwords, authenticator apps, backup codes and passkeys: what happens once happens once.

use identity::{PasswordHash, session};
use protocol::UserId;

use super::{account, new_session, on_both, secret, session_id};
use crate::store::passkeys::{self, StoredPasskey};
use crate::store::sessions::NewSession;
use crate::store::users::Change;
use crate::store::{Db, StoreError, passwords, sessions, totp, users};

fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_stored(text.to_owned())
}

#[tokio::test]
async fn a_password_is_changed_from_the_one_that_was_known() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let before = passwords::of(db, &anna).await.expect("an answer");
        let before = before.expect("a password");
        assert_eq!((&before.hash, before.changed), (&hash("hash of u1"), 1_000));
        for (id, seed) in [("here", 1), ("there", 2)] {
            let new = new_session(session_id(id), seed, &anna, session::Times::new(1));
            sessions::create(db, &new).await.expect("a session");
        }
        let here = session_id("here");
        let wrong = (&hash("another"), &hash("new"));
        let changed = passwords::change(db, &anna, wrong, &here, "m", 2_000).await;
        assert_eq!(changed.expect("an answer"), None);
        let right = (&before.hash, &hash("new"));
        let changed = passwords::change(db, &anna, right, &here, "m", 2_000).await;
        assert_eq!(changed.expect("an answer"), Some(vec![session_id("there")]));
        let after = passwords::of(db, &anna).await.expect("an answer");
        let after = after.expect("a password");
        assert_eq!((after.hash, after.changed), (hash("new"), 2_000));
        let kept = sessions::by_secret(db, secret(1).hash()).await;
        assert!(kept.expect("an answer").is_some());

        let nobody = UserId::from("u9");
        assert_eq!(passwords::of(db, &nobody).await.expect("an answer"), None);
        users::set_password(db, &anna, &hash(""), "m", 3_000)
            .await
            .expect("written");
        assert_eq!(passwords::of(db, &anna).await.expect("none"), None);
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_is_written_down_only_for_who_has_the_password_still_and_is_not_locked() {
    on_both(async |db| {
        account(db, "u1", "anna").await;
        let bernd = account(db, "u2", "bernd").await.id;
        let mut seed = 0;
        let mut create = async |password: Option<&str>| {
            seed += 1;
            let id = session_id(&format!("s{seed}"));
            let times = session::Times::new(1);
            let new = NewSession {
                password: password.map(hash),
                ..new_session(id, seed, &bernd, times)
            };
            let created = sessions::create(db, &new).await.expect("an answer");
            created.is_some()
        };
        assert!(create(None).await);
        assert!(create(Some("hash of u2")).await);
        users::set_password(db, &bernd, &hash("new"), "m", 2_000)
            .await
            .expect("written");
        assert!(!create(Some("hash of u2")).await, "the old password");
        assert!(create(Some("new")).await);
        let lock = Change {
            locked: Some(true),
            ..Change::default()
        };
        users::change(db, &bernd, &lock).await.expect("locked");
        assert!(!create(Some("new")).await, "locked");
        assert!(!create(None).await, "locked, and without a password");
    })
    .await;
}

async fn sealed(db: &Db, user: &UserId, confirmed: bool) -> Option<String> {
    let found = totp::of(db, user, confirmed).await.expect("an answer");
    found.map(|found| found.sealed_secret)
}

#[tokio::test]
async fn an_authenticator_app_is_in_force_when_it_is_confirmed_and_its_steps_are_taken_once() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let bernd = account(db, "u2", "bernd").await.id;
        totp::begin(db, &anna, "first", 1).await.expect("written");
        totp::begin(db, &anna, "second", 2).await.expect("written");
        assert_eq!(sealed(db, &anna, false).await.as_deref(), Some("second"));
        assert!(!totp::take_step(db, &anna, 9).await.expect("an answer"));
        let confirm = |secret: &'static str, step: u64, codes: &'static [&'static str]| {
            let codes: Vec<_> = codes.iter().map(|code| hash(code)).collect();
            let anna = anna.clone();
            async move {
                let done = totp::confirm(db, &anna, secret, step, &codes).await;
                done.expect("an answer")
            }
        };
        assert!(
            !confirm("first", 10, &["a"]).await,
            "another was shown since"
        );
        assert!(confirm("second", 10, &["a", "b"]).await);
        assert!(!confirm("second", 10, &["a", "b"]).await);
        assert_eq!(sealed(db, &anna, true).await.as_deref(), Some("second"));
        assert_eq!(sealed(db, &anna, false).await, None);
        for (step, expect) in [
            (9, false),
            (10, false),
            (11, true),
            (11, false),
            (13, true),
            (12, false),
        ] {
            let taken = totp::take_step(db, &anna, step).await.expect("an answer");
            assert_eq!(taken, expect, "{step}");
        }

        for (user, code, expect) in [
            (&bernd, "a", false),
            (&anna, "c", false),
            (&anna, "a", true),
            (&anna, "a", false),
        ] {
            let taken = totp::take_backup_code(db, user, &hash(code)).await;
            assert_eq!(taken.expect("an answer"), expect, "{code}");
        }
        let left = totp::backup_codes(db, &anna).await.expect("a list");
        assert_eq!(left, [hash("b")]);

        totp::begin(db, &anna, "third", 3).await.expect("written");
        assert_eq!(
            sealed(db, &anna, true).await.as_deref(),
            Some("second"),
            "until then"
        );
        assert!(confirm("third", 1, &["c"]).await);
        assert_eq!(sealed(db, &anna, true).await.as_deref(), Some("third"));
        let left = totp::backup_codes(db, &anna).await.expect("a list");
        assert_eq!(left, [hash("c")]);
        assert!(
            totp::take_step(db, &anna, 2).await.expect("an answer"),
            "a new secret counts anew"
        );

        totp::begin(db, &anna, "fourth", 4).await.expect("written");
        assert!(totp::remove(db, &anna).await.expect("an answer"));
        assert!(!totp::remove(db, &anna).await.expect("an answer"));
        assert_eq!(sealed(db, &anna, false).await, None);
        assert!(
            totp::backup_codes(db, &anna)
                .await
                .expect("a list")
                .is_empty()
        );
    })
    .await;
}

fn passkey(id: &str, user: &UserId, created: u64) -> StoredPasskey {
    StoredPasskey {
        id: id.to_owned(),
        user: user.clone(),
        name: "Notebook".to_owned(),
        credential: format!("{id} at 1"),
        created,
        used: None,
    }
}

#[tokio::test]
async fn passkeys_belong_to_one_account_and_count_once() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let bernd = account(db, "u2", "bernd").await.id;
        let (first, second) = (passkey("k1", &anna, 2), passkey("k2", &anna, 1));
        assert!(passkeys::add(db, &first, 2).await.expect("an answer"));
        let stolen = passkeys::add(db, &passkey("k1", &bernd, 3), 2).await;
        assert!(matches!(stolen, Err(StoreError::Taken)), "{stolen:?}");
        assert!(passkeys::add(db, &second, 2).await.expect("an answer"));
        let third = passkeys::add(db, &passkey("k3", &anna, 4), 2).await;
        assert!(!third.expect("an answer"), "no more than two");
        let all = passkeys::of(db, &anna).await.expect("a list");
        assert_eq!(all, [second.clone(), first.clone()]);

        let used = passkeys::used(db, &first, "k1 at 2", 5).await;
        assert!(used.expect("an answer"));
        let again = passkeys::used(db, &first, "k1 at 2", 6).await;
        assert!(
            !again.expect("an answer"),
            "of two answers at once one counts"
        );
        let now = passkeys::by_id(db, "k1").await.expect("an answer");
        let now = now.expect("a passkey");
        assert_eq!((now.credential.as_str(), now.used), ("k1 at 2", Some(5)));

        for (user, id, expect) in [
            (&bernd, "k1", false),
            (&anna, "k9", false),
            (&anna, "k1", true),
            (&anna, "k1", false),
        ] {
            let removed = passkeys::remove(db, user, id).await.expect("an answer");
            assert_eq!(removed, expect, "{id}");
        }
        assert_eq!(passkeys::by_id(db, "k1").await.expect("an answer"), None);
        assert_eq!(passkeys::remove_all(db, &anna).await.expect("an answer"), 1);
        assert_eq!(passkeys::remove_all(db, &anna).await.expect("an answer"), 0);
    })
    .await;
}
