//! The door, over a real database, through its own routes.

mod access;
mod api;
mod door;
mod people;
mod problems;
