//! Every function of the store, on SQLite and on PostgreSQL.

use identity::{
    DisplayName, NewPassword, PasswordHash, RoomAddress, RoomName, Secret, Username, guest, session,
};
use protocol::http::{PersonSource, SignInMethod};
use protocol::{Access, DeviceId, ParticipantId, RoomId, UserId};
use room::{SeatRecord, Subject};

use super::guests::NewGrant;
use super::rooms::{FoundOrMade, NewRoom, Owner, StoredRoom};
use super::seats::Change;
use super::sessions::NewSession;
use super::users::{Account, NewAccount};
use super::*;
use crate::principal::SessionId;

mod calls;
mod connections;
mod factors;
mod groups;
mod identities;
mod images;
mod imports;
mod invites;
mod leaving;
mod links;
mod meetings;
mod my_rooms;
mod ownership;
mod people;
mod push;
mod scim;

#[path = "../../tests/support/postgres.rs"]
mod postgres;

/// Runs one scenario on both databases, each time from empty tables.
async fn on_both(scenario: impl AsyncFn(&Db)) {
    let directory = std::env::temp_dir().join(format!("stube-store-{}", crate::chance::id()));
    std::fs::create_dir(&directory).expect("a directory");
    let sqlite = Db::open(None, &directory).await.expect("SQLite");
    scenario(&sqlite).await;
    sqlite.close().await;
    std::fs::remove_dir_all(&directory).expect("the directory");

    let postgres = Db::open(Some(&postgres::new_database()), &directory)
        .await
        .expect("PostgreSQL");
    scenario(&postgres).await;
    postgres.close().await;
}

fn new_administrator(id: &str, username: &str) -> NewAccount {
    NewAccount {
        admin: true,
        ..new_account(id, username)
    }
}

fn new_account(id: &str, username: &str) -> NewAccount {
    NewAccount {
        id: UserId::from(id),
        username: Username::parse(username).expect("a username"),
        name: DisplayName::parse("Änne 🏡 Schmidt").expect("a name"),
        mail: None,
        admin: false,
        password: Some(PasswordHash::from_stored(format!("hash of {id}"))),
        source: PersonSource::House,
        created: 1_000,
    }
}

async fn account(db: &Db, id: &str, username: &str) -> Account {
    users::create(db, &new_account(id, username))
        .await
        .expect("a new account")
}

/// Who is in a group, by whomever.
async fn people_of(db: &Db, group: &str) -> Vec<UserId> {
    const SQL: &str =
        "SELECT DISTINCT user_id FROM group_people WHERE group_id = $1 ORDER BY user_id";
    let people: Vec<String> =
        on!(db, pool => sqlx::query_scalar(SQL).bind(group).fetch_all(pool).await).expect("a list");
    people.into_iter().map(UserId::from).collect()
}

fn secret(seed: u8) -> Secret {
    Secret::new([seed; 32])
}

fn session_id(id: &str) -> SessionId {
    SessionId::from(id.to_owned())
}

fn new_session(id: SessionId, seed: u8, user: &UserId, times: session::Times) -> NewSession {
    NewSession {
        id,
        secret: secret(seed).hash(),
        user: user.clone(),
        times,
        device: "Firefox · Linux".to_owned(),
        method: SignInMethod::Password,
        outside: None,
        password: None,
    }
}

fn address(text: &str) -> RoomAddress {
    RoomAddress::parse(text).expect("a room's name")
}

async fn make_room(
    db: &Db,
    id: &str,
    name: &str,
    owner: &UserId,
    created: u64,
) -> (StoredRoom, bool) {
    let address = address(name);
    let access = if address.open {
        Access::Guests
    } else {
        Access::Accounts
    };
    let new = NewRoom {
        id: RoomId::from(id),
        name: &address.name,
        access,
        owner: Some(Owner {
            user: owner,
            most_rooms: 100,
        }),
        created,
    };
    match rooms::find_or_create(db, &new).await.expect("a room") {
        FoundOrMade::Found(room) => (room, false),
        FoundOrMade::Made(room) => (room, true),
        FoundOrMade::TooMany => panic!("100 rooms are enough"),
    }
}

