//! Writes seats to the store, in order, behind the backs of the rooms: a meeting never waits for a disk.

use protocol::RoomId;
use room::Persist;
use tokio::sync::{mpsc, oneshot};

use crate::store::Db;
use crate::store::seats::{self, Change};

/// Writes that may wait. Rooms wait when it is full.
const QUEUE: usize = 4096;
/// Writes that are stored at once.
const BATCH: usize = 256;

#[derive(Clone)]
pub struct Writer(mpsc::Sender<Write>);

enum Write {
    Seat(Change),
    Flush(oneshot::Sender<()>),
}

impl Writer {
    pub fn start(db: Db) -> Self {
        let (writes, queue) = mpsc::channel(QUEUE);
        tokio::spawn(run(db, queue));
        Self(writes)
    }

    pub async fn write(&self, room: &RoomId, persist: Persist) {
        let change = match persist {
            Persist::Save(seat) => Change::Save(room.clone(), seat),
            Persist::Remove(participant) => Change::Remove(participant),
            Persist::Stay(record) => Change::Stay(room.clone(), record),
        };
        // The task ends only with the last of its senders.
        let _ = self.0.send(Write::Seat(change)).await;
    }

    /// Returns when everything before it is stored.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.0.send(Write::Flush(done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

async fn run(db: Db, mut queue: mpsc::Receiver<Write>) {
    let mut waiting = Vec::new();
    while queue.recv_many(&mut waiting, BATCH).await > 0 {
        let (mut changes, mut flushed) = (Vec::new(), Vec::new());
        for write in waiting.drain(..) {
            match write {
                Write::Seat(change) => changes.push(change),
                Write::Flush(done) => flushed.push(done),
            }
        }
        store(&db, &changes).await;
        for done in flushed {
            let _ = done.send(());
        }
    }
}

/// Together, or else one by one, so that one that cannot be stored costs the others nothing.
async fn store(db: &Db, changes: &[Change]) {
    if changes.is_empty() || seats::write_all(db, changes).await.is_ok() {
        return;
    }
    for change in changes {
        if let Err(error) = seats::write(db, change).await {
            tracing::warn!(%error, "a seat was not stored, or what was measured there; its person gets a new one after a restart");
        }
    }
}
