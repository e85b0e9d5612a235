//! What is stale: a stamp remembers from which inputs a result was made, and is written last.
//!
//! Whoever makes something takes the stamp away first, so that an interruption leaves none and the work is done again.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Folders that are made, not written.
const MADE: &[&str] = &["node_modules", "dist", "out", "target"];

/// A fingerprint of files: their names and what is in them. Good against change, not against malice.
#[derive(Debug, Default)]
pub struct Fingerprint {
    hasher: DefaultHasher,
}

impl Fingerprint {
    pub fn text(mut self, text: &str) -> Self {
        self.hasher.write(text.as_bytes());
        self.hasher.write_u8(0xff);
        self
    }

    pub fn file(mut self, path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        self.hasher.write_usize(bytes.len());
        self.hasher.write(&bytes);
        Ok(self)
    }

    /// All files below a folder, apart from what is made there and hidden.
    pub fn folder(mut self, folder: &Path) -> Result<Self> {
        for path in written_files(folder)? {
            let name = path
                .strip_prefix(folder)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            self = self.text(&name).file(&path)?;
        }
        Ok(self)
    }

    pub fn print(&self) -> String {
        format!("{:016x}", self.hasher.finish())
    }
}

fn written_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?
        {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                if !name.starts_with('.') && !MADE.contains(&name.as_str()) {
                    folders.push(entry.path());
                }
            } else {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// A small file beside a result.
#[derive(Debug)]
pub struct Stamp {
    path: PathBuf,
}

impl Stamp {
    pub fn new(path: PathBuf) -> Stamp {
        Stamp { path }
    }

    pub fn matches(&self, fingerprint: &str) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|text| text == fingerprint)
    }

    pub fn remove(&self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", self.path.display()))
            }
            _ => Ok(()),
        }
    }

    pub fn write(&self, fingerprint: &str) -> Result<()> {
        fs::write(&self.path, fingerprint)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_stale_when_a_file_changes_comes_or_goes() {
        let folder = Folder::new("stale");
        folder.write("src/a.ts", "1");
        let first = folder.print();
        assert_eq!(first, folder.print());
        folder.write("src/a.ts", "2");
        let second = folder.print();
        assert_ne!(first, second);
        folder.write("src/b.ts", "");
        assert_ne!(second, folder.print());
        fs::remove_file(folder.path.join("src/b.ts")).unwrap();
        assert_eq!(second, folder.print());
    }

    #[test]
    fn what_is_made_does_not_count_as_written() {
        let folder = Folder::new("made");
        folder.write("src/a.ts", "1");
        let before = folder.print();
        folder.write("node_modules/x/index.js", "1");
        folder.write("dist/index.html", "1");
        folder.write(".cache/x", "1");
        assert_eq!(before, folder.print());
    }

    #[test]
    fn moving_text_from_one_file_to_the_next_is_a_change() {
        let folder = Folder::new("moved");
        folder.write("a", "12");
        folder.write("b", "3");
        let before = folder.print();
        folder.write("a", "1");
        folder.write("b", "23");
        assert_ne!(before, folder.print());
    }

    #[test]
    fn a_stamp_matches_only_what_it_was_written_for() {
        let folder = Folder::new("stamp");
        let stamp = Stamp::new(folder.path.join("stamp"));
        assert!(!stamp.matches("one"));
        stamp.remove().unwrap();
        stamp.write("one").unwrap();
        assert!(stamp.matches("one") && !stamp.matches("two"));
        stamp.remove().unwrap();
        assert!(!stamp.matches("one"));
    }

    struct Folder {
        path: PathBuf,
    }

    impl Folder {
        fn new(name: &str) -> Folder {
            let path =
                std::env::temp_dir().join(format!("stube-xtask-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder { path }
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.path.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn print(&self) -> String {
            Fingerprint::default().folder(&self.path).unwrap().print()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
