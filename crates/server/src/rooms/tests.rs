//! The hub with rooms of its own, a media side that only listens, and a store in a directory that is gone afterwards.

use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use house::StoredCall;
use identity::{DisplayName, Username};
use protocol::http::PersonSource;
use protocol::{ErrorCode, RoomKind, SlotKind, SlotMids, UplinkMids, UserId};
use room::{ConnectionId, Intent, Offer};
use serde_json::{Value, json};

use super::*;
use crate::config::Config;
use crate::principal::{Kind, Principal};
use crate::settings::Chosen;
use crate::store::calls;
use crate::store::rooms::Change;
use crate::store::users::{self, NewAccount};
use crate::ws::outbound::{Next, Outbound, Outgoing};

/// Of a house that takes guests, or none.
fn settings(guests: bool) -> Settings {
    let mut config = Config::default();
    config.policy.guests = Some(guests);
    Settings::new(config, Chosen::default())
}

fn account(user: &str) -> Principal {
    Principal {
        kind: Kind::Account {
            user: UserId::from(user),
        },
        name: user.to_owned(),
        room_scope: None,
        session: SessionId::from(format!("session of {user}")),
        expires: u64::MAX,
    }
}

fn pushes(db: &Db) -> Pushes {
    let started = Pushes::start(
        &Config::default(),
        settings(true),
        db.clone(),
        "http://a.example",
    );
    started.expect("clients")
}

struct House {
    rooms: Rooms,
    db: Db,
    media: Receiver<::media::Command>,
    /// Kept, so that the hub goes on listening.
    events: mpsc::Sender<::media::Event>,
    directory: PathBuf,
}

impl House {
    async fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("stube-rooms-{}", chance::id()));
        std::fs::create_dir(&directory).expect("a directory");
        let db = Db::open(None, &directory).await.expect("SQLite");
        for user in ["anna", "bert"] {
            let new = NewAccount {
                id: UserId::from(user),
                username: Username::parse(user).expect("a username"),
                name: DisplayName::parse(user).expect("a name"),
                mail: None,
                admin: false,
                password: None,
                source: PersonSource::House,
                created: 1,
            };
            users::create(&db, &new).await.expect("an account");
        }
        let (handle, media) = MediaHandle::detached();
        let (given, events) = mpsc::channel(16);
        let rooms = Rooms::start(
            db.clone(),
            handle,
            events,
            settings(true),
            pushes(&db),
            Metrics::default(),
        );
        let rooms = rooms.await.expect("a hub");
        // What rang before is read by then: nothing of a test is taken for it.
        let outbound = Outbound::default();
        let opened = rooms
            .house()
            .opened(0, "anna".into(), None, outbound.clone());
        opened.await;
        outbound.next().await;
        rooms.house().closed(0);
        Self {
            rooms,
            db,
            media,
            events: given,
            directory,
        }
    }

    async fn enter(&self, user: &str, room: &str) -> Visitor {
        let mut visitor = self.knock(&account(user), room).await;
        assert_eq!(visitor.next().await.0["type"], "ok");
        assert_eq!(visitor.next().await.0["type"], "room_snapshot");
        visitor
    }

    async fn knock(&self, principal: &Principal, room: &str) -> Visitor {
        self.try_to_join(principal, Way::Address(room))
            .await
            .expect("a place in the queue")
    }

    async fn try_to_join(&self, principal: &Principal, to: Way<'_>) -> Result<Visitor, ErrorCode> {
        let outbound = Outbound::default();
        let entry = Entry {
            principal,
            id: "join".into(),
            to,
            device: "device".into(),
            outbound: &outbound,
        };
        let stay = self.rooms.join(entry, None).await?;
        Ok(Visitor { stay, outbound })
    }

    async fn prepare(&self, principal: &Principal, room: &str) -> Result<Visitor, ErrorCode> {
        let outbound = Outbound::default();
        let ask = Preparation {
            principal,
            room,
            device: "device".into(),
            offer: offer(),
            outbound: &outbound,
        };
        let stay = ask.send(&self.rooms).await?;
        Ok(Visitor { stay, outbound })
    }

    /// Joins with what the same socket has prepared.
    async fn enter_prepared(&self, user: &str, room: &str, at_door: Visitor) -> Visitor {
        let Visitor { stay, outbound } = at_door;
        let entry = Entry {
            principal: &account(user),
            id: "join".into(),
            to: Way::Address(room),
            device: "device".into(),
            outbound: &outbound,
        };
        let stay = self.rooms.join(entry, Some(stay)).await;
        let stay = stay.expect("a place in the queue");
        Visitor { stay, outbound }
    }

    /// Lets the media side answer all offers, and gives what it was told.
    async fn answer(&self) -> Vec<::media::Command> {
        let told: Vec<_> = self.media.try_iter().collect();
        for command in &told {
            if let ::media::Command::Negotiate(offered) = command {
                let event = ::media::Event::Negotiated {
                    group: offered.group,
                    peer: offered.peer,
                    request: offered.request,
                    result: Ok("answer".to_owned()),
                };
                assert!(self.events.send(event).await.is_ok());
            }
        }
        told
    }

    fn commands(&self, room: &str) -> mpsc::Sender<Command> {
        let live = self.rooms.0.live();
        let named = |(id, _): &(&RoomId, &Live)| id.as_str() == room;
        live.iter()
            .find(named)
            .expect("a live room")
            .1
            .commands
            .clone()
    }

    async fn id(&self, name: &str) -> String {
        let address = identity::RoomAddress::parse(name).expect("a name");
        let room = store::rooms::by_name(&self.db, &address.name)
            .await
            .expect("an answer");
        room.expect("the room").id.to_string()
    }

    async fn close(self) {
        self.rooms.shut_down().await;
        self.db.close().await;
        std::fs::remove_dir_all(&self.directory).expect("the directory");
    }
}

