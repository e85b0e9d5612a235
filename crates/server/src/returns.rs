//! Tickets to come back with: each socket has one, so that whoever loses it opens the next without a request before. A browser
//! keeps few connections to a house, and those that it tried to make while the line was dead hold up whatever is asked later.
//!
//! In memory only, and single-use like other tickets.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use identity::{Secret, SecretHash};
use protocol::limits;

use crate::chance;
use crate::http::Shared;
use crate::principal::{Principal, SessionId};

const LIFE: Duration = Duration::from_millis(limits::RETURN_MS);
/// Those of living sockets too.
const MOST: usize = 20_000;
/// Of sockets of one session that are gone; the oldest gives way.
const GONE_OF_ONE: usize = 8;

#[derive(Debug, Default)]
pub struct Returns(Mutex<HashMap<SecretHash, Held>>);

#[derive(Debug)]
struct Held {
    principal: Principal,
    /// Once its socket is gone.
    until: Option<Instant>,
}

impl Returns {
    /// `None` while too many are out.
    fn issue(&self, now: Instant, principal: Principal) -> Option<Secret> {
        let mut held = self.held();
        if held.len() >= MOST {
            held.retain(|_, one| one.until.is_none_or(|until| until > now));
        }
        if held.len() >= MOST {
            return None;
        }
        let ticket = chance::secret();
        let until = None;
        held.insert(ticket.hash(), Held { principal, until });
        Some(ticket)
    }

    /// Whose ticket this is, once and in time. Who they are may have changed since.
    pub fn redeem(&self, now: Instant, ticket: &str) -> Option<Principal> {
        let hash = Secret::parse(ticket)?.hash();
        let Held { principal, until } = self.held().remove(&hash)?;
        until.is_none_or(|until| until > now).then_some(principal)
    }

    /// Signed out.
    pub fn revoke(&self, session: &SessionId) {
        self.held()
            .retain(|_, one| one.principal.session != *session);
    }

    fn gone(&self, now: Instant, hash: &SecretHash) {
        let mut held = self.held();
        let Some(own) = held.get_mut(hash) else {
            return;
        };
        own.until = Some(now + LIFE);
        let session = own.principal.session.clone();
        let mut gone: Vec<(Instant, SecretHash)> = held
            .iter()
            .filter(|(_, one)| one.principal.session == session)
            .filter_map(|(hash, one)| Some((one.until?, *hash)))
            .collect();
        gone.sort_unstable_by_key(|(until, _)| std::cmp::Reverse(*until));
        for (_, oldest) in gone.iter().skip(GONE_OF_ONE) {
            held.remove(oldest);
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<SecretHash, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ticket of one socket. Its time begins to run when this goes.
pub struct Return {
    app: Shared,
    hash: SecretHash,
}

impl Return {
    /// With what its client is told.
    pub fn of(app: &Shared, principal: &Principal) -> Option<(Self, Secret)> {
        let ticket = app.returns.issue(Instant::now(), principal.clone())?;
        let hash = ticket.hash();
        let app = app.clone();
        Some((Self { app, hash }, ticket))
    }
}

impl Drop for Return {
    fn drop(&mut self) {
        self.app.returns.gone(Instant::now(), &self.hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::Kind;

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
    fn one_comes_back_once_and_not_long_after_the_socket_is_gone() {
        let (returns, now) = (Returns::default(), Instant::now());
        let issue = |session: &str| returns.issue(now, principal(session)).expect("room");
        let later = now + 100 * LIFE;
        let lives = issue("s");
        assert_eq!(returns.redeem(later, lives.expose()), Some(principal("s")));
        assert_eq!(returns.redeem(later, lives.expose()), None);
        for (after, comes) in [(LIFE - Duration::from_millis(1), true), (LIFE, false)] {
            let gone = issue("s");
            returns.gone(now, &gone.hash());
            assert_eq!(returns.redeem(now + after, gone.expose()).is_some(), comes);
        }
        assert_eq!(returns.redeem(now, "nonsense"), None);
    }

    #[test]
    fn signing_out_takes_it_back() {
        let (returns, now) = (Returns::default(), Instant::now());
        let [mine, other] = ["mine", "other"].map(|session| {
            let ticket = returns.issue(now, principal(session));
            ticket.expect("room")
        });
        returns.revoke(&SessionId::from("mine".to_owned()));
        assert_eq!(returns.redeem(now, mine.expose()), None);
        assert!(returns.redeem(now, other.expose()).is_some());
    }

    #[test]
    fn sockets_that_come_and_go_leave_few_behind() {
        let (returns, now) = (Returns::default(), Instant::now());
        let step = Duration::from_millis(1);
        let tickets: Vec<Secret> = (0..3 * GONE_OF_ONE as u32)
            .map(|n| {
                let ticket = returns.issue(now, principal("s")).expect("room");
                returns.gone(now + step * n, &ticket.hash());
                ticket
            })
            .collect();
        let good = tickets
            .iter()
            .filter(|ticket| returns.redeem(now, ticket.expose()).is_some());
        assert_eq!(good.count(), GONE_OF_ONE);
        let crowd = (0..MOST).map(|n| returns.issue(now, principal(&format!("s{n}"))));
        let crowd: Vec<Secret> = crowd.collect::<Option<_>>().expect("room");
        assert!(returns.issue(now, principal("s")).is_none());
        returns.gone(now, &crowd[0].hash());
        assert!(returns.issue(now + LIFE, principal("s")).is_some());
    }
}
