//! A house with clients around it: each client is nothing but the reducer that the protocol asks for, and the store is what
//! was persisted.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use house::{
    Callee, House, Input, Intent, Into, Now, Output, Persist, PersonFacts, Push, RestoredCall,
    SocketId, StartCall, StoredCall,
};
use protocol::{
    Access, Availability, Call, CallEnd, CallId, CallPerson, ErrorCode, HistoryEntry, Home,
    HomeChange, HomeRoom, RoomId, RoomKind, ServerMessage, Status, UserId,
};

/// One socket, as a client of the protocol keeps it.
#[derive(Clone, Debug, Default)]
pub struct Client {
    pub user: String,
    pub browser: String,
    /// Epoch, last `seq` and what is shown.
    pub home: Option<(String, u64, Home)>,
    pub availability: BTreeMap<String, Availability>,
    /// Answer to the last intent.
    pub answer: Option<Answer>,
    /// The calls that ended here, in this order.
    pub ended: Vec<(CallId, CallEnd)>,
    /// Every call that this socket ever heard of.
    pub heard_of: BTreeSet<CallId>,
    pub history: BTreeMap<String, HistoryEntry>,
    pub watches: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Ok,
    Calling(Call),
    Refused(ErrorCode),
}

impl Client {
    fn apply(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Ok { .. } => self.answer = Some(Answer::Ok),
            ServerMessage::Error { code, .. } => self.answer = Some(Answer::Refused(code)),
            ServerMessage::Calling { call, .. } => {
                self.heard_of.insert(call.id.clone());
                self.answer = Some(Answer::Calling(call));
            }
            ServerMessage::HomeSnapshot { epoch, seq, home } => {
                self.heard_of
                    .extend(home.calls.iter().map(|call| call.id.clone()));
                if let Some((known, last, _)) = &self.home {
                    assert_eq!((known, *last), (&epoch, seq), "a snapshot goes on counting");
                }
                self.home = Some((epoch, seq, home));
            }
            ServerMessage::HomeDelta { seq, change } => {
                let Some((_, last, home)) = &mut self.home else {
                    panic!("a delta before the snapshot: {change:?}");
                };
                assert_eq!(seq, *last + 1, "a gap in front of {change:?}");
                *last = seq;
                match change {
                    HomeChange::AvailabilityChanged { people } => {
                        for one in people {
                            self.availability.insert(one.person.0, one.availability);
                        }
                    }
                    HomeChange::CallEnded { call, end } => {
                        home.calls.retain(|known| known.id != call);
                        self.heard_of.insert(call.clone());
                        self.ended.push((call, end));
                    }
                    HomeChange::HistoryChanged { entry } => {
                        self.history.insert(entry.id.0.clone(), entry);
                    }
                    HomeChange::HistoryRemoved { entries } => {
                        entries.iter().for_each(|id| {
                            self.history.remove(&id.0);
                        });
                    }
                    HomeChange::HistoryCleared => self.history.clear(),
                    HomeChange::CallChanged { call } => {
                        self.heard_of.insert(call.id.clone());
                        replace(&mut home.calls, call, |call| call.id.0.clone());
                    }
                    change => reduce(home, change),
                }
            }
            other => panic!("not a message of the house: {other:?}"),
        }
    }

    pub fn watches(&self, person: &str) -> bool {
        self.watches.contains(person)
    }

    pub fn home(&self) -> &Home {
        &self.home.as_ref().expect("a snapshot").2
    }
}

/// The reducer of docs/protocol.md, for what is not told apart above.
fn reduce(home: &mut Home, change: HomeChange) {
    match change {
        HomeChange::RoomChanged { room } => {
            replace(&mut home.rooms, room, |room| room.id.0.clone())
        }
        HomeChange::RoomRemoved { room } => home.rooms.retain(|known| known.id != room),
        HomeChange::MissedChanged { missed } => home.missed = missed,
        HomeChange::StatusChanged { status } => home.status = status,
        HomeChange::MeetingChanged { meeting } => {
            replace(&mut home.meetings, meeting, |meeting| meeting.id.0.clone());
        }
        HomeChange::MeetingRemoved { meeting } => home.meetings.retain(|known| known.id != meeting),
        HomeChange::FavouritesChanged => {}
        other => panic!("unknown to this client: {other:?}"),
    }
}

fn replace<T>(list: &mut Vec<T>, item: T, id: impl Fn(&T) -> String) {
    match list.iter_mut().find(|known| id(known) == id(&item)) {
        Some(known) => *known = item,
        None => list.push(item),
    }
}

pub const START: u64 = 1_000_000_000;

