//! Links to accounts from both ends: administrators who make them, people who use them, and the mail in between.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::mail::{MailServer, Security};
use crate::support::{Answer, House, PASSWORD, Person, answer, with_input};

const NEW_PASSWORD: &str = "blaue tür am mittag";
const DAY: u64 = 24 * 60 * 60 * 1000;

/// A house that sends mail, and the server it sends it to.
fn with_mail(mut house: House) -> (House, MailServer) {
    let server = MailServer::start();
    house.set("MAIL__SERVER", &format!("smtp://127.0.0.1:{}", server.port));
    house.set("MAIL__FROM", "Stube <stube@example.org>");
    (house, server)
}

fn token(link: &Value, page: &str) -> String {
    let url = link["url"].as_str().expect("an address");
    let token = url.split_once(&format!("/{page}#"));
    token.expect("the page").1.to_owned()
}

async fn invite(anna: &Person, body: Value) -> String {
    let link = anna.post("/api/v1/admin/invites", body).await;
    assert_eq!(link.status, 200, "{link:?}");
    token(&link.json(), "invite")
}

async fn open(person: &Person, token: &str) -> Answer {
    person
        .post("/api/v1/links/open", json!({"token": token}))
        .await
}

async fn accept(person: &Person, token: &str, username: &str) -> Answer {
    let body =
        json!({"token": token, "username": username, "name": "Bernd", "password": NEW_PASSWORD});
    person.post("/api/v1/links/accept", body).await
}

async fn recover(person: &Person, token: &str) -> Answer {
    let body = json!({"token": token, "password": NEW_PASSWORD});
    person.post("/api/v1/links/accept", body).await
}

async fn ask(person: &Person, who: &str) -> Answer {
    person.post("/api/v1/recovery", json!({"who": who})).await
}

async fn delete(person: &Person, path: &str) -> Answer {
    answer(person.request(Method::DELETE, path)).await
}

#[tokio::test]
async fn an_invited_person_makes_their_account_and_is_signed_in() {
    for house in [House::new(), House::on_postgres()] {
        let (house, mail) = with_mail(house);
        let (house, anna) = house.with_anna().await;
        let group = anna
            .post("/api/v1/admin/groups", json!({"name": "Chor"}))
            .await;
        assert_eq!(group.status, 200, "{group:?}");
        let body = json!({"name": "Bernd B.", "username": "bernd", "mail": "bernd@example.org",
            "admin": true, "groups": ["chor"], "life_ms": DAY, "uses": 1, "send_mail": true});
        let link = anna.post("/api/v1/admin/invites", body).await.json();
        assert_eq!(link["mailed"], true);
        let letter = mail.next();
        let secret = token(&link, "invite");
        assert_eq!(
            (letter.to.as_str(), letter.token("invite")),
            ("bernd@example.org", secret.clone())
        );

        let bernd = house.person();
        let opened = open(&bernd, &secret).await.json();
        assert_eq!(
            opened,
            json!({"kind": "invite", "name": "Bernd B.", "username": "bernd"})
        );
        let list = anna.get("/api/v1/admin/invites").await;
        assert!(!list.text.contains(&secret), "{list:?}");
        assert_eq!(list.json()["invites"][0]["by"], "Anna Ö.");
        accept(&bernd, &secret, "ANNA").await.is(409, "name_taken");
        accept(&bernd, &secret, "b b").await.is(400, "name_invalid");
        let body = json!({"token": secret, "password": "12345678"});
        let short = bernd.post("/api/v1/links/accept", body).await;
        short.is(400, "password_invalid");
        let done = accept(&bernd, &secret, "bernhard").await;
        assert_eq!(
            (done.status.as_u16(), &done.json()["step"]),
            (200, &json!("done"))
        );
        let me = bernd.me().await;
        assert_eq!(
            (&me["user"]["username"], &me["user"]["admin"]),
            (&json!("bernhard"), &json!(true))
        );
        let all = bernd.get("/api/v1/account/export").await.json();
        assert_eq!(
            (&all["account"]["mail"], &all["groups"][0]["name"]),
            (&json!("bernd@example.org"), &json!("Chor"))
        );
        open(&house.person(), &secret).await.is(410, "link_invalid");
        accept(&house.person(), &secret, "carla")
            .await
            .is(410, "link_invalid");
        let list = anna.get("/api/v1/admin/invites").await.json();
        assert_eq!(list, json!({"invites": []}));
    }
}

