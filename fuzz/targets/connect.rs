//! See [`fuzz::connect`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::connect(bytes));
