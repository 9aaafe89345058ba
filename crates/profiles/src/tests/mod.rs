//! Tests of the whole room.

mod arbitrary;
mod catalogue;
mod generator;
mod layers;
mod parsing;
mod published;
mod rendering;
mod reports;
mod templates;
