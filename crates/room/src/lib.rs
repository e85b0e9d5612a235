//! One meeting: who is in, what each person publishes and sees, and which of their slots carries whom.
//!
//! Pure and sans-IO: inputs and time go in, messages, media decisions and seats to store come out. It knows nothing of
//! SDP, RTP, SQL, tokens or other rooms. Every input is handled whole, then each connection is told what changed in its
//! own view: nobody sees an intermediate state.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod admission;
mod intents;
mod io;
mod media;
mod prepared;
pub mod record;
mod recording;
mod seats;
mod slots;
mod view;
mod waiting;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use protocol::{ErrorCode, IntentId, ParticipantId, RoomLeftReason, ServerMessage, limits};

pub use io::{
    ConnectionId, Input, Intent, Join, Measured, MediaCommand, MediaEvent, Now, Offer, Output,
    People, Persist, Prepare, Refusal, RoomFacts, SeatRecord, SessionKey, Size, Subject,
    UplinkState,
};

use prepared::Doorstep;
use seats::{GRACE, RELOAD_GRACE, Seat, Seats};
use view::{Link, Shared};
use waiting::AtDoor;

/// One live meeting. Feed it, then drain [`Room::poll_output`] until it is empty.
pub struct Room {
    facts: RoomFacts,
    epoch: String,
    seats: Seats,
    door: AtDoor,
    doorstep: Doorstep,
    /// Connections of admitted people, in no order that matters.
    links: Vec<Link>,
    /// What all synchronised links have been told.
    shared: Shared,
    /// Who speaks now, the loudest first.
    speaking: Vec<ParticipantId>,
    /// Who spoke last, the most recent first.
    recent_speakers: Vec<ParticipantId>,
    /// Counts freed slots and negotiations, so that both have an order without a clock.
    counter: u64,
    /// When what was measured is stored next.
    store_at: Option<Instant>,
    people: People,
    outputs: VecDeque<Output>,
}

impl Room {
    /// A room with the seats that are still kept from before a restart. `epoch` names this meeting and no other.
    pub fn new(now: Now, facts: RoomFacts, epoch: String, restored: Vec<SeatRecord>) -> Self {
        let mut room = Self {
            facts,
            epoch,
            seats: Seats::default(),
            door: AtDoor::default(),
            doorstep: Doorstep::default(),
            links: Vec::new(),
            shared: Shared::default(),
            speaking: Vec::new(),
            recent_speakers: Vec::new(),
            counter: 0,
            store_at: None,
            people: People::default(),
            outputs: VecDeque::new(),
        };
        room.restore(now, restored);
        room
    }

    pub fn handle_input(&mut self, now: Now, input: Input) {
        let moves = moves_people(&input);
        match input {
            Input::Join(join) => self.join(now, join),
            Input::Prepare(ask) => self.prepare(now, ask),
            Input::Leave { connection } => self.leave(connection),
            Input::Disconnected { connection } => self.disconnected(now, connection, GRACE),
            Input::PageGone { connection } => self.disconnected(now, connection, RELOAD_GRACE),
            Input::Intent { connection, intent } => self.intent(now, connection, intent),
            Input::SessionEnded { session } => self.session_ended(&session),
            Input::FactsChanged(facts) => self.facts_changed(facts),
            Input::Expect(user) => self.door.expect(Subject::Account(user)),
            Input::End(reason) => self.end(reason),
            Input::Media(event) => self.media_event(now, event),
        }
        self.settle(now, moves);
    }

    /// To be called when [`Room::poll_timeout`] has passed; harmless at any other time.
    pub fn handle_timeout(&mut self, now: Now) {
        for id in self.seats.expired(now.instant) {
            self.remove_seat(&id);
        }
        self.door.forget_lost(now.instant);
        self.expire_prepared(now.instant);
        self.store_records_if_due(now.instant);
        self.settle(now, true);
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let deadlines = [
            self.seats.next_deadline(),
            self.door.next_deadline(),
            self.doorstep.next_deadline(),
            self.store_at,
        ];
        deadlines.into_iter().flatten().min()
    }

    fn restore(&mut self, now: Now, mut restored: Vec<SeatRecord>) {
        restored.sort_by_key(|record| record.joined_at);
        for record in restored {
            let (id, away_since) = (record.participant.clone(), record.away_since);
            let Some(seat) = Seat::restored(now, record) else {
                self.outputs.push_back(Output::Persist(Persist::Remove(id)));
                continue;
            };
            if away_since.is_none() {
                self.outputs
                    .push_back(Output::Persist(Persist::Save(seat.record())));
            }
            self.seats.push(seat);
        }
        self.count_people();
        self.shared = self.project_shared();
    }

