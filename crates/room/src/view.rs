//! What each connection sees: the projection of the room, and the deltas from what it was last told.
//!
//! Gapless by construction: a connection's deltas are the difference of two projections, numbered as they are sent.

use protocol::{
    Access, Demand, Knocking, MediaConnectionId, Participant, ParticipantId, RoomChange, RoomView,
    ServerMessage, Slot,
};

use crate::Room;
use crate::io::{ConnectionId, Output, Subject};

/// One admitted connection.
pub struct Link {
    pub connection: ConnectionId,
    participant: ParticipantId,
    seq: u64,
    /// What it has been told about itself; absent until its (next) snapshot.
    told: Option<Personal>,
}

impl Link {
    pub fn new(connection: ConnectionId, participant: ParticipantId) -> Self {
        Self {
            connection,
            participant,
            seq: 0,
            told: None,
        }
    }

    fn push(&mut self, change: RoomChange, outputs: &mut impl Extend<Output>) {
        self.seq += 1;
        let message = ServerMessage::RoomDelta {
            seq: self.seq,
            change,
        };
        outputs.extend([Output::Send {
            connection: self.connection,
            message,
        }]);
    }
}

/// The part that all people inside see alike.
#[derive(Clone, Default)]
pub struct Shared {
    participants: Vec<Participant>,
    speaking: Vec<ParticipantId>,
}

/// The part that depends on the reader.
#[derive(Clone)]
struct Personal {
    name: String,
    access: Access,
    knock: bool,
    owner: bool,
    /// Of guests always empty.
    knocking: Vec<Knocking>,
    connection: Option<MediaConnectionId>,
    /// All slots of the connection, the empty ones too.
    slots: Vec<Slot>,
    demand: Vec<Demand>,
}

impl Room {
    pub(crate) fn resynchronise(&mut self, connection: ConnectionId) {
        for link in self
            .links
            .iter_mut()
            .filter(|link| link.connection == connection)
        {
            link.told = None;
        }
    }

    /// Tells every connection what changed for it. People appear before anything refers to them and go after it.
    pub(crate) fn flush(&mut self) {
        let shared = self.project_shared();
        let arrivals = arrivals(&self.shared, &shared);
        let departures = departures(&self.shared, &shared);
        for mut link in std::mem::take(&mut self.links) {
            let Some(personal) = self.project_personal(&link.participant) else {
                continue;
            };
            match link.told.take() {
                None => self.snapshot(&link, &shared, &personal),
                Some(told) => {
                    let changes = personal_changes(&told, &personal);
                    for change in arrivals
                        .iter()
                        .cloned()
                        .chain(changes)
                        .chain(departures.iter().cloned())
                    {
                        link.push(change, &mut self.outputs);
                    }
                }
            }
            link.told = Some(personal);
            self.links.push(link);
        }
        self.shared = shared;
    }

    pub(crate) fn project_shared(&self) -> Shared {
        Shared {
            participants: self.seats.iter().map(|seat| seat.public.clone()).collect(),
            speaking: self.speaking.clone(),
        }
    }

    fn project_personal(&self, participant: &ParticipantId) -> Option<Personal> {
        let seat = self.seats.get(participant)?;
        let slots = seat.media.iter().flat_map(|media| &media.slots).enumerate();
        Some(Personal {
            name: self.facts.name.clone(),
            access: self.facts.access,
            knock: self.facts.knock,
            knocking: match seat.subject {
                Subject::Account(_) => self.door.knocking(),
                Subject::Guest(_) => Vec::new(),
            },
            owner: matches!(&seat.subject, Subject::Account(user) if self.facts.owner.as_ref() == Some(user)),
            connection: seat.peer().cloned(),
            slots: slots
                .filter_map(|(index, slot)| Some(slot.view(u8::try_from(index).ok()?)))
                .collect(),
            demand: seat
                .media
                .as_ref()
                .map_or_else(Vec::new, |media| media.demand.clone()),
        })
    }

    fn snapshot(&mut self, link: &Link, shared: &Shared, personal: &Personal) {
        let room = RoomView {
            id: self.facts.id.clone(),
            name: personal.name.clone(),
            access: personal.access,
            kind: self.facts.kind,
            knock: personal.knock,
            owner: personal.owner,
            knocking: personal.knocking.clone(),
            you: link.participant.clone(),
            participants: shared.participants.clone(),
            speaking: shared.speaking.clone(),
            slots: personal
                .slots
                .iter()
                .filter(|slot| slot.participant.is_some())
                .cloned()
                .collect(),
            connection: personal.connection.clone(),
            demand: personal.demand.clone(),
        };
        let message = ServerMessage::RoomSnapshot {
            epoch: self.epoch.clone(),
            seq: link.seq,
            room,
        };
        self.send(link.connection, message);
    }
}

fn arrivals(before: &Shared, after: &Shared) -> Vec<RoomChange> {
    let change = |participant: &Participant| {
        let known = before
            .participants
            .iter()
            .find(|known| known.id == participant.id);
        match known {
            None => Some(RoomChange::ParticipantJoined {
                participant: participant.clone(),
            }),
            Some(known) if known != participant => Some(RoomChange::ParticipantChanged {
                participant: participant.clone(),
            }),
            Some(_) => None,
        }
    };
    after.participants.iter().filter_map(change).collect()
}

fn departures(before: &Shared, after: &Shared) -> Vec<RoomChange> {
    let speaking = (before.speaking != after.speaking).then(|| RoomChange::SpeakingChanged {
        speaking: after.speaking.clone(),
    });
    let gone = before
        .participants
        .iter()
        .filter(|known| after.participants.iter().all(|now| now.id != known.id));
    let left = gone.map(|known| RoomChange::ParticipantLeft {
        participant: known.id.clone(),
    });
    speaking.into_iter().chain(left).collect()
}

fn personal_changes(told: &Personal, now: &Personal) -> Vec<RoomChange> {
    let mut changes = Vec::new();
    let facts = |of: &Personal| (of.name.clone(), of.access, of.knock, of.owner);
    if facts(told) != facts(now) {
        changes.push(RoomChange::RoomChanged {
            name: now.name.clone(),
            access: now.access,
            knock: now.knock,
            owner: now.owner,
        });
    }
    if told.knocking != now.knocking {
        changes.push(RoomChange::KnockingChanged {
            knocking: now.knocking.clone(),
        });
    }
    let same_connection = told.connection == now.connection;
    if !same_connection {
        changes.push(RoomChange::ConnectionChanged {
            connection: now.connection.clone(),
        });
    }
    let demanded: &[Demand] = if same_connection { &told.demand } else { &[] };
    if demanded != now.demand {
        changes.push(RoomChange::DemandChanged {
            demand: now.demand.clone(),
        });
    }
    for (index, slot) in now.slots.iter().enumerate() {
        let known = told.slots.get(index).filter(|_| same_connection);
        if known.map_or(slot.participant.is_some(), |known| known != slot) {
            changes.push(RoomChange::SlotAssignment { slot: slot.clone() });
        }
    }
    changes
}
