//! Floor 2: what is on a tablet.
//!
//! A tablet's configuration is made of layers: the département's base, what a kind of user has, what a collège adds,
//! what the loan's mode asks for, the tablet's own. Each is a text that people read and approve. They combine into one
//! intent, which is written for each platform: as much as it can do, and the rest with the reason.
//!
//! Values in, values out: no file, no clock, no database. Texts come in, and texts go out.
//!
//! - [`catalogue`]: everything that can be set, which way is stricter, on which wire and since when.
//! - [`parse`], [`inspect`]: from a text to a [`Layer`], or to every [`Problem`] with its line.
//! - [`combine`]: from layers to an [`Intent`], or to every [`Refusal`].
//! - [`Approved`]: the proof that a layer was decided by those who decide it; nothing is written for a tablet without.
//! - [`render`]: from an intent to what each platform is given, and what it is not, and why.
//! - [`segment`]: what tablets of one kind are given, and the next step until each of them has it.
//! - [`report`]: texts in, reports out, for commands and pages.
//! - [`parts`]: what a layer holds beside single values.

mod advice;
mod base;
pub mod catalogue;
mod combine;
mod emergency;
mod intent;
mod layer;
mod mode;
mod names;
mod parse;
pub mod parts;
mod problem;
mod reading;
mod refusal;
pub mod render;
pub mod report;
pub mod segment;
mod value;
mod versions;

#[cfg(test)]
mod tests;

pub use combine::{added_in_vain, combine};
pub use emergency::{EmergencyOrder, LONGEST_EMERGENCY, OrderedDays, follows};
pub use intent::{Intent, Kept, Withheld};
pub use layer::{Layer, LayerKind, LayerName};
pub use names::{BundleId, CertificateName, ExtensionId, Host, NotAName, Ssid, StoreNumber, WebAddress};
pub use parse::{Parsed, inspect, parse};
pub use problem::{Problem, Severity};
pub use reading::At;
pub use refusal::{Conflict, InVain, OrderMet, Refusal};
pub use value::Value;
pub use versions::{
    Approval, Approved, InForce, LayerKey, NotAKey, NotAPlan, NotApproved, OrderInForce, Rollout,
    RolloutPlan, RolloutState, Tally, Tried, Turn, VersionFacts, Wave, combine_approved, turn,
};
