//! The core itself: takes datagrams, commands and time in, gives datagrams and events out. Owns the peers, the groups,
//! the address book and the timers; whose a datagram is, is found out in `ingress`, and what happens to media packets is in
//! `forwarding`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::crypto::CryptoProvider;

use crate::api::{
    Certificate, CloseReason, Command, Config, Event, GroupId, Input, Negotiate, Output, PeerId,
    Refusal, ShardIndex, Stats,
};
use crate::batch::Batch;
use crate::connection::{Connection, Fault, Happening};
use crate::demux::Demux;
use crate::egress::keys;
use crate::group::Group;
use crate::ingress::{is_dtls, is_stun, rtcp_sender};
use crate::peer::Peer;
use crate::pipe::{Message, Said};
use crate::sdp;
use crate::sender::{Home, Sender};
use crate::shards::Handover;
use crate::sound_sdp;

/// Housekeeping: dead layers, keyframes that did not come, speakers, deadlines.
const TICK: Duration = Duration::from_millis(100);

pub struct Sfu {
    pub(crate) config: Config,
    pub(crate) crypto: Arc<CryptoProvider>,
    /// Who is connected here.
    pub(crate) peers: BTreeMap<PeerId, Peer>,
    /// What each of them sends, and those whom they meet that are connected elsewhere.
    pub(crate) senders: BTreeMap<PeerId, Sender>,
    pub(crate) groups: BTreeMap<GroupId, Group>,
    pub(crate) demux: Demux,
    pub(crate) handover: Handover,
    /// For other shards.
    pub(crate) said: VecDeque<(ShardIndex, Message)>,
    timers: BTreeSet<(Instant, PeerId, Timer)>,
    pub(crate) dirty: Vec<PeerId>,
    pub(crate) sending: Vec<PeerId>,
    next_tick: Option<Instant>,
    /// The latest time that came in.
    pub(crate) now: Instant,
    pub(crate) batch: Batch,
    /// Taken for the next batch, so that its memory is used again.
    spare: Batch,
    events: VecDeque<Event>,
    pub(crate) stats: Stats,
}

/// What a peer's timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Engine,
    Egress,
}

impl Sfu {
    /// The first that it says is to all other shards: that it is new.
    pub fn new(config: Config, now: Instant) -> Self {
        let handover = Handover::new(config.shard, config.shards);
        let all = (0..config.shards).map(ShardIndex);
        let others = all.filter(|shard| *shard != config.shard);
        Self {
            said: others.map(|shard| (shard, Message(Said::Anew))).collect(),
            handover,
            config,
            crypto: Arc::new(keys::provider()),
            peers: BTreeMap::new(),
            senders: BTreeMap::new(),
            groups: BTreeMap::new(),
            demux: Demux::default(),
            timers: BTreeSet::new(),
            dirty: vec![],
            sending: vec![],
            next_tick: None,
            now,
            batch: Batch::default(),
            spare: Batch::default(),
            events: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// The first engine of a process takes some 40 ms to build; nobody's join should pay for it. False if none can be
    /// built, because of the certificate.
    pub fn warm_up(&self) -> bool {
        Connection::open(&self.config, &self.crypto, self.now).is_ok()
    }

    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        self.now = self.now.max(now);
        match input {
            Input::Datagram(datagram) => self.datagram(datagram),
            Input::Command(command) => self.command(command),
            Input::Parcel { from, parcel } => self.parcel(from, &parcel),
            Input::Pipe { from, message } => self.heard_from(from, message),
        }
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = self.now.max(now);
        while let Some(due) = self.timers.pop_first() {
            let (at, peer, timer) = due;
            if at > self.now {
                self.timers.insert(due);
                break;
            }
            let Some(state) = self.peers.get_mut(&peer) else {
                continue;
            };
            match timer {
                Timer::Engine => {
                    state.timer = None;
                    let advanced = state.connection.advance(self.now);
                    self.settle(peer, advanced);
                }
                Timer::Egress => {
                    state.egress_timer = None;
                    self.mark_sending(peer);
                }
            }
        }
        if self.next_tick.is_some_and(|at| at <= self.now) {
            self.next_tick = None;
            self.tick();
        }
        self.schedule_tick();
    }

    /// To be called until it has nothing more to give.
    pub fn poll_output(&mut self) -> Option<Output> {
        while let Some(peer) = self.dirty.pop() {
            let Some(state) = self.peers.get_mut(&peer) else {
                continue;
            };
            state.dirty = false;
            let advanced = state.connection.advance(self.now);
            self.settle(peer, advanced);
        }
        while !self.batch.is_full()
            && let Some(peer) = self.sending.pop()
        {
            self.flush(peer);
        }
        if let Some(word) = self.poll_word() {
            return Some(word);
        }
        if self.batch.is_empty() {
            return self.events.pop_front().map(Output::Event);
        }
        self.stats.datagrams_out += self.batch.datagrams() as u64;
        self.stats.bytes_out += self.batch.bytes() as u64;
        let next = std::mem::take(&mut self.spare);
        Some(Output::Transmit(std::mem::replace(&mut self.batch, next)))
    }

    /// What is for other shards goes before what is for clients: whoever hears that its address is known sends from it at
    /// once, and that may land elsewhere.
    fn poll_word(&mut self) -> Option<Output> {
        if let Some((to, parcel)) = self.handover.poll() {
            return Some(Output::Parcel { to, parcel });
        }
        let (to, message) = self.said.pop_front()?;
        Some(Output::Pipe { to, message })
    }

    /// Takes a batch back that was sent.
    pub fn reuse(&mut self, mut batch: Batch) {
        batch.clear();
        self.spare = batch;
    }

    fn flush(&mut self, peer: PeerId) {
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        state.sending = false;
        let before = self.batch.bytes();
        state.egress.flush(self.now, &mut self.batch);
        state.measuring.sent(self.batch.bytes() - before);
        let Some(next) = state.egress.poll_timeout() else {
            return;
        };
        // An earlier timer stays: it costs less to look in vain than to move it after each packet.
        if state.egress_timer.is_some_and(|set| set <= next) {
            return;
        }
        if let Some(later) = state.egress_timer.replace(next) {
            self.timers.remove(&(later, peer, Timer::Egress));
        }
        self.timers.insert((next, peer, Timer::Egress));
    }

    /// When to call `handle_timeout` if nothing comes before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timer = self.timers.first().map(|(at, _, _)| *at);
        [timer, self.next_tick].into_iter().flatten().min()
    }

