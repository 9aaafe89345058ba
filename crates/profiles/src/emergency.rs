//! An emergency order (C5.3.7): a prepared base replaces the ordinary one until a day, and may loosen. Nothing else may.

use std::collections::BTreeSet;

use types::{Day, EmergencyOrderId, Uai};

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

/// The days of one order, and whom it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedDays {
    /// The order.
    pub id: EmergencyOrderId,
    /// The collèges it is for; all, if none is named.
    pub colleges: BTreeSet<Uai>,
    /// Its first day.
    pub first: Day,
    /// Its last day, or the day on which it was ended.
    pub last: Day,
    /// Whether it still stands: nobody ended it.
    pub stands: bool,
}

impl OrderedDays {
    /// Whether a tablet can be under both.
    fn concerns(&self, other: &Self) -> bool {
        self.colleges.is_empty() || other.colleges.is_empty() || !self.colleges.is_disjoint(&other.colleges)
    }

    /// Whether no day lies between them.
    fn touches(&self, first: Day, last: Day) -> bool {
        self.first.until(last) >= -1 && first.until(self.last) >= -1
    }
}

/// Passes an order that leaves those before it as they are: on each day one order stands for a collège, and without the
/// decision that a renewal is, no more than [`LONGEST_EMERGENCY`] days follow one another, by however many orders.
///
/// `before` are the others, whoever gave them; `renews` is the one that it renews, which may last into its days.
///
/// # Errors
/// [`Refusal::EmergencyMeets`], [`Refusal::EmergencyGoesOn`].
pub fn follows(
    new: &OrderedDays,
    renews: Option<EmergencyOrderId>,
    before: &[OrderedDays],
) -> Result<(), Refusal> {
    let others = || before.iter().filter(|other| Some(other.id) != renews && other.concerns(new));
    let meets = |other: &&OrderedDays| other.stands && other.first <= new.last && new.first <= other.last;
    if let Some(other) = others().find(meets) {
        return Err(Refusal::EmergencyMeets { order: other.id, first: other.first, last: other.last });
    }
    if renews.is_some() {
        return Ok(());
    }
    let (mut first, mut last, mut order) = (new.first, new.last, None);
    // Each of them may reach to another.
    while let Some(other) =
        others().find(|other| other.touches(first, last) && (other.first < first || last < other.last))
    {
        (first, last, order) = (first.min(other.first), last.max(other.last), Some(other.id));
    }
    let days = first.until(last).saturating_add(1);
    match order {
        Some(order) if days > LONGEST_EMERGENCY => {
            let thirtieth = first.plus(LONGEST_EMERGENCY.saturating_sub(1));
            let until = (new.first <= thirtieth).then_some(thirtieth);
            Err(Refusal::EmergencyGoesOn { order, first, last, days, until })
        }
        _ => Ok(()),
    }
}
