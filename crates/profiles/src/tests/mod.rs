//! Tests of the whole room.

mod agent;
mod apps;
mod arbitrary;
mod carriers;
mod catalogue;
mod conformance;
mod everything;
mod generator;
mod joining;
mod known;
mod layers;
mod parsing;
mod published;
mod rendering;
mod reports;
mod segments;
mod steps;
mod templates;
mod values;
mod versions;
