//! The proof that a tablet may be put in lost mode.

use types::{IncidentId, IncidentKind, Instant, TabletId};

use crate::{Bearing, Hands, IncidentState};

/// The facts of an incident as its row holds them. Not yet a proof: [`OpenIncident::read_back`] checks them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedIncident {
    incident: IncidentId,
    tablet: TabletId,
    kind: IncidentKind,
    state: IncidentState,
    opened_at: Instant,
    hands: Hands,
}

impl RecordedIncident {
    /// The facts of one row. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    #[must_use]
    pub fn from_row(
        incident: IncidentId,
        tablet: TabletId,
        kind: IncidentKind,
        state: IncidentState,
        opened_at: Instant,
        hands: Hands,
    ) -> Self {
        Self { incident, tablet, kind, state, opened_at, hands }
    }

    /// Its id.
    #[must_use]
    pub const fn incident(&self) -> IncidentId {
        self.incident
    }

    /// Where it stands.
    #[must_use]
    pub(crate) const fn state(&self) -> IncidentState {
        self.state
    }

    /// In whose hands its tablet was, and is.
    #[must_use]
    pub(crate) const fn hands(&self) -> &Hands {
        &self.hands
    }

    /// Passes an incident that is open, of a missing tablet, of this one, and of nobody but whoever has it.
    pub(crate) fn carries(&self, tablet: TabletId, now: Instant) -> Result<(), NotOpen> {
        let incident = self.incident;
        if self.tablet != tablet {
            return Err(NotOpen::OfAnother { incident, recorded: self.tablet, asked: tablet });
        }
        if !self.kind.is_of_a_missing_tablet() {
            return Err(NotOpen::WrongKind { incident, kind: self.kind });
        }
        if !self.state.is_open() {
            return Err(NotOpen::Closed { incident });
        }
        if self.opened_at > now {
            return Err(NotOpen::InTheFuture { incident, opened_at: self.opened_at, now });
        }
        match self.hands.bearing() {
            Bearing::Stands | Bearing::LentAnew { .. } => Ok(()),
            Bearing::HeldByAnother { began_at } => Err(NotOpen::HeldByAnother { incident, began_at }),
            Bearing::OfAnotherCollege => Err(NotOpen::OfAnotherCollege { incident }),
        }
    }
}

/// Why a recorded incident proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOpen {
    /// It is about another tablet.
    #[error("incident {incident} is about tablet {recorded}, not {asked}")]
    OfAnother {
        /// The incident.
        incident: IncidentId,
        /// The tablet it is about.
        recorded: TabletId,
        /// The tablet that was asked about.
        asked: TabletId,
    },
    /// It is not of a missing tablet.
    #[error("incident {incident} is of kind {kind}, which carries no lost mode")]
    WrongKind {
        /// The incident.
        incident: IncidentId,
        /// What it is about.
        kind: IncidentKind,
    },
    /// It is closed.
    #[error("incident {incident} is closed")]
    Closed {
        /// The incident.
        incident: IncidentId,
    },
    /// It opens later than now: the clock was set back, or the row was edited.
    #[error("incident {incident} is dated {opened_at}, later than now ({now}); check the clock")]
    InTheFuture {
        /// The incident.
        incident: IncidentId,
        /// When it says it opened.
        opened_at: Instant,
        /// The present.
        now: Instant,
    },
    /// Somebody has the tablet whom it does not concern.
    #[error(
        "incident {incident} does not concern whoever the tablet is lent to since {began_at}: it carries no lost mode, and nobody \
         is located because of it"
    )]
    HeldByAnother {
        /// The incident.
        incident: IncidentId,
        /// When their loan began.
        began_at: Instant,
    },
    /// The tablet is of another collège than the incident.
    #[error("the tablet of incident {incident} is of another collège now: nothing rests on it any more")]
    OfAnotherCollege {
        /// The incident.
        incident: IncidentId,
    },
}

/// An incident of type loss, theft or authority request that is open: what lost mode needs (M1).
///
/// It is only ever read back from a row, when the command is queued and again when it is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIncident {
    incident: IncidentId,
    tablet: TabletId,
    opened_at: Instant,
}

impl OpenIncident {
    /// Checks what a row says against the tablet in question and the clock.
    ///
    /// # Errors
    /// [`NotOpen`].
    pub fn read_back(recorded: &RecordedIncident, tablet: TabletId, now: Instant) -> Result<Self, NotOpen> {
        recorded.carries(tablet, now)?;
        Ok(Self { incident: recorded.incident, tablet, opened_at: recorded.opened_at })
    }

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
