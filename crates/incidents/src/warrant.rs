//! The proof that a tablet may be located.

use types::{IncidentId, Instant, TabletId, WarrantId};

/// A location warrant in force: what every request for a position needs (C5.4.3, M1).
///
/// Nothing makes one yet. It will come only from the rule that checks the incident, the second person, the
/// window and the number of fixes already taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warrant {
    warrant: WarrantId,
    incident: IncidentId,
    tablet: TabletId,
    opens_at: Instant,
    expires_at: Instant,
}

impl Warrant {
    /// The warrant that was granted.
    #[must_use]
    pub fn warrant(&self) -> WarrantId {
        self.warrant
    }

    /// The open incident it rests on.
    #[must_use]
    pub fn incident(&self) -> IncidentId {
        self.incident
    }

    /// The only tablet it lets anyone locate.
    #[must_use]
    pub fn tablet(&self) -> TabletId {
        self.tablet
    }

    /// The first instant it covers.
    #[must_use]
    pub fn opens_at(&self) -> Instant {
        self.opens_at
    }

    /// The first instant it no longer covers.
    #[must_use]
    pub fn expires_at(&self) -> Instant {
        self.expires_at
    }
}
