//! How many tasks of a kind are running, and when the last one is gone.

use tokio::sync::watch;

pub struct Tasks(watch::Sender<usize>);

impl Default for Tasks {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

/// Belongs into a running task; its drop is the task's end.
pub struct Member(watch::Sender<usize>);

impl Tasks {
    pub fn member(&self) -> Member {
        self.0.send_modify(|count| *count += 1);
        Member(self.0.clone())
    }

    pub async fn gone(&self) {
        // The sender lives in `self`: the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
