//! An emergency order (C5.3.7): a prepared base replaces the ordinary one until a day, and may loosen. Nothing else may.

use std::collections::BTreeSet;

use types::{Day, EmergencyOrderId, Uai};

use crate::layer::{Layer, LayerKind};
use crate::refusal::{OrderMet, Refusal};

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

    /// Whether it stands in the way of another: on one of its days, for one of its collèges.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.stands && self.concerns(other) && self.first <= other.last && other.first <= self.last
    }

    /// Whether it is for the tablets of this collège; of `None`, those that no order names.
    fn is_for(&self, college: Option<&Uai>) -> bool {
        self.colleges.is_empty() || college.is_some_and(|uai| self.colleges.contains(uai))
    }

    /// Whether it is for every collège that `colleges` are; for all, if none is named.
    fn covers(&self, colleges: &BTreeSet<Uai>) -> bool {
        self.colleges.is_empty() || (!colleges.is_empty() && colleges.is_subset(&self.colleges))
    }

    /// Whether no day lies between them.
    fn touches(&self, first: Day, last: Day) -> bool {
        self.first.until(last) >= -1 && first.until(self.last) >= -1
    }
}

/// Passes an order that leaves those before it as they are: on each day one order stands for a collège, and without the
/// decision that a renewal is, no more than [`LONGEST_EMERGENCY`] days follow one another, by however many orders.
///
/// `before` are the others, whoever gave them; `renews` is the one that it renews, which may last into its days. Days are
/// counted for each collège that the new one is for: orders for others do not lengthen them.
///
/// # Errors
/// [`Refusal::EmergencyMeets`], [`Refusal::EmergencyGoesOn`].
pub fn follows(
    new: &OrderedDays,
    renews: Option<EmergencyOrderId>,
    before: &[OrderedDays],
) -> Result<(), Refusal> {
    let met: Vec<&OrderedDays> = met(new, renews, before).collect();
    if !met.is_empty() {
        let renewable = matches!(met.as_slice(), [only] if is_renewed_by(only, new, before));
        let met = met.into_iter().map(|other| OrderMet {
            order: other.id,
            colleges: other.colleges.clone(),
            first: other.first,
            last: other.last,
        });
        return Err(Refusal::EmergencyMeets { met: met.collect(), renewable });
    }
    if renews.is_some() {
        return Ok(());
    }
    let named = || before.iter().filter(|other| other.concerns(new)).flat_map(|other| &other.colleges);
    let colleges: BTreeSet<Option<&Uai>> = if new.colleges.is_empty() {
        named().map(Some).chain([None]).collect()
    } else {
        new.colleges.iter().map(Some).collect()
    };
    colleges.into_iter().try_for_each(|college| goes_on(new, college, before))
}

/// The orders that stand on one of the new one's days for one of its collèges, but for the one that it renews.
fn met<'o>(
    new: &OrderedDays,
    renews: Option<EmergencyOrderId>,
    before: &'o [OrderedDays],
) -> impl Iterator<Item = &'o OrderedDays> {
    before.iter().filter(move |other| Some(other.id) != renews && other.meets(new))
}

/// Whether the new one may be given as the renewal of that order, in its last seven days.
fn is_renewed_by(order: &OrderedDays, new: &OrderedDays, before: &[OrderedDays]) -> bool {
    order.stands
        && order.covers(&new.colleges)
        && order.first <= new.first
        && order.last.until(new.first) <= 1
        && met(new, Some(order.id), before).next().is_none()
}

/// Passes an order under which this collège is for no more than [`LONGEST_EMERGENCY`] days on end.
fn goes_on(new: &OrderedDays, college: Option<&Uai>, before: &[OrderedDays]) -> Result<(), Refusal> {
    let (mut first, mut last) = (new.first, new.last);
    let mut chain: Vec<&OrderedDays> = Vec::new();
    // Each of them may reach to another.
    while let Some(other) = before.iter().find(|other| {
        other.is_for(college) && other.touches(first, last) && (other.first < first || last < other.last)
    }) {
        (first, last) = (first.min(other.first), last.max(other.last));
        chain.push(other);
    }
    let days = first.until(last).saturating_add(1);
    let Some(latest) = chain.last().filter(|_order| days > LONGEST_EMERGENCY) else { return Ok(()) };
    let renewable = chain.iter().find(|order| is_renewed_by(order, new, before)).map(|order| order.id);
    let thirtieth = first.plus(LONGEST_EMERGENCY.saturating_sub(1));
    let is_the_last = chain.iter().all(|order| order.first <= new.last);
    let until = (is_the_last && new.first <= thirtieth && thirtieth < new.last).then_some(thirtieth);
    let (order, renewable) = (renewable.unwrap_or(latest.id), renewable.is_some());
    Err(Refusal::EmergencyGoesOn { order, first, last, days, until, renewable })
}