#[tokio::test]
async fn a_class_takes_one_link_and_nobody_more_however_they_hurry() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let secret = invite(&anna, json!({"life_ms": DAY, "uses": 3})).await;
        let mut class = JoinSet::new();
        for n in 0..6 {
            let (pupil, secret) = (house.person(), secret.clone());
            class.spawn(async move { accept(&pupil, &secret, &format!("pupil{n}")).await });
        }
        let answers = class.join_all().await;
        let made = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(made, 3, "{answers:?}");
        for late in answers.iter().filter(|answer| answer.status != 200) {
            late.is(410, "link_invalid");
        }
    }
}

#[tokio::test]
async fn invites_that_make_no_sense_are_not_made_and_those_taken_back_are_worth_nothing() {
    let (house, anna) = House::new().with_anna().await;
    let check = async |what: &str, body: Value, status: u16, code: &str| {
        let made = anna.post("/api/v1/admin/invites", body).await;
        if status == 200 {
            assert_eq!(made.status, 200, "{what}: {made:?}");
        } else {
            made.is(status, code);
        }
    };
    check("usual", json!({"life_ms": DAY, "uses": 30}), 200, "").await;
    check(
        "for nobody",
        json!({"life_ms": DAY, "uses": 0}),
        400,
        "malformed",
    )
    .await;
    check(
        "for ever",
        json!({"life_ms": 91 * DAY, "uses": 1}),
        400,
        "malformed",
    )
    .await;
    check(
        "for a moment",
        json!({"life_ms": 1000, "uses": 1}),
        400,
        "malformed",
    )
    .await;
    let admins = json!({"life_ms": DAY, "uses": 2, "admin": true});
    check("administrators by the dozen", admins, 400, "malformed").await;
    let group = json!({"life_ms": DAY, "uses": 1, "groups": ["nobody"]});
    check("a group that is not there", group, 404, "not_found").await;
    let mail = json!({"life_ms": DAY, "uses": 1, "mail": "nonsense"});
    check("no address", mail, 400, "mail_invalid").await;

    let list = anna.get("/api/v1/admin/invites").await.json();
    let id = list["invites"][0]["id"].as_str().expect("an id").to_owned();
    let secret = invite(&anna, json!({"life_ms": DAY, "uses": 1})).await;
    let list = anna.get("/api/v1/admin/invites").await.json();
    let invites = list["invites"].as_array().expect("a list");
    let newest = invites.iter().find(|invite| invite["id"] != id.as_str());
    let newest = newest.expect("the new one")["id"].as_str().expect("an id");
    assert_eq!(open(&house.person(), &secret).await.status, 200);
    let path = format!("/api/v1/admin/invites/{newest}");
    assert_eq!(delete(&anna, &path).await.status, 204);
    delete(&anna, &path).await.is(404, "not_found");
    open(&house.person(), &secret).await.is(410, "link_invalid");
    for nonsense in ["", "x", &"A".repeat(43)] {
        open(&house.person(), nonsense)
            .await
            .is(410, "link_invalid");
        recover(&house.person(), nonsense)
            .await
            .is(410, "link_invalid");
    }
}

