//! What a tablet is told when it is not served.
//!
//! 401 and 403 make a tablet leave management for good, so no failure of ours may ever become one. Each
//! variant belongs to one [`Told`], and the single variant that unenrols carries its proof, an
//! [`EnrolmentEnd`] (M4): a status cannot slip.

use lending::EnrolmentEnd;
use store::StoreError;
use types::{RuleId, SerialNumber, Udid};

/// Why a tablet was not served.
#[derive(Debug, thiserror::Error)]
pub enum TabletError {
    /// It showed no certificate and signed nothing.
    #[error("no identity: neither a client certificate nor a signature came with the request")]
    NoIdentity,
    /// What it showed proves nothing here: a foreign, self-signed or forged identity.
    #[error("the identity is not one of ours: {0}")]
    Foreign(String),
    /// Its certificate is of another tablet than the one it names (T-A1).
    #[error("the certificate is bound to another tablet than the `{claimed}` that the message names")]
    Mismatch {
        /// What the message says.
        claimed: String,
    },
    /// Its certificate was replaced: by a renewal, or by a newer enrolment (T-A5).
    #[error("the certificate was superseded; the tablet must use its newer one, or enrol again")]
    Superseded,
    /// The message comes before the one that must precede it.
    #[error("{message} came before the enrolment was ready for it (it is {state})")]
    OutOfOrder {
        /// The message.
        message: &'static str,
        /// Where the enrolment stands.
        state: &'static str,
    },
    /// The message cannot be read.
    #[error("the message cannot be read: {0}")]
    Malformed(String),
    /// The tablet is not in the inventory (C3.3.4).
    #[error("serial number {serial} is not in the inventory; import it, then enrol again")]
    NotInInventory {
        /// What it says its serial number is.
        serial: SerialNumber,
    },
    /// The link, or the way of enrolling, is not for this tablet.
    #[error("{why}")]
    NotAdmitted {
        /// Why, and what would be admitted.
        why: String,
        /// The rule behind it.
        rule: RuleId,
    },
    /// This user's channel is declined: tablets are lent to one person (C5.3.1), Shared iPad is not used.
    #[error("user channels are declined: a tablet is lent to one person (C5.3.1)")]
    UserDeclined,
    /// The token service is not one that this server offers.
    #[error("there is no token of type `{0}` here")]
    NoSuchToken(String),
    /// There is no such declaration for this tablet.
    #[error("there is no such declaration for this tablet")]
    NoSuchDeclaration,
    /// The tablet must update its system before it may enrol.
    #[error("the tablet must update to {required} before it enrols")]
    UpdateRequired {
        /// The version to reach.
        required: String,
    },
    /// Its enrolment was ended on purpose, and the proof is here (M4).
    #[error("the enrolment of this tablet was ended on {}", .0.decided_at())]
    Ended(EnrolmentEnd),
    /// The certificate is ours but the database does not know it: it may have been restored (T-A7).
    #[error("certificate {fingerprint} is ours but unknown to the database{}; was it restored?", .udid.as_ref().map_or_else(String::new, |udid| format!(" (tablet {udid})")))]
    Orphan {
        /// The certificate.
        fingerprint: String,
        /// The tablet it claims to be.
        udid: Option<Udid>,
    },
    /// The memory failed or is busy.
    #[error("the database could not serve the tablet: {0}")]
    Store(#[from] StoreError),
    /// Something that should never fail did.
    #[error("internal failure: {0}")]
    Internal(String),
}

/// What the tablet gets, before it is put into HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// 400: it keeps its management and tries again later.
    BadRequest,
    /// 404: no such declaration.
    NotFound,
    /// 410: this user's channel is declined; the tablet stays managed.
    Gone,
    /// 403 with `com.apple.softwareupdate.required`: before an enrolment only.
    UpdateRequired,
    /// 403 with `com.apple.unrecognized.device`: it leaves management. Only with its proof.
    Unrecognized,
    /// 503: we failed; it tries again.
    Unavailable,
}

impl TabletError {
    /// What the tablet is told.
    #[must_use]
    pub const fn told(&self) -> Told {
        match self {
            Self::NoIdentity
            | Self::Foreign(_)
            | Self::Mismatch { .. }
            | Self::Superseded
            | Self::OutOfOrder { .. }
            | Self::Malformed(_)
            | Self::NotInInventory { .. }
            | Self::NotAdmitted { .. }
            | Self::NoSuchToken(_) => Told::BadRequest,
            Self::NoSuchDeclaration => Told::NotFound,
            Self::UserDeclined => Told::Gone,
            Self::UpdateRequired { .. } => Told::UpdateRequired,
            Self::Ended(_) => Told::Unrecognized,
            Self::Orphan { .. } | Self::Store(_) | Self::Internal(_) => Told::Unavailable,
        }
    }
}

/// What went wrong inside, while a tablet was served: it is told to come again.
impl From<crate::Refusal> for TabletError {
    fn from(refused: crate::Refusal) -> Self {
        match refused {
            crate::Refusal::Store(error) => Self::Store(error),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<apple::WireError> for TabletError {
    fn from(error: apple::WireError) -> Self {
        Self::Malformed(error.to_string())
    }
}
