//! The cores decide and do not act: no runtime, sockets, files, clock, locks or randomness of their own.
//!
//! Clippy says the same of what it can resolve (the lists in clippy.toml, denied by each core); this also sees what it
//! cannot, and manifests.

use super::Finding;
use super::files::Files;
use super::text::{line_of, word_offsets};

pub const CORES: &[&str] = &["house", "identity", "media", "protocol", "room"];

/// Code no core may contain, and what to do instead.
const CODE: &[(&str, &str)] = &[
    (
        "tokio",
        "a core has no runtime: take inputs and give outputs",
    ),
    (
        "async fn",
        "a core has no runtime: take inputs and give outputs",
    ),
    (
        "UdpSocket",
        "sockets are the server's: give out what is to be sent",
    ),
    (
        "TcpStream",
        "sockets are the server's: give out what is to be sent",
    ),
    ("TcpListener", "sockets are the server's"),
    (
        "std::fs",
        "files are the server's: give out what is to be stored",
    ),
    ("std::env", "configuration comes in as an argument"),
    ("std::process", "processes are the server's"),
    ("std::thread", "threads are the server's"),
    ("Instant::now", "time comes in as an argument"),
    ("SystemTime::now", "time comes in as an argument"),
    ("Mutex", "a core is owned by one task and needs no locks"),
    ("RwLock", "a core is owned by one task and needs no locks"),
    ("println!", "what a core has to say is an output or a trace"),
    ("getrandom", "randomness comes in as an argument"),
    ("thread_rng", "randomness comes in as an argument"),
    ("OsRng", "randomness comes in as an argument"),
];

/// Crates no core may depend on.
const DEPENDENCIES: &[&str] = &[
    "async-std",
    "axum",
    "getrandom",
    "libc",
    "mio",
    "quinn-udp",
    "rand",
    "reqwest",
    "rustls",
    "socket2",
    "sqlx",
    "tokio",
];

pub fn check(files: &Files) -> Vec<Finding> {
    let all = |core: &&str| [code(files, core), manifest(files, core), lints(files, core)].concat();
    CORES.iter().flat_map(all).collect()
}

/// Each core denies clippy's lists for itself; elsewhere they are off.
fn lints(files: &Files, core: &str) -> Vec<Finding> {
    let path = format!("crates/{core}/src/lib.rs");
    let root = files.rust.iter().find(|source| source.path == path);
    let denies = |lint: &&&str| root.is_some_and(|source| source.code.contains(**lint));
    let missing = ["clippy::disallowed_methods", "clippy::disallowed_types"];
    let missing = missing.iter().filter(|lint| !denies(lint));
    missing
        .map(|lint| Finding::new("purity", &path, format!("a core denies `{lint}`")))
        .collect()
}

fn code(files: &Files, core: &str) -> Vec<Finding> {
    let folder = format!("crates/{core}/src/");
    let mut findings = Vec::new();
    for source in files
        .rust
        .iter()
        .filter(|source| source.path.starts_with(&folder))
    {
        let shipped = source.shipped();
        for (word, instead) in CODE {
            for offset in word_offsets(&shipped, word) {
                let line = line_of(&shipped, offset);
                let message = format!("line {line}: `{word}` in a core: {instead}");
                findings.push(Finding::new("purity", &source.path, message));
            }
        }
    }
    findings
}

fn manifest(files: &Files, core: &str) -> Vec<Finding> {
    let path = format!("crates/{core}/Cargo.toml");
    let Some(table) = files
        .text(&path)
        .and_then(|text| text.parse::<toml::Table>().ok())
    else {
        return vec![Finding::new(
            "purity",
            path,
            "there is no readable manifest of this core",
        )];
    };
    let dependencies = table.get("dependencies").and_then(toml::Value::as_table);
    let names = dependencies
        .into_iter()
        .flat_map(|table| table.keys())
        .filter(|name| DEPENDENCIES.contains(&name.as_str()));
    names
        .map(|name| {
            Finding::new(
                "purity",
                &path,
                format!("a core may not depend on `{name}`"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINTS: &str = "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]";

    fn findings(code: &str, dependencies: &str) -> Vec<String> {
        let manifest = format!("[dependencies]\n{dependencies}\n");
        let files = Files::from_texts([
            ("crates/room/Cargo.toml", manifest.as_str()),
            ("crates/room/src/lib.rs", format!("{LINTS}{code}").as_str()),
        ]);
        check(&files)
            .into_iter()
            .filter(|finding| finding.at.starts_with("crates/room/"))
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn a_clock_a_lock_and_a_socket_are_found_with_their_line() {
        let found = findings(
            "use std::net::SocketAddr;\nlet now = Instant::now();\nlet m: Mutex<u8>;\nuse std::net::{UdpSocket};\n",
            "",
        );
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found
                .iter()
                .any(|message| message.starts_with("line 2: `Instant::now`")),
            "{found:?}"
        );
    }

    #[test]
    fn words_in_comments_strings_tests_and_longer_names_are_not() {
        let code = "// tokio\nlet s = \"std::fs\";\nstruct MutexLike;\n#[cfg(test)]\nmod tests {\n  fn now() -> Instant { Instant::now() }\n}\n";
        assert_eq!(findings(code, ""), Vec::<String>::new());
    }

    #[test]
    fn a_core_that_does_not_deny_the_lists_is_found() {
        let files = Files::from_texts([(
            "crates/room/src/lib.rs",
            "#![deny(clippy::disallowed_types)]",
        )]);
        let found = lints(&files, "room");
        assert_eq!(found.len(), 1);
        assert!(
            found[0].message.contains("clippy::disallowed_methods"),
            "{found:?}"
        );
    }

    #[test]
    fn a_runtime_among_the_dependencies_is_found() {
        assert_eq!(findings("", "serde = \"1\""), Vec::<String>::new());
        assert_eq!(
            findings("", "tokio = \"1\"\nserde = \"1\""),
            ["a core may not depend on `tokio`"]
        );
    }
}
