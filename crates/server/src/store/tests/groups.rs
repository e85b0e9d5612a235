//! Groups, and whose memberships are.

use std::collections::BTreeSet;

use identity::GroupName;
use protocol::UserId;
use protocol::http::PersonSource::{House, Ldap, Provider, Scim};

use super::{account, on_both, people_of};
use crate::store::groups::{self, StoredGroup};
use crate::store::{Db, StoreError};

fn names(names: &[&str]) -> Vec<GroupName> {
    names
        .iter()
        .map(|name| GroupName::parse(name).expect("a name"))
        .collect()
}

async fn make(db: &Db, name: &str) -> StoredGroup {
    let [name] = &names(&[name])[..] else {
        unreachable!("one name")
    };
    groups::create(db, name, 1).await.expect("a new group")
}

async fn of(db: &Db, user: &UserId) -> Vec<String> {
    groups::names_of(db, user).await.expect("a list")
}

#[tokio::test]
async fn groups_are_made_renamed_and_removed() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let choir = make(db, "Chor der Älteren").await;
        let [same, other] = &names(&["chor der älteren", "Büro"])[..] else {
            unreachable!("two names")
        };
        let taken = groups::create(db, same, 1).await;
        assert!(matches!(taken, Err(StoreError::Taken)), "{taken:?}");
        let office = groups::create(db, other, 1).await.expect("a new group");
        assert!(
            groups::join(db, &choir.id, &anna, House)
                .await
                .expect("an answer")
        );
        let all = groups::all(db).await.expect("a list");
        let seen: Vec<_> = all
            .iter()
            .map(|group| (group.name.as_str(), group.people))
            .collect();
        assert_eq!(seen, [("Büro", 0), ("Chor der Älteren", 1)]);

        let taken = groups::rename(db, &office.id, same).await;
        assert!(matches!(taken, Err(StoreError::Taken)), "{taken:?}");
        let [chor] = &names(&["Chor"])[..] else {
            unreachable!("one name")
        };
        assert!(
            groups::rename(db, &choir.id, chor)
                .await
                .expect("an answer")
        );
        assert!(!groups::rename(db, "gone", same).await.expect("an answer"));
        assert_eq!(of(db, &anna).await, ["Chor"]);
        let found = groups::by_key(db, "chor").await.expect("an answer");
        assert_eq!(
            found,
            groups::by_id(db, &choir.id).await.expect("an answer")
        );
        assert_eq!(found.map(|group| group.people), Some(1));

        assert!(groups::remove(db, &choir.id).await.expect("an answer"));
        assert!(!groups::remove(db, &choir.id).await.expect("an answer"));
        assert_eq!(of(db, &anna).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn only_who_put_somebody_into_a_group_takes_them_out() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let choir = make(db, "Chor").await;
        let join = async |source| {
            groups::join(db, &choir.id, &anna, source)
                .await
                .expect("an answer")
        };
        let leave = async |source| {
            groups::leave(db, &choir.id, &anna, source)
                .await
                .expect("an answer")
        };
        assert!(join(House).await && join(House).await && join(Ldap).await);
        let group = groups::by_id(db, &choir.id).await.expect("an answer");
        assert_eq!(group.map(|group| group.people), Some(1));
        assert!(leave(Scim).await, "never said so");
        assert!(leave(House).await, "LDAP still says so");
        assert!(!leave(Ldap).await);
        assert_eq!(of(db, &anna).await, Vec::<String>::new());
        let gone = UserId::from("gone");
        assert!(
            !groups::join(db, &choir.id, &gone, House)
                .await
                .expect("an answer")
        );
        assert!(
            !groups::join(db, "gone", &anna, House)
                .await
                .expect("an answer")
        );
    })
    .await;
}

#[tokio::test]
async fn a_sources_word_about_a_person_replaces_its_last_and_nobody_elses() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let set = async |source, list: &[&str]| {
            groups::set_groups_of(db, &anna, source, &names(list), 1)
                .await
                .expect("set");
        };
        set(House, &["Chor"]).await;
        set(Provider, &["chor", "Büro", "Küche", "Büro"]).await;
        assert_eq!(of(db, &anna).await, ["Büro", "Chor", "Küche"]);
        set(Provider, &["Büro"]).await;
        assert_eq!(of(db, &anna).await, ["Büro", "Chor"]);
        set(Provider, &[]).await;
        assert_eq!(of(db, &anna).await, ["Chor"]);
        assert_eq!(groups::keys_of(db, &anna).await.expect("a list"), ["chor"]);
        assert_eq!(
            groups::all(db).await.expect("a list").len(),
            3,
            "groups stay"
        );
        groups::set_groups_of(db, &UserId::from("gone"), Ldap, &names(&["Chor"]), 1)
            .await
            .expect("nobody is in nothing");
    })
    .await;
}

#[tokio::test]
async fn a_sources_word_about_a_group_replaces_its_last_and_nobody_elses() {
    on_both(async |db| {
        let mut ids = Vec::new();
        for (id, name) in [("u1", "anna"), ("u2", "bernd"), ("u3", "clara")] {
            ids.push(account(db, id, name).await.id);
        }
        let choir = make(db, "Chor").await;
        groups::join(db, &choir.id, &ids[0], House)
            .await
            .expect("an answer");
        let set = async |people: &[&str]| {
            let people: BTreeSet<_> = people.iter().map(|id| UserId::from(*id)).collect();
            groups::set_people_of(db, &choir.id, Ldap, &people)
                .await
                .expect("set");
            let people = people_of(db, &choir.id).await;
            people
                .iter()
                .map(|id| id.as_str().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(set(&["u2", "u3", "gone"]).await, ["u1", "u2", "u3"]);
        assert_eq!(set(&["u1", "u3"]).await, ["u1", "u3"]);
        assert_eq!(set(&[]).await, ["u1"]);
        let each = groups::names_of_each(db, &ids.iter().collect::<Vec<_>>())
            .await
            .expect("a list");
        assert_eq!(
            each.get("u1").map(Vec::as_slice),
            Some(&["Chor".to_owned()][..])
        );
        assert_eq!(each.len(), 1);
    })
    .await;
}
