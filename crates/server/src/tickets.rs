//! Single-use tickets for the WebSocket: a page cannot send a header with it, and a cookie alone would let any site open one.
//!
//! In memory only; a restart makes clients fetch a new one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use identity::{Secret, SecretHash};
use protocol::limits;

use crate::chance;
use crate::principal::{Kind, Principal, SessionId};

const LIFE: Duration = Duration::from_millis(limits::TICKET_MS);
/// More than this many at once is no crowd coming back but somebody filling our memory.
const MOST: usize = 10_000;
/// Of one session, so that nobody can take all of them; the oldest gives way.
const PER_ACCOUNT_SESSION: usize = 64;
const PER_GRANT: usize = 4;

type Open = HashMap<SecretHash, (Instant, Principal)>;

#[derive(Debug, Default)]
pub struct Tickets(Mutex<Open>);

impl Tickets {
    /// `None` while too many are out.
    pub fn issue(&self, now: Instant, principal: Principal) -> Option<Secret> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MOST {
            open.retain(|_, (until, _)| *until > now);
        }
        make_room(&mut open, &principal);
        if open.len() >= MOST {
            return None;
        }
        let ticket = chance::secret();
        open.insert(ticket.hash(), (now + LIFE, principal));
        Some(ticket)
    }

    /// Whose ticket this is, once and in time.
    pub fn redeem(&self, now: Instant, ticket: &str) -> Option<Principal> {
        let hash = Secret::parse(ticket)?.hash();
        let (until, principal) = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&hash)?;
        (until > now).then_some(principal)
    }

    /// Signed out: tickets that are still out open nothing.
    pub fn revoke(&self, session: &SessionId) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, (_, principal)| principal.session != *session);
    }
}

fn make_room(open: &mut Open, newcomer: &Principal) {
    let most = match newcomer.kind {
        Kind::Account { .. } => PER_ACCOUNT_SESSION,
        Kind::Guest { .. } => PER_GRANT,
    };
    let theirs = || {
        open.iter()
            .filter(|(_, (_, principal))| principal.session == newcomer.session)
    };
    if theirs().count() >= most
        && let Some(oldest) = theirs()
            .min_by_key(|(_, (until, _))| *until)
            .map(|(hash, _)| *hash)
    {
        open.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(session: &str) -> Principal {
        Principal {
            kind: Kind::Account { user: "u".into() },
            name: "Anna".to_owned(),
            room_scope: None,
            session: SessionId::from(session.to_owned()),
            expires: 0,
        }
    }

    #[test]
    fn a_ticket_opens_once_and_for_thirty_seconds() {
        let tickets = Tickets::default();
        let now = Instant::now();
        let ticket = tickets.issue(now, principal("s")).expect("room for one");
        assert_eq!(tickets.redeem(now, ticket.expose()), Some(principal("s")));
        assert_eq!(tickets.redeem(now, ticket.expose()), None);
        let late = tickets.issue(now, principal("s")).expect("room for one");
        assert_eq!(tickets.redeem(now + LIFE, late.expose()), None);
        assert_eq!(tickets.redeem(now, "nonsense"), None);
    }

    #[test]
    fn signing_out_takes_the_tickets_back() {
        let tickets = Tickets::default();
        let now = Instant::now();
        let mine = tickets.issue(now, principal("mine")).expect("room for one");
        let other = tickets
            .issue(now, principal("other"))
            .expect("room for one");
        tickets.revoke(&SessionId::from("mine".to_owned()));
        assert_eq!(tickets.redeem(now, mine.expose()), None);
        assert!(tickets.redeem(now, other.expose()).is_some());
    }

    #[test]
    fn a_flood_of_tickets_is_refused_until_they_expire() {
        let tickets = Tickets::default();
        let now = Instant::now();
        let crowd = |n: usize| principal(&format!("s{n}"));
        assert!((0..MOST).all(|n| tickets.issue(now, crowd(n)).is_some()));
        assert!(tickets.issue(now, principal("s")).is_none());
        assert!(tickets.issue(now + LIFE, principal("s")).is_some());
    }

    #[test]
    fn one_session_cannot_take_all_the_tickets() {
        let guest = Principal {
            kind: Kind::Guest {
                grant: SessionId::from("g".to_owned()),
                invited: false,
            },
            ..principal("g")
        };
        for (greedy, most) in [
            (principal("greedy"), PER_ACCOUNT_SESSION),
            (guest, PER_GRANT),
        ] {
            let tickets = Tickets::default();
            let now = Instant::now();
            let other = tickets.issue(now, principal("other")).expect("room");
            let step = Duration::from_millis(1);
            let issued: Vec<_> = (0..2 * most)
                .map(|n| tickets.issue(now + step * n as u32, greedy.clone()))
                .map(|ticket| ticket.expect("the oldest gives way"))
                .collect();
            let good = issued
                .iter()
                .map(|ticket| tickets.redeem(now, ticket.expose()).is_some());
            let expected = (0..2 * most).map(|n| n >= most);
            assert!(good.eq(expected), "the newest {most} are good");
            assert!(tickets.redeem(now, other.expose()).is_some());
        }
    }
}
