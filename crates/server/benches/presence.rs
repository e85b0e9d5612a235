//! What signed-in devices cost that do nothing: memory for each, and how busy one core is with all of them.
//!
//! `cargo xtask bench presence`. Accounts and sessions are made behind the server's back; the devices come in by the front
//! door, watch some people as an open home page does, and answer and send pings as the app does.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::stream::{self, SplitSink};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{interval_at, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

#[path = "../tests/support/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod support;

use support::House;

const DEVICES: usize = 10_000;
/// For the database, standard output, and whatever else.
const OTHER_FILES: usize = 500;
const PER_STATEMENT: usize = 500;
const AT_ONCE: usize = 32;
/// People on the screen of one home page.
const WATCHED: usize = 20;
/// The app pings when it heard nothing for so long.
const QUIET: Duration = Duration::from_secs(12);
/// Until what the coming in cost is over, and how long is measured.
const SETTLE: Duration = Duration::from_secs(20);
const MEASURED: Duration = Duration::from_secs(30);
/// Of those who change between used and unused while it is measured, in the second round.
const LIVELY_PER_SECOND: usize = 20;

/// As text of a cookie.
fn secret(number: usize) -> String {
    format!("{number:043}")
}

fn statements(devices: usize) -> Vec<String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("after 1970").as_millis();
    let numbers: Vec<_> = (0..devices).collect();
    let mut all = Vec::new();
    for some in numbers.chunks(PER_STATEMENT) {
        let users = some.iter().map(|number| {
            format!("('{number:032}', 'p{number}', 'p{number}', 'Person {number}', FALSE, '', 1)")
        });
        let users: Vec<_> = users.collect();
        all.push(format!(
            "INSERT INTO users (id, username, username_key, name, admin, password_hash, created) VALUES {}",
            users.join(", ")
        ));
        let sessions = some.iter().map(|number| {
            let hash = Sha256::digest(secret(*number).as_bytes());
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("('{number:032}', '{hash}', '{number:032}', {now}, {now})")
        });
        let sessions: Vec<_> = sessions.collect();
        all.push(format!(
            "INSERT INTO sessions (id, secret_hash, user_id, created, used) VALUES {}",
            sessions.join(", ")
        ));
    }
    all
}

async fn fill(house: &House, devices: usize) {
    let all = statements(devices).join(";\n");
    let all = sqlx::AssertSqlSafe(format!("BEGIN;\n{all};\nCOMMIT"));
    let file = house.directory.0.join("data/stube.db");
    let url = format!("sqlite://{}", file.to_str().expect("an ASCII path"));
    let pool = sqlx::SqlitePool::connect(&url).await.expect("the database");
    sqlx::raw_sql(all).execute(&pool).await.expect("people");
    pool.close().await;
}

type Stream = WebSocketStream<TcpStream>;

struct Crowd {
    base: String,
    http: reqwest::Client,
    devices: usize,
    /// Devices that have heard all that they will hear.
    settled: AtomicUsize,
    heard: AtomicUsize,
    lively: Notify,
}

impl Crowd {
    /// Signs a device in and leaves it to itself.
    async fn bring_in(self: Arc<Self>, number: usize) {
        let request = self.http.post(format!("{}/api/v1/tickets", self.base));
        let request = request.header("cookie", format!("stube={}", secret(number)));
        let answer = request.json(&json!({})).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{answer:?}");
        let ticket: serde_json::Value = answer.json().await.expect("a ticket");
        let ticket = ticket["ticket"].as_str().expect("a ticket");
        let address = self.base.strip_prefix("http://").expect("plain HTTP");
        let url = format!("ws://{address}/api/v1/socket?ticket={ticket}");
        let mut request = url.into_client_request().expect("a request");
        let origin = self.base.parse().expect("a header");
        request.headers_mut().insert("origin", origin);
        let stream = TcpStream::connect(address.replace("localhost", "127.0.0.1"));
        let stream = stream.await.expect("a connection");
        let config = WebSocketConfig::default()
            .read_buffer_size(2048)
            .write_buffer_size(0);
        let (socket, _) = client_async_with_config(request, stream, Some(config))
            .await
            .expect("a socket");
        tokio::spawn(self.live(number, socket));
    }

