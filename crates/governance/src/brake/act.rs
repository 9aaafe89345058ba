//! One act that destroys, before it is decided.

use types::{AccountId, DestructionKind, Uai, text_enum};

text_enum! {
    /// What an act does.
    What: "act that destroys" {
        /// A tablet that was given back is erased: the only act that a campaign lets pass.
        Restitution = "restitution",
        /// A tablet is erased for any other reason.
        Erasure = "erasure",
        /// A tablet is put in lost mode.
        LostMode = "lost-mode",
        /// A tablet leaves management.
        Unenrolment = "unenrolment",
    }
}

impl What {
    /// What the budgets count it as.
    #[must_use]
    pub const fn kind(self) -> DestructionKind {
        match self {
            Self::Restitution | Self::Erasure => DestructionKind::Erase,
            Self::LostMode => DestructionKind::LostMode,
            Self::Unenrolment => DestructionKind::Unenrol,
        }
    }
}

/// One act on one tablet, and against whom it counts.
///
/// There is always an account: whoever recorded the receipt or gave the order, never the calendar that
/// carries it out (M5).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Act {
    /// What it does.
    pub what: What,
    /// Who decided it.
    pub account: AccountId,
    /// The collège whose tablet it is. Tablets that no collège has count together, as if they were one's.
    pub college: Option<Uai>,
}
