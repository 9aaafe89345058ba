//! What an account may do now, and where.
//!
//! A [`Standing`] is read back from its rows in the transaction of each act, so that a role that was taken
//! back, or an account that was suspended, counts for nothing from that instant on.

use std::collections::BTreeSet;

use types::{AccountId, Instant, OrganisationId, Role, Uai};

use crate::permission::{Cell, cell};
use crate::{
    Access, Account, AccountState, BadRow, GrantReach, Organisation, OrganisationState, Permission, RoleGrant,
};

/// What an act is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The whole fleet, or the server.
    Fleet,
    /// Tablets of this collège, or what it decides for itself; or tablets that no collège has yet.
    College(Option<Uai>),
    /// An organisation, its accounts and their roles.
    Organisation(OrganisationId),
    /// What belongs to one account.
    Account {
        /// The account.
        account: AccountId,
        /// Its organisation.
        organisation: OrganisationId,
    },
}

/// Where somebody may do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Everywhere.
    Everything,
    /// In one organisation: its accounts, and their roles.
    Organisation(OrganisationId),
    /// In these collèges.
    Colleges(BTreeSet<Uai>),
    /// With what is one's own.
    Own(AccountId),
}

impl Reach {
    /// Whether it extends to this place. Tablets that no collège has are only reached by reaching everything.
    #[must_use]
    pub fn covers(&self, place: &Place) -> bool {
        match (self, place) {
            (Self::Everything, _) => true,
            (
                Self::Organisation(mine),
                Place::Organisation(organisation) | Place::Account { organisation, .. },
            ) => mine == organisation,
            (Self::Colleges(mine), Place::College(Some(uai))) => mine.contains(uai),
            (Self::Own(mine), Place::Account { account, .. }) => mine == account,
            (Self::Organisation(_) | Self::Colleges(_) | Self::Own(_), _) => false,
        }
    }

    /// Both together. What is reached in different ways by one permission does not add up, and no row of the
    /// table does that: the wider of the two stays.
    fn joined(self, other: Self) -> Self {
        match (self, other) {
            (Self::Everything, _) | (_, Self::Everything) => Self::Everything,
            (Self::Colleges(mut one), Self::Colleges(mut other)) => {
                one.append(&mut other);
                Self::Colleges(one)
            }
            (Self::Own(_), other) => other,
            (one, _) => one,
        }
    }
}

/// Why somebody may not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// The account is not in use.
    #[error(
        "this account is {state}, and can do nothing; ask whoever manages the accounts of your organisation"
    )]
    NotActive {
        /// Where it is in its life.
        state: AccountState,
    },
    /// The organisation no longer takes part.
    #[error("the organisation of this account is closed; its accounts can do nothing")]
    OrganisationClosed,
    /// No role in force gives it.
    #[error("none of your roles gives you the right to do this (`{permission}`)")]
    NoRole {
        /// What was asked.
        permission: Permission,
    },
    /// It is elsewhere. To whoever asks, it should look as if it did not exist.
    #[error("this is outside what your roles, or this token, reach (`{permission}`)")]
    OutOfReach {
        /// What was asked.
        permission: Permission,
    },
    /// It needs a code of the second factor, and none was shown a moment ago.
    #[error("this needs a code of your second factor, shown within the last five minutes (`{permission}`)")]
    StepUp {
        /// What was asked.
        permission: Permission,
    },
    /// The token may only look.
    #[error("this token may not do this (`{permission}`); it has the scope `read`")]
    OnlyLooks {
        /// What was asked.
        permission: Permission,
    },
    /// No token does that.
    #[error("a token cannot do this (`{permission}`); sign in")]
    TakesASession {
        /// What was asked.
        permission: Permission,
    },
}

/// An account, its organisation and its roles, as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    account: Account,
    grants: Vec<RoleGrant>,
}

impl Standing {
    /// Puts together what the rows of one account say.
    ///
    /// # Errors
    /// [`BadRow`] when a grant is another account's, or its role does not fit the organisation.
    pub fn new(account: Account, grants: Vec<RoleGrant>) -> Result<Self, BadRow> {
        for grant in &grants {
            if grant.account() != account.id() {
                return Err(BadRow::new("role grant", grant.id(), "it is of another account"));
            }
            if !grant.role().fits(account.organisation().kind()) {
                return Err(BadRow::new("role grant", grant.id(), "its role does not fit the organisation"));
            }
        }
        Ok(Self { account, grants })
    }

