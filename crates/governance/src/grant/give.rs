//! Giving roles, and taking them back.

use types::{Instant, OrganisationKind, Role, RoleGrantId, RuleId};

use crate::account::{FirstAccount, OtherManagers};
use crate::{
    Access, Account, AccountState, GrantReach, Maker, NotAllowed, Permission, Place, RoleGrant, Standing,
};

/// Why a role is not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotGranted {
    /// Whoever gives it may not.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The account is another organisation's (C3.1.7).
    #[error("each organisation gives the roles of its own accounts (C3.1.7)")]
    AnotherOrganisation,
    /// It is one's own account.
    #[error("nobody gives a role to themselves (C3.1.7); ask somebody else who manages accounts")]
    Oneself,
    /// The account has it.
    #[error("this account has the role {role} already; take it back first to change how far it reaches")]
    Already {
        /// The role.
        role: Role,
    },
    /// The account is over.
    #[error("this account is closed; it cannot have roles")]
    Closed,
    /// The role is not for such an organisation.
    #[error("the role {role} does not exist in an organisation of kind {kind}")]
    DoesNotFit {
        /// The role.
        role: Role,
        /// The kind of the account's organisation.
        kind: OrganisationKind,
    },
    /// The role does not reach that way.
    #[error("the role {role} {must}")]
    Reach {
        /// The role.
        role: Role,
        /// What its reach must be.
        must: &'static str,
    },
    /// The account is not the one that was to be the first.
    #[error("this account belongs to another organisation than the one whose first account was decided")]
    NotTheFirst,
}

impl NotGranted {
    /// The rule that decided, if one did.
    #[must_use]
    pub const fn rule(&self) -> Option<RuleId> {
        match self {
            Self::AnotherOrganisation | Self::Oneself | Self::NotTheFirst => Some(RuleId::C3_1_7),
            Self::NotAllowed(_)
            | Self::Already { .. }
            | Self::Closed
            | Self::DoesNotFit { .. }
            | Self::Reach { .. } => None,
        }
    }
}

/// Why a role is not taken back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRevoked {
    /// Whoever takes it back may not.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The account is another organisation's (C3.1.7).
    #[error("each organisation takes back the roles of its own accounts (C3.1.7)")]
    AnotherOrganisation,
    /// Nobody would be left to manage accounts.
    #[error("nobody else manages the accounts of this organisation; give somebody the role first")]
    LastManager,
    /// It was taken back before.
    #[error("this role was taken back at {at}")]
    Already {
        /// When.
        at: Instant,
    },
}

impl RoleGrant {
    /// Gives a role to an account of one's own organisation, beside those it `has`. A right to approve then
    /// waits for its confirmation.
    ///
    /// # Errors
    /// [`NotGranted`].
    pub fn give(
        id: RoleGrantId,
        (to, has): (&Account, &[Self]),
        role: Role,
        reach: GrantReach,
        by: &Standing,
        access: &Access,
        now: Instant,
    ) -> Result<Self, NotGranted> {
        by.in_use()?;
        if by.organisation().id() != to.organisation().id() {
            return Err(NotGranted::AnotherOrganisation);
        }
        by.may_at(Permission::GrantRoles, &Place::Organisation(to.organisation().id()), access, now)?;
        if by.account() == to.id() {
            return Err(NotGranted::Oneself);
        }
        if has.iter().any(|grant| grant.account == to.id() && grant.role == role && grant.revoked.is_none()) {
            return Err(NotGranted::Already { role });
        }
        Self::new(id, to, role, reach, Maker::Account(by.account()), now)
    }

    /// Gives the first account of an organisation the roles with which it manages the rest: `ids` are taken
    /// in turn. The département's first account also runs the fleet, until somebody else does.
    ///
    /// # Errors
    /// [`NotGranted::NotTheFirst`] for an account of another organisation.
    pub fn give_first(
        ids: [RoleGrantId; 2],
        to: &Account,
        first: &FirstAccount,
        now: Instant,
    ) -> Result<Vec<Self>, NotGranted> {
        if to.organisation().id() != first.organisation() {
            return Err(NotGranted::NotTheFirst);
        }
        let roles: &[Role] = match to.organisation().kind() {
            OrganisationKind::Departement => &[Role::Administrator, Role::Operator],
            OrganisationKind::Academie => &[Role::Administrator],
            OrganisationKind::College => &[Role::Head],
        };
        let grants = ids.into_iter().zip(roles);
        grants.map(|(id, role)| Self::new(id, to, *role, GrantReach::Organisation, first.by(), now)).collect()
    }

    fn new(
        id: RoleGrantId,
        to: &Account,
        role: Role,
        reach: GrantReach,
        granted_by: Maker,
        now: Instant,
    ) -> Result<Self, NotGranted> {
        let kind = to.organisation().kind();
        if to.state() == AccountState::Closed {
            return Err(NotGranted::Closed);
        }
        if !role.fits(kind) {
            return Err(NotGranted::DoesNotFit { role, kind });
        }
        reach_fits(role, &reach).map_err(|must| NotGranted::Reach { role, must })?;
        Ok(Self {
            id,
            account: to.id(),
            role,
            reach,
            granted_by,
            granted_at: now,
            confirmed: None,
            revoked: None,
        })
    }

    /// Takes a role back, at once and for good. One may give up one's own, unless nobody else manages
    /// accounts.
    ///
    /// # Errors
    /// [`NotRevoked`].
    pub fn revoke(
        &self,
        of: &Account,
        others: OtherManagers,
        by: &Standing,
        access: &Access,
        now: Instant,
    ) -> Result<Self, NotRevoked> {
        by.in_use()?;
        if by.organisation().id() != of.organisation().id() {
            return Err(NotRevoked::AnotherOrganisation);
        }
        by.may_at(Permission::GrantRoles, &Place::Organisation(of.organisation().id()), access, now)?;
        if let Some((at, _by)) = self.revoked {
            return Err(NotRevoked::Already { at });
        }
        let oneself = by.account() == of.id();
        if oneself && manages_accounts(self.role) && others.0 == 0 {
            return Err(NotRevoked::LastManager);
        }
        Ok(Self { revoked: Some((now, Maker::Account(by.account()))), ..self.clone() })
    }
}

/// Whether a role is one that manages the accounts of its organisation.
const fn manages_accounts(role: Role) -> bool {
    matches!(role, Role::Administrator | Role::Head)
}

/// Whether a role may reach that way; otherwise, how it must.
pub(super) fn reach_fits(role: Role, reach: &GrantReach) -> Result<(), &'static str> {
    match (role, reach) {
        (_, GrantReach::Colleges(colleges)) if colleges.is_empty() => Err("must reach at least one collège"),
        (Role::Ati, GrantReach::Organisation) => Err("must name the collèges it is for"),
        (Role::Ati | Role::Operator, _) | (_, GrantReach::Organisation) => Ok(()),
        (_, GrantReach::Colleges(_)) => {
            Err("reaches its whole organisation, and cannot be limited to collèges")
        }
    }
}
