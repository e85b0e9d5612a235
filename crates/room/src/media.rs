//! A seat's media connection: offers and their answers, its end, and what the media side reports. No SDP is read here.

use protocol::{
    Demand, ErrorCode, IntentId, MediaConnectionId, ParticipantId, ServerMessage, SlotMids, Source,
    limits,
};

use crate::Room;
use crate::intents::uplink_state;
use crate::io::{ConnectionId, MediaCommand, MediaEvent, Now, Offer, Refusal};
use crate::slots::SlotState;

/// A media connection that was negotiated.
pub struct Media {
    pub id: MediaConnectionId,
    pub slots: Vec<SlotState>,
    /// What of the seat's own video somebody looks at, in the order of the sources.
    pub demand: Vec<Demand>,
}

/// An offer that the media side has not answered yet.
pub struct Pending {
    pub request: u64,
    pub peer: MediaConnectionId,
    pub renegotiate: bool,
    pub id: IntentId,
    connection: ConnectionId,
    slots: Vec<SlotMids>,
}

impl Pending {
    /// The offer of a media connection that is not there yet.
    pub fn fresh(request: u64, connection: ConnectionId, offer: &Offer) -> Self {
        Self {
            request,
            peer: offer.fresh.clone(),
            renegotiate: false,
            id: offer.id.clone(),
            connection,
            slots: offer.slots.clone(),
        }
    }

    /// Its answer goes to another connection of the same socket.
    pub fn moved_to(self, connection: ConnectionId) -> Self {
        Self { connection, ..self }
    }

    /// What comes of it when it is answered.
    pub fn settled(&self) -> Media {
        Media {
            id: self.peer.clone(),
            demand: Vec::new(),
            slots: self
                .slots
                .iter()
                .map(|mids| SlotState::new(mids.kind))
                .collect(),
        }
    }
}

impl Room {
    pub(crate) fn offer(&mut self, connection: ConnectionId, offer: Offer) {
        let request = self.next_count();
        let Some(seat) = self.seats.of_connection(connection) else {
            return;
        };
        let current = seat
            .media
            .as_ref()
            .filter(|media| Some(&media.id) == offer.connection.as_ref());
        if offer.connection.is_some() && current.is_none() {
            // What the offer belongs to has keys with a connection that is gone: no other one can answer it.
            return self.refuse(connection, offer.id, ErrorCode::NoMediaConnection);
        }
        if offer.slots.len() > limits::SLOTS
            || current.is_some_and(|media| !extends(&media.slots, &offer.slots))
        {
            return self.refuse(connection, offer.id, ErrorCode::SdpInvalid);
        }
        let renegotiate = current.is_some();
        let peer = current.map_or(offer.fresh, |media| media.id.clone());
        let pending = Pending {
            request,
            peer: peer.clone(),
            renegotiate,
            id: offer.id,
            connection,
            slots: offer.slots.clone(),
        };
        if let Some(superseded) = seat.pending.replace(pending) {
            self.abandon(superseded);
        }
        self.command(MediaCommand::Negotiate {
            peer,
            request,
            sdp: offer.sdp,
            uplink: offer.uplink,
            slots: offer.slots,
            renegotiate,
        });
    }

    pub(crate) fn slot_ready(&mut self, connection: ConnectionId, slot: u8, generation: u32) {
        let Some(media) = self
            .seats
            .of_connection(connection)
            .and_then(|seat| seat.media.as_mut())
        else {
            return;
        };
        let Some(state) = media.slots.get_mut(usize::from(slot)) else {
            return;
        };
        if state.confirm(generation) {
            let peer = media.id.clone();
            self.command(MediaCommand::SlotReady {
                peer,
                slot,
                generation,
            });
        }
    }

    pub(crate) fn no_picture(&mut self, connection: ConnectionId, slot: u8, generation: u32) {
        let media = self
            .seats
            .of_connection(connection)
            .and_then(|seat| seat.media.as_ref());
        let Some(media) = media else { return };
        let carries = |state: &SlotState| state.carries(generation);
        if media.slots.get(usize::from(slot)).is_some_and(carries) {
            let peer = media.id.clone();
            self.command(MediaCommand::NoPicture {
                peer,
                slot,
                generation,
            });
        }
    }

    pub(crate) fn media_event(&mut self, now: Now, event: MediaEvent) {
        match event {
            MediaEvent::Negotiated { request, result } => self.negotiated(request, result),
            MediaEvent::Closed { peer } => self.media_closed(&peer),
            MediaEvent::SlotStarted {
                peer,
                slot,
                generation,
                rtp_timestamp,
            } => {
                if let Some(state) = self.slot_of(&peer, slot) {
                    state.started(generation, rtp_timestamp);
                }
            }
            MediaEvent::SlotPaused {
                peer,
                slot,
                generation,
                paused,
            } => {
                if let Some(state) = self.slot_of(&peer, slot) {
                    state.pause(generation, paused);
                }
            }
            MediaEvent::Heard { peer } => {
                if let Some(speaker) = self.seat_of(&peer) {
                    self.spoke_last(speaker);
                }
            }
            MediaEvent::Speaking { peers } => self.speaking(&peers),
            MediaEvent::Demand {
                peer,
                source,
                layers,
                codec,
            } => {
                let demand = layers.map(|layers| Demand {
                    source,
                    layers,
                    codec,
                });
                self.demanded(&peer, source, demand);
            }
            MediaEvent::Measured { peer, measured } => self.measured(now, &peer, &measured),
        }
    }