    /// Whether this peer is connected here, or about to be.
    pub fn knows(&self, peer: PeerId) -> bool {
        self.peers.contains_key(&peer)
    }

    pub fn stats(&self) -> Stats {
        let uplinks = self.senders.values().flat_map(|sender| &sender.uplinks);
        Stats {
            peers: self.peers.len(),
            groups: self.groups.len(),
            addresses: self.demux.addresses(),
            away: self.handover.addresses(),
            ufrags: self.demux.ufrags(),
            ssrcs: self.peers.values().map(Peer::ssrcs).sum(),
            subscriptions: uplinks.map(|uplink| uplink.subscribers.len()).sum(),
            timers: self.timers.len(),
            ..self.stats
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Negotiate(request) => self.negotiate(&request),
            Command::Remove { peer } => self.remove(peer),
            Command::SetUplink {
                peer,
                source,
                state,
                encrypted,
            } => self.set_uplink(peer, source, state, encrypted),
            Command::Bind {
                peer,
                slot,
                generation,
                from,
                video,
                ready,
                rank,
            } => {
                self.bind(
                    peer,
                    slot,
                    crate::slot::Bind {
                        generation,
                        from,
                        video,
                        ready,
                        rank,
                    },
                );
            }
            Command::SlotReady {
                peer,
                slot,
                generation,
            } => self.slot_ready(peer, slot, generation),
            Command::NoPicture {
                peer,
                slot,
                generation,
            } => self.no_picture(peer, slot, generation),
        }
        self.schedule_tick();
    }

    fn negotiate(&mut self, request: &Negotiate) {
        let (group, peer) = (request.group, request.peer);
        let result = if request.renegotiate {
            self.renegotiate(request)
        } else {
            self.admit(request)
        };
        if let Err(refusal) = &result {
            tracing::debug!(%peer, %refusal, "offer refused");
        }
        self.event(Event::Negotiated {
            group,
            peer,
            request: request.request,
            result,
        });
        if self.peers.contains_key(&peer) {
            self.settle(peer, Ok(()));
        }
    }

