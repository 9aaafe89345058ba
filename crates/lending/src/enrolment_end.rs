//! The proof that a tablet may be unenrolled.

use types::{EnrolmentEndId, EnrolmentId, Instant, TabletId};

/// The facts of an end as its row holds them. Not yet a proof: [`EnrolmentEnd::read_back`] checks them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEnd {
    end: EnrolmentEndId,
    enrolment: EnrolmentId,
    tablet: TabletId,
    decided_at: Instant,
}

impl RecordedEnd {
    /// The facts of one row. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    #[must_use]
    pub fn from_row(
        end: EnrolmentEndId,
        enrolment: EnrolmentId,
        tablet: TabletId,
        decided_at: Instant,
    ) -> Self {
        Self { end, enrolment, tablet, decided_at }
    }
}

/// Why a recorded end proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotEnded {
    /// It names another enrolment.
    #[error("the recorded end {end} is of enrolment {recorded}, not of {asked}")]
    OfAnother {
        /// The end that was recorded.
        end: EnrolmentEndId,
        /// The enrolment it ends.
        recorded: EnrolmentId,
        /// The enrolment that was asked about.
        asked: EnrolmentId,
    },
    /// It was decided later than now: the clock was set back, or the row was edited.
    #[error("the recorded end {end} is dated {decided_at}, later than now ({now}); check the clock")]
    InTheFuture {
        /// The end that was recorded.
        end: EnrolmentEndId,
        /// When it says it was decided.
        decided_at: Instant,
        /// The present.
        now: Instant,
    },
}

/// The recorded end of an enrolment: what removing the management profile, releasing a tablet or telling it
/// that it is no longer managed needs (M4).
///
/// It is only ever read back from a row, which a person's decision has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentEnd {
    end: EnrolmentEndId,
    enrolment: EnrolmentId,
    tablet: TabletId,
    decided_at: Instant,
}

impl EnrolmentEnd {
    /// Checks what a row says against the enrolment in question and the clock.
    ///
    /// # Errors
    /// [`NotEnded`] when the row is of another enrolment, or dated in the future.
    pub fn read_back(recorded: &RecordedEnd, enrolment: EnrolmentId, now: Instant) -> Result<Self, NotEnded> {
        let RecordedEnd { end, enrolment: of, tablet, decided_at } = *recorded;
        if of != enrolment {
            return Err(NotEnded::OfAnother { end, recorded: of, asked: enrolment });
        }
        if decided_at > now {
            return Err(NotEnded::InTheFuture { end, decided_at, now });
        }
        Ok(Self { end, enrolment, tablet, decided_at })
    }

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

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
mod tests {
    use super::*;

    fn at(millis: i64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn a_recorded_end_proves_the_end_of_its_own_enrolment_only() {
        let (mine, other) = (EnrolmentId::new(at(1)), EnrolmentId::new(at(2)));
        let tablet = TabletId::new(at(1));
        let recorded = RecordedEnd::from_row(EnrolmentEndId::new(at(5)), mine, tablet, at(5));
        let end = EnrolmentEnd::read_back(&recorded, mine, at(6)).unwrap();
        assert_eq!((end.enrolment(), end.tablet(), end.decided_at()), (mine, tablet, at(5)));
        assert!(matches!(EnrolmentEnd::read_back(&recorded, other, at(6)), Err(NotEnded::OfAnother { .. })));
    }

    #[test]
    fn an_end_dated_in_the_future_proves_nothing() {
        let mine = EnrolmentId::new(at(1));
        let recorded = RecordedEnd::from_row(EnrolmentEndId::new(at(5)), mine, TabletId::new(at(1)), at(5));
        assert!(matches!(EnrolmentEnd::read_back(&recorded, mine, at(4)), Err(NotEnded::InTheFuture { .. })));
        assert!(EnrolmentEnd::read_back(&recorded, mine, at(5)).is_ok(), "from its own instant on");
    }
}
