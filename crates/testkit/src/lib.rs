//! Test servers, a database per test, a client per role.
