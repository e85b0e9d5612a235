//! Planned meetings and who is asked to them.

use identity::Mail;
use identity::meeting::Times;
use protocol::http::meetings::Language;
use protocol::{MeetingId, RoomId, UserId};

use super::{account, make_room, new_account, on_both};
use crate::store::meetings::{self, Asked, NewMeeting, Plan};
use crate::store::users::NewAccount;
use crate::store::{Db, users};

fn mail(text: &str) -> Asked {
    Asked::Mail(Mail::parse(text).expect("an address"))
}

fn person(id: &str) -> Asked {
    Asked::Person(id.into())
}

fn plan_at<'a>(room: &'a RoomId, times: (u64, u64), people: &'a [Asked]) -> Plan<'a> {
    Plan {
        room,
        title: "Probe, Teil 1",
        times: Times {
            starts: times.0,
            ends: times.1,
        },
        time_zone: "Europe/Berlin",
        people,
    }
}

async fn plan(db: &Db, id: &str, owner: &str, times: (u64, u64), people: &[Asked]) -> bool {
    let (id, owner, room) = (id.into(), owner.into(), RoomId::from("r1"));
    let new = NewMeeting {
        id: &id,
        owner: &owner,
        language: Language::De,
        plan: plan_at(&room, times, people),
        created: 5,
    };
    meetings::create(db, &new, 3).await.expect("an answer")
}

async fn upcoming(db: &Db, user: &str, now: u64) -> Vec<(String, bool)> {
    let list = meetings::upcoming_for(db, &user.into(), now).await;
    let list = list.expect("a list").into_iter();
    list.map(|meeting| (meeting.id.0, meeting.own)).collect()
}

/// Two people and a room that is open to guests.
async fn populate(db: &Db) {
    let anna = account(db, "u1", "anna").await;
    let bernd = NewAccount {
        mail: Mail::parse("Bernd@Example.org").ok(),
        ..new_account("u2", "bernd")
    };
    users::create(db, &bernd).await.expect("an account");
    make_room(db, "r1", "public/Küche", &anna.id, 1).await;
    make_room(db, "r2", "Bad", &anna.id, 1).await;
}

#[tokio::test]
async fn a_meeting_is_as_it_was_planned_and_then_as_it_was_changed() {
    on_both(async |db| {
        populate(db).await;
        let asked = [
            person("u2"),
            mail("Carla@fremd.example"),
            mail("carla@fremd.example"),
        ];
        assert!(plan(db, "m1", "u1", (100, 200), &asked).await);
        let id = MeetingId::from("m1");
        let found = meetings::by_id(db, &id)
            .await
            .expect("an answer")
            .expect("it");
        assert_eq!(
            (found.sequence, found.cancelled, found.language),
            (0, false, Language::De)
        );
        assert_eq!((found.times.starts, found.times.ends), (100, 200));
        let seen = found.shown_to(&UserId::from("u2"));
        assert_eq!(
            (
                seen.room.as_str(),
                seen.own,
                seen.by.as_str(),
                seen.time_zone.as_str()
            ),
            ("public/Küche", false, "Änne 🏡 Schmidt", "Europe/Berlin")
        );
        let people = meetings::people_of(db, &id).await.expect("people");
        let people: Vec<_> = people
            .iter()
            .map(|person| {
                (
                    person.who.as_str(),
                    person.mail.as_deref(),
                    person.name.is_some(),
                )
            })
            .collect();
        assert_eq!(
            people,
            [
                ("user:u2", Some("Bernd@Example.org"), true),
                ("carla@fremd.example", Some("Carla@fremd.example"), false),
            ]
        );

        let room = RoomId::from("r2");
        let new = plan_at(&room, (300, 400), &asked[..1]);
        assert!(meetings::change(db, &id, 0, &new).await.expect("an answer"));
        assert!(
            !meetings::change(db, &id, 0, &new).await.expect("an answer"),
            "it is another now"
        );
        let found = meetings::by_id(db, &id)
            .await
            .expect("an answer")
            .expect("it");
        assert_eq!(
            (found.sequence, found.times.starts, found.room_name.as_str()),
            (1, 300, "Bad")
        );
        assert_eq!(meetings::people_of(db, &id).await.expect("people").len(), 1);

        assert!(!meetings::cancel(db, &id, 0).await.expect("an answer"));
        assert!(meetings::cancel(db, &id, 1).await.expect("an answer"));
        assert!(
            !meetings::cancel(db, &id, 2).await.expect("an answer"),
            "once"
        );
        let found = meetings::by_id(db, &id)
            .await
            .expect("an answer")
            .expect("it");
        assert_eq!((found.sequence, found.cancelled), (2, true));
        assert!(!meetings::change(db, &id, 2, &new).await.expect("an answer"));
    })
    .await;
}

