//! Test servers, a database per test, a client per role.

pub mod postgres;
