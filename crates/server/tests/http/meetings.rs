//! Planned meetings from both ends: who plans them, who is asked to them, and the mail in between.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use reqwest::Method;
use serde_json::{Value, json};

use crate::mail::{Letter, MailServer};
use crate::support::{Answer, House, Person, answer};

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.expect("after 1970").as_millis()).expect("before the end")
}

fn with_mail(mut house: House) -> (House, MailServer) {
    let mail = MailServer::start();
    house.set("MAIL__SERVER", &format!("smtp://127.0.0.1:{}", mail.port));
    house.set("MAIL__FROM", "Haus <haus@example.org>");
    (house, mail)
}

fn plan(title: &str) -> Value {
    let starts = now() + 60 * MINUTE;
    json!({"title": title, "starts_at": starts, "ends_at": starts + 30 * MINUTE,
        "time_zone": "Europe/Berlin", "language": "de"})
}

fn with(mut plan: Value, changes: Value) -> Value {
    for (key, value) in changes.as_object().expect("an object") {
        plan[key] = value.clone();
    }
    plan
}

async fn delete(person: &Person, id: &str) -> Answer {
    let path = format!("/api/v1/meetings/{id}");
    answer(person.request(Method::DELETE, &path).json(&json!({}))).await
}

async fn set_mail(person: &Person, mail: &str) {
    let body = json!({"mail": mail, "password": crate::support::PASSWORD});
    let answer = person.patch("/api/v1/account", body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

async fn id_of(person: &Person) -> String {
    text(&person.me().await["user"]["id"]).to_owned()
}

/// What stands in a letter for calendars, its lines unfolded.
fn calendar(letter: &Letter, method: &str) -> String {
    let kind = format!("Content-Type: text/calendar; method={method}; charset=utf-8\n");
    let (_, rest) = letter
        .text
        .split_once(&kind)
        .unwrap_or_else(|| panic!("{kind} in {letter:?}"));
    let (_, body) = rest.split_once("\n\n").expect("an empty line");
    let body = body.split("--").next().expect("a body");
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let body: String = body.split(['\n', '=']).collect();
    let bytes = GeneralPurpose::new(&STANDARD, lenient).decode(body);
    let text = String::from_utf8(bytes.expect("base64")).expect("UTF-8");
    text.replace("\r\n ", "")
}

fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|there| there == *line), "{line} in {text}");
    }
}

