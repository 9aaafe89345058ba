//! Which texts of a layer are in force, who decided them, and how they come to tablets.
//!
//! A layer changes by versions. What both organisations decide takes one person of each (C3.1.1, C3.1.2); what a
//! collège adds, that collège alone (C3.1.3). [`Approved`] is the proof that they did, and nothing else is written for a
//! real tablet: [`combine_approved`] takes it, and [`crate::render`] takes what that gives.

mod approved;
mod in_force;
mod key;
mod rollout;

pub use approved::{Approval, Approved, NotApproved, VersionFacts, combine_approved};
pub use in_force::{InForce, OrderInForce};
pub use key::{LayerKey, NotAKey};
pub use rollout::{NotAPlan, Rollout, RolloutPlan, RolloutState, Tally, Tried, Turn, Wave, turn};
