//! Names, addresses and titles of rooms in logs: shown only when somebody asked for debug output.

use std::fmt;

use tracing::level_filters::LevelFilter;

pub struct Private<T>(pub T);

impl<T: fmt::Display> fmt::Display for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if LevelFilter::current() >= LevelFilter::DEBUG {
            self.0.fmt(f)
        } else {
            f.write_str("…")
        }
    }
}

impl<T: fmt::Display> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
