//! Who may do what to an account (C3.1.7).
//!
//! Each organisation manages its own accounts. From outside come only those with which it begins: until two people
//! manage accounts there, the département may invite them, under the signature of a second person of its own, or
//! the host may, as long as the département has nobody who could sign.

use serde_json::json;
use types::{AccountId, CountersignatureId, Instant, OrganisationId, OrganisationKind, RuleId};

use super::{Account, AccountState, Deed, Email, Login, Maker, Making};
use crate::countersignature::{Content, Countersigned, Purpose, SecondPerson, Subject};
use crate::hands::TIED_FOR;
use crate::{Access, NotAllowed, Organisation, OrganisationState, Permission, Place, Standing};

/// How many people an organisation needs who manage accounts: with fewer, nothing that takes two can be done.
const ENOUGH_MANAGERS: u32 = 2;
/// How many people the département needs before the host no longer speaks for it.
const ENOUGH_PEOPLE: u32 = 2;

/// How many *other* accounts in use manage the accounts of an organisation: beside the account in question, and
/// beside whoever acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherManagers(pub u32);

/// How many accounts in use the département has that could be a second person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepartementPeople(pub u32);

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
        "another account has this e-mail address: whoever reads one mailbox is one person, and has one account \
         (C3.1.7)"
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
        "the other factor of this account was reset at {at}, less than 30 days ago; resetting both takes a second \
         person: ask for a recovery (C3.1.7)"
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

/// The decision that an organisation gets an account from outside, with which it manages the rest.
#[derive(Debug, PartialEq, Eq)]
pub struct FirstAccount {
    organisation: OrganisationId,
    by: Maker,
    countersignature: Option<CountersignatureId>,
}

impl FirstAccount {
    /// What a second person of the département is asked about.
    #[must_use]
    pub fn question(into: OrganisationId, login: &Login, email: Option<&Email>) -> (Subject, Content) {
        let content = json!({ "email": email, "login": login, "organisation": into });
        (Subject::Organisation(into), Content::of_plain(&content))
    }

    /// The organisation that gets it.
    #[must_use]
    pub fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    /// Who made it: the invitation is theirs, and they count as its maker.
    #[must_use]
    pub fn by(&self) -> Maker {
        self.by
    }

    /// Under which signature, unless the host made it.
    #[must_use]
    pub fn countersignature(&self) -> Option<CountersignatureId> {
        self.countersignature
    }
}

/// Somebody of the département invites one of the first two who manage accounts in another organisation, under
/// the signature of a second person of the département.
///
/// Two of the département who invite one each, and sign for each other, give the organisation two accounts that
/// nobody stands behind together, so that it need not wait 30 days for its first joint decision.
///
/// # Errors
/// [`NotManaged`].
pub fn first_account(
    into: &Organisation,
    names: (&Login, Option<&Email>, Taken),
    managers: OtherManagers,
    proof: Countersigned,
    by: &Standing,
    access: &Access,
    now: Instant,
) -> Result<FirstAccount, NotManaged> {
    let (login, email, taken) = names;
    by.may(Permission::ManageOrganisations, access, now)?;
    takes_part(into)?;
    if into.kind() == OrganisationKind::Departement || managers.0 >= ENOUGH_MANAGERS {
        return Err(NotManaged::ManagesItself);
    }
    let (subject, content) = FirstAccount::question(into.id(), login, email);
    signed(&proof, Purpose::FirstAccount, &subject, &content, by)?;
    free(taken)?;
    Ok(FirstAccount {
        organisation: into.id(),
        by: Maker::Account(by.account()),
        countersignature: Some(proof.id()),
    })
}

/// The host makes the département's accounts, whenever it must, and one of the first two of another organisation
/// as long as the département has nobody who could sign for it.
///
/// # Errors
/// [`NotManaged`].
pub fn first_account_by_host(
    into: &Organisation,
    taken: Taken,
    managers: OtherManagers,
    people: DepartementPeople,
) -> Result<FirstAccount, NotManaged> {
    takes_part(into)?;
    if into.kind() != OrganisationKind::Departement {
        if managers.0 >= ENOUGH_MANAGERS {
            return Err(NotManaged::ManagesItself);
        }
        if people.0 >= ENOUGH_PEOPLE {
            return Err(NotManaged::NotTheHost);
        }
    }
    free(taken)?;
    Ok(FirstAccount { organisation: into.id(), by: Maker::Host, countersignature: None })
}

