//! Where randomness and the wall clock come from.

use identity::{Secret, UnixMs};
use std::time::{SystemTime, UNIX_EPOCH};

pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Nothing can go on safely without: the operating system has no randomness only in a broken sandbox.
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

pub fn secret() -> Secret {
    Secret::new(bytes())
}

/// A new id for anything: unguessable, and in the order of making.
pub fn id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

pub fn unix_ms() -> UnixMs {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
