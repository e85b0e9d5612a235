//! The real binary on a free port with a directory of its own, and people who talk to it over HTTP.

pub mod postgres;
pub mod slapd;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub const PASSWORD: &str = "korrekt pferd";

/// A directory that is gone with the test.
pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "stube-http-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a directory");
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A house: its directory, its settings, and the process while it runs.
pub struct House {
    pub directory: Directory,
    environment: Vec<(String, String)>,
    lan: bool,
    log: Option<PathBuf>,
    process: Option<Child>,
    /// `http://localhost:<port>`.
    pub base: String,
    pub setup_link: Option<String>,
}

impl House {
    /// On SQLite.
    pub fn new() -> Self {
        let mut house = Self {
            directory: Directory::new(),
            environment: Vec::new(),
            lan: false,
            log: None,
            process: None,
            base: String::new(),
            setup_link: None,
        };
        house.set("LISTEN", "127.0.0.1:0");
        house.set("MEDIA__PORT", "0");
        house
            .environment
            .push(("RUST_LOG".to_owned(), "warn".to_owned()));
        house
    }

    pub fn on_postgres() -> Self {
        let mut house = Self::new();
        house.set("DATABASE__URL", &postgres::new_database());
        house
    }

    pub fn set(&mut self, key: &str, value: &str) {
        self.environment
            .push((format!("STUBE__{key}"), value.to_owned()));
    }

    /// Another app than the one that was built.
    pub fn serve_app(&mut self, folder: &str) {
        self.environment
            .push(("STUBE_WEB_DIST".to_owned(), folder.to_owned()));
    }

    /// Absent on SQLite.
    pub fn postgres_url(&self) -> Option<&str> {
        let mut all = self.environment.iter();
        let url = all.find(|(name, _)| name == "STUBE__DATABASE__URL");
        url.map(|(_, url)| url.as_str())
    }

    pub fn serve_lan(&mut self) {
        self.lan = true;
    }

