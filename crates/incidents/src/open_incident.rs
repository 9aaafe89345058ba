//! The proof that a tablet may be put in lost mode.

use types::{IncidentId, Instant, TabletId};

/// An incident of type loss, theft or authority request that is open: what lost mode needs (M1).
///
/// Nothing makes one yet. It will come only from the rule that checks the incident's facts against the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIncident {
    incident: IncidentId,
    tablet: TabletId,
    opened_at: Instant,
}

impl OpenIncident {
    /// The incident that was recorded.
    #[must_use]
    pub fn incident(&self) -> IncidentId {
        self.incident
    }

    /// The tablet it is about: the only one it can put in lost mode.
    #[must_use]
    pub fn tablet(&self) -> TabletId {
        self.tablet
    }

    /// Since when it is open; a command queued earlier cannot rest on it.
    #[must_use]
    pub fn opened_at(&self) -> Instant {
        self.opened_at
    }
}
