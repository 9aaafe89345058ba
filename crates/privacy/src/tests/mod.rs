//! The room's promises, over a few invented tables.

mod entries;
mod fixture;
mod golden;
mod people;
mod purges;
mod register;
mod retention;
mod subject;
mod switch;
