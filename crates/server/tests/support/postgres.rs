//! A PostgreSQL of the tests' own: private directory, private socket, gone with the test process.
//!
//! Used by the tests of the store (in the binary) and by those over HTTP. A missing PostgreSQL fails the test.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// PostgreSQL does not run as root: then it runs as `nobody`.
const NOBODY: u32 = 65534;

/// Ends the server and takes its directory away when the test process, whose pipe this reads, is gone.
const KEEPER: &str = r#"
"$@" >"$DIRECTORY/log" 2>&1 &
server=$!
cat >/dev/null
kill -QUIT $server
wait $server
rm -rf "$DIRECTORY"
"#;

/// The URL of a new, empty database.
pub fn new_database() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let server = SERVER.get_or_init(Server::start);
    let name = format!("stube_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    server.make_database(&name);
    let socket = server
        .directory
        .to_str()
        .expect("an ASCII path")
        .replace('/', "%2F");
    format!("postgres://stube@{socket}/{name}")
}

struct Server {
    programs: PathBuf,
    directory: PathBuf,
    _keeper: Child,
}

impl Server {
    fn start() -> Self {
        let programs = find_programs();
        let directory = std::env::temp_dir().join(format!("stube-postgres-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir(&directory).expect("a directory for PostgreSQL");
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700))
            .expect("a private directory");
        if is_root() {
            chown(&directory, Some(NOBODY), Some(NOBODY)).expect("a directory of nobody");
        }
        let data = directory.join("data");
        let mut initdb = unprivileged(&programs.join("initdb"));
        initdb.args([
            "--no-sync",
            "--auth=trust",
            "--username=stube",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]);
        run(initdb.arg("--pgdata").arg(&data));

        let mut postgres = unprivileged(&programs.join("postgres"));
        postgres.arg("-D").arg(&data).arg("-k").arg(&directory);
        postgres.args([
            "-h",
            "",
            "-F",
            "-c",
            "max_connections=200",
            "-c",
            "full_page_writes=off",
        ]);
        let mut keeper = Command::new("sh");
        keeper
            .args(["-c", KEEPER, "sh"])
            .arg(postgres.get_program())
            .args(postgres.get_args());
        keeper
            .env("DIRECTORY", &directory)
            .current_dir(&directory)
            .stdin(Stdio::piped());
        let keeper = keeper.spawn().expect("a shell");
        let server = Self {
            programs,
            directory,
            _keeper: keeper,
        };
        server.wait_until_ready();
        server
    }

    /// Asks until the server answers.
    fn wait_until_ready(&self) {
        let mut is_ready = unprivileged(&self.programs.join("pg_isready"));
        is_ready
            .arg("-q")
            .arg("-t")
            .arg("1")
            .arg("-U")
            .arg("stube")
            .arg("-h")
            .arg(&self.directory);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !is_ready.status().is_ok_and(|status| status.success()) {
            if std::time::Instant::now() > deadline {
                let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
                panic!("PostgreSQL does not start:\n{log}");
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    fn make_database(&self, name: &str) {
        let mut createdb = unprivileged(&self.programs.join("createdb"));
        run(createdb
            .arg("-U")
            .arg("stube")
            .arg("-h")
            .arg(&self.directory)
            .arg(name));
    }
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("a proc file system");
    status
        .lines()
        .any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let nobody = NOBODY.to_string();
    command
        .args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"])
        .arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command.current_dir("/").stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?} does not run: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// In PATH, or where Debian puts them.
fn find_programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        places.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let all = ["initdb", "postgres", "pg_isready", "createdb"];
    places
        .into_iter()
        .find(|place| all.iter().all(|program| place.join(program).exists()))
        .expect("PostgreSQL is installed (Debian: apt-get install postgresql)")
}