#[tokio::test]
async fn an_account_is_found_by_any_way_of_writing_its_username() {
    on_both(async |db| {
        let anna = account(db, "u1", "Änne").await;
        for written in ["Änne", "änne", "A\u{308}NNE"] {
            let key = Username::parse(written).expect("a username");
            let found = users::by_username(db, key.key()).await.expect("an answer");
            assert_eq!(
                found,
                Some((
                    anna.clone(),
                    Some(PasswordHash::from_stored("hash of u1".to_owned()))
                )),
                "{written}"
            );
        }
        assert_eq!(
            users::by_username(db, "anne").await.expect("an answer"),
            None
        );
        let again = users::create(db, &new_account("u2", "ÄNNE")).await;
        assert!(matches!(again, Err(StoreError::Taken)), "{again:?}");
        account(db, "u3", "bernd").await;
        let names: Vec<_> = users::all(db)
            .await
            .expect("a list")
            .into_iter()
            .map(|user| user.username)
            .collect();
        assert_eq!(names.len(), 2);
        assert!(names.contains(&"bernd".to_owned()) && names.contains(&"Änne".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn the_setup_link_makes_one_account_and_is_the_same_until_then() {
    on_both(async |db| {
        let link = settings::setup_link(db, &secret(1))
            .await
            .expect("an answer")
            .expect("a link");
        let again = settings::setup_link(db, &secret(2))
            .await
            .expect("an answer")
            .expect("a link");
        assert!(again.is(&link));
        let wrong = users::create_first(db, &secret(2), &new_administrator("u1", "anna"))
            .await
            .expect("an answer");
        assert_eq!(wrong, None);
        account(db, "u0", "carla").await;
        assert!(!users::any_administrator(db).await.expect("an answer"));
        let first = users::create_first(db, &link, &new_administrator("u1", "anna"))
            .await
            .expect("an answer");
        assert_eq!(
            first.map(|account| account.username),
            Some("anna".to_owned())
        );
        assert!(users::any_administrator(db).await.expect("an answer"));
        let second = users::create_first(db, &link, &new_administrator("u2", "bernd"))
            .await
            .expect("an answer");
        assert_eq!(second, None);
        assert!(
            settings::setup_link(db, &secret(3))
                .await
                .expect("an answer")
                .is_none()
        );
    })
    .await;
}

#[tokio::test]
async fn two_who_use_the_setup_link_at_once_get_one_account() {
    on_both(async |db| {
        let link = settings::setup_link(db, &secret(1))
            .await
            .expect("an answer")
            .expect("a link");
        let (one, other) = (
            new_administrator("u1", "anna"),
            new_administrator("u2", "bernd"),
        );
        let (one, other) = tokio::join!(
            users::create_first(db, &link, &one),
            users::create_first(db, &link, &other)
        );
        let made = [one, other]
            .map(|made| made.expect("an answer"))
            .into_iter()
            .flatten()
            .count();
        assert_eq!(made, 1);
        assert_eq!(users::all(db).await.expect("a list").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_administrator_made_by_hand_ends_the_setup_link() {
    on_both(async |db| {
        let link = settings::setup_link(db, &secret(1))
            .await
            .expect("an answer")
            .expect("a link");
        users::create(db, &new_administrator("u1", "anna"))
            .await
            .expect("an administrator");
        let second = users::create_first(db, &link, &new_administrator("u2", "bernd"))
            .await
            .expect("an answer");
        assert_eq!(second, None);
    })
    .await;
}

#[tokio::test]
async fn a_session_lives_until_it_is_removed_or_expires() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        let times = session::Times {
            created: 10,
            used: 10,
        };
        sessions::create(db, &new_session(session_id("s1"), 1, &anna.id, times))
            .await
            .expect("a session");
        sessions::touch(db, &session_id("s1"), 20)
            .await
            .expect("a touch");
        let found = sessions::by_secret(db, secret(1).hash())
            .await
            .expect("an answer")
            .expect("the session");
        assert_eq!((found.id, found.account), (session_id("s1"), anna.clone()));
        assert_eq!(
            found.times,
            session::Times {
                created: 10,
                used: 20
            }
        );
        assert!(
            sessions::by_secret(db, secret(2).hash())
                .await
                .expect("an answer")
                .is_none()
        );
        assert!(
            sessions::is_there(db, &session_id("s1"))
                .await
                .expect("an answer")
        );

        sessions::remove_expired(db, 20 + session::IDLE_MS - 1)
            .await
            .expect("a sweep");
        assert!(
            sessions::is_there(db, &session_id("s1"))
                .await
                .expect("an answer")
        );
        sessions::remove_expired(db, 20 + session::IDLE_MS)
            .await
            .expect("a sweep");
        assert!(
            !sessions::is_there(db, &session_id("s1"))
                .await
                .expect("an answer")
        );

        sessions::create(db, &new_session(session_id("s2"), 2, &anna.id, times))
            .await
            .expect("a session");
        sessions::touch(db, &session_id("s2"), session::WHOLE_MS)
            .await
            .expect("a touch");
        sessions::remove_expired(db, 10 + session::WHOLE_MS)
            .await
            .expect("a sweep");
        assert!(
            !sessions::is_there(db, &session_id("s2"))
                .await
                .expect("an answer")
        );

        sessions::create(db, &new_session(session_id("s3"), 3, &anna.id, times))
            .await
            .expect("a session");
        let removed = sessions::remove(db, &session_id("s3"), None, "ended").await;
        assert!(removed.expect("an answer"));
        assert!(
            sessions::by_secret(db, secret(3).hash())
                .await
                .expect("an answer")
                .is_none()
        );
    })
    .await;
}

#[tokio::test]
async fn the_session_unused_for_longest_gives_way_to_the_eleventh() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        let bernd = account(db, "u2", "bernd").await;
        let times = |used| session::Times { created: 1, used };
        sessions::create(db, &new_session(session_id("b"), 99, &bernd.id, times(1)))
            .await
            .expect("a session");
        for n in 0..10u8 {
            let id = session_id(&format!("s{n}"));
            let ended = sessions::create(
                db,
                &new_session(id.clone(), n, &anna.id, times(100 - u64::from(n))),
            )
            .await;
            assert_eq!(ended.expect("a session"), Some(vec![]));
        }
        let ended = sessions::create(
            db,
            &new_session(session_id("s10"), 10, &anna.id, times(200)),
        )
        .await;
        assert_eq!(ended.expect("a session"), Some(vec![session_id("s9")]));
        assert!(
            sessions::is_there(db, &session_id("b"))
                .await
                .expect("an answer")
        );
    })
    .await;
}

#[tokio::test]
async fn a_new_password_ends_all_sessions_of_the_account() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        let bernd = account(db, "u2", "bernd").await;
        let times = session::Times::new(1);
        sessions::create(db, &new_session(session_id("a"), 1, &anna.id, times))
            .await
            .expect("a session");
        sessions::create(db, &new_session(session_id("b"), 2, &bernd.id, times))
            .await
            .expect("a session");
        let hash = NewPassword::parse("korrekt pferd", &[])
            .expect("a password")
            .hash([1; 16]);
        users::set_password(db, &anna.id, &hash, "ended 1", 5_000)
            .await
            .expect("a new password");
        assert_eq!(
            settings::get(db, settings::SESSIONS_ENDED)
                .await
                .expect("an answer"),
            Some("ended 1".to_owned())
        );
        assert!(
            !sessions::is_there(db, &session_id("a"))
                .await
                .expect("an answer")
        );
        assert!(
            sessions::is_there(db, &session_id("b"))
                .await
                .expect("an answer")
        );
        assert_eq!(
            users::by_username(db, "anna")
                .await
                .expect("an answer")
                .map(|found| found.1),
            Some(Some(hash))
        );
    })
    .await;
}

