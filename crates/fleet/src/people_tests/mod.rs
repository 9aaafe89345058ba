//! The people's use cases over a real database of each engine.

mod commands;
mod enrolment;
mod fixture;
mod inventory;
mod keys;
mod push;
mod upkeep;
