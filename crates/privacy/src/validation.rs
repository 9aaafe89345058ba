//! A DPO's validation of an entry, and its withdrawal (C3.1.6).

use types::{AccountId, Digest, Instant, Role, RuleId, ValidationId};

use crate::{Activity, Entry, StoredColumns};

/// A validation as it is recorded: who validated exactly what, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    id: ValidationId,
    activity: Activity,
    digest: Digest,
    stored: StoredColumns,
    by: AccountId,
    at: Instant,
    withdrawn: Option<Withdrawal>,
}

/// Who withdrew a validation, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withdrawal {
    /// The account.
    pub by: AccountId,
    /// When.
    pub at: Instant,
}

/// Why a validation was not given. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotGiven {
    /// Whoever asked is not a DPO.
    #[error("only a DPO validates an entry of the register, and this account acts as {role}: ask the DPO")]
    NotTheDpo {
        /// The role it acts in.
        role: Role,
    },
    /// The entry is not the one that the DPO has read.
    #[error(
        "the entry `{activity}` is not the one that was read: it changed since; read it again (`ardoise privacy register`) and validate what it says now, {present}"
    )]
    ReadAnother {
        /// The activity.
        activity: Activity,
        /// The digest of the present entry.
        present: Digest,
    },
    /// Nothing is stored for it, so that there is nothing to validate.
    #[error(
        "nothing is stored for `{activity}` yet: there is nothing to validate before the version that stores something"
    )]
    NothingStored {
        /// The activity.
        activity: Activity,
    },
}

impl NotGiven {
    /// The rule behind the refusal.
    #[must_use]
    pub const fn rule(&self) -> RuleId {
        RuleId::C3_1_6
    }
}

/// Why a validation was not withdrawn. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWithdrawn {
    /// Whoever asked is not a DPO.
    #[error("only a DPO withdraws a validation, and this account acts as {role}: ask the DPO")]
    NotTheDpo {
        /// The role it acts in.
        role: Role,
    },
    /// It was withdrawn before.
    #[error(
        "the validation {validation} of `{activity}` was withdrawn at {at} already: nothing is left to do"
    )]
    Already {
        /// The validation.
        validation: ValidationId,
        /// The activity.
        activity: Activity,
        /// When it was withdrawn.
        at: Instant,
    },
}

impl NotWithdrawn {
    /// The rule behind the refusal.
    #[must_use]
    pub const fn rule(&self) -> RuleId {
        RuleId::C3_1_6
    }
}

impl Validation {
    /// A DPO validates the entry whose digest they have read.
    ///
    /// # Errors
    /// [`NotGiven`] if it is not a DPO who acts, if the entry is another by now, or stores nothing yet.
    pub fn decide(
        entry: &Entry,
        read: &Digest,
        by: AccountId,
        role: Role,
        now: Instant,
    ) -> Result<Self, NotGiven> {
        if role != Role::Dpo {
            return Err(NotGiven::NotTheDpo { role });
        }
        let activity = entry.activity();
        if entry.stores_nothing() {
            return Err(NotGiven::NothingStored { activity });
        }
        let present = entry.digest();
        if *read != present {
            return Err(NotGiven::ReadAnother { activity, present });
        }
        Ok(Self {
            id: ValidationId::new(now),
            activity,
            digest: present,
            stored: entry.stored(),
            by,
            at: now,
            withdrawn: None,
        })
    }

    /// A DPO takes a validation back: the activity is off from now on, or stands unvalidated if it runs from
    /// the start. It need not be the DPO who gave it.
    ///
    /// # Errors
    /// [`NotWithdrawn`] if it is not a DPO who acts, or if it was withdrawn before.
    pub fn withdraw(self, by: AccountId, role: Role, now: Instant) -> Result<Self, NotWithdrawn> {
        if role != Role::Dpo {
            return Err(NotWithdrawn::NotTheDpo { role });
        }
        match self.withdrawn {
            Some(Withdrawal { at, .. }) => {
                Err(NotWithdrawn::Already { validation: self.id, activity: self.activity, at })
            }
            None => Ok(Self { withdrawn: Some(Withdrawal { by, at: now }), ..self }),
        }
    }

    /// A validation as its row holds it. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    #[must_use]
    pub fn from_row(
        id: ValidationId,
        activity: Activity,
        digest: Digest,
        stored: StoredColumns,
        by: AccountId,
        at: Instant,
        withdrawn: Option<Withdrawal>,
    ) -> Self {
        Self { id, activity, digest, stored, by, at, withdrawn }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ValidationId {
        self.id
    }

    /// What was validated.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.activity
    }

    /// The digest of the entry as it was.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What was stored then.
    #[must_use]
    pub fn stored(&self) -> &StoredColumns {
        &self.stored
    }

    /// The DPO's account.
    #[must_use]
    pub fn by(&self) -> AccountId {
        self.by
    }

    /// When.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at
    }

    /// Who took it back and when, if anybody did.
    #[must_use]
    pub fn withdrawn(&self) -> Option<Withdrawal> {
        self.withdrawn
    }
}
