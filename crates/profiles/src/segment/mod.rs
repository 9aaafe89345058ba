//! Segments: tablets that are given the same, what that is, and how each of them comes to have it.
//!
//! A segment is the versions of its layers and a class of tablets. What it is given is one [`Plan`], whichever wires
//! carry it: a profile, declarations, commands. What a tablet has is only what it told: [`Known`]. [`next`] compares
//! the two and names one [`Step`]; [`rules`] says of each rule how it stands. Nothing is counted as done because it
//! was asked for.

mod app;
mod class;
mod known;
mod plan;
mod reconcile;
mod rules;

pub use app::{AppFrom, AppItem};
pub use class::{IpadClass, segment_key};
pub use known::{Declaring, Heard, Item, Known, Listed};
#[cfg(test)]
pub(crate) use plan::assemble;
pub use plan::{Carrier, Declared, Plan, Rule, SettingsItem, UpdateItem, nothing, plan, tablet_payload};
pub use reconcile::{Facts, Query, Step, UpdateAction, next};
pub use rules::{RuleReport, RuleState, rules};
