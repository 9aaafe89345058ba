//! Resetting what a person signs in with: one factor by one person, both by two (C3.1.7).

use serde_json::json;
use types::{AccountId, Instant, OrganisationKind};

use super::manage::{NotManaged, OtherManagers, manages, not_oneself, signed};
use super::{Account, AccountState, Deed, Making};
use crate::countersignature::{Content, Countersigned, Purpose, SecondPerson, Subject};
use crate::hands::TIED_FOR;
use crate::{Access, Permission, Standing};

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

/// Who signs for the recovery of an account: a second person of its organisation; or, where nobody is left
/// there who could, a second person of the département, whose administrator then also asks.
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
