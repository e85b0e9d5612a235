//! The task of one live room: owns its value, feeds it, carries out what it decides. A panic in the room ends the room
//! and nothing else.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use protocol::{
    ErrorCode, IntentId, MediaConnectionId, ParticipantId, RoomId, RoomKind, RoomLeftReason,
    ServerMessage, UserId,
};
use room::{
    ConnectionId, Input, Join, MediaCommand, MediaEvent, Now, Output, Persist, Prepare, Refusal,
    Room, RoomFacts, SeatRecord,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep_until;
use tracing::Instrument;

use super::doorstep::Permit;
use super::{Hub, media};
use crate::chance;
use crate::house::Inside;
use crate::store::{self, calls, rooms, seats};
use crate::ws::outbound::Outbound;

pub enum Command {
    Join(Box<Join>, Outbound),
    /// Somebody at the door asks for their media connection, and may have one more.
    Prepare(Box<Prepare>, Outbound, Permit),
    Input(Box<Input>),
    /// The room is not in the store any more. The sender goes when everybody was told.
    End(RoomLeftReason, oneshot::Sender<()>),
    #[cfg(test)]
    Panic,
}

impl From<Input> for Command {
    fn from(input: Input) -> Self {
        Self::Input(Box::new(input))
    }
}

pub struct Driver {
    hub: Arc<Hub>,
    room: RoomId,
    group: u64,
    queue: mpsc::Receiver<Command>,
    /// Goes with this task: whoever ends the room waits for it.
    ending: Option<oneshot::Sender<()>>,
    /// As the room knows them; absent until it is loaded.
    facts: Option<RoomFacts>,
    connections: HashMap<ConnectionId, Outbound>,
    /// What has to go if the room breaks.
    peers: HashSet<MediaConnectionId>,
    /// Of what is prepared at the door.
    permits: HashMap<MediaConnectionId, Permit>,
    seats: HashSet<ParticipantId>,
}

/// What a turn of the loop found to do.
enum Event {
    Command(Command),
    Timeout,
    Stop,
}

impl Driver {
    pub fn new(hub: Arc<Hub>, room: RoomId, group: u64, queue: mpsc::Receiver<Command>) -> Self {
        Self {
            hub,
            room,
            group,
            queue,
            ending: None,
            facts: None,
            connections: HashMap::new(),
            peers: HashSet::new(),
            permits: HashMap::new(),
            seats: HashSet::new(),
        }
    }

    pub async fn run(mut self) {
        let span = tracing::info_span!("room", room = %self.room);
        async {
            match self.load().await {
                Ok(Some((facts, seats))) => self.drive(facts, seats).await,
                Ok(None) => self.turn_away(ErrorCode::NotFound).await,
                Err(error) => {
                    tracing::warn!(%error, "a room cannot be loaded");
                    self.turn_away(ErrorCode::Unavailable).await;
                }
            }
        }
        .instrument(span)
        .await;
    }

    async fn load(&self) -> store::Result<Option<(RoomFacts, Vec<SeatRecord>)>> {
        let Some(room) = rooms::by_id(&self.hub.db, &self.room).await? else {
            return Ok(None);
        };
        Ok(Some((
            self.hub.facts(room).await?,
            seats::of_room(&self.hub.db, &self.room).await?,
        )))
    }

    async fn drive(&mut self, facts: RoomFacts, seats: Vec<SeatRecord>) {
        self.facts = Some(facts.clone());
        self.seats
            .extend(seats.iter().map(|seat| seat.participant.clone()));
        let mut room = Room::new(now(), facts.clone(), chance::id(), seats);
        loop {
            let event = self.wait(room.poll_timeout()).await;
            let for_good = matches!(event, Event::Command(Command::End(..)));
            if let Event::Command(Command::Input(input)) = &event
                && let Input::FactsChanged(changed) = &**input
            {
                self.facts = Some(changed.clone());
                self.people_are(self.hub.people.of(&self.room));
            }
            let mut turns: VecDeque<Turn> = self.prepare(event).into_iter().collect();
            if turns.is_empty() {
                room.store_records();
                let outputs = std::iter::from_fn(|| room.poll_output()).collect();
                self.carry_out(outputs).await;
                return;
            }
            let mut ended = false;
            while let Some(turn) = turns.pop_front() {
                let Ok(outputs) = catch_unwind(AssertUnwindSafe(|| take_turn(&mut room, turn)))
                else {
                    return self.break_off().await;
                };
                ended = matches!(outputs.last(), Some(Output::Ended));
                turns.extend(self.carry_out(outputs).await);
            }
            self.return_permits(&room);
            if for_good {
                return self.turn_away(ErrorCode::NotFound).await;
            }
            if ended && self.hub.retire(&self.room, &self.queue) {
                return;
            }
            if ended && let Some(facts) = self.facts.clone() {
                room = Room::new(now(), facts, chance::id(), Vec::new());
            }
        }
    }

    async fn wait(&mut self, timeout: Option<Instant>) -> Event {
        let timeout = async {
            match timeout {
                Some(timeout) => sleep_until(timeout.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            command = self.queue.recv() => command.map_or(Event::Stop, Event::Command),
            () = timeout => Event::Timeout,
        }
    }

    /// The input for the room's value; `None` ends the task and keeps the seats.
    fn prepare(&mut self, event: Event) -> Option<Turn> {
        match event {
            Event::Command(Command::Join(join, outbound)) => {
                if let Some(prepared) = join.prepared {
                    self.connections.remove(&prepared);
                }
                self.connections.insert(join.connection, outbound);
                Some(Turn::from(Input::Join(*join)))
            }
            Event::Command(Command::Prepare(prepare, outbound, permit)) => {
                self.connections.insert(prepare.connection, outbound);
                self.permits.insert(prepare.offer.fresh.clone(), permit);
                Some(Turn::from(Input::Prepare(*prepare)))
            }
            Event::Command(Command::Input(input)) => {
                match &*input {
                    Input::Leave { connection }
                    | Input::Disconnected { connection }
                    | Input::PageGone { connection } => {
                        self.connections.remove(connection);
                    }
                    Input::Media(MediaEvent::Closed { peer }) => {
                        self.peers.remove(peer);
                    }
                    _ => {}
                }
                Some(Turn::Input(input))
            }
            Event::Command(Command::End(reason, done)) => {
                self.ending = Some(done);
                Some(Turn::from(Input::End(reason)))
            }
            #[cfg(test)]
            Event::Command(Command::Panic) => Some(Turn::Panic),
            Event::Timeout => Some(Turn::Timeout),
            Event::Stop => None,
        }
    }

    /// Gives back what the room has to hear about it at once.
    async fn carry_out(&mut self, outputs: Vec<Output>) -> Vec<Turn> {
        let mut turns = Vec::new();
        for output in outputs {
            match output {
                Output::Send {
                    connection,
                    message,
                } => {
                    if let Some(outbound) = self.connections.get(&connection) {
                        outbound.push_from_room(connection, &message);
                    }
                }
                Output::Dismiss {
                    connection,
                    message,
                } => {
                    if let Some(outbound) = self.connections.remove(&connection) {
                        outbound.dismiss(connection, &message);
                    }
                }
                Output::Media(command) => turns.extend(self.media(command)),
                Output::Persist(persist) => self.persist(persist).await,
                Output::People(people) => self.people_are(people),
                Output::CameIn(user) => self.came_in(user),
                Output::Ended => {}
            }
        }
        turns
    }

    /// What has become the media of a seat, or has ended, does not wait at the door any more.
    fn return_permits(&mut self, room: &Room) {
        if !self.permits.is_empty() {
            let waiting: HashSet<_> = room.prepared().collect();
            self.permits.retain(|peer, _| waiting.contains(peer));
        }
    }

    /// Whoever does not have to knock is noted on their way in. A meeting does not wait for a disk.
    fn came_in(&self, user: UserId) {
        let (hub, room) = (self.hub.clone(), self.room.clone());
        tokio::spawn(async move { hub.note_visit(&user, &room).await });
    }

    fn people_are(&self, people: room::People) {
        if let Some(facts) = &self.facts {
            let inside = Inside {
                kind: facts.kind,
                address: match facts.kind {
                    RoomKind::Call => String::new(),
                    _ => calls::address(&facts.name, facts.access),
                },
                name: facts.name.clone(),
                people: people.count,
                accounts: people.accounts.iter().cloned().collect(),
            };
            self.hub.house.room_people(self.room.clone(), inside);
        }
        self.hub.people.set(&self.room, people);
        let (rooms, people) = self.hub.people.counts();
        self.hub.metrics.inside(rooms, people);
    }

    fn media(&mut self, command: MediaCommand) -> Option<Turn> {
        let request = match &command {
            MediaCommand::Negotiate { peer, request, .. } => {
                self.peers.insert(peer.clone());
                Some(*request)
            }
            MediaCommand::Remove { peer } => {
                self.peers.remove(peer);
                None
            }
            _ => None,
        };
        let command = media::to_core(self.group, command)?;
        let Err(error) = self.hub.media.send(command) else {
            return None;
        };
        tracing::warn!(%error, "a decision about media was not carried out");
        let result = Err(Refusal::Unavailable);
        request.map(|request| Turn::from(Input::Media(MediaEvent::Negotiated { request, result })))
    }

    async fn persist(&mut self, persist: Persist) {
        match &persist {
            Persist::Save(seat) => self.seats.insert(seat.participant.clone()),
            Persist::Remove(participant) => self.seats.remove(participant),
            Persist::Stay(_) => false,
        };
        self.hub.writer.write(&self.room, persist).await;
    }

    /// The room broke: everybody is told, and nothing of it stays behind.
    async fn break_off(&mut self) {
        let reference = chance::id();
        tracing::error!(%reference, "a room broke and was ended");
        self.close_queue();
        while let Some(command) = self.queue.recv().await {
            match command {
                Command::Join(join, outbound) => {
                    self.connections.insert(join.connection, outbound);
                }
                Command::Prepare(ask, outbound, _) => {
                    refuse(&outbound, ask.connection, ask.offer.id, ErrorCode::Internal);
                }
                _ => {}
            }
        }
        for (connection, outbound) in self.connections.drain() {
            outbound.dismiss(
                connection,
                &ServerMessage::RoomLeft {
                    reason: RoomLeftReason::Internal,
                },
            );
        }
        for peer in std::mem::take(&mut self.peers) {
            self.media(MediaCommand::Remove { peer });
        }
        for participant in std::mem::take(&mut self.seats) {
            self.hub
                .writer
                .write(&self.room, Persist::Remove(participant))
                .await;
        }
        self.people_are(room::People::default());
    }

    /// The room cannot be entered.
    async fn turn_away(&mut self, code: ErrorCode) {
        self.close_queue();
        while let Some(command) = self.queue.recv().await {
            let (connection, id, outbound) = match command {
                Command::Join(join, outbound) => (join.connection, join.id, outbound),
                Command::Prepare(ask, outbound, _) => (ask.connection, ask.offer.id, outbound),
                _ => continue,
            };
            refuse(&outbound, connection, id, code);
        }
    }

    /// From here on a join starts the room anew.
    fn close_queue(&mut self) {
        self.hub.live().remove(&self.room);
        self.queue.close();
    }
}

/// To a connection that does not get what it asked for.
fn refuse(outbound: &Outbound, connection: ConnectionId, id: IntentId, code: ErrorCode) {
    let error = ServerMessage::Error {
        id: Some(id),
        code,
        retry_after_ms: None,
        reference: None,
    };
    outbound.dismiss(connection, &error);
}

/// One step of the room's value.
enum Turn {
    Input(Box<Input>),
    Timeout,
    #[cfg(test)]
    Panic,
}

impl From<Input> for Turn {
    fn from(input: Input) -> Self {
        Self::Input(Box::new(input))
    }
}

fn take_turn(room: &mut Room, turn: Turn) -> Vec<Output> {
    match turn {
        Turn::Input(input) => room.handle_input(now(), *input),
        Turn::Timeout => room.handle_timeout(now()),
        #[cfg(test)]
        Turn::Panic => panic!("as the test asked for"),
    }
    std::iter::from_fn(|| room.poll_output()).collect()
}

fn now() -> Now {
    Now {
        instant: Instant::now(),
        unix_ms: chance::unix_ms(),
    }
}