/// `anna/phone#2` is the second tab in the browser `phone` of Anna.
pub type Tab = &'static str;

pub fn user_of(tab: &str) -> &str {
    tab.split('/').next().expect("a name")
}

fn browser_of(tab: &str) -> &str {
    tab.split('#').next().expect("a browser")
}

/// What was stored of a call.
#[derive(Clone, Debug)]
pub struct Record {
    pub call: StoredCall,
    pub kind: RoomKind,
    pub rings: bool,
    /// When it began and stopped ringing.
    pub rang: Option<u64>,
}

#[derive(Default)]
pub struct Store {
    pub calls: BTreeMap<CallId, Record>,
    /// By person, then by id.
    pub lines: BTreeMap<String, BTreeMap<String, HistoryEntry>>,
    pub status: BTreeMap<String, Status>,
    /// Rooms on everybody's home page.
    pub rooms: Vec<HomeRoom>,
    pub members: BTreeSet<(RoomId, String)>,
}

impl Store {
    pub fn missed(&self, user: &str) -> u32 {
        let lines = self.lines.get(user);
        let unseen = lines.into_iter().flat_map(BTreeMap::values);
        u32::try_from(unseen.filter(|line| !line.seen).count()).expect("few")
    }
}

pub struct World {
    pub house: House,
    pub now: Now,
    pub store: Store,
    pub clients: BTreeMap<SocketId, Client>,
    pub tabs: BTreeMap<String, SocketId>,
    /// Who sits in which room, by tab.
    pub seats: BTreeMap<RoomId, BTreeSet<String>>,
    pub kinds: BTreeMap<RoomId, RoomKind>,
    pub ended_rooms: Vec<RoomId>,
    pub pushable: BTreeSet<String>,
    pub gone: BTreeSet<String>,
    /// Facts as they were read, on their way.
    pub loads: VecDeque<(String, PersonFacts)>,
    pub late_loads: bool,
    /// What the house has not heard of yet.
    pub rolls: VecDeque<(RoomId, BTreeSet<String>)>,
    pub late_rolls: bool,
    pub endings: VecDeque<RoomId>,
    /// How many accounts the house knows to be where.
    pub known: BTreeMap<RoomId, usize>,
    /// Of each call that was ever tried: caller and called one.
    pub parties: BTreeMap<CallId, [String; 2]>,
    /// Those that rang or would have.
    pub calling: BTreeSet<CallId>,
    /// Call, browser.
    pub ignored: BTreeSet<(CallId, String)>,
    pub unused: BTreeSet<SocketId>,
    /// Lines of calls that were ever written, by person.
    pub written: BTreeSet<(String, String)>,
    /// What happened since it was last read, in words.
    pub heard: Vec<String>,
    /// Calls in the order of their starts, with the caller's and the called one's lines.
    pub started: Vec<(CallId, String, String)>,
    counter: u64,
}

impl World {
    pub fn new() -> Self {
        let now = Now {
            instant: Instant::now(),
            unix_ms: START,
        };
        Self {
            house: House::new("run0".to_owned()),
            now,
            store: Store::default(),
            clients: BTreeMap::new(),
            tabs: BTreeMap::new(),
            seats: BTreeMap::new(),
            kinds: BTreeMap::new(),
            ended_rooms: Vec::new(),
            pushable: BTreeSet::new(),
            gone: BTreeSet::new(),
            loads: VecDeque::new(),
            late_loads: false,
            rolls: VecDeque::new(),
            late_rolls: false,
            endings: VecDeque::new(),
            known: BTreeMap::new(),
            parties: BTreeMap::new(),
            calling: BTreeSet::new(),
            ignored: BTreeSet::new(),
            unused: BTreeSet::new(),
            written: BTreeSet::new(),
            heard: Vec::new(),
            started: Vec::new(),
            counter: 0,
        }
    }

    pub fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub fn client(&self, tab: &str) -> &Client {
        &self.clients[&self.tabs[tab]]
    }

    pub fn open(&mut self, tab: &str) {
        let socket = SocketId(self.count());
        self.tabs.insert(tab.to_owned(), socket);
        let client = Client {
            user: user_of(tab).to_owned(),
            browser: browser_of(tab).to_owned(),
            ..Client::default()
        };
        self.clients.insert(socket, client);
        self.input(Input::Opened {
            socket,
            user: user_of(tab).into(),
            browser: browser_of(tab).into(),
            epoch: format!("epoch{}", socket.0),
        });
    }

    pub fn close(&mut self, tab: &str) {
        if let Some(socket) = self.tabs.remove(tab) {
            self.clients.remove(&socket);
            self.input(Input::Closed { socket });
        }
    }