/// One of the two things a person signs in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// What they know.
    Password,
    /// What they have.
    SecondFactor,
}

/// Passes whoever may reset one factor of an account: somebody else of the same organisation.
///
/// # Errors
/// [`NotManaged::NeedsTwo`] if the other factor, or the account as a whole, was reset in the last 30 days.
pub fn may_reset(
    factor: Factor,
    of: &Account,
    makings: &[Making],
    by: &Standing,
    access: &Access,
    now: Instant,
) -> Result<Deed, NotManaged> {
    manages(of.organisation().id(), by, access, now)?;
    not_oneself(of, by)?;
    let (deed, other) = match factor {
        Factor::Password => (Deed::PasswordReset, Deed::SecondFactorReset),
        Factor::SecondFactor => (Deed::SecondFactorReset, Deed::PasswordReset),
    };
    let late = makings.iter().find(|making| {
        let both = [other, Deed::Recovered].contains(&making.deed);
        making.account == of.id() && both && now.since(making.at) <= TIED_FOR
    });
    if let Some(making) = late {
        return Err(NotManaged::NeedsTwo { at: making.at });
    }
    if matches!(of.state(), AccountState::Closed | AccountState::Invited) {
        return Err(NotManaged::State { from: of.state(), to: AccountState::Active });
    }
    Ok(deed)
}

/// Who signs for the recovery of an account: a second person of its organisation; or, where nobody is left there
/// who could, a second person of the département, whose administrator then also asks.
///
/// # Errors
/// [`NotManaged`] for whoever may not ask.
pub fn who_confirms_recovery(
    of: &Account,
    others: OtherManagers,
    by: &Standing,
) -> Result<SecondPerson, NotManaged> {
    by.in_use()?;
    not_oneself(of, by)?;
    let (theirs, ours) = (of.organisation(), by.organisation());
    if theirs.id() == ours.id() && (others.0 > 0 || theirs.kind() == OrganisationKind::Departement) {
        return Ok(SecondPerson::Manager { organisation: theirs.id() });
    }
    let from_outside = ours.kind() == OrganisationKind::Departement;
    if others.0 == 0 && (from_outside || theirs.id() == ours.id()) {
        return Ok(SecondPerson::Departement);
    }
    Err(NotManaged::AnotherOrganisation)
}

/// Passes the recovery of an account, both of whose factors are lost, under the signature of a second person.
///
/// # Errors
/// [`NotManaged`].
pub fn may_recover(
    of: &Account,
    others: OtherManagers,
    proof: Countersigned,
    by: &Standing,
    access: &Access,
    now: Instant,
) -> Result<Deed, NotManaged> {
    by.may(Permission::ManageAccounts, access, now)?;
    who_confirms_recovery(of, others, by)?;
    let (subject, content) = recovery_question(of.id());
    signed(&proof, Purpose::RecoverAccount, &subject, &content, by)?;
    if of.state() == AccountState::Closed {
        return Err(NotManaged::State { from: of.state(), to: AccountState::Active });
    }
    Ok(Deed::Recovered)
}

/// What a second person is asked about before an account is recovered.
#[must_use]
pub fn recovery_question(of: AccountId) -> (Subject, Content) {
    (Subject::Account(of), Content::of_plain(&json!({ "account": of })))
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

fn manages(
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

fn not_oneself(of: &Account, by: &Standing) -> Result<(), NotManaged> {
    if of.id() == by.account() { Err(NotManaged::Oneself) } else { Ok(()) }
}

fn free(taken: Taken) -> Result<(), NotManaged> {
    match taken {
        Taken { login: true, .. } => Err(NotManaged::LoginTaken),
        Taken { email: true, .. } => Err(NotManaged::EmailTaken),
        Taken { login: false, email: false } => Ok(()),
    }
}

fn takes_part(organisation: &Organisation) -> Result<(), NotManaged> {
    if organisation.state() == OrganisationState::Active {
        Ok(())
    } else {
        Err(NotManaged::OrganisationClosed)
    }
}

fn signed(
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