#[tokio::test]
async fn people_have_what_they_planned_and_are_asked_to_until_it_is_over() {
    on_both(async |db| {
        populate(db).await;
        assert!(plan(db, "late", "u1", (300, 400), &[person("u2")]).await);
        assert!(plan(db, "soon", "u1", (100, 200), &[mail("bernd@example.org")]).await);
        assert!(plan(db, "off", "u2", (100, 200), &[person("u1")]).await);
        assert!(
            meetings::cancel(db, &"off".into(), 0)
                .await
                .expect("an answer")
        );
        let own = |id: &str| (id.to_owned(), true);
        assert_eq!(upcoming(db, "u1", 199).await, [own("soon"), own("late")]);
        assert_eq!(upcoming(db, "u1", 200).await, [own("late")]);
        assert_eq!(upcoming(db, "u2", 0).await, [("late".to_owned(), false)]);
        assert_eq!(upcoming(db, "u3", 0).await, []);

        assert!(plan(db, "third", "u1", (500, 600), &[]).await);
        assert!(
            !plan(db, "fourth", "u1", (500, 600), &[]).await,
            "three are enough"
        );
        meetings::remove_over(db, 200).await.expect("a sweep");
        assert_eq!(
            meetings::by_id(db, &"soon".into())
                .await
                .expect("an answer"),
            None
        );
        assert_eq!(upcoming(db, "u1", 0).await.len(), 2);
        let there = meetings::of_room(db, &"r1".into(), 450)
            .await
            .expect("a list");
        assert_eq!(there.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn of_meetings_that_are_over_nobody_keeps_any_number() {
    on_both(async |db| {
        populate(db).await;
        for number in 0..502 {
            let id = format!("over-{number:03}");
            assert!(plan(db, &id, "u1", (1, 2), &[]).await);
        }
        assert!(plan(db, "ahead", "u1", (100, 200), &[]).await);
        let is_there = async |id: &str| {
            let found = meetings::by_id(db, &MeetingId::from(id)).await;
            found.expect("an answer").is_some()
        };
        for (id, there) in [
            ("over-001", false),
            ("over-002", true),
            ("over-501", true),
            ("ahead", true),
        ] {
            assert_eq!(is_there(id).await, there, "{id}");
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_asks_somebody_to_many_meetings_does_not_hide_what_they_planned() {
    on_both(async |db| {
        populate(db).await;
        for number in 0..60 {
            let (id, owner) = (MeetingId::from(format!("m{number:02}")), UserId::from("u2"));
            let (room, asked) = (RoomId::from("r1"), [person("u1")]);
            let new = NewMeeting {
                id: &id,
                owner: &owner,
                language: Language::De,
                plan: plan_at(&room, (100 + number, 200 + number), &asked),
                created: 5,
            };
            assert!(meetings::create(db, &new, 100).await.expect("an answer"));
        }
        assert!(plan(db, "own", "u1", (900, 999), &[]).await);
        let list = upcoming(db, "u1", 6).await;
        assert_eq!(list.len(), 51);
        assert_eq!(list[0], ("m00".to_owned(), false));
        assert_eq!(list[50], ("own".to_owned(), true));
    })
    .await;
}
