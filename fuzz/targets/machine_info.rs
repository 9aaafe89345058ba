//! See [`fuzz::machine_info`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::machine_info(bytes));