    fn media_of(&mut self, peer: &MediaConnectionId) -> Option<&mut Media> {
        let medias = self.seats.iter_mut().filter_map(|seat| seat.media.as_mut());
        medias.into_iter().find(|media| &media.id == peer)
    }

    fn slot_of(&mut self, peer: &MediaConnectionId, slot: u8) -> Option<&mut SlotState> {
        self.media_of(peer)?.slots.get_mut(usize::from(slot))
    }

    fn demanded(&mut self, peer: &MediaConnectionId, source: Source, demand: Option<Demand>) {
        let Some(media) = self.media_of(peer) else {
            return;
        };
        media.demand.retain(|demand| demand.source != source);
        media.demand.extend(demand);
        media.demand.sort_by_key(|demand| demand.source);
    }

    fn negotiated(&mut self, request: u64, result: Result<String, Refusal>) {
        let waits = |pending: &Pending| pending.request == request;
        if self.prepared_negotiated(request, &result) {
            return;
        }
        let Some(seat) = self
            .seats
            .iter_mut()
            .find(|seat| seat.pending.as_ref().is_some_and(waits))
        else {
            return;
        };
        let Some(pending) = seat.pending.take() else {
            return;
        };
        match result {
            Err(refusal) => self.refused(pending, refusal),
            // Whoever offered is gone or has come back on another socket: nobody holds the other end.
            Ok(_) if !pending.renegotiate && seat.connection() != Some(pending.connection) => {
                self.abandon(pending)
            }
            Ok(sdp) => self.establish(pending, sdp),
        }
    }

    /// A peer that came with the offer is not there now; whoever counts peers is told so.
    fn refused(&mut self, offer: Pending, refusal: Refusal) {
        if !offer.renegotiate {
            self.command(MediaCommand::Remove { peer: offer.peer });
        }
        self.refuse(offer.connection, offer.id, refusal.code());
    }

    fn establish(&mut self, pending: Pending, sdp: String) {
        let Some(seat) = self
            .seats
            .iter_mut()
            .find(|seat| seat.connection() == Some(pending.connection))
        else {
            return;
        };
        let (mut slots, mut demand) = (Vec::new(), Vec::new());
        let mut replaced = None;
        match seat.media.take() {
            Some(media) if pending.renegotiate => (slots, demand) = (media.slots, media.demand),
            before => replaced = before,
        }
        let more = pending.slots.iter().skip(slots.len());
        slots.extend(more.map(|mids| SlotState::new(mids.kind)));
        seat.media = Some(Media {
            id: pending.peer.clone(),
            slots,
            demand,
        });
        if let Some(media) = replaced {
            self.command(MediaCommand::Remove { peer: media.id });
        }
        if !pending.renegotiate {
            self.say_uplinks(pending.connection);
        }
        let answer = ServerMessage::Answer {
            id: pending.id,
            sdp,
            connection: pending.peer,
        };
        self.send(pending.connection, answer);
    }

    /// To a new media connection: what its person publishes.
    pub(crate) fn say_uplinks(&mut self, connection: ConnectionId) {
        let Some(seat) = self.seats.of_connection(connection) else {
            return;
        };
        let Some(peer) = seat.peer().cloned() else {
            return;
        };
        for track in seat.public.tracks.clone() {
            let state = uplink_state(Some(track.muted));
            self.command(MediaCommand::SetUplink {
                peer: peer.clone(),
                source: track.source,
                state,
            });
        }
    }

    /// The offer will not be answered; a peer that was made for it alone goes.
    pub(crate) fn abandon(&mut self, pending: Pending) {
        if !pending.renegotiate {
            self.command(MediaCommand::Remove { peer: pending.peer });
        }
        if self.seats.of_connection(pending.connection).is_some() {
            self.refuse(pending.connection, pending.id, ErrorCode::NoMediaConnection);
        }
    }

    fn media_closed(&mut self, peer: &MediaConnectionId) {
        self.prepared_closed(peer);
        for seat in self.seats.iter_mut() {
            if seat.peer() == Some(peer) {
                seat.media = None;
            }
        }
        let waits = |pending: &Pending| &pending.peer == peer;
        let seat = self
            .seats
            .iter_mut()
            .find(|seat| seat.pending.as_ref().is_some_and(waits));
        if let Some(pending) = seat.and_then(|seat| seat.pending.take()) {
            self.refuse(pending.connection, pending.id, ErrorCode::NoMediaConnection);
        }
    }

    fn speaking(&mut self, peers: &[MediaConnectionId]) {
        let of = |peer| self.seat_of(peer);
        let speaking: Vec<_> = peers.iter().filter_map(of).collect();
        for speaker in speaking.iter().rev() {
            if !self.speaking.contains(speaker) {
                self.spoke_last(speaker.clone());
            }
        }
        self.speaking = speaking;
    }

    fn seat_of(&self, peer: &MediaConnectionId) -> Option<ParticipantId> {
        let mut seats = self.seats.iter();
        let seat = seats.find(|seat| seat.peer() == Some(peer))?;
        Some(seat.public.id.clone())
    }

    fn spoke_last(&mut self, speaker: ParticipantId) {
        self.recent_speakers.retain(|recent| *recent != speaker);
        self.recent_speakers.insert(0, speaker);
    }
}

/// Whether an offer lists the slots of earlier ones first and unchanged.
fn extends(before: &[SlotState], offered: &[SlotMids]) -> bool {
    offered.len() >= before.len()
        && before
            .iter()
            .zip(offered)
            .all(|(slot, mids)| slot.kind() == mids.kind)
}
