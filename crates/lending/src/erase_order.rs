//! The proof that a tablet may be erased.

use types::{EraseOrderId, Instant, TabletId};

/// An erase order in force: what every erasure needs (C5.3.5, M3).
///
/// Nothing makes one yet. It will come only from the rule that checks the restitution, donation, retirement
/// or theft it serves, the notice to the holder, and the clock; and it is made again at the moment of delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseOrder {
    order: EraseOrderId,
    tablet: TabletId,
    not_before: Instant,
    expires_at: Instant,
}

impl EraseOrder {
    /// The order that was given.
    #[must_use]
    pub fn order(&self) -> EraseOrderId {
        self.order
    }

    /// The only tablet it erases.
    #[must_use]
    pub fn tablet(&self) -> TabletId {
        self.tablet
    }

    /// The first instant at which the tablet may be erased.
    #[must_use]
    pub fn not_before(&self) -> Instant {
        self.not_before
    }

    /// The first instant at which it no longer may.
    #[must_use]
    pub fn expires_at(&self) -> Instant {
        self.expires_at
    }
}
