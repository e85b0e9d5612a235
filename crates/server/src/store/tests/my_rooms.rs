//! Members, pins, personal rooms, rooms of calls, and rooms that go.

use house::StoredCall;
use protocol::{RoomId, RoomKind, UserId};

use super::{account, address, make_room, on_both};
use crate::store::guests::{self, NewGrant};
use crate::store::{Db, call_rooms, calls, members, pins, rooms, visits};

async fn known(db: &Db, user: &UserId) -> Vec<(String, bool, bool)> {
    let known = visits::known_rooms(db, user, 50).await.expect("an answer");
    let known = known.into_iter();
    known
        .map(|known| (known.room.id.to_string(), known.pinned, known.member))
        .collect()
}

#[tokio::test]
async fn members_and_pins_are_sets_of_a_bounded_size() {
    on_both(async |db| {
        let [anna, bert, carla] = ["anna", "bert", "carla"];
        for user in [anna, bert, carla] {
            account(db, user, user).await;
        }
        let [anna, bert, carla] = [anna, bert, carla].map(UserId::from);
        let (kitchen, _) = make_room(db, "r1", "Küche", &anna, 1).await;
        let (bath, _) = make_room(db, "r2", "Bad", &anna, 2).await;
        for (user, most, expected) in [
            (&bert, 1, true),
            (&bert, 1, true),
            (&carla, 1, false),
            (&carla, 2, true),
        ] {
            let added = members::add(db, &kitchen.id, user, 5, most).await;
            assert_eq!(added.expect("an answer"), expected, "{user}, {most}");
        }
        members::remove(db, &kitchen.id, &carla)
            .await
            .expect("gone");
        let people = members::people(db, &kitchen.id).await.expect("an answer");
        let people: Vec<_> = people.iter().map(|person| &person.id).collect();
        assert_eq!(people, [&bert]);
        let set = members::of_room(db, &kitchen.id).await.expect("an answer");
        assert_eq!(set, [bert.clone()].into());

        assert_eq!(known(db, &bert).await, [("r1".to_owned(), false, true)]);
        for (room, most, expected) in [
            (&bath.id, 1, true),
            (&bath.id, 1, true),
            (&kitchen.id, 1, false),
        ] {
            let pinned = pins::add(db, &bert, room, 6, most).await;
            assert_eq!(pinned.expect("an answer"), expected, "{room}");
        }
        visits::record(db, &bert, &kitchen.id, 900)
            .await
            .expect("noted");
        let both = [
            ("r2".to_owned(), true, false),
            ("r1".to_owned(), false, true),
        ];
        assert_eq!(known(db, &bert).await, both, "what is pinned is first");
        pins::remove(db, &bert, &bath.id).await.expect("gone");
        assert_eq!(known(db, &bert).await, [("r1".to_owned(), false, true)]);
    })
    .await;
}

#[tokio::test]
async fn everybody_has_one_personal_room_at_most() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        let bert = account(db, "u2", "bert").await;
        make_room(db, "taken", "Anna", &bert.id, 1).await;
        let make = async |id: &str, name: &str| {
            let (id, name) = (RoomId::from(id), address(name).name);
            let made = rooms::create_personal(db, &id, &name, &anna.id, 5).await;
            made.expect("an answer")
        };
        assert!(!make("p1", "ANNA").await, "another room has the name");
        assert!(make("p1", "Anna 2").await);
        assert!(!make("p2", "Anna 3").await, "she has one");
        let personal = rooms::personal(db, &anna.id).await.expect("an answer");
        let personal = personal.expect("hers");
        assert_eq!(
            (personal.id.as_str(), personal.kind, personal.knock),
            ("p1", RoomKind::Personal, true)
        );
        let none = rooms::personal(db, &bert.id).await.expect("an answer");
        assert_eq!(none, None);
    })
    .await;
}

#[tokio::test]
async fn rooms_of_calls_are_for_their_people_and_nobodys_own() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        let bert = account(db, "u2", "bert").await;
        let carla = account(db, "u3", "carla").await;
        let call = RoomId::from("c1");
        let ringing = StoredCall {
            id: "k1".into(),
            room: call.clone(),
            caller: anna.id.clone(),
            callee: carla.id,
            video: false,
            started_at: 1,
        };
        let started = calls::start(db, &ringing, true, RoomKind::Call).await;
        started.expect("it rings");
        let of = async |user: &UserId| call_rooms::of_member(db, &call, user).await;
        let hers = of(&anna.id).await.expect("an answer").expect("hers");
        assert_eq!((hers.kind, hers.owner), (RoomKind::Call, None));
        assert_eq!(of(&bert.id).await.expect("an answer"), None);
        assert_eq!(known(db, &anna.id).await, []);
        let rename = rooms::Change {
            name: Some(&address("Anruf").name),
            ..rooms::Change::default()
        };
        let renamed = rooms::change(db, &call, &rename).await;
        assert_eq!(renamed.expect("an answer"), None, "calls have no name");
        let (kitchen, _) = make_room(db, "r1", "Küche", &anna.id, 1).await;
        members::add(db, &kitchen.id, &bert.id, 1, 9)
            .await
            .expect("added");
        let as_call = call_rooms::of_member(db, &kitchen.id, &bert.id).await;
        assert_eq!(as_call.expect("an answer"), None, "no call");

        let abandoned = async || call_rooms::abandoned(db, 10).await.expect("an answer");
        assert_eq!(abandoned().await, [], "it rings");
        calls::over(db, &ringing.id, true).await.expect("over");
        assert_eq!(abandoned().await, std::slice::from_ref(&call));
        assert!(
            !call_rooms::remove(db, &kitchen.id)
                .await
                .expect("an answer")
        );
        assert!(call_rooms::remove(db, &call).await.expect("an answer"));
        assert!(!call_rooms::remove(db, &call).await.expect("an answer"));
        assert_eq!(of(&anna.id).await.expect("an answer"), None);
    })
    .await;
}

#[tokio::test]
async fn a_room_goes_with_the_grants_of_its_guests() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        let (kitchen, _) = make_room(db, "r1", "Küche", &anna.id, 1).await;
        make_room(db, "r2", "Bad", &anna.id, 1).await;
        let id = super::session_id("g1");
        let secret = super::secret(1);
        let grant = NewGrant {
            id: &id,
            secret: secret.hash(),
            room: &kitchen.id,
            name: &identity::DisplayName::parse("Gil").expect("a name"),
            invite: None,
            created: 1,
        };
        assert!(guests::create(db, &grant).await.expect("an answer"));
        let gone = rooms::remove(db, &kitchen.id).await.expect("an answer");
        assert_eq!(gone, Some(vec![id.clone()]));
        let again = rooms::remove(db, &kitchen.id).await.expect("an answer");
        assert_eq!(again, None);
        let left = rooms::by_name(db, &address("Bad").name).await;
        assert!(left.expect("an answer").is_some());
    })
    .await;
}