#[tokio::test]
async fn a_room_is_made_once_under_whatever_writing_of_its_name() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        let bernd = account(db, "u2", "bernd").await;
        let (room, made) =
            make_room(db, "r1", "public/Küche / Büro? #1 100% 🏡", &anna.id, 5).await;
        assert!(made && room.is_owned_by(&anna.id) && !room.is_owned_by(&bernd.id));
        assert_eq!(
            (room.name.as_str(), room.access),
            ("Küche / Büro? #1 100% 🏡", Access::Guests)
        );
        let (same, made) =
            make_room(db, "r2", "KU\u{308}CHE / büro? #1 100% 🏡", &bernd.id, 6).await;
        assert_eq!((same, made), (room.clone(), false));
        let found = rooms::by_name(db, &address("küche / büro? #1 100% 🏡").name)
            .await
            .expect("an answer");
        assert_eq!(found, Some(room.clone()));
        assert_eq!(
            rooms::by_id(db, &room.id).await.expect("an answer"),
            Some(room)
        );
        assert_eq!(
            rooms::by_id(db, &RoomId::from("r2"))
                .await
                .expect("an answer"),
            None
        );
    })
    .await;
}

#[tokio::test]
async fn the_longest_names_are_stored_and_found() {
    // Accents in an order that no compression finds.
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    let mut long = |graphemes: usize| -> String {
        let mut name = String::new();
        for _ in 0..graphemes {
            name.extend(char::from_u32(0x4E00 + random() % 20_000));
            name.extend((0..11).filter_map(|_| char::from_u32(0x300 + random() % 0x30)));
        }
        name
    };
    let (room, username) = (long(128), long(64));
    on_both(async |db| {
        let owner = account(db, "u1", &username).await;
        let found = users::by_username(db, Username::parse(&username).expect("good").key()).await;
        assert_eq!(found.expect("an answer").expect("an account").0, owner);
        assert!(make_room(db, "r1", &room, &owner.id, 1_000).await.1);
        assert!(!make_room(db, "r2", &room, &owner.id, 1_000).await.1);
        let other = &room[..room.len() - 2];
        assert!(make_room(db, "r3", other, &owner.id, 1_000).await.1);
    })
    .await;
}

