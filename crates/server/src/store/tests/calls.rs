//! What rings, what was, who is liked, and what people say of themselves.

use house::StoredCall;
use protocol::{
    Access, CallEnd, CallPerson, HistoryEntry, HistoryKind, HistoryRoom, RoomKind, Status, UserId,
};

use super::{account, make_room, on_both};
use crate::store::{call_rooms, calls, favourites, history, members, rooms, status};

fn call(id: &str, room: &str) -> StoredCall {
    StoredCall {
        id: id.into(),
        room: room.into(),
        caller: "u1".into(),
        callee: "u2".into(),
        video: true,
        started_at: 1_000,
    }
}

fn line(id: &str, kind: HistoryKind, started_at: u64) -> HistoryEntry {
    HistoryEntry {
        id: id.into(),
        kind,
        person: Some(CallPerson {
            id: "u2".into(),
            name: "Änne 🏡 Schmidt".to_owned(),
            picture: None,
        }),
        room: None,
        video: false,
        end: None,
        started_at,
        duration_ms: None,
        seen: kind != HistoryKind::Missed,
    }
}

#[tokio::test]
async fn a_call_makes_its_room_for_both_and_rings_until_it_is_over() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let bernd = account(db, "u2", "bernd").await.id;
        let carla = account(db, "u3", "carla").await.id;
        status::set(db, &bernd, Status::Away).await.expect("set");
        let first = call("c1", "r1");
        calls::start(db, &first, true, RoomKind::Call)
            .await
            .expect("it rings");
        let room = rooms::by_id(db, &"r1".into()).await.expect("an answer");
        let room = room.expect("a room");
        assert_eq!((room.kind, room.owner), (RoomKind::Call, None));
        let of = async |user: &UserId| {
            let found = call_rooms::of_member(db, &"r1".into(), user).await;
            found.expect("an answer").is_some()
        };
        assert_eq!(
            [of(&anna).await, of(&bernd).await, of(&carla).await],
            [true, true, false]
        );
        let third = StoredCall {
            callee: carla.clone(),
            started_at: 2_000,
            ..call("c2", "r1")
        };
        calls::start(db, &third, false, RoomKind::Call)
            .await
            .expect("rung in");
        assert!(of(&carla).await);

        make_room(db, "r2", "public/Küche", &anna, 1).await;
        let into = StoredCall {
            started_at: 3_000,
            ..call("c3", "r2")
        };
        calls::start(db, &into, false, RoomKind::Named)
            .await
            .expect("rung in");
        let strangers = members::of_room(db, &"r2".into()).await.expect("an answer");
        assert!(
            strangers.is_empty(),
            "nobody becomes a member of a named room"
        );
        let again = calls::start(db, &call("c9", "r1"), true, RoomKind::Call).await;
        assert!(again.is_err(), "all or nothing");

        let ringing = calls::ringing(db).await.expect("a list");
        let seen: Vec<_> = ringing
            .iter()
            .map(|it| (it.call.id.as_str(), it.kind, it.address.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                ("c1", RoomKind::Call, None),
                ("c2", RoomKind::Call, None),
                ("c3", RoomKind::Named, Some("public/Küche")),
            ]
        );
        assert_eq!(ringing[0].call, first);
        assert_eq!(
            (&ringing[0].caller.id, &ringing[0].callee.id),
            (&anna, &bernd)
        );
        assert_eq!(ringing[0].callee_status, Status::Away);
        let left = async || call_rooms::abandoned(db, 10_000).await.expect("a list");
        assert_eq!(left().await, [], "it rings");
        for id in ["c1", "c2", "c3", "c3"] {
            calls::over(db, &id.into(), id == "c1").await.expect("over");
        }
        assert_eq!(calls::ringing(db).await.expect("a list"), []);
        let members = members::of_room(db, &"r1".into()).await.expect("an answer");
        assert_eq!(
            members,
            [anna.clone(), bernd.clone()].into(),
            "c2 came to nothing"
        );
        assert_eq!(left().await, ["r1".into()]);
        let young = call_rooms::abandoned(db, 1_000).await.expect("a list");
        assert_eq!(young, [], "somebody may be on the way in");
    })
    .await;
}

#[tokio::test]
async fn what_the_end_of_the_server_interrupted_lasted_until_then() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        account(db, "u2", "bernd").await;
        let declined = HistoryEntry {
            end: Some(CallEnd::Declined),
            ..line("declined", HistoryKind::Outgoing, 10)
        };
        let over = HistoryEntry {
            duration_ms: Some(5),
            ..line("over", HistoryKind::Incoming, 20)
        };
        let missed = line("missed", HistoryKind::Missed, 30);
        let talking = line("talking", HistoryKind::Incoming, 40);
        for entry in [&declined, &over, &missed, &talking] {
            history::write(db, &anna, entry).await.expect("written");
        }
        history::end_open(db, 100).await.expect("ended");
        let talked = HistoryEntry {
            duration_ms: Some(60),
            ..talking
        };
        let page = history::page(db, &anna, None, 50).await.expect("a page");
        assert_eq!(page.entries, [talked, missed, over, declined]);
    })
    .await;
}

