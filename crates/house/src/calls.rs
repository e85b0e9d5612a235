//! Calls that ring: one person, one other, one room, 45 seconds at most. Who may start, accept, decline, ignore and cancel
//! them, and what each side hears.

use std::time::{Duration, Instant};

use protocol::{
    BrowserId, Call, CallEnd, CallId, CallPerson, Direction, ErrorCode, HistoryId, HomeChange,
    IntentId, RoomKind, ServerMessage, Status, UserId, limits,
};

use crate::House;
use crate::io::{
    Callee, Into, Now, Output, Persist, Push, RestoredCall, SocketId, StartCall, StoredCall,
};
use crate::people::Socket;
use crate::timers::Timer;

const RING: Duration = Duration::from_millis(limits::RING_MS);
/// For a caller whose last socket closed.
const CALLER_BACK: Duration = Duration::from_secs(10);
/// After a restart, which everybody has to notice first.
const CALLER_BACK_AFTER_RESTART: Duration = Duration::from_secs(15);

pub struct Ringing {
    pub stored: StoredCall,
    pub caller: CallPerson,
    pub callee: CallPerson,
    /// The caller's line and the called one's.
    pub lines: [HistoryId; 2],
    kind: RoomKind,
    /// Address of the named room.
    into: Option<String>,
    /// Whether a device rings, as both were told.
    rings: bool,
    pushed: bool,
    /// These do not ring any more.
    ignored: Vec<BrowserId>,
    over_at: Instant,
    caller_back_by: Option<Instant>,
}

/// How ringing ends.
pub enum Outcome {
    /// On this browser; absent: by walking into the room.
    Answered(Option<BrowserId>),
    /// On this browser; absent: from a notification.
    Declined(Option<BrowserId>),
    Cancelled,
    NoAnswer,
    /// The called account is gone.
    NotReachable,
}

impl Outcome {
    fn for_caller(&self) -> CallEnd {
        match self {
            Self::Answered(_) => CallEnd::Answered,
            Self::Declined(_) => CallEnd::Declined,
            Self::Cancelled => CallEnd::Cancelled,
            Self::NoAnswer => CallEnd::NoAnswer,
            Self::NotReachable => CallEnd::NotReachable,
        }
    }

    fn for_callee(&self, browser: &BrowserId) -> CallEnd {
        match self {
            Self::Answered(Some(there)) | Self::Declined(Some(there)) if there != browser => {
                CallEnd::AnsweredElsewhere
            }
            _ => self.for_caller(),
        }
    }
}

impl Ringing {
    /// As one of the two sees it.
    fn seen_by(&self, user: &UserId) -> Call {
        let (direction, person) = match user == &self.caller.id {
            true => (Direction::Outgoing, &self.callee),
            false => (Direction::Incoming, &self.caller),
        };
        Call {
            id: self.stored.id.clone(),
            room: self.stored.room.clone(),
            into: self.into.clone(),
            direction,
            person: person.clone(),
            video: self.stored.video,
            ringing: self.rings,
            started_at: self.stored.started_at,
        }
    }
}

impl House {
    pub(crate) fn start_call(
        &mut self,
        now: Now,
        socket: SocketId,
        user: &UserId,
        start: StartCall,
    ) {
        if let Err(wait) = self.rates.try_calling(now.instant, user) {
            return self.slow_down(socket, start.id, wait);
        }
        let callable = |callee: &&Callee| &callee.person.id != user;
        let Some(callee) = start.callee.as_ref().filter(callable).cloned() else {
            return self.refuse(socket, start.id, ErrorCode::CannotBeCalled);
        };
        let there = &callee.person.id;
        if let Err(wait) = self.rates.try_reaching(now.instant, user, there) {
            return self.slow_down(socket, start.id, wait);
        }
        if start.into.is_none()
            && let Some(theirs) = self.call_between(there, user)
        {
            return self.accept(now, socket, user, start.id, &theirs);
        }
        if let Some(code) = self.hindrance(user, there, start.into.as_ref()) {
            return self.refuse(socket, start.id, code);
        }
        let Some(caller) = self.home_of(user).map(|home| home.me.clone()) else {
            return;
        };
        self.ring(now, socket, caller, callee, start);
    }

