//! Mail against a mail server of a few lines on this computer.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_secs(20);

/// What it was told, line by line, for each connection; and what it answers to the text, in this order and then `250`.
async fn server(answers: &[&'static str]) -> (u16, mpsc::UnboundedReceiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (heard, letters) = mpsc::unbounded_channel();
    let answers = Arc::new(Mutex::new(VecDeque::from(answers.to_vec())));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (heard, answers) = (heard.clone(), answers.clone());
            tokio::spawn(async move {
                let lines = talk(stream, &answers).await.unwrap_or_default();
                let _ = heard.send(lines);
            });
        }
    });
    (port, letters)
}

async fn talk(
    stream: TcpStream,
    answers: &Mutex<VecDeque<&'static str>>,
) -> std::io::Result<Vec<String>> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut heard = Vec::new();
    let mut text = false;
    write.write_all(b"220 here\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        heard.push(line.clone());
        let answer = match line.as_str() {
            "." if text => {
                text = false;
                let next = answers.lock().expect("the answers").pop_front();
                next.unwrap_or("250 taken")
            }
            _ if text => continue,
            "DATA" => {
                text = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            line if line.starts_with("EHLO") => "250-here\r\n250 AUTH PLAIN",
            line if line.starts_with("AUTH") => "235 welcome",
            _ => "250 fine",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        if line == "QUIT" {
            break;
        }
    }
    Ok(heard)
}

fn mailer(port: u16) -> Mailer {
    const SHORT: &[Duration] = &[Duration::from_millis(10), Duration::from_millis(10)];
    let settings = Settings {
        server: Url::parse(&format!("smtp://haus%40verein@127.0.0.1:{port}")).ok(),
        password: Some("ge:heim@".to_owned()),
        password_file: None,
        from: Some("Haus <haus@example.org>".to_owned()),
    };
    Mailer::with_pauses(&settings, Some("meet.example.org"), SHORT).expect("good settings")
}

fn anna() -> Address {
    Address::parse("anna@example.org").expect("an address")
}

fn letter() -> Letter {
    let link = letters::Link {
        url: "https://meet.example.org/recover#0123456789012345678901234567890123456789012",
        now: chance::unix_ms(),
        expires: chance::unix_ms() + 3_600_000,
    };
    letters::recovery("Käserei", "änne", &link)
}

async fn next(letters: &mut mpsc::UnboundedReceiver<Vec<String>>) -> Vec<String> {
    let next = timeout(SOON, letters.recv()).await.expect("a connection");
    next.expect("the server lives")
}

fn has(heard: &[String], line: &str) -> bool {
    heard.iter().any(|heard| heard == line)
}

#[tokio::test]
async fn a_letter_reaches_the_mail_server_whole_and_from_somebody_it_knows() {
    let (port, mut letters) = server(&[]).await;
    assert!(mailer(port).post(letter(), &anna()));
    let heard = next(&mut letters).await;
    // \0haus@verein\0ge:heim@
    let known = "AUTH PLAIN AGhhdXNAdmVyZWluAGdlOmhlaW1A";
    for line in [
        "EHLO meet.example.org",
        known,
        "MAIL FROM:<haus@example.org>",
        "RCPT TO:<anna@example.org>",
        "To: anna@example.org",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(has(&heard, line), "{line} in {heard:#?}");
    }
    let body = heard.join("\n").replace("=\n", "").replace("=3D", "=");
    assert!(
        body.contains("/recover#0123456789012345678901234567890123456789012"),
        "{body}"
    );
    assert!(body.contains("=C3=A4nne"), "{body}");
}

#[tokio::test]
async fn what_is_refused_for_now_is_tried_again_and_what_is_refused_for_good_is_not() {
    let (port, mut letters) = server(&["451 not now", "451 not yet", "250 taken"]).await;
    let mailer = mailer(port);
    assert!(mailer.post(letter(), &anna()));
    for attempt in 0..3 {
        assert!(has(&next(&mut letters).await, "DATA"), "attempt {attempt}");
    }
    let office = mailer.0.as_ref().expect("an office");
    let all = u32::try_from(QUEUE).expect("a few");
    let idle = timeout(SOON, office.queue.acquire_many(all));
    drop(idle.await.expect("nothing waits").expect("open"));

    let (port, mut letters) = server(&["550 never", "250 taken"]).await;
    let mailer = self::mailer(port);
    assert!(mailer.post(letter(), &anna()));
    assert!(has(&next(&mut letters).await, "DATA"));
    let office = mailer.0.as_ref().expect("an office");
    let idle = timeout(SOON, office.queue.acquire_many(all));
    drop(idle.await.expect("nothing waits").expect("open"));
    assert!(letters.try_recv().is_err(), "it was given up");
}

#[tokio::test]
async fn whoever_sends_a_test_is_told_how_it_went() {
    let (port, mut heard) = server(&["550 never"]).await;
    let mailer = mailer(port);
    let to = anna();
    let send = || mailer.send(letters::test("Haus"), &to);
    assert!(matches!(send().await, Err(MailError::Server(_))));
    assert!(send().await.is_ok());
    assert!(has(&next(&mut heard).await, "DATA"));
    let none = Mailer::new(&Settings::default(), None).expect("no settings are good ones");
    assert!(!none.is_there() && !none.post(letter(), &anna()));
    let sent = none.send(letters::test("Haus"), &anna()).await;
    assert!(matches!(sent, Err(MailError::None)));
}

#[test]
fn nothing_leaves_this_computer_in_the_clear() {
    let check = |server: &str, expect: &str| {
        let url = Url::parse(server).expect("an address");
        let connection = connection(&url, Some("p w"), Some("meet.example.org"));
        assert_eq!(connection.expect("good").as_str(), expect);
    };
    check(
        "smtps://u@mail.example.org",
        "smtps://u:p%20w@mail.example.org/meet.example.org",
    );
    check(
        "smtp://u@mail.example.org:587?tls=opportunistic",
        "smtp://u:p%20w@mail.example.org:587/meet.example.org?tls=required",
    );
    check(
        "smtp://u@localhost:25?tls=opportunistic",
        "smtp://u:p%20w@localhost:25/meet.example.org",
    );
}