    /// Brings everything that follows from the state up to date: who may come in, who is in whose slot, what each
    /// connection has to be told, and whether the meeting is over.
    fn settle(&mut self, now: Now, moves: bool) {
        self.admit_waiting(now);
        if moves {
            self.assign_slots();
        }
        self.count_people();
        self.flush();
        if self.seats.is_empty() {
            // Whoever waits on does not make the next meeting a part of this one.
            self.door.expect_nobody();
        }
        self.look_at_doorstep();
        if self.seats.is_empty() && self.door.is_empty() && self.doorstep.is_empty() {
            self.outputs.push_back(Output::Ended);
        }
    }

    fn count_people(&mut self) {
        let accounts = self.seats.iter().filter_map(|seat| match &seat.subject {
            Subject::Account(user) => Some(user.clone()),
            Subject::Guest(_) => None,
        });
        let people = People {
            count: u32::try_from(self.seats.len()).unwrap_or(u32::MAX),
            accounts: accounts.collect(),
        };
        if people != self.people {
            self.people = people.clone();
            self.outputs.push_back(Output::People(people));
        }
    }

    fn is_full(&self) -> bool {
        self.seats.len() >= limits::ROOM_PEOPLE
    }

    fn remove_seat(&mut self, id: &ParticipantId) {
        let Some(seat) = self.seats.remove(id) else {
            return;
        };
        for peer in seat.peers() {
            self.command(MediaCommand::Remove { peer });
        }
        self.speaking.retain(|speaker| speaker != id);
        self.recent_speakers.retain(|speaker| speaker != id);
        self.outputs
            .push_back(Output::Persist(Persist::Remove(seat.public.id.clone())));
        self.end_record(seat);
    }

    fn drop_link(&mut self, connection: ConnectionId, reason: RoomLeftReason) {
        self.links.retain(|link| link.connection != connection);
        let message = ServerMessage::RoomLeft { reason };
        self.outputs.push_back(Output::Dismiss {
            connection,
            message,
        });
    }

    fn next_count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn send(&mut self, connection: ConnectionId, message: ServerMessage) {
        self.outputs.push_back(Output::Send {
            connection,
            message,
        });
    }

    fn ok(&mut self, connection: ConnectionId, id: IntentId) {
        self.send(connection, ServerMessage::Ok { id });
    }

    fn refuse(&mut self, connection: ConnectionId, id: IntentId, code: ErrorCode) {
        self.send(connection, refusal(id, code));
    }

    /// Refuses a join.
    fn turn_away(&mut self, connection: ConnectionId, id: IntentId, code: ErrorCode) {
        let message = refusal(id, code);
        self.outputs.push_back(Output::Dismiss {
            connection,
            message,
        });
    }

    /// Refuses a join for a while.
    fn turn_away_for(&mut self, connection: ConnectionId, id: IntentId, pause: Duration) {
        let message = ServerMessage::Error {
            id: Some(id),
            code: ErrorCode::RateLimited,
            retry_after_ms: Some(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)),
            reference: None,
        };
        self.outputs.push_back(Output::Dismiss {
            connection,
            message,
        });
    }

    fn command(&mut self, command: MediaCommand) {
        self.outputs.push_back(Output::Media(command));
    }
}

/// Whether somebody may be in another slot after this. What is told of slots comes often, and moves nobody.
fn moves_people(input: &Input) -> bool {
    let tells = match input {
        Input::Media(event) => matches!(
            event,
            MediaEvent::SlotStarted { .. }
                | MediaEvent::SlotPaused { .. }
                | MediaEvent::Demand { .. }
                | MediaEvent::Measured { .. }
        ),
        Input::Intent { intent, .. } => matches!(
            intent,
            Intent::GetSnapshot
                | Intent::SlotReady { .. }
                | Intent::NoPicture { .. }
                | Intent::ReportQuality { .. }
        ),
        _ => false,
    };
    !tells
}

fn refusal(id: IntentId, code: ErrorCode) -> ServerMessage {
    ServerMessage::Error {
        id: Some(id),
        code,
        retry_after_ms: None,
        reference: None,
    }
}
