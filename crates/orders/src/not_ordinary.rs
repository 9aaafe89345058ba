//! Why something may not be queued without a proof, or at all.

use apple::command::RequestType;
use types::RuleId;

/// Why a command is not ordinary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOrdinary {
    /// Its kind needs a proof.
    #[error("{request_type} is never queued by itself: it needs {proof}")]
    NeedsProof {
        /// The kind.
        request_type: RequestType,
        /// The proof, as in *it needs an erase order*.
        proof: &'static str,
        /// The rule that asks for it.
        rule: RuleId,
    },
    /// Its content would erase a tablet without an order.
    #[error("{what} can erase a tablet by itself, without an erase order")]
    Erases {
        /// The key or the kind.
        what: String,
    },
    /// Its content would unenrol the tablet, or touch what holds its enrolment.
    #[error("{what} would touch the management profile, which only the recorded end of the enrolment may")]
    Unenrols {
        /// The key or the kind.
        what: String,
    },
    /// It asks for personal data that Ardoise does not collect.
    #[error("{what} would collect personal data that Ardoise does not need; leave it out")]
    Personal {
        /// The query or the kind.
        what: String,
    },
    /// It would show what is on the tablet.
    #[error("{request_type} would show what is on the tablet; the contents are never looked at from afar")]
    LooksAtContents {
        /// The kind.
        request_type: RequestType,
    },
    /// It decides what is on the tablet, which two organisations do.
    #[error("{what} is not sent by hand: what is on a tablet is decided in layers; {instead}")]
    DecidedInLayers {
        /// The kind, or the item of it.
        what: String,
        /// What to do instead.
        instead: &'static str,
        /// The rule.
        rule: RuleId,
    },
    /// Its content cannot be looked into, so it cannot be shown to be harmless.
    #[error("{what}: nothing shows that it is harmless: {why}")]
    Opaque {
        /// The kind.
        what: String,
        /// What is in the way, and what would be accepted.
        why: String,
        /// What it might do for all we know.
        rule: RuleId,
    },
}

impl NotOrdinary {
    /// The rule behind the refusal.
    #[must_use]
    pub const fn rule(&self) -> RuleId {
        match self {
            Self::NeedsProof { rule, .. }
            | Self::Opaque { rule, .. }
            | Self::DecidedInLayers { rule, .. } => *rule,
            Self::Erases { .. } => RuleId::M3,
            Self::Unenrols { .. } => RuleId::M4,
            Self::Personal { .. } => RuleId::C3_1_6,
            Self::LooksAtContents { .. } => RuleId::C5_3_6,
        }
    }
}
