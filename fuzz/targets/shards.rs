//! See `media::fuzzing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| media::fuzzing::shards(input));
