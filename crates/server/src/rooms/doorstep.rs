//! How many media connections may be prepared at the doors of this house, by whom and how often. Each costs the media
//! thread a handshake and some memory, whether anybody comes in or not; whoever is refused here joins as if there were no
//! such thing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::ErrorCode;
use room::Subject;

use crate::ws::rate::{Rate, Verdict};

/// Alive at once: of all, of all guests (they cannot take the places of accounts), of one account, of one grant.
const ALIVE: usize = 128;
const ALIVE_OF_GUESTS: usize = 64;
const ALIVE_PER_ACCOUNT: usize = 4;
const ALIVE_PER_GRANT: usize = 2;
/// One in so long, after a burst.
const EVERY: Duration = Duration::from_millis(100);
const BURST: u32 = 64;
const EVERY_PER_PERSON: Duration = Duration::from_secs(6);
const BURST_PER_PERSON: u32 = 12;
/// People who are remembered though nothing of theirs is alive, before those who have rested are forgotten.
const REMEMBERED: usize = 1024;

/// Clones are the same.
#[derive(Clone)]
pub struct Doorstep(Arc<Mutex<Ledger>>);

struct Ledger {
    rate: Rate,
    people: HashMap<Subject, Person>,
    alive: usize,
    alive_of_guests: usize,
}

struct Person {
    rate: Rate,
    alive: usize,
}

/// Lives as long as the prepared connection that it is for.
pub struct Permit {
    doorstep: Doorstep,
    subject: Subject,
}

impl Doorstep {
    pub fn new(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(Ledger {
            rate: Rate::new(now, EVERY, BURST),
            people: HashMap::new(),
            alive: 0,
            alive_of_guests: 0,
        })))
    }

    pub fn admit(&self, now: Instant, subject: &Subject) -> Result<Permit, ErrorCode> {
        self.lock().admit(now, subject)?;
        Ok(Permit {
            doorstep: self.clone(),
            subject: subject.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    fn admit(&mut self, now: Instant, subject: &Subject) -> Result<(), ErrorCode> {
        if self.people.len() >= REMEMBERED {
            self.people
                .retain(|_, person| person.alive > 0 || !person.rate.is_rested(now));
        }
        let guest = subject.is_guest();
        let most = if guest {
            ALIVE_PER_GRANT
        } else {
            ALIVE_PER_ACCOUNT
        };
        let crowded = self.alive >= ALIVE || (guest && self.alive_of_guests >= ALIVE_OF_GUESTS);
        let person = self
            .people
            .entry(subject.clone())
            .or_insert_with(|| Person {
                rate: Rate::new(now, EVERY_PER_PERSON, BURST_PER_PERSON),
                alive: 0,
            });
        if crowded || person.alive >= most {
            return Err(ErrorCode::TooMany);
        }
        // Theirs first: whoever asks too often must not use up what all have together.
        if person.rate.count(now) != Verdict::Fine || self.rate.count(now) != Verdict::Fine {
            return Err(ErrorCode::RateLimited);
        }
        person.alive += 1;
        self.alive += 1;
        self.alive_of_guests += usize::from(guest);
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut ledger = self.doorstep.lock();
        ledger.alive -= 1;
        ledger.alive_of_guests -= usize::from(self.subject.is_guest());
        if let Some(person) = ledger.people.get_mut(&self.subject) {
            person.alive -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str) -> Subject {
        Subject::Account(name.into())
    }

    fn guest(grant: usize) -> Subject {
        Subject::Guest(grant.to_string())
    }

    fn refused(outcome: Result<Permit, ErrorCode>) -> Option<ErrorCode> {
        outcome.err()
    }

    #[test]
    fn one_account_has_a_few_at_once_and_gets_another_for_one_that_is_gone() {
        let now = Instant::now();
        let doorstep = Doorstep::new(now);
        let mut permits: Vec<_> = (0..4)
            .map(|_| doorstep.admit(now, &account("anna")).ok())
            .collect();
        assert!(permits.iter().all(Option::is_some));
        let another = doorstep.admit(now, &account("anna"));
        assert_eq!(refused(another), Some(ErrorCode::TooMany));
        assert_eq!(refused(doorstep.admit(now, &account("bert"))), None);
        permits.pop();
        assert_eq!(refused(doorstep.admit(now, &account("anna"))), None);
    }

    #[test]
    fn whoever_prepares_and_never_joins_is_slowed_down() {
        let now = Instant::now();
        let doorstep = Doorstep::new(now);
        let tries = |now| {
            let fine = (0..1000).filter(|_| doorstep.admit(now, &account("anna")).is_ok());
            fine.count()
        };
        assert_eq!(tries(now), 12);
        assert_eq!(
            refused(doorstep.admit(now, &account("anna"))),
            Some(ErrorCode::RateLimited)
        );
        let later = now + Duration::from_secs(60);
        assert_eq!(tries(later), 10);
        assert_eq!(refused(doorstep.admit(later, &account("bert"))), None);
    }

    #[test]
    fn guests_cannot_take_all_places_and_a_crowd_comes_in_at_a_bounded_pace() {
        let start = Instant::now();
        let doorstep = Doorstep::new(start);
        let at_once: Vec<_> = (0..200)
            .filter_map(|grant| doorstep.admit(start, &guest(grant)).ok())
            .collect();
        assert_eq!(at_once.len(), 64, "the burst, and all that guests have");
        let later = start + Duration::from_secs(60);
        assert_eq!(
            refused(doorstep.admit(later, &guest(1000))),
            Some(ErrorCode::TooMany)
        );
        let accounts: Vec<_> = (0..200)
            .filter_map(|name| doorstep.admit(later, &account(&name.to_string())).ok())
            .collect();
        assert_eq!(accounts.len(), 64);
        drop(at_once);
        let much_later = later + Duration::from_millis(1_000);
        let more = (0..200)
            .filter_map(|name| doorstep.admit(much_later, &account(&name.to_string())).ok());
        assert_eq!(more.collect::<Vec<_>>().len(), 10, "ten in a second");
    }

    #[test]
    fn people_who_went_are_forgotten_once_they_have_rested() {
        let start = Instant::now();
        let doorstep = Doorstep::new(start);
        for second in 0..3_000 {
            let now = start + Duration::from_secs(second);
            assert!(doorstep.admit(now, &account(&second.to_string())).is_ok());
        }
        let ledger = doorstep.lock();
        assert!(ledger.people.len() <= REMEMBERED);
        assert_eq!((ledger.alive, ledger.alive_of_guests), (0, 0));
    }
}
