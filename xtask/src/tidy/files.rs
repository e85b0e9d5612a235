//! The files of the repository as the rules see them: those that git tracks or would track.
//!
//! Read once. Rust files are parsed as far as the rules need.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::rust_source::RustSource;
use crate::tools::{Repo, git, stdout_of};

/// A file of text. What is not UTF-8 is no text and of no interest here.
#[derive(Debug)]
pub struct File {
    /// From the root, with forward slashes.
    pub path: String,
    pub text: String,
}

#[derive(Debug, Default)]
pub struct Files {
    /// Everything that is there, text or not.
    pub paths: Vec<String>,
    pub texts: Vec<File>,
    pub rust: Vec<RustSource>,
}

impl Files {
    pub fn read(repo: &Repo) -> Result<Files> {
        let mut list = git(&repo.root);
        list.args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let list =
            stdout_of(&mut list).context("tidy asks git which files belong to the repository")?;
        let mut paths: Vec<String> = list.split_terminator('\0').map(str::to_string).collect();
        paths.retain(|path| repo.root.join(path).is_file());
        paths.sort();
        paths.dedup();
        let read = |path: &String| {
            let bytes =
                fs::read(repo.root.join(path)).with_context(|| format!("cannot read {path}"))?;
            Ok(String::from_utf8(bytes).ok().map(|text| File {
                path: path.clone(),
                text,
            }))
        };
        let texts: Vec<Option<File>> = paths.iter().map(read).collect::<Result<_>>()?;
        let texts = texts
            .into_iter()
            .flatten()
            .map(|file| (file.path, file.text));
        Ok(Files {
            paths,
            ..Files::from_texts(texts)
        })
    }

    pub fn from_texts(
        texts: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Files {
        let texts: Vec<File> = texts
            .into_iter()
            .map(|(path, text)| File {
                path: path.into(),
                text: text.into(),
            })
            .collect();
        let paths = texts.iter().map(|file| file.path.clone()).collect();
        let rust = texts
            .iter()
            .filter(|file| has_extension(&file.path, &["rs"]));
        let mut rust: Vec<RustSource> = rust
            .map(|file| RustSource::new(&file.path, &file.text))
            .collect();
        mark_test_modules(&mut rust);
        Files { paths, texts, rust }
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts
            .iter()
            .find(|file| file.path == path)
            .map(|file| file.text.as_str())
    }

    pub fn with_extension<'a>(&'a self, extensions: &'a [&str]) -> impl Iterator<Item = &'a File> {
        self.texts
            .iter()
            .filter(move |file| has_extension(&file.path, extensions))
    }
}

pub fn has_extension(path: &str, extensions: &[&str]) -> bool {
    Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|e| extensions.contains(&e))
}

/// Files that only a `#[cfg(test)] mod name;` leads to are tests, and so are those of `tests` folders.
fn mark_test_modules(sources: &mut [RustSource]) {
    let declared: Vec<String> = sources
        .iter()
        .flat_map(RustSource::test_module_files)
        .collect();
    for source in sources {
        let declared = declared
            .iter()
            .any(|path| source.path == *path || source.path.starts_with(&module_folder(path)));
        source.is_test |= declared || source.path.split('/').any(|part| part == "tests");
    }
}

/// `a/b.rs` and `a/b/mod.rs` have their modules in `a/b/`.
fn module_folder(path: &str) -> String {
    format!("{}/", path.trim_end_matches(".rs").trim_end_matches("/mod"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_only_tests_include_is_a_test() {
        let files = Files::from_texts([
            (
                "crates/a/src/lib.rs",
                "pub mod code;\n#[cfg(test)]\nmod golden;\n",
            ),
            ("crates/a/src/code.rs", "#[cfg(test)]\nmod table;\n"),
            ("crates/a/src/code/table.rs", ""),
            ("crates/a/src/golden.rs", ""),
            ("crates/a/src/golden/inner.rs", ""),
            ("crates/a/tests/all.rs", ""),
        ]);
        let tests: Vec<&str> = files
            .rust
            .iter()
            .filter(|source| source.is_test)
            .map(|source| source.path.as_str())
            .collect();
        assert_eq!(
            tests,
            [
                "crates/a/src/code/table.rs",
                "crates/a/src/golden.rs",
                "crates/a/src/golden/inner.rs",
                "crates/a/tests/all.rs"
            ]
        );
    }
}
