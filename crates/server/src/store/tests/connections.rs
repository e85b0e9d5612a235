//! Records of connections: written again and again, read by those who may, and gone when their time is over.

use identity::UnixMs;
use protocol::http::connections::PersonsConnection;
use protocol::{
    ConnectionSummary, HistoryEntry, HistoryKind, HistoryRoom, PathKind, RoomKind, UserId,
};
use room::record::{Record, StayRecord};
use room::{Measured, Subject};

use super::{account, make_room, on_both};
use crate::store::connections::{self, Wanted};
use crate::store::seats::{self, Change};
use crate::store::{Db, history};

fn stay(participant: &str, subject: Subject, started: UnixMs, loss_up: u16) -> StayRecord {
    let mut record = Record::new(started);
    for step in 0..12 {
        let measured = Measured {
            path: PathKind::UdpV6,
            rtt_ms: Some(40),
            loss_up: Some(loss_up),
            loss_down: None,
            jitter_ms: None,
            up_bps: 500_000,
            down_bps: 900_000,
            estimate_bps: None,
            layer_changes: 0,
            pauses: 0,
        };
        record.measured(started + step * 10_000, &measured);
    }
    StayRecord {
        participant: participant.into(),
        meeting: "m1".to_owned(),
        name: format!("Ölaf {participant}%"),
        subject,
        kind: RoomKind::Named,
        started,
        ended: record.last(),
        over: false,
        summary: record.summary(),
        timeline: record.timeline(),
    }
}

async fn save(db: &Db, room: &str, record: StayRecord) {
    let changes = [Change::Stay(room.into(), Box::new(record))];
    seats::write_all(db, &changes).await.expect("stored");
}

async fn list(db: &Db, wanted: Wanted) -> Vec<PersonsConnection> {
    connections::list(db, &wanted, 50).await.expect("an answer")
}

fn ids(list: &[PersonsConnection]) -> Vec<&str> {
    list.iter().map(|one| one.record.id.as_str()).collect()
}

#[tokio::test]
async fn a_stay_is_one_row_that_grows_and_is_read_back_as_it_was() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        make_room(db, "r1", "Garten", &anna, 1).await;
        let first = stay("p1", Subject::Account(anna.clone()), 1_000, 80);
        save(db, "r1", first.clone()).await;
        let later = StayRecord {
            over: true,
            ended: 500_000,
            ..first.clone()
        };
        save(db, "r1", later.clone()).await;
        let found = list(db, Wanted::default()).await;
        let [one] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(
            (one.user.as_ref(), one.name.as_str()),
            (Some(&anna), "Ölaf p1%")
        );
        let record = &one.record;
        assert_eq!(
            (record.started_ms, record.ended_ms, record.over),
            (1_000, 500_000, true)
        );
        assert_eq!(
            (record.room.as_deref(), record.kind),
            (Some("Garten"), RoomKind::Named)
        );
        assert_eq!(record.summary, first.summary);
        assert_eq!((record.others, record.others_losing), (0, 0));
        let whole = connections::read(db, &record.id, Some(&anna)).await;
        let whole = whole.expect("an answer").expect("her own").timeline;
        assert_eq!((whole.step, whole.points.len()), (10, 12));
        assert_eq!(whole.points[3].loss_up, Some(80));
    })
    .await;
}

#[tokio::test]
async fn everybody_finds_their_own_and_administrators_find_by_what_they_look_for() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let bernd = account(db, "u2", "bernd").await.id;
        make_room(db, "r1", "Gärten_", &anna, 1).await;
        save(
            db,
            "r1",
            stay("p1", Subject::Account(anna.clone()), 1_000, 80),
        )
        .await;
        save(
            db,
            "r1",
            stay("p2", Subject::Account(bernd.clone()), 2_000, 0),
        )
        .await;
        save(
            db,
            "gone",
            stay("p3", Subject::Guest("g".to_owned()), 3_000, 50),
        )
        .await;
        let all = list(db, Wanted::default()).await;
        assert_eq!(ids(&all), ["p3m1", "p2m1", "p1m1"]);
        let others: Vec<_> = all
            .iter()
            .map(|one| (one.record.others, one.record.others_losing))
            .collect();
        assert_eq!(others, [(2, 1), (2, 2), (2, 1)]);
        assert_eq!(
            (all[0].user.as_ref(), all[0].record.room.as_deref()),
            (None, None)
        );
        let by = async |wanted: Wanted| {
            let found = list(db, wanted).await;
            ids(&found).join(" ")
        };
        let text = |text: &str| Wanted {
            text: Some(text.to_owned()),
            ..Wanted::default()
        };
        assert_eq!(by(text("öLAF P2")).await, "p2m1");
        assert_eq!(by(text("GÄRTEN_")).await, "p2m1 p1m1");
        assert_eq!(
            by(text("%")).await,
            "p3m1 p2m1 p1m1",
            "as it is in the names"
        );
        assert_eq!(by(text("p_")).await, "", "a letter like any other");
        let troubled = Wanted {
            troubled: true,
            ..Wanted::default()
        };
        assert_eq!(by(troubled).await, "p3m1 p1m1");
        let between = Wanted {
            since: Some(1_001),
            before: Some(3_000),
            ..Wanted::default()
        };
        assert_eq!(by(between).await, "p2m1");
        let own = Wanted {
            user: Some(bernd.clone()),
            ..Wanted::default()
        };
        assert_eq!(by(own).await, "p2m1");
        let read = async |id: &str, of: Option<&UserId>| {
            let found = connections::read(db, id, of).await;
            found.expect("an answer").is_some()
        };
        assert!(read("p1m1", Some(&anna)).await && read("p3m1", None).await);
        assert!(!read("p1m1", Some(&bernd)).await && !read("p3m1", Some(&anna)).await);
    })
    .await;
}

