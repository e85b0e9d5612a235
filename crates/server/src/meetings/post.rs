//! Letters that people have the house write to others: how many one may send, and how many one person gets.

use std::ops::AddAssign;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use identity::Mail;
use identity::throttle::Quota;
use protocol::{ErrorCode, UserId};

use crate::app::App;
use crate::http::error::{ApiError, ApiResult};
use crate::mail::letters::Letter;

/// From one account at once, and then: 300 an hour.
const EACH: u32 = 300;
const EACH_EVERY: Duration = Duration::from_secs(12);
/// To one address, whoever sends them: 20 an hour.
const TO_ONE: u32 = 20;
const TO_ONE_EVERY: Duration = Duration::from_secs(180);

pub struct Post {
    senders: Mutex<Quota<UserId>>,
    recipients: Mutex<Quota<String>>,
}

impl Default for Post {
    fn default() -> Self {
        Self {
            senders: Mutex::new(Quota::new(EACH, EACH_EVERY)),
            recipients: Mutex::new(Quota::new(TO_ONE, TO_ONE_EVERY)),
        }
    }
}

/// How many people got a letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    pub mailed: u32,
    pub not_mailed: u32,
}

impl AddAssign for Sent {
    fn add_assign(&mut self, other: Self) {
        self.mailed += other.mailed;
        self.not_mailed += other.not_mailed;
    }
}

impl Post {
    /// Before anything is done that somebody sends so many letters with. Letters that take a meeting back are free: there are
    /// never more of them than of those that asked to it.
    pub fn begin(&self, app: &App, sender: &UserId, letters: usize) -> ApiResult<()> {
        if !app.mail.is_there() {
            return Ok(());
        }
        let letters = u32::try_from(letters).unwrap_or(u32::MAX);
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = senders.take_many(Instant::now(), sender.clone(), letters);
        taken.map_err(|wait| ApiError::retry(ErrorCode::RateLimited, wait))
    }

    /// To this address, if there is one that takes letters.
    pub fn send(&self, app: &App, letter: Letter, to: Option<&str>) -> Sent {
        let to = to.and_then(|to| Mail::parse(to).ok());
        let may = to.filter(|to| app.mail.is_there() && self.may_get_one(to));
        let mailed = may.is_some_and(|to| app.mail.post(letter, &to));
        Sent {
            mailed: u32::from(mailed),
            not_mailed: u32::from(!mailed),
        }
    }

    fn may_get_one(&self, to: &Mail) -> bool {
        let mut recipients = self
            .recipients
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        recipients.take(Instant::now(), to.key().to_owned()).is_ok()
    }
}
