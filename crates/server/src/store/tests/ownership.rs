//! Rooms of nobody, and how many somebody may own.

use identity::{DisplayName, RoomAddress};
use protocol::{Access, DeviceId, ParticipantId, RoomId, UserId};
use room::{SeatRecord, Subject};

use super::{account, on_both, secret, session_id};
use crate::store::guests::{self, NewGrant};
use crate::store::invites::{self, NewInvite};
use crate::store::rooms::{self, FoundOrMade, NewRoom, Owner};
use crate::store::seats::{self, Change};
use crate::store::{Db, sessions};

async fn make(db: &Db, name: &str, owner: Option<(&UserId, u32)>, created: u64) -> FoundOrMade {
    let new = NewRoom {
        id: RoomId::from(name),
        name: &RoomAddress::parse(name).expect("a name").name,
        access: Access::Guests,
        owner: owner.map(|(user, most_rooms)| Owner { user, most_rooms }),
        created,
    };
    rooms::find_or_create(db, &new).await.expect("an answer")
}

async fn sit(db: &Db, room: &str) {
    let seat = SeatRecord {
        participant: ParticipantId::from("p1"),
        subject: Subject::Guest("g1".to_owned()),
        device: DeviceId::from("d1"),
        name: "Gast".to_owned(),
        joined_at: 1,
        away_since: None,
    };
    seats::write(db, &Change::Save(RoomId::from(room), seat))
        .await
        .expect("a seat");
}

#[tokio::test]
async fn nobody_owns_more_rooms_than_they_may() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let bernd = account(db, "u2", "bernd").await.id;
        for name in ["a", "b"] {
            let made = make(db, name, Some((&anna, 2)), 1).await;
            assert!(matches!(made, FoundOrMade::Made(_)), "{made:?}");
        }
        let anna_again = async |name, most| make(db, name, Some((&anna, most)), 1).await;
        assert_eq!(anna_again("c", 2).await, FoundOrMade::TooMany);
        assert!(matches!(anna_again("a", 2).await, FoundOrMade::Found(_)));
        let others = make(db, "c", Some((&bernd, 2)), 1).await;
        assert!(matches!(others, FoundOrMade::Made(_)), "{others:?}");
        assert!(matches!(anna_again("c", 2).await, FoundOrMade::Found(_)));
        assert!(matches!(anna_again("d", 3).await, FoundOrMade::Made(_)));
        assert!(matches!(make(db, "e", None, 1).await, FoundOrMade::Made(_)));
    })
    .await;
}

#[tokio::test]
async fn rooms_of_nobody_are_forgotten_when_nobody_uses_them() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        make(db, "owned", Some((&anna, 9)), 1).await;
        for name in ["unused", "used", "sat in", "invited"] {
            make(db, name, None, 1).await;
        }
        // Her own room stays when she goes: her colleagues go on meeting there.
        let used = RoomId::from("used");
        rooms::use_ownerless(db, &used, 50).await.expect("noted");
        rooms::use_ownerless(db, &RoomId::from("owned"), 50)
            .await
            .expect("nothing");
        sit(db, "sat in").await;
        let invite = NewInvite {
            id: "i1",
            secret: secret(1).hash(),
            room: &RoomId::from("invited"),
            made_by: &anna,
            created: 1,
            expires: 150,
        };
        assert!(invites::create(db, &invite, 1).await.expect("an answer"));
        let grant = NewGrant {
            id: &session_id("g1"),
            secret: secret(2).hash(),
            room: &RoomId::from("unused"),
            name: &DisplayName::parse("Gast").expect("a name"),
            invite: None,
            created: 1,
        };
        assert!(guests::create(db, &grant).await.expect("an answer"));

        let gone = async |now, before| {
            let (gone, grants) = rooms::remove_unused(db, now, before)
                .await
                .expect("a sweep");
            let mut gone: Vec<_> = gone.into_iter().map(|room| room.name).collect();
            gone.sort();
            (gone, grants)
        };
        assert_eq!(
            gone(100, 49).await,
            (vec!["unused".to_owned()], vec![session_id("g1")])
        );
        let there = sessions::is_there(db, &session_id("g1")).await;
        assert!(!there.expect("an answer"));
        assert_eq!(gone(100, 50).await, (vec!["used".to_owned()], Vec::new()));
        seats::write(db, &Change::Remove(ParticipantId::from("p1")))
            .await
            .expect("gone");
        assert_eq!(gone(149, 99).await.0, Vec::<String>::new());
        assert_eq!(gone(150, 100).await.0, ["invited", "sat in"]);
        let owned = rooms::by_id(db, &RoomId::from("owned")).await;
        assert!(owned.expect("an answer").is_some());
    })
    .await;
}