    /// What the server logs goes there and not to the test's own output.
    #[allow(dead_code, reason = "not every one of the test programs reads it")]
    pub fn log_to(&mut self, file: PathBuf) {
        self.log = Some(file);
        let filter = "warn,str0m=error,is=error".to_owned();
        self.environment.push(("RUST_LOG".to_owned(), filter));
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stube"));
        command
            .args(arguments)
            .envs(self.environment.iter().cloned())
            .current_dir(&self.directory.0);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    /// Starts the server and reads what it says until it is ready.
    pub fn start(&mut self) {
        let arguments: &[&str] = if self.lan {
            &["run", "--lan"]
        } else {
            &["run"]
        };
        let mut command = self.command(arguments);
        if let Some(log) = &self.log {
            command.stderr(fs::File::create(log).expect("a log file"));
        }
        let mut process = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut lines = BufReader::new(process.stdout.take().expect("standard output")).lines();
        self.process = Some(process);
        self.setup_link = None;
        for line in &mut lines {
            let line = line.expect("text");
            if let Some(base) = line.strip_prefix("Stube is ready at ") {
                self.base = base.to_owned();
            } else if line.contains("/setup#") {
                self.setup_link = Some(line.trim().to_owned());
            }
            if line.starts_with("Press ") {
                break;
            }
        }
        assert!(!self.base.is_empty(), "the server says that it is ready");
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    }

    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("the server runs").id()
    }

    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("the server runs");
        process.kill().expect("SIGKILL");
        process.wait().expect("its end");
    }

    /// SIGTERM, and how it ended.
    pub fn stop(&mut self) -> ExitStatus {
        self.ask_to_stop();
        self.end()
    }

    /// SIGTERM.
    pub fn ask_to_stop(&mut self) {
        let process = self.process.as_ref().expect("the server runs");
        let sent = Command::new("kill")
            .args(["-TERM", &process.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
    }

    /// Waits until it has ended by itself.
    pub fn end(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the server runs");
        process.wait().expect("its end")
    }

    /// A started house with its first account, and that account's person.
    pub async fn with_anna(mut self) -> (Self, Person) {
        self.start();
        let anna = self.person();
        anna.set_up(&self, "anna").await;
        (self, anna)
    }

    pub fn add_user(&self, username: &str) {
        let mut command = self.command(&["user", "add", username, "--password-stdin"]);
        let output = with_input(&mut command, PASSWORD);
        assert!(output.status.success(), "{output:?}");
    }

    pub fn person(&self) -> Person {
        Person::new(&self.base)
    }

    pub async fn member(&self, username: &str) -> Person {
        self.add_user(username);
        let person = self.person();
        let answer = person.sign_in(username, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        person
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

pub fn with_input(command: &mut Command, input: &str) -> Output {
    use std::io::Write;
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    process
        .stdin
        .take()
        .expect("standard input")
        .write_all(format!("{input}\n").as_bytes())
        .expect("input is taken");
    process.wait_with_output().expect("its end")
}

/// Somebody with a browser of their own.
#[derive(Clone)]
pub struct Person {
    pub client: reqwest::Client,
    base: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// A refusal with this status and code.
    #[track_caller]
    pub fn is(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), &self.json()["code"]),
            (status, &json!(code)),
            "{self:?}"
        );
    }
}

impl Person {
    pub fn new(base: &str) -> Self {
        let client = reqwest::Client::builder()
            .cookie_store(true)
            // The server may have closed an idle one while the test was busy.
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .tls_danger_accept_invalid_certs(true)
            .build()
            .expect("a client");
        Self {
            client,
            base: base.to_owned(),
        }
    }

    /// The same browser, at the house's new address after a restart.
    pub fn at(&self, base: &str) -> Self {
        Self {
            client: self.client.clone(),
            base: base.to_owned(),
        }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn door(&self, room: &str) -> Answer {
        let url = format!("{}/api/v1/door", self.base);
        let url = reqwest::Url::parse_with_params(&url, [("room", room)]).expect("a URL");
        answer(self.client.get(url)).await
    }

    pub async fn set_up(&self, house: &House, username: &str) -> Answer {
        let link = house.setup_link.as_deref().expect("a set-up link");
        let token = link.split_once("/setup#").expect("a token").1;
        let body =
            json!({"token": token, "username": username, "name": "Anna Ö.", "password": PASSWORD});
        self.post("/api/v1/setup", body).await
    }

    pub async fn sign_in(&self, username: &str, password: &str) -> Answer {
        self.post(
            "/api/v1/session",
            json!({"username": username, "password": password}),
        )
        .await
    }

    /// A socket that has said hello and was welcomed.
    pub async fn socket(&self) -> Socket {
        let ticket = self.post("/api/v1/tickets", json!({})).await.json();
        let ticket = ticket["ticket"].as_str().expect("a ticket");
        let url = format!(
            "{}/api/v1/socket?ticket={ticket}",
            self.base.replacen("http", "ws", 1)
        );
        let mut request = url.into_client_request().expect("a request");
        request
            .headers_mut()
            .insert("origin", self.base.parse().expect("a header"));
        let (mut socket, _) = connect_async(request).await.expect("a socket");
        let hello =
            json!({"type": "hello", "versions": [1], "client": {"name": "test", "version": "1"}});
        socket
            .send(Message::text(hello.to_string()))
            .await
            .expect("a hello");
        let welcome = socket
            .next()
            .await
            .expect("an answer")
            .expect("a message")
            .into_text()
            .expect("text");
        assert!(welcome.contains("\"welcome\""), "{welcome}");
        Socket(socket)
    }

    pub async fn me(&self) -> Value {
        self.get("/api/v1/me").await.json()
    }
}

/// Somebody's open WebSocket.
pub struct Socket(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Reads on until the server closes.
    pub async fn until_closed(&mut self) {
        let closed = async {
            while let Some(Ok(message)) = self.0.next().await {
                if message.is_close() {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), closed)
            .await
            .expect("the server closes the socket");
    }
}

/// Of a house on SQLite: what no interface does.
pub async fn behind_its_back(house: &House, sql: &'static str) {
    let file = house.directory.0.join("data/stube.db");
    let url = format!("sqlite://{}", file.to_str().expect("an ASCII path"));
    let pool = sqlx::SqlitePool::connect(&url).await.expect("the database");
    sqlx::query(sql).execute(&pool).await.expect("a change");
    pool.close().await;
}

pub async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    Answer {
        status,
        headers,
        text: response.text().await.expect("a body"),
    }
}

pub fn read_all(mut reader: impl Read) -> String {
    let mut text = Vec::new();
    // A reset is an end as well.
    let _ = reader.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}
