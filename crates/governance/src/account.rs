//! Accounts: what they are, who made them, and what they are called.

mod first;
mod manage;
mod names;
mod reset;

use std::fmt;
use std::str::FromStr;

use types::{AccountId, Instant, InvalidName, text_enum};

pub use first::{DepartementPeople, FirstAccount, first_account, first_account_by_host};
pub use manage::{NotManaged, OtherManagers, Taken, may_close, may_invite, may_reopen, may_suspend};
pub use names::{Email, Login};
pub use reset::{Factor, may_recover, may_reset, recovery_question, who_confirms_recovery};

use crate::Organisation;

text_enum! {
    /// Where an account is in its life.
    AccountState: "state of an account" {
        /// Its holder has not chosen a password yet.
        Invited = "invited",
        /// Its holder can sign in.
        Active = "active",
        /// Its holder cannot sign in for now; its sessions and tokens are worth nothing.
        Suspended = "suspended",
        /// It is over, and stays so: what it did stays readable under its name.
        Closed = "closed",
    }

    /// What makes one person able to be another: for 30 days, the two count as one (C3.1.7).
    Deed: "deed on an account" {
        /// The account was created, and its invitation seen.
        Created = "created",
        /// Its password was reset.
        PasswordReset = "password-reset",
        /// Its second factor was reset.
        SecondFactorReset = "second-factor-reset",
        /// Both were reset, which takes two persons.
        Recovered = "recovered",
    }
}

impl AccountState {
    /// Whether an account may go from this state to that one. Nothing comes back from closed.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Invited, Self::Active | Self::Suspended | Self::Closed)
                | (Self::Active, Self::Suspended | Self::Closed)
                | (Self::Suspended, Self::Invited | Self::Active | Self::Closed)
        )
    }
}

/// Whoever makes accounts and gives roles: a person, or whoever owns the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Maker {
    /// Someone at the machine itself: `ardoise init` and its like. Nobody's creature is made by it.
    Host,
    /// A person, through their account.
    Account(AccountId),
}

impl Maker {
    /// The account, if it is one.
    #[must_use]
    pub const fn account(self) -> Option<AccountId> {
        match self {
            Self::Host => None,
            Self::Account(account) => Some(account),
        }
    }
}

/// As the audit log names an actor: `host`, or `account:` and the id.
impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("host"),
            Self::Account(account) => write!(f, "account:{account}"),
        }
    }
}

impl FromStr for Maker {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text == "host" {
            return Ok(Self::Host);
        }
        let account = text.strip_prefix("account:").and_then(|id| id.parse().ok());
        account
            .map(Self::Account)
            .ok_or_else(|| InvalidName::new("maker of an account", "`host`, or `account:` and an id", text))
    }
}

/// A deed of the past on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Making {
    /// The account it was done to.
    pub account: AccountId,
    /// What was done.
    pub deed: Deed,
    /// By whom.
    pub by: Maker,
    /// When.
    pub at: Instant,
}

/// An account as its row says. Its organisation never changes (C3.1.7): there is no function that would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    id: AccountId,
    organisation: Organisation,
    state: AccountState,
}

impl Account {
    /// The account of one row. Only `store` reads rows: `clippy.toml` bans this function elsewhere.
    #[must_use]
    pub fn from_row(id: AccountId, organisation: Organisation, state: AccountState) -> Self {
        Self { id, organisation, state }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> AccountId {
        self.id
    }

    /// The organisation it belongs to.
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }

    /// Where it is in its life.
    #[must_use]
    pub fn state(&self) -> AccountState {
        self.state
    }
}
