//! Any sequence of events against a small independent model of who sits where.

mod support;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use support::meeting;

/// The same sequences on every machine; a found one becomes a scenario.
fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 400,
        rng_seed: RngSeed::Fixed(0x5747_5542_4531),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_happens_everybody_sees_what_the_model_says(story in meeting::story()) {
        meeting::play(story);
    }
}

/// The fuzz target: its committed inputs, and some that are made of them.
#[test]
fn what_fuzzing_found_happens_as_the_model_says() {
    corpus::replay("meeting", meeting::meeting);
    for seed in 1..5 {
        corpus::mutate("meeting", seed, 100, meeting::meeting);
    }
}