    pub(crate) fn accept(
        &mut self,
        now: Now,
        socket: SocketId,
        user: &UserId,
        id: IntentId,
        call: &CallId,
    ) {
        let Some(ringing) = self.called(user, call) else {
            return self.refuse(socket, id, ErrorCode::CallOver);
        };
        let (room, kind) = (ringing.stored.room.clone(), ringing.kind);
        if kind != RoomKind::Call {
            let (room, user) = (room.clone(), user.clone());
            self.outputs.push_back(Output::Expect { room, user });
        }
        self.expect(now, &room, user);
        self.ok(socket, id);
        let browser = self.browser(socket);
        self.call_over(now, call, &Outcome::Answered(browser));
    }

    pub(crate) fn decline(
        &mut self,
        now: Now,
        socket: SocketId,
        user: &UserId,
        id: IntentId,
        call: &CallId,
    ) {
        if self.called(user, call).is_none() {
            return self.refuse(socket, id, ErrorCode::CallOver);
        }
        let browser = self.browser(socket);
        self.call_over(now, call, &Outcome::Declined(browser));
        self.ok(socket, id);
    }

    pub(crate) fn declined(&mut self, now: Now, user: &UserId, call: &CallId) {
        if self.called(user, call).is_some() {
            self.call_over(now, call, &Outcome::Declined(None));
        }
    }

    pub(crate) fn cancel(
        &mut self,
        now: Now,
        socket: SocketId,
        user: &UserId,
        id: IntentId,
        call: &CallId,
    ) {
        let ringing = self.calls.get(call);
        if ringing.is_none_or(|ringing| &ringing.caller.id != user) {
            return self.refuse(socket, id, ErrorCode::CallOver);
        }
        self.call_over(now, call, &Outcome::Cancelled);
        self.ok(socket, id);
    }

    pub(crate) fn ignore(&mut self, socket: SocketId, user: &UserId, id: IntentId, call: &CallId) {
        let browser = self.browser(socket);
        let ringing = self.calls.get_mut(call);
        let ringing = ringing.filter(|ringing| &ringing.callee.id == user);
        let (Some(ringing), Some(browser)) = (ringing, browser) else {
            return self.refuse(socket, id, ErrorCode::CallOver);
        };
        if !ringing.ignored.contains(&browser) {
            ringing.ignored.push(browser.clone());
            self.tell_browsers(user, |there| {
                (there == &browser).then(|| HomeChange::CallEnded {
                    call: call.clone(),
                    end: CallEnd::Ignored,
                })
            });
        }
        self.ok(socket, id);
    }

    pub(crate) fn restored(&mut self, now: Now, call: RestoredCall) {
        let RestoredCall {
            call: stored,
            into,
            caller,
            callee,
            fresh_history,
        } = call;
        let rung = Duration::from_millis(now.unix_ms.saturating_sub(stored.started_at));
        let back_by = now.instant + CALLER_BACK_AFTER_RESTART;
        let (id, room, caller_id) = (stored.id.clone(), stored.room.clone(), caller.id.clone());
        let ringing = Ringing {
            stored,
            caller,
            pushed: callee.pushable,
            callee: callee.person,
            lines: fresh_history,
            kind: into.kind,
            into: into.address,
            rings: false,
            ignored: Vec::new(),
            over_at: now.instant + RING.saturating_sub(rung),
            caller_back_by: Some(back_by),
        };
        self.timers.add(back_by, Timer::Call(id));
        self.put(ringing);
        self.expect(now, &room, &caller_id);
    }

    /// Something about this call may be due.
    pub(crate) fn call_due(&mut self, now: Now, call: &CallId) {
        let Some(ringing) = self.calls.get(call) else {
            return;
        };
        if ringing.over_at <= now.instant {
            self.call_over(now, call, &Outcome::NoAnswer);
        } else if ringing.caller_back_by.is_some_and(|by| by <= now.instant) {
            self.call_over(now, call, &Outcome::Cancelled);
        }
    }

