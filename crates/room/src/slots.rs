//! Who is in which down slot. People keep their slot while they belong into one at all; nothing here knows of packets.
//!
//! A label must never stand under another face: a new person in a slot is a new generation, and its video waits until
//! the reader has confirmed it (`ready`). A new media connection of the same person is not: it keeps its generation.

use protocol::{MediaConnectionId, ParticipantId, Slot, SlotKind, Source, Wanted};

use crate::Room;
use crate::io::{MediaCommand, Size};
use crate::seats::Seat;

/// What everybody is sent until the reader says what it shows.
const MIDDLE: Size = Size {
    width: 640,
    height: 360,
};

pub struct SlotState {
    kind: SlotKind,
    generation: u32,
    occupant: Option<Occupant>,
    ready: bool,
    first_rtp_timestamp: Option<u32>,
    paused: bool,
    /// When it was last freed, in the room's count; 0 for a slot that was never used.
    freed: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Occupant {
    participant: ParticipantId,
    /// Absent while the person has no media connection; their slot is kept unless somebody else needs it.
    from: Option<MediaConnectionId>,
    video: Option<Size>,
    rank: u8,
}

impl SlotState {
    pub fn new(kind: SlotKind) -> Self {
        Self {
            kind,
            generation: 0,
            occupant: None,
            ready: false,
            first_rtp_timestamp: None,
            paused: false,
            freed: 0,
        }
    }

    pub fn kind(&self) -> SlotKind {
        self.kind
    }

    /// The reader took the former label off. False when that was known or concerns a generation that is over.
    pub fn confirm(&mut self, generation: u32) -> bool {
        let news = self.carries(generation) && !self.ready;
        self.ready |= news;
        news
    }

    /// Whether somebody is in it, in this generation.
    pub fn carries(&self, generation: u32) -> bool {
        self.occupant.is_some() && self.generation == generation
    }

    pub fn pause(&mut self, generation: u32, paused: bool) {
        if self.carries(generation) {
            self.paused = paused;
        }
    }

    pub fn started(&mut self, generation: u32, rtp_timestamp: u32) {
        if self.carries(generation) {
            self.first_rtp_timestamp = Some(rtp_timestamp);
        }
    }

    /// As its reader sees it, empty or not.
    pub fn view(&self, slot: u8) -> Slot {
        Slot {
            slot,
            generation: self.generation,
            participant: self
                .occupant
                .as_ref()
                .map(|occupant| occupant.participant.clone()),
            first_rtp_timestamp: self.first_rtp_timestamp,
            paused: self.paused,
        }
    }

    /// What the media side is told about.
    fn decision(&self) -> (u32, Option<Occupant>) {
        (self.generation, self.occupant.clone())
    }

    fn free(&mut self, count: u64) {
        self.occupant = None;
        self.first_rtp_timestamp = None;
        self.paused = false;
        self.freed = count;
    }

    fn occupy(&mut self, occupant: Occupant) {
        self.generation += 1;
        self.occupant = Some(occupant);
        self.ready = self.generation == 1;
        self.first_rtp_timestamp = None;
        self.paused = false;
    }

    fn holds(&self, participant: &ParticipantId) -> bool {
        self.occupant
            .as_ref()
            .is_some_and(|occupant| &occupant.participant == participant)
    }

    fn bind(&self, peer: &MediaConnectionId, slot: u8) -> MediaCommand {
        MediaCommand::Bind {
            peer: peer.clone(),
            slot,
            generation: self.generation,
            from: self
                .occupant
                .as_ref()
                .and_then(|occupant| occupant.from.clone()),
            video: self.occupant.as_ref().and_then(|occupant| occupant.video),
            ready: self.ready,
            rank: self
                .occupant
                .as_ref()
                .map_or(u8::MAX, |occupant| occupant.rank),
        }
    }
}

impl Room {
    pub(crate) fn assign_slots(&mut self) {
        let reads = |seat: &&Seat| seat.media.is_some();
        let readers: Vec<_> = self
            .seats
            .iter()
            .filter(reads)
            .map(|seat| seat.public.id.clone())
            .collect();
        for reader in readers {
            let Some(seat) = self.seats.get(&reader) else {
                continue;
            };
            let persons = self.candidates(seat, SlotKind::Person);
            let sharers = self.candidates(seat, SlotKind::Screen);
            let count = self.next_count();
            let Some(media) = self
                .seats
                .get_mut(&reader)
                .and_then(|seat| seat.media.as_mut())
            else {
                continue;
            };
            let before: Vec<_> = media.slots.iter().map(SlotState::decision).collect();
            assign(&mut media.slots, SlotKind::Person, persons, count);
            assign(&mut media.slots, SlotKind::Screen, sharers, count);
            let changed = media.slots.iter().enumerate().zip(before);
            let changed = changed.filter(|((_, slot), before)| slot.decision() != *before);
            let binds = changed.filter_map(|((index, slot), _)| {
                Some(slot.bind(&media.id, u8::try_from(index).ok()?))
            });
            // What stops comes first: then nobody is ever in two slots of one reader.
            let (stops, starts): (Vec<_>, Vec<_>) = binds.partition(stops);
            for bind in stops.into_iter().chain(starts) {
                self.command(bind);
            }
        }
    }

