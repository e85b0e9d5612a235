//! The house's task over a real store: what it tells its sockets, and what becomes of it when its value breaks.

use std::path::PathBuf;

use identity::{DisplayName, Username};
use protocol::RoomKind;
use protocol::http::PersonSource;
use serde_json::Value;

use super::*;
use crate::config::Config;
use crate::settings::Chosen;
use crate::store::users::{self, NewAccount};
use crate::ws::outbound::{Ending, Next};

struct Scene {
    house: House,
    db: Db,
    directory: PathBuf,
}

impl Scene {
    async fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("stube-house-{}", chance::id()));
        std::fs::create_dir(&directory).expect("a directory");
        let db = Db::open(None, &directory).await.expect("a database");
        for name in ["anna", "bert"] {
            let new = NewAccount {
                id: UserId::from(name),
                username: Username::parse(name).expect("a username"),
                name: DisplayName::parse(name).expect("a name"),
                mail: None,
                admin: false,
                password: None,
                source: PersonSource::House,
                created: 1,
            };
            users::create(&db, &new).await.expect("an account");
        }
        let settings = Settings::new(Config::default(), Chosen::default());
        let pushes = Pushes::start(
            &Config::default(),
            settings.clone(),
            db.clone(),
            "http://a.example",
        );
        let pushes = pushes.expect("clients");
        let house = House::start(db.clone(), settings, Remote::nowhere(), pushes);
        Self {
            house,
            db,
            directory,
        }
    }

    async fn socket(&self, number: u64, user: &str) -> Outbound {
        let outbound = Outbound::default();
        let opened = self
            .house
            .opened(number, user.into(), None, outbound.clone());
        opened.await;
        assert_eq!(message(&outbound).await["type"], "home_snapshot");
        outbound
    }

    async fn call(&self, number: u64, callee: &str) {
        self.ring(number, callee, None).await;
    }

    async fn ring(&self, number: u64, callee: &str, into: Option<house::Into>) {
        let account = users::by_id(&self.db, &callee.into()).await;
        let account = account.expect("an answer").expect("an account");
        let callee = facts::callee(&self.db, account).await.expect("an answer");
        let start = house::StartCall {
            id: "i".into(),
            callee: Some(callee),
            video: false,
            into,
            fresh_call: chance::id().into(),
            fresh_room: chance::id().into(),
            fresh_history: [chance::id().into(), chance::id().into()],
        };
        let intent = Intent::Call(Box::new(start));
        self.house.intent(number, intent).await;
    }

    async fn close(self) {
        self.house.stop().await;
        self.db.close().await;
        std::fs::remove_dir_all(self.directory).expect("the directory");
    }
}

async fn message(outbound: &Outbound) -> Value {
    match outbound.next().await {
        Next::Message(message) => serde_json::from_str(&message.text).expect("JSON"),
        Next::End(ending) => panic!("{ending:?}"),
    }
}

async fn change(outbound: &Outbound, kind: &str) -> Value {
    loop {
        let message = message(outbound).await;
        if message["change"]["type"] == kind {
            return message["change"].clone();
        }
    }
}

#[tokio::test]
async fn a_house_that_breaks_sends_everybody_away_and_rings_on_for_those_who_come_back() {
    let scene = Scene::new().await;
    let (anna, bert) = (scene.socket(1, "anna").await, scene.socket(2, "bert").await);
    scene.call(1, "bert").await;
    let call = change(&bert, "call_changed").await["call"].clone();
    scene.house.send(Event::Panic);
    for outbound in [&anna, &bert] {
        let ending = loop {
            if let Next::End(ending) = outbound.next().await {
                break ending;
            }
        };
        assert_eq!(ending, Ending::Internal);
    }
    for number in [1, 2] {
        scene.house.closed(number);
    }
    for (number, user) in [(3, "anna"), (4, "bert")] {
        let outbound = Outbound::default();
        let opened = scene
            .house
            .opened(number, user.into(), None, outbound.clone());
        opened.await;
        let snapshot = message(&outbound).await;
        assert_eq!(snapshot["home"]["calls"][0]["id"], call["id"], "{snapshot}");
    }
    scene.close().await;
}

#[tokio::test]
async fn the_end_of_the_server_is_nobodys_hanging_up() {
    let scene = Scene::new().await;
    let (_anna, bert) = (scene.socket(1, "anna").await, scene.socket(2, "bert").await);
    scene.call(1, "bert").await;
    change(&bert, "call_changed").await;
    scene.house.stop().await;
    scene.house.closed(1);
    scene.house.closed(2);
    scene.house.stop().await;
    let ringing = crate::store::calls::ringing(&scene.db).await;
    assert_eq!(ringing.expect("an answer").len(), 1);
    scene.close().await;
}

#[tokio::test]
async fn who_has_just_come_in_is_inside_for_what_they_do_next() {
    let scene = Scene::new().await;
    let (anna, _bert) = (scene.socket(1, "anna").await, scene.socket(2, "bert").await);
    for number in 0..5 {
        let room = RoomId::from(format!("room {number}"));
        let inside = Inside {
            kind: RoomKind::Named,
            address: "room".to_owned(),
            name: "room".to_owned(),
            people: 2,
            accounts: vec!["anna".into(), "bert".into()],
        };
        scene.house.room_people(room.clone(), inside);
        let into = house::Into {
            room,
            kind: RoomKind::Named,
            address: Some("room".to_owned()),
        };
        scene.ring(1, "bert", Some(into)).await;
        let answer = loop {
            let message = message(&anna).await;
            if message["type"] == "error" {
                break message;
            }
        };
        assert_eq!(answer["code"], "in_call", "he is there, and so is she");
    }
    scene.close().await;
}