#[tokio::test]
async fn who_is_asked_to_a_meeting_gets_it_by_mail_and_hears_of_every_change() {
    for house in [House::new(), House::on_postgres()] {
        let (house, mail) = with_mail(house);
        let (house, anna) = house.with_anna().await;
        let bernd = house.member("bernd").await;
        set_mail(&anna, "anna@example.org").await;
        set_mail(&bernd, "bernd@example.org").await;
        assert_eq!(anna.me().await["mail"], true);
        let body = with(
            plan("Probe, Teil 1"),
            json!({"people": [id_of(&bernd).await], "guests": true,
                "mails": ["Carla@fremd.example", "carla@FREMD.example", "anna@example.org"]}),
        );
        let answer = anna.post("/api/v1/meetings", body.clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let made = answer.json();
        assert_eq!(
            (&made["mailed"], &made["not_mailed"]),
            (&json!(2), &json!(0))
        );
        assert_eq!(made["people"].as_array().map(Vec::len), Some(2));
        assert_eq!(
            (&made["access"], &made["sequence"]),
            (&json!("guests"), &json!(0))
        );
        let (id, link) = (text(&made["meeting"]["id"]), text(&made["link"]));
        let room = text(&made["meeting"]["room"]);
        assert!(room.starts_with("public/Probe, Teil 1 "), "{room}");
        assert!(link.starts_with(&format!("{}/r/public/Probe%2C%20Teil%201%20", house.base)));
        assert_eq!(
            house.person().door(room).await.status,
            200,
            "guests come in"
        );

        let mut letters = [mail.next(), mail.next()];
        letters.sort_by(|a, b| a.to.cmp(&b.to));
        let [carlas, bernds] = &letters;
        assert_eq!(
            (carlas.to.as_str(), bernds.to.as_str()),
            ("Carla@fremd.example", "bernd@example.org")
        );
        has(
            &carlas.text,
            &[
                "From: Haus <haus@example.org>",
                "Reply-To: anna@example.org",
                "Subject: Einladung: Probe, Teil 1",
            ],
        );
        assert!(
            carlas.text.contains("filename=\"meeting.ics\""),
            "{carlas:?}"
        );
        let event = calendar(carlas, "REQUEST");
        let uid = format!("UID:{id}");
        has(
            &event,
            &[
                "METHOD:REQUEST",
                "SEQUENCE:0",
                &uid,
                "SUMMARY:Probe\\, Teil 1",
                &format!("URL:{link}"),
                "ORGANIZER;CN=\"Anna Ö.\":mailto:haus@example.org",
            ],
        );
        assert!(
            event.contains("mailto:Carla@fremd.example") && !event.contains("bernd"),
            "{event}"
        );
        assert!(calendar(bernds, "REQUEST").contains("mailto:bernd@example.org"));

        // Bernd has it on his page, and may not touch it.
        let list = bernd.get("/api/v1/meetings").await.json();
        assert_eq!(
            (&list["meetings"][0]["id"], &list["meetings"][0]["own"]),
            (&json!(id), &json!(false))
        );
        let path = format!("/api/v1/meetings/{id}");
        let seen = bernd.get(&path).await.json();
        assert_eq!(seen["people"], json!([]), "whom else she asked is hers");
        bernd
            .patch(&path, json!({"title": "Party"}))
            .await
            .is(403, "forbidden");
        delete(&bernd, id).await.is(403, "forbidden");

        // Later, for somebody else as well, and without Carla.
        let starts = body["starts_at"].as_u64().expect("a time") + DAY;
        let change = json!({"starts_at": starts, "ends_at": starts + MINUTE, "mails": ["dora@fremd.example"]});
        let changed = anna.patch(&path, change.clone()).await.json();
        assert_eq!(
            (&changed["sequence"], &changed["mailed"]),
            (&json!(1), &json!(3)),
            "{changed}"
        );
        let mut letters = [mail.next(), mail.next(), mail.next()];
        letters.sort_by(|a, b| a.to.cmp(&b.to));
        let [carlas, bernds, doras] = &letters;
        has(
            &calendar(carlas, "CANCEL"),
            &["METHOD:CANCEL", "SEQUENCE:1", &uid, "STATUS:CANCELLED"],
        );
        has(
            &calendar(bernds, "REQUEST"),
            &["METHOD:REQUEST", "SEQUENCE:1", &uid],
        );
        assert!(
            bernds.text.contains("Subject: =?utf-8?"),
            "umlauts: {bernds:?}"
        );
        has(&doras.text, &["Subject: Einladung: Probe, Teil 1"]);
        let again = anna.patch(&path, change).await.json();
        assert_eq!(
            (&again["sequence"], &again["mailed"]),
            (&json!(1), &json!(0)),
            "the same once more"
        );

        let file = anna.get(&format!("{path}/calendar.ics")).await;
        assert_eq!(file.header("content-type"), "text/calendar; charset=utf-8");
        assert_eq!(
            file.header("content-disposition"),
            "attachment; filename=\"meeting.ics\""
        );
        let file = file.text.replace("\r\n ", "");
        assert!(
            file.contains("mailto:bernd@example.org") && file.contains("mailto:dora@fremd.example")
        );
        let file = bernd
            .get(&format!("{path}/calendar.ics"))
            .await
            .text
            .replace("\r\n ", "");
        assert!(
            file.contains("mailto:bernd@example.org") && !file.contains("dora"),
            "{file}"
        );

        let gone = delete(&anna, id).await.json();
        assert_eq!(
            (&gone["cancelled"], &gone["sequence"], &gone["mailed"]),
            (&json!(true), &json!(2), &json!(2))
        );
        for letter in [mail.next(), mail.next()] {
            has(&calendar(&letter, "CANCEL"), &["SEQUENCE:2", &uid]);
        }
        delete(&anna, id).await.is(403, "forbidden");
        assert_eq!(
            bernd.get("/api/v1/meetings").await.json()["meetings"],
            json!([])
        );
        let file = anna.get(&format!("{path}/calendar.ics")).await.text;
        has(&file, &["METHOD:CANCEL", "STATUS:CANCELLED"]);
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_not_planned() {
    let (house, anna) = House::new().with_anna().await;
    let bernd = house.member("bernd").await;
    let bernds_id = id_of(&bernd).await;
    let guest = house.person();
    guest
        .post("/api/v1/meetings", plan("x"))
        .await
        .is(401, "sign_in_required");
    let starts = now() + DAY;
    let many: Vec<String> = (0..101).map(|n| format!("a{n}@example.org")).collect();
    for (what, changes, status, code) in [
        ("no title", json!({"title": " "}), 400, "name_invalid"),
        (
            "a title with controls",
            json!({"title": "a\u{202e}b"}),
            400,
            "name_invalid",
        ),
        (
            "yesterday",
            json!({"starts_at": now() - DAY}),
            400,
            "time_invalid",
        ),
        (
            "backwards",
            json!({"starts_at": starts, "ends_at": starts - 1}),
            400,
            "time_invalid",
        ),
        (
            "two days",
            json!({"starts_at": starts, "ends_at": starts + 2 * DAY}),
            400,
            "time_invalid",
        ),
        (
            "in three years",
            json!({"starts_at": starts + 1095 * DAY, "ends_at": starts + 1095 * DAY + MINUTE}),
            400,
            "time_invalid",
        ),
        ("before 1970", json!({"starts_at": -1}), 400, "malformed"),
        (
            "no time zone",
            json!({"time_zone": "Mars/Olympus"}),
            400,
            "time_invalid",
        ),
        (
            "lines in it",
            json!({"time_zone": "Europe/Berlin\r\nX: y"}),
            400,
            "time_invalid",
        ),
        ("no room", json!({"room": ""}), 400, "name_invalid"),
        (
            "no address",
            json!({"mails": ["carla"]}),
            400,
            "mail_invalid",
        ),
        (
            "two addresses",
            json!({"mails": ["a@example.org, b@example.org"]}),
            400,
            "mail_invalid",
        ),
        (
            "a header",
            json!({"mails": ["a@example.org\r\nBcc: b@example.org"]}),
            400,
            "mail_invalid",
        ),
        (
            "a stranger",
            json!({"people": ["nobody"]}),
            404,
            "not_found",
        ),
        ("a crowd", json!({"mails": many}), 409, "too_many"),
        ("no language", json!({"language": "fr"}), 400, "malformed"),
    ] {
        let answer = anna
            .post("/api/v1/meetings", with(plan("Probe"), changes))
            .await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["code"]),
            (status, &json!(code)),
            "{what}"
        );
    }
    assert_eq!(
        anna.get("/api/v1/meetings").await.json()["meetings"],
        json!([])
    );

    // Without mail it is planned all the same, and the file is there to be sent by hand.
    let body = with(
        plan("Probe"),
        json!({"room": "Küche", "people": [bernds_id], "mails": ["carla@fremd.example"]}),
    );
    let made = anna.post("/api/v1/meetings", body).await.json();
    assert_eq!(
        (&made["mailed"], &made["not_mailed"]),
        (&json!(0), &json!(2))
    );
    assert_eq!(
        (&made["access"], &made["meeting"]["room"]),
        (&json!("accounts"), &json!("Küche"))
    );
    let id = text(&made["meeting"]["id"]);
    let file = format!("/api/v1/meetings/{id}/calendar.ics");
    has(
        &anna.get(&file).await.text,
        &["ORGANIZER;CN=\"Anna Ö.\":mailto:no-reply@localhost"],
    );
    let carla = house.member("carla").await;
    for path in [
        file.as_str(),
        &format!("/api/v1/meetings/{id}"),
        "/api/v1/meetings/x",
    ] {
        carla.get(path).await.is(404, "not_found");
        guest.get(path).await.is(401, "sign_in_required");
    }
    delete(&carla, id).await.is(404, "not_found");
    carla
        .patch(&format!("/api/v1/meetings/{id}"), json!({}))
        .await
        .is(404, "not_found");
    let invite = json!({"room": "Küche", "mails": ["a@example.org"], "language": "de"});
    anna.post("/api/v1/invitations", invite)
        .await
        .is(403, "forbidden");
}

#[tokio::test]
async fn people_are_invited_into_a_room_by_mail_with_the_link_that_was_chosen() {
    let (house, mail) = with_mail(House::new());
    let (house, anna) = house.with_anna().await;
    anna.post("/api/v1/rooms", json!({"name": "Küche"})).await;
    let invite = |changes: Value| {
        let body = json!({"room": "Küche", "mails": ["carla@fremd.example"], "language": "en"});
        anna.post("/api/v1/invitations", with(body, changes))
    };
    assert_eq!(
        invite(json!({})).await.json(),
        json!({"mailed": 1, "not_mailed": 0})
    );
    let letter = mail.next();
    let link = format!("{}/r/K%C3%BCche", house.base);
    assert!(letter.text.contains(&link), "{letter:?}");
    assert!(letter.text.contains("You need an account"), "{letter:?}");

    let body = json!({"room": "Küche", "life_ms": DAY});
    let made = anna.post("/api/v1/rooms/invites", body).await.json();
    let token = text(&made["token"]);
    assert_eq!(invite(json!({"invite": token})).await.status, 200);
    let letter = mail.next();
    assert_eq!(letter.token("join"), token);
    assert!(letter.text.contains("You need no account"), "{letter:?}");

    anna.post("/api/v1/rooms", json!({"name": "Bad"})).await;
    for (what, changes, status, code) in [
        (
            "an invite to another room",
            json!({"room": "Bad", "invite": token}),
            410,
            "link_invalid",
        ),
        ("no invite", json!({"invite": "x"}), 410, "link_invalid"),
        ("no room", json!({"room": "Keller"}), 404, "not_found"),
        ("no address", json!({"mails": ["x"]}), 400, "mail_invalid"),
    ] {
        let answer = invite(changes).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["code"]),
            (status, &json!(code)),
            "{what}"
        );
    }
    assert!(mail.is_silent(Duration::from_millis(300)));

    // Nobody is written to without end, and nobody writes without end.
    let mut mailed = 0;
    for _ in 0..20 {
        mailed += invite(json!({})).await.json()["mailed"]
            .as_u64()
            .expect("a number");
    }
    assert_eq!(mailed, 18, "two went out before");
    let crowd = |from: u32| {
        let mails: Vec<String> = (from..from + 100)
            .map(|n| format!("a{n}@fremd.example"))
            .collect();
        invite(json!({"mails": mails}))
    };
    for from in [0, 100] {
        assert_eq!(crowd(from).await.json()["mailed"], 100);
    }
    crowd(200).await.is(429, "rate_limited");
    assert_eq!(
        invite(json!({"mails": ["z@fremd.example"]})).await.json()["mailed"],
        1
    );
}

