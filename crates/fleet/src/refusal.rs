//! What a person is told when something cannot be done: what happened, to which tablet, what to do next.

use store::StoreError;
use types::RuleId;

use crate::csv_import::BadLine;

/// A request of a person that was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Who asks is not who they say, or no longer.
    #[error("the token is not valid: it is unknown, expired or revoked; ask an administrator for a new one")]
    NotAuthenticated,

    /// Who asks may not do this.
    #[error("this token may not {action}; it has the scope `{scope}`")]
    NotAllowed {
        /// What was asked, as in *may not …*.
        action: &'static str,
        /// What the token may do.
        scope: String,
    },

    /// There is no such thing, or none that the person may see.
    #[error("there is no {noun} `{id}`")]
    NotFound {
        /// What was looked for.
        noun: &'static str,
        /// As it was asked for.
        id: String,
    },

    /// Nothing identifies us to Apple's push service yet.
    #[error("there is no push certificate yet; without one no tablet can enrol or be woken")]
    NoPushCertificate,

    /// The inventory has bad lines; nothing was imported.
    #[error("{} line(s) of the inventory cannot be imported; nothing was changed", .0.len())]
    BadInventory(Vec<BadLine>),

    /// What was sent cannot be understood.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it, and what would be right.
        problem: String,
    },

    /// A rule of the lending programme forbids it.
    #[error("{what} ({rule})")]
    Forbidden {
        /// The rule.
        rule: RuleId,
        /// What it forbids here, and what would be allowed.
        what: String,
    },

    /// It contradicts what is already there.
    #[error("{0}")]
    Conflict(String),

    /// The memory failed; nothing was changed.
    #[error("the database could not do this; nothing was changed")]
    Store(#[from] StoreError),

    /// Something that should never fail did.
    #[error("internal failure: {0}")]
    Internal(String),
}

impl Refusal {
    /// A stable code for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAuthenticated => "not-authenticated",
            Self::NotAllowed { .. } => "not-allowed",
            Self::NotFound { .. } => "not-found",
            Self::NoPushCertificate => "no-push-certificate",
            Self::BadInventory(_) => "bad-inventory",
            Self::Invalid { .. } => "invalid",
            Self::Forbidden { .. } => "forbidden-by-rule",
            Self::Conflict(_) => "conflict",
            Self::Store(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// The rule that decided, if one did.
    #[must_use]
    pub const fn rule(&self) -> Option<RuleId> {
        match self {
            Self::Forbidden { rule, .. } => Some(*rule),
            _ => None,
        }
    }

    pub(crate) fn invalid(field: &'static str, problem: impl std::fmt::Display) -> Self {
        Self::Invalid { field, problem: problem.to_string() }
    }

    pub(crate) fn not_found(noun: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound { noun, id: id.to_string() }
    }
}