    pub fn intent(&mut self, tab: &str, intent: Intent) {
        let Some(socket) = self.tabs.get(tab).copied() else {
            return;
        };
        let client = self.clients.get_mut(&socket).expect("a client");
        client.answer = None;
        if let Intent::Watch { people } = &intent {
            client.watches = people.iter().map(|one| one.0.clone()).collect();
        }
        self.input(Input::Intent { socket, intent });
    }

    pub fn call(&mut self, tab: &str, callee: &str, into: Option<RoomId>) {
        let number = self.count();
        let known = ["anna", "ben", "carla", "dora", "emil"].contains(&callee);
        let callee = known.then(|| Callee {
            person: person(callee),
            status: self.store.status.get(callee).copied().unwrap_or_default(),
            pushable: self.pushable.contains(callee),
        });
        let into = into.map(|room| Into {
            kind: self.kinds[&room],
            address: (self.kinds[&room] != RoomKind::Call).then(|| room.0.clone()),
            room,
        });
        let start = StartCall {
            id: "1".into(),
            callee: callee.filter(|callee| !self.gone.contains(&callee.person.id.0)),
            video: number.is_multiple_of(2),
            into,
            fresh_call: format!("call{number}").into(),
            fresh_room: format!("room{number}").into(),
            fresh_history: [
                format!("line{number}-out").into(),
                format!("line{number}-in").into(),
            ],
        };
        if let Some(callee) = &start.callee {
            let parties = [user_of(tab).to_owned(), callee.person.id.0.clone()];
            self.parties.insert(start.fresh_call.clone(), parties);
        }
        self.intent(tab, Intent::Call(Box::new(start)));
    }

    /// Takes a seat, or leaves all of that tab's.
    pub fn sit(&mut self, tab: &str, room: &RoomId) {
        if !self.endings.contains(room) && !self.ended_rooms.contains(room) {
            self.kinds.entry(room.clone()).or_default();
            let seats = self.seats.entry(room.clone()).or_default();
            seats.insert(tab.to_owned());
            self.roll(room.clone());
        }
    }

    pub fn stand_up(&mut self, tab: &str) {
        let rooms: Vec<_> = self.seats.keys().cloned().collect();
        for room in rooms {
            if self
                .seats
                .get_mut(&room)
                .is_some_and(|seats| seats.remove(tab))
            {
                self.roll(room);
            }
        }
    }

    fn roll(&mut self, room: RoomId) {
        let seats = self.seats.get(&room).cloned().unwrap_or_default();
        self.rolls.push_back((room, seats));
        if !self.late_rolls {
            self.deliver_roll();
        }
    }

    pub fn deliver_roll(&mut self) {
        let Some((room, seats)) = self.rolls.pop_front() else {
            return;
        };
        let accounts: BTreeSet<_> = seats.iter().map(|tab| user_of(tab)).collect();
        self.known.insert(room.clone(), accounts.len());
        self.input(Input::RoomPeople {
            kind: self.kinds[&room],
            address: room.0.clone(),
            name: room.0.to_uppercase(),
            people: u32::try_from(seats.len()).expect("few"),
            accounts: accounts.into_iter().map(UserId::from).collect(),
            room,
        });
    }

    pub fn deliver_load(&mut self) {
        if let Some((user, facts)) = self.loads.pop_front() {
            self.input(Input::Loaded {
                user: user.as_str().into(),
                facts: Box::new(facts),
            });
        }
    }

    pub fn deliver_ending(&mut self) {
        let Some(room) = self.endings.pop_front() else {
            return;
        };
        self.ended_rooms.push(room.clone());
        self.kinds.entry(room.clone()).or_insert(RoomKind::Call);
        let seats = self.seats.entry(room.clone()).or_default();
        let sat = !seats.is_empty();
        seats.clear();
        if sat {
            self.roll(room);
        }
    }

    pub fn pass(&mut self, ms: u64) {
        let until = self.now.unix_ms + ms;
        while let Some(due) = self.house.poll_timeout() {
            let wait = due.saturating_duration_since(self.now.instant);
            let wait = u64::try_from(wait.as_millis()).expect("not that long");
            if self.now.unix_ms + wait > until {
                break;
            }
            self.clock(wait);
            self.house.handle_timeout(self.now);
            self.drain();
        }
        self.clock(until - self.now.unix_ms);
        self.house.handle_timeout(self.now);
        self.drain();
    }

    fn clock(&mut self, ms: u64) {
        self.now.unix_ms += ms;
        self.now.instant += Duration::from_millis(ms);
    }

