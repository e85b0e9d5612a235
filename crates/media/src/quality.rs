//! How each connection does: what was measured of one peer since the last time, given out every ten seconds. Counts and
//! keeps the newest numbers of the engine; decides nothing by them.

use std::time::{Duration, Instant};

use str0m::media::Mid;

use crate::api::{Datagram, Event, PeerId, Source, Transport};
use crate::bandwidth::Bandwidth;
use crate::egress::Egress;
use crate::ingress::is_stun;
use crate::sfu::Sfu;
use crate::uplink::clock_rate;

pub(crate) const INTERVAL: Duration = Duration::from_secs(10);

/// The way of a peer's datagrams. What there is beyond it, such as the address, stays in here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PathKind {
    UdpV4,
    UdpV6,
    TcpV4,
    TcpV6,
}

/// What was measured of one connection over `seconds`. Up is from the client to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    pub seconds: u16,
    pub path: PathKind,
    pub rtt_ms: Option<u32>,
    /// In thousandths of the packets, before any repair.
    pub loss_up: Option<u16>,
    pub loss_down: Option<u16>,
    /// Of what comes up.
    pub jitter_ms: Option<u32>,
    pub up_bps: u64,
    pub down_bps: u64,
    /// What we take the way down for.
    pub estimate_bps: Option<u64>,
    /// How often a picture that goes down changed its layer.
    pub layer_changes: u32,
    /// How often one was paused because the way down is too thin.
    pub pauses: u32,
}

/// What the engine says now and then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reading {
    Peer {
        rtt: Option<Duration>,
        loss_up: Option<f32>,
    },
    /// In units of the section's clock.
    Jitter { mid: Mid, ticks: u32 },
}

/// Of one peer, since the last time.
#[derive(Debug)]
pub(crate) struct Measuring {
    since: Instant,
    path: Option<PathKind>,
    bytes_in: u64,
    bytes_out: u64,
    layer_changes: u32,
    pauses: u32,
    rtt: Option<Duration>,
    loss_up: Option<f32>,
    jitter: Option<Duration>,
}

impl Measuring {
    pub fn new(now: Instant) -> Self {
        Self {
            since: now,
            path: None,
            bytes_in: 0,
            bytes_out: 0,
            layer_changes: 0,
            pauses: 0,
            rtt: None,
            loss_up: None,
            jitter: None,
        }
    }

    pub fn received(&mut self, datagram: &Datagram<'_>) {
        // Checks also keep paths warm that nothing else comes over.
        if self.path.is_none() || !is_stun(datagram.bytes) {
            self.path = Some(match (datagram.transport, datagram.source.is_ipv4()) {
                (Transport::Udp, true) => PathKind::UdpV4,
                (Transport::Udp, false) => PathKind::UdpV6,
                (Transport::Tcp, true) => PathKind::TcpV4,
                (Transport::Tcp, false) => PathKind::TcpV6,
            });
        }
        self.bytes_in += datagram.bytes.len() as u64;
    }

    pub fn sent(&mut self, bytes: usize) {
        self.bytes_out += bytes as u64;
    }

    pub fn changed_layer(&mut self) {
        self.layer_changes = self.layer_changes.saturating_add(1);
    }

    pub fn paused(&mut self) {
        self.pauses = self.pauses.saturating_add(1);
    }

    /// `source`: of the section that a jitter is about.
    pub fn read(&mut self, reading: Reading, source: Option<Source>) {
        match reading {
            Reading::Peer { rtt, loss_up } => (self.rtt, self.loss_up) = (rtt, loss_up),
            Reading::Jitter { ticks, .. } => {
                let Some(source) = source.filter(|_| ticks > 0) else {
                    return;
                };
                let jitter = Duration::from_secs(u64::from(ticks)) / clock_rate(source);
                self.jitter = Some(self.jitter.map_or(jitter, |known| known.max(jitter)));
            }
        }
    }