    async fn live(self: Arc<Self>, number: usize, socket: Stream) {
        let (mut write, mut read) = socket.split();
        let hello = json!({"type": "hello", "versions": [1], "browser": format!("browser-{number:024}"),
            "client": {"name": "bench", "version": "1"}});
        say(&mut write, hello).await;
        let people = (1..=WATCHED).map(|next| format!("{:032}", (number + next) % self.devices));
        let people: Vec<_> = people.collect();
        say(
            &mut write,
            json!({"type": "watch_people", "people": people}),
        )
        .await;
        let first = tokio::time::Instant::now() + QUIET.mul_f64((number % 100) as f64 / 100.0);
        let mut quiet = interval_at(first, QUIET);
        let (mut active, mut told) = (true, false);
        loop {
            tokio::select! {
                message = read.next() => {
                    let message = message.expect("an open socket").expect("a message");
                    let Message::Text(text) = message else { continue };
                    if !told && text.contains("availability_changed") {
                        told = true;
                        self.settled.fetch_add(1, Ordering::Relaxed);
                    } else if text.contains("availability_changed") {
                        self.heard.fetch_add(1, Ordering::Relaxed);
                    }
                }
                _ = quiet.tick() => say(&mut write, json!({"type": "ping", "id": "1"})).await,
                () = self.lively.notified() => {
                    active = !active;
                    say(&mut write, json!({"type": "set_active", "active": active})).await;
                }
            }
        }
    }
}

async fn say(write: &mut SplitSink<Stream, Message>, message: serde_json::Value) {
    let sent = write.send(Message::text(message.to_string())).await;
    sent.expect("a message is sent");
}

/// Of the server's process.
struct Server(u32);

impl Server {
    fn resident_kb(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).expect("its status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        number
            .and_then(|number| number.parse().ok())
            .expect("its memory")
    }

    /// Seconds, of all cores.
    fn busy(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).expect("its times");
        let after_name = stat.rsplit_once(") ").expect("a name").1;
        let times = after_name.split(' ').skip(11).take(2);
        let ticks: u64 = times.map(|time| time.parse::<u64>().expect("ticks")).sum();
        ticks as f64 / 100.0
    }

    async fn measure(&self, what: &str) {
        let (began, busy) = (Instant::now(), self.busy());
        sleep(MEASURED).await;
        let share = (self.busy() - busy) / began.elapsed().as_secs_f64();
        println!("  {what}: {:.1} % of one core", share * 100.0);
    }
}

/// As many as one process may hold open.
fn devices() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").expect("limits");
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let files = files.and_then(|line| line.split_whitespace().nth(3)?.parse::<usize>().ok());
    let asked = std::env::var("STUBE_BENCH_DEVICES").ok();
    let asked = asked
        .and_then(|number| number.parse().ok())
        .unwrap_or(DEVICES);
    let files = files.unwrap_or(usize::MAX);
    let most = files.saturating_sub(OTHER_FILES).min(asked);
    if most < asked {
        println!("Only {most} instead of {asked} devices: no more than {files} files may be open.");
    }
    most
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let devices = devices();
    let (mut house, _anna) = House::new().with_anna().await;
    house.stop();
    fill(&house, devices).await;
    house.start();
    let server = Server(house.pid());
    let crowd = Arc::new(Crowd {
        base: house.base.clone(),
        http: reqwest::Client::new(),
        devices,
        settled: AtomicUsize::new(0),
        heard: AtomicUsize::new(0),
        lively: Notify::new(),
    });
    let (began, busy) = (Instant::now(), server.busy());
    let mut empty = 0;
    // The first ones pay for what all have in common.
    for range in [0..devices.min(100), devices.min(100)..devices] {
        let coming = stream::iter(range.clone());
        let coming = coming.map(|number| crowd.clone().bring_in(number));
        coming
            .buffer_unordered(AT_ONCE)
            .for_each(|()| async {})
            .await;
        while crowd.settled.load(Ordering::Relaxed) < range.end {
            sleep(Duration::from_millis(20)).await;
        }
        if empty == 0 {
            empty = server.resident_kb();
        }
    }
    println!(
        "{devices} devices came in within {:.0} s, for {:.1} ms of work each",
        began.elapsed().as_secs_f64(),
        (server.busy() - busy) * 1000.0 / devices as f64
    );
    sleep(SETTLE).await;
    let each = (server.resident_kb() - empty) as f64 / (devices - devices.min(100)).max(1) as f64;
    println!("  memory for each: {each:.1} kB ({empty} kB with the first hundred)");
    crowd.heard.store(0, Ordering::Relaxed);
    server.measure("doing nothing").await;
    let others = crowd.clone();
    let life = tokio::spawn(async move {
        let mut beat = tokio::time::interval(Duration::from_secs(1) / LIVELY_PER_SECOND as u32);
        loop {
            beat.tick().await;
            others.lively.notify_one();
        }
    });
    server.measure("some coming and going").await;
    life.abort();
    let heard = crowd.heard.load(Ordering::Relaxed);
    println!(
        "  {LIVELY_PER_SECOND} a second became active or away, each watched by {WATCHED}: {:.0} messages a second",
        heard as f64 / MEASURED.as_secs_f64()
    );
    house.stop();
}