    /// The server ends and starts again. Seats are kept, sockets are not.
    pub fn restart(&mut self, after_ms: u64) {
        self.clients.clear();
        self.tabs.clear();
        self.loads.clear();
        self.endings.clear();
        self.ignored.clear();
        self.unused.clear();
        self.known.clear();
        self.sweep();
        self.clock(after_ms);
        let run = self.count();
        self.house = House::new(format!("run{run}"));
        let mut calls = Vec::new();
        for record in self
            .store
            .calls
            .values()
            .filter(|record| record.rings)
            .cloned()
            .collect::<Vec<_>>()
        {
            let number = self.count();
            let call = record.call;
            let callee = call.callee.as_str();
            calls.push(RestoredCall {
                into: Into {
                    room: call.room.clone(),
                    kind: record.kind,
                    address: (record.kind != RoomKind::Call).then(|| call.room.0.clone()),
                },
                caller: person(call.caller.as_str()),
                callee: Callee {
                    person: person(callee),
                    status: self.store.status.get(callee).copied().unwrap_or_default(),
                    pushable: self.pushable.contains(callee),
                },
                fresh_history: [
                    format!("line{number}-out").into(),
                    format!("line{number}-in").into(),
                ],
                call,
            });
        }
        self.input(Input::Restored { calls });
        self.rolls.clear();
        let rooms = self.seats.iter().filter(|(_, seats)| !seats.is_empty());
        let rooms: Vec<_> = rooms.map(|(room, _)| room.clone()).collect();
        rooms.into_iter().for_each(|room| self.roll(room));
    }

    /// What the server does at its start: a call's room where nobody sits and nobody is rung is gone.
    fn sweep(&mut self) {
        let rings = |room: &RoomId| {
            let mut records = self.store.calls.values();
            records.any(|record| record.rings && &record.call.room == room)
        };
        let sat = |room: &RoomId| self.seats.get(room).is_some_and(|seats| !seats.is_empty());
        let calls = self
            .kinds
            .iter()
            .filter(|(_, kind)| **kind == RoomKind::Call);
        let left = calls.filter(|(room, _)| !rings(room) && !sat(room));
        self.ended_rooms.extend(left.map(|(room, _)| room.clone()));
    }

    pub fn input(&mut self, input: Input) {
        self.house.handle_input(self.now, input);
        self.drain();
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.house.poll_output() {
            self.take(output);
        }
        if !self.late_loads {
            while !self.loads.is_empty() {
                self.deliver_load();
            }
        }
        if !self.late_rolls {
            while !self.endings.is_empty() {
                self.deliver_ending();
            }
        }
    }

    fn take(&mut self, output: Output) {
        match output {
            Output::Send { socket, message } => {
                self.note_message(socket, &message);
                let client = self.clients.get_mut(&socket);
                client
                    .expect("no output for a closed socket")
                    .apply(message);
            }
            Output::Load { user } => {
                let facts = PersonFacts {
                    me: person(user.as_str()),
                    rooms: self.store.rooms.clone(),
                    status: self
                        .store
                        .status
                        .get(user.as_str())
                        .copied()
                        .unwrap_or_default(),
                    missed: self.store.missed(user.as_str()),
                    meetings: Vec::new(),
                };
                self.loads.push_back((user.0, facts));
            }
            Output::Persist(what) => self.persist(what),
            Output::EndRoom { room } => {
                self.heard.push("room: ended".to_owned());
                let rings = |record: &Record| record.rings && record.call.room == room;
                assert!(
                    !self.store.calls.values().any(rings),
                    "somebody is still being rung"
                );
                assert!(
                    self.known.get(&room).is_none_or(|people| *people < 2),
                    "two are inside"
                );
                self.endings.push_back(room);
            }
            Output::Expect { room, user } => self.heard.push(format!("{room}: expects {user}")),
            Output::Push { user, push } => {
                assert!(self.pushable.contains(user.as_str()), "nobody can be woken");
                self.heard.push(match push {
                    Push::Ringing {
                        ringing, caller, ..
                    } => {
                        let ringing: Vec<_> =
                            ringing.iter().map(|browser| browser.as_str()).collect();
                        format!("{user}: pushed {} rings but on {ringing:?}", caller.name)
                    }
                    Push::Over { end, missed, .. } => {
                        format!(
                            "{user}: pushed {}{}",
                            code(&end),
                            if missed { ", missed" } else { "" }
                        )
                    }
                });
            }
        }
    }

