//! People from a CSV file.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, House, Person, answer};

async fn import(admin: &Person, csv: &str, dry: bool) -> Answer {
    let path = format!("/api/v1/admin/people/import?dry_run={dry}");
    let request = admin.request(Method::POST, &path);
    answer(
        request
            .header("content-type", "text/csv; charset=utf-8")
            .body(csv.to_owned()),
    )
    .await
}

fn report(created: u64, updated: u64, unchanged: u64) -> Value {
    json!({"created": created, "updated": updated, "unchanged": unchanged, "problems": []})
}

async fn found(admin: &Person, text: &str) -> Vec<(String, String, Option<String>)> {
    let people = admin.get(&format!("/api/v1/people?q={text}")).await.json();
    let people = people["people"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    people
        .map(|one| {
            let [username, name] =
                [&one["username"], &one["name"]].map(|it| text(it).expect("text"));
            (username, name, text(&one["mail"]))
        })
        .collect()
}

fn row(username: &str, name: &str, mail: &str) -> Vec<(String, String, Option<String>)> {
    let mail = Some(mail.to_owned()).filter(|mail| !mail.is_empty());
    vec![(username.to_owned(), name.to_owned(), mail)]
}

#[tokio::test]
async fn a_file_makes_and_corrects_and_takes_nothing_away() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let first = "username,name,mail,groups\ncarla,Carla Ölmann,carla@example.org,Chor;Küche\ndora,Dora,,\n";
        assert_eq!(import(&anna, first, true).await.json(), report(2, 0, 0));
        assert_eq!(found(&anna, "carla").await, [], "that was dry");
        assert_eq!(import(&anna, first, false).await.json(), report(2, 0, 0));
        assert_eq!(
            found(&anna, "olmann").await,
            row("carla", "Carla Ölmann", "carla@example.org")
        );
        assert_eq!(import(&anna, first, false).await.json(), report(0, 0, 2));

        let second = "\u{FEFF}name;username;groups\n;CARLA;\"Alt\"\nDora D.;dora;\nEmil;emil;\n";
        assert_eq!(import(&anna, second, false).await.json(), report(1, 2, 0));
        assert_eq!(
            found(&anna, "carla").await,
            row("carla", "Carla Ölmann", "carla@example.org")
        );
        assert_eq!(found(&anna, "dora").await, row("dora", "Dora D.", ""));
        let groups = anna.get("/api/v1/admin/groups").await.json();
        let groups = groups["groups"].as_array().expect("a list").iter();
        let groups: Vec<_> = groups
            .map(|group| (group["name"].clone(), group["people"].clone()))
            .collect();
        assert_eq!(
            groups,
            [
                (json!("Alt"), json!(1)),
                (json!("Chor"), json!(1)),
                (json!("Küche"), json!(1))
            ]
        );
        drop(house);
    }
}

#[tokio::test]
async fn a_file_with_mistakes_changes_nothing_and_says_where() {
    let (house, anna) = House::new().with_anna().await;
    let csv = "username,name,mail\ncarla,Carla,carla@example.org\nd ora,Dora,\nemil,Emil,nonsense\nCarla,Carla,\n";
    let answer = import(&anna, csv, false).await;
    assert_eq!(
        answer.json()["problems"],
        json!([
            {"line": 3, "column": "username", "code": "name_invalid"},
            {"line": 4, "column": "mail", "code": "mail_invalid"},
            {"line": 5, "column": "username", "code": "name_taken"},
        ]),
        "{answer:?}"
    );
    assert_eq!(found(&anna, "carla").await, []);

    let many: String = (0..10_001).map(|number| format!("p{number}\n")).collect();
    import(&anna, &format!("username\n{many}"), true)
        .await
        .is(413, "too_large");
    let long = format!("username,name\nx,{}\n", "x".repeat(4 << 20));
    import(&anna, &long, true).await.is(413, "too_large");
    let json = anna.post("/api/v1/admin/people/import", json!({})).await;
    json.is(400, "malformed");
    let bernd = house.member("bernd").await;
    import(&bernd, "username\nx\n", false)
        .await
        .is(403, "forbidden");
    import(&house.person(), "username\nx\n", false)
        .await
        .is(401, "sign_in_required");
}

#[tokio::test]
async fn the_command_line_imports_too() {
    let house = House::new();
    let file = house.directory.0.join("people.csv");
    let run = |text: &str, arguments: &[&str]| {
        std::fs::write(&file, text).expect("a file");
        let output = house.run(&[&["user", "import", "people.csv"], arguments].concat());
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    let (good, said) = run("username\ncarla\ndora\n", &["--dry-run"]);
    assert!(good && said.contains("2 would be new"), "{said}");
    let (good, said) = run("username,name\ncarla,Carla\n\"d ora\",D\n", &[]);
    assert!(
        !good && said.contains("line 3\tusername\tname_invalid"),
        "{said}"
    );
    let (good, said) = run("username,name\ncarla,Carla\n", &[]);
    assert!(
        good && said.contains("1 new, 0 changed, 0 as before"),
        "{said}"
    );
    let listed = String::from_utf8(house.run(&["user", "list"]).stdout).expect("text");
    assert_eq!(listed, "carla\tCarla\t\n");
}
