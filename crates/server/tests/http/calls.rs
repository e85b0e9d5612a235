//! People one may call, favourites, and what was.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, House, Person, answer, behind_its_back};

async fn id_of(person: &Person) -> String {
    let me = person.me().await;
    me["user"]["id"].as_str().expect("an id").to_owned()
}

async fn act(person: &Person, method: Method, path: &str) -> Answer {
    answer(person.request(method, path).json(&json!({}))).await
}

fn names(people: &Value) -> Vec<&str> {
    let people = people.as_array().expect("people").iter();
    people
        .map(|person| person["username"].as_str().expect("a username"))
        .collect()
}

/// Annas, ids `h0` to `h<n - 1>`, the first the oldest.
async fn past(house: &House, n: u32) {
    let lines = format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {n} - 1) \
         INSERT INTO history (id, user_id, kind, person_id, video, started, duration, seen) \
         SELECT 'h' || n.i, a.id, 'outgoing', b.id, FALSE, 1000 + n.i, 5, TRUE FROM n, users a, users b \
         WHERE a.username = 'anna' AND b.username = CASE WHEN n.i % 2 = 0 THEN 'bert' ELSE 'carl' END"
    );
    behind_its_back(house, lines.leak()).await;
}

#[tokio::test]
async fn favourites_are_ones_own_and_marked_wherever_people_are_listed() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let bert = house.member("bert").await;
        let carl = house.member("carl").await;
        for (who, method) in [
            (&carl, Method::PUT),
            (&bert, Method::PUT),
            (&bert, Method::PUT),
        ] {
            let path = format!("/api/v1/people/{}/favourite", id_of(who).await);
            assert_eq!(
                act(&anna, method, &path).await.status,
                StatusCode::NO_CONTENT
            );
        }
        let near = anna.get("/api/v1/people/near").await.json();
        assert_eq!(names(&near["favourites"]), ["bert", "carl"]);
        assert_eq!(near["recent"], json!([]));
        let path = format!("/api/v1/people/{}", id_of(&carl).await);
        assert_eq!(anna.get(&path).await.json()["favourite"], true);
        assert_eq!(bert.get(&path).await.json()["favourite"], false);
        let found = anna.get("/api/v1/people?q=").await.json();
        let marks = found["people"].as_array().expect("people").iter();
        let marks: Vec<_> = marks
            .map(|person| (person["username"].clone(), person["favourite"].clone()))
            .collect();
        assert!(marks.contains(&(json!("bert"), json!(true))), "{marks:?}");
        assert!(marks.contains(&(json!("anna"), json!(false))), "{marks:?}");
        let no_more = format!("{path}/favourite");
        for _ in 0..2 {
            let removed = act(&anna, Method::DELETE, &no_more).await;
            assert_eq!(removed.status, StatusCode::NO_CONTENT);
        }
        let near = anna.get("/api/v1/people/near").await.json();
        assert_eq!(names(&near["favourites"]), ["bert"]);
        for path in [&*path, "/api/v1/people/near"] {
            house.person().get(path).await.is(401, "sign_in_required");
        }
    }
}

#[tokio::test]
async fn history_comes_in_pages_and_goes_as_its_owner_wants() {
    let (house, anna) = House::new().with_anna().await;
    let bert = house.member("bert").await;
    house.member("carl").await;
    past(&house, 60).await;
    let near = anna.get("/api/v1/people/near").await.json();
    assert_eq!(names(&near["recent"]), ["carl", "bert"]);
    let page = anna.get("/api/v1/history").await.json();
    let ids = |page: &Value| -> Vec<String> {
        let entries = page["entries"].as_array().expect("entries").iter();
        entries
            .map(|entry| entry["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    let newest = ids(&page);
    assert_eq!(
        (newest.len(), &*newest[0], &*newest[49]),
        (50, "h59", "h10")
    );
    assert_eq!(page["more"], true);
    assert_eq!(page["entries"][0]["person"]["name"], "carl");
    let rest = anna.get("/api/v1/history?before=1010").await.json();
    assert_eq!((ids(&rest).len(), &rest["more"]), (10, &json!(false)));
    for path in [
        "/api/v1/history?before=yesterday",
        "/api/v1/history?before=-1",
    ] {
        anna.get(path).await.is(400, "malformed");
    }
    for (who, path) in [
        (&bert, "/api/v1/history/h59"),
        (&bert, "/api/v1/history"),
        (&anna, "/api/v1/history/h58"),
    ] {
        let removed = act(who, Method::DELETE, path).await;
        assert_eq!(removed.status, StatusCode::NO_CONTENT, "{path}");
    }
    let left = ids(&anna.get("/api/v1/history").await.json());
    assert_eq!((&*left[0], &*left[1]), ("h59", "h57"), "nobody else's hand");
    act(&anna, Method::DELETE, "/api/v1/history").await;
    let empty = anna.get("/api/v1/history").await.json();
    assert_eq!(empty, json!({"entries": [], "more": false}));
    house
        .person()
        .get("/api/v1/history")
        .await
        .is(401, "sign_in_required");
}

#[tokio::test]
async fn what_is_older_than_the_house_keeps_it_is_forgotten() {
    let (mut house, anna) = House::new().with_anna().await;
    house.member("bert").await;
    house.member("carl").await;
    past(&house, 4).await;
    behind_its_back(
        &house,
        "UPDATE history SET started = CAST(strftime('%s', 'now') AS INTEGER) * 1000 - 29 * 86400000 WHERE id = 'h3'",
    )
    .await;
    let change = json!({"history_days": 30});
    let changed = anna.patch("/api/v1/admin/settings", change).await;
    assert_eq!(changed.json()["history_days"], 30, "{changed:?}");
    // The sweep runs at every start.
    assert!(house.stop().success());
    house.start();
    let anna = anna.at(&house.base);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let history = anna.get("/api/v1/history").await.json();
        let entries = history["entries"].as_array().expect("entries");
        if entries.len() == 1 {
            assert_eq!(entries[0]["id"], "h3");
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{history}");
    }
}

#[tokio::test]
async fn an_id_that_a_database_does_not_take_is_nobodys() {
    for house in [House::new(), House::on_postgres()] {
        let (_house, anna) = house.with_anna().await;
        for path in [
            "/api/v1/people/%00",
            "/api/v1/people/%00/picture",
            "/api/v1/meetings/%00",
        ] {
            let answer = anna.get(path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {answer:?}");
        }
        for path in [
            "/api/v1/people?q=a%00",
            "/api/v1/admin/connections?text=a%00",
        ] {
            anna.get(path).await.is(400, "malformed");
        }
    }
}
