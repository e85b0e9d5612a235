//! A room with clients around it: each client is nothing but the reducer that the protocol asks for.
#![allow(dead_code)]

pub mod meeting;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use protocol::{
    Access, DeviceId, ErrorCode, IntentId, MediaConnectionId, ParticipantId, Presence, RoomChange,
    RoomId, RoomKind, RoomLeftReason, RoomView, ServerMessage, SlotKind, SlotMids, Source,
    UplinkMids, UserId, WaitingReason, Wanted,
};
use room::record::StayRecord;
use room::{
    ConnectionId, Input, Intent, Join, MediaCommand, MediaEvent, Now, Offer, Output, People,
    Persist, Prepare, Room, RoomFacts, SeatRecord, SessionKey, Subject,
};

/// Who: `anna` has an account and owns the room, names that begin with `g` are guests, `anna/phone` is another device.
pub type Who = &'static str;

#[derive(Clone, Debug, PartialEq)]
pub enum Stand {
    Outside,
    Waiting(WaitingReason),
    In {
        epoch: String,
        seq: u64,
        view: Box<RoomView>,
    },
    Left(RoomLeftReason),
}

/// One connection, as a client of the protocol keeps it.
#[derive(Clone, Debug)]
pub struct Client {
    pub connection: ConnectionId,
    pub stand: Stand,
    pub refused: Option<ErrorCode>,
    pub media: Option<MediaConnectionId>,
}

impl Client {
    fn apply(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Ok { .. } => self.refused = None,
            ServerMessage::Error { code, .. } => self.refused = Some(code),
            ServerMessage::Answer { connection, .. } => self.media = Some(connection),
            ServerMessage::PreparedEnded { connection } => {
                assert_eq!(self.media.take(), Some(connection), "what ended was held");
            }
            ServerMessage::Waiting { reason } => {
                assert!(
                    !matches!(self.stand, Stand::In { .. }),
                    "somebody inside was put back to the door"
                );
                self.stand = Stand::Waiting(reason);
            }
            ServerMessage::RoomSnapshot { epoch, seq, room } => {
                self.stand = Stand::In {
                    epoch,
                    seq,
                    view: Box::new(room),
                }
            }
            ServerMessage::RoomLeft { reason } => self.stand = Stand::Left(reason),
            ServerMessage::RoomDelta { seq, change } => {
                let Stand::In {
                    seq: last, view, ..
                } = &mut self.stand
                else {
                    panic!("a delta for somebody who has no snapshot: {change:?}");
                };
                assert_eq!(seq, *last + 1, "a gap in front of {change:?}");
                *last = seq;
                reduce(view, change);
            }
            other => panic!("not a message of a room: {other:?}"),
        }
    }
}

/// The reducer of docs/protocol.md.
pub fn reduce(view: &mut RoomView, change: RoomChange) {
    match change {
        RoomChange::ParticipantJoined { participant } => {
            assert!(
                view.participants
                    .iter()
                    .all(|known| known.id != participant.id),
                "joined twice"
            );
            view.participants.push(participant);
        }
        RoomChange::ParticipantChanged { participant } => {
            let known = view
                .participants
                .iter_mut()
                .find(|known| known.id == participant.id);
            *known.expect("somebody unknown changed") = participant;
        }
        RoomChange::ParticipantLeft { participant } => {
            let before = view.participants.len();
            view.participants.retain(|known| known.id != participant);
            assert_eq!(view.participants.len() + 1, before, "somebody unknown left");
        }
        RoomChange::SpeakingChanged { speaking } => view.speaking = speaking,
        RoomChange::SlotAssignment { slot } => {
            if let Some(known) = view.slots.iter().find(|known| known.slot == slot.slot) {
                assert!(
                    slot.generation >= known.generation,
                    "a generation went back"
                );
                let same = known.generation == slot.generation && slot.participant.is_some();
                assert!(
                    !same || known.participant == slot.participant,
                    "another face under the same generation"
                );
            }
            view.slots.retain(|known| known.slot != slot.slot);
            if slot.participant.is_some() {
                view.slots.push(slot);
                view.slots.sort_by_key(|slot| slot.slot);
            }
        }
        RoomChange::RoomChanged {
            name,
            access,
            knock,
            owner,
        } => {
            (view.name, view.access, view.knock, view.owner) = (name, access, knock, owner);
        }
        RoomChange::KnockingChanged { knocking } => view.knocking = knocking,
        RoomChange::DemandChanged { demand } => view.demand = demand,
        RoomChange::ConnectionChanged { connection } => {
            view.connection = connection;
            view.slots.clear();
            view.demand.clear();
        }
    }
}

