//! The command line and the settings.

use std::fs;
use std::net::TcpListener;
use std::process::Output;

use crate::support::{House, PASSWORD, with_input};

/// Ended with an error of one line that names all of these.
#[track_caller]
fn refused(output: &Output, naming: &[&str]) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{error}");
    assert_eq!(error.trim().lines().count(), 1, "one sentence: {error}");
    for name in naming {
        assert!(error.contains(name), "{error} names {name}");
    }
}

#[test]
fn wrong_settings_end_the_start_with_one_sentence() {
    let house = House::new();
    let file = house.directory.0.join("stube.toml");
    for (text, naming) in [
        (
            "lisen = \"127.0.0.1:1\"\n",
            &["stube.toml", "line 1", "lisen"][..],
        ),
        ("[house]\ncolour = 1\n", &["line 2", "colour"]),
        ("[database]\nurl = \"mysql://x\"\n", &["database.url"]),
        ("[tls]\ncertificate = \"a.pem\"\n", &["tls.key"]),
    ] {
        fs::write(&file, text).expect("a file");
        refused(&house.run(&["run"]), naming);
        refused(&house.run(&["config", "check"]), naming);
    }
    refused(
        &house.run(&["run", "--config", "missing.toml"]),
        &["missing.toml"],
    );
    fs::write(&file, "[tls]\ncertificate = \"a.pem\"\nkey = \"b.pem\"\n").expect("a file");
    refused(&house.run(&["run"]), &["tls.certificate", "a.pem"]);
    fs::write(
        &file,
        "[database]\nurl = \"postgres://stube@127.0.0.1:1/none\"\n",
    )
    .expect("a file");
    refused(&house.run(&["run"]), &["database.url"]);
}

#[test]
fn a_taken_port_ends_the_start_with_one_sentence() {
    let mut house = House::new();
    let holder = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = holder.local_addr().expect("an address");
    house.set("LISTEN", &address.to_string());
    refused(&house.run(&["run"]), &[&address.port().to_string()]);
}

#[test]
fn settings_are_checked_and_printed() {
    let mut house = House::new();
    house.set("HOUSE__NAME", "Käserei 🧀");
    house.set("DATABASE__URL", "postgres://stube:geheim@localhost/stube");
    assert!(house.run(&["config", "check"]).status.success());
    let printed = String::from_utf8(house.run(&["config", "print"]).stdout).expect("text");
    assert!(
        printed.contains("name = \"Käserei 🧀\"") && printed.contains("port = "),
        "{printed}"
    );
    assert!(!printed.contains("geheim"), "{printed}");
}

#[tokio::test]
async fn accounts_are_made_listed_and_given_new_passwords() {
    let mut house = House::new();
    let add = |house: &House, arguments: &[&str], password: &str| {
        let mut all = vec!["user", "add", "--password-stdin"];
        all.extend(arguments);
        with_input(&mut house.command(&all), password)
    };
    assert!(
        add(&house, &["änne", "--name", "Änne S.", "--admin"], PASSWORD)
            .status
            .success()
    );
    refused(&add(&house, &["ÄNNE"], PASSWORD), &["taken", "ÄNNE"]);
    refused(&add(&house, &["bernd"], "12345678"), &["password"]);
    refused(&add(&house, &["be rnd"], PASSWORD), &["username"]);
    assert!(add(&house, &["bernd"], PASSWORD).status.success());
    let listed = String::from_utf8(house.run(&["user", "list"]).stdout).expect("text");
    assert_eq!(listed, "bernd\tbernd\t\nänne\tÄnne S.\tadministrator\n");

    house.start();
    assert_eq!(house.setup_link, None, "there is an account");
    let anna = house.person();
    assert_eq!(
        anna.sign_in("änne", PASSWORD).await.json()["user"]["admin"],
        true
    );
    let passwd = |username: &str, password: &str| {
        with_input(
            &mut house.command(&["user", "passwd", username, "--password-stdin"]),
            password,
        )
    };
    assert!(passwd("änne", "neues pferd im stall").status.success());
    refused(&passwd("carla", PASSWORD), &["carla"]);
    assert_eq!(
        anna.me().await["user"],
        serde_json::Value::Null,
        "signed out everywhere"
    );
    anna.sign_in("änne", PASSWORD)
        .await
        .is(401, "wrong_credentials");
    assert_eq!(
        anna.sign_in("änne", "neues pferd im stall").await.status,
        200
    );
}

#[tokio::test]
async fn people_are_looked_after_by_commands_and_each_is_written_down() {
    for house in [House::new(), House::on_postgres()] {
        let (house, _) = house.with_anna().await;
        let bernd = house.member("bernd").await;
        let run = |arguments: &[&str]| {
            let output = house.run(arguments);
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).expect("text")
        };
        let listed = run(&["user", "sessions"]);
        assert_eq!(listed.lines().count(), 2, "{listed}");
        let listed = run(&["user", "sessions", "BERND"]);
        assert!(listed.contains("\tbernd\t"), "{listed}");
        run(&["user", "sessions", "bernd", "--end"]);
        assert_eq!(run(&["user", "sessions", "bernd"]), "");
        assert_eq!(bernd.me().await["user"], serde_json::Value::Null);

        run(&["user", "lock", "bernd"]);
        let locked = bernd.sign_in("bernd", PASSWORD).await;
        locked.is(401, "wrong_credentials");
        run(&["user", "unlock", "bernd"]);
        assert_eq!(bernd.sign_in("bernd", PASSWORD).await.status, 200);

        let all = run(&["user", "export", "bernd"]);
        let all: serde_json::Value = serde_json::from_str(&all).expect("JSON");
        assert_eq!(all["account"]["username"], "bernd");
        run(&["user", "delete", "bernd"]);
        refused(&house.run(&["user", "export", "bernd"]), &["bernd"]);
        refused(&house.run(&["user", "delete", "bernd"]), &["bernd"]);
        refused(
            &house.run(&["user", "delete", "anna"]),
            &["anna", "administrator"],
        );
        let of_whom = house.run(&["user", "sessions", "--end"]);
        assert!(!of_whom.status.success(), "{of_whom:?}");

        let written = run(&["audit"]);
        for action in [
            "person.created",
            "person.signed_out",
            "person.locked",
            "person.unlocked",
            "person.exported",
            "person.removed",
        ] {
            assert!(written.contains(action), "{action} in {written}");
        }
        assert!(!written.contains("bernd"), "nobody's name stays: {written}");
    }
}

#[test]
fn the_version_is_printed() {
    let output = House::new().run(&["--version"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        format!("stube {}", env!("CARGO_PKG_VERSION"))
    );
}
