//! Invites, and the grants that go with them.

use identity::{DisplayName, guest};
use protocol::RoomId;

use super::{account, make_room, on_both, secret, session_id};
use crate::store::guests::{self, NewGrant};
use crate::store::invites::{self, NewInvite};
use crate::store::{Db, sessions, settings};

async fn invite(db: &Db, id: &str, number: u8, user: &str, expires: u64) -> bool {
    let new = NewInvite {
        id,
        secret: secret(number).hash(),
        room: &RoomId::from("r1"),
        made_by: &user.into(),
        created: 10 + u64::from(number),
        expires,
    };
    invites::create(db, &new, 2).await.expect("an answer")
}

async fn grant(db: &Db, id: &str, number: u8, invite: Option<&str>) -> bool {
    let new = NewGrant {
        id: &session_id(id),
        secret: secret(number).hash(),
        room: &RoomId::from("r1"),
        name: &DisplayName::parse("Gast").expect("a name"),
        invite,
        created: 100,
    };
    guests::create(db, &new).await.expect("an answer")
}

#[tokio::test]
async fn an_invite_is_found_by_its_secret_and_takes_its_grants_along() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        make_room(db, "r1", "Küche", &anna.id, 1).await;
        assert!(invite(db, "i1", 1, "u1", 900).await);
        assert!(invite(db, "i2", 2, "u1", 950).await);
        let found = invites::by_secret(db, secret(1).hash()).await;
        let found = found.expect("an answer").expect("the invite");
        assert_eq!(found.by_name, anna.name);
        assert_eq!(
            (found.room_id.as_str(), found.made_by, found.expires),
            ("r1", anna.id, 900)
        );
        let none = invites::by_secret(db, secret(9).hash()).await;
        assert_eq!(none.expect("an answer"), None);

        assert!(grant(db, "g1", 11, Some("i1")).await);
        assert!(grant(db, "g2", 12, Some("i2")).await);
        assert!(grant(db, "g3", 13, None).await);
        assert!(!grant(db, "g4", 14, Some("gone")).await);
        let by_invite = guests::by_secret(db, secret(11).hash()).await;
        let by_invite = by_invite.expect("an answer").expect("the grant");
        assert!(by_invite.invited);

        let before = settings::get(db, settings::SESSIONS_ENDED).await;
        let ended = invites::remove(db, "i1", "mark").await.expect("removed");
        assert_eq!(ended, [session_id("g1")]);
        let mark = settings::get(db, settings::SESSIONS_ENDED).await;
        assert_ne!(before.expect("an answer"), mark.expect("an answer"));
        let there = async |id: &str| {
            sessions::is_there(db, &session_id(id))
                .await
                .expect("an answer")
        };
        assert_eq!(
            [there("g1").await, there("g2").await, there("g3").await],
            [false, true, true]
        );

        invites::remove_expired(db, 949 + guest::LIFE_MS)
            .await
            .expect("a sweep");
        assert!(there("g2").await);
        invites::remove_expired(db, 950 + guest::LIFE_MS)
            .await
            .expect("a sweep");
        assert!(!there("g2").await && there("g3").await);
    })
    .await;
}

#[tokio::test]
async fn good_invites_are_listed_newest_first_and_counted_for_each_maker() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        account(db, "u2", "bernd").await;
        make_room(db, "r1", "Küche", &anna.id, 1).await;
        assert!(invite(db, "i1", 1, "u1", 12).await);
        assert!(invite(db, "i2", 2, "u1", 500).await, "the first is over");
        assert!(invite(db, "i3", 3, "u1", 500).await);
        assert!(!invite(db, "i4", 4, "u1", 500).await);
        assert!(invite(db, "i5", 5, "u2", 500).await);
        let list = invites::of_room(db, &RoomId::from("r1"), 12).await;
        let list = list.expect("a list");
        let list: Vec<_> = list.iter().map(|invite| invite.id.as_str()).collect();
        assert_eq!(list, ["i5", "i3", "i2"]);
    })
    .await;
}
