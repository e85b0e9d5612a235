//! The gate before all passwords and codes: makes guessing slow, and keeps what passwords cost within bounds.
//!
//! Who may try is decided in `identity::throttle`; this holds its state, and the cores that hashing may take.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use identity::throttle::{Network, Quota, Throttle};
use identity::{BackupCode, NewPassword, PasswordHash, password};
use protocol::ErrorCode;
use tokio::sync::Semaphore;

use super::error::{ApiError, ApiResult};
use crate::chance;

/// Password checks that may wait for a core; more are told to come again.
const QUEUE: usize = 32;
/// What people without an account may ask for at once from one network, and then how often.
const GUEST_BURST: u32 = 120;
const GUEST_EVERY: Duration = Duration::from_millis(500);
/// Rooms that people without an account may make at once from one network, and then how often.
const ROOM_BURST: u32 = 20;
const ROOM_EVERY: Duration = Duration::from_secs(60);

pub struct Gate {
    throttle: Mutex<Throttle>,
    guests: Mutex<Quota>,
    rooms: Mutex<Quota>,
    cores: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Gate {
    pub fn new(cores: usize) -> Self {
        Self {
            throttle: Mutex::default(),
            guests: Mutex::new(Quota::new(GUEST_BURST, GUEST_EVERY)),
            rooms: Mutex::new(Quota::new(ROOM_BURST, ROOM_EVERY)),
            cores: Arc::new(Semaphore::new(cores)),
            places: Arc::new(Semaphore::new(cores + QUEUE)),
        }
    }

    /// One question of somebody without an account.
    pub fn guest(&self, from: Network) -> ApiResult<()> {
        take(&self.guests, from)
    }

    /// One room that somebody without an account makes.
    pub fn new_room(&self, from: Network) -> ApiResult<()> {
        take(&self.rooms, from)
    }

    /// Tries what may be a guess. `what` is the folded username for passwords; `None` from `attempt` is a failure, an error
    /// none. Whoever goes away before the answer has failed.
    pub async fn tried<T>(
        &self,
        what: &str,
        from: Network,
        attempt: impl Future<Output = ApiResult<Option<T>>>,
    ) -> ApiResult<Option<T>> {
        let begun = self.throttle().begin(Instant::now(), what, from);
        begun.map_err(|wait| ApiError::retry(ErrorCode::RateLimited, wait))?;
        let mut ends = Attempt {
            gate: self,
            what,
            from,
            end: End::Failed,
        };
        let answer = attempt.await;
        match &answer {
            Ok(Some(_)) => ends.end = End::Succeeded,
            Ok(None) => {}
            Err(_) => ends.end = End::Abandoned,
        }
        answer
    }

    /// Within an attempt that ends in an error, since somebody else who should know cannot be asked.
    pub fn unanswered(&self, what: &str, from: Network) {
        self.throttle().unanswered(Instant::now(), what, from);
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some fifty milliseconds of one core, for a known user and an unknown one alike.
    pub async fn verify(&self, text: String, stored: Option<PasswordHash>) -> ApiResult<bool> {
        self.on_a_core(move || password::verify(&text, stored.as_ref()))
            .await
    }

    pub async fn hash(&self, password: NewPassword) -> ApiResult<PasswordHash> {
        self.on_a_core(move || password.hash(chance::bytes())).await
    }

    /// All with one salt, one after the other.
    pub async fn hash_codes(&self, codes: Vec<BackupCode>) -> ApiResult<Vec<PasswordHash>> {
        self.on_a_core(move || {
            let salt = chance::bytes();
            codes.iter().map(|code| code.hash(&salt)).collect()
        })
        .await
    }

    /// As one of the codes that were stored with `like`.
    pub async fn hash_code(
        &self,
        code: BackupCode,
        like: PasswordHash,
    ) -> ApiResult<Option<PasswordHash>> {
        self.on_a_core(move || code.hash_like(&like)).await
    }

    /// Each takes 19 MiB: the permit goes with the work, which goes on when whoever asked has gone away.
    async fn on_a_core<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> ApiResult<T> {
        let busy = || ApiError::retry(ErrorCode::Unavailable, Duration::from_secs(2));
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| busy())?;
        let core = self.cores.clone().acquire_owned().await;
        let core = core.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            let _held = (place, core);
            work()
        });
        done.await.map_err(|error| ApiError::internal(&error))
    }
}

