//! The people's use cases over a real database of each engine.

mod accounts;
mod apps;
mod broadcasts;
mod commands;
mod enrolment;
mod fixture;
mod inventory;
mod keys;
mod lending;
mod organisations;
mod profiles;
mod push;
mod roles;
mod second_persons;
mod upkeep;
