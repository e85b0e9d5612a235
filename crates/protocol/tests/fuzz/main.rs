//! The fuzz targets of this crate on stable: the committed inputs, and some that are made of them.

mod messages;

const SEEDS: std::ops::Range<u64> = 1..5;

#[test]
fn messages_keep_what_they_promise() {
    corpus::replay("messages", messages::messages);
    for seed in SEEDS {
        corpus::mutate("messages", seed, 5_000, messages::messages);
    }
}
