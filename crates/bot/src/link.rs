//! The way of a media connection to the server: a UDP socket, or a TCP connection with a length before each datagram (RFC
//! 4571). Knows nothing of what is in the datagrams.

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use anyhow::{Context as _, Result};
use str0m::{
    Candidate,
    net::{Protocol, TcpType},
};
use tokio::{
    io::Interest,
    net::{TcpStream, UdpSocket},
};

const DATAGRAM_BYTES: usize = 2000;
/// What waits beyond that for a slow connection is lost, as on any network.
const MOST_UNSENT: usize = 256 << 10;

pub(crate) struct Link {
    wire: Wire,
    /// Our address as the server sees it.
    local: SocketAddr,
    server: SocketAddr,
    buffer: Vec<u8>,
}

enum Wire {
    Udp(UdpSocket),
    Tcp {
        stream: TcpStream,
        /// Received, from the beginning of a frame on.
        came: VecDeque<u8>,
        unsent: VecDeque<u8>,
        over: bool,
    },
}

impl Link {
    pub async fn udp(server: SocketAddr) -> Result<Self> {
        let any: IpAddr = if server.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            Ipv6Addr::UNSPECIFIED.into()
        };
        let probe = UdpSocket::bind((any, 0)).await?;
        let reached = probe.connect(server).await;
        reached.context("no way to the server's media address")?;
        let socket = UdpSocket::bind((probe.local_addr()?.ip(), 0)).await?;
        let local = socket.local_addr()?;
        Ok(Self::new(Wire::Udp(socket), local, server))
    }

    pub async fn tcp(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).await;
        let stream = stream.context("no connection to the server's media address")?;
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        let wire = Wire::Tcp {
            stream,
            came: VecDeque::new(),
            unsent: VecDeque::new(),
            over: false,
        };
        Ok(Self::new(wire, local, server))
    }

    fn new(wire: Wire, local: SocketAddr, server: SocketAddr) -> Self {
        Self {
            wire,
            local,
            server,
            buffer: vec![0; DATAGRAM_BYTES],
        }
    }

    pub fn local(&self) -> SocketAddr {
        self.local
    }

    pub fn protocol(&self) -> Protocol {
        match self.wire {
            Wire::Udp(_) => Protocol::Udp,
            Wire::Tcp { .. } => Protocol::Tcp,
        }
    }

    pub fn candidate(&self) -> Result<Candidate> {
        Ok(match self.wire {
            Wire::Udp(_) => Candidate::host(self.local, "udp")?,
            Wire::Tcp { .. } => {
                let host = Candidate::builder().tcp().host(self.local);
                host.tcptype(TcpType::Active).build()?
            }
        })
    }

    /// Done when there is something to receive or to send on; never when it is over.
    pub async fn ready(&self) {
        let ready = match &self.wire {
            Wire::Udp(socket) => socket.readable().await.is_ok(),
            Wire::Tcp { over: true, .. } => false,
            Wire::Tcp { stream, unsent, .. } => {
                let interest = match unsent.is_empty() {
                    true => Interest::READABLE,
                    false => Interest::READABLE | Interest::WRITABLE,
                };
                stream.ready(interest).await.is_ok()
            }
        };
        if !ready {
            std::future::pending().await
        }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.wire, Wire::Tcp { over: true, .. })
    }

    /// The next datagram and where it is from, if one is there.
    pub fn receive(&mut self) -> Option<(SocketAddr, &[u8])> {
        match &mut self.wire {
            Wire::Udp(socket) => {
                // Anything but data means: nothing more now. A refused port shows as the connection's own timeout.
                let (length, source) = socket.try_recv_from(&mut self.buffer).ok()?;
                Some((source, self.buffer.get(..length)?))
            }
            Wire::Tcp {
                stream, came, over, ..
            } => {
                if whole(came).is_none() {
                    read(stream, &mut self.buffer, came, over);
                }
                let length = whole(came)?;
                self.buffer.clear();
                let frame = came.drain(..LENGTH_BYTES + length).skip(LENGTH_BYTES);
                self.buffer.extend(frame);
                Some((self.server, &self.buffer))
            }
        }
    }

    pub fn send(&mut self, datagram: &[u8], to: SocketAddr) {
        match &mut self.wire {
            Wire::Udp(socket) => {
                // A full buffer loses the packet, as any network may.
                let _ = socket.try_send_to(datagram, to);
            }
            Wire::Tcp { unsent, .. } => {
                if let Ok(length) = u16::try_from(datagram.len())
                    && unsent.len() < MOST_UNSENT
                {
                    unsent.extend(length.to_be_bytes());
                    unsent.extend(datagram);
                }
                self.flush();
            }
        }
    }

    /// Sends what waits, as far as it goes.
    pub fn flush(&mut self) {
        let Wire::Tcp {
            stream,
            unsent,
            over,
            ..
        } = &mut self.wire
        else {
            return;
        };
        while !*over && !unsent.is_empty() {
            match stream.try_write(unsent.as_slices().0) {
                Ok(sent) => drop(unsent.drain(..sent)),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => *over = true,
            }
        }
    }
}

const LENGTH_BYTES: usize = 2;

/// The length of the first frame, if all of it is there.
fn whole(came: &VecDeque<u8>) -> Option<usize> {
    let length = u16::from_be_bytes([*came.front()?, *came.get(1)?]);
    let length = usize::from(length);
    (came.len() >= LENGTH_BYTES + length).then_some(length)
}

/// Until a frame is whole or nothing more is there.
fn read(stream: &TcpStream, buffer: &mut Vec<u8>, came: &mut VecDeque<u8>, over: &mut bool) {
    buffer.resize(DATAGRAM_BYTES, 0);
    while whole(came).is_none() {
        match stream.try_read(buffer) {
            Ok(0) => return *over = true,
            Ok(length) => came.extend(buffer.iter().take(length)),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
            Err(_) => return *over = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn datagrams_keep_their_bounds_over_a_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = listener.local_addr().expect("an address");
        let mut link = Link::tcp(server).await.expect("a link");
        let (mut theirs, from) = listener.accept().await.expect("a connection");
        assert_eq!((link.local(), link.protocol()), (from, Protocol::Tcp));
        link.send(&[7; 1_200], server);
        link.send(&[8; 3], server);
        let mut sent = vec![0; 1_202 + 5];
        theirs.read_exact(&mut sent).await.expect("two frames");
        assert_eq!(
            (&sent[..2], &sent[1_202..]),
            (&[4, 176][..], &[0, 3, 8, 8, 8][..])
        );

        let mut frames = vec![0, 2, 5, 6, 0, 0];
        frames.extend([8, 0]);
        frames.extend([9; 2_048]);
        let mut came: Vec<Vec<u8>> = vec![];
        for piece in frames.chunks(700) {
            theirs.write_all(piece).await.expect("sent");
            link.ready().await;
            while let Some((source, datagram)) = link.receive() {
                assert_eq!(source, server);
                came.push(datagram.to_vec());
            }
        }
        while came.len() < 3 {
            link.ready().await;
            came.extend(link.receive().map(|(_, datagram)| datagram.to_vec()));
        }
        assert_eq!(came, [vec![5, 6], vec![], vec![9; 2_048]]);
        drop(theirs);
        while !link.is_over() {
            link.ready().await;
            assert_eq!(link.receive(), None);
        }
    }
}
