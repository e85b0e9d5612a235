//! From a datagram to the peer that sent it: by its address, which is learned here and nowhere else, and then into the
//! engine or, for RTCP about what we send, into the egress. What belongs to another shard goes on to that. The part of
//! [`Sfu`] that strangers can reach.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use str0m::ice::StunMessage;
use str0m::net::Receive;

use crate::api::{CloseReason, Datagram, PeerId, ShardIndex, Transport};
use crate::batch::Path;
use crate::peer::Spent;
use crate::pipe::Said;
use crate::sfu::Sfu;
use crate::shards::{Parcel, Whose};

/// More than a reply to a connectivity check takes.
const REPLY_BYTES: usize = 256;

/// Whom a connectivity check is from.
enum Check {
    Authentic {
        peer: PeerId,
        is_nominated: bool,
        /// To a check with credentials that the engine has forgotten.
        reply: Option<Vec<u8>>,
    },
    /// That can only be told there.
    Elsewhere(ShardIndex),
}

impl Sfu {
    pub(crate) fn datagram(&mut self, datagram: Datagram<'_>) {
        self.stats.datagrams_in += 1;
        self.stats.bytes_in += datagram.bytes.len() as u64;
        self.take_in(datagram, None);
    }

    /// What landed at another shard. It goes no further, whatever it says.
    pub(crate) fn parcel(&mut self, from: ShardIndex, parcel: &Parcel) {
        for datagram in parcel.datagrams() {
            self.take_in(datagram, Some(from));
        }
    }

    /// `landed`: at which other shard.
    fn take_in(&mut self, datagram: Datagram<'_>, landed: Option<ShardIndex>) {
        let destination = self.local_address(datagram);
        // Whoever sends this is unknown yet, so the wall is around the parser.
        let parsed = catch_unwind(AssertUnwindSafe(|| {
            Receive::new(
                datagram.transport.into(),
                datagram.source,
                destination,
                datagram.bytes,
            )
            .ok()
        }));
        let Ok(Some(received)) = parsed else {
            self.stats.dropped_malformed += 1;
            return;
        };
        let peer = if is_stun(datagram.bytes) {
            self.stun_sender(datagram, destination, landed)
        } else {
            self.known_sender(datagram, landed)
        };
        let Some(peer) = peer else { return };
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        match state
            .budget
            .spend(self.now, datagram.bytes.len(), self.config.ingress)
        {
            Spent::Above => return self.stats.dropped_over_limit += 1,
            Spent::Exhausted => return self.close(peer, CloseReason::TooMuch),
            Spent::Within => state.measuring.received(&datagram),
        }
        if is_rtcp(datagram.bytes) {
            self.rtcp(peer, datagram, received);
        } else {
            let received = state.connection.receive(self.now, received);
            self.settle(peer, received);
        }
    }

    /// What a client says of the streams that it gets is ours to hear, and the rest the engine's.
    fn rtcp(&mut self, peer: PeerId, datagram: Datagram<'_>, received: Receive<'_>) {
        let path = Path {
            transport: datagram.transport,
            source: received.destination,
            destination: datagram.source,
        };
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let Some(heard) = state.egress.receive(self.now, path, datagram.bytes) else {
            self.stats.dropped_unauthentic += 1;
            return;
        };
        state.proved(self.now);
        if heard.is_for_engine {
            let received = state.connection.receive(self.now, received);
            self.settle(peer, received);
        }
        for route in heard.keyframes {
            self.keyframe_wanted(peer, route);
        }
        self.mark_sending(peer);
    }

    /// The address that the client knows us by. Behind a translated address it is not the one the packet came to.
    fn local_address(&self, datagram: Datagram<'_>) -> SocketAddr {
        let candidates = match datagram.transport {
            Transport::Udp => &self.config.candidates,
            Transport::Tcp => &self.config.tcp_candidates,
        };
        let came_to = datagram.destination;
        if candidates.contains(&came_to) {
            return came_to;
        }
        let mut alike = candidates
            .iter()
            .filter(|known| known.is_ipv4() == came_to.is_ipv4());
        let first = alike.clone().next();
        alike
            .find(|known| known.port() == came_to.port())
            .or(first)
            .copied()
            .unwrap_or(came_to)
    }