fn take(quota: &Mutex<Quota>, from: Network) -> ApiResult<()> {
    let mut quota = quota.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = quota.take(Instant::now(), from);
    taken.map_err(|wait| ApiError::retry(ErrorCode::RateLimited, wait))
}

/// Ends in the throttle however it ends here.
struct Attempt<'a> {
    gate: &'a Gate,
    what: &'a str,
    from: Network,
    end: End,
}

enum End {
    Succeeded,
    Failed,
    Abandoned,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut throttle = self.gate.throttle();
        match self.end {
            End::Succeeded => throttle.succeeded(self.what, self.from),
            End::Failed => throttle.failed(Instant::now(), self.what, self.from),
            End::Abandoned => throttle.abandoned(self.what, self.from),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::{Context, Waker};

    use super::*;

    fn network() -> Network {
        Network::from(IpAddr::from([192, 0, 2, 1]))
    }

    /// Polls once and goes away, as a browser does whose page is closed.
    fn begin_and_leave(future: impl Future) {
        let future = pin!(future);
        let poll = future.poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_pending());
    }

    #[tokio::test]
    async fn who_leaves_gives_no_core_back_before_its_work_is_done() {
        let gate = Gate::new(2);
        let (finish, finished) = mpsc::channel::<()>();
        begin_and_leave(gate.on_a_core(move || finished.recv()));
        assert_eq!(gate.cores.available_permits(), 1);
        assert_eq!(gate.places.available_permits(), 1 + QUEUE);
        drop(finish);
        let all = gate.cores.acquire_many(2).await;
        assert!(all.is_ok(), "and then does");
    }

    #[tokio::test]
    async fn no_more_than_the_cores_work_and_no_more_than_the_queue_wait() {
        let gate = Gate::new(2);
        let (finish, finished) = mpsc::channel::<()>();
        let finished = Arc::new(Mutex::new(finished));
        let waits = |finished: &Arc<Mutex<mpsc::Receiver<()>>>| {
            let finished = finished.clone();
            move || drop(finished.lock().map(|finished| finished.recv()))
        };
        let mut all: Vec<_> = (0..2 + QUEUE)
            .map(|_| Box::pin(gate.on_a_core(waits(&finished))))
            .collect();
        for work in &mut all {
            let poll = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(poll.is_pending());
        }
        assert_eq!(gate.cores.available_permits(), 0);
        let refused = gate.on_a_core(|| ()).await;
        assert!(
            format!("{refused:?}").contains("Unavailable"),
            "{refused:?}"
        );
        drop(finish);
        for work in all {
            work.await.expect("done");
        }
        gate.on_a_core(|| ()).await.expect("a place again");
    }

    #[tokio::test]
    async fn an_attempt_ends_as_its_answer_says() {
        let gate = Gate::new(1);
        let tried = |what: &'static str, answer: ApiResult<Option<()>>| {
            gate.tried(what, network(), async { answer })
        };
        for _ in 0..20 {
            assert!(tried("right", Ok(Some(()))).await.is_ok());
            let error = Err(ErrorCode::Internal.into());
            let error = tried("broken", error).await;
            assert!(format!("{error:?}").contains("Internal"), "{error:?}");
        }
        for _ in 0..2 {
            assert!(tried("wrong", Ok(None)).await.is_ok());
        }
        begin_and_leave(gate.tried(
            "wrong",
            network(),
            std::future::pending::<ApiResult<Option<()>>>(),
        ));
        let refused = tried("wrong", Ok(Some(()))).await;
        assert!(
            format!("{refused:?}").contains("RateLimited"),
            "{refused:?}"
        );
    }
}
