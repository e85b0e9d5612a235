//! Whatever ends somebody's sign-in, here or in another process, closes their socket and their media within two seconds.

use std::time::{Duration, Instant};

use bot::{Account, Phase, View};
use protocol::Access;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, room};
use super::{SOON, enter, meet, silence, turn};
use crate::postgres::Postgres;

const PASSWORD: &str = "green door at dawn";
/// What is promised is two seconds; a machine that does other things too gets more.
const PROMISED: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(10);

/// Who does what to Bernd.
enum Act {
    /// On the command line: another process.
    Command(&'static [&'static str]),
    /// An administrator, by this address with Bernd's id or his session's in it.
    Administrator(Method, &'static str, Value),
    Himself,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_sign_in_closes_socket_and_media() {
    let acts = [
        ("he signs out", Act::Himself),
        (
            "his session is ended",
            Act::Administrator(Method::DELETE, "sessions/SESSION", json!({})),
        ),
        (
            "all his sessions are ended",
            Act::Administrator(Method::DELETE, "people/USER/sessions", json!({})),
        ),
        (
            "he is removed",
            Act::Administrator(Method::DELETE, "people/USER", json!({})),
        ),
    ];
    let _turn = turn().await;
    let house = House::open().await;
    watch(&house, acts.into()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_sign_in_by_command_closes_socket_and_media() {
    let acts = [
        (
            "his session is ended by command",
            Act::Command(&["user", "sessions", "--end"]),
        ),
        ("he is locked by command", Act::Command(&["user", "lock"])),
        (
            "he is removed by command",
            Act::Command(&["user", "delete"]),
        ),
        (
            "he gets another password by command",
            Act::Command(&["user", "passwd", "--password-stdin"]),
        ),
    ];
    let _turn = turn().await;
    let house = House::open().await;
    watch(&house, acts.into()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_sign_in_is_noticed_on_postgres_as_well() {
    let _turn = turn().await;
    let postgres = Postgres::start().await;
    let house = House::open_with(Some(postgres.url())).await;
    let lock = ("he is locked by command", Act::Command(&["user", "lock"]));
    watch(&house, vec![lock]).await;
}

/// Anna watches one Bernd after the other being thrown out.
async fn watch(house: &House, acts: Vec<(&str, Act)>) {
    let anna = house.admin().await;
    let office = administrator(house).await;
    room(&anna, "Runde", Access::Accounts).await;
    let mut watcher = enter(&anna, "Runde", 1).await;
    for (number, (what, act)) in acts.into_iter().enumerate() {
        let username = format!("bernd{number}");
        let made = house.command(&["user", "add", &username, "--password-stdin"], PASSWORD);
        assert!(made.status.success(), "{made:?}");
        let page = bot::House::new(&house.url()).expect("an address");
        let account = page.sign_in(&username, PASSWORD).await.expect("a sign-in");
        let bernd = enter(&account, "Runde", 2 + number).await;
        let pair = [watcher, bernd];
        meet(&pair).await;
        let [anna, bernd] = pair;
        let (annas, bernds) = (anna.id().expect("a seat"), bernd.id().expect("a seat"));

        // A command has to start first; what counts begins when it is done.
        let began = do_it(house, &office, &account, &username, act).await;
        let out = |view: &View| view.state.phase != Phase::Inside;
        bernd
            .wait_for("the door", PATIENCE, out)
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let socket = began.elapsed();
        let gone = |view: &View| view.state.others().count() == 0;
        anna.wait_for("an empty room", SOON, gone)
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let seat = began.elapsed();
        eprintln!(
            "{what}: the socket closed after {socket:?}, the seat was free after {seat:?} (promised: {PROMISED:?})"
        );
        assert!(socket < PATIENCE && seat < PATIENCE, "{what}");
        silence(&anna, &bernds).await;
        silence(&bernd, &annas).await;
        watcher = anna;
    }
}

async fn administrator(house: &House) -> Client {
    let client = Client::builder().cookie_store(true).no_proxy().build();
    let client = client.expect("a client");
    let body = json!({"username": "anna", "password": "green door at dusk"});
    let address = format!("{}/api/v1/session", house.url());
    let answer = client.post(address).json(&body).send().await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
    client
}

/// When it was done.
async fn do_it(
    house: &House,
    office: &Client,
    account: &Account,
    username: &str,
    act: Act,
) -> Instant {
    let user = account.user().id.as_str();
    match act {
        Act::Himself => account.sign_out().await.expect("signed out"),
        Act::Command(words) => {
            let words: Vec<_> = words.iter().copied().chain([username]).collect();
            let done = house.command(&words, "blue door at noon");
            assert!(done.status.success(), "{done:?}");
        }
        Act::Administrator(method, path, body) => {
            let session = session_of(house, office, user).await;
            let path = path.replace("USER", user).replace("SESSION", &session);
            let address = format!("{}/api/v1/admin/{path}", house.url());
            let answer = office.request(method, address).json(&body).send().await;
            let answer = answer.expect("an answer");
            assert!(answer.status().is_success(), "{answer:?}");
        }
    }
    Instant::now()
}

async fn session_of(house: &House, office: &Client, user: &str) -> String {
    let address = format!("{}/api/v1/admin/sessions", house.url());
    let answer = office.get(address).send().await.expect("an answer");
    let list: Value = answer.json().await.expect("a list");
    let sessions = list["sessions"].as_array().expect("a list");
    let theirs = sessions.iter().find(|session| session["user"] == user);
    let id = theirs.expect("a session")["session"]["id"].as_str();
    id.expect("an id").to_owned()
}
