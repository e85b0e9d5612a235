//! A mail server of a few lines on this computer, that keeps what it is told. In the clear, or with a certificate of its
//! own from the start or after STARTTLS.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const SOON: Duration = Duration::from_secs(20);

pub struct MailServer {
    pub port: u16,
    /// In PEM, for those who are to believe it.
    pub certificate: String,
    letters: Receiver<Letter>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Security {
    Plain,
    StartTls,
    Tls,
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
        Self::with(Security::Plain)
    }

    pub fn with(security: Security) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let own = own.expect("a certificate");
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .expect("a good certificate");
        let tls = Arc::new(tls);
        let (send, letters) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Whoever does not like the certificate hangs up.
                let _ = serve(stream, security, tls.clone(), &send);
            }
        });
        Self {
            port,
            certificate: own.cert.pem(),
            letters,
        }
    }

    pub fn next(&self) -> Letter {
        self.letters.recv_timeout(SOON).expect("a letter")
    }

    /// Nothing came within so long.
    pub fn is_silent(&self, for_so_long: Duration) -> bool {
        self.letters.recv_timeout(for_so_long).err() == Some(RecvTimeoutError::Timeout)
    }
}

fn serve(
    mut stream: TcpStream,
    security: Security,
    tls: Arc<ServerConfig>,
    letters: &Sender<Letter>,
) -> io::Result<()> {
    let encrypted = |stream| {
        let connection = ServerConnection::new(tls.clone()).map_err(io::Error::other)?;
        Ok::<_, io::Error>(StreamOwned::new(connection, stream))
    };
    if security == Security::Tls {
        let mut stream = encrypted(stream)?;
        answer(&mut stream, "220 here")?;
        return talk(&mut stream, Security::Tls, letters).map(drop);
    }
    answer(&mut stream, "220 here")?;
    if talk(&mut stream, security, letters)? {
        talk(&mut encrypted(stream)?, Security::Tls, letters)?;
    }
    Ok(())
}

/// Until the end, or `true` when what comes next is encrypted.
fn talk(
    stream: &mut (impl Read + Write),
    security: Security,
    letters: &Sender<Letter>,
) -> io::Result<bool> {
    let mut to = String::new();
    loop {
        let line = read_line(stream)?;
        match line.as_str() {
            "DATA" => {
                answer(stream, "354 go on")?;
                let text = read_text(stream)?;
                let letter = Letter {
                    to: to.clone(),
                    text,
                };
                let _ = letters.send(letter);
                answer(stream, "250 taken")?;
            }
            "STARTTLS" => {
                answer(stream, "220 go on")?;
                return Ok(true);
            }
            "QUIT" => return answer(stream, "221 bye").map(|()| false),
            line if line.starts_with("EHLO") && security == Security::StartTls => {
                answer(stream, "250-here\r\n250 STARTTLS")?;
            }
            line => {
                if let Some(address) = line.strip_prefix("RCPT TO:") {
                    to = address.trim_matches(['<', '>']).to_owned();
                }
                answer(stream, "250 fine")?;
            }
        }
    }
}

fn answer(stream: &mut impl Write, text: &str) -> io::Result<()> {
    stream.write_all(format!("{text}\r\n").as_bytes())?;
    stream.flush()
}

fn read_line(stream: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\r\n") {
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    let line = String::from_utf8_lossy(&line);
    Ok(line.trim_end().to_owned())
}

fn read_text(stream: &mut impl Read) -> io::Result<String> {
    let mut text = String::new();
    loop {
        let line = read_line(stream)?;
        if line == "." {
            return Ok(text.replace("=\n", "").replace("=3D", "="));
        }
        text.push_str(&line);
        text.push('\n');
    }
}
