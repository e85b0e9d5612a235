//! Words that have no place in the repository: unfinished work, paths of one machine, numbers of a tracker elsewhere.
//!
//! The words are put together here from parts, or this file would find itself.

use super::Finding;
use super::files::{File, Files, has_extension};
use super::text::word_offsets;

/// Paths that exist on somebody's machine only.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/tmp", "/wt/"),
    concat!("/tmp", "/target/"),
    concat!("/Us", "ers/"),
    concat!("/ro", "ot/"),
];

const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
];

/// Files in which unfinished work could hide. Prose may speak of it.
const CODE: &[&str] = &[
    "css", "html", "js", "mjs", "rs", "sh", "sql", "svelte", "toml", "ts", "yml",
];

pub fn check(files: &Files) -> Vec<Finding> {
    files
        .texts
        .iter()
        .filter(|file| !is_lock_file(&file.path))
        .flat_map(|file| {
            machine_paths(file)
                .into_iter()
                .chain(numbers(file))
                .chain(unfinished(file))
        })
        .collect()
}

fn is_lock_file(path: &str) -> bool {
    path.ends_with("package-lock.json") || path.ends_with("Cargo.lock")
}

fn machine_paths(file: &File) -> Vec<Finding> {
    let found = |line: &str| {
        MACHINE_PATHS
            .iter()
            .find(|path| starts_a_path(line, path))
            .copied()
    };
    lines(file, found, |word| {
        format!("`{word}` is a path of one machine")
    })
}

/// `/x/` in `a/x/b` is part of a longer path and says nothing about a machine.
fn starts_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        !line[..start].ends_with(|c: char| c.is_alphanumeric() || "._-})@~".contains(c))
    })
}

fn numbers(file: &File) -> Vec<Finding> {
    let found = |line: &str| {
        let line = line.to_lowercase();
        let rest = line.split("issue ").skip(1).any(|rest| {
            rest.trim_start_matches('#')
                .starts_with(|c: char| c.is_ascii_digit())
        });
        rest.then_some("issue")
    };
    lines(file, found, |_| {
        "the number of an issue says nothing to a reader: say what it is about".to_string()
    })
}

fn unfinished(file: &File) -> Vec<Finding> {
    if !has_extension(&file.path, CODE) {
        return Vec::new();
    }
    let stands_in = |line: &str, word: &str| word_offsets(line, word).next().is_some();
    let found = |line: &str| {
        UNFINISHED
            .iter()
            .find(|word| stands_in(line, word))
            .copied()
    };
    lines(file, found, |word| {
        format!("`{word}`: finish it, or say in ARCHITECTURE.md what is not there yet")
    })
}

fn lines<'a>(
    file: &File,
    found: impl Fn(&str) -> Option<&'a str>,
    message: impl Fn(&str) -> String,
) -> Vec<Finding> {
    let hits = file
        .text
        .lines()
        .enumerate()
        .filter_map(|(index, line)| Some((index + 1, found(line)?)));
    hits.map(|(line, word)| {
        Finding::new(
            "words",
            &file.path,
            format!("line {line}: {}", message(word)),
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&Files::from_texts([(path, text)])).len()
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        for path in MACHINE_PATHS {
            assert_eq!(count("README.md", &format!("see {path}main")), 1, "{path}");
            assert_eq!(
                count("README.md", &format!("see https://example.org{path}main")),
                0,
                "{path}"
            );
        }
    }

    #[test]
    fn unfinished_work_is_found_in_code_and_not_in_prose() {
        let [first, second, _] = UNFINISHED else {
            panic!("three words")
        };
        assert_eq!(
            count(
                "a.rs",
                &format!("// {first}: later\nlet x = 1; // {second}\n")
            ),
            2
        );
        assert_eq!(count("a.md", &format!("no {first} here")), 0);
        assert_eq!(count("a.ts", &format!("const MAS{first}N = 1")), 0);
    }

    #[test]
    fn numbers_of_issues_are_found() {
        assert_eq!(
            count("a.md", &format!("fixes {} #12 and {} 3", "issue", "Issue")),
            1
        );
        assert_eq!(count("a.md", "an issue of 3 days; report an issue here"), 0);
    }
}
