//! Tests that hold for every message at once.

mod bombs;
mod conformance;
mod profiles;
mod properties;
mod schema;
mod vectors;
