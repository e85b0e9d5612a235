//! All sockets that are open now, so that the end of a session or of the server reaches them.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::outbound::{Ending, Outbound};
use protocol::limits;
use tokio::sync::Notify;

use crate::principal::{Kind, Principal, SessionId};

/// Ended sessions that are remembered: a socket may be half way through the door while its session ends.
const REMEMBERED: usize = 1024;
/// How long a session is on the list after its last socket: its seats and its media are kept for that long.
const LINGERS: Duration = Duration::from_millis(limits::SEAT_GRACE_MS + 5_000);
/// Sockets of one session. The oldest gives way: it is the likeliest to be dead, and nobody can be locked out so.
const PER_ACCOUNT_SESSION: usize = 64;
const PER_GRANT: usize = 8;

#[derive(Clone, Default)]
pub struct Sockets(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    closed: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    /// By session, in the order of their opening. None is empty.
    open: HashMap<SessionId, BTreeMap<u64, Outbound>>,
    /// When a socket of which session closed, in the order of time.
    left: VecDeque<(Instant, SessionId)>,
    ended: VecDeque<SessionId>,
    closing: bool,
}

/// One socket's place in the list; given back on drop.
pub struct Place {
    sockets: Sockets,
    session: SessionId,
    pub socket: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.sockets.lock();
        state.close(&self.session, self.socket, Instant::now());
        drop(state);
        self.sockets.0.closed.notify_waiters();
    }
}

impl Sockets {
    pub fn open(&self, principal: &Principal, outbound: Outbound) -> Place {
        let session = &principal.session;
        let mut state = self.lock();
        state.make_room(principal);
        if state.ended.contains(session) {
            outbound.end(Ending::SessionEnded);
        }
        if state.closing {
            outbound.end(Ending::Restart);
        }
        state.next += 1;
        let socket = state.next;
        let theirs = state.open.entry(session.clone()).or_default();
        theirs.insert(socket, outbound);
        Place {
            sockets: self.clone(),
            session: session.clone(),
            socket,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().open.values().map(BTreeMap::len).sum()
    }

    /// Every session that has a socket open, or had one a moment ago.
    pub fn sessions(&self, now: Instant) -> HashSet<SessionId> {
        let mut state = self.lock();
        state.forget_left(now);
        let left = state.left.iter().map(|(_, session)| session);
        state.open.keys().chain(left).cloned().collect()
    }

    pub fn end_session(&self, session: &SessionId) {
        let mut state = self.lock();
        state.left.retain(|(_, left)| left != session);
        state.ended.push_back(session.clone());
        if state.ended.len() > REMEMBERED {
            state.ended.pop_front();
        }
        for outbound in state.of(session) {
            outbound.end(Ending::SessionEnded);
        }
    }

    /// Ends all sockets, and those that still come.
    pub fn close_all(&self) {
        let mut state = self.lock();
        state.closing = true;
        for outbound in state.open.values().flat_map(BTreeMap::values) {
            outbound.end(Ending::Restart);
        }
    }

    pub async fn all_closed(&self) {
        loop {
            let closed = self.0.closed.notified();
            if self.lock().open.is_empty() {
                return;
            }
            closed.await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of(&self, session: &SessionId) -> impl DoubleEndedIterator<Item = &Outbound> {
        self.open
            .get(session)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    fn close(&mut self, session: &SessionId, socket: u64, now: Instant) {
        self.forget_left(now);
        let Some(theirs) = self.open.get_mut(session) else {
            return;
        };
        theirs.remove(&socket);
        if theirs.is_empty() {
            self.open.remove(session);
        }
        if !self.ended.contains(session) {
            self.left.push_back((now, session.clone()));
        }
    }

    fn forget_left(&mut self, now: Instant) {
        let is_over = |at: Instant| now.saturating_duration_since(at) >= LINGERS;
        while self.left.front().is_some_and(|(at, _)| is_over(*at)) {
            self.left.pop_front();
        }
    }

    fn make_room(&self, newcomer: &Principal) {
        let most = match newcomer.kind {
            Kind::Account { .. } => PER_ACCOUNT_SESSION,
            Kind::Guest { .. } => PER_GRANT,
        };
        for outbound in self.of(&newcomer.session).rev().skip(most - 1) {
            outbound.end(Ending::TooMany);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::outbound::Next;
    use super::*;

    fn session(name: &str) -> SessionId {
        SessionId::from(name.to_owned())
    }

    fn account(name: &str) -> Principal {
        Principal {
            kind: Kind::Account { user: "u".into() },
            name: "Anna".to_owned(),
            room_scope: None,
            session: session(name),
            expires: 0,
        }
    }

    #[tokio::test]
    async fn the_oldest_sockets_of_a_session_give_way() {
        let sockets = Sockets::default();
        let guest = Principal {
            kind: Kind::Guest {
                grant: session("g"),
                invited: false,
            },
            ..account("g")
        };
        let other = Outbound::default();
        let _other = sockets.open(&account("other"), other.clone());
        let queues: Vec<_> = (0..PER_GRANT + 2).map(|_| Outbound::default()).collect();
        let _places: Vec<_> = queues
            .iter()
            .map(|outbound| sockets.open(&guest, outbound.clone()))
            .collect();
        sockets.close_all();
        for (index, outbound) in [&other].into_iter().chain(&queues).enumerate() {
            let ending = match outbound.next().await {
                Next::End(ending) => ending,
                Next::Message(message) => panic!("{message:?}"),
            };
            let expected = if matches!(index, 1 | 2) {
                Ending::TooMany
            } else {
                Ending::Restart
            };
            assert_eq!(ending, expected, "socket {index}");
        }
    }

    #[tokio::test]
    async fn the_end_of_a_session_reaches_open_and_arriving_sockets_of_it_only() {
        let sockets = Sockets::default();
        let (mine, other, late) = (
            Outbound::default(),
            Outbound::default(),
            Outbound::default(),
        );
        let _mine = sockets.open(&account("mine"), mine.clone());
        let _other = sockets.open(&account("other"), other.clone());
        sockets.end_session(&session("mine"));
        let _late = sockets.open(&account("mine"), late.clone());
        assert!(matches!(mine.next().await, Next::End(Ending::SessionEnded)));
        assert!(matches!(late.next().await, Next::End(Ending::SessionEnded)));
        sockets.close_all();
        assert!(matches!(other.next().await, Next::End(Ending::Restart)));
    }

    #[test]
    fn a_closed_socket_is_remembered_for_as_long_as_its_seat_is_kept() {
        let sockets = Sockets::default();
        drop(sockets.open(&account("s"), Outbound::default()));
        assert!(sockets.lock().open.is_empty());
        let now = Instant::now();
        let there = HashSet::from([session("s")]);
        assert_eq!(sockets.sessions(now), there);
        assert_eq!(sockets.sessions(now + LINGERS / 2), there);
        assert_eq!(sockets.sessions(now + LINGERS), HashSet::new());
    }

    #[test]
    fn a_session_that_ended_is_not_looked_for_again() {
        let sockets = Sockets::default();
        let place = sockets.open(&account("s"), Outbound::default());
        let left = sockets.open(&account("left"), Outbound::default());
        drop(left);
        sockets.end_session(&session("s"));
        sockets.end_session(&session("left"));
        drop(place);
        assert_eq!(sockets.sessions(Instant::now()), HashSet::new());
    }
}
