//! See [`fuzz::scep_inside`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::scep_inside(bytes));
