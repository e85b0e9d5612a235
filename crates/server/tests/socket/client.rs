//! A client that knows JSON and nothing else. It waits for what it wants to see and keeps what it has not looked at.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::support::{Person, answer};

/// Far more than anything takes; a test that waits so long fails.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Socket {
    pub stream: WebSocketStream<TcpStream>,
    /// Read and not yet asked for.
    pub unseen: VecDeque<Value>,
}

pub async fn ticket(person: &Person) -> String {
    let answer = person.post("/api/v1/tickets", json!({})).await;
    answer.json()["ticket"]
        .as_str()
        .expect("a ticket")
        .to_owned()
}

/// A guest's grant for a room.
pub async fn grant(person: &Person, room: &str, name: &str) -> String {
    let answer = person
        .post("/api/v1/guests", json!({"room": room, "name": name}))
        .await;
    answer.json()["grant"]
        .as_str()
        .unwrap_or_else(|| panic!("no grant: {answer:?}"))
        .to_owned()
}

pub async fn guest_ticket(person: &Person, grant: &str) -> String {
    let request = person
        .request(Method::POST, "/api/v1/tickets")
        .bearer_auth(grant)
        .json(&json!({}));
    answer(request).await.json()["ticket"]
        .as_str()
        .expect("a ticket")
        .to_owned()
}

/// `None`: a client that is no browser and names no origin.
pub async fn knock(base: &str, origin: Option<&str>, ticket: &str) -> Result<Socket, u16> {
    knock_with_buffer(base, origin, ticket, None).await
}

pub async fn knock_with_buffer(
    base: &str,
    origin: Option<&str>,
    ticket: &str,
    receive_buffer: Option<u32>,
) -> Result<Socket, u16> {
    let address = base
        .replace("http://localhost", "127.0.0.1")
        .parse()
        .expect("an address");
    let tcp = TcpSocket::new_v4().expect("a socket");
    if let Some(bytes) = receive_buffer {
        tcp.set_recv_buffer_size(bytes).expect("a small buffer");
    }
    let tcp = tcp.connect(address).await.expect("a connection");
    let url = format!(
        "{}/api/v1/socket?ticket={ticket}",
        base.replace("http", "ws")
    );
    let mut request = url.into_client_request().expect("a request");
    if let Some(origin) = origin {
        request
            .headers_mut()
            .insert("origin", origin.parse().expect("an origin"));
    }
    match client_async(request, tcp).await {
        Ok((stream, _)) => Ok(Socket {
            stream,
            unseen: VecDeque::new(),
        }),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

impl Socket {
    /// With `welcome` behind it.
    pub async fn greeted(base: &str, ticket: &str) -> Self {
        let mut socket = knock(base, Some(base), ticket).await.expect("a socket");
        socket.hello().await;
        socket
    }

    pub async fn of(person: &Person, base: &str) -> Self {
        Self::greeted(base, &ticket(person).await).await
    }

    /// Says goodbye first, as browsers do.
    pub async fn close(&mut self, code: CloseCode) {
        let frame = CloseFrame {
            code,
            reason: "".into(),
        };
        self.stream
            .close(Some(frame))
            .await
            .expect("an open socket");
    }

    pub async fn hello(&mut self) -> Value {
        self.send(
            json!({"type": "hello", "versions": [1], "client": {"name": "test", "version": "0"}}),
        )
        .await;
        self.wait_for("welcome").await
    }

    /// A device of somebody, with their home page in front.
    pub async fn device(person: &Person, base: &str, browser: &str) -> Self {
        let ticket = ticket(person).await;
        let mut socket = knock(base, Some(base), &ticket).await.expect("a socket");
        let client = json!({"name": "test", "version": "0"});
        socket
            .send(json!({"type": "hello", "versions": [1], "client": client, "browser": browser}))
            .await;
        socket.wait_for("welcome").await;
        socket
    }

    /// The next change of the home page of this kind.
    pub async fn home(&mut self, kind: &str) -> Value {
        let is =
            |message: &Value| message["type"] == "home_delta" && message["change"]["type"] == kind;
        self.wait(is).await["change"].clone()
    }

    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.stream
            .send(Message::text(text))
            .await
            .expect("an open socket");
    }

    /// `ok`, or the code of the refusal.
    pub async fn intend(&mut self, mut message: Value) -> Result<(), String> {
        message["id"] = json!("i");
        self.send(message).await;
        self.answer().await
    }

    pub async fn answer(&mut self) -> Result<(), String> {
        let answer = self
            .wait(|message| message["type"] == "ok" || message["type"] == "error")
            .await;
        match answer["code"].as_str() {
            None => Ok(()),
            Some(code) => Err(code.to_owned()),
        }
    }

    pub async fn join(&mut self, room: &str, device: &str) -> Result<(), String> {
        self.intend(json!({"type": "join_room", "room": room, "device": device}))
            .await
    }

    /// Joins, and the view of the room.
    pub async fn enter(&mut self, room: &str, device: &str) -> Value {
        self.join(room, device).await.expect("let in");
        self.view().await
    }

    pub async fn view(&mut self) -> Value {
        self.wait_for("room_snapshot").await["room"].clone()
    }

    pub async fn wait_for(&mut self, kind: &str) -> Value {
        self.wait(|message| message["type"] == kind).await
    }

    /// The next delta of the room of this kind.
    pub async fn change(&mut self, kind: &str) -> Value {
        let is =
            |message: &Value| message["type"] == "room_delta" && message["change"]["type"] == kind;
        self.wait(is).await["change"].clone()
    }

    /// The first message, of those not asked for before, that is like this. The others stay.
    pub async fn wait(&mut self, is: impl Fn(&Value) -> bool) -> Value {
        if let Some(index) = self.unseen.iter().position(&is) {
            return self.unseen.remove(index).expect("it is there");
        }
        loop {
            let message = self
                .next()
                .await
                .unwrap_or_else(|code| panic!("closed with {code} after {:?}", self.unseen));
            if is(&message) {
                return message;
            }
            self.unseen.push_back(message);
        }
    }

    /// Everything until the socket closes, and its code.
    pub async fn closed(&mut self) -> (Vec<Value>, u16) {
        let mut seen: Vec<_> = self.unseen.drain(..).collect();
        loop {
            match self.next().await {
                Ok(message) => seen.push(message),
                Err(code) => return (seen, code),
            }
        }
    }

    /// Everything that the server sent before it answered a ping.
    pub async fn settle(&mut self) {
        self.send(json!({"type": "ping", "id": "settle"})).await;
        self.wait(|message| message["type"] == "pong" && message["id"] == "settle")
            .await;
    }

    async fn next(&mut self) -> Result<Value, u16> {
        let next = timeout(PATIENCE, next(&mut self.stream)).await;
        next.unwrap_or_else(|_| panic!("nothing came; unseen: {:?}", self.unseen))
    }
}

async fn next(stream: &mut WebSocketStream<TcpStream>) -> Result<Value, u16> {
    loop {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).expect("JSON")),
            Some(Ok(Message::Close(frame))) => {
                return Err(frame.map_or(1005, |frame| frame.code.into()));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(1006),
        }
    }
}

/// Names, in order; `~` for those who are expected back.
pub fn people(view: &Value) -> Vec<String> {
    let name = |participant: &Value| {
        let away = if participant["presence"] == "reconnecting" {
            "~"
        } else {
            ""
        };
        format!("{}{away}", participant["name"].as_str().expect("a name"))
    };
    view["participants"]
        .as_array()
        .expect("a list")
        .iter()
        .map(name)
        .collect()
}
