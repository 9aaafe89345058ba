//! Organisations as decisions see them: the département, the académie, a collège.

use types::{OrganisationId, OrganisationKind, Uai, text_enum};

use crate::BadRow;

text_enum! {
    /// Whether an organisation takes part.
    OrganisationState: "state of an organisation" {
        /// It does.
        Active = "active",
        /// It no longer does: none of its accounts can do anything.
        Closed = "closed",
    }

    /// Whether tablets may be used at home at all, as the collège decided (C3.3.3).
    HomeUse: "decision on use at home" {
        /// The collège has not decided: they may not.
        Undecided = "undecided",
        /// They may.
        Allowed = "allowed",
        /// They may not.
        NotAllowed = "not-allowed",
    }
}

/// An organisation. Only a collège has a UAI code, and it always has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    id: OrganisationId,
    kind: OrganisationKind,
    uai: Option<Uai>,
    state: OrganisationState,
}

impl Organisation {
    /// The organisation that a row describes.
    ///
    /// # Errors
    /// [`BadRow`] for a collège without a UAI code, or anything else with one.
    pub fn new(
        id: OrganisationId,
        kind: OrganisationKind,
        uai: Option<Uai>,
        state: OrganisationState,
    ) -> Result<Self, BadRow> {
        if (kind == OrganisationKind::College) != uai.is_some() {
            return Err(BadRow::new("organisation", id, "a collège, and nothing else, has a UAI code"));
        }
        Ok(Self { id, kind, uai, state })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> OrganisationId {
        self.id
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> OrganisationKind {
        self.kind
    }

    /// The code of the collège, if it is one.
    #[must_use]
    pub fn uai(&self) -> Option<&Uai> {
        self.uai.as_ref()
    }

    /// Whether it takes part.
    #[must_use]
    pub fn state(&self) -> OrganisationState {
        self.state
    }
}
