//! Connection records: what a client reports in a meeting is kept, and who reads whose.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{House, Person, Socket, answer, behind_its_back};

async fn say(socket: &mut Socket, message: Value) {
    let sent = socket.0.send(Message::text(message.to_string())).await;
    sent.expect("an open socket");
}

async fn hear(socket: &mut Socket, kind: &str) -> Value {
    let heard = async {
        loop {
            let message = socket.0.next().await.expect("more").expect("a message");
            let Ok(text) = message.into_text() else {
                continue;
            };
            let value: Value = serde_json::from_str(&text).unwrap_or_default();
            if value["type"] == kind {
                return value;
            }
        }
    };
    let heard = tokio::time::timeout(Duration::from_secs(20), heard).await;
    heard.unwrap_or_else(|_| panic!("{kind} never came"))
}

/// Sits in the garden, reports as told, and leaves.
async fn stay(person: &Person, reports: &[Value]) {
    let mut socket = person.socket().await;
    let join = json!({"type": "join_room", "id": "1", "room": "public/garden", "device": "d"});
    say(&mut socket, join).await;
    hear(&mut socket, "room_snapshot").await;
    for report in reports {
        say(
            &mut socket,
            json!({"type": "report_quality", "report": report}),
        )
        .await;
    }
    say(&mut socket, json!({"type": "leave_room", "id": "2"})).await;
    hear(&mut socket, "ok").await;
}

/// Records are written behind the back of the meeting.
async fn records_of(person: &Person) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = person.get("/api/v1/connections").await.json();
        let records = answer["records"].as_array().expect("records").clone();
        if records.iter().any(|record| record["over"] == true) {
            return records;
        }
        assert!(Instant::now() < deadline, "nothing was stored: {answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_a_client_reports_is_kept_as_far_as_it_can_be_true() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let good = json!({"loss_up": 80, "network": "wifi", "browser": "chromium", "problems": ["lost"], "later": 1});
        let mad =
            json!({"loss_up": 4_000_000_000u32, "network": "of tomorrow", "fps": 4_000_000_000u32});
        let third = json!({"loss_up": 7});
        stay(&anna, &[good, mad, third]).await;
        let records = records_of(&anna).await;
        let [record] = records.as_slice() else {
            panic!("{records:?}");
        };
        assert_eq!(
            (&record["room"], &record["kind"]),
            (&json!("garden"), &json!("named"))
        );
        let summary = &record["summary"];
        // The mean of 80 and of a whole, which is the most there can be; the third came too soon.
        assert_eq!(summary["loss_up"]["mean"], 540, "{summary}");
        assert_eq!(summary["fps"], 120);
        assert_eq!(summary["networks"], json!(["wifi", "other"]));
        assert_eq!(summary["problems"], json!(["lost"]));
        let id = record["id"].as_str().expect("an id");
        let whole = anna.get(&format!("/api/v1/connections/{id}")).await.json();
        assert_eq!((&whole["step"], &whole["record"]), (&json!(10), record));
        assert_eq!(whole["points"], json!([{"loss_up": 540, "fps": 120}]));
        let kept = anna.get("/api/v1/account/export").await.json();
        assert_eq!(kept["connections"][0]["room"], "garden");
        let cleared = anna.request(Method::DELETE, "/api/v1/history");
        assert_eq!(answer(cleared.json(&json!({}))).await.status, 204);
        let left = anna.get("/api/v1/connections").await.json();
        assert_eq!(left["records"], json!([]));
        drop(house);
    }
}

#[tokio::test]
async fn people_read_their_own_and_administrators_everybodys() {
    let (house, anna) = House::new().with_anna().await;
    let berta = house.member("berta").await;
    stay(&berta, &[json!({"loss_down": 100})]).await;
    stay(&anna, &[json!({"loss_down": 1})]).await;
    let bertas = records_of(&berta).await.remove(0);
    let annas = records_of(&anna).await.remove(0);
    let guests = "INSERT INTO connections SELECT 'guests', meeting, NULL, 'Gast', kind, room_id, 'gast', 5, 6, TRUE, TRUE, TRUE, summary, timeline \
         FROM connections LIMIT 1";
    behind_its_back(&house, guests).await;
    let entry = json!({"room": "garden", "name": "Gast"});
    let grant = house.person().post("/api/v1/guests", entry).await.json();
    let grant = grant["grant"].as_str().expect("a grant").to_owned();
    let (bertas, annas) = (
        bertas["id"].as_str().expect("an id"),
        annas["id"].as_str().expect("an id"),
    );
    let path = |id: &str| format!("/api/v1/connections/{id}");
    let of_all = |id: &str| format!("/api/v1/admin/connections/{id}");
    let list = "/api/v1/connections".to_owned();
    let list_of_all = "/api/v1/admin/connections".to_owned();
    let table = [
        (&list, [200, 200, 401, 401]),
        (&path(bertas), [200, 404, 401, 401]),
        (&path(annas), [404, 200, 401, 401]),
        (&path("guests"), [404, 404, 401, 401]),
        (&path("nobody"), [404, 404, 401, 401]),
        (&list_of_all, [403, 200, 401, 401]),
        (&of_all(bertas), [403, 200, 401, 401]),
        (&of_all("guests"), [403, 200, 401, 401]),
        (&of_all("nobody"), [403, 404, 401, 401]),
    ];
    for (path, expected) in table {
        let guest = house.person().request(Method::GET, path);
        let found = [
            berta.get(path).await.status,
            anna.get(path).await.status,
            answer(guest.bearer_auth(&grant)).await.status,
            house.person().get(path).await.status,
        ];
        let found = found.map(|status| status.as_u16());
        assert_eq!(found, expected, "{path}: as berta, anna, a guest, nobody");
    }
    let names = async |query: &str| {
        let found = anna.get(&format!("{list_of_all}?{query}")).await.json();
        let list = found["connections"].as_array().expect("connections").iter();
        let names: Vec<_> = list
            .map(|one| one["name"].as_str().expect("a name").to_owned())
            .collect();
        names.join(" ")
    };
    assert_eq!(names("").await, "Anna Ö. berta Gast");
    assert_eq!(names("troubled=true").await, "berta Gast");
    assert_eq!(names("text=GARDEN&before=1000").await, "Gast");
    assert_eq!(names("text=anna").await, "Anna Ö.");
    for bad in [
        "since=x",
        "troubled=perhaps",
        &format!("text={}", "x".repeat(201)),
    ] {
        let refused = anna.get(&format!("{list_of_all}?{bad}")).await;
        refused.is(400, "malformed");
    }
}
