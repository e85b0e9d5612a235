//! Who lives here and what goes on between them: devices, availability, calls that ring, what each person's home page
//! shows. One value for the whole house.
//!
//! Pure and sans-IO: inputs and time go in; messages, things to store, things to read and pushes come out. It knows nothing
//! of media, SQL, sockets or who may see whom.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods, clippy::disallowed_types))]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod calls;
mod devices;
mod history;
mod home;
mod io;
mod limits;
mod people;
mod rooms;
mod timers;
mod watching;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use protocol::{CallId, ErrorCode, HomeChange, IntentId, RoomId, ServerMessage, UserId};

pub use io::{
    Callee, Input, Intent, Into, Now, Output, Persist, PersonFacts, Push, RestoredCall, SocketId,
    StartCall, StoredCall,
};

use calls::Ringing;
use history::Stay;
use home::Load;
use limits::Rates;
use people::{Person, Socket};
use rooms::{Roll, Room};
use timers::{Timer, Timers};
use watching::Watched;

/// The whole house. Feed it, then drain [`House::poll_output`] until it is empty.
pub struct House {
    /// No other run of the server has it.
    run: String,
    /// Whoever is here, was a moment ago, sits somewhere or is in a call. Nobody else costs anything.
    people: HashMap<UserId, Person>,
    sockets: HashMap<SocketId, Socket>,
    /// Facts that were asked for and have not come.
    loads: HashMap<UserId, Load>,
    /// Rooms with somebody in them.
    rooms: HashMap<RoomId, Room>,
    /// On whose home page a room stands.
    readers: HashMap<RoomId, BTreeSet<UserId>>,
    /// Since the last beat: other numbers of people, other facts.
    changed_rooms: BTreeSet<RoomId>,
    stale: BTreeSet<UserId>,
    watched: HashMap<UserId, Watched>,
    /// Watched people whose availability may be another since the last beat.
    changed_people: BTreeSet<UserId>,
    calls: HashMap<CallId, Ringing>,
    rates: Rates,
    stays: HashMap<UserId, Vec<Stay>>,
    lines_made: u64,
    timers: Timers,
    outputs: VecDeque<Output>,
}

impl House {
    /// `run` was drawn at random and names this run of the server: ids of what is made here begin with it.
    pub fn new(run: String) -> Self {
        Self {
            run,
            people: HashMap::new(),
            sockets: HashMap::new(),
            loads: HashMap::new(),
            rooms: HashMap::new(),
            readers: HashMap::new(),
            changed_rooms: BTreeSet::new(),
            stale: BTreeSet::new(),
            watched: HashMap::new(),
            changed_people: BTreeSet::new(),
            calls: HashMap::new(),
            rates: Rates::default(),
            stays: HashMap::new(),
            lines_made: 0,
            timers: Timers::default(),
            outputs: VecDeque::new(),
        }
    }

    pub fn handle_input(&mut self, now: Now, input: Input) {
        match input {
            Input::Opened {
                socket,
                user,
                browser,
                epoch,
            } => self.opened(now, socket, user, browser, epoch),
            Input::Closed { socket } => self.closed(now, socket),
            Input::Loaded { user, facts } => self.loaded(now, user, *facts),
            Input::NotLoaded { user } => self.not_loaded(&user),
            Input::FactsChanged { user } => self.facts_changed(now, &user),
            Input::RoomFactsChanged { room } => self.room_facts_changed(now, room.as_ref()),
            Input::RoomPeople {
                room,
                kind,
                address,
                name,
                people,
                accounts,
            } => {
                let roll = Roll {
                    kind,
                    address,
                    name,
                    people,
                    accounts,
                };
                self.room_people(now, room, roll);
            }
            Input::Intent { socket, intent } => self.intent(now, socket, intent),
            Input::Declined { user, call } => self.declined(now, &user, &call),
            Input::PersonGone { user } => self.person_gone(now, &user),
            Input::HistoryDeleted { user, entries } => self.history_deleted(now, &user, entries),
            Input::MeetingChanged { user, meeting } => self.meeting_changed(&user, meeting),
            Input::MeetingRemoved { user, meeting } => self.meeting_removed(&user, meeting),
            Input::FavouritesChanged { user } => self.tell(&user, &HomeChange::FavouritesChanged),
            Input::Restored { calls } => {
                for call in calls {
                    self.restored(now, call);
                }
            }
        }
    }

    /// To be called when [`House::poll_timeout`] has passed; harmless at any other time.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(timer) = self.timers.pop(now.instant) {
            match timer {
                Timer::HomeBeat => self.home_beat(),
                Timer::AvailabilityBeat => self.availability_beat(),
                Timer::Offline(user) => self.offline(now, &user),
                Timer::Call(call) => self.call_due(now, &call),
                Timer::Way(room) => self.way_over(now, &room),
                Timer::Stay(user) => self.stays_over(now, &user),
            }
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// What needs the person's facts waits for them.
    fn intent(&mut self, now: Now, socket: SocketId, intent: Intent) {
        let Some(user) = self.sockets.get(&socket).map(|socket| socket.user.clone()) else {
            return;
        };
        let known = self
            .people
            .get(&user)
            .is_some_and(|person| person.home.is_some());
        if !known && intent.needs_facts() {
            return self.hold(socket, &user, intent);
        }
        match intent {
            Intent::GetSnapshot => self.get_snapshot(socket),
            Intent::SetActive { active } => self.set_active(now, socket, active),
            Intent::SetStatus { id, status } => {
                if let Err(wait) = self.rates.try_changing_status(now.instant, &user) {
                    return self.slow_down(socket, id, wait);
                }
                self.set_status(now, &user, status);
                self.ok(socket, id);
            }
            Intent::Watch { people } => self.watch(socket, people),
            Intent::SeeMissed { id } => {
                self.see_missed(&user);
                self.ok(socket, id);
            }
            Intent::Call(start) => self.start_call(now, socket, &user, *start),
            Intent::Accept { id, call } => self.accept(now, socket, &user, id, &call),
            Intent::Decline { id, call } => self.decline(now, socket, &user, id, &call),
            Intent::Cancel { id, call } => self.cancel(now, socket, &user, id, &call),
            Intent::Ignore { id, call } => self.ignore(socket, &user, id, &call),
        }
    }

    fn ok(&mut self, socket: SocketId, id: IntentId) {
        self.send(socket, ServerMessage::Ok { id });
    }

    fn refuse(&mut self, socket: SocketId, id: IntentId, code: ErrorCode) {
        let message = ServerMessage::Error {
            id: Some(id),
            code,
            retry_after_ms: None,
            reference: None,
        };
        self.send(socket, message);
    }

    fn persist(&mut self, what: Persist) {
        self.outputs.push_back(Output::Persist(what));
    }

    fn send(&mut self, socket: SocketId, message: ServerMessage) {
        self.outputs.push_back(Output::Send { socket, message });
    }
}