    pub(crate) fn call_over(&mut self, now: Now, call: &CallId, outcome: &Outcome) {
        let Some(ringing) = self.calls.remove(call) else {
            return;
        };
        let (caller, callee) = (&ringing.caller.id, &ringing.callee.id);
        for user in [caller, callee] {
            if let Some(person) = self.people.get_mut(user) {
                person.calls.retain(|other| other != call);
            }
        }
        let mut comes = matches!(outcome, Outcome::Answered(_));
        if let Some(room) = self.rooms.get_mut(&ringing.stored.room) {
            room.ringing.retain(|other| other != call);
            comes |= room.has(callee);
        }
        self.persist(Persist::CallOver {
            call: call.clone(),
            comes,
        });
        let end = outcome.for_caller();
        let ended = |end| HomeChange::CallEnded {
            call: call.clone(),
            end,
        };
        self.tell(caller, &ended(end));
        self.tell_browsers(callee, |browser| {
            let rings = !ringing.ignored.contains(browser);
            rings.then(|| ended(outcome.for_callee(browser)))
        });
        match outcome {
            Outcome::Answered(_) => self.talk_begins(now, &ringing),
            _ => self.call_unanswered(&ringing, end),
        }
        if ringing.pushed {
            let push = Push::Over {
                call: call.clone(),
                end,
                caller: ringing.caller.clone(),
                missed: !matches!(end, CallEnd::Answered | CallEnd::Declined),
            };
            let user = callee.clone();
            self.outputs.push_back(Output::Push { user, push });
        }
        let room = &ringing.stored.room;
        if !matches!(outcome, Outcome::Answered(_)) && !self.rings_into(room, caller) {
            self.not_expected(room, caller);
        }
        self.settle_room(now, room);
        self.forget_nobody(caller);
        self.forget_nobody(callee);
    }

    /// All that rings for somebody or that they let ring ends: the account is gone.
    pub(crate) fn calls_of_gone(&mut self, now: Now, user: &UserId) {
        let calls = self.people.get(user).map(|person| person.calls.clone());
        for call in calls.into_iter().flatten() {
            let called = self.called(user, &call).is_some();
            let outcome = match called {
                true => Outcome::NotReachable,
                false => Outcome::Cancelled,
            };
            self.call_over(now, &call, &outcome);
        }
    }

    /// A device of theirs appeared.
    pub(crate) fn calls_of_newcomer(&mut self, user: &UserId, browser: &BrowserId) {
        let calls = self.people.get(user).map(|person| person.calls.clone());
        for call in calls.into_iter().flatten() {
            let Some(ringing) = self.calls.get_mut(&call) else {
                continue;
            };
            if &ringing.caller.id == user {
                ringing.caller_back_by = None;
            } else if !ringing.rings && !ringing.ignored.contains(browser) {
                ringing.rings = true;
                self.tell_call(&call);
            }
        }
    }

    /// The last socket closed: a caller has to come back soon.
    pub(crate) fn caller_lost(&mut self, now: Now, user: &UserId) {
        let by = now.instant + CALLER_BACK;
        let calls = self.people.get(user).map(|person| &person.calls);
        for call in calls.into_iter().flatten() {
            if let Some(ringing) = self.calls.get_mut(call)
                && &ringing.caller.id == user
            {
                ringing.caller_back_by = Some(by);
                self.timers.add(by, Timer::Call(call.clone()));
            }
        }
    }

    /// No device of theirs is left.
    pub(crate) fn callee_lost(&mut self, user: &UserId) {
        let calls = self.people.get(user).map(|person| person.calls.clone());
        for call in calls.into_iter().flatten() {
            if let Some(ringing) = self.calls.get_mut(&call)
                && &ringing.callee.id == user
                && std::mem::take(&mut ringing.rings)
            {
                self.tell_call(&call);
            }
        }
    }

    /// What rings on this socket.
    pub(crate) fn calls_on(&self, id: SocketId) -> Vec<Call> {
        let Some(Socket { user, browser, .. }) = self.sockets.get(&id) else {
            return Vec::new();
        };
        let calls = self.people.get(user).map(|person| &person.calls);
        let calls = calls.into_iter().flatten();
        calls
            .filter_map(|call| self.calls.get(call))
            .filter(|ringing| &ringing.caller.id == user || !ringing.ignored.contains(browser))
            .map(|ringing| ringing.seen_by(user))
            .collect()
    }

