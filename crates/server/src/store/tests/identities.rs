//! Sign-ins elsewhere, and the sessions that came of them.

use identity::{Mail, session};
use protocol::UserId;
use protocol::http::PersonSource;

use super::{account, new_account, new_session, on_both, session_id};
use crate::store::identities::{self, Subject};
use crate::store::sessions::{self, Outside};
use crate::store::users::NewAccount;
use crate::store::{Db, StoreError, on, users};

const ISSUER: &str = "https://id.example.org";

fn subject(subject: &str) -> Subject<'_> {
    Subject {
        issuer: ISSUER,
        subject,
    }
}

fn from_provider(id: &str, username: &str) -> NewAccount {
    NewAccount {
        mail: Mail::parse("Anna@example.org").ok(),
        password: None,
        source: PersonSource::Provider,
        ..new_account(id, username)
    }
}

#[tokio::test]
async fn an_account_is_made_with_its_subject_or_not_at_all() {
    on_both(async |db| {
        let anna = identities::create(db, &from_provider("u1", "anna"), &subject("a"))
            .await
            .expect("made");
        let found = identities::account(db, &subject("a"))
            .await
            .expect("an answer");
        assert_eq!(found, Some(anna));
        for (what, id, username, of) in [
            ("the username", "u2", "ANNA", "b"),
            ("the subject", "u2", "bela", "a"),
        ] {
            let taken = identities::create(db, &from_provider(id, username), &subject(of)).await;
            assert!(matches!(taken, Err(StoreError::Taken)), "{what}");
        }
        assert_eq!(users::all(db).await.expect("a list").len(), 1);
        for other in [
            subject("b"),
            Subject {
                issuer: "https://other.example",
                subject: "a",
            },
        ] {
            let found = identities::account(db, &other).await.expect("an answer");
            assert_eq!(found, None);
        }
    })
    .await;
}

#[tokio::test]
async fn a_subject_once_given_stays_with_its_account() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let bela = account(db, "u2", "bela").await.id;
        for user in [&anna, &bela] {
            identities::link(db, user, &subject("a"), 1)
                .await
                .expect("no error");
        }
        let found = identities::account(db, &subject("a"))
            .await
            .expect("an answer");
        assert_eq!(found.map(|account| account.id), Some(anna.clone()));
        let issuers = identities::issuers_of(db, &anna).await.expect("a list");
        assert_eq!(issuers, [ISSUER]);
    })
    .await;
}

#[tokio::test]
async fn people_with_an_address_are_found_until_they_have_come_from_the_issuer() {
    on_both(async |db| {
        for (id, username) in [("u1", "a"), ("u2", "b"), ("u3", "c")] {
            users::create(db, &from_provider(id, username))
                .await
                .expect("made");
        }
        let mail = Mail::parse("anna@EXAMPLE.org").expect("an address");
        let ids = async || {
            let found = identities::new_with_mail(db, &mail, ISSUER).await;
            let found = found.expect("a list").into_iter();
            found.map(|account| account.id.0).collect::<Vec<_>>()
        };
        assert_eq!(ids().await, ["u1", "u2"], "two are enough to know");
        for id in ["u1", "u2"] {
            let user = UserId::from(id);
            identities::link(db, &user, &subject(id), 1)
                .await
                .expect("linked");
        }
        assert_eq!(ids().await, ["u3"]);
    })
    .await;
}

#[tokio::test]
async fn somebody_of_scim_is_found_by_its_own_id_until_they_have_come() {
    on_both(async |db| {
        for (id, username, source) in [
            ("u1", "anna", PersonSource::Scim),
            ("u2", "bela", PersonSource::House),
        ] {
            let new = NewAccount {
                source,
                ..from_provider(id, username)
            };
            users::create(db, &new).await.expect("made");
            const SQL: &str = "UPDATE users SET external_id = $1 WHERE id = $1";
            on!(db, pool => sqlx::query(SQL).bind(id).execute(pool).await.map(drop))
                .expect("written");
        }
        let found = async |id: &str| {
            let found = identities::new_with_external_id(db, &subject(id)).await;
            found.expect("an answer").map(|account| account.username)
        };
        assert_eq!(found("u1").await.as_deref(), Some("anna"));
        assert_eq!(found("u2").await, None, "of the house");
        assert_eq!(found("u3").await, None);
        let anna = UserId::from("u1");
        identities::link(db, &anna, &subject("elsewhere"), 1)
            .await
            .expect("linked");
        assert_eq!(found("u1").await, None);
    })
    .await;
}

async fn come_in(db: &Db, id: &str, seed: u8, of: &str, named: Option<&str>) {
    let times = session::Times::new(1_000);
    let mut new = new_session(session_id(id), seed, &UserId::from("u1"), times);
    new.outside = Some(Outside {
        issuer: ISSUER.to_owned(),
        subject: of.to_owned(),
        session: named.map(str::to_owned),
        sealed_id_token: Some("sealed".to_owned()),
    });
    sessions::create(db, &new).await.expect("a session");
}

#[tokio::test]
async fn a_provider_ends_one_of_its_sessions_or_all_of_a_subject() {
    on_both(async |db| {
        account(db, "u1", "anna").await;
        let end = async |issuer: &str, of: Option<&str>, named: Option<&str>| {
            let ended = sessions::remove_outside(db, issuer, of, named, "mark").await;
            let ended = ended.expect("ended").into_iter();
            let mut ids: Vec<_> = ended.map(|id| id.as_str().to_owned()).collect();
            ids.sort();
            ids
        };
        let nothing: [&str; 0] = [];
        come_in(db, "one", 1, "a", Some("s1")).await;
        come_in(db, "two", 2, "a", Some("s2")).await;
        come_in(db, "nameless", 3, "a", None).await;
        come_in(db, "other", 4, "b", Some("s4")).await;
        let here = new_session(
            session_id("here"),
            5,
            &UserId::from("u1"),
            session::Times::new(1_000),
        );
        sessions::create(db, &here).await.expect("a session");

        let known = sessions::outside(db, &session_id("one")).await;
        let known = known.expect("an answer").expect("from outside");
        assert_eq!(
            (known.subject.as_str(), known.session.as_deref()),
            ("a", Some("s1"))
        );
        assert_eq!(known.sealed_id_token.as_deref(), Some("sealed"));
        let here = sessions::outside(db, &session_id("here")).await;
        assert_eq!(here.expect("an answer"), None);

        let stranger = "https://evil.example";
        assert_eq!(end(stranger, Some("a"), Some("s1")).await, nothing);
        assert_eq!(end(ISSUER, Some("x"), Some("x")).await, nothing);
        assert_eq!(end(ISSUER, None, Some("s4")).await, ["other"]);
        assert_eq!(
            end(ISSUER, Some("a"), Some("s1")).await,
            ["nameless", "one"]
        );
        come_in(db, "nameless", 3, "a", None).await;
        assert_eq!(end(ISSUER, Some("a"), None).await, ["nameless", "two"]);
        let there = sessions::is_there(db, &session_id("here")).await;
        assert!(there.expect("an answer"));
    })
    .await;
}
