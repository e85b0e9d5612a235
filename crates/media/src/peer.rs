//! All that the core keeps about one peer's connection: its engine, what its slots carry, and how much longer it may stay
//! silent or how much more it may send. What it sends is in `sender`. No knowledge of other peers.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use str0m::media::Mid;
use str0m::rtp::Ssrc;

use crate::allocation::Allocation;
use crate::api::{
    CloseReason, GroupId, IngressLimit, Refusal, SlotIndex, SlotMids, Source, UplinkMids,
};
use crate::clock::SenderClock;
use crate::connection::{Answer, Connection, Fault};
use crate::egress::Egress;
use crate::quality::Measuring;
use crate::sdp::Offer;
use crate::sender::Sender;
use crate::slot::Slot;

/// From the answer on. As long as clients wait, so that none holds on to what never comes up here.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(8);
/// As long as a seat is kept.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);
const CONSENT: Duration = Duration::from_secs(30);
/// Renegotiations of one peer: so many at once, and then one in so long.
const RENEGOTIATION_BURST: u32 = 10;
const RENEGOTIATION_EVERY: Duration = Duration::from_secs(3);
/// Streams that are remembered at once, and that a peer may show in its life.
const SSRCS_KEPT: usize = 20;
const SSRCS_EVER: u32 = 1_000;

pub(crate) struct Peer {
    pub group: GroupId,
    pub connection: Connection,
    pub egress: Egress,
    pub uplink_mids: UplinkMids,
    /// The payload type of sound with redundancy, if the client sends that.
    pub red: Option<u8>,
    redundant: Vec<String>,
    /// The payload type of the house's codec for the camera, if another than VP8 was agreed.
    pub other: Option<u8>,
    /// Shows nothing but VP8, whatever was agreed.
    pub is_plain: bool,
    pub slots: Vec<Slot>,
    pub clock: SenderClock,
    pub connected: bool,
    pub allocation: Allocation,
    /// What the line carries, where a test says so.
    #[cfg(test)]
    pub line_bps: Option<u64>,
    /// The engine has something to say since the last drain.
    pub dirty: bool,
    /// The egress may have something to send since the last flush.
    pub sending: bool,
    /// The entries in the list of timers.
    pub timer: Option<Instant>,
    pub egress_timer: Option<Instant>,
    pub budget: Budget,
    pub measuring: Measuring,
    opened: Instant,
    renegotiations_paid: Instant,
    last_authentic: Instant,
    ssrcs: HashMap<Ssrc, (Source, usize)>,
    ssrcs_ever: u32,
}

/// Whose stream an SSRC is.
pub(crate) enum Stream {
    Of(Source, usize),
    Unknown,
    /// The peer has shown more streams than anybody needs.
    TooMany,
}

impl Peer {
    pub fn new(
        group: GroupId,
        connection: Connection,
        uplink_mids: UplinkMids,
        now: Instant,
    ) -> Self {
        Self {
            group,
            connection,
            egress: Egress::new(now),
            uplink_mids,
            red: None,
            redundant: vec![],
            other: None,
            is_plain: false,
            slots: vec![],
            clock: SenderClock::default(),
            connected: false,
            allocation: Allocation::default(),
            #[cfg(test)]
            line_bps: None,
            dirty: false,
            sending: false,
            timer: None,
            egress_timer: None,
            budget: Budget::new(now),
            measuring: Measuring::new(now),
            opened: now,
            renegotiations_paid: now,
            last_authentic: now,
            ssrcs: HashMap::new(),
            ssrcs_ever: 0,
        }
    }

    /// Answers an offer and takes over what it agreed.
    pub fn negotiate(&mut self, offer: &Offer, slots: &[SlotMids]) -> Result<Answer, Refusal> {
        let answered = self.connection.answer(&offer.sdp);
        if answered.is_ok() {
            self.ssrcs.clear();
            self.redundant.clone_from(&offer.redundant);
            self.slots
                .extend(slots.iter().skip(self.slots.len()).cloned().map(Slot::new));
        }
        self.open_routes().map_err(|_| Refusal::Internal)?;
        answered
    }

    fn open_routes(&mut self) -> Result<(), Fault> {
        let agreed = self.connection.agreed(&self.uplink_mids.camera)?;
        (self.red, self.other) = (agreed.redundancy, agreed.other);
        for slot in &mut self.slots {
            for (mid, lane) in [
                (&slot.mids.audio, &mut slot.audio),
                (&slot.mids.video, &mut slot.video),
            ] {
                let section = self.connection.take_section(mid)?;
                lane.takes_other = section
                    .as_ref()
                    .is_some_and(|section| section.other.is_some());
                lane.route = section.map(|mut section| {
                    if !self.redundant.contains(mid) {
                        section.redundancy = None;
                    }
                    self.egress.open(section)
                });
            }
        }
        Ok(())
    }

    pub fn slot(&mut self, slot: SlotIndex) -> Option<&mut Slot> {
        self.slots.get_mut(usize::from(slot.0))
    }

    pub fn source_of(&self, mid: Mid) -> Option<Source> {
        let mids = &self.uplink_mids;
        let named = [
            (&mids.microphone, Source::Microphone),
            (&mids.camera, Source::Camera),
            (&mids.screen, Source::Screen),
            (&mids.screen_audio, Source::ScreenAudio),
        ];
        named
            .into_iter()
            .find(|(name, _)| name.as_str() == &*mid)
            .map(|(_, source)| source)
    }

