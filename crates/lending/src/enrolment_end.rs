//! The proof that a tablet may be unenrolled.

use types::{EnrolmentEndId, EnrolmentId, Instant, TabletId};

/// The recorded end of an enrolment: what removing the management profile, releasing a tablet or telling it
/// that it is no longer managed needs (M4).
///
/// Nothing makes one yet. It will come only from the rule that checks who ended the enrolment, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentEnd {
    end: EnrolmentEndId,
    enrolment: EnrolmentId,
    tablet: TabletId,
    decided_at: Instant,
}

impl EnrolmentEnd {
    /// The end that was recorded.
    #[must_use]
    pub fn end(&self) -> EnrolmentEndId {
        self.end
    }

    /// The only enrolment it ends.
    #[must_use]
    pub fn enrolment(&self) -> EnrolmentId {
        self.enrolment
    }

    /// The tablet of that enrolment.
    #[must_use]
    pub fn tablet(&self) -> TabletId {
        self.tablet
    }

    /// When it was decided; a command queued earlier cannot rest on it.
    #[must_use]
    pub fn decided_at(&self) -> Instant {
        self.decided_at
    }
}
