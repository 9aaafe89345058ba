//! The second person's word on a right to approve (C3.1.7).

use serde_json::json;
use types::{AccountId, Instant, Role, RuleId};

use super::{APPROVERS_WAIT, Confirmation};
use crate::countersignature::{Content, Countersigned, Purpose, Subject};
use crate::{Hands, Maker, RoleGrant};

/// Why a right to approve is not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotConfirmed {
    /// Other roles take effect at once.
    #[error("the role {role} needs no confirmation")]
    NotNeeded {
        /// The role.
        role: Role,
    },
    /// It was taken back.
    #[error("this right to approve was taken back at {at}")]
    Revoked {
        /// When.
        at: Instant,
    },
    /// Somebody did.
    #[error("this right to approve was confirmed at {at}")]
    Already {
        /// When.
        at: Instant,
    },
    /// The signature is for something else.
    #[error("the second person signed for something else than this right to approve (C3.1.7)")]
    SignedForAnother,
    /// Whoever asked for the signature is not whoever gave the right.
    #[error("only whoever gave a right to approve asks for its confirmation (C3.1.7)")]
    NotAskedByItsGiver,
    /// Whoever signed is, or could be, whoever would approve.
    #[error(
        "whoever would approve, and whoever confirms it, are two persons: neither made or reset the other's \
         account in the last 30 days, nor did one hand make or reset both (C3.1.7)"
    )]
    OneHand,
}

impl NotConfirmed {
    /// The rule that decided.
    #[must_use]
    pub const fn rule(&self) -> RuleId {
        RuleId::C3_1_7
    }
}

impl RoleGrant {
    /// What the second person of a right to approve is asked about.
    #[must_use]
    pub fn question(&self) -> (Subject, Content) {
        let content = json!({ "account": self.account, "grant": self.id, "role": self.role });
        (Subject::Grant { grant: self.id, to: self.account }, Content::of_plain(&content))
    }

    /// Confirms a right to approve, which counts 24 hours later (C3.1.7).
    ///
    /// Whoever gave it, whoever has it and whoever confirms it are three persons: the signature was already
    /// refused to the creature of the first, and is refused here to the creature, or the maker, of the
    /// second.
    ///
    /// # Errors
    /// [`NotConfirmed`].
    pub fn confirm(&self, proof: Countersigned, hands: &Hands, now: Instant) -> Result<Self, NotConfirmed> {
        if self.role != Role::Approver {
            return Err(NotConfirmed::NotNeeded { role: self.role });
        }
        if let Some((at, _by)) = self.revoked {
            return Err(NotConfirmed::Revoked { at });
        }
        if let Some(confirmation) = self.confirmed {
            return Err(NotConfirmed::Already { at: confirmation.at });
        }
        let (subject, content) = self.question();
        if !proof.is_for(Purpose::ConfirmApprover, &subject, &content) {
            return Err(NotConfirmed::SignedForAnother);
        }
        if self.granted_by != Maker::Account(proof.asked_by()) {
            return Err(NotConfirmed::NotAskedByItsGiver);
        }
        let by: AccountId = proof.answered_by();
        if !hands.independent(by, self.account) {
            return Err(NotConfirmed::OneHand);
        }
        // Never earlier than what it confirms, whatever the clock says.
        let at = now.max(self.granted_at).max(proof.answered_at());
        let confirmation = Confirmation { by, at, effective_at: at.plus(APPROVERS_WAIT) };
        Ok(Self { confirmed: Some(confirmation), ..self.clone() })
    }
}
