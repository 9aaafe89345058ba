//! Who may do what to an account: somebody else, of the same organisation (C3.1.7).

use types::{Instant, OrganisationId, RuleId};

use super::{Account, AccountState};
use crate::countersignature::{Content, Countersigned, Purpose, Subject};
use crate::{Access, NotAllowed, Organisation, OrganisationState, Permission, Place, Standing};

/// How many *other* accounts in use manage the accounts of an organisation: beside the account in question,
/// and beside whoever acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherManagers(pub u32);

/// What of a new account's names another account has, in whatever organisation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Its login.
    pub login: bool,
    /// Its e-mail address. That one person has two accounts under two addresses cannot be known.
    pub email: bool,
}

/// Why nothing is done to an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotManaged {
    /// Whoever asks may not.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// It is another organisation's (C3.1.7).
    #[error("each organisation manages its own accounts (C3.1.7)")]
    AnotherOrganisation,
    /// It is one's own.
    #[error("nobody does this to their own account (C3.1.7); ask somebody else who manages accounts")]
    Oneself,
    /// There is such a login.
    #[error("this login is taken; choose another one")]
    LoginTaken,
    /// Another account has that mailbox.
    #[error(
        "another account has this e-mail address: whoever reads one mailbox is one person, and has one \
         account (C3.1.7)"
    )]
    EmailTaken,
    /// It has the people it needs.
    #[error("this organisation has people who manage its accounts; they invite the others (C3.1.7)")]
    ManagesItself,
    /// Somebody can sign.
    #[error("the département has people for this: one invites, a second one signs (C3.1.7)")]
    NotTheHost,
    /// The signature is for something else.
    #[error("the second person signed for something else (C3.1.7)")]
    SignedForAnother,
    /// Whoever comes with a signature did not ask for it.
    #[error("only whoever asked for a signature uses it (C3.1.7)")]
    NotTheAsker,
    /// The other of its two factors was reset of late: whoever resets both is the account.
    #[error(
        "the other factor of this account was reset at {at}, less than 30 days ago; resetting both takes a \
         second person: ask for a recovery (C3.1.7)"
    )]
    NeedsTwo {
        /// When.
        at: Instant,
    },
    /// An account does not go there from where it is.
    #[error("this account is {from}; it cannot become {to}")]
    State {
        /// Where it is.
        from: AccountState,
        /// Where it was to go.
        to: AccountState,
    },
    /// The organisation no longer takes part.
    #[error("this organisation is closed")]
    OrganisationClosed,
}

impl NotManaged {
    /// The rule that decided, if one did.
    #[must_use]
    pub const fn rule(&self) -> Option<RuleId> {
        match self {
            Self::AnotherOrganisation
            | Self::Oneself
            | Self::EmailTaken
            | Self::ManagesItself
            | Self::NotTheHost
            | Self::SignedForAnother
            | Self::NotTheAsker
            | Self::NeedsTwo { .. } => Some(RuleId::C3_1_7),
            Self::NotAllowed(_) | Self::LoginTaken | Self::State { .. } | Self::OrganisationClosed => None,
        }
    }
}

/// Passes whoever may invite somebody into this organisation: their own.
///
/// # Errors
/// [`NotManaged`].
pub fn may_invite(
    into: &Organisation,
    taken: Taken,
    by: &Standing,
    access: &Access,
    now: Instant,
) -> Result<(), NotManaged> {
    manages(into.id(), by, access, now)?;
    free(taken)
}

/// Passes whoever may suspend an account: at once and alone, since it is how a stolen one is stopped.
///
/// # Errors
/// [`NotManaged`].
pub fn may_suspend(
    of: &Account,
    by: &Standing,
    access: &Access,
    now: Instant,
) -> Result<AccountState, NotManaged> {
    may_end(of, AccountState::Suspended, by, access, now)
}

/// Passes whoever may close an account, for good.
///
/// # Errors
/// [`NotManaged`].
pub fn may_close(
    of: &Account,
    by: &Standing,
    access: &Access,
    now: Instant,
) -> Result<AccountState, NotManaged> {
    may_end(of, AccountState::Closed, by, access, now)
}

/// Passes whoever may end a suspension. The account is as it was: with a password, or still only invited.
///
/// # Errors
/// [`NotManaged`].
pub fn may_reopen(
    of: &Account,
    has_password: bool,
    by: &Standing,
    access: &Access,
    now: Instant,
) -> Result<AccountState, NotManaged> {
    manages(of.organisation().id(), by, access, now)?;
    not_oneself(of, by)?;
    let next = if has_password { AccountState::Active } else { AccountState::Invited };
    if of.state() != AccountState::Suspended {
        return Err(NotManaged::State { from: of.state(), to: next });
    }
    Ok(next)
}

/// Whoever ends an account manages accounts and is not it: somebody is always left who does.
fn may_end(
    of: &Account,
    next: AccountState,
    by: &Standing,
    access: &Access,
    now: Instant,
) -> Result<AccountState, NotManaged> {
    manages(of.organisation().id(), by, access, now)?;
    not_oneself(of, by)?;
    if !of.state().may_become(next) {
        return Err(NotManaged::State { from: of.state(), to: next });
    }
    Ok(next)
}

pub(super) fn manages(
    organisation: OrganisationId,
    by: &Standing,
    access: &Access,
    now: Instant,
) -> Result<(), NotManaged> {
    by.in_use()?;
    if by.organisation().id() != organisation {
        return Err(NotManaged::AnotherOrganisation);
    }
    by.may_at(Permission::ManageAccounts, &Place::Organisation(organisation), access, now)?;
    Ok(())
}

pub(super) fn not_oneself(of: &Account, by: &Standing) -> Result<(), NotManaged> {
    if of.id() == by.account() { Err(NotManaged::Oneself) } else { Ok(()) }
}

pub(super) fn free(taken: Taken) -> Result<(), NotManaged> {
    match taken {
        Taken { login: true, .. } => Err(NotManaged::LoginTaken),
        Taken { email: true, .. } => Err(NotManaged::EmailTaken),
        Taken { login: false, email: false } => Ok(()),
    }
}

pub(super) fn takes_part(organisation: &Organisation) -> Result<(), NotManaged> {
    if organisation.state() == OrganisationState::Active {
        Ok(())
    } else {
        Err(NotManaged::OrganisationClosed)
    }
}

pub(super) fn signed(
    proof: &Countersigned,
    purpose: Purpose,
    subject: &Subject,
    content: &Content,
    by: &Standing,
) -> Result<(), NotManaged> {
    if !proof.is_for(purpose, subject, content) {
        return Err(NotManaged::SignedForAnother);
    }
    if proof.asked_by() != by.account() {
        return Err(NotManaged::NotTheAsker);
    }
    Ok(())
}