    fn admit(&mut self, request: &Negotiate) -> Result<String, Refusal> {
        if self.peers.contains_key(&request.peer) {
            return Err(Refusal::PeerExists);
        }
        let offer = sdp::read_offer(request, None)?;
        let connection = Connection::open(&self.config, &self.crypto, self.now)
            .map_err(|_| Refusal::Internal)?;
        let mut state = Peer::new(request.group, connection, request.uplink.clone(), self.now);
        let answer = state.negotiate(&offer, &request.slots)?;
        self.peers.insert(request.peer, state);
        let mut sender = Sender::new(request.group, Home::Here);
        sender.set_layers(&offer);
        self.senders.insert(request.peer, sender);
        let group = self.groups.entry(request.group);
        let group = group.or_insert_with(|| Group::new(self.config.loudest));
        group.members.insert(request.peer);
        group.here += 1;
        // Whoever is the first of all knows that nobody has spoken.
        group.was_teller &= group.here > 1 || request.with.is_empty();
        self.enter(request.group, &request.with);
        self.meet(request.peer);
        self.tell_of(request.peer);
        let (now, peer) = (self.now, request.peer);
        self.demux.set_credentials(now, peer, answer.credentials);
        Ok(shape(&answer.sdp, request))
    }

    fn renegotiate(&mut self, request: &Negotiate) -> Result<String, Refusal> {
        let state = self
            .peers
            .get_mut(&request.peer)
            .ok_or(Refusal::UnknownPeer)?;
        if !state.may_renegotiate(self.now) {
            return Err(Refusal::TooOften);
        }
        let slots_before: Vec<_> = state.slots.iter().map(|slot| slot.mids.clone()).collect();
        let offer = sdp::read_offer(request, Some((&state.uplink_mids, &slots_before)))?;
        let answer = state.negotiate(&offer, &request.slots)?;
        if let Some(sender) = self.senders.get_mut(&request.peer) {
            sender.set_layers(&offer);
        }
        self.tell_of(request.peer);
        let (now, peer) = (self.now, request.peer);
        self.demux.set_credentials(now, peer, answer.credentials);
        Ok(shape(&answer.sdp, request))
    }

    /// After each mutation of a peer's engine: takes out all that it has to say, and acts on it.
    pub(crate) fn settle(&mut self, peer: PeerId, mutated: Result<(), Fault>) {
        let mut happenings = VecDeque::new();
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let before = self.batch.bytes();
        let (now, batch, egress) = (self.now, &mut self.batch, &mut state.egress);
        let drained = state
            .connection
            .drain(now, &mut happenings, |path, datagram| {
                let is_ours = rtcp_sender(datagram).is_some_and(|ssrc| egress.owns(ssrc));
                if is_dtls(datagram) {
                    egress.paths.engine_uses(now, path);
                }
                // What answers a check goes back as it came. For everything else the client chooses the path.
                let path = match is_stun(datagram) {
                    true => path,
                    false => egress.paths.current().unwrap_or(path),
                };
                if !is_ours {
                    batch.push_datagram(path, datagram);
                }
            });
        state.measuring.sent(self.batch.bytes() - before);
        self.reschedule(peer);
        for happening in happenings {
            self.happened(peer, happening);
        }
        if let Err(fault) = mutated.and(drained) {
            self.fault(peer, fault);
        }
    }

    fn happened(&mut self, peer: PeerId, happening: Happening) {
        match happening {
            Happening::Keys(keys) => {
                if let Some(state) = self.peers.get_mut(&peer) {
                    state.egress.set_keys(&self.crypto, &keys);
                }
            }
            Happening::Connected => self.connected(peer),
            Happening::Rtp(packet) => self.packet(peer, *packet),
            Happening::SenderReport {
                mid,
                rid,
                received,
                report,
            } => {
                let Some(state) = self.peers.get_mut(&peer) else {
                    return;
                };
                state.clock.report(report.time, received);
                let source = state.source_of(mid);
                if let Some(uplink) = source.and_then(|source| self.uplink(peer, source)) {
                    uplink.report(rid.as_deref(), report);
                }
            }
            Happening::Measured(reading) => self.measured(peer, reading),
            Happening::Goodbye => self.close(peer, CloseReason::ByPeer),
        }
    }

    pub(crate) fn group_of(&mut self, peer: PeerId) -> Option<&mut Group> {
        let group = self.senders.get(&peer)?.group;
        self.groups.get_mut(&group)
    }

    fn reschedule(&mut self, peer: PeerId) {
        let Some(state) = self.peers.get_mut(&peer) else {
            return;
        };
        let next = state.connection.next();
        if next == state.timer {
            return;
        }
        if let Some(at) = state.timer.take() {
            self.timers.remove(&(at, peer, Timer::Engine));
        }
        if let Some(at) = next {
            self.timers.insert((at, peer, Timer::Engine));
            state.timer = Some(at);
        }
    }