    /// `sender`: this peer's.
    pub fn stream_of(&mut self, ssrc: Ssrc, sender: &Sender) -> Result<Stream, Fault> {
        if let Some((source, layer)) = self.ssrcs.get(&ssrc) {
            return Ok(Stream::Of(*source, *layer));
        }
        let Some((mid, rid)) = self.connection.section_of(ssrc)? else {
            return Ok(Stream::Unknown);
        };
        let Some(source) = self.source_of(mid) else {
            return Ok(Stream::Unknown);
        };
        let uplink = sender.uplink(source);
        let Some(layer) = uplink.and_then(|uplink| uplink.layer_of(rid.as_deref())) else {
            return Ok(Stream::Unknown);
        };
        if self.ssrcs.len() >= SSRCS_KEPT {
            self.ssrcs.clear();
        }
        self.ssrcs.insert(ssrc, (source, layer));
        self.ssrcs_ever += 1;
        Ok(if self.ssrcs_ever > SSRCS_EVER {
            Stream::TooMany
        } else {
            Stream::Of(source, layer)
        })
    }

    pub fn ssrcs(&self) -> usize {
        self.ssrcs.len()
    }

    /// Something came that only this peer can have sent.
    pub fn proved(&mut self, now: Instant) {
        self.last_authentic = now;
    }

    /// Whoever was not heard of for so long has not agreed to be sent anything (RFC 7675).
    pub fn listens(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last_authentic) < CONSENT
    }

    /// An offer costs the thread that all share some milliseconds: clients restart their path now and then, not all the
    /// time.
    pub fn may_renegotiate(&mut self, now: Instant) -> bool {
        let free_at = self.renegotiations_paid.max(now);
        let owed = free_at.saturating_duration_since(now) + RENEGOTIATION_EVERY;
        let may = owed <= RENEGOTIATION_EVERY * RENEGOTIATION_BURST;
        if may {
            self.renegotiations_paid = free_at + RENEGOTIATION_EVERY;
        }
        may
    }

    pub fn overdue(&self, now: Instant) -> Option<CloseReason> {
        let since = |then| now.saturating_duration_since(then);
        if !self.connected && since(self.opened) >= HANDSHAKE_TIMEOUT {
            Some(CloseReason::HandshakeTimeout)
        } else if since(self.last_authentic) >= SILENCE_TIMEOUT {
            Some(CloseReason::Silent)
        } else {
            None
        }
    }
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

const WINDOW: Duration = Duration::from_secs(1);
const WINDOWS_ABOVE: u32 = 10;

/// How much of its ingress limit a peer has used in this second, and for how long it has been above.
#[derive(Debug)]
pub(crate) struct Budget {
    window: Instant,
    bytes: u32,
    packets: u32,
    windows_above: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    Within,
    Above,
    /// Above for too long.
    Exhausted,
}

impl Budget {
    pub fn new(now: Instant) -> Self {
        Self {
            window: now,
            bytes: 0,
            packets: 0,
            windows_above: 0,
        }
    }

    pub fn spend(&mut self, now: Instant, bytes: usize, limit: IngressLimit) -> Spent {
        if now.saturating_duration_since(self.window) >= WINDOW {
            let adjacent = now.saturating_duration_since(self.window) < 2 * WINDOW;
            self.windows_above = if self.is_above(limit) && adjacent {
                self.windows_above + 1
            } else {
                0
            };
            (self.window, self.bytes, self.packets) = (now, 0, 0);
        }
        self.bytes = self
            .bytes
            .saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.packets = self.packets.saturating_add(1);
        match (self.is_above(limit), self.windows_above >= WINDOWS_ABOVE) {
            (_, true) => Spent::Exhausted,
            (true, false) => Spent::Above,
            (false, false) => Spent::Within,
        }
    }

    fn is_above(&self, limit: IngressLimit) -> bool {
        self.bytes > limit.bytes_per_second || self.packets > limit.packets_per_second
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests need one arbitrary instant to count from"
)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_at_once_and_ended_after_ten_seconds() {
        let limit = IngressLimit {
            bytes_per_second: 10_000,
            packets_per_second: 100,
        };
        let start = Instant::now();
        let mut budget = Budget::new(start);
        let mut first = [None; 2];
        for packet in 0..4_000u64 {
            let now = start + Duration::from_millis(packet * 5);
            let spent = budget.spend(now, 60, limit);
            for (slot, kind) in first.iter_mut().zip([Spent::Above, Spent::Exhausted]) {
                if spent == kind && slot.is_none() {
                    *slot = Some(packet * 5);
                }
            }
        }
        assert_eq!(first, [Some(500), Some(10_000)]);
    }

    #[test]
    fn a_burst_is_forgiven() {
        let limit = IngressLimit {
            bytes_per_second: 10_000,
            packets_per_second: 100,
        };
        let start = Instant::now();
        let mut budget = Budget::new(start);
        for second in 0..60 {
            let now = start + Duration::from_secs(second);
            let size = if second % 5 == 0 { 20_000 } else { 100 };
            assert_ne!(budget.spend(now, size, limit), Spent::Exhausted);
        }
    }
}