    /// Why this person cannot call that one at the moment, if it is for themselves.
    fn hindrance(
        &self,
        caller: &UserId,
        callee: &UserId,
        into: Option<&Into>,
    ) -> Option<ErrorCode> {
        let Some(into) = into else {
            return self.is_in_call(caller).then_some(ErrorCode::InCall);
        };
        let Some(room) = self.rooms.get(&into.room).filter(|room| !room.ended) else {
            return Some(ErrorCode::NotInRoom);
        };
        if !room.has(caller) && !room.expects(caller) {
            return Some(ErrorCode::NotInRoom);
        }
        let rung = |call: &CallId| self.called(callee, call).is_some();
        let there = self.is_here(callee) && room.has(callee);
        let comes = there || room.expects(callee) || room.ringing.iter().any(rung);
        comes.then_some(ErrorCode::InCall)
    }

    /// Lets somebody ring, or is in a call's room or on the way there. Sitting in a meeting is nothing that hinders a call.
    fn is_in_call(&self, user: &UserId) -> bool {
        let Some(person) = self.people.get(user) else {
            return false;
        };
        let is_call = |room| {
            let room = self.rooms.get(room);
            room.is_some_and(|room| room.roll.kind == RoomKind::Call && !room.ended)
        };
        let calls = |call| {
            let ringing = self.calls.get(call);
            ringing.is_some_and(|ringing| &ringing.caller.id == user)
        };
        person.seats.iter().chain(&person.ways).any(is_call) || person.calls.iter().any(calls)
    }

    /// Why it does not ring, if it does not.
    fn silence(&self, callee: &Callee) -> Option<CallEnd> {
        let person = self.people.get(&callee.person.id);
        let here = person.is_some_and(|person| person.is_here());
        let busy = person.is_some_and(|person| {
            let sits = here && !person.seats.is_empty();
            sits || !person.ways.is_empty() || !person.calls.is_empty()
        });
        let status = person.and_then(|person| person.status);
        let status = status.unwrap_or(callee.status);
        if busy {
            Some(CallEnd::Busy)
        } else if !here && !callee.pushable {
            Some(CallEnd::NotReachable)
        } else if status == Status::DoNotDisturb {
            Some(CallEnd::DoNotDisturb)
        } else {
            None
        }
    }

    fn ring(
        &mut self,
        now: Now,
        socket: SocketId,
        caller: CallPerson,
        callee: Callee,
        start: StartCall,
    ) {
        let silence = self.silence(&callee);
        let devices = self.browsers_of(&callee.person.id);
        let new_room = start.into.is_none();
        let (room, kind, into) = match start.into {
            Some(into) => (into.room, into.kind, into.address),
            None => (start.fresh_room, RoomKind::Call, None),
        };
        let ringing = Ringing {
            stored: StoredCall {
                id: start.fresh_call,
                room,
                caller: caller.id.clone(),
                callee: callee.person.id.clone(),
                video: start.video,
                started_at: now.unix_ms,
            },
            caller,
            callee: callee.person,
            lines: start.fresh_history,
            kind,
            into,
            rings: silence.is_none() && !devices.is_empty(),
            pushed: callee.pushable,
            ignored: Vec::new(),
            over_at: now.instant + RING,
            caller_back_by: None,
        };
        if silence.is_none() {
            self.persist(Persist::CallStarted {
                call: ringing.stored.clone(),
                new_room,
                kind,
            });
        }
        let call = ringing.seen_by(&ringing.caller.id);
        self.send(socket, ServerMessage::Calling { id: start.id, call });
        if let Some(end) = silence {
            let call = ringing.stored.id.clone();
            self.tell_socket(socket, &HomeChange::CallEnded { call, end });
            return self.call_unanswered(&ringing, end);
        }
        let (id, room, caller) = (
            ringing.stored.id.clone(),
            ringing.stored.room.clone(),
            ringing.caller.id.clone(),
        );
        let push = ringing.push(now, devices);
        self.put(ringing);
        self.expect(now, &room, &caller);
        self.tell_call(&id);
        self.outputs.extend(push);
    }

