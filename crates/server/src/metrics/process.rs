//! What the process uses, as the system counts it. Linux only, as all of the server.

use std::fs;

pub struct Usage {
    pub cpu_seconds: f64,
    pub resident_bytes: usize,
    pub open_files: usize,
}

/// `None` where `/proc` is not to be read.
pub fn usage() -> Option<Usage> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name before it may hold anything, blanks and brackets too.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let field = |index: usize| fields.get(index)?.parse::<u64>().ok();
    // user and system time, then the resident pages: fields 14, 15 and 24 of proc(5), of which two are cut off.
    let ticks = field(11)? + field(12)?;
    let pages = usize::try_from(field(21)?).ok()?;
    Some(Usage {
        cpu_seconds: ticks as f64 / crate::sys::clock_ticks(),
        resident_bytes: pages * crate::sys::page_bytes(),
        open_files: fs::read_dir("/proc/self/fd").ok()?.count(),
    })
}
