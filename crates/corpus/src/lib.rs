//! What fuzzing has found to be worth keeping, for the tests on stable: runs a target over its committed inputs, and over
//! mutations of them out of a seed. For tests only; knows nothing of what the targets do.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of a mutated input at most.
const LONGEST: usize = 4_096;
/// Numbers that parsers trip over.
const EDGES: &[u8] = &[0, 1, 0x7f, 0x80, 0xfe, 0xff];

/// Runs every committed input of a target.
pub fn replay(target: &str, mut run: impl FnMut(&[u8])) {
    for (path, input) in inputs(target) {
        let _named = Named(path.display().to_string());
        run(&input);
    }
}

/// Runs so many inputs that are made of the committed ones. The same seed makes the same ones as long as the corpus stays.
pub fn mutate(target: &str, seed: u64, rounds: usize, mut run: impl FnMut(&[u8])) {
    let inputs = inputs(target);
    let mut random = Random(seed);
    for round in 0..rounds {
        let mut input = random.pick(&inputs).1.clone();
        for _ in 0..1 + random.below(4) {
            change(&mut input, &inputs, &mut random);
        }
        input.truncate(LONGEST);
        let _named = Named(format!("{target}, seed {seed}, round {round}: {input:?}"));
        run(&input);
    }
}

/// The committed inputs of a target, in the order of their names.
fn inputs(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder:?} has no input");
    let read = |path: PathBuf| {
        let input = fs::read(&path).expect("a readable input");
        (path, input)
    };
    paths.into_iter().map(read).collect()
}

fn change(input: &mut Vec<u8>, others: &[(PathBuf, Vec<u8>)], random: &mut Random) {
    let length = input.len();
    let at = random.below(length);
    match random.below(8) {
        0 => input.truncate(at),
        1 if length > 0 => input[at] ^= 1 << random.below(8),
        2 if length > 0 => input[at] = *random.pick(EDGES),
        3 if length > 0 => input[at] = random.next() as u8,
        4 => input.insert(at, random.next() as u8),
        5 if length > 0 => {
            let end = length.min(at + 1 + random.below(16));
            input.drain(at..end);
        }
        6 if length > 0 => {
            let end = length.min(at + 1 + random.below(64));
            let again = input[at..end].to_vec();
            let to = random.below(length);
            input.splice(to..to, again);
        }
        _ => {
            let other = &random.pick(others).1;
            input.truncate(at);
            input.extend_from_slice(&other[random.below(other.len())..]);
        }
    }
}

/// Says which input it was when the test fails.
struct Named(String);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("input: {}", self.0);
        }
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn mutations_are_many_different_ones_and_the_same_with_each_run() {
        let all = |seed| {
            let mut all = vec![];
            mutate("messages", seed, 500, |input| all.push(input.to_vec()));
            all
        };
        assert_eq!(all(1), all(1));
        assert_ne!(all(1), all(2));
        let different: BTreeSet<Vec<u8>> = all(1).into_iter().collect();
        assert!(different.len() > 400, "{}", different.len());
    }

    #[test]
    fn every_committed_input_is_small_and_replayed_once() {
        let mut replayed = 0;
        replay("messages", |input| {
            assert!(input.len() <= LONGEST);
            replayed += 1;
        });
        assert_eq!(replayed, inputs("messages").len());
    }
}
