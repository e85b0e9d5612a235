//! Faults to order from outside, for tests with a real server: SIGUSR1 lets the core of the first media thread panic.
//!
//! Only in builds that are not handed out.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use crate::media::MediaHandle;

pub fn listen(media: MediaHandle) -> anyhow::Result<JoinHandle<()>> {
    let mut orders = signal(SignalKind::user_defined1()).context("no faults can be ordered")?;
    Ok(tokio::spawn(async move {
        while orders.recv().await.is_some() {
            media.break_shard(0);
        }
    }))
}