pub struct World {
    pub room: Room,
    pub now: Now,
    pub facts: RoomFacts,
    pub clients: BTreeMap<String, Client>,
    /// What a store would hold.
    pub seats: BTreeMap<ParticipantId, SeatRecord>,
    pub media: Vec<MediaCommand>,
    pub people: People,
    /// Accounts that came in though they would have had to knock.
    pub came_in: Vec<String>,
    /// Records of connections, in the order in which they were stored.
    pub records: Vec<StayRecord>,
    pub ended: bool,
    pub restarted: bool,
    closed: Vec<MediaConnectionId>,
    counter: u64,
}

impl World {
    pub fn new(access: Access) -> Self {
        let now = Now {
            instant: Instant::now(),
            unix_ms: 1_700_000_000_000,
        };
        let facts = RoomFacts {
            id: RoomId::from("r1"),
            name: "Stand-up".to_owned(),
            access,
            kind: RoomKind::Named,
            knock: false,
            members: BTreeSet::new(),
            invites: true,
            open_house: false,
            owner: Some(UserId::from("anna")),
        };
        Self {
            room: Room::new(now, facts.clone(), "epoch".to_owned(), Vec::new()),
            now,
            facts,
            clients: BTreeMap::new(),
            seats: BTreeMap::new(),
            media: Vec::new(),
            people: People::default(),
            came_in: Vec::new(),
            records: Vec::new(),
            ended: false,
            restarted: false,
            closed: Vec::new(),
            counter: 0,
        }
    }

    pub fn input(&mut self, input: Input) {
        self.ended = false;
        if let Input::Media(MediaEvent::Closed { peer }) = &input {
            self.closed.push(peer.clone());
        }
        self.room.handle_input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.room.poll_output() {
            match output {
                Output::Send {
                    connection,
                    message,
                }
                | Output::Dismiss {
                    connection,
                    message,
                } => self.deliver(connection, message),
                Output::Media(command) => self.media.push(command),
                Output::Persist(Persist::Save(record)) => {
                    self.seats.insert(record.participant.clone(), record);
                }
                Output::Persist(Persist::Remove(id)) => {
                    self.seats.remove(&id);
                }
                Output::Persist(Persist::Stay(record)) => self.records.push(*record),
                Output::People(people) => self.people = people,
                Output::CameIn(user) => self.came_in.push(user.to_string()),
                Output::Ended => self.ended = true,
            }
        }
    }

    fn deliver(&mut self, connection: ConnectionId, message: ServerMessage) {
        let client = self
            .clients
            .values_mut()
            .find(|client| client.connection == connection);
        client
            .unwrap_or_else(|| panic!("nobody listens for {message:?}"))
            .apply(message);
    }

    /// A new connection; what the device's former one saw last stays under `<who>!`. Names with `g` are guests', and those
    /// with a `+` behind them of guests who were invited.
    pub fn join(&mut self, who: &str) {
        let connection = self.connect(who);
        self.enter(who, connection, None);
    }

    /// Asks for a media connection at the door, as `<who>@door`. Answered by `answer_all`.
    pub fn prepare(&mut self, who: &str, persons: usize, screens: usize) {
        self.lose(&at_door(who));
        let connection = self.connect(&at_door(who));
        let (subject, device, session) = self.identity(who);
        let offer = offer(slots(persons, screens), None, &format!("m{}", self.counter));
        self.input(Input::Prepare(Prepare {
            connection,
            subject,
            device,
            session,
            invited: person_of(who).ends_with('+'),
            offer,
        }));
    }

