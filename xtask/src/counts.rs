//! How many tests a run had and how many of them it left out, read from what the test programs print.
//!
//! Knows the summaries of cargo test, vitest and node's own runner, and nothing of when they are run.

/// The tests of one step.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    pub run: u32,
    pub skipped: u32,
}

impl Counts {
    /// The sum over all summaries in the text.
    pub fn read(text: &str) -> Counts {
        let mut counts = Counts::default();
        for line in text.lines() {
            let line = without_colours(line);
            let line = line.trim();
            if let Some(summary) = line.strip_prefix("test result: ") {
                counts.run += number_before(summary, "passed") + number_before(summary, "failed");
                counts.skipped += number_before(summary, "ignored");
            } else if let Some(summary) = line.strip_prefix("Tests ") {
                counts.run += number_before(summary, "passed") + number_before(summary, "failed");
                counts.skipped +=
                    number_before(summary, "skipped") + number_before(summary, "todo");
            } else if let Some(summary) =
                line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "))
            {
                counts.run += number_after(summary, "pass ") + number_after(summary, "fail ");
                counts.skipped +=
                    number_after(summary, "skipped ") + number_after(summary, "todo ");
            }
        }
        counts
    }
}

fn number_before(summary: &str, word: &str) -> u32 {
    let words: Vec<&str> = summary
        .split_whitespace()
        .map(|w| w.trim_matches(|c| ";|().".contains(c)))
        .collect();
    words
        .windows(2)
        .find(|pair| pair[1] == word)
        .and_then(|pair| pair[0].parse().ok())
        .unwrap_or(0)
}

fn number_after(summary: &str, word: &str) -> u32 {
    summary
        .strip_prefix(word)
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or(0)
}

fn without_colours(line: &str) -> String {
    let mut plain = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, run: u32, skipped: u32) {
        assert_eq!(Counts::read(text), Counts { run, skipped }, "{text}");
    }

    #[test]
    fn cargo_test_is_summed_over_all_its_binaries() {
        check(
            "running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             test result: FAILED. 1 passed; 2 failed; 4 ignored; 0 measured; 0 filtered out; finished in 0.10s\n",
            6,
            4,
        );
    }

    #[test]
    fn vitest_counts_tests_and_not_files() {
        check(
            " Test Files  2 passed (2)\n      Tests  12 passed (12)\n",
            12,
            0,
        );
        check(
            " Test Files  2 passed | 1 skipped (3)\n      Tests  1 failed | 9 passed | 2 skipped | 1 todo (13)\n",
            10,
            3,
        );
        check(
            "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[32m7 passed\u{1b}[39m\u{1b}[22m\u{1b}[90m (7)\u{1b}[39m",
            7,
            0,
        );
    }

    #[test]
    fn node_counts_in_both_of_its_styles() {
        check(
            "# tests 5\n# suites 0\n# pass 4\n# fail 0\n# cancelled 0\n# skipped 1\n# todo 0\n",
            4,
            1,
        );
        check(
            "ℹ tests 3\nℹ pass 2\nℹ fail 1\nℹ skipped 0\nℹ todo 2\n",
            3,
            2,
        );
    }

    #[test]
    fn a_text_without_a_summary_has_no_tests() {
        check("Compiling room v0.1.0\n10 passed the door\n", 0, 0);
    }
}
