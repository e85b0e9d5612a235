//! What goes wrong with people and networks, one thing at a time.

use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use futures_util::SinkExt;
use protocol::Source;
use tokio_tungstenite::tungstenite::Message;

use crate::crowd::{Crowd, names};
use crate::support::{PASSWORD, Person};

const DATAGRAMS: usize = 3_000;
const CONNECTIONS: usize = 40;
const MUTINGS: usize = 20;
/// Longer than the server waits for somebody who reads nothing.
const UNREAD: Duration = Duration::from_secs(45);
const PAUSE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Crash,
    GarbageDatagrams,
    GarbageConnections,
    GarbageMessages,
    CutSocket,
    StopsReading,
    Paused,
    MoreSlots,
    IceRestart,
    MuteStorm,
}

impl Fault {
    pub const ALL: &'static [Self] = &[
        Self::Crash,
        Self::GarbageDatagrams,
        Self::GarbageConnections,
        Self::GarbageMessages,
        Self::CutSocket,
        Self::StopsReading,
        Self::Paused,
        Self::MoreSlots,
        Self::IceRestart,
        Self::MuteStorm,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Crash => "a client killed without goodbye",
            Self::GarbageDatagrams => "a burst of garbage datagrams",
            Self::GarbageConnections => "connections for media full of nonsense",
            Self::GarbageMessages => "a socket full of nonsense",
            Self::CutSocket => "a socket cut and resumed",
            Self::StopsReading => "a client that stops reading for 45 s",
            Self::Paused => "a client paused for 10 s",
            Self::MoreSlots => "a renegotiation for more slots",
            Self::IceRestart => "an ICE restart",
            Self::MuteStorm => "a mute storm",
        }
    }
}

/// A refusal is an answer like others; whether the victims get well is seen at the end.
pub async fn inflict(fault: Fault, crowd: &mut Crowd<'_>) {
    match fault {
        Fault::Crash => {
            if let Some(bot) = crowd.take_anybody() {
                crowd.note_end(&bot);
                drop(bot);
            }
        }
        Fault::GarbageDatagrams => garbage_datagrams(crowd).await,
        Fault::GarbageConnections => garbage_connections(crowd),
        Fault::GarbageMessages => garbage_messages(crowd).await,
        Fault::CutSocket => {
            if let Some(bot) = crowd.some_bot() {
                let _ = bot.drop_socket().await;
            }
        }
        Fault::StopsReading => crowd.freeze_somebody(UNREAD).await,
        Fault::Paused => crowd.freeze_somebody(PAUSE).await,
        Fault::MoreSlots => {
            if let Some(bot) = crowd.some_bot() {
                let _ = bot.widen(5).await;
            }
        }
        Fault::IceRestart => {
            if let Some(bot) = crowd.some_bot() {
                let _ = bot.restart_ice().await;
            }
        }
        Fault::MuteStorm => {
            if let Some(bot) = crowd.some_bot() {
                for round in 0..MUTINGS {
                    let _ = bot.set_muted(Source::Camera, round % 2 == 0).await;
                }
            }
        }
    }
}

/// Of every kind by its first byte: STUN, DTLS, RTP and RTCP, and what is none of them.
async fn garbage_datagrams(crowd: &mut Crowd<'_>) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let destination = ("127.0.0.1", crowd.media_port);
    for round in 0..DATAGRAMS {
        let length = crowd.random.below(1_200) + 1;
        let mut bytes = crowd.random.bytes(length);
        bytes[0] = [0, 1, 20, 22, 63, 128, 144, 255][round % 8];
        // A full buffer loses it, as any network may.
        let _ = socket.send_to(&bytes, destination);
        if round % 100 == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// All at once, and each for as long as the server bears it.
fn garbage_connections(crowd: &mut Crowd<'_>) {
    let server = ("127.0.0.1", crowd.media_port);
    let connections: Vec<TcpStream> = (0..CONNECTIONS)
        .filter_map(|_| TcpStream::connect(server).ok())
        .collect();
    for (round, mut connection) in connections.iter().enumerate() {
        let length = crowd.random.below(4_000) + 1;
        let mut bytes = crowd.random.bytes(length);
        // Frames of good lengths, lengths that no frame has, and what is not even a whole one.
        bytes[0] = [0, 1, 8, 255][round % 4];
        let _ = connection.write_all(&bytes);
    }
}

async fn garbage_messages(crowd: &mut Crowd<'_>) {
    let person = Person::new(&crowd.house.base);
    for name in names().take(1) {
        person.sign_in(&name, PASSWORD).await;
    }
    let mut socket = person.socket().await.0;
    for round in 0..50 {
        let text = match round % 4 {
            0 => "[".repeat(500),
            1 => r#"{"type":"wave","id":"7"}"#.to_owned(),
            2 => r#"{"type":"publish","id":"7"}"#.to_owned(),
            _ => String::from_utf8_lossy(&crowd.random.bytes(200)).into_owned(),
        };
        // The server may have had enough.
        if socket.send(Message::text(text)).await.is_err() {
            return;
        }
    }
    let _ = socket.send(Message::binary(crowd.random.bytes(100))).await;
}