    pub(crate) fn mark_sending(&mut self, peer: PeerId) {
        if let Some(state) = self.peers.get_mut(&peer).filter(|state| !state.sending) {
            state.sending = true;
            self.sending.push(peer);
        }
    }

    pub(crate) fn mark_dirty(&mut self, peer: PeerId) {
        if let Some(state) = self.peers.get_mut(&peer).filter(|state| !state.dirty) {
            state.dirty = true;
            self.dirty.push(peer);
        }
    }

    pub(crate) fn event(&mut self, event: Event) {
        if let Event::SlotPaused {
            peer, paused: true, ..
        } = &event
            && let Some(state) = self.peers.get_mut(peer)
        {
            state.measuring.paused();
        }
        self.events.push_back(event);
    }

    pub(crate) fn fault(&mut self, peer: PeerId, fault: Fault) {
        match fault {
            Fault::Panicked => {
                self.stats.panics += 1;
                tracing::error!(%peer, "the media engine of a peer panicked; the peer is closed");
                self.close(peer, CloseReason::Internal);
            }
            Fault::Ended => self.close(peer, CloseReason::Failed),
        }
    }

    pub(crate) fn close(&mut self, peer: PeerId, reason: CloseReason) {
        if let Some(group) = self.peers.get(&peer).map(|state| state.group) {
            self.remove(peer);
            self.event(Event::Closed {
                group,
                peer,
                reason,
            });
        }
    }

    fn remove(&mut self, peer: PeerId) {
        self.disconnect_media(peer);
        let Some(mut state) = self.peers.remove(&peer) else {
            return;
        };
        self.gone(peer, state.group);
        let batch = &mut self.batch;
        if state.connection.close().is_ok() {
            let _ = state
                .connection
                .drain(self.now, &mut VecDeque::new(), |path, datagram| {
                    batch.push_datagram(path, datagram);
                });
        }
        if let Some(at) = state.timer {
            self.timers.remove(&(at, peer, Timer::Engine));
        }
        if let Some(at) = state.egress_timer {
            self.timers.remove(&(at, peer, Timer::Egress));
        }
        self.demux.remove(peer);
        self.tell_lost_addresses();
        // A broken engine may break again while it is taken apart.
        if catch_unwind(AssertUnwindSafe(|| drop(state))).is_err() {
            self.stats.panics += 1;
        }
    }

    fn tell_lost_addresses(&mut self) {
        for (shard, remote) in self.demux.take_lost() {
            self.say(shard, Said::Forget { remote });
        }
    }

    pub(crate) fn schedule_tick(&mut self) {
        let is_idle = self.peers.is_empty() && self.handover.addresses() == 0;
        match self.next_tick {
            None if !is_idle => self.next_tick = Some(self.now + TICK),
            Some(_) if is_idle => self.next_tick = None,
            _ => {}
        }
    }

    fn tick(&mut self) {
        self.demux.age(self.now);
        self.handover.age(self.now);
        self.tell_lost_addresses();
        let overdue: Vec<(PeerId, CloseReason)> = self
            .peers
            .iter()
            .filter_map(|(id, peer)| Some((*id, peer.overdue(self.now)?)))
            .collect();
        for (peer, reason) in overdue {
            self.close(peer, reason);
        }
        let senders: Vec<PeerId> = self.senders.keys().copied().collect();
        for sender in &senders {
            self.look_after_layers(*sender);
        }
        let peers: Vec<PeerId> = self.peers.keys().copied().collect();
        for peer in &peers {
            let egress = self.peers.get_mut(peer).map(|state| &mut state.egress);
            if egress.is_some_and(|egress| egress.tick(self.now)) {
                self.mark_sending(*peer);
            }
        }
        for peer in &peers {
            self.share_out(*peer);
        }
        for sender in &senders {
            self.ask_for(*sender);
        }
        self.look_for_speakers();
        self.report_quality();
    }
}

/// What the engine answered, with what it cannot know.
fn shape(answer: &str, request: &Negotiate) -> String {
    let paired = sdp::pair_streams(answer, &request.slots);
    sound_sdp::ask_for_sound(&paired, &request.uplink)
}

impl Certificate {
    /// A new identity, to be kept.
    pub fn generate() -> Option<Self> {
        let made = str0m::crypto::from_feature_flags()
            .dtls_provider
            .generate_certificate()?;
        Some(Self {
            certificate: made.certificate,
            private_key: made.private_key,
        })
    }
}