#[tokio::test]
async fn two_who_make_the_same_room_at_once_get_the_same_room() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        let bernd = account(db, "u2", "bernd").await;
        let (one, other) = tokio::join!(
            make_room(db, "r1", "Küche", &anna.id, 1),
            make_room(db, "r2", "küche", &bernd.id, 1),
        );
        assert_eq!(one.0, other.0);
        assert!(one.1 != other.1, "one of them made it");
    })
    .await;
}

#[tokio::test]
async fn a_room_is_opened_and_renamed_but_not_over_another() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        let (kitchen, _) = make_room(db, "r1", "Küche", &anna.id, 1).await;
        make_room(db, "r2", "Bad", &anna.id, 1).await;
        let opened = rooms::Change {
            access: Some(Access::Guests),
            ..rooms::Change::default()
        };
        fn renamed(name: &RoomName) -> rooms::Change<'_> {
            rooms::Change {
                name: Some(name),
                ..rooms::Change::default()
            }
        }
        let open = rooms::change(db, &kitchen.id, &opened)
            .await
            .expect("an answer");
        assert_eq!(
            open,
            Some(StoredRoom {
                access: Access::Guests,
                ..kitchen.clone()
            })
        );
        let taken = rooms::change(db, &kitchen.id, &renamed(&address("BAD").name)).await;
        assert!(matches!(taken, Err(StoreError::Taken)), "{taken:?}");
        let renamed = rooms::change(db, &kitchen.id, &renamed(&address("KÜCHE").name))
            .await
            .expect("an answer");
        assert_eq!(
            renamed.map(|room| (room.name, room.access)),
            Some(("KÜCHE".to_owned(), Access::Guests))
        );
        let gone = rooms::change(db, &RoomId::from("r9"), &opened)
            .await
            .expect("an answer");
        assert_eq!(gone, None);
    })
    .await;
}