    fn persist(&mut self, what: Persist) {
        match what {
            Persist::CallStarted {
                call,
                new_room,
                kind,
            } => {
                self.started.push((
                    call.id.clone(),
                    call.caller.0.clone(),
                    call.callee.0.clone(),
                ));
                if new_room {
                    self.kinds.insert(call.room.clone(), RoomKind::Call);
                    self.store
                        .members
                        .insert((call.room.clone(), call.caller.0.clone()));
                }
                if kind == RoomKind::Call {
                    self.store
                        .members
                        .insert((call.room.clone(), call.callee.0.clone()));
                }
                let record = Record {
                    kind,
                    rings: true,
                    rang: Some(self.now.unix_ms),
                    call,
                };
                assert!(
                    self.store
                        .calls
                        .insert(record.call.id.clone(), record)
                        .is_none(),
                    "started twice"
                );
            }
            Persist::CallOver { call, comes } => {
                let record = self.store.calls.get_mut(&call).expect("it was stored");
                assert!(record.rings, "over twice");
                record.rings = false;
                if !comes && record.kind == RoomKind::Call {
                    let callee = record.call.callee.0.clone();
                    let member = (record.call.room.clone(), callee);
                    self.store.members.remove(&member);
                }
                let rang = self.now.unix_ms - record.call.started_at;
                record.rang = Some(rang);
            }
            Persist::History { user, entry } => {
                let duration = entry
                    .duration_ms
                    .map(|ms| format!(" {}s", ms / 1000))
                    .unwrap_or_default();
                let end = entry
                    .end
                    .map(|end| format!(" {}", code(&end)))
                    .unwrap_or_default();
                self.heard
                    .push(format!("{user}: line {}{end}{duration}", code(&entry.kind)));
                if entry.person.is_some() {
                    self.written.insert((user.0.clone(), entry.id.0.clone()));
                }
                self.store
                    .lines
                    .entry(user.0)
                    .or_default()
                    .insert(entry.id.0.clone(), entry);
            }
            Persist::MissedSeen { user } => {
                let lines = self.store.lines.get_mut(user.as_str());
                lines
                    .into_iter()
                    .flat_map(BTreeMap::values_mut)
                    .for_each(|line| line.seen = true);
            }
            Persist::Status { user, status } => {
                self.store.status.insert(user.0, status);
            }
        }
    }

    fn note_message(&mut self, socket: SocketId, message: &ServerMessage) {
        let tab = self.tabs.iter().find(|(_, known)| **known == socket);
        let Some((tab, _)) = tab else { return };
        let what = match message {
            ServerMessage::Ok { .. } => "ok".to_owned(),
            ServerMessage::Error { code: error, .. } => code(error),
            ServerMessage::Calling { call, .. } => {
                self.calling.insert(call.id.clone());
                format!("calling{}", silent(call))
            }
            ServerMessage::HomeDelta { change, .. } => match change {
                HomeChange::CallChanged { call } => {
                    format!(
                        "{} {}{}",
                        code(&call.direction),
                        call.person.name,
                        silent(call)
                    )
                }
                HomeChange::CallEnded { end, .. } => code(end),
                HomeChange::MissedChanged { missed } => format!("missed {missed}"),
                HomeChange::AvailabilityChanged { people } => {
                    let people = people
                        .iter()
                        .map(|one| format!("{} {}", one.person, code(&one.availability)));
                    people.collect::<Vec<_>>().join(", ")
                }
                HomeChange::RoomChanged { room } => format!("{} has {}", room.name, room.people),
                HomeChange::RoomRemoved { room } => format!("{room} gone"),
                HomeChange::StatusChanged { status } => format!("status {}", code(status)),
                _ => return,
            },
            ServerMessage::HomeSnapshot { home, .. } => {
                let calls = home.calls.iter().map(|call| {
                    format!(
                        " {} {}{}",
                        code(&call.direction),
                        call.person.name,
                        silent(call)
                    )
                });
                format!("snapshot{}", calls.collect::<String>())
            }
            _ => return,
        };
        self.heard.push(format!("{tab}: {what}"));
    }
}

fn silent(call: &Call) -> &'static str {
    if call.ringing { "" } else { " in silence" }
}

/// As on the wire.
pub fn code(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(value).expect("JSON");
    json.as_str().expect("a word").to_owned()
}

pub fn person(name: &str) -> CallPerson {
    CallPerson {
        id: name.into(),
        name: name.to_owned(),
        picture: None,
    }
}

pub fn home_room(name: &str) -> HomeRoom {
    HomeRoom {
        id: name.into(),
        name: name.to_owned(),
        access: Access::Accounts,
        kind: RoomKind::Named,
        knock: false,
        owner: false,
        member: false,
        pinned: false,
        people: 0,
        visited_at: None,
    }
}
