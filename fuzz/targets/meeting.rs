//! See `crates/room/tests/support/meeting.rs`.
#![no_main]

#[path = "../../crates/room/tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|input: &[u8]| support::meeting::meeting(input));
