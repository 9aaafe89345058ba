//! See [`fuzz::checkin`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::checkin(bytes));