#[tokio::test]
async fn the_home_page_knows_own_and_visited_rooms_the_latest_first() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        let bernd = account(db, "u2", "bernd").await;
        make_room(db, "own", "Eigen", &anna.id, 50).await;
        make_room(db, "seen", "Besucht", &bernd.id, 1).await;
        make_room(db, "strange", "Fremd", &bernd.id, 2).await;
        make_room(db, "old", "Alt", &anna.id, 10).await;
        for at in [20, 100] {
            visits::record(db, &anna.id, &RoomId::from("seen"), at)
                .await
                .expect("a visit");
        }
        visits::record(db, &bernd.id, &RoomId::from("own"), 500)
            .await
            .expect("a visit");
        let known = visits::known_rooms(db, &anna.id, 10).await.expect("a list");
        let known: Vec<_> = known
            .iter()
            .map(|known| (known.room.id.as_str(), known.visited))
            .collect();
        assert_eq!(known, [("seen", Some(100)), ("own", None), ("old", None)]);
        assert_eq!(
            visits::known_rooms(db, &anna.id, 1)
                .await
                .expect("a list")
                .len(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn a_guests_grant_is_found_by_its_secret_and_forgotten_with_its_name() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        let (room, _) = make_room(db, "r1", "public/Küche", &anna.id, 1).await;
        let name = DisplayName::parse("Gast 🧑‍🚀").expect("a name");
        let grant = NewGrant {
            id: &session_id("g1"),
            secret: secret(1).hash(),
            room: &room.id,
            name: &name,
            invite: None,
            created: 100,
        };
        assert!(guests::create(db, &grant).await.expect("a grant"));
        let found = guests::by_secret(db, secret(1).hash())
            .await
            .expect("an answer")
            .expect("the grant");
        assert_eq!(
            (found.id, found.room_id, found.created),
            (session_id("g1"), room.id, 100)
        );
        assert_eq!(found.name, "Gast 🧑‍🚀");
        assert!(
            sessions::is_there(db, &session_id("g1"))
                .await
                .expect("an answer")
        );
        assert_eq!(
            guests::by_secret(db, secret(2).hash())
                .await
                .expect("an answer"),
            None
        );
        guests::remove_expired(db, 100 + guest::LIFE_MS - 1)
            .await
            .expect("a sweep");
        assert!(
            sessions::is_there(db, &session_id("g1"))
                .await
                .expect("an answer")
        );
        guests::remove_expired(db, 100 + guest::LIFE_MS)
            .await
            .expect("a sweep");
        assert!(
            !sessions::is_there(db, &session_id("g1"))
                .await
                .expect("an answer")
        );
    })
    .await;
}

#[tokio::test]
async fn seats_come_back_as_they_were_saved() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await;
        let (kitchen, _) = make_room(db, "r1", "Küche", &anna.id, 1).await;
        let (bath, _) = make_room(db, "r2", "Bad", &anna.id, 1).await;
        let member = SeatRecord {
            participant: ParticipantId::from("p1"),
            subject: Subject::Account(anna.id),
            device: DeviceId::from("d1"),
            name: "Änne".to_owned(),
            joined_at: 7,
            away_since: None,
        };
        let guest = SeatRecord {
            participant: ParticipantId::from("p2"),
            subject: Subject::Guest("g1".to_owned()),
            joined_at: 8,
            ..member.clone()
        };
        let elsewhere = SeatRecord {
            participant: "p3".into(),
            ..member.clone()
        };
        let save =
            |room: &StoredRoom, seat: &SeatRecord| Change::Save(room.id.clone(), seat.clone());
        let all = [
            save(&kitchen, &guest),
            save(&kitchen, &member),
            save(&bath, &elsewhere),
        ];
        let nowhere = Change::Save("r3".into(), elsewhere.clone());
        let refused = seats::write_all(db, &[all[0].clone(), nowhere]).await;
        assert!(refused.is_err(), "there is no such room");
        assert_eq!(seats::all(db).await.expect("a list"), [], "all or none");
        seats::write_all(db, &all).await.expect("three seats");
        let away = SeatRecord {
            away_since: Some(99),
            ..guest
        };
        seats::write(db, &save(&kitchen, &away))
            .await
            .expect("the seat again");
        assert_eq!(
            seats::of_room(db, &kitchen.id).await.expect("a list"),
            [member.clone(), away.clone()]
        );
        assert_eq!(seats::all(db).await.expect("a list").len(), 3);
        seats::write(db, &Change::Remove(member.participant))
            .await
            .expect("removed");
        assert_eq!(
            seats::of_room(db, &kitchen.id).await.expect("a list"),
            [away]
        );
    })
    .await;
}