struct Visitor {
    stay: Stay,
    outbound: Outbound,
}

impl Visitor {
    async fn next(&mut self) -> (Value, Option<ConnectionId>, bool) {
        match self.outbound.next().await {
            Next::Message(Outgoing {
                text,
                stay,
                ends_stay,
            }) => (serde_json::from_str(&text).expect("JSON"), stay, ends_stay),
            Next::End(ending) => panic!("ended: {ending:?}"),
        }
    }

    async fn offer(&self) {
        self.stay.intend(Intent::Offer(offer())).await;
    }
}

fn offer() -> Offer {
    let mid = |number: u8| number.to_string();
    let uplink = UplinkMids {
        microphone: mid(0),
        camera: mid(1),
        screen: mid(2),
        screen_audio: mid(3),
    };
    let slots = vec![SlotMids {
        kind: SlotKind::Person,
        audio: mid(4),
        video: mid(5),
    }];
    Offer {
        id: "offer".into(),
        sdp: "offer".to_owned(),
        uplink,
        slots,
        connection: None,
        fresh: fresh_connection(),
    }
}

#[tokio::test]
async fn a_room_that_breaks_ends_itself_and_nothing_else() {
    let house = House::new().await;
    let mut anna = house.enter("anna", "Garten").await;
    let mut bert = house.enter("bert", "Hof").await;
    for visitor in [&mut anna, &mut bert] {
        visitor.offer().await;
        visitor.stay.intend(Intent::GetSnapshot).await;
        assert_eq!(visitor.next().await.0["type"], "room_snapshot");
    }
    let garden = house.id("Garten").await;
    assert!(house.commands(&garden).send(Command::Panic).await.is_ok());

    let (message, stay, ends_stay) = anna.next().await;
    assert_eq!(message, json!({"type": "room_left", "reason": "internal"}));
    assert_eq!((stay, ends_stay), (Some(anna.stay.connection()), true));
    bert.stay.intend(Intent::GetSnapshot).await;
    assert_eq!(bert.next().await.0["type"], "room_snapshot");

    let mut again = house.enter("anna", "Garten").await;
    again.stay.intend(Intent::GetSnapshot).await;
    let (view, ..) = again.next().await;
    assert_eq!(
        view["room"]["participants"].as_array().map(Vec::len),
        Some(1),
        "{view}"
    );
    house.rooms.0.writer.flush().await;
    let seats = seats::of_room(&house.db, &garden.into())
        .await
        .expect("an answer");
    assert_eq!(seats.len(), 1, "the broken room's seat is gone");
    let sent: Vec<_> = house.media.try_iter().collect();
    let [
        ::media::Command::Negotiate(broken),
        ::media::Command::Negotiate(whole),
        ::media::Command::Remove { peer },
    ] = &sent[..]
    else {
        panic!("{sent:?}");
    };
    assert_eq!(broken.peer, *peer, "the broken room's media is gone");
    assert_ne!(whole.peer, *peer, "the other room's media stays");
    house.close().await;
}