    /// Once in every interval, for a peer whose way is known.
    fn take(&mut self, now: Instant, egress: &Egress) -> Option<Quality> {
        let elapsed = now.saturating_duration_since(self.since);
        let path = self.path.filter(|_| elapsed >= INTERVAL)?;
        let per_second = |bytes: u64| {
            let bits = u128::from(bytes) * 8 * 1000 / elapsed.as_millis().max(1);
            u64::try_from(bits).unwrap_or(u64::MAX)
        };
        let bandwidth = egress.bandwidth.as_ref();
        let quality = Quality {
            seconds: u16::try_from(elapsed.as_secs()).unwrap_or(u16::MAX),
            path,
            rtt_ms: egress.rtt().or(self.rtt).map(milliseconds),
            loss_up: self.loss_up.map(thousandths),
            loss_down: bandwidth.map(|bandwidth| thousandths(bandwidth.loss())),
            jitter_ms: self.jitter.map(milliseconds),
            up_bps: per_second(self.bytes_in),
            down_bps: per_second(self.bytes_out),
            estimate_bps: bandwidth.map(Bandwidth::estimate_bps),
            layer_changes: self.layer_changes,
            pauses: self.pauses,
        };
        *self = Self {
            path: self.path,
            ..Self::new(now)
        };
        Some(quality)
    }
}

impl Sfu {
    pub(crate) fn measured(&mut self, peer: PeerId, reading: Reading) {
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let source = match reading {
            Reading::Peer { .. } => None,
            Reading::Jitter { mid, .. } => state.source_of(mid),
        };
        state.measuring.read(reading, source);
    }

    /// With each tick: says of every connected peer whose time has come how it does.
    pub(crate) fn report_quality(&mut self) {
        let mut measured = vec![];
        for (peer, state) in self.peers.iter_mut().filter(|(_, state)| state.connected) {
            let quality = state.measuring.take(self.now, &state.egress);
            measured.extend(quality.map(|quality| (state.group, *peer, quality)));
        }
        for (group, peer, quality) in measured {
            self.event(Event::Measured {
                group,
                peer,
                quality,
            });
        }
    }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn thousandths(share: f32) -> u16 {
    (share.clamp(0.0, 1.0) * 1000.0).round() as u16
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests need one arbitrary instant to count from"
)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn an_interval_is_given_once_with_what_fell_into_it() {
        let start = Instant::now();
        let (mut measuring, egress) = (Measuring::new(start), Egress::new(start));
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(measuring.take(at(10), &egress), None, "no way is known yet");
        measuring.received(&Datagram {
            transport: Transport::Udp,
            source: SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 1)),
            destination: SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 2], 2)),
            bytes: &[0; 12_500],
        });
        measuring.sent(125_000);
        measuring.changed_layer();
        let peer = Reading::Peer {
            rtt: Some(Duration::from_millis(48)),
            loss_up: Some(0.0804),
        };
        measuring.read(peer, None);
        for (source, ticks) in [
            (Some(Source::Camera), 900),
            (Some(Source::Microphone), 960),
            (None, 9_000),
        ] {
            let mid = Mid::from("1");
            measuring.read(Reading::Jitter { mid, ticks }, source);
        }
        assert_eq!(measuring.take(at(9), &egress), None);
        let expected = Quality {
            seconds: 10,
            path: PathKind::UdpV6,
            rtt_ms: Some(48),
            loss_up: Some(80),
            loss_down: None,
            jitter_ms: Some(20),
            up_bps: 10_000,
            down_bps: 100_000,
            estimate_bps: None,
            layer_changes: 1,
            pauses: 0,
        };
        assert_eq!(measuring.take(at(10), &egress), Some(expected));
        assert_eq!(measuring.take(at(11), &egress), None);
        let next = measuring.take(at(20), &egress).expect("the next interval");
        assert_eq!((next.up_bps, next.rtt_ms, next.layer_changes), (0, None, 0));
    }
}
