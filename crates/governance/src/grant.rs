//! The life of a role that is given to an account (C3.1.7).
//!
//! Each organisation gives its own roles, and nobody gives one to themselves. The right to approve is the
//! only one that does not take effect at once: a second person of the same organisation confirms it, and a
//! day passes.

mod confirm;
mod give;

use std::collections::BTreeSet;

use types::{AccountId, Duration, Instant, Role, RoleGrantId, Uai};

pub use confirm::NotConfirmed;
pub use give::{NotGranted, NotRevoked};

use crate::{BadRow, Maker};

/// How long a confirmed right to approve waits before it takes effect (C3.1.7).
pub const APPROVERS_WAIT: Duration = Duration::from_secs(24 * 3600);

/// How far a role reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantReach {
    /// As far as the organisation does: a collège's own tablets, everything for the others.
    Organisation,
    /// These collèges only: the technician of several, an operator for a part of the département.
    Colleges(BTreeSet<Uai>),
}

impl GrantReach {
    /// What is stored of it beside the list of collèges.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Colleges(_) => "colleges",
        }
    }
}

/// What a row says of a grant, column by column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the columns are named as the accessors of `RoleGrant`, which say what they hold"
)]
pub struct GrantRow {
    pub id: RoleGrantId,
    pub account: AccountId,
    pub role: Role,
    pub reach: GrantReach,
    pub granted_by: Maker,
    pub granted_at: Instant,
    pub confirmed_by: Option<AccountId>,
    pub confirmed_at: Option<Instant>,
    pub effective_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
    pub revoked_by: Option<Maker>,
}

/// A role that was given to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleGrant {
    id: RoleGrantId,
    account: AccountId,
    role: Role,
    reach: GrantReach,
    granted_by: Maker,
    granted_at: Instant,
    confirmed: Option<Confirmation>,
    revoked: Option<(Instant, Maker)>,
}

/// The second person's word on a right to approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Confirmation {
    by: AccountId,
    at: Instant,
    effective_at: Instant,
}

/// Why a grant does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInForce {
    /// It was taken back.
    #[error("the role {role} was taken back at {at}")]
    Revoked {
        /// The role.
        role: Role,
        /// When.
        at: Instant,
    },
    /// It is dated later than now.
    #[error("the role {role} was given at {at}, later than now; check the clock")]
    InTheFuture {
        /// The role.
        role: Role,
        /// When it says it was given.
        at: Instant,
    },
    /// It is a right to approve that nobody confirmed (C3.1.7).
    #[error(
        "a right to approve counts once a second person of the same organisation has confirmed it (C3.1.7)"
    )]
    NotConfirmed,
    /// It is a right to approve, confirmed less than 24 hours ago (C3.1.7).
    #[error("this right to approve takes effect at {at}, 24 hours after it was confirmed (C3.1.7)")]
    NotYet {
        /// When it will count.
        at: Instant,
    },
}