#[tokio::test]
async fn a_room_that_everybody_left_is_not_live_any_more() {
    let house = House::new().await;
    let Visitor { stay, .. } = house.enter("anna", "Garten").await;
    let garden = RoomId::from(house.id("Garten").await);
    assert_eq!(house.rooms.people(&garden), 1);
    stay.leave().await;
    house.rooms.0.drivers.gone().await;
    assert_eq!(house.rooms.people(&garden), 0);
    assert!(house.rooms.0.live().is_empty());
    house.rooms.0.writer.flush().await;
    assert_eq!(seats::all(&house.db).await.expect("an answer"), []);
    house.close().await;
}

#[tokio::test]
async fn after_a_kill_the_time_to_come_back_counts_from_the_start() {
    let house = House::new().await;
    let anna = house.enter("anna", "Garten").await;
    house.rooms.0.writer.flush().await;
    let stored = seats::all(&house.db).await.expect("an answer");
    assert_eq!(stored[0].1.away_since, None);
    let (handle, _media) = MediaHandle::detached();
    let rooms = Rooms::start(
        house.db.clone(),
        handle,
        mpsc::channel(1).1,
        settings(true),
        pushes(&house.db),
        Metrics::default(),
    );
    let _rooms = rooms.await.expect("a hub");
    let stored = seats::all(&house.db).await.expect("an answer");
    assert!(stored[0].1.away_since.is_some(), "{stored:?}");
    drop(anna);
    house.close().await;
}

#[tokio::test]
async fn a_house_without_guests_has_no_room_open_to_them() {
    let house = House::new().await;
    let address = identity::RoomAddress::parse("public/Garten").expect("a name");
    let anna = UserId::from("anna");
    let made = house.rooms.find_or_make(&address, Some(&anna)).await;
    let room = made.expect("an answer").expect("a room");
    let (handle, _media) = MediaHandle::detached();
    let closed = Rooms::start(
        house.db.clone(),
        handle,
        mpsc::channel(1).1,
        settings(false),
        pushes(&house.db),
        Metrics::default(),
    );
    let closed = closed.await.expect("a hub");
    for (rooms, access) in [(&house.rooms, Access::Guests), (&closed, Access::Accounts)] {
        let facts = rooms.0.facts(room.clone()).await;
        assert_eq!(facts.expect("an answer").access, access);
    }
    house.close().await;
}

