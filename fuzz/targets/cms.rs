//! See [`fuzz::cms`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::cms(bytes));