#[tokio::test]
async fn a_recovered_account_has_its_new_password_and_no_old_session() {
    for house in [House::new(), House::on_postgres()] {
        let (house, anna) = house.with_anna().await;
        let bernd = house.member("bernd").await;
        let id = bernd.me().await["user"]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let mut socket = bernd.socket().await;
        let path = format!("/api/v1/admin/people/{id}/recovery");
        let link = anna.post(&path, json!({})).await.json();
        assert_eq!(link["mailed"], false);
        let secret = token(&link, "recover");
        let somewhere = house.person();
        let opened = open(&somewhere, &secret).await.json();
        assert_eq!(
            opened,
            json!({"kind": "recovery", "name": "bernd", "username": "bernd"})
        );
        let done = recover(&somewhere, &secret).await;
        assert_eq!(done.json()["user"]["username"], "bernd", "{done:?}");
        socket.until_closed().await;
        assert_eq!(bernd.me().await["user"], Value::Null);
        assert_eq!(somewhere.me().await["user"]["username"], "bernd");
        let person = house.person();
        person
            .sign_in("bernd", PASSWORD)
            .await
            .is(401, "wrong_credentials");
        assert_eq!(person.sign_in("bernd", NEW_PASSWORD).await.status, 200);
        recover(&house.person(), &secret)
            .await
            .is(410, "link_invalid");

        // A link that is still somewhere is worth nothing after another password or a lock.
        let link = async || {
            let link = anna.post(&path, json!({})).await.json();
            token(&link, "recover")
        };
        let before = link().await;
        let mut passwd = house.command(&["user", "passwd", "bernd", "--password-stdin"]);
        assert!(with_input(&mut passwd, PASSWORD).status.success());
        recover(&house.person(), &before)
            .await
            .is(410, "link_invalid");
        let before = link().await;
        assert!(house.run(&["user", "lock", "bernd"]).status.success());
        let locked = link().await;
        recover(&house.person(), &locked)
            .await
            .is(410, "link_invalid");
        assert!(house.run(&["user", "unlock", "bernd"]).status.success());
        recover(&house.person(), &before)
            .await
            .is(410, "link_invalid");
        assert_eq!(recover(&house.person(), &locked).await.status, 200);
        let nobody = "/api/v1/admin/people/nobody/recovery";
        anna.post(nobody, json!({})).await.is(404, "not_found");
    }
}

#[tokio::test]
async fn whoever_asks_for_a_new_password_learns_nothing_and_its_person_gets_a_letter() {
    let (house, mail) = with_mail(House::new());
    let (house, anna) = house.with_anna().await;
    assert_eq!(house.person().me().await["recovery_mail"], true);
    let secret = invite(
        &anna,
        json!({"mail": "bernd@example.org", "life_ms": DAY, "uses": 1}),
    )
    .await;
    let bernd = house.person();
    assert_eq!(accept(&bernd, &secret, "bernd").await.status, 200);

    let stranger = house.person();
    for who in ["nobody", "nobody@example.org", "", "anna"] {
        let asked = ask(&stranger, who).await;
        assert_eq!(
            (asked.status.as_u16(), asked.text.as_str()),
            (202, ""),
            "{who}"
        );
    }
    let asked = ask(&stranger, "BERND@example.org").await;
    assert_eq!((asked.status.as_u16(), asked.text.as_str()), (202, ""));
    let letter = mail.next();
    assert_eq!(letter.to, "bernd@example.org", "the first letter there is");
    assert_eq!(
        bernd.me().await["user"]["username"],
        "bernd",
        "nothing changed yet"
    );
    let done = recover(&stranger, &letter.token("recover")).await;
    assert_eq!(done.json()["user"]["username"], "bernd", "{done:?}");
    assert_eq!(bernd.me().await["user"], Value::Null);

    // Five questions from one address, and then one a minute, whoever is asked for.
    let busy = ask(&stranger, "nobody").await;
    busy.is(429, "rate_limited");
    assert!(busy.header("retry-after").parse::<u64>().is_ok());
}

#[tokio::test]
async fn nobody_gets_letter_after_letter() {
    let (mut house, mail) = with_mail(House::new());
    house.set("TRUSTED_PROXIES", "127.0.0.1");
    let (house, anna) = house.with_anna().await;
    let secret = invite(
        &anna,
        json!({"mail": "bernd@example.org", "life_ms": DAY, "uses": 1}),
    )
    .await;
    assert_eq!(accept(&house.person(), &secret, "bernd").await.status, 200);
    for n in 0..6 {
        let request = house
            .person()
            .request(Method::POST, "/api/v1/recovery")
            .header("x-forwarded-for", format!("192.0.2.{n}"))
            .json(&json!({"who": "bernd"}));
        assert_eq!(answer(request).await.status, 202);
        if n < 3 {
            mail.next();
        }
    }
    assert!(mail.is_silent(Duration::from_secs(1)), "three are enough");
}