#[tokio::test]
async fn guests_who_wait_come_in_when_the_house_opens() {
    let house = House::new().await;
    let address = identity::RoomAddress::parse("public/Garten").expect("a name");
    let made = house.rooms.find_or_make(&address, None).await;
    let room = made.expect("an answer").expect("a room");
    assert_eq!((room.access, room.owner), (Access::Guests, None));
    let grant = SessionId::from("grant".to_owned());
    let principal = Principal {
        kind: Kind::Guest {
            grant: grant.clone(),
            invited: false,
        },
        name: "Gil".to_owned(),
        room_scope: Some(room.id),
        session: grant,
        expires: u64::MAX,
    };
    let mut gil = house.knock(&principal, "Garten").await;
    assert_eq!(gil.next().await.0["type"], "ok");
    assert_eq!(gil.next().await.0["type"], "waiting");
    let settings = &house.rooms.0.settings;
    let open = |chosen: &mut Chosen| chosen.open_house = Some(true);
    settings.choose(&house.db, open).await.expect("chosen");
    assert_eq!(gil.next().await.0["type"], "room_snapshot");
    house.close().await;
}

#[tokio::test]
async fn only_people_of_a_call_come_into_its_room_and_its_end_puts_them_out() {
    let house = House::new().await;
    let call = RoomId::from("call");
    let (anna, bert) = (UserId::from("anna"), UserId::from("bert"));
    let alone = StoredCall {
        id: "c1".into(),
        room: call.clone(),
        caller: anna.clone(),
        callee: anna.clone(),
        video: false,
        started_at: 1,
    };
    calls::start(&house.db, &alone, true, RoomKind::Call)
        .await
        .expect("made");
    let refused = |outcome: Result<Visitor, ErrorCode>| outcome.err();
    for (principal, room) in [(account("bert"), "call"), (account("anna"), "nowhere")] {
        let outcome = house.try_to_join(&principal, Way::Call(&room.into())).await;
        assert_eq!(refused(outcome), Some(ErrorCode::NotFound), "{room}");
    }
    members::add(&house.db, &call, &bert, 2, 500)
        .await
        .expect("added");
    let mut visitors = Vec::new();
    for user in ["anna", "bert"] {
        let visitor = house.try_to_join(&account(user), Way::Call(&call)).await;
        let Ok(mut visitor) = visitor else {
            panic!("a place in the queue")
        };
        assert_eq!(visitor.next().await.0["type"], "ok");
        let (snapshot, ..) = visitor.next().await;
        assert_eq!(snapshot["room"]["kind"], "call");
        visitors.push(visitor);
    }
    assert_eq!(house.rooms.people(&call), 2);
    let known = store::visits::known_rooms(&house.db, &anna, 50).await;
    assert_eq!(
        known.expect("an answer"),
        [],
        "no call is a room of somebody"
    );

    Remote(Arc::downgrade(&house.rooms.0)).end_room(&call).await;
    for mut visitor in visitors {
        let left = loop {
            let (message, _, ends_stay) = visitor.next().await;
            if ends_stay {
                break message;
            }
        };
        assert_eq!(left, json!({"type": "room_left", "reason": "call_ended"}));
    }
    house.rooms.0.drivers.gone().await;
    assert_eq!(house.rooms.people(&call), 0);
    let outcome = house.try_to_join(&account("anna"), Way::Call(&call)).await;
    assert_eq!(refused(outcome), Some(ErrorCode::NotFound));
    house.close().await;
}

#[tokio::test]
async fn nobody_is_left_in_a_call_whose_end_cannot_be_stored() {
    let house = House::new().await;
    let call = RoomId::from("call");
    let anna = UserId::from("anna");
    let alone = StoredCall {
        id: "c1".into(),
        room: call.clone(),
        caller: anna.clone(),
        callee: anna,
        video: false,
        started_at: 1,
    };
    calls::start(&house.db, &alone, true, RoomKind::Call)
        .await
        .expect("made");
    let visitor = house.try_to_join(&account("anna"), Way::Call(&call)).await;
    let Ok(mut visitor) = visitor else {
        panic!("a place in the queue")
    };
    assert_eq!(visitor.next().await.0["type"], "ok");
    house.db.close().await;
    Remote(Arc::downgrade(&house.rooms.0)).end_room(&call).await;
    let left = loop {
        let (message, _, ends_stay) = visitor.next().await;
        if ends_stay {
            break message;
        }
    };
    assert_eq!(left, json!({"type": "room_left", "reason": "call_ended"}));
    assert_eq!(house.rooms.people(&call), 0);
    house.close().await;
}

