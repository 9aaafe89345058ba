//! The program as it is typed, against a small server of the tests' own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

mod apns;
mod cycle;
mod loads;
mod open_loop;
mod person;
mod run;
mod seed;
mod server;
