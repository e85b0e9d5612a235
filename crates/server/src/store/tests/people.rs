//! Accounts as they change, and the directory's index that goes with them.

use identity::{DisplayName, Mail, Username};
use protocol::UserId;

use super::{account, new_account, on_both};
use crate::store::people::complete_index;
use crate::store::users::{self, Change, Changed};
use crate::store::{Db, StoreError, on};

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
        let words = [
            "a",
            "a.meier@example.org",
            "ameier",
            "anna",
            "annam",
            "m",
            "meier",
        ];
        assert_eq!(words_of(db, "u1").await, words);

        let no_mail = Change {
            mail: Some(None),
            ..Change::default()
        };
        expect.mail = None;
        assert_eq!(change(db, "u1", no_mail).await, Changed::Done(expect));
        assert_eq!(words_of(db, "u1").await, ["anna", "annam", "m", "meier"]);
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