#[tokio::test]
async fn a_room_with_a_name_does_not_end_like_a_call() {
    let house = House::new().await;
    let mut anna = house.enter("anna", "Garten").await;
    let garden = RoomId::from(house.id("Garten").await);
    let remote = Remote(Arc::downgrade(&house.rooms.0));
    remote.end_room(&garden).await;
    anna.stay.intend(Intent::GetSnapshot).await;
    assert_eq!(anna.next().await.0["type"], "room_snapshot");
    let as_call = house
        .try_to_join(&account("anna"), Way::Call(&garden))
        .await;
    assert_eq!(as_call.err(), Some(ErrorCode::NotFound));
    house.close().await;
}

#[tokio::test]
async fn whoever_is_expected_does_not_knock() {
    let house = House::new().await;
    let _anna = house.enter("anna", "Garten").await;
    let garden = RoomId::from(house.id("Garten").await);
    let knock = Change {
        knock: Some(true),
        ..Change::default()
    };
    let room = rooms::change(&house.db, &garden, &knock);
    let room = room.await.expect("an answer").expect("the room");
    house.rooms.room_changed(&room).await;
    let mut bert = house.knock(&account("bert"), "Garten").await;
    assert_eq!(bert.next().await.0["type"], "ok");
    let waiting = json!({"type": "waiting", "reason": "knocking"});
    assert_eq!(bert.next().await.0, waiting);
    let remote = Remote(Arc::downgrade(&house.rooms.0));
    remote.expect(&garden, &UserId::from("bert")).await;
    assert_eq!(bert.next().await.0["type"], "room_snapshot");
    house.close().await;
}

#[tokio::test]
async fn a_seat_that_cannot_be_stored_costs_the_others_nothing() {
    let house = House::new().await;
    let anna = house.enter("anna", "Garten").await;
    let garden = RoomId::from(house.id("Garten").await);
    let writer = &house.rooms.0.writer;
    writer.flush().await;
    let (_, seat) = seats::all(&house.db).await.expect("an answer").remove(0);
    let other = |participant: &str| {
        room::Persist::Save(SeatRecord {
            participant: participant.into(),
            ..seat.clone()
        })
    };
    writer.write(&garden, other("first")).await;
    writer.write(&"nowhere".into(), other("lost")).await;
    writer.write(&garden, other("last")).await;
    writer.flush().await;
    let stored = seats::of_room(&house.db, &garden).await.expect("an answer");
    let stored: Vec<_> = stored.iter().map(|seat| &seat.participant).collect();
    let expected = [&"first".into(), &"last".into(), &seat.participant];
    assert!(
        stored.len() == 3 && expected.iter().all(|seat| stored.contains(seat)),
        "{stored:?}"
    );
    drop(anna);
    house.close().await;
}

#[tokio::test]
async fn preparing_makes_no_room_and_tells_nobody() {
    let house = House::new().await;
    let nowhere = house.prepare(&account("anna"), "Garten").await;
    assert_eq!(nowhere.err(), Some(ErrorCode::NotFound));
    let address = identity::RoomAddress::parse("Garten").expect("a name");
    let made = house
        .rooms
        .find_or_make(&address, Some(&"anna".into()))
        .await;
    let garden = made.expect("an answer").expect("a room").id;

    let mut bert = house
        .prepare(&account("bert"), "Garten")
        .await
        .expect("room for it");
    until_told(&house).await;
    assert_eq!(bert.next().await.0["type"], "answer");
    assert_eq!(house.rooms.people(&garden), 0);
    house.rooms.0.writer.flush().await;
    assert_eq!(seats::all(&house.db).await.expect("an answer"), []);
    let known = store::visits::known_rooms(&house.db, &"bert".into(), 50).await;
    assert_eq!(known.expect("an answer"), [], "no visit");

    // Gone with its socket, and the room's task with it.
    drop(bert);
    house.rooms.0.drivers.gone().await;
    let told: Vec<_> = house.media.try_iter().collect();
    assert!(
        matches!(told[..], [::media::Command::Remove { .. }]),
        "{told:?}"
    );
    house.close().await;
}