    /// Joins on the connection that prepared, if there is one.
    pub fn enter_prepared(&mut self, who: &str) {
        let Some(client) = self.clients.remove(&at_door(who)) else {
            return;
        };
        let connection = self.connect(who);
        let inside = self.clients.get_mut(who).expect("connected");
        inside.media = client.media;
        self.enter(who, connection, Some(client.connection));
    }

    pub fn leave_door(&mut self, who: &str) {
        self.lose(&at_door(who));
        self.clients.remove(&at_door(who));
    }

    /// A new connection of this device; what its former one saw last stays under `<who>!`.
    fn connect(&mut self, who: &str) -> ConnectionId {
        self.counter += 1;
        let connection = ConnectionId(self.counter);
        let client = Client {
            connection,
            stand: Stand::Outside,
            refused: None,
            media: None,
        };
        if let Some(old) = self.clients.insert(who.to_owned(), client) {
            self.clients.insert(format!("{who}!"), old);
        }
        connection
    }

    fn identity(&self, who: &str) -> (Subject, DeviceId, SessionKey) {
        let person = person_of(who);
        let device = who.split_once('/').map_or("laptop", |(_, device)| device);
        let subject = match person.starts_with('g') {
            true => Subject::Guest(person.to_owned()),
            false => Subject::Account(UserId::from(person)),
        };
        (
            subject,
            DeviceId::from(device),
            SessionKey(person.to_owned()),
        )
    }

    fn enter(&mut self, who: &str, connection: ConnectionId, prepared: Option<ConnectionId>) {
        let person = person_of(who);
        let (subject, device, session) = self.identity(who);
        self.input(Input::Join(Join {
            connection,
            id: IntentId::from("join"),
            subject,
            device,
            session,
            name: person.to_owned(),
            invited: person.ends_with('+'),
            prepared,
            fresh: ParticipantId(format!("p{}", connection.0)),
        }));
        // The room ends a connection with `room_left`; an unanswered one would hang.
        let answered = |client: &Client| client.stand != Stand::Outside || client.refused.is_some();
        assert!(answered(&self.clients[who]), "{who} got no answer");
    }

    pub fn leave(&mut self, who: &str) {
        if let Some(client) = self.clients.get_mut(who) {
            client.stand = Stand::Outside;
            let connection = client.connection;
            self.input(Input::Leave { connection });
        }
    }

    pub fn lose(&mut self, who: &str) {
        self.gone(who, |connection| Input::Disconnected { connection });
    }

    pub fn close_page(&mut self, who: &str) {
        self.gone(who, |connection| Input::PageGone { connection });
    }

    fn gone(&mut self, who: &str, input: impl Fn(ConnectionId) -> Input) {
        if let Some(client) = self.clients.get_mut(who) {
            client.stand = Stand::Outside;
            let connection = client.connection;
            self.input(input(connection));
        }
    }

    pub fn intent(&mut self, who: &str, intent: Intent) {
        if let Some(client) = self.clients.get(who) {
            let connection = client.connection;
            self.input(Input::Intent { connection, intent });
        }
    }

    pub fn publish(&mut self, who: &str, source: Source, muted: bool) {
        self.intent(
            who,
            Intent::Publish {
                id: IntentId::from("publish"),
                source,
                muted,
            },
        );
    }

    /// Offers a new media connection and lets the media side answer it.
    pub fn offer(&mut self, who: &str, persons: usize, screens: usize) {
        self.counter += 1;
        let offer = offer(slots(persons, screens), None, &format!("m{}", self.counter));
        self.intent(who, Intent::Offer(offer));
        self.answer_all();
    }

    pub fn answer_all(&mut self) {
        for command in self.media.clone() {
            if let MediaCommand::Negotiate { request, .. } = command {
                let result = Ok("answer".to_owned());
                self.input(Input::Media(MediaEvent::Negotiated { request, result }));
            }
        }
    }

    /// What somebody inside sees.
    pub fn view(&self, who: &str) -> &RoomView {
        match &self.clients[who].stand {
            Stand::In { view, .. } => view,
            other => panic!("{who} is not inside: {other:?}"),
        }
    }

