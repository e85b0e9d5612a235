//! Second factors at work: sign-ins that wait for a code, and what a code is checked against.
//!
//! Which codes are right is decided in `identity`; that each is taken once is the store's part.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use identity::throttle::{Network, Quota};
use identity::{BackupCode, PasswordHash, Pending, Secret, TotpKey};
use protocol::http::SignInMethod;
use protocol::{ErrorCode, UserId};

use crate::app::App;
use crate::chance;
use crate::http::error::{ApiError, ApiResult};
use crate::sign_ins::How;
use crate::store::{passwords, totp};

/// Codes that one right password may be followed by.
const TRIES: u8 = 5;
/// Sign-ins of one account that may wait at once.
const AT_ONCE: usize = 10;
/// Codes that are looked at for one account at once, and then how often, from however many addresses: a code has only six
/// digits, and whoever guesses it knows the password.
const CODES: u32 = 30;
const CODES_EVERY: Duration = Duration::from_secs(60);

/// Sign-ins whose password was right. A restart forgets them.
pub struct Waiting {
    pending: Mutex<Pending<UserId, FirstStep>>,
    codes: Mutex<Quota<UserId>>,
}

/// What has been proved already.
#[derive(Clone, Debug)]
pub struct FirstStep {
    pub user: UserId,
    pub method: SignInMethod,
    /// As it was then, if there was one: another one since makes the first step worth nothing.
    pub password: Option<PasswordHash>,
    tries_left: u8,
}

impl Default for Waiting {
    fn default() -> Self {
        Self {
            pending: Mutex::new(Pending::new(AT_ONCE)),
            codes: Mutex::new(Quota::new(CODES, CODES_EVERY)),
        }
    }
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Pending<UserId, FirstStep>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the token that the code must come with.
    async fn begin(&self, app: &App, user: &UserId, how: &How) -> ApiResult<Secret> {
        let password = match &how.password {
            Some(right) => Some(right.clone()),
            None => password(app, user).await?,
        };
        let step = FirstStep {
            user: user.clone(),
            method: how.method,
            password,
            tries_left: TRIES,
        };
        let token = chance::secret();
        self.lock()
            .begin(Instant::now(), user.clone(), &token, step);
        Ok(token)
    }

    /// The first step behind a token that is good for another code.
    pub async fn find(&self, app: &App, token: &Secret) -> ApiResult<Option<FirstStep>> {
        let step = self.lock().get(Instant::now(), token).cloned();
        let Some(step) = step.filter(|step| step.tries_left > 0) else {
            return Ok(None);
        };
        let now = password(app, &step.user).await?;
        Ok(Some(step).filter(|step| step.password == now))
    }

    /// Of the codes of this account, wherever they come from.
    fn take_code(&self, user: &UserId) -> ApiResult<()> {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = codes.take(Instant::now(), user.clone());
        taken.map_err(|wait| ApiError::retry(ErrorCode::RateLimited, wait))
    }

    /// Takes one try, before the code is looked at.
    fn try_once(&self, token: &Secret) -> bool {
        let mut waiting = self.lock();
        let Some(step) = waiting.get(Instant::now(), token) else {
            return false;
        };
        let left = step.tries_left.checked_sub(1);
        step.tries_left = left.unwrap_or_default();
        if left == Some(0) {
            tracing::warn!(user = %step.user, "somebody knows the password of this account and guesses codes");
        }
        left.is_some()
    }

    pub fn finish(&self, token: &Secret) -> bool {
        self.lock().take(Instant::now(), token).is_some()
    }
}

async fn password(app: &App, user: &UserId) -> ApiResult<Option<PasswordHash>> {
    let password = passwords::of(&app.db, user).await?;
    Ok(password.map(|password| password.hash))
}

/// Where a code is asked for after the first step, the token it must come with.
pub async fn ask(app: &App, user: &UserId, how: &How) -> ApiResult<Option<Secret>> {
    if totp::of(&app.db, user, true).await?.is_none() {
        return Ok(None);
    }
    app.waiting.begin(app, user, how).await.map(Some)
}

/// How the session is begun whose second step was a code.
pub fn with_code(method: SignInMethod) -> SignInMethod {
    match method {
        SignInMethod::Password => SignInMethod::PasswordAndCode,
        other => other,
    }
}

/// Whether it is a right code, of the app or a backup code; right ones are taken. Guesses are slowed down for the account
/// and the address, however many tokens they come with, and bounded for the account wherever they come from.
pub async fn check(
    app: &App,
    token: &Secret,
    step: &FirstStep,
    from: Network,
    code: &str,
) -> ApiResult<bool> {
    // No username has a space.
    let what = format!("code of {}", step.user);
    let attempt = async {
        app.waiting.take_code(&step.user)?;
        if !app.waiting.try_once(token) {
            return Err(ErrorCode::LinkInvalid.into());
        }
        let right = is_right(app, &step.user, code).await?;
        Ok(right.then_some(()))
    };
    let answer = app.gate.tried(&what, from, attempt).await?;
    Ok(answer.is_some())
}

async fn is_right(app: &App, user: &UserId, code: &str) -> ApiResult<bool> {
    if let Some(code) = BackupCode::parse(code) {
        return is_backup_code(app, user, code).await;
    }
    let Some(stored) = totp::of(&app.db, user, true).await? else {
        return Ok(false);
    };
    let Some(key) = unseal(app, user, &stored.sealed_secret)? else {
        tracing::error!(%user, "the secret of an authenticator app cannot be opened with the data directory's sealing key");
        return Ok(false);
    };
    match key.step(code, chance::unix_ms()) {
        Some(step) => Ok(totp::take_step(&app.db, user, step).await?),
        None => Ok(false),
    }
}

async fn is_backup_code(app: &App, user: &UserId, code: BackupCode) -> ApiResult<bool> {
    let stored = totp::backup_codes(&app.db, user).await?;
    let Some(like) = stored.into_iter().next() else {
        return Ok(false);
    };
    match app.gate.hash_code(code, like).await? {
        Some(hash) => Ok(totp::take_backup_code(&app.db, user, &hash).await?),
        None => Ok(false),
    }
}

pub fn unseal(app: &App, user: &UserId, sealed: &str) -> ApiResult<Option<TotpKey>> {
    let secret = app.sealer.open(&purpose(user), sealed);
    let secret = secret.map_err(|error| ApiError::internal(&format!("{error:#}")))?;
    Ok(secret.and_then(|secret| TotpKey::from_bytes(&secret)))
}

pub fn seal(app: &App, user: &UserId, secret: &[u8]) -> ApiResult<String> {
    let sealed = app.sealer.seal(&purpose(user), secret);
    sealed.map_err(|error| ApiError::internal(&format!("{error:#}")))
}

fn purpose(user: &UserId) -> String {
    format!("totp:{user}")
}
