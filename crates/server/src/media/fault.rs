//! A fault to order: stands for a bug in one core, so that what follows can be tried, also with a real server and browsers.
//!
//! Only in builds that are not handed out.

#[cfg(any(test, debug_assertions))]
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

#[derive(Clone, Default)]
pub struct Fault {
    #[cfg(any(test, debug_assertions))]
    ordered: Arc<AtomicBool>,
}

impl Fault {
    #[cfg(any(test, debug_assertions))]
    pub fn order(&self) {
        self.ordered.store(true, Ordering::SeqCst);
    }

    /// Panics if that was ordered, once.
    pub fn strike(&self) {
        #[cfg(any(test, debug_assertions))]
        assert!(
            !self.ordered.swap(false, Ordering::SeqCst),
            "a fault to order"
        );
    }
}
