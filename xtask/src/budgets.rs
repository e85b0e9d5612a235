//! What the product may cost: script for the first page, memory of a server at rest.
//!
//! Measures what was built or started by others.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Compressed script that a browser loads before it shows the first page.
const FIRST_LOAD_BYTES: u64 = 200_000;

/// Memory of a server that nobody uses.
const IDLE_RESIDENT_KB: u64 = 60_000;

/// Fails if the scripts that `index.html` names are larger than allowed, as they are sent.
pub fn check_first_load(dist: &Path) -> Result<()> {
    let page = fs::read_to_string(dist.join("index.html")).context("the web app is not built")?;
    let mut bytes = 0;
    for script in scripts(&page) {
        let sent = dist.join(format!("{script}.gz"));
        bytes += fs::metadata(&sent)
            .with_context(|| format!("no {}", sent.display()))?
            .len();
    }
    ensure!(bytes > 0, "index.html names no script");
    println!(
        "The first page loads {} kB of script, compressed.",
        bytes.div_ceil(1000)
    );
    ensure!(
        bytes <= FIRST_LOAD_BYTES,
        "the first page loads {bytes} bytes of script, and {FIRST_LOAD_BYTES} are allowed"
    );
    Ok(())
}

/// Fails if a process holds more memory than allowed, where the system tells.
pub fn check_idle_memory(process: u32) -> Result<()> {
    let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else {
        return Ok(());
    };
    let kilobytes = resident_kilobytes(&status).context("the system does not tell VmRSS")?;
    println!("The server at rest holds {} MB.", kilobytes.div_ceil(1000));
    ensure!(
        kilobytes <= IDLE_RESIDENT_KB,
        "the server at rest holds {kilobytes} kB, and {IDLE_RESIDENT_KB} are allowed"
    );
    Ok(())
}

/// Paths of the scripts a page loads at once, without the leading slash.
fn scripts(page: &str) -> impl Iterator<Item = &str> {
    let attributes = page.split(['"', '\'']).skip(1).step_by(2);
    attributes
        .filter_map(|value| value.strip_prefix('/'))
        .filter(|path| path.ends_with(".js"))
}

fn resident_kilobytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_what_they_preload_are_counted() {
        let page = r#"<link rel="icon" href="/icons/door.svg"><script type="module" crossorigin src="/assets/index-1.js"></script>
            <link rel="modulepreload" href='/assets/vendor-2.js'><link rel="stylesheet" href="/assets/index-3.css">"#;
        assert_eq!(
            scripts(page).collect::<Vec<_>>(),
            ["assets/index-1.js", "assets/vendor-2.js"]
        );
    }

    #[test]
    fn the_system_tells_resident_memory_in_kilobytes() {
        assert_eq!(
            resident_kilobytes("Name:\tstube\nVmHWM:\t  90 kB\nVmRSS:\t   13832 kB\n"),
            Some(13832)
        );
        assert_eq!(resident_kilobytes("Name:\tstube\n"), None);
    }

    #[test]
    fn a_page_that_loads_too_much_is_refused() {
        let folder =
            std::env::temp_dir().join(format!("stube-xtask-{}-budget", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("index.html"), "<script src=\"/a.js\"></script>").unwrap();
        fs::write(folder.join("a.js.gz"), [0; 200_000]).unwrap();
        let small = check_first_load(&folder);
        fs::write(folder.join("a.js.gz"), [0; 200_001]).unwrap();
        let large = check_first_load(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert!(small.is_ok(), "{small:?}");
        assert!(large.unwrap_err().to_string().contains("200001 bytes"));
    }
}
