//! The people's use cases over a real database of each engine.

mod accounts;
mod apps;
mod broadcasts;
mod check_ins_together;
mod commands;
mod commands_together;
mod emergencies;
mod enrolment;
mod first_versions;
mod fixture;
mod gathered;
mod inventory;
mod invited;
mod keys;
mod layers;
mod lending;
mod organisations;
mod profiles;
mod profiles_at_once;
mod push;
mod roles;
mod second_persons;
mod upkeep;
mod walks;
mod waves;