    fn known_sender(
        &mut self,
        datagram: Datagram<'_>,
        landed: Option<ShardIndex>,
    ) -> Option<PeerId> {
        let remote = (datagram.transport, datagram.source);
        if landed.is_none()
            && let Whose::Of(shard) = self.handover.at(remote)
        {
            self.hand_over(shard, datagram);
            return None;
        }
        let peer = self.demux.by_address(datagram.transport, datagram.source);
        if peer.is_none() {
            self.stats.dropped_unknown_address += 1;
            if let Some(shard) = landed {
                self.say(shard, Said::Forget { remote });
            }
        }
        peer
    }

    fn hand_over(&mut self, shard: ShardIndex, datagram: Datagram<'_>) {
        self.stats.handed_over += 1;
        self.handover.put(shard, datagram);
    }

    /// An address is learned here and nowhere else: from a request with the password of the peer that it names.
    fn stun_sender(
        &mut self,
        datagram: Datagram<'_>,
        destination: SocketAddr,
        landed: Option<ShardIndex>,
    ) -> Option<PeerId> {
        let remote = (datagram.transport, datagram.source);
        let (peer, is_nominated, reply) = match self.check(datagram, landed) {
            Some(Check::Authentic {
                peer,
                is_nominated,
                reply,
            }) => (peer, is_nominated, reply),
            Some(Check::Elsewhere(shard)) => {
                match self.handover.admits(self.now, remote) {
                    true => self.hand_over(shard, datagram),
                    false => self.stats.dropped_over_limit += 1,
                }
                return None;
            }
            None => {
                self.stats.dropped_unauthentic += 1;
                return None;
            }
        };
        let now = self.now;
        let state = self.peers.get(&peer)?;
        if let Some(path) = state.egress.paths.current() {
            // Checks can be sent again by anybody who saw them, from anywhere.
            self.demux.uses(peer, (path.transport, path.destination));
        }
        let is_news = self.demux.prove(now, peer, remote, landed);
        match landed {
            Some(shard) if is_news => self.say(shard, Said::Confirm { remote }),
            Some(_) => {}
            None => self.handover.is_ours(remote),
        }
        let path = Path {
            transport: datagram.transport,
            source: destination,
            destination: datagram.source,
        };
        let state = self.peers.get_mut(&peer)?;
        state.proved(now);
        if is_nominated {
            state.egress.paths.client_nominates(now, path);
        }
        if let Some(reply) = reply {
            // The engine knows nothing of the path that the client leaves; until then it lives on.
            self.batch.push_datagram(path, &reply);
            return None;
        }
        Some(peer)
    }

    fn check(&self, datagram: Datagram<'_>, landed: Option<ShardIndex>) -> Option<Check> {
        let (demux, crypto, now) = (&self.demux, &self.crypto, self.now);
        let proven = catch_unwind(AssertUnwindSafe(|| {
            let message = StunMessage::parse(datagram.bytes)
                .ok()
                .filter(|message| message.is_binding_request())?;
            let (ufrag, _) = message.split_username()?;
            if let Whose::Of(shard) = self.handover.named(ufrag) {
                return landed.is_none().then_some(Check::Elsewhere(shard));
            }
            let claim = demux.claimed(now, ufrag)?;
            let password = claim.password.as_bytes();
            let hmac =
                |key: &[u8], parts: &[&[u8]]| crypto.sha1_hmac_provider.sha1_hmac(key, parts);
            if !message.verify(password, hmac) {
                return None;
            }
            let reply = claim.is_former.then(|| {
                let mut bytes = vec![0; REPLY_BYTES];
                let reply = StunMessage::binding_reply(message.trans_id(), datagram.source);
                let length = reply.to_bytes(Some(password), &mut bytes, hmac).ok()?;
                bytes.truncate(length);
                Some(bytes)
            });
            Some(Check::Authentic {
                peer: claim.peer,
                is_nominated: message.use_candidate(),
                reply: reply.flatten(),
            })
        }));
        proven.ok().flatten()
    }
}

/// RTP and RTCP share a port; the second byte tells them apart (RFC 5761, section 4).
fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, 192..=223, ..])
}

/// RFC 7983, section 7.
pub(crate) fn is_stun(datagram: &[u8]) -> bool {
    matches!(datagram, [0..=3, ..])
}

pub(crate) fn is_dtls(datagram: &[u8]) -> bool {
    matches!(datagram, [20..=63, ..])
}

pub(crate) fn rtcp_sender(datagram: &[u8]) -> Option<u32> {
    let ssrc = datagram.get(4..)?.first_chunk()?;
    is_rtcp(datagram).then_some(u32::from_be_bytes(*ssrc))
}
