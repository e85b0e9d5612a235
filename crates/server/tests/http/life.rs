//! Starting, stopping, crashing, and coming back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use crate::support::House;

#[tokio::test]
async fn a_crash_loses_nothing_that_was_acknowledged() {
    for house in [House::new(), House::on_postgres()] {
        let (mut house, anna) = house.with_anna().await;
        let acknowledged = Arc::new(AtomicU32::new(0));
        let writing = tokio::spawn({
            let (anna, acknowledged) = (anna.clone(), acknowledged.clone());
            async move {
                for n in 0.. {
                    let request = anna.request(reqwest::Method::POST, "/api/v1/rooms");
                    match request
                        .json(&json!({"name": format!("Zimmer {n}")}))
                        .send()
                        .await
                    {
                        Ok(answer) if answer.status() == 200 => {
                            acknowledged.store(n + 1, Ordering::SeqCst)
                        }
                        _ => break,
                    }
                }
            }
        });
        while acknowledged.load(Ordering::SeqCst) < 25 {
            assert!(!writing.is_finished(), "rooms are made");
            tokio::task::yield_now().await;
        }
        house.kill();
        writing.await.expect("the writer's end");
        let rooms = acknowledged.load(Ordering::SeqCst);

        house.start();
        let bernd = house.member("bernd").await;
        for n in 0..rooms {
            let door = bernd.door(&format!("Zimmer {n}")).await.json();
            assert_eq!(
                (&door["exists"], &door["owner"]),
                (&json!(true), &json!(false)),
                "room {n} of {rooms}"
            );
        }
        let again = house.person();
        assert_eq!(
            again.sign_in("anna", crate::support::PASSWORD).await.status,
            200
        );
        assert_eq!(again.door("Zimmer 0").await.json()["owner"], true);
    }
}

#[tokio::test]
async fn a_session_survives_a_restart() {
    let mut house = House::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("an address");
    house.set("LISTEN", &port.to_string());
    let (mut house, anna) = house.with_anna().await;
    assert!(house.stop().success());
    house.start();
    assert_eq!(anna.me().await["user"]["username"], "anna");
}

#[tokio::test]
async fn a_stop_is_orderly_and_soon() {
    let (mut house, anna) = House::new().with_anna().await;
    assert_eq!(anna.get("/healthz").await.text, "ok");
    assert_eq!(anna.get("/readyz").await.status, 200);
    let began = std::time::Instant::now();
    assert!(house.stop().success());
    assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
    // Nothing waits to be recovered: the log of the database was written back.
    let log = house.directory.0.join("data/stube.db-wal");
    assert!(!log.exists(), "the database was closed");
}

#[tokio::test]
async fn a_house_nearby_is_served_over_tls_with_a_certificate_that_stays() {
    let mut house = House::new();
    house.set("LISTEN", "127.0.0.1:0");
    house.serve_lan();
    let (mut house, anna) = house.with_anna().await;
    assert!(house.base.starts_with("https://"), "{}", house.base);
    let signed_in = anna.sign_in("anna", crate::support::PASSWORD).await;
    let cookie = signed_in.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-stube=") && cookie.contains("; Secure"),
        "{cookie}"
    );
    assert_eq!(anna.me().await["user"]["username"], "anna");
    assert_eq!(
        signed_in.header("strict-transport-security"),
        "",
        "not for a certificate that nobody vouches for"
    );
    let file = house.directory.0.join("data/lan-certificate.pem");
    let first = fs::read_to_string(&file).expect("the certificate");
    assert_eq!(
        fs::metadata(&file).expect("metadata").permissions().mode() & 0o777,
        0o600
    );
    house.kill();
    house.start();
    assert_eq!(fs::read_to_string(&file).expect("the certificate"), first);

    let mut other = House::new();
    other.set("TLS__CERTIFICATE", file.to_str().expect("a path"));
    other.set("TLS__KEY", file.to_str().expect("a path"));
    other.set("PUBLIC_URL", "https://meet.example.org");
    other.start();
    let port = port_of(other.pid());
    let page = crate::support::Person::new(&format!("https://127.0.0.1:{port}"))
        .get("/")
        .await;
    assert_eq!(page.status, 200);
    assert!(
        page.header("strict-transport-security")
            .starts_with("max-age=31536000")
    );
    assert!(
        page.header("content-security-policy")
            .contains("wss://meet.example.org;"),
        "{page:?}"
    );
}

/// As the kernel writes it.
const LOOPBACK: &str = "0100007F:";

/// The TCP port of the web server of this process, from the kernel's own list. Media listens on all addresses.
fn port_of(pid: u32) -> u16 {
    let sockets: Vec<String> = fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("its descriptors")
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .filter_map(|link| {
            Some(
                link.to_str()?
                    .strip_prefix("socket:[")?
                    .strip_suffix(']')?
                    .to_owned(),
            )
        })
        .collect();
    let table = fs::read_to_string(format!("/proc/{pid}/net/tcp")).expect("the list of sockets");
    let port = table.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let listens = fields[3] == "0A" && sockets.iter().any(|inode| inode == fields[9]);
        let port = fields[1].strip_prefix(LOOPBACK)?;
        listens.then(|| u16::from_str_radix(port, 16).expect("a port"))
    });
    port.expect("it listens")
}

fn in_memory(house: &House) -> u64 {
    let status =
        fs::read_to_string(format!("/proc/{}/status", house.pid())).expect("a proc file system");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("its size");
    line.split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

#[tokio::test]
async fn an_idle_house_is_small_even_after_a_flood_of_passwords() {
    let mut house = House::new();
    house.set("TRUSTED_PROXIES", "127.0.0.1");
    let (house, anna) = house.with_anna().await;
    anna.get("/").await;
    let before = in_memory(&house);
    assert!(before < 60_000, "{before} kB");

    let tries = (0..60).map(|n| {
        let request = house
            .person()
            .request(reqwest::Method::POST, "/api/v1/session")
            .header("x-forwarded-for", format!("192.0.2.{n}"))
            .json(&json!({"username": "anna", "password": "falsches pferd"}));
        tokio::spawn(request.send())
    });
    let mut refused = 0;
    for tried in tries.collect::<Vec<_>>() {
        let status = tried.await.expect("no panic").expect("an answer").status();
        assert!([401, 503].contains(&status.as_u16()), "{status}");
        refused += u32::from(status == 401);
    }
    assert!(refused > 10, "{refused}");
    let after = in_memory(&house);
    assert!(
        after < 60_000,
        "{after} kB after {refused} checked passwords"
    );
}

#[tokio::test]
async fn the_house_takes_all_the_open_files_it_may_have() {
    let (house, _) = House::new().with_anna().await;
    let limits =
        fs::read_to_string(format!("/proc/{}/limits", house.pid())).expect("a proc file system");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .expect("the limit");
    let numbers: Vec<_> = line.split_whitespace().rev().skip(1).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "{line}");
}

#[tokio::test]
async fn what_people_trust_the_house_with_is_for_its_owner_only() {
    let (house, _) = House::new().with_anna().await;
    let mode = fs::metadata(house.directory.0.join("data"))
        .expect("the data directory")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}
