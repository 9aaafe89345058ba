//! An emergency order (C5.3.7): a prepared base replaces the ordinary one until a day, and may loosen. Nothing else may.

use types::Day;

use crate::layer::{Layer, LayerKind};
use crate::refusal::Refusal;

/// The longest an order is in force, in days; it can be renewed by another.
pub const LONGEST_EMERGENCY: i32 = 30;

/// A prepared base, and for how long it replaces the ordinary one.
#[derive(Debug, Clone, PartialEq)]
pub struct EmergencyOrder {
    base: Layer,
    reason: String,
    first: Day,
    last: Day,
}

impl EmergencyOrder {
    /// An order, in force from the first day to the last, both included.
    ///
    /// # Errors
    /// The layer is no emergency base, there is no reason, or the order would be in force for more than
    /// [`LONGEST_EMERGENCY`] days, or for none.
    pub fn new(base: Layer, reason: &str, first: Day, last: Day) -> Result<Self, Refusal> {
        if *base.kind() != LayerKind::Emergency {
            return Err(Refusal::NotAnEmergencyBase { layer: base.name().clone() });
        }
        if reason.trim().is_empty() {
            return Err(Refusal::EmergencyWithoutReason);
        }
        let days = first.until(last).saturating_add(1);
        if !(1..=LONGEST_EMERGENCY).contains(&days) {
            return Err(Refusal::EmergencyTooLong { first, last, days });
        }
        Ok(Self { base, reason: reason.trim().to_owned(), first, last })
    }

    /// The base that replaces the ordinary one.
    #[must_use]
    pub const fn base(&self) -> &Layer {
        &self.base
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Its last day.
    #[must_use]
    pub const fn last(&self) -> Day {
        self.last
    }

    /// Whether it is in force on that day.
    #[must_use]
    pub fn is_in_force(&self, day: Day) -> bool {
        self.first <= day && day <= self.last
    }
}
