//! One plain GET over loopback, for asking a server of ours whether it is there.
//!
//! No TLS, no redirects, no keep-alive: it reads to the end of the connection.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

const LIMIT: Duration = Duration::from_secs(10);

/// Status and everything after the headers.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub body: String,
}

pub fn get(port: u16, path: &str) -> Result<Response> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&String::from_utf8_lossy(&bytes))
        .with_context(|| format!("no HTTP answer from port {port}"))
}

fn parse(text: &str) -> Option<Response> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head
        .strip_prefix("HTTP/1.1 ")?
        .split(' ')
        .next()?
        .parse()
        .ok()?;
    Some(Response {
        status,
        body: body.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_told_apart() {
        let response =
            parse("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 5\r\n\r\nstart\r\n\r\n")
                .unwrap();
        assert_eq!(
            (response.status, response.body.as_str()),
            (503, "start\r\n\r\n")
        );
        assert!(parse("SSH-2.0-OpenSSH\r\n").is_none());
        assert!(parse("HTTP/1.1 200 OK\r\n").is_none());
    }
}
