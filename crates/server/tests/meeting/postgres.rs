//! A PostgreSQL of our own for one test: a fresh cluster in a temporary directory, on a free port, ended with the test.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use crate::house::free_port;

pub struct Postgres {
    data: PathBuf,
    port: u16,
    server: Child,
}

impl Postgres {
    pub async fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let port = free_port();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("stube-meeting-postgres-{}-{number}", std::process::id());
        let data = std::env::temp_dir().join(name);
        fs::create_dir_all(&data).expect("a directory for data");
        let owner = owner();
        if let Some((user, group)) = owner {
            chown(&data, Some(user), Some(group)).expect("root gives directories away");
        }
        let made = as_owner("initdb", owner)
            .args([
                "--auth=trust",
                "--username=stube",
                "--no-sync",
                "--encoding=UTF8",
                "-D",
            ])
            .arg(&data)
            .stdout(Stdio::null())
            .status();
        assert!(made.expect("initdb starts").success(), "initdb failed");
        let server = as_owner("postgres", owner)
            .arg("-D")
            .arg(&data)
            .args([
                "-p",
                &port.to_string(),
                "-h",
                "127.0.0.1",
                "-c",
                "fsync=off",
                "-c",
                "unix_socket_directories=",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postgres starts");
        let postgres = Self { data, port, server };
        postgres.until_ready(owner).await;
        postgres
    }

    pub fn url(&self) -> String {
        format!("postgres://stube@127.0.0.1:{}/postgres", self.port)
    }

    async fn until_ready(&self, owner: Option<(u32, u32)>) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let mut ask = as_owner("pg_isready", owner);
            let ready = ask
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status();
            if ready.expect("pg_isready starts").success() {
                return;
            }
            assert!(Instant::now() < deadline, "PostgreSQL is not ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGQUIT takes its children along.
        let _ = Command::new("kill")
            .args(["-QUIT", &self.server.id().to_string()])
            .status();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.data);
    }
}

/// PostgreSQL refuses to run as root: then it is the user whom Debian's package made.
fn owner() -> Option<(u32, u32)> {
    let root =
        fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !root {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("a list of users");
    let line = users
        .lines()
        .find(|line| line.starts_with("postgres:"))
        .expect("the user postgres is there");
    let mut fields = line
        .split(':')
        .skip(2)
        .map(|field| field.parse().expect("a number"));
    Some((
        fields.next().expect("a user"),
        fields.next().expect("a group"),
    ))
}

fn as_owner(program: &str, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(tool(program));
    command.current_dir("/");
    if let Some((user, group)) = owner {
        command.gid(group).uid(user);
    }
    command
}

/// Debian keeps the server's programs out of the way.
fn tool(program: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<PathBuf> = versions
        .map(|version| version.path().join("bin").join(program))
        .collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().unwrap_or_else(|| Path::new(program).to_owned())
}