    /// Whose it is.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account.id()
    }

    /// The account itself.
    #[must_use]
    pub fn whose(&self) -> &Account {
        &self.account
    }

    /// The organisation the account belongs to.
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        self.account.organisation()
    }

    /// Every role that was ever given, in force or not.
    #[must_use]
    pub fn grants(&self) -> &[RoleGrant] {
        &self.grants
    }

    /// Passes an account that is in use, of an organisation that takes part.
    ///
    /// # Errors
    /// [`NotAllowed::NotActive`], [`NotAllowed::OrganisationClosed`].
    pub fn in_use(&self) -> Result<(), NotAllowed> {
        if self.account.state() != AccountState::Active {
            return Err(NotAllowed::NotActive { state: self.account.state() });
        }
        if self.organisation().state() != OrganisationState::Active {
            return Err(NotAllowed::OrganisationClosed);
        }
        Ok(())
    }

    /// The grants that count now; none for an account that is not in use.
    pub fn in_force(&self, now: Instant) -> impl Iterator<Item = &RoleGrant> {
        let grants = if self.in_use().is_ok() { self.grants.as_slice() } else { &[] };
        grants.iter().filter(move |grant| grant.in_force(now).is_ok())
    }

    /// Whether the account has this role now.
    #[must_use]
    pub fn has(&self, role: Role, now: Instant) -> bool {
        self.in_force(now).any(|grant| grant.role() == role)
    }

    /// Where the account's roles, as they are now, let it do this; `None` if nowhere.
    #[must_use]
    pub fn reach(&self, permission: Permission, now: Instant) -> Option<Reach> {
        self.reach_within(permission, None, now)
    }

    /// Passes whoever may do this somewhere, and says where.
    ///
    /// # Errors
    /// [`NotAllowed`] says what is missing.
    pub fn may(&self, permission: Permission, access: &Access, now: Instant) -> Result<Reach, NotAllowed> {
        self.in_use()?;
        let somewhere = self.reach(permission, now).ok_or(NotAllowed::NoRole { permission })?;
        access.lets(permission, now)?;
        if access.only().is_none() {
            return Ok(somewhere);
        }
        self.reach_within(permission, access.only(), now).ok_or(NotAllowed::OutOfReach { permission })
    }

    /// Passes whoever may do this at this place.
    ///
    /// # Errors
    /// [`NotAllowed`] says what is missing.
    pub fn may_at(
        &self,
        permission: Permission,
        place: &Place,
        access: &Access,
        now: Instant,
    ) -> Result<(), NotAllowed> {
        self.may_at_each(permission, [place], access, now)
    }

    /// Passes whoever may do this at every one of these places: all or nothing (T-C1).
    ///
    /// # Errors
    /// [`NotAllowed`] says what is missing.
    pub fn may_at_each<'a>(
        &self,
        permission: Permission,
        places: impl IntoIterator<Item = &'a Place>,
        access: &Access,
        now: Instant,
    ) -> Result<(), NotAllowed> {
        let reach = self.may(permission, access, now)?;
        if places.into_iter().all(|place| reach.covers(place)) {
            Ok(())
        } else {
            Err(NotAllowed::OutOfReach { permission })
        }
    }

    /// The reach of all roles in force together, each cut down to the collèges that a token is limited to.
    fn reach_within(
        &self,
        permission: Permission,
        only: Option<&BTreeSet<Uai>>,
        now: Instant,
    ) -> Option<Reach> {
        let reaches = self.in_force(now).filter_map(|grant| {
            let limits = limits(grant.reach(), only);
            let organisation = self.organisation();
            match (cell(permission, grant.role(), organisation.kind()), limits) {
                (Cell::No, _) | (Cell::All | Cell::Org, Some(_)) => None,
                (Cell::Any, _) | (Cell::All, None) => Some(Reach::Everything),
                (Cell::Org, None) => Some(Reach::Organisation(organisation.id())),
                (Cell::Own, _) => Some(Reach::Own(self.account())),
                (Cell::Col, limits) => colleges(organisation.uai(), limits),
            }
        });
        reaches.reduce(Reach::joined)
    }
}

/// The only collèges a grant reaches through a token, or `None` if it is not limited to some.
fn limits(reach: &GrantReach, only: Option<&BTreeSet<Uai>>) -> Option<BTreeSet<Uai>> {
    match (reach, only) {
        (GrantReach::Organisation, only) => only.cloned(),
        (GrantReach::Colleges(mine), None) => Some(mine.clone()),
        (GrantReach::Colleges(mine), Some(only)) => Some(mine.intersection(only).cloned().collect()),
    }
}

/// The tablets that go with an organisation: those of a collège are its own; the others' are everyone's.
fn colleges(own: Option<&Uai>, limits: Option<BTreeSet<Uai>>) -> Option<Reach> {
    let colleges = match (own, limits) {
        (None, None) => return Some(Reach::Everything),
        (None, Some(limits)) => limits,
        (Some(own), None) => BTreeSet::from([own.clone()]),
        (Some(own), Some(limits)) => limits.into_iter().filter(|uai| uai == own).collect(),
    };
    (!colleges.is_empty()).then_some(Reach::Colleges(colleges))
}