#[tokio::test]
async fn history_is_written_read_in_pages_and_forgotten() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let bernd = account(db, "u2", "bernd").await.id;
        make_room(db, "r1", "public/Küche", &anna, 1).await;
        let outgoing = HistoryEntry {
            end: Some(CallEnd::NotReachable),
            video: true,
            ..line("h1", HistoryKind::Outgoing, 10)
        };
        let room = HistoryEntry {
            person: None,
            room: Some(HistoryRoom {
                id: "r1".into(),
                address: "public/Küche".to_owned(),
                name: "Küche".to_owned(),
            }),
            ..line("h2", HistoryKind::Room, 20)
        };
        let missed = line("h3", HistoryKind::Missed, 30);
        for entry in [&outgoing, &room, &missed] {
            history::write(db, &anna, entry).await.expect("written");
        }
        let room = HistoryEntry {
            duration_ms: Some(5),
            ..room
        };
        history::write(db, &anna, &room)
            .await
            .expect("written again");
        let theirs = HistoryEntry {
            seen: true,
            ..missed.clone()
        };
        history::write(db, &bernd, &theirs)
            .await
            .expect("nothing: the line is hers");
        let gone = HistoryEntry {
            person: Some(CallPerson {
                id: "u9".into(),
                name: String::new(),
                picture: None,
            }),
            ..line("h9", HistoryKind::Missed, 40)
        };
        history::write(db, &anna, &gone)
            .await
            .expect("nothing: that person is gone");

        let page = async |before, most| {
            history::page(db, &anna, before, most)
                .await
                .expect("a page")
        };
        let all = page(None, 50).await;
        assert_eq!(
            all.entries,
            [missed.clone(), room.clone(), outgoing.clone()]
        );
        assert!(!all.more);
        let first = page(None, 2).await;
        assert_eq!((first.entries.len(), first.more), (2, true));
        let second = page(Some(20), 2).await;
        assert_eq!((second.entries, second.more), (vec![outgoing], false));
        for id in ["h4", "h5"] {
            let same_moment = line(id, HistoryKind::Incoming, 30);
            history::write(db, &anna, &same_moment)
                .await
                .expect("written");
        }
        assert_eq!(
            page(None, 2).await.entries.len(),
            3,
            "lines of one moment stay together"
        );
        let none = history::page(db, &bernd, None, 50).await.expect("a page");
        assert_eq!((none.entries, none.more), (vec![], false));

        assert_eq!(history::missed(db, &anna).await.expect("a number"), 1);
        history::see_missed(db, &anna).await.expect("seen");
        assert_eq!(history::missed(db, &anna).await.expect("a number"), 0);
        let recent = history::recent_people(db, &anna, 9).await.expect("a list");
        assert_eq!(recent, std::slice::from_ref(&bernd));

        let remove = async |user, id: &str| {
            history::remove(db, user, &id.into())
                .await
                .expect("an answer")
        };
        assert!(!remove(&bernd, "h3").await, "it is hers");
        assert!(remove(&anna, "h3").await);
        let lines = page(None, 50).await.entries.len();
        let beyond = async |most| history::remove_beyond(db, most).await.expect("a list");
        assert_eq!(beyond(lines as i64).await, [], "nobody has more");
        let old = history::remove_before(db, 30).await.expect("a list");
        let mut old: Vec<_> = old
            .iter()
            .map(|(user, line)| (user, line.as_str()))
            .collect();
        old.sort();
        assert_eq!(old, [(&anna, "h1"), (&anna, "h2")]);
        history::clear(db, &anna).await.expect("cleared");
        assert_eq!(page(None, 50).await.entries, []);
    })
    .await;
}

#[tokio::test]
async fn favourites_are_few_and_the_last_comes_first() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        for (id, name) in [("u2", "bernd"), ("u3", "carla"), ("u4", "dora")] {
            account(db, id, name).await;
        }
        let add = async |person: &str, now| {
            let added = favourites::add(db, &anna, &person.into(), now, 2).await;
            added.expect("an answer")
        };
        assert!(add("u2", 1).await && add("u3", 2).await);
        assert!(!add("u4", 3).await, "there are enough");
        assert!(add("u2", 4).await, "is one already");
        let of = async || favourites::of(db, &anna).await.expect("a list");
        assert_eq!(of().await, ["u3".into(), "u2".into()]);
        let gone = favourites::remove(db, &anna, &"u3".into()).await;
        assert!(gone.expect("an answer"));
        let again = favourites::remove(db, &anna, &"u3".into()).await;
        assert!(!again.expect("an answer"));
        assert_eq!(of().await, ["u2".into()]);
        let theirs = favourites::of(db, &"u2".into()).await.expect("a list");
        assert_eq!(theirs, []);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_says_of_themselves_is_kept() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let of = async |user: &UserId| status::of(db, user).await.expect("an answer");
        assert_eq!(of(&anna).await, Status::Available);
        status::set(db, &anna, Status::DoNotDisturb)
            .await
            .expect("set");
        assert_eq!(of(&anna).await, Status::DoNotDisturb);
        assert_eq!(of(&"u9".into()).await, Status::Available);
    })
    .await;
}

#[test]
fn an_address_says_who_may_enter() {
    assert_eq!(calls::address("Küche", Access::Accounts), "Küche");
    assert_eq!(calls::address("Küche", Access::Guests), "public/Küche");
}

#[tokio::test]
async fn of_a_history_that_others_made_long_the_newest_lines_stay() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let bernd = account(db, "u2", "bernd").await.id;
        for (user, id, at) in [
            (&anna, "a1", 10),
            (&anna, "a2", 30),
            (&anna, "a3", 20),
            (&bernd, "b1", 1),
            (&bernd, "b2", 2),
        ] {
            let entry = HistoryEntry {
                person: None,
                ..line(id, HistoryKind::Missed, at)
            };
            history::write(db, user, &entry).await.expect("written");
        }
        let gone = history::remove_beyond(db, 2).await.expect("a list");
        assert_eq!(gone, [(anna.clone(), "a1".into())]);
        assert_eq!(history::missed(db, &anna).await.expect("a number"), 2);
        assert_eq!(history::missed(db, &bernd).await.expect("a number"), 2);
    })
    .await;
}