    /// It rings from now on.
    fn put(&mut self, ringing: Ringing) {
        let id = ringing.stored.id.clone();
        for user in [&ringing.caller.id, &ringing.callee.id] {
            let person = self.people.entry(user.clone()).or_default();
            person.calls.push(id.clone());
        }
        let room = self.rooms.entry(ringing.stored.room.clone()).or_default();
        room.ringing.push(id.clone());
        room.roll.kind = ringing.kind;
        self.timers.add(ringing.over_at, Timer::Call(id.clone()));
        self.calls.insert(id, ringing);
    }

    fn tell_call(&mut self, call: &CallId) {
        let Some(ringing) = self.calls.get(call) else {
            return;
        };
        let (caller, callee) = (ringing.caller.id.clone(), ringing.callee.id.clone());
        let outgoing = ringing.seen_by(&caller);
        let incoming = ringing.seen_by(&callee);
        let ignored = ringing.ignored.clone();
        self.tell(&caller, &HomeChange::CallChanged { call: outgoing });
        self.tell_browsers(&callee, |browser| {
            let rings = !ignored.contains(browser);
            rings.then(|| HomeChange::CallChanged {
                call: incoming.clone(),
            })
        });
    }

    /// To each device of somebody what concerns it.
    fn tell_browsers(&mut self, user: &UserId, change: impl Fn(&BrowserId) -> Option<HomeChange>) {
        let sockets = self.people.get(user).map(|person| person.sockets.clone());
        for id in sockets.into_iter().flatten() {
            let socket = self.sockets.get(&id);
            if let Some(change) = socket.and_then(|socket| change(&socket.browser)) {
                self.tell_socket(id, &change);
            }
        }
    }

    /// A call that rings for this person.
    fn called(&self, user: &UserId, call: &CallId) -> Option<&Ringing> {
        let ringing = self.calls.get(call)?;
        (&ringing.callee.id == user).then_some(ringing)
    }

    fn call_between(&self, caller: &UserId, callee: &UserId) -> Option<CallId> {
        let calls = self.people.get(callee)?.calls.iter();
        let by = |call: &&CallId| {
            self.called(callee, call)
                .is_some_and(|ringing| &ringing.caller.id == caller)
        };
        calls.into_iter().find(by).cloned()
    }

    fn is_here(&self, user: &UserId) -> bool {
        self.people.get(user).is_some_and(|person| person.is_here())
    }

    fn browser(&self, socket: SocketId) -> Option<BrowserId> {
        let socket = self.sockets.get(&socket)?;
        Some(socket.browser.clone())
    }

    fn browsers_of(&self, user: &UserId) -> Vec<BrowserId> {
        let sockets = self.people.get(user).map(|person| person.sockets.iter());
        let browsers = sockets.into_iter().flatten();
        let mut browsers: Vec<_> = browsers.filter_map(|id| self.browser(*id)).collect();
        browsers.sort();
        browsers.dedup();
        browsers
    }

    pub(crate) fn slow_down(&mut self, socket: SocketId, id: IntentId, wait: Duration) {
        let message = ServerMessage::Error {
            id: Some(id),
            code: ErrorCode::RateLimited,
            retry_after_ms: u64::try_from(wait.as_millis()).ok(),
            reference: None,
        };
        self.send(socket, message);
    }
}

impl Ringing {
    /// For devices where no page of Stube is open.
    fn push(&self, now: Now, ringing: Vec<BrowserId>) -> Option<Output> {
        let push = Push::Ringing {
            call: self.stored.id.clone(),
            room: self.stored.room.clone(),
            caller: self.caller.clone(),
            video: self.stored.video,
            into: self.into.clone(),
            ringing,
            until: now.unix_ms + limits::RING_MS,
        };
        let user = self.callee.id.clone();
        self.pushed.then_some(Output::Push { user, push })
    }
}