#[tokio::test]
async fn whoever_comes_in_again_is_no_other_of_their_own_and_one_of_those_of_others() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let bernd = account(db, "u2", "bernd").await.id;
        make_room(db, "r1", "Garten", &anna, 1).await;
        for (participant, subject, loss_up) in [
            ("p1", Subject::Account(anna.clone()), 80),
            ("p2", Subject::Account(anna.clone()), 80),
            ("p3", Subject::Account(anna.clone()), 0),
            ("p4", Subject::Account(bernd.clone()), 0),
            ("p5", Subject::Guest("g".to_owned()), 0),
        ] {
            save(db, "r1", stay(participant, subject, 1_000, loss_up)).await;
        }
        let all = list(db, Wanted::default()).await;
        let others: Vec<_> = all
            .iter()
            .map(|one| (one.record.others, one.record.others_losing))
            .collect();
        assert_eq!(others, [(2, 1), (2, 1), (2, 0), (2, 0), (2, 0)]);
    })
    .await;
}

#[tokio::test]
async fn what_is_too_old_or_forgotten_by_its_person_goes() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        make_room(db, "r1", "Garten", &anna, 1).await;
        let own = || Subject::Account(anna.clone());
        for (participant, started) in [("old", 1_000), ("line", 20_000), ("other", 900_000)] {
            let record = StayRecord {
                over: true,
                ..stay(participant, own(), started, 0)
            };
            save(db, "r1", record).await;
        }
        save(db, "r1", stay("going_on", own(), 950_000, 0)).await;
        let nobody = Subject::Account("nobody".into());
        save(db, "r1", stay("unknown", nobody, 960_000, 0)).await;
        connections::remove_before(db, 10_000).await.expect("done");
        let all = async || ids(&list(db, Wanted::default()).await).join(" ");
        assert_eq!(all().await, "going_onm1 otherm1 linem1");
        let line = HistoryEntry {
            id: "h1".into(),
            kind: HistoryKind::Room,
            person: None,
            room: Some(HistoryRoom {
                id: "r1".into(),
                address: "Garten".to_owned(),
                name: "Garten".to_owned(),
            }),
            video: false,
            end: None,
            started_at: 19_000,
            duration_ms: Some(100_000),
            seen: true,
        };
        history::write(db, &anna, &line).await.expect("a line");
        let bernd = account(db, "u2", "bernd").await.id;
        connections::remove_of_line(db, &bernd, &line.id)
            .await
            .expect("done");
        assert_eq!(all().await, "going_onm1 otherm1 linem1");
        connections::remove_of_line(db, &anna, &line.id)
            .await
            .expect("done");
        assert_eq!(all().await, "going_onm1 otherm1");
        connections::clear(db, &anna).await.expect("done");
        assert_eq!(all().await, "going_onm1");
        connections::end_all(db).await.expect("done");
        connections::clear(db, &anna).await.expect("done");
        assert_eq!(all().await, "");
    })
    .await;
}

#[test]
fn bad_is_what_lasted() {
    for (seconds, of, much) in [
        (0, 0, false),
        (0, 100, false),
        (10, 100, true),
        (10, 110, false),
        (60, 100_000, true),
    ] {
        assert_eq!(connections::is_much(seconds, of), much, "{seconds} of {of}");
    }
    let unknown: ConnectionSummary =
        serde_json::from_str("{\"seconds\":10,\"of_a_later_version\":{}}")
            .expect("read as far as it is known");
    assert_eq!(unknown.seconds, 10);
}

#[tokio::test]
async fn of_many_stays_the_newest_of_each_person_and_of_all_guests_are_kept() {
    on_both(async |db| {
        let anna = account(db, "u1", "anna").await.id;
        let bernd = account(db, "u2", "bernd").await.id;
        make_room(db, "r1", "Garten", &anna, 1).await;
        let own = |id: &UserId| Subject::Account(id.clone());
        let guest = |grant: &str| Subject::Guest(grant.to_owned());
        for (participant, subject, started, over) in [
            ("a1", own(&anna), 1_000, false),
            ("a2", own(&anna), 2_000, true),
            ("a3", own(&anna), 3_000, true),
            ("a4", own(&anna), 4_000, true),
            ("b1", own(&bernd), 1_000, true),
            ("g1", guest("one"), 1_000, true),
            ("g2", guest("two"), 2_000, true),
        ] {
            let record = StayRecord {
                over,
                ..stay(participant, subject, started, 0)
            };
            save(db, "r1", record).await;
        }
        connections::remove_beyond(db, 2, 1).await.expect("done");
        let mut left = ids(&list(db, Wanted::default()).await).join(" ");
        left = left.replace("m1", "");
        // Who is still in goes on being written.
        assert_eq!(left, "a4 a3 g2 b1 a1");
    })
    .await;
}