#[tokio::test]
async fn without_mail_nobody_is_told_to_ask_for_some() {
    let (house, _) = House::new().with_anna().await;
    assert_eq!(house.person().me().await["recovery_mail"], false);
    ask(&house.person(), "anna").await.is(404, "not_found");
    let (mut house, _mail) = with_mail(House::new());
    house.set("POLICY__LOCAL_SIGN_IN", "false");
    house.start();
    assert_eq!(house.person().me().await["recovery_mail"], false);
    ask(&house.person(), "anna").await.is(404, "not_found");
}

#[tokio::test]
async fn an_administrator_tries_whether_mail_works() {
    let (house, mail) = with_mail(House::new());
    let (house, anna) = house.with_anna().await;
    let test = async |person: &Person| person.post("/api/v1/admin/mail/test", json!({})).await;
    test(&anna).await.is(400, "mail_invalid");
    let secret = invite(
        &anna,
        json!({"mail": "berta@example.org", "admin": true, "life_ms": DAY, "uses": 1}),
    )
    .await;
    let berta = house.person();
    assert_eq!(accept(&berta, &secret, "berta").await.status, 200);
    assert_eq!(test(&berta).await.status, 204);
    assert_eq!(mail.next().to, "berta@example.org");
}

#[tokio::test]
async fn links_are_printed_by_commands_and_sent_by_mail() {
    let (house, mail) = with_mail(House::new());
    let (house, _) = house.with_anna().await;
    let run = |arguments: &[&str]| {
        let output = house.run(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let printed = run(&[
        "user",
        "invite",
        "--mail",
        "bernd@example.org",
        "--name",
        "Bernd",
    ]);
    let letter = mail.next();
    assert_eq!(letter.to, "bernd@example.org");
    let secret = letter.token("invite");
    assert_eq!(printed.trim(), format!("{}/invite#{secret}", house.base));
    assert_eq!(accept(&house.person(), &secret, "bernd").await.status, 200);
    let printed = run(&["user", "recover", "bernd", "--mail"]);
    let secret = mail.next().token("recover");
    assert_eq!(printed.trim(), format!("{}/recover#{secret}", house.base));
    assert_eq!(recover(&house.person(), &secret).await.status, 200);
    let refused = house.run(&["user", "invite", "--uses", "2", "--admin"]);
    assert!(!refused.status.success());
    assert!(!house.run(&["user", "recover", "carla"]).status.success());
}

#[test]
fn mail_is_encrypted_on_its_way_to_other_computers_or_does_not_go_out() {
    let check = |what: &str, address: &str, security, believed: bool, expect: bool| {
        let mut house = House::new();
        let server = MailServer::with(security);
        house.set(
            "MAIL__SERVER",
            &address.replace("PORT", &server.port.to_string()),
        );
        house.set("MAIL__FROM", "stube@example.org");
        let mut command = house.command(&["user", "invite", "--mail", "bernd@example.org"]);
        if believed {
            let file = house.directory.0.join("authorities.pem");
            std::fs::write(&file, &server.certificate).expect("a file");
            command.env("SSL_CERT_FILE", file);
        }
        let output = command.output().expect("the command runs");
        assert_eq!(output.status.success(), expect, "{what}: {output:?}");
        if expect {
            server.next().token("invite");
        }
        assert!(server.is_silent(Duration::ZERO), "{what}");
    };
    use Security::{Plain, StartTls, Tls};
    // In capitals it is a name like any other, and not this computer's own.
    let (there, tls) = ("smtp://LOCALHOST:PORT", "smtps://localhost:PORT");
    check("STARTTLS", there, StartTls, true, true);
    check("STARTTLS with a stranger", there, StartTls, false, false);
    check("no STARTTLS", there, Plain, true, false);
    check("TLS", tls, Tls, true, true);
    check("TLS with a stranger", tls, Tls, false, false);
    check("this computer", "smtp://localhost:PORT", Plain, false, true);
}