#[tokio::test]
async fn a_room_that_is_deleted_takes_its_meetings_along_and_everybody_hears_of_it() {
    let (house, mail) = with_mail(House::new());
    let (house, anna) = house.with_anna().await;
    let bernd = house.member("bernd").await;
    anna.post("/api/v1/rooms", json!({"name": "Küche"})).await;
    let body = with(
        plan("Kochen"),
        json!({"room": "Küche", "mails": ["dora@fremd.example"]}),
    );
    let planned = bernd.post("/api/v1/meetings", body).await.json();
    assert_eq!(planned["mailed"], 1, "{planned}");
    mail.next();
    let path = "/api/v1/rooms?room=K%C3%BCche";
    let deleted = answer(anna.request(Method::DELETE, path).json(&json!({}))).await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    let letter = mail.next();
    has(&calendar(&letter, "CANCEL"), &["STATUS:CANCELLED"]);
    let left = bernd.get("/api/v1/meetings").await.json();
    assert_eq!(left["meetings"], json!([]));
}

#[tokio::test]
async fn a_meeting_follows_its_room_and_goes_with_who_planned_it() {
    let (house, mail) = with_mail(House::new());
    let (house, anna) = house.with_anna().await;
    let bernd = house.member("bernd").await;
    let annas_id = id_of(&anna).await;
    let body = with(
        plan("Probe"),
        json!({"room": "Küche", "people": [&annas_id], "mails": ["carla@fremd.example"]}),
    );
    let made = bernd.post("/api/v1/meetings", body).await.json();
    has(&calendar(&mail.next(), "REQUEST"), &["SEQUENCE:0"]);
    let change = json!({"name": "Küche", "new_name": "Stube"});
    assert_eq!(bernd.patch("/api/v1/rooms", change).await.status, 200);
    let url = format!("URL:{}/r/Stube", house.base);
    has(&calendar(&mail.next(), "REQUEST"), &["SEQUENCE:1", &url]);
    let list = anna.get("/api/v1/meetings").await.json();
    assert_eq!(list["meetings"][0]["room"], "Stube");

    let body = with(
        plan("Sitzung"),
        json!({"room": "Bad", "people": [annas_id], "mails": ["carla@fremd.example"]}),
    );
    assert_eq!(bernd.post("/api/v1/meetings", body).await.status, 200);
    has(&calendar(&mail.next(), "REQUEST"), &["SUMMARY:Sitzung"]);
    let room = bernd.request(Method::DELETE, "/api/v1/rooms?room=Bad");
    assert_eq!(answer(room.json(&json!({}))).await.status, 204);
    has(
        &calendar(&mail.next(), "CANCEL"),
        &["SUMMARY:Sitzung", "SEQUENCE:1"],
    );

    let people = format!("/api/v1/admin/people/{}", id_of(&bernd).await);
    let gone = answer(anna.request(Method::DELETE, &people).json(&json!({}))).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    let uid = format!("UID:{}", text(&made["meeting"]["id"]));
    has(&calendar(&mail.next(), "CANCEL"), &["SEQUENCE:2", &uid]);
    assert_eq!(
        anna.get("/api/v1/meetings").await.json()["meetings"],
        json!([])
    );
}
