//! What the head may attach to a replacement, and what the warranty covers (C5.4.4, C5.4.5).

use types::{Day, IncidentKind, text_enum};

/// What the head attaches to a replacement (C5.4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counterpart {
    /// No donation at the end of 3e.
    NoDonation,
    /// A sum that the board (conseil d'administration) has fixed.
    Sum {
        /// In cents.
        cents: u32,
        /// When the board fixed it.
        fixed_on: Day,
        /// When it was paid.
        paid_on: Option<Day>,
    },
    /// The replacement stays at school.
    StaysAtSchool,
}

/// What a counterpart does to what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It speaks against a donation (C5.1.2).
    SpeaksAgainstDonation,
    /// The replacement is lent in-school only (C5.2.1).
    InSchoolOnly,
}

impl Counterpart {
    /// What it does. A sum that was paid does nothing any more.
    #[must_use]
    pub const fn effect(&self) -> Option<Effect> {
        match self {
            Self::NoDonation | Self::Sum { paid_on: None, .. } => Some(Effect::SpeaksAgainstDonation),
            Self::Sum { paid_on: Some(_), .. } => None,
            Self::StaysAtSchool => Some(Effect::InSchoolOnly),
        }
    }
}

text_enum! {
    /// What someone who looked at the tablet found.
    Finding: "finding on a tablet" {
        /// Nothing that the user did.
        NothingOfTheUser = "nothing-of-the-user",
        /// Shocks or scratches.
        ShockOrScratch = "shock-or-scratch",
        /// A repair by the user.
        RepairByTheUser = "repair-by-the-user",
    }

    /// Whether the maker pays (C5.4.5).
    WarrantyVerdict: "verdict on the warranty" {
        /// The warranty covers it.
        Covered = "covered",
        /// It does not, and the département may claim the price from the guardians.
        NotCovered = "not-covered",
        /// Nothing is broken that a warranty could cover.
        DoesNotArise = "does-not-arise",
    }
}

impl WarrantyVerdict {
    /// The verdict: only a maker's defect is covered; shocks, scratches or a repair by the user end the warranty, even
    /// for a defect (C5.4.5).
    #[must_use]
    pub const fn of(kind: IncidentKind, finding: Finding) -> Self {
        match (kind, finding) {
            (IncidentKind::Fault | IncidentKind::Breakage, Finding::NothingOfTheUser) => Self::Covered,
            (IncidentKind::Fault | IncidentKind::Breakage | IncidentKind::Damage, _) => Self::NotCovered,
            (
                IncidentKind::Loss
                | IncidentKind::Theft
                | IncidentKind::CompromisedCode
                | IncidentKind::AuthorityRequest,
                _,
            ) => Self::DoesNotArise,
        }
    }
}
