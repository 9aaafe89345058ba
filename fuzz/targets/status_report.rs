//! See [`fuzz::status_report`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::status_report(bytes));
