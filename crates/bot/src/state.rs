//! What a bot knows of its seat: a reducer over the server's messages, as any client needs one. Pure: no sockets, no time.

use protocol::{
    ErrorCode, Me, MediaConnectionId, Participant, ParticipantId, RoomChange, RoomLeftReason,
    RoomView, ServerMessage, Slot, Source,
};

use crate::Received;

/// Where a bot stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No welcome yet, or lost and coming back.
    Connecting,
    /// A guest before the door.
    Waiting,
    Inside,
    Left(RoomLeftReason),
    /// The socket is closed for good.
    Gone,
}

/// What the server told, and how well it told it.
#[derive(Clone, Debug)]
pub struct State {
    pub phase: Phase,
    pub me: Option<Me>,
    pub room: Option<RoomView>,
    pub epoch: Option<String>,
    /// Deltas that did not continue the sequence. Must stay 0.
    pub sequence_gaps: u32,
    /// Deltas that named what is not there, or joined who is. Must stay 0.
    pub contradictions: u32,
    pub snapshots: u32,
    /// How often the socket was opened again.
    pub reconnects: u32,
    /// Errors that belong to no intent of a caller.
    pub errors: Vec<ErrorCode>,
    /// The media connection is up.
    pub media: bool,
    seq: u64,
}

/// Both halves of a bot at one moment.
#[derive(Clone, Debug)]
pub struct View {
    pub state: State,
    pub received: Received,
}

/// What the driver has to do after a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    Welcomed,
    /// The room is as the snapshot says; `connection` is what the server has for this seat.
    Snapshot {
        connection: Option<MediaConnectionId>,
    },
    AskForSnapshot,
    Slot(Slot),
    ConnectionGone,
    Over,
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Connecting,
            me: None,
            room: None,
            epoch: None,
            sequence_gaps: 0,
            contradictions: 0,
            snapshots: 0,
            reconnects: 0,
            errors: Vec::new(),
            media: false,
            seq: 0,
        }
    }

    pub fn you(&self) -> Option<&ParticipantId> {
        self.room.as_ref().map(|room| &room.you)
    }

    /// Everybody in the room, the bot itself included.
    pub fn people(&self) -> &[Participant] {
        self.room
            .as_ref()
            .map_or(&[], |room| room.participants.as_slice())
    }

    pub fn others(&self) -> impl Iterator<Item = &Participant> {
        self.people()
            .iter()
            .filter(|person| Some(&person.id) != self.you())
    }

    pub fn person(&self, name: &str) -> Option<&Participant> {
        self.people().iter().find(|person| person.name == name)
    }

    /// Whether this person's source is published, and muted or not.
    pub fn muted(&self, name: &str, source: Source) -> Option<bool> {
        self.person(name)?
            .tracks
            .iter()
            .find(|track| track.source == source)
            .map(|track| track.muted)
    }

    pub(crate) fn apply(&mut self, message: ServerMessage) -> Vec<Effect> {
        match message {
            ServerMessage::Welcome { me, .. } => {
                self.me = Some(me);
                vec![Effect::Welcomed]
            }
            ServerMessage::Waiting { .. } => {
                self.phase = Phase::Waiting;
                vec![]
            }
            ServerMessage::RoomSnapshot { epoch, seq, room } => self.enter(epoch, seq, room),
            ServerMessage::RoomDelta { seq, change } => self.follow(seq, change),
            ServerMessage::RoomLeft { reason } => {
                self.phase = Phase::Left(reason);
                self.room = None;
                vec![Effect::Over]
            }
            ServerMessage::Error { id: None, code, .. } => {
                self.errors.push(code);
                vec![]
            }
            _ => vec![],
        }
    }

    fn enter(&mut self, epoch: String, seq: u64, room: RoomView) -> Vec<Effect> {
        self.phase = Phase::Inside;
        self.epoch = Some(epoch);
        self.seq = seq;
        self.snapshots += 1;
        let mut effects = vec![Effect::Snapshot {
            connection: room.connection.clone(),
        }];
        effects.extend(room.slots.iter().cloned().map(Effect::Slot));
        self.room = Some(room);
        effects
    }

    fn follow(&mut self, seq: u64, change: RoomChange) -> Vec<Effect> {
        if seq != self.seq + 1 {
            self.sequence_gaps += 1;
            return vec![Effect::AskForSnapshot];
        }
        self.seq = seq;
        let Some(room) = &mut self.room else {
            self.contradictions += 1;
            return vec![];
        };
        match change {
            RoomChange::SlotAssignment { slot } => {
                room.slots.retain(|known| known.slot != slot.slot);
                if slot.participant.is_some() {
                    room.slots.push(slot.clone());
                }
                vec![Effect::Slot(slot)]
            }
            RoomChange::ConnectionChanged { connection } => {
                room.slots.clear();
                room.demand.clear();
                let gone = connection.is_none();
                room.connection = connection;
                if gone {
                    vec![Effect::ConnectionGone]
                } else {
                    vec![]
                }
            }
            RoomChange::DemandChanged { demand } => {
                room.demand = demand;
                vec![]
            }
            change => {
                if !change_people(room, change) {
                    self.contradictions += 1;
                }
                vec![]
            }
        }
    }
}