    /// Who belongs into the reader's slots of this kind, the most important first: what the reader shows, then who spoke
    /// last, then who came first. Those without a media connection come last: they can only keep a slot.
    fn candidates(&self, reader: &Seat, kind: SlotKind) -> Vec<Occupant> {
        let wanted = reader.wanted.as_deref();
        let mut ranked: Vec<_> = self
            .seats
            .iter()
            .filter(|seat| seat.public.id != reader.public.id && belongs(seat, kind))
            .map(|seat| {
                let id = &seat.public.id;
                let occupant = Occupant {
                    participant: id.clone(),
                    from: seat.peer().cloned(),
                    video: size(wanted, id, kind),
                    rank: importance(wanted, id, kind),
                };
                let order = (
                    seat.media.is_none(),
                    place(wanted, id, kind),
                    self.spoke(id),
                );
                (order, occupant)
            })
            .collect();
        ranked.sort_by_key(|(order, _)| *order);
        ranked.into_iter().map(|(_, occupant)| occupant).collect()
    }

    fn spoke(&self, id: &ParticipantId) -> usize {
        self.recent_speakers
            .iter()
            .position(|speaker| speaker == id)
            .unwrap_or(usize::MAX)
    }
}

fn stops(bind: &MediaCommand) -> bool {
    matches!(bind, MediaCommand::Bind { from: None, .. })
}

fn assign(slots: &mut [SlotState], kind: SlotKind, mut candidates: Vec<Occupant>, count: u64) {
    let of_kind = || slots.iter().filter(|slot| slot.kind == kind);
    let keeps = |candidate: &Occupant| of_kind().any(|slot| slot.holds(&candidate.participant));
    candidates.retain(|candidate| candidate.from.is_some() || keeps(candidate));
    candidates.truncate(of_kind().count());
    for slot in slots.iter_mut().filter(|slot| slot.kind == kind) {
        let Some(held) = &slot.occupant else { continue };
        match candidates
            .iter()
            .position(|candidate| candidate.participant == held.participant)
        {
            None => slot.free(count),
            // The same person, perhaps from a new media connection or in another size.
            Some(index) => slot.occupant = Some(candidates.remove(index)),
        }
    }
    for candidate in candidates {
        let empty = slots
            .iter_mut()
            .filter(|slot| slot.kind == kind && slot.occupant.is_none());
        // `min_by_key` takes the first of equals: never-used slots fill up from the lowest number.
        if let Some(slot) = empty.min_by_key(|slot| slot.freed) {
            slot.occupy(candidate);
        }
    }
}

fn belongs(seat: &Seat, kind: SlotKind) -> bool {
    let shares =
        |track: &protocol::Track| matches!(track.source, Source::Screen | Source::ScreenAudio);
    match kind {
        SlotKind::Person => true,
        SlotKind::Screen => seat.public.tracks.iter().any(shares),
    }
}

fn video_source(kind: SlotKind) -> Source {
    match kind {
        SlotKind::Person => Source::Camera,
        SlotKind::Screen => Source::Screen,
    }
}

fn place(wanted: Option<&[Wanted]>, id: &ParticipantId, kind: SlotKind) -> usize {
    let is = |tile: &Wanted| &tile.participant == id && tile.source == video_source(kind);
    wanted
        .and_then(|tiles| tiles.iter().position(is))
        .unwrap_or(usize::MAX)
}

/// Which video goes first where not all of it can go: screens, then cameras, each as the reader listed them.
fn importance(wanted: Option<&[Wanted]>, id: &ParticipantId, kind: SlotKind) -> u8 {
    let Some(tiles) = wanted else {
        return u8::from(kind == SlotKind::Person);
    };
    let of = |source| tiles.iter().filter(move |tile| tile.source == source);
    let before = match kind {
        SlotKind::Screen => 0,
        SlotKind::Person => of(Source::Screen).count(),
    };
    of(video_source(kind))
        .position(|tile| &tile.participant == id)
        .and_then(|place| u8::try_from(before + place).ok())
        .unwrap_or(u8::MAX)
}

fn size(wanted: Option<&[Wanted]>, id: &ParticipantId, kind: SlotKind) -> Option<Size> {
    let Some(tiles) = wanted else {
        return Some(MIDDLE);
    };
    let is = |tile: &&Wanted| &tile.participant == id && tile.source == video_source(kind);
    tiles.iter().find(is).map(|tile| Size {
        width: tile.width,
        height: tile.height,
    })
}
