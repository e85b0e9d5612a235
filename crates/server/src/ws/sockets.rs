//! All sockets that are open now, so that the end of a session or of the server reaches them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::outbound::{Ending, Outbound};
use tokio::sync::Notify;

use crate::principal::SessionId;

/// Ended sessions that are remembered: a socket may be half way through the door while its session ends.
const REMEMBERED: usize = 1024;

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
    open: HashMap<u64, (SessionId, Outbound)>,
    ended: VecDeque<SessionId>,
    closing: bool,
}

/// One socket's place in the list; given back on drop.
pub struct Place {
    sockets: Sockets,
    pub socket: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sockets.lock().open.remove(&self.socket);
        self.sockets.0.closed.notify_waiters();
    }
}

impl Sockets {
    pub fn open(&self, session: &SessionId, outbound: Outbound) -> Place {
        let mut state = self.lock();
        if state.ended.contains(session) {
            outbound.end(Ending::SessionEnded);
        }
        if state.closing {
            outbound.end(Ending::Restart);
        }
        state.next += 1;
        let socket = state.next;
        state.open.insert(socket, (session.clone(), outbound));
        Place {
            sockets: self.clone(),
            socket,
        }
    }

    /// Every session that has a socket open.
    pub fn sessions(&self) -> HashSet<SessionId> {
        let state = self.lock();
        state
            .open
            .values()
            .map(|(session, _)| session.clone())
            .collect()
    }

    pub fn end_session(&self, session: &SessionId) {
        let mut state = self.lock();
        state.ended.push_back(session.clone());
        if state.ended.len() > REMEMBERED {
            state.ended.pop_front();
        }
        for (_, outbound) in state.open.values().filter(|(theirs, _)| theirs == session) {
            outbound.end(Ending::SessionEnded);
        }
    }

    /// Ends all sockets, and those that still come.
    pub fn close_all(&self) {
        let mut state = self.lock();
        state.closing = true;
        for (_, outbound) in state.open.values() {
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

#[cfg(test)]
mod tests {
    use super::super::outbound::Next;
    use super::*;

    fn session(name: &str) -> SessionId {
        SessionId::from(name.to_owned())
    }

    #[tokio::test]
    async fn the_end_of_a_session_reaches_open_and_arriving_sockets_of_it_only() {
        let sockets = Sockets::default();
        let (mine, other, late) = (
            Outbound::default(),
            Outbound::default(),
            Outbound::default(),
        );
        let _mine = sockets.open(&session("mine"), mine.clone());
        let _other = sockets.open(&session("other"), other.clone());
        sockets.end_session(&session("mine"));
        let _late = sockets.open(&session("mine"), late.clone());
        assert!(matches!(mine.next().await, Next::End(Ending::SessionEnded)));
        assert!(matches!(late.next().await, Next::End(Ending::SessionEnded)));
        sockets.close_all();
        assert!(matches!(other.next().await, Next::End(Ending::Restart)));
    }

    #[test]
    fn a_closed_socket_leaves_nothing_behind() {
        let sockets = Sockets::default();
        drop(sockets.open(&session("s"), Outbound::default()));
        assert!(sockets.lock().open.is_empty());
    }
}