impl RoleGrant {
    /// The grant of one row, checked again. Only `store` reads rows: `clippy.toml` bans this function
    /// elsewhere.
    ///
    /// # Errors
    /// [`BadRow`] for what no decision of ours can have written, such as a right to approve that its own
    /// giver confirmed, or one that takes effect before its 24 hours have passed (C3.1.7).
    pub fn from_row(row: GrantRow) -> Result<Self, BadRow> {
        let bad = |why| BadRow::new("role grant", row.id, why);
        let confirmed = match (row.confirmed_by, row.confirmed_at, row.effective_at) {
            (None, None, None) => None,
            (Some(by), Some(at), Some(effective_at)) => Some(Confirmation { by, at, effective_at }),
            _ => return Err(bad("it is half confirmed")),
        };
        if let Some(confirmation) = confirmed {
            if row.role != Role::Approver {
                return Err(bad("only a right to approve is confirmed"));
            }
            if confirmation.by == row.account || Maker::Account(confirmation.by) == row.granted_by {
                return Err(bad("whoever gave or has a right to approve cannot confirm it (C3.1.7)"));
            }
            if confirmation.at < row.granted_at
                || confirmation.effective_at < confirmation.at.plus(APPROVERS_WAIT)
            {
                return Err(bad("a right to approve waits 24 hours after its confirmation (C3.1.7)"));
            }
        }
        if row.granted_by == Maker::Account(row.account) {
            return Err(bad("nobody gives a role to themselves (C3.1.7)"));
        }
        if row.role == Role::Approver && row.granted_by == Maker::Host {
            return Err(bad("a right to approve is given by a person (C3.1.7)"));
        }
        let revoked = match (row.revoked_at, row.revoked_by) {
            (None, None) => None,
            (Some(at), Some(by)) => Some((at, by)),
            _ => return Err(bad("it is half taken back")),
        };
        give::reach_fits(row.role, &row.reach).map_err(|_unfit| bad("its reach does not fit its role"))?;
        Ok(Self {
            id: row.id,
            account: row.account,
            role: row.role,
            reach: row.reach,
            granted_by: row.granted_by,
            granted_at: row.granted_at,
            confirmed,
            revoked,
        })
    }

    /// What is stored of it.
    #[must_use]
    pub fn to_row(&self) -> GrantRow {
        GrantRow {
            id: self.id,
            account: self.account,
            role: self.role,
            reach: self.reach.clone(),
            granted_by: self.granted_by,
            granted_at: self.granted_at,
            confirmed_by: self.confirmed_by(),
            confirmed_at: self.confirmed_at(),
            effective_at: self.effective_at(),
            revoked_at: self.revoked_at(),
            revoked_by: self.revoked_by(),
        }
    }

    /// Passes a grant that counts now.
    ///
    /// One that was taken back never counts again, whatever the clock says; a right to approve counts 24
    /// hours after it was confirmed (C3.1.7).
    ///
    /// # Errors
    /// [`NotInForce`] says what it waits for.
    pub fn in_force(&self, now: Instant) -> Result<(), NotInForce> {
        let role = self.role;
        if let Some((at, _by)) = self.revoked {
            return Err(NotInForce::Revoked { role, at });
        }
        if self.granted_at > now {
            return Err(NotInForce::InTheFuture { role, at: self.granted_at });
        }
        match (role, self.confirmed) {
            (Role::Approver, None) => Err(NotInForce::NotConfirmed),
            (Role::Approver, Some(confirmation)) if now < confirmation.effective_at => {
                Err(NotInForce::NotYet { at: confirmation.effective_at })
            }
            _ => Ok(()),
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> RoleGrantId {
        self.id
    }

    /// Whose role it is.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// How far it reaches.
    #[must_use]
    pub fn reach(&self) -> &GrantReach {
        &self.reach
    }

    /// Who gave it.
    #[must_use]
    pub fn granted_by(&self) -> Maker {
        self.granted_by
    }

    /// When it was given.
    #[must_use]
    pub fn granted_at(&self) -> Instant {
        self.granted_at
    }

    /// Who confirmed it, if it is a right to approve and somebody did.
    #[must_use]
    pub fn confirmed_by(&self) -> Option<AccountId> {
        self.confirmed.map(|confirmation| confirmation.by)
    }

    /// When they did.
    #[must_use]
    pub fn confirmed_at(&self) -> Option<Instant> {
        self.confirmed.map(|confirmation| confirmation.at)
    }

    /// From when on a confirmed right to approve counts.
    #[must_use]
    pub fn effective_at(&self) -> Option<Instant> {
        self.confirmed.map(|confirmation| confirmation.effective_at)
    }

    /// When it was taken back.
    #[must_use]
    pub fn revoked_at(&self) -> Option<Instant> {
        self.revoked.map(|(at, _by)| at)
    }

    /// Who took it back.
    #[must_use]
    pub fn revoked_by(&self) -> Option<Maker> {
        self.revoked.map(|(_at, by)| by)
    }
}
