//! One UDP socket of the media port: receives batches, with the address that each datagram was really sent to, and
//! sends batches from the address that the peer knows.

use std::collections::HashSet;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};

use ::media::{Batch, Transport};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};

use super::send::{Run, Sender};
use super::sys;

/// A keyframe to many people, or a moment in which the thread had no processor.
const BUFFER_BYTES: usize = 4 << 20;
const DATAGRAM_BYTES: usize = 2_048;

pub struct Socket {
    socket: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    buffers: Vec<Vec<u8>>,
    metas: Vec<RecvMeta>,
    sender: Sender,
    /// Addresses that datagrams came to, and that may therefore be sent from.
    own: HashSet<IpAddr>,
}

impl Socket {
    /// Refused where the port is another's, whatever that allows.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Self::new(sys::bind(address, false)?)
    }

    /// Another one on the port of this one, which both share from now on. The kernel chooses by the addresses of what comes.
    pub fn beside(&self) -> io::Result<Self> {
        sys::share_port(&self.socket)?;
        Self::new(sys::bind(self.local, true)?)
    }

    fn new(socket: UdpSocket) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        for set in [
            UdpSocketState::set_recv_buffer_size,
            UdpSocketState::set_send_buffer_size,
        ] {
            if let Err(error) = set(&state, (&socket).into(), BUFFER_BYTES) {
                tracing::debug!(%error, "the media socket keeps its small buffer");
            }
        }
        let local = socket.local_addr()?;
        let buffer = DATAGRAM_BYTES * state.gro_segments().max(1);
        Ok(Self {
            sender: Sender::new(state.max_gso_segments() > 1),
            socket,
            state,
            local,
            buffers: vec![vec![0; buffer]; BATCH_SIZE],
            metas: vec![RecvMeta::default(); BATCH_SIZE],
            own: HashSet::new(),
        })
    }

    pub fn port(&self) -> u16 {
        self.local.port()
    }

    /// Datagrams to this address came in over another socket of the port: it may be sent from.
    pub fn learn(&mut self, own: IpAddr) {
        if own.is_ipv4() == self.local.is_ipv4() && !self.own.contains(&own) {
            self.own.insert(own);
        }
    }

    /// Gives each datagram of the next batch with its source and destination. False when nothing was there.
    pub fn receive(&mut self, mut each: impl FnMut(SocketAddr, SocketAddr, &[u8])) -> bool {
        let mut slices: Vec<IoSliceMut<'_>> = self
            .buffers
            .iter_mut()
            .map(|buffer| IoSliceMut::new(buffer))
            .collect();
        let Ok(count) = self
            .state
            .recv((&self.socket).into(), &mut slices, &mut self.metas)
        else {
            return false;
        };
        drop(slices);
        for (meta, buffer) in self.metas.iter().zip(&self.buffers).take(count) {
            let destination = meta.dst_ip.unwrap_or(self.local.ip());
            self.own.insert(destination);
            let destination = SocketAddr::new(destination, self.local.port());
            let bytes = buffer.get(..meta.len).unwrap_or_default();
            for datagram in bytes.chunks(meta.stride.max(1)) {
                each(meta.addr, destination, datagram);
            }
        }
        count > 0
    }

    /// Sends those of the same address family. Gives the number of datagrams that the kernel refused.
    pub fn send(&mut self, batch: &Batch) -> usize {
        let runs: Vec<Run<'_>> = batch
            .runs()
            .filter(|run| run.transport == Transport::Udp)
            .filter(|run| run.destination.is_ipv4() == self.local.is_ipv4())
            .map(|transmit| Run {
                // Behind a translated address the peer knows one that is not ours to send from.
                source: Some(transmit.source.ip()).filter(|source| self.own.contains(source)),
                transmit,
            })
            .collect();
        self.sender.send(&self.socket, &runs)
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