/// Whether the change made sense.
fn change_people(room: &mut RoomView, change: RoomChange) -> bool {
    match change {
        RoomChange::ParticipantJoined { participant } => {
            let new = room
                .participants
                .iter()
                .all(|known| known.id != participant.id);
            if new {
                room.participants.push(participant);
            }
            new
        }
        RoomChange::ParticipantChanged { participant } => {
            let known = room
                .participants
                .iter_mut()
                .find(|known| known.id == participant.id);
            known.map(|known| *known = participant).is_some()
        }
        RoomChange::ParticipantLeft { participant } => {
            let before = room.participants.len();
            room.participants.retain(|known| known.id != participant);
            room.participants.len() + 1 == before
        }
        RoomChange::SpeakingChanged { speaking } => {
            room.speaking = speaking;
            true
        }
        RoomChange::RoomChanged {
            name,
            access,
            knock,
            owner,
        } => {
            (room.name, room.access, room.knock, room.owner) = (name, access, knock, owner);
            true
        }
        RoomChange::KnockingChanged { knocking } => {
            room.knocking = knocking;
            true
        }
        RoomChange::SlotAssignment { .. }
        | RoomChange::DemandChanged { .. }
        | RoomChange::ConnectionChanged { .. } => true,
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Access, Presence, RoomId, RoomKind};

    use super::*;

    #[test]
    fn deltas_follow_the_snapshot() {
        let mut state = inside();
        state.apply(delta(
            6,
            RoomChange::ParticipantJoined {
                participant: participant("b"),
            },
        ));
        assert_eq!(names(&state), ["a", "b"]);
        state.apply(delta(
            7,
            RoomChange::ParticipantLeft {
                participant: "b".into(),
            },
        ));
        assert_eq!(names(&state), ["a"]);
        assert_eq!((state.sequence_gaps, state.contradictions), (0, 0));
    }

    #[test]
    fn a_gap_asks_for_a_snapshot_and_changes_nothing() {
        let mut state = inside();
        let effects = state.apply(delta(
            7,
            RoomChange::ParticipantJoined {
                participant: participant("b"),
            },
        ));
        assert_eq!(effects, [Effect::AskForSnapshot]);
        assert_eq!((names(&state), state.sequence_gaps), (vec!["a"], 1));
    }

    #[test]
    fn somebody_who_joins_twice_is_a_contradiction() {
        let mut state = inside();
        state.apply(delta(
            6,
            RoomChange::ParticipantJoined {
                participant: participant("a"),
            },
        ));
        state.apply(delta(
            7,
            RoomChange::ParticipantLeft {
                participant: "x".into(),
            },
        ));
        assert_eq!((names(&state), state.contradictions), (vec!["a"], 2));
    }

    #[test]
    fn an_emptied_slot_carries_nobody() {
        let mut state = inside();
        let slot = Slot {
            slot: 2,
            generation: 1,
            participant: Some("b".into()),
            first_rtp_timestamp: None,
            paused: false,
        };
        state.apply(delta(6, RoomChange::SlotAssignment { slot: slot.clone() }));
        assert_eq!(
            state.room.as_ref().map(|room| room.slots.clone()),
            Some(vec![slot.clone()])
        );
        let empty = Slot {
            generation: 2,
            participant: None,
            ..slot
        };
        assert_eq!(
            state.apply(delta(
                7,
                RoomChange::SlotAssignment {
                    slot: empty.clone()
                }
            )),
            [Effect::Slot(empty)]
        );
        assert_eq!(state.room.map(|room| room.slots), Some(vec![]));
    }

    fn inside() -> State {
        let mut state = State::new();
        let room = RoomView {
            id: RoomId::from("r"),
            name: "r".into(),
            access: Access::Accounts,
            kind: RoomKind::Named,
            knock: false,
            owner: true,
            knocking: vec![],
            you: "a".into(),
            participants: vec![participant("a")],
            speaking: vec![],
            slots: vec![],
            connection: None,
            demand: vec![],
        };
        state.apply(ServerMessage::RoomSnapshot {
            epoch: "e".into(),
            seq: 5,
            room,
        });
        assert_eq!(state.phase, Phase::Inside);
        state
    }

    fn participant(name: &str) -> Participant {
        Participant {
            id: name.into(),
            name: name.into(),
            guest: false,
            presence: Presence::Connected,
            tracks: vec![],
            joined_at: 1,
        }
    }

    fn delta(seq: u64, change: RoomChange) -> ServerMessage {
        ServerMessage::RoomDelta { seq, change }
    }

    fn names(state: &State) -> Vec<&str> {
        state
            .people()
            .iter()
            .map(|person| person.name.as_str())
            .collect()
    }
}