#[tokio::test]
async fn nobody_at_a_door_keeps_a_server_that_wants_to_stop() {
    let house = House::new().await;
    let anna = house.enter("anna", "Garten").await;
    let empty = house.rooms.drain();
    let refused = house.prepare(&account("bert"), "Garten").await;
    assert_eq!(refused.err(), Some(ErrorCode::Restarting));
    drop(house.enter("bert", "Garten").await);
    drop(anna);
    house.rooms.shut_down().await;
    empty.await;
    house.close().await;
}

/// Answers the offer that is on its way.
async fn until_told(house: &House) {
    let offers = |told: &[::media::Command]| {
        let is_offer =
            |command: &::media::Command| matches!(command, ::media::Command::Negotiate(_));
        told.iter().any(is_offer)
    };
    while !offers(&house.answer().await) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_a_socket_prepared_becomes_the_media_of_its_seat() {
    let house = House::new().await;
    let anna = house.enter("anna", "Garten").await;
    let mut bert = house
        .prepare(&account("bert"), "Garten")
        .await
        .expect("room for it");
    until_told(&house).await;
    let (answer, ..) = bert.next().await;
    let mut bert = house.enter_prepared("bert", "Garten", bert).await;
    assert_eq!(bert.next().await.0["type"], "ok");
    let (snapshot, ..) = bert.next().await;
    assert_eq!(snapshot["room"]["connection"], answer["connection"]);
    let told: Vec<_> = house.media.try_iter().collect();
    assert!(told.is_empty(), "nobody else has media yet: {told:?}");
    drop((anna, bert));
    house.close().await;
}

#[tokio::test]
async fn what_was_prepared_for_another_room_ends_with_the_join() {
    let house = House::new().await;
    let _anna = house.enter("anna", "Garten").await;
    let mut bert = house
        .prepare(&account("bert"), "Garten")
        .await
        .expect("room for it");
    until_told(&house).await;
    assert_eq!(bert.next().await.0["type"], "answer");
    let mut bert = house.enter_prepared("bert", "Hof", bert).await;
    assert_eq!(bert.next().await.0["type"], "ok");
    let (snapshot, ..) = bert.next().await;
    assert_eq!(snapshot["room"].get("connection"), None);
    let removed = loop {
        if let Ok(command) = house.media.try_recv() {
            break command;
        }
        tokio::task::yield_now().await;
    };
    assert!(
        matches!(removed, ::media::Command::Remove { .. }),
        "{removed:?}"
    );
    house.close().await;
}

#[tokio::test]
async fn an_account_prepares_a_few_at_once_and_more_when_they_were_used_or_have_ended() {
    let house = House::new().await;
    let _anna = house.enter("anna", "Garten").await;
    let mut doors = Vec::new();
    // One device: what it had goes when it asks again. No permit stays behind.
    for _ in 0..8 {
        let mut bert = house
            .prepare(&account("bert"), "Garten")
            .await
            .expect("a permit");
        until_told(&house).await;
        assert_eq!(bert.next().await.0["type"], "answer");
        doors.push(bert);
    }
    let mut bert = house
        .enter_prepared("bert", "Garten", doors.pop().expect("the last"))
        .await;
    assert_eq!(bert.next().await.0["type"], "ok");
    let next = house.prepare(&account("bert"), "Garten").await;
    assert!(next.is_ok());
    drop(doors);
    house.close().await;
}
