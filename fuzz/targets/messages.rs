//! See `crates/protocol/tests/fuzz`.
#![no_main]

#[path = "../../crates/protocol/tests/fuzz/messages.rs"]
mod messages;

libfuzzer_sys::fuzz_target!(|input: &[u8]| messages::messages(input));