    pub fn ready(&mut self, who: &str, slot: u8, generation: u32) {
        self.intent(who, Intent::SlotReady { slot, generation });
    }

    pub fn wanted(&mut self, who: &str, people: &[&str]) {
        let wanted = people.iter().filter_map(|person| {
            Some(Wanted {
                participant: self.participant(person)?,
                source: Source::Camera,
                width: 320,
                height: 180,
            })
        });
        let wanted = wanted.collect();
        self.intent(who, Intent::SetWanted { wanted });
    }

    pub fn speak(&mut self, people: &[&str]) {
        let peers = people.iter().filter_map(|who| self.peer(who)).collect();
        self.input(Input::Media(MediaEvent::Speaking { peers }));
    }

    pub fn access(&mut self, access: Access) {
        self.facts.access = access;
        self.input(Input::FactsChanged(self.facts.clone()));
    }

    /// Whether others than the owner and these members knock.
    pub fn knock(&mut self, knock: bool, members: &[&str]) {
        self.facts.knock = knock;
        self.facts.members = members.iter().map(|member| UserId::from(*member)).collect();
        self.input(Input::FactsChanged(self.facts.clone()));
    }

    /// Answers who knocks, by their place in the list that the one inside sees.
    pub fn admit(&mut self, by: &str, place: usize, admit: bool) {
        let Some(Stand::In { view, .. }) = self.clients.get(by).map(|client| &client.stand) else {
            return;
        };
        let knocking = view.knocking.get(place).map(|knocking| knocking.id.clone());
        let intent = Intent::Admit {
            id: IntentId::from("admit"),
            knocking: knocking.unwrap_or(ParticipantId::from("nobody")),
            admit,
        };
        self.intent(by, intent);
    }

    /// The settings of the house: whether invites count, and whether it is an open one.
    pub fn house(&mut self, invites: bool, open_house: bool) {
        (self.facts.invites, self.facts.open_house) = (invites, open_house);
        self.input(Input::FactsChanged(self.facts.clone()));
    }

    pub fn end_session(&mut self, person: &str) {
        self.input(Input::SessionEnded {
            session: SessionKey(person.to_owned()),
        });
    }

    pub fn pass(&mut self, duration: Duration) {
        self.now.instant += duration;
        self.now.unix_ms += u64::try_from(duration.as_millis()).unwrap();
        while self
            .room
            .poll_timeout()
            .is_some_and(|due| due <= self.now.instant)
        {
            self.room.handle_timeout(self.now);
            self.drain();
        }
    }

    /// `kill -9` and a start `after`: all that is left is what was stored.
    pub fn restart(&mut self, after: Duration) {
        self.now.instant += after;
        self.now.unix_ms += u64::try_from(after.as_millis()).unwrap();
        for client in self.clients.values_mut() {
            client.stand = Stand::Outside;
            client.media = None;
        }
        let stored = self.seats.values().cloned().collect();
        self.media.clear();
        self.restarted = true;
        self.people = People::default();
        self.room = Room::new(self.now, self.facts.clone(), "epoch".to_owned(), stored);
        self.drain();
    }

    /// Peers that the media side still holds.
    pub fn unremoved_peers(&self) -> Vec<MediaConnectionId> {
        let mut peers = Vec::new();
        for command in &self.media {
            match command {
                MediaCommand::Negotiate {
                    peer,
                    renegotiate: false,
                    ..
                } => peers.push(peer.clone()),
                MediaCommand::Remove { peer } => peers.retain(|known| known != peer),
                _ => {}
            }
        }
        peers.retain(|peer| !self.closed.contains(peer));
        peers
    }

    pub fn participant(&self, who: &str) -> Option<ParticipantId> {
        match &self.clients.get(who)?.stand {
            Stand::In { view, .. } => Some(view.you.clone()),
            _ => None,
        }
    }

    pub fn peer(&self, who: &str) -> Option<MediaConnectionId> {
        self.clients.get(who)?.media.clone()
    }