#[tokio::test]
async fn settings_are_set_once_or_again() {
    on_both(async |db| {
        db.answers().await.expect("an answer");
        assert_eq!(settings::get(db, "k").await.expect("an answer"), None);
        assert_eq!(
            settings::get_or_set(db, "k", "one")
                .await
                .expect("an answer"),
            "one"
        );
        assert_eq!(
            settings::get_or_set(db, "k", "two")
                .await
                .expect("an answer"),
            "one"
        );
        settings::set(db, "k", "three").await.expect("set");
        assert_eq!(
            settings::get(db, "k").await.expect("an answer"),
            Some("three".to_owned())
        );
    })
    .await;
}

#[tokio::test]
async fn opening_the_same_database_again_changes_nothing() {
    let directory = std::env::temp_dir().join(format!("stube-store-{}", crate::chance::id()));
    std::fs::create_dir(&directory).expect("a directory");
    for (round, url) in [None, Some(postgres::new_database())]
        .into_iter()
        .enumerate()
    {
        let first = Db::open(url.as_deref(), &directory)
            .await
            .expect("the database");
        account(&first, "u1", "anna").await;
        let second = Db::open(url.as_deref(), &directory)
            .await
            .expect("the database again");
        assert_eq!(
            users::all(&second).await.expect("a list").len(),
            1,
            "round {round}"
        );
        first.close().await;
        second.close().await;
    }
    std::fs::remove_dir_all(&directory).expect("the directory");
}

#[tokio::test]
async fn a_locked_database_is_waited_for_and_then_unavailable() {
    let directory = std::env::temp_dir().join(format!("stube-store-{}", crate::chance::id()));
    std::fs::create_dir(&directory).expect("a directory");
    let db = Db::open(None, &directory).await.expect("SQLite");
    let Db::Sqlite(other) = Db::open(None, &directory).await.expect("SQLite again") else {
        unreachable!("no URL was given")
    };
    let lock = other.begin_with("BEGIN EXCLUSIVE").await.expect("the lock");
    let refused = settings::set(&db, "k", "v").await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    db.answers().await.expect("reading goes on");
    lock.rollback().await.expect("unlocked");
    settings::set(&db, "k", "v").await.expect("written");
    db.close().await;
    other.close().await;
    std::fs::remove_dir_all(&directory).expect("the directory");
}

/// The core of `identity` knows no wire, so the same lives stand in both.
#[test]
fn what_clients_are_told_is_what_is_kept() {
    use protocol::limits;
    assert_eq!(limits::SESSION_MS, session::WHOLE_MS);
    assert_eq!(limits::SESSION_IDLE_MS, session::IDLE_MS);
    assert_eq!(limits::GUEST_GRANT_MS, guest::LIFE_MS);
    assert_eq!(
        limits::ROOM_NAME_GRAPHEMES,
        identity::name::ROOM_NAME_GRAPHEMES
    );
    assert_eq!(
        limits::DISPLAY_NAME_GRAPHEMES,
        identity::name::DISPLAY_NAME_GRAPHEMES
    );
}
