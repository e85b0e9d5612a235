//! A mail server of a few lines on this computer, that keeps what it is told.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

pub struct MailServer {
    pub port: u16,
    letters: Receiver<Letter>,
}

#[derive(Debug)]
pub struct Letter {
    pub to: String,
    /// Headers and text, soft line breaks taken out.
    pub text: String,
}

impl Letter {
    /// The token behind `<page>#`.
    pub fn token(&self, page: &str) -> String {
        let (_, rest) = self
            .text
            .split_once(&format!("/{page}#"))
            .unwrap_or_else(|| panic!("a link in {self:?}"));
        rest.split_whitespace().next().expect("a token").to_owned()
    }
}

impl MailServer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (send, letters) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let letter = talk(stream).ok().flatten();
                if letter.is_some_and(|letter| send.send(letter).is_err()) {
                    return;
                }
            }
        });
        Self { port, letters }
    }

    pub fn next(&self) -> Letter {
        self.letters.recv_timeout(SOON).expect("a letter")
    }

    /// Nothing came within so long.
    pub fn is_silent(&self, for_so_long: Duration) -> bool {
        self.letters.recv_timeout(for_so_long).err() == Some(RecvTimeoutError::Timeout)
    }
}

fn talk(stream: TcpStream) -> std::io::Result<Option<Letter>> {
    let mut write = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    let (mut to, mut text, mut letter) = (String::new(), None, None);
    write.write_all(b"220 here\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        if let Some(lines) = &mut text {
            if line != "." {
                let lines: &mut String = lines;
                lines.push_str(&line);
                lines.push('\n');
                continue;
            }
            let whole = text.take().unwrap_or_default();
            let text = whole.replace("=\n", "").replace("=3D", "=");
            letter = Some(Letter {
                to: to.clone(),
                text,
            });
            write.write_all(b"250 taken\r\n")?;
            continue;
        }
        let answer = match line.as_str() {
            "DATA" => {
                text = Some(String::new());
                "354 go on"
            }
            "QUIT" => "221 bye",
            other => {
                if let Some(address) = other.strip_prefix("RCPT TO:") {
                    to = address.trim_matches(['<', '>']).to_owned();
                }
                "250 fine"
            }
        };
        write.write_all(format!("{answer}\r\n").as_bytes())?;
        if line == "QUIT" {
            break;
        }
    }
    Ok(letter)
}
