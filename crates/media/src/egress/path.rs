//! Where our packets to a client go: to the address that it last sent authentic RTCP from, since a client uses the
//! path that it chose and answers what comes there. Before that, and when that path has fallen silent, to the one that
//! the engine uses or the client nominates.

use std::time::{Duration, Instant};

use crate::batch::Path;

/// A path from which nothing authentic came for so long gives way to one that the client nominates.
const SILENT_AFTER: Duration = Duration::from_millis(1_500);

#[derive(Debug, Default)]
pub(crate) struct Paths {
    current: Option<(Path, Instant)>,
}

impl Paths {
    pub fn current(&self) -> Option<Path> {
        self.current.map(|(path, _)| path)
    }

    /// The engine sends its handshake there.
    pub fn engine_uses(&mut self, now: Instant, path: Path) {
        self.current.get_or_insert((path, now));
    }

    /// Something came from there that only the client can have sent over the path it chose.
    pub fn client_uses(&mut self, now: Instant, path: Path) {
        self.current = Some((path, now));
    }

    /// The client checked this path with our password, and means to use it or keeps it warm.
    pub fn client_nominates(&mut self, now: Instant, path: Path) {
        match &mut self.current {
            Some((current, heard)) if *current == path => *heard = now,
            Some((_, heard)) if now.saturating_duration_since(*heard) < SILENT_AFTER => {}
            current => *current = Some((path, now)),
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests need one arbitrary instant to count from"
)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::api::Transport;

    fn path(port: u16) -> Path {
        Path {
            transport: Transport::Udp,
            source: SocketAddr::from(([192, 0, 2, 1], 1)),
            destination: SocketAddr::from(([192, 0, 2, 2], port)),
        }
    }

    #[test]
    fn packets_follow_the_client() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut paths = Paths::default();
        assert_eq!(paths.current(), None);
        paths.engine_uses(at(0), path(1));
        paths.engine_uses(at(10), path(2));
        assert_eq!(
            paths.current(),
            Some(path(1)),
            "the engine says only the first"
        );
        paths.client_nominates(at(1_000), path(2));
        assert_eq!(paths.current(), Some(path(1)), "a second path is kept warm");
        paths.client_uses(at(1_100), path(2));
        assert_eq!(
            paths.current(),
            Some(path(2)),
            "the client answers from there"
        );
        paths.client_nominates(at(2_500), path(2));
        paths.client_nominates(at(3_900), path(1));
        assert_eq!(paths.current(), Some(path(2)), "heard of 1.4 s ago");
        paths.client_nominates(at(4_000), path(1));
        assert_eq!(paths.current(), Some(path(1)), "the other one is silent");
    }
}
