//! People and groups that SCIM looks after, on both databases.

use std::collections::BTreeSet;

use identity::{DisplayName, GroupName, Mail, Username, session};
use protocol::UserId;
use protocol::http::PersonSource;

use super::{account, new_session, on_both, people_of, secret, session_id};
use crate::store::links::NewLink;
use crate::store::scim::{self, Find, Wanted};
use crate::store::{Db, StoreError, groups, links, sessions};

fn wanted(username: &str, external_id: &str, active: Option<bool>) -> Wanted {
    Wanted {
        username: Username::parse(username).expect("a username"),
        name: DisplayName::parse(username).expect("a name"),
        mail: Mail::parse(&format!("{username}@example.org")).ok(),
        external_id: Some(external_id.to_owned()),
        active,
    }
}

async fn create(db: &Db, id: &str, username: &str, active: Option<bool>) -> UserId {
    let id = UserId::from(id);
    scim::create(db, &id, &wanted(username, "e", active), 1_000)
        .await
        .expect("somebody new");
    id
}

#[tokio::test]
async fn only_people_of_scim_are_found_and_each_by_what_they_are_called() {
    on_both(async |db| {
        account(db, "u1", "anna").await;
        create(db, "u2", "carla", None).await;
        create(db, "u3", "dora", Some(false)).await;
        for (find, expect) in [
            (Find::Everybody, &["carla", "dora"][..]),
            (Find::Username("dora"), &["dora"]),
            (Find::Username("anna"), &[]),
            (Find::Mail("carla@example.org"), &["carla"]),
            (Find::ExternalId("e"), &["carla", "dora"]),
            (Find::Id("u1"), &[]),
            (Find::Id("u2"), &["carla"]),
        ] {
            let (total, people) = scim::people(db, find, 0, 10).await.expect("a list");
            let names: Vec<_> = people.iter().map(|one| one.username.as_str()).collect();
            assert_eq!(
                (total as usize, names.as_slice()),
                (expect.len(), expect),
                "{find:?}"
            );
        }
        let (total, second) = scim::people(db, Find::Everybody, 1, 1)
            .await
            .expect("a list");
        assert_eq!(total, 2);
        assert!(matches!(&second[..], [dora] if dora.username == "dora" && dora.locked));
        let taken = scim::create(db, &UserId::from("u4"), &wanted("ANNA", "x", None), 1).await;
        assert!(matches!(taken, Err(StoreError::Taken)), "{taken:?}");
    })
    .await;
}

#[tokio::test]
async fn a_change_that_locks_ends_sessions_and_one_that_fails_changes_nothing() {
    on_both(async |db| {
        account(db, "u1", "anna").await;
        let carla = create(db, "u2", "carla", None).await;
        let new = new_session(session_id("t1"), 1, &carla, session::Times::new(1));
        sessions::create(db, &new).await.expect("a session");
        let link = NewLink {
            id: "r1",
            secret: secret(2).hash(),
            made_by: None,
            created: 1,
            expires: 1_000,
        };
        links::create_recovery(db, &link, &carla)
            .await
            .expect("a link");
        let taken = scim::change(db, &carla, &wanted("anna", "e2", Some(false))).await;
        assert!(matches!(taken, Err(StoreError::Taken)), "{taken:?}");
        let there = sessions::is_there(db, &session_id("t1")).await;
        assert!(there.expect("an answer"), "all or nothing");
        let ended = scim::change(db, &carla, &wanted("karla", "e2", Some(false))).await;
        assert_eq!(ended.expect("an answer"), Some(vec![session_id("t1")]));
        let after = scim::person(db, "u2")
            .await
            .expect("an answer")
            .expect("somebody");
        assert_eq!(
            (
                after.username.as_str(),
                after.external_id.as_deref(),
                after.locked
            ),
            ("karla", Some("e2"), true)
        );
        scim::change(db, &carla, &wanted("karla", "e2", None))
            .await
            .expect("an answer");
        assert!(
            scim::person(db, "u2")
                .await
                .expect("an answer")
                .expect("somebody")
                .locked
        );
        scim::change(db, &carla, &wanted("karla", "e2", Some(true)))
            .await
            .expect("an answer");
        assert!(
            !scim::person(db, "u2")
                .await
                .expect("an answer")
                .expect("somebody")
                .locked
        );
        let link = links::open(db, secret(2).hash(), 500).await;
        assert_eq!(link.expect("an answer"), None, "a lock takes links back");
    })
    .await;
}

#[tokio::test]
async fn groups_tell_scim_of_its_own_people_only() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        let (carla, dora) = (
            create(db, "u2", "carla", None).await,
            create(db, "u3", "dora", None).await,
        );
        let name = GroupName::parse("Chor").expect("a name");
        let group = groups::create(db, &name, 1).await.expect("a group");
        let (nobody, both) = (
            BTreeSet::new(),
            BTreeSet::from([carla.clone(), dora.clone()]),
        );
        scim::change_people(db, &group.id, &both, &nobody)
            .await
            .expect("an answer");
        assert!(!scim::is_shared(db, &group.id).await.expect("an answer"));
        groups::join(db, &group.id, &anna.id, PersonSource::House)
            .await
            .expect("an answer");
        assert!(scim::is_shared(db, &group.id).await.expect("an answer"));
        let out = BTreeSet::from([dora.clone(), anna.id.clone()]);
        scim::change_people(db, &group.id, &nobody, &out)
            .await
            .expect("an answer");
        let people = scim::people_of(db, &group.id).await.expect("a list");
        assert_eq!(
            people.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(),
            ["u2"]
        );
        assert_eq!(people_of(db, &group.id).await.len(), 2, "anna stays");
        let groups = scim::groups_of(db, &carla).await.expect("a list");
        assert_eq!(
            groups
                .iter()
                .map(|one| one.name.as_str())
                .collect::<Vec<_>>(),
            ["Chor"]
        );

        scim::set_external_id_of(db, &group.id, Some("g1"))
            .await
            .expect("an answer");
        assert_eq!(
            scim::by_external_id(db, "g1").await.expect("an answer"),
            Some(group.id.clone())
        );
        assert_eq!(
            scim::by_external_id(db, "g2").await.expect("an answer"),
            None
        );
        assert_eq!(
            scim::external_id_of(db, &group.id)
                .await
                .expect("an answer")
                .as_deref(),
            Some("g1")
        );
        let ids = ["u1", "u2", "u9"].map(str::to_owned).into();
        assert_eq!(
            scim::which(db, &ids).await.expect("an answer"),
            BTreeSet::from([carla])
        );
    })
    .await;
}