    /// One line: `anna bert~ gil* | 0=bert.1 | !bert`: people (`*` guest, `~` reconnecting, `[…]` tracks, capitals live),
    /// slots with generation, who knocks (`?bert gil*`), speakers.
    pub fn sees(&self, who: &str) -> String {
        let Some(client) = self.clients.get(who) else {
            return "unknown".to_owned();
        };
        match &client.stand {
            Stand::Outside => client
                .refused
                .map_or("outside".to_owned(), |code| format!("refused {code:?}")),
            Stand::Waiting(WaitingReason::NobodyIn) => "waiting".to_owned(),
            Stand::Waiting(WaitingReason::Knocking) => "knocking".to_owned(),
            Stand::Left(reason) => format!("left {reason:?}"),
            Stand::In { view, .. } => describe(view),
        }
    }
}

/// Who stands at the door, apart from where they sit already.
fn at_door(who: &str) -> String {
    format!("{who}@door")
}

fn person_of(who: &str) -> &str {
    who.split_once('/').map_or(who, |(person, _)| person)
}

fn slots(persons: usize, screens: usize) -> Vec<SlotMids> {
    let slot = |kind| SlotMids {
        kind,
        audio: "a".to_owned(),
        video: "v".to_owned(),
    };
    let mut slots = vec![slot(SlotKind::Person); persons];
    slots.extend(vec![slot(SlotKind::Screen); screens]);
    slots
}

pub fn offer(slots: Vec<SlotMids>, connection: Option<MediaConnectionId>, fresh: &str) -> Offer {
    Offer {
        id: IntentId::from("offer"),
        sdp: "offer".to_owned(),
        uplink: UplinkMids {
            microphone: "0".to_owned(),
            camera: "1".to_owned(),
            screen: "2".to_owned(),
            screen_audio: "3".to_owned(),
        },
        slots,
        connection,
        fresh: MediaConnectionId::from(fresh),
    }
}

fn describe(view: &RoomView) -> String {
    let name = |id: &ParticipantId| {
        let known = view.participants.iter().find(|known| &known.id == id);
        known.map_or("?".to_owned(), |known| known.name.clone())
    };
    let people = view.participants.iter().map(|participant| {
        let letter = |source, muted| match (source, muted) {
            (Source::Microphone, false) => 'M',
            (Source::Microphone, true) => 'm',
            (Source::Camera, false) => 'C',
            (Source::Camera, true) => 'c',
            (Source::Screen | Source::ScreenAudio, false) => 'S',
            (Source::Screen | Source::ScreenAudio, true) => 's',
        };
        let guest = if participant.guest { "*" } else { "" };
        let away = if participant.presence == Presence::Reconnecting {
            "~"
        } else {
            ""
        };
        let tracks: String = participant
            .tracks
            .iter()
            .map(|track| letter(track.source, track.muted))
            .collect();
        let tracks = if tracks.is_empty() {
            tracks
        } else {
            format!("[{tracks}]")
        };
        format!("{}{guest}{away}{tracks}", participant.name)
    });
    let mut text = people.collect::<Vec<_>>().join(" ");
    let slots = view.slots.iter().map(|slot| {
        let who = slot.participant.as_ref().map_or("?".to_owned(), &name);
        let started = slot
            .first_rtp_timestamp
            .map_or(String::new(), |at| format!("@{at}"));
        format!("{}={who}.{}{started}", slot.slot, slot.generation)
    });
    let slots = slots.collect::<Vec<_>>().join(" ");
    if !slots.is_empty() {
        text += &format!(" | {slots}");
    }
    if !view.knocking.is_empty() {
        let knocking = view.knocking.iter().map(|knocking| {
            let guest = if knocking.guest { "*" } else { "" };
            format!("{}{guest}", knocking.name)
        });
        text += &format!(" | ?{}", knocking.collect::<Vec<_>>().join(" "));
    }
    if !view.speaking.is_empty() {
        text += &format!(
            " | !{}",
            view.speaking.iter().map(name).collect::<Vec<_>>().join(" ")
        );
    }
    text
}
