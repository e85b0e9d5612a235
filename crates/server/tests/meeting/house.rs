//! One server for one test: the real binary on free ports with a data directory of its own. It can be stopped, killed and
//! started again at the same address. Ended by its id when the test ends, however it ends.

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use bot::{Account, Guest};
use protocol::Access;

const PATIENCE: Duration = Duration::from_secs(30);

pub struct House {
    data: PathBuf,
    port: u16,
    database: Option<String>,
    server: Option<Child>,
    output: Arc<Mutex<String>>,
}

impl House {
    pub async fn open() -> Self {
        Self::open_with(None).await
    }

    pub async fn open_with(database: Option<String>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let data =
            std::env::temp_dir().join(format!("stube-meeting-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&data).expect("a directory for data");
        let mut house = Self {
            data,
            port: free_port(),
            database,
            server: None,
            output: Arc::default(),
        };
        house.start().await;
        house
    }

    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    pub async fn start(&mut self) {
        let mut server = self.binary(&["run"]).spawn().expect("the server starts");
        self.listen(server.stdout.take().expect("its words"));
        self.listen(server.stderr.take().expect("its complaints"));
        self.server = Some(server);
        self.until_ready().await;
    }

    /// Runs a command of the house to its end.
    pub fn command(&self, arguments: &[&str], input: &str) -> Output {
        let mut process = self
            .binary(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut stdin = process.stdin.take().expect("standard input");
        // Not every command reads it.
        let _ = writeln!(stdin, "{input}");
        drop(stdin);
        process.wait_with_output().expect("its end")
    }

    fn binary(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stube"));
        // Whatever happens in these meetings happens between threads.
        command.env("STUBE__MEDIA__SHARDS", "3");
        command.env("STUBE__MEDIA__SPREAD", "1");
        command
            .args(arguments)
            .current_dir(&self.data)
            .env("STUBE__LISTEN", format!("127.0.0.1:{}", self.port))
            .env("STUBE__DATA_DIR", &self.data)
            .env("STUBE__MEDIA__PORT", "0")
            .env("STUBE__MEDIA__ADDRESSES", "127.0.0.1")
            // Bots speak all the time, and everybody is to be heard.
            .env("STUBE__MEDIA__LOUDEST", "50")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(database) = &self.database {
            command.env("STUBE__DATABASE__URL", database);
        }
        command
    }

    /// SIGTERM, as a service manager does it; the server has to end by itself.
    pub async fn stop(&mut self) {
        let mut server = self.server.take().expect("the server runs");
        let told = Command::new("kill")
            .args(["-TERM", &server.id().to_string()])
            .status()
            .expect("kill is there");
        assert!(told.success());
        let deadline = Instant::now() + PATIENCE;
        while server.try_wait().expect("a child of ours").is_none() {
            if Instant::now() > deadline {
                let _ = server.kill();
                panic!("the server did not stop: {}", self.output());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// As if the plug was pulled.
    pub fn kill(&mut self) {
        let mut server = self.server.take().expect("the server runs");
        server.kill().expect("it can be killed");
        server.wait().expect("a child of ours");
    }

    /// Sets up the administrator. Once per house.
    pub async fn admin(&self) -> Account {
        let house = bot::House::new(&self.url()).expect("an address");
        let token = self.setup_token().await;
        house
            .set_up(&token, "anna", "Anna", "green door at dusk")
            .await
            .expect("the link works")
    }

    /// Somebody else with an account.
    pub async fn member(&self, username: &str) -> Account {
        let password = "lamp over the table";
        let added = self.command(&["user", "add", username, "--password-stdin"], password);
        assert!(added.status.success(), "{added:?}");
        let house = bot::House::new(&self.url()).expect("an address");
        let account = house.sign_in(username, password).await;
        account.expect("an account")
    }

    pub async fn guest(&self, room: &str, name: &str) -> Guest {
        let house = bot::House::new(&self.url()).expect("an address");
        house.guest(room, name).await.expect("the room is open")
    }

    fn listen(&self, stream: impl Read + Send + 'static) {
        let output = self.output.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
                output.push_str(&line);
                output.push('\n');
            }
        });
    }

    fn output(&self) -> String {
        self.output
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn until_ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        loop {
            let answer = client.get(format!("{}/readyz", self.url())).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            let ended = self
                .server
                .as_mut()
                .and_then(|server| server.try_wait().expect("a child of ours"));
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "the server is not ready: {}",
                self.output()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn setup_token(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let output = self.output();
            let link = output.split_once("/setup#").map(|(_, rest)| rest);
            if let Some(token) = link.and_then(|rest| {
                rest.split(|c: char| c.is_whitespace() || c.is_control())
                    .next()
            }) {
                return token.to_owned();
            }
            assert!(
                Instant::now() < deadline,
                "no set-up link was printed: {output}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
        if std::thread::panicking() {
            eprintln!("the server said:\n{}", self.output());
        }
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

/// A room of this account.
pub async fn room(owner: &Account, name: &str, access: Access) {
    owner.room(name, access).await.expect("a room");
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
